/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/revenue_truth.h"

#define DAY CRM_US_PER_DAY

const char *const truth_segments[TRUTH_SEGMENTS] = {"big", "smb"};
const char *const truth_tenants[TRUTH_TENANTS] = {"acme", "beta"};
const char *const truth_currencies[TRUTH_CURRENCIES] = {"JPY", "KWD", "USD"};
const int64_t truth_units[TRUTH_CURRENCIES] = {1, 1000, 100};
const enum crm_window truth_windows[TRUTH_WINDOWS] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};

/* --- the truth ------------------------------------------------------------------------------------------------------------ */

static int step_at(const struct truth *t, crm_time at) {
  int i = t->n - 1;
  while (i >= 0 && t->steps[i].at > at)
    i--;
  return i;
}

int64_t truth_level(const struct truth *t, crm_time at, int *currency) {
  int i = step_at(t, at);
  *currency = i >= 0 ? t->steps[i].currency : 0;
  if (i >= 0)
    return t->steps[i].level;
  return t->unknown_before && t->created_at <= at ? -1 : 0;
}

bool truth_had_paid(const struct truth *t, crm_time start, int days) {
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

/* --- drawing a truth ------------------------------------------------------------------------------------------------------- */

/* An instant in the two years before T or the months after it, often exactly on an edge of a window or of a month. */
static crm_time draw_time(struct chance *c, const struct truth_base *b, const struct crm_zone *zone) {
  if (chance_below(c, 5) == 0) {
    crm_time edge = chance_below(c, 3) == 0 ? b->at : crm_window_start(zone, b->at, truth_windows[chance_below(c, TRUTH_WINDOWS)]);
    return edge + chance_below(c, 3) - 1;
  }
  if (chance_below(c, 5) == 0) {
    int32_t month = crm_zone_month(zone, b->at) - (int32_t)chance_below(c, 26);
    return crm_zone_month_start(zone, month) + chance_below(c, 3) - 1;
  }
  return b->at - 730 * DAY + chance_below(c, 800 * DAY);
}

static int compare_times(const void *left, const void *right) {
  crm_time a = *(const crm_time *)left, b = *(const crm_time *)right;
  return a != b ? (a < b ? -1 : 1) : 0;
}

/* `n` different instants in order. */
static void draw_times(struct chance *c, const struct truth_base *b, const struct crm_zone *zone, crm_time *times, int n) {
  for (int i = 0; i < n; i++)
    times[i] = draw_time(c, b, zone);
  qsort(times, (size_t)n, sizeof(*times), compare_times);
  for (int i = 1; i < n; i++)
    if (times[i] <= times[i - 1])
      times[i] = times[i - 1] + 1;
}

static int64_t draw_level(struct chance *c, bool zero_allowed) {
  if (zero_allowed && chance_below(c, 4) == 0)
    return 0;
  return chance_below(c, 3) == 0 ? 12000 * (1 + chance_below(c, 4)) : 1 + chance_below(c, 10000000);
}

static void add_row(struct truth_base *b, enum crm_relation relation, bool later, const char *format, ...) CRM_PRINTF(4, 5);
static void add_row(struct truth_base *b, enum crm_relation relation, bool later, const char *format, ...) {
  struct row *row = &b->rows[b->n_rows++];
  assert_true(b->n_rows <= TRUTH_ROWS);
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
  snprintf(buf, TIME_SIZE, "%.*f currency=%s", decimals, (double)s->level / (double)truth_units[s->currency],
           truth_currencies[s->currency]);
  return buf;
}

static void tell_level(struct truth_base *b, int i, const struct step *s) {
  char at[TIME_SIZE], amount[TIME_SIZE];
  add_row(b, CRM_REL_REVENUE, false, "account_id=a%d at=%s arr=%s", i, show_time(at, s->at), show_amount(amount, s));
}

static void tell_contract(struct truth_base *b, int i, const char *id, crm_time starts_at, crm_time ends_at) {
  char starts[TIME_SIZE], ends[TIME_SIZE];
  add_row(b, CRM_REL_CONTRACT, false, "account_id=a%d contract_id=%s starts_at=%s ends_at=%s", i, id, show_time(starts, starts_at),
          show_time(ends, ends_at));
}

static void draw_account(struct chance *c, struct truth_base *b, const struct crm_zone *zone, int i) {
  struct truth *t = &b->accounts[i];
  crm_time times[TRUTH_STEPS];
  char extra[120] = "", own[TIME_SIZE + 8] = "", created[TIME_SIZE], date[TIME_SIZE], amount[TIME_SIZE];
  memset(t, 0, sizeof(*t));
  t->telling = b->own ? (enum telling)(OWN_ARR + chance_below(c, TELLINGS - OWN_ARR)) : (enum telling)chance_below(c, OWN_ARR);
  t->tenant = (int)chance_below(c, TRUTH_TENANTS);
  t->segment = (int)chance_below(c, TRUTH_SEGMENTS);
  t->n = 2 + (int)chance_below(c, 4);
  draw_times(c, b, zone, times, t->n);
  int currency = (int)chance_below(c, TRUTH_CURRENCIES);
  for (int s = 0; s < t->n; s++) {
    bool zero_allowed = t->telling == LEVELS || t->telling == UNKNOWN_BEFORE || t->telling == ZERO_LEVEL;
    if (chance_below(c, 12) == 0)
      currency = (int)chance_below(c, TRUTH_CURRENCIES);
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
    snprintf(extra, sizeof(extra), "status=churned churned_at=%s", show_time(date, times[0] + chance_below(c, last->at - times[0])));
    tell_contract(b, i, "c1", times[0], last->at);
    break;
  case CONTRACTS: {
    last->level = 0;
    told = t->n - 1;
    crm_time middle = times[0] + chance_below(c, last->at - times[0]);
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
    t->created_at = times[0] - 1 - chance_below(c, 500 * DAY);
    t->unknown_before = true;
    break;
  case RETURNED:
    t->steps[t->n - 2].level = 0;
    snprintf(extra, sizeof(extra), "status=active churned_at=%s", show_time(date, times[t->n - 2]));
    b->returns = true;
    break;
  }
  add_row(b, CRM_REL_ACCOUNT, false, "account_id=a%d tenant=%s segment=%s created_at=%s %s %s", i, truth_tenants[t->tenant],
          truth_segments[t->segment], show_time(created, t->created_at), extra, own);
  for (int s = 0; s < told; s++)
    if (t->telling != RETURNED || s != t->n - 2)
      tell_level(b, i, &t->steps[s]);
  if (t->telling == UNDATED)
    t->n = 0; /* the truth is that nobody knows: no revenue at any instant */
}

/* Facts that nobody knows at T yet. An account whose recorded status still waits for its date gets none: a date is what it waits for. */
static void draw_later(struct chance *c, struct truth_base *b) {
  char at[TIME_SIZE];
  for (int i = 0; i < b->n; i++) {
    enum telling telling = b->accounts[i].telling;
    if (telling == CONTRACTS || telling == ZERO_LEVEL || telling == UNDATED || telling == DATE || telling == PAID_PERIOD)
      continue;
    if (!b->own)
      add_row(b, CRM_REL_REVENUE, true, "account_id=a%d at=%s arr=%d currency=USD", i, show_time(at, b->at + 1 + chance_below(c, 9 * DAY)),
              (int)chance_below(c, 3) * 100);
    add_row(b, CRM_REL_CONTRACT, true, "account_id=a%d contract_id=later starts_at=%s", i,
            show_time(at, b->at + 1 + chance_below(c, 9 * DAY)));
  }
  for (int i = 0; i < 2; i++) {
    add_row(b, CRM_REL_ACCOUNT, true, "account_id=later%d tenant=gamma segment=new created_at=%s arr=77 currency=CHF", i,
            show_time(at, b->at + 1 + chance_below(c, 9 * DAY)));
    if (!b->own)
      add_row(b, CRM_REL_REVENUE, true, "account_id=later%d at=%s arr=77 currency=CHF", i,
              show_time(at, b->at + 1 + chance_below(c, 9 * DAY)));
  }
}

void truth_draw(struct chance *c, struct truth_base *b, const struct crm_zone *zone) {
  b->n = 1 + (int)chance_below(c, TRUTH_ACCOUNTS);
  b->n_rows = 0;
  b->own = chance_below(c, 5) == 0;
  b->returns = false;
  b->days = chance_below(c, 2) == 0 ? 0 : 1 + (int)chance_below(c, 200);
  b->at = chance_below(c, 6) == 0 ? INT64_C(1709164800) * CRM_US_PER_SECOND /* 2024-02-29 */
                                  : INT64_C(1700000000) * CRM_US_PER_SECOND + chance_below(c, 900 * DAY);
  for (int i = 0; i < b->n; i++)
    draw_account(c, b, zone, i);
  draw_later(c, b);
}

/* --- evaluating it ----------------------------------------------------------------------------------------------------------- */

void truth_evaluate(struct fixture *f, const struct truth_base *b, const struct crm_zone *zone, struct chance *shuffle, bool later,
                    crm_time at) {
  int order[TRUTH_ROWS];
  for (int i = 0; i < b->n_rows; i++)
    order[i] = i;
  for (int i = b->n_rows - 1; shuffle != NULL && i > 0; i--) {
    int k = (int)chance_below(shuffle, i + 1), kept = order[i];
    order[i] = order[k];
    order[k] = kept;
  }
  fixture_init(f, "UTC", ""); /* all times in the rows are seconds */
  f->params.zone = zone;
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.n_group_by = 1;
  f->params.reactivation_window_days = b->days;
  fixture_begin(f, CRM_REL_CONTRACT); /* whether there is a row or not: facts after T must not make a relation available */
  if (!b->own)
    fixture_begin(f, CRM_REL_REVENUE);
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

int truth_place(const char *const *list, int n, const char *text) {
  for (int i = 0; i < n; i++)
    if (strcmp(list[i], text) == 0)
      return i;
  return -1;
}
