/* SPDX-License-Identifier: MIT */
/* The revenue families (METRICS.md section 3): levels at T, and for each window the net movement of every account between its two ends. */
#include "analytics/context.h"
#include "analytics/level.h"

#include <string.h>

/* What is summed per cell and currency. The movements come first, in the order of the names below. */
enum column {
  NEW,
  EXPANSION,
  CONTRACTION,
  CHURN,
  REACTIVATION,
  ADJUSTMENT,
  MOVEMENTS,
  OPENING = MOVEMENTS,
  CLOSING,
  RETAINED_NET,
  RETAINED_GROSS,
  RETENTION_BASE,
  COLUMNS
};
static const char *const movement_names[MOVEMENTS] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};

#define NOT_USED UINT8_MAX

struct revenue {
  struct crm_context *c;
  crm_money *opening; /* per account: the level at the start of the window; at its end it is c->arr */
  uint16_t *opening_currency;
  uint8_t *has;                          /* tenant * n_currencies of facts + currency: one of its accounts has it */
  uint8_t slot[CRM_CURRENCIES_MAX];      /* currency -> its place in the columns, or NOT_USED */
  uint16_t currency[CRM_CURRENCIES_MAX]; /* and back */
  unsigned n_slots, cap_slots;
  int64_t *sums;           /* (slot * COLUMNS + column) * n_cells + cell */
  int64_t *tenant_opening; /* tenant * n_slots + slot: summed from the levels, past all classification, for the residual */
  int64_t *tenant_closing;
  int64_t *tenant_sums; /* tenant * COLUMNS + column, of one currency */
  uint8_t *skip;        /* per cell: its tenant has not the currency at hand */
};

static int64_t *column_of(const struct revenue *r, unsigned slot, enum column column) {
  return r->sums + ((size_t)slot * COLUMNS + column) * r->c->n_cells;
}

static void note_currency(struct revenue *r, uint32_t account, uint16_t currency) {
  if (currency != CRM_NO_CURRENCY)
    r->has[(size_t)r->c->facts->account.tenant[account] * r->c->facts->n_currencies + currency] = 1;
}

/* Which currencies there are at all, and room for their sums. */
static enum crm_status make_columns(struct revenue *r) {
  const struct crm_context *c = r->c;
  const struct crm_facts *facts = c->facts;
  r->n_slots = 0;
  for (unsigned currency = 0; currency < facts->n_currencies; currency++) {
    bool used = false;
    for (unsigned t = 0; t < facts->n_tenants && !used; t++)
      used = r->has[(size_t)t * facts->n_currencies + currency];
    r->slot[currency] = used ? (uint8_t)r->n_slots : NOT_USED;
    if (used)
      r->currency[r->n_slots++] = (uint16_t)currency;
  }
  size_t n_sums = (size_t)r->n_slots * COLUMNS * c->n_cells, n_tenant = (size_t)facts->n_tenants * r->n_slots;
  if (r->n_slots > r->cap_slots || r->sums == NULL) {
    r->sums = crm_arena_calloc(c->arena, n_sums, sizeof(*r->sums));
    r->tenant_opening = crm_arena_calloc(c->arena, n_tenant, sizeof(*r->tenant_opening));
    r->tenant_closing = crm_arena_calloc(c->arena, n_tenant, sizeof(*r->tenant_closing));
    r->cap_slots = r->n_slots;
    return r->sums != NULL && r->tenant_opening != NULL && r->tenant_closing != NULL ? CRM_OK : CRM_ERR_MEMORY;
  }
  memset(r->sums, 0, n_sums * sizeof(*r->sums));
  memset(r->tenant_opening, 0, n_tenant * sizeof(*r->tenant_opening));
  memset(r->tenant_closing, 0, n_tenant * sizeof(*r->tenant_closing));
  return CRM_OK;
}

static void choose_cells(struct revenue *r, unsigned slot) {
  const struct crm_context *c = r->c;
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    r->skip[cell] = !r->has[(size_t)c->cell_tenant[cell] * c->facts->n_currencies + r->currency[slot]];
}

/* --- at T ------------------------------------------------------------------------------------------------------------- */

static enum crm_status emit_levels(struct revenue *r) {
  struct crm_context *c = r->c;
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_paying(c, i) && c->arr_currency[i] != CRM_NO_CURRENCY)
      column_of(r, r->slot[c->arr_currency[i]], CLOSING)[c->cell[i]] += c->arr[i];
  enum crm_status status = CRM_OK;
  for (unsigned slot = 0; status == CRM_OK && slot < r->n_slots; slot++) {
    const char *const own[] = {crm_currency_label(c, r->currency[slot])};
    int64_t unit = crm_currency_unit(c, r->currency[slot]);
    choose_cells(r, slot);
    status = crm_emit_cells(c, CRM_FAM_ARR, own, 1, column_of(r, slot, CLOSING), unit, r->skip);
    if (status == CRM_OK)
      status = crm_emit_cells(c, CRM_FAM_MRR, own, 1, column_of(r, slot, CLOSING), 12 * unit, r->skip);
  }
  return status;
}

/* --- movements ---------------------------------------------------------------------------------------------------------- */

/* True if the account, which does not pay at the start of the window but does at its end, had paid before, not longer ago than the
 * reactivation window: from the end of the last time it paid to the beginning of the next. */
static bool had_paid(const struct revenue *r, uint32_t account, crm_time start) {
  crm_time until = crm_paid_until(r->c, account, start);
  int days = r->c->params->reactivation_window_days;
  if (until == CRM_TIME_NONE || days <= 0)
    return until != CRM_TIME_NONE;
  return crm_paid_from(r->c, account, start) - until <= days * CRM_US_PER_DAY;
}

static void add(const struct revenue *r, uint32_t account, uint16_t currency, enum column column, crm_money amount) {
  column_of(r, r->slot[currency], column)[r->c->cell[account]] += amount;
}

/* Books one account, in the cell in which it stands at T. `a` and `b` are its levels at both ends, negative if unknown; a level above 0 has
 * a currency. Zero is tested for before greater and less: a fall to zero is churn and no contraction. */
static void book(const struct revenue *r, uint32_t account, crm_time start, crm_money a, uint16_t a_currency, crm_money b,
                 uint16_t b_currency) {
  if (a > 0)
    add(r, account, a_currency, OPENING, a);
  if (b > 0)
    add(r, account, b_currency, CLOSING, b);
  if (a < 0 || b < 0 || (a > 0 && b > 0 && a_currency != b_currency)) {
    if (a > 0)
      add(r, account, a_currency, ADJUSTMENT, -a);
    if (b > 0)
      add(r, account, b_currency, ADJUSTMENT, b);
    return;
  }
  if (a == 0) {
    if (b > 0)
      add(r, account, b_currency, had_paid(r, account, start) ? REACTIVATION : NEW, b);
    return;
  }
  add(r, account, a_currency, RETENTION_BASE, a);
  if (b == 0) {
    add(r, account, a_currency, CHURN, a);
    return;
  }
  add(r, account, a_currency, RETAINED_NET, b);
  add(r, account, a_currency, RETAINED_GROSS, b < a ? b : a);
  if (b > a)
    add(r, account, a_currency, EXPANSION, b - a);
  else if (b < a)
    add(r, account, a_currency, CONTRACTION, a - b);
}

/* A level above 0 in no currency cannot be booked anywhere: it is as good as unknown. The builder lets none in. */
static crm_money known_level(crm_money level, uint16_t currency) {
  return level > 0 && currency == CRM_NO_CURRENCY ? CRM_MONEY_UNKNOWN : level;
}

static void read_opening(struct revenue *r, crm_time start) {
  const struct crm_context *c = r->c;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    r->opening[i] = known_level(crm_arr_at(c, i, start, &r->opening_currency[i]), r->opening_currency[i]);
    note_currency(r, i, r->opening_currency[i]);
  }
}

static void book_all(struct revenue *r, crm_time start) {
  const struct crm_context *c = r->c;
  const uint16_t *tenant = c->facts->account.tenant;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    crm_money a = r->opening[i], b = known_level(c->arr[i], c->arr_currency[i]);
    if (a > 0)
      r->tenant_opening[(size_t)tenant[i] * r->n_slots + r->slot[r->opening_currency[i]]] += a;
    if (b > 0)
      r->tenant_closing[(size_t)tenant[i] * r->n_slots + r->slot[c->arr_currency[i]]] += b;
    book(r, i, start, a, r->opening_currency[i], b, c->arr_currency[i]);
  }
}

static enum crm_status emit_cells(struct revenue *r, unsigned slot, const char *window) {
  static const struct {
    enum crm_family family;
    enum column column;
  } families[] = {
      {CRM_FAM_ARR_OPENING, OPENING},
      {CRM_FAM_ARR_CLOSING, CLOSING},
      {CRM_FAM_ARR_RETAINED_NET, RETAINED_NET},
      {CRM_FAM_ARR_RETAINED_GROSS, RETAINED_GROSS},
      {CRM_FAM_ARR_RETENTION_BASE, RETENTION_BASE},
  };
  const char *own[] = {crm_currency_label(r->c, r->currency[slot]), window, NULL};
  int64_t unit = crm_currency_unit(r->c, r->currency[slot]);
  enum crm_status status = CRM_OK;
  choose_cells(r, slot);
  for (size_t i = 0; status == CRM_OK && i < sizeof(families) / sizeof(families[0]); i++)
    status = crm_emit_cells(r->c, families[i].family, own, 2, column_of(r, slot, families[i].column), unit, r->skip);
  for (unsigned kind = 0; status == CRM_OK && kind < MOVEMENTS; kind++) {
    own[2] = movement_names[kind];
    status = crm_emit_cells(r->c, CRM_FAM_ARR_MOVEMENT, own, 3, column_of(r, slot, (enum column)kind), unit, r->skip);
  }
  return status;
}

static enum crm_status emit_tenant(struct revenue *r, unsigned slot, uint16_t tenant, const char *window) {
  const int64_t *s = r->tenant_sums + (size_t)tenant * COLUMNS;
  const char *const own[] = {crm_currency_label(r->c, r->currency[slot]), window};
  int64_t moved = s[NEW] + s[EXPANSION] + s[REACTIVATION] + s[ADJUSTMENT] - s[CONTRACTION] - s[CHURN];
  size_t at = (size_t)tenant * r->n_slots + slot;
  int64_t residual = r->tenant_closing[at] - (r->tenant_opening[at] + moved);
  enum crm_status status = crm_emit_tenant(r->c, CRM_FAM_ARR_IDENTITY_RESIDUAL, tenant, own, 2,
                                           crm_number_ratio(residual, crm_currency_unit(r->c, r->currency[slot])));
  if (status != CRM_OK || s[RETENTION_BASE] == 0)
    return status;
  status = crm_emit_tenant(r->c, CRM_FAM_NET_REVENUE_RETENTION_RATIO, tenant, own, 2, crm_number_ratio(s[RETAINED_NET], s[RETENTION_BASE]));
  if (status != CRM_OK)
    return status;
  return crm_emit_tenant(r->c, CRM_FAM_GROSS_REVENUE_RETENTION_RATIO, tenant, own, 2,
                         crm_number_ratio(s[RETAINED_GROSS], s[RETENTION_BASE]));
}

static enum crm_status emit_tenants(struct revenue *r, unsigned slot, const char *window) {
  const struct crm_context *c = r->c;
  memset(r->tenant_sums, 0, (size_t)c->facts->n_tenants * COLUMNS * sizeof(*r->tenant_sums));
  for (unsigned column = 0; column < COLUMNS; column++) {
    const int64_t *sums = column_of(r, slot, (enum column)column);
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      r->tenant_sums[(size_t)c->cell_tenant[cell] * COLUMNS + column] += sums[cell];
  }
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; status == CRM_OK && t < c->facts->n_tenants; t++)
    if (r->has[(size_t)t * c->facts->n_currencies + r->currency[slot]])
      status = emit_tenant(r, slot, t, window);
  return status;
}

static enum crm_status emit_window(struct revenue *r, enum crm_window window) {
  crm_time start = crm_window_start(r->c->params->zone, r->c->at, window);
  read_opening(r, start);
  enum crm_status status = make_columns(r);
  if (status != CRM_OK)
    return crm_no_memory(r->c);
  book_all(r, start);
  for (unsigned slot = 0; status == CRM_OK && slot < r->n_slots; slot++) {
    status = emit_cells(r, slot, crm_window_name(window));
    if (status == CRM_OK)
      status = emit_tenants(r, slot, crm_window_name(window));
  }
  return status;
}

enum crm_status crm_revenue(struct crm_context *c) {
  static const enum crm_window windows[] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
  const struct crm_facts *facts = c->facts;
  size_t n_has = (size_t)facts->n_tenants * facts->n_currencies;
  struct revenue r = {.c = c};
  r.opening = crm_arena_calloc(c->arena, c->n, sizeof(*r.opening));
  r.opening_currency = crm_arena_calloc(c->arena, c->n, sizeof(*r.opening_currency));
  r.has = crm_arena_calloc(c->arena, n_has, sizeof(*r.has));
  r.tenant_sums = crm_arena_calloc(c->arena, (size_t)facts->n_tenants * COLUMNS, sizeof(*r.tenant_sums));
  r.skip = crm_arena_calloc(c->arena, c->n_cells, sizeof(*r.skip));
  uint8_t *own = crm_arena_calloc(c->arena, n_has, sizeof(*own));
  if (r.opening == NULL || r.opening_currency == NULL || r.has == NULL || r.tenant_sums == NULL || r.skip == NULL || own == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i)) {
      note_currency(&r, i, facts->account.currency[i]);
      note_currency(&r, i, c->arr_currency[i]);
    }
  memcpy(own, r.has, n_has);
  if (make_columns(&r) != CRM_OK)
    return crm_no_memory(c);
  enum crm_status status = emit_levels(&r);
  for (size_t w = 0; status == CRM_OK && w < sizeof(windows) / sizeof(windows[0]); w++) {
    memcpy(r.has, own, n_has); /* a window also shows the currencies that were left within it */
    status = emit_window(&r, windows[w]);
  }
  return status;
}
