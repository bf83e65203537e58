/* SPDX-License-Identifier: MIT */
/* What the rules recommend for each account (METRICS.md section 5). Internal to analytics. */
#ifndef CRM_ANALYTICS_RECOMMENDATIONS_H
#define CRM_ANALYTICS_RECOMMENDATIONS_H

#include "analytics/context.h"

struct crm_recommended {
  uint64_t *rules; /* per account: bit r is params->rules[r]. Of rules with equal action and reason only the first has a bit. */
};

/* Whether what the term is made of is mapped. */
bool crm_term_available(const struct crm_context *c, unsigned term);

/* Tells which rules hold for each OPEN account, and counts accounts by action. A rule one of whose terms is not available is left out.
 * CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_recommendations_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                                         struct crm_recommended *recommended) CRM_MUSTCHECK;

#endif
