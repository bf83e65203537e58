/* SPDX-License-Identifier: MIT */
/* The parts of crm_revenue (context.h), each in a file of its own. Internal to revenue. */
#ifndef CRM_ANALYTICS_REVENUE_H
#define CRM_ANALYTICS_REVENUE_H

#include "analytics/context.h"

/* revenue_months.c: movements by calendar month, cohorts, lifetime value, and what is divided by customers at T (METRICS.md sections 2, 4).
 */
enum crm_status crm_revenue_months(struct crm_context *c) CRM_MUSTCHECK;

/* revenue_contracts.c: contracts in force, and the revenue that is left when those end that are known to. Nothing without contracts. */
enum crm_status crm_revenue_contracts(struct crm_context *c) CRM_MUSTCHECK;

/* opportunities.c: nothing without the relation. */
enum crm_status crm_opportunities(struct crm_context *c) CRM_MUSTCHECK;

/* expansion.c: true if there are goals or engagements to tell it by. */
bool crm_success_known(const struct crm_context *c);
/* True if the account achieved a goal, or had a completed engagement of positive outcome (no note: those are internal), in the 90 days up
 * to one of the rises of its revenue in (start, T]. */
bool crm_expansion_success_driven(const struct crm_context *c, uint32_t account, crm_time start);

#endif
