/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"

int64_t crm_random_between(int64_t low, int64_t high) {
  uint64_t r = 0;
  if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
    r = (uint64_t)crm_clock_monotonic_us() * UINT64_C(6364136223846793005);
  return low + (int64_t)(r % (uint64_t)(high - low + 1));
}
