/* SPDX-License-Identifier: MIT */
#include "analytics/level_walk.h"

void crm_level_walk_begin(struct crm_level_walk *walk, const struct crm_context *c, uint32_t account) {
  walk->c = c;
  walk->account = account;
  walk->known = 0;
  walk->next = CRM_TIME_NONE;
  crm_levels_of(c, account, &walk->levels);
}

/* The earlier of `to` and `at`, if `at` lies after `from`. CRM_TIME_NONE lies after nothing. */
static crm_time end_by(crm_time to, crm_time from, crm_time at) {
  return at > from && at < to ? at : to;
}

static crm_money money_at(const struct crm_level_walk *walk, crm_time at, uint16_t *currency) {
  const struct crm_levels *levels = &walk->levels;
  const struct crm_accounts *a = &walk->c->facts->account;
  uint32_t n = walk->known;
  *currency = n > 0 ? levels->currency[n - 1] : a->currency[walk->account];
  if (crm_churned_at(walk->c, walk->account, at))
    return 0;
  if (n == 0)
    return a->created_at[walk->account] <= at ? CRM_MONEY_UNKNOWN : 0; /* CRM_TIME_NONE: it has always existed */
  crm_money arr = levels->arr[n - 1];
  if (arr > 0 && *currency == CRM_NO_CURRENCY)
    return CRM_MONEY_UNKNOWN;
  return arr >= 0 || arr == CRM_MONEY_UNKNOWN ? arr : 0;
}

bool crm_level_walk_next(struct crm_level_walk *walk, struct crm_stretch *stretch) {
  const struct crm_context *c = walk->c;
  const struct crm_levels *levels = &walk->levels;
  uint32_t account = walk->account;
  crm_time from = walk->next, to = INT64_MAX;
  if (from == INT64_MAX)
    return false;
  while (walk->known < levels->n && levels->at[walk->known] <= from)
    walk->known++;
  if (walk->known < levels->n)
    to = levels->at[walk->known];
  if (walk->known == 0)
    to = end_by(to, from, c->facts->account.created_at[account]);
  to = end_by(to, from, c->churn_at[account]);
  to = end_by(to, from, c->left_at[account]); /* it returned with a level of its own */
  stretch->from = from;
  stretch->to = to;
  stretch->arr = money_at(walk, from, &stretch->currency);
  walk->next = to;
  return true;
}
