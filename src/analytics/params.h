/* SPDX-License-Identifier: MIT */
/* The parameters of the computation: weights, targets, bands, dimensions. Filled by the options; analytics reads nothing else. */
#ifndef CRM_ANALYTICS_PARAMS_H
#define CRM_ANALYTICS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/rules.h"
#include "facts/calendar.h"

enum crm_dimension { CRM_DIM_SEGMENT, CRM_DIM_OWNER, CRM_DIM_INDUSTRY, CRM_DIM_REGION, CRM_DIMS };
/* Label name: segment, account_owner, industry, account_region. */
const char *crm_dimension_name(enum crm_dimension d);

enum crm_health_factor { CRM_HF_PRODUCT_USAGE, CRM_HF_SUPPORT, CRM_HF_ENGAGEMENT, CRM_HF_BUSINESS, CRM_HEALTH_FACTORS };
enum crm_health_input {
  CRM_HI_LOGIN_FREQUENCY, CRM_HI_FEATURE_ADOPTION, CRM_HI_SESSION_DURATION, CRM_HI_USER_ACTIVITY,
  CRM_HI_TICKET_VOLUME, CRM_HI_TICKET_SEVERITY, CRM_HI_RESOLUTION_TIME, CRM_HI_SATISFACTION,
  CRM_HI_MEETING_FREQUENCY, CRM_HI_RESPONSE_RATE, CRM_HI_OUTCOME_QUALITY, CRM_HI_STAKEHOLDER_PARTICIPATION,
  CRM_HI_CONTRACT_VALUE, CRM_HI_PAYMENT_HISTORY, CRM_HI_EXPANSION_OPPORTUNITY, CRM_HI_RENEWAL_LIKELIHOOD,
  CRM_HEALTH_INPUTS
}; /* input i belongs to factor i / 4 */
enum crm_churn_factor { CRM_CF_HEALTH_DECLINE, CRM_CF_ENGAGEMENT_REDUCTION, CRM_CF_BUSINESS_RISK, CRM_CF_COMPETITIVE_THREATS, CRM_CHURN_FACTORS };
enum crm_churn_indicator {
  CRM_CI_DECLINING_LOGIN_FREQUENCY, CRM_CI_REDUCED_FEATURE_USAGE, CRM_CI_SUPPORT_ESCALATIONS,
  CRM_CI_MISSED_MEETINGS, CRM_CI_DELAYED_RESPONSES, CRM_CI_NEGATIVE_OUTCOMES,
  CRM_CI_CONTRACT_APPROACHING_RENEWAL, CRM_CI_PAYMENT_DELAYS, CRM_CI_BUDGET_CONSTRAINTS,
  CRM_CI_COMPETITOR_MENTIONS, CRM_CI_FEATURE_REQUESTS, CRM_CI_PRICING_DISCUSSIONS,
  CRM_CHURN_INDICATORS
}; /* indicator i belongs to factor i / 3 */
enum crm_health_band { CRM_BAND_HEALTHY, CRM_BAND_MODERATE, CRM_BAND_AT_RISK, CRM_BAND_CRITICAL, CRM_BAND_UNSCORED, CRM_HEALTH_BANDS };
enum crm_risk_band { CRM_RISK_LOW, CRM_RISK_MEDIUM, CRM_RISK_HIGH, CRM_RISK_CRITICAL, CRM_RISK_UNSCORED, CRM_RISK_BANDS };
const char *crm_health_factor_name(enum crm_health_factor f);
const char *crm_health_input_name(enum crm_health_input i);
const char *crm_churn_factor_name(enum crm_churn_factor f);
const char *crm_churn_indicator_name(enum crm_churn_indicator i);
const char *crm_health_band_name(enum crm_health_band b);
const char *crm_risk_band_name(enum crm_risk_band b);

/* A scorecard: what makes a health score. Every segment may have its own (block <Scorecard "segment">). */
struct crm_scorecard {
  const char *segment; /* NULL: the default one */
  double weight[CRM_HEALTH_FACTORS];       /* > = 0, not all 0; divided by their sum; defaults .40 .25 .20 .15 */
  double login_target;                     /* logins per week for 100; default 5 */
  double session_target_seconds;           /* default 900 */
  double meeting_target;                   /* per 30 d; default 2 */
  double healthy_from, moderate_from, at_risk_from; /* default 80 60 40 */
};

enum crm_per_account { CRM_PER_ACCOUNT_NONE, CRM_PER_ACCOUNT_AT_RISK, CRM_PER_ACCOUNT_TOP, CRM_PER_ACCOUNT_ALL };
enum crm_account_names { CRM_NAMES_PLAIN, CRM_NAMES_HASHED, CRM_NAMES_OFF };

/* A health score to compare with, which somebody wrote down; none is built in. */
struct crm_benchmark {
  const char *source;
  double score; /* 0..100 */
};

/* Where the time of a computation goes, for measuring. The computation has no clock of its own: it tells which part begins, and the
 * listener looks at its own. */
struct crm_trace {
  void (*begin)(void *ctx, const char *part);
  void *ctx;
};

struct crm_params {
  const struct crm_zone *zone;
  enum crm_dimension group_by[CRM_DIMS]; /* GroupBy, in order */
  size_t n_group_by;
  size_t max_cells; /* default 1000 */

  const struct crm_scorecard *scorecards; /* [0] is the default one; at least one */
  size_t n_scorecards;
  double min_coverage; /* default 0.5, for health and risk alike */

  double churn_weight[CRM_CHURN_FACTORS];  /* .30 .25 .25 .20 */
  double risk_medium_from, risk_high_from; /* 25, 50: at or above */
  double risk_critical_above;              /* 70: strictly above */
  double risk_leave;                       /* 60: whose risk was critical no longer counts as at risk at or below it; at most risk_critical_above */
  double response_target_seconds;          /* 86400 */
  double renewal_horizon_days;             /* 90 */
  int reactivation_window_days;            /* 0 = unlimited */

  double gross_margin;        /* of lifetime value, 0..1; default 1 */
  double lifetime_cap_months; /* default 60; 0 = none */

  enum crm_per_account per_account;
  size_t per_account_top; /* with CRM_PER_ACCOUNT_TOP: that many by ARR */
  size_t max_series;      /* limit of per-account series; default 50000 */
  enum crm_account_names account_names;

  const struct crm_benchmark *benchmarks; /* n_benchmarks, sources distinct; none by default */
  size_t n_benchmarks;
  const struct crm_rule *rules; /* n_rules <= CRM_RULES_MAX, none disabled; default: the shipped ones */
  size_t n_rules;

  const struct crm_trace *trace; /* NULL: nobody listens */
};

/* The defaults above, with zone NULL. */
void crm_params_defaults(struct crm_params *params);

#endif
