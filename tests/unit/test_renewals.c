/* SPDX-License-Identifier: MIT */
/* Renewals, worked out by hand (METRICS.md KPIs; Gainsight's renewal rate, DEFINITIONS.md 1: due, renewed and lost by the period in which
 * they were due). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

struct expected {
  const char *query;
  double value;
};

static void check(const struct fixture *f, const struct expected *expected, size_t n) {
  for (size_t i = 0; i < n; i++)
    assert_close_named(expected[i].query, fixture_sum(f, expected[i].query), expected[i].value);
}
#define CHECK(f, array) check(f, array, sizeof(array) / sizeof(array[0]))

static void test_renewals(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  static const char *const contracts[] = {
      /* ended within 30 d: renewed early and higher, lost, decided only after T */
      "contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=1200 outcome=renewed decided_at=2025-11-10 renewed_arr=1500",
      "contract_id=2 starts_at=2025-01-01 ends_at=2026-02-20 arr=600 outcome=lost decided_at=2026-02-25",
      "contract_id=3 starts_at=2025-01-01 ends_at=2026-02-25 arr=400 outcome=renewed decided_at=2026-03-02 renewed_arr=400",
      /* within 90 d: nobody has decided */
      "contract_id=4 starts_at=2025-01-01 ends_at=2026-01-15 arr=300",
      /* within 1 y: renewed lower; renewed at nobody knows what; no value */
      "contract_id=5 starts_at=2024-01-01 ends_at=2025-06-01 arr=1000 outcome=renewed decided_at=2025-05-01 renewed_arr=800",
      "contract_id=6 starts_at=2024-01-01 ends_at=2025-07-01 arr=500 outcome=renewed decided_at=2025-05-01",
      "contract_id=7 starts_at=2024-01-01 ends_at=2025-08-01 outcome=lost decided_at=2025-07-01",
      /* longer ago; never due */
      "contract_id=8 starts_at=2023-01-01 ends_at=2025-02-01 arr=9999 outcome=lost decided_at=2025-01-01",
      "contract_id=9 starts_at=2023-01-01 arr=9999",
      /* to come: in 19, 55 and 80 days, and in 91 */
      "contract_id=10 starts_at=2025-01-01 ends_at=2026-03-20 arr=700 outcome=renewed decided_at=2026-02-01 renewed_arr=900",
      "contract_id=11 starts_at=2025-01-01 ends_at=2026-04-25 arr=100",
      "contract_id=12 starts_at=2025-01-01 ends_at=2026-05-20 arr=50 outcome=lost decided_at=2026-03-02",
      "contract_id=13 starts_at=2025-01-01 ends_at=2026-05-31 arr=9999",
      /* not begun */
      "contract_id=14 starts_at=2026-03-01T00:00Z+1us ends_at=2026-03-10 arr=9999",
  };
  for (size_t i = 0; i < sizeof(contracts) / sizeof(contracts[0]); i++)
    fixture_row(&f, CRM_REL_CONTRACT, "account_id=a %s", contracts[i]);
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_renewals_due window=30d result=renewed", 1},
      {"crm_renewals_due window=30d result=lost", 1},
      {"crm_renewals_due window=30d result=undecided", 1},
      {"crm_renewals_due window=90d result=undecided", 2},
      {"crm_renewals_due window=90d", 4},
      {"crm_renewals_due window=1y result=renewed", 3},
      {"crm_renewals_due window=1y result=lost", 2},
      {"crm_renewals_due window=1y result=undecided", 2},
      {"crm_renewal_arr_due currency=USD window=30d result=renewed", 1200},
      {"crm_renewal_arr_due currency=USD window=30d result=lost", 600},
      {"crm_renewal_arr_due currency=USD window=30d result=undecided", 400},
      {"crm_renewal_arr_due window=90d result=undecided", 700},
      {"crm_renewal_arr_due window=1y result=renewed", 2700},
      {"crm_renewal_arr_due window=1y result=lost", 600},
      /* base = what is known to have become something: without contract 6 */
      {"crm_renewal_arr_base window=30d", 2200},
      {"crm_renewal_arr_renewed window=30d", 1500},
      {"crm_renewal_arr_renewed_gross window=30d", 1200},
      {"crm_renewal_arr_base window=1y", 3500},
      {"crm_renewal_arr_renewed window=1y", 2300},
      {"crm_renewal_arr_renewed_gross window=1y", 2000},
      {"crm_renewal_ratio kind=logo window=30d", 1.0 / 3},
      {"crm_renewal_ratio kind=net window=30d", 15.0 / 22},
      {"crm_renewal_ratio kind=gross window=30d", 12.0 / 22},
      {"crm_renewal_ratio kind=logo window=90d", 1.0 / 4},
      {"crm_renewal_ratio kind=net window=90d", 15.0 / 25},
      {"crm_renewal_ratio kind=logo window=1y", 3.0 / 7},
      {"crm_renewal_ratio kind=net window=1y", 23.0 / 35},
      {"crm_renewal_ratio kind=gross window=1y", 20.0 / 35},
      {"crm_renewals_upcoming horizon=30d result=renewed", 1},
      {"crm_renewals_upcoming horizon=30d", 1},
      {"crm_renewals_upcoming horizon=60d result=undecided", 1},
      {"crm_renewals_upcoming horizon=90d result=undecided", 2},
      {"crm_renewals_upcoming horizon=90d result=lost", 0},
      {"crm_renewal_arr_upcoming horizon=30d result=renewed", 700},
      {"crm_renewal_arr_upcoming horizon=60d result=undecided", 100},
      {"crm_renewal_arr_upcoming horizon=90d result=undecided", 150},
      {"crm_renewal_arr_upcoming currency=USD horizon=90d", 850},
  };
  CHECK(&f, expected);
  /* Two days later the decisions of 2 March are known; the early renewal of contract 1 stays where it was. */
  fixture_at(&f, "2026-03-03");
  fixture_evaluate(&f);
  static const struct expected later[] = {
      {"crm_renewals_due window=30d result=renewed", 2},
      {"crm_renewals_due window=30d result=undecided", 0},
      {"crm_renewal_arr_renewed window=30d", 1900},
      {"crm_renewals_upcoming horizon=90d result=lost", 1},
      {"crm_renewal_arr_upcoming horizon=90d result=lost", 50},
  };
  CHECK(&f, later);
  /* As of November the early renewal is known, and not due for 91 days. */
  fixture_at(&f, "2025-11-16");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_renewals_upcoming horizon=90d result=renewed"), 0);
  fixture_at(&f, "2025-11-17");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_renewals_upcoming horizon=90d result=renewed"), 1);
  fixture_free(&f);
}

/* One contract that ends at `ends`; T = 2026-03-01 in Berlin, whose clocks go forward on 29 March: 30 d later it is 2026-03-31 01:00. */
static void test_edges(void **state) {
  static const struct {
    const char *zone, *at, *ends;
    int due_30d, due_90d, due_1y, up_30d, up_60d, up_90d;
  } cases[] = {
      {"UTC", "2026-03-01", "2026-03-01", 1, 1, 1, 0, 0, 0},
      {"UTC", "2026-03-01", "2026-03-01+1us", 0, 0, 0, 1, 1, 1},
      {"UTC", "2026-03-01", "2026-01-30", 0, 1, 1, 0, 0, 0},
      {"UTC", "2026-03-01", "2026-01-30+1us", 1, 1, 1, 0, 0, 0},
      {"UTC", "2026-03-01", "2025-12-01", 0, 0, 1, 0, 0, 0},
      {"UTC", "2026-03-01", "2025-03-01+1us", 0, 0, 1, 0, 0, 0},
      {"UTC", "2026-03-01", "2025-03-01", 0, 0, 0, 0, 0, 0},
      {"UTC", "2026-03-01", "2026-03-31", 0, 0, 0, 1, 1, 1},
      {"UTC", "2026-03-01", "2026-03-31+1us", 0, 0, 0, 0, 1, 1},
      {"UTC", "2026-03-01", "2026-04-30", 0, 0, 0, 0, 1, 1},
      {"UTC", "2026-03-01", "2026-05-30", 0, 0, 0, 0, 0, 1},
      {"UTC", "2026-03-01", "2026-05-30+1us", 0, 0, 0, 0, 0, 0},
      {"UTC", "2024-02-29", "2023-02-28", 0, 0, 0, 0, 0, 0},
      {"UTC", "2024-02-29", "2023-03-01", 0, 0, 1, 0, 0, 0},
      {"Europe/Berlin", "2026-03-01", "2026-03-31", 0, 0, 0, 1, 1, 1},
      {"Europe/Berlin", "2026-03-01", "2026-03-31T01:00", 0, 0, 0, 1, 1, 1},
      {"Europe/Berlin", "2026-03-01", "2026-03-31T01:00+1us", 0, 0, 0, 0, 1, 1},
      /* midnight in Berlin is 23:00 in Greenwich */
      {"Europe/Berlin", "2026-02-28T22:59:59Z", "2026-03-01", 0, 0, 0, 1, 1, 1},
      {"Europe/Berlin", "2026-02-28T23:00:00Z", "2026-03-01", 1, 1, 1, 0, 0, 0},
  };
  static const char *const queries[] = {"crm_renewals_due window=30d",       "crm_renewals_due window=90d",
                                        "crm_renewals_due window=1y",        "crm_renewals_upcoming horizon=30d",
                                        "crm_renewals_upcoming horizon=60d", "crm_renewals_upcoming horizon=90d"};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, cases[i].zone, "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_row(&f, CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2020-01-01 ends_at=%s arr=10", cases[i].ends);
    fixture_at(&f, cases[i].at);
    fixture_evaluate(&f);
    const int expected[] = {cases[i].due_30d, cases[i].due_90d, cases[i].due_1y, cases[i].up_30d, cases[i].up_60d, cases[i].up_90d};
    for (size_t q = 0; q < 6; q++) {
      char name[128];
      snprintf(name, sizeof(name), "%s: %s", cases[i].ends, queries[q]);
      assert_close_named(name, fixture_sum(&f, queries[q]), expected[q]);
    }
    fixture_free(&f);
  }
}

/* What is decided counts from the instant on at which it is; nobody knows when an undated decision was made, so it always was. */
static void test_decisions(void **state) {
  static const struct {
    const char *decision, *result;
  } cases[] = {
      {"outcome=renewed decided_at=2026-03-01", "renewed"},
      {"outcome=renewed decided_at=2026-03-01+1us", "undecided"},
      {"outcome=lost decided_at=2026-03-01", "lost"},
      {"outcome=lost decided_at=2026-03-01+1us", "undecided"},
      {"outcome=renewed", "renewed"},
      {"outcome=lost", "lost"},
      {"auto_renew=true", "undecided"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int past = 0; past < 2; past++) {
      struct fixture f;
      char query[96];
      fixture_init(&f, "UTC", "USD");
      fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
      fixture_row(&f, CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2025-01-01 ends_at=%s %s", past ? "2026-02-20" : "2026-03-20",
                  cases[i].decision);
      fixture_at(&f, "2026-03-01");
      fixture_evaluate(&f);
      const char *family = past ? "crm_renewals_due window=30d" : "crm_renewals_upcoming horizon=30d";
      snprintf(query, sizeof(query), "%s result=%s", family, cases[i].result);
      assert_close_named(cases[i].decision, fixture_sum(&f, query), 1);
      assert_close_named(cases[i].decision, fixture_sum(&f, family), 1);
      fixture_free(&f);
    }
}

/* Yen have no decimals, dinars three; ratios of money need one currency, the count does not. */
static void test_currencies(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=x currency=JPY");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=y currency=KWD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c tenant=z currency=USD");
  fixture_row(&f, CRM_REL_CONTRACT,
              "account_id=a contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=1201 outcome=renewed renewed_arr=1301");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=b contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=1.001 outcome=lost");
  fixture_row(&f, CRM_REL_CONTRACT,
              "account_id=b contract_id=2 starts_at=2025-01-01 ends_at=2026-02-15 arr=2.002 outcome=renewed renewed_arr=2.002");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=c contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=0.10 outcome=lost");
  fixture_row(&f, CRM_REL_CONTRACT,
              "account_id=c contract_id=2 starts_at=2025-01-01 ends_at=2026-02-15 arr=7 currency=EUR outcome=renewed renewed_arr=7");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_renewal_arr_due currency=JPY window=30d", 1201},
      {"crm_renewal_arr_renewed currency=JPY window=30d", 1301},
      {"crm_renewal_ratio tenant=x kind=net window=30d", 1301.0 / 1201},
      {"crm_renewal_ratio tenant=x kind=gross window=30d", 1},
      {"crm_renewal_arr_due currency=KWD window=30d result=lost", 1.001},
      {"crm_renewal_ratio tenant=y kind=net window=30d", 2.0 / 3},
      {"crm_renewal_ratio tenant=y kind=logo window=30d", 0.5},
      {"crm_renewal_arr_due tenant=z currency=USD window=30d", 0.10},
      {"crm_renewal_arr_due tenant=z currency=EUR window=30d", 7},
      {"crm_renewal_arr_base tenant=z currency=EUR window=30d", 7},
      {"crm_renewal_ratio tenant=z kind=logo window=30d", 0.5},
      {"crm_renewal_ratio tenant=z kind=net window=30d", (double)NAN},
      {"crm_renewal_ratio tenant=z kind=gross window=30d", (double)NAN},
      {"crm_renewal_arr_due tenant=x currency=USD", (double)NAN}, /* not a currency of that tenant */
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

/* Nothing due: no ratio. A value of 0 gives a count and no share of money. */
static void test_zero(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2024-01-01 ends_at=2026-01-15 arr=0 outcome=lost");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_renewals_due window=30d", 0},
      {"crm_renewal_arr_due window=30d", 0},
      {"crm_renewal_ratio window=30d", (double)NAN},
      {"crm_renewal_ratio window=90d kind=logo", 0},
      {"crm_renewal_ratio window=90d kind=net", (double)NAN},
      {"crm_renewal_ratio window=90d kind=gross", (double)NAN},
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

/* What was due counts whoever left; what is to come is due from those that are there. */
static void test_churned(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a segment=s status=churned churned_at=2026-02-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b segment=s status=churned churned_at=2026-01-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c segment=m");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=d segment=m created_at=2026-03-02");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=10 outcome=lost");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=b contract_id=1 starts_at=2026-02-01 ends_at=2026-03-15 arr=20");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=c contract_id=1 starts_at=2025-01-01 ends_at=2026-03-15 arr=40");
  fixture_row(&f, CRM_REL_CONTRACT, "account_id=d contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15 arr=80");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct expected expected[] = {
      {"crm_renewals_due window=30d result=lost segment=s", 1},
      {"crm_renewals_due window=30d segment=m", 0},
      {"crm_renewals_upcoming horizon=30d segment=s", 0},
      {"crm_renewals_upcoming horizon=30d segment=m", 1},
      {"crm_renewal_arr_due window=30d", 10},
      {"crm_renewal_arr_upcoming horizon=30d", 40},
  };
  CHECK(&f, expected);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_renewals),   cmocka_unit_test(test_edges), cmocka_unit_test(test_decisions),
      cmocka_unit_test(test_currencies), cmocka_unit_test(test_zero),  cmocka_unit_test(test_churned),
  };
  return cmocka_run_group_tests_name("renewals", tests, NULL, NULL);
}
