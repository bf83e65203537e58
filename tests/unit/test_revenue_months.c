/* SPDX-License-Identifier: MIT */
/* Revenue and customers by calendar month, cohorts, lifetime value and concentration. Every expected figure is worked out by hand. */
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

#define NONE NAN

struct expected {
  const char *query;
  double value; /* NONE: no such sample */
};

struct month_case {
  const char *name, *zone, *at;
  const char *rows[14]; /* as in revenue_check.h */
  struct expected expected[24];
};

/* Months shown are 13: with T in 2026-03 those from 2025-03 on. */
static const struct month_case cases[] = {
    {"each movement in its month",
     "UTC",
     "2026-03-10",
     {"A account_id=a1 created_at=2025-02-15", "A account_id=a2 created_at=2026-02-01", "A account_id=a3 created_at=2026-03-01",
      "A account_id=a4 created_at=2025-05-10", "R account_id=a1 at=2025-02-15 arr=1200", "R account_id=a1 at=2026-01-01 arr=1800",
      "R account_id=a2 at=2026-02-28T23:59:59Z+999999us arr=500", "R account_id=a3 at=2026-03-01 arr=700",
      "R account_id=a4 at=2025-05-10 arr=300", "R account_id=a4 at=2025-07-02 arr=0", "R account_id=a4 at=2025-09-30 arr=400",
      "R account_id=a4 at=2025-11-11 arr=350"},
     {{"crm_arr_month_opening month=2025-03", 1200},
      {"crm_arr_month_movement month=2025-02", NONE}, /* the 14th */
      {"crm_arr_month_movement month=2025-03", 0},    /* nothing happened, and that is shown */
      {"crm_arr_month_movement month=2025-05 kind=new", 300},
      {"crm_arr_month_closing month=2025-06", 1500},
      {"crm_arr_month_movement month=2025-07 kind=churn", 300},
      {"crm_arr_month_closing month=2025-07", 1200},
      {"crm_arr_month_movement month=2025-09 kind=reactivation", 400},
      {"crm_arr_month_movement month=2025-11 kind=contraction", 50},
      {"crm_arr_month_closing month=2025-12", 1550},
      {"crm_arr_month_movement month=2025-12 kind=expansion", 0},
      {"crm_arr_month_movement month=2026-01 kind=expansion", 600}, /* a date on the first belongs to the month that it begins */
      {"crm_arr_month_movement month=2026-02 kind=new", 500},       /* the last microsecond of February */
      {"crm_arr_month_opening month=2026-03", 2650},
      {"crm_arr_month_movement month=2026-03 kind=new", 700},
      {"crm_arr_month_closing month=2026-03", 3350},
      {"crm_accounts_month_opening month=2025-07", 2},
      {"crm_accounts_month_movement month=2025-07 kind=lost", 1},
      {"crm_accounts_month_closing month=2025-07", 1},
      {"crm_accounts_month_movement month=2025-09 kind=reactivated", 1},
      {"crm_accounts_month_movement month=2025-09 kind=won", 0},
      {"crm_accounts_month_closing month=2026-03", 4},
      {"crm_arr_month_movement kind=adjustment", 0}}},
    {"the reactivation window: 90 days away are too long for one of 89",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-05-10", "R at=2025-05-10 arr=300", "R at=2025-07-02 arr=0", "R at=2025-09-30 arr=400", "W 89"},
     {{"crm_arr_month_movement month=2025-09 kind=new", 400},
      {"crm_arr_month_movement month=2025-09 kind=reactivation", 0},
      {"crm_accounts_month_movement month=2025-09 kind=won", 1}}},
    {"and just right for one of 90",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-05-10", "R at=2025-05-10 arr=300", "R at=2025-07-02 arr=0", "R at=2025-09-30 arr=400", "W 90"},
     {{"crm_arr_month_movement month=2025-09 kind=new", 0}, {"crm_arr_month_movement month=2025-09 kind=reactivation", 400}}},
    {"half past eleven at night in UTC is the next month in Berlin",
     "Europe/Berlin",
     "2026-03-10",
     {"A created_at=2026-01-31T23:30:00Z", "R at=2026-01-31T23:30:00Z arr=120"},
     {{"crm_arr_month_movement month=2026-01 kind=new", 0},
      {"crm_arr_month_movement month=2026-02 kind=new", 120},
      {"crm_cohort_arr cohort=2026-02 age=0", 120},
      {"crm_cohort_arr cohort=2026-01", NONE}}},
    {"but not in UTC",
     "UTC",
     "2026-03-10",
     {"A created_at=2026-01-31T23:30:00Z", "R at=2026-01-31T23:30:00Z arr=120"},
     {{"crm_arr_month_movement month=2026-01 kind=new", 120}, {"crm_cohort_arr cohort=2026-01 age=0", 120}}},
    {"T is the first instant of a month: that month is running",
     "Europe/Berlin",
     "2026-03-01",
     {"A created_at=2026-02-28", "R at=2026-02-28 arr=120", "R at=2026-03-01 arr=150"},
     {{"crm_arr_month_movement month=2026-02 kind=new", 120},
      {"crm_arr_month_movement month=2026-03 kind=expansion", 30},
      {"crm_arr_month_closing month=2026-03", 150},
      {"crm_arr_month_opening month=2025-03", 0},
      {"crm_arr_month_opening month=2025-02", NONE}}},
    {"a month of 29 days",
     "UTC",
     "2024-03-01",
     {"A created_at=2024-01-05", "R at=2024-01-05 arr=120", "R at=2024-02-29 arr=150"},
     {{"crm_arr_month_movement month=2024-02 kind=expansion", 30}, {"crm_arr_month_movement month=2024-03", 0}}},
    {"unknown before the first level, and another currency: adjustments",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-01-01", "R at=2025-10-10 arr=100", "R at=2026-01-10 arr=9000 currency=JPY"},
     {{"crm_arr_month_movement month=2025-10 kind=adjustment currency=USD", 100},
      {"crm_accounts_month_movement month=2025-10 kind=adjusted currency=USD", 1},
      {"crm_arr_month_movement month=2026-01 kind=adjustment currency=USD", -100},
      {"crm_arr_month_movement month=2026-01 kind=adjustment currency=JPY", 9000},
      {"crm_accounts_month_movement month=2026-01 kind=adjusted currency=USD", -1},
      {"crm_accounts_month_movement month=2026-01 kind=adjusted currency=JPY", 1},
      {"crm_arr_month_closing month=2026-03 currency=USD", 0},
      {"crm_arr_month_closing month=2026-03 currency=JPY", 9000},
      {"crm_cohort_arr cohort=2025-10 age=2 currency=USD", 100}, /* the end of December */
      {"crm_cohort_arr cohort=2025-10 age=3 currency=USD", 0},
      {"crm_cohort_arr cohort=2025-10 age=3 currency=JPY", 9000},
      {"crm_cohort_accounts cohort=2025-10 age=3", 1}}},
    {"a recorded churn, and three decimals",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-01-01 status=churned churned_at=2026-02-01 currency=KWD", "R at=2025-01-01 arr=100.125"},
     {{"crm_arr_month_movement month=2026-02 kind=churn currency=KWD", 100.125},
      {"crm_arr_month_closing month=2026-01", 100.125},
      {"crm_arr_month_closing month=2026-03", 0},
      {"crm_accounts_month_movement month=2026-02 kind=lost", 1}}},
    {"no revenue relation: the account's own from its creation",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-12-24 arr=240"},
     {{"crm_arr_month_movement month=2025-12 kind=new", 240}, {"crm_cohort_arr cohort=2025-12 age=3", 240}}},
    {"cohorts: who leaves and returns keeps the first one",
     "UTC",
     "2026-03-10",
     {"A created_at=2025-05-10", "R at=2025-05-10 arr=300", "R at=2025-07-02 arr=0", "R at=2025-09-30 arr=400"},
     {{"crm_cohort_arr cohort=2025-05 age=0", 300},
      {"crm_cohort_arr cohort=2025-05 age=1", 300},
      {"crm_cohort_arr cohort=2025-05 age=2", 0},
      {"crm_cohort_arr cohort=2025-05 age=3", 0},
      {"crm_cohort_arr cohort=2025-05 age=4", 400},
      {"crm_cohort_arr cohort=2025-05 age=10", 400},
      {"crm_cohort_arr cohort=2025-05 age=11", NONE}, /* April has not begun */
      {"crm_cohort_accounts cohort=2025-05 age=1", 1},
      {"crm_cohort_accounts cohort=2025-05 age=3", 0},
      {"crm_cohort_accounts cohort=2025-05 age=10", 1},
      {"crm_cohort_arr cohort=2025-09", NONE}}},
    {"the last 24 cohorts, to the microsecond",
     "UTC",
     "2026-03-10",
     {"A account_id=a1 created_at=2024-04-01", "A account_id=a2 created_at=2024-03-01", "R account_id=a1 at=2024-04-01 arr=100",
      "R account_id=a2 at=2024-03-31T23:59:59Z+999999us arr=200"},
     {{"crm_cohort_arr cohort=2024-04 age=0", 100},
      {"crm_cohort_arr cohort=2024-04 age=23", 100},
      {"crm_cohort_arr cohort=2024-03", NONE}}},
    {"who came and left within a month is in the cohort only if it comes back",
     "UTC",
     "2026-03-10",
     {"A account_id=a1 created_at=2026-02-05", "A account_id=a2 created_at=2026-01-05", "R account_id=a1 at=2026-02-05 arr=100",
      "R account_id=a1 at=2026-02-20 arr=0", "R account_id=a1 at=2026-03-05 arr=150", "R account_id=a2 at=2026-01-05 arr=100",
      "R account_id=a2 at=2026-01-20 arr=0"},
     {{"crm_cohort_arr cohort=2026-02 age=0", 0},
      {"crm_cohort_arr cohort=2026-02 age=1", 150},
      {"crm_cohort_accounts cohort=2026-02 age=0", 0},
      {"crm_cohort_accounts cohort=2026-02 age=1", 1},
      {"crm_cohort_arr cohort=2026-01", NONE},
      {"crm_arr_month_movement month=2026-03 kind=reactivation", 150},
      {"crm_arr_month_movement month=2026-02", 0}}},
    /* Complete months are 2025-09 to 2026-02. Rates: September 0 of 4, October 1 of 4, then 0 of 3: their mean is 1/24, and 24 months are
     * expected of each. What is lost in March does not count yet: two are left. 100 a month x 24. */
    {"lifetime value",
     "UTC",
     "2026-03-10",
     {"A account_id=a1", "A account_id=a2", "A account_id=a3", "A account_id=a4", "R account_id=a1 at=2025-01-01 mrr=100",
      "R account_id=a2 at=2025-01-01 mrr=100", "R account_id=a3 at=2025-01-01 mrr=500", "R account_id=a4 at=2025-01-01 mrr=900",
      "R account_id=a4 at=2025-10-20 mrr=0", "R account_id=a3 at=2026-03-02 mrr=0"},
     {{"crm_customer_lifetime_value", 2400}, {"crm_revenue_per_account", 100}, {"crm_accounts_month_movement month=2025-10 kind=lost", 1}}},
    /* Only January (0 of 2) and February (1 of 2) have a rate: mean 1/4. */
    {"lifetime value of a young business: months without customers have no rate",
     "UTC",
     "2026-03-10",
     {"A account_id=a1 created_at=2025-12-05", "A account_id=a2 created_at=2025-12-05", "R account_id=a1 at=2025-12-05 mrr=100",
      "R account_id=a2 at=2025-12-05 mrr=100", "R account_id=a2 at=2026-02-10 mrr=0"},
     {{"crm_customer_lifetime_value", 400}}},
    {"without churn, or without customers, there is no lifetime",
     "UTC",
     "2026-03-10",
     {"A account_id=a1", "A account_id=a2 currency=EUR", "R account_id=a1 at=2025-01-01 mrr=100", "R account_id=a2 at=2025-01-01 mrr=100",
      "R account_id=a2 at=2026-02-10 mrr=0"},
     {{"crm_customer_lifetime_value", NONE},
      {"crm_revenue_per_account currency=USD", 100},
      {"crm_revenue_per_account currency=EUR", NONE},
      {"crm_arr_concentration_ratio currency=EUR", NONE},
      {"crm_arr_concentration_ratio currency=USD top=1", 1},
      {"crm_arr_concentration_ratio currency=USD top=20", 1}}},
};

static void run(struct fixture *f, const struct month_case *k) {
  fixture_init(f, k->zone, "USD");
  revenue_add_rows(f, k->rows, sizeof(k->rows) / sizeof(k->rows[0]));
  fixture_at(f, k->at);
  revenue_compute(f);
}

static void test_cases(void **state) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct month_case *k = &cases[i];
    struct fixture f;
    run(&f, k);
    for (size_t e = 0; e < sizeof(k->expected) / sizeof(k->expected[0]) && k->expected[e].query != NULL; e++)
      revenue_check(&f, k->name, k->expected[e].query, k->expected[e].value);
    fixture_free(&f);
  }
}

/* 13 months of each, whatever happened in them. */
static void test_shape(void **state) {
  struct fixture f;
  run(&f, &cases[0]);
  assert_int_equal(fixture_count(&f, "crm_arr_month_opening"), 13);
  assert_int_equal(fixture_count(&f, "crm_arr_month_closing"), 13);
  assert_int_equal(fixture_count(&f, "crm_arr_month_movement"), 13 * 6);
  assert_int_equal(fixture_count(&f, "crm_accounts_month_movement"), 13 * 4);
  /* Cohorts 2025-02, 2025-05, 2026-02 and 2026-03 with 14, 11, 2 and 1 months. */
  assert_int_equal(fixture_count(&f, "crm_cohort_arr"), 14 + 11 + 2 + 1);
  assert_int_equal(fixture_count(&f, "crm_cohort_accounts"), 14 + 11 + 2 + 1);
  fixture_free(&f);
}

/* The first of the cases of lifetime value: 24 months at 100. */
static void test_lifetime_options(void **state) {
  static const struct {
    double margin, cap, expected;
  } options[] = {{1, 60, 2400}, {0.8, 60, 1920}, {1, 12, 1200}, {0.5, 12, 600}, {1, 24, 2400}, {1, 0, 2400}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    if (strcmp(cases[i].name, "lifetime value") != 0)
      continue;
    struct fixture f;
    run(&f, &cases[i]);
    for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
      f.params.gross_margin = options[o].margin;
      f.params.lifetime_cap_months = options[o].cap;
      revenue_compute(&f);
      revenue_check(&f, "options of lifetime value", "crm_customer_lifetime_value", options[o].expected);
    }
    fixture_free(&f);
    return;
  }
  fail_msg("the case has another name");
}

/* Accounts of 1 to 22 and one of 0: 253 in all. The largest 5 hold 22 + 21 + 20 + 19 + 18 = 100, 10 hold 175, and 20 all but 1 + 2. */
static void test_concentration(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  for (int i = 0; i <= 22; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a%d arr=%d", i, i * 7 % 23); /* in no order */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=other tenant=beta arr=1000");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=yen arr=1000 currency=JPY");
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "concentration", "crm_arr_concentration_ratio tenant=acme currency=USD top=1", 22.0 / 253);
  revenue_check(&f, "concentration", "crm_arr_concentration_ratio tenant=acme currency=USD top=5", 100.0 / 253);
  revenue_check(&f, "concentration", "crm_arr_concentration_ratio tenant=acme currency=USD top=10", 175.0 / 253);
  revenue_check(&f, "concentration", "crm_arr_concentration_ratio tenant=acme currency=USD top=20", 250.0 / 253);
  revenue_check(&f, "concentration", "crm_arr_concentration_ratio tenant=beta currency=USD top=1", 1);
  revenue_check(&f, "accounts", "crm_arr_accounts tenant=acme currency=USD", 22);
  revenue_check(&f, "accounts", "crm_arr_accounts tenant=acme currency=JPY", 1);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),
      cmocka_unit_test(test_shape),
      cmocka_unit_test(test_lifetime_options),
      cmocka_unit_test(test_concentration),
  };
  return cmocka_run_group_tests_name("revenue_months", tests, NULL, NULL);
}
