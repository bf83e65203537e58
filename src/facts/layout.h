/* SPDX-License-Identifier: MIT */
/* Which columns each relation holds in struct crm_facts, so that growing, ordering, comparing, counting and freeing them is written
 * once. Internal to facts. */
#ifndef CRM_FACTS_LAYOUT_H
#define CRM_FACTS_LAYOUT_H

#include <stdint.h>
#include <string.h>

#include "facts/facts.h"

/* How the elements of a column are held and compared. */
enum crm_hold {
  CRM_HOLD_U8,
  CRM_HOLD_I8,
  CRM_HOLD_TENANT,   /* uint16_t; accounts only */
  CRM_HOLD_CURRENCY, /* uint16_t, compared by code */
  CRM_HOLD_TEXT,     /* uint32_t, compared by text */
  CRM_HOLD_I32,      /* a day */
  CRM_HOLD_I64,      /* an instant or an amount */
  CRM_HOLD_F32,
  CRM_HOLD_F64,
  CRM_HOLD_KEY, /* uint64_t, a digest, by which nothing is ordered; NULL in facts that cannot be patched */
};

struct crm_held {
  size_t offset; /* of the pointer in struct crm_facts */
  enum crm_hold hold;
};

struct crm_layout {
  size_t n;                       /* offset of the uint32_t number of rows */
  size_t first;                   /* offset of the `first` pointer; 0 for accounts, which have none */
  const struct crm_held *columns; /* the columns by which rows are ordered come first */
  size_t n_columns;
};

const struct crm_layout *crm_layout(enum crm_relation relation);
/* Bytes of one element. */
size_t crm_hold_size(enum crm_hold hold);
/* Bytes of one row over all columns. */
size_t crm_layout_row_size(const struct crm_layout *layout);

/* The pointers have various types, so they are read and written as bytes. */
static inline void *crm_held_get(const struct crm_facts *facts, size_t offset) {
  void *data;
  memcpy(&data, (const char *)facts + offset, sizeof(data));
  return data;
}
static inline void crm_held_set(struct crm_facts *facts, size_t offset, void *data) {
  memcpy((char *)facts + offset, &data, sizeof(data));
}
static inline uint32_t crm_layout_n(const struct crm_facts *facts, const struct crm_layout *layout) {
  uint32_t n;
  memcpy(&n, (const char *)facts + layout->n, sizeof(n));
  return n;
}
static inline void crm_layout_set_n(struct crm_facts *facts, const struct crm_layout *layout, uint32_t n) {
  memcpy((char *)facts + layout->n, &n, sizeof(n));
}

#endif
