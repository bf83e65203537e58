/* SPDX-License-Identifier: MIT */
/* Which breakdowns by one dimension go out where there is room for so many values only. */
#ifndef CRM_SERIES_BREAKDOWN_H
#define CRM_SERIES_BREAKDOWN_H

#include "series/set.h"

/* A family broken down by one dimension goes out as a whole or not at all: half of a breakdown would not add up. Chosen are those with the
 * fewest values first (a family with many labels of its own is the dearest and the least read), of equal ones the earlier dimension, then
 * the earlier family, as long as all of them together are at most `max`. `sets` are rolled up and ordered, one per dimension. Sets
 * chosen[d][family]. Returns true if something is left out. */
bool crm_breakdowns_choose(const struct crm_series_set *const *sets, size_t n_sets, size_t max, bool chosen[][CRM_FAMILIES]);

#endif
