/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sort.h"

/* Numbers that look random and are the same in every run (Vigna's splitmix64). */
static uint64_t next(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* By key, then by place: what a stable sort of items numbered from 0 yields. */
static int compare(const void *left, const void *right) {
  const struct crm_keyed *a = left, *b = right;
  if (a->key != b->key)
    return a->key < b->key ? -1 : 1;
  return a->item < b->item ? -1 : a->item > b->item;
}

static void test_sort_keyed(void **state) {
  static const struct {
    const char *name;
    size_t n;
    uint64_t mask; /* bits of the keys that may be set */
  } cases[] = {
      {"none", 0, UINT64_MAX},
      {"one", 1, UINT64_MAX},
      {"few", 32, 0xff},
      {"few and one", 33, UINT64_MAX},
      {"all alike", 100, 0},
      {"many of each", 1000, 7},
      {"two digits of eight bits", 2047, 0xffff},
      {"digits of eleven bits", 2048, UINT64_MAX},
      {"first and last bit", 5000, UINT64_C(0x8000000000000001)},
      {"bits apart", 5000, UINT64_C(0xf00f00f00f00f00f)},
      {"money", 40000, 0x3fffffff},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t n = cases[i].n, bytes = (n + 1) * sizeof(struct crm_keyed);
    struct crm_keyed *got = malloc(bytes), *want = malloc(bytes), *scratch = malloc(bytes);
    uint64_t random = i;
    print_message("%s\n", cases[i].name);
    assert_true(got != NULL && want != NULL && scratch != NULL);
    for (size_t k = 0; k < n; k++)
      got[k] = want[k] = (struct crm_keyed){next(&random) & cases[i].mask, (uint32_t)k};
    qsort(want, n, sizeof(*want), compare);
    crm_sort_keyed(got, scratch, n);
    for (size_t k = 0; k < n; k++)
      assert_true(got[k].key == want[k].key && got[k].item == want[k].item);
    free(got);
    free(want);
    free(scratch);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sort_keyed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
