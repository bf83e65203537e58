/* SPDX-License-Identifier: MIT */
/* Rank correlation of a number with one of a few classes. Internal to analytics. */
#ifndef CRM_ANALYTICS_SPEARMAN_H
#define CRM_ANALYTICS_SPEARMAN_H

#include <stddef.h>
#include <stdint.h>

/* A pair as one key: y above, x < 16 in the lowest bits. */
#define CRM_SPEARMAN_X_BITS 4
static inline uint64_t crm_spearman_key(uint64_t y, unsigned x) {
  return y << CRM_SPEARMAN_X_BITS | x;
}

/* Ascending, by the bits: linear in n. `scratch` has room for n, n < 2^32. */
void crm_sort_keys(uint64_t *keys, uint64_t *scratch, size_t n);

/* Spearman's correlation of the pairs, sorted keys, n < 2^32: Pearson's of the ranks, equal values sharing their mean rank (the form for
 * ties; DEFINITIONS.md 1.3). Ranks are whole numbers here and their sums exact, so that the result does not depend on the order of the
 * pairs. NaN where one side has a single value. */
double crm_spearman(const uint64_t *sorted, size_t n);

#endif
