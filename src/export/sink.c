/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/sink.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "export/sink_internal.h"

/* Of the time to stop, what is left to write the rest to the spool. */
#define STOP_MARGIN_US (CRM_US_PER_SECOND / 5)

const char *crm_drop_name(enum crm_drop drop) {
  static const char *const names[CRM_DROPS] = {"rejected", "not_written", "too_old",      "queue_full",  "spool_full",
                                               "corrupt",  "poison",      "out_of_order", "not_sayable", "shutdown"};
  return names[drop];
}

/* --- life ---------------------------------------------------------------------------------------------------------------------------- */

static void log_named(void *ctx, enum crm_log_level level, const char *message) {
  struct crm_sink *sink = ctx;
  pthread_mutex_lock(&sink->mutex);
  bool abandoned = sink->abandoned; /* then the host may be gone */
  pthread_mutex_unlock(&sink->mutex);
  if (!abandoned)
    crm_log(&sink->host_log, level, "sink %s: %s", sink->options->name, message);
}

static void unref_frames(struct crm_channel *channel) {
  for (size_t i = 0; i < channel->queued; i++)
    crm_frame_unref(channel->queue[i]);
  crm_frame_unref(channel->business.frame);
  crm_frame_unref(channel->own.frame);
}

static void sink_free(struct crm_sink *sink) {
  for (size_t i = 0; i < sink->n_channels; i++) {
    struct crm_channel *channel = sink->channels[i];
    unref_frames(channel);
    crm_spool_dir_close(&channel->dir);
    free(channel->queue);
    free(channel->name);
    free(channel);
  }
  free(sink->channels);
  crm_http_free(sink->http);
  crm_encoder_free(sink->encoder);
  crm_spool_close(&sink->spool);
  crm_strbuf_free(&sink->buffer);
  crm_credentials_free(&sink->credentials);
  pthread_cond_destroy(&sink->ended_cond);
  pthread_mutex_destroy(&sink->mutex);
  free(sink);
}

static enum crm_status check_file(const char *path, const char *what, struct crm_error *err) {
  if (path == NULL || access(path, R_OK) == 0)
    return CRM_OK;
  return crm_error_set(err, CRM_ERR_CONFIG, "the %s %.400s cannot be read", what, path);
}

enum crm_status crm_sink_new(const struct crm_sink_options *options, const struct crm_log *log, struct crm_sink **out,
                             struct crm_error *err) {
  struct crm_sink *sink = calloc(1, sizeof(*sink));
  if (sink == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "sink %s: out of memory", options->name);
  sink->options = options;
  sink->effective = *options;
  if (log != NULL)
    sink->host_log = *log;
  sink->log = (struct crm_log){log_named, sink};
  sink->start_at = crm_clock_realtime_us();
  sink->start_us = crm_clock_monotonic_us();
  sink->spool.lock = -1;
  sink->backoff = (struct crm_backoff){.min_us = options->backoff_min_us, .max_us = options->backoff_max_us};
  sink->body_limit = options->max_batch_bytes;
  sink->hold_us = 300 * CRM_US_PER_SECOND;
  sink->orphan_us = 600 * CRM_US_PER_SECOND;
  sink->save_us = 60 * CRM_US_PER_SECOND;
  sink->spool_retry_us = 5 * CRM_US_PER_SECOND;
  crm_redact_url(options->url, sink->url, sizeof(sink->url));
  crm_selection_init(&sink->selection, options);
  crm_strbuf_init(&sink->buffer, CRM_SERIES_FILE_MAX);
  pthread_mutex_init(&sink->mutex, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&sink->ended_cond, &attr);
  pthread_condattr_destroy(&attr);

  if (gethostname(sink->host, sizeof(sink->host) - 1) != 0 || sink->host[0] == '\0')
    strcpy(sink->host, "localhost");
  enum crm_status status = crm_credentials_init(&sink->credentials, options, err);
  if (status == CRM_OK)
    status = check_file(options->ca_file, "file of authorities", err);
  if (status == CRM_OK)
    status = check_file(options->cert_file, "certificate", err);
  if (status == CRM_OK)
    status = check_file(options->key_file, "private key", err);
  if (status == CRM_OK)
    status = crm_encoder_new(&sink->effective, sink->host, sink->start_at, &sink->encoder, err);
  if (status != CRM_OK) {
    sink_free(sink);
    crm_error_prefix(err, "sink %s", options->name);
    return status;
  }
  *out = sink;
  return CRM_OK;
}

enum crm_status crm_sink_start(struct crm_sink *sink, struct crm_error *err) {
  struct crm_http *http = NULL;
  enum crm_status status = crm_http_new(sink->options, &sink->credentials, &http, err);
  if (status != CRM_OK) {
    crm_error_prefix(err, "sink %s", sink->options->name);
    return status;
  }
  pthread_mutex_lock(&sink->mutex);
  sink->http = http;
  pthread_mutex_unlock(&sink->mutex);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the host's business */
  int rc = pthread_create(&sink->thread, NULL, crm_sink_main, sink);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0)
    return crm_error_set(err, CRM_ERR_MEMORY, "sink %s: cannot start a thread", sink->options->name);
  pthread_setname_np(sink->thread, "crm-sink");
  sink->started = true;
  return CRM_OK;
}

static void request_stop(struct crm_sink *sink, int64_t deadline_us) {
  pthread_mutex_lock(&sink->mutex);
  sink->stopping = true;
  sink->stop_deadline_us = deadline_us;
  if (sink->http != NULL)
    crm_http_wake(sink->http);
  pthread_mutex_unlock(&sink->mutex);
}

void crm_sink_request_stop(struct crm_sink *sink) {
  request_stop(sink, crm_clock_monotonic_us() + CRM_US_PER_SECOND - STOP_MARGIN_US);
}

bool crm_sink_stop(struct crm_sink *sink, int64_t deadline_us) {
  if (sink == NULL)
    return true;
  request_stop(sink, deadline_us - STOP_MARGIN_US);
  struct timespec until = {.tv_sec = deadline_us / CRM_US_PER_SECOND, .tv_nsec = (deadline_us % CRM_US_PER_SECOND) * 1000};
  int rc = 0;
  pthread_mutex_lock(&sink->mutex);
  while (sink->started && !sink->ended && rc == 0)
    rc = pthread_cond_timedwait(&sink->ended_cond, &sink->mutex, &until);
  bool ended = !sink->started || sink->ended;
  pthread_mutex_unlock(&sink->mutex);
  if (!ended) {
    crm_log(&sink->log, CRM_LOG_WARNING, "its thread did not end in time and is left behind");
    pthread_mutex_lock(&sink->mutex);
    sink->abandoned = true;
    pthread_mutex_unlock(&sink->mutex);
    pthread_detach(sink->thread);
    return false;
  }
  if (sink->started)
    pthread_join(sink->thread, NULL);
  sink_free(sink);
  return true;
}

/* --- counting ----------------------------------------------------------------------------------------------------------------------------
 */

void crm_sink_count(struct crm_sink *sink, uint64_t *counter, uint64_t n) {
  pthread_mutex_lock(&sink->mutex);
  *counter += n;
  pthread_mutex_unlock(&sink->mutex);
}

void crm_sink_drop(struct crm_sink *sink, struct crm_channel *channel, enum crm_drop why, uint64_t n) {
  crm_sink_count(sink, &channel->counters.dropped[why], n);
}

/* --- channels and their queues
 * --------------------------------------------------------------------------------------------------------------- */

struct crm_channel *crm_sink_channel_locked(struct crm_sink *sink, const char *name) {
  for (size_t i = 0; i < sink->n_channels; i++)
    if (strcmp(sink->channels[i]->name, name) == 0)
      return sink->channels[i];
  if (crm_vec_reserve((void **)&sink->channels, &sink->cap_channels, sink->n_channels + 1, sizeof(struct crm_channel *)) != CRM_OK)
    return NULL;
  struct crm_channel *channel = calloc(1, sizeof(*channel));
  size_t room = sink->options->queue_ticks > 0 ? sink->options->queue_ticks : 1;
  if (channel != NULL) {
    channel->name = strdup(name);
    channel->queue = calloc(room, sizeof(struct crm_frame *));
  }
  if (channel == NULL || channel->name == NULL || channel->queue == NULL) {
    if (channel != NULL) {
      free(channel->name);
      free(channel->queue);
    }
    free(channel);
    return NULL;
  }
  channel->taken_at = CRM_TIME_NONE;
  channel->counters.succeeded_at = channel->counters.highest_sent = channel->counters.spool_oldest = CRM_TIME_NONE;
  sink->channels[sink->n_channels++] = channel;
  return channel;
}

size_t crm_sink_channel_count(struct crm_sink *sink) {
  pthread_mutex_lock(&sink->mutex);
  size_t n = sink->n_channels;
  pthread_mutex_unlock(&sink->mutex);
  return n;
}

struct crm_channel *crm_sink_channel_at(struct crm_sink *sink, size_t i) {
  pthread_mutex_lock(&sink->mutex);
  struct crm_channel *channel = sink->channels[i];
  pthread_mutex_unlock(&sink->mutex);
  return channel;
}

/* Ticks come a little early or late: a tenth of the interval does not count, or every second one would be left out. */
static bool due(const struct crm_sink *sink, const struct crm_channel *channel, crm_time at) {
  int64_t interval = sink->options->interval_us;
  return channel->taken_at == CRM_TIME_NONE || at - channel->taken_at >= interval - interval / 10;
}

static uint64_t count_samples(const struct crm_sink *sink, const struct crm_frame *frame) {
  return crm_selection_count(&sink->selection, frame->business) + crm_selection_count(&sink->selection, frame->own);
}

void crm_sink_offer(struct crm_sink *sink, struct crm_frame *frame) {
  struct crm_frame *dropped = NULL;
  enum crm_drop why = CRM_DROP_QUEUE_FULL;
  size_t room = sink->options->queue_ticks > 0 ? sink->options->queue_ticks : 1;
  pthread_mutex_lock(&sink->mutex);
  struct crm_channel *channel = crm_sink_channel_locked(sink, frame->instance);
  if (channel == NULL || sink->stopping ||
      (channel->taken_at != CRM_TIME_NONE && frame->at > channel->taken_at && !due(sink, channel, frame->at))) {
    if (channel != NULL)
      channel->offered = true;
    pthread_mutex_unlock(&sink->mutex);
    return;
  }
  channel->offered = true;
  if (channel->taken_at != CRM_TIME_NONE && frame->at <= channel->taken_at) {
    dropped = crm_frame_ref(frame);
    why = CRM_DROP_OUT_OF_ORDER;
  } else {
    if (channel->queued == room) {
      dropped = channel->queue[0];
      memmove(channel->queue, channel->queue + 1, (room - 1) * sizeof(struct crm_frame *));
      channel->queued--;
    }
    channel->queue[channel->queued++] = crm_frame_ref(frame);
    channel->taken_at = frame->at;
    if (sink->http != NULL)
      crm_http_wake(sink->http);
  }
  pthread_mutex_unlock(&sink->mutex);
  if (dropped != NULL) {
    crm_sink_drop(sink, channel, why, count_samples(sink, dropped));
    crm_frame_unref(dropped);
  }
}
