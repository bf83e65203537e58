/* SPDX-License-Identifier: MIT */
/* The parts of crmctl backfill: which instants, and the files. */
#ifndef CRM_CTL_BACKFILL_H
#define CRM_CTL_BACKFILL_H

#include <stdint.h>
#include <stdio.h>

#include "ctl/ctl.h"

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

enum crm_backfill_format { CRM_BACKFILL_OPENMETRICS, CRM_BACKFILL_VICTORIAMETRICS, CRM_BACKFILL_GRAPHITE };

/* The files of one run. Each holds the instants of one span of CRM_BACKFILL_SPAN_US and gets its name when it is whole, so that what is there
 * need not be done again. Memory is bounded: what is open are files. */
struct crm_backfill_files {
  const char *directory;
  const struct crm_backfill_plan *plan;
  FILE *state; /* what run this is; locked */
  enum crm_backfill_format format;
  const struct crm_name_value *labels;
  size_t n_labels;
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

/* Makes the directory if it is not there; refuses one that holds a run with other arguments, unless ctl->restart. */
enum crm_status crm_backfill_files_open(struct crm_ctl *ctl, const struct crm_instance_options *instance, const struct crm_backfill_plan *plan,
                                        struct crm_backfill_files *files, struct crm_error *err) CRM_MUSTCHECK;
/* True if the instant stands in a file of an earlier run that is whole. */
bool crm_backfill_files_have(struct crm_backfill_files *files, crm_time at);
/* Instants come in ascending order. CRM_ERR_IO names the file. */
enum crm_status crm_backfill_files_add(struct crm_backfill_files *files, const struct crm_series_set *set, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_backfill_files_finish(struct crm_backfill_files *files, struct crm_error *err) CRM_MUSTCHECK;
/* A span that is not whole is removed. */
void crm_backfill_files_close(struct crm_backfill_files *files);
/* The command that loads the files. */
const char *crm_backfill_files_how(const struct crm_backfill_files *files);

#endif
