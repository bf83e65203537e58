/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <string.h>

#include "export/sink_internal.h"

/* Collects the first failure, so that the list below reads as a list. */
struct adder {
  struct crm_series_set *set;
  const char *instance, *sink;
  enum crm_status status;
};

static void add(struct adder *a, enum crm_family family, const char *reason, struct crm_number value) {
  const char *labels[3] = {a->instance, a->sink, reason};
  if (a->status == CRM_OK)
    a->status = crm_set_add(a->set, family, labels, reason == NULL ? 2 : 3, value);
}

static void add_time(struct adder *a, enum crm_family family, crm_time at) {
  if (at != CRM_TIME_NONE)
    add(a, family, NULL, crm_number_ratio(at, CRM_US_PER_SECOND));
}

enum crm_status crm_sink_own_series(struct crm_sink *sink, const char *instance, struct crm_series_set *own) {
  struct crm_sink_counters c = {.succeeded_at = CRM_TIME_NONE, .highest_sent = CRM_TIME_NONE, .spool_oldest = CRM_TIME_NONE};
  size_t queued = 0;
  pthread_mutex_lock(&sink->mutex);
  for (size_t i = 0; i < sink->n_channels; i++)
    if (strcmp(sink->channels[i]->name, instance) == 0) {
      c = sink->channels[i]->counters;
      queued = sink->channels[i]->queued;
    }
  pthread_mutex_unlock(&sink->mutex);

  struct adder a = {own, instance, sink->options->name, CRM_OK};
  add(&a, CRM_FAM_REMOTE_WRITE_SAMPLES_TOTAL, NULL, crm_number_int((int64_t)c.samples));
  add(&a, CRM_FAM_REMOTE_WRITE_FAILED_TOTAL, NULL, crm_number_int((int64_t)c.failed));
  add(&a, CRM_FAM_REMOTE_WRITE_RETRIED_TOTAL, NULL, crm_number_int((int64_t)c.retried));
  /* From 0 on: of a counter that begins with what was dropped first, increase() would not see that. */
  for (int why = 0; why < CRM_DROPS; why++)
    add(&a, CRM_FAM_REMOTE_WRITE_DROPPED_TOTAL, crm_drop_name((enum crm_drop)why), crm_number_int((int64_t)c.dropped[why]));
  add(&a, CRM_FAM_REMOTE_WRITE_QUEUE_TICKS, NULL, crm_number_int((int64_t)queued));
  if (sink->options->spool_dir != NULL)
    add(&a, CRM_FAM_REMOTE_WRITE_SPOOL_BYTES, NULL, crm_number_int((int64_t)c.spool_bytes));
  add_time(&a, CRM_FAM_REMOTE_WRITE_SPOOL_OLDEST_TIMESTAMP_SECONDS, c.spool_oldest);
  if (c.tried) {
    add(&a, CRM_FAM_REMOTE_WRITE_REQUEST_DURATION_SECONDS, NULL, crm_number_ratio(c.request_us, CRM_US_PER_SECOND));
    add(&a, CRM_FAM_REMOTE_WRITE_LAST_STATUS, NULL, crm_number_int(c.last_status));
  }
  add_time(&a, CRM_FAM_REMOTE_WRITE_LAST_SUCCESS_TIMESTAMP_SECONDS, c.succeeded_at);
  add_time(&a, CRM_FAM_REMOTE_WRITE_HIGHEST_SENT_TIMESTAMP_SECONDS, c.highest_sent);
  return a.status;
}
