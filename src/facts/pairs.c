/* SPDX-License-Identifier: MIT */
#include "facts/pairs.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 16

void crm_pairs_free(struct crm_pairs *p) {
  free(p->slots);
  *p = (struct crm_pairs){0};
}

void crm_pairs_clear(struct crm_pairs *p) {
  if (p->n_slots > 0)
    memset(p->slots, 0xFF, p->n_slots * sizeof(*p->slots)); /* CRM_PAIR_NONE */
  p->n = 0;
}

enum crm_status crm_pairs_reserve(struct crm_pairs *p, size_t more) {
  size_t n_slots = p->n_slots == 0 ? FIRST_SLOTS : p->n_slots;
  while ((p->n + more) * 4 > n_slots * 3)
    n_slots *= 2;
  if (n_slots == p->n_slots)
    return CRM_OK;
  struct crm_pair *slots = malloc(n_slots * sizeof(*slots));
  if (slots == NULL)
    return CRM_ERR_MEMORY;
  struct crm_pairs old = *p;
  *p = (struct crm_pairs){.slots = slots, .n_slots = n_slots};
  crm_pairs_clear(p);
  for (size_t i = 0; i < old.n_slots; i++)
    if (old.slots[i].second != CRM_PAIR_NONE)
      crm_pairs_add(p, old.slots[i].first, old.slots[i].second);
  free(old.slots);
  return CRM_OK;
}

void crm_pairs_add(struct crm_pairs *p, uint32_t first, uint32_t second) {
  size_t at = crm_pairs_start(p, first);
  while (p->slots[at].second != CRM_PAIR_NONE)
    at = (at + 1) & (p->n_slots - 1);
  p->slots[at] = (struct crm_pair){first, second};
  p->n++;
}

void crm_pairs_remove(struct crm_pairs *p, uint32_t first, uint32_t second) {
  if (p->n_slots == 0)
    return;
  size_t mask = p->n_slots - 1;
  size_t hole = crm_pairs_start(p, first);
  while (p->slots[hole].second != CRM_PAIR_NONE && (p->slots[hole].first != first || p->slots[hole].second != second))
    hole = (hole + 1) & mask;
  if (p->slots[hole].second == CRM_PAIR_NONE)
    return;
  p->n--;
  /* What stands behind moves up where it may, so that no mark of what was removed is needed (D. Knuth, TAOCP 3, 6.4, algorithm R). */
  for (size_t at = (hole + 1) & mask; p->slots[at].second != CRM_PAIR_NONE; at = (at + 1) & mask) {
    size_t start = crm_pairs_start(p, p->slots[at].first);
    if (((at - start) & mask) < ((at - hole) & mask))
      continue;
    p->slots[hole] = p->slots[at];
    hole = at;
  }
  p->slots[hole].second = CRM_PAIR_NONE;
}
