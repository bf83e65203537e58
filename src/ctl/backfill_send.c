/* SPDX-License-Identifier: MIT */
/* crmctl backfill: requests to the receiver, and what follows from its answers. One after the other, and none is given up while the
 * receiver may still take it: what a sink of the daemon drops to stay with the present is here an error that ends the run, to go on with
 * once its cause is removed. */
#include "crm_config.h"

#include "ctl/backfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define PATIENCE_US (600 * CRM_US_PER_SECOND) /* without one request taken */
#define SLICE_US (CRM_US_PER_SECOND / 5)      /* how often it is looked whether to stop, should the signal not have woken us */
#define SMALLEST_LIMIT 16384                  /* bytes of a body, however small a receiver wants them */

/* What receivers say of samples that come too late for them: Prometheus (with status 400, but 500 for the last one before version 2.50),
 * Mimir, Thanos. */
static bool is_too_late(const struct crm_http_result *result) {
  static const char *const signs[] = {"out of order", "out-of-order", "out of bounds", "duplicate sample", "too old", "too-old"};
  for (size_t i = 0; result->answer.status >= 400 && i < sizeof(signs) / sizeof(*signs); i++)
    if (memmem(result->body, result->body_len, signs[i], strlen(signs[i])) != NULL)
      return true;
  return false;
}

static const char *what_to_do(const struct crm_backfill_push *push, const struct crm_http_result *result) {
  if (is_too_late(result))
    return "it has newer samples already, or keeps none that old; a Prometheus takes the past while it is empty, or with "
           "storage.tsdb.out_of_order_time_window longer than the time since --from, or as files: --format openmetrics";
  switch (result->answer.status) {
  case 401:
  case 403:
    return "it wants other credentials";
  case 404:
  case 405:
    return "is the path right? A Prometheus takes it at /api/v1/write when started with --web.enable-remote-write-receiver";
  default:
    return push->options.protocol == CRM_OTLP ? "is it a receiver of OTLP?" : "is it a receiver of remote write?";
  }
}

static enum crm_status refused(const struct crm_backfill_push *push, struct crm_error *err) {
  char what[400], when[32];
  crm_http_describe(push->http, what, sizeof(what));
  crm_time_format(push->batch.at, when);
  return crm_error_set(err, CRM_ERR_CONNECT, "%s refuses the series of %s: %s: %s", push->url, when, what,
                       what_to_do(push, crm_http_result(push->http)));
}

static void accepted(struct crm_backfill_push *push) {
  char message[256];
  uint64_t sent = push->batch.body.n_series;
  uint64_t missing = crm_http_missing(push->http, push->options.protocol, sent, message, sizeof(message));
  if (missing > 0)
    crm_complain(&push->partial, crm_clock_monotonic_us(), &push->ctl->log, CRM_LOG_WARNING,
                 "%s took a request without %" PRIu64 " of %" PRIu64 " values%s%s", push->url, missing, sent,
                 message[0] == '\0' ? "" : ": ", message);
  push->requests++;
  push->samples += sent - missing;
  push->not_taken += missing;
  push->not_sayable += push->batch.body.n_dropped;
  push->failing_us = 0;
  crm_backoff_reset(&push->backoff);
  crm_complaint_clear(&push->down, &push->ctl->log, "%s takes requests again", push->url);
  (void)crm_batch_end_first(&push->batch);
}

/* Waits before the same request is sent again. */
static enum crm_status wait_for_better(struct crm_backfill_push *push, struct crm_error *err) {
  const struct crm_http_result *result = crm_http_result(push->http);
  char what[400], when[32], text[768];
  int64_t now = crm_clock_monotonic_us();
  crm_http_describe(push->http, what, sizeof(what));
  crm_time_format(push->batch.at, when);
  if (push->failing_us == 0)
    push->failing_us = now;
  if (now - push->failing_us > PATIENCE_US)
    return crm_error_set(err, CRM_ERR_CONNECT, "%s has not taken the series of %s for %d minutes: %s; the same command goes on there",
                         push->url, when, (int)(PATIENCE_US / CRM_US_PER_SECOND / 60), what);
  crm_complain(&push->down, now, &push->ctl->log, CRM_LOG_WARNING,
               "%s does not take the series of %s: %s; trying again with growing pauses", push->url, when, what);
  int64_t pause = crm_backoff_next(&push->backoff, result->answer.retry_after_us);
  snprintf(text, sizeof(text), "%s: %s; again in %.0f s", push->url, what, (double)pause / 1e6);
  crm_ctl_progress(push->ctl, text);
  return crm_stop_wait(push->ctl->stop, now + pause) ? crm_error_set(err, CRM_ERR_STOPPED, "stopped") : CRM_OK;
}

/* Halves what is too large; nothing of it has been stored. */
static enum crm_status send_less(struct crm_backfill_push *push, struct crm_error *err) {
  size_t half = push->batch.body.len / 2;
  if (half < push->body_limit && push->body_limit > SMALLEST_LIMIT)
    push->body_limit = half > SMALLEST_LIMIT ? half : SMALLEST_LIMIT;
  enum crm_status status = crm_batch_halve(&push->batch, false);
  return status == CRM_OK ? CRM_OK : crm_error_set(err, status, "out of memory");
}

static enum crm_status denied(struct crm_backfill_push *push, struct crm_error *err) {
  struct crm_range *range = crm_batch_first(&push->batch);
  if (range->reread_secrets || !crm_credentials_from_files(&push->credentials))
    return refused(push, err);
  range->reread_secrets = true;
  return crm_credentials_refresh(&push->credentials, true, err);
}

static enum crm_status speak_version_1(struct crm_backfill_push *push, struct crm_error *err) {
  push->options.protocol = CRM_REMOTE_WRITE_1;
  crm_encoder_free(push->encoder);
  push->encoder = NULL;
  crm_log(&push->ctl->log, CRM_LOG_NOTICE, "%s does not understand remote write 2.0; it gets 1.0", push->url);
  return crm_encoder_new(&push->options, push->host, push->start, &push->encoder, err);
}

static enum crm_status answered(struct crm_backfill_push *push, struct crm_error *err) {
  const struct crm_http_result *result = crm_http_result(push->http);
  const struct crm_range *range = crm_batch_first(&push->batch);
  switch (crm_answer_verdict(push->options.protocol, &result->answer)) {
  case CRM_ANSWER_OK:
    accepted(push);
    return CRM_OK;
  case CRM_ANSWER_RETRY:
    return is_too_late(result) ? refused(push, err) : wait_for_better(push, err);
  case CRM_ANSWER_DENIED:
    return denied(push, err);
  case CRM_ANSWER_NOT_UNDERSTOOD:
    return speak_version_1(push, err);
  case CRM_ANSWER_REJECTED:
    break;
  }
  return result->answer.status == 413 && range->end - range->begin > 1 ? send_less(push, err) : refused(push, err);
}

static enum crm_status request(struct crm_backfill_push *push, struct crm_error *err) {
  const struct crm_batch *batch = &push->batch;
  enum crm_status status = crm_credentials_refresh(&push->credentials, false, err);
  if (status == CRM_OK)
    status = crm_http_begin(push->http, crm_protocol_headers(push->options.protocol), batch->body.data, batch->body.len, err);
  while (status == CRM_OK && !crm_http_run(push->http, crm_clock_monotonic_us() + SLICE_US))
    if (crm_stop_requested(push->ctl->stop)) {
      crm_http_cancel(push->http);
      status = crm_error_set(err, CRM_ERR_STOPPED, "stopped");
    }
  return status == CRM_OK ? answered(push, err) : status;
}

enum crm_status crm_backfill_send(struct crm_backfill_push *push,
                                  enum crm_status (*sent)(struct crm_backfill_push *push, struct crm_error *err), struct crm_error *err) {
  struct crm_batch *batch = &push->batch;
  enum crm_status status = CRM_OK;
  while (status == CRM_OK && batch->first < batch->n) {
    if (crm_stop_requested(push->ctl->stop))
      return crm_error_set(err, CRM_ERR_STOPPED, "stopped");
    status = crm_batch_encode(batch, push->encoder, push->body_limit, err);
    if (status == CRM_OK)
      status = sent(push, err);
    if (status == CRM_OK && batch->body.n_series == 0) {
      push->not_sayable += batch->body.n_dropped;
      (void)crm_batch_end_first(batch);
    } else if (status == CRM_OK) {
      status = request(push, err);
    }
  }
  return status == CRM_OK ? sent(push, err) : status;
}
