/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "export/history.h"
#include "export/text.h"

static const struct crm_name_value labels[] = {{"job", "c\"rm"}, {"tenant", "not this one"}};

/* An instant of half a second, so that both ways of writing it are seen. */
#define AT (INT64_C(1772323200) * CRM_US_PER_SECOND)

static void make(struct crm_series_set *set, crm_time at) {
  assert_int_equal(crm_set_init(set), CRM_OK);
  set->at = at;
  set->dimensions[0] = "segment";
  set->n_dimensions = 1;
  const char *cell[] = {"Acme", "a\\b\n", "active"};
  const char *other[] = {"Acme", "", "active"};
  const char *nps[] = {"Acme"};
  assert_int_equal(crm_set_add(set, CRM_FAM_ACCOUNTS, cell, 3, crm_number_int(3)), CRM_OK);
  assert_int_equal(crm_set_add(set, CRM_FAM_ACCOUNTS, other, 3, crm_number_int(4)), CRM_OK);
  assert_int_equal(crm_set_add(set, CRM_FAM_NPS, nps, 1, crm_number_ratio(-25, 2)), CRM_OK);
  assert_int_equal(crm_set_sort(set), CRM_OK);
}

static void check(const char *got, const char *wanted) {
  if (got == NULL || strcmp(got, wanted) != 0)
    fail_msg("got:\n%s\nwanted:\n%s", got, wanted);
}

static void test_openmetrics(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  crm_strbuf_init(&out, 65536);
  make(&set, AT);
  for (size_t i = 0; i < set.n; i++)
    crm_history_openmetrics_sample(&set, &set.samples[i], labels, 2, &out);
  check(crm_strbuf_str(&out), "crm_accounts{tenant=\"Acme\",segment=\"\",status=\"active\",job=\"c\\\"rm\"} 4 1772323200\n"
                              "crm_accounts{tenant=\"Acme\",segment=\"a\\\\b\\n\",status=\"active\",job=\"c\\\"rm\"} 3 1772323200\n"
                              "crm_nps{tenant=\"Acme\",job=\"c\\\"rm\"} -12.5 1772323200\n");
  crm_set_free(&set);
  crm_strbuf_reset(&out);
  make(&set, AT + 500000);
  crm_history_openmetrics_sample(&set, &set.samples[2], NULL, 0, &out);
  check(crm_strbuf_str(&out), "crm_nps{tenant=\"Acme\"} -12.5 1772323200.500000\n");
  crm_strbuf_reset(&out);
  crm_history_openmetrics_family(CRM_FAM_NPS, &out);
  assert_non_null(strstr(crm_strbuf_str(&out), "# TYPE crm_nps gauge\n# HELP crm_nps "));
  crm_set_free(&set);
  crm_strbuf_free(&out);
}

static void test_json(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  crm_strbuf_init(&out, 65536);
  make(&set, AT + 500000);
  for (size_t i = 0; i < set.n; i++)
    crm_history_json_line(&set, &set.samples[i], labels, 2, &out);
  check(
      crm_strbuf_str(&out),
      "{\"metric\":{\"__name__\": \"crm_accounts\", \"tenant\": \"Acme\", \"status\": \"active\", \"job\": \"c\\\"rm\"},"
      "\"values\":[4],\"timestamps\":[1772323200500]}\n"
      "{\"metric\":{\"__name__\": \"crm_accounts\", \"tenant\": \"Acme\", \"segment\": \"a\\\\b\\u000a\", \"status\": \"active\", \"job\": "
      "\"c\\\"rm\"},\"values\":[3],\"timestamps\":[1772323200500]}\n"
      "{\"metric\":{\"__name__\": \"crm_nps\", \"tenant\": \"Acme\", \"job\": "
      "\"c\\\"rm\"},\"values\":[-12.5],\"timestamps\":[1772323200500]}\n");
  crm_set_free(&set);
  crm_strbuf_free(&out);
}

static void test_graphite(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  size_t n;
  crm_strbuf_init(&out, 65536);
  make(&set, AT + 500000);
  assert_int_equal(crm_history_graphite(&set, 0, "x.%T.%N", &out, &n), CRM_OK);
  check(crm_strbuf_str(&out), "x.acme.accounts.active 7 1772323200\nx.acme.nps -12.5 1772323200\n");
  assert_int_equal(n, 2);
  crm_strbuf_reset(&out);
  assert_int_equal(crm_history_graphite(&set, 10, "%N", &out, &n), CRM_OK);
  check(crm_strbuf_str(&out), "accounts.active 7 1772323200\nnps -12.5 1772323200\n"
                              "accounts_by_segment.none.active 4 1772323200\naccounts_by_segment.a_b_.active 3 1772323200\n");
  crm_set_free(&set);
  crm_strbuf_free(&out);
}

static void test_graphite_path(void **state) {
  static const struct {
    const char *path;
    bool good;
  } cases[] = {{"%T.%N", true},   {"a.%N-%T.b", true}, {"%N", false},        {"%T", false},        {"", false},
               {"%T.%N%", false}, {"%T.%N%x", false},  {"a b.%T.%N", false}, {"%T.%N;a=b", false}, {"%T.\n%N", false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct crm_error err = {0};
    if ((crm_history_graphite_path(cases[i].path, &err) == CRM_OK) != cases[i].good)
      fail_msg("\"%s\": %s", cases[i].path, err.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_openmetrics), cmocka_unit_test(test_json), cmocka_unit_test(test_graphite),
                                     cmocka_unit_test(test_graphite_path)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
