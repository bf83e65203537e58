/* SPDX-License-Identifier: MIT */
/* Facts x instant -> samples. A pure function: no clock, no I/O, no globals (METRICS.md R1). */
#ifndef CRM_ANALYTICS_EVALUATE_H
#define CRM_ANALYTICS_EVALUATE_H

#include "analytics/params.h"
#include "base/arena.h"
#include "facts/facts.h"
#include "series/set.h"

/* Computes every family of the catalogue but those of scope INSTANCE as of `at` and adds them to `set` (emptied first), sorted.
 * Scratch memory comes from `arena`, which is reset first; keeping one arena between calls keeps its memory.
 * A family whose relation is not available is absent. CRM_OK, CRM_ERR_MEMORY or CRM_ERR_LIMIT. */
enum crm_status crm_evaluate(const struct crm_facts *facts, const struct crm_params *params, crm_time at, struct crm_arena *arena,
                             struct crm_series_set *set, struct crm_error *err) CRM_MUSTCHECK;

/* The DashboardStats object of the requirements document, for one tenant or, with tenant NULL, for all. NaN = undefined (JSON null).
 * total_arr is defined only if all ARR is in one currency (or `currency` names one); `currencies` tells how many there are. */
struct crm_dashboard_stats {
  uint64_t total_accounts, active_accounts, at_risk_accounts, churned_accounts, onboarding_accounts, unknown_accounts;
  double average_health_score, average_churn_risk, total_arr, nps_score;
  char currency[4];
  unsigned currencies;
};
/* Reads them from an evaluated set. */
void crm_dashboard_stats(const struct crm_series_set *set, const char *tenant, const char *currency, struct crm_dashboard_stats *stats);

#endif
