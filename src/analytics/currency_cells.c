/* SPDX-License-Identifier: MIT */
#include "analytics/currency_cells.h"

#include <string.h>

#define NOT_USED UINT8_MAX

static size_t n_places(const struct crm_currency_cells *cells) {
  return (size_t)cells->c->facts->n_currencies + 1; /* the last one is no currency */
}

void crm_currency_cells_note(struct crm_currency_cells *cells, uint32_t account, uint16_t currency) {
  cells->has[cells->c->facts->account.tenant[account] * n_places(cells) + crm_currency_place(cells, currency)] = 1;
}

enum crm_status crm_currency_cells_init(struct crm_currency_cells *cells, struct crm_context *c, unsigned n_columns) {
  *cells = (struct crm_currency_cells){.c = c, .n_columns = n_columns};
  size_t n_has = c->facts->n_tenants * n_places(cells);
  cells->has = crm_arena_calloc(c->arena, n_has, sizeof(*cells->has));
  cells->has_own = crm_arena_calloc(c->arena, n_has, sizeof(*cells->has_own));
  cells->skip = crm_arena_calloc(c->arena, c->n_cells, sizeof(*cells->skip));
  if (cells->has == NULL || cells->has_own == NULL || cells->skip == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    if (c->facts->account.currency[i] != CRM_NO_CURRENCY)
      crm_currency_cells_note(cells, i, c->facts->account.currency[i]);
    if (c->arr_currency[i] != CRM_NO_CURRENCY)
      crm_currency_cells_note(cells, i, c->arr_currency[i]);
  }
  memcpy(cells->has_own, cells->has, n_has);
  return CRM_OK;
}

void crm_currency_cells_forget(struct crm_currency_cells *cells) {
  memcpy(cells->has, cells->has_own, cells->c->facts->n_tenants * n_places(cells));
}

enum crm_status crm_currency_cells_make(struct crm_currency_cells *cells) {
  const struct crm_facts *facts = cells->c->facts;
  cells->n_slots = 0;
  for (unsigned place = 0; place < n_places(cells); place++) {
    bool used = false;
    for (unsigned t = 0; t < facts->n_tenants && !used; t++)
      used = cells->has[t * n_places(cells) + place];
    cells->slot[place] = used ? (uint8_t)cells->n_slots : NOT_USED;
    if (used)
      cells->currency[cells->n_slots++] = place < facts->n_currencies ? (uint16_t)place : CRM_NO_CURRENCY;
  }
  size_t n = (size_t)cells->n_slots * cells->n_columns * cells->c->n_cells;
  if (cells->sums != NULL && n <= cells->cap) {
    memset(cells->sums, 0, n * sizeof(*cells->sums));
    return CRM_OK;
  }
  cells->sums = crm_arena_calloc(cells->c->arena, n, sizeof(*cells->sums));
  cells->cap = n;
  return cells->sums != NULL ? CRM_OK : crm_no_memory(cells->c);
}

bool crm_currency_cells_has(const struct crm_currency_cells *cells, uint16_t tenant, unsigned slot) {
  return cells->has[tenant * n_places(cells) + crm_currency_place(cells, cells->currency[slot])];
}

enum crm_status crm_currency_cells_emit(struct crm_currency_cells *cells, unsigned slot, unsigned column, enum crm_family family,
                                        const char **own, size_t n_own, int64_t den) {
  struct crm_context *c = cells->c;
  for (uint32_t cell = 0; cell < c->n_cells; cell++) {
    uint16_t tenant = c->cell_tenant[cell];
    cells->skip[cell] = !crm_currency_cells_has(cells, tenant, slot) || (cells->shown != NULL && !cells->shown[tenant]);
  }
  own[0] = crm_currency_label(c, cells->currency[slot]);
  return crm_emit_cells(c, family, own, n_own, crm_currency_column(cells, slot, column), den, cells->skip);
}

void crm_currency_cells_sum(const struct crm_currency_cells *cells, unsigned slot, int64_t *sums) {
  const struct crm_context *c = cells->c;
  memset(sums, 0, (size_t)c->facts->n_tenants * cells->n_columns * sizeof(*sums));
  for (unsigned column = 0; column < cells->n_columns; column++) {
    const int64_t *from = crm_currency_column(cells, slot, column);
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      sums[(size_t)c->cell_tenant[cell] * cells->n_columns + column] += from[cell];
  }
}
