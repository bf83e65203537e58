/* SPDX-License-Identifier: MIT */
/* Whether a rise of revenue came after something that went well: an association, not an effect. */
#include "analytics/level_walk.h"
#include "analytics/revenue.h"

#define BEFORE (90 * CRM_US_PER_DAY)

bool crm_success_known(const struct crm_context *c) {
  return c->facts->available[CRM_REL_GOAL] || c->facts->available[CRM_REL_ENGAGEMENT];
}

static bool goal_achieved(const struct crm_context *c, uint32_t account, crm_time after, crm_time until) {
  const struct crm_goals *g = &c->facts->goal;
  if (!c->facts->available[CRM_REL_GOAL])
    return false;
  for (uint32_t r = g->first[account]; r < g->first[account + 1]; r++)
    /* Entered after T, though for an earlier day, it is not known at T. CRM_TIME_NONE is before everything. */
    if (g->status[r] == CRM_GOAL_ACHIEVED && g->created_at[r] <= c->at && g->completed_at[r] > after && g->completed_at[r] <= until)
      return true;
  return false;
}

static bool engaged_well(const struct crm_context *c, uint32_t account, crm_time after, crm_time until) {
  const struct crm_engagements *e = &c->facts->engagement;
  if (!c->facts->available[CRM_REL_ENGAGEMENT])
    return false;
  for (uint32_t r = e->first[account]; r < e->first[account + 1]; r++)
    if (e->outcome[r] == CRM_POSITIVE && e->type[r] != CRM_NOTE && e->completed_at[r] > after && e->completed_at[r] <= until)
      return true;
  return false;
}

bool crm_expansion_success_driven(const struct crm_context *c, uint32_t account, crm_time start) {
  struct crm_level_walk walk;
  struct crm_stretch now, before = {.arr = CRM_MONEY_UNKNOWN};
  crm_level_walk_begin(&walk, c, account);
  for (; crm_level_walk_next(&walk, &now) && now.from <= c->at; before = now) {
    if (now.from <= start || before.arr < 0 || now.arr <= before.arr)
      continue;
    if (before.arr > 0 && before.currency != now.currency)
      continue; /* amounts of two currencies are neither more nor less */
    crm_time after = now.from - BEFORE;
    if (goal_achieved(c, account, after, now.from) || engaged_well(c, account, after, now.from))
      return true;
  }
  return false;
}
