/* SPDX-License-Identifier: MIT */
/* The rules of recommendations: conditions on what is known of an account, and what to do when they all hold. A table, shipped with the
 * rules of METRICS.md section 5 and changed by blocks <Recommendation "name">. */
#ifndef CRM_ANALYTICS_RULES_H
#define CRM_ANALYTICS_RULES_H

#include <stdbool.h>
#include <stddef.h>

/* What a condition can ask for, by number:
 * scores, then health factors, health inputs, churn factors and churn indicators in the order of their enums (params.h), then facts. */
enum {
  CRM_TERM_HEALTH_SCORE,
  CRM_TERM_CHURN_RISK_SCORE,
  CRM_TERM_HEALTH_FACTOR,
  CRM_TERM_HEALTH_INPUT = CRM_TERM_HEALTH_FACTOR + 4,
  CRM_TERM_CHURN_FACTOR = CRM_TERM_HEALTH_INPUT + 16,
  CRM_TERM_CHURN_INDICATOR = CRM_TERM_CHURN_FACTOR + 4,
  CRM_TERM_CONTRACT_DAYS_LEFT = CRM_TERM_CHURN_INDICATOR + 12,
  CRM_TERM_SILENT_DAYS,
  CRM_TERM_CHAMPIONS,
  CRM_TERM_LOST_CHAMPIONS,
  CRM_TERM_OVERDUE_INVOICES,
  CRM_TERM_ESCALATIONS,
  CRM_TERMS
};
/* "churn_risk_score", "silent_days" ...; the terms of scores have the names that their labels have. */
const char *crm_term_name(unsigned term);
/* CRM_TERMS if there is none of that name. */
unsigned crm_term_by_name(const char *name, size_t len);
/* What the number is, for the manual: no whole sentence. */
const char *crm_term_help(unsigned term);

enum crm_comparison { CRM_LESS, CRM_LESS_EQUAL, CRM_MORE, CRM_MORE_EQUAL };
/* "<", "<=", ">", ">=" */
const char *crm_comparison_sign(enum crm_comparison c);

struct crm_condition {
  unsigned term;
  enum crm_comparison comparison;
  double value;
};
/* Reads "churn_risk_score > 50". NULL if it can be read; else what is wrong with it, and *bad, *bad_len say which part (may be empty). */
const char *crm_condition_read(const char *text, struct crm_condition *condition, const char **bad, size_t *bad_len);
/* A number that is not known (NaN) fulfils no condition. Scores and their parts are compared on the grid of fixed
 * point (context.h), so that a mean of values that are all 80 is not below 80. */
bool crm_condition_holds(const struct crm_condition *condition, double number);

#define CRM_RULES_MAX 64
#define CRM_CONDITIONS_MAX 8
struct crm_rule {
  const char *name, *action;
  const char *reason;                                  /* NULL: the name */
  struct crm_condition conditions[CRM_CONDITIONS_MAX]; /* all must hold */
  size_t n_conditions;
  bool disabled;
};
static inline const char *crm_rule_reason(const struct crm_rule *rule) {
  return rule->reason != NULL ? rule->reason : rule->name;
}
/* The shipped rules. */
const struct crm_rule *crm_rules_shipped(size_t *n);

#endif
