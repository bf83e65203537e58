/* SPDX-License-Identifier: MIT */
#include "analytics/past.h"

#include <string.h>

#include "analytics/churn_indicators.h"
#include "analytics/health_inputs.h"
#include "analytics/reference.h"
#include "analytics/scores.h"

/* What is computed for one instant. */
struct instant {
  struct crm_context *c;
  struct crm_health *health;
  struct crm_churn_risk *risk; /* NULL: not wanted */
  struct crm_health_pass health_pass;
  struct crm_churn_pass risk_pass;
};

static enum crm_status begin(struct instant *t) {
  enum crm_status status = crm_health_begin(t->c, t->health, &t->health_pass);
  return status == CRM_OK && t->risk != NULL ? crm_churn_risk_begin(t->c, t->risk, &t->risk_pass) : status;
}

/* Health and risk read the same rows, and so do instants that lie near each other: doing some accounts of all at a time fetches them from
 * memory once. */
#define ACCOUNTS_AT_A_TIME 16

static enum crm_status fill_and_end(struct instant *instants, size_t n) {
  uint32_t accounts = instants[0].c->n;
  for (uint32_t from = 0; from < accounts;) {
    uint32_t to = accounts - from > ACCOUNTS_AT_A_TIME ? from + ACCOUNTS_AT_A_TIME : accounts;
    for (struct instant *t = instants; t < instants + n; t++) {
      crm_health_inputs_fill(&t->health_pass, from, to);
      if (t->risk != NULL)
        crm_churn_indicators_fill(&t->risk_pass, from, to);
    }
    from = to;
  }
  enum crm_status status = CRM_OK;
  for (struct instant *t = instants; t < instants + n && status == CRM_OK; t++) {
    if (t->risk != NULL)
      crm_churn_risk_end(&t->risk_pass);
    status = crm_health_end(&t->health_pass);
  }
  return status;
}

enum crm_status crm_scores_compute(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk) {
  struct instant t = {.c = c, .health = health, .risk = risk};
  enum crm_status status = begin(&t);
  return status == CRM_OK ? fill_and_end(&t, 1) : status;
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

/* Where the scores of an earlier instant go. */
struct kept {
  double *health, *risk; /* risk NULL: not wanted */
  uint8_t *stood;        /* NULL: not wanted */
};

struct earlier {
  struct crm_context c;
  struct crm_health health;
  struct crm_churn_risk risk;
};

static enum crm_status begin_earlier(struct crm_context *now, crm_time at, bool with_risk, struct earlier *e, struct instant *t) {
  enum crm_status status = crm_context_earlier(&e->c, now, at);
  if (status != CRM_OK)
    return status;
  *t = (struct instant){.c = &e->c, .health = &e->health, .risk = with_risk ? &e->risk : NULL};
  return begin(t);
}

static void keep(const struct earlier *e, const struct kept *kept) {
  memcpy(kept->health, e->health.score, e->c.n * sizeof(*kept->health));
  if (kept->risk != NULL)
    memcpy(kept->risk, e->risk.score, e->c.n * sizeof(*kept->risk));
  for (uint32_t i = 0; i < e->c.n && kept->stood != NULL; i++)
    kept->stood[i] = crm_standing(&e->c, i, e->health.score[i]);
}

/* Scores of one instant, in memory that is given back. */
static enum crm_status scores_at(struct crm_context *now, crm_time at, const struct kept *kept) {
  struct crm_arena_mark mark = crm_arena_mark(now->arena);
  struct earlier e;
  struct instant t;
  enum crm_status status = begin_earlier(now, at, kept->risk != NULL, &e, &t);
  if (status == CRM_OK)
    status = fill_and_end(&t, 1);
  if (status == CRM_OK)
    keep(&e, kept);
  crm_arena_rewind(now->arena, mark);
  return status;
}

static crm_time window_start(const struct crm_context *c, unsigned w) {
  return crm_window_start(c->params->zone, c->at, crm_past_window((enum crm_past_window)w));
}

/* Those windows at whose start mostly the same rows count as at T. */
#define NEAR_WINDOWS 2
_Static_assert(CRM_PAST_7D < NEAR_WINDOWS && CRM_PAST_30D < NEAR_WINDOWS, "the near windows stand first");

/* T and the near instants together. The memory of the latter is given back. */
static enum crm_status near_scores(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk,
                                   const struct kept kept[NEAR_WINDOWS]) {
  struct instant instants[1 + NEAR_WINDOWS] = {{.c = c, .health = health, .risk = risk}};
  struct earlier earlier[NEAR_WINDOWS];
  enum crm_status status = begin(&instants[0]);
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  for (unsigned w = 0; w < NEAR_WINDOWS && status == CRM_OK; w++)
    status = begin_earlier(c, window_start(c, w), true, &earlier[w], &instants[1 + w]);
  if (status == CRM_OK)
    status = fill_and_end(instants, 1 + NEAR_WINDOWS);
  for (unsigned w = 0; w < NEAR_WINDOWS && status == CRM_OK; w++)
    keep(&earlier[w], &kept[w]);
  crm_arena_rewind(c->arena, mark);
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
    status = week[k] == NULL ? crm_no_memory(c) : scores_at(c, c->at - k * WEEK, &(struct kept){.health = week[k]});
  }
  for (uint32_t i = 0; i < c->n && status == CRM_OK; i++)
    if (crm_open(c, i))
      past->slope[i] = theil_sen(week, i);
  crm_arena_rewind(c->arena, mark);
  return status;
}

enum crm_status crm_past_compute(struct crm_context *c, bool with_slope, struct crm_health *health, struct crm_churn_risk *risk,
                                 struct crm_past *past) {
  struct kept kept[CRM_PAST_WINDOWS];
  memset(past, 0, sizeof(*past));
  for (unsigned w = 0; w < CRM_PAST_WINDOWS; w++) {
    kept[w] = (struct kept){crm_column(c), crm_column(c), crm_arena_calloc(c->arena, c->n, sizeof(*kept->stood))};
    if (kept[w].health == NULL || kept[w].risk == NULL || kept[w].stood == NULL)
      return crm_no_memory(c);
    past->at[w].health = kept[w].health;
    past->at[w].risk = kept[w].risk;
    past->at[w].stood = kept[w].stood;
  }
  enum crm_status status = near_scores(c, health, risk, kept);
  for (unsigned w = NEAR_WINDOWS; w < CRM_PAST_WINDOWS && status == CRM_OK; w++)
    status = scores_at(c, window_start(c, w), &kept[w]);
  if (status != CRM_OK || !with_slope)
    return status;
  crm_part(c, "slopes");
  return slopes(c, health, past);
}
