/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "series/breakdown.h"

/* `n` values of the family, each with labels of its own. */
static void add(struct crm_series_set *set, enum crm_family family, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char value[24];
    const char *labels[CRM_FAMILY_LABELS + 2];
    size_t k = 0;
    snprintf(value, sizeof(value), "v%zu", i);
    labels[k++] = "acme";
    labels[k++] = value;
    for (size_t l = 0; l < crm_family_label_count(family); l++)
      labels[k++] = "x";
    assert_int_equal(crm_set_add(set, family, labels, k, crm_number_int(1)), CRM_OK);
  }
}

/* Segment: 2 accounts_paying, 5 arr, 9 accounts. Owner: 4 accounts_paying, 5 arr, 30 accounts. */
static void test_smallest_first(void **state) {
  struct crm_series_set segment, owner;
  assert_int_equal(crm_set_init(&segment), CRM_OK);
  assert_int_equal(crm_set_init(&owner), CRM_OK);
  segment.n_dimensions = owner.n_dimensions = 1;
  segment.dimensions[0] = "segment";
  owner.dimensions[0] = "account_owner";
  add(&segment, CRM_FAM_ACCOUNTS, 9);
  add(&segment, CRM_FAM_ACCOUNTS_PAYING, 2);
  add(&segment, CRM_FAM_ARR, 5);
  add(&owner, CRM_FAM_ACCOUNTS, 30);
  add(&owner, CRM_FAM_ACCOUNTS_PAYING, 4);
  add(&owner, CRM_FAM_ARR, 5);
  const struct crm_series_set *sets[] = {&segment, &owner};
  static const struct {
    const char *name;
    size_t max;
    bool cut;
    bool segment[3], owner[3]; /* accounts, accounts_paying, arr */
  } cases[] = {
      {"all", 55, false, {true, true, true}, {true, true, true}},
      {"more than all", 1000, false, {true, true, true}, {true, true, true}},
      {"one value too many", 54, true, {true, true, true}, {false, true, true}},
      {"2 + 4 + 5 + 5 + 9", 25, true, {true, true, true}, {false, true, true}},
      {"one less: not the 9", 24, true, {false, true, true}, {false, true, true}},
      {"of equal ones the earlier dimension", 11, true, {false, true, true}, {false, true, false}},
      {"the smallest", 2, true, {false, true, false}, {false, false, false}},
      {"none", 0, true, {false, false, false}, {false, false, false}},
  };
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    bool chosen[2][CRM_FAMILIES];
    static const enum crm_family families[] = {CRM_FAM_ACCOUNTS, CRM_FAM_ACCOUNTS_PAYING, CRM_FAM_ARR};
    if (crm_breakdowns_choose(sets, 2, cases[c].max, chosen) != cases[c].cut)
      fail_msg("%s: cut or not", cases[c].name);
    for (size_t f = 0; f < 3; f++)
      if (chosen[0][families[f]] != cases[c].segment[f] || chosen[1][families[f]] != cases[c].owner[f])
        fail_msg("%s: %s", cases[c].name, crm_family_info(families[f])->name);
  }
  crm_set_free(&segment);
  crm_set_free(&owner);
}

static void test_nothing_to_choose(void **state) {
  bool chosen[1][CRM_FAMILIES];
  assert_false(crm_breakdowns_choose(NULL, 0, 0, chosen));
  struct crm_series_set empty;
  assert_int_equal(crm_set_init(&empty), CRM_OK);
  const struct crm_series_set *sets[] = {&empty};
  assert_false(crm_breakdowns_choose(sets, 1, 0, chosen));
  assert_false(chosen[0][CRM_FAM_ARR]);
  crm_set_free(&empty);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_smallest_first), cmocka_unit_test(test_nothing_to_choose)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
