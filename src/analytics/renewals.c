/* SPDX-License-Identifier: MIT */
/* Renewals. What is due is a contract, in the period in which it ends, whenever it was decided; so an early renewal does not move, and what
 * nobody has decided by then is not renewed. Contracts without an end are never due. */
#include "analytics/contracts.h"
#include "analytics/kpi.h"

enum { RESULTS = CRM_CONTRACT_LOST + 1 };
static const char *const result_names[RESULTS] = {"undecided", "renewed", "lost"}; /* enum crm_contract_outcome */

static const enum crm_window windows[] = {CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
static const struct {
  const char *label;
  int days;
} horizons[] = {{"30d", 30}, {"60d", 60}, {"90d", 90}};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))
#define HORIZONS (sizeof(horizons) / sizeof(horizons[0]))

/* What is summed per cell and currency for one window: the amount due by result, and of those whose renewed amount is known what was due,
 * what became of it, and the lesser of both. */
enum { ARR_DUE, ARR_BASE = ARR_DUE + RESULTS, ARR_NET, ARR_GROSS, WINDOW_AMOUNTS };
#define AMOUNTS (WINDOWS * WINDOW_AMOUNTS + HORIZONS * RESULTS)

struct renewals {
  struct crm_context *c;
  crm_time since[WINDOWS], until[HORIZONS];
  int64_t *due;      /* (window * RESULTS + result) * n_cells + cell */
  int64_t *upcoming; /* (horizon * RESULTS + result) * n_cells + cell */
  int64_t *amounts;  /* (currency * AMOUNTS + amount) * n_cells + cell */
  uint8_t *has;      /* tenant * n_currencies + currency: one of its accounts or contracts has it */
  uint8_t *skip;     /* per cell: its tenant has not the currency at hand */
};

static int64_t *amount_of(const struct renewals *p, uint16_t currency, size_t amount) {
  return p->amounts + (currency * AMOUNTS + amount) * p->c->n_cells;
}

static size_t of_window(size_t w, size_t amount) {
  return w * WINDOW_AMOUNTS + amount;
}

static size_t of_horizon(size_t h, size_t result) {
  return WINDOWS * WINDOW_AMOUNTS + h * RESULTS + result;
}

static enum crm_status renewals_init(struct crm_context *c, struct renewals *p) {
  const struct crm_facts *facts = c->facts;
  *p = (struct renewals){.c = c};
  for (size_t w = 0; w < WINDOWS; w++)
    p->since[w] = crm_window_start(c->params->zone, c->at, windows[w]);
  for (size_t h = 0; h < HORIZONS; h++)
    p->until[h] = c->at + horizons[h].days * CRM_US_PER_DAY;
  p->due = crm_arena_calloc(c->arena, (size_t)c->n_cells * RESULTS * WINDOWS, sizeof(*p->due));
  p->upcoming = crm_arena_calloc(c->arena, (size_t)c->n_cells * RESULTS * HORIZONS, sizeof(*p->upcoming));
  p->amounts = crm_arena_calloc(c->arena, (size_t)c->n_cells * AMOUNTS * facts->n_currencies, sizeof(*p->amounts));
  p->has = crm_arena_calloc(c->arena, (size_t)facts->n_tenants * facts->n_currencies, sizeof(*p->has));
  p->skip = crm_arena_calloc(c->arena, c->n_cells, sizeof(*p->skip));
  return p->due == NULL || p->upcoming == NULL || p->amounts == NULL || p->has == NULL || p->skip == NULL ? crm_no_memory(c) : CRM_OK;
}

static void note_currency(const struct renewals *p, uint32_t account, uint16_t currency) {
  const struct crm_facts *facts = p->c->facts;
  if (currency != CRM_NO_CURRENCY)
    p->has[(size_t)facts->account.tenant[account] * facts->n_currencies + currency] = 1;
}

/* The contract ended within the window. An amount that nobody wrote down is neither kept nor lost. */
static void add_due(const struct renewals *p, size_t w, uint32_t row, uint32_t cell, enum crm_contract_outcome outcome) {
  const struct crm_contracts *k = &p->c->facts->contract;
  uint16_t currency = k->currency[row];
  crm_money due = k->arr[row], kept = outcome == CRM_CONTRACT_RENEWED ? k->renewed_arr[row] : 0;
  p->due[(w * RESULTS + outcome) * p->c->n_cells + cell]++;
  if (due == CRM_MONEY_UNKNOWN || currency == CRM_NO_CURRENCY)
    return;
  amount_of(p, currency, of_window(w, ARR_DUE + (size_t)outcome))[cell] += due;
  if (kept == CRM_MONEY_UNKNOWN)
    return;
  amount_of(p, currency, of_window(w, ARR_BASE))[cell] += due;
  amount_of(p, currency, of_window(w, ARR_NET))[cell] += kept;
  amount_of(p, currency, of_window(w, ARR_GROSS))[cell] += kept < due ? kept : due;
}

static void add_upcoming(const struct renewals *p, size_t h, uint32_t row, uint32_t cell, enum crm_contract_outcome outcome) {
  const struct crm_contracts *k = &p->c->facts->contract;
  p->upcoming[(h * RESULTS + outcome) * p->c->n_cells + cell]++;
  if (k->arr[row] != CRM_MONEY_UNKNOWN && k->currency[row] != CRM_NO_CURRENCY)
    amount_of(p, k->currency[row], of_horizon(h, outcome))[cell] += k->arr[row];
}

static void read_contracts(const struct renewals *p) {
  const struct crm_context *c = p->c;
  const struct crm_contracts *k = &c->facts->contract;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    note_currency(p, i, c->facts->account.currency[i]);
    for (uint32_t r = k->first[i]; r < k->first[i + 1] && k->starts_at[r] <= c->at; r++) {
      crm_time ends_at = k->ends_at[r];
      note_currency(p, i, k->currency[r]);
      if (ends_at == CRM_TIME_NONE || ends_at <= p->since[WINDOWS - 1] || ends_at > p->until[HORIZONS - 1])
        continue;
      enum crm_contract_outcome outcome = crm_contract_outcome(c, r);
      for (size_t w = 0; w < WINDOWS; w++)
        if (ends_at <= c->at && ends_at > p->since[w])
          add_due(p, w, r, c->cell[i], outcome);
      for (size_t h = 0; h < HORIZONS; h++)
        if (ends_at > c->at && ends_at <= p->until[h] && crm_open(c, i))
          add_upcoming(p, h, r, c->cell[i], outcome);
    }
  }
}

static enum crm_status emit_counts(const struct renewals *p) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  for (size_t k = 0; k < RESULTS * WINDOWS && status == CRM_OK; k++) {
    const char *own[] = {result_names[k % RESULTS], crm_window_name(windows[k / RESULTS])};
    status = crm_emit_cells(c, CRM_FAM_RENEWALS_DUE, own, 2, p->due + k * c->n_cells, 1, NULL);
  }
  for (size_t k = 0; k < RESULTS * HORIZONS && status == CRM_OK; k++) {
    const char *own[] = {result_names[k % RESULTS], horizons[k / RESULTS].label};
    status = crm_emit_cells(c, CRM_FAM_RENEWALS_UPCOMING, own, 2, p->upcoming + k * c->n_cells, 1, NULL);
  }
  return status;
}

static enum crm_status emit_currency(const struct renewals *p, uint16_t currency) {
  static const struct {
    enum crm_family family;
    size_t amount;
  } families[] = {
      {CRM_FAM_RENEWAL_ARR_BASE, ARR_BASE},
      {CRM_FAM_RENEWAL_ARR_RENEWED, ARR_NET},
      {CRM_FAM_RENEWAL_ARR_RENEWED_GROSS, ARR_GROSS},
  };
  struct crm_context *c = p->c;
  int64_t unit = crm_currency_unit(c, currency);
  const char *code = crm_currency_label(c, currency);
  enum crm_status status = CRM_OK;
  for (size_t w = 0; w < WINDOWS && status == CRM_OK; w++) {
    for (size_t result = 0; result < RESULTS && status == CRM_OK; result++) {
      const char *own[] = {code, result_names[result], crm_window_name(windows[w])};
      status = crm_emit_cells(c, CRM_FAM_RENEWAL_ARR_DUE, own, 3, amount_of(p, currency, of_window(w, ARR_DUE + result)), unit, p->skip);
    }
    const char *own[] = {code, crm_window_name(windows[w])};
    for (size_t f = 0; f < sizeof(families) / sizeof(families[0]) && status == CRM_OK; f++)
      status = crm_emit_cells(c, families[f].family, own, 2, amount_of(p, currency, of_window(w, families[f].amount)), unit, p->skip);
  }
  for (size_t k = 0; k < RESULTS * HORIZONS && status == CRM_OK; k++) {
    const char *own[] = {code, result_names[k % RESULTS], horizons[k / RESULTS].label};
    const int64_t *amount = amount_of(p, currency, of_horizon(k / RESULTS, k % RESULTS));
    status = crm_emit_cells(c, CRM_FAM_RENEWAL_ARR_UPCOMING, own, 3, amount, unit, p->skip);
  }
  return status;
}

static enum crm_status emit_amounts(const struct renewals *p) {
  const struct crm_context *c = p->c;
  const struct crm_facts *facts = c->facts;
  enum crm_status status = CRM_OK;
  for (uint16_t currency = 0; currency < facts->n_currencies && status == CRM_OK; currency++) {
    bool used = false;
    for (uint32_t cell = 0; cell < c->n_cells; cell++) {
      p->skip[cell] = !p->has[(size_t)c->cell_tenant[cell] * facts->n_currencies + currency];
      used = used || !p->skip[cell];
    }
    if (used)
      status = emit_currency(p, currency);
  }
  return status;
}

/* What one tenant's ratios are made of, in one window. */
struct tenant {
  int64_t due, renewed;
  int64_t base, net, gross; /* of its only currency */
  unsigned currencies;      /* in which something was due */
};

static void sum_window(const struct renewals *p, size_t w, struct tenant *tenants, int64_t *scratch) {
  const struct crm_context *c = p->c;
  uint16_t n = c->facts->n_tenants;
  for (uint16_t t = 0; t < n; t++)
    tenants[t] = (struct tenant){0};
  for (size_t result = 0; result < RESULTS; result++) {
    crm_sum_tenants(c, p->due + (w * RESULTS + result) * c->n_cells, scratch);
    for (uint16_t t = 0; t < n; t++) {
      tenants[t].due += scratch[t];
      tenants[t].renewed += result == CRM_CONTRACT_RENEWED ? scratch[t] : 0;
    }
  }
  int64_t *base = scratch, *net = scratch + n, *gross = scratch + 2 * (size_t)n;
  for (uint16_t currency = 0; currency < c->facts->n_currencies; currency++) {
    crm_sum_tenants(c, amount_of(p, currency, of_window(w, ARR_BASE)), base);
    crm_sum_tenants(c, amount_of(p, currency, of_window(w, ARR_NET)), net);
    crm_sum_tenants(c, amount_of(p, currency, of_window(w, ARR_GROSS)), gross);
    for (uint16_t t = 0; t < n; t++) {
      tenants[t].currencies += base[t] > 0 || net[t] > 0;
      tenants[t].base += base[t];
      tenants[t].net += net[t];
      tenants[t].gross += gross[t];
    }
  }
}

static enum crm_status emit_ratios(const struct renewals *p) {
  struct crm_context *c = p->c;
  uint16_t n = c->facts->n_tenants;
  struct tenant *tenants = crm_arena_calloc(c->arena, n, sizeof(*tenants));
  int64_t *scratch = crm_arena_calloc(c->arena, 3 * (size_t)n, sizeof(*scratch));
  if (tenants == NULL || scratch == NULL)
    return crm_no_memory(c);
  enum crm_status status = CRM_OK;
  for (size_t w = 0; w < WINDOWS && status == CRM_OK; w++) {
    sum_window(p, w, tenants, scratch);
    for (uint16_t t = 0; t < n && status == CRM_OK; t++) {
      const struct tenant *s = &tenants[t];
      bool money = s->currencies == 1 && s->base > 0;
      const struct {
        const char *kind;
        int64_t num, den;
      } ratios[] = {{"logo", s->renewed, s->due}, {"gross", s->gross, money ? s->base : 0}, {"net", s->net, money ? s->base : 0}};
      for (size_t k = 0; k < sizeof(ratios) / sizeof(ratios[0]) && status == CRM_OK; k++) {
        const char *own[] = {ratios[k].kind, crm_window_name(windows[w])};
        if (ratios[k].den > 0)
          status = crm_emit_tenant(c, CRM_FAM_RENEWAL_RATIO, t, own, 2, crm_number_ratio(ratios[k].num, ratios[k].den));
      }
    }
  }
  return status;
}

enum crm_status crm_renewals_emit(struct crm_context *c) {
  if (!c->facts->available[CRM_REL_CONTRACT])
    return CRM_OK;
  struct renewals p;
  enum crm_status status = renewals_init(c, &p);
  if (status != CRM_OK)
    return status;
  read_contracts(&p);
  status = emit_counts(&p);
  if (status == CRM_OK)
    status = emit_amounts(&p);
  return status == CRM_OK ? emit_ratios(&p) : status;
}
