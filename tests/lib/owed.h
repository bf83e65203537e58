/* SPDX-License-Identifier: MIT */
/* What families owe to each other: bands, statuses and movements that add up, and ratios that are those of their parts (METRICS.md R4, R7,
 * R10). A difference fails the running cmocka test. */
#ifndef CRM_TESTS_OWED_H
#define CRM_TESTS_OWED_H

#include "series/set.h"

/* The set is sorted; `base` tells in messages where it comes from. Sums hold in every cell, or as a whole where there are no dimensions. */
void owed_sums(uint64_t base, const struct crm_series_set *set);
/* The set has no dimensions. */
void owed_ratios(uint64_t base, const struct crm_series_set *set);
/* True if one of the above is about the family. */
bool owed_is_held(enum crm_family family);

#endif
