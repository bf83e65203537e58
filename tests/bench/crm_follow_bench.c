/* SPDX-License-Identifier: MIT */
/* crm-follow-bench CONNINFO MAPPING-DIR PEER.sql CHANGES: what an interval costs by the number of accounts that changed since the last one,
 * and what the queries of PEER.sql cost, which stand for what tools without a memory run at each scrape. CPU time of the server is that of
 * the session's process, by Linux' schedstat, so it must run beside the server. Of each figure the least of some runs. The one who calls is
 * a superuser: the changes are made by a session of its own. */
#include "crm_config.h"

#include <glob.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "facts/compare.h"
#include "source/follow.h"

enum { RUNS = 5 };

static void die(const char *what) {
  fprintf(stderr, "crm-follow-bench: %s\n", what);
  exit(1);
}

static char *value(PGconn *pg, const char *sql) {
  PGresult *result = PQexec(pg, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
    die(PQerrorMessage(pg));
  char *text = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  return text;
}

static void run(PGconn *pg, const char *sql) {
  free(value(pg, sql));
}

static double thread_cpu(void) {
  struct timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Milliseconds on a CPU of the process. */
static double process_cpu(int pid) {
  char path[64];
  unsigned long long ns = 0;
  snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
  FILE *f = fopen(path, "r");
  if (f == NULL || fscanf(f, "%llu", &ns) != 1)
    die("cannot read schedstat of the server's process");
  fclose(f);
  return (double)ns / 1e6;
}

struct cost {
  double wall, server, client, bytes;
  unsigned long long rows;
};

static void keep_least(struct cost *least, const struct cost *cost, int at) {
  if (at == 0 || cost->wall < least->wall)
    *least = *cost;
}

/* One row in each of seven tables for n accounts, as a working day leaves them. */
static void change(PGconn *pg, int n, int round) {
  char sql[4096];
  if (n == 0)
    return;
  snprintf(
      sql, sizeof(sql),
      "CREATE TEMP TABLE IF NOT EXISTS chosen (id uuid, organization_id uuid); TRUNCATE chosen;"
      "INSERT INTO chosen SELECT id, organization_id FROM accounts ORDER BY md5(id::text || '%d') LIMIT %d;"
      "UPDATE accounts a SET seat_count = coalesce(seat_count, 0) + 1, updated_at = clock_timestamp() FROM chosen c WHERE c.id = a.id;"
      "INSERT INTO engagements (organization_id, account_id, type, title, completed_at, created_at, updated_at) SELECT organization_id, "
      "id, 'call', 't', now(),"
      " clock_timestamp(), clock_timestamp() FROM chosen;"
      "INSERT INTO health_metrics (organization_id, account_id, metric_date, login_frequency, overall_health_score, created_at)"
      " SELECT organization_id, id, current_date, 4, 70, clock_timestamp() FROM chosen;"
      "INSERT INTO nps_surveys (organization_id, account_id, score, created_at) SELECT organization_id, id, 9, clock_timestamp() FROM "
      "chosen;"
      "INSERT INTO customer_goals (organization_id, account_id, title, created_at, updated_at) SELECT organization_id, id, 'g', "
      "clock_timestamp(), clock_timestamp() FROM chosen;"
      "INSERT INTO crm_ext.signal (account_id, kind, observed_at) SELECT id, 'competitor_mentions', clock_timestamp() FROM chosen;"
      "INSERT INTO crm_ext.opportunity (account_id, kind, opened_at, updated_at) SELECT id, 'upsell', now(), clock_timestamp() FROM chosen;"
      "SELECT pg_stat_force_next_flush()",
      round, n);
  run(pg, sql);
}

static struct cost follow(struct crm_source *source, struct crm_picture *picture, int pid, bool *whole) {
  struct crm_refresh refresh;
  struct crm_patch_applied applied;
  struct crm_error err = {0};
  struct cost cost = {.server = process_cpu(pid), .client = thread_cpu()};
  int64_t start_us = crm_clock_monotonic_us();
  if (crm_source_refresh(source, picture, &refresh, &err) != CRM_OK)
    die(err.message);
  if (refresh.full_wanted)
    die(refresh.reason);
  if (crm_patch_apply(refresh.patch, &applied, &err) != CRM_OK)
    die(err.message);
  crm_patch_free(refresh.patch);
  crm_source_accept(source, picture);
  cost.wall = (double)(crm_clock_monotonic_us() - start_us) / 1e3;
  cost.client = thread_cpu() - cost.client;
  struct timespec ts = {.tv_nsec = 20000000}; /* until the server's process has gone to sleep */
  nanosleep(&ts, NULL);
  cost.server = process_cpu(pid) - cost.server;
  cost.bytes = (double)crm_source_bytes(source);
  cost.rows = crm_source_rows(source);
  for (int r = 0; r < CRM_RELATIONS; r++)
    *whole |= refresh.whole[r];
  return cost;
}

static struct cost peer(PGconn *pg, const char *sql) {
  int pid = PQbackendPID(pg);
  struct cost cost = {.server = process_cpu(pid), .client = thread_cpu()};
  int64_t start_us = crm_clock_monotonic_us();
  PQsendQuery(pg, sql);
  for (PGresult *result; (result = PQgetResult(pg)) != NULL; PQclear(result)) {
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
      die(PQerrorMessage(pg));
    cost.rows += (unsigned long long)PQntuples(result);
    for (int i = 0; i < PQntuples(result); i++)
      for (int j = 0; j < PQnfields(result); j++)
        cost.bytes += PQgetlength(result, i, j);
  }
  cost.wall = (double)(crm_clock_monotonic_us() - start_us) / 1e3;
  cost.client = thread_cpu() - cost.client;
  struct timespec ts = {.tv_nsec = 20000000};
  nanosleep(&ts, NULL);
  cost.server = process_cpu(pid) - cost.server;
  return cost;
}

static char *read_text(const char *path) {
  FILE *f = fopen(path, "r");
  struct crm_strbuf text;
  char buf[4096];
  size_t n;
  if (f == NULL)
    die(path);
  crm_strbuf_init(&text, 1 << 20);
  while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
    crm_strbuf_add(&text, buf, n);
  fclose(f);
  char *taken = crm_strbuf_take(&text);
  if (taken == NULL)
    die("out of memory");
  return taken;
}

static void print(const char *what, const struct cost *cost) {
  printf("%-28s %10.2f %10.2f %10.2f %12.0f %9llu\n", what, cost->wall, cost->server, cost->client, cost->bytes, cost->rows);
}

int main(int argc, char **argv) {
  if (argc != 5)
    die("usage: crm-follow-bench CONNINFO MAPPING-DIR PEER.sql auto|poll|counters");
  enum crm_changes changes = strcmp(argv[4], "poll") == 0       ? CRM_CHANGES_POLL
                             : strcmp(argv[4], "counters") == 0 ? CRM_CHANGES_COUNTERS
                                                                : CRM_CHANGES_AUTO;
  PGconn *pg = PQconnectdb(argv[1]);
  if (PQstatus(pg) != CONNECTION_OK)
    die(PQerrorMessage(pg));
  struct crm_error err = {0};
  struct crm_zone *zone = NULL;
  struct crm_stop *stop = NULL;
  struct crm_source *source = NULL;
  struct crm_picture *picture = NULL;
  const struct crm_database_options database = {.name = "", .conninfo = argv[1]};
  if (crm_zone_new("UTC", &zone, &err) != CRM_OK || crm_stop_new(&stop) != CRM_OK)
    die(err.message);
  const struct crm_source_options options = {.instance = "bench",
                                             .mapping = argv[2],
                                             .databases = &database,
                                             .n_databases = 1,
                                             .zone = zone,
                                             .default_currency = "USD",
                                             .connect_timeout_us = 10 * CRM_US_PER_SECOND,
                                             .statement_timeout_us = 600 * CRM_US_PER_SECOND,
                                             .lock_timeout_us = 10 * CRM_US_PER_SECOND,
                                             .read_timeout_us = 900 * CRM_US_PER_SECOND,
                                             .changes = (int)changes};
  const struct crm_log log = {0};
  if (crm_source_new(&options, &log, stop, &source, &err) != CRM_OK)
    die(err.message);
  int64_t start_us = crm_clock_monotonic_us();
  if (crm_source_read_picture(source, NULL, NULL, &picture, &err) != CRM_OK)
    die(err.message);
  double full_ms = (double)(crm_clock_monotonic_us() - start_us) / 1e3;
  char *pid = value(pg, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type "
                        "= 'client backend' LIMIT 1");
  struct cost full = {.wall = full_ms,
                      .server = process_cpu(atoi(pid)),
                      .client = thread_cpu(),
                      .bytes = (double)crm_source_bytes(source),
                      .rows = crm_source_rows(source)};
  printf("%-28s %10s %10s %10s %12s %9s\n", "milliseconds", "wall", "server CPU", "client CPU", "bytes", "rows");
  print("full read", &full);
  bool whole = false;
  (void)follow(source, picture, atoi(pid), &whole);
  static const int numbers[] = {0, 10, 100, 1000};
  int round = 0;
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    struct cost least = {0};
    char what[64];
    whole = false;
    for (int k = 0; k < RUNS; k++) {
      change(pg, numbers[i], round++);
      struct cost cost = follow(source, picture, atoi(pid), &whole);
      keep_least(&least, &cost, k);
    }
    snprintf(what, sizeof(what), "%d accounts changed%s", numbers[i], whole ? " *" : "");
    print(what, &least);
  }
  /* Another session's table: something was committed, but nothing that is followed. */
  struct cost least = {0};
  for (int k = 0; k < RUNS; k++) {
    run(pg, "CREATE TEMP TABLE IF NOT EXISTS elsewhere (i int); INSERT INTO elsewhere VALUES (1)");
    struct cost cost = follow(source, picture, atoi(pid), &whole);
    keep_least(&least, &cost, k);
  }
  print("other tables changed", &least);
  char *sql = read_text(argv[3]);
  struct cost cheapest = {0};
  for (int k = 0; k < 2; k++) {
    struct cost cost = peer(pg, sql);
    keep_least(&cheapest, &cost, k);
  }
  print("queries at each scrape", &cheapest);
  /* What was followed is what is there. */
  struct crm_facts *fresh = NULL;
  uint64_t differ[CRM_RELATIONS], sum = 0;
  if (crm_source_read(source, &fresh, &err) != CRM_OK || crm_facts_compare(crm_picture_facts(picture), fresh, differ, &err) != CRM_OK)
    die(err.message);
  for (int r = 0; r < CRM_RELATIONS; r++)
    sum += differ[r];
  printf("drift: %llu rows\n", (unsigned long long)sum);
  free(sql);
  free(pid);
  crm_facts_unref(fresh);
  crm_picture_free(picture);
  crm_source_free(source);
  crm_stop_free(stop);
  crm_zone_free(zone);
  PQfinish(pg);
  return sum == 0 ? 0 : 1;
}
