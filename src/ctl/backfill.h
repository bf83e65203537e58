/* SPDX-License-Identifier: MIT */
/* The parts of crmctl backfill: which instants, the files, and the receiver of what is pushed. */
#ifndef CRM_CTL_BACKFILL_H
#define CRM_CTL_BACKFILL_H

#include <stdint.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "export/backoff.h"
#include "export/batch.h"
#include "export/http_post.h"
#include "export/picks.h"
#include "export/series_file.h"

/* The instants: whole days apart at the same local time, or a fixed time apart. */
struct crm_backfill_plan {
  const struct crm_zone *zone;
  crm_time from, to;
  int days;        /* > 0: so many civil days apart */
  int64_t step_us; /* else: this long */
  size_t n;        /* how many instants there are; at least one */
  char step[16];   /* as it was given */
};
/* `from` is required; `to` NULL is `now`, `step` NULL is "1d". CRM_ERR_CONFIG says what is wrong and what is allowed. */
enum crm_status crm_backfill_plan_make(const struct crm_zone *zone, const char *from, const char *to, const char *step, crm_time now,
                                       struct crm_backfill_plan *plan, struct crm_error *err) CRM_MUSTCHECK;
/* Instant i of plan->n, in ascending order. */
crm_time crm_backfill_instant(const struct crm_backfill_plan *plan, size_t i);

enum crm_backfill_format { CRM_BACKFILL_OPENMETRICS, CRM_BACKFILL_VICTORIAMETRICS, CRM_BACKFILL_GRAPHITE, CRM_BACKFILL_REMOTE_WRITE };
/* The format that --format names; CRM_BACKFILL_OPENMETRICS for NULL. */
enum crm_backfill_format crm_backfill_format_of(const char *word);

/* The files of one run, or of a push its directory alone. Each holds the instants of one span of CRM_BACKFILL_SPAN_US and gets its name when it is whole, so that what is there
 * need not be done again. Memory is bounded: what is open are files. */
struct crm_backfill_files {
  const char *directory;
  const struct crm_backfill_plan *plan;
  FILE *state; /* what run this is; locked */
  enum crm_backfill_format format;
  const struct crm_name_value *labels;
  size_t n_labels;
  const char *receiver; /* of a push: its URL without secrets */
  size_t max_breakdowns;
  char path[512]; /* of Graphite */
  size_t n_written, n_skipped;
  crm_time asked; /* span last asked for in crm_backfill_files_have */
  bool there;     /* its answer */
  crm_time span; /* start of the span at hand; CRM_TIME_NONE: none */
  FILE *part;    /* the file of that span */
  FILE *families[CRM_FAMILIES]; /* OpenMetrics wants each family in one piece: their samples, until the span is over */
  struct crm_strbuf buffer;
};

/* The longest block that `promtool tsdb create-blocks-from openmetrics --max-block-duration=744h` makes: 486 h, counted from the epoch (Prometheus
 * 2.42, tsdb.ExponentialBlockRanges). With one file per block it reads each file for that block alone, and not again for every two hours. */
#define CRM_BACKFILL_SPAN_US (INT64_C(486) * 3600 * CRM_US_PER_SECOND)

/* Makes the directory if it is not there; refuses one that holds a run with other arguments, unless ctl->restart. `receiver`: of a push, else NULL. */
enum crm_status crm_backfill_files_open(struct crm_ctl *ctl, const struct crm_instance_options *instance, const struct crm_backfill_plan *plan,
                                        const char *receiver, struct crm_backfill_files *files, struct crm_error *err) CRM_MUSTCHECK;
/* True if the instant stands in a file of an earlier run that is whole. */
bool crm_backfill_files_have(struct crm_backfill_files *files, crm_time at);
/* Instants come in ascending order. CRM_ERR_IO names the file. */
enum crm_status crm_backfill_files_add(struct crm_backfill_files *files, const struct crm_series_set *set, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_backfill_files_finish(struct crm_backfill_files *files, struct crm_error *err) CRM_MUSTCHECK;
/* A span that is not whole is removed. */
void crm_backfill_files_close(struct crm_backfill_files *files);
/* The command that loads the files. */
const char *crm_backfill_files_how(const struct crm_backfill_files *files);

/* The receiver to which a run pushes: one request in flight, all series of an instant before those of the next, for a Prometheus takes nothing that is older
 * than what it has. Its directory holds what it takes to go on after an interruption: the series of the instant under way, as they were computed, and
 * how many of them were acknowledged. So nothing acknowledged is sent again, and a request whose answer did not come is repeated byte for byte, whatever
 * has become of the CRM meanwhile. */
struct crm_backfill_push {
  struct crm_ctl *ctl;
  const char *directory;
  struct crm_sink_options options; /* with the protocol that the receiver understands */
  char host[256];                  /* label instance, unless one is given */
  char url[256];                   /* without secrets */
  crm_time start;                  /* since when counters count, for protocols that say so */
  struct crm_credentials credentials;
  struct crm_selection selection;
  struct crm_http *http;
  struct crm_encoder *encoder;
  struct crm_backoff backoff;
  size_t body_limit;
  struct crm_complaint down, partial;

  int progress;      /* descriptor of the file that says how far it got; -1: none */
  crm_time done;     /* the newest instant that was acknowledged whole, if `any` */
  bool any;
  struct crm_strbuf buffer;
  struct crm_series_file file; /* what an earlier run left */
  struct crm_frame *left;      /* what lives at the receiver according to it; NULL: see `before` */
  struct crm_series_set before; /* the instant before; unused while `has_before` is false */
  bool has_before;
  struct crm_batch batch;
  int64_t failing_us; /* monotonic; since when nothing is taken; 0: it is */

  uint64_t requests, samples;  /* acknowledged in this run */
  uint64_t not_taken;          /* the receiver said of them that it left them out */
  uint64_t not_sayable;        /* the protocol has no way to say them */
};

/* Reads the arguments: which receiver, its labels. Opens nothing. CRM_ERR_CONFIG says what is wrong and what is allowed. */
enum crm_status crm_backfill_push_init(struct crm_ctl *ctl, const struct crm_backfill_plan *plan, struct crm_backfill_push *push,
                                       struct crm_error *err) CRM_MUSTCHECK;
/* Looks how far an earlier run got in the directory, and sends what is left of the instant that was under way. */
enum crm_status crm_backfill_push_open(struct crm_backfill_push *push, const char *directory, struct crm_error *err) CRM_MUSTCHECK;
/* Sends the set, which must be ordered, and stale markers of the series that the instant before had and it has not. Instants come in ascending order. On
 * success the contents of the set are exchanged for others, which are of no use. CRM_ERR_STOPPED; CRM_ERR_CONNECT tells why the receiver does not take it. */
enum crm_status crm_backfill_push_add(struct crm_backfill_push *push, struct crm_series_set *set, struct crm_error *err) CRM_MUSTCHECK;
/* False after an initialisation that failed, too. */
bool crm_backfill_push_have(const struct crm_backfill_push *push, crm_time at);
void crm_backfill_push_close(struct crm_backfill_push *push);

/* backfill_send.c: sends what is left of push->batch; `sent` is called before each request, with the batch's first range being the one to be sent, and at the
 * end. */
enum crm_status crm_backfill_send(struct crm_backfill_push *push, enum crm_status (*sent)(struct crm_backfill_push *push, struct crm_error *err),
                                  struct crm_error *err) CRM_MUSTCHECK;

#endif
