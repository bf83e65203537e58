/* SPDX-License-Identifier: MIT */
#include "analytics/trend.h"

#include "analytics/churn_indicators.h"

const char *crm_trend_name(enum crm_trend t) {
  static const char *const names[CRM_TRENDS] = {"improving", "stable", "declining"};
  return names[t];
}

const char *crm_standing_name(unsigned standing) {
  if (standing < CRM_HEALTH_BANDS)
    return crm_health_band_name((enum crm_health_band)standing);
  return standing == CRM_STOOD_CHURNED ? "churned" : "new";
}

/* Change ------------------------------------------------------------------------------------------------------------ */

/* Both scores stand on the grid of fixed point, so that their difference is exact and so is its comparison with the dead band. */
static enum crm_trend trend_of(int64_t change) {
  int64_t dead_band = crm_points(CRM_TREND_DEAD_BAND);
  if (change > dead_band)
    return CRM_TREND_IMPROVING;
  return change < -dead_band ? CRM_TREND_DECLINING : CRM_TREND_STABLE;
}

static enum crm_status emit_change(struct crm_context *c, const double *now, const double *before, const char *window) {
  int64_t *points = crm_arena_calloc(c->arena, c->n_cells, sizeof(*points));
  int64_t *accounts = crm_arena_calloc(c->arena, c->n_cells, sizeof(*accounts));
  int64_t *trend = crm_arena_calloc(c->arena, (size_t)c->n_cells * CRM_TRENDS, sizeof(*trend));
  if (points == NULL || accounts == NULL || trend == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i) || isnan(now[i]) || isnan(before[i]))
      continue;
    int64_t change = crm_points(now[i]) - crm_points(before[i]);
    uint32_t cell = c->cell[i];
    points[cell] += change;
    accounts[cell]++;
    trend[(size_t)trend_of(change) * c->n_cells + cell]++;
  }
  enum crm_status status = crm_emit_cells(c, CRM_FAM_HEALTH_CHANGE_POINTS, &window, 1, points, CRM_POINT, NULL);
  if (status == CRM_OK)
    status = crm_emit_cells(c, CRM_FAM_HEALTH_CHANGE_ACCOUNTS, &window, 1, accounts, 1, NULL);
  for (unsigned t = 0; t < CRM_TRENDS && status == CRM_OK; t++) {
    const char *own[] = {crm_trend_name((enum crm_trend)t), window};
    status = crm_emit_cells(c, CRM_FAM_ACCOUNTS_BY_HEALTH_TREND, own, 2, trend + (size_t)t * c->n_cells, 1, NULL);
  }
  return status;
}

/* Transitions and recovery ------------------------------------------------------------------------------------------ */

/* Tenants that have an account at T. Others may come with facts after T, which must not be seen. */
static uint8_t *tenants_present(struct crm_context *c) {
  uint8_t *present = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*present));
  for (uint32_t cell = 0; present != NULL && cell < c->n_cells; cell++)
    present[c->cell_tenant[cell]] = 1;
  return present;
}

struct transitions {
  int64_t n[CRM_STANDINGS][CRM_STANDINGS]; /* from, to; nothing goes to nowhere */
};

static enum crm_status emit_tenant_transitions(struct crm_context *c, uint16_t tenant, const struct transitions *moved,
                                               const char *window) {
  enum crm_status status = CRM_OK;
  for (unsigned from = 0; from < CRM_STANDINGS; from++)
    for (unsigned to = 0; to < CRM_STOOD_NOWHERE && status == CRM_OK; to++) {
      const char *own[] = {crm_standing_name(from), crm_standing_name(to), window};
      status = crm_emit_tenant(c, CRM_FAM_HEALTH_BAND_TRANSITIONS, tenant, own, 3, crm_number_int(moved->n[from][to]));
    }
  return status;
}

static enum crm_status emit_recovery_ratio(struct crm_context *c, uint16_t tenant, const struct transitions *moved, const char *window) {
  int64_t base = 0, recovered = 0;
  for (unsigned from = CRM_BAND_AT_RISK; from <= CRM_BAND_CRITICAL; from++) {
    for (unsigned to = 0; to < CRM_STOOD_NOWHERE; to++)
      base += moved->n[from][to];
    recovered += moved->n[from][CRM_BAND_HEALTHY] + moved->n[from][CRM_BAND_MODERATE];
  }
  if (base == 0)
    return CRM_OK;
  return crm_emit_tenant(c, CRM_FAM_HEALTH_RECOVERY_RATIO, tenant, &window, 1, crm_number_ratio(recovered, base));
}

static enum crm_status emit_transitions(struct crm_context *c, const uint8_t *stands, const uint8_t *stood, const uint8_t *present,
                                        const char *window) {
  struct transitions *moved = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*moved));
  if (moved == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i))
      moved[c->facts->account.tenant[i]].n[stood[i]][stands[i]]++;
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++) {
    if (!present[t])
      continue;
    status = emit_tenant_transitions(c, t, &moved[t], window);
    if (status == CRM_OK)
      status = emit_recovery_ratio(c, t, &moved[t], window);
  }
  return status;
}

/* The ratio's parts, which add up over cells. */
static enum crm_status emit_recovery_parts(struct crm_context *c, const uint8_t *stands, const uint8_t *stood, const char *window) {
  int64_t *recovered = crm_arena_calloc(c->arena, c->n_cells, sizeof(*recovered));
  int64_t *base = crm_arena_calloc(c->arena, c->n_cells, sizeof(*base));
  if (recovered == NULL || base == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i) || (stood[i] != CRM_BAND_AT_RISK && stood[i] != CRM_BAND_CRITICAL))
      continue;
    base[c->cell[i]]++;
    recovered[c->cell[i]] += stands[i] == CRM_BAND_HEALTHY || stands[i] == CRM_BAND_MODERATE;
  }
  enum crm_status status = crm_emit_cells(c, CRM_FAM_HEALTH_RECOVERY_BASE_ACCOUNTS, &window, 1, base, 1, NULL);
  return status == CRM_OK ? crm_emit_cells(c, CRM_FAM_HEALTH_RECOVERED_ACCOUNTS, &window, 1, recovered, 1, NULL) : status;
}

/* Newly at risk ----------------------------------------------------------------------------------------------------- */

static bool risk_available(const struct crm_context *c) {
  for (unsigned i = 0; i < CRM_CHURN_INDICATORS; i++)
    if (crm_churn_indicator_available(c, (enum crm_churn_indicator)i))
      return true;
  return false;
}

/* At risk from the instant at which the score is above the one limit until one at which it is no longer above the other; an instant
 * without a score tells nothing. */
static bool at_risk_next(const struct crm_params *params, bool at_risk, double score) {
  if (isnan(score))
    return at_risk;
  return score > params->risk_critical_above || (at_risk && score > params->risk_leave);
}

/* There is no state between evaluations: each account is followed over the scores at T - 90 d, T - 30 d, T - 7 d and T. */
static enum crm_status emit_newly_at_risk(struct crm_context *c, const struct crm_churn_risk *risk, const struct crm_past *past) {
  static const enum crm_past_window order[] = {CRM_PAST_90D, CRM_PAST_30D, CRM_PAST_7D};
  int64_t *newly[CRM_PAST_WINDOWS];
  for (unsigned w = 0; w < CRM_PAST_WINDOWS; w++)
    if ((newly[w] = crm_arena_calloc(c->arena, c->n_cells, sizeof(*newly[w]))) == NULL)
      return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i))
      continue;
    bool was[CRM_PAST_WINDOWS], at_risk = false;
    for (unsigned k = 0; k < CRM_PAST_WINDOWS; k++) {
      enum crm_past_window w = order[k];
      /* Having churned and come back is a new beginning. */
      at_risk = past->at[w].stood[i] < CRM_HEALTH_BANDS && at_risk_next(c->params, at_risk, past->at[w].risk[i]);
      was[w] = at_risk;
    }
    at_risk = at_risk_next(c->params, at_risk, risk->score[i]);
    for (unsigned w = 0; w < CRM_PAST_WINDOWS; w++)
      newly[w][c->cell[i]] += at_risk && !was[w];
  }
  enum crm_status status = CRM_OK;
  static const enum crm_past_window shown[] = {CRM_PAST_7D, CRM_PAST_30D};
  for (unsigned k = 0; k < 2 && status == CRM_OK; k++) {
    const char *window = crm_window_name(crm_past_window(shown[k]));
    status = crm_emit_cells(c, CRM_FAM_ACCOUNTS_NEWLY_AT_RISK, &window, 1, newly[shown[k]], 1, NULL);
  }
  return status;
}

/* All --------------------------------------------------------------------------------------------------------------- */

static enum crm_status emit_benchmarks(struct crm_context *c, const uint8_t *present) {
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants; t++)
    for (size_t b = 0; b < c->params->n_benchmarks && present[t] && status == CRM_OK; b++) {
      const struct crm_benchmark *benchmark = &c->params->benchmarks[b];
      status = crm_emit_tenant(c, CRM_FAM_HEALTH_BENCHMARK_SCORE, t, &benchmark->source, 1, crm_number_real(benchmark->score));
    }
  return status;
}

enum crm_status crm_trend_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                               const struct crm_past *past) {
  uint8_t *stands = crm_arena_calloc(c->arena, c->n, sizeof(*stands));
  const uint8_t *present = tenants_present(c);
  if (stands == NULL || present == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    stands[i] = crm_standing(c, i, health->score[i]);
  enum crm_status status = CRM_OK;
  for (unsigned w = 0; w < CRM_PAST_WINDOWS && status == CRM_OK; w++) {
    const char *window = crm_window_name(crm_past_window((enum crm_past_window)w));
    status = emit_change(c, health->score, past->at[w].health, window);
    if (status == CRM_OK)
      status = emit_transitions(c, stands, past->at[w].stood, present, window);
    if (status == CRM_OK)
      status = emit_recovery_parts(c, stands, past->at[w].stood, window);
  }
  if (status == CRM_OK && risk_available(c))
    status = emit_newly_at_risk(c, risk, past);
  return status == CRM_OK ? emit_benchmarks(c, present) : status;
}
