/* SPDX-License-Identifier: MIT */
#include "analytics/context.h"
#include "analytics/currency_cells.h"
#include "analytics/health_inputs.h"
#include "analytics/scores.h"

#define INPUTS_PER_FACTOR (CRM_HEALTH_INPUTS / CRM_HEALTH_FACTORS)

double crm_health_score(const struct crm_params *params, const struct crm_scorecard *card, const double input[CRM_HEALTH_INPUTS],
                        double factor[CRM_HEALTH_FACTORS]) {
  for (size_t f = 0; f < CRM_HEALTH_FACTORS; f++)
    factor[f] = crm_mean(input + f * INPUTS_PER_FACTOR, INPUTS_PER_FACTOR);
  return crm_on_grid(crm_weighted_mean(factor, card->weight, CRM_HEALTH_FACTORS, params->min_coverage));
}

enum crm_health_band crm_health_band(const struct crm_scorecard *card, double score) {
  if (isnan(score))
    return CRM_BAND_UNSCORED;
  if (score >= card->healthy_from)
    return CRM_BAND_HEALTHY;
  if (score >= card->moderate_from)
    return CRM_BAND_MODERATE;
  return score >= card->at_risk_from ? CRM_BAND_AT_RISK : CRM_BAND_CRITICAL;
}

static const char *band_name(unsigned band) {
  return crm_health_band_name((enum crm_health_band)band);
}

static enum crm_status emit_bands(struct crm_context *c, const struct crm_health *health) {
  uint8_t *band = crm_arena_calloc(c->arena, c->n, sizeof(*band));
  if (band == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_open(c, i))
      band[i] = (uint8_t)crm_health_band(crm_card_of(c, i), health->score[i]);
  return crm_emit_bands(c, band, CRM_HEALTH_BANDS, band_name, CRM_FAM_ACCOUNTS_BY_HEALTH);
}

/* Score x ARR and the ARR itself, per cell of one currency. The products need more than 64 bits; added as integers their sum does not
 * depend on the order. */
static enum crm_status emit_weighted_cells(struct crm_context *c, struct crm_currency_cells *arr, const __int128 *points, unsigned slot) {
  const char *own[1];
  int64_t unit = crm_currency_unit(c, arr->currency[slot]);
  enum crm_status status = crm_currency_cells_emit(arr, slot, 0, CRM_FAM_HEALTH_SCORED_ARR, own, 1, unit);
  for (uint32_t cell = 0; cell < c->n_cells && status == CRM_OK; cell++)
    if (crm_currency_cells_has(arr, c->cell_tenant[cell], slot))
      status = crm_emit_cell(c, CRM_FAM_HEALTH_SCORE_ARR_POINTS, cell, own, 1,
                             crm_number_real((double)points[cell] / (double)CRM_POINT / (double)unit));
  return status;
}

/* sum(score x ARR) / sum(ARR) of each tenant that is paid in one currency only. points: slot * n_cells + cell. */
static enum crm_status emit_weighted_average(struct crm_context *c, const struct crm_currency_cells *arr, const __int128 *points) {
  struct weighted {
    __int128 points;
    int64_t arr;
    unsigned currencies;
  } *w = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*w));
  int64_t *sum = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*sum));
  if (w == NULL || sum == NULL)
    return crm_no_memory(c);
  for (unsigned slot = 0; slot < arr->n_slots; slot++) {
    crm_currency_cells_sum(arr, slot, sum);
    for (uint16_t t = 0; t < c->facts->n_tenants; t++) {
      w[t].currencies += sum[t] > 0;
      w[t].arr += sum[t];
    }
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      w[c->cell_tenant[cell]].points += points[(size_t)slot * c->n_cells + cell];
  }
  for (uint16_t t = 0; t < c->facts->n_tenants; t++) {
    if (w[t].currencies != 1)
      continue;
    double mean = (double)w[t].points / (double)w[t].arr / (double)CRM_POINT;
    enum crm_status status = crm_emit_tenant(c, CRM_FAM_HEALTH_SCORE_ARR_WEIGHTED_AVERAGE, t, NULL, 0, crm_number_real(mean));
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static enum crm_status emit_weighted(struct crm_context *c, const struct crm_health *health) {
  struct crm_currency_cells arr;
  enum crm_status status = crm_currency_cells_init(&arr, c, 1);
  if (status == CRM_OK)
    status = crm_currency_cells_make(&arr);
  if (status != CRM_OK)
    return status;
  __int128 *points = crm_arena_calloc(c->arena, (size_t)arr.n_slots * c->n_cells, sizeof(*points));
  if (points == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i) || !crm_paying(c, i) || c->arr_currency[i] == CRM_NO_CURRENCY || isnan(health->score[i]))
      continue;
    unsigned slot = arr.slot[c->arr_currency[i]];
    points[(size_t)slot * c->n_cells + c->cell[i]] += (__int128)crm_points(health->score[i]) * c->arr[i];
    crm_currency_cells_add(&arr, i, c->arr_currency[i], 0, c->arr[i]);
  }
  for (unsigned slot = 0; slot < arr.n_slots && status == CRM_OK; slot++)
    status = emit_weighted_cells(c, &arr, points + (size_t)slot * c->n_cells, slot);
  return status == CRM_OK ? emit_weighted_average(c, &arr, points) : status;
}

static enum crm_status emit_coverage(struct crm_context *c, const double *factor, const char *name) {
  int64_t *known = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*known));
  int64_t *all = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*all));
  if (known == NULL || all == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i))
      continue;
    known[c->facts->account.tenant[i]] += !isnan(factor[i]);
    all[c->facts->account.tenant[i]]++;
  }
  for (uint16_t t = 0; t < c->facts->n_tenants; t++) {
    if (all[t] == 0)
      continue;
    enum crm_status status = crm_emit_tenant(c, CRM_FAM_HEALTH_COVERAGE_RATIO, t, &name, 1, crm_number_ratio(known[t], all[t]));
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static enum crm_status emit_factor(struct crm_context *c, const struct crm_health *health, enum crm_health_factor f) {
  const char *own[2] = {crm_health_factor_name(f), NULL};
  bool known = false;
  enum crm_status status = CRM_OK;
  for (size_t k = 0; k < INPUTS_PER_FACTOR && status == CRM_OK; k++) {
    enum crm_health_input i = (enum crm_health_input)(f * INPUTS_PER_FACTOR + k);
    if (!crm_has(c, crm_health_input_needs(i)))
      continue;
    known = true;
    own[1] = crm_health_input_name(i);
    status = crm_emit_parts(c, health->input[i], 1, CRM_FAM_HEALTH_INPUT_POINTS, CRM_FAM_HEALTH_INPUT_ACCOUNTS, own, 2);
  }
  if (!known || status != CRM_OK)
    return status;
  status = crm_emit_parts(c, health->factor[f], 1, CRM_FAM_HEALTH_FACTOR_POINTS, CRM_FAM_HEALTH_FACTOR_ACCOUNTS, own, 1);
  return status == CRM_OK ? emit_coverage(c, health->factor[f], own[0]) : status;
}

enum crm_status crm_health_emit(struct crm_context *c, const struct crm_health *health) {
  enum crm_status status =
      crm_emit_scores(c, health->score, CRM_FAM_HEALTH_SCORE_ACCOUNTS, CRM_FAM_HEALTH_SCORE_POINTS, CRM_FAM_HEALTH_SCORE_AVERAGE);
  if (status == CRM_OK)
    status = emit_weighted(c, health);
  if (status == CRM_OK)
    status = emit_bands(c, health);
  for (unsigned f = 0; f < CRM_HEALTH_FACTORS && status == CRM_OK; f++)
    status = emit_factor(c, health, (enum crm_health_factor)f);
  return status;
}
