/* SPDX-License-Identifier: MIT */
/* What is known of the indicators of churn risk without an account. Internal to analytics. */
#ifndef CRM_ANALYTICS_CHURN_INDICATORS_H
#define CRM_ANALYTICS_CHURN_INDICATORS_H

#include "analytics/context.h"

/* Whether the relations without which the indicator does not exist are available. */
bool crm_churn_indicator_available(const struct crm_context *c, enum crm_churn_indicator i);

#endif
