/* SPDX-License-Identifier: MIT */
/* Sorting by a number, in time linear in the count. */
#ifndef CRM_BASE_SORT_H
#define CRM_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct crm_keyed {
  uint64_t key;
  uint32_t item; /* what the key belongs to */
};

/* Ascending by key; items of one key stay in the order in which they were. `scratch` has room for n, n < 2^32. */
void crm_sort_keyed(struct crm_keyed *keyed, struct crm_keyed *scratch, size_t n);

#endif
