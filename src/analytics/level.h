/* SPDX-License-Identifier: MIT */
/* The revenue levels of one account as they are known at T, and the time during which it paid. Internal to revenue. */
#ifndef CRM_ANALYTICS_LEVEL_H
#define CRM_ANALYTICS_LEVEL_H

#include "analytics/context.h"

/* The visible levels of an account in the order of time: level i holds from at[i] until at[i + 1]. Without the relation `revenue` it has
 * one, its own ARR, from its creation (own_at); then `at` and `arr` point into this struct or to the account's column. With it the own ARR
 * counts for nothing, because it has no date: a mapping that knows since when it holds says so by a row. */
struct crm_levels {
  const crm_time *at;
  const crm_money *arr;
  const uint16_t *currency;
  uint32_t n;
  crm_time own_at; /* CRM_TIME_NONE, which is before everything: it has always existed */
};
/* `levels` must stay where it is while it is used. */
void crm_levels_of(const struct crm_context *c, uint32_t account, struct crm_levels *levels);
/* How many of them hold from `at` or earlier: the last of those is the level at that instant. */
uint32_t crm_levels_until(const struct crm_levels *levels, crm_time at);

/* The end of the last time up to `at` during which the account paid (at most `at`); CRM_TIME_NONE if it never had. Unknown revenue is not
 * paid. */
crm_time crm_paid_until(const struct crm_context *c, uint32_t account, crm_time at);
/* The first instant at or after `at` from which the account paid; CRM_TIME_NONE if it does not. */
crm_time crm_paid_from(const struct crm_context *c, uint32_t account, crm_time at);

#endif
