/* SPDX-License-Identifier: MIT */
/* Scores at instants before T, each computed from the facts up to that instant alone (METRICS.md R1): what was learnt later, such as a late
 * payment or a new customer in the tenant's median, does not change them. Internal to analytics. */
#ifndef CRM_ANALYTICS_PAST_H
#define CRM_ANALYTICS_PAST_H

#include "analytics/context.h"

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
};

/* Band or other standing of the account at c->at. */
uint8_t crm_standing(const struct crm_context *c, uint32_t account, double health_score);

/* Computes the scores at T, which go to `health` and `risk`, and those at T - 7 d, T - 30 d and T - 90 d. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_past_compute(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk,
                                 struct crm_past *past) CRM_MUSTCHECK;

/* slope[i] = the slope of the health score, in points per 30 d, of each of the n accounts listed that is OPEN at T: the median of the slopes
 * between all pairs (Theil-Sen) of the weekly instants T, T - 7 d, ... T - 84 d, if at least three of them have a score; else and for other
 * accounts it is left as it is. What crm_past_compute made of T and T - 7 d is taken from there. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_slopes(struct crm_context *c, const struct crm_health *health, const struct crm_past *past, const uint32_t *accounts,
                           uint32_t n, double *slope) CRM_MUSTCHECK;

#endif
