/* SPDX-License-Identifier: MIT */
/* Revenue and customers by calendar month of the zone, for the running month and those before it: movements, cohorts and, made of them,
 * lifetime value; and what is divided by the customers at T.
 *
 * A month closes at the last instant before the next one begins, so that a date, which stands at 00:00, belongs to its own month; the
 * running month closes at T. Each account is walked once from its first stretch to T. What it pays at the ends of many months in a row is
 * added as two differences, at the first of them and behind the last. */
#include <stdio.h>

#include "analytics/currency_cells.h"
#include "analytics/level_walk.h"
#include "analytics/revenue.h"

enum {
  ENDS = 24,             /* months whose end is looked at, and cohorts; the last is the running one */
  MONTHS = 13,           /* of them those with movements */
  FIRST = ENDS - MONTHS, /* the first of these */
  COMPLETE = 6,          /* complete months of which the churn of the lifetime value is the mean */
  LARGEST = 20,          /* accounts for the concentration */
  NO_COHORT = ENDS,
};

enum movement { NEW, EXPANSION, CONTRACTION, CHURN, REACTIVATION, ADJUSTMENT, MOVEMENTS };
static const char *const movement_names[MOVEMENTS] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};
enum logo { WON, LOST, REACTIVATED, ADJUSTED, LOGOS };
static const char *const logo_names[LOGOS] = {"won", "lost", "reactivated", "adjusted"};

/* Amounts in minor units, and accounts, at the end of each month; as differences until they are all added. */
struct row {
  int64_t arr[ENDS + 1], accounts[ENDS + 1];
};

/* One tenant and one of its currencies. */
struct block {
  struct row total;
  int64_t moved[ENDS][MOVEMENTS];
  int64_t logos[ENDS][LOGOS];
  bool cohort_shown[ENDS]; /* one of its accounts paid in the currency at the end of a month */
  struct row cohort[ENDS];
  int64_t arr, accounts; /* at T */
  crm_money largest[LARGEST];
  bool shown; /* it has or had the currency within the months that are shown */
};

struct months {
  struct crm_context *c;
  crm_time end[ENDS];
  int32_t first_month; /* of the first end */
  crm_time first_start;
  struct block **blocks; /* tenant * n_currencies + currency; NULL until it is needed */
};

static enum crm_status block_of(struct months *m, uint16_t tenant, uint16_t currency, struct block **block) {
  struct block **at = &m->blocks[(size_t)tenant * m->c->facts->n_currencies + currency];
  if (*at == NULL)
    *at = crm_arena_calloc(m->c->arena, 1, sizeof(**at));
  *block = *at;
  return *at != NULL ? CRM_OK : crm_no_memory(m->c);
}

/* --- one account ---------------------------------------------------------------------------------------------------------- */

/* Where the walk along one account stands. */
struct account {
  uint16_t tenant;
  unsigned passed;       /* month ends behind it */
  crm_money a;           /* at the last of these */
  struct block *a_block; /* of the currency of a, if a > 0 */
  bool paid;             /* it has ever paid */
  unsigned cohort;
  crm_time paid_until;   /* the end of the last time it paid */
  crm_time until_at_end; /* the same as it stood at the last month end */
  bool paid_at_end;      /* whether it had ever paid by then */
  crm_time paid_from;    /* the first instant after the last month end from which it paid; CRM_TIME_NONE: none yet */
};

static unsigned cohort_of(const struct months *m, crm_time first) {
  if (first < m->first_start)
    return NO_COHORT;
  unsigned cohort = 0;
  while (cohort < ENDS - 1 && m->end[cohort] < first)
    cohort++;
  return cohort;
}

static bool comes_back(const struct months *m, const struct account *at) {
  int days = m->c->params->reactivation_window_days;
  return at->paid_at_end && (days <= 0 || at->paid_from - at->until_at_end <= days * CRM_US_PER_DAY);
}

/* Books the net movement of month `k` from at->a to `b`; the blocks are of their currencies. The order of the tests is that of revenue.c.
 */
static void book(const struct months *m, const struct account *at, unsigned k, crm_money b, struct block *b_block) {
  crm_money a = at->a;
  struct block *a_block = at->a_block;
  if (a < 0 || b < 0 || (a > 0 && b > 0 && a_block != b_block)) {
    if (a > 0) {
      a_block->moved[k][ADJUSTMENT] -= a;
      a_block->logos[k][ADJUSTED]--;
    }
    if (b > 0) {
      b_block->moved[k][ADJUSTMENT] += b;
      b_block->logos[k][ADJUSTED]++;
    }
  } else if (a == 0) {
    if (b > 0) {
      bool back = comes_back(m, at);
      b_block->moved[k][back ? REACTIVATION : NEW] += b;
      b_block->logos[k][back ? REACTIVATED : WON]++;
    }
  } else if (b == 0) {
    a_block->moved[k][CHURN] += a;
    a_block->logos[k][LOST]++;
  } else if (b > a) {
    a_block->moved[k][EXPANSION] += b - a;
  } else {
    a_block->moved[k][CONTRACTION] += a - b;
  }
}

/* It pays `arr` at the ends from `first` to before `behind`. */
static void add_row(struct row *row, unsigned first, unsigned behind, crm_money arr) {
  row->arr[first] += arr;
  row->arr[behind] -= arr;
  row->accounts[first]++;
  row->accounts[behind]--;
}

/* A stretch in which the ends from at->passed to before `behind` lie. */
static enum crm_status pass_ends(struct months *m, struct account *at, const struct crm_stretch *s, unsigned behind) {
  struct block *block = NULL;
  unsigned first = at->passed;
  if (s->arr > 0) {
    enum crm_status status = block_of(m, at->tenant, s->currency, &block);
    if (status != CRM_OK)
      return status;
    add_row(&block->total, first, behind, s->arr);
    block->shown = block->shown || behind > FIRST - 1;
    if (at->cohort != NO_COHORT) {
      add_row(&block->cohort[at->cohort], first, behind, s->arr);
      block->cohort_shown[at->cohort] = true;
    }
  }
  if (first >= FIRST)
    book(m, at, first, s->arr, block);
  at->passed = behind;
  at->a = s->arr;
  at->a_block = block;
  at->until_at_end = at->paid_until;
  at->paid_at_end = at->paid;
  at->paid_from = CRM_TIME_NONE;
  return CRM_OK;
}

static enum crm_status walk_account(struct months *m, uint32_t account) {
  const struct crm_context *c = m->c;
  struct account at = {.tenant = c->facts->account.tenant[account], .cohort = NO_COHORT, .paid_from = CRM_TIME_NONE};
  struct crm_level_walk walk;
  struct crm_stretch s;
  crm_level_walk_begin(&walk, c, account);
  while (at.passed < ENDS && crm_level_walk_next(&walk, &s)) {
    if (s.arr > 0) {
      if (!at.paid)
        at.cohort = cohort_of(m, s.from);
      if (at.paid_from == CRM_TIME_NONE)
        at.paid_from = s.from;
      at.paid = true;
    }
    unsigned behind = at.passed;
    while (behind < ENDS && m->end[behind] < s.to)
      behind++;
    if (behind > at.passed) {
      enum crm_status status = pass_ends(m, &at, &s, behind);
      if (status != CRM_OK)
        return status;
    }
    if (s.arr > 0)
      at.paid_until = s.to;
  }
  return CRM_OK;
}

static void keep_largest(crm_money *largest, crm_money arr) {
  if (arr <= largest[LARGEST - 1])
    return;
  unsigned i = LARGEST - 1;
  for (; i > 0 && largest[i - 1] < arr; i--)
    largest[i] = largest[i - 1];
  largest[i] = arr;
}

/* The currencies that the tenant has at T, and what is paid in them. */
static enum crm_status read_now(struct months *m, uint32_t account) {
  const struct crm_context *c = m->c;
  uint16_t tenant = c->facts->account.tenant[account];
  const uint16_t currencies[] = {c->facts->account.currency[account], c->arr_currency[account]};
  struct block *block = NULL;
  for (size_t i = 0; i < 2; i++) {
    if (currencies[i] == CRM_NO_CURRENCY)
      continue;
    enum crm_status status = block_of(m, tenant, currencies[i], &block);
    if (status != CRM_OK)
      return status;
    block->shown = true;
  }
  if (crm_paying(c, account) && c->arr_currency[account] != CRM_NO_CURRENCY) {
    block->arr += c->arr[account];
    block->accounts++;
    keep_largest(block->largest, c->arr[account]);
  }
  return CRM_OK;
}

/* --- samples -------------------------------------------------------------------------------------------------------------- */

struct emission {
  struct months *m;
  struct block *block;
  uint16_t tenant;
  const char *currency;
  int64_t unit;
};

static enum crm_status emit(const struct emission *e, enum crm_family family, const char *second, const char *third,
                            struct crm_number value) {
  const char *const own[] = {e->currency, second, third};
  return crm_emit_tenant(e->m->c, family, e->tenant, own, third != NULL ? 3 : second != NULL ? 2 : 1, value);
}

static void sum_row(struct row *row) {
  for (unsigned k = 1; k <= ENDS; k++) {
    row->arr[k] += row->arr[k - 1];
    row->accounts[k] += row->accounts[k - 1];
  }
}

static enum crm_status emit_month(const struct emission *e, unsigned k) {
  const struct block *b = e->block;
  char month[16];
  crm_month_name(e->m->first_month + (int32_t)k, month);
  const struct {
    enum crm_family family;
    int64_t num, den;
  } ends[] = {
      {CRM_FAM_ARR_MONTH_OPENING, b->total.arr[k - 1], e->unit},
      {CRM_FAM_ARR_MONTH_CLOSING, b->total.arr[k], e->unit},
      {CRM_FAM_ACCOUNTS_MONTH_OPENING, b->total.accounts[k - 1], 1},
      {CRM_FAM_ACCOUNTS_MONTH_CLOSING, b->total.accounts[k], 1},
  };
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < sizeof(ends) / sizeof(ends[0]); i++)
    status = emit(e, ends[i].family, month, NULL, crm_number_ratio(ends[i].num, ends[i].den));
  for (unsigned kind = 0; status == CRM_OK && kind < MOVEMENTS; kind++)
    status = emit(e, CRM_FAM_ARR_MONTH_MOVEMENT, month, movement_names[kind], crm_number_ratio(b->moved[k][kind], e->unit));
  for (unsigned kind = 0; status == CRM_OK && kind < LOGOS; kind++)
    status = emit(e, CRM_FAM_ACCOUNTS_MONTH_MOVEMENT, month, logo_names[kind], crm_number_int(b->logos[k][kind]));
  return status;
}

static enum crm_status emit_cohort(const struct emission *e, unsigned cohort) {
  char month[16], age[16];
  if (!e->block->cohort_shown[cohort])
    return CRM_OK;
  struct row *row = &e->block->cohort[cohort];
  sum_row(row);
  crm_month_name(e->m->first_month + (int32_t)cohort, month);
  enum crm_status status = CRM_OK;
  for (unsigned k = cohort; status == CRM_OK && k < ENDS; k++) {
    snprintf(age, sizeof(age), "%u", k - cohort);
    status = emit(e, CRM_FAM_COHORT_ARR, month, age, crm_number_ratio(row->arr[k], e->unit));
    if (status == CRM_OK)
      status = emit(e, CRM_FAM_COHORT_ACCOUNTS, month, age, crm_number_int(row->accounts[k]));
  }
  return status;
}

/* Mean of the monthly rates over those of the last complete months that have one; NaN if none has. */
static double monthly_churn(const struct block *b) {
  double sum = 0;
  unsigned n = 0;
  for (unsigned k = ENDS - 1 - COMPLETE; k < ENDS - 1; k++)
    if (b->total.accounts[k - 1] > 0) {
      sum += (double)b->logos[k][LOST] / (double)b->total.accounts[k - 1];
      n++;
    }
  return n > 0 ? sum / n : (double)NAN;
}

static enum crm_status emit_lifetime_value(const struct emission *e) {
  const struct crm_params *params = e->m->c->params;
  const struct block *b = e->block;
  double churn = monthly_churn(b);
  if (!(churn > 0) || b->accounts == 0)
    return CRM_OK;
  double lifetime = 1 / churn;
  if (params->lifetime_cap_months > 0 && lifetime > params->lifetime_cap_months)
    lifetime = params->lifetime_cap_months;
  double arpa = (double)b->arr / ((double)b->accounts * 12 * (double)e->unit);
  return emit(e, CRM_FAM_CUSTOMER_LIFETIME_VALUE, NULL, NULL, crm_number_real(arpa * params->gross_margin * lifetime));
}

static enum crm_status emit_concentration(const struct emission *e) {
  static const struct {
    const char *name;
    unsigned n;
  } tops[] = {{"1", 1}, {"5", 5}, {"10", 10}, {"20", LARGEST}};
  const struct block *b = e->block;
  if (b->arr == 0)
    return CRM_OK;
  enum crm_status status = CRM_OK;
  int64_t held = 0;
  unsigned counted = 0;
  for (size_t i = 0; status == CRM_OK && i < sizeof(tops) / sizeof(tops[0]); i++) {
    for (; counted < tops[i].n; counted++)
      held += b->largest[counted];
    status = emit(e, CRM_FAM_ARR_CONCENTRATION_RATIO, tops[i].name, NULL, crm_number_ratio(held, b->arr));
  }
  return status;
}

static enum crm_status emit_block(const struct emission *e) {
  enum crm_status status = CRM_OK;
  struct block *b = e->block;
  sum_row(&b->total);
  if (b->shown) {
    for (unsigned k = FIRST; status == CRM_OK && k < ENDS; k++)
      status = emit_month(e, k);
    if (status == CRM_OK)
      status = emit_lifetime_value(e);
    if (status == CRM_OK)
      status = emit_concentration(e);
    if (status == CRM_OK && b->accounts > 0)
      status = emit(e, CRM_FAM_REVENUE_PER_ACCOUNT, NULL, NULL, crm_number_ratio(b->arr, b->accounts * 12 * e->unit));
  }
  for (unsigned cohort = 0; status == CRM_OK && cohort < ENDS; cohort++)
    status = emit_cohort(e, cohort);
  return status;
}

/* PAYING accounts by currency, per cell: what revenue per account is divided by. */
static enum crm_status emit_accounts(struct crm_context *c) {
  struct crm_currency_cells cells;
  enum crm_status status = crm_currency_cells_init(&cells, c, 1);
  if (status == CRM_OK)
    status = crm_currency_cells_make(&cells);
  for (uint32_t i = 0; status == CRM_OK && i < c->n; i++)
    if (crm_paying(c, i) && c->arr_currency[i] != CRM_NO_CURRENCY)
      crm_currency_cells_add(&cells, i, c->arr_currency[i], 0, 1);
  const char *own[1];
  for (unsigned slot = 0; status == CRM_OK && slot < cells.n_slots; slot++)
    status = crm_currency_cells_emit(&cells, slot, 0, CRM_FAM_ARR_ACCOUNTS, own, 1, 1);
  return status;
}

/* --- all ------------------------------------------------------------------------------------------------------------------ */

static void set_ends(struct months *m) {
  const struct crm_zone *zone = m->c->params->zone;
  int32_t running = crm_zone_month(zone, m->c->at);
  m->first_month = running - (ENDS - 1);
  m->first_start = crm_zone_month_start(zone, m->first_month);
  for (int32_t k = 0; k < ENDS - 1; k++)
    m->end[k] = crm_zone_month_start(zone, m->first_month + k + 1) - 1;
  m->end[ENDS - 1] = m->c->at;
}

enum crm_status crm_revenue_months(struct crm_context *c) {
  const struct crm_facts *facts = c->facts;
  struct months m = {.c = c};
  m.blocks = crm_arena_calloc(c->arena, (size_t)facts->n_tenants * facts->n_currencies, sizeof(*m.blocks));
  if (m.blocks == NULL)
    return crm_no_memory(c);
  set_ends(&m);
  enum crm_status status = CRM_OK;
  for (uint32_t i = 0; status == CRM_OK && i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    status = read_now(&m, i);
    if (status == CRM_OK)
      status = walk_account(&m, i);
  }
  for (uint16_t t = 0; t < facts->n_tenants; t++)
    for (uint16_t k = 0; status == CRM_OK && k < facts->n_currencies; k++) {
      struct block *block = m.blocks[(size_t)t * facts->n_currencies + k];
      const struct emission e = {
          .m = &m, .block = block, .tenant = t, .currency = crm_currency_label(c, k), .unit = crm_currency_unit(c, k)};
      if (block != NULL)
        status = emit_block(&e);
    }
  return status == CRM_OK ? emit_accounts(c) : status;
}
