/* SPDX-License-Identifier: MIT */
/* The revenue families (METRICS.md section 3): levels at T, and for each window the net movement of every account between its two ends. */
#include "analytics/revenue.h"

#include <string.h>

#include "analytics/currency_cells.h"
#include "analytics/level.h"

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
  SUCCESS_EXPANSION,
  COLUMNS
};
static const char *const movement_names[MOVEMENTS] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};

/* What is counted per cell. */
enum logo { LOGO_OPENING, LOGO_CLOSING, LOGO_WON, LOGO_REACTIVATED, LOGO_LOST, LOGO_ADJUSTED, LOGOS };

struct revenue {
  struct crm_context *c;
  crm_money *opening; /* per account: the level at the start of the window; at its end it is c->arr */
  uint16_t *opening_currency;
  struct crm_currency_cells cells;
  int64_t *logos;     /* logo * n_cells + cell */
  int64_t *logo_sums; /* tenant * LOGOS + logo */
  int64_t
      *tenant_ends;  /* (tenant * slots + slot) * 2: opening, closing, summed from the levels, past all classification, for the residual */
  unsigned cap_ends; /* slots for which there is room */
  int64_t *tenant_sums; /* tenant * COLUMNS + column, of one currency */
  crm_time start;       /* of the window */
  bool success;         /* the window is the one for which expansion is looked into */
};

/* --- at T ------------------------------------------------------------------------------------------------------------- */

static enum crm_status emit_levels(struct revenue *r) {
  struct crm_context *c = r->c;
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_paying(c, i) && c->arr_currency[i] != CRM_NO_CURRENCY)
      crm_currency_cells_add(&r->cells, i, c->arr_currency[i], CLOSING, c->arr[i]);
  enum crm_status status = CRM_OK;
  for (unsigned slot = 0; status == CRM_OK && slot < r->cells.n_slots; slot++) {
    const char *own[1];
    int64_t unit = crm_currency_unit(c, r->cells.currency[slot]);
    status = crm_currency_cells_emit(&r->cells, slot, CLOSING, CRM_FAM_ARR, own, 1, unit);
    if (status == CRM_OK)
      status = crm_currency_cells_emit(&r->cells, slot, CLOSING, CRM_FAM_MRR, own, 1, 12 * unit);
  }
  return status;
}

/* --- movements ---------------------------------------------------------------------------------------------------------- */

/* True if the account, which does not pay at the start of the window but does at its end, had paid before, not longer ago than the
 * reactivation window: from the end of the last time it paid to the beginning of the next. */
static bool had_paid(const struct revenue *r, uint32_t account) {
  crm_time until = crm_paid_until(r->c, account, r->start);
  int days = r->c->params->reactivation_window_days;
  if (until == CRM_TIME_NONE || days <= 0)
    return until != CRM_TIME_NONE;
  return crm_paid_from(r->c, account, r->start) - until <= days * CRM_US_PER_DAY;
}

static void add(const struct revenue *r, uint32_t account, uint16_t currency, enum column column, crm_money amount) {
  crm_currency_cells_add(&r->cells, account, currency, column, amount);
}

static void count(const struct revenue *r, uint32_t account, enum logo logo, int64_t by) {
  r->logos[(size_t)logo * r->c->n_cells + r->c->cell[account]] += by;
}

/* The customer stays one when its currency changes; it is neither won nor lost when what it pays is not known. */
static void count_logo(const struct revenue *r, uint32_t account, crm_money a, crm_money b, bool back) {
  if (a > 0)
    count(r, account, LOGO_OPENING, 1);
  if (b > 0)
    count(r, account, LOGO_CLOSING, 1);
  if (a < 0 || b < 0)
    count(r, account, LOGO_ADJUSTED, (b > 0) - (a > 0));
  else if (a == 0 && b > 0)
    count(r, account, back ? LOGO_REACTIVATED : LOGO_WON, 1);
  else if (a > 0 && b == 0)
    count(r, account, LOGO_LOST, 1);
}

/* Books one account, in the cell in which it stands at T. `a` and `b` are its levels at both ends, negative if unknown; a level above 0 has
 * a currency. Zero is tested for before greater and less: a fall to zero is churn and no contraction. */
static void book(const struct revenue *r, uint32_t account, crm_money a, uint16_t a_currency, crm_money b, uint16_t b_currency) {
  bool back = a == 0 && b > 0 && had_paid(r, account);
  count_logo(r, account, a, b, back);
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
      add(r, account, b_currency, back ? REACTIVATION : NEW, b);
    return;
  }
  add(r, account, a_currency, RETENTION_BASE, a);
  if (b == 0) {
    add(r, account, a_currency, CHURN, a);
    return;
  }
  add(r, account, a_currency, RETAINED_NET, b);
  add(r, account, a_currency, RETAINED_GROSS, b < a ? b : a);
  if (b > a) {
    add(r, account, a_currency, EXPANSION, b - a);
    if (r->success && crm_expansion_success_driven(r->c, account, r->start))
      add(r, account, a_currency, SUCCESS_EXPANSION, b - a);
  } else if (b < a) {
    add(r, account, a_currency, CONTRACTION, a - b);
  }
}

/* A level above 0 in no currency cannot be booked anywhere: it is as good as unknown. The builder lets none in. */
static crm_money known_level(crm_money level, uint16_t currency) {
  return level > 0 && currency == CRM_NO_CURRENCY ? CRM_MONEY_UNKNOWN : level;
}

static void read_opening(struct revenue *r) {
  const struct crm_context *c = r->c;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    r->opening[i] = known_level(crm_arr_at(c, i, r->start, &r->opening_currency[i]), r->opening_currency[i]);
    if (r->opening_currency[i] != CRM_NO_CURRENCY)
      crm_currency_cells_note(&r->cells, i, r->opening_currency[i]);
  }
}

/* The tenant's two ends, opening first. */
static int64_t *ends_of(const struct revenue *r, uint16_t tenant, unsigned slot) {
  return r->tenant_ends + ((size_t)tenant * r->cells.n_slots + slot) * 2;
}

static void book_all(struct revenue *r) {
  const struct crm_context *c = r->c;
  const uint16_t *tenant = c->facts->account.tenant;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    crm_money a = r->opening[i], b = known_level(c->arr[i], c->arr_currency[i]);
    if (a > 0)
      ends_of(r, tenant[i], r->cells.slot[r->opening_currency[i]])[0] += a;
    if (b > 0)
      ends_of(r, tenant[i], r->cells.slot[c->arr_currency[i]])[1] += b;
    book(r, i, a, r->opening_currency[i], b, c->arr_currency[i]);
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
      {CRM_FAM_SUCCESS_DRIVEN_EXPANSION_ARR, SUCCESS_EXPANSION},
  };
  const char *own[] = {NULL, window, NULL};
  int64_t unit = crm_currency_unit(r->c, r->cells.currency[slot]);
  size_t n = sizeof(families) / sizeof(families[0]) - !r->success;
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < n; i++)
    status = crm_currency_cells_emit(&r->cells, slot, families[i].column, families[i].family, own, 2, unit);
  for (unsigned kind = 0; status == CRM_OK && kind < MOVEMENTS; kind++) {
    own[2] = movement_names[kind];
    status = crm_currency_cells_emit(&r->cells, slot, kind, CRM_FAM_ARR_MOVEMENT, own, 3, unit);
  }
  return status;
}

/* num / den, and nothing where there is nothing to divide by (METRICS.md R4). */
struct ratio {
  enum crm_family family;
  int64_t num, den;
};

static enum crm_status emit_ratios(struct revenue *r, uint16_t tenant, const char *const *own, size_t n_own, const struct ratio *ratios,
                                   size_t n) {
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < n; i++)
    if (ratios[i].den != 0)
      status = crm_emit_tenant(r->c, ratios[i].family, tenant, own, n_own, crm_number_ratio(ratios[i].num, ratios[i].den));
  return status;
}

static enum crm_status emit_tenant(struct revenue *r, unsigned slot, uint16_t tenant, const char *window) {
  const int64_t *s = r->tenant_sums + (size_t)tenant * COLUMNS;
  const char *const own[] = {crm_currency_label(r->c, r->cells.currency[slot]), window};
  int64_t gained = s[NEW] + s[EXPANSION] + s[REACTIVATION], gone = s[CONTRACTION] + s[CHURN];
  const int64_t *ends = ends_of(r, tenant, slot);
  int64_t residual = ends[1] - (ends[0] + gained - gone + s[ADJUSTMENT]);
  enum crm_status status = crm_emit_tenant(r->c, CRM_FAM_ARR_IDENTITY_RESIDUAL, tenant, own, 2,
                                           crm_number_ratio(residual, crm_currency_unit(r->c, r->cells.currency[slot])));
  if (status != CRM_OK)
    return status;
  const struct ratio ratios[] = {
      {CRM_FAM_NET_REVENUE_RETENTION_RATIO, s[RETAINED_NET], s[RETENTION_BASE]},
      {CRM_FAM_GROSS_REVENUE_RETENTION_RATIO, s[RETAINED_GROSS], s[RETENTION_BASE]},
      {CRM_FAM_ARR_GROWTH_RATIO, s[CLOSING] - s[OPENING], s[OPENING]},
      {CRM_FAM_QUICK_RATIO, gained, gone},
      {CRM_FAM_REVENUE_CHURN_RATIO, gone, s[OPENING]},
      {CRM_FAM_SUCCESS_DRIVEN_EXPANSION_RATIO, s[SUCCESS_EXPANSION], s[EXPANSION]},
  };
  return emit_ratios(r, tenant, own, 2, ratios, sizeof(ratios) / sizeof(ratios[0]) - !r->success);
}

static enum crm_status emit_tenants(struct revenue *r, unsigned slot, const char *window) {
  const struct crm_context *c = r->c;
  crm_currency_cells_sum(&r->cells, slot, r->tenant_sums);
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; status == CRM_OK && t < c->facts->n_tenants; t++)
    if (crm_currency_cells_has(&r->cells, t, slot))
      status = emit_tenant(r, slot, t, window);
  return status;
}

static enum crm_status emit_logos(struct revenue *r, const char *window) {
  static const enum crm_family families[LOGOS] = {
      [LOGO_OPENING] = CRM_FAM_ACCOUNTS_OPENING, [LOGO_CLOSING] = CRM_FAM_ACCOUNTS_CLOSING,
      [LOGO_WON] = CRM_FAM_ACCOUNTS_WON,         [LOGO_REACTIVATED] = CRM_FAM_ACCOUNTS_REACTIVATED,
      [LOGO_LOST] = CRM_FAM_ACCOUNTS_LOST,       [LOGO_ADJUSTED] = CRM_FAM_ACCOUNTS_ADJUSTED,
  };
  const struct crm_context *c = r->c;
  const char *const own[] = {window};
  enum crm_status status = CRM_OK;
  memset(r->logo_sums, 0, (size_t)c->facts->n_tenants * LOGOS * sizeof(*r->logo_sums));
  for (unsigned logo = 0; status == CRM_OK && logo < LOGOS; logo++) {
    const int64_t *sums = r->logos + (size_t)logo * c->n_cells;
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      r->logo_sums[(size_t)c->cell_tenant[cell] * LOGOS + logo] += sums[cell];
    status = crm_emit_cells(r->c, families[logo], own, 1, sums, 1, NULL);
  }
  for (uint16_t t = 0; status == CRM_OK && t < c->facts->n_tenants; t++) {
    const int64_t *s = r->logo_sums + (size_t)t * LOGOS;
    const struct ratio ratio = {CRM_FAM_LOGO_CHURN_RATIO, s[LOGO_LOST], s[LOGO_OPENING]};
    status = emit_ratios(r, t, own, 1, &ratio, 1);
  }
  return status;
}

/* Room for the ends of the currencies at hand, and all sums at 0. */
static enum crm_status make_sums(struct revenue *r) {
  const struct crm_context *c = r->c;
  enum crm_status status = crm_currency_cells_make(&r->cells);
  if (status != CRM_OK)
    return status;
  memset(r->logos, 0, (size_t)LOGOS * c->n_cells * sizeof(*r->logos));
  size_t n = (size_t)c->facts->n_tenants * r->cells.n_slots * 2;
  if (r->tenant_ends != NULL && r->cells.n_slots <= r->cap_ends) {
    memset(r->tenant_ends, 0, n * sizeof(*r->tenant_ends));
    return CRM_OK;
  }
  r->tenant_ends = crm_arena_calloc(c->arena, n, sizeof(*r->tenant_ends));
  r->cap_ends = r->cells.n_slots;
  return r->tenant_ends != NULL ? CRM_OK : crm_no_memory(r->c);
}

static enum crm_status emit_window(struct revenue *r, enum crm_window window) {
  const char *name = crm_window_name(window);
  r->start = crm_window_start(r->c->params->zone, r->c->at, window);
  r->success = window == CRM_WINDOW_1Y && crm_success_known(r->c);
  crm_currency_cells_forget(&r->cells);
  read_opening(r); /* a window also shows the currencies that were left within it */
  enum crm_status status = make_sums(r);
  if (status != CRM_OK)
    return status;
  book_all(r);
  for (unsigned slot = 0; status == CRM_OK && slot < r->cells.n_slots; slot++) {
    status = emit_cells(r, slot, name);
    if (status == CRM_OK)
      status = emit_tenants(r, slot, name);
  }
  return status == CRM_OK ? emit_logos(r, name) : status;
}

static enum crm_status emit_windows(struct crm_context *c) {
  static const enum crm_window windows[] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
  struct revenue r = {.c = c};
  r.opening = crm_arena_calloc(c->arena, c->n, sizeof(*r.opening));
  r.opening_currency = crm_arena_calloc(c->arena, c->n, sizeof(*r.opening_currency));
  r.tenant_sums = crm_arena_calloc(c->arena, (size_t)c->facts->n_tenants * COLUMNS, sizeof(*r.tenant_sums));
  r.logos = crm_arena_calloc(c->arena, (size_t)LOGOS * c->n_cells, sizeof(*r.logos));
  r.logo_sums = crm_arena_calloc(c->arena, (size_t)c->facts->n_tenants * LOGOS, sizeof(*r.logo_sums));
  if (r.opening == NULL || r.opening_currency == NULL || r.tenant_sums == NULL || r.logos == NULL || r.logo_sums == NULL)
    return crm_no_memory(c);
  enum crm_status status = crm_currency_cells_init(&r.cells, c, COLUMNS);
  if (status == CRM_OK)
    status = crm_currency_cells_make(&r.cells);
  if (status == CRM_OK)
    status = emit_levels(&r);
  for (size_t w = 0; status == CRM_OK && w < sizeof(windows) / sizeof(windows[0]); w++)
    status = emit_window(&r, windows[w]);
  return status;
}

enum crm_status crm_revenue(struct crm_context *c) {
  crm_part(c, "revenue");
  enum crm_status status = emit_windows(c);
  crm_part(c, "months");
  if (status == CRM_OK)
    status = crm_revenue_months(c);
  crm_part(c, "contracts");
  if (status == CRM_OK)
    status = crm_revenue_contracts(c);
  return status == CRM_OK ? crm_opportunities(c) : status;
}
