/* SPDX-License-Identifier: MIT */
/* How health and churn risk have moved since T - w (METRICS.md section 2). Internal to analytics. */
#ifndef CRM_ANALYTICS_TREND_H
#define CRM_ANALYTICS_TREND_H

#include "analytics/past.h"

/* A change of more than so many points either way is a trend. */
#define CRM_TREND_DEAD_BAND 5.0

enum crm_trend { CRM_TREND_IMPROVING, CRM_TREND_STABLE, CRM_TREND_DECLINING, CRM_TRENDS };
const char *crm_trend_name(enum crm_trend t);
/* Name of a standing (past.h): that of the band, "churned" or "new". */
const char *crm_standing_name(unsigned standing);

/* Health change, trends, transitions between bands, recovery, accounts newly at risk, and the configured benchmarks. CRM_OK or
 * CRM_ERR_MEMORY. */
enum crm_status crm_trend_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                               const struct crm_past *past) CRM_MUSTCHECK;

#endif
