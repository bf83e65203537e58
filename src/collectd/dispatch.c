/* SPDX-License-Identifier: MIT */
#include "collectd/collectd_api.h"

#include "collectd/dispatch.h"

#include <math.h>
#include <pthread.h>

#include "base/vec.h"
#include "series/breakdown.h"
#include "series/flat_name.h"

/* One value; the strings point into lists->names. */
struct value {
  const char *plugin_instance;
  const char *type_instance;
  double value;
};

/* Totals first, then one set of names per dimension. */
#define NAMES_MAX (1 + CRM_DIMENSIONS_MAX)
struct crm_value_lists {
  struct crm_flat_names *names[NAMES_MAX];
  size_t n_names;
  struct value *values;
  size_t n, cap;
  bool cut;
};

/* Who emits which tenant; the only state that instances share. It lives as long as the daemon. */
#define CLAIMS_MAX 4096
static struct {
  pthread_mutex_t mutex;
  struct claim {
    char plugin_instance[DATA_MAX_NAME_LEN];
    const void *claimant;
    bool told;
  } * list;
  size_t n;
  bool told_too_long;
} claims = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* True if `claimant` may emit under the plugin instance. */
static bool claim(const char *plugin_instance, const void *claimant, const struct crm_log *log) {
  bool mine = false;
  pthread_mutex_lock(&claims.mutex);
  if (claims.list == NULL)
    claims.list = calloc(CLAIMS_MAX, sizeof(*claims.list));
  size_t i = 0;
  while (i < claims.n && strcmp(claims.list[i].plugin_instance, plugin_instance) != 0)
    i++;
  if (i < claims.n) {
    mine = claims.list[i].claimant == claimant;
    if (!mine && !claims.list[i].told) {
      claims.list[i].told = true;
      crm_log(log, CRM_LOG_ERROR,
              "another instance already emits crm-%s; it is left out here: tenants of different instances need different names",
              plugin_instance);
    }
  } else if (claims.list != NULL && claims.n < CLAIMS_MAX) {
    sstrncpy(claims.list[i].plugin_instance, plugin_instance, sizeof(claims.list[i].plugin_instance));
    claims.list[i].claimant = claimant;
    claims.n++;
    mine = true;
  }
  pthread_mutex_unlock(&claims.mutex);
  return mine;
}

static void tell_too_long(const struct crm_log *log, const char *family, size_t count) {
  pthread_mutex_lock(&claims.mutex);
  bool told = claims.told_too_long;
  claims.told_too_long = true;
  pthread_mutex_unlock(&claims.mutex);
  if (!told)
    crm_log(log, CRM_LOG_ERROR,
            "%zu series (the first of %s) have names longer than the daemon's %d bytes; they are not sent, and never cut: shorten the "
            "label values",
            count, family, DATA_MAX_NAME_LEN - 1);
}

/* Appends the values of one rolled-up set; `chosen` (by family) may be NULL for all. */
static bool add_set(struct crm_value_lists *lists, const struct crm_series_set *set, const bool *chosen, const void *claimant,
                    const struct crm_log *log) {
  struct crm_flat_names *names = NULL;
  if (crm_flat_names_new(set, &names) != CRM_OK)
    return false;
  lists->names[lists->n_names++] = names;
  size_t too_long = 0;
  const char *too_long_family = NULL;
  const char *checked = NULL; /* samples of a tenant often follow each other */
  bool mine = false;
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)set->samples[i].family);
    /* Series per account never go through the daemon's queue: at scale it would cost more than everything else together. */
    if (info->scope == CRM_SCOPE_ACCOUNT || (chosen != NULL && !chosen[set->samples[i].family]))
      continue;
    const char *plugin_instance = crm_flat_instance(names, i);
    const char *type_instance = crm_flat_name(names, i, DATA_MAX_NAME_LEN - 1);
    double value = crm_number_value(&set->samples[i].value);
    if (plugin_instance == NULL || strlen(plugin_instance) >= DATA_MAX_NAME_LEN || type_instance == NULL) {
      if (too_long++ == 0)
        too_long_family = info->name;
      continue;
    }
    if (checked == NULL || strcmp(checked, plugin_instance) != 0) {
      mine = claim(plugin_instance, claimant, log);
      checked = plugin_instance;
    }
    if (!mine || !isfinite(value)) /* one non-finite value would break a whole scrape of write_prometheus */
      continue;
    if (lists->n == lists->cap && crm_vec_reserve((void **)&lists->values, &lists->cap, lists->n + 1, sizeof(*lists->values)) != CRM_OK)
      return false;
    lists->values[lists->n++] = (struct value){plugin_instance, type_instance, value};
  }
  if (too_long > 0)
    tell_too_long(log, too_long_family, too_long);
  return true;
}

/* The breakdown by each dimension, then those of them for which there is room. */
static bool add_breakdowns(struct crm_value_lists *lists, const struct crm_series_set *set, size_t max_breakdowns, const void *claimant,
                           const struct crm_log *log) {
  struct crm_series_set rolled[CRM_DIMENSIONS_MAX];
  const struct crm_series_set *sets[CRM_DIMENSIONS_MAX];
  bool chosen[CRM_DIMENSIONS_MAX][CRM_FAMILIES];
  size_t n = 0;
  bool ok = true;
  for (; ok && n < set->n_dimensions; n++) {
    sets[n] = &rolled[n];
    if (crm_set_init(&rolled[n]) != CRM_OK)
      break;
    ok = crm_set_roll_up(set, (int)n, &rolled[n]) == CRM_OK;
  }
  ok = ok && n == set->n_dimensions;
  if (ok)
    lists->cut = crm_breakdowns_choose(sets, n, max_breakdowns, chosen);
  for (size_t d = 0; ok && d < n; d++)
    ok = add_set(lists, sets[d], chosen[d], claimant, log);
  for (size_t d = 0; d < n; d++)
    crm_set_free(&rolled[d]);
  return ok;
}

struct crm_value_lists *crm_value_lists_new(const struct crm_series_set *set, const void *claimant, size_t max_breakdowns,
                                            const struct crm_log *log) {
  struct crm_value_lists *lists = calloc(1, sizeof(*lists));
  struct crm_series_set totals;
  if (lists == NULL || crm_set_init(&totals) != CRM_OK) {
    free(lists);
    return NULL;
  }
  bool ok = crm_set_roll_up(set, -1, &totals) == CRM_OK && add_set(lists, &totals, NULL, claimant, log) &&
            add_breakdowns(lists, set, max_breakdowns, claimant, log);
  crm_set_free(&totals);
  if (!ok) {
    crm_value_lists_free(lists);
    return NULL;
  }
  return lists;
}

bool crm_value_lists_cut(const struct crm_value_lists *lists) {
  return lists->cut;
}

void crm_value_lists_free(struct crm_value_lists *lists) {
  if (lists == NULL)
    return;
  for (size_t i = 0; i < lists->n_names; i++)
    crm_flat_names_free(lists->names[i]);
  free(lists->values);
  free(lists);
}

void crm_value_lists_dispatch(const struct crm_value_lists *lists, uint64_t cdtime) {
  value_t value;
  value_list_t vl = VALUE_LIST_INIT;
  vl.values = &value;
  vl.values_len = 1;
  vl.time = cdtime;
  sstrncpy(vl.plugin, "crm", sizeof(vl.plugin));
  sstrncpy(vl.type, "gauge", sizeof(vl.type));
  for (size_t i = 0; i < lists->n; i++) {
    value.gauge = lists->values[i].value;
    sstrncpy(vl.plugin_instance, lists->values[i].plugin_instance, sizeof(vl.plugin_instance));
    sstrncpy(vl.type_instance, lists->values[i].type_instance, sizeof(vl.type_instance));
    plugin_dispatch_values(&vl);
  }
}
