/* SPDX-License-Identifier: MIT */
#include "series/flat_values.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "series/breakdown.h"

/* Appends the values of one rolled-up set; `chosen` (by family) may be NULL for all. */
static enum crm_status add_set(struct crm_flat_values *values, const struct crm_series_set *set, const bool *chosen, size_t limit) {
  struct crm_flat_names *names = NULL;
  enum crm_status status = crm_flat_names_new(set, &names);
  if (status != CRM_OK)
    return status;
  values->names[values->n_names++] = names;
  status = crm_vec_reserve((void **)&values->list, &values->cap, values->n + set->n, sizeof(*values->list));
  if (status != CRM_OK)
    return status;
  for (size_t i = 0; i < set->n; i++) {
    enum crm_family family = (enum crm_family)set->samples[i].family;
    double value = crm_number_value(&set->samples[i].value);
    /* Series per account never go through the daemon's queue: at scale it would cost more than everything else together. One
     * non-finite value would break a whole scrape of write_prometheus. */
    if (crm_family_info(family)->scope == CRM_SCOPE_ACCOUNT || (chosen != NULL && !chosen[family]) || !isfinite(value))
      continue;
    values->list[values->n++] = (struct crm_flat_value){crm_flat_instance(names, i), crm_flat_name(names, i, limit), value, family};
  }
  return CRM_OK;
}

/* The breakdown by each dimension, then those of them for which there is room. */
static enum crm_status add_breakdowns(struct crm_flat_values *values, const struct crm_series_set *set, size_t max_breakdowns,
                                      size_t limit) {
  struct crm_series_set rolled[CRM_DIMENSIONS_MAX];
  const struct crm_series_set *sets[CRM_DIMENSIONS_MAX];
  bool chosen[CRM_DIMENSIONS_MAX][CRM_FAMILIES];
  size_t n = 0;
  enum crm_status status = CRM_OK;
  for (; status == CRM_OK && n < set->n_dimensions; n++) {
    sets[n] = &rolled[n];
    status = crm_set_init(&rolled[n]);
    if (status != CRM_OK)
      break;
    status = crm_set_roll_up(set, (int)n, &rolled[n]);
  }
  if (status == CRM_OK)
    values->cut = crm_breakdowns_choose(sets, n, max_breakdowns, chosen);
  for (size_t d = 0; status == CRM_OK && d < n; d++)
    status = add_set(values, sets[d], chosen[d], limit);
  for (size_t d = 0; d < n; d++)
    crm_set_free(&rolled[d]);
  return status;
}

enum crm_status crm_flat_values_make(const struct crm_series_set *set, size_t max_breakdowns, size_t limit,
                                     struct crm_flat_values *values) {
  *values = (struct crm_flat_values){0};
  struct crm_series_set totals;
  enum crm_status status = crm_set_init(&totals);
  if (status != CRM_OK)
    return status;
  status = crm_set_roll_up(set, -1, &totals);
  if (status == CRM_OK)
    status = add_set(values, &totals, NULL, limit);
  if (status == CRM_OK)
    status = add_breakdowns(values, set, max_breakdowns, limit);
  crm_set_free(&totals);
  return status;
}

void crm_flat_values_free(struct crm_flat_values *values) {
  for (size_t i = 0; i < values->n_names; i++)
    crm_flat_names_free(values->names[i]);
  free(values->list);
  *values = (struct crm_flat_values){0};
}
