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

#include "series/flat_name.h"

static void add(struct crm_series_set *set, enum crm_family family, const char *a, const char *b, const char *c, const char *d) {
  const char *labels[] = {a, b, c, d};
  size_t n = 0;
  while (n < 4 && labels[n] != NULL)
    n++;
  assert_int_equal(crm_set_add(set, family, labels, n, crm_number_int(1)), CRM_OK);
}

static void test_value(void **state) {
  static const struct {
    const char *value, *cleaned;
  } cases[] = {
      {"", "none"},
      {"USD", "usd"},
      {"at_risk", "at_risk"},
      {"mid-market", "mid-market"},
      {"A/B; c=d.e", "a_b__c_d_e"},
      {"tab\tand\nline\x7f", "tab_and_line_"},
      {"M\xc3\xbcnchen", "m\xc3\xbcnchen"},
      {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char buf[64];
    assert_int_equal(crm_flat_value(cases[i].value, buf, sizeof(buf)), strlen(cases[i].cleaned));
    assert_string_equal(buf, cases[i].cleaned);
  }
}

static void test_value_cut(void **state) {
  char buf[4] = "xyz";
  assert_int_equal(crm_flat_value("ABCDEF", buf, sizeof(buf)), 6);
  assert_string_equal(buf, "abc");
  assert_int_equal(crm_flat_value("ABCDEF", buf, 1), 6);
  assert_string_equal(buf, "");
  assert_int_equal(crm_flat_value("ABCDEF", NULL, 0), 6);
}

/* The examples of METRICS.md, and the labels that are special. */
static void test_names(void **state) {
  struct crm_series_set set;
  struct crm_flat_names *names;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  add(&set, CRM_FAM_ACCOUNTS, "Acme", "at_risk", NULL, NULL);
  add(&set, CRM_FAM_HEALTH_SCORE_ACCOUNTS, "Acme", "10", NULL, NULL);
  add(&set, CRM_FAM_HEALTH_SCORE_ACCOUNTS, "Acme", "+Inf", NULL, NULL);
  add(&set, CRM_FAM_ARR, "Acme", "USD", NULL, NULL);
  add(&set, CRM_FAM_ARR_MOVEMENT, "Acme", "USD", "30d", "churn");
  add(&set, CRM_FAM_NET_REVENUE_RETENTION_RATIO, "Acme", "USD", "1y", NULL);
  add(&set, CRM_FAM_ACCOUNT_ARR, "Acme", "a1", "USD", NULL);
  add(&set, CRM_FAM_UP, "Acme", NULL, NULL, NULL);
  assert_int_equal(crm_flat_names_new(&set, &names), CRM_OK);
  static const char *const expected[] = {
      "accounts.at_risk",           "health_score_accounts.10",           "health_score_accounts.inf", "arr.usd",
      "arr_movement.usd.30d.churn", "net_revenue_retention_ratio.usd.1y", NULL /* per account */,      "up"};
  for (size_t i = 0; i < set.n; i++) {
    const char *name = crm_flat_name(names, i, 127);
    if (expected[i] == NULL) {
      assert_null(name);
      assert_null(crm_flat_instance(names, i));
      continue;
    }
    assert_string_equal(name, expected[i]);
    assert_string_equal(crm_flat_instance(names, i), "acme");
    assert_string_equal(crm_flat_name(names, i, strlen(name)), name);
    assert_null(crm_flat_name(names, i, strlen(name) - 1)); /* never cut */
  }
  crm_flat_names_free(names);
  crm_set_free(&set);
}

static void test_breakdown(void **state) {
  struct crm_series_set set;
  struct crm_flat_names *names;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = "segment";
  set.n_dimensions = 1;
  add(&set, CRM_FAM_ARR, "acme", "Enterprise", "USD", NULL);
  add(&set, CRM_FAM_ACCOUNTS_PAYING, "acme", "none", NULL, NULL);
  assert_int_equal(crm_flat_names_new(&set, &names), CRM_OK);
  assert_string_equal(crm_flat_name(names, 0, 127), "arr_by_segment.enterprise.usd");
  assert_string_equal(crm_flat_name(names, 1, 127), "accounts_paying_by_segment.none");
  crm_flat_names_free(names);
  crm_set_free(&set);
}

#define N_ALIKE 6
static void alike_names(const char *const *segments, size_t first, char got[N_ALIKE][64]) {
  struct crm_series_set set;
  struct crm_flat_names *names;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = "segment";
  set.n_dimensions = 1;
  for (size_t i = 0; i < N_ALIKE; i++)
    add(&set, CRM_FAM_ACCOUNTS_PAYING, "acme", segments[(i + first) % N_ALIKE], NULL, NULL);
  assert_int_equal(crm_flat_names_new(&set, &names), CRM_OK);
  for (size_t i = 0; i < N_ALIKE; i++)
    snprintf(got[(i + first) % N_ALIKE], 64, "%s", crm_flat_name(names, i, 127) + strlen("accounts_paying_by_segment."));
  crm_flat_names_free(names);
  crm_set_free(&set);
}

/* Values that look alike keep apart, the one that was right already keeps its name, and neither depends on the order. */
static void test_alike(void **state) {
  const char *segments[N_ALIKE] = {"Mid Market", "mid_market", "mid/market", "SMB", "", "none"};
  char got[N_ALIKE][64] = {{0}}, again[N_ALIKE][64] = {{0}};
  alike_names(segments, 0, got);
  assert_string_equal(got[1], "mid_market");
  assert_string_equal(got[3], "smb");
  assert_string_equal(got[5], "none");
  for (size_t i = 0; i < N_ALIKE; i++)
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(got[i], got[k]);
  assert_int_equal(strlen(got[0]), strlen("mid_market_") + 8);
  assert_int_equal(strncmp(got[0], "mid_market_", 11), 0);
  assert_int_equal(strspn(got[0] + 11, "0123456789abcdef"), 8);
  for (size_t first = 1; first < N_ALIKE; first++) {
    alike_names(segments, first, again);
    assert_memory_equal(got, again, sizeof(got));
  }
  /* A value that is, letter by letter, what another was renamed to. */
  char taken[64];
  snprintf(taken, sizeof(taken), "%s", got[0]);
  const char *hostile[N_ALIKE] = {"Mid Market", "mid_market", "mid/market", taken, "x", "y"};
  alike_names(hostile, 0, again);
  assert_string_equal(again[3], taken);
  for (size_t i = 0; i < N_ALIKE; i++)
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(again[i], again[k]);
}

/* The same text may be a value of two labels; only values of one label can be mistaken for each other. */
static void test_labels_apart(void **state) {
  struct crm_series_set set;
  struct crm_flat_names *names;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = "segment";
  set.n_dimensions = 1;
  add(&set, CRM_FAM_ARR, "usd", "USD", "Usd", NULL);
  add(&set, CRM_FAM_ARR, "USD", "USD", "Usd", NULL);
  assert_int_equal(crm_flat_names_new(&set, &names), CRM_OK);
  assert_string_equal(crm_flat_name(names, 0, 127), "arr_by_segment.usd.usd");
  assert_string_equal(crm_flat_instance(names, 0), "usd");
  assert_string_not_equal(crm_flat_instance(names, 1), "usd");
  crm_flat_names_free(names);
  crm_set_free(&set);
}

static void test_empty(void **state) {
  struct crm_series_set set;
  struct crm_flat_names *names;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  assert_int_equal(crm_flat_names_new(&set, &names), CRM_OK);
  crm_flat_names_free(names);
  crm_flat_names_free(NULL);
  crm_set_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_value), cmocka_unit_test(test_value_cut),    cmocka_unit_test(test_names), cmocka_unit_test(test_breakdown),
      cmocka_unit_test(test_alike), cmocka_unit_test(test_labels_apart), cmocka_unit_test(test_empty),
  };
  return cmocka_run_group_tests_name("flat_name", tests, NULL, NULL);
}
