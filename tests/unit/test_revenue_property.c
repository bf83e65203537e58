/* SPDX-License-Identifier: MIT */
/* Revenue over random customer bases. Each customer's true history is drawn first; then it is told in one of the ways in which CRMs tell
 * it, with zero levels, dates, contracts or a status alone. What is published must follow from the truth, which is booked here a second
 * time, the plain way. */
#include "crm_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/facts_fixture.h"

#define BASES 2500 /* unless CRM_TEST_BASES says fewer, for wrappers that slow a test down fiftyfold */
#define MAX_ACCOUNTS 10
#define MAX_STEPS 8
#define MAX_ROWS 512
#define DAY CRM_US_PER_DAY

enum { SEGMENTS = 2, TENANTS = 2, CURRENCIES = 3, WINDOWS = 4, FIGURES = 11 };
static const char *const segments[SEGMENTS] = {"big", "smb"};
static const char *const tenants[TENANTS] = {"acme", "beta"};
static const char *const currencies[CURRENCIES] = {"JPY", "KWD", "USD"};
static const int64_t units[CURRENCIES] = {1, 1000, 100};
static const enum crm_window windows[WINDOWS] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
enum { NEW, EXPANSION, CONTRACTION, CHURN, REACTIVATION, ADJUSTMENT, OPENING, CLOSING, NET, GROSS, BASE };
static const char *const kinds[] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};

/* --- chance ------------------------------------------------------------------------------------------------------------- */

struct chance {
  uint64_t s;
};

static uint64_t next(struct chance *c) { /* splitmix64 */
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static int64_t below(struct chance *c, int64_t n) {
  return (int64_t)(next(c) % (uint64_t)n);
}

/* --- the truth ------------------------------------------------------------------------------------------------------------ */

struct step {
  crm_time at;
  int64_t level; /* annual, minor units; from then on */
  int currency;
};

/* How the truth is told. */
enum telling {
  LEVELS,         /* all in revenue rows, zeros too; status active */
  DATE,           /* the last step, to zero, only by churned_at */
  PAID_PERIOD,    /* churned_at earlier, and a contract that ends with the last step */
  CONTRACTS,      /* status churned, no date, two contracts */
  ZERO_LEVEL,     /* status churned and a zero level */
  UNDATED,        /* status churned alone: never any revenue */
  UNKNOWN_BEFORE, /* existed long before its first level */
  RETURNED,       /* a gap told by churned_at and the level that ends it; status active */
  OWN_ARR,        /* no revenue relation */
  OWN_ARR_DATE,   /* no revenue relation, churned_at */
  TELLINGS
};

struct truth {
  enum telling telling;
  int tenant, segment;
  crm_time created_at;
  bool unknown_before; /* from created_at until the first step */
  struct step steps[MAX_STEPS];
  int n;
};

static int step_at(const struct truth *t, crm_time at) {
  int i = t->n - 1;
  while (i >= 0 && t->steps[i].at > at)
    i--;
  return i;
}

/* -1 unknown. */
static int64_t level_at(const struct truth *t, crm_time at, int *currency) {
  int i = step_at(t, at);
  *currency = i >= 0 ? t->steps[i].currency : 0;
  if (i >= 0)
    return t->steps[i].level;
  return t->unknown_before && t->created_at <= at ? -1 : 0;
}

/* Whether it had paid before `start` (where it does not), at most `days` before it does again; 0: ever. */
static bool had_paid(const struct truth *t, crm_time start, int days) {
  bool paid = false;
  crm_time until = 0, from = 0;
  for (int i = 0; i < t->n && t->steps[i].at < start; i++)
    if (t->steps[i].level > 0) {
      paid = true;
      until = t->steps[i + 1].at; /* there is one: at `start` the level is 0 */
    }
  for (int i = t->n - 1; i >= 0 && t->steps[i].at > start; i--)
    if (t->steps[i].level > 0)
      from = t->steps[i].at;
  return paid && (days == 0 || from - until <= days * DAY);
}

struct base {
  struct truth accounts[MAX_ACCOUNTS];
  int n;
  crm_time at;
  int days;     /* reactivation window */
  bool own;     /* the CRM keeps no history of revenue */
  bool returns; /* some account is told as RETURNED, whose picture before the return differs by nature */
  struct row {
    enum crm_relation relation;
    bool later; /* a fact dated after T that is not part of the truth at T */
    char text[192];
  } rows[MAX_ROWS];
  int n_rows;
};

typedef int64_t figures[TENANTS][SEGMENTS][CURRENCIES][WINDOWS][FIGURES];

static void book(const struct base *b, const struct crm_zone *zone, figures *out) {
  memset(out, 0, sizeof(*out));
  for (int i = 0; i < b->n; i++)
    for (int w = 0; w < WINDOWS; w++) {
      const struct truth *t = &b->accounts[i];
      if (t->created_at > b->at)
        continue;
      crm_time start = crm_window_start(zone, b->at, windows[w]);
      int ca, cb;
      int64_t a = level_at(t, start, &ca), z = level_at(t, b->at, &cb);
      int64_t *fa = (*out)[t->tenant][t->segment][ca][w], *fb = (*out)[t->tenant][t->segment][cb][w];
      fa[OPENING] += a > 0 ? a : 0;
      fb[CLOSING] += z > 0 ? z : 0;
      if (a < 0 || z < 0 || (a > 0 && z > 0 && ca != cb)) {
        fa[ADJUSTMENT] -= a > 0 ? a : 0;
        fb[ADJUSTMENT] += z > 0 ? z : 0;
      } else if (a == 0) {
        fb[z > 0 && had_paid(t, start, b->days) ? REACTIVATION : NEW] += z;
      } else {
        fa[BASE] += a;
        fa[NET] += z;
        fa[GROSS] += z < a ? z : a;
        if (z == 0)
          fa[CHURN] += a;
        else if (z > a)
          fa[EXPANSION] += z - a;
        else
          fa[CONTRACTION] += a - z;
      }
    }
}

/* --- drawing a truth ------------------------------------------------------------------------------------------------------- */

/* An instant in the two years before T or the months after it, often exactly on an edge of a window. */
static crm_time draw_time(struct chance *c, const struct base *b, const struct crm_zone *zone) {
  if (below(c, 5) == 0) {
    crm_time edge = below(c, 3) == 0 ? b->at : crm_window_start(zone, b->at, windows[below(c, WINDOWS)]);
    return edge + below(c, 3) - 1;
  }
  return b->at - 730 * DAY + below(c, 800 * DAY);
}

static int compare_times(const void *left, const void *right) {
  crm_time a = *(const crm_time *)left, b = *(const crm_time *)right;
  return a != b ? (a < b ? -1 : 1) : 0;
}

/* `n` different instants in order. */
static void draw_times(struct chance *c, const struct base *b, const struct crm_zone *zone, crm_time *times, int n) {
  for (int i = 0; i < n; i++)
    times[i] = draw_time(c, b, zone);
  qsort(times, (size_t)n, sizeof(*times), compare_times);
  for (int i = 1; i < n; i++)
    if (times[i] <= times[i - 1])
      times[i] = times[i - 1] + 1;
}

static int64_t draw_level(struct chance *c, bool zero_allowed) {
  if (zero_allowed && below(c, 4) == 0)
    return 0;
  return below(c, 3) == 0 ? 12000 * (1 + below(c, 4)) : 1 + below(c, 10000000);
}

static void add_row(struct base *b, enum crm_relation relation, bool later, const char *format, ...) CRM_PRINTF(4, 5);
static void add_row(struct base *b, enum crm_relation relation, bool later, const char *format, ...) {
  struct row *row = &b->rows[b->n_rows++];
  assert_true(b->n_rows <= MAX_ROWS);
  row->relation = relation;
  row->later = later;
  va_list args;
  va_start(args, format);
  int len = vsnprintf(row->text, sizeof(row->text), format, args);
  va_end(args);
  assert_true(len > 0 && (size_t)len < sizeof(row->text));
}

#define TIME_SIZE 40
static const char *show_time(char buf[TIME_SIZE], crm_time at) {
  snprintf(buf, TIME_SIZE, "@%lld+%lldus", (long long)(at / CRM_US_PER_SECOND), (long long)(at % CRM_US_PER_SECOND));
  return buf;
}

static const char *show_amount(char buf[TIME_SIZE], const struct step *s) {
  int decimals = s->currency == 0 ? 0 : s->currency == 1 ? 3 : 2;
  snprintf(buf, TIME_SIZE, "%.*f currency=%s", decimals, (double)s->level / (double)units[s->currency], currencies[s->currency]);
  return buf;
}

static void tell_level(struct base *b, int i, const struct step *s) {
  char at[TIME_SIZE], amount[TIME_SIZE];
  add_row(b, CRM_REL_REVENUE, false, "account_id=a%d at=%s arr=%s", i, show_time(at, s->at), show_amount(amount, s));
}

static void tell_contract(struct base *b, int i, const char *id, crm_time starts_at, crm_time ends_at) {
  char starts[TIME_SIZE], ends[TIME_SIZE];
  add_row(b, CRM_REL_CONTRACT, false, "account_id=a%d contract_id=%s starts_at=%s ends_at=%s", i, id, show_time(starts, starts_at),
          show_time(ends, ends_at));
}

static void draw_account(struct chance *c, struct base *b, const struct crm_zone *zone, int i) {
  struct truth *t = &b->accounts[i];
  crm_time times[MAX_STEPS];
  char extra[120] = "", own[TIME_SIZE + 8] = "", created[TIME_SIZE], date[TIME_SIZE], amount[TIME_SIZE];
  memset(t, 0, sizeof(*t));
  t->telling = b->own ? (enum telling)(OWN_ARR + below(c, TELLINGS - OWN_ARR)) : (enum telling)below(c, OWN_ARR);
  t->tenant = (int)below(c, TENANTS);
  t->segment = (int)below(c, SEGMENTS);
  t->n = 2 + (int)below(c, 4);
  draw_times(c, b, zone, times, t->n);
  int currency = (int)below(c, CURRENCIES);
  for (int s = 0; s < t->n; s++) {
    bool zero_allowed = t->telling == LEVELS || t->telling == UNKNOWN_BEFORE || t->telling == ZERO_LEVEL;
    if (below(c, 12) == 0)
      currency = (int)below(c, CURRENCIES);
    t->steps[s] = (struct step){times[s], draw_level(c, zero_allowed), currency};
  }
  struct step *last = &t->steps[t->n - 1];
  t->created_at = times[0];
  if (t->telling == RETURNED && (t->n < 3 || times[t->n - 1] > b->at))
    t->telling = LEVELS;

  int told = t->n; /* steps that are told as levels */
  switch (t->telling) {
  case LEVELS:
  case TELLINGS:
    break;
  case DATE:
    last->level = 0;
    told = t->n - 1;
    snprintf(extra, sizeof(extra), "status=churned churned_at=%s", show_time(date, last->at));
    break;
  case PAID_PERIOD:
    last->level = 0;
    told = t->n - 1;
    snprintf(extra, sizeof(extra), "status=churned churned_at=%s", show_time(date, times[0] + below(c, last->at - times[0])));
    tell_contract(b, i, "c1", times[0], last->at);
    break;
  case CONTRACTS: {
    last->level = 0;
    told = t->n - 1;
    crm_time middle = times[0] + below(c, last->at - times[0]);
    snprintf(extra, sizeof(extra), "status=churned");
    tell_contract(b, i, "c1", times[0], middle);
    tell_contract(b, i, "c2", middle, last->at);
    break;
  }
  case ZERO_LEVEL:
    last->level = 0;
    snprintf(extra, sizeof(extra), "status=churned");
    break;
  case OWN_ARR:
    t->n = 1;
    told = 0;
    snprintf(own, sizeof(own), "arr=%s", show_amount(amount, &t->steps[0]));
    break;
  case OWN_ARR_DATE:
    t->steps[1].level = 0;
    t->n = 2;
    told = 0;
    snprintf(own, sizeof(own), "arr=%s", show_amount(amount, &t->steps[0]));
    snprintf(extra, sizeof(extra), "status=churned churned_at=%s", show_time(date, times[1]));
    break;
  case UNDATED:
    snprintf(extra, sizeof(extra), "status=churned");
    break;
  case UNKNOWN_BEFORE:
    t->created_at = times[0] - 1 - below(c, 500 * DAY);
    t->unknown_before = true;
    break;
  case RETURNED:
    t->steps[t->n - 2].level = 0;
    snprintf(extra, sizeof(extra), "status=active churned_at=%s", show_time(date, times[t->n - 2]));
    b->returns = true;
    break;
  }
  add_row(b, CRM_REL_ACCOUNT, false, "account_id=a%d tenant=%s segment=%s created_at=%s %s %s", i, tenants[t->tenant], segments[t->segment],
          show_time(created, t->created_at), extra, own);
  for (int s = 0; s < told; s++)
    if (t->telling != RETURNED || s != t->n - 2)
      tell_level(b, i, &t->steps[s]);
  if (t->telling == UNDATED)
    t->n = 0; /* the truth is that nobody knows: no revenue at any instant */
}

/* Facts that nobody knows at T yet. An account whose recorded status still waits for its date gets none: a date is what it waits for. */
static void draw_later(struct chance *c, struct base *b) {
  char at[TIME_SIZE];
  for (int i = 0; i < b->n; i++) {
    enum telling telling = b->accounts[i].telling;
    if (telling == CONTRACTS || telling == ZERO_LEVEL || telling == UNDATED || telling == DATE || telling == PAID_PERIOD)
      continue;
    if (!b->own)
      add_row(b, CRM_REL_REVENUE, true, "account_id=a%d at=%s arr=%d currency=USD", i, show_time(at, b->at + 1 + below(c, 9 * DAY)),
              (int)below(c, 3) * 100);
    add_row(b, CRM_REL_CONTRACT, true, "account_id=a%d contract_id=later starts_at=%s", i, show_time(at, b->at + 1 + below(c, 9 * DAY)));
  }
  for (int i = 0; i < 2; i++) {
    add_row(b, CRM_REL_ACCOUNT, true, "account_id=later%d tenant=gamma segment=new created_at=%s arr=77 currency=CHF", i,
            show_time(at, b->at + 1 + below(c, 9 * DAY)));
    if (!b->own)
      add_row(b, CRM_REL_REVENUE, true, "account_id=later%d at=%s arr=77 currency=CHF", i, show_time(at, b->at + 1 + below(c, 9 * DAY)));
  }
}

static void draw_base(struct chance *c, struct base *b, const struct crm_zone *zone) {
  b->n = 1 + (int)below(c, MAX_ACCOUNTS);
  b->n_rows = 0;
  b->own = below(c, 5) == 0;
  b->returns = false;
  b->days = below(c, 2) == 0 ? 0 : 1 + (int)below(c, 200);
  b->at = below(c, 6) == 0 ? INT64_C(1709164800) * CRM_US_PER_SECOND /* 2024-02-29 */
                           : INT64_C(1700000000) * CRM_US_PER_SECOND + below(c, 900 * DAY);
  for (int i = 0; i < b->n; i++)
    draw_account(c, b, zone, i);
  draw_later(c, b);
}

/* --- evaluating it ----------------------------------------------------------------------------------------------------------- */

static void evaluate(struct fixture *f, const struct base *b, const struct crm_zone *zone, struct chance *shuffle, bool later,
                     crm_time at) {
  int order[MAX_ROWS];
  for (int i = 0; i < b->n_rows; i++)
    order[i] = i;
  for (int i = b->n_rows - 1; shuffle != NULL && i > 0; i--) {
    int k = (int)below(shuffle, i + 1), kept = order[i];
    order[i] = order[k];
    order[k] = kept;
  }
  fixture_init(f, "UTC", ""); /* all times in the rows are seconds */
  f->params.zone = zone;
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.n_group_by = 1;
  f->params.reactivation_window_days = b->days;
  for (int pass = 0; pass < 2; pass++) /* accounts come first */
    for (int i = 0; i < b->n_rows; i++) {
      const struct row *row = &b->rows[order[i]];
      if ((pass == 0) == (row->relation == CRM_REL_ACCOUNT) && (later || !row->later))
        fixture_row(f, row->relation, "%s", row->text);
    }
  assert_int_equal(crm_builder_finish(f->builder, &f->facts, &f->err), CRM_OK);
  f->at = at;
  fixture_context(f);
  assert_int_equal(crm_revenue(&f->context), CRM_OK);
  assert_int_equal(crm_set_sort(&f->set), CRM_OK);
}

static int place(const char *const *list, int n, const char *text) {
  for (int i = 0; i < n; i++)
    if (strcmp(list[i], text) == 0)
      return i;
  return -1;
}

static int window_place(const char *text) {
  for (int w = 0; w < WINDOWS; w++)
    if (strcmp(crm_window_name(windows[w]), text) == 0)
      return w;
  return -1;
}

static int figure_place(const struct crm_series_set *set, const struct crm_sample *s) {
  switch ((enum crm_family)s->family) {
  case CRM_FAM_ARR_OPENING:
    return OPENING;
  case CRM_FAM_ARR_CLOSING:
    return CLOSING;
  case CRM_FAM_ARR_RETAINED_NET:
    return NET;
  case CRM_FAM_ARR_RETAINED_GROSS:
    return GROSS;
  case CRM_FAM_ARR_RETENTION_BASE:
    return BASE;
  case CRM_FAM_ARR_MOVEMENT:
    return place(kinds, 6, crm_set_label_value(set, s, 4));
  default:
    return -1;
  }
}

/* What was published per cell, in minor units; and that it was in minor units. */
static void read_figures(const struct fixture *f, figures *out) {
  memset(out, 0, sizeof(*out));
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    int figure = figure_place(&f->set, s);
    if (figure < 0)
      continue;
    int tenant = place(tenants, TENANTS, crm_set_label_value(&f->set, s, 0));
    int segment = place(segments, SEGMENTS, crm_set_label_value(&f->set, s, 1));
    int currency = place(currencies, CURRENCIES, crm_set_label_value(&f->set, s, 2));
    int window = window_place(crm_set_label_value(&f->set, s, 3));
    assert_true(tenant >= 0 && segment >= 0 && currency >= 0 && window >= 0);
    assert_int_equal(s->value.den, units[currency]);
    (*out)[tenant][segment][currency][window][figure] += s->value.num;
  }
}

static void check_against(uint64_t seed, const figures *got, const figures *expected) {
  for (int t = 0; t < TENANTS; t++)
    for (int s = 0; s < SEGMENTS; s++)
      for (int c = 0; c < CURRENCIES; c++)
        for (int w = 0; w < WINDOWS; w++)
          for (int i = 0; i < FIGURES; i++)
            if ((*got)[t][s][c][w][i] != (*expected)[t][s][c][w][i])
              fail_msg("base %llu: %s %s %s %s figure %d is %lld and not %lld", (unsigned long long)seed, tenants[t], segments[s],
                       currencies[c], crm_window_name(windows[w]), i, (long long)(*got)[t][s][c][w][i],
                       (long long)(*expected)[t][s][c][w][i]);
}

/* Identity and order of what was published, cell by cell. */
static void check_identity(const figures *got) {
  for (int t = 0; t < TENANTS; t++)
    for (int s = 0; s < SEGMENTS; s++)
      for (int c = 0; c < CURRENCIES; c++)
        for (int w = 0; w < WINDOWS; w++) {
          const int64_t *f = (*got)[t][s][c][w];
          assert_int_equal(f[OPENING] + f[NEW] + f[EXPANSION] + f[REACTIVATION] - f[CONTRACTION] - f[CHURN] + f[ADJUSTMENT], f[CLOSING]);
          assert_true(f[GROSS] <= f[NET] && f[GROSS] <= f[BASE] && f[BASE] <= f[OPENING] && f[NET] <= f[CLOSING]);
          for (int i = 0; i < FIGURES; i++)
            assert_true(f[i] >= 0 || i == ADJUSTMENT);
        }
}

static void check_tenants(const struct fixture *f, const figures *got) {
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    bool net = s->family == CRM_FAM_NET_REVENUE_RETENTION_RATIO, gross = s->family == CRM_FAM_GROSS_REVENUE_RETENTION_RATIO;
    if (s->family == CRM_FAM_ARR_IDENTITY_RESIDUAL)
      assert_int_equal(s->value.num, 0);
    if (!net && !gross)
      continue;
    int tenant = place(tenants, TENANTS, crm_set_label_value(&f->set, s, 0));
    int currency = place(currencies, CURRENCIES, crm_set_label_value(&f->set, s, 1));
    int window = window_place(crm_set_label_value(&f->set, s, 2));
    int64_t sum = 0, base = 0;
    for (int k = 0; k < SEGMENTS; k++) {
      sum += (*got)[tenant][k][currency][window][net ? NET : GROSS];
      base += (*got)[tenant][k][currency][window][BASE];
    }
    assert_true(base > 0);
    assert_true(s->value.num == sum && s->value.den == base);
    assert_true(net || s->value.num <= s->value.den);
  }
}

/* Totals by roll-up are the sums over cells, to the minor unit. */
static void check_roll_up(const struct fixture *f, const figures *got) {
  struct crm_series_set total;
  assert_int_equal(crm_set_init(&total), CRM_OK);
  assert_int_equal(crm_set_roll_up(&f->set, -1, &total), CRM_OK);
  size_t seen = 0;
  for (size_t i = 0; i < total.n; i++) {
    const struct crm_sample *s = &total.samples[i];
    if (s->family != CRM_FAM_ARR_CLOSING)
      continue;
    int tenant = place(tenants, TENANTS, crm_set_label_value(&total, s, 0));
    int currency = place(currencies, CURRENCIES, crm_set_label_value(&total, s, 1));
    int window = window_place(crm_set_label_value(&total, s, 2));
    int64_t sum = 0;
    for (int k = 0; k < SEGMENTS; k++)
      sum += (*got)[tenant][k][currency][window][CLOSING];
    assert_int_equal(s->value.num, sum);
    seen++;
  }
  assert_true(seen > 0 || f->set.n == 0 || fixture_count(f, "crm_arr_closing") == 0);
  crm_set_free(&total);
}

/* --- properties --------------------------------------------------------------------------------------------------------------- */

static void check_base(uint64_t seed, const struct crm_zone *zone, struct base *b) {
  struct chance c = {seed * UINT64_C(1000003)};
  struct fixture f, other;
  static figures got, expected, before; /* too large for a small stack */
  draw_base(&c, b, zone);

  evaluate(&f, b, zone, NULL, false, b->at);
  read_figures(&f, &got);
  book(b, zone, &expected);
  check_against(seed, &got, &expected);
  check_identity(&got);
  check_tenants(&f, &got);
  check_roll_up(&f, &got);
  char *text = fixture_dump(&f);

  /* Rows in another order, and facts that lie after T. */
  for (int later = 0; later < 2; later++) {
    evaluate(&other, b, zone, &c, later == 1, b->at);
    char *again = fixture_dump(&other);
    if (strcmp(text, again) != 0)
      fail_msg("base %llu: %s changed what is published", (unsigned long long)seed, later ? "a fact after T" : "the order of rows");
    free(again);
    fixture_free(&other);
  }

  /* Where this window opens, the one before it has closed. */
  for (int w = 0; w < WINDOWS && !b->returns; w++) {
    evaluate(&other, b, zone, NULL, false, crm_window_start(zone, b->at, windows[w]));
    read_figures(&other, &before);
    for (int t = 0; t < TENANTS; t++)
      for (int k = 0; k < CURRENCIES; k++) {
        int64_t opening = 0, closing = 0;
        for (int s = 0; s < SEGMENTS; s++) {
          opening += got[t][s][k][w][OPENING];
          closing += before[t][s][k][0][CLOSING];
        }
        if (opening != closing)
          fail_msg("base %llu: window %s opens with %lld, the one before closed with %lld", (unsigned long long)seed,
                   crm_window_name(windows[w]), (long long)opening, (long long)closing);
      }
    fixture_free(&other);
  }
  free(text);
  fixture_free(&f);
}

static void test_random_bases(void **state) {
  static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York"};
  struct crm_zone *zones[3];
  struct crm_error err;
  for (int i = 0; i < 3; i++)
    assert_int_equal(crm_zone_new(names[i], &zones[i], &err), CRM_OK);
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  const char *fewer = getenv("CRM_TEST_BASES");
  uint64_t bases = fewer != NULL ? strtoull(fewer, NULL, 10) : BASES;
  assert_in_range(bases, 1, BASES);
  for (uint64_t seed = 1; seed <= bases; seed++)
    check_base(seed, zones[seed % 3], b);
  free(b);
  for (int i = 0; i < 3; i++)
    crm_zone_free(zones[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("revenue_property", tests, NULL, NULL);
}
