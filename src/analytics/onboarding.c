/* SPDX-License-Identifier: MIT */
#include "analytics/kpi.h"
#include "analytics/span.h"

enum state { IN_PROGRESS, OVERDUE, COMPLETED, STATES };
static const char *const state_names[STATES] = {"in_progress", "overdue", "completed"};

bool crm_onboarding_completed(const struct crm_context *c, uint32_t row, crm_time *completed_at) {
  const struct crm_onboardings *o = &c->facts->onboarding;
  *completed_at = o->completed_at[row];
  if (o->status[row] == CRM_ONB_COMPLETED)
    return *completed_at == CRM_TIME_NONE || *completed_at <= c->at;
  return o->status[row] == CRM_ONB_UNKNOWN && *completed_at != CRM_TIME_NONE && *completed_at <= c->at;
}

static enum state state_of(const struct crm_context *c, const struct crm_due *due, uint32_t row) {
  crm_time completed_at, target_at = c->facts->onboarding.target_at[row];
  if (crm_onboarding_completed(c, row, &completed_at))
    return COMPLETED;
  return target_at != CRM_TIME_NONE && crm_due_passed(due, target_at) ? OVERDUE : IN_PROGRESS;
}

enum crm_status crm_onboarding_emit(struct crm_context *c) {
  const struct crm_onboardings *o = &c->facts->onboarding;
  if (!c->facts->available[CRM_REL_ONBOARDING])
    return CRM_OK;
  int64_t *counts = crm_arena_calloc(c->arena, (size_t)c->n_cells * STATES, sizeof(*counts));
  if (counts == NULL)
    return crm_no_memory(c);
  struct crm_due due = crm_due_at(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i))
      continue;
    uint32_t end = crm_span_after(o->started_at, o->first[i], o->first[i + 1], c->at);
    if (end == o->first[i] || o->status[end - 1] == CRM_ONB_CANCELLED)
      continue;
    counts[(size_t)state_of(c, &due, end - 1) * c->n_cells + c->cell[i]]++;
  }
  enum crm_status status = CRM_OK;
  for (size_t s = 0; s < STATES && status == CRM_OK; s++)
    status = crm_emit_cells(c, CRM_FAM_ONBOARDING_ACCOUNTS, &state_names[s], 1, counts + s * c->n_cells, 1, NULL);
  return status;
}
