/* SPDX-License-Identifier: MIT */
/* The KPIs over random customer bases. Each account's story is drawn first, past and future; a row is told as the CRM has it at T and as it
 * has it later, when more has happened. What is published as of T must be the same from both, must add up, and must follow from the story,
 * which is counted here a second time, the plain way. */
#include "crm_config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analytics/kpi.h"
#include "lib/bases.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

#define BASES 600
#define MAX_ACCOUNTS 12
#define MAX_ROWS 200
#define DAY CRM_US_PER_DAY

enum { TENANTS = 2, CONTRACTS = 3 };
static const char *const tenants[TENANTS] = {"acme", "beta"};
static const char *const segments[] = {"big", "mid", "smb"};
static const char *const currencies[] = {"JPY", "KWD", "USD"};

/* --- chance --------------------------------------------------------------------------------------------------------------- */

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

/* --- the story -------------------------------------------------------------------------------------------------------------- */

struct contract {
  crm_time starts, ends, decided; /* CRM_TIME_NONE: open-ended, never decided */
  bool renewed;
};

struct account {
  int tenant;
  crm_time created, churned, first_value, onboarded, completed; /* CRM_TIME_NONE: never */
  struct contract contracts[CONTRACTS];
  int n_contracts;
};

struct row {
  enum crm_relation relation;
  int account;
  char now[400], later[400]; /* "": the row is not there */
};

struct base {
  struct account accounts[MAX_ACCOUNTS];
  int n;
  struct row rows[MAX_ROWS];
  int n_rows;
  crm_time at;
  const struct crm_zone *zone;
};

static const char *show(char buf[48], const char *column, crm_time at) {
  if (at == CRM_TIME_NONE)
    return "";
  int64_t second = at / CRM_US_PER_SECOND, us = at % CRM_US_PER_SECOND;
  snprintf(buf, 48, "%s=@%" PRId64 "+%" PRId64 "us", column, second, us);
  return buf;
}

/* What is known of an instant at T. */
static crm_time known(const struct base *b, crm_time at) {
  return at <= b->at ? at : CRM_TIME_NONE;
}

static struct row *add_row(struct base *b, enum crm_relation relation, int account) {
  assert_in_range(b->n_rows, 0, MAX_ROWS - 1);
  struct row *row = &b->rows[b->n_rows++];
  *row = (struct row){.relation = relation, .account = account};
  return row;
}

/* In the given days around T, sometimes on an edge. */
static crm_time draw_time(struct chance *c, const struct base *b, int64_t from_day, int64_t to_day) {
  static const int edges[] = {0, -30, -90, 30, 60, 90};
  if (below(c, 5) == 0) {
    int day = edges[below(c, 6)];
    if (day >= from_day && day <= to_day)
      return b->at + day * DAY + below(c, 3) - 1;
  }
  crm_time at = b->at + from_day * DAY + below(c, (to_day - from_day) * DAY);
  return below(c, 2) == 0 ? at : crm_zone_day_start(b->zone, crm_zone_day(b->zone, at));
}

static void tell_account(struct chance *c, struct base *b, int i) {
  struct account *a = &b->accounts[i];
  char created[48], churned[48], value[48], common[128], seats[24] = "";
  if (below(c, 3) > 0)
    snprintf(seats, sizeof(seats), " seats=%d", (int)below(c, 9));
  snprintf(common, sizeof(common), "account_id=a%d tenant=%s segment=%s currency=%s %s%s", i, tenants[a->tenant], segments[below(c, 3)],
           currencies[below(c, 3)], show(created, "created_at", a->created), seats);
  struct row *row = add_row(b, CRM_REL_ACCOUNT, i);
  if (a->created <= b->at) {
    bool gone = known(b, a->churned) != CRM_TIME_NONE;
    snprintf(row->now, sizeof(row->now), "%s status=%s %s %s", common, gone ? "churned" : "active",
             gone ? show(churned, "churned_at", a->churned) : "", show(value, "first_value_at", known(b, a->first_value)));
  }
  snprintf(row->later, sizeof(row->later), "%s status=%s %s %s", common, a->churned != CRM_TIME_NONE ? "churned" : "active",
           show(churned, "churned_at", a->churned), show(value, "first_value_at", a->first_value));
}

static void tell_onboarding(struct chance *c, struct base *b, int i) {
  const struct account *a = &b->accounts[i];
  char started[48], target[48], completed[48], common[144];
  snprintf(common, sizeof(common), "account_id=a%d %s %s", i, show(started, "started_at", a->onboarded),
           below(c, 3) == 0 ? "" : show(target, "target_at", draw_time(c, b, -100, 60)));
  struct row *row = add_row(b, CRM_REL_ONBOARDING, i);
  if (a->onboarded <= b->at)
    snprintf(row->now, sizeof(row->now), "%s status=%s %s", common, known(b, a->completed) != CRM_TIME_NONE ? "completed" : "in_progress",
             show(completed, "completed_at", known(b, a->completed)));
  snprintf(row->later, sizeof(row->later), "%s status=%s %s", common, a->completed != CRM_TIME_NONE ? "completed" : "in_progress",
           show(completed, "completed_at", a->completed));
}

static void tell_contract(struct chance *c, struct base *b, int i, int id, const struct contract *k) {
  char starts[48], ends[48], decided[48], common[176], amount[24] = "", outcome[96] = "", renewed[32] = "";
  if (below(c, 4) > 0)
    snprintf(amount, sizeof(amount), " arr=%d", (int)below(c, 1000));
  if (below(c, 4) > 0)
    snprintf(renewed, sizeof(renewed), " renewed_arr=%d", (int)below(c, 1000));
  snprintf(common, sizeof(common), "account_id=a%d contract_id=%d currency=%s %s %s%s", i, id, currencies[below(c, 3)],
           show(starts, "starts_at", k->starts), show(ends, "ends_at", k->ends), amount);
  if (k->decided != CRM_TIME_NONE)
    snprintf(outcome, sizeof(outcome), " outcome=%s%s %s", k->renewed ? "renewed" : "lost", renewed,
             show(decided, "decided_at", k->decided));
  struct row *row = add_row(b, CRM_REL_CONTRACT, i);
  if (k->starts <= b->at)
    snprintf(row->now, sizeof(row->now), "%s%s", common, known(b, k->decided) != CRM_TIME_NONE ? outcome : "");
  snprintf(row->later, sizeof(row->later), "%s%s", common, outcome);
}

static void tell_goal(struct chance *c, struct base *b, int i, int id) {
  static const char *const open[] = {"on_track", "at_risk"};
  char created[48], target[48], completed[48], common[144];
  crm_time created_at = draw_time(c, b, -500, 20), target_at = below(c, 4) == 0 ? CRM_TIME_NONE : draw_time(c, b, -400, 200);
  snprintf(common, sizeof(common), "account_id=a%d goal_id=%d %s %s", i, id, show(created, "created_at", created_at),
           show(target, "target_at", target_at));
  struct row *row = add_row(b, CRM_REL_GOAL, i);
  char now[112], later[112];
  snprintf(now, sizeof(now), "status=%s", open[below(c, 2)]);
  snprintf(later, sizeof(later), "%s", now);
  int fate = (int)below(c, 3);
  if (fate == 0) {
    crm_time done = draw_time(c, b, -300, 50);
    snprintf(later, sizeof(later), "status=achieved %s", show(completed, "completed_at", done));
    snprintf(now, sizeof(now), "%s", done <= b->at ? later : "status=on_track");
  } else if (fate == 1 && target_at != CRM_TIME_NONE) {
    snprintf(later, sizeof(later), "status=missed"); /* nobody knows before the target */
    snprintf(now, sizeof(now), "%s", target_at <= b->at ? later : "status=on_track");
  }
  if (created_at <= b->at)
    snprintf(row->now, sizeof(row->now), "%s %s", common, now);
  snprintf(row->later, sizeof(row->later), "%s %s", common, later);
}

static void tell_usage(struct chance *c, struct base *b, int i) {
  int year, month, day;
  crm_day on = crm_zone_day(b->zone, b->at) - (crm_day)below(c, 60) + 8;
  crm_day_to_civil(on, &year, &month, &day);
  struct row *row = add_row(b, CRM_REL_USAGE, i);
  char adoption[32] = "";
  if (below(c, 2) == 0)
    snprintf(adoption, sizeof(adoption), " feature_adoption=%.1f", (double)below(c, 1000) / 10);
  snprintf(row->later, sizeof(row->later), "account_id=a%d day=%04d-%02d-%02d active_users=%d%s", i, year, month, day, (int)below(c, 7),
           adoption);
  if (on <= crm_zone_day(b->zone, b->at))
    memcpy(row->now, row->later, sizeof(row->now));
}

static void draw_account(struct chance *c, struct base *b, int i) {
  struct account *a = &b->accounts[i];
  *a = (struct account){.tenant = (int)below(c, TENANTS),
                        .churned = CRM_TIME_NONE,
                        .first_value = CRM_TIME_NONE,
                        .onboarded = CRM_TIME_NONE,
                        .completed = CRM_TIME_NONE};
  a->created = draw_time(c, b, -800, 20);
  if (below(c, 3) == 0)
    a->churned = a->created + below(c, 600 * DAY);
  if (below(c, 2) == 0)
    a->first_value = a->created - 20 * DAY + below(c, 400 * DAY);
  if (below(c, 2) == 0) {
    a->onboarded = a->created + below(c, 100 * DAY);
    if (below(c, 2) == 0)
      a->completed = a->onboarded + below(c, 200 * DAY);
  }
  a->n_contracts = (int)below(c, CONTRACTS + 1);
  for (int k = 0; k < a->n_contracts; k++) {
    struct contract *contract = &a->contracts[k];
    *contract = (struct contract){a->created + below(c, 300 * DAY), CRM_TIME_NONE, CRM_TIME_NONE, below(c, 2) == 0};
    /* A contract beyond the churn would move it to its end. */
    if (a->churned == CRM_TIME_NONE && below(c, 5) > 0) {
      contract->ends = draw_time(c, b, -420, 120);
      if (contract->ends <= contract->starts)
        contract->ends = contract->starts + 1 + below(c, 400 * DAY);
      if (below(c, 3) > 0)
        contract->decided = contract->ends - 60 * DAY + below(c, 120 * DAY);
    }
  }
  tell_account(c, b, i);
  if (a->onboarded != CRM_TIME_NONE)
    tell_onboarding(c, b, i);
  for (int k = 0; k < a->n_contracts; k++)
    tell_contract(c, b, i, k, &a->contracts[k]);
  for (int64_t k = below(c, 5); k > 0; k--)
    tell_goal(c, b, i, (int)k);
  for (int64_t k = below(c, 4); k > 0; k--)
    tell_usage(c, b, i);
}

/* --- computing ---------------------------------------------------------------------------------------------------------------- */

/* `part` 0 or 1: only every other account; -1: all. */
static void compute(struct fixture *f, const struct base *b, bool later, int part, bool by_segment, struct chance *shuffle) {
  int order[MAX_ROWS];
  for (int i = 0; i < b->n_rows; i++)
    order[i] = i;
  for (int i = b->n_rows - 1; shuffle != NULL && i > 0; i--) {
    int k = (int)below(shuffle, i + 1), t = order[i];
    order[i] = order[k];
    order[k] = t;
  }
  fixture_init(f, "UTC", "USD"); /* all times in the rows are seconds, all days are civil ones */
  static const enum crm_relation relations[] = {CRM_REL_ACCOUNT, CRM_REL_ONBOARDING, CRM_REL_CONTRACT, CRM_REL_GOAL, CRM_REL_USAGE};
  for (size_t r = 0; r < sizeof(relations) / sizeof(relations[0]); r++) {
    fixture_begin(f, relations[r]);
    for (int i = 0; i < b->n_rows; i++) {
      const struct row *row = &b->rows[order[i]];
      const struct account *a = &b->accounts[row->account];
      const char *text = later ? row->later : row->now;
      bool told = later || a->created <= b->at;
      if (row->relation == relations[r] && text[0] != '\0' && told && (part < 0 || row->account % 2 == part))
        fixture_row(f, row->relation, "%s", text);
    }
  }
  f->at = b->at;
  f->params.zone = b->zone;
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.n_group_by = by_segment;
  struct crm_health health;
  fixture_context(f);
  assert_int_equal(crm_health_compute(&f->context, &health), CRM_OK);
  assert_int_equal(crm_kpi_emit(&f->context, &health), CRM_OK);
  assert_int_equal(crm_set_sort(&f->set), CRM_OK);
}

/* --- adding up ------------------------------------------------------------------------------------------------------------------ */

#define MAX_SUMS 1024
struct sums {
  char key[MAX_SUMS][128];
  int64_t num[MAX_SUMS], den[MAX_SUMS];
  size_t n;
};

static size_t sum_of(struct sums *sums, const char *key) {
  size_t k = 0;
  while (k < sums->n && strcmp(sums->key[k], key) != 0)
    k++;
  if (k == sums->n) {
    assert_in_range(k, 0, MAX_SUMS - 1);
    snprintf(sums->key[k], sizeof(sums->key[k]), "%s", key);
    sums->num[k] = 0;
    sums->den[k] = 0;
    sums->n++;
  }
  return k;
}

/* Adds sign x the cell families' samples, the dimension left out. */
static void add_up(struct sums *sums, const struct fixture *f, int sign) {
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    const struct crm_family_info *info = crm_family_info((enum crm_family)s->family);
    if (info->scope != CRM_SCOPE_CELL)
      continue;
    char key[128];
    int len = snprintf(key, sizeof(key), "%s", info->name);
    for (size_t l = 0; l < s->n_labels; l++)
      if (strcmp(crm_set_label_name(&f->set, (enum crm_family)s->family, l), "segment") != 0)
        len += snprintf(key + len, sizeof(key) - (size_t)len, " %s", crm_set_label_value(&f->set, s, l));
    size_t k = sum_of(sums, key);
    assert_true(s->value.den > 0 && (sums->den[k] == 0 || sums->den[k] == s->value.den));
    sums->den[k] = s->value.den;
    sums->num[k] += sign * s->value.num;
  }
}

static void assert_all_zero(uint64_t seed, const struct sums *sums) {
  for (size_t k = 0; k < sums->n; k++)
    if (sums->num[k] != 0)
      fail_msg("base %" PRIu64 ": %s differs by %" PRId64, seed, sums->key[k], sums->num[k]);
}

static double get(const struct fixture *f, const char *format, ...) CRM_PRINTF(2, 3);
static double get(const struct fixture *f, const char *format, ...) {
  char query[160];
  va_list args;
  va_start(args, format);
  vsnprintf(query, sizeof(query), format, args);
  va_end(args);
  return fixture_sum(f, query);
}

/* --- the story, counted the plain way --------------------------------------------------------------------------------------------- */

static bool open_at(const struct base *b, const struct account *a) {
  return a->created <= b->at && (a->churned == CRM_TIME_NONE || a->churned > b->at);
}

static int compare_waits(const void *left, const void *right) {
  int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
  return a < b ? -1 : a > b;
}

/* Twice the wait in microseconds, plus 1 if it still lasts. False if there is no account. */
static bool wait_of(const struct base *b, const struct account *a, int64_t *wait) {
  if (a->created > b->at)
    return false;
  crm_time start = a->created, end = b->at, value = CRM_TIME_NONE;
  if (known(b, a->onboarded) != CRM_TIME_NONE) {
    start = a->onboarded;
    value = known(b, a->completed);
  }
  crm_time first = INT64_MAX;
  for (int k = 0; k < a->n_contracts; k++)
    first = a->contracts[k].starts < first ? a->contracts[k].starts : first;
  if (first <= b->at)
    start = first;
  if (known(b, a->first_value) != CRM_TIME_NONE)
    value = a->first_value;
  if (known(b, a->churned) != CRM_TIME_NONE)
    end = a->churned > start ? a->churned : start;
  bool reached = value != CRM_TIME_NONE && value <= end;
  crm_time until = !reached ? end : value > start ? value : start;
  *wait = 2 * (until - start) + !reached;
  return true;
}

static void check_waits(const struct base *b, const struct fixture *f, int tenant) {
  int64_t waits[MAX_ACCOUNTS];
  int n = 0, reached = 0;
  for (int i = 0; i < b->n; i++)
    if (b->accounts[i].tenant == tenant && wait_of(b, &b->accounts[i], &waits[n])) {
      reached += waits[n] % 2 == 0;
      n++;
    }
  if (n == 0)
    return;
  qsort(waits, (size_t)n, sizeof(waits[0]), compare_waits);
  double median = NAN, ninety = NAN, s = 1;
  for (int i = 0; i < n; i++) {
    if (waits[i] % 2 != 0)
      continue;
    s *= 1 - 1.0 / (n - i);
    if (isnan(median) && s < 0.5 + 1e-6)
      median = (double)(waits[i] / 2) / 1e6;
    if (isnan(ninety) && s < 0.1 + 1e-6)
      ninety = (double)(waits[i] / 2) / 1e6;
  }
  assert_close(get(f, "crm_time_to_value_accounts tenant=%s reached=true", tenants[tenant]), reached);
  assert_close(get(f, "crm_time_to_value_accounts tenant=%s reached=false", tenants[tenant]), n - reached);
  assert_close(get(f, "crm_time_to_value_seconds tenant=%s quantile=0.5", tenants[tenant]), median);
  assert_close(get(f, "crm_time_to_value_seconds tenant=%s quantile=0.9", tenants[tenant]), ninety);
}

static void check_renewals(const struct base *b, const struct fixture *f, int tenant) {
  static const char *const results[] = {"undecided", "renewed", "lost"};
  static const int days[] = {30, 60, 90};
  int due[3] = {0}, upcoming[3][3] = {{0}};
  bool any = false;
  for (int i = 0; i < b->n; i++) {
    const struct account *a = &b->accounts[i];
    if (a->tenant != tenant || a->created > b->at)
      continue;
    any = true;
    for (int k = 0; k < a->n_contracts; k++) {
      const struct contract *x = &a->contracts[k];
      if (x->starts > b->at || x->ends == CRM_TIME_NONE)
        continue;
      int result = known(b, x->decided) == CRM_TIME_NONE ? 0 : x->renewed ? 1 : 2;
      due[result] += x->ends <= b->at && x->ends > b->at - 90 * DAY;
      for (int h = 0; h < 3; h++)
        upcoming[h][result] += open_at(b, a) && x->ends > b->at && x->ends <= b->at + days[h] * DAY;
    }
  }
  for (int r = 0; r < 3 && any; r++) {
    assert_close(get(f, "crm_renewals_due tenant=%s result=%s window=90d", tenants[tenant], results[r]), due[r]);
    for (int h = 0; h < 3; h++)
      assert_close(get(f, "crm_renewals_upcoming tenant=%s result=%s horizon=%dd", tenants[tenant], results[r], days[h]), upcoming[h][r]);
  }
}

/* --- ratios and their parts ----------------------------------------------------------------------------------------------------------- */

static void check_ratio(double ratio, double num, double den, bool defined) {
  assert_close(ratio, defined && den > 0 ? num / den : (double)NAN);
}

static void check_ratios(const struct fixture *f, const char *t) {
  static const char *const windows[] = {"30d", "90d", "1y"};
  if (fixture_count(f, "crm_goals") == 0 || isnan(get(f, "crm_goals tenant=%s", t)))
    return;
  for (int w = 0; w < 3; w++) {
    const char *window = windows[w];
    check_ratio(get(f, "crm_goal_completion_ratio tenant=%s window=%s", t, window),
                get(f, "crm_goals_due tenant=%s window=%s result=achieved", t, window),
                get(f, "crm_goals_due tenant=%s window=%s", t, window), true);
    check_ratio(get(f, "crm_renewal_ratio tenant=%s kind=logo window=%s", t, window),
                get(f, "crm_renewals_due tenant=%s window=%s result=renewed", t, window),
                get(f, "crm_renewals_due tenant=%s window=%s", t, window), true);
    int used = 0;
    double base = 0, net = 0, gross = 0;
    for (int k = 0; k < 3; k++) {
      double amount = get(f, "crm_renewal_arr_base tenant=%s currency=%s window=%s", t, currencies[k], window);
      if (isnan(amount))
        continue;
      double kept = get(f, "crm_renewal_arr_renewed tenant=%s currency=%s window=%s", t, currencies[k], window);
      double least = get(f, "crm_renewal_arr_renewed_gross tenant=%s currency=%s window=%s", t, currencies[k], window);
      assert_true(least <= kept && least <= amount);
      assert_true(amount <= get(f, "crm_renewal_arr_due tenant=%s currency=%s window=%s", t, currencies[k], window));
      used += amount > 0 || kept > 0;
      base += amount;
      net += kept;
      gross += least;
    }
    check_ratio(get(f, "crm_renewal_ratio tenant=%s kind=net window=%s", t, window), net, base, used == 1);
    check_ratio(get(f, "crm_renewal_ratio tenant=%s kind=gross window=%s", t, window), gross, base, used == 1);
  }
  check_ratio(get(f, "crm_adoption_ratio tenant=%s kind=seats", t), get(f, "crm_adoption_active_users tenant=%s", t),
              get(f, "crm_adoption_seats tenant=%s", t), true);
  double accounts = get(f, "crm_adoption_ratio tenant=%s kind=accounts", t);
  if (!isnan(accounts)) /* whether it is there depends on what is recorded */
    check_ratio(accounts, get(f, "crm_adoption_active_accounts tenant=%s", t), get(f, "crm_adoption_accounts tenant=%s", t), true);
}

/* --- properties -------------------------------------------------------------------------------------------------------------------------
 */

static void check_base(uint64_t seed, const struct crm_zone *zone) {
  struct chance c = {seed * UINT64_C(1000003)};
  static struct base b; /* too large for a small stack */
  static struct sums sums;
  b = (struct base){.zone = zone, .n = 1 + (int)below(&c, MAX_ACCOUNTS)};
  b.at = below(&c, 6) == 0 ? INT64_C(1709164800) * CRM_US_PER_SECOND /* 2024-02-29 */
                           : INT64_C(1700000000) * CRM_US_PER_SECOND + below(&c, 900 * DAY);
  for (int i = 0; i < b.n; i++)
    draw_account(&c, &b, i);

  struct fixture f, other;
  compute(&f, &b, false, -1, true, NULL);
  char *text = fixture_dump(&f);
  for (int later = 0; later < 2; later++) {
    compute(&other, &b, later == 1, -1, true, &c);
    char *again = fixture_dump(&other);
    if (strcmp(text, again) != 0)
      fail_msg("base %" PRIu64 ": %s changed what is published:\n%s\n%s", seed, later ? "what happened after T" : "the order of rows", text,
               again);
    free(again);
    fixture_free(&other);
  }
  free(text);

  /* Cells add up to the tenant, and the halves of the accounts to the whole. */
  sums.n = 0;
  add_up(&sums, &f, 1);
  compute(&other, &b, false, -1, false, NULL);
  add_up(&sums, &other, -1);
  fixture_free(&other);
  assert_all_zero(seed, &sums);
  sums.n = 0;
  add_up(&sums, &f, 1);
  for (int part = 0; part < 2; part++) {
    compute(&other, &b, false, part, true, NULL);
    add_up(&sums, &other, -1);
    fixture_free(&other);
  }
  assert_all_zero(seed, &sums);

  for (int t = 0; t < TENANTS; t++) {
    check_waits(&b, &f, t);
    check_renewals(&b, &f, t);
    check_ratios(&f, tenants[t]);
  }
  fixture_free(&f);
}

static void test_random_bases(void **state) {
  static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York"};
  struct crm_zone *zones[3];
  struct crm_error err;
  for (int i = 0; i < 3; i++)
    assert_int_equal(crm_zone_new(names[i], &zones[i], &err), CRM_OK);
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++)
    check_base(seed, zones[seed % 3]);
  for (int i = 0; i < 3; i++)
    crm_zone_free(zones[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("kpi_property", tests, NULL, NULL);
}
