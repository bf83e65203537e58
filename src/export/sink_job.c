/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "export/sink_internal.h"

#define FAILURES_BEFORE_HALVING 5          /* answers of 5xx to one batch; and as many in a row say that the receiver fails on everything */
#define SMALLEST_LIMIT 16384               /* bytes of a body, however small a receiver wants them */
#define QUIET_US (600 * CRM_US_PER_SECOND) /* without a further refusal the complaint is over */

/* --- jobs
 * ----------------------------------------------------------------------------------------------------------------------------------------
 */

void crm_sink_end_job(struct crm_sink *sink, bool done) {
  struct crm_job *job = &sink->job;
  if (job->channel != NULL && job->from_spool && done) {
    crm_spool_remove(&job->channel->dir, 0, false);
    crm_sink_measure(sink, job->channel);
  }
  crm_series_file_free(&job->file);
  crm_picks_free(&job->picks);
  for (int i = 0; i < 3; i++)
    crm_frame_unref(job->frames[i]);
  crm_batch_free(&job->batch);
  *job = (struct crm_job){0};
}

/* Out of memory, most likely: later. */
static void put_off(struct crm_sink *sink, const char *why) {
  int64_t now = crm_clock_monotonic_us();
  crm_complain(&sink->memory, now, &sink->log, CRM_LOG_ERROR, "nothing can be sent: %s", why);
  sink->retry_us = now + crm_backoff_next(&sink->backoff, -1);
}

static bool load_file(struct crm_sink *sink, struct crm_channel *channel) {
  struct crm_job *job = &sink->job;
  const struct crm_spool_file *oldest = crm_spool_oldest(&channel->dir);
  struct crm_error err = {0};
  enum crm_status status = crm_spool_read(&channel->dir, oldest, &sink->buffer, &err);
  if (status == CRM_OK)
    status = sink->buffer.len == 0 ? crm_error_set(&err, CRM_ERR_DATA, "it is empty")
                                   : crm_series_file_read(sink->buffer.data, sink->buffer.len, &job->file, &err);
  if (status == CRM_OK && job->file.at != oldest->at) {
    crm_series_file_free(&job->file);
    status = crm_error_set(&err, CRM_ERR_DATA, "it is of another instant than its name says");
  }
  if (status == CRM_ERR_MEMORY) {
    put_off(sink, err.message);
    return false;
  }
  if (status != CRM_OK) {
    crm_complain(&sink->corrupt, crm_clock_monotonic_us(), &sink->log, CRM_LOG_WARNING,
                 "a batch of instance %s is set aside in %s as .bad: %s", channel->name, channel->dir.path, err.message);
    crm_sink_drop_file(sink, channel, 0, CRM_DROP_CORRUPT);
    return false;
  }
  job->channel = channel;
  job->batch.at = job->file.at;
  job->from_spool = true;
  if (job->file.n_unknown > 0)
    crm_sink_drop(sink, channel, CRM_DROP_NOT_SAYABLE, job->file.n_unknown);
  if (crm_batch_cut(&job->batch, job->file.picks, 0, job->file.n, sink->options->max_batch_series) != CRM_OK) {
    put_off(sink, "out of memory");
    crm_sink_end_job(sink, false);
    return false;
  }
  return true;
}

static bool load_frame(struct crm_sink *sink, struct crm_channel *channel) {
  struct crm_job *job = &sink->job;
  struct crm_frame *frame = crm_sink_pop(sink, channel);
  if (frame == NULL)
    return false;
  enum crm_status status = crm_sink_pick(sink, channel, frame, &job->picks, job->frames);
  job->channel = channel;
  job->batch.at = frame->at;
  if (status == CRM_OK)
    status = crm_batch_cut(&job->batch, job->picks.list, 0, job->picks.n, sink->options->max_batch_series);
  if (status != CRM_OK) {
    put_off(sink, "out of memory");
    crm_sink_drop(sink, channel, CRM_DROP_QUEUE_FULL, job->picks.n);
    crm_sink_owe(sink, channel, job->picks.list, job->picks.n);
    crm_sink_end_job(sink, false);
  }
  crm_frame_unref(frame);
  return status == CRM_OK;
}

/* The instant of the oldest thing that the channel has to send; CRM_TIME_NONE: nothing. */
static crm_time oldest_of(struct crm_sink *sink, const struct crm_channel *channel, bool *in_spool) {
  const struct crm_spool_file *file = crm_spool_oldest(&channel->dir);
  *in_spool = file != NULL;
  if (file != NULL)
    return file->at;
  pthread_mutex_lock(&sink->mutex);
  crm_time at = channel->queued > 0 ? channel->queue[0]->at : CRM_TIME_NONE;
  pthread_mutex_unlock(&sink->mutex);
  return at;
}

void crm_sink_next_job(struct crm_sink *sink) {
  while (sink->job.channel == NULL) {
    struct crm_channel *of = NULL;
    crm_time oldest = CRM_TIME_NONE;
    bool from_spool = false;
    for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
      struct crm_channel *channel = crm_sink_channel_at(sink, i);
      bool in_spool = false;
      crm_time at = oldest_of(sink, channel, &in_spool);
      if (at != CRM_TIME_NONE && (of == NULL || at < oldest)) {
        of = channel;
        oldest = at;
        from_spool = in_spool;
      }
    }
    if (of == NULL)
      return;
    if (from_spool && crm_clock_realtime_us() - oldest > crm_sink_max_age(sink)) {
      crm_sink_drop_file(sink, of, 0, CRM_DROP_TOO_OLD);
      continue;
    }
    bool loaded = from_spool ? load_file(sink, of) : load_frame(sink, of);
    if (!loaded && crm_clock_monotonic_us() < sink->retry_us)
      return; /* put off */
    if (loaded && sink->job.batch.n == 0)
      crm_sink_end_job(sink, true); /* an empty tick */
  }
}

static void end_range(struct crm_sink *sink) {
  if (crm_batch_end_first(&sink->job.batch))
    crm_sink_end_job(sink, true);
}

void crm_sink_drop_range(struct crm_sink *sink, enum crm_drop why) {
  struct crm_job *job = &sink->job;
  struct crm_range *range = crm_batch_first(&job->batch);
  crm_sink_drop(sink, job->channel, why, range->end - range->begin);
  crm_sink_owe(sink, job->channel, job->batch.list + range->begin, range->end - range->begin);
  end_range(sink);
}

/* --- requests
 * ------------------------------------------------------------------------------------------------------------------------------------ */

void crm_sink_send(struct crm_sink *sink) {
  struct crm_job *job = &sink->job;
  struct crm_error err = {0};
  if (crm_clock_realtime_us() - job->batch.at > crm_sink_max_age(sink)) {
    while (sink->job.channel != NULL)
      crm_sink_drop_range(sink, CRM_DROP_TOO_OLD);
    return;
  }
  if (crm_batch_encode(&job->batch, sink->encoder, sink->body_limit, &err) != CRM_OK) {
    put_off(sink, err.message);
    return;
  }
  struct crm_range *range = crm_batch_first(&job->batch);
  if (job->batch.body.n_series == 0) {
    if (range->tries == 0)
      crm_sink_drop(sink, job->channel, CRM_DROP_NOT_SAYABLE, job->batch.body.n_dropped);
    end_range(sink);
    return;
  }
  if (crm_credentials_refresh(&sink->credentials, false, &err) != CRM_OK)
    crm_complain(&sink->secret_fault, crm_clock_monotonic_us(), &sink->log, CRM_LOG_ERROR, "%s; what was read before stays in force",
                 err.message);
  else
    crm_complaint_clear(&sink->secret_fault, &sink->log, "the secrets can be read again");
  if (crm_http_begin(sink->http, crm_protocol_headers(sink->effective.protocol), job->batch.body.data, job->batch.body.len, &err) !=
      CRM_OK) {
    put_off(sink, err.message);
    return;
  }
  if (range->tries++ > 0)
    crm_sink_count(sink, &job->channel->counters.retried, 1);
  sink->in_flight = true;
}

/* --- answers
 * ---------------------------------------------------------------------------------------------------------------------------------------
 */

static void accepted(struct crm_sink *sink) {
  struct crm_job *job = &sink->job;
  struct crm_channel *channel = job->channel;
  int64_t now = crm_clock_monotonic_us();
  char message[512];
  uint64_t sent = job->batch.body.n_series;
  uint64_t missing = crm_http_missing(sink->http, sink->effective.protocol, sent, message, sizeof(message));
  if (missing > 0)
    crm_complain(&sink->partial, now, &sink->log, CRM_LOG_WARNING, "%s took a request without %" PRIu64 " of %" PRIu64 " series%s%s",
                 sink->url, missing, sent, message[0] == '\0' ? "" : ": ", message);
  else if (message[0] != '\0')
    crm_complain(&sink->partial, now, &sink->log, CRM_LOG_NOTICE, "%s took a request and says: %s", sink->url, message);
  pthread_mutex_lock(&sink->mutex);
  struct crm_sink_counters *c = &channel->counters;
  c->samples += sent - missing;
  c->dropped[CRM_DROP_NOT_WRITTEN] += missing;
  c->dropped[CRM_DROP_NOT_SAYABLE] += job->batch.body.n_dropped;
  c->succeeded_at = crm_clock_realtime_us();
  if (c->highest_sent == CRM_TIME_NONE || c->highest_sent < job->batch.at)
    c->highest_sent = job->batch.at;
  pthread_mutex_unlock(&sink->mutex);
  sink->succeeded_us = now;
  sink->failures_in_a_row = 0;
  sink->retry_us = 0;
  crm_backoff_reset(&sink->backoff);
  crm_complaint_clear(&sink->down, &sink->log, "%s takes requests again", sink->url);
  crm_complaint_clear(&sink->memory, &sink->log, "requests can be sent again");
  if (now - sink->rejected_us > QUIET_US)
    crm_complaint_clear(&sink->rejected, &sink->log, "%s has refused nothing for %d minutes", sink->url, (int)(QUIET_US / 60000000));
  end_range(sink);
}

static void refused(struct crm_sink *sink, const struct crm_http_result *result, enum crm_drop why) {
  char what[768];
  size_t len = sink->job.batch.body.len;
  const struct crm_range *range = crm_batch_first(&sink->job.batch);
  crm_http_describe(sink->http, what, sizeof(what));
  sink->rejected_us = crm_clock_monotonic_us();
  crm_complain(&sink->rejected, sink->rejected_us, &sink->log, CRM_LOG_ERROR,
               "%s refused %zu series of instance %s for good, they are dropped: %s", sink->url, range->end - range->begin,
               sink->job.channel->name, what);
  if (result->answer.status == 413 && len / 2 < sink->body_limit && sink->body_limit > SMALLEST_LIMIT) {
    sink->body_limit = len / 2 > SMALLEST_LIMIT ? len / 2 : SMALLEST_LIMIT;
    crm_log(&sink->log, CRM_LOG_NOTICE, "%zu bytes were too many for %s; requests have at most %zu from now on", len, sink->url,
            sink->body_limit);
  }
  crm_sink_drop_range(sink, why);
}

/* One bad series can make a receiver fail on the batch that it is in, for ever. While others pass, the batch is halved until the series
 * stands alone, and that one goes. A single answer of success between failures is what tells this from a receiver that is in trouble. */
static void failed_inside(struct crm_sink *sink, const struct crm_http_result *result) {
  struct crm_job *job = &sink->job;
  struct crm_range *range = crm_batch_first(&job->batch);
  range->failures++;
  sink->failures_in_a_row++;
  if (range->first_failure_us == 0)
    range->first_failure_us = crm_clock_monotonic_us();
  bool others_pass = sink->succeeded_us > range->first_failure_us && sink->failures_in_a_row < FAILURES_BEFORE_HALVING;
  if (others_pass)
    crm_backoff_reset(&sink->backoff);
  bool single = range->end - range->begin == 1;
  if (single && range->half && others_pass && range->failures >= 2) {
    refused(sink, result, CRM_DROP_POISON);
    return;
  }
  if (!single && (range->half ? others_pass : range->failures >= FAILURES_BEFORE_HALVING) && crm_batch_halve(&job->batch, true) == CRM_OK)
    return;
  crm_batch_rotate(&job->batch);
}

static void failed(struct crm_sink *sink, const struct crm_http_result *result) {
  char what[768];
  int64_t now = crm_clock_monotonic_us();
  crm_http_describe(sink->http, what, sizeof(what));
  crm_complain(&sink->down, now, &sink->log, CRM_LOG_WARNING, "%s does not take requests: %s; trying again with growing pauses", sink->url,
               what);
  if (result->answer.status >= 500)
    failed_inside(sink, result);
  sink->retry_us = now + crm_backoff_next(&sink->backoff, result->answer.retry_after_us);
}

static void speak_version_1(struct crm_sink *sink, const struct crm_http_result *result) {
  struct crm_encoder *encoder = NULL;
  struct crm_error err = {0};
  char what[768];
  sink->effective.protocol = CRM_REMOTE_WRITE_1;
  if (crm_encoder_new(&sink->effective, sink->host, sink->start_at, &encoder, &err) != CRM_OK) {
    sink->effective.protocol = CRM_REMOTE_WRITE_2;
    put_off(sink, err.message);
    return;
  }
  crm_encoder_free(sink->encoder);
  sink->encoder = encoder;
  crm_http_describe(sink->http, what, sizeof(what));
  crm_log(&sink->log, CRM_LOG_NOTICE, "%s does not understand remote write 2.0 (%s%s); it gets 1.0 from now on", sink->url, what,
          result->answer.status == 415 ? "" : ", without a count of what was written");
}

static void denied(struct crm_sink *sink, const struct crm_http_result *result) {
  struct crm_range *range = crm_batch_first(&sink->job.batch);
  struct crm_error err = {0};
  if (range->reread_secrets || !crm_credentials_from_files(&sink->credentials)) {
    refused(sink, result, CRM_DROP_REJECTED);
    return;
  }
  range->reread_secrets = true;
  if (crm_credentials_refresh(&sink->credentials, true, &err) != CRM_OK)
    crm_complain(&sink->secret_fault, crm_clock_monotonic_us(), &sink->log, CRM_LOG_ERROR, "%s; what was read before stays in force",
                 err.message);
}

void crm_sink_answer(struct crm_sink *sink) {
  const struct crm_http_result *result = crm_http_result(sink->http);
  enum crm_verdict verdict = crm_answer_verdict(sink->effective.protocol, &result->answer);
  sink->in_flight = false;
  pthread_mutex_lock(&sink->mutex);
  struct crm_sink_counters *c = &sink->job.channel->counters;
  c->tried = true;
  c->last_status = result->answer.status;
  c->request_us = result->duration_us;
  c->failed += verdict != CRM_ANSWER_OK;
  pthread_mutex_unlock(&sink->mutex);
  switch (verdict) {
  case CRM_ANSWER_OK:
    accepted(sink);
    break;
  case CRM_ANSWER_RETRY:
    failed(sink, result);
    break;
  case CRM_ANSWER_REJECTED:
    refused(sink, result, CRM_DROP_REJECTED);
    break;
  case CRM_ANSWER_DENIED:
    denied(sink, result);
    break;
  case CRM_ANSWER_NOT_UNDERSTOOD:
    speak_version_1(sink, result);
    break;
  }
}
