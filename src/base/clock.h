/* SPDX-License-Identifier: MIT */
/* The only clock reads of the library. Analytics never includes this header: its instant is an argument. */
#ifndef CRM_BASE_CLOCK_H
#define CRM_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t crm_clock_realtime_us(void);
/* Microseconds of a clock that never goes back; for deadlines and durations. */
int64_t crm_clock_monotonic_us(void);
/* CPU time of the calling thread in nanoseconds; for the benchmarks. */
int64_t crm_clock_thread_cpu_ns(void);

#endif
