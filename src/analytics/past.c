/* SPDX-License-Identifier: MIT */
#include "analytics/past.h"

#include <string.h>

#include "analytics/churn_indicators.h"
#include "analytics/health_inputs.h"
#include "analytics/reference.h"
#include "analytics/scores.h"

/* Health and risk read the same rows: doing some accounts of both at a time fetches them from memory once. */
#define ACCOUNTS_AT_A_TIME 64

enum crm_status crm_scores_compute(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk) {
  struct crm_health_pass health_pass;
  struct crm_churn_pass risk_pass;
  enum crm_status status = crm_health_begin(c, health, &health_pass);
  if (status == CRM_OK && risk != NULL)
    status = crm_churn_risk_begin(c, risk, &risk_pass);
  if (status != CRM_OK)
    return status;
  for (uint32_t from = 0; from < c->n;) {
    uint32_t to = c->n - from > ACCOUNTS_AT_A_TIME ? from + ACCOUNTS_AT_A_TIME : c->n;
    crm_health_inputs_fill(&health_pass, from, to);
    if (risk != NULL)
      crm_churn_indicators_fill(&risk_pass, from, to);
    from = to;
  }
  if (risk != NULL)
    crm_churn_risk_end(&risk_pass);
  return crm_health_end(&health_pass);
}

enum crm_window crm_past_window(enum crm_past_window w) {
  static const enum crm_window windows[CRM_PAST_WINDOWS] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D};
  return windows[w];
}

uint8_t crm_standing(const struct crm_context *c, uint32_t account, double health_score) {
  if (!crm_visible(c, account))
    return CRM_STOOD_NOWHERE;
  if (!crm_open(c, account))
    return CRM_STOOD_CHURNED;
  return (uint8_t)crm_health_band(crm_card_of(c, account), health_score);
}

/* Where the scores of one instant go; what is NULL is not wanted. */
struct wanted {
  double *health, *risk;
  uint8_t *stood;
};

/* Scores of one instant, in memory that is given back. */
static enum crm_status scores_at(struct crm_context *now, crm_time at, const struct wanted *wanted) {
  struct crm_arena_mark mark = crm_arena_mark(now->arena);
  struct crm_context c;
  struct crm_health health;
  struct crm_churn_risk risk;
  enum crm_status status = crm_context_earlier(&c, now, at);
  if (status == CRM_OK)
    status = crm_scores_compute(&c, &health, wanted->risk != NULL ? &risk : NULL);
  if (status == CRM_OK) {
    memcpy(wanted->health, health.score, c.n * sizeof(*wanted->health));
    if (wanted->risk != NULL)
      memcpy(wanted->risk, risk.score, c.n * sizeof(*wanted->risk));
    for (uint32_t i = 0; i < c.n && wanted->stood != NULL; i++)
      wanted->stood[i] = crm_standing(&c, i, health.score[i]);
  }
  crm_arena_rewind(now->arena, mark);
  return status;
}

/* Slope ------------------------------------------------------------------------------------------------------------- */

#define WEEKS 13 /* T, T - 7 d, ... T - 84 d: those of the last 90 days */
#define WEEK (7 * CRM_US_PER_DAY)
#define LEAST_SCORES 3

/* week[k] is the score of k weeks before T. */
static double theil_sen(double *const week[WEEKS], uint32_t account) {
  double slope[WEEKS * (WEEKS - 1) / 2];
  size_t n = 0, scores = 0;
  for (unsigned older = 0; older < WEEKS; older++) {
    double before = week[older][account];
    if (isnan(before))
      continue;
    scores++;
    for (unsigned newer = 0; newer < older; newer++)
      if (!isnan(week[newer][account]))
        slope[n++] = (week[newer][account] - before) * 30 / (7.0 * (older - newer));
  }
  return scores >= LEAST_SCORES ? crm_median(slope, n) : NAN;
}

static enum crm_status slopes(struct crm_context *c, const struct crm_health *now, struct crm_past *past) {
  past->slope = crm_column(c);
  if (past->slope == NULL)
    return crm_no_memory(c);
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  double *week[WEEKS] = {now->score, past->at[CRM_PAST_7D].health};
  enum crm_status status = CRM_OK;
  for (int k = 2; k < WEEKS && status == CRM_OK; k++) {
    week[k] = crm_column(c);
    status = week[k] == NULL ? crm_no_memory(c) : scores_at(c, c->at - k * WEEK, &(struct wanted){.health = week[k]});
  }
  for (uint32_t i = 0; i < c->n && status == CRM_OK; i++)
    if (crm_open(c, i))
      past->slope[i] = theil_sen(week, i);
  crm_arena_rewind(c->arena, mark);
  return status;
}

enum crm_status crm_past_compute(struct crm_context *c, const struct crm_health *now, bool with_slope, struct crm_past *past) {
  memset(past, 0, sizeof(*past));
  for (unsigned w = 0; w < CRM_PAST_WINDOWS; w++) {
    struct wanted wanted = {crm_column(c), crm_column(c), crm_arena_calloc(c->arena, c->n, sizeof(*wanted.stood))};
    if (wanted.health == NULL || wanted.risk == NULL || wanted.stood == NULL)
      return crm_no_memory(c);
    enum crm_status status = scores_at(c, crm_window_start(c->params->zone, c->at, crm_past_window((enum crm_past_window)w)), &wanted);
    if (status != CRM_OK)
      return status;
    past->at[w].health = wanted.health;
    past->at[w].risk = wanted.risk;
    past->at[w].stood = wanted.stood;
  }
  return with_slope ? slopes(c, now, past) : CRM_OK;
}
