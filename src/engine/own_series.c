/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"
#include "engine/state.h"

#include <stdio.h>
#include <string.h>

/* Collects the first failure, so that the list below reads as a list. */
struct adder {
  struct crm_series_set *set;
  const char *instance;
  enum crm_status status;
};

static void add(struct adder *a, enum crm_family family, const char *label1, const char *label2, struct crm_number value) {
  const char *labels[3] = {a->instance, label1, label2};
  size_t n = 1 + (size_t)(label1 != NULL) + (size_t)(label2 != NULL);
  if (a->status == CRM_OK)
    a->status = crm_set_add(a->set, family, labels, n, value);
}

static struct crm_number seconds(int64_t us) {
  return crm_number_ratio(us, CRM_US_PER_SECOND);
}

static void add_relations(struct adder *a, const struct crm_engine_state *state, crm_time now) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const char *relation = crm_relation_info((enum crm_relation)r)->name;
    add(a, CRM_FAM_RELATION_AVAILABLE, relation, NULL, crm_number_int(state->available[r]));
    if (state->available[r]) {
      add(a, CRM_FAM_RELATION_ROWS, relation, NULL, crm_number_int((int64_t)state->rows[r]));
      add(a, CRM_FAM_SOURCE_AGE_SECONDS, relation, NULL, seconds(now > state->read_at[r] ? now - state->read_at[r] : 0));
    }
    if (state->available[r] && state->mode[r] != CRM_CHANGES_AUTO)
      add(a, CRM_FAM_RELATION_CHANGES, relation, crm_changes_name(state->mode[r]), crm_number_int(1));
    if (state->available[r] && state->drift_known)
      add(a, CRM_FAM_DRIFT_ROWS_TOTAL, relation, NULL, crm_number_int((int64_t)state->drift_total[r]));
    for (int why = 0; why < CRM_REJECTS; why++)
      if (state->rejected_total[r][why] > 0) {
        const char *reason = crm_reject_name((enum crm_reject)why);
        add(a, CRM_FAM_ROWS_REJECTED_TOTAL, relation, reason, crm_number_int((int64_t)state->rejected_total[r][why]));
        add(a, CRM_FAM_RELATION_ROWS_REFUSED, relation, reason, crm_number_int((int64_t)state->refused[r][why]));
      }
  }
}

enum crm_status crm_engine_own_series(const struct crm_engine_state *state, const struct crm_params *params, const char *instance,
                                      const char *host_version, crm_time now, struct crm_series_set *own) {
  static const char *const kinds[] = {"cell", "tenant", "account"};
  struct adder a = {own, instance, crm_set_reset(own)};
  own->at = now;
  add(&a, CRM_FAM_UP, NULL, NULL, crm_number_int(state->up));
  add(&a, CRM_FAM_BUILD_INFO, crm_version(), host_version, crm_number_int(1));
  if (state->shard.of > 0) {
    char number[8];
    snprintf(number, sizeof(number), "%u", state->shard.number);
    add(&a, CRM_FAM_SHARDS, number, NULL, crm_number_int(state->shard.of));
  }
  add_relations(&a, state, now);
  if (state->synced_at != CRM_TIME_NONE) {
    for (int p = 0; p < CRM_PHASES; p++)
      add(&a, CRM_FAM_SYNC_DURATION_SECONDS, crm_phase_name((enum crm_phase)p), NULL, seconds(state->phase_us[p]));
    add(&a, CRM_FAM_STORE_BYTES, NULL, NULL, crm_number_int((int64_t)state->store_bytes));
    add(&a, CRM_FAM_ACCOUNTS_CHANGED, NULL, NULL, crm_number_int((int64_t)state->accounts_changed));
    add(&a, CRM_FAM_FULL_SYNC_TIMESTAMP_SECONDS, NULL, NULL, seconds(state->full_synced_at));
    add(&a, CRM_FAM_SOURCE_ROWS_TOTAL, NULL, NULL, crm_number_int((int64_t)state->rows_total));
    add(&a, CRM_FAM_SOURCE_BYTES_TOTAL, NULL, NULL, crm_number_int((int64_t)state->bytes_total));
  }
  if (state->compute_us != CRM_TIME_NONE) {
    add(&a, CRM_FAM_COMPUTE_DURATION_SECONDS, NULL, NULL, seconds(state->compute_us));
    for (int k = 0; k < 3; k++)
      add(&a, CRM_FAM_SERIES, kinds[k], NULL, crm_number_int((int64_t)state->series[k]));
    add(&a, CRM_FAM_SERIES_LIMIT_REACHED, kinds[CRM_SCOPE_ACCOUNT], NULL, crm_number_int(state->account_limit_reached));
    for (size_t d = 0; d < params->n_group_by; d++)
      add(&a, CRM_FAM_DIMENSION_DROPPED, crm_dimension_name(params->group_by[d]), NULL,
          crm_number_int(state->dimension_dropped[params->group_by[d]]));
  }
  add(&a, CRM_FAM_SERIES, "instance", NULL, crm_number_int((int64_t)own->n + 1)); /* and this one */
  return a.status == CRM_OK ? crm_set_sort(own) : a.status;
}

enum crm_status crm_engine_recount(struct crm_series_set *own) {
  for (size_t i = 0; i < own->n; i++)
    if (own->samples[i].family == CRM_FAM_SERIES && strcmp(crm_set_label_value(own, &own->samples[i], 1), "instance") == 0)
      own->samples[i].value = crm_number_int((int64_t)own->n);
  return crm_set_sort(own);
}
