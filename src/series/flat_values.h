/* SPDX-License-Identifier: MIT */
/* What goes out on collectd's own path: totals, and breakdowns by one dimension as far as there is room, each with its name. */
#ifndef CRM_SERIES_FLAT_VALUES_H
#define CRM_SERIES_FLAT_VALUES_H

#include "series/flat_name.h"
#include "series/set.h"

struct crm_flat_value {
  const char *plugin_instance; /* the tenant */
  const char *type_instance;   /* NULL: longer than the limit, not to be sent */
  double value;                /* finite */
  enum crm_family family;
};

#define CRM_FLAT_NAMES_MAX (1 + CRM_DIMENSIONS_MAX)
struct crm_flat_values {
  struct crm_flat_value *list; /* totals in catalogue order, then the breakdowns by each dimension; nothing of single accounts */
  size_t n, cap;
  bool cut;                                         /* some families are not broken down, because of max_breakdowns */
  struct crm_flat_names *names[CRM_FLAT_NAMES_MAX]; /* what the texts point to: totals, then one per dimension */
  size_t n_names;
};

/* `set` is ordered. `max_breakdowns`: see crm_breakdowns_choose. `limit`: longest type instance in bytes. CRM_OK, or CRM_ERR_MEMORY,
 * CRM_ERR_DATA as from crm_flat_names_new; *values is freed by the caller with crm_flat_values_free in any case. */
enum crm_status crm_flat_values_make(const struct crm_series_set *set, size_t max_breakdowns, size_t limit,
                                     struct crm_flat_values *values) CRM_MUSTCHECK;
void crm_flat_values_free(struct crm_flat_values *values);

#endif
