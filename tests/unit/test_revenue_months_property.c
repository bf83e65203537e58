/* SPDX-License-Identifier: MIT */
/* Months, cohorts and customers over random customer bases: what is published must follow from the truth, which is booked here a second
 * time, the plain way: month by month, from the levels at both ends. */
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

#include "lib/bases.h"
#include "lib/revenue_truth.h"

#define BASES 1500 /* unless CRM_TEST_BASES says fewer, for wrappers that slow a test down fiftyfold */

enum { MONTHS = 13, COHORTS = 24 };
enum { NEW, EXPANSION, CONTRACTION, CHURN, REACTIVATION, ADJUSTMENT, OPENING, CLOSING, FIGURES };
static const char *const kinds[] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};
enum { WON, LOST, REACTIVATED, ADJUSTED, LOGO_OPENING, LOGO_CLOSING, LOGOS };
static const char *const logo_kinds[] = {"won", "lost", "reactivated", "adjusted"};

struct figures {
  int64_t month[TRUTH_TENANTS][TRUTH_CURRENCIES][MONTHS][FIGURES];
  int64_t logo[TRUTH_TENANTS][TRUTH_CURRENCIES][MONTHS][LOGOS];
  int64_t cohort[TRUTH_TENANTS][TRUTH_CURRENCIES][COHORTS][COHORTS][2]; /* cohort, age; amount, accounts */
  int64_t window[TRUTH_TENANTS][TRUTH_SEGMENTS][TRUTH_WINDOWS][LOGOS];
  int64_t paying[TRUTH_TENANTS][TRUTH_CURRENCIES];
};

/* --- the plain way ---------------------------------------------------------------------------------------------------------- */

/* The last instant of the month, of the running one T. */
static crm_time month_end(const struct truth_base *b, const struct crm_zone *zone, int32_t month) {
  return month == crm_zone_month(zone, b->at) ? b->at : crm_zone_month_start(zone, month + 1) - 1;
}

static void book_logo(int64_t *la, int64_t *lb, int64_t a, int64_t z, bool had_paid) {
  la[LOGO_OPENING] += a > 0;
  lb[LOGO_CLOSING] += z > 0;
  if (a < 0 || z < 0 || (a > 0 && z > 0 && la != lb)) {
    la[ADJUSTED] -= a > 0;
    lb[ADJUSTED] += z > 0;
  } else if (a == 0 && z > 0) {
    lb[had_paid ? REACTIVATED : WON]++;
  } else if (a > 0 && z == 0) {
    la[LOST]++;
  }
}

static void book_month(const struct truth_base *b, const struct truth *t, const struct crm_zone *zone, int m, struct figures *out) {
  int32_t month = crm_zone_month(zone, b->at) - (MONTHS - 1) + m;
  crm_time start = month_end(b, zone, month - 1);
  int ca, cb;
  int64_t a = truth_level(t, start, &ca), z = truth_level(t, month_end(b, zone, month), &cb);
  int64_t *fa = out->month[t->tenant][ca][m], *fb = out->month[t->tenant][cb][m];
  bool back = a == 0 && truth_had_paid(t, start, b->days);
  /* With nothing on one side its currency says nothing. */
  int64_t *la = out->logo[t->tenant][a > 0 ? ca : cb][m], *lb = out->logo[t->tenant][z > 0 ? cb : ca][m];
  book_logo(la, lb, a, z, back);
  fa[OPENING] += a > 0 ? a : 0;
  fb[CLOSING] += z > 0 ? z : 0;
  if (a < 0 || z < 0 || (a > 0 && z > 0 && ca != cb)) {
    fa[ADJUSTMENT] -= a > 0 ? a : 0;
    fb[ADJUSTMENT] += z > 0 ? z : 0;
  } else if (a == 0) {
    fb[back ? REACTIVATION : NEW] += z;
  } else if (z == 0) {
    fa[CHURN] += a;
  } else {
    fa[z > a ? EXPANSION : CONTRACTION] += z > a ? z - a : a - z;
  }
}

static void book_cohort(const struct truth_base *b, const struct truth *t, const struct crm_zone *zone, struct figures *out) {
  int32_t running = crm_zone_month(zone, b->at);
  int s = 0;
  while (s < t->n && t->steps[s].level == 0)
    s++;
  if (s == t->n || t->steps[s].at > b->at)
    return;
  int32_t cohort = crm_zone_month(zone, t->steps[s].at);
  for (int32_t age = 0; running - cohort < COHORTS && age <= running - cohort; age++) {
    int currency;
    int64_t level = truth_level(t, month_end(b, zone, cohort + age), &currency);
    int64_t *cell = out->cohort[t->tenant][currency][COHORTS - 1 - (running - cohort)][age];
    cell[0] += level > 0 ? level : 0;
    cell[1] += level > 0;
  }
}

static void book(const struct truth_base *b, const struct crm_zone *zone, struct figures *out) {
  memset(out, 0, sizeof(*out));
  for (int i = 0; i < b->n; i++) {
    const struct truth *t = &b->accounts[i];
    if (t->created_at > b->at)
      continue;
    for (int m = 0; m < MONTHS; m++)
      book_month(b, t, zone, m, out);
    book_cohort(b, t, zone, out);
    int currency;
    int64_t z = truth_level(t, b->at, &currency);
    out->paying[t->tenant][currency] += z > 0;
    for (int w = 0; w < TRUTH_WINDOWS; w++) {
      crm_time start = crm_window_start(zone, b->at, truth_windows[w]);
      int64_t a = truth_level(t, start, &currency), *logos = out->window[t->tenant][t->segment][w];
      book_logo(logos, logos, a, z, a == 0 && truth_had_paid(t, start, b->days));
    }
  }
}

/* --- what was published ----------------------------------------------------------------------------------------------------- */

struct reader {
  const struct fixture *f;
  const struct crm_sample *s;
  int tenant;
};

static const char *label(const struct reader *r, size_t i) {
  return crm_set_label_value(&r->f->set, r->s, i);
}

static int currency_at(const struct reader *r, size_t i) {
  int currency = truth_place(truth_currencies, TRUTH_CURRENCIES, label(r, i));
  assert_true(currency >= 0);
  return currency;
}

/* Months before the running one, counted from the label. */
static int back(const struct reader *r, const struct crm_zone *zone, size_t i) {
  int year, month;
  assert_int_equal(sscanf(label(r, i), "%d-%d", &year, &month), 2);
  return crm_zone_month(zone, r->f->at) - ((year - 1970) * 12 + month - 1);
}

static int figure_of(const struct reader *r, enum crm_family opening, enum crm_family closing, const char *const *names, int n) {
  if (r->s->family == opening)
    return n;
  return r->s->family == closing ? n + 1 : truth_place(names, n, label(r, 3));
}

static void read_month(const struct reader *r, const struct crm_zone *zone, bool money, struct figures *out) {
  int currency = currency_at(r, 1), m = MONTHS - 1 - back(r, zone, 2);
  assert_in_range(m, 0, MONTHS - 1);
  assert_int_equal(r->s->value.den, money ? truth_units[currency] : 1);
  int figure = money ? figure_of(r, CRM_FAM_ARR_MONTH_OPENING, CRM_FAM_ARR_MONTH_CLOSING, kinds, 6)
                     : figure_of(r, CRM_FAM_ACCOUNTS_MONTH_OPENING, CRM_FAM_ACCOUNTS_MONTH_CLOSING, logo_kinds, 4);
  assert_true(figure >= 0);
  (money ? out->month[r->tenant][currency][m] : out->logo[r->tenant][currency][m])[figure] += r->s->value.num;
}

static void read_cohort(const struct reader *r, const struct crm_zone *zone, bool money, struct figures *out) {
  int currency = currency_at(r, 1), age = atoi(label(r, 3)), ago = back(r, zone, 2);
  assert_in_range(ago, 0, COHORTS - 1);
  assert_in_range(age, 0, ago);
  assert_int_equal(r->s->value.den, money ? truth_units[currency] : 1);
  out->cohort[r->tenant][currency][COHORTS - 1 - ago][age][!money] += r->s->value.num;
}

static void read_window(const struct reader *r, int logo, struct figures *out) {
  int segment = truth_place(truth_segments, TRUTH_SEGMENTS, label(r, 1));
  for (int w = 0; w < TRUTH_WINDOWS; w++)
    if (strcmp(label(r, 2), crm_window_name(truth_windows[w])) == 0)
      out->window[r->tenant][segment][w][logo] += r->s->value.num;
}

static void read_figures(const struct fixture *f, const struct crm_zone *zone, struct figures *out) {
  memset(out, 0, sizeof(*out));
  for (size_t i = 0; i < f->set.n; i++) {
    struct reader r = {f, &f->set.samples[i], 0};
    r.tenant = truth_place(truth_tenants, TRUTH_TENANTS, label(&r, 0));
    assert_true(r.tenant >= 0);
    switch (r.s->family) {
    case CRM_FAM_ARR_MONTH_OPENING:
    case CRM_FAM_ARR_MONTH_CLOSING:
    case CRM_FAM_ARR_MONTH_MOVEMENT:
      read_month(&r, zone, true, out);
      break;
    case CRM_FAM_ACCOUNTS_MONTH_OPENING:
    case CRM_FAM_ACCOUNTS_MONTH_CLOSING:
    case CRM_FAM_ACCOUNTS_MONTH_MOVEMENT:
      read_month(&r, zone, false, out);
      break;
    case CRM_FAM_COHORT_ARR:
    case CRM_FAM_COHORT_ACCOUNTS:
      read_cohort(&r, zone, r.s->family == CRM_FAM_COHORT_ARR, out);
      break;
    case CRM_FAM_ACCOUNTS_OPENING:
      read_window(&r, LOGO_OPENING, out);
      break;
    case CRM_FAM_ACCOUNTS_CLOSING:
      read_window(&r, LOGO_CLOSING, out);
      break;
    case CRM_FAM_ACCOUNTS_WON:
      read_window(&r, WON, out);
      break;
    case CRM_FAM_ACCOUNTS_LOST:
      read_window(&r, LOST, out);
      break;
    case CRM_FAM_ACCOUNTS_REACTIVATED:
      read_window(&r, REACTIVATED, out);
      break;
    case CRM_FAM_ACCOUNTS_ADJUSTED:
      read_window(&r, ADJUSTED, out);
      break;
    case CRM_FAM_ARR_ACCOUNTS:
      out->paying[r.tenant][currency_at(&r, 2)] += r.s->value.num;
      break;
    default:
      break;
    }
  }
}

/* --- properties ------------------------------------------------------------------------------------------------------------- */

static void check_all(uint64_t seed, const char *what, const void *got, const void *expected, size_t size) {
  const int64_t *g = got, *e = expected;
  for (size_t i = 0; i < size / sizeof(*g); i++)
    if (g[i] != e[i])
      fail_msg("base %llu: %s, place %zu is %lld and not %lld", (unsigned long long)seed, what, i, (long long)g[i], (long long)e[i]);
}

static void check_logo(const int64_t *f) {
  assert_int_equal(f[LOGO_OPENING] + f[WON] + f[REACTIVATED] - f[LOST] + f[ADJUSTED], f[LOGO_CLOSING]);
}

/* Every month closes where its movements lead, and opens where the one before closed. */
static void check_identities(const struct figures *got) {
  for (int t = 0; t < TRUTH_TENANTS; t++) {
    for (int c = 0; c < TRUTH_CURRENCIES; c++)
      for (int m = 0; m < MONTHS; m++) {
        const int64_t *f = got->month[t][c][m], *l = got->logo[t][c][m];
        assert_int_equal(f[OPENING] + f[NEW] + f[EXPANSION] + f[REACTIVATION] - f[CONTRACTION] - f[CHURN] + f[ADJUSTMENT], f[CLOSING]);
        check_logo(l);
        if (m > 0) {
          assert_int_equal(f[OPENING], got->month[t][c][m - 1][CLOSING]);
          assert_int_equal(l[LOGO_OPENING], got->logo[t][c][m - 1][LOGO_CLOSING]);
        }
      }
    for (int s = 0; s < TRUTH_SEGMENTS; s++)
      for (int w = 0; w < TRUTH_WINDOWS; w++)
        check_logo(got->window[t][s][w]);
  }
}

/* A ratio of the tenant is that of its parts, and is absent where there is nothing to divide by. */
static void check_ratios(const struct fixture *f, const struct figures *got) {
  char query[128];
  for (int t = 0; t < TRUTH_TENANTS; t++)
    for (int w = 0; w < TRUTH_WINDOWS; w++) {
      int64_t opening = 0, lost = 0;
      for (int s = 0; s < TRUTH_SEGMENTS; s++) {
        opening += got->window[t][s][w][LOGO_OPENING];
        lost += got->window[t][s][w][LOST];
      }
      snprintf(query, sizeof(query), "crm_logo_churn_ratio tenant=%s window=%s", truth_tenants[t], crm_window_name(truth_windows[w]));
      double ratio = fixture_sum(f, query);
      if (opening == 0)
        assert_true(isnan(ratio));
      else
        assert_true(fabs(ratio - (double)lost / (double)opening) <= 1e-12);
    }
}

static void test_random_bases(void **state) {
  static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York"};
  struct crm_zone *zones[3];
  struct crm_error err;
  for (int i = 0; i < 3; i++)
    assert_int_equal(crm_zone_new(names[i], &zones[i], &err), CRM_OK);
  struct truth_base *b = calloc(1, sizeof(*b));
  struct figures *got = calloc(1, sizeof(*got)), *expected = calloc(1, sizeof(*expected));
  assert_true(b != NULL && got != NULL && expected != NULL);
  int64_t seen[FIGURES] = {0}, logos[LOGOS] = {0}, cohorts = 0;
  for (uint64_t seed = 1; seed <= test_bases(BASES); seed++) {
    struct chance c = {seed * UINT64_C(7777777)};
    const struct crm_zone *zone = zones[seed % 3];
    struct fixture f;
    truth_draw(&c, b, zone);
    truth_evaluate(&f, b, zone, &c, true, b->at);
    read_figures(&f, zone, got);
    book(b, zone, expected);
    check_all(seed, "month", got->month, expected->month, sizeof(got->month));
    check_all(seed, "month of customers", got->logo, expected->logo, sizeof(got->logo));
    check_all(seed, "cohort", got->cohort, expected->cohort, sizeof(got->cohort));
    check_all(seed, "window of customers", got->window, expected->window, sizeof(got->window));
    check_all(seed, "paying", got->paying, expected->paying, sizeof(got->paying));
    check_identities(got);
    check_ratios(&f, got);
    for (int t = 0; t < TRUTH_TENANTS; t++)
      for (int k = 0; k < TRUTH_CURRENCIES; k++)
        for (int m = 0; m < MONTHS; m++) {
          for (int i = 0; i < FIGURES; i++)
            seen[i] += got->month[t][k][m][i] != 0;
          for (int i = 0; i < LOGOS; i++)
            logos[i] += got->logo[t][k][m][i] != 0;
          cohorts += got->cohort[t][k][m][1][1] > 0; /* the second month of a cohort */
        }
    fixture_free(&f);
  }
  /* All of them hold all that there is to get wrong. */
  for (int i = 0; test_bases(BASES) == BASES && i < FIGURES; i++)
    assert_true(seen[i] > 100);
  for (int i = 0; test_bases(BASES) == BASES && i < LOGOS; i++)
    assert_true(logos[i] > 100);
  assert_true(test_bases(BASES) < BASES || cohorts > 100);
  free(expected);
  free(got);
  free(b);
  for (int i = 0; i < 3; i++)
    crm_zone_free(zones[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_bases)};
  return cmocka_run_group_tests_name("revenue_months_property", tests, NULL, NULL);
}
