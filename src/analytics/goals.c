/* SPDX-License-Identifier: MIT */
/* Goals. The CRM keeps one status and no history of it: an achievement is dated by its completion, a miss by its target, and before that
 * date the goal was open. */
#include "analytics/kpi.h"

enum state { ACHIEVED, MISSED, OVERDUE, RESULTS, ON_TRACK = RESULTS, AT_RISK, UNKNOWN, STATES };
static const char *const state_names[STATES] = {"achieved", "missed", "overdue", "on_track", "at_risk", "unknown"};

static const enum crm_window windows[] = {CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

static enum state state_of(const struct crm_context *c, const struct crm_due *due, uint32_t row) {
  const struct crm_goals *g = &c->facts->goal;
  crm_time completed_at = g->completed_at[row], target_at = g->target_at[row];
  bool passed = target_at != CRM_TIME_NONE && crm_due_passed(due, target_at);
  switch ((enum crm_goal_status)g->status[row]) {
  case CRM_GOAL_ACHIEVED:
    if (completed_at == CRM_TIME_NONE || completed_at <= c->at)
      return ACHIEVED;
    break;
  case CRM_GOAL_MISSED:
    if (target_at <= c->at) /* CRM_TIME_NONE is before everything */
      return MISSED;
    break;
  case CRM_GOAL_AT_RISK:
    return passed ? OVERDUE : AT_RISK;
  case CRM_GOAL_UNKNOWN:
    if (completed_at != CRM_TIME_NONE && completed_at <= c->at)
      return ACHIEVED;
    return passed ? OVERDUE : UNKNOWN;
  case CRM_GOAL_ON_TRACK:
    break;
  }
  return passed ? OVERDUE : ON_TRACK;
}

struct pass {
  struct crm_context *c;
  crm_time since[WINDOWS];
  int64_t *states; /* state * n_cells + cell, of OPEN accounts */
  int64_t *due;    /* (window * RESULTS + state) * n_cells + cell, of all accounts */
};

static void count(const struct pass *p) {
  const struct crm_context *c = p->c;
  const struct crm_goals *g = &c->facts->goal;
  struct crm_due due = crm_due_at(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    for (uint32_t r = g->first[i]; r < g->first[i + 1]; r++) {
      if (g->created_at[r] > c->at) /* CRM_TIME_NONE is before everything */
        continue;
      enum state state = state_of(c, &due, r);
      if (crm_open(c, i))
        p->states[(size_t)state * c->n_cells + c->cell[i]]++;
      if (state >= RESULTS || g->target_at[r] > c->at)
        continue;
      for (size_t w = 0; w < WINDOWS; w++)
        p->due[(w * RESULTS + state) * c->n_cells + c->cell[i]] += g->target_at[r] > p->since[w];
    }
  }
}

static enum crm_status emit_window(const struct pass *p, size_t w, int64_t *achieved, int64_t *judged) {
  struct crm_context *c = p->c;
  const char *own[] = {NULL, crm_window_name(windows[w])};
  const int64_t *due = p->due + w * RESULTS * c->n_cells;
  enum crm_status status = CRM_OK;
  for (size_t s = 0; s < RESULTS && status == CRM_OK; s++) {
    own[0] = state_names[s];
    status = crm_emit_cells(c, CRM_FAM_GOALS_DUE, own, 2, due + s * c->n_cells, 1, NULL);
  }
  crm_sum_tenants(c, due, judged);
  crm_sum_tenants(c, due, achieved);
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    judged[c->cell_tenant[cell]] += due[MISSED * (size_t)c->n_cells + cell] + due[OVERDUE * (size_t)c->n_cells + cell];
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
    if (judged[t] > 0)
      status = crm_emit_tenant(c, CRM_FAM_GOAL_COMPLETION_RATIO, t, &own[1], 1, crm_number_ratio(achieved[t], judged[t]));
  return status;
}

enum crm_status crm_goals_emit(struct crm_context *c) {
  if (!c->facts->available[CRM_REL_GOAL])
    return CRM_OK;
  struct pass p = {.c = c};
  p.states = crm_arena_calloc(c->arena, (size_t)c->n_cells * STATES, sizeof(*p.states));
  p.due = crm_arena_calloc(c->arena, (size_t)c->n_cells * RESULTS * WINDOWS, sizeof(*p.due));
  int64_t *achieved = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*achieved));
  int64_t *judged = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*judged));
  if (p.states == NULL || p.due == NULL || achieved == NULL || judged == NULL)
    return crm_no_memory(c);
  for (size_t w = 0; w < WINDOWS; w++)
    p.since[w] = crm_window_start(c->params->zone, c->at, windows[w]);
  count(&p);
  enum crm_status status = CRM_OK;
  for (size_t s = 0; s < STATES && status == CRM_OK; s++)
    status = crm_emit_cells(c, CRM_FAM_GOALS, &state_names[s], 1, p.states + s * c->n_cells, 1, NULL);
  for (size_t w = 0; w < WINDOWS && status == CRM_OK; w++)
    status = emit_window(&p, w, achieved, judged);
  return status;
}
