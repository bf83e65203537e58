/* SPDX-License-Identifier: MIT */
/* Measures the plugin's own work on a CRM that is already there: a full read, the memory it takes, a full recompute and each part of it.
 * Prints one line of name=value pairs; run-bench.sh puts them beside the floor that it measures on the same database in the same run. */
#include "crm_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "source/mapping.h"
#include "source/statement.h"
#include "source/source.h"

#define EVALUATIONS 7

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int fail(const struct crm_error *err) {
  fprintf(stderr, "crm-bench: %s\n", err->message);
  return 1;
}

#define PARTS_MAX 32

/* CPU time of each part of a computation. */
struct parts {
  const char *name[PARTS_MAX];
  double run[PARTS_MAX], least[PARTS_MAX]; /* nanoseconds: in this run, and in the best of all */
  size_t n;
  const char *now; /* NULL: none */
  int64_t since;
};

static size_t part_index(struct parts *parts, const char *name) {
  size_t k = 0;
  while (k < parts->n && strcmp(parts->name[k], name) != 0)
    k++;
  if (k == parts->n && k < PARTS_MAX) {
    parts->name[k] = name;
    parts->least[k] = INFINITY;
    parts->n++;
  }
  return k;
}

/* `name` NULL: the computation is over. */
static void part_begins(void *ctx, const char *name) {
  struct parts *parts = ctx;
  int64_t now = crm_clock_thread_cpu_ns();
  if (parts->now != NULL) {
    size_t k = part_index(parts, parts->now);
    if (k < PARTS_MAX)
      parts->run[k] += (double)(now - parts->since);
  }
  parts->now = name;
  parts->since = crm_clock_thread_cpu_ns();
}

struct evaluation {
  double ns; /* the least of some runs: what the work costs when nothing disturbs it */
  size_t series, arena_bytes, series_bytes;
  struct parts parts; /* of runs of their own, since looking at the clock costs too */
};

static int run_evaluations(const struct crm_facts *facts, struct crm_params *params, crm_time at, struct crm_arena *arena,
                           struct crm_series_set *set, struct evaluation *e) {
  struct crm_error err = {0};
  const struct crm_trace trace = {part_begins, &e->parts};
  e->ns = INFINITY;
  for (int i = 0; i < 2 * EVALUATIONS; i++) {
    bool traced = i % 2 == 1;
    params->trace = traced ? &trace : NULL;
    memset(e->parts.run, 0, sizeof(e->parts.run));
    int64_t started = crm_clock_thread_cpu_ns();
    if (crm_evaluate(facts, params, at, arena, set, &err) != CRM_OK)
      return fail(&err);
    double took = (double)(crm_clock_thread_cpu_ns() - started);
    if (traced) {
      part_begins(&e->parts, NULL);
      for (size_t k = 0; k < e->parts.n; k++)
        e->parts.least[k] = fmin(e->parts.least[k], e->parts.run[k]);
    } else {
      e->ns = fmin(e->ns, took);
    }
  }
  e->series = set->n;
  e->arena_bytes = arena->used;
  e->series_bytes = set->cap * sizeof(*set->samples) + set->cap_label_values * sizeof(*set->label_values) + crm_dict_bytes(&set->text);
  return 0;
}

static int bench_evaluate(const struct crm_facts *facts, struct crm_params *params, crm_time at, struct evaluation *e) {
  struct crm_arena arena;
  struct crm_series_set set;
  *e = (struct evaluation){.ns = 0};
  crm_arena_init(&arena, 0);
  if (crm_set_init(&set) != CRM_OK)
    return 1;
  int result = run_evaluations(facts, params, at, &arena, &set, e);
  crm_set_free(&set);
  crm_arena_free(&arena);
  return result;
}

/* The statements of a full read, for the floor: the same rows to nowhere. */
static int print_copies(const struct crm_source_options *options, const struct crm_source *source) {
  struct crm_mapping mapping;
  struct crm_error err = {0};
  const struct crm_log no_log = {0};
  if (crm_mapping_load(options, &no_log, &mapping, &err) != CRM_OK)
    return fail(&err);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_check *check = crm_source_relation(source, (enum crm_relation)r);
    if (check->state != CRM_RELATION_OK)
      continue;
    const struct crm_selection selection = {
        .relation = (enum crm_relation)r, .sql = mapping.sql[r], .present = check->column_present, .first_day = CRM_DAY_NONE};
    char *sql = crm_statement_copy(&selection);
    if (sql != NULL)
      printf("%s;\n", sql);
    free(sql);
  }
  crm_mapping_free(&mapping);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: crm-bench CONNINFO MAPPING-DIRECTORY AT | print-copies\n"
                    "Reads the CRM once and computes every metric as of AT (\"2026-03-01\"), or prints the statements of the read; see "
                    "run-bench.sh.\n");
    return 2;
  }
  bool print_only = strcmp(argv[3], "print-copies") == 0;
  struct crm_error err = {0};
  struct crm_zone *zone = NULL;
  struct crm_stop *stop = NULL;
  struct crm_source *source = NULL;
  struct crm_facts *facts = NULL;
  crm_time at = 0;
  if (crm_zone_new("UTC", &zone, &err) != CRM_OK || (!print_only && crm_time_parse(zone, argv[3], &at, &err) != CRM_OK))
    return fail(&err);
  const struct crm_database_options database = {.name = "", .conninfo = argv[1], .search_path = "public"};
  const struct crm_source_options options = {
      .instance = "bench",
      .mapping = argv[2],
      .mapping_dir = argv[2],
      .databases = &database,
      .n_databases = 1,
      .zone = zone,
      .default_currency = "",
      .connect_timeout_us = 10 * CRM_US_PER_SECOND,
      .statement_timeout_us = 600 * CRM_US_PER_SECOND,
      .lock_timeout_us = 2 * CRM_US_PER_SECOND,
      .read_timeout_us = 900 * CRM_US_PER_SECOND,
  };
  const struct crm_log no_log = {0};
  if (crm_stop_new(&stop) != CRM_OK || crm_source_new(&options, &no_log, stop, &source, &err) != CRM_OK ||
      crm_source_check(source, &err) != CRM_OK)
    return fail(&err);

  if (print_only)
    return print_copies(&options, source);

  double cpu = cpu_seconds();
  int64_t started = crm_clock_monotonic_us();
  if (crm_source_read(source, &facts, &err) != CRM_OK)
    return fail(&err);
  double wall = (double)(crm_clock_monotonic_us() - started) / 1e6;
  cpu = cpu_seconds() - cpu;

  struct crm_params params;
  crm_params_defaults(&params);
  params.zone = zone;
  struct evaluation e;
  if (bench_evaluate(facts, &params, at, &e) != 0)
    return 1;

  uint64_t rows = 0;
  for (int r = 0; r < CRM_RELATIONS; r++)
    rows += facts->rows[r];
  size_t bytes = crm_facts_bytes(facts);
  uint32_t accounts = facts->account.n;
  printf("accounts=%" PRIu32 " rows=%" PRIu64 " wall=%.3f cpu=%.3f build=%.3f bytes=%zu series=%zu series_bytes=%zu arena_bytes=%zu "
         "eval_ns=%.0f",
         accounts, rows, wall, cpu, (double)crm_source_phase_us(source, CRM_PHASE_BUILD) / 1e6, bytes, e.series, e.series_bytes,
         e.arena_bytes, e.ns);
  for (size_t k = 0; k < e.parts.n; k++)
    printf(" part:%s=%.0f", e.parts.name[k], e.parts.least[k]);
  printf("\n");

  crm_facts_unref(facts);
  crm_source_free(source);
  crm_stop_free(stop);
  crm_zone_free(zone);
  return 0;
}
