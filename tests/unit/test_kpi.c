/* SPDX-License-Identifier: MIT */
/* Time to value, adoption, goals and onboarding, worked out by hand (METRICS.md KPIs, DEFINITIONS.md 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/close.h"
#include "lib/facts_fixture.h"

#define DAY 86400.0

/* Time to value ------------------------------------------------------------------------------------------------------- */

static void add_waiting(struct fixture *f) {
  fixture_init(f, "UTC", "USD");
  static const char *const accounts[] = {
      "account_id=a segment=s created_at=2025-01-01 first_value_at=2026-01-11", /* first contract 2026-01-01: 10 d */
      "account_id=b segment=s created_at=2025-01-01",                           /* onboarding 2026-01-01 to 01-21: 20 d */
      "account_id=c segment=s created_at=2026-01-30",                           /* waits since 30 d */
      "account_id=d segment=m created_at=2026-01-01 status=churned churned_at=2026-02-10 first_value_at=2026-02-20", /* left after 40 d */
      "account_id=e segment=m created_at=2026-01-01 first_value_at=2026-02-20",                                      /* 50 d */
      "account_id=f segment=m created_at=2025-12-01 first_value_at=2026-01-15", /* had it before the contract of 2026-02-01: 0 */
      "account_id=g segment=m created_at=2025-01-01 status=churned",            /* left nobody knows when: left out */
      "account_id=h segment=m",                                                 /* no start: left out */
      "account_id=i segment=m created_at=2026-03-01+1us first_value_at=2026-03-02",
  };
  for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++)
    fixture_row(f, CRM_REL_ACCOUNT, "%s", accounts[i]);
  fixture_row(f, CRM_REL_CONTRACT, "account_id=a contract_id=2 starts_at=2026-02-01");
  fixture_row(f, CRM_REL_CONTRACT, "account_id=a contract_id=1 starts_at=2026-01-01 ends_at=2026-02-01");
  fixture_row(f, CRM_REL_CONTRACT, "account_id=f contract_id=1 starts_at=2026-02-01");
  fixture_row(f, CRM_REL_ONBOARDING, "account_id=a started_at=2025-06-01"); /* the contract stands before it */
  fixture_row(f, CRM_REL_ONBOARDING, "account_id=b started_at=2026-01-01 completed_at=2026-01-21 status=completed");
  fixture_row(f, CRM_REL_ONBOARDING, "account_id=b started_at=2026-01-02 completed_at=2026-02-21 status=completed");
  f->params.group_by[0] = CRM_DIM_SEGMENT;
  f->params.n_group_by = 1;
}

static void test_time_to_value(void **state) {
  struct fixture f;
  add_waiting(&f);
  /* 0 e, 10 e, 20 e, 30 c, 40 c, 50 e (e event, c cut off): S = 5/6, 4/6, 3/6; then one is left, S = 0. */
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5"), 20 * DAY);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.9"), 50 * DAY);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=true"), 4);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=false"), 2);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=true segment=s"), 2);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=false segment=m"), 1);
  /* 0 e, 10 e, 16 c, 20 e, 40 c, 45 c: S = 5/6, 4/6, then 4/6 x 2/3 = 4/9, and no further. */
  fixture_at(&f, "2026-02-15");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5"), 20 * DAY);
  assert_int_equal(fixture_count(&f, "crm_time_to_value_seconds"), 1);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=true"), 3);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=false"), 3);
  /* The contract of f has not begun: f started when it was created, and has had its value after 45 d; c is not there.
   * 10 e, 19 c three times (b, d, e), 45 e: S = 4/5, then 0. */
  fixture_at(&f, "2026-01-20");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5"), 45 * DAY);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=true"), 2);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=false"), 3);
  /* Before all of them: the counts are 0. */
  fixture_at(&f, "2024-01-01");
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_time_to_value_seconds"), 0);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=true"), 0);
  fixture_free(&f);
}

/* One account, and T = 2026-03-01: what it counts as, in seconds. */
static void test_time_to_value_edges(void **state) {
  static const struct {
    const char *name, *account, *contract, *onboarding, *revenue;
    double reached; /* seconds; NaN: none */
    bool left_out;
  } cases[] = {
      {"value at T", "created_at=2026-02-01 first_value_at=2026-03-01", NULL, NULL, NULL, 28 * DAY, false},
      {"value after T", "created_at=2026-02-01 first_value_at=2026-03-01+1us", NULL, NULL, NULL, NAN, false},
      {"value after T, onboarded", "created_at=2026-02-01 first_value_at=2026-03-01+1us", NULL,
       "started_at=2026-02-05 completed_at=2026-02-06 status=completed", NULL, 1 * DAY, false},
      {"contract at T", "created_at=2026-02-01 first_value_at=2026-02-02", "starts_at=2026-03-01", NULL, NULL, 0, false},
      {"contract after T", "created_at=2026-02-01 first_value_at=2026-02-02", "starts_at=2026-03-01+1us", NULL, NULL, 1 * DAY, false},
      {"value with the churn", "created_at=2026-01-01 first_value_at=2026-02-01 status=churned churned_at=2026-02-01", NULL, NULL, NULL,
       31 * DAY, false},
      {"value after the churn", "created_at=2026-01-01 first_value_at=2026-02-01+1us status=churned churned_at=2026-02-01", NULL, NULL,
       NULL, NAN, false},
      {"undated churn", "created_at=2026-01-01 first_value_at=2026-01-02 status=churned", NULL, NULL, NULL, NAN, true},
      {"no start", "first_value_at=2026-01-02", NULL, NULL, NULL, NAN, true},
      {"onboarding not completed", "created_at=2026-01-01", NULL, "started_at=2026-02-05 completed_at=2026-02-06 status=in_progress", NULL,
       NAN, false},
      {"onboarding, status unknown", "created_at=2026-01-01", NULL, "started_at=2026-02-05 completed_at=2026-02-08", NULL, 3 * DAY, false},
      {"onboarding completed without date", "created_at=2026-01-01", NULL, "started_at=2026-02-05 status=completed", NULL, NAN, false},
      {"onboarding completed after T", "created_at=2026-01-01", NULL, "started_at=2026-02-05 completed_at=2026-03-01+1us status=completed",
       NULL, NAN, false},
      /* It left on 2025-06-01 without value and came back with the level of 2025-09-01. */
      {"left before", "created_at=2025-01-01 first_value_at=2025-10-01 churned_at=2025-06-01", NULL, NULL, "at=2025-09-01 arr=5", NAN,
       false},
      {"left before the contract", "created_at=2025-01-01 first_value_at=2025-10-01 churned_at=2025-06-01", "starts_at=2025-09-01", NULL,
       "at=2025-09-01 arr=5", 30 * DAY, false},
      /* 2024 has a 29 February. */
      {"leap day", "created_at=2024-02-28 first_value_at=2024-03-01", NULL, NULL, NULL, 2 * DAY, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a %s", cases[i].account);
    if (cases[i].contract != NULL)
      fixture_row(&f, CRM_REL_CONTRACT, "account_id=a contract_id=1 %s", cases[i].contract);
    if (cases[i].onboarding != NULL)
      fixture_row(&f, CRM_REL_ONBOARDING, "account_id=a %s", cases[i].onboarding);
    if (cases[i].revenue != NULL)
      fixture_row(&f, CRM_REL_REVENUE, "account_id=a %s", cases[i].revenue);
    fixture_at(&f, "2026-03-01");
    fixture_evaluate(&f);
    bool reached = !isnan(cases[i].reached);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5"), cases[i].reached);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_time_to_value_accounts reached=true"), reached);
    assert_close_named(cases[i].name, fixture_sum(&f, "crm_time_to_value_accounts reached=false"), !reached && !cases[i].left_out);
    fixture_free(&f);
  }
}

/* In Berlin the night of 29 March 2026 is an hour shorter. Each tenant by itself. */
static void test_time_to_value_zone(void **state) {
  struct fixture f;
  fixture_init(&f, "Europe/Berlin", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=x created_at=2026-03-29 first_value_at=2026-03-30");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=y created_at=2026-03-20 first_value_at=2026-03-21");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c tenant=z created_at=2026-03-20");
  fixture_at(&f, "2026-04-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5 tenant=x"), DAY - 3600);
  assert_close(fixture_sum(&f, "crm_time_to_value_seconds quantile=0.5 tenant=y"), DAY);
  assert_int_equal(fixture_count(&f, "crm_time_to_value_seconds tenant=z"), 0);
  assert_close(fixture_sum(&f, "crm_time_to_value_accounts reached=false tenant=z"), 1);
  fixture_free(&f);
}

/* Adoption -------------------------------------------------------------------------------------------------------------- */

static void test_adoption(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a segment=s seats=10");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b segment=s seats=4");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c segment=m");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=d segment=m seats=20"); /* nothing recorded: missing, not 0 */
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=e segment=m seats=5");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=g segment=m seats=0");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=z segment=m seats=100 status=churned churned_at=2026-02-01");
  fixture_row(&f, CRM_REL_USAGE, "account_id=a day=2025-06-01 active_users=5"); /* a level: it holds until the next */
  fixture_row(&f, CRM_REL_USAGE, "account_id=a day=2026-02-20 feature_adoption=40");
  fixture_row(&f, CRM_REL_USAGE, "account_id=a day=2026-03-02 feature_adoption=90 active_users=9");
  fixture_row(&f, CRM_REL_USAGE, "account_id=b day=2026-02-01 active_users=2");
  fixture_row(&f, CRM_REL_USAGE, "account_id=b day=2026-03-01 active_users=6");      /* more than seats */
  fixture_row(&f, CRM_REL_USAGE, "account_id=b day=2026-01-30 feature_adoption=80"); /* T - 30 d: out */
  fixture_row(&f, CRM_REL_USAGE, "account_id=c day=2026-02-01 active_users=3");
  fixture_row(&f, CRM_REL_USAGE, "account_id=e day=2026-02-01 active_users=0");
  fixture_row(&f, CRM_REL_USAGE, "account_id=e day=2026-01-31 feature_adoption=70");
  fixture_row(&f, CRM_REL_USAGE, "account_id=z day=2026-01-31 feature_adoption=100 active_users=100");
  f.params.group_by[0] = CRM_DIM_SEGMENT;
  f.params.n_group_by = 1;
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  /* seats: (5 + 6 + 0) / (10 + 4 + 5); accounts: a, b, c of a, b, c, d, e, g; features: (40 + 70) / 2 */
  assert_close(fixture_sum(&f, "crm_adoption_ratio kind=seats"), 11.0 / 19);
  assert_close(fixture_sum(&f, "crm_adoption_ratio kind=accounts"), 0.5);
  assert_close(fixture_sum(&f, "crm_adoption_ratio kind=features"), 0.55);
  assert_close(fixture_sum(&f, "crm_adoption_active_users"), 11);
  assert_close(fixture_sum(&f, "crm_adoption_active_users segment=m"), 0);
  assert_close(fixture_sum(&f, "crm_adoption_seats segment=s"), 14);
  assert_close(fixture_sum(&f, "crm_adoption_seats segment=m"), 5);
  assert_close(fixture_sum(&f, "crm_adoption_active_accounts segment=s"), 2);
  assert_close(fixture_sum(&f, "crm_adoption_active_accounts segment=m"), 1);
  assert_close(fixture_sum(&f, "crm_adoption_accounts segment=m"), 4);
  /* The parts of the third are those of the health score's input. */
  assert_close(fixture_sum(&f, "crm_health_input_points input=feature_adoption"), 110);
  assert_close(fixture_sum(&f, "crm_health_input_accounts input=feature_adoption"), 2);
  fixture_free(&f);
}

static void test_adoption_unknown(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a tenant=x seats=10");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b tenant=y seats=10");
  fixture_row(&f, CRM_REL_USAGE, "account_id=a day=2026-02-20 logins_per_week=5"); /* x records active users nowhere */
  fixture_row(&f, CRM_REL_USAGE, "account_id=b day=2026-02-20 active_users=0");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_adoption_ratio tenant=x"), 0);
  assert_close(fixture_sum(&f, "crm_adoption_accounts tenant=x"), 1);
  assert_close(fixture_sum(&f, "crm_adoption_seats tenant=x"), 0);
  assert_close(fixture_sum(&f, "crm_adoption_ratio kind=seats tenant=y"), 0);
  assert_close(fixture_sum(&f, "crm_adoption_ratio kind=accounts tenant=y"), 0);
  assert_int_equal(fixture_count(&f, "crm_adoption_ratio kind=features"), 0);
  fixture_free(&f);
}

/* Two accounts, one meeting with a good outcome: its account has 100 x 1/2 for the frequency and 100 for the outcome, mean 75; of the other
 * nothing but the frequency, 0, is known. */
static void test_engagement_score(void **state) {
  struct fixture f;
  fixture_init(&f, "UTC", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c status=churned churned_at=2026-01-01");
  fixture_row(&f, CRM_REL_ENGAGEMENT, "account_id=a engagement_id=1 type=meeting outcome=positive completed_at=2026-02-10");
  fixture_at(&f, "2026-03-01");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_engagement_score_average"), 37.5);
  assert_close(fixture_sum(&f, "crm_health_factor_points factor=engagement"), 75);
  assert_close(fixture_sum(&f, "crm_health_factor_accounts factor=engagement"), 2);
  fixture_free(&f);
}

/* Goals ------------------------------------------------------------------------------------------------------------------- */

/* T = 2026-03-01 12:00 in Berlin; the days are those of Berlin. */
static void test_goals(void **state) {
  struct fixture f;
  fixture_init(&f, "Europe/Berlin", "USD");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=b status=churned churned_at=2026-02-15");
  fixture_row(&f, CRM_REL_ACCOUNT, "account_id=c created_at=2026-03-02");
  static const char *const goals[] = {
      "goal_id=1 status=on_track target_at=2026-04-01 created_at=2026-01-01",    /* on_track */
      "goal_id=2 status=at_risk target_at=2026-04-01",                           /* at_risk */
      "goal_id=3 status=on_track target_at=2026-03-01",                          /* on_track: it has until tonight */
      "goal_id=4 status=on_track target_at=2026-02-28",                          /* overdue, 30 d */
      "goal_id=5 status=achieved target_at=2026-02-15 completed_at=2026-02-10",  /* achieved, 30 d */
      "goal_id=6 status=achieved target_at=2026-02-20 completed_at=2026-03-02",  /* achieved only tomorrow: overdue, 30 d */
      "goal_id=7 status=missed target_at=2026-01-01",                            /* missed, 90 d */
      "goal_id=8 status=missed target_at=2026-06-01",                            /* not missed yet: on_track */
      "goal_id=9",                                                               /* unknown */
      "goal_id=10 target_at=2025-06-01 completed_at=2026-01-15",                 /* achieved, 1 y, if late */
      "goal_id=11 status=achieved",                                              /* achieved, no target */
      "goal_id=12 status=on_track created_at=2026-03-01T12:00+1us",              /* not there */
      "goal_id=13 status=missed",                                                /* missed, no target */
      "goal_id=14 status=achieved target_at=2026-04-01 completed_at=2026-02-27", /* achieved, not due yet */
      "goal_id=15 status=at_risk target_at=2025-12-15",                          /* overdue, 90 d */
      "goal_id=17 status=missed target_at=2026-03-01",                           /* said to be missed on its day: missed, 30 d */
      "goal_id=18 status=missed target_at=2026-03-01T12:00+1us",                 /* not missed yet: on_track */
      "goal_id=16 status=on_track",                                              /* on_track */
  };
  for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++)
    fixture_row(&f, CRM_REL_GOAL, "account_id=a %s", goals[i]);
  /* Of an account that left: what was due counts, the state does not. */
  fixture_row(&f, CRM_REL_GOAL, "account_id=b goal_id=1 status=achieved target_at=2026-02-05 completed_at=2026-02-01");
  fixture_row(&f, CRM_REL_GOAL, "account_id=b goal_id=2 status=missed target_at=2026-02-06");
  fixture_row(&f, CRM_REL_GOAL, "account_id=b goal_id=3 status=on_track target_at=2026-08-06");
  fixture_row(&f, CRM_REL_GOAL, "account_id=c goal_id=1 status=missed target_at=2026-02-06");
  fixture_at(&f, "2026-03-01T12:00");
  fixture_evaluate(&f);
  assert_close(fixture_sum(&f, "crm_goals status=on_track"), 5);
  assert_close(fixture_sum(&f, "crm_goals status=at_risk"), 1);
  assert_close(fixture_sum(&f, "crm_goals status=overdue"), 3);
  assert_close(fixture_sum(&f, "crm_goals status=achieved"), 4);
  assert_close(fixture_sum(&f, "crm_goals status=missed"), 3);
  assert_close(fixture_sum(&f, "crm_goals status=unknown"), 1);
  assert_close(fixture_sum(&f, "crm_goals"), 17);
  static const struct {
    const char *window;
    double achieved, missed, overdue;
  } due[] = {{"30d", 2, 2, 2}, {"90d", 2, 3, 3}, {"1y", 3, 3, 3}};
  for (size_t w = 0; w < 3; w++) {
    char query[96];
    snprintf(query, sizeof(query), "crm_goals_due result=achieved window=%s", due[w].window);
    assert_close_named(query, fixture_sum(&f, query), due[w].achieved);
    snprintf(query, sizeof(query), "crm_goals_due result=missed window=%s", due[w].window);
    assert_close_named(query, fixture_sum(&f, query), due[w].missed);
    snprintf(query, sizeof(query), "crm_goals_due result=overdue window=%s", due[w].window);
    assert_close_named(query, fixture_sum(&f, query), due[w].overdue);
    snprintf(query, sizeof(query), "crm_goal_completion_ratio window=%s", due[w].window);
    assert_close_named(query, fixture_sum(&f, query), due[w].achieved / (due[w].achieved + due[w].missed + due[w].overdue));
  }
  fixture_free(&f);
}

/* When an open goal is overdue, and in which window. */
static void test_goal_edges(void **state) {
  static const struct {
    const char *zone, *at, *target;
    bool overdue, in_30d, in_1y;
  } cases[] = {
      {"UTC", "2026-03-01T12:00", "2026-03-01T12:00", true, true, true}, /* an hour: over with it */
      {"UTC", "2026-03-01T12:00", "2026-03-01T12:00+1us", false, false, false},
      {"UTC", "2026-03-01", "2026-03-01", false, false, false}, /* a day: it lasts */
      {"UTC", "2026-03-01T23:59:59", "2026-03-01", false, false, false},
      {"UTC", "2026-03-02", "2026-03-01", true, true, true},
      {"UTC", "2026-03-01T12:00", "2026-01-30T12:00+1us", true, true, true},
      {"UTC", "2026-03-01T12:00", "2026-01-30T12:00", true, false, true},
      {"UTC", "2026-03-01T12:00", "2025-03-01T12:00+1us", true, false, true},
      {"UTC", "2026-03-01T12:00", "2025-03-01T12:00", true, false, false},
      {"UTC", "2024-02-29", "2023-02-28", true, false, false}, /* a year before 29 February is 28 February */
      {"UTC", "2024-02-29", "2023-02-28+1us", true, false, true},
      {"UTC", "2025-02-28", "2024-02-29", true, false, true},
      {"Europe/Berlin", "2026-03-01T22:59:59Z", "2026-03-01", false, false, false},
      {"Europe/Berlin", "2026-03-01T23:00:00Z", "2026-03-01", true, true, true},
      {"Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-29", false, false, false}, /* a day of 23 hours */
      {"Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-29", true, true, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fixture f;
    fixture_init(&f, cases[i].zone, "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
    fixture_row(&f, CRM_REL_GOAL, "account_id=a goal_id=1 status=on_track target_at=%s", cases[i].target);
    fixture_at(&f, cases[i].at);
    fixture_evaluate(&f);
    char name[96];
    snprintf(name, sizeof(name), "%s at %s", cases[i].target, cases[i].at);
    assert_close_named(name, fixture_sum(&f, "crm_goals status=overdue"), cases[i].overdue);
    assert_close_named(name, fixture_sum(&f, "crm_goals status=on_track"), !cases[i].overdue);
    assert_close_named(name, fixture_sum(&f, "crm_goals_due result=overdue window=30d"), cases[i].in_30d);
    assert_close_named(name, fixture_sum(&f, "crm_goals_due result=overdue window=1y"), cases[i].in_1y);
    assert_close_named(name, fixture_sum(&f, "crm_goal_completion_ratio window=1y"), cases[i].in_1y ? 0 : (double)NAN);
    fixture_free(&f);
  }
}

/* Onboarding ---------------------------------------------------------------------------------------------------------------- */

static void test_onboarding(void **state) {
  static const struct {
    const char *name, *account, *rows[2];
    const char *expected; /* NULL: none */
  } cases[] = {
      {"no plan", "", {NULL}, NULL},
      {"begun at T", "", {"started_at=2026-03-01T12:00 status=in_progress"}, "in_progress"},
      {"begins after T", "", {"started_at=2026-03-01T12:00+1us status=in_progress"}, NULL},
      {"in time", "", {"started_at=2026-01-01 target_at=2026-03-02 status=in_progress"}, "in_progress"},
      {"due today", "", {"started_at=2026-01-01 target_at=2026-03-01 status=in_progress"}, "in_progress"},
      {"overdue", "", {"started_at=2026-01-01 target_at=2026-02-28 status=in_progress"}, "overdue"},
      {"overdue at its hour", "", {"started_at=2026-01-01 target_at=2026-03-01T12:00 status=in_progress"}, "overdue"},
      {"on hold", "", {"started_at=2026-01-01 target_at=2026-04-01 status=on_hold"}, "in_progress"},
      {"on hold too long", "", {"started_at=2026-01-01 target_at=2026-02-01 status=on_hold"}, "overdue"},
      {"status unknown", "", {"started_at=2026-01-01"}, "in_progress"},
      {"cancelled", "", {"started_at=2026-01-01 target_at=2026-02-01 status=cancelled"}, NULL},
      {"completed", "", {"started_at=2026-01-01 target_at=2026-01-10 completed_at=2026-02-01 status=completed"}, "completed"},
      {"completed at T", "", {"started_at=2026-01-01 completed_at=2026-03-01T12:00 status=completed"}, "completed"},
      {"completed after T", "", {"started_at=2026-01-01 completed_at=2026-03-01T12:00+1us status=completed"}, "in_progress"},
      {"completed too late for T", "", {"started_at=2026-01-01 target_at=2026-02-01 completed_at=2026-03-02 status=completed"}, "overdue"},
      {"completed without date", "", {"started_at=2026-01-01 status=completed"}, "completed"},
      {"completed, status unknown", "", {"started_at=2026-01-01 completed_at=2026-02-01"}, "completed"},
      {"open again", "", {"started_at=2026-01-01 completed_at=2026-02-01 status=in_progress"}, "in_progress"},
      {"the last one tells",
       "",
       {"started_at=2026-01-01 target_at=2026-02-01 status=in_progress", "started_at=2025-01-01 completed_at=2025-02-01 status=completed"},
       "overdue"},
      {"churned", "status=churned churned_at=2026-02-01", {"started_at=2026-01-01 status=in_progress"}, NULL},
      {"not there", "created_at=2026-03-02", {"started_at=2026-01-01 status=in_progress"}, NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    static const char *const states[] = {"in_progress", "overdue", "completed"};
    struct fixture f;
    fixture_init(&f, "UTC", "USD");
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a %s", cases[i].account);
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=other");
    fixture_begin(&f, CRM_REL_ONBOARDING);
    for (size_t k = 0; k < 2 && cases[i].rows[k] != NULL; k++)
      fixture_row(&f, CRM_REL_ONBOARDING, "account_id=a %s", cases[i].rows[k]);
    fixture_at(&f, "2026-03-01T12:00");
    fixture_evaluate(&f);
    for (size_t s = 0; s < 3; s++) {
      char query[64];
      snprintf(query, sizeof(query), "crm_onboarding_accounts state=%s", states[s]);
      assert_close_named(cases[i].name, fixture_sum(&f, query), cases[i].expected != NULL && strcmp(cases[i].expected, states[s]) == 0);
    }
    fixture_free(&f);
  }
}

/* Not mapped is absent; mapped and empty is 0. */
static void test_absent(void **state) {
  static const struct {
    enum crm_relation relation;
    const char *family;
    bool counts; /* a count of nothing is 0; a ratio is absent all the same */
  } cases[] = {
      {CRM_REL_USAGE, "crm_adoption_ratio", false},
      {CRM_REL_USAGE, "crm_adoption_active_users", true},
      {CRM_REL_GOAL, "crm_goals", true},
      {CRM_REL_GOAL, "crm_goals_due", true},
      {CRM_REL_GOAL, "crm_goal_completion_ratio", false},
      {CRM_REL_ONBOARDING, "crm_onboarding_accounts", true},
      {CRM_REL_CONTRACT, "crm_renewals_due", true},
      {CRM_REL_CONTRACT, "crm_renewals_upcoming", true},
      {CRM_REL_CONTRACT, "crm_renewal_arr_due", true},
      {CRM_REL_CONTRACT, "crm_renewal_arr_upcoming", true},
      {CRM_REL_CONTRACT, "crm_renewal_arr_base", true},
      {CRM_REL_CONTRACT, "crm_renewal_arr_renewed", true},
      {CRM_REL_CONTRACT, "crm_renewal_arr_renewed_gross", true},
      {CRM_REL_CONTRACT, "crm_renewal_ratio", false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int mapped = 0; mapped < 2; mapped++) {
      struct fixture f;
      fixture_init(&f, "UTC", "USD");
      fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a");
      if (mapped)
        fixture_begin(&f, cases[i].relation);
      fixture_at(&f, "2026-03-01");
      fixture_evaluate(&f);
      assert_close_named(cases[i].family, fixture_sum(&f, cases[i].family), mapped && cases[i].counts ? 0 : (double)NAN);
      fixture_free(&f);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_time_to_value), cmocka_unit_test(test_time_to_value_edges), cmocka_unit_test(test_time_to_value_zone),
      cmocka_unit_test(test_adoption),      cmocka_unit_test(test_adoption_unknown),    cmocka_unit_test(test_engagement_score),
      cmocka_unit_test(test_goals),         cmocka_unit_test(test_goal_edges),          cmocka_unit_test(test_onboarding),
      cmocka_unit_test(test_absent),
  };
  return cmocka_run_group_tests_name("kpi", tests, NULL, NULL);
}
