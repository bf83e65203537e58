/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "export/sink_internal.h"

/* --- what is alive at the receiver
 * -------------------------------------------------------------------------------------------------------- */

static const struct crm_selection *live_selection(const struct crm_sink *sink, const struct crm_live *live) {
  return live->whole ? NULL : &sink->selection;
}

static void set_live(struct crm_live *live, struct crm_frame *frame, bool whole) {
  crm_frame_unref(live->frame);
  live->frame = crm_frame_ref(frame);
  live->whole = whole;
}

static const struct crm_series_set *live_business(const struct crm_channel *channel) {
  return channel->business.frame == NULL ? NULL : channel->business.frame->business;
}

static const struct crm_series_set *live_own(const struct crm_channel *channel) {
  return channel->own.frame == NULL ? NULL : channel->own.frame->own;
}

/* All that is alive, and nothing else. */
static enum crm_status pick_live(const struct crm_sink *sink, const struct crm_channel *channel, struct crm_picks *picks) {
  enum crm_status status = crm_picks_add(picks, live_business(channel), live_selection(sink, &channel->business), NULL, NULL);
  return status == CRM_OK ? crm_picks_add(picks, live_own(channel), live_selection(sink, &channel->own), NULL, NULL) : status;
}

enum crm_status crm_sink_pick(struct crm_sink *sink, struct crm_channel *channel, struct crm_frame *frame, struct crm_picks *picks,
                              struct crm_frame *frames[3]) {
  /* After a start the CRM has not been read yet. What lived before is only held to have ended when that lasts. */
  bool hold = channel->restored && frame->business == NULL && crm_clock_monotonic_us() - sink->start_us < sink->hold_us;
  enum crm_status status = CRM_OK;
  if (!hold)
    status = crm_picks_add(picks, frame->business, &sink->selection, live_business(channel), live_selection(sink, &channel->business));
  if (status == CRM_OK)
    status = crm_picks_add(picks, frame->own, &sink->selection, live_own(channel), live_selection(sink, &channel->own));
  if (status == CRM_OK)
    status = crm_picks_by_account(picks->list, picks->n);
  if (status != CRM_OK) {
    crm_picks_free(picks);
    return status;
  }
  frames[0] = crm_frame_ref(frame);
  frames[1] = channel->business.frame == NULL ? NULL : crm_frame_ref(channel->business.frame);
  frames[2] = channel->own.frame == NULL ? NULL : crm_frame_ref(channel->own.frame);
  if (!hold) {
    set_live(&channel->business, frame, false);
    channel->restored = false;
  }
  set_live(&channel->own, frame, false);
  channel->dirty = channel->dirty || picks->changed;
  return CRM_OK;
}

void crm_sink_owe(struct crm_sink *sink, struct crm_channel *channel, const struct crm_pick *list, size_t n) {
  struct crm_picks picks = {0};
  size_t stale = 0;
  for (size_t i = 0; i < n; i++)
    stale += list[i].stale;
  if (stale == 0)
    return;
  /* One frame of what lives and what is owed: the next tick has neither of the latter, and so marks them again. */
  struct crm_frame *frame = NULL;
  if (pick_live(sink, channel, &picks) == CRM_OK) {
    struct crm_pick *both = malloc((picks.n + stale) * sizeof(*both));
    if (both != NULL) {
      size_t m = picks.n;
      if (m > 0)
        memcpy(both, picks.list, m * sizeof(*both));
      for (size_t i = 0; i < n; i++)
        if (list[i].stale)
          both[m++] = list[i];
      frame = crm_frame_of_picks(channel->name, CRM_TIME_NONE, both, m);
    }
    free(both);
  }
  crm_picks_free(&picks);
  if (frame == NULL)
    return; /* out of memory: the markers are lost, and these series end five minutes later by themselves */
  set_live(&channel->business, frame, true);
  set_live(&channel->own, frame, true);
  channel->dirty = true;
  crm_frame_unref(frame);
}

/* --- state on disk
 * --------------------------------------------------------------------------------------------------------------------------- */

static void complain_spool(struct crm_sink *sink, const struct crm_error *err) {
  crm_complain(&sink->spool_fault, crm_clock_monotonic_us(), &sink->log, CRM_LOG_ERROR,
               "the spool cannot be used: %s; ticks are kept in memory meanwhile, at most %zu of each instance", err->message,
               sink->options->queue_ticks);
}

static void save(struct crm_sink *sink, struct crm_channel *channel, int64_t now_us) {
  struct crm_picks picks = {0};
  struct crm_error err = {0};
  enum crm_status status = pick_live(sink, channel, &picks);
  if (status != CRM_OK)
    crm_error_set(&err, status, "out of memory");
  crm_strbuf_reset(&sink->buffer);
  if (status == CRM_OK && picks.n > 0)
    status = crm_series_file_write(crm_clock_realtime_us(), picks.list, picks.n, &sink->buffer, &err);
  crm_picks_free(&picks);
  if (status == CRM_OK)
    status = crm_spool_put_state(&channel->dir, &sink->buffer, &err);
  if (status != CRM_OK)
    complain_spool(sink, &err);
  channel->dirty = status != CRM_OK;
  channel->saved = true;
  channel->saved_us = now_us;
}

void crm_sink_save(struct crm_sink *sink, int64_t now_us, bool all) {
  for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
    struct crm_channel *channel = crm_sink_channel_at(sink, i);
    if (channel->dirty && crm_spool_dir_is_open(&channel->dir) && (all || !channel->saved || now_us - channel->saved_us >= sink->save_us))
      save(sink, channel, now_us);
  }
}

static void load_state(struct crm_sink *sink, struct crm_channel *channel) {
  struct crm_series_file file = {0};
  struct crm_error err = {0};
  if (channel->business.frame != NULL || channel->own.frame != NULL)
    return; /* ticks have been sent before the spool could be opened: they know better */
  enum crm_status status = crm_spool_get_state(&channel->dir, &sink->buffer, &err);
  if (status == CRM_OK && sink->buffer.len == 0)
    return;
  if (status == CRM_OK)
    status = crm_series_file_read(sink->buffer.data, sink->buffer.len, &file, &err);
  if (status == CRM_ERR_DATA)
    crm_spool_state_bad(&channel->dir);
  if (status != CRM_OK) {
    crm_log(&sink->log, CRM_LOG_WARNING, "which series of instance %s were alive is not known: %s/state: %s", channel->name,
            channel->dir.path, err.message);
    return;
  }
  struct crm_frame *frame = crm_frame_of_picks(channel->name, file.at, file.picks, file.n);
  crm_series_file_free(&file);
  if (frame == NULL)
    return;
  set_live(&channel->business, frame, true);
  set_live(&channel->own, frame, true);
  channel->restored = true;
  crm_frame_unref(frame);
}

/* --- spool
 * ----------------------------------------------------------------------------------------------------------------------------------------
 */

int64_t crm_sink_max_age(const struct crm_sink *sink) {
  return sink->options->spool_dir != NULL ? sink->options->spool_max_age_us : sink->options->max_age_us;
}

void crm_sink_measure(struct crm_sink *sink, struct crm_channel *channel) {
  const struct crm_spool_file *oldest = crm_spool_oldest(&channel->dir);
  pthread_mutex_lock(&sink->mutex);
  channel->counters.spool_bytes = channel->dir.bytes;
  channel->counters.spool_oldest = oldest == NULL ? CRM_TIME_NONE : oldest->at;
  pthread_mutex_unlock(&sink->mutex);
}

static bool open_dir(struct crm_sink *sink, struct crm_channel *channel) {
  struct crm_error err = {0};
  if (crm_spool_dir_is_open(&channel->dir))
    return true;
  if (!crm_spool_is_open(&sink->spool) || crm_clock_monotonic_us() < sink->spool_due_us)
    return false;
  if (crm_spool_dir_open(&channel->dir, &sink->spool, channel->name, &err) != CRM_OK) {
    complain_spool(sink, &err);
    sink->spool_due_us = crm_clock_monotonic_us() + sink->spool_retry_us;
    return false;
  }
  load_state(sink, channel);
  size_t n = crm_spool_count(&channel->dir);
  if (n > 0) {
    crm_log(&sink->log, CRM_LOG_INFO, "%zu batches of instance %s are left in the spool, %zu bytes", n, channel->name, channel->dir.bytes);
    /* What is sent later must not be older. */
    crm_time newest = channel->dir.files[channel->dir.n - 1].at;
    pthread_mutex_lock(&sink->mutex);
    if (channel->taken_at == CRM_TIME_NONE || channel->taken_at < newest)
      channel->taken_at = newest;
    pthread_mutex_unlock(&sink->mutex);
  }
  crm_sink_measure(sink, channel);
  return true;
}

static void found_instance(void *ctx, const char *instance) {
  struct crm_sink *sink = ctx;
  pthread_mutex_lock(&sink->mutex);
  struct crm_channel *channel = crm_sink_channel_locked(sink, instance);
  pthread_mutex_unlock(&sink->mutex);
  if (channel != NULL)
    (void)open_dir(sink, channel);
}

void crm_sink_open_spool(struct crm_sink *sink, int64_t now_us) {
  struct crm_error err = {0};
  if (sink->options->spool_dir == NULL || crm_spool_is_open(&sink->spool) || now_us < sink->spool_due_us)
    return;
  if (crm_spool_open(&sink->spool, sink->options->spool_dir, sink->options->name, &err) != CRM_OK) {
    complain_spool(sink, &err);
    sink->spool_due_us = now_us + sink->spool_retry_us;
    return;
  }
  crm_spool_instances(&sink->spool, found_instance, sink);
}

void crm_sink_drop_file(struct crm_sink *sink, struct crm_channel *channel, size_t i, enum crm_drop why) {
  const struct crm_spool_file *file = &channel->dir.files[channel->dir.first + i];
  struct crm_series_file series = {0};
  crm_sink_drop(sink, channel, why, file->n);
  if (why != CRM_DROP_CORRUPT && crm_spool_read(&channel->dir, file, &sink->buffer, NULL) == CRM_OK && sink->buffer.len > 0 &&
      crm_series_file_read(sink->buffer.data, sink->buffer.len, &series, NULL) == CRM_OK) {
    crm_sink_owe(sink, channel, series.picks, series.n);
    crm_series_file_free(&series);
  }
  crm_spool_remove(&channel->dir, i, why == CRM_DROP_CORRUPT);
  crm_sink_measure(sink, channel);
}

/* Drops the oldest batches of all channels until the rest is within the limit; the one on its way stays. */
static void bound_bytes(struct crm_sink *sink) {
  for (;;) {
    struct crm_channel *of = NULL;
    size_t bytes = 0, which = 0;
    for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
      struct crm_channel *channel = crm_sink_channel_at(sink, i);
      size_t first = sink->job.channel == channel && sink->job.from_spool ? 1 : 0;
      bytes += channel->dir.bytes;
      if (crm_spool_count(&channel->dir) > first &&
          (of == NULL || channel->dir.files[channel->dir.first + first].at < of->dir.files[of->dir.first + which].at)) {
        of = channel;
        which = first;
      }
    }
    if (bytes <= sink->options->spool_max_bytes || of == NULL)
      return;
    crm_complain(&sink->full, crm_clock_monotonic_us(), &sink->log, CRM_LOG_WARNING,
                 "the spool has reached its limit of %zu bytes; the oldest ticks are dropped", sink->options->spool_max_bytes);
    crm_sink_drop_file(sink, of, which, CRM_DROP_SPOOL_FULL);
  }
}

static enum crm_status write_batches(struct crm_sink *sink, struct crm_channel *channel, const struct crm_frame *frame,
                                     const struct crm_picks *picks, struct crm_error *err) {
  size_t size = sink->options->max_batch_series;
  enum crm_status status = CRM_OK;
  uint32_t part = 0;
  for (size_t begin = 0; status == CRM_OK && begin < picks->n; begin += size, part++) {
    size_t n = picks->n - begin < size ? picks->n - begin : size;
    status = crm_series_file_write(frame->at, picks->list + begin, n, &sink->buffer, err);
    if (status == CRM_OK)
      status = crm_spool_put(&channel->dir, frame->at, part, (uint32_t)n, &sink->buffer, err);
  }
  if (status != CRM_OK) /* a tick is there whole, or it is tried again as a whole */
    for (; part > 1; part--)
      crm_spool_take_back(&channel->dir);
  return status;
}

/* True if the frame is in the spool now. */
static bool spool_frame(struct crm_sink *sink, struct crm_channel *channel, struct crm_frame *frame, int64_t now_us) {
  struct crm_picks picks = {0};
  struct crm_frame *frames[3] = {NULL, NULL, NULL};
  struct crm_error err = {0};
  struct crm_live business = channel->business, own = channel->own;
  bool restored = channel->restored;
  if (business.frame != NULL)
    crm_frame_ref(business.frame);
  if (own.frame != NULL)
    crm_frame_ref(own.frame);
  enum crm_status status = crm_sink_pick(sink, channel, frame, &picks, frames);
  if (status == CRM_OK)
    status = write_batches(sink, channel, frame, &picks, &err);
  else
    crm_error_set(&err, status, "out of memory");
  if (status == CRM_OK) {
    crm_frame_unref(business.frame);
    crm_frame_unref(own.frame);
  } else { /* as if nothing had been */
    crm_frame_unref(channel->business.frame);
    crm_frame_unref(channel->own.frame);
    channel->business = business;
    channel->own = own;
    channel->restored = restored;
    complain_spool(sink, &err);
    sink->spool_due_us = now_us + sink->spool_retry_us;
  }
  crm_picks_free(&picks);
  for (int i = 0; i < 3; i++)
    crm_frame_unref(frames[i]);
  return status == CRM_OK;
}

struct crm_frame *crm_sink_pop(struct crm_sink *sink, struct crm_channel *channel) {
  struct crm_frame *frame = NULL;
  pthread_mutex_lock(&sink->mutex);
  if (channel->queued > 0) {
    frame = channel->queue[0];
    memmove(channel->queue, channel->queue + 1, --channel->queued * sizeof(struct crm_frame *));
  }
  pthread_mutex_unlock(&sink->mutex);
  return frame;
}

/* Puts it back as the oldest one; without room it is the oldest and goes. */
static void push_back(struct crm_sink *sink, struct crm_channel *channel, struct crm_frame *frame) {
  size_t room = sink->options->queue_ticks > 0 ? sink->options->queue_ticks : 1;
  pthread_mutex_lock(&sink->mutex);
  bool fits = channel->queued < room;
  if (fits) {
    memmove(channel->queue + 1, channel->queue, channel->queued++ * sizeof(struct crm_frame *));
    channel->queue[0] = frame;
  }
  pthread_mutex_unlock(&sink->mutex);
  if (fits)
    return;
  crm_sink_drop(sink, channel, CRM_DROP_QUEUE_FULL,
                crm_selection_count(&sink->selection, frame->business) + crm_selection_count(&sink->selection, frame->own));
  crm_frame_unref(frame);
}

void crm_sink_feed(struct crm_sink *sink, int64_t now_us) {
  if (!crm_spool_is_open(&sink->spool) || now_us < sink->spool_due_us)
    return;
  for (size_t i = 0; i < crm_sink_channel_count(sink); i++) {
    struct crm_channel *channel = crm_sink_channel_at(sink, i);
    if (!open_dir(sink, channel))
      return;
    for (struct crm_frame *frame; (frame = crm_sink_pop(sink, channel)) != NULL;) {
      if (!spool_frame(sink, channel, frame, now_us)) {
        push_back(sink, channel, frame);
        return;
      }
      crm_frame_unref(frame);
      crm_complaint_clear(&sink->spool_fault, &sink->log, "the spool can be used again");
      bound_bytes(sink);
      crm_sink_measure(sink, channel);
    }
  }
}
