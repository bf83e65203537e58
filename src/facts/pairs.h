/* SPDX-License-Identifier: MIT */
/* A set of pairs of numbers, found by the first: eight bytes a slot, at most three quarters full. Internal to facts. */
#ifndef CRM_FACTS_PAIRS_H
#define CRM_FACTS_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CRM_PAIR_NONE UINT32_MAX /* not a second number */

struct crm_pair {
  uint32_t first, second;
};
struct crm_pairs {
  struct crm_pair *slots;
  size_t n_slots; /* a power of two, or 0 */
  size_t n;
};

void crm_pairs_free(struct crm_pairs *pairs);
static inline size_t crm_pairs_bytes(const struct crm_pairs *pairs) {
  return pairs->n_slots * sizeof(struct crm_pair);
}
/* Room for `more` pairs, so that adding them cannot fail. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_pairs_reserve(struct crm_pairs *pairs, size_t more) CRM_MUSTCHECK;
/* Adds the pair, which is not there yet; there must be room. */
void crm_pairs_add(struct crm_pairs *pairs, uint32_t first, uint32_t second);
/* Removes the pair if it is there. */
void crm_pairs_remove(struct crm_pairs *pairs, uint32_t first, uint32_t second);
void crm_pairs_clear(struct crm_pairs *pairs);

/* Where pairs with that first number begin; the next slot after *at that has it, or CRM_PAIR_NONE: start with crm_pairs_start. */
static inline size_t crm_pairs_start(const struct crm_pairs *pairs, uint32_t first) {
  uint64_t mixed = (uint64_t)first * UINT64_C(0x9e3779b97f4a7c15);
  return pairs->n_slots == 0 ? 0 : (mixed >> 32) & (pairs->n_slots - 1);
}
static inline uint32_t crm_pairs_next(const struct crm_pairs *pairs, uint32_t first, size_t *at) {
  if (pairs->n_slots == 0)
    return CRM_PAIR_NONE;
  for (;;) {
    struct crm_pair pair = pairs->slots[*at];
    *at = (*at + 1) & (pairs->n_slots - 1);
    if (pair.second == CRM_PAIR_NONE || pair.first == first)
      return pair.second;
  }
}
/* The second number of the only pair with that first one, or CRM_PAIR_NONE. */
static inline uint32_t crm_pairs_find(const struct crm_pairs *pairs, uint32_t first) {
  size_t at = crm_pairs_start(pairs, first);
  return crm_pairs_next(pairs, first, &at);
}

#endif
