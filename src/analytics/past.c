/* SPDX-License-Identifier: MIT */
#include "analytics/past.h"

#include "analytics/reference.h"
#include "analytics/score_inputs.h"
#include "analytics/scores.h"

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

/* Contexts of n instants before that of `now`, newest first. */
static enum crm_status make_earlier(struct crm_context *now, const crm_time *at, size_t n, struct crm_context *earlier) {
  enum crm_status status = CRM_OK;
  const char *part = crm_part(now, "accounts_before");
  for (size_t k = 0; k < n && status == CRM_OK; k++)
    status = crm_context_earlier(&earlier[k], now, at[k]);
  crm_part(now, part);
  return status;
}

enum crm_status crm_past_compute(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk, struct crm_past *past) {
  _Static_assert(1 + CRM_PAST_WINDOWS <= CRM_INSTANTS_MAX, "T and the starts of the windows in one pass");
  struct crm_context earlier[CRM_PAST_WINDOWS], *contexts[1 + CRM_PAST_WINDOWS] = {c};
  struct crm_scores_kept kept[1 + CRM_PAST_WINDOWS] = {{NULL, NULL, NULL}};
  crm_time at[CRM_PAST_WINDOWS];
  for (unsigned w = 0; w < CRM_PAST_WINDOWS; w++) {
    at[w] = crm_window_start(c->params->zone, c->at, crm_past_window((enum crm_past_window)w));
    contexts[1 + w] = &earlier[w];
    past->at[w].health = crm_arena_alloc(c->arena, c->n * sizeof(*past->at[w].health));
    past->at[w].risk = crm_arena_alloc(c->arena, c->n * sizeof(*past->at[w].risk));
    past->at[w].stood = crm_arena_alloc(c->arena, c->n * sizeof(*past->at[w].stood));
    if (past->at[w].health == NULL || past->at[w].risk == NULL || past->at[w].stood == NULL)
      return crm_no_memory(c);
    kept[1 + w] = (struct crm_scores_kept){past->at[w].health, past->at[w].risk, past->at[w].stood};
  }
  enum crm_status status = make_earlier(c, at, CRM_PAST_WINDOWS, earlier);
  return status == CRM_OK ? crm_scores_pass(contexts, 1 + CRM_PAST_WINDOWS, true, health, risk, kept, NULL, c->n) : status;
}

/* Slope ------------------------------------------------------------------------------------------------------------- */

#define WEEKS 13 /* T, T - 7 d, ... T - 84 d: those of the last 90 days */
#define WEEK (7 * CRM_US_PER_DAY)
#define LEAST_SCORES 3

/* week[k] is the score of k weeks before T. */
static double theil_sen(const double *const week[WEEKS], uint32_t account) {
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

/* Health of the accounts at n weekly instants from `first` weeks before T on, in memory that is given back. */
static enum crm_status weekly_scores(struct crm_context *c, unsigned first, size_t n, const uint32_t *accounts, uint32_t n_accounts,
                                     double *const *week) {
  struct crm_context earlier[CRM_INSTANTS_MAX], *contexts[CRM_INSTANTS_MAX];
  struct crm_scores_kept kept[CRM_INSTANTS_MAX] = {{NULL, NULL, NULL}};
  crm_time at[CRM_INSTANTS_MAX];
  for (size_t k = 0; k < n; k++) {
    at[k] = c->at - (int64_t)(first + k) * WEEK;
    contexts[k] = &earlier[k];
    kept[k].health = week[first + k];
  }
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  enum crm_status status = make_earlier(c, at, n, earlier);
  if (status == CRM_OK)
    status = crm_scores_pass(contexts, n, false, NULL, NULL, kept, accounts, n_accounts);
  crm_arena_rewind(c->arena, mark);
  return status;
}

enum crm_status crm_slopes(struct crm_context *c, const struct crm_health *health, const struct crm_past *past, const uint32_t *accounts,
                           uint32_t n, double *slope) {
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  double *week[WEEKS] = {health->score, past->at[CRM_PAST_7D].health};
  enum crm_status status = CRM_OK;
  for (unsigned first = 2; first < WEEKS && status == CRM_OK; first += CRM_INSTANTS_MAX) {
    size_t some = WEEKS - first < CRM_INSTANTS_MAX ? WEEKS - first : CRM_INSTANTS_MAX;
    for (size_t k = 0; k < some && status == CRM_OK; k++)
      status = (week[first + k] = crm_column(c)) == NULL ? crm_no_memory(c) : CRM_OK;
    if (status == CRM_OK)
      status = weekly_scores(c, first, some, accounts, n, week);
  }
  for (uint32_t k = 0; k < n && status == CRM_OK; k++)
    if (crm_open(c, accounts[k]))
      slope[accounts[k]] = theil_sen((const double *const *)week, accounts[k]);
  crm_arena_rewind(c->arena, mark);
  return status;
}
