/* SPDX-License-Identifier: MIT */
/* Series -> collectd's value lists: totals and breakdowns by one dimension under flat names (series/flat_name.h). */
#ifndef CRM_COLLECTD_DISPATCH_H
#define CRM_COLLECTD_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "series/set.h"

struct crm_value_lists;

/* Names and values of a set, made outside the daemon's reading thread. `claimant` tells instances apart: a tenant that another instance
 * already emits is left out, because two instances must not write one identifier; that and names past the daemon's limit are told once
 * through `log`. Totals always go out; of the breakdowns as many as make at most `max_breakdowns` values (series/breakdown.h).
 * NULL when memory is short. */
struct crm_value_lists *crm_value_lists_new(const struct crm_series_set *set, const void *claimant, size_t max_breakdowns,
                                            const struct crm_log *log);
/* True if a breakdown was left out. */
bool crm_value_lists_cut(const struct crm_value_lists *lists);
void crm_value_lists_free(struct crm_value_lists *lists);

/* Hands every value to the daemon, all with the time `cdtime` (cdtime_t of collectd). */
void crm_value_lists_dispatch(const struct crm_value_lists *lists, uint64_t cdtime);

#endif
