/* SPDX-License-Identifier: MIT */
#include "analytics/churn_indicators.h"
#include "analytics/context.h"
#include "analytics/scores.h"

#define INDICATORS_PER_FACTOR (CRM_CHURN_INDICATORS / CRM_CHURN_FACTORS)

double crm_churn_risk_score(const struct crm_params *params, const double indicator[CRM_CHURN_INDICATORS],
                            double factor[CRM_CHURN_FACTORS]) {
  for (size_t f = 0; f < CRM_CHURN_FACTORS; f++)
    factor[f] = crm_mean(indicator + f * INDICATORS_PER_FACTOR, INDICATORS_PER_FACTOR);
  return crm_on_grid(100 * crm_weighted_mean(factor, params->churn_weight, CRM_CHURN_FACTORS, params->min_coverage));
}

enum crm_risk_band crm_risk_band(const struct crm_params *params, double score) {
  if (isnan(score))
    return CRM_RISK_UNSCORED;
  if (score > params->risk_critical_above)
    return CRM_RISK_CRITICAL;
  if (score >= params->risk_high_from)
    return CRM_RISK_HIGH;
  return score >= params->risk_medium_from ? CRM_RISK_MEDIUM : CRM_RISK_LOW;
}

static const char *band_name(unsigned band) {
  return crm_risk_band_name((enum crm_risk_band)band);
}

/* One currency, in the cells in which crm_arr has it: all those of a tenant that has an account in it. */
static enum crm_status emit_arr_in(struct crm_context *c, const uint8_t *band, uint16_t currency, int64_t *arr, uint8_t *has,
                                   uint8_t *skip) {
  for (uint16_t t = 0; t < c->facts->n_tenants; t++)
    has[t] = 0;
  for (size_t k = 0; k < (size_t)c->n_cells * CRM_RISK_BANDS; k++)
    arr[k] = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    has[c->facts->account.tenant[i]] |= c->arr_currency[i] == currency || c->facts->account.currency[i] == currency;
    if (crm_paying(c, i) && c->arr_currency[i] == currency)
      arr[(size_t)band[i] * c->n_cells + c->cell[i]] += c->arr[i];
  }
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    skip[cell] = !has[c->cell_tenant[cell]];
  enum crm_status status = CRM_OK;
  for (unsigned b = 0; b < CRM_RISK_BANDS && status == CRM_OK; b++) {
    const char *own[] = {band_name(b), crm_currency_label(c, currency)};
    status = crm_emit_cells(c, CRM_FAM_ARR_BY_RISK, own, 2, arr + (size_t)b * c->n_cells, crm_currency_unit(c, currency), skip);
  }
  return status;
}

static enum crm_status emit_bands(struct crm_context *c, const struct crm_churn_risk *risk) {
  uint8_t *band = crm_arena_calloc(c->arena, c->n, sizeof(*band));
  int64_t *arr = crm_arena_calloc(c->arena, (size_t)c->n_cells * CRM_RISK_BANDS, sizeof(*arr));
  uint8_t *has = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*has));
  uint8_t *skip = crm_arena_calloc(c->arena, c->n_cells, sizeof(*skip));
  if (band == NULL || arr == NULL || has == NULL || skip == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    band[i] = (uint8_t)crm_risk_band(c->params, risk->score[i]);
  enum crm_status status = crm_emit_bands(c, band, CRM_RISK_BANDS, band_name, CRM_FAM_ACCOUNTS_BY_RISK);
  for (uint16_t k = 0; k < c->facts->n_currencies && status == CRM_OK; k++)
    status = emit_arr_in(c, band, k, arr, has, skip);
  return status;
}

static enum crm_status emit_raised(struct crm_context *c, const double *indicator, const char *const *own) {
  int64_t *raised = crm_arena_calloc(c->arena, c->n_cells, sizeof(*raised));
  if (raised == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_open(c, i) && crm_on_grid(indicator[i]) >= 0.5)
      raised[c->cell[i]]++;
  return crm_emit_cells(c, CRM_FAM_CHURN_INDICATOR_ACCOUNTS, own, 2, raised, 1, NULL);
}

static enum crm_status emit_factor(struct crm_context *c, const struct crm_churn_risk *risk, enum crm_churn_factor f, bool *any) {
  const char *own[2] = {crm_churn_factor_name(f), NULL};
  bool known = false;
  enum crm_status status = CRM_OK;
  for (size_t k = 0; k < INDICATORS_PER_FACTOR && status == CRM_OK; k++) {
    enum crm_churn_indicator i = (enum crm_churn_indicator)(f * INDICATORS_PER_FACTOR + k);
    if (!crm_churn_indicator_available(c, i))
      continue;
    known = true;
    own[1] = crm_churn_indicator_name(i);
    status = emit_raised(c, risk->indicator[i], own);
  }
  if (!known || status != CRM_OK)
    return status;
  *any = true;
  return crm_emit_parts(c, risk->factor[f], 100, CRM_FAM_CHURN_FACTOR_POINTS, CRM_FAM_CHURN_FACTOR_ACCOUNTS, own, 1);
}

enum crm_status crm_churn_risk_emit(struct crm_context *c, const struct crm_churn_risk *risk) {
  bool any = false;
  for (unsigned f = 0; f < CRM_CHURN_FACTORS; f++) {
    enum crm_status status = emit_factor(c, risk, (enum crm_churn_factor)f, &any);
    if (status != CRM_OK)
      return status;
  }
  if (!any)
    return CRM_OK; /* nothing that risk is made of is mapped */
  enum crm_status status =
      crm_emit_scores(c, risk->score, CRM_FAM_CHURN_RISK_ACCOUNTS, CRM_FAM_CHURN_RISK_POINTS, CRM_FAM_CHURN_RISK_SCORE_AVERAGE);
  return status == CRM_OK ? emit_bands(c, risk) : status;
}
