/* SPDX-License-Identifier: MIT */
/* What an account is compared with: references over a whole tenant as of T. Internal to analytics. */
#ifndef CRM_ANALYTICS_REFERENCE_H
#define CRM_ANALYTICS_REFERENCE_H

#include "analytics/context.h"

/* rank[i] = percentile rank, 0..100, of the account's annual revenue among the PAYING accounts of its tenant and currency: the share of
 * those strictly below plus half of those equal (itself among them), times 100. A single account has 50. NaN for accounts that do not pay.
 * `rank` has room for c->n. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_arr_ranks(struct crm_context *c, double *rank) CRM_MUSTCHECK;

/* median[g] = median of value[i] over the accounts with group[i] == g, NaN for a group without; accounts whose value is NaN do not count.
 * The mean of the two middle ones if the count is even. `median` has room for n_groups. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_group_medians(struct crm_context *c, const double *value, const uint32_t *group, uint32_t n_groups,
                                  double *median) CRM_MUSTCHECK;

/* Median of values[0..n), n > 0, none NaN. Reorders the values. */
double crm_median(double *values, size_t n);

#endif
