/* SPDX-License-Identifier: MIT */
/* Revenue over random customer bases: what is published for the windows must follow from the truth, which is booked here a second time, the
 * plain way. */
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

#define BASES 2500 /* unless CRM_TEST_BASES says fewer, for wrappers that slow a test down fiftyfold */

enum { FIGURES = 11 };
enum { NEW, EXPANSION, CONTRACTION, CHURN, REACTIVATION, ADJUSTMENT, OPENING, CLOSING, NET, GROSS, BASE };
static const char *const kinds[] = {"new", "expansion", "contraction", "churn", "reactivation", "adjustment"};

typedef int64_t figures[TRUTH_TENANTS][TRUTH_SEGMENTS][TRUTH_CURRENCIES][TRUTH_WINDOWS][FIGURES];

static void book(const struct truth_base *b, const struct crm_zone *zone, figures *out) {
  memset(out, 0, sizeof(*out));
  for (int i = 0; i < b->n; i++)
    for (int w = 0; w < TRUTH_WINDOWS; w++) {
      const struct truth *t = &b->accounts[i];
      if (t->created_at > b->at)
        continue;
      crm_time start = crm_window_start(zone, b->at, truth_windows[w]);
      int ca, cb;
      int64_t a = truth_level(t, start, &ca), z = truth_level(t, b->at, &cb);
      int64_t *fa = (*out)[t->tenant][t->segment][ca][w], *fb = (*out)[t->tenant][t->segment][cb][w];
      fa[OPENING] += a > 0 ? a : 0;
      fb[CLOSING] += z > 0 ? z : 0;
      if (a < 0 || z < 0 || (a > 0 && z > 0 && ca != cb)) {
        fa[ADJUSTMENT] -= a > 0 ? a : 0;
        fb[ADJUSTMENT] += z > 0 ? z : 0;
      } else if (a == 0) {
        fb[z > 0 && truth_had_paid(t, start, b->days) ? REACTIVATION : NEW] += z;
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

static int window_place(const char *text) {
  for (int w = 0; w < TRUTH_WINDOWS; w++)
    if (strcmp(crm_window_name(truth_windows[w]), text) == 0)
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
    return truth_place(kinds, 6, crm_set_label_value(set, s, 4));
  default:
    return -1;
  }
}

/* What was published per cell, in minor truth_units; and that it was in minor truth_units. */
static void read_figures(const struct fixture *f, figures *out) {
  memset(out, 0, sizeof(*out));
  for (size_t i = 0; i < f->set.n; i++) {
    const struct crm_sample *s = &f->set.samples[i];
    int figure = figure_place(&f->set, s);
    if (figure < 0)
      continue;
    int tenant = truth_place(truth_tenants, TRUTH_TENANTS, crm_set_label_value(&f->set, s, 0));
    int segment = truth_place(truth_segments, TRUTH_SEGMENTS, crm_set_label_value(&f->set, s, 1));
    int currency = truth_place(truth_currencies, TRUTH_CURRENCIES, crm_set_label_value(&f->set, s, 2));
    int window = window_place(crm_set_label_value(&f->set, s, 3));
    assert_true(tenant >= 0 && segment >= 0 && currency >= 0 && window >= 0);
    assert_int_equal(s->value.den, truth_units[currency]);
    (*out)[tenant][segment][currency][window][figure] += s->value.num;
  }
}

static void check_against(uint64_t seed, const figures *got, const figures *expected) {
  for (int t = 0; t < TRUTH_TENANTS; t++)
    for (int s = 0; s < TRUTH_SEGMENTS; s++)
      for (int c = 0; c < TRUTH_CURRENCIES; c++)
        for (int w = 0; w < TRUTH_WINDOWS; w++)
          for (int i = 0; i < FIGURES; i++)
            if ((*got)[t][s][c][w][i] != (*expected)[t][s][c][w][i])
              fail_msg("base %llu: %s %s %s %s figure %d is %lld and not %lld", (unsigned long long)seed, truth_tenants[t],
                       truth_segments[s], truth_currencies[c], crm_window_name(truth_windows[w]), i, (long long)(*got)[t][s][c][w][i],
                       (long long)(*expected)[t][s][c][w][i]);
}

/* Identity and order of what was published, cell by cell. */
static void check_identity(const figures *got) {
  for (int t = 0; t < TRUTH_TENANTS; t++)
    for (int s = 0; s < TRUTH_SEGMENTS; s++)
      for (int c = 0; c < TRUTH_CURRENCIES; c++)
        for (int w = 0; w < TRUTH_WINDOWS; w++) {
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
    int tenant = truth_place(truth_tenants, TRUTH_TENANTS, crm_set_label_value(&f->set, s, 0));
    int currency = truth_place(truth_currencies, TRUTH_CURRENCIES, crm_set_label_value(&f->set, s, 1));
    int window = window_place(crm_set_label_value(&f->set, s, 2));
    int64_t sum = 0, base = 0;
    for (int k = 0; k < TRUTH_SEGMENTS; k++) {
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
    int tenant = truth_place(truth_tenants, TRUTH_TENANTS, crm_set_label_value(&total, s, 0));
    int currency = truth_place(truth_currencies, TRUTH_CURRENCIES, crm_set_label_value(&total, s, 1));
    int window = window_place(crm_set_label_value(&total, s, 2));
    int64_t sum = 0;
    for (int k = 0; k < TRUTH_SEGMENTS; k++)
      sum += (*got)[tenant][k][currency][window][CLOSING];
    assert_int_equal(s->value.num, sum);
    seen++;
  }
  assert_true(seen > 0 || f->set.n == 0 || fixture_count(f, "crm_arr_closing") == 0);
  crm_set_free(&total);
}

/* --- properties --------------------------------------------------------------------------------------------------------------- */

static void check_base(uint64_t seed, const struct crm_zone *zone, struct truth_base *b) {
  struct chance c = {seed * UINT64_C(1000003)};
  struct fixture f, other;
  static figures got, expected, before; /* too large for a small stack */
  truth_draw(&c, b, zone);

  truth_evaluate(&f, b, zone, NULL, false, b->at);
  read_figures(&f, &got);
  book(b, zone, &expected);
  check_against(seed, &got, &expected);
  check_identity(&got);
  check_tenants(&f, &got);
  check_roll_up(&f, &got);
  char *text = fixture_dump(&f);

  /* Rows in another order, and facts that lie after T. */
  for (int later = 0; later < 2; later++) {
    truth_evaluate(&other, b, zone, &c, later == 1, b->at);
    char *again = fixture_dump(&other);
    if (strcmp(text, again) != 0)
      fail_msg("base %llu: %s changed what is published", (unsigned long long)seed, later ? "a fact after T" : "the order of rows");
    free(again);
    fixture_free(&other);
  }

  /* Where this window opens, the one before it has closed. */
  for (int w = 0; w < TRUTH_WINDOWS && !b->returns; w++) {
    truth_evaluate(&other, b, zone, NULL, false, crm_window_start(zone, b->at, truth_windows[w]));
    read_figures(&other, &before);
    for (int t = 0; t < TRUTH_TENANTS; t++)
      for (int k = 0; k < TRUTH_CURRENCIES; k++) {
        int64_t opening = 0, closing = 0;
        for (int s = 0; s < TRUTH_SEGMENTS; s++) {
          opening += got[t][s][k][w][OPENING];
          closing += before[t][s][k][0][CLOSING];
        }
        if (opening != closing)
          fail_msg("base %llu: window %s opens with %lld, the one before closed with %lld", (unsigned long long)seed,
                   crm_window_name(truth_windows[w]), (long long)opening, (long long)closing);
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
  struct truth_base *b = calloc(1, sizeof(*b));
  assert_non_null(b);
  uint64_t bases = test_bases(BASES);
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
