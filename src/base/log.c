/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1280 /* a whole crm_error message and words around it */
#define FIRST_INTERVAL_US (INT64_C(5) * 60 * 1000000)
#define LONGEST_INTERVAL_US (INT64_C(24) * 3600 * 1000000)

CRM_PRINTF(3, 0)
static void write_line(const struct crm_log *log, enum crm_log_level level, const char *fmt, va_list args, uint64_t times) {
  if (log == NULL || log->write == NULL)
    return;
  char line[LINE_MAX_BYTES + 64];
  int len = vsnprintf(line, LINE_MAX_BYTES, fmt, args);
  if (len < 0)
    return;
  size_t end = (size_t)len;
  if (end >= LINE_MAX_BYTES) {
    end = LINE_MAX_BYTES - sizeof("...");
    for (int back = 0; back < 3 && ((unsigned char)line[end] & 0xC0) == 0x80; back++)
      end--;
    memcpy(line + end, "...", sizeof("..."));
    end += strlen("...");
  }
  /* A server's message has several lines, and what it quotes may hold control characters: a log line is one line. */
  while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r' || line[end - 1] == ' '))
    line[--end] = '\0';
  for (size_t i = 0; i < end; i++)
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
      line[i] = ' ';
  if (times > 1)
    snprintf(line + end, sizeof(line) - end, " (%" PRIu64 " times since it began)", times);
  log->write(log->ctx, level, line);
}

void crm_log(const struct crm_log *log, enum crm_log_level level, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  write_line(log, level, fmt, args, 0);
  va_end(args);
}

void crm_complain(struct crm_complaint *c, int64_t monotonic_us, const struct crm_log *log, enum crm_log_level level, const char *fmt,
                  ...) {
  c->count++;
  if (c->active && monotonic_us < c->next_us)
    return;
  if (!c->active) {
    c->active = true;
    c->interval_us = FIRST_INTERVAL_US;
  } else {
    c->interval_us = c->interval_us >= LONGEST_INTERVAL_US / 2 ? LONGEST_INTERVAL_US : c->interval_us * 2;
  }
  c->next_us = monotonic_us + c->interval_us;
  va_list args;
  va_start(args, fmt);
  write_line(log, level, fmt, args, c->count);
  va_end(args);
}

void crm_complaint_clear(struct crm_complaint *c, const struct crm_log *log, const char *fmt, ...) {
  if (!c->active)
    return;
  *c = (struct crm_complaint){0};
  va_list args;
  va_start(args, fmt);
  write_line(log, CRM_LOG_NOTICE, fmt, args, 0);
  va_end(args);
}
