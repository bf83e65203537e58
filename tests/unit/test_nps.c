/* SPDX-License-Identifier: MIT */
/* The net promoter score (METRICS.md KPIs, DEFINITIONS.md 1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

/* examples/ex09_nps.csv, whose sources are cited in DEFINITIONS.md section 6: the DELA annual report's glossary (30 % promoters and 20 %
 * detractors are +10), and question 18603 of CrossValidated (shares 1/2, 1/3, 1/6: score 1/3, variance 5/9; with n = 360 the standard error
 * is 100 sqrt(5 / 9 / 360)); the others are bounds. */
static void test_examples(void **state) {
  static const struct {
    const char *name;
    int promoters, passives, detractors;
    double nps, standard_error;
  } cases[] = {
      {"dela_2018", 30, 50, 20, 10, 7.0}, /* .3 + .2 - .01 = .49, sqrt(.49 / 100) = .07 */
      {"crossvalidated_18603", 180, 120, 60, 100.0 / 3, 3.9283710066},
      {"all_promoters", 10, 0, 0, 100, 0},
      {"all_detractors", 0, 0, 10, -100, 0},
      {"all_passives", 0, 10, 0, 0, 0}, /* 0 is a value */
      {"no_responses", 0, 0, 0, NAN, NAN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_begin(&f, CRM_REL_NPS);
    for (int k = 0; k < cases[i].promoters; k++)
      fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=%d", 9 + k % 2);
    for (int k = 0; k < cases[i].passives; k++)
      fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=%d", 7 + k % 2);
    for (int k = 0; k < cases[i].detractors; k++)
      fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=%d", k % 7);
    fixture_at(&f, "2026-03-01");
    fixture_evaluate(&f);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_nps"), cases[i].nps);
    double error = fixture_sum(&f, "crm_nps_standard_error");
    assert_int_equal(isnan(error), isnan(cases[i].standard_error));
    assert_true(isnan(error) || fabs(error - cases[i].standard_error) < 1e-9 * 4); /* the example has ten decimals */
    assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=promoter"), cases[i].promoters);
    assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=passive"), cases[i].passives);
    assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=detractor"), cases[i].detractors);
    fixture_free(&f);
  }
}

/* T = 2026-03-01: 30 d from 2026-01-30, 90 d from 2025-12-01, 1 y from 2025-03-01; the start is out, T is in. */
static void test_windows(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a segment=smb");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b segment=mid status=churned churned_at=2026-02-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=later segment=mid created_at=2026-03-02");
  static const char *const answers[] = {"2026-03-01+1us", "2026-03-01",     "2026-01-30+1us", "2026-01-30", "2025-12-01+1us",
                                        "2025-12-01",     "2025-03-01+1us", "2025-03-01",     "2024-01-01"};
  for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
    fixture_row(&f, CRM_REL_NPS, "account_id=a at=%s score=10", answers[i]);
  fixture_row(&f, CRM_REL_NPS, "account_id=b at=2026-01-15 score=6"); /* answered, then left: the answer stays */
  fixture_row(&f, CRM_REL_NPS, "account_id=later at=2026-02-01 score=0");
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_nps_responses window=30d category=promoter"), 2);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=promoter"), 4);
  assert_close(fixture_sum(&f, "crm_nps_responses window=1y category=promoter"), 6);
  assert_close(fixture_sum(&f, "crm_nps_responses window=30d category=detractor"), 0);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=detractor segment=mid"), 1);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=detractor segment=smb"), 0);
  assert_close(fixture_sum(&f, "crm_nps"), 60); /* 100 (4 - 1) / 5 */
  fixture_free(&f);
}

/* 9 and 10 promote, 7 and 8 are passive, 0 to 6 detract. */
static void test_categories(void **state) {
  for (int score = 0; score <= 10; score++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=%d", score);
    fixture_at(&f, "2026-03-01");
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_nps"), score <= 6 ? -100 : score <= 8 ? 0 : 100);
    fixture_free(&f);
  }
}

/* Kim changed from 2 to 10: only the latest answer of the window counts, within the window in which it lies. Unknown respondents all count,
 * and Kim of another account is another Kim. */
static void test_respondents(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-10 score=10 respondent=kim");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=2 respondent=kim");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2025-06-01 score=2 respondent=kim");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2025-06-01 score=1 respondent=lee");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=8");
  fixture_row(&f, CRM_REL_NPS, "account_id=a at=2026-02-01 score=8");
  fixture_row(&f, CRM_REL_NPS, "account_id=b at=2026-02-01 score=3 respondent=kim");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=promoter"), 1);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=passive"), 2);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=detractor"), 1);
  assert_close(fixture_sum(&f, "crm_nps_responses window=1y category=detractor"), 2);
  assert_close(fixture_sum(&f, "crm_nps"), 0);
  /* As of 5 February the second answer was not there yet. */
  fixture_at(&f, "2026-02-05");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=promoter"), 0);
  assert_close(fixture_sum(&f, "crm_nps_responses window=90d category=detractor"), 2);
  fixture_free(&f);
}

static void test_absent(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_nps"), 0);
  assert_int_equal(fixture_count(&f, "crm_nps_responses"), 0); /* not mapped: absent, not 0 */
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_examples),    cmocka_unit_test(test_windows), cmocka_unit_test(test_categories),
      cmocka_unit_test(test_respondents), cmocka_unit_test(test_absent),
  };
  return cmocka_run_group_tests_name("nps", tests, NULL, NULL);
}
