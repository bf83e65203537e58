/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "export/sink_internal.h"

#define LONGEST_WAIT_US (3600 * CRM_US_PER_SECOND)

static bool is_stopping(struct crm_sink *sink, int64_t *deadline_us) {
  pthread_mutex_lock(&sink->mutex);
  bool stopping = sink->stopping;
  *deadline_us = sink->stop_deadline_us;
  pthread_mutex_unlock(&sink->mutex);
  return stopping;
}

/* An instance of which the process before this one left series, and which nobody offers any more: its series have ended. */
static void end_orphans(struct crm_sink *sink, int64_t now_us) {
  if (now_us - sink->start_us < sink->orphan_us)
    return;
  for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
    struct crm_channel *channel = crm_sink_channel_at(sink, i);
    pthread_mutex_lock(&sink->mutex);
    bool orphan = !channel->offered;
    channel->offered = true;
    pthread_mutex_unlock(&sink->mutex);
    if (!orphan || channel->business.frame == NULL)
      continue;
    channel->restored = false; /* there is no more to wait for */
    struct crm_series_set nothing;
    if (crm_set_init(&nothing) != CRM_OK)
      continue;
    struct crm_frame *frame = crm_frame_new(channel->name, crm_clock_realtime_us(), NULL, &nothing);
    crm_set_free(&nothing);
    if (frame != NULL)
      crm_sink_offer(sink, frame);
    crm_frame_unref(frame);
  }
}

/* When there is something to do without an answer or a wake-up. */
static int64_t next_due(struct crm_sink *sink, int64_t now_us) {
  int64_t until = now_us + LONGEST_WAIT_US;
  if (sink->job.channel != NULL && !sink->in_flight && sink->retry_us < until)
    until = sink->retry_us;
  if (sink->job.channel == NULL && sink->retry_us > now_us && sink->retry_us < until)
    until = sink->retry_us;
  if (sink->options->spool_dir != NULL && sink->spool_due_us > now_us && sink->spool_due_us < until)
    until = sink->spool_due_us;
  if (sink->start_us + sink->orphan_us > now_us && sink->start_us + sink->orphan_us < until)
    until = sink->start_us + sink->orphan_us;
  for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
    const struct crm_channel *channel = crm_sink_channel_at(sink, i);
    if (channel->dirty && channel->saved && channel->saved_us + sink->save_us < until)
      until = channel->saved_us + sink->save_us;
  }
  return until;
}

/* When it stops: one more try for what waits, unless the receiver is known to be away and the spool has it all. */
static bool may_end(const struct crm_sink *sink, int64_t now_us, int64_t deadline_us) {
  if (now_us >= deadline_us || sink->job.channel == NULL)
    return true;
  bool failing = sink->retry_us > now_us;
  return failing && !sink->in_flight;
}

static size_t count_left(struct crm_sink *sink) {
  size_t n = 0;
  pthread_mutex_lock(&sink->mutex);
  for (size_t i = 0; i < sink->n_channels; i++)
    n += sink->channels[i]->queued;
  pthread_mutex_unlock(&sink->mutex);
  return n;
}

/* What can be kept is in the spool already; the rest is told. */
static void wind_up(struct crm_sink *sink) {
  crm_http_cancel(sink->http);
  sink->in_flight = false;
  sink->spool_due_us = 0; /* the disk may have room again */
  crm_sink_feed(sink, crm_clock_monotonic_us());
  size_t lost = count_left(sink);
  if (sink->job.channel != NULL && !sink->job.from_spool)
    lost++;
  if (sink->job.channel != NULL && sink->job.from_spool)
    crm_sink_end_job(sink, false);
  while (sink->job.channel != NULL)
    crm_sink_drop_range(sink, CRM_DROP_SHUTDOWN);
  for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
    struct crm_channel *channel = crm_sink_channel_at(sink, i);
    for (struct crm_frame *frame; (frame = crm_sink_pop(sink, channel)) != NULL;) {
      crm_sink_drop(sink, channel, CRM_DROP_SHUTDOWN,
                    crm_selection_count(&sink->selection, frame->business) + crm_selection_count(&sink->selection, frame->own));
      crm_frame_unref(frame);
    }
  }
  if (lost > 0)
    crm_log(&sink->log, CRM_LOG_WARNING, "%zu ticks have not been delivered and are lost with the end of the process%s", lost,
            sink->options->spool_dir == NULL ? ": there is no spool" : "");
  crm_sink_save(sink, crm_clock_monotonic_us(), true);
}

void *crm_sink_main(void *arg) {
  struct crm_sink *sink = arg;
  int64_t deadline_us = 0;
  for (bool tried_again = false;;) {
    int64_t now = crm_clock_monotonic_us();
    bool stopping = is_stopping(sink, &deadline_us);
    crm_sink_open_spool(sink, now);
    crm_sink_feed(sink, now);
    if (!stopping) {
      end_orphans(sink, now);
      crm_sink_save(sink, now, false);
    }
    if (now >= sink->retry_us)
      crm_sink_next_job(sink);
    if (stopping && !tried_again && sink->options->spool_dir == NULL) {
      tried_again = true; /* the last chance counts more than the pause */
      sink->retry_us = 0;
      crm_sink_next_job(sink);
    }
    if (stopping && may_end(sink, now, deadline_us))
      break;
    if (!sink->in_flight && sink->job.channel != NULL && now >= sink->retry_us) {
      crm_sink_send(sink);
      if (sink->job.channel == NULL)
        continue; /* there was nothing to send in it */
    }
    int64_t until = next_due(sink, now);
    if (stopping && until > deadline_us)
      until = deadline_us;
    if (crm_http_run(sink->http, until) && sink->in_flight)
      crm_sink_answer(sink);
  }
  wind_up(sink);
  pthread_mutex_lock(&sink->mutex);
  sink->ended = true;
  pthread_cond_signal(&sink->ended_cond);
  pthread_mutex_unlock(&sink->mutex);
  return NULL;
}
