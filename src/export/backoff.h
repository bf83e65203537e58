/* SPDX-License-Identifier: MIT */
/* How long a sink waits before it tries again.
 *
 * The pause doubles from the first one to the cap, and each is taken at random from the upper fifth below that: hosts that lost the same receiver come
 * back apart, and still no pause is shorter than 0.8 of the one before, which the compliance suite for senders asks for. */
#ifndef CRM_EXPORT_BACKOFF_H
#define CRM_EXPORT_BACKOFF_H

#include <stdint.h>

#define CRM_RETRY_AFTER_MAX_US (INT64_C(600) * 1000000)

struct crm_backoff {
  int64_t min_us, max_us; /* 0 < min <= max */
  int64_t step_us;        /* the next pause before chance; 0 after a success */
};

/* The pause after one more failure. `retry_after_us` is what the receiver asked for, or negative: it takes the place of our own pause, from
 * min_us to ten minutes, and a little more at random, since everybody has been told the same. */
int64_t crm_backoff_next(struct crm_backoff *backoff, int64_t retry_after_us);
static inline void crm_backoff_reset(struct crm_backoff *backoff) { backoff->step_us = 0; }

#endif
