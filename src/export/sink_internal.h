/* SPDX-License-Identifier: MIT */
/* Internal to the sink: what its files share.
 *
 * sink.c       the outside: queue, start, stop
 * sink_run.c   the thread
 * sink_feed.c  frames to batches: stale markers, spool, state
 * sink_job.c   batches to requests, and what follows from the answers
 * sink_series.c  the sink's series about itself */
#ifndef CRM_EXPORT_SINK_INTERNAL_H
#define CRM_EXPORT_SINK_INTERNAL_H

#include <limits.h>
#include <pthread.h>

#include "export/backoff.h"
#include "export/batch.h"
#include "export/encode.h"
#include "export/http_post.h"
#include "export/picks.h"
#include "export/secret.h"
#include "export/series_file.h"
#include "export/sink.h"
#include "export/spool.h"

/* Why samples were given up. */
enum crm_drop {
  CRM_DROP_REJECTED,     /* the receiver refused the request for good */
  CRM_DROP_NOT_WRITTEN,  /* it took the request, but left these out */
  CRM_DROP_TOO_OLD,      /* they waited for longer than allowed */
  CRM_DROP_QUEUE_FULL,
  CRM_DROP_SPOOL_FULL,
  CRM_DROP_CORRUPT,      /* a file of the spool could not be read */
  CRM_DROP_POISON,       /* the receiver failed on this series alone */
  CRM_DROP_OUT_OF_ORDER, /* not later than what was sent before: the clock went back */
  CRM_DROP_NOT_SAYABLE,  /* the protocol has no way to say them, or they come from another version */
  CRM_DROP_SHUTDOWN,
  CRM_DROPS
};
const char *crm_drop_name(enum crm_drop drop);

struct crm_sink_counters {
  uint64_t samples, failed, retried, dropped[CRM_DROPS];
  bool tried;            /* a request has ended */
  long last_status;      /* of HTTP; 0: no answer */
  int64_t request_us;    /* of the last request */
  crm_time succeeded_at; /* CRM_TIME_NONE: never */
  crm_time highest_sent;
  size_t spool_bytes;
  crm_time spool_oldest; /* CRM_TIME_NONE: the spool is empty */
};

/* Series that are alive at the receiver: of the frame that was sent last. */
struct crm_live {
  struct crm_frame *frame;
  bool whole; /* all of it, not what the sink's selection lets through */
};

/* What a sink knows of one instance. */
struct crm_channel {
  char *name;
  /* Under the sink's mutex. */
  struct crm_frame **queue; /* room for options->queue_ticks, oldest first */
  size_t queued;
  crm_time taken_at; /* of the newest frame that was taken */
  bool offered;      /* by the host, in this process */
  struct crm_sink_counters counters;
  /* The thread's own. */
  struct crm_spool_dir dir;
  struct crm_live business, own;
  bool restored; /* `business` is what the process before this one left, and no business series have come yet */
  bool dirty;    /* the state on disk is not that of `business` and `own` */
  bool saved;
  int64_t saved_us;
};

/* A tick, or a batch of the spool, on its way. */
struct crm_job {
  struct crm_channel *channel; /* NULL: there is none */
  bool from_spool; /* then it is the oldest file of the channel */
  struct crm_series_file file;
  struct crm_frame *frames[3]; /* what the picks point into */
  struct crm_picks picks;
  struct crm_batch batch;  /* no range of it is left: then there is no job either */
};

struct crm_sink {
  const struct crm_sink_options *options;
  struct crm_log host_log, log;
  char url[256]; /* redacted */
  char host[HOST_NAME_MAX + 1];
  struct crm_selection selection;
  struct crm_credentials credentials;
  /* For tests; see sink_new for the values that hold. */
  int64_t hold_us, orphan_us, save_us, spool_retry_us;

  pthread_t thread;
  bool started;
  pthread_mutex_t mutex;
  pthread_cond_t ended_cond;
  bool ended, stopping, abandoned;
  int64_t stop_deadline_us;
  struct crm_channel **channels; /* only ever grows; the pointers stay */
  size_t n_channels, cap_channels;
  struct crm_http *http; /* set at start */

  /* The thread's own. */
  struct crm_sink_options effective; /* with the protocol that the receiver understands */
  struct crm_encoder *encoder;
  crm_time start_at;
  int64_t start_us;
  struct crm_spool spool;
  int64_t spool_due_us; /* when it is tried again after a fault */
  struct crm_strbuf buffer;
  struct crm_job job;
  bool in_flight;
  struct crm_backoff backoff;
  int64_t retry_us; /* monotonic; no request before */
  int64_t succeeded_us;
  unsigned failures_in_a_row; /* answers of 5xx since the last success */
  size_t body_limit;
  struct crm_complaint down, rejected, spool_fault, secret_fault, corrupt, memory, partial, full;
  int64_t rejected_us;
};

/* sink.c */
void crm_sink_count(struct crm_sink *sink, uint64_t *counter, uint64_t n);
void crm_sink_drop(struct crm_sink *sink, struct crm_channel *channel, enum crm_drop why, uint64_t n);
/* The channel of that name, made if need be; NULL when out of memory. With the mutex held. */
struct crm_channel *crm_sink_channel_locked(struct crm_sink *sink, const char *name);
/* The number of channels now; those below stay as they are. */
size_t crm_sink_channel_count(struct crm_sink *sink);
struct crm_channel *crm_sink_channel_at(struct crm_sink *sink, size_t i);

/* sink_feed.c */
void crm_sink_open_spool(struct crm_sink *sink, int64_t now_us);
/* Moves what is queued into the spool, if there is one that works. */
void crm_sink_feed(struct crm_sink *sink, int64_t now_us);
/* Picks of a frame, and the frame becomes what is alive at the receiver. The picks point into `frames`, of which the caller gets references. */
enum crm_status crm_sink_pick(struct crm_sink *sink, struct crm_channel *channel, struct crm_frame *frame, struct crm_picks *picks,
                              struct crm_frame *frames[3]) CRM_MUSTCHECK;
/* Stale markers among these picks have not reached the receiver: they are sent again with the next tick. */
void crm_sink_owe(struct crm_sink *sink, struct crm_channel *channel, const struct crm_pick *picks, size_t n);
/* Drops file number `i` of the channel's spool. */
void crm_sink_drop_file(struct crm_sink *sink, struct crm_channel *channel, size_t i, enum crm_drop why);
struct crm_frame *crm_sink_pop(struct crm_sink *sink, struct crm_channel *channel);
/* Writes the state of all channels that need it; `all`: without waiting for the time to do so. */
void crm_sink_save(struct crm_sink *sink, int64_t now_us, bool all);
/* Puts bytes and age of the channel's spool into its counters. */
void crm_sink_measure(struct crm_sink *sink, struct crm_channel *channel);
int64_t crm_sink_max_age(const struct crm_sink *sink);

/* sink_job.c */
/* Takes the oldest batch there is, if none is on its way. */
void crm_sink_next_job(struct crm_sink *sink);
/* Begins the request of the job's first range. */
void crm_sink_send(struct crm_sink *sink);
/* Deals with the answer. */
void crm_sink_answer(struct crm_sink *sink);
/* Frees the job; with `done` its file goes too. */
void crm_sink_end_job(struct crm_sink *sink, bool done);
/* Gives up the job's first range. */
void crm_sink_drop_range(struct crm_sink *sink, enum crm_drop why);

/* sink_run.c */
void *crm_sink_main(void *arg);

#endif
