/* SPDX-License-Identifier: MIT */
/* The figures of customer success (METRICS.md, KPIs) but NPS, which has a file of its own. Internal to analytics.
 *
 * States at T (goals, onboarding, adoption, renewals to come) are those of OPEN accounts; what fell due or happened in a window counts for
 * all accounts, since leaving out those that left would make every rate look better than it was. */
#ifndef CRM_ANALYTICS_KPI_H
#define CRM_ANALYTICS_KPI_H

#include "analytics/context.h"

/* All of them. The health scores give the engagement factor and the recorded feature adoption. */
enum crm_status crm_kpi_emit(struct crm_context *c, const struct crm_health *health) CRM_MUSTCHECK;

/* time_to_value.c, adoption.c, goals.c, renewals.c, onboarding.c; each does nothing without its relation. */
enum crm_status crm_time_to_value_emit(struct crm_context *c) CRM_MUSTCHECK;
enum crm_status crm_adoption_emit(struct crm_context *c, const struct crm_health *health) CRM_MUSTCHECK;
enum crm_status crm_goals_emit(struct crm_context *c) CRM_MUSTCHECK;
enum crm_status crm_renewals_emit(struct crm_context *c) CRM_MUSTCHECK;
enum crm_status crm_onboarding_emit(struct crm_context *c) CRM_MUSTCHECK;

/* tenants[t] = sum of cells[cell] over the cells of the tenant. */
void crm_sum_tenants(const struct crm_context *c, const int64_t *cells, int64_t *tenants);

/* True once the time for something due has run out at T. A due date stands at the first instant of its day and lasts for the whole of it,
 * as it does for invoices; a due hour runs out with that instant. */
struct crm_due {
  crm_time at, today; /* T, and the first instant of its day */
};
struct crm_due crm_due_at(const struct crm_context *c);
static inline bool crm_due_passed(const struct crm_due *due, crm_time target_at) {
  return target_at <= due->at && target_at != due->today;
}

/* onboarding.c: true if the plan (a row of facts->onboarding that has begun) is completed as far as is known at T; *completed_at is when,
 * CRM_TIME_NONE if nobody wrote it down. A date that was left behind on a plan that is not completed says nothing. */
bool crm_onboarding_completed(const struct crm_context *c, uint32_t row, crm_time *completed_at);

#endif
