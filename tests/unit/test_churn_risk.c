/* SPDX-License-Identifier: MIT */
/* The churn risk score (METRICS.md section 5). The instant is 2026-03-01 00:00 UTC, hence T - 30 d = 2026-01-30,
 * T - 60 d = 2025-12-31, T - 90 d = 2025-12-01, T - 1 y = 2025-03-01. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

#define USAGE CRM_REL_USAGE
#define SUPPORT CRM_REL_SUPPORT
#define ENGAGEMENT CRM_REL_ENGAGEMENT
#define CONTRACT CRM_REL_CONTRACT
#define INVOICE CRM_REL_INVOICE
#define SIGNAL CRM_REL_SIGNAL
#define MAX_ROWS 8

struct row {
  enum crm_relation relation; /* CRM_REL_ACCOUNT ends the list; a row without text only makes the relation available */
  const char *text;
};

struct indicator_case {
  const char *name;
  enum crm_churn_indicator indicator;
  double expected;
  struct row rows[MAX_ROWS];
};

static const struct indicator_case indicator_cases[] = {
    {"logins: from a mean of 8 to one of 6",
     CRM_CI_DECLINING_LOGIN_FREQUENCY,
     0.25,
     {{USAGE, "day=2025-12-31 logins_per_week=100"}, /* T - 60 d: out */
      {USAGE, "day=2026-01-01 logins_per_week=10"},
      {USAGE, "day=2026-01-30 logins_per_week=6"}, /* T - 30 d belongs to the window before */
      {USAGE, "day=2026-01-31 logins_per_week=7"},
      {USAGE, "day=2026-03-01 logins_per_week=5"},
      {USAGE, "day=2026-03-02 logins_per_week=0"}}},
    {"logins: more than before",
     CRM_CI_DECLINING_LOGIN_FREQUENCY,
     0,
     {{USAGE, "day=2026-01-10 logins_per_week=1"}, {USAGE, "day=2026-02-10 logins_per_week=4"}}},
    {"logins: all gone",
     CRM_CI_DECLINING_LOGIN_FREQUENCY,
     1,
     {{USAGE, "day=2026-01-10 logins_per_week=1"}, {USAGE, "day=2026-02-10 logins_per_week=0"}}},
    {"logins: from nothing there is no decline",
     CRM_CI_DECLINING_LOGIN_FREQUENCY,
     NAN,
     {{USAGE, "day=2026-01-10 logins_per_week=0"}, {USAGE, "day=2026-02-10 logins_per_week=0"}}},
    {"logins: silence is no figure",
     CRM_CI_DECLINING_LOGIN_FREQUENCY,
     NAN,
     {{USAGE, "day=2026-01-10 logins_per_week=5"}, {USAGE, "day=2026-02-10 feature_adoption=5"}}},
    {"adoption: from 80 to 20",
     CRM_CI_REDUCED_FEATURE_USAGE,
     0.75,
     {{USAGE, "day=2026-01-10 feature_adoption=80"}, {USAGE, "day=2026-02-10 feature_adoption=20"}}},
    {"escalations: 3 of 4",
     CRM_CI_SUPPORT_ESCALATIONS,
     0.75,
     {{SUPPORT, "day=2026-01-30 new_tickets=90 escalated=0"},
      {SUPPORT, "day=2026-01-31 new_tickets=1 escalated=1"},
      {SUPPORT, "day=2026-03-01 new_tickets=3 escalated=2"},
      {SUPPORT, "day=2026-02-10 new_tickets=50"}, /* escalations unknown */
      {SUPPORT, "day=2026-02-11 escalated=9"}}},
    {"escalations: of older tickets", CRM_CI_SUPPORT_ESCALATIONS, 1, {{SUPPORT, "day=2026-02-10 new_tickets=1 escalated=5"}}},
    {"escalations: no tickets", CRM_CI_SUPPORT_ESCALATIONS, NAN, {{SUPPORT, "day=2026-02-10 new_tickets=0 escalated=0"}}},

    {"missed: one missed, three held",
     CRM_CI_MISSED_MEETINGS,
     0.25,
     {{ENGAGEMENT, "engagement_id=1 type=meeting scheduled_at=2025-12-31+1us"},
      {ENGAGEMENT, "engagement_id=2 type=call completed_at=2026-03-01"},
      {ENGAGEMENT, "engagement_id=3 type=demo completed_at=2026-01-10 scheduled_at=2025-06-01"},
      {ENGAGEMENT, "engagement_id=4 type=training completed_at=2026-01-11"},
      {ENGAGEMENT, "engagement_id=5 type=meeting scheduled_at=2025-12-31"}, /* T - 60 d */
      {ENGAGEMENT, "engagement_id=6 type=meeting completed_at=2025-12-31"},
      {ENGAGEMENT, "engagement_id=7 type=email scheduled_at=2026-02-01"},     /* a mail is not missed */
      {ENGAGEMENT, "engagement_id=8 type=meeting scheduled_at=2026-03-01"}}}, /* begins only now */
    {"missed: as of T, whatever came later",
     CRM_CI_MISSED_MEETINGS,
     1,
     {{ENGAGEMENT, "engagement_id=1 type=meeting scheduled_at=2026-02-20 completed_at=2026-03-05"},
      {ENGAGEMENT, "engagement_id=2 type=meeting scheduled_at=2026-03-20"}}},
    {"missed: nothing planned, nothing held", CRM_CI_MISSED_MEETINGS, NAN, {{ENGAGEMENT, NULL}}},
    {"responses: slower than 24 h, exactly 24 h is not",
     CRM_CI_DELAYED_RESPONSES,
     0.5,
     {{ENGAGEMENT, "engagement_id=1 type=email completed_at=2025-12-01+1us response_seconds=86401"},
      {ENGAGEMENT, "engagement_id=2 type=email completed_at=2026-03-01 response_seconds=86400"},
      {ENGAGEMENT, "engagement_id=3 type=email completed_at=2025-12-01 response_seconds=99999"},
      {ENGAGEMENT, "engagement_id=4 type=email completed_at=2026-02-01"},
      {SUPPORT, "day=2026-02-01 new_tickets=10 first_response_seconds=1"}}},
    {"responses: of support where no engagement tells: 3 of 4 tickets",
     CRM_CI_DELAYED_RESPONSES,
     0.75,
     {{ENGAGEMENT, "engagement_id=4 type=email completed_at=2026-02-01"},
      {SUPPORT, "day=2025-12-01 new_tickets=100 first_response_seconds=1"},
      {SUPPORT, "day=2025-12-02 new_tickets=3 first_response_seconds=100000"},
      {SUPPORT, "day=2026-02-01 new_tickets=1 first_response_seconds=10"},
      {SUPPORT, "day=2026-02-02 first_response_seconds=10"}}},
    {"outcomes: 1 of 4 recorded",
     CRM_CI_NEGATIVE_OUTCOMES,
     0.25,
     {{ENGAGEMENT, "engagement_id=1 type=call outcome=negative completed_at=2025-12-01+1us"},
      {ENGAGEMENT, "engagement_id=2 type=call outcome=positive completed_at=2026-03-01"},
      {ENGAGEMENT, "engagement_id=3 type=call outcome=neutral completed_at=2026-02-01"},
      {ENGAGEMENT, "engagement_id=4 type=call outcome=action_required completed_at=2026-02-01"},
      {ENGAGEMENT, "engagement_id=5 type=call completed_at=2026-02-01"},
      {ENGAGEMENT, "engagement_id=6 type=call outcome=negative completed_at=2025-12-01"},
      {ENGAGEMENT, "engagement_id=7 type=call outcome=negative completed_at=2026-03-01+1us"}}},
    {"outcomes: none recorded", CRM_CI_NEGATIVE_OUTCOMES, NAN, {{ENGAGEMENT, "engagement_id=5 type=call completed_at=2026-02-01"}}},

    {"renewal: 45 of 90 days left",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0.5,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-15"}}}, /* 31 + 14 days */
    {"renewal: 90 days left",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-05-30"}}},
    {"renewal: a year left", CRM_CI_CONTRACT_APPROACHING_RENEWAL, 0, {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2027-01-01"}}},
    {"renewal: ends now", CRM_CI_CONTRACT_APPROACHING_RENEWAL, 1, {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-03-01"}}},
    {"renewal: past and undecided",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     1,
     {{CONTRACT, "contract_id=1 starts_at=2024-01-01 ends_at=2025-01-01"}}},
    {"renewal: renewed",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-03-10 outcome=renewed decided_at=2026-03-01"}}},
    {"renewal: to be renewed after T, which nobody knows at T",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0.9,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-03-10 outcome=renewed decided_at=2026-03-01+1us"}}},
    {"renewal: the one that ends last of those in force",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0.5,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-15"},
      {CONTRACT, "contract_id=2 starts_at=2025-02-01 ends_at=2026-03-02"},
      {CONTRACT, "contract_id=3 starts_at=2024-02-01 ends_at=2025-03-02"},
      {CONTRACT, "contract_id=4 starts_at=2026-03-02 ends_at=2029-03-02"}}}, /* not begun: invisible */
    {"renewal: the newest of those ended",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     0,
     {{CONTRACT, "contract_id=1 starts_at=2023-01-01 ends_at=2024-01-01"},
      {CONTRACT, "contract_id=2 starts_at=2024-01-01 ends_at=2026-01-01 outcome=renewed decided_at=2025-12-01"}}},
    {"renewal: no end",
     CRM_CI_CONTRACT_APPROACHING_RENEWAL,
     NAN,
     {{CONTRACT, "contract_id=1 starts_at=2025-01-01"}, {CONTRACT, "contract_id=2 starts_at=2025-01-01 ends_at=2026-04-15"}}},
    {"renewal: no contract", CRM_CI_CONTRACT_APPROACHING_RENEWAL, NAN, {{CONTRACT, NULL}}},
    {"payments: one late, one overdue, one on time, one not due",
     CRM_CI_PAYMENT_DELAYS,
     2.0 / 3,
     {{INVOICE, "due_at=2025-06-01 paid_at=2025-06-02"},
      {INVOICE, "due_at=2026-02-28"},
      {INVOICE, "due_at=2026-02-01 paid_at=2026-02-01"},
      {INVOICE, "due_at=2026-03-01"}}},
    {"payments: none", CRM_CI_PAYMENT_DELAYS, NAN, {{INVOICE, NULL}}},
    {"signals: 0.3 + 0.25 within 90 d",
     CRM_CI_BUDGET_CONSTRAINTS,
     0.55,
     {{SIGNAL, "kind=budget_constraints at=2025-12-01 weight=1"},
      {SIGNAL, "kind=budget_constraints at=2025-12-01+1us weight=0.3"},
      {SIGNAL, "kind=budget_constraints at=2026-03-01 weight=0.25"},
      {SIGNAL, "kind=budget_constraints at=2026-03-01+1us weight=1"},
      {SIGNAL, "kind=competitor_mentions at=2026-02-01 weight=0.9"}}},
    {"signals: a weight not given is 1", CRM_CI_COMPETITOR_MENTIONS, 1, {{SIGNAL, "kind=competitor_mentions at=2026-02-01"}}},
    {"signals: no more than 1",
     CRM_CI_FEATURE_REQUESTS,
     1,
     {{SIGNAL, "kind=feature_requests at=2026-02-01 weight=0.7"}, {SIGNAL, "kind=feature_requests at=2026-02-02 weight=0.7"}}},
    {"signals: a sum of nothing is 0", CRM_CI_PRICING_DISCUSSIONS, 0, {{SIGNAL, "kind=feature_requests at=2026-02-01"}}},
    {"signals: not mapped", CRM_CI_PRICING_DISCUSSIONS, NAN, {{USAGE, NULL}}},
};

static double indicator_of(const struct indicator_case *k) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2020-01-01");
  for (size_t i = 0; i < MAX_ROWS && k->rows[i].relation != CRM_REL_ACCOUNT; i++) {
    if (k->rows[i].text == NULL)
      fixture_begin(&f, k->rows[i].relation);
    else
      fixture_row(&f, k->rows[i].relation, "account_id=a %s", k->rows[i].text);
  }
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  struct crm_churn_risk risk;
  assert_int_equal(crm_churn_risk_compute(&f.context, &risk), CRM_OK);
  double value = risk.indicator[k->indicator][0];
  fixture_free(&f);
  return value;
}

static void test_indicators(void **state) {
  for (size_t i = 0; i < sizeof(indicator_cases) / sizeof(indicator_cases[0]); i++)
    assert_close_named(indicator_cases[i].name, indicator_of(&indicator_cases[i]), indicator_cases[i].expected);
}

/* 70 is the upper edge of high, and belongs to it. */
static void test_bands(void **state) {
  struct crm_params p;
  crm_params_defaults(&p);
  static const struct {
    double score;
    enum crm_risk_band band;
  } cases[] = {{0, CRM_RISK_LOW},   {24.999, CRM_RISK_LOW},      {25, CRM_RISK_MEDIUM},    {49.999, CRM_RISK_MEDIUM}, {50, CRM_RISK_HIGH},
               {70, CRM_RISK_HIGH}, {70.001, CRM_RISK_CRITICAL}, {100, CRM_RISK_CRITICAL}, {NAN, CRM_RISK_UNSCORED}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_int_equal(crm_risk_band(&p, cases[i].score), cases[i].band);
}

/* a: health_decline .5 (logins from 10 to 5), business_risk: 45 of 90 days left .5 and no signal 0 -> .25, competitive_threats: one of
 * three kinds 1 -> 1/3; 100 x (.30 x .5 + .25 x .25 + .20 / 3) / .75 = 100 x (.15 + .0625 + .0666..) / .75 = 37.2222.. : medium. b: all
 * gone 1, contract past and signals of every kind: 1, 1, 1 -> 100: critical. c: nothing but signals that are not there: business_risk 0,
 * competitive_threats 0, coverage .45: unscored. d: churned: nowhere. */
static void test_score(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a arr=1000 created_at=2025-01-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b arr=300 currency=EUR created_at=2025-01-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c arr=50 created_at=2025-01-01");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=d arr=7 status=churned churned_at=2026-02-01 created_at=2025-01-01");
  for (const char *id = "abd"; *id != '\0'; id++) {
    fixture_row(&f, USAGE, "account_id=%c day=2026-01-10 logins_per_week=10", *id);
    fixture_row(&f, USAGE, "account_id=%c day=2026-02-10 logins_per_week=%d", *id, *id == 'a' ? 5 : 0);
  }
  fixture_row(&f, CONTRACT, "account_id=a contract_id=1 starts_at=2025-01-01 ends_at=2026-04-15");
  fixture_row(&f, CONTRACT, "account_id=b contract_id=1 starts_at=2025-01-01 ends_at=2026-02-15");
  fixture_row(&f, SIGNAL, "account_id=a kind=pricing_discussions at=2026-02-01");
  fixture_row(&f, SIGNAL, "account_id=b kind=pricing_discussions at=2026-02-01");
  fixture_row(&f, SIGNAL, "account_id=b kind=feature_requests at=2026-02-01");
  fixture_row(&f, SIGNAL, "account_id=b kind=competitor_mentions at=2026-02-01");
  fixture_row(&f, SIGNAL, "account_id=b kind=budget_constraints at=2026-02-01");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);

  const double a = 100 * (0.15 + 0.0625 + 0.2 / 3) / 0.75;
  const struct {
    const char *query;
    double expected;
  } cases[] = {
      {"crm_churn_risk_points", a + 100},
      {"crm_churn_risk_score_average", (a + 100) / 2},
      {"crm_churn_risk_accounts le=30", 0},
      {"crm_churn_risk_accounts le=40", 1},
      {"crm_churn_risk_accounts le=90", 1},
      {"crm_churn_risk_accounts le=100", 2},
      {"crm_churn_risk_accounts le=+Inf", 2},
      {"crm_accounts_by_risk band=low", 0},
      {"crm_accounts_by_risk band=medium", 1},
      {"crm_accounts_by_risk band=high", 0},
      {"crm_accounts_by_risk band=critical", 1},
      {"crm_accounts_by_risk band=unscored", 1},
      {"crm_accounts_by_risk", 3}, /* OPEN */
      {"crm_arr_by_risk band=medium currency=USD", 1000},
      {"crm_arr_by_risk band=unscored currency=USD", 50},
      {"crm_arr_by_risk band=critical currency=USD", 0},
      {"crm_arr_by_risk band=critical currency=EUR", 300},
      {"crm_arr_by_risk currency=USD", 1050}, /* adds up to crm_arr */
      {"crm_arr currency=USD", 1050},
      {"crm_churn_factor_points factor=health_decline", 150},
      {"crm_churn_factor_accounts factor=health_decline", 2},
      {"crm_churn_factor_points factor=business_risk", 125}, /* 25 + 100 + 0 */
      {"crm_churn_factor_accounts factor=business_risk", 3},
      {"crm_churn_factor_points factor=engagement_reduction", NAN},            /* neither engagements nor support are mapped */
      {"crm_churn_indicator_accounts indicator=declining_login_frequency", 2}, /* 0.5 is raised */
      {"crm_churn_indicator_accounts indicator=contract_approaching_renewal", 2},
      {"crm_churn_indicator_accounts indicator=pricing_discussions factor=competitive_threats", 2},
      {"crm_churn_indicator_accounts indicator=budget_constraints", 1},
      {"crm_churn_indicator_accounts indicator=support_escalations", NAN},
      {"crm_churn_indicator_accounts indicator=payment_delays", NAN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].query, fixture_sum(&f, cases[i].query), cases[i].expected);
  fixture_free(&f);
}

/* ARR by band has the series that crm_arr has, also where nobody pays: the bands add up to it cell by cell. */
static void test_arr_cells(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=x segment=smb currency=USD arr=1000");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=x segment=mid currency=USD status=churned churned_at=2026-01-01 arr=500");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c tenant=y segment=mid currency=EUR"); /* unpriced */
  fixture_begin(&f, CRM_REL_SIGNAL);
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  static const struct {
    const char *query;
    double expected;
  } cases[] = {
      {"crm_arr_by_risk tenant=x segment=smb currency=USD", 1000},
      {"crm_arr_by_risk tenant=x segment=smb band=critical currency=USD", 0},
      {"crm_arr_by_risk tenant=x segment=mid currency=USD", 0}, /* the only one has left */
      {"crm_arr tenant=x segment=mid currency=USD", 0},
      {"crm_arr_by_risk tenant=y segment=mid band=low currency=EUR", 0},
      {"crm_arr tenant=y segment=mid currency=EUR", 0},
      {"crm_arr_by_risk tenant=x currency=EUR", NAN}, /* a currency of others */
      {"crm_arr_by_risk tenant=y currency=USD", NAN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].query, fixture_sum(&f, cases[i].query), cases[i].expected);
  assert_int_equal(fixture_count(&f, "crm_arr_by_risk"), 5 * fixture_count(&f, "crm_arr"));
  fixture_free(&f);
}

/* Nothing that risk is made of is mapped: absent, not 0 and not unscored. */
static void test_absent(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a arr=1000");
  fixture_begin(&f, CRM_REL_NPS);
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_churn_risk_accounts"), 0);
  assert_int_equal(fixture_count(&f, "crm_accounts_by_risk"), 0);
  assert_int_equal(fixture_count(&f, "crm_arr_by_risk"), 0);
  assert_int_equal(fixture_count(&f, "crm_churn_factor_accounts"), 0);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_indicators), cmocka_unit_test(test_bands),  cmocka_unit_test(test_score),
      cmocka_unit_test(test_arr_cells),  cmocka_unit_test(test_absent),
  };
  return cmocka_run_group_tests_name("churn_risk", tests, NULL, NULL);
}
