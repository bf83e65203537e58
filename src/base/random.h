/* SPDX-License-Identifier: MIT */
/* Chance for pauses: not for secrets. */
#ifndef CRM_BASE_RANDOM_H
#define CRM_BASE_RANDOM_H

#include <stdint.h>

/* A number from low to high, both included; low <= high, and their distance is below 2^63. */
int64_t crm_random_between(int64_t low, int64_t high);

#endif
