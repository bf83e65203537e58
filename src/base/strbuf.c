/* SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAP 256

void crm_strbuf_init(struct crm_strbuf *buf, size_t ceiling) {
  *buf = (struct crm_strbuf){.ceiling = ceiling};
}

void crm_strbuf_free(struct crm_strbuf *buf) {
  free(buf->data);
  *buf = (struct crm_strbuf){.ceiling = buf->ceiling};
}

void crm_strbuf_reset(struct crm_strbuf *buf) {
  buf->len = 0;
  buf->failed = false;
  if (buf->data != NULL)
    buf->data[0] = '\0';
}

void crm_strbuf_fail(struct crm_strbuf *buf) {
  crm_strbuf_free(buf);
  buf->failed = true;
}

/* Makes room for `more` bytes and the NUL; false (and failed) if that passes the ceiling. */
static bool reserve(struct crm_strbuf *buf, size_t more) {
  if (buf->failed)
    return false;
  if (buf->len > buf->ceiling || more > buf->ceiling - buf->len || buf->ceiling == SIZE_MAX) {
    crm_strbuf_fail(buf);
    return false;
  }
  size_t need = buf->len + more + 1;
  if (need <= buf->cap)
    return true;
  size_t cap = buf->cap < SMALLEST_CAP ? SMALLEST_CAP : buf->cap;
  while (cap < need)
    cap = cap > SIZE_MAX / 2 ? need : cap * 2;
  if (cap > buf->ceiling + 1)
    cap = buf->ceiling + 1;
  char *data = realloc(buf->data, cap);
  if (data == NULL) {
    crm_strbuf_fail(buf);
    return false;
  }
  buf->data = data;
  buf->cap = cap;
  return true;
}

void crm_strbuf_add(struct crm_strbuf *buf, const char *data, size_t len) {
  if (!reserve(buf, len))
    return;
  if (len != 0)
    memcpy(buf->data + buf->len, data, len);
  buf->len += len;
  buf->data[buf->len] = '\0';
}

char *crm_strbuf_room(struct crm_strbuf *buf, size_t more) {
  return reserve(buf, more) ? buf->data + buf->len : NULL;
}

void crm_strbuf_took(struct crm_strbuf *buf, size_t len) {
  buf->len += len;
  buf->data[buf->len] = '\0';
}

void crm_strbuf_adds(struct crm_strbuf *buf, const char *text) {
  crm_strbuf_add(buf, text, strlen(text));
}

void crm_strbuf_addc(struct crm_strbuf *buf, char c) {
  crm_strbuf_add(buf, &c, 1);
}

void crm_strbuf_addf(struct crm_strbuf *buf, const char *fmt, ...) {
  if (buf->failed)
    return;
  /* Most pieces fit in the room there is; one that does not is formatted again once its length is known. */
  va_list args;
  va_start(args, fmt);
  size_t room = buf->data == NULL ? 0 : buf->cap - buf->len;
  int len = vsnprintf(room == 0 ? NULL : buf->data + buf->len, room, fmt, args);
  va_end(args);
  if (len < 0) {
    crm_strbuf_fail(buf);
    return;
  }
  size_t n = (size_t)len;
  if (n < room) {
    buf->len += n; /* the room never passes the ceiling */
    return;
  }
  if (!reserve(buf, n))
    return;
  va_start(args, fmt);
  vsnprintf(buf->data + buf->len, n + 1, fmt, args);
  va_end(args);
  buf->len += n;
}

const char *crm_strbuf_str(const struct crm_strbuf *buf) {
  if (buf->failed)
    return NULL;
  return buf->data == NULL ? "" : buf->data;
}

char *crm_strbuf_take(struct crm_strbuf *buf) {
  crm_strbuf_add(buf, "", 0); /* an empty text is a text as well */
  char *data = buf->failed ? NULL : buf->data;
  *buf = (struct crm_strbuf){.ceiling = buf->ceiling};
  return data;
}
