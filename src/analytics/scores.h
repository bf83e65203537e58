/* SPDX-License-Identifier: MIT */
/* What health and churn risk have in common: a score is a weighted mean of factors, a factor a mean of what exists, and both are published
 * by their additive parts. Internal to analytics. */
#ifndef CRM_ANALYTICS_SCORES_H
#define CRM_ANALYTICS_SCORES_H

#include "analytics/context.h"

/* sum(weight x value) / sum(weight) over the values that exist (are not NaN). NaN if their weights are less than `min_coverage` of all
 * weights, or if there are none. Source: METRICS.md section 5; the form is that of Gainsight's scorecards (DEFINITIONS.md 1.2). */
static inline double crm_weighted_mean(const double *value, const double *weight, size_t n, double min_coverage) {
  double sum = 0, present = 0, all = 0;
  for (size_t i = 0; i < n; i++) {
    bool exists = !isnan(value[i]);
    all += weight[i];
    sum += exists ? weight[i] * value[i] : 0;
    present += exists ? weight[i] : 0;
  }
  /* Weights such as .30 and .20 have no exact sum; a coverage that is just reached must count as reached. */
  return present <= 0 || present < (min_coverage - 1e-9) * all ? NAN : sum / present;
}
/* Plain mean of the values that exist, NaN if none does. */
static inline double crm_mean(const double *value, size_t n) {
  double sum = 0;
  uint32_t present = 0;
  for (size_t i = 0; i < n; i++) {
    bool exists = !isnan(value[i]);
    sum += exists ? value[i] : 0;
    present += exists;
  }
  return present == 0 ? NAN : sum / (double)present;
}

/* health.c, churn_risk.c: the score, 0..100, that inputs make, NaN if there is none, and its factors on the way. */
double crm_health_score(const struct crm_params *params, const struct crm_scorecard *card, const double input[CRM_HEALTH_INPUTS],
                        double factor[CRM_HEALTH_FACTORS]);
double crm_churn_risk_score(const struct crm_params *params, const double indicator[CRM_CHURN_INDICATORS],
                            double factor[CRM_CHURN_FACTORS]);

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
