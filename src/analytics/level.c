/* SPDX-License-Identifier: MIT */
#include "analytics/level.h"

uint32_t crm_levels_until(const struct crm_levels *levels, crm_time at) {
  uint32_t low = 0, high = levels->n;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (levels->at[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void crm_levels_of(const struct crm_context *c, uint32_t account, struct crm_levels *levels) {
  const struct crm_facts *facts = c->facts;
  if (facts->available[CRM_REL_REVENUE]) {
    uint32_t first = facts->revenue.first[account];
    *levels = (struct crm_levels){.at = facts->revenue.at + first,
                                  .arr = facts->revenue.arr + first,
                                  .currency = facts->revenue.currency + first,
                                  .n = facts->revenue.first[account + 1] - first};
    levels->n = crm_levels_until(levels, c->at);
    return;
  }
  levels->own_at = facts->account.created_at[account];
  levels->at = &levels->own_at;
  levels->arr = facts->account.arr + account;
  levels->currency = facts->account.currency + account;
  levels->n = 1;
}

bool crm_churned_at(const struct crm_context *c, uint32_t account, crm_time at) {
  if (c->undated_churn[account])
    return true;
  if (c->churn_at[account] != CRM_TIME_NONE && at >= c->churn_at[account])
    return true;
  return c->left_at[account] != CRM_TIME_NONE && at >= c->left_at[account] && at < c->returned_at[account];
}

crm_money crm_arr_at(const struct crm_context *c, uint32_t account, crm_time at, uint16_t *currency) {
  struct crm_levels levels;
  crm_levels_of(c, account, &levels);
  uint32_t n = crm_levels_until(&levels, at);
  *currency = n > 0 ? levels.currency[n - 1] : c->facts->account.currency[account];
  if (crm_churned_at(c, account, at))
    return 0;
  if (n > 0)
    return levels.arr[n - 1] >= 0 || levels.arr[n - 1] == CRM_MONEY_UNKNOWN ? levels.arr[n - 1] : 0; /* a credit is no revenue */
  crm_time created_at = c->facts->account.created_at[account];
  return created_at == CRM_TIME_NONE || created_at <= at ? CRM_MONEY_UNKNOWN : 0;
}

/* Takes from [start, *end), in which one level holds, what lies outside of the account's life. False if nothing is left. It came back with
 * a level of its own, so that a recorded churn never cuts a level in two. */
static bool clip_to_life(const struct crm_context *c, uint32_t account, crm_time start, crm_time *end) {
  crm_time churn_at = c->churn_at[account], left_at = c->left_at[account];
  if (churn_at != CRM_TIME_NONE && *end > churn_at)
    *end = churn_at;
  if (left_at != CRM_TIME_NONE && *end > left_at && start < c->returned_at[account])
    *end = left_at;
  return start < *end;
}

crm_time crm_paid_until(const struct crm_context *c, uint32_t account, crm_time at) {
  struct crm_levels levels;
  crm_levels_of(c, account, &levels);
  if (c->undated_churn[account])
    return CRM_TIME_NONE;
  for (uint32_t i = crm_levels_until(&levels, at); i-- > 0;) {
    crm_time start = levels.at[i], end = i + 1 < levels.n && levels.at[i + 1] < at ? levels.at[i + 1] : at;
    if (levels.arr[i] > 0 && clip_to_life(c, account, start, &end))
      return end;
  }
  return CRM_TIME_NONE;
}

crm_time crm_paid_from(const struct crm_context *c, uint32_t account, crm_time at) {
  struct crm_levels levels;
  crm_levels_of(c, account, &levels);
  if (c->undated_churn[account])
    return CRM_TIME_NONE;
  uint32_t known = crm_levels_until(&levels, at);
  for (uint32_t i = known > 0 ? known - 1 : 0; i < levels.n; i++) {
    crm_time start = levels.at[i] > at ? levels.at[i] : at, end = i + 1 < levels.n ? levels.at[i + 1] : INT64_MAX;
    if (levels.arr[i] > 0 && clip_to_life(c, account, start, &end))
      return start;
  }
  return CRM_TIME_NONE;
}
