/* SPDX-License-Identifier: MIT */
/* Sums per cell and currency: a few columns for every currency that the accounts of a tenant have, and the samples made of them.
 * Internal to revenue. */
#ifndef CRM_ANALYTICS_CURRENCY_CELLS_H
#define CRM_ANALYTICS_CURRENCY_CELLS_H

#include "analytics/context.h"

struct crm_currency_cells {
  struct crm_context *c;
  unsigned n_columns;
  uint8_t *has;                              /* tenant and currency: one of its accounts has it */
  uint8_t *has_own;                          /* the same, of what crm_currency_cells_init noted */
  uint8_t slot[CRM_CURRENCIES_MAX + 1];      /* currency -> its place in the columns */
  uint16_t currency[CRM_CURRENCIES_MAX + 1]; /* and back */
  unsigned n_slots;
  size_t cap;
  int64_t *sums; /* (slot * n_columns + column) * n_cells + cell */
  uint8_t *skip; /* per cell: its tenant has not the currency at hand */
  const uint8_t *shown; /* per tenant: emit gives it samples; NULL, as init leaves it: all get some */
};

/* Memory comes from the arena of the context, which must outlive the struct. Notes the currency of every visible account and that of its
 * revenue at T, so that a tenant without any amount has zeros. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_currency_cells_init(struct crm_currency_cells *cells, struct crm_context *c, unsigned n_columns) CRM_MUSTCHECK;
/* Forgets all currencies but those noted by init. */
void crm_currency_cells_forget(struct crm_currency_cells *cells);
/* The account's tenant has the currency, which may be CRM_NO_CURRENCY. */
void crm_currency_cells_note(struct crm_currency_cells *cells, uint32_t account, uint16_t currency);
/* Room for the sums of the currencies noted so far, all 0. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_currency_cells_make(struct crm_currency_cells *cells) CRM_MUSTCHECK;

/* One column: n_cells sums. */
static inline int64_t *crm_currency_column(const struct crm_currency_cells *cells, unsigned slot, unsigned column) {
  return cells->sums + ((size_t)slot * cells->n_columns + column) * cells->c->n_cells;
}
static inline unsigned crm_currency_place(const struct crm_currency_cells *cells, uint16_t currency) {
  return currency == CRM_NO_CURRENCY ? cells->c->facts->n_currencies : currency;
}
/* The currency must have been noted before the room was made. */
static inline void crm_currency_cells_add(const struct crm_currency_cells *cells, uint32_t account, uint16_t currency, unsigned column,
                                          int64_t amount) {
  crm_currency_column(cells, cells->slot[crm_currency_place(cells, currency)], column)[cells->c->cell[account]] += amount;
}
/* True if one of the tenant's accounts has the currency of the slot. */
bool crm_currency_cells_has(const struct crm_currency_cells *cells, uint16_t tenant, unsigned slot);

/* One sample per cell whose tenant has the currency: sum / den. The first of the `n_own` labels is the currency and is set here. */
enum crm_status crm_currency_cells_emit(struct crm_currency_cells *cells, unsigned slot, unsigned column, enum crm_family family,
                                        const char **own, size_t n_own, int64_t den) CRM_MUSTCHECK;
/* sums[tenant * n_columns + column] = the sum of the column over the tenant's cells. */
void crm_currency_cells_sum(const struct crm_currency_cells *cells, unsigned slot, int64_t *sums);

#endif
