/* SPDX-License-Identifier: MIT */
/* Published worked examples of revenue metrics, each with where it stands. */
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

#include "lib/revenue_check.h"

/* GitLab handbook, finance/operating-metrics, on gross and net retention: customer X went from 50 to 100, Y from 125 to 100. Net 114 %,
 * gross 86 % over both; the means of the two customers' rates, 140 % and 90 %, are what it warns of. */
static void test_gitlab_retention(void **state) {
  static const char *const rows[] = {"A account_id=x segment=X",
                                     "A account_id=y segment=Y",
                                     "R account_id=x at=2024-01-01 mrr=50",
                                     "R account_id=x at=2025-08-01 mrr=100",
                                     "R account_id=y at=2024-01-01 mrr=125",
                                     "R account_id=y at=2025-08-01 mrr=100"};
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  revenue_add_rows(&f, rows, 6);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "all", "crm_net_revenue_retention_ratio window=1y", 1.1428571428571428);
  revenue_check(&f, "all", "crm_gross_revenue_retention_ratio window=1y", 0.8571428571428571);
  assert_false(revenue_near(fixture_sum(&f, "crm_net_revenue_retention_ratio window=1y"), 1.4));
  assert_false(revenue_near(fixture_sum(&f, "crm_gross_revenue_retention_ratio window=1y"), 0.9));
  static const struct {
    const char *segment;
    double net, gross;
  } customers[] = {{"X", 2.0, 1.0}, {"Y", 0.8, 0.8}};
  for (size_t i = 0; i < 2; i++) {
    char net[96], gross[96], base[96];
    snprintf(net, sizeof(net), "crm_arr_retained_net window=1y segment=%s", customers[i].segment);
    snprintf(gross, sizeof(gross), "crm_arr_retained_gross window=1y segment=%s", customers[i].segment);
    snprintf(base, sizeof(base), "crm_arr_retention_base window=1y segment=%s", customers[i].segment);
    assert_true(revenue_near(fixture_sum(&f, net) / fixture_sum(&f, base), customers[i].net));
    assert_true(revenue_near(fixture_sum(&f, gross) / fixture_sum(&f, base), customers[i].gross));
  }
  fixture_free(&f);
}

/* ChartMogul help, article 201244842, life of a subscriber: gold 4 x 500 a year, silver 2 x 30 a month on top, silver cancelled, gold
 * cancelled (churn at the end of the paid period, not at the click), gold again 3 x 50 a month. The CRM is read after each step; `status`
 * is what it said then. */
static void test_chartmogul_lifecycle(void **state) {
  static const struct {
    const char *step;
    const char *account; /* as the CRM had it */
    size_t n_levels;
    const char *at;
    double mrr_after;
    const char *window;
  } steps[] = {
      {"1 new business", "status=active", 1, "2025-01-11", 2000.0 / 12, "30d closing=2000 new=2000"},
      {"2 expansion and not new business", "status=active", 2, "2025-02-11", 2720.0 / 12,
       "30d opening=2000 closing=2720 expansion=720 net=2720 gross=2000 base=2000 nrr=1.36 grr=1"},
      {"3 contraction rather than churn", "status=active", 3, "2025-03-11", 2000.0 / 12,
       "30d opening=2720 closing=2000 contraction=720 net=2000 gross=2000 base=2720 nrr=0.7352941176470589 grr=0.7352941176470589"},
      {"4 the click", "status=churned churned_at=2025-06-15", 3, "2025-07-01", 2000.0 / 12,
       "30d opening=2000 closing=2000 net=2000 gross=2000 base=2000 nrr=1 grr=1"},
      {"4 the end of the paid period", "status=churned churned_at=2025-06-15", 3, "2026-01-11", 0,
       "30d opening=2000 churn=2000 base=2000 nrr=0 grr=0"},
      {"5 reactivation", "status=active churned_at=2025-06-15", 4, "2026-03-11", 150, "30d closing=1800 reactivation=1800"},
  };
  static const char *const levels[] = {"at=2025-01-01 arr=2000", "at=2025-02-01 arr=2720", "at=2025-03-01 arr=2000",
                                       "at=2026-03-01 mrr=150"};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a1 created_at=2025-01-01 %s", steps[i].account);
    fixture_row(&f, CRM_REL_CONTRACT, "account_id=a1 contract_id=gold starts_at=2025-01-01 ends_at=2026-01-01");
    for (size_t l = 0; l < steps[i].n_levels; l++)
      fixture_row(&f, CRM_REL_REVENUE, "account_id=a1 %s", levels[l]);
    fixture_at(&f, steps[i].at);
    revenue_compute(&f);
    revenue_check(&f, steps[i].step, "crm_mrr", steps[i].mrr_after);
    revenue_check_window(&f, steps[i].step, steps[i].window);
    fixture_free(&f);
  }
}

/* Vitally documentation, measuring-net-revenue-retention-nrr: 100 customers with 1,000,000 at the start of the quarter, 10 churned with
 * 25,000, 20 expanded by 150,000, 5 contracted by 25,000: 1.1 M, 110 %. That gross retention is 95 % follows from the same figures. */
static void test_vitally_nrr(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  /* 10 x 2,500 churn; 20 x 10,000 rise to 17,500; 5 x 15,000 fall to 10,000; 65 x 10,769.23 stay, the last one 0.05 more to make a million.
   */
  for (int i = 0; i < 100; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a%02d created_at=2024-01-01 %s", i, i < 10 ? "status=churned churned_at=2026-01-15" : "");
  for (int i = 0; i < 100; i++) {
    const char *before = i < 10 ? "2500" : i < 30 ? "10000" : i < 35 ? "15000" : i < 99 ? "10769.23" : "10769.28";
    const char *after = i >= 10 && i < 30 ? "17500" : i >= 30 && i < 35 ? "10000" : NULL;
    fixture_row(&f, CRM_REL_REVENUE, "account_id=a%02d at=2024-01-01 arr=%s", i, before);
    if (after != NULL)
      fixture_row(&f, CRM_REL_REVENUE, "account_id=a%02d at=2026-02-01 arr=%s", i, after);
  }
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check_window(
      &f, "vitally",
      "90d opening=1000000 closing=1100000 churn=25000 expansion=150000 contraction=25000 net=1100000 gross=950000 base=1000000 "
      "nrr=1.1 grr=0.95");
  fixture_free(&f);
}

/* ChartMogul help, article 203359341: of 100 MRR at the start 10 churned, 10 contracted, 10 expanded: gross churn 20 %, net 10 %. Our
 * families hold the parts; one minus the retention ratios are these rates, since nobody was reactivated. */
static void test_chartmogul_rates(void **state) {
  static const char *const rows[] = {
      "A account_id=churn status=churned churned_at=2026-02-10",
      "A account_id=less",
      "A account_id=more",
      "A account_id=same",
      "R account_id=churn at=2024-01-01 mrr=10",
      "R account_id=less at=2024-01-01 mrr=30",
      "R account_id=less at=2026-02-10 mrr=20",
      "R account_id=more at=2024-01-01 mrr=40",
      "R account_id=more at=2026-02-10 mrr=50",
      "R account_id=same at=2024-01-01 mrr=20",
  };
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  revenue_add_rows(&f, rows, 10);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check_window(
      &f, "rates", "30d opening=1200 closing=1080 churn=120 contraction=120 expansion=120 net=1080 gross=960 base=1200 nrr=0.9 grr=0.8");
  double opening = fixture_sum(&f, "crm_arr_opening window=30d");
  double lost = fixture_sum(&f, "crm_arr_movement window=30d kind=churn") + fixture_sum(&f, "crm_arr_movement window=30d kind=contraction");
  double won =
      fixture_sum(&f, "crm_arr_movement window=30d kind=expansion") + fixture_sum(&f, "crm_arr_movement window=30d kind=reactivation");
  assert_true(revenue_near(lost / opening, 0.20));
  assert_true(revenue_near((lost - won) / opening, 0.10));
  fixture_free(&f);
}

/* Stripe documentation, billing/subscriptions/analytics/glossary: 100 subscribers at 100 a month and 50 at 600 a year have an MRR of
 * 12,500. (The page prints 800/12; only 600/12 gives its total.) */
static void test_stripe_mrr(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  for (int i = 0; i < 150; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a%03d segment=%s", i, i < 100 ? "A" : "B");
  for (int i = 0; i < 150; i++)
    fixture_row(&f, CRM_REL_REVENUE, "account_id=a%03d at=2024-01-01 %s", i, i < 100 ? "mrr=100" : "arr=600");
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "plan A", "crm_mrr segment=A", 10000);
  revenue_check(&f, "plan B", "crm_mrr segment=B", 2500);
  revenue_check(&f, "total", "crm_mrr", 12500);
  revenue_check(&f, "total", "crm_arr", 150000);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gitlab_retention), cmocka_unit_test(test_chartmogul_lifecycle), cmocka_unit_test(test_vitally_nrr),
      cmocka_unit_test(test_chartmogul_rates), cmocka_unit_test(test_stripe_mrr),
  };
  return cmocka_run_group_tests_name("revenue_examples", tests, NULL, NULL);
}
