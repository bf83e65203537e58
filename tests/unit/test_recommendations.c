/* SPDX-License-Identifier: MIT */
/* Recommendations: every shipped rule at its limits, every term, and how they are counted. The instant is 2026-03-01 00:00 UTC, hence
 * T - 30 d = 2026-01-30 and T - 1 y = 2025-03-01. All weight of health is on product usage, all weight of risk on declining health, which
 * without usage is the share of tickets that were escalated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analytics/recommendations.h"
#include "lib/close.h"
#include "lib/facts_fixture.h"

#define USAGE CRM_REL_USAGE
#define SUPPORT CRM_REL_SUPPORT
#define ENGAGEMENT CRM_REL_ENGAGEMENT
#define CONTACT CRM_REL_CONTACT
#define CONTRACT CRM_REL_CONTRACT
#define INVOICE CRM_REL_INVOICE

struct row {
  enum crm_relation relation; /* CRM_REL_ACCOUNT ends the list; a row without text only makes the relation available */
  const char *text;
};

static void init(struct fixture *f) {
  fixture_init(f, "UTC", "USD");
  for (unsigned k = 0; k < CRM_HEALTH_FACTORS; k++)
    f->card.weight[k] = k == CRM_HF_PRODUCT_USAGE;
  for (unsigned k = 0; k < CRM_CHURN_FACTORS; k++)
    f->params.churn_weight[k] = k == CRM_CF_HEALTH_DECLINE;
  f->params.per_account = CRM_PER_ACCOUNT_ALL;
  fixture_at(f, "2026-03-01");
}

static void put_rows(struct fixture *f, const struct row *rows, size_t n) {
  for (size_t i = 0; i < n && rows[i].relation != CRM_REL_ACCOUNT; i++) {
    if (rows[i].text == NULL)
      fixture_begin(f, rows[i].relation);
    else
      fixture_row(f, rows[i].relation, "account_id=a %s", rows[i].text);
  }
}

#define RISK_75                                                                                                                            \
  { SUPPORT, "day=2026-02-01 new_tickets=4 escalated=3" }
#define MAX_ROWS 4

static const struct {
  const char *name, *action, *reason;
  bool holds;
  const char *account; /* further columns */
  struct row rows[MAX_ROWS];
} shipped[] = {
    {"60 days left and a risk of 75",
     "executive_review",
     "renewal_at_risk",
     true,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30"}}},
    {"more than 60 days left",
     "executive_review",
     "renewal_at_risk",
     false,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30+1us"}}},
    {"a risk of just 50",
     "executive_review",
     "renewal_at_risk",
     false,
     "",
     {{SUPPORT, "day=2026-02-01 new_tickets=4 escalated=2"}, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30"}}},
    {"risk unknown",
     "executive_review",
     "renewal_at_risk",
     false,
     "",
     {{SUPPORT, NULL}, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30"}}},
    {"renewed",
     "executive_review",
     "renewal_at_risk",
     false,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30 outcome=renewed decided_at=2026-03-01"}}},
    {"renewed after T",
     "executive_review",
     "renewal_at_risk",
     true,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-30 outcome=renewed decided_at=2026-03-01+1us"}}},
    {"ended and undecided",
     "executive_review",
     "renewal_at_risk",
     true,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-02-01"}}},
    {"open-ended", "executive_review", "renewal_at_risk", false, "", {RISK_75, {CONTRACT, "contract_id=1 starts_at=2025-01-01"}}},
    {"begins after T",
     "executive_review",
     "renewal_at_risk",
     false,
     "",
     {RISK_75, {CONTRACT, "contract_id=1 starts_at=2026-03-01+1us ends_at=2026-04-01"}}},

    {"silent for 30 days", "schedule_check_in", "silent", true, "", {{ENGAGEMENT, "engagement_id=1 type=email completed_at=2026-01-30"}}},
    {"not quite", "schedule_check_in", "silent", false, "", {{ENGAGEMENT, "engagement_id=1 type=email completed_at=2026-01-30+1us"}}},
    {"notes, plans and the future do not count",
     "schedule_check_in",
     "silent",
     true,
     "",
     {{ENGAGEMENT, "engagement_id=1 type=call completed_at=2025-06-01"},
      {ENGAGEMENT, "engagement_id=2 type=note completed_at=2026-02-20"},
      {ENGAGEMENT, "engagement_id=3 type=call scheduled_at=2026-02-20"},
      {ENGAGEMENT, "engagement_id=4 type=call completed_at=2026-03-01+1us"}}},
    {"engaged at T", "schedule_check_in", "silent", false, "", {{ENGAGEMENT, "engagement_id=1 type=other completed_at=2026-03-01"}}},
    {"never engaged, 30 days old", "schedule_check_in", "silent", true, "created_at=2026-01-30", {{ENGAGEMENT, NULL}}},
    {"never engaged, 29 days old", "schedule_check_in", "silent", false, "created_at=2026-01-31", {{ENGAGEMENT, NULL}}},
    {"never engaged, of unknown age", "schedule_check_in", "silent", false, "name=x", {{ENGAGEMENT, NULL}}},

    {"the champion left", "identify_champion", "champion_lost", true, "", {{CONTACT, "contact_id=1 strength=champion status=left"}}},
    {"the champion became inactive",
     "identify_champion",
     "champion_lost",
     true,
     "",
     {{CONTACT, "contact_id=1 strength=champion status=inactive"}}},
    {"the champion does not answer",
     "identify_champion",
     "champion_lost",
     false,
     "",
     {{CONTACT, "contact_id=1 strength=champion status=unresponsive"}}},
    {"another champion",
     "identify_champion",
     "champion_lost",
     false,
     "",
     {{CONTACT, "contact_id=1 strength=champion status=left"}, {CONTACT, "contact_id=2 strength=champion status=active"}}},
    {"another champion after T",
     "identify_champion",
     "champion_lost",
     true,
     "",
     {{CONTACT, "contact_id=1 strength=champion status=left"},
      {CONTACT, "contact_id=2 strength=champion status=active since=2026-03-01+1us"}}},
    {"a supporter left", "identify_champion", "champion_lost", false, "", {{CONTACT, "contact_id=1 strength=supporter status=left"}}},
    {"there never was one", "identify_champion", "champion_lost", false, "", {{CONTACT, NULL}}},

    {"adoption below 40", "training", "low_adoption", true, "", {{USAGE, "day=2026-02-01 feature_adoption=39.9"}}},
    {"adoption of 40", "training", "low_adoption", false, "", {{USAGE, "day=2026-02-01 feature_adoption=40"}}},
    {"adoption unknown", "training", "low_adoption", false, "", {{USAGE, "day=2026-02-01 logins_per_week=1"}}},

    {"due yesterday", "billing_follow_up", "payment_overdue", true, "", {{INVOICE, "due_at=2026-02-28"}}},
    {"due today", "billing_follow_up", "payment_overdue", false, "", {{INVOICE, "due_at=2026-03-01"}}},
    {"paid late", "billing_follow_up", "payment_overdue", false, "", {{INVOICE, "due_at=2026-02-01 paid_at=2026-03-01"}}},
    {"paid after T", "billing_follow_up", "payment_overdue", true, "", {{INVOICE, "due_at=2026-02-01 paid_at=2026-03-01+1us"}}},
    {"due a year ago", "billing_follow_up", "payment_overdue", false, "", {{INVOICE, "due_at=2025-03-01"}}},
    {"due almost a year ago", "billing_follow_up", "payment_overdue", true, "", {{INVOICE, "due_at=2025-03-02"}}},

    {"an older ticket escalated",
     "support_escalation_review",
     "escalated",
     true,
     "",
     {{SUPPORT, "day=2026-01-31 new_tickets=0 escalated=1"}}},
    {"too long ago", "support_escalation_review", "escalated", false, "", {{SUPPORT, "day=2026-01-30 new_tickets=1 escalated=1"}}},
    {"after T", "support_escalation_review", "escalated", false, "", {{SUPPORT, "day=2026-03-02 new_tickets=1 escalated=1"}}},
    {"none escalated", "support_escalation_review", "escalated", false, "", {{SUPPORT, "day=2026-02-01 new_tickets=1 escalated=0"}}},
    {"not told", "support_escalation_review", "escalated", false, "", {{SUPPORT, "day=2026-02-01 new_tickets=1"}}},

    {"nine of ten seats, healthy", "expansion_conversation", "seats_used_up", true, "seats=10", {{USAGE, "day=2026-02-01 active_users=9"}}},
    {"eight of ten seats", "expansion_conversation", "seats_used_up", false, "seats=10", {{USAGE, "day=2026-02-01 active_users=8"}}},
    {"healthy at 80: 90 and 70",
     "expansion_conversation",
     "seats_used_up",
     true,
     "seats=10",
     {{USAGE, "day=2026-02-01 active_users=9 feature_adoption=70"}}},
    {"not healthy at 79",
     "expansion_conversation",
     "seats_used_up",
     false,
     "seats=10",
     {{USAGE, "day=2026-02-01 active_users=9 feature_adoption=68"}}},
    {"seats unknown", "expansion_conversation", "seats_used_up", false, "", {{USAGE, "day=2026-02-01 active_users=9"}}},
};

static void test_shipped_rules(void **state) {
  for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
    struct fixture f;
    init(&f);
    bool plain = strstr(shipped[i].account, "created_at") == NULL && strstr(shipped[i].account, "name") == NULL;
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active %s %s", plain ? "created_at=2025-01-01" : "", shipped[i].account);
    put_rows(&f, shipped[i].rows, MAX_ROWS);
    fixture_evaluate(&f);
    char query[128];
    snprintf(query, sizeof(query), "crm_account_recommendation account=a action=%s reason=%s", shipped[i].action, shipped[i].reason);
    assert_close_named(shipped[i].name, fixture_sum(&f, query), shipped[i].holds ? 1 : NAN);
    snprintf(query, sizeof(query), "crm_recommendations action=%s", shipped[i].action);
    assert_close_named(shipped[i].name, fixture_sum(&f, query), shipped[i].holds ? 1 : 0);
    fixture_free(&f);
  }
}

/* No rule is shipped without cases that meet it and cases that do not. */
static void test_shipped_rules_are_tested(void **state) {
  size_t n;
  const struct crm_rule *rules = crm_rules_shipped(&n);
  for (size_t r = 0; r < n; r++) {
    int cases[2] = {0, 0};
    for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++)
      if (strcmp(shipped[i].reason, crm_rule_reason(&rules[r])) == 0)
        cases[shipped[i].holds]++;
    if (cases[0] == 0 || cases[1] == 0)
      fail_msg("rule %s is not tested", rules[r].name);
  }
}

/* Each term has the value that it should have: at it ">=" holds, and just above it does not. */
static void test_terms(void **state) {
  static const struct row rows[] = {
      {CONTACT, "contact_id=1 strength=champion status=active"},
      {CONTACT, "contact_id=2 strength=champion status=active"},
      {CONTACT, "contact_id=3 strength=champion status=left"},
      {USAGE, "day=2026-01-20 logins_per_week=4 feature_adoption=80"},
      {USAGE, "day=2026-02-10 logins_per_week=3 feature_adoption=60 session_seconds=450 active_users=7"},
      {SUPPORT, "day=2026-02-10 new_tickets=4 escalated=1 severity=25 resolution_hours=24 resolved_tickets=2 csat=4"},
      {SUPPORT, "day=2026-02-11 new_tickets=4 escalated=1"},
      {ENGAGEMENT, "engagement_id=1 type=call outcome=negative completed_at=2026-02-19T12:00:00Z participants=4 accepted=1 "
                   "response_seconds=90000 contacts=1"},
      {ENGAGEMENT, "engagement_id=2 type=call scheduled_at=2026-02-18"},
      {CONTRACT, "contract_id=1 starts_at=2025-01-01 ends_at=2026-04-15T12:00:00Z"},
      {INVOICE, "due_at=2026-01-01"},
      {INVOICE, "due_at=2025-12-01"},
      {INVOICE, "due_at=2025-11-01 paid_at=2025-10-01"},
      {INVOICE, "due_at=2025-10-01 paid_at=2025-10-01"},
      {CRM_REL_SIGNAL, "kind=competitor_mentions at=2026-02-01 weight=0.5"},
  };
  static const struct {
    const char *term;
    double value;
  } cases[] = {
      {"login_frequency", 60}, /* 3 of 5 */
      {"feature_adoption", 60},
      {"session_duration", 50},
      {"user_activity", 70},
      {"product_usage", 60}, /* (60 + 60 + 50 + 70) / 4 */
      {"health_score", 60},
      {"ticket_volume", 100},
      {"ticket_severity", 75},
      {"resolution_time", 75},
      {"satisfaction", 75},
      {"support", 81.25},
      {"meeting_frequency", 50},
      {"response_rate", 25},
      {"outcome_quality", 0},
      {"stakeholder_participation", 50}, /* one of the two that are active */
      {"engagement", 31.25},
      {"contract_value", 50},
      {"payment_history", 50},
      {"expansion_opportunity", 50},
      {"renewal_likelihood", 30},
      {"business", 45},
      {"declining_login_frequency", 0.25},
      {"reduced_feature_usage", 0.25},
      {"support_escalations", 0.25},
      {"health_decline", 25},
      {"churn_risk_score", 25},
      {"missed_meetings", 0.5},
      {"delayed_responses", 1},
      {"negative_outcomes", 1},
      {"engagement_reduction", 100.0 * 5 / 6},
      {"contract_approaching_renewal", 0.494444444444444}, /* 1 - 45.5 / 90 */
      {"payment_delays", 0.5},
      {"budget_constraints", 0},
      {"business_risk", 33.1481481481481},
      {"competitor_mentions", 0.5},
      {"feature_requests", 0},
      {"pricing_discussions", 0},
      {"competitive_threats", 100.0 / 6},
      {"contract_days_left", 45.5},
      {"silent_days", 9.5},
      {"champions", 2},
      {"lost_champions", 1},
      {"overdue_invoices", 2},
      {"escalations", 2},
  };
  assert_int_equal(sizeof(cases) / sizeof(cases[0]), CRM_TERMS);
  bool seen[CRM_TERMS] = {false};
  for (size_t i = 0; i < CRM_TERMS; i++) {
    struct fixture f;
    struct crm_rule rules[2] = {{.name = "at", .action = "x", .n_conditions = 1}, {.name = "above", .action = "y", .n_conditions = 1}};
    for (int above = 0; above < 2; above++) {
      char text[128];
      const char *bad;
      size_t len;
      snprintf(text, sizeof(text), "%s >= %.12f", cases[i].term, cases[i].value + (above ? 1e-6 : -1e-6));
      assert_null(crm_condition_read(text, &rules[above].conditions[0], &bad, &len));
    }
    unsigned term = rules[0].conditions[0].term;
    assert_string_equal(crm_term_name(term), cases[i].term);
    assert_true(crm_term_help(term)[0] != '\0');
    assert_false(seen[term]);
    seen[term] = true;
    init(&f);
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active created_at=2025-01-01 seats=10 arr=1000 renewal_forecast=30");
    put_rows(&f, rows, sizeof(rows) / sizeof(rows[0]));
    f.params.rules = rules;
    f.params.n_rules = 2;
    fixture_evaluate(&f);
    assert_close_named(cases[i].term, fixture_sum(&f, "crm_recommendations action=x"), 1);
    assert_close_named(cases[i].term, fixture_sum(&f, "crm_recommendations action=y"), 0);
    fixture_free(&f);
  }
}

/* What a term needs is not mapped: nothing is counted, not even 0; and nothing is known of any: the condition does not hold either way. */
static void test_availability(void **state) {
  static const struct {
    const char *term;
    enum crm_relation relation; /* any one of those it is made of */
  } cases[] = {
      {"user_activity", USAGE},
      {"product_usage", USAGE},
      {"satisfaction", SUPPORT},
      {"support", SUPPORT},
      {"engagement", ENGAGEMENT},
      {"payment_history", INVOICE},
      {"churn_risk_score", CRM_REL_SIGNAL},
      {"health_decline", SUPPORT},
      {"missed_meetings", ENGAGEMENT},
      {"business_risk", CONTRACT},
      {"competitive_threats", CRM_REL_SIGNAL},
      {"contract_days_left", CONTRACT},
      {"silent_days", ENGAGEMENT},
      {"champions", CONTACT},
      {"lost_champions", CONTACT},
      {"overdue_invoices", INVOICE},
      {"escalations", SUPPORT},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int mapped = 0; mapped < 2; mapped++) {
      struct fixture f;
      struct crm_rule rule = {.name = "r", .action = "x", .n_conditions = 1};
      rule.conditions[0] = (struct crm_condition){crm_term_by_name(cases[i].term, strlen(cases[i].term)), CRM_MORE, 1e9};
      init(&f);
      fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active");
      if (mapped)
        fixture_begin(&f, cases[i].relation);
      f.params.rules = &rule;
      f.params.n_rules = 1;
      fixture_evaluate(&f);
      assert_close_named(cases[i].term, fixture_sum(&f, "crm_recommendations"), mapped ? 0 : NAN);
      fixture_free(&f);
    }
}

/* No row of support in 30 days is no escalation; a row that does not tell is none either way. */
static void test_untold(void **state) {
  static const struct crm_rule rule = {
      .name = "calm", .action = "x", .conditions = {{CRM_TERM_ESCALATIONS, CRM_LESS, 1}}, .n_conditions = 1};
  static const char *const rows[] = {NULL, "day=2026-02-01 new_tickets=1", "day=2026-02-01 escalated=0"};
  static const double holds[] = {1, 0, 1};
  for (size_t i = 0; i < 3; i++) {
    struct fixture f;
    init(&f);
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a status=active");
    put_rows(&f, &(struct row){SUPPORT, rows[i]}, 1);
    f.params.rules = &rule;
    f.params.n_rules = 1;
    fixture_evaluate(&f);
    assert_close(fixture_sum(&f, "crm_recommendations action=x"), holds[i]);
    fixture_free(&f);
  }
}

/* a: adoption 10 and health 10; b: adoption 30 and health 30; c: churned; d: adoption 90. */
static void test_counting(void **state) {
  static const struct crm_rule rules[] = {
      {.name = "one", .action = "call", .conditions = {{CRM_TERM_HEALTH_SCORE, CRM_LESS, 50}}, .n_conditions = 1},
      {.name = "two", .action = "call", .conditions = {{CRM_TERM_HEALTH_SCORE, CRM_LESS_EQUAL, 10}}, .n_conditions = 1},
      {.name = "three", .action = "call", .reason = "one", .conditions = {{CRM_TERM_HEALTH_SCORE, CRM_MORE, 80}}, .n_conditions = 1},
      {.name = "four", .action = "write", .reason = "one", .conditions = {{CRM_TERM_HEALTH_SCORE, CRM_MORE, 20}}, .n_conditions = 1},
      {.name = "five", .action = "call", .reason = "one", .conditions = {{CRM_TERM_HEALTH_SCORE, CRM_LESS, 20}}, .n_conditions = 1},
      {.name = "six", .action = "wait", .conditions = {{CRM_TERM_CHAMPIONS, CRM_LESS, 1}}, .n_conditions = 1},
  };
  static const double adoption[] = {10, 30, 10, 90};
  struct fixture f;
  init(&f);
  f.params.n_group_by = 1;
  for (int i = 0; i < 4; i++)
    fixture_row(&f, CRM_REL_ACCOUNT, "account_id=%c status=%s segment=%s created_at=2025-01-01", 'a' + i,
                i == 2 ? "churned churned_at=2026-02-28" : "active", i == 1 ? "mid" : "smb");
  for (int i = 0; i < 4; i++)
    fixture_row(&f, CRM_REL_USAGE, "account_id=%c day=2026-02-01 feature_adoption=%g", 'a' + i, adoption[i]);
  f.params.rules = rules;
  f.params.n_rules = sizeof(rules) / sizeof(rules[0]);
  fixture_evaluate(&f);
  static const struct {
    const char *query;
    double value;
  } cases[] = {
      {"crm_recommendations action=call", 3}, /* a once, although three rules say so */
      {"crm_recommendations action=call segment=smb", 2},
      {"crm_recommendations action=call segment=mid", 1},
      {"crm_recommendations action=write", 2},
      {"crm_recommendations action=write segment=smb", 1},
      {"crm_recommendations action=wait", NAN},                           /* contacts are not mapped */
      {"crm_account_recommendation account=a action=call reason=one", 1}, /* one series, although two rules say just this */
      {"crm_account_recommendation account=a action=call reason=two", 1},
      {"crm_account_recommendation account=a", 2},
      {"crm_account_recommendation account=b action=call reason=one", 1},
      {"crm_account_recommendation account=b action=write reason=one", 1},
      {"crm_account_recommendation account=c", NAN},
      {"crm_account_recommendation account=d action=call reason=one", 1},
      {"crm_account_recommendation account=d action=write reason=one", 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_close_named(cases[i].query, fixture_sum(&f, cases[i].query), cases[i].value);
  f.params.n_rules = 0;
  fixture_evaluate(&f);
  assert_int_equal(fixture_count(&f, "crm_recommendations"), 0);
  fixture_free(&f);
}

static void test_comparisons(void **state) {
  static const struct {
    enum crm_comparison comparison;
    bool below, at, above;
  } cases[] = {{CRM_LESS, true, false, false},
               {CRM_LESS_EQUAL, true, true, false},
               {CRM_MORE, false, false, true},
               {CRM_MORE_EQUAL, false, true, true}};
  for (size_t i = 0; i < 4; i++) {
    const struct crm_condition condition = {CRM_TERM_HEALTH_SCORE, cases[i].comparison, 0.3};
    assert_int_equal(crm_condition_holds(&condition, 0.1 + 0.2 - 1e-3), cases[i].below);
    assert_int_equal(crm_condition_holds(&condition, 0.1 + 0.2), cases[i].at); /* not 0.3 as a double, but on the grid */
    assert_int_equal(crm_condition_holds(&condition, 0.1 + 0.2 + 1e-3), cases[i].above);
    assert_false(crm_condition_holds(&condition, NAN));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shipped_rules), cmocka_unit_test(test_shipped_rules_are_tested),
      cmocka_unit_test(test_terms),         cmocka_unit_test(test_availability),
      cmocka_unit_test(test_counting),      cmocka_unit_test(test_untold),
      cmocka_unit_test(test_comparisons),
  };
  return cmocka_run_group_tests_name("recommendations", tests, NULL, NULL);
}
