/* SPDX-License-Identifier: MIT */
#include "export/backoff.h"

#include "base/random.h"

int64_t crm_backoff_next(struct crm_backoff *backoff, int64_t retry_after_us) {
  int64_t step = backoff->step_us == 0 ? backoff->min_us : backoff->step_us;
  backoff->step_us = step > backoff->max_us / 2 ? backoff->max_us : step * 2;
  if (retry_after_us < 0)
    return crm_random_between(step - step / 5, step);
  if (retry_after_us > CRM_RETRY_AFTER_MAX_US)
    retry_after_us = CRM_RETRY_AFTER_MAX_US;
  if (retry_after_us < backoff->min_us)
    retry_after_us = backoff->min_us;
  return crm_random_between(retry_after_us, retry_after_us + retry_after_us / 10);
}
