/* SPDX-License-Identifier: MIT */
/* Revenue, one account at a time. Every expected figure is worked out by hand. */
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

/* Past fixture_finish, which takes an undated churn for a mistake. */
static void finish(struct fixture *f) {
  assert_int_equal(crm_builder_finish(f->builder, &f->facts, &f->err), CRM_OK);
}

/* --- one account -------------------------------------------------------------------------------------------------------- */

#define NONE NAN

/* T is 2026-03-01 00:00 UTC: the windows begin on 2026-02-22 (7d), 2026-01-30 (30d), 2025-12-01 (90d) and 2025-03-01 (1y). Amounts are
 * monthly in the rows and annual in what is expected. */
struct account_case {
  const char *name;
  const char *rows[7]; /* A account, R revenue, C contract, W days of the reactivation window */
  double arr;          /* crm_arr, in USD */
  const char *windows[5];
};

static const struct account_case accounts[] = {
    {"new",
     {"A created_at=2026-02-10 status=active", "R at=2026-02-10 mrr=100"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1", "30d closing=1200 new=1200", "90d closing=1200 new=1200",
      "1y closing=1200 new=1200"}},
    {"expansion",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=150"},
     1800,
     {"7d opening=1800 closing=1800 net=1800 gross=1800 base=1800 nrr=1 grr=1",
      "30d opening=1200 closing=1800 expansion=600 net=1800 gross=1200 base=1200 nrr=1.5 grr=1"}},
    {"contraction",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=75"},
     900,
     {"30d opening=1200 closing=900 contraction=300 net=900 gross=900 base=1200 nrr=0.75 grr=0.75"}},
    {"up and down again within the window is nothing: the net between two instants",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=150", "R at=2026-02-12 mrr=100"},
     1200,
     {"30d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"a fall to zero is churn and no contraction; the account stays open",
     {"A created_at=2024-01-01 status=active", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=0"},
     0,
     {"7d", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0", "90d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"churn at the recorded date",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100"},
     0,
     {"7d", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"churn exactly at T has taken effect",
     {"A created_at=2024-01-01 status=churned churned_at=2026-03-01", "R at=2024-01-01 mrr=100"},
     0,
     {"7d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"churn a microsecond after T has not happened, whatever the status says",
     {"A created_at=2024-01-01 status=churned churned_at=2026-03-01+1us", "R at=2024-01-01 mrr=100"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"churn exactly at T-w belongs to what was before the window",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-22", "R at=2024-01-01 mrr=100"},
     0,
     {"7d", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"churn a microsecond after T-w is in the window",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-22+1us", "R at=2024-01-01 mrr=100"},
     0,
     {"7d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"the paid period outlasts T",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100",
      "C contract_id=c1 starts_at=2025-03-15 ends_at=2026-03-15"},
     1200,
     {"30d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"the end of the contract comes after the recorded date",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100",
      "C contract_id=c1 starts_at=2025-02-25 ends_at=2026-02-25"},
     0,
     {"7d opening=1200 churn=1200 base=1200 nrr=0 grr=0", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"of two contracts that cover the date the later end counts",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100",
      "C contract_id=c1 starts_at=2025-02-15 ends_at=2026-02-15", "C contract_id=c2 starts_at=2025-06-01 ends_at=2026-06-01"},
     1200,
     {"30d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"a contract that does not cover the date changes nothing",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100",
      "C contract_id=c1 starts_at=2024-01-01 ends_at=2025-01-01", "C contract_id=c2 starts_at=2026-02-10+1us ends_at=2026-06-01"},
     0,
     {"30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"an open-ended contract tells no end of the paid period",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100", "C contract_id=c1 starts_at=2024-01-01"},
     0,
     {"30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"no recorded date: the end of the last contract",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "C contract_id=c1 starts_at=2024-02-25 ends_at=2025-02-25",
      "C contract_id=c2 starts_at=2025-02-25 ends_at=2026-02-25"},
     0,
     {"7d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"no recorded date, and the last contract ends after T",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "C contract_id=c1 starts_at=2024-02-25 ends_at=2026-04-01"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"no recorded date, and a further contract begins after T",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "C contract_id=c1 starts_at=2024-02-25 ends_at=2026-02-25",
      "C contract_id=c2 starts_at=2026-03-02 ends_at=2027-03-02"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"no recorded date, and the last contract is open-ended: the zero level",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=0",
      "C contract_id=c1 starts_at=2024-02-25 ends_at=2025-02-25", "C contract_id=c2 starts_at=2025-02-25"},
     0,
     {"30d opening=1200 churn=1200 base=1200 nrr=0 grr=0", "1y opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"no date at all but a zero level",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=0", "R at=2026-02-20 mrr=0"},
     0,
     {"7d", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"the zero level that dates the churn lies after T",
     {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100", "R at=2026-03-10 mrr=0"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"a recorded date on an account that is not churned, and no level after it: a field nobody cleared",
     {"A created_at=2024-01-01 status=active churned_at=2026-02-10", "R at=2024-01-01 mrr=100"},
     1200,
     {"30d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"a returning customer, away at the start of the 30 days only",
     {"A created_at=2024-01-01 status=active churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=130"},
     1560,
     {"7d opening=1560 closing=1560 net=1560 gross=1560 base=1560 nrr=1 grr=1", "30d closing=1560 reactivation=1560",
      "90d opening=1200 closing=1560 expansion=360 net=1560 gross=1200 base=1200 nrr=1.3 grr=1"}},
    {"a returning customer who had paid to the end of a contract",
     {"A created_at=2024-01-01 status=active churned_at=2025-11-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=130",
      "C contract_id=c1 starts_at=2025-01-01 ends_at=2026-01-01"},
     1560,
     {"30d closing=1560 reactivation=1560", "90d opening=1200 closing=1560 expansion=360 net=1560 gross=1200 base=1200 nrr=1.3 grr=1"}},
    {"back after zero levels",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=100", "R at=2025-12-20 mrr=0", "R at=2026-02-10 mrr=100"},
     1200,
     {"30d closing=1200 reactivation=1200", "90d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"zero levels before the first positive one are no former revenue",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=0", "R at=2026-02-10 mrr=100"},
     1200,
     {"30d closing=1200 new=1200", "1y closing=1200 new=1200"}},
    {"left, came back, left for good: the recorded date is of the first time",
     {"A created_at=2024-01-01 status=churned churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-01-10 mrr=130",
      "R at=2026-02-10 mrr=0"},
     0,
     {"7d", "30d opening=1560 churn=1560 base=1560 nrr=0 grr=0", "90d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"left, came back, and will leave for good after T",
     {"A created_at=2024-01-01 status=churned churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=130",
      "R at=2026-03-10 mrr=0"},
     1560,
     {"30d closing=1560 reactivation=1560"}},
    {"levels that linger on after the churn",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100", "R at=2026-02-20 mrr=100",
      "R at=2026-02-25 mrr=100"},
     0,
     {"7d", "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"reactivation window: a gap of 57 days is longer than 30",
     {"A created_at=2024-01-01 churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=130", "W 30"},
     1560,
     {"30d closing=1560 new=1560"}},
    {"reactivation window: a gap of exactly 57 days is not longer than 57",
     {"A created_at=2024-01-01 churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10 mrr=130", "W 57"},
     1560,
     {"30d closing=1560 reactivation=1560"}},
    {"reactivation window: a microsecond more than 57 days is",
     {"A created_at=2024-01-01 churned_at=2025-12-15", "R at=2024-01-01 mrr=100", "R at=2026-02-10+1us mrr=130", "W 57"},
     1560,
     {"30d closing=1560 new=1560"}},
    {"unknown, then known: an adjustment, since the account existed",
     {"A created_at=2024-01-01", "R at=2026-02-10 mrr=100"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1", "30d closing=1200 adjustment=1200"}},
    {"unknown, then churned: nothing is known to be lost",
     {"A created_at=2024-01-01 status=churned churned_at=2026-02-20", "R at=2026-02-10 mrr=100"},
     0,
     {"7d", "30d"}},
    {"created within the window, first level known later",
     {"A created_at=2026-02-05", "R at=2026-02-10 mrr=100"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1", "30d closing=1200 new=1200"}},
    {"created exactly at T-w: it existed, at an unknown price",
     {"A created_at=2026-01-30", "R at=2026-02-10 mrr=100"},
     1200,
     {"30d closing=1200 adjustment=1200", "90d closing=1200 new=1200"}},
    {"a level after T is not known yet",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=100", "R at=2026-03-01+1us mrr=500"},
     1200,
     {"30d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"no revenue relation: the account's own ARR from its creation",
     {"A created_at=2026-02-10 arr=1200"},
     1200,
     {"7d opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1", "30d closing=1200 new=1200"}},
    {"no revenue relation, and no creation: since ever",
     {"A arr=1200"},
     1200,
     {"1y opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"}},
    {"a revenue relation without a row of this account: unknown, since its own ARR has no date",
     {"A arr=1200 created_at=2026-02-10", "A account_id=a2", "R account_id=a2 at=2020-01-01 mrr=0"},
     0,
     {"30d"}},
    {"own ARR, churned",
     {"A arr=1200 created_at=2024-01-01 status=churned churned_at=2026-02-10"},
     0,
     {"30d opening=1200 churn=1200 base=1200 nrr=0 grr=0"}},
    {"own ARR unknown: no movement, and no zero that would be a lie in any sum", {"A created_at=2024-01-01"}, 0, {"30d", "1y"}},
    {"a trial stays at zero", {"A created_at=2024-01-01", "R at=2024-01-01 mrr=0"}, 0, {"30d", "1y"}},
    {"losing one of two contracts is contraction",
     {"A created_at=2024-01-01", "R at=2024-01-01 mrr=200", "R at=2026-02-10 mrr=120",
      "C contract_id=c1 starts_at=2024-01-01 arr=960 ends_at=2026-02-10 outcome=lost decided_at=2026-01-15",
      "C contract_id=c2 starts_at=2024-01-01 arr=1440 ends_at=2027-01-01"},
     1440,
     {"30d opening=2400 closing=1440 contraction=960 net=1440 gross=1440 base=2400 nrr=0.6 grr=0.6"}},
    {"a monthly price with four decimals: 12 x 33.3333 is 400.00 in cents",
     {"A created_at=2026-02-10", "R at=2026-02-10 mrr=33.3333"},
     400,
     {"30d closing=400 new=400"}},
    {"another currency: out of one, into the other, and in no retention",
     {"A created_at=2024-01-01 currency=USD", "R at=2024-01-01 mrr=100 currency=EUR", "R at=2026-02-10 mrr=110 currency=USD"},
     1320,
     {"7d opening=1320 closing=1320 net=1320 gross=1320 base=1320 nrr=1 grr=1", "30d/EUR opening=1200 adjustment=-1200",
      "30d closing=1320 adjustment=1320"}},
    {"another currency after a time away: it had paid before",
     {"A created_at=2024-01-01 currency=USD", "R at=2024-01-01 mrr=100 currency=EUR", "R at=2025-12-20 mrr=0 currency=EUR",
      "R at=2026-02-10 mrr=110 currency=USD"},
     1320,
     {"30d closing=1320 reactivation=1320"}},
};

static void test_accounts(void **state) {
  for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
    const struct account_case *a = &accounts[i];
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    revenue_add_rows(&f, a->rows, sizeof(a->rows) / sizeof(a->rows[0]));
    fixture_at(&f, "2026-03-01");
    revenue_compute(&f);
    revenue_check(&f, a->name, "crm_arr currency=USD", a->arr);
    revenue_check(&f, a->name, "crm_mrr currency=USD", a->arr / 12);
    for (size_t w = 0; w < 5 && a->windows[w] != NULL; w++)
      revenue_check_window(&f, a->name, a->windows[w]);
    fixture_free(&f);
  }
}

/* --- the rest of the boundaries ------------------------------------------------------------------------------------------ */

/* Churned without any date: counted as churned at every instant, and never with revenue. */
static void test_undated(void **state) {
  static const char *const rows[] = {"A created_at=2024-01-01 status=churned", "R at=2024-01-01 mrr=100"};
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  revenue_add_rows(&f, rows, 2);
  finish(&f);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  assert_int_equal(f.context.undated_churn[0], 1);
  assert_true(f.context.churn_at[0] == CRM_TIME_NONE);
  assert_true(crm_churned_at(&f.context, 0, fixture_time(&f, "2024-06-01")));
  revenue_check(&f, "undated", "crm_arr", 0);
  revenue_check_window(&f, "undated", "1y");
  fixture_free(&f);
}

static void test_churn_at(void **state) {
  static const struct {
    const char *name;
    const char *rows[4];
    const char *churn_at; /* NULL: none */
  } cases[] = {
      {"recorded", {"A status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100"}, "2026-02-10"},
      {"end of the paid period",
       {"A status=churned churned_at=2026-02-10", "R at=2024-01-01 mrr=100", "C contract_id=c starts_at=2025-05-01 ends_at=2026-05-01"},
       "2026-05-01"},
      {"zero level", {"A status=churned", "R at=2024-01-01 mrr=100", "R at=2025-07-01 mrr=0"}, "2025-07-01"},
      {"came back", {"A status=active churned_at=2025-02-10", "R at=2024-01-01 mrr=100", "R at=2025-07-01 mrr=10"}, NULL},
      {"after T", {"A status=churned churned_at=2026-03-02", "R at=2024-01-01 mrr=100"}, NULL},
      {"never churned", {"A status=active", "R at=2024-01-01 mrr=100", "R at=2025-07-01 mrr=0"}, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    revenue_add_rows(&f, cases[i].rows, 4);
    fixture_at(&f, "2026-03-01");
    fixture_context(&f);
    crm_time expected = cases[i].churn_at != NULL ? fixture_time(&f, cases[i].churn_at) : CRM_TIME_NONE;
    if (f.context.churn_at[0] != expected || f.context.undated_churn[0] != 0)
      fail_msg("%s", cases[i].name);
    fixture_free(&f);
  }
}

static void test_arr_at(void **state) {
  static const char *const rows[] = {"A created_at=2025-01-01 churned_at=2025-06-01 currency=USD", "R at=2025-02-01 mrr=100 currency=EUR",
                                     "R at=2025-09-01 mrr=200 currency=USD"};
  static const struct {
    const char *at;
    crm_money arr;
    const char *currency;
  } cases[] = {
      {"2024-12-31", 0, "USD"},
      {"2025-01-01+-1us", 0, "USD"},
      {"2025-01-01", CRM_MONEY_UNKNOWN, "USD"},
      {"2025-02-01+-1us", CRM_MONEY_UNKNOWN, "USD"},
      {"2025-02-01", 120000, "EUR"},
      {"2025-06-01+-1us", 120000, "EUR"},
      {"2025-06-01", 0, "EUR"},
      {"2025-09-01+-1us", 0, "EUR"},
      {"2025-09-01", 240000, "USD"},
      {"2026-03-01", 240000, "USD"},
  };
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  revenue_add_rows(&f, rows, 3);
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char time[32];
    crm_time shift = 0;
    snprintf(time, sizeof(time), "%s", cases[i].at);
    if (strstr(time, "+-1us") != NULL) {
      *strstr(time, "+-1us") = '\0';
      shift = -1;
    }
    uint16_t currency;
    crm_money arr = crm_arr_at(&f.context, 0, fixture_time(&f, time) + shift, &currency);
    if (arr != cases[i].arr || strcmp(f.facts->currencies[currency].code, cases[i].currency) != 0)
      fail_msg("%s: %lld", cases[i].at, (long long)arr);
  }
  fixture_free(&f);
}

/* 1y before 29 February 2024 is 28 February 2023. */
static void test_leap_day(void **state) {
  static const struct {
    const char *first, *window;
  } cases[] = {
      {"2023-02-28", "1y opening=1200 closing=1200 net=1200 gross=1200 base=1200 nrr=1 grr=1"},
      {"2023-02-28+1us", "1y closing=1200 new=1200"},
  };
  for (size_t i = 0; i < 2; i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a1 created_at=%s", cases[i].first);
    fixture_row(&f, CRM_REL_REVENUE, "account_id=a1 at=%s mrr=100", cases[i].first);
    fixture_at(&f, "2024-02-29");
    revenue_compute(&f);
    revenue_check_window(&f, cases[i].first, cases[i].window);
    fixture_free(&f);
  }
}

/* Currencies with 0 and 3 decimals, side by side and never added up. */
static void test_currencies(void **state) {
  static const char *const rows[] = {
      "A account_id=j created_at=2026-02-10 currency=JPY", "A account_id=k created_at=2026-02-10 currency=KWD",
      "R account_id=j at=2026-02-10 mrr=12345 currency=JPY", "R account_id=k at=2026-02-10 mrr=10.001 currency=KWD"};
  struct fixture f;
  fixture_init(&f, "UTC", "");
  revenue_add_rows(&f, rows, 4);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "JPY", "crm_arr currency=JPY", 148140);
  revenue_check(&f, "KWD", "crm_arr currency=KWD", 120.012);
  revenue_check(&f, "JPY", "crm_mrr currency=JPY", 12345);
  revenue_check(&f, "KWD", "crm_mrr currency=KWD", 10.001);
  revenue_check_window(&f, "JPY", "30d/JPY closing=148140 new=148140");
  revenue_check_window(&f, "KWD", "30d/KWD closing=120.012 new=120.012");
  assert_int_equal(fixture_count(&f, "crm_arr"), 2);
  for (size_t i = 0; i < f.set.n; i++)
    if (f.set.samples[i].family == CRM_FAM_ARR) /* exact: 148140 yen and 120012 fils */
      assert_int_equal(f.set.samples[i].value.num, f.set.samples[i].value.den == 1 ? 148140 : 120012);
  fixture_free(&f);
}

/* No account has a currency: there is no money to speak of, and nothing is published. */
static void test_no_money(void **state) {
  static const char *const rows[] = {"A account_id=a1", "A account_id=a2"};
  struct fixture f;
  fixture_init(&f, "UTC", "");
  revenue_add_rows(&f, rows, 2);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  assert_int_equal(f.set.n, 6 * 4); /* customers are counted without a currency: none */
  assert_int_equal(fixture_count(&f, "crm_accounts_opening") + fixture_count(&f, "crm_accounts_adjusted"), 2 * 4);
  fixture_free(&f);
}

/* Created after T: neither the account nor its tenant or currency exists yet. Without any account there is nothing at all. */
static void test_invisible(void **state) {
  static const char *const rows[] = {"A account_id=a1 tenant=beta created_at=2026-03-01+1us currency=EUR arr=5",
                                     "A account_id=a2 tenant=acme created_at=2026-03-01 currency=USD arr=7"};
  struct fixture f;
  fixture_init(&f, "UTC", "");
  revenue_add_rows(&f, rows, 2);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  revenue_check(&f, "visible", "crm_arr tenant=acme currency=USD", 7);
  assert_int_equal(fixture_count(&f, "crm_arr"), 1);
  assert_int_equal(fixture_count(&f, "crm_arr_identity_residual"), 4);
  fixture_at(&f, "2020-01-01");
  revenue_compute(&f);
  assert_int_equal(f.set.n, 0);
  fixture_free(&f);
}

/* Tenants have their own currencies; each cell of a tenant shows all of them, at zero where it has none. */
static void test_cells(void **state) {
  static const char *const rows[] = {
      "A account_id=a1 tenant=acme segment=smb currency=USD arr=100 created_at=2020-01-01",
      "A account_id=a2 tenant=acme segment=big currency=EUR arr=200 created_at=2026-02-10",
      "A account_id=a3 tenant=acme segment=big currency=USD arr=400 created_at=2020-01-01 status=churned churned_at=2026-02-10",
      "A account_id=b1 tenant=beta segment=smb currency=GBP arr=800 created_at=2020-01-01",
  };
  struct fixture f;
  fixture_init(&f, "UTC", "");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  revenue_add_rows(&f, rows, 4);
  fixture_at(&f, "2026-03-01");
  revenue_compute(&f);
  assert_int_equal(fixture_count(&f, "crm_arr"), 5); /* acme: 2 cells x 2 currencies; beta: 1 x 1 */
  revenue_check(&f, "cells", "crm_arr tenant=acme segment=smb currency=USD", 100);
  revenue_check(&f, "cells", "crm_arr tenant=acme segment=smb currency=EUR", 0);
  revenue_check(&f, "cells", "crm_arr tenant=acme segment=big currency=EUR", 200);
  revenue_check(&f, "cells", "crm_arr tenant=acme segment=big currency=USD", 0);
  revenue_check(&f, "cells", "crm_arr tenant=beta segment=smb currency=GBP", 800);
  revenue_check(&f, "cells", "crm_arr_movement tenant=acme segment=big currency=USD window=30d kind=churn", 400);
  revenue_check(&f, "cells", "crm_arr_movement tenant=acme segment=smb currency=USD window=30d kind=churn", 0);
  revenue_check(&f, "cells", "crm_arr_movement tenant=acme segment=big currency=EUR window=30d kind=new", 200);
  assert_int_equal(fixture_count(&f, "crm_arr_movement"), 5 * 4 * 6);
  revenue_check(&f, "tenants", "crm_net_revenue_retention_ratio tenant=acme currency=USD window=30d", 0.2);
  revenue_check(&f, "tenants", "crm_net_revenue_retention_ratio tenant=acme currency=EUR window=30d", NONE);
  revenue_check(&f, "tenants", "crm_net_revenue_retention_ratio tenant=beta currency=GBP window=30d", 1);
  assert_int_equal(fixture_count(&f, "crm_arr_identity_residual"), 3 * 4);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_accounts), cmocka_unit_test(test_undated),   cmocka_unit_test(test_churn_at),
      cmocka_unit_test(test_arr_at),   cmocka_unit_test(test_leap_day),  cmocka_unit_test(test_currencies),
      cmocka_unit_test(test_no_money), cmocka_unit_test(test_invisible), cmocka_unit_test(test_cells),
  };
  return cmocka_run_group_tests_name("revenue", tests, NULL, NULL);
}
