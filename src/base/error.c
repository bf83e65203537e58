/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX sizeof(((struct crm_error *)0)->message)

/* Ends a text that did not fit in "...", without splitting a UTF-8 character. */
static void mark_cut(char text[static MESSAGE_MAX]) {
  size_t end = MESSAGE_MAX - sizeof("...");
  for (int back = 0; back < 3 && ((unsigned char)text[end] & 0xC0) == 0x80; back++)
    end--;
  memcpy(text + end, "...", sizeof("..."));
}

CRM_PRINTF(2, 0) static void format(char text[static MESSAGE_MAX], const char *fmt, va_list args) {
  int len = vsnprintf(text, MESSAGE_MAX, fmt, args);
  if (len < 0)
    text[0] = '\0';
  else if ((size_t)len >= MESSAGE_MAX)
    mark_cut(text);
}

enum crm_status crm_error_set(struct crm_error *err, enum crm_status status, const char *fmt, ...) {
  if (err == NULL)
    return status;
  int saved_errno = errno;
  char text[MESSAGE_MAX]; /* apart, since an argument may be the old message */
  va_list args;
  va_start(args, fmt);
  format(text, fmt, args);
  va_end(args);
  err->status = status;
  err->sqlstate[0] = '\0';
  strcpy(err->message, text);
  errno = saved_errno;
  return status;
}

enum crm_status crm_error_prefix(struct crm_error *err, const char *fmt, ...) {
  if (err == NULL)
    return CRM_OK;
  int saved_errno = errno;
  char text[MESSAGE_MAX];
  va_list args;
  va_start(args, fmt);
  format(text, fmt, args);
  va_end(args);
  char whole[2 * MESSAGE_MAX + 2]; /* both and ": " always fit */
  int len = snprintf(whole, sizeof(whole), "%s: %s", text, err->message);
  size_t keep = (size_t)len < MESSAGE_MAX ? (size_t)len : MESSAGE_MAX - 1;
  memcpy(err->message, whole, keep);
  err->message[keep] = '\0';
  if ((size_t)len >= MESSAGE_MAX)
    mark_cut(err->message);
  errno = saved_errno;
  return err->status;
}

void crm_error_clear(struct crm_error *err) {
  if (err == NULL)
    return;
  err->status = CRM_OK;
  err->sqlstate[0] = '\0';
  err->message[0] = '\0';
}

const char *crm_status_name(enum crm_status status) {
  switch (status) {
  case CRM_OK:
    return "ok";
  case CRM_ERR_MEMORY:
    return "memory";
  case CRM_ERR_CONFIG:
    return "config";
  case CRM_ERR_IO:
    return "io";
  case CRM_ERR_CONNECT:
    return "connect";
  case CRM_ERR_TIMEOUT:
    return "timeout";
  case CRM_ERR_STOPPED:
    return "stopped";
  case CRM_ERR_SQL:
    return "sql";
  case CRM_ERR_MAPPING:
    return "mapping";
  case CRM_ERR_DATA:
    return "data";
  case CRM_ERR_LIMIT:
    return "limit";
  }
  return "unknown";
}
