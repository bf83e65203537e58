/* SPDX-License-Identifier: MIT */
/* Finding windows in the rows of one account. The rows are ordered by time and the instant mostly lies at their end, so the search starts
 * there: the live case touches the last rows only, a backfill needs a logarithm. */
#ifndef CRM_ANALYTICS_SPAN_H
#define CRM_ANALYTICS_SPAN_H

#include <stddef.h>

#include "facts/calendar.h"

/* First row of [lo, hi) whose day is after `day`; hi if none. */
static inline uint32_t crm_span_after_day(const crm_day *column, uint32_t lo, uint32_t hi, crm_day day) {
  if (lo == hi || column[hi - 1] <= day)
    return hi;
  uint32_t known = hi - 1, step = 1; /* column[known] > day */
  while (known - lo >= step && column[known - step] > day) {
    known -= step;
    step *= 2;
  }
  lo = known - lo >= step ? known - step + 1 : lo;
  while (lo < known) {
    uint32_t mid = lo + (known - lo) / 2;
    if (column[mid] > day)
      known = mid;
    else
      lo = mid + 1;
  }
  return known;
}

/* The same for instants. */
static inline uint32_t crm_span_after(const crm_time *column, uint32_t lo, uint32_t hi, crm_time at) {
  if (lo == hi || column[hi - 1] <= at)
    return hi;
  uint32_t known = hi - 1, step = 1; /* column[known] > at */
  while (known - lo >= step && column[known - step] > at) {
    known -= step;
    step *= 2;
  }
  lo = known - lo >= step ? known - step + 1 : lo;
  while (lo < known) {
    uint32_t mid = lo + (known - lo) / 2;
    if (column[mid] > at)
      known = mid;
    else
      lo = mid + 1;
  }
  return known;
}

/* The columns of a large CRM do not fit into any cache, and a pass spends most of its time waiting for the first row it touches of each
 * account. Asking for the last `bytes` before row `end` of a column some accounts ahead hides that. */
#define CRM_AHEAD 8
static inline void crm_prefetch(const void *column, size_t size, uint32_t end, size_t bytes) {
  uintptr_t last = (uintptr_t)column + end * size - 1;
  for (size_t back = 0; back < bytes; back += 64)
    __builtin_prefetch((const void *)(last - back));
}
/* End of the span of the account `distance` after `account`, of the last account at the latest. */
static inline uint32_t crm_end_ahead(const uint32_t *first, uint32_t account, uint32_t n, uint32_t distance) {
  return first[n - account > distance ? account + distance + 1 : n];
}

#endif
