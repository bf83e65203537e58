/* SPDX-License-Identifier: MIT */
/* What health and churn risk have in common: a score is a weighted mean of factors, a factor a mean of what exists, and both are published
 * by their additive parts. Internal to analytics. */
#ifndef CRM_ANALYTICS_SCORES_H
#define CRM_ANALYTICS_SCORES_H

#include "analytics/context.h"

/* sum(weight x value) / sum(weight) over the values that exist (are not NaN). NaN if their weights are less than `min_coverage` of all
 * weights, or if there are none. Source: METRICS.md section 5; the form is that of Gainsight's scorecards (DEFINITIONS.md 1.2). */
double crm_weighted_mean(const double *value, const double *weight, size_t n, double min_coverage);
/* Plain mean of the values that exist, NaN if none does. */
double crm_mean(const double *value, size_t n);

/* A column of c->n missing values, or NULL. */
double *crm_column(struct crm_context *c);

/* Distribution over the scores of OPEN accounts (le 10 .. 100, +Inf), their sum per cell, and their mean per tenant. */
enum crm_status crm_emit_scores(struct crm_context *c, const double *score, enum crm_family accounts, enum crm_family points,
                                enum crm_family average) CRM_MUSTCHECK;
/* Sum of scale x value and the number of values per cell, over OPEN accounts. */
enum crm_status crm_emit_parts(struct crm_context *c, const double *value, double scale, enum crm_family points, enum crm_family accounts,
                               const char *const *own, size_t n_own) CRM_MUSTCHECK;
/* Accounts per cell and band over OPEN accounts: band[i] < n_bands. The label is name(band). */
enum crm_status crm_emit_bands(struct crm_context *c, const uint8_t *band, unsigned n_bands, const char *(*name)(unsigned),
                               enum crm_family family) CRM_MUSTCHECK;

#endif
