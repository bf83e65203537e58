/* SPDX-License-Identifier: MIT */
/* The CRM contract, typed again from the design: names, order, what is required, and the scale of scores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "facts/builder.h"
#include "facts/relation.h"
#include "facts/words.h"

/* Kinds: t text, T texts, @ time, d day, n number, m money, b boolean; ! required. */
static const char *const contract[CRM_RELATIONS] = {
    "account: account_id/t! tenant/t name/t segment/t industry/t region/t owner/t status/t currency/t created_at/@ churned_at/@ arr/m "
    "mrr/m "
    "seats/n auto_renew/b renewal_forecast/n recorded_health/n recorded_risk/n first_value_at/@ changed_at/@",
    "revenue: account_id/t! at/@! mrr/m arr/m currency/t",
    "contract: account_id/t! contract_id/t! starts_at/@! ends_at/@ arr/m currency/t auto_renew/b outcome/t decided_at/@ renewed_arr/m",
    "usage: account_id/t! day/d! logins_per_week/n feature_adoption/n session_seconds/n active_users/n",
    "support: account_id/t! day/d! new_tickets/n resolved_tickets/n open_tickets/n escalated/n severity/n resolution_hours/n "
    "first_response_seconds/n csat/n",
    "engagement: account_id/t! engagement_id/t! type/t! outcome/t scheduled_at/@ completed_at/@ owner/t response_seconds/n contacts/T "
    "participants/n accepted/n answered/n",
    "contact: account_id/t! contact_id/t! level/t strength/t status/t since/@",
    "nps: account_id/t! at/@! score/n! respondent/t",
    "goal: account_id/t! goal_id/t! status/t created_at/@ target_at/@ completed_at/@",
    "health: account_id/t! day/d! score/n",
    "invoice: account_id/t! due_at/@! paid_at/@ amount/m currency/t",
    "opportunity: account_id/t! kind/t! amount/m currency/t stage/t opened_at/@ closed_at/@ probability/n",
    "signal: account_id/t! kind/t! at/@! weight/n",
    "intervention: account_id/t! kind/t! opened_at/@! closed_at/@ stage/t owner/t",
    "onboarding: account_id/t! started_at/@! target_at/@ completed_at/@ status/t",
};

static void the_table_is_the_contract(void **state) {
  (void)state;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    char text[1000];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s:", info->name);
    for (size_t c = 0; c < info->n_columns; c++)
      len += (size_t)snprintf(text + len, sizeof(text) - len, " %s/%c%s", info->columns[c].name, "tT@dnmb"[info->columns[c].kind],
                              info -> columns[c].required ? "!" : "");
    assert_string_equal(text, contract[r]);
    assert_true(info->n_columns <= CRM_ROW_COLUMNS);
    assert_true(strlen(info->help) > 5);
    for (size_t c = 0; c < info->n_columns; c++) {
      assert_true(strlen(info->columns[c].help) > 2);
      assert_null(strchr(info->columns[c].help, '\n'));
      if (info->columns[c].kind == CRM_COL_NUMBER)
        assert_true(info->columns[c].min < info->columns[c].max);
    }
  }
}

static const struct crm_column *column(const char *relation, const char *name) {
  const struct crm_relation_info *info = crm_relation_info(crm_relation_by_name(relation));
  for (size_t c = 0; c < info->n_columns; c++)
    if (strcmp(info->columns[c].name, name) == 0)
      return &info->columns[c];
  fail_msg("%s.%s", relation, name);
  return NULL;
}

static void ranges(void **state) {
  (void)state;
  static const struct {
    const char *relation, *column;
    double min, max;
  } cases[] = {
      {"account", "renewal_forecast", 0, 100},
      {"account", "recorded_health", 0, 100},
      {"account", "recorded_risk", 0, 100},
      {"usage", "feature_adoption", 0, 100},
      {"support", "severity", 0, 100},
      {"support", "csat", 1, 5},
      {"nps", "score", 0, 10},
      {"health", "score", 0, 100},
      {"opportunity", "probability", 0, 100},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct crm_column *c = column(cases[i].relation, cases[i].column);
    if (c->min != cases[i].min || c->max != cases[i].max)
      fail_msg("%s.%s", cases[i].relation, cases[i].column);
  }
  static const char *const from_zero[][2] = {
      {"account", "seats"},           {"usage", "logins_per_week"},       {"usage", "session_seconds"},
      {"usage", "active_users"},      {"support", "new_tickets"},         {"support", "resolution_hours"},
      {"engagement", "participants"}, {"engagement", "response_seconds"}, {"signal", "weight"}};
  for (size_t i = 0; i < sizeof(from_zero) / sizeof(from_zero[0]); i++) {
    const struct crm_column *c = column(from_zero[i][0], from_zero[i][1]);
    if (c->min != 0 || c->max < 1e6)
      fail_msg("%s.%s", from_zero[i][0], from_zero[i][1]);
  }
}

static void history_is_by_day(void **state) {
  (void)state;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    bool daily = r == CRM_REL_USAGE || r == CRM_REL_SUPPORT || r == CRM_REL_HEALTH;
    if (daily)
      assert_string_equal(info->columns[info->history_column].name, "day");
    else
      assert_int_equal(info->history_column, -1);
  }
}

static void names(void **state) {
  (void)state;
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(crm_relation_by_name(crm_relation_info((enum crm_relation)r)->name), r);
  assert_int_equal(crm_relation_by_name("accounts"), CRM_RELATIONS);
  assert_int_equal(crm_relation_by_name(""), CRM_RELATIONS);
  static const char *const reasons[] = {"no_account",   "unknown_account", "duplicate", "missing",     "not_a_number",
                                        "out_of_range", "bad_text",        "bad_value", "no_currency", "undated_churn"};
  for (int i = 0; i < CRM_REJECTS; i++)
    assert_string_equal(crm_reject_name((enum crm_reject)i), reasons[i]);
  assert_null(crm_reject_name(CRM_REJECTS));
}

static void words(void **state) {
  (void)state;
  assert_string_equal(crm_word_account_status(CRM_AT_RISK), "at_risk");
  assert_string_equal(crm_word_account_status(CRM_STATUS_UNKNOWN), "unknown");
  assert_null(crm_word_account_status(CRM_STATUSES));
  assert_string_equal(crm_word_engagement_type(CRM_TRAINING), "training");
  assert_null(crm_word_engagement_type(CRM_ENGAGEMENT_TYPES));
  assert_string_equal(crm_word_outcome(CRM_ACTION_REQUIRED), "action_required");
  assert_null(crm_word_outcome(CRM_OUTCOMES));
  assert_string_equal(crm_word_level(CRM_GATEKEEPER), "gatekeeper");
  assert_null(crm_word_level(CRM_LEVELS));
  assert_string_equal(crm_word_strength(CRM_STRENGTH_NEUTRAL), "neutral");
  assert_null(crm_word_strength(CRM_STRENGTHS));
  assert_string_equal(crm_word_signal_kind(CRM_SIGNAL_PRICING), "pricing_discussions");
  assert_null(crm_word_signal_kind(CRM_SIGNAL_KINDS));

  assert_int_equal(crm_word_find(crm_words_account_status, "AT_Risk", 7), CRM_AT_RISK);
  assert_int_equal(crm_word_find(crm_words_account_status, "at_risk!", 7), CRM_AT_RISK);
  assert_int_equal(crm_word_find(crm_words_account_status, "at_risk!", 8), -1);
  assert_int_equal(crm_word_find(crm_words_account_status, "at_ris", 6), -1);
  assert_int_equal(crm_word_find(crm_words_account_status, "", 0), -1);
  assert_int_equal(crm_word_find(crm_words_opportunity_kind, "cross_sell", 10), CRM_CROSS_SELL);
  assert_int_equal(crm_word_find(crm_words_contract_outcome, "lost", 4), CRM_CONTRACT_LOST);
  assert_int_equal(crm_word_find(crm_words_goal_status, "missed", 6), CRM_GOAL_MISSED);
  assert_int_equal(crm_word_find(crm_words_contact_status, "left", 4), CRM_CONTACT_LEFT);
  assert_int_equal(crm_word_find(crm_words_opportunity_stage, "won", 3), CRM_STAGE_WON);
  assert_int_equal(crm_word_find(crm_words_onboarding_status, "on_hold", 7), CRM_ONB_ON_HOLD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_is_the_contract),
      cmocka_unit_test(ranges),
      cmocka_unit_test(history_is_by_day),
      cmocka_unit_test(names),
      cmocka_unit_test(words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
