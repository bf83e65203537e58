/* SPDX-License-Identifier: MIT */
/* Sorting of keys, and the rank correlation with ties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analytics/spearman.h"
#include "lib/close.h"

#define MOST 4000

static double correlate(const unsigned *x, const uint64_t *y, size_t n) {
  uint64_t keys[64], scratch[64];
  for (size_t i = 0; i < n; i++)
    keys[i] = crm_spearman_key(y[i], x[i]);
  crm_sort_keys(keys, scratch, n);
  return crm_spearman(keys, n);
}

/* F. J. Anscombe, Graphs in Statistical Analysis, The American Statistician 27 (1973), pp. 17-21; the correlations with ties by scipy 1
 * (examples/ex15_anscombe). y in hundredths. */
static void test_anscombe(void **state) {
  static const unsigned x[4][11] = {{10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                                    {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                                    {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5},
                                    {8, 8, 8, 8, 8, 8, 8, 15, 8, 8, 8}}; /* 15 stands for 19: ranks know no distances */
  static const uint64_t y[4][11] = {{804, 695, 758, 881, 833, 996, 724, 426, 1084, 482, 568},
                                    {914, 814, 874, 877, 926, 810, 613, 310, 913, 726, 474},
                                    {746, 677, 1274, 711, 781, 884, 608, 539, 815, 642, 573},
                                    {658, 576, 771, 884, 847, 704, 525, 1250, 556, 791, 689}};
  static const double expected[4] = {0.818181818182, 0.690909090909, 0.990909090909, 0.5};
  for (size_t k = 0; k < 4; k++)
    if (fabs(correlate(x[k], y[k], 11) - expected[k]) > 1e-12)
      fail_msg("pair %zu: %.15g", k + 1, correlate(x[k], y[k], 11));
}

static void test_small(void **state) {
  static const struct {
    const char *name;
    size_t n;
    unsigned x[8];
    uint64_t y[8];
    double expected;
  } cases[] = {
      {"nothing", 0, {0}, {0}, NAN},
      {"one", 1, {1}, {5}, NAN},
      {"x never varies", 3, {1, 1, 1}, {1, 2, 3}, NAN},
      {"y never varies", 3, {0, 1, 2}, {7, 7, 7}, NAN},
      {"rising", 3, {0, 1, 2}, {10, 20, 90}, 1},
      {"falling", 3, {0, 1, 2}, {90, 20, 10}, -1},
      {"rising in steps", 4, {0, 0, 1, 1}, {3, 3, 4, 4}, 1},
      {"largest keys", 2, {0, 15}, {(UINT64_C(1) << 60) - 2, (UINT64_C(1) << 60) - 1}, 1},
      /* Ranks of x 1.5 1.5 3.5 3.5 and of y 1 3 3 3, less 2.5: -1 -1 1 1 and -1.5 .5 .5 .5. Products 1.5 - .5 + .5 + .5 = 2, squares 4
       * and 3. */
      {"ties in both", 4, {0, 0, 2, 2}, {1, 9, 9, 9}, 2 / 3.4641016151377544},
      /* Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 x 4 / (4 x 15) = .6, the form without ties. */
      {"no ties", 4, {0, 1, 2, 3}, {20, 10, 40, 30}, 0.6},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
    assert_close_named(cases[k].name, correlate(cases[k].x, cases[k].y, cases[k].n), cases[k].expected);
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void test_sort(void **state) {
  static const unsigned bits[] = {1, 3, 10, 11, 12, 22, 33, 57, 64};
  static const size_t sizes[] = {0, 1, 2, 3, 100, MOST};
  uint64_t *keys = calloc(3 * MOST, sizeof(*keys)), *expected = keys + MOST, *scratch = keys + 2 * MOST, s = 1;
  assert_non_null(keys);
  for (size_t b = 0; b < sizeof(bits) / sizeof(bits[0]); b++)
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
      for (size_t i = 0; i < sizes[k]; i++) {
        s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        expected[i] = keys[i] = (s ^ (s >> 29)) >> (64 - bits[b]);
      }
      qsort(expected, sizes[k], sizeof(*expected), compare);
      crm_sort_keys(keys, scratch, sizes[k]);
      if (sizes[k] > 0)
        assert_memory_equal(keys, expected, sizes[k] * sizeof(*keys));
    }
  free(keys);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_anscombe), cmocka_unit_test(test_small), cmocka_unit_test(test_sort)};
  return cmocka_run_group_tests_name("spearman", tests, NULL, NULL);
}
