/* SPDX-License-Identifier: MIT */
/* crm-follow-bench SOCKET-DIR READER MAPPING-DIR CHANGES: what an interval costs by the number of accounts that changed since the last one,
 * for the role READER ("user=... password=...") on the server of which SOCKET-DIR has the Unix socket. One line per measurement, with tabs:
 * what, accounts changed, milliseconds of wall, server's CPU and client's CPU, bytes on the wire, rows, "*" if a relation was read whole;
 * the last ones say what the picture takes, and by how many rows it differs from a fresh full read.
 * crm-follow-bench SOCKET-DIR change N ROUND: makes the changes of one interval alone, for those who are measured from outside.
 *
 * CPU time of the server is that of the sessions' processes, by Linux' schedstat, so it must run beside the server. Of each figure the least
 * of some runs. Bytes are counted by a relay, in runs of their own. The changes are made by a session of the superuser's. */
#include "crm_config.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "facts/compare.h"
#include "lib/relay.h"
#include "source/follow.h"

enum { RUNS = 5, PAUSE_MS = 1100 };
#define LONG_MS 1000 /* what takes longer is not run more than twice */

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

static void rest(int ms) {
  const struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&ts, NULL);
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

/* Updates of rows that stand under their account alone: a poll cannot tell whether they stood under another one before. */
static void update_rows(PGconn *pg, int round) {
  char sql[1024];
  snprintf(sql, sizeof(sql),
           "CREATE TEMP TABLE IF NOT EXISTS touched (id uuid); TRUNCATE touched;"
           "INSERT INTO touched SELECT id FROM accounts ORDER BY md5(id::text || '%d') LIMIT 10;"
           "UPDATE customer_goals SET title = title || '.', updated_at = clock_timestamp() WHERE account_id IN (SELECT id FROM touched);"
           "UPDATE support_metrics SET open_tickets = 1, updated_at = clock_timestamp() WHERE account_id IN (SELECT id FROM touched) AND"
           " metric_date = (SELECT max(metric_date) FROM support_metrics);"
           "UPDATE crm_ext.opportunity SET probability = 50, updated_at = clock_timestamp() WHERE account_id IN (SELECT id FROM touched);"
           "SELECT pg_stat_force_next_flush()",
           round);
  run(pg, sql);
}

/* The processes of a follower's sessions: with logical decoding it has two. */
struct sessions {
  int pids[4], n;
};

static double sessions_cpu(const struct sessions *s) {
  double sum = 0;
  for (int i = 0; i < s->n; i++)
    sum += process_cpu(s->pids[i]);
  return sum;
}

static struct cost follow(struct crm_source *source, struct crm_picture **picture, const struct sessions *sessions, bool *whole) {
  struct crm_refresh refresh;
  struct crm_patch_applied applied;
  struct crm_error err = {0};
  struct cost cost = {.server = sessions_cpu(sessions), .client = thread_cpu()};
  int64_t start_us = crm_clock_monotonic_us();
  if (crm_source_refresh(source, *picture, &refresh, &err) != CRM_OK)
    die(err.message);
  if (refresh.full_wanted && !refresh.routine)
    die(refresh.reason);
  if (refresh.full_wanted) { /* so much has changed that everything is read anew, as the engine does it */
    struct crm_picture *full = NULL;
    if (crm_source_read_picture(source, NULL, NULL, &full, &err) != CRM_OK)
      die(err.message);
    crm_picture_free(*picture);
    *picture = full;
    *whole = true;
  } else {
    if (crm_patch_apply(refresh.patch, &applied, &err) != CRM_OK)
      die(err.message);
    crm_patch_free(refresh.patch);
    crm_source_accept(source, *picture);
  }
  cost.wall = (double)(crm_clock_monotonic_us() - start_us) / 1e3;
  cost.client = thread_cpu() - cost.client;
  rest(20); /* until the server's processes have gone to sleep */
  cost.server = sessions_cpu(sessions) - cost.server;
  cost.bytes = (double)crm_source_bytes(source);
  cost.rows = crm_source_rows(source);
  for (int r = 0; r < CRM_RELATIONS; r++)
    *whole |= refresh.whole[r];
  return cost;
}

/* --- one that follows --------------------------------------------------------------------------------------------- */

struct follower {
  struct crm_zone *zone;
  struct crm_stop *stop;
  struct crm_source_options options;
  struct crm_database_options database;
  char conninfo[512];
  struct crm_source *source;
  struct crm_picture *picture;
  struct sessions sessions;
};

static enum crm_changes changes_of(const char *name) {
  for (int i = CRM_CHANGES_AUTO; i <= CRM_CHANGES_NONE; i++)
    if (strcmp(crm_changes_name((enum crm_changes)i), name) == 0)
      return (enum crm_changes)i;
  die("CHANGES is auto, logical, poll, counters or none");
  return CRM_CHANGES_AUTO;
}

static void open_follower(struct follower *f, const char *where, const char *reader, const char *mapping, const char *changes) {
  struct crm_error err = {0};
  const struct crm_log log = {0};
  *f = (struct follower){0};
  if (crm_zone_new("UTC", &f->zone, &err) != CRM_OK || crm_stop_new(&f->stop) != CRM_OK)
    die(err.message);
  snprintf(f->conninfo, sizeof(f->conninfo), "%s dbname=crm %s", where, reader);
  f->database = (struct crm_database_options){.name = "", .conninfo = f->conninfo};
  f->options = (struct crm_source_options){.instance = "bench",
                                           .mapping = mapping,
                                           .databases = &f->database,
                                           .n_databases = 1,
                                           .zone = f->zone,
                                           .default_currency = "USD",
                                           .connect_timeout_us = 10 * CRM_US_PER_SECOND,
                                           .statement_timeout_us = 600 * CRM_US_PER_SECOND,
                                           .lock_timeout_us = 10 * CRM_US_PER_SECOND,
                                           .read_timeout_us = 900 * CRM_US_PER_SECOND,
                                           .publication = "collectd_crm",
                                           .changes = (int)changes_of(changes)};
  if (crm_source_new(&f->options, &log, f->stop, &f->source, &err) != CRM_OK)
    die(err.message);
}

static void close_follower(struct follower *f) {
  crm_picture_free(f->picture);
  crm_source_free(f->source);
  crm_stop_free(f->stop);
  crm_zone_free(f->zone);
}

static void read_all(struct follower *f) {
  struct crm_error err = {0};
  if (crm_source_read_picture(f->source, NULL, NULL, &f->picture, &err) != CRM_OK)
    die(err.message);
}

/* --- what is printed ---------------------------------------------------------------------------------------------- */

static void print(const char *what, int changed, const struct cost *cost, bool whole) {
  printf("%s\t%d\t%.3f\t%.3f\t%.3f\t%.0f\t%llu\t%s\n", what, changed, cost->wall, cost->server, cost->client, cost->bytes, cost->rows,
         whole ? "*" : "");
  fflush(stdout);
}

static const int numbers[] = {0, 10, 100, 1000};
enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

/* What goes over the wire, by a relay in the midst of it. */
static void count_bytes(PGconn *pg, const char *const argv[], double full_bytes[1], double bytes[NUMBERS], int *round) {
  struct follower f;
  char target[128], where[64];
  int port;
  bool whole = false;
  uint64_t up, down, up_before, down_before;
  snprintf(target, sizeof(target), "%s/.s.PGSQL.5432", argv[1]);
  struct relay *relay = relay_start(target, &port);
  if (relay == NULL)
    die("no relay");
  snprintf(where, sizeof(where), "host=127.0.0.1 port=%d sslmode=disable", port);
  open_follower(&f, where, argv[2], argv[3], argv[4]);
  read_all(&f);
  relay_count(relay, &up, &down);
  full_bytes[0] = (double)(up + down);
  (void)follow(f.source, &f.picture, &f.sessions, &whole);
  for (size_t i = 0; i < NUMBERS; i++) {
    change(pg, numbers[i], (*round)++);
    relay_count(relay, &up_before, &down_before);
    (void)follow(f.source, &f.picture, &f.sessions, &whole);
    relay_count(relay, &up, &down);
    bytes[i] = (double)(up - up_before + down - down_before);
  }
  close_follower(&f);
  relay_stop(relay);
}

static void find_sessions(struct follower *f, PGconn *pg) {
  char *pids = value(pg, "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name LIKE 'collectd-crm/%'");
  f->sessions.n = 0;
  for (char *at = pids, *end; f->sessions.n < 4; at = end) {
    int pid = (int)strtol(at, &end, 10);
    if (end == at)
      break;
    f->sessions.pids[f->sessions.n++] = pid;
  }
  free(pids);
}

static struct cost measure_full(struct follower *f, PGconn *pg) {
  double client = thread_cpu();
  int64_t start_us = crm_clock_monotonic_us();
  read_all(f);
  struct cost cost = {.wall = (double)(crm_clock_monotonic_us() - start_us) / 1e3, .client = thread_cpu() - client};
  find_sessions(f, pg);
  cost.server = sessions_cpu(&f->sessions);
  cost.rows = crm_source_rows(f->source);
  return cost;
}

/* KiB: the most that this process has ever had. */
static long peak_kib(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss;
}

static uint64_t measure_drift(struct follower *f) {
  struct crm_error err = {0};
  struct crm_facts *fresh = NULL;
  uint64_t differ[CRM_RELATIONS], sum = 0;
  if (crm_source_read(f->source, &fresh, &err) != CRM_OK || crm_facts_compare(crm_picture_facts(f->picture), fresh, differ, &err) != CRM_OK)
    die(err.message);
  for (int r = 0; r < CRM_RELATIONS; r++)
    sum += differ[r];
  crm_facts_unref(fresh);
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 5)
    die("usage: crm-follow-bench SOCKET-DIR READER MAPPING-DIR auto|logical|poll|counters|none, or SOCKET-DIR change N ROUND");
  char superuser[256];
  snprintf(superuser, sizeof(superuser), "host=%s dbname=crm user=postgres options='-c client_min_messages=warning'", argv[1]);
  PGconn *pg = PQconnectdb(superuser);
  if (PQstatus(pg) != CONNECTION_OK)
    die(PQerrorMessage(pg));
  if (strcmp(argv[2], "change") == 0) {
    change(pg, atoi(argv[3]), atoi(argv[4]));
    PQfinish(pg);
    return 0;
  }
  struct follower f;
  char where[128];
  int round = 0;
  bool whole[NUMBERS] = {false}, unwanted = false;
  struct cost least[NUMBERS] = {{0}}, elsewhere = {0};
  double bytes[NUMBERS], full_bytes;
  snprintf(where, sizeof(where), "host=%s", argv[1]);
  open_follower(&f, where, argv[2], argv[3], argv[4]);
  struct cost full = measure_full(&f, pg);
  if (f.options.changes != CRM_CHANGES_AUTO && (int)crm_source_following(f.source, CRM_REL_USAGE)->mode != f.options.changes)
    die(crm_source_following(f.source, CRM_REL_USAGE)->why);
  long peak_full = peak_kib();
  (void)follow(f.source, &f.picture, &f.sessions, &unwanted); /* sessions that have ended since may have shown their counters */
  /* Another session's table: something was committed, but nothing that is followed. */
  for (int k = 0; k < RUNS; k++) {
    run(pg, "CREATE TEMP TABLE IF NOT EXISTS elsewhere (i int); INSERT INTO elsewhere VALUES (1)");
    struct cost cost = follow(f.source, &f.picture, &f.sessions, &unwanted);
    keep_least(&elsewhere, &cost, k);
  }
  for (size_t i = 0; i < NUMBERS; i++)
    for (int k = 0; k < RUNS && (k < 2 || least[i].wall < LONG_MS); k++) {
      rest(PAUSE_MS); /* polls look back by whole seconds; intervals are longer than that, so no poll should see what the one before saw */
      change(pg, numbers[i], round++);
      struct cost cost = follow(f.source, &f.picture, &f.sessions, &whole[i]);
      keep_least(&least[i], &cost, k);
    }
  struct cost updates = {0};
  bool updates_whole = false;
  for (int k = 0; k < RUNS && (k < 2 || updates.wall < LONG_MS); k++) {
    rest(PAUSE_MS);
    update_rows(pg, round++);
    struct cost cost = follow(f.source, &f.picture, &f.sessions, &updates_whole);
    keep_least(&updates, &cost, k);
  }
  long peak_followed = peak_kib();
  uint64_t drift = measure_drift(&f);
  const struct crm_facts *facts = crm_picture_facts(f.picture);
  unsigned long long rows = 0, accounts = facts->rows[CRM_REL_ACCOUNT];
  for (int r = 0; r < CRM_RELATIONS; r++)
    rows += facts->rows[r];
  printf("memory\t%llu\t%llu\t%zu\t%ld\t%ld\n", accounts, rows, crm_picture_bytes(f.picture), peak_full, peak_followed);
  close_follower(&f);
  count_bytes(pg, (const char *const *)argv, &full_bytes, bytes, &round);
  full.bytes = full_bytes;
  print("full", 0, &full, false);
  for (size_t i = 0; i < NUMBERS; i++) {
    least[i].bytes = bytes[i];
    print("interval", numbers[i], &least[i], whole[i]);
  }
  print("elsewhere", 0, &elsewhere, false);
  print("updates", 10, &updates, updates_whole);
  printf("drift\t%llu\n", (unsigned long long)drift);
  PQfinish(pg);
  return drift == 0 ? 0 : 1;
}
