/* SPDX-License-Identifier: MIT */
/* Trends over random customer bases. The scores of each account at each instant are read from evaluations at those very instants, and what
 * is published at T must be what they add up to, the plain way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bases.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

enum { BASES = 60, MAX_ACCOUNTS = 24, SEGMENTS = 2, TENANTS = 2, WEEKS = 13, INSTANTS = WEEKS + 2 };
#define DAY CRM_US_PER_DAY

struct chance {
  uint64_t s;
};

static uint64_t next(struct chance *c) { /* splitmix64 */
  uint64_t z = (c->s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
static int below(struct chance *c, int n) {
  return (int)(next(c) % (uint64_t)n);
}

/* What is known of an account at an instant, read from an evaluation. */
struct state {
  double health, risk;
  const char *stands; /* "new", "churned", or the band */
};

struct base {
  int n, tenant[MAX_ACCOUNTS], segment[MAX_ACCOUNTS];
  struct state at[INSTANTS][MAX_ACCOUNTS]; /* k weeks before T; then T - 30 d and T - 90 d */
};

static crm_time instant(crm_time at, int k) {
  return k < WEEKS ? at - k * 7 * DAY : k == WEEKS ? at - 30 * DAY : at - 90 * DAY;
}

/* Without anything that compares accounts with each other, so that a part of the accounts has the scores that it has in the whole. */
static void put_account(struct fixture *f, struct base *b, uint64_t seed, int i) {
  struct chance c = {seed * 1000 + (uint64_t)i};
  b->tenant[i] = below(&c, TENANTS);
  b->segment[i] = below(&c, SEGMENTS);
  crm_day today = crm_zone_day(f->zone, f->at);
  char churn[64] = "status=active";
  int year, month, mday;
  if (below(&c, 5) == 0) {
    crm_day_to_civil(today - below(&c, 120) + 10, &year, &month, &mday);
    snprintf(churn, sizeof(churn), "status=churned churned_at=%d-%02d-%02d", year, month, mday);
  }
  crm_day_to_civil(today - below(&c, 3) * below(&c, 100) - (below(&c, 4) > 0 ? 200 : 0), &year, &month, &mday);
  fixture_row(f, CRM_REL_ACCOUNT, "account_id=a%d tenant=t%d segment=s%d created_at=%d-%02d-%02d %s", i, b->tenant[i], b->segment[i], year,
              month, mday, churn);
}

static void put_facts(struct fixture *f, uint64_t seed, int i, bool later) {
  struct chance c = {seed * 1000 + 500 + (uint64_t)i};
  crm_day today = crm_zone_day(f->zone, f->at);
  int level = below(&c, 100);
  for (int k = 0; k < 25; k++) {
    int year, month, mday;
    bool future = below(&c, 12) == 0;
    crm_day_to_civil(future ? today + 1 + below(&c, 30) : today - below(&c, 150), &year, &month, &mday);
    level = level + below(&c, 41) - 20;
    level = level < 0 ? 0 : level > 100 ? 100 : level;
    int tickets = 1 + below(&c, 4), escalated = below(&c, tickets + 1), what = below(&c, 3);
    if (future && !later)
      continue;
    if (what > 0)
      fixture_row(f, CRM_REL_USAGE, "account_id=a%d day=%d-%02d-%02d feature_adoption=%d.%d", i, year, month, mday, level,
                  level == 100 ? 0 : k % 10);
    else
      fixture_row(f, CRM_REL_SUPPORT, "account_id=a%d day=%d-%02d-%02d new_tickets=%d escalated=%d", i, year, month, mday, tickets,
                  escalated);
  }
}

/* The accounts of the base that lie in `part` (of 3; -1: all). */
static void make(struct fixture *f, struct base *b, uint64_t seed, int part, bool later) {
  fixture_init(f, seed % 2 == 0 ? "UTC" : "Europe/Berlin", "USD");
  f->params.n_group_by = 1;
  f->params.per_account = CRM_PER_ACCOUNT_ALL;
  for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
    f->card.weight[k] = k == CRM_HF_PRODUCT_USAGE;
  for (unsigned k = 0; k < CRM_CHURN_FACTORS; k++)
    f->params.churn_weight[k] = k == CRM_CF_HEALTH_DECLINE;
  fixture_at(f, "2026-04-02T10:00:00Z"); /* the windows cross the change of time */
  b->n = 1 + (int)(seed % MAX_ACCOUNTS);
  for (int i = 0; i < b->n; i++)
    if (part < 0 || i * 7 % 3 == part)
      put_account(f, b, seed, i);
  fixture_begin(f, CRM_REL_USAGE);
  fixture_begin(f, CRM_REL_SUPPORT);
  for (int i = 0; i < b->n; i++)
    if (part < 0 || i * 7 % 3 == part)
      put_facts(f, seed, i, later);
}

static double account_value(const struct fixture *f, const char *family, int i) {
  char query[96];
  snprintf(query, sizeof(query), "%s account=a%d", family, i);
  return fixture_sum(f, query);
}

static const char *band(double health) {
  return isnan(health) ? "unscored" : health >= 80 ? "healthy" : health >= 60 ? "moderate" : health >= 40 ? "at_risk" : "critical";
}

static void read_states(struct fixture *f, struct base *b) {
  crm_time at = f->at;
  for (int k = INSTANTS - 1; k >= 0; k--) {
    f->at = instant(at, k);
    fixture_evaluate(f);
    for (int i = 0; i < b->n; i++) {
      struct state *s = &b->at[k][i];
      char query[96];
      s->health = account_value(f, "crm_account_health_score", i);
      s->risk = account_value(f, "crm_account_churn_risk_score", i);
      snprintf(query, sizeof(query), "crm_account_info status=churned account=a%d", i);
      s->stands = isnan(account_value(f, "crm_account_info", i)) ? "new" : fixture_count(f, query) > 0 ? "churned" : band(s->health);
    }
  } /* the last one is T itself */
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double naive_slope(const struct base *b, int i) {
  double slopes[WEEKS * WEEKS];
  int n = 0, scores = 0;
  if (strcmp(b->at[0][i].stands, "new") == 0 || strcmp(b->at[0][i].stands, "churned") == 0)
    return NAN;
  for (int k = 0; k < WEEKS; k++) {
    scores += !isnan(b->at[k][i].health);
    for (int j = 0; j < k; j++)
      if (!isnan(b->at[k][i].health) && !isnan(b->at[j][i].health))
        slopes[n++] = (b->at[j][i].health - b->at[k][i].health) / (7 * (k - j)) * 30;
  }
  if (scores < 3)
    return NAN;
  qsort(slopes, (size_t)n, sizeof(*slopes), compare);
  return n % 2 == 1 ? slopes[n / 2] : (slopes[n / 2 - 1] + slopes[n / 2]) / 2;
}

static bool is_open(const struct state *s) {
  return strcmp(s->stands, "new") != 0 && strcmp(s->stands, "churned") != 0;
}

static bool naive_at_risk(const struct base *b, int i, const int *order, int n) {
  bool at_risk = false;
  for (int k = 0; k < n; k++) {
    const struct state *s = &b->at[order[k]][i];
    if (!is_open(s))
      at_risk = false;
    else if (!isnan(s->risk))
      at_risk = s->risk > 70 || (at_risk && s->risk > 60);
  }
  return at_risk;
}

static const char *const windows[] = {"7d", "30d", "90d"};
static const int window_instant[] = {1, WEEKS, WEEKS + 1};

static void expect(const struct fixture *f, uint64_t seed, double expected, const char *format, ...) CRM_PRINTF(4, 5);
static void expect(const struct fixture *f, uint64_t seed, double expected, const char *format, ...) {
  char query[160];
  va_list args;
  va_start(args, format);
  vsnprintf(query, sizeof(query), format, args);
  va_end(args);
  double got = fixture_sum(f, query);
  if (!(isnan(got) && isnan(expected)) && !(fabs(got - expected) <= 1e-8))
    fail_msg("base %llu: %s is %.15g, not %.15g", (unsigned long long)seed, query, got, expected);
}

static bool is_bad(const char *stands) {
  return strcmp(stands, "at_risk") == 0 || strcmp(stands, "critical") == 0;
}
static bool is_good(const char *stands) {
  return strcmp(stands, "healthy") == 0 || strcmp(stands, "moderate") == 0;
}

/* One tenant and segment (segment -1: all of the tenant). */
static void check_cell(const struct fixture *f, const struct base *b, uint64_t seed, int t, int s, int w) {
  static const int order[] = {WEEKS + 1, WEEKS, 1, 0}, upto[] = {3, 2, 1};
  double points = 0, accounts = 0, trend[3] = {0}, base = 0, recovered = 0, newly = 0;
  bool any = false;
  for (int i = 0; i < b->n; i++) {
    const struct state *now = &b->at[0][i], *then = &b->at[window_instant[w]][i];
    if (b->tenant[i] != t || (s >= 0 && b->segment[i] != s) || strcmp(now->stands, "new") == 0)
      continue;
    any = true;
    base += is_bad(then->stands);
    recovered += is_bad(then->stands) && is_good(now->stands);
    newly += is_open(now) && naive_at_risk(b, i, order, 4) && !naive_at_risk(b, i, order, upto[w]);
    double change = now->health - then->health;
    if (isnan(change))
      continue;
    points += change;
    accounts++;
    trend[change > 5 + 1e-9 ? 0 : change < -5 - 1e-9 ? 2 : 1]++;
  }
  char labels[64];
  snprintf(labels, sizeof(labels), s >= 0 ? "window=%s tenant=t%d segment=s%d" : "window=%s tenant=t%d", windows[w], t, s);
  expect(f, seed, any ? points : NAN, "crm_health_change_points %s", labels);
  expect(f, seed, any ? accounts : NAN, "crm_health_change_accounts %s", labels);
  expect(f, seed, any ? trend[0] : NAN, "crm_accounts_by_health_trend trend=improving %s", labels);
  expect(f, seed, any ? trend[1] : NAN, "crm_accounts_by_health_trend trend=stable %s", labels);
  expect(f, seed, any ? trend[2] : NAN, "crm_accounts_by_health_trend trend=declining %s", labels);
  expect(f, seed, any ? base : NAN, "crm_health_recovery_base_accounts %s", labels);
  expect(f, seed, any ? recovered : NAN, "crm_health_recovered_accounts %s", labels);
  if (w < 2)
    expect(f, seed, any ? newly : NAN, "crm_accounts_newly_at_risk %s", labels);
  if (s < 0)
    expect(f, seed, base > 0 ? recovered / base : NAN, "crm_health_recovery_ratio %s", labels);
}

static void check_transitions(const struct fixture *f, const struct base *b, uint64_t seed, int t, int w) {
  static const char *const stands[] = {"healthy", "moderate", "at_risk", "critical", "unscored", "churned", "new"};
  bool any = false;
  for (int i = 0; i < b->n; i++)
    any = any || (b->tenant[i] == t && strcmp(b->at[0][i].stands, "new") != 0);
  for (int from = 0; from < 7; from++)
    for (int to = 0; to < 6; to++) {
      double n = 0;
      for (int i = 0; i < b->n; i++)
        n += b->tenant[i] == t && strcmp(b->at[0][i].stands, stands[to]) == 0 &&
             strcmp(b->at[window_instant[w]][i].stands, stands[from]) == 0;
      expect(f, seed, any ? n : NAN, "crm_health_band_transitions window=%s tenant=t%d from=%s to=%s", windows[w], t, stands[from],
             stands[to]);
    }
  for (int to = 0; to < 5; to++) { /* every account not churned comes from somewhere */
    char query[96];
    snprintf(query, sizeof(query), "crm_accounts_by_health tenant=t%d band=%s", t, stands[to]);
    expect(f, seed, fixture_sum(f, query), "crm_health_band_transitions window=%s tenant=t%d to=%s", windows[w], t, stands[to]);
  }
}

/* Cell families of a set add up to those of its parts. */
static void check_partition(uint64_t seed, const struct fixture *whole) {
  static const char *const families[] = {
      "crm_health_change_points",           "crm_health_change_accounts",    "crm_accounts_by_health_trend trend=stable",
      "crm_health_recovery_base_accounts",  "crm_health_recovered_accounts", "crm_accounts_newly_at_risk",
      "crm_recommendations action=training"};
  double sum[7] = {0};
  for (int part = 0; part < 3; part++) {
    struct fixture f;
    struct base b;
    make(&f, &b, seed, part, false);
    fixture_evaluate(&f);
    for (size_t k = 0; k < 7; k++) {
      double value = fixture_sum(&f, families[k]);
      sum[k] += isnan(value) ? 0 : value;
    }
    fixture_free(&f);
  }
  for (size_t k = 0; k < 7; k++) {
    double value = fixture_sum(whole, families[k]);
    if (fabs((isnan(value) ? 0 : value) - sum[k]) > 1e-8)
      fail_msg("base %llu: %s is %.15g, its parts add up to %.15g", (unsigned long long)seed, families[k], value, sum[k]);
  }
}

static void test_random_bases(void **state) {
  struct base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  size_t newly = 0, slopes = 0, recovered = 0;
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++) {
    struct fixture f, later;
    make(&f, b, seed, -1, false);
    read_states(&f, b);
    for (int t = 0; t < TENANTS; t++)
      for (int w = 0; w < 3; w++) {
        for (int s = -1; s < SEGMENTS; s++)
          check_cell(&f, b, seed, t, s, w);
        check_transitions(&f, b, seed, t, w);
      }
    for (int i = 0; i < b->n; i++) {
      double slope = naive_slope(b, i);
      expect(&f, seed, slope, "crm_account_health_slope account=a%d", i);
      slopes += !isnan(slope);
    }
    double seen = fixture_sum(&f, "crm_accounts_newly_at_risk");
    newly += seen > 0;
    recovered += fixture_sum(&f, "crm_health_recovered_accounts") > 0;
    check_partition(seed, &f);
    /* Facts after T, for every account. */
    make(&later, b, seed, -1, true);
    fixture_evaluate(&later);
    char *text = fixture_dump(&f), *again = fixture_dump(&later);
    if (strcmp(text, again) != 0)
      fail_msg("base %llu: a fact after T changed what is published", (unsigned long long)seed);
    free(text);
    free(again);
    fixture_free(&later);
    fixture_free(&f);
  }
  /* The bases hold something to look at. */
  assert_true(newly > test_bases(BASES) / 4 && recovered > test_bases(BASES) / 4 && slopes > test_bases(BASES));
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("trend_property", tests, NULL, NULL);
}
