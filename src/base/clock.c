/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t clock) {
  struct timespec now = {0};
  clock_gettime(clock, &now); /* cannot fail for these clocks */
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t crm_clock_realtime_us(void) {
  return read_us(CLOCK_REALTIME);
}

int64_t crm_clock_monotonic_us(void) {
  return read_us(CLOCK_MONOTONIC);
}

int64_t crm_clock_thread_cpu_ns(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
