/* SPDX-License-Identifier: MIT */
/* Logging goes through a callback, because libcrm knows no daemon: the module hands lines to collectd, the tool to stderr. */
#ifndef CRM_BASE_LOG_H
#define CRM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum crm_log_level { CRM_LOG_ERROR, CRM_LOG_WARNING, CRM_LOG_NOTICE, CRM_LOG_INFO };

struct crm_log {
  /* Called from any thread; `message` is one line without a newline. NULL: nothing is logged. */
  void (*write)(void *ctx, enum crm_log_level level, const char *message);
  void *ctx;
};

void crm_log(const struct crm_log *log, enum crm_log_level level, const char *fmt, ...) CRM_PRINTF(3, 4);

/* A lasting fault is told when it begins, again at growing intervals (5 min, doubling, at most a day) while it lasts,
 * and once when it has cleared. One `struct crm_complaint` per fault, zero-initialised; not thread-safe. */
struct crm_complaint {
  int64_t next_us; /* monotonic; when the next line is due */
  int64_t interval_us;
  uint64_t count; /* times the fault was reported since it began */
  bool active;
};
void crm_complain(struct crm_complaint *c, int64_t monotonic_us, const struct crm_log *log, enum crm_log_level level,
                  const char *fmt, ...) CRM_PRINTF(5, 6);
/* Logs `fmt` at NOTICE if the fault was active, and ends it. */
void crm_complaint_clear(struct crm_complaint *c, const struct crm_log *log, const char *fmt, ...) CRM_PRINTF(3, 4);

#endif
