/* SPDX-License-Identifier: MIT */
/* The twelve indicators of churn risk, each 0..1 (METRICS.md section 5). Internal to analytics. */
#ifndef CRM_ANALYTICS_CHURN_INDICATORS_H
#define CRM_ANALYTICS_CHURN_INDICATORS_H

#include "analytics/context.h"

/* What is known before the first account is looked at. */
struct crm_churn_pass {
  struct crm_context *c;
  struct crm_churn_risk *risk;
  crm_time since_60d, since_90d;
  crm_day day_30d, day_60d, day_90d; /* starts of windows, for rows of a day */
};
/* Fills risk->indicator (columns already there, NaN) for the OPEN accounts: begin, then fill for ranges that cover all accounts. */
void crm_churn_indicators_begin(struct crm_context *c, struct crm_churn_risk *risk, struct crm_churn_pass *pass);
void crm_churn_indicators_fill(const struct crm_churn_pass *pass, uint32_t from, uint32_t to);

/* churn_risk.c: makes the columns and begins the indicators; computes factors and scores from them. */
enum crm_status crm_churn_risk_begin(struct crm_context *c, struct crm_churn_risk *risk, struct crm_churn_pass *pass) CRM_MUSTCHECK;
void crm_churn_risk_end(const struct crm_churn_pass *pass);

/* Whether the relations without which the indicator does not exist are available. */
bool crm_churn_indicator_available(const struct crm_context *c, enum crm_churn_indicator i);

#endif
