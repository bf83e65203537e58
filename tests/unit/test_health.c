/* SPDX-License-Identifier: MIT */
/* The health score (METRICS.md section 5). The instant is 2026-03-01 00:00 UTC unless a case says otherwise, hence
 * T - 30 d = 2026-01-30, T - 90 d = 2025-12-01 (31 days of December, 31 of January, 28 of February), T - 1 y = 2025-03-01. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "analytics/health_inputs.h"
#include "analytics/reference.h"
#include "analytics/scores.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

#define USAGE CRM_REL_USAGE
#define SUPPORT CRM_REL_SUPPORT
#define ENGAGEMENT CRM_REL_ENGAGEMENT
#define CONTACT CRM_REL_CONTACT
#define CONTRACT CRM_REL_CONTRACT
#define INVOICE CRM_REL_INVOICE
#define MAX_ROWS 8

struct row {
  enum crm_relation relation; /* CRM_REL_ACCOUNT ends the list; a row without text only makes the relation available */
  const char *text;
};

struct input_case {
  const char *name;
  enum crm_health_input input;
  double expected;
  const char *account; /* further columns of the account */
  struct row rows[MAX_ROWS];
  const char *zone, *at; /* NULL: UTC, 2026-03-01 */
};

static const struct input_case input_cases[] = {
    /* product usage */
    {"logins: mean of the window over the target of 5: (2 + 4) / 2 / 5; T - 30 d is out, T is in", CRM_HI_LOGIN_FREQUENCY, 60, "",
     .rows = {{USAGE, "day=2026-01-30 logins_per_week=100"},
              {USAGE, "day=2026-01-31 logins_per_week=2"},
              {USAGE, "day=2026-03-01 logins_per_week=4"}}},
    {"logins: a row after T is invisible", CRM_HI_LOGIN_FREQUENCY, 80, "",
     .rows = {{USAGE, "day=2026-02-01 logins_per_week=4"}, {USAGE, "day=2026-03-02 logins_per_week=0"}}},
    {"logins: no more than 100", CRM_HI_LOGIN_FREQUENCY, 100, "", .rows = {{USAGE, "day=2026-02-01 logins_per_week=12"}}},
    {"logins: 0 is a figure", CRM_HI_LOGIN_FREQUENCY, 0, "", .rows = {{USAGE, "day=2026-02-01 logins_per_week=0"}}},
    {"logins: NULL is none", CRM_HI_LOGIN_FREQUENCY, NAN, "", .rows = {{USAGE, "day=2026-02-01 feature_adoption=5"}}},
    {"logins: none in the window", CRM_HI_LOGIN_FREQUENCY, NAN, "", .rows = {{USAGE, "day=2026-01-30 logins_per_week=4"}}},
    {"logins: Berlin at 22:59:59 UTC has not begun 1 March: only 28 February counts", CRM_HI_LOGIN_FREQUENCY, 20, "",
     .rows = {{USAGE, "day=2026-02-28 logins_per_week=1"}, {USAGE, "day=2026-03-01 logins_per_week=5"}}, "Europe/Berlin",
     "2026-02-28T22:59:59Z"},
    {"logins: Berlin at 23:00 UTC has", CRM_HI_LOGIN_FREQUENCY, 60, "",
     .rows = {{USAGE, "day=2026-02-28 logins_per_week=1"}, {USAGE, "day=2026-03-01 logins_per_week=5"}}, "Europe/Berlin",
     "2026-02-28T23:00:00Z"},
    {"adoption: the latest that is known", CRM_HI_FEATURE_ADOPTION, 80, "",
     .rows = {{USAGE, "day=2026-02-01 feature_adoption=30"},
              {USAGE, "day=2026-02-20 feature_adoption=80"},
              {USAGE, "day=2026-02-25 logins_per_week=1"}}},
    {"adoption: too old", CRM_HI_FEATURE_ADOPTION, NAN, "", .rows = {{USAGE, "day=2026-01-30 feature_adoption=80"}}},
    {"sessions: median 600 of 900", CRM_HI_SESSION_DURATION, 200.0 / 3, "",
     .rows = {{USAGE, "day=2026-02-01 session_seconds=300"},
              {USAGE, "day=2026-02-02 session_seconds=5000"},
              {USAGE, "day=2026-02-03 session_seconds=600"}}},
    {"sessions: of two the mean, 450 of 900", CRM_HI_SESSION_DURATION, 50, "",
     .rows = {{USAGE, "day=2026-02-01 session_seconds=600"}, {USAGE, "day=2026-02-02 session_seconds=300"}}},
    {"sessions: no more than 100", CRM_HI_SESSION_DURATION, 100, "", .rows = {{USAGE, "day=2026-02-01 session_seconds=1800"}}},
    {"users: a level holds however old it is: 8 of 10", CRM_HI_USER_ACTIVITY, 80, "seats=10",
     .rows = {{USAGE, "day=2025-06-01 active_users=8"},
              {USAGE, "day=2026-02-20 logins_per_week=1"},
              {USAGE, "day=2026-03-02 active_users=1"}}},
    {"users: more users than seats", CRM_HI_USER_ACTIVITY, 100, "seats=10", .rows = {{USAGE, "day=2026-02-01 active_users=15"}}},
    {"users: no seats", CRM_HI_USER_ACTIVITY, NAN, "seats=0", .rows = {{USAGE, "day=2026-02-01 active_users=15"}}},
    {"users: seats unknown", CRM_HI_USER_ACTIVITY, NAN, "", .rows = {{USAGE, "day=2026-02-01 active_users=15"}}},

    /* support */
    {"severity: 100 - (20 + 40) / 2", CRM_HI_TICKET_SEVERITY, 70, "",
     .rows = {{SUPPORT, "day=2026-01-30 severity=100"}, {SUPPORT, "day=2026-01-31 severity=20"}, {SUPPORT, "day=2026-03-01 severity=40"}}},
    {"resolution: (10 h x 1 + 40 h x 2) / 3 = 30 h, a quarter of the way from 75 to 50", CRM_HI_RESOLUTION_TIME, 68.75, "",
     .rows = {{SUPPORT, "day=2026-02-01 resolution_hours=10 resolved_tickets=1"},
              {SUPPORT, "day=2026-02-02 resolution_hours=40 resolved_tickets=2"}}},
    {"resolution: nothing resolved", CRM_HI_RESOLUTION_TIME, NAN, "",
     .rows = {{SUPPORT, "day=2026-02-01 resolution_hours=10 resolved_tickets=0"}}},
    {"resolution: how many is unknown", CRM_HI_RESOLUTION_TIME, NAN, "", .rows = {{SUPPORT, "day=2026-02-01 resolution_hours=10"}}},
    {"satisfaction: 25 x (4.5 - 1)", CRM_HI_SATISFACTION, 87.5, "",
     .rows = {{SUPPORT, "day=2026-02-01 csat=4"}, {SUPPORT, "day=2026-02-02 csat=5"}}},
    {"satisfaction: the worst", CRM_HI_SATISFACTION, 0, "", .rows = {{SUPPORT, "day=2026-02-01 csat=1"}}},
    {"tickets: no row is no ticket, and 0 is at the median 0", CRM_HI_TICKET_VOLUME, 100, "", .rows = {{SUPPORT, NULL}}},
    {"tickets: rows that do not tell", CRM_HI_TICKET_VOLUME, NAN, "", .rows = {{SUPPORT, "day=2026-02-01 csat=4"}}},
    {"tickets: not mapped", CRM_HI_TICKET_VOLUME, NAN, "", .rows = {{USAGE, NULL}}},

    /* engagement */
    {"meetings: one of two; T - 30 d is out, after T is invisible, mails and plans do not count", CRM_HI_MEETING_FREQUENCY, 50, "",
     .rows = {{ENGAGEMENT, "engagement_id=1 type=meeting completed_at=2026-01-30"},
              {ENGAGEMENT, "engagement_id=2 type=training completed_at=2026-01-30+1us"},
              {ENGAGEMENT, "engagement_id=3 type=meeting completed_at=2026-03-01+1us scheduled_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=4 type=email completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=5 type=note completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=6 type=demo scheduled_at=2026-02-01"}}},
    {"meetings: at T is in", CRM_HI_MEETING_FREQUENCY, 100, "",
     .rows = {{ENGAGEMENT, "engagement_id=1 type=call completed_at=2026-03-01"},
              {ENGAGEMENT, "engagement_id=2 type=demo completed_at=2026-02-01"}}},
    {"meetings: a count of nothing is 0", CRM_HI_MEETING_FREQUENCY, 0, "", .rows = {{ENGAGEMENT, NULL}}},
    {"responses: a share of nothing is none", CRM_HI_RESPONSE_RATE, NAN, "", .rows = {{ENGAGEMENT, NULL}}},
    {"responses: (3 + 0) / (4 + 2); unknown ones do not count", CRM_HI_RESPONSE_RATE, 50, "",
     .rows = {{ENGAGEMENT, "engagement_id=1 type=meeting completed_at=2026-02-01 participants=4 accepted=3"},
              {ENGAGEMENT, "engagement_id=2 type=email completed_at=2026-02-02 participants=2 accepted=0"},
              {ENGAGEMENT, "engagement_id=3 type=call completed_at=2026-02-03 accepted=9"},
              {ENGAGEMENT, "engagement_id=4 type=call completed_at=2026-02-03 participants=9"},
              {ENGAGEMENT, "engagement_id=5 type=call completed_at=2026-02-03 participants=0 accepted=0"},
              {ENGAGEMENT, "engagement_id=6 type=call completed_at=2026-01-30 participants=9 accepted=9"}}},
    {"outcomes: (2 + 0.5) / 4; action_required and unrecorded are neither; 90 d", CRM_HI_OUTCOME_QUALITY, 62.5, "",
     .rows = {{ENGAGEMENT, "engagement_id=1 type=meeting outcome=positive completed_at=2025-12-01+1us"},
              {ENGAGEMENT, "engagement_id=2 type=meeting outcome=positive completed_at=2026-03-01"},
              {ENGAGEMENT, "engagement_id=3 type=call outcome=neutral completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=4 type=call outcome=negative completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=5 type=call outcome=action_required completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=6 type=call completed_at=2026-02-01"},
              {ENGAGEMENT, "engagement_id=7 type=call outcome=negative completed_at=2025-12-01"}}},
    {"outcomes: none that judges", CRM_HI_OUTCOME_QUALITY, NAN, "",
     .rows = {{ENGAGEMENT, "engagement_id=5 type=call outcome=action_required completed_at=2026-02-01"}}},
    {"stakeholders: k1 of k1 and k2; k3 has left, k4 comes later, and nobody counts twice", CRM_HI_STAKEHOLDER_PARTICIPATION, 50, "",
     .rows = {{CONTACT, "contact_id=k1 status=active"},
              {CONTACT, "contact_id=k2 status=active since=2026-03-01"},
              {CONTACT, "contact_id=k3 status=left"},
              {CONTACT, "contact_id=k4 status=active since=2026-03-01+1us"},
              {ENGAGEMENT, "engagement_id=1 type=meeting completed_at=2026-02-01 contacts=k1,k3,k4"},
              {ENGAGEMENT, "engagement_id=2 type=call completed_at=2026-02-02 contacts=k1"},
              {ENGAGEMENT, "engagement_id=3 type=call completed_at=2025-12-01 contacts=k2"},
              {ENGAGEMENT, "engagement_id=4 type=call scheduled_at=2026-02-02 contacts=k2"}}},
    {"stakeholders: nobody met", CRM_HI_STAKEHOLDER_PARTICIPATION, 0, "",
     .rows = {{CONTACT, "contact_id=k1 status=active"}, {ENGAGEMENT, NULL}}},
    {"stakeholders: nobody there", CRM_HI_STAKEHOLDER_PARTICIPATION, NAN, "",
     .rows = {{CONTACT, "contact_id=k1 status=inactive"}, {ENGAGEMENT, NULL}}},
    {"stakeholders: contacts not mapped", CRM_HI_STAKEHOLDER_PARTICIPATION, NAN, "", .rows = {{ENGAGEMENT, NULL}}},

    /* business */
    {"contract value: alone", CRM_HI_CONTRACT_VALUE, 50, "arr=1000", .rows = {{USAGE, NULL}}},
    {"contract value: does not pay", CRM_HI_CONTRACT_VALUE, NAN, "arr=0", .rows = {{USAGE, NULL}}},
    {"contract value: unknown", CRM_HI_CONTRACT_VALUE, NAN, "", .rows = {{USAGE, NULL}}},
    {"payments: T - 1 y is out; one of two on time: a due date ends with its day", CRM_HI_PAYMENT_HISTORY, 50, "",
     .rows = {{INVOICE, "due_at=2025-03-01 paid_at=2025-02-01"},
              {INVOICE, "due_at=2025-03-02 paid_at=2025-03-03-1us"},
              {INVOICE, "due_at=2025-06-01 paid_at=2025-06-02"}}},
    {"payments: a due hour is an hour: at it on time, after it late", CRM_HI_PAYMENT_HISTORY, 50, "",
     .rows = {{INVOICE, "due_at=2025-06-01T12:00:00Z paid_at=2025-06-01T12:00:00Z"},
              {INVOICE, "due_at=2025-07-01T12:00:00Z paid_at=2025-07-01T12:00:00Z+1us"}}},
    {"payments: due today is not late yet, and after T is invisible", CRM_HI_PAYMENT_HISTORY, NAN, "",
     .rows = {{INVOICE, "due_at=2026-03-01"}, {INVOICE, "due_at=2026-03-02 paid_at=2026-02-01"}}},
    {"payments: due today and paid today", CRM_HI_PAYMENT_HISTORY, 100, "", .rows = {{INVOICE, "due_at=2026-03-01 paid_at=2026-03-01"}}},
    {"payments: due yesterday and not paid as of T", CRM_HI_PAYMENT_HISTORY, 0, "",
     .rows = {{INVOICE, "due_at=2026-02-28 paid_at=2026-03-01+1us"}}},
    {"payments: a day of 23 hours in Berlin ends at 22:00 UTC", CRM_HI_PAYMENT_HISTORY, 50, "",
     .rows = {{INVOICE, "due_at=2026-03-29 paid_at=2026-03-29T22:00:00Z-1us"}, {INVOICE, "due_at=2026-03-29 paid_at=2026-03-29T22:00:00Z"}},
     "Europe/Berlin", "2026-05-01"},
    {"payments: the day after a change of time", CRM_HI_PAYMENT_HISTORY, 50, "",
     .rows = {{INVOICE, "due_at=2025-10-27 paid_at=2025-10-27T23:00:00Z-1us"}, {INVOICE, "due_at=2025-10-27 paid_at=2025-10-27T23:00:00Z"}},
     "Europe/Berlin", "2026-05-01"},
    {"payments: none due", CRM_HI_PAYMENT_HISTORY, NAN, "", .rows = {{INVOICE, NULL}}},
    {"expansion: half the seats used", CRM_HI_EXPANSION_OPPORTUNITY, 0, "seats=10", .rows = {{USAGE, "day=2026-02-01 active_users=5"}}},
    {"expansion: 0.7 is half way from 0.5 to 0.9", CRM_HI_EXPANSION_OPPORTUNITY, 50, "seats=10",
     .rows = {{USAGE, "day=2026-02-01 active_users=7"}}},
    {"expansion: nine of ten", CRM_HI_EXPANSION_OPPORTUNITY, 100, "seats=10", .rows = {{USAGE, "day=2026-02-01 active_users=9"}}},
    {"expansion: more than bought", CRM_HI_EXPANSION_OPPORTUNITY, 100, "seats=10", .rows = {{USAGE, "day=2026-02-01 active_users=12"}}},
    {"renewal: automatic", CRM_HI_RENEWAL_LIKELIHOOD, 100, "auto_renew=true renewal_forecast=10", .rows = {{USAGE, NULL}}},
    {"renewal: not automatic", CRM_HI_RENEWAL_LIKELIHOOD, 60, "auto_renew=false renewal_forecast=60", .rows = {{USAGE, NULL}}},
    {"renewal: forecast only", CRM_HI_RENEWAL_LIKELIHOOD, 0, "renewal_forecast=0", .rows = {{USAGE, NULL}}},
    {"renewal: not automatic and no forecast", CRM_HI_RENEWAL_LIKELIHOOD, NAN, "auto_renew=false", .rows = {{USAGE, NULL}}},
    {"renewal: the contract in force decides", CRM_HI_RENEWAL_LIKELIHOOD, 60, "auto_renew=true renewal_forecast=60",
     .rows = {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2027-01-01 auto_renew=false"},
              {CONTRACT, "contract_id=0 starts_at=2025-01-01 ends_at=2026-04-01 auto_renew=true"}}},
    {"renewal: an ended contract does not", CRM_HI_RENEWAL_LIKELIHOOD, 100, "auto_renew=true",
     .rows = {{CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-03-01 auto_renew=false"}}},
    {"renewal: nor one that does not tell", CRM_HI_RENEWAL_LIKELIHOOD, 100, "auto_renew=true",
     .rows = {{CONTRACT, "contract_id=1 starts_at=2025-01-01"}}},
};

static double input_of(const struct input_case *k) {
  struct fixture f;
  fixture_init(&f, k->zone != NULL ? k->zone : "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2020-01-01 %s", k->account);
  for (size_t i = 0; i < MAX_ROWS && k->rows[i].relation != CRM_REL_ACCOUNT; i++) {
    if (k->rows[i].text == NULL)
      fixture_begin(&f, k->rows[i].relation);
    else
      fixture_row(&f, k->rows[i].relation, "account_id=a %s", k->rows[i].text);
  }
  fixture_at(&f, k->at != NULL ? k->at : "2026-03-01");
  fixture_context(&f);
  struct crm_health health;
  assert_int_equal(crm_health_compute(&f.context, &health), CRM_OK);
  double value = health.input[k->input][0];
  fixture_free(&f);
  return value;
}

static void test_inputs(void **state) {
  for (size_t i = 0; i < sizeof(input_cases) / sizeof(input_cases[0]); i++)
    assert_close_named(input_cases[i].name, input_of(&input_cases[i]), input_cases[i].expected);
}

static void test_resolution_scale(void **state) {
  static const double cases[][2] = {{0, 100},   {12, 100}, {18, 87.5}, {24, 75}, {36, 62.5}, {48, 50},
                                    {60, 37.5}, {72, 25},  {96, 12.5}, {120, 0}, {1000, 0},  {NAN, NAN}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close(crm_resolution_scale(cases[i][0]), cases[i][1]);
}

/* Tickets per seat of tenant x: 0.5, 1, 4, median 1. Tickets per account where seats are unknown: 3 and 0, median 1.5.
 * Tenant y: 0, 0, 2 per seat, median 0. The churned account with a thousand tickets is nobody's reference. */
static void test_ticket_volume(void **state) {
  static const struct {
    const char *id, *account;
    int tickets;
    double expected;
  } cases[] = {
      {"a", "tenant=x seats=10", 5, 100},
      {"b", "tenant=x seats=10", 10, 100},
      {"c", "tenant=x seats=10", 40, 25},
      {"d", "tenant=x", 3, 50},
      {"e", "tenant=x seats=0", 0, 100},
      {"f", "tenant=y seats=1", 0, 100},
      {"g", "tenant=y seats=1", 2, 0},
      {"h", "tenant=y seats=1", 0, 100},
      {"i", "tenant=x seats=1 status=churned churned_at=2026-01-01", 1000, NAN},
  };
  const size_t n = sizeof(cases) / sizeof(cases[0]);
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  for (size_t i = 0; i < n; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=%s created_at=2025-01-01 %s", cases[i].id, cases[i].account);
  for (size_t i = 0; i < n; i++)
    fixture_row(&f, SUPPORT, "account_id=%s day=2026-02-01 new_tickets=%d", cases[i].id, cases[i].tickets);
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  struct crm_health health;
  assert_int_equal(crm_health_compute(&f.context, &health), CRM_OK);
  for (size_t i = 0; i < n; i++)
    assert_close_named(cases[i].id, health.input[CRM_HI_TICKET_VOLUME][fixture_account(&f, cases[i].id)], cases[i].expected);
  fixture_free(&f);
}

/* USD 100, 100, 300, 1000: those at 100 have none below and two equal: (0 + 1) / 4; 300 has two below: (2 + 0.5) / 4; 1000: (3 + 0.5) / 4.
 */
static void test_contract_value(void **state) {
  static const struct {
    const char *id, *account;
    double expected;
  } cases[] = {
      {"a", "arr=100", 25},
      {"b", "arr=100", 25},
      {"c", "arr=300", 62.5},
      {"d", "arr=1000", 87.5},
      {"e", "arr=5 currency=EUR", 50},
      {"f", "arr=1 tenant=other", 50},
      {"g", "arr=0", NAN},
      {"h", "", NAN},
      {"i", "arr=7 status=churned churned_at=2026-02-01", NAN},
  };
  const size_t n = sizeof(cases) / sizeof(cases[0]);
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  for (size_t i = 0; i < n; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=%s created_at=2025-01-01 %s", cases[i].id, cases[i].account);
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  double rank[16];
  assert_int_equal(crm_arr_ranks(&f.context, rank), CRM_OK);
  for (size_t i = 0; i < n; i++)
    assert_close_named(cases[i].id, rank[fixture_account(&f, cases[i].id)], cases[i].expected);
  fixture_free(&f);
}

static void test_median(void **state) {
  double one[] = {7}, two[] = {4, 1}, odd[] = {5, 5, 1, 9, 5}, even[] = {8, 1, 6, 3, 2, 7}, equal[] = {2, 2, 2, 2},
         sorted[] = {1, 2, 3, 4, 5, 6, 7};
  assert_close(crm_median(one, 1), 7);
  assert_close(crm_median(two, 2), 2.5);
  assert_close(crm_median(odd, 5), 5);
  assert_close(crm_median(even, 6), 4.5); /* 1 2 3 | 6 7 8 */
  assert_close(crm_median(equal, 4), 2);
  assert_close(crm_median(sorted, 7), 4);
  /* i x 7 mod n runs through 0 .. n - 1 when 7 does not divide n: the median is the middle, (n - 1) / 2. Both ways of selecting. */
  for (size_t n = 1; n < 200; n++) {
    double many[200];
    for (size_t i = 0; n % 7 != 0 && i < n; i++)
      many[i] = (double)(i * 7 % n);
    if (n % 7 != 0)
      assert_close(crm_median(many, n), ((double)n - 1) / 2);
  }
  /* Half of them equal: 0 .. 49, then fifty times 1000; and the other way round. */
  double steps[100];
  for (size_t i = 0; i < 100; i++)
    steps[i] = i < 50 ? (double)i : 1000;
  assert_close(crm_median(steps, 100), (49 + 1000) / 2.0);
  for (size_t i = 0; i < 60; i++)
    steps[i] = i % 2 == 0 ? 5 : (double)i - 100;
  assert_close(crm_median(steps, 60), (-41 + 5) / 2.0);
}

static void test_weighted_mean(void **state) {
  static const struct {
    const char *name;
    double value[4], weight[4], coverage, expected;
  } cases[] = {
      /* Gainsight, Calculation of Group Scores: (20 x 47 + 15 x 59 + 22 x 21) / 57 = 2287 / 57, published as 40.122
       * (examples/ex04_gainsight_group; cited in DEFINITIONS.md section 6). */
      {"gainsight", {47, 59, 21, NAN}, {20, 15, 22, 0}, 0.5, 2287.0 / 57},
      {"all there", {100, 50, 0, 20}, {.40, .25, .20, .15}, 0.5, 55.5}, /* 40 + 12.5 + 0 + 3 */
      {"a factor is missing", {100, NAN, 0, 20}, {.40, .25, .20, .15}, 0.5, 43 / .75},
      {"just covered", {100, NAN, NAN, 40}, {.40, .25, .20, .15}, 0.55, 46 / .55},
      {"not covered", {100, NAN, NAN, NAN}, {.40, .25, .20, .15}, 0.5, NAN},
      {"weights of any sum", {100, NAN, NAN, 0}, {4, 2, 1, 1}, 0.5, 80},
      {"a factor without weight covers nothing", {NAN, NAN, NAN, 70}, {1, 0, 0, 0}, 0, NAN},
      {"nothing there", {NAN, NAN, NAN, NAN}, {.40, .25, .20, .15}, 0, NAN},
      {"0 is a value", {0, 0, 0, 0}, {.40, .25, .20, .15}, 0.5, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].name, crm_weighted_mean(cases[i].value, cases[i].weight, 4, cases[i].coverage), cases[i].expected);

  /* A mean of 80s is 80 to the last bit, whatever the weights: it must not fall out of its band. */
  for (int w = 1; w < 100; w++) {
    const double value[] = {80, 80, 80, 80}, weight[] = {w * 0.1, w * 0.07, w * 0.013, w / 3.0};
    assert_true(crm_on_grid(crm_weighted_mean(value, weight, 4, 0.5)) == 80);
  }
}

static void test_bands(void **state) {
  struct crm_params p;
  crm_params_defaults(&p);
  static const struct {
    double score;
    enum crm_health_band band;
  } cases[] = {{0, CRM_BAND_CRITICAL}, {39, CRM_BAND_CRITICAL}, {39.999999, CRM_BAND_CRITICAL}, {40, CRM_BAND_AT_RISK},
               {59, CRM_BAND_AT_RISK}, {60, CRM_BAND_MODERATE}, {79, CRM_BAND_MODERATE},        {79.5, CRM_BAND_MODERATE},
               {80, CRM_BAND_HEALTHY}, {100, CRM_BAND_HEALTHY}, {NAN, CRM_BAND_UNSCORED}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_int_equal(crm_health_band(&p.scorecards[0], cases[i].score), cases[i].band);
}

/* With all weight on product usage, and adoption its only input, the score is the adoption. */
static void usage_only(struct fixture *f) {
  f->card = (struct crm_scorecard){.weight = {1, 0, 0, 0},
                                   .login_target = 5,
                                   .session_target_seconds = 900,
                                   .meeting_target = 2,
                                   .healthy_from = 80,
                                   .moderate_from = 60,
                                   .at_risk_from = 40};
}

static void test_families(void **state) {
  static const char *const scores[] = {"39", "40", "59", "60", "79", "79.5", "80", "100"};
  const size_t n = sizeof(scores) / sizeof(scores[0]);
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  usage_only(&f);
  for (size_t i = 0; i < n; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a%zu status=active segment=%s", i, i % 2 == 0 ? "even" : "odd");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=unscored status=active segment=odd");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=gone status=churned churned_at=2026-01-01 segment=odd");
  for (size_t i = 0; i < n; i++)
    fixture_row(&f, USAGE, "account_id=a%zu day=2026-02-01 feature_adoption=%s", i, scores[i]);
  fixture_row(&f, USAGE, "account_id=gone day=2026-02-01 feature_adoption=1");
  f.params.n_group_by = 1;
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);

  static const struct {
    const char *query;
    double expected;
  } cases[] = {
      {"crm_health_score_accounts le=10", 0},
      {"crm_health_score_accounts le=30", 0},
      {"crm_health_score_accounts le=40", 2}, /* 39, 40: at or below */
      {"crm_health_score_accounts le=60", 4},
      {"crm_health_score_accounts le=70", 4},
      {"crm_health_score_accounts le=80", 7},
      {"crm_health_score_accounts le=90", 7},
      {"crm_health_score_accounts le=100", 8},
      {"crm_health_score_accounts le=+Inf", 8},
      {"crm_health_score_accounts le=40 segment=even", 1},
      {"crm_health_score_points", 536.5},
      {"crm_health_score_points segment=even", 257},  /* 39 + 59 + 79 + 80 */
      {"crm_health_score_points segment=odd", 279.5}, /* 40 + 60 + 79.5 + 100 */
      {"crm_health_score_average", 67.0625},          /* 536.5 / 8 */
      {"crm_accounts_by_health band=critical", 1},
      {"crm_accounts_by_health band=at_risk", 2},
      {"crm_accounts_by_health band=moderate", 3},
      {"crm_accounts_by_health band=healthy", 2},
      {"crm_accounts_by_health band=unscored", 1},
      {"crm_accounts_by_health", 9}, /* OPEN */
      {"crm_health_factor_points factor=product_usage", 536.5},
      {"crm_health_factor_accounts factor=product_usage", 8},
      {"crm_health_input_points input=feature_adoption", 536.5},
      {"crm_health_input_accounts input=feature_adoption factor=product_usage", 8},
      {"crm_health_input_accounts input=login_frequency", 0},
      {"crm_health_input_points input=login_frequency", 0},
      {"crm_health_coverage_ratio factor=product_usage", 8.0 / 9},
      {"crm_health_coverage_ratio factor=business", 0},
      /* not mapped: absent, not 0 */
      {"crm_health_coverage_ratio factor=support", NAN},
      {"crm_health_factor_accounts factor=engagement", NAN},
      {"crm_health_input_accounts input=payment_history", NAN},
      {"crm_health_score_arr_weighted_average", NAN}, /* nobody pays */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].query, fixture_sum(&f, cases[i].query), cases[i].expected);
  assert_int_equal(fixture_count(&f, "crm_health_score_accounts"), 22); /* 2 cells x 11 */
  fixture_free(&f);
}

/* (100 x 3000 + 50 x 1000) / 4000 = 87.5; plain mean of the three scores (100 + 50 + 0) / 3 = 50. Not across currencies. */
static void test_weighted_average(void **state) {
  for (int mixed = 0; mixed < 2; mixed++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    usage_only(&f);
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a arr=3000");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b arr=1000%s", mixed ? " currency=EUR" : "");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=free arr=0");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=unscored arr=100000");
    fixture_row(&f, USAGE, "account_id=a day=2026-02-01 feature_adoption=100");
    fixture_row(&f, USAGE, "account_id=b day=2026-02-01 feature_adoption=50");
    fixture_row(&f, USAGE, "account_id=free day=2026-02-01 feature_adoption=0");
    fixture_at(&f, "2026-03-01");
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_health_score_arr_weighted_average"), mixed ? NAN : 87.5);
    assert_close(fixture_sum(&f, "crm_health_score_average"), 50);
    /* 100 x 3000 and 50 x 1000, and what they are divided by; who has no score or pays nothing is in neither. */
    assert_close(fixture_sum(&f, "crm_health_score_arr_points currency=USD"), mixed ? 300000 : 350000);
    assert_close(fixture_sum(&f, "crm_health_scored_arr currency=USD"), mixed ? 3000 : 4000);
    assert_close(fixture_sum(&f, "crm_health_score_arr_points currency=EUR"), mixed ? 50000 : NAN);
    assert_close(fixture_sum(&f, "crm_health_scored_arr currency=EUR"), mixed ? 1000 : NAN);
    fixture_free(&f);
  }
}

/* Enterprise is expected to log in ten times a week and is healthy from 50 on: 5 logins are 50 there and 100 elsewhere. */
static void test_scorecards(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  usage_only(&f);
  struct crm_scorecard cards[3] = {f.card, f.card, f.card};
  cards[1].segment = "nobody";
  cards[2].segment = "enterprise";
  cards[2].login_target = 10;
  cards[2].healthy_from = 50;
  f.params.scorecards = cards;
  f.params.n_scorecards = 3;
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=big segment=enterprise");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=small segment=smb");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=none");
  fixture_row(&f, USAGE, "account_id=big day=2026-02-01 logins_per_week=5");
  fixture_row(&f, USAGE, "account_id=small day=2026-02-01 logins_per_week=5");
  fixture_row(&f, USAGE, "account_id=none day=2026-02-01 logins_per_week=2.5");
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  struct crm_health health;
  assert_int_equal(crm_health_compute(&f.context, &health), CRM_OK);
  assert_close(health.score[fixture_account(&f, "big")], 50);
  assert_close(health.score[fixture_account(&f, "small")], 100);
  assert_close(health.score[fixture_account(&f, "none")], 50);
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_accounts_by_health band=healthy"), 2);
  assert_close(fixture_sum(&f, "crm_accounts_by_health band=at_risk"), 1);
  fixture_free(&f);
}

/* One account, worked out by hand with the default weights:
 *   product_usage  logins 3 / 5 = 60, adoption 40            -> 50
 *   support        tickets at the median 100, severity 100-30 = 70, csat 25 x 3 = 75 -> 81.666..
 *   engagement     one meeting of two 50, outcome 100        -> 75
 *   business       rank 50, renewal 100                      -> 75
 *   score = .40 x 50 + .25 x 81.666.. + .20 x 75 + .15 x 75 = 20 + 20.41666.. + 15 + 11.25 = 66.6666.. */
static void test_whole_score(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a arr=1200 auto_renew=true");
  fixture_row(&f, USAGE, "account_id=a day=2026-02-01 logins_per_week=3 feature_adoption=40");
  fixture_row(&f, SUPPORT, "account_id=a day=2026-02-01 new_tickets=4 severity=30 csat=4");
  fixture_row(&f, ENGAGEMENT, "account_id=a engagement_id=1 type=meeting outcome=positive completed_at=2026-02-10");
  fixture_at(&f, "2026-03-01");
  fixture_context(&f);
  struct crm_health health;
  assert_int_equal(crm_health_compute(&f.context, &health), CRM_OK);
  assert_close(health.factor[CRM_HF_PRODUCT_USAGE][0], 50);
  assert_close(health.factor[CRM_HF_SUPPORT][0], 245.0 / 3);
  assert_close(health.factor[CRM_HF_ENGAGEMENT][0], 75);
  assert_close(health.factor[CRM_HF_BUSINESS][0], 75);
  assert_close(health.score[0], 200.0 / 3);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_inputs),         cmocka_unit_test(test_resolution_scale), cmocka_unit_test(test_ticket_volume),
      cmocka_unit_test(test_contract_value), cmocka_unit_test(test_median),           cmocka_unit_test(test_weighted_mean),
      cmocka_unit_test(test_bands),          cmocka_unit_test(test_families),         cmocka_unit_test(test_weighted_average),
      cmocka_unit_test(test_scorecards),     cmocka_unit_test(test_whole_score),
  };
  return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
