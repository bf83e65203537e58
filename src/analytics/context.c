/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "analytics/context.h"

#include <stdlib.h>
#include <string.h>

#include "analytics/invoices.h"

#define MAX_LABELS (1 + CRM_DIMENSIONS_MAX + CRM_FAMILY_LABELS)

enum crm_status crm_no_memory(struct crm_context *c) {
  return crm_error_set(c->err, CRM_ERR_MEMORY, "out of memory while computing metrics of %u accounts", (unsigned)c->n);
}

bool crm_has(const struct crm_context *c, unsigned relations) {
  for (unsigned r = 0; r < CRM_RELATIONS; r++)
    if ((relations & (1u << r)) != 0 && !c->facts->available[r])
      return false;
  return true;
}

const struct crm_scorecard *crm_card_of(const struct crm_context *c, uint32_t account) {
  uint32_t segment = c->facts->account.segment[account];
  for (size_t i = 0; i < c->params->n_scorecards; i++)
    if (c->card_segment[i] == segment)
      return &c->params->scorecards[i];
  return &c->params->scorecards[0];
}

const char *crm_currency_label(const struct crm_context *c, uint16_t currency) {
  return currency == CRM_NO_CURRENCY ? "none" : c->facts->currencies[currency].code;
}

int64_t crm_currency_unit(const struct crm_context *c, uint16_t currency) {
  return currency == CRM_NO_CURRENCY ? 1 : crm_pow10(c->facts->currencies[currency].exponent);
}

/* Cells ------------------------------------------------------------------------------------------------------------- */

struct cell_key {
  uint32_t value[1 + CRM_DIMENSIONS_MAX]; /* the tenant, then a facts->text number per dimension */
};

struct grouping {
  const struct crm_context *c;
  const uint32_t *column[CRM_DIMENSIONS_MAX];
  size_t n_dims;
  uint32_t none; /* facts->text number of the text "none", which shares its label with the empty text */
  struct cell_key *cells;
  uint32_t n_cells, limit;
  uint32_t *slots;
  uint32_t mask;
};

static const uint32_t *dimension_column(const struct crm_accounts *a, enum crm_dimension d) {
  switch (d) {
  case CRM_DIM_SEGMENT:
    return a->segment;
  case CRM_DIM_OWNER:
    return a->owner;
  case CRM_DIM_INDUSTRY:
    return a->industry;
  case CRM_DIM_REGION:
  case CRM_DIMS:
    break;
  }
  return a->region;
}

static uint32_t cell_hash(const struct cell_key *key, size_t n) {
  uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
  for (size_t i = 0; i < n; i++)
    h = (h ^ key->value[i]) * UINT64_C(0xff51afd7ed558ccd);
  return (uint32_t)(h >> 32);
}

/* Number of the account's cell, new or not; UINT32_MAX when there would be more than the limit. */
static uint32_t cell_of(struct grouping *g, uint32_t account) {
  struct cell_key key;
  key.value[0] = g->c->facts->account.tenant[account];
  for (size_t d = 0; d < g->n_dims; d++) {
    uint32_t v = g->column[d][account];
    key.value[1 + d] = v == g->none ? 0 : v;
  }
  size_t size = (1 + g->n_dims) * sizeof(uint32_t);
  for (uint32_t slot = cell_hash(&key, 1 + g->n_dims) & g->mask;; slot = (slot + 1) & g->mask) {
    uint32_t cell = g->slots[slot];
    if (cell != UINT32_MAX) {
      if (memcmp(g->cells[cell].value, key.value, size) == 0)
        return cell;
      continue;
    }
    if (g->n_cells == g->limit)
      return UINT32_MAX;
    g->slots[slot] = g->n_cells;
    g->cells[g->n_cells] = key;
    return g->n_cells++;
  }
}

/* Finds cells for our accounts or, with `all`, for those of other shards too, which get none. True if all found one within the limit. */
static bool assign_cells(struct grouping *g, struct crm_context *c, bool all) {
  g->n_cells = 0;
  memset(g->slots, 0xff, ((size_t)g->mask + 1) * sizeof(*g->slots));
  for (uint32_t i = 0; i < c->n; i++) {
    bool ours = crm_visible(c, i);
    if (!ours && (!all || c->cell[i] == CRM_CELL_INVISIBLE))
      continue;
    uint32_t cell = cell_of(g, i);
    if (cell == UINT32_MAX)
      return false;
    if (ours)
      c->cell[i] = cell;
  }
  return true;
}

static const char *cell_text(const struct crm_facts *facts, const struct cell_key *key, size_t i) {
  if (i == 0)
    return crm_dict_text(&facts->text, facts->tenants[key->value[0]]);
  return key->value[i] == 0 ? "none" : crm_dict_text(&facts->text, key->value[i]);
}

static int compare_cells(const void *a, const void *b, void *ctx) {
  const struct grouping *g = ctx;
  const struct cell_key *x = &g->cells[*(const uint32_t *)a], *y = &g->cells[*(const uint32_t *)b];
  for (size_t i = 0; i <= g->n_dims; i++) {
    int order = strcmp(cell_text(g->c->facts, x, i), cell_text(g->c->facts, y, i));
    if (order != 0)
      return order;
  }
  return 0;
}

static enum crm_status intern(struct crm_context *c, const char *text, uint32_t *number) {
  enum crm_status status = crm_dict_add(&c->set->text, text, strlen(text), number);
  return status == CRM_OK ? CRM_OK : crm_error_set(c->err, status, "out of memory for label values");
}

/* Numbers the cells in the order of their labels, whatever the order of the accounts was, and makes the labels. */
static enum crm_status order_cells(struct crm_context *c, struct grouping *g) {
  uint32_t n = g->n_cells;
  uint32_t *order = crm_arena_calloc(c->arena, n, sizeof(*order));
  uint32_t *rank = crm_arena_calloc(c->arena, n, sizeof(*rank));
  c->cell_tenant = crm_arena_calloc(c->arena, n, sizeof(*c->cell_tenant));
  c->cell_labels = crm_arena_calloc(c->arena, n, (1 + g->n_dims) * sizeof(*c->cell_labels));
  if (order == NULL || rank == NULL || c->cell_tenant == NULL || c->cell_labels == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < n; i++)
    order[i] = i;
  qsort_r(order, n, sizeof(*order), compare_cells, g);
  for (uint32_t i = 0; i < n; i++) {
    const struct cell_key *key = &g->cells[order[i]];
    rank[order[i]] = i;
    c->cell_tenant[i] = (uint16_t)key->value[0];
    for (size_t d = 0; d <= g->n_dims; d++) {
      enum crm_status status = intern(c, cell_text(c->facts, key, d), &c->cell_labels[i * (1 + g->n_dims) + d]);
      if (status != CRM_OK)
        return status;
    }
  }
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i))
      c->cell[i] = rank[c->cell[i]];
  c->n_cells = n;
  return CRM_OK;
}

static enum crm_status make_cells(struct crm_context *c) {
  const struct crm_facts *facts = c->facts;
  struct grouping g = {.c = c, .n_dims = c->params->n_group_by, .none = crm_dict_find(&facts->text, "none", 4)};
  if (g.none == CRM_DICT_NONE)
    g.none = 0;
  for (size_t d = 0; d < g.n_dims; d++)
    g.column[d] = dimension_column(&facts->account, c->params->group_by[d]);

  /* Tenants are never merged, so that there may be as many cells as tenants whatever the limit. */
  size_t most = c->params->max_cells > facts->n_tenants ? c->params->max_cells : facts->n_tenants;
  if (most > c->n)
    most = c->n;
  uint32_t slots = 16;
  while (slots < 2 * most)
    slots *= 2;
  g.mask = slots - 1;
  g.cells = crm_arena_calloc(c->arena, most + 1, sizeof(*g.cells));
  g.slots = crm_arena_calloc(c->arena, slots, sizeof(*g.slots));
  if (g.cells == NULL || g.slots == NULL)
    return crm_no_memory(c);

  for (;; g.n_dims--) {
    size_t limit = g.n_dims > 0 ? c->params->max_cells : most;
    g.limit = (uint32_t)(limit < most ? limit : most);
    if (assign_cells(&g, c, true)) /* all shards drop the same dimensions */
      break;
    c->dimension_dropped[c->params->group_by[g.n_dims - 1]] = true;
  }
  if (crm_shard_is_part(facts->shard))
    (void)assign_cells(&g, c, false); /* fewer fit where all did */
  c->n_dimensions = g.n_dims;
  c->set->n_dimensions = g.n_dims;
  for (size_t d = 0; d < g.n_dims; d++)
    c->set->dimensions[d] = crm_dimension_name(c->params->group_by[d]);
  return order_cells(c, &g);
}

/* Context ----------------------------------------------------------------------------------------------------------- */

static uint8_t status_at(const struct crm_context *c, uint32_t account) {
  if (c->undated_churn[account] || crm_churned_at(c, account, c->at))
    return CRM_CHURNED;
  uint8_t recorded = c->facts->account.status[account];
  return recorded == CRM_CHURNED ? CRM_ACTIVE : recorded;
}

static enum crm_status read_accounts(struct crm_context *c) {
  const struct crm_accounts *a = &c->facts->account;
  for (uint32_t i = 0; i < c->n; i++) {
    bool exists = a->created_at[i] == CRM_TIME_NONE || a->created_at[i] <= c->at;
    c->cell[i] = !exists ? CRM_CELL_INVISIBLE : a->foreign[i] ? CRM_CELL_FOREIGN : 0;
  }
  enum crm_status status = crm_churn_effective(c);
  if (status != CRM_OK)
    return status;
  for (uint32_t i = 0; i < c->n; i++) {
    c->arr[i] = CRM_MONEY_UNKNOWN;
    c->arr_currency[i] = CRM_NO_CURRENCY;
    c->any_arr[i] = CRM_MONEY_UNKNOWN;
    if (c->cell[i] == CRM_CELL_INVISIBLE)
      continue;
    c->status[i] = status_at(c, i);
    c->any_arr[i] = crm_arr_at(c, i, c->at, &c->any_arr_currency[i]);
    if (c->any_arr != c->arr && crm_visible(c, i)) {
      c->arr[i] = c->any_arr[i];
      c->arr_currency[i] = c->any_arr_currency[i];
    }
  }
  return crm_payments_read(c);
}

static enum crm_status make_labels(struct crm_context *c) {
  const struct crm_facts *facts = c->facts;
  for (uint16_t t = 0; t < facts->n_tenants; t++) {
    enum crm_status status = intern(c, crm_dict_text(&facts->text, facts->tenants[t]), &c->tenant_label[t]);
    if (status != CRM_OK)
      return status;
  }
  for (size_t i = 0; i < c->params->n_scorecards; i++) {
    const char *segment = c->params->scorecards[i].segment;
    c->card_segment[i] = segment == NULL ? CRM_DICT_NONE : crm_dict_find(&facts->text, segment, strlen(segment));
  }
  return CRM_OK;
}

/* What both kinds of context have: the columns, and what is known of each account at T. */
static enum crm_status begin(struct crm_context *c) {
  struct crm_arena *arena = c->arena;
  c->day = crm_zone_day(c->params->zone, c->at);
  c->n = c->facts->account.n;
  c->cell = crm_arena_calloc(arena, c->n, sizeof(*c->cell));
  c->status = crm_arena_calloc(arena, c->n, sizeof(*c->status));
  c->churn_at = crm_arena_calloc(arena, c->n, sizeof(*c->churn_at));
  c->undated_churn = crm_arena_calloc(arena, c->n, sizeof(*c->undated_churn));
  c->arr = crm_arena_calloc(arena, c->n, sizeof(*c->arr));
  c->arr_currency = crm_arena_calloc(arena, c->n, sizeof(*c->arr_currency));
  if (c->cell == NULL || c->status == NULL || c->churn_at == NULL || c->undated_churn == NULL || c->arr == NULL || c->arr_currency == NULL)
    return crm_no_memory(c);
  c->any_arr = c->arr;
  c->any_arr_currency = c->arr_currency;
  if (crm_shard_is_part(c->facts->shard)) {
    c->any_arr = crm_arena_calloc(arena, c->n, sizeof(*c->any_arr));
    c->any_arr_currency = crm_arena_calloc(arena, c->n, sizeof(*c->any_arr_currency));
    if (c->any_arr == NULL || c->any_arr_currency == NULL)
      return crm_no_memory(c);
  }
  return read_accounts(c);
}

enum crm_status crm_context_init(struct crm_context *c, const struct crm_facts *facts, const struct crm_params *params, crm_time at,
                                 struct crm_arena *arena, struct crm_series_set *set, struct crm_error *err) {
  *c = (struct crm_context){.facts = facts, .params = params, .at = at, .arena = arena, .set = set, .err = err};
  set->at = at;
  crm_part(c, "accounts");
  enum crm_status status = begin(c);
  if (status != CRM_OK)
    return status;
  c->tenant_label = crm_arena_calloc(arena, facts->n_tenants, sizeof(*c->tenant_label));
  c->card_segment = crm_arena_calloc(arena, params->n_scorecards, sizeof(*c->card_segment));
  if (c->tenant_label == NULL || c->card_segment == NULL)
    return crm_no_memory(c);
  status = make_labels(c);
  return status == CRM_OK ? make_cells(c) : status;
}

enum crm_status crm_context_earlier(struct crm_context *c, const struct crm_context *now, crm_time at) {
  *c = (struct crm_context){.facts = now->facts, .params = now->params, .at = at, .arena = now->arena, .err = now->err};
  c->card_segment = now->card_segment;
  return begin(c);
}

/* Emission ---------------------------------------------------------------------------------------------------------- */

static enum crm_status add_ids(struct crm_context *c, enum crm_family family, const uint32_t *labels, size_t n, struct crm_number value) {
  enum crm_status status = crm_set_add_ids(c->set, family, labels, n, value);
  return status == CRM_OK ? CRM_OK : crm_error_set(c->err, status, "out of memory for %zu series", c->set->n);
}

static enum crm_status intern_own(struct crm_context *c, const char *const *own, size_t n_own, uint32_t *labels) {
  for (size_t i = 0; i < n_own; i++) {
    enum crm_status status = intern(c, own[i], &labels[i]);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_emit_cells(struct crm_context *c, enum crm_family family, const char *const *own, size_t n_own, const int64_t *sums,
                               int64_t den, const uint8_t *skip) {
  uint32_t labels[CRM_FAMILY_LABELS];
  const char *part = crm_part(c, "series");
  enum crm_status status = intern_own(c, own, n_own, labels);
  if (status == CRM_OK) {
    status = crm_set_add_column(c->set, family, c->cell_labels, labels, n_own, sums, den, c->n_cells, skip);
    if (status != CRM_OK)
      crm_error_set(c->err, status, "out of memory for %zu series", c->set->n);
  }
  crm_part(c, part);
  return status;
}

enum crm_status crm_emit_cell(struct crm_context *c, enum crm_family family, uint32_t cell, const char *const *own, size_t n_own,
                              struct crm_number value) {
  uint32_t labels[MAX_LABELS];
  size_t n_leading = 1 + c->n_dimensions;
  memcpy(labels, c->cell_labels + cell * n_leading, n_leading * sizeof(*labels));
  enum crm_status status = intern_own(c, own, n_own, labels + n_leading);
  return status == CRM_OK ? add_ids(c, family, labels, n_leading + n_own, value) : status;
}

enum crm_status crm_emit_tenant(struct crm_context *c, enum crm_family family, uint16_t tenant, const char *const *own, size_t n_own,
                                struct crm_number value) {
  uint32_t labels[MAX_LABELS];
  if (crm_family_info(family)->derived && crm_shard_is_part(c->facts->shard))
    return CRM_OK;
  labels[0] = c->tenant_label[tenant];
  enum crm_status status = intern_own(c, own, n_own, labels + 1);
  return status == CRM_OK ? add_ids(c, family, labels, 1 + n_own, value) : status;
}
