/* SPDX-License-Identifier: MIT */
/* Revenue as far as contracts secure it. */
#include "analytics/contracts.h"
#include "analytics/currency_cells.h"
#include "analytics/revenue.h"

enum { HORIZONS = 2 };
static const struct {
  const char *name;
  int64_t days;
} horizons[HORIZONS] = {{"30d", 30}, {"90d", 90}};

enum { IN_FORCE, ARR, COMMITTED, COLUMNS = COMMITTED + HORIZONS };

struct secured {
  struct crm_context *c;
  struct crm_currency_cells cells;
  int64_t *tenant_sums; /* tenant * COLUMNS + column, of one currency */
};

/* True if nothing that is known at T carries the contract past its end. What the contract does not say the account may. */
static bool ends_by(const struct crm_context *c, uint32_t account, uint32_t row, crm_time limit) {
  const struct crm_contracts *k = &c->facts->contract;
  if (k->ends_at[row] == CRM_TIME_NONE || k->ends_at[row] > limit)
    return false;
  enum crm_contract_outcome outcome = crm_contract_outcome(c, row);
  if (outcome != CRM_CONTRACT_UNDECIDED)
    return outcome == CRM_CONTRACT_LOST;
  int8_t auto_renew = k->auto_renew[row] != CRM_TRI_UNKNOWN ? k->auto_renew[row] : c->facts->account.auto_renew[account];
  return auto_renew != CRM_TRI_TRUE;
}

/* True if a churn that was recorded by T takes effect by then. */
static bool leaves_by(const struct crm_context *c, uint32_t account, crm_time limit) {
  crm_time recorded = c->facts->account.churned_at[account];
  return recorded != CRM_TIME_NONE && recorded <= c->at && c->churn_at[account] > c->at && c->churn_at[account] <= limit;
}

static crm_money least(crm_money a, crm_money b) {
  return a < b ? a : b;
}

/* What remains of the account's revenue at the limit. What its other contracts go on paying is never taken away, so that a successor that
 * has begun already makes up for the one that ends; a contract of unknown amount, or in another currency, stands for all that its other
 * contracts do not cover. */
static crm_money committed(const struct crm_context *c, uint32_t account, crm_time limit) {
  const struct crm_contracts *k = &c->facts->contract;
  crm_money arr = c->arr[account], ends = 0, goes_on = 0;
  if (leaves_by(c, account, limit))
    return 0;
  for (uint32_t r = k->first[account]; r < k->first[account + 1] && k->starts_at[r] <= c->at; r++) {
    if (!crm_contract_in_force(c, r))
      continue;
    bool known = k->arr[r] != CRM_MONEY_UNKNOWN && k->currency[r] == c->arr_currency[account];
    if (!ends_by(c, account, r, limit))
      goes_on = least(arr, goes_on + (known ? least(k->arr[r], arr) : 0));
    else
      ends = least(arr, ends + (known ? least(k->arr[r], arr) : arr));
  }
  return arr - least(ends, arr - goes_on);
}

static int64_t in_force(const struct crm_context *c, uint32_t account) {
  const struct crm_contracts *k = &c->facts->contract;
  int64_t n = 0;
  for (uint32_t r = k->first[account]; r < k->first[account + 1] && k->starts_at[r] <= c->at; r++)
    n += crm_contract_in_force(c, r);
  return n;
}

static void add_all(const struct secured *s) {
  const struct crm_context *c = s->c;
  for (uint32_t i = 0; i < c->n; i++) {
    uint16_t currency = c->arr_currency[i];
    if (!crm_paying(c, i) || currency == CRM_NO_CURRENCY)
      continue;
    crm_currency_cells_add(&s->cells, i, currency, IN_FORCE, in_force(c, i));
    crm_currency_cells_add(&s->cells, i, currency, ARR, c->arr[i]);
    for (unsigned h = 0; h < HORIZONS; h++)
      crm_currency_cells_add(&s->cells, i, currency, COMMITTED + h, committed(c, i, c->at + horizons[h].days * CRM_US_PER_DAY));
  }
}

static enum crm_status emit(struct secured *s, unsigned slot) {
  struct crm_context *c = s->c;
  const char *own[2];
  int64_t unit = crm_currency_unit(c, s->cells.currency[slot]);
  enum crm_status status = crm_currency_cells_emit(&s->cells, slot, IN_FORCE, CRM_FAM_CONTRACTS_IN_FORCE, own, 1, 1);
  for (unsigned h = 0; status == CRM_OK && h < HORIZONS; h++) {
    own[1] = horizons[h].name;
    status = crm_currency_cells_emit(&s->cells, slot, COMMITTED + h, CRM_FAM_ARR_COMMITTED, own, 2, unit);
  }
  crm_currency_cells_sum(&s->cells, slot, s->tenant_sums);
  for (uint16_t t = 0; status == CRM_OK && t < c->facts->n_tenants; t++) {
    const int64_t *sums = s->tenant_sums + (size_t)t * COLUMNS;
    if (sums[IN_FORCE] > 0)
      status = crm_emit_tenant(c, CRM_FAM_AVERAGE_CONTRACT_VALUE, t, own, 1, crm_number_ratio(sums[ARR], sums[IN_FORCE] * unit));
  }
  return status;
}

enum crm_status crm_revenue_contracts(struct crm_context *c) {
  struct secured s = {.c = c};
  if (!c->facts->available[CRM_REL_CONTRACT])
    return CRM_OK;
  s.tenant_sums = crm_arena_calloc(c->arena, (size_t)c->facts->n_tenants * COLUMNS, sizeof(*s.tenant_sums));
  if (s.tenant_sums == NULL)
    return crm_no_memory(c);
  enum crm_status status = crm_currency_cells_init(&s.cells, c, COLUMNS);
  if (status == CRM_OK)
    status = crm_currency_cells_make(&s.cells);
  if (status != CRM_OK)
    return status;
  add_all(&s);
  for (unsigned slot = 0; status == CRM_OK && slot < s.cells.n_slots; slot++)
    status = emit(&s, slot);
  return status;
}
