/* SPDX-License-Identifier: MIT */
/* Scores at instants before T, each computed from the facts up to that instant alone (METRICS.md R1): what was learnt later, such as a late
 * payment or a new customer in the tenant's median, does not change them. Internal to analytics. */
#ifndef CRM_ANALYTICS_PAST_H
#define CRM_ANALYTICS_PAST_H

#include "analytics/context.h"

/* Health and, unless it is NULL, risk of every account at c->at. */
enum crm_status crm_scores_compute(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk) CRM_MUSTCHECK;

/* The windows at whose start scores are known. */
enum crm_past_window { CRM_PAST_7D, CRM_PAST_30D, CRM_PAST_90D, CRM_PAST_WINDOWS };
enum crm_window crm_past_window(enum crm_past_window w);

/* Where an account stood at an instant: its health band, or one of these. */
enum { CRM_STOOD_CHURNED = CRM_HEALTH_BANDS, CRM_STOOD_NOWHERE /* it did not exist */, CRM_STANDINGS };

struct crm_past {
  struct {
    double *health, *risk; /* 0..100, NaN missing */
    uint8_t *stood;
  } at[CRM_PAST_WINDOWS]; /* per window: at T - w */
  double *slope;          /* per account: health points per 30 d; NULL unless it was asked for; NaN for accounts without */
};

/* Band or other standing of the account at c->at. */
uint8_t crm_standing(const struct crm_context *c, uint32_t account, double health_score);

/* Computes the scores at T, which go to `health` and `risk`, and those at T - 7 d, T - 30 d and T - 90 d. With `with_slope` also the health
 * scores of all weekly instants, T, T - 7 d, ... T - 84 d, and from them the slope of each account OPEN at T: the median of the slopes
 * between all pairs of them (Theil-Sen), if at least three instants have a score. The arena holds the columns of three instants at most.
 * CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_past_compute(struct crm_context *c, bool with_slope, struct crm_health *health, struct crm_churn_risk *risk,
                                 struct crm_past *past) CRM_MUSTCHECK;

#endif
