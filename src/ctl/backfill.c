/* SPDX-License-Identifier: MIT */
/* crmctl backfill: the command. Reads the CRM once and evaluates every instant of the past, for the analytics are pure functions of facts
 * and instant; backfill_plan.c says which instants, backfill_files.c keeps what comes out, or
 * backfill_push.c sends it. */
#include "crm_config.h"

#include "ctl/backfill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/evaluate.h"
#include "base/clock.h"

const char crm_ctl_backfill_help[] =
    "Usage: crmctl [OPTIONS] backfill --from TIME [--to TIME] [--step STEP] [--format FORMAT] --output DIR\n"
    "\n"
    "Computes the series as of many instants of the past and writes them into files that a database\n"
    "loads, or pushes them to it. It reads the CRM once, and only reads. Run again with the same\n"
    "arguments it goes on where it was interrupted.\n"
    "\n"
    "  --from TIME      first instant: 2025-03-01, 2025-03-01T12:00:00Z, or @SECONDS\n"
    "  --to TIME        last instant at most (default: now)\n"
    "  --step STEP      from one to the next: 1d (default), 6h, 30m, 90s; days begin at the same local time\n"
    "  --format openmetrics      for promtool tsdb create-blocks-from openmetrics (default)\n"
    "  --format victoriametrics  JSON lines for VictoriaMetrics' /api/v1/import\n"
    "  --format graphite         plain text for carbon, named as on the daemon's own path\n"
    "  --format remote_write     pushed, instant by instant; a Prometheus takes the past while it is empty,\n"
    "                   or with out_of_order_time_window\n"
    "  --url URL        where to push to, such as http://HOST:9090/api/v1/write\n"
    "  --sink NAME      or: the block <RemoteWrite \"NAME\"> or <OTLP \"NAME\"> of the configuration\n"
    "  --output DIR     directory for the files, or for how far the push got; made if it is not there\n"
    "  --label NAME=VALUE        on every series, so that they continue what is scraped: job=..., instance=...\n"
    "                   (pushed: what the block says, job=crm and the name of this host unless given)\n"
    "  --path PATH      for graphite; %T is the tenant, %N the name (default: HOST.crm.%T.gauge.%N)\n"
    "  --restart        throw away what an earlier run has left in the directory\n"
    "\n"
    "What a CRM's history cannot tell is not made up: a series begins where its facts begin, and what\n"
    "has no history (segment, owner, names, seats) stands as it is now. It is said at the end.\n"
    "Exit status: 0 all there, 1 something was left out (stderr says what), 2 could not run, 130 interrupted.\n";

/* What is known of a family while the instants go by. */
struct seen {
  crm_time first;
  uint64_t samples;
};

struct run {
  struct crm_ctl *ctl;
  struct crm_instance_options *instance;
  struct crm_facts *facts;
  struct crm_arena scratch;
  struct crm_series_set set;
  struct crm_backfill_plan plan;
  struct crm_backfill_files files;
  bool pushes;
  struct crm_backfill_push push;
  size_t n_there; /* instants that an earlier run has done */
  struct seen seen[CRM_FAMILIES];
};

static void tell_progress(const struct run *run, size_t done, crm_time at, int64_t started_us) {
  char text[160], when[32];
  crm_time_format(at, when);
  double left = (double)(crm_clock_monotonic_us() - started_us) / 1e6 / (double)(done + 1) * (double)(run->plan.n - done);
  snprintf(text, sizeof(text), "instant %zu of %zu (%s), about %.0f s left", done + 1, run->plan.n, when, left);
  crm_ctl_progress(run->ctl, text);
}

static void note_families(struct run *run) {
  for (size_t i = 0; i < run->set.n; i++) {
    struct seen *seen = &run->seen[run->set.samples[i].family];
    if (seen->samples++ == 0)
      seen->first = run->set.at;
  }
}

static enum crm_status go_through(struct run *run, struct crm_error *err) {
  int64_t started_us = crm_clock_monotonic_us();
  int64_t told_us = 0;
  for (size_t i = 0; i < run->plan.n; i++) {
    crm_time at = crm_backfill_instant(&run->plan, i);
    if (crm_stop_requested(run->ctl->stop))
      return crm_error_set(err, CRM_ERR_STOPPED, "stopped");
    if (run->pushes ? crm_backfill_push_have(&run->push, at) : crm_backfill_files_have(&run->files, at)) {
      run->n_there++;
      continue;
    }
    if (crm_clock_monotonic_us() - told_us > CRM_US_PER_SECOND / 5) {
      tell_progress(run, i, at, started_us);
      told_us = crm_clock_monotonic_us();
    }
    enum crm_status status = crm_evaluate(run->facts, &run->instance->params, at, &run->scratch, &run->set, err);
    if (status == CRM_OK) {
      note_families(run);
      status = run->pushes ? crm_backfill_push_add(&run->push, &run->set, err) : crm_backfill_files_add(&run->files, &run->set, err);
    }
    if (status != CRM_OK)
      return status;
  }
  return run->pushes ? CRM_OK : crm_backfill_files_finish(&run->files, err);
}

/* Families that begin later than the first instant, those of one day together. */
static void tell_beginnings(const struct run *run) {
  bool told[CRM_FAMILIES] = {false};
  crm_time first = crm_backfill_instant(&run->plan, 0);
  for (int f = 0; f < CRM_FAMILIES; f++) {
    const struct seen *seen = &run->seen[f];
    if (told[f] || seen->samples == 0 || seen->first <= first)
      continue;
    char when[32];
    crm_time_format(seen->first, when);
    fprintf(stderr, "  from %s on:", when);
    for (int g = f; g < CRM_FAMILIES; g++)
      if (run->seen[g].samples > 0 && run->seen[g].first == seen->first) {
        told[g] = true;
        fprintf(stderr, " %s", crm_family_info((enum crm_family)g)->name);
      }
    fputc('\n', stderr);
  }
}

static void tell_files(const struct run *run) {
  fprintf(stderr, "%zu files in %s", run->files.n_written, run->files.directory);
  if (run->files.n_skipped > 0)
    fprintf(stderr, " (%zu were there already)", run->files.n_skipped);
  fprintf(stderr, "\n\nTo load them: %s\n\n", crm_backfill_files_how(&run->files));
}

static void tell_pushed(const struct run *run) {
  const struct crm_backfill_push *push = &run->push;
  fprintf(stderr, "%" PRIu64 " taken by %s in %" PRIu64 " requests", push->samples, push->url, push->requests);
  if (run->n_there > 0)
    fprintf(stderr, " (%zu instants it had already)", run->n_there);
  fputc('\n', stderr);
  if (push->not_taken > 0)
    fprintf(stderr, "%" PRIu64 " values were left out by the receiver\n", push->not_taken);
  if (push->not_sayable > 0)
    fprintf(stderr, "%" PRIu64 " values cannot be said in its protocol and were left out\n", push->not_sayable);
}

static void tell_end(const struct run *run) {
  char from[32], to[32];
  uint64_t samples = 0;
  bool late = false;
  for (int f = 0; f < CRM_FAMILIES; f++) {
    samples += run->seen[f].samples;
    late = late || (run->seen[f].samples > 0 && run->seen[f].first > crm_backfill_instant(&run->plan, 0));
  }
  crm_time_format(crm_backfill_instant(&run->plan, 0), from);
  crm_time_format(crm_backfill_instant(&run->plan, run->plan.n - 1), to);
  fprintf(stderr, "%zu instants from %s to %s, %" PRIu64 " values computed, ", run->plan.n, from, to, samples);
  if (run->pushes)
    tell_pushed(run);
  else
    tell_files(run);
  if (late)
    fputs("Some series begin later than the first instant, because the CRM knows nothing earlier:\n", stderr);
  tell_beginnings(run);
  fputs("Segment, owner, industry, region, name, currency, seats, renewal forecast and automatic renewal of an account, and the level and "
        "strength\n"
        "of a contact, have no history in a CRM: what holds now stands at every instant.\n",
        stderr);
}

static enum crm_status prepare(struct run *run, struct crm_error *err) {
  struct crm_ctl *ctl = run->ctl;
  enum crm_status status = crm_ctl_choose(ctl, &run->instance, err);
  if (status == CRM_OK)
    status = crm_backfill_plan_make(run->instance->params.zone, ctl->from, ctl->to, ctl->step, crm_clock_realtime_us(), &run->plan, err);
  run->pushes = crm_backfill_format_of(ctl->format) == CRM_BACKFILL_REMOTE_WRITE;
  if (status == CRM_OK && !run->pushes && (ctl->url != NULL || ctl->sink != NULL))
    status = crm_error_set(err, CRM_ERR_CONFIG, "--%s says nothing without --format remote_write", ctl->url != NULL ? "url" : "sink");
  if (status == CRM_OK && run->pushes)
    status = crm_backfill_push_init(ctl, &run->plan, &run->push, err);
  if (status == CRM_OK)
    status = crm_backfill_files_open(ctl, run->instance, &run->plan, run->pushes ? run->push.url : NULL, &run->files, err);
  if (status == CRM_OK && run->pushes)
    status = crm_backfill_push_open(&run->push, run->files.directory, err);
  return status;
}

int crm_ctl_backfill(struct crm_ctl *ctl) {
  struct crm_error err = {0};
  bool left_out = false;
  struct run *run = calloc(1, sizeof(*run));
  if (run == NULL || crm_set_init(&run->set) != CRM_OK) {
    free(run);
    crm_error_set(&err, CRM_ERR_MEMORY, "out of memory");
    return crm_ctl_fail(ctl, &err);
  }
  run->ctl = ctl;
  crm_arena_init(&run->scratch, 0);
  enum crm_status status = prepare(run, &err);
  if (status == CRM_OK)
    status = crm_ctl_read(ctl, run->instance, crm_backfill_instant(&run->plan, 0), &run->facts, &left_out, &err);
  if (status == CRM_OK)
    status = go_through(run, &err);
  crm_ctl_progress(ctl, NULL);
  left_out = left_out || run->push.not_taken > 0 || run->push.not_sayable > 0;
  int result = left_out ? CRM_CTL_LEFT_OUT : CRM_CTL_OK;
  if (status == CRM_OK)
    tell_end(run);
  else {
    result = crm_ctl_fail(ctl, &err);
    if (result == CRM_CTL_INTERRUPTED && run->files.directory != NULL)
      fprintf(stderr, "crmctl: the same command goes on where this one stopped\n");
  }
  crm_backfill_push_close(&run->push);
  crm_backfill_files_close(&run->files);
  crm_facts_unref(run->facts);
  crm_arena_free(&run->scratch);
  crm_set_free(&run->set);
  free(run);
  return result;
}
