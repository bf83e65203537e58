/* SPDX-License-Identifier: MIT */
/* The whole revenue of one account in the order of time, in one pass over its levels. Internal to revenue. */
#ifndef CRM_ANALYTICS_LEVEL_WALK_H
#define CRM_ANALYTICS_LEVEL_WALK_H

#include "analytics/level.h"

/* A time in which the revenue is the same: at every instant t with from <= t < to it is crm_arr_at(t). */
struct crm_stretch {
  crm_time from, to; /* the first one begins at CRM_TIME_NONE, the last one ends at INT64_MAX; never empty */
  crm_money arr;     /* annual; 0, or CRM_MONEY_UNKNOWN (also where the currency of an amount is not known) */
  uint16_t currency;
};

struct crm_level_walk {
  const struct crm_context *c;
  uint32_t account;
  struct crm_levels levels;
  uint32_t known; /* levels that hold from the current stretch or earlier */
  crm_time next;  /* where the next stretch begins */
};

/* For a visible account. The walk must stay where it is while it is used. */
void crm_level_walk_begin(struct crm_level_walk *walk, const struct crm_context *c, uint32_t account);
/* The next stretch, each of them beginning where the one before ended; false behind the last. Two that follow each other may be equal. */
bool crm_level_walk_next(struct crm_level_walk *walk, struct crm_stretch *stretch);

#endif
