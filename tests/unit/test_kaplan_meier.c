/* SPDX-License-Identifier: MIT */
/* The Kaplan-Meier estimate against a published example and against the plain product. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analytics/kaplan_meier.h"
#include "lib/close.h"

struct step {
  int time;
  size_t at_risk, events, censored;
  double survival;
};

static void check_curve(const uint64_t *sorted, size_t n, const struct step *steps, size_t n_steps) {
  struct crm_survival s;
  crm_survival_begin(&s, sorted, n);
  for (size_t i = 0; i < n_steps; i++) {
    assert_true(crm_survival_step(&s));
    assert_int_equal(s.time, steps[i].time);
    assert_int_equal(s.at_risk, steps[i].at_risk);
    assert_int_equal(s.events, steps[i].events);
    assert_int_equal(s.censored, steps[i].censored);
    assert_close(s.survival, steps[i].survival);
  }
  assert_false(crm_survival_step(&s));
}

/* examples/ex10_km_aml_{input,expected,summary}.csv: data set `aml` of R's package survival (survival in acute myelogenous leukemia, with
 * and without maintenance chemotherapy, in weeks; R. G. Miller, Survival Analysis, Wiley 1981), and what survfit makes of it there. */
static void test_aml(void **state) {
  static const struct {
    int time;
    bool event;
  } maintained[] = {{9, true},  {13, true}, {13, false}, {18, true}, {23, true},  {28, false},
                    {31, true}, {34, true}, {45, false}, {48, true}, {161, false}},
    nonmaintained[] = {{5, true},  {5, true},  {8, true},  {8, true},  {12, true}, {16, false},
                       {23, true}, {27, true}, {30, true}, {33, true}, {43, true}, {45, true}};
  static const struct step maintained_steps[] = {
      {9, 11, 1, 0, 0.909090909091}, {13, 10, 1, 1, 0.818181818182}, {18, 8, 1, 0, 0.715909090909}, {23, 7, 1, 0, 0.613636363636},
      {28, 6, 0, 1, 0.613636363636}, {31, 5, 1, 0, 0.490909090909},  {34, 4, 1, 0, 0.368181818182}, {45, 3, 0, 1, 0.368181818182},
      {48, 2, 1, 0, 0.184090909091}, {161, 1, 0, 1, 0.184090909091}};
  static const struct step nonmaintained_steps[] = {{5, 12, 2, 0, 0.833333333333},  {8, 10, 2, 0, 0.666666666667},
                                                    {12, 8, 1, 0, 0.583333333333},  {16, 7, 0, 1, 0.583333333333},
                                                    {23, 6, 1, 0, 0.486111111111},  {27, 5, 1, 0, 0.388888888889},
                                                    {30, 4, 1, 0, 0.291666666667},  {33, 3, 1, 0, 0.194444444444},
                                                    {43, 2, 1, 0, 0.0972222222222}, {45, 1, 1, 0, 0}};
  uint64_t v[12], scratch[12];
  int64_t time;
  for (size_t i = 0; i < 11; i++)
    v[10 - i] = crm_subject(maintained[i].time, maintained[i].event);
  crm_subjects_sort(v, scratch, 11);
  check_curve(v, 11, maintained_steps, 10);
  assert_true(crm_survival_quantile(v, 11, 0.5, &time));
  assert_int_equal(time, 31);                             /* the summary's median */
  assert_false(crm_survival_quantile(v, 11, 0.9, &time)); /* S stays at 0.18 */

  for (size_t i = 0; i < 12; i++)
    v[i] = crm_subject(nonmaintained[(i * 5) % 12].time, nonmaintained[(i * 5) % 12].event);
  crm_subjects_sort(v, scratch, 12);
  check_curve(v, 12, nonmaintained_steps, 10);
  assert_true(crm_survival_quantile(v, 12, 0.5, &time));
  assert_int_equal(time, 23);
  assert_true(crm_survival_quantile(v, 12, 0.9, &time));
  assert_int_equal(time, 43); /* 0.0972 is the first at or below 0.1 */
}

static void test_quantiles(void **state) {
  static const struct {
    const char *name;
    int n, times[12];   /* below 0: cut off */
    int median, ninety; /* -1: never */
  } cases[] = {
      {"nobody", 0, {0}, -1, -1},
      {"one event", 1, {7}, 7, 7},
      {"one cut off", 1, {-7}, -1, -1},
      {"all cut off", 3, {-1, -2, -3}, -1, -1},
      {"at once", 2, {0, 0}, 0, 0},
      {"half is reached exactly", 4, {1, 2, 3, 4}, 2, 4},
      {"a tenth is reached exactly", 10, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5, 9},
      /* S(2) = 3/4, one cut off, S(4) = 3/4 x 2/3 x ... : at risk 2 at 4, S = 3/4 x 1/2 */
      {"cut off between", 4, {2, -3, 4, -5}, 4, -1},
      /* an event at 3 counts the one cut off at 3 as at risk: S = 1/2 */
      {"event and cut at one time", 2, {3, -3}, 3, -1},
      {"the last is an event", 3, {-1, -2, 3}, 3, 3},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint64_t v[12], scratch[12];
    for (int k = 0; k < cases[i].n; k++)
      v[cases[i].n - 1 - k] = crm_subject(abs(cases[i].times[k]), cases[i].times[k] >= 0);
    crm_subjects_sort(v, scratch, (size_t)cases[i].n);
    int64_t median = -1, ninety = -1;
    if (!crm_survival_quantile(v, (size_t)cases[i].n, 0.5, &median))
      assert_int_equal(median, -1);
    if (!crm_survival_quantile(v, (size_t)cases[i].n, 0.9, &ninety))
      assert_int_equal(ninety, -1);
    assert_close_named(cases[i].name, (double)median, cases[i].median);
    assert_close_named(cases[i].name, (double)ninety, cases[i].ninety);
  }
}

static uint64_t next(uint64_t *s) { /* splitmix64 */
  uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static int compare(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

/* The plain product, factor by factor. */
static double plain_survival(const uint64_t *sorted, size_t n, int64_t time) {
  double s = 1;
  for (size_t i = 0; i < n && (int64_t)(sorted[i] >> 1) <= time; i++)
    if ((sorted[i] & 1) == 0)
      s *= 1 - 1 / (double)(n - i); /* events of one time one after the other give the same product */
  return s;
}

static void test_random(void **state) {
  uint64_t seed = 10;
  for (int round = 0; round < 300; round++) {
    size_t n = 1 + next(&seed) % (round % 10 == 0 ? 3000 : 130);
    /* From few different times to instants of more than sixty bits. */
    uint64_t range = UINT64_C(1) << (1 + next(&seed) % 61);
    uint64_t *v = malloc(n * sizeof(*v)), *expected = malloc(n * sizeof(*v)), *scratch = malloc(n * sizeof(*v));
    assert_true(v != NULL && expected != NULL && scratch != NULL);
    for (size_t i = 0; i < n; i++)
      v[i] = crm_subject((int64_t)(next(&seed) % range), next(&seed) % 3 > 0);
    memcpy(expected, v, n * sizeof(*v));
    qsort(expected, n, sizeof(*v), compare);
    crm_subjects_sort(v, scratch, n);
    assert_memory_equal(v, expected, n * sizeof(*v));

    struct crm_survival s;
    size_t seen = 0;
    crm_survival_begin(&s, v, n);
    while (crm_survival_step(&s)) {
      assert_int_equal(s.at_risk, n - seen);
      seen += s.events + s.censored;
      if (n < 130)
        assert_close(s.survival, plain_survival(v, n, s.time));
    }
    assert_int_equal(seen, n);
    int64_t median;
    if (crm_survival_quantile(v, n, 0.5, &median)) {
      assert_true(plain_survival(v, n, median) <= 0.5 + 2e-9);
      assert_true(median == 0 || plain_survival(v, n, median - 1) > 0.5);
    } else
      assert_true(plain_survival(v, n, INT64_MAX) > 0.5);
    free(v);
    free(expected);
    free(scratch);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_aml),
      cmocka_unit_test(test_quantiles),
      cmocka_unit_test(test_random),
  };
  return cmocka_run_group_tests_name("kaplan_meier", tests, NULL, NULL);
}
