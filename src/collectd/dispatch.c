/* SPDX-License-Identifier: MIT */
#include "collectd/collectd_api.h"

#include "collectd/dispatch.h"

#include <pthread.h>

#include "series/flat_values.h"

struct crm_value_lists {
  struct crm_flat_values values;
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

/* Leaves out what cannot or must not be dispatched under its name. */
static void drop_unnamed(struct crm_flat_values *values, const void *claimant, const struct crm_log *log) {
  size_t too_long = 0;
  const char *too_long_family = NULL;
  const char *checked = NULL; /* samples of a tenant often follow each other */
  bool mine = false;
  size_t n = 0;
  for (size_t i = 0; i < values->n; i++) {
    const struct crm_flat_value *value = &values->list[i];
    if (value->plugin_instance == NULL || strlen(value->plugin_instance) >= DATA_MAX_NAME_LEN || value->type_instance == NULL) {
      if (too_long++ == 0)
        too_long_family = crm_family_info(value->family)->name;
      continue;
    }
    if (checked == NULL || strcmp(checked, value->plugin_instance) != 0) {
      mine = claim(value->plugin_instance, claimant, log);
      checked = value->plugin_instance;
    }
    if (mine)
      values->list[n++] = *value;
  }
  values->n = n;
  if (too_long > 0)
    tell_too_long(log, too_long_family, too_long);
}

struct crm_value_lists *crm_value_lists_new(const struct crm_series_set *set, const void *claimant, size_t max_breakdowns,
                                            const struct crm_log *log) {
  struct crm_value_lists *lists = calloc(1, sizeof(*lists));
  if (lists == NULL)
    return NULL;
  if (crm_flat_values_make(set, max_breakdowns, DATA_MAX_NAME_LEN - 1, &lists->values) != CRM_OK) {
    crm_value_lists_free(lists);
    return NULL;
  }
  drop_unnamed(&lists->values, claimant, log);
  return lists;
}

bool crm_value_lists_cut(const struct crm_value_lists *lists) {
  return lists->values.cut;
}

void crm_value_lists_free(struct crm_value_lists *lists) {
  if (lists == NULL)
    return;
  crm_flat_values_free(&lists->values);
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
  for (size_t i = 0; i < lists->values.n; i++) {
    value.gauge = lists->values.list[i].value;
    sstrncpy(vl.plugin_instance, lists->values.list[i].plugin_instance, sizeof(vl.plugin_instance));
    sstrncpy(vl.type_instance, lists->values.list[i].type_instance, sizeof(vl.type_instance));
    plugin_dispatch_values(&vl);
  }
}
