/* SPDX-License-Identifier: MIT */
#include "analytics/params.h"

#include <string.h>

const char *crm_dimension_name(enum crm_dimension d) {
  static const char *const names[CRM_DIMS] = {"segment", "account_owner", "industry", "account_region"};
  return names[d];
}

const char *crm_health_factor_name(enum crm_health_factor f) {
  static const char *const names[CRM_HEALTH_FACTORS] = {"product_usage", "support", "engagement", "business"};
  return names[f];
}

const char *crm_health_input_name(enum crm_health_input i) {
  static const char *const names[CRM_HEALTH_INPUTS] = {
      "login_frequency", "feature_adoption", "session_duration",      "user_activity",      "ticket_volume",   "ticket_severity",
      "resolution_time", "satisfaction",     "meeting_frequency",     "response_rate",      "outcome_quality", "stakeholder_participation",
      "contract_value",  "payment_history",  "expansion_opportunity", "renewal_likelihood",
  };
  return names[i];
}

const char *crm_churn_factor_name(enum crm_churn_factor f) {
  static const char *const names[CRM_CHURN_FACTORS] = {"health_decline", "engagement_reduction", "business_risk", "competitive_threats"};
  return names[f];
}

const char *crm_churn_indicator_name(enum crm_churn_indicator i) {
  static const char *const names[CRM_CHURN_INDICATORS] = {
      "declining_login_frequency", "reduced_feature_usage",        "support_escalations", "missed_meetings",    "delayed_responses",
      "negative_outcomes",         "contract_approaching_renewal", "payment_delays",      "budget_constraints", "competitor_mentions",
      "feature_requests",          "pricing_discussions",
  };
  return names[i];
}

const char *crm_health_band_name(enum crm_health_band b) {
  static const char *const names[CRM_HEALTH_BANDS] = {"healthy", "moderate", "at_risk", "critical", "unscored"};
  return names[b];
}

const char *crm_risk_band_name(enum crm_risk_band b) {
  static const char *const names[CRM_RISK_BANDS] = {"low", "medium", "high", "critical", "unscored"};
  return names[b];
}

static const struct crm_scorecard default_card = {
    .segment = NULL,
    .weight = {0.40, 0.25, 0.20, 0.15},
    .login_target = 5,
    .session_target_seconds = 900,
    .meeting_target = 2,
    .healthy_from = 80,
    .moderate_from = 60,
    .at_risk_from = 40,
};

void crm_params_defaults(struct crm_params *params) {
  memset(params, 0, sizeof(*params));
  params->group_by[0] = CRM_DIM_SEGMENT;
  params->group_by[1] = CRM_DIM_OWNER;
  params->n_group_by = 2;
  params->max_cells = 1000;
  params->scorecards = &default_card;
  params->n_scorecards = 1;
  params->min_coverage = 0.5;
  static const double churn_weight[CRM_CHURN_FACTORS] = {0.30, 0.25, 0.25, 0.20};
  memcpy(params->churn_weight, churn_weight, sizeof(churn_weight));
  params->risk_medium_from = 25;
  params->risk_high_from = 50;
  params->risk_critical_above = 70;
  params->risk_leave = 60;
  params->response_target_seconds = 86400;
  params->renewal_horizon_days = 90;
  params->reactivation_window_days = 0;
  params->gross_margin = 1;
  params->lifetime_cap_months = 60;
  params->per_account = CRM_PER_ACCOUNT_NONE;
  params->per_account_top = 0;
  params->max_series = 50000;
  params->account_names = CRM_NAMES_PLAIN;
  params->rules = crm_rules_shipped(&params->n_rules);
}
