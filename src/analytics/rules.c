/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "analytics/rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analytics/context.h"

_Static_assert(CRM_TERM_HEALTH_INPUT - CRM_TERM_HEALTH_FACTOR == CRM_HEALTH_FACTORS, "a term for each health factor");
_Static_assert(CRM_TERM_CHURN_FACTOR - CRM_TERM_HEALTH_INPUT == CRM_HEALTH_INPUTS, "a term for each health input");
_Static_assert(CRM_TERM_CHURN_INDICATOR - CRM_TERM_CHURN_FACTOR == CRM_CHURN_FACTORS, "a term for each churn factor");
_Static_assert(CRM_TERM_CONTRACT_DAYS_LEFT - CRM_TERM_CHURN_INDICATOR == CRM_CHURN_INDICATORS, "a term for each churn indicator");

const char *crm_term_name(unsigned term) {
  static const char *const facts[] = {
      "contract_days_left", "silent_days", "champions", "lost_champions", "overdue_invoices", "escalations",
  };
  if (term >= CRM_TERM_CONTRACT_DAYS_LEFT)
    return facts[term - CRM_TERM_CONTRACT_DAYS_LEFT];
  if (term >= CRM_TERM_CHURN_INDICATOR)
    return crm_churn_indicator_name((enum crm_churn_indicator)(term - CRM_TERM_CHURN_INDICATOR));
  if (term >= CRM_TERM_CHURN_FACTOR)
    return crm_churn_factor_name((enum crm_churn_factor)(term - CRM_TERM_CHURN_FACTOR));
  if (term >= CRM_TERM_HEALTH_INPUT)
    return crm_health_input_name((enum crm_health_input)(term - CRM_TERM_HEALTH_INPUT));
  if (term >= CRM_TERM_HEALTH_FACTOR)
    return crm_health_factor_name((enum crm_health_factor)(term - CRM_TERM_HEALTH_FACTOR));
  return term == CRM_TERM_HEALTH_SCORE ? "health_score" : "churn_risk_score";
}

unsigned crm_term_by_name(const char *name, size_t len) {
  unsigned term = 0;
  while (term < CRM_TERMS && (strncasecmp(crm_term_name(term), name, len) != 0 || crm_term_name(term)[len] != '\0'))
    term++;
  return term;
}

const char *crm_term_help(unsigned term) {
  static const char *const facts[] = {
      "days until the contract that decides ends; below 0 once it has ended; not known where it is open-ended or renewed",
      "days since the last completed engagement other than a note, or since the account was created if there is none",
      "active contacts who are champions",
      "contacts who were champions and have left or become inactive",
      "invoices that fell due in the last year and are not paid",
      "tickets escalated in the last 30 days",
  };
  if (term >= CRM_TERM_CONTRACT_DAYS_LEFT)
    return facts[term - CRM_TERM_CONTRACT_DAYS_LEFT];
  if (term >= CRM_TERM_CHURN_INDICATOR)
    return "an indicator of the churn risk, 0 to 1";
  if (term >= CRM_TERM_CHURN_FACTOR)
    return "a factor of the churn risk, 0 to 100";
  if (term >= CRM_TERM_HEALTH_INPUT)
    return "an input of the health score, 0 to 100";
  if (term >= CRM_TERM_HEALTH_FACTOR)
    return "a factor of the health score, 0 to 100";
  return "0 to 100";
}

/* Conditions -------------------------------------------------------------------------------------------------------- */

static const char *const signs[] = {"<", "<=", ">", ">="};

const char *crm_comparison_sign(enum crm_comparison c) {
  return signs[c];
}

static const char *skip_blanks(const char *text) {
  return text + strspn(text, " \t");
}

const char *crm_condition_read(const char *text, struct crm_condition *condition, const char **bad, size_t *bad_len) {
  const char *p = skip_blanks(text);
  size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  *bad = p;
  *bad_len = len;
  condition->term = crm_term_by_name(p, len);
  if (condition->term == CRM_TERMS)
    return "term";
  p = skip_blanks(p + len);
  len = strcspn(p, "0123456789+-. \t");
  *bad = p;
  *bad_len = len;
  size_t sign = 0;
  while (sign < sizeof(signs) / sizeof(*signs) && (strlen(signs[sign]) != len || strncmp(signs[sign], p, len) != 0))
    sign++;
  if (sign == sizeof(signs) / sizeof(*signs))
    return "comparison";
  condition->comparison = (enum crm_comparison)sign;
  p = skip_blanks(p + len);
  *bad = p;
  *bad_len = strlen(p);
  /* strtod would also take words and hexadecimal figures. */
  char *end = NULL;
  if (strspn(p, "0123456789+-. \t") != *bad_len)
    return "number";
  condition->value = strtod(p, &end);
  if (end == p || *skip_blanks(end) != '\0' || !(fabs(condition->value) <= 1e9))
    return "number";
  return NULL;
}

bool crm_condition_holds(const struct crm_condition *condition, double number) {
  bool is_fact = condition->term >= CRM_TERM_CONTRACT_DAYS_LEFT; /* counted or a time, exact as it is */
  double value = is_fact ? condition->value : crm_on_grid(condition->value);
  double x = is_fact ? number : crm_on_grid(number); /* every comparison with NaN is false */
  switch (condition->comparison) {
  case CRM_LESS:
    return x < value;
  case CRM_LESS_EQUAL:
    return x <= value;
  case CRM_MORE:
    return x > value;
  case CRM_MORE_EQUAL:
    break;
  }
  return x >= value;
}

/* The shipped rules ------------------------------------------------------------------------------------------------- */

static const struct crm_rule shipped[] = {
    {.name = "renewal_at_risk",
     .action = "executive_review",
     .conditions = {{CRM_TERM_CONTRACT_DAYS_LEFT, CRM_LESS_EQUAL, 60}, {CRM_TERM_CHURN_RISK_SCORE, CRM_MORE, 50}},
     .n_conditions = 2},
    {.name = "silent", .action = "schedule_check_in", .conditions = {{CRM_TERM_SILENT_DAYS, CRM_MORE_EQUAL, 30}}, .n_conditions = 1},
    {.name = "champion_lost",
     .action = "identify_champion",
     .conditions = {{CRM_TERM_LOST_CHAMPIONS, CRM_MORE_EQUAL, 1}, {CRM_TERM_CHAMPIONS, CRM_LESS, 1}},
     .n_conditions = 2},
    {.name = "low_adoption",
     .action = "training",
     .conditions = {{CRM_TERM_HEALTH_INPUT + CRM_HI_FEATURE_ADOPTION, CRM_LESS, 40}},
     .n_conditions = 1},
    {.name = "payment_overdue",
     .action = "billing_follow_up",
     .conditions = {{CRM_TERM_OVERDUE_INVOICES, CRM_MORE_EQUAL, 1}},
     .n_conditions = 1},
    {.name = "escalated", .action = "support_escalation_review", .conditions = {{CRM_TERM_ESCALATIONS, CRM_MORE, 0}}, .n_conditions = 1},
    {.name = "seats_used_up",
     .action = "expansion_conversation",
     .conditions = {{CRM_TERM_HEALTH_INPUT + CRM_HI_USER_ACTIVITY, CRM_MORE_EQUAL, 90}, {CRM_TERM_HEALTH_SCORE, CRM_MORE_EQUAL, 80}},
     .n_conditions = 2},
};

const struct crm_rule *crm_rules_shipped(size_t *n) {
  *n = sizeof(shipped) / sizeof(*shipped);
  return shipped;
}
