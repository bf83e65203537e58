/* SPDX-License-Identifier: MIT */
/* Following by logical decoding: that it comes to the same as reading everything, that nothing is missed and nothing is left at the server,
 * and what it falls back to. CRM_FOLLOW_STEPS (default 120) steps for each way, CRM_FOLLOW_SEED, CRM_FOLLOW_WAY for one of them. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/crm_workload.h"
#include "lib/crmctl_check.h"
#include "lib/follower.h"
#include "lib/pg_shared.h"
#include "source/internal.h"

#define ACCOUNT(n) "md5('account " #n "')::uuid"
#define HEALTH(days)                                                                                                                       \
  "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score) SELECT a.organization_id, a.id,"            \
  " current_date - k, 60 FROM accounts a, " days " k WHERE a.id = " ACCOUNT(5)
#define CONTRACT "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES "

static void run_file(const char *file) {
  char command[1024];
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(command, sizeof(command), "%s/psql -qX -v ON_ERROR_STOP=1 -h %s -U boss -d crm -f %s/contrib/sql/%s >/dev/null", pg.bindir,
           pg.dir, srcdir != NULL ? srcdir : ".", file);
  if (system(command) != 0)
    fail_msg("%s", command);
}

static int number_of(const char *sql) {
  char text[64];
  pg_fixture_value(&pg, "postgres", sql, text, sizeof(text));
  return atoi(text);
}

#define SLOTS "SELECT count(*) FROM pg_replication_slots"

/* On a busy machine a small relation may seem dear to read, so that lists of it are read whole, which is not what is looked at here. */
static enum crm_status try_lists(struct follower *f) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    f->source->us_all[r] = 0;
  return follower_try(f);
}

static void sync_lists(struct follower *f) {
  if (try_lists(f) != CRM_OK)
    fail_msg("%s", f->err.message);
}

/* A session that ends does so by itself, but takes its time. */
static void await_no_slot(void) {
  for (int i = 0; i < 500 && number_of(SLOTS) > 0; i++)
    usleep(10000);
  assert_int_equal(number_of(SLOTS), 0);
}

static void make_crm(const char *publication) {
  await_no_slot(); /* or the database could not be dropped */
  follower_make_crm(&pg, false, false);
  pg_fixture_sql(&pg, "postgres", "ALTER ROLE reader REPLICATION CONNECTION LIMIT -1");
  if (strstr(publication, ".sql") != NULL)
    run_file(publication);
  else
    pg_fixture_sql(&pg, "crm", publication);
}

/* --- the equivalence ---------------------------------------------------------------------------------------------- */

struct way {
  const char *name, *publication;
  bool tells; /* old rows tell whose they were */
  const char *setting, *options;
};
static const struct way ways[] = {
    {"publication.sql", "publication.sql", true, "synchronous_commit = on", ""},
    /* Commits that are visible before they can be decoded. */
    {"publication.sql, commits that do not wait", "publication.sql", true, "synchronous_commit = off", ""},
    {"identities by primary keys", "CREATE PUBLICATION collectd_crm FOR ALL TABLES", false, "synchronous_commit = on", ""},
    {"publication.sql, a shard", "publication.sql", true, "synchronous_commit = on", "Shard \"2/3\""},
};

static int env_int(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text != NULL && atoi(text) > 0 ? atoi(text) : otherwise;
}

/* Ends the reader's sessions some microseconds from now, wherever it is in its work. */
static void *end_sessions(void *arg) {
  usleep(*(const useconds_t *)arg);
  pg_fixture_sql(&pg, "crm", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'");
  return NULL;
}

/* The slot goes with its session, so that everything must be read; in the middle of a refresh as well as before the next one. */
static void sync_cut(struct follower *f, struct crm_workload *w) {
  useconds_t delay = (useconds_t)crm_workload_random(w, 6000);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, end_sessions, &delay), 0);
  enum crm_status status = try_lists(f);
  pthread_join(thread, NULL);
  if (status != CRM_OK && status != CRM_ERR_CONNECT)
    fail_msg("%s: %s", crm_status_name(status), f->err.message);
  while ((status = try_lists(f)) == CRM_ERR_CONNECT) {
  }
  if (status != CRM_OK)
    fail_msg("%s", f->err.message);
}

static void restart_server(struct follower *f, struct crm_workload *w, int signal) {
  crm_workload_settle(w);
  uint64_t random = w->random;
  crm_workload_close(w);
  pg_fixture_halt(&pg, signal);
  assert_int_not_equal(try_lists(f), CRM_OK);
  assert_true(pg_fixture_resume(&pg));
  crm_workload_open(w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", random);
  int before = f->full_reads;
  sync_lists(f);
  assert_int_equal(f->full_reads, before + 1);
}

/* FullSync finds nothing that was missed. */
static void full_sync(struct follower *f, int step) {
  uint64_t differ[CRM_RELATIONS];
  if (follower_try_full(f, differ) != CRM_OK)
    fail_msg("%s", f->err.message);
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (differ[r] != 0)
      fail_msg("step %d: FullSync finds %llu rows of relation %s that were missed", step, (unsigned long long)differ[r],
               crm_relation_info((enum crm_relation)r)->name);
}

/* In most cases another commit has the whole log written; else what is visible may lie behind what is written, and is waited for. */
static void write_log(struct crm_workload *w) {
  if (crm_workload_random(w, 4) > 0)
    pg_fixture_sql(&pg, "crm", "SET synchronous_commit = on; CREATE TABLE written (); DROP TABLE written");
}

static bool is_decoded(const struct follower *f) {
  return crm_source_following(f->source, CRM_REL_CONTRACT)->mode == CRM_CHANGES_LOGICAL;
}

static void follows_a_workload(void **state) {
  if (!have_server)
    skip();
  const struct way *way = *state;
  if (getenv("CRM_FOLLOW_WAY") != NULL && strcmp(getenv("CRM_FOLLOW_WAY"), way->name) != 0)
    skip();
  int steps = env_int("CRM_FOLLOW_STEPS", 120), seed = env_int("CRM_FOLLOW_SEED", 1), cuts = 0, full_syncs = 0, decoded = 0;
  unsigned whole[CRM_RELATIONS] = {0}; /* while it was decoded */
  char setting[128], options[128];
  make_crm(way->publication);
  snprintf(setting, sizeof(setting), "ALTER DATABASE crm SET %s", way->setting);
  pg_fixture_sql(&pg, "crm", setting);
  struct crm_workload w = {.stamps = false};
  struct follower f;
  crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", (uint64_t)seed);
  crm_workload_begin(&w, 25);
  snprintf(options, sizeof(options), "Changes \"logical\"\n%s", way->options);
  follower_open(&f, &pg, 0, options);
  sync_lists(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(crm_source_following(f.source, (enum crm_relation)r)->mode, CRM_CHANGES_LOGICAL);
  follower_must_equal(&f, 0);
  for (int i = 1; i <= steps; i++) {
    crm_workload_step(&w);
    if (crm_workload_random(&w, 4) == 0) {
      write_log(&w);
      int kind = (int)crm_workload_random(&w, 24);
      if (kind == 0) {
        sync_cut(&f, &w);
        cuts++;
      } else if (kind == 1 && is_decoded(&f)) {
        sync_lists(&f); /* the slot may have begun only now */
        full_sync(&f, i);
        full_syncs++;
      } else
        sync_lists(&f);
      decoded += is_decoded(&f);
      for (int r = 0; r < CRM_RELATIONS; r++)
        whole[r] += is_decoded(&f) && f.refresh.whole[r];
      if (is_decoded(&f) && crm_workload_random(&w, 2) == 0)
        follower_must_equal(&f, i);
    }
    if (i == steps / 3)
      restart_server(&f, &w, SIGINT);
    if (i == 2 * steps / 3)
      restart_server(&f, &w, SIGQUIT);
  }
  crm_workload_settle(&w);
  sync_lists(&f);
  follower_must_equal(&f, steps);
  print_message("# %s: %d steps (%llu statements, %llu refused), %d refreshes, %d cuts, %d full reads, %d of them by FullSync, %d "
                "comparisons; read whole:",
                way->name, steps, (unsigned long long)w.done, (unsigned long long)w.refused, f.refreshes, cuts, f.full_reads, full_syncs,
                f.compared);
  for (int r = 0; r < CRM_RELATIONS; r++)
    print_message(" %s %u", crm_relation_info((enum crm_relation)r)->name, whole[r]);
  print_message("\n");
  /* After a cut there is one full read, and a second one when the new slot had to wait for a transaction. */
  assert_true(f.full_reads <= 3 + full_syncs + 2 * cuts);
  assert_true(decoded > f.refreshes / 2);
  /* Where old rows tell, only rows that say nothing of accounts make a relation be read whole: there are none for these. */
  assert_int_equal(whole[CRM_REL_CONTRACT], 0);
  if (way->tells) {
    assert_int_equal(whole[CRM_REL_INVOICE], 0);
    assert_int_equal(whole[CRM_REL_SUPPORT], 0);
    assert_int_equal(whole[CRM_REL_HEALTH], 0);
    assert_int_equal(whole[CRM_REL_NPS], 0);
  }
  follower_close(&f);
  await_no_slot();
  crm_workload_close(&w);
}

/* --- one thing at a time ------------------------------------------------------------------------------------------ */

static void begin_small(struct follower *f, const char *publication, const char *options) {
  make_crm(publication);
  struct crm_workload w = {.stamps = true};
  crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", 7);
  crm_workload_begin(&w, 20);
  crm_workload_close(&w);
  follower_open(f, &pg, 0, options);
  sync_lists(f);
}

static PGconn *session(void) {
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {pg.dir, PG_FIXTURE_SUPERUSER, "crm", NULL};
  PGconn *conn = PQconnectdbParams(keys, values, 0);
  if (PQstatus(conn) != CONNECTION_OK)
    fail_msg("%s", PQerrorMessage(conn));
  return conn;
}

static void run(PGconn *conn, const char *sql) {
  PGresult *result = PQexec(conn, sql);
  ExecStatusType type = PQresultStatus(result);
  if (type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(conn));
  PQclear(result);
}

static void only_what_changed_is_read(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, "publication.sql", "");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 0);
  pg_fixture_sql(&pg, "crm", CONTRACT "(" ACCOUNT(3) ", current_date - 5, 100, 'EUR'), (" ACCOUNT(4) ", current_date - 5, 100, 'EUR')");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 2);
  /* No stamp moves, a row leaves one account for another, one goes. */
  pg_fixture_sql(&pg, "crm", "UPDATE crm_ext.contract SET account_id = " ACCOUNT(5) " WHERE account_id = " ACCOUNT(3));
  pg_fixture_sql(&pg, "crm", "DELETE FROM crm_ext.contract WHERE account_id = " ACCOUNT(4));
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  assert_int_equal(f.applied.accounts, 3);
  pg_fixture_sql(
      &pg, "crm",
      "INSERT INTO nps_surveys (organization_id, account_id, score) SELECT organization_id, id, 9 FROM accounts WHERE id IN (" ACCOUNT(
          6) ", " ACCOUNT(7) ")");
  sync_lists(&f);
  pg_fixture_sql(&pg, "crm", "DELETE FROM nps_surveys WHERE account_id = " ACCOUNT(6));
  pg_fixture_sql(&pg, "crm", "UPDATE nps_surveys SET account_id = " ACCOUNT(8));
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  /* A day is read alone, in usage and in health. */
  pg_fixture_sql(&pg, "crm", HEALTH("generate_series(1, 40)"));
  sync_lists(&f);
  pg_fixture_sql(&pg, "crm", HEALTH("generate_series(0, 0)"));
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 2);
  pg_fixture_sql(&pg, "crm", "UPDATE health_metrics SET overall_health_score = 61 WHERE metric_date = current_date - 9");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 2);
  pg_fixture_sql(&pg, "crm", "UPDATE health_metrics SET metric_date = current_date - 9 WHERE metric_date = current_date - 7");
  pg_fixture_sql(&pg, "crm", "DELETE FROM health_metrics WHERE metric_date = current_date - 8");
  sync_lists(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(f.whole[r], 0);
  assert_int_equal(f.full_reads, 1);
  follower_must_equal(&f, 0);
  pg_fixture_sql(&pg, "crm", "TRUNCATE nps_surveys");
  sync_lists(&f);
  assert_int_equal(f.whole[CRM_REL_NPS], 1);
  follower_must_equal(&f, 1);
  follower_close(&f);
  await_no_slot();
}

#define DEVICE(n) "(md5('device " #n "')::uuid, md5('product 0')::uuid, md5('tracked')::uuid, 'u" #n "@example.com')"
#define SESSION(id, device, tracked)                                                                                                       \
  "INSERT INTO usage_sessions (id, product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at) VALUES"            \
  " (md5('session " #id "')::uuid, md5('product 0')::uuid, md5('device " #device "')::uuid, " tracked                                      \
  ", 's', now() - interval '2 hours', now() - interval '1 hour')"

/* A session does not say whose it is; what it belongs to does. */
static void sessions_are_looked_up(void **state) {
  (void)state;
  if (!have_server)
    skip();
  static const struct {
    const char *sql;
    unsigned whole;
  } steps[] = {
      {"INSERT INTO usage_tracked_accounts (id, product_id, account_id, fastenr_account_id) VALUES"
       " (md5('tracked')::uuid, md5('product 0')::uuid, 'x', " ACCOUNT(3) ")",
       1}, /* it says nothing of accounts */
      {"INSERT INTO user_fingerprints (id, product_id, tracked_account_id, user_email) VALUES " DEVICE(1),
       1}, /* nobody was seen there yet */
      {SESSION(1, 1, "md5('tracked')::uuid"), 0},
      {"BEGIN; INSERT INTO user_fingerprints (id, product_id, tracked_account_id, user_email) VALUES " DEVICE(2) "; " SESSION(
           2, 2, "md5('tracked')::uuid") "; COMMIT",
       0},
      {"UPDATE usage_sessions SET ended_at = now() WHERE id = md5('session 2')::uuid", 0},
      {"UPDATE user_fingerprints SET user_email = 'u1@example.com'", 0},
      {SESSION(3, 1, "NULL"), 0},
      {"UPDATE usage_sessions SET tracked_account_id = NULL WHERE id = md5('session 1')::uuid", 0},
      {"DELETE FROM usage_sessions WHERE id = md5('session 3')::uuid", 0},
      {"DELETE FROM usage_sessions WHERE id = md5('session 2')::uuid", 1}, /* the last that had led to the account */
  };
  struct follower f;
  begin_small(&f, "publication.sql", "");
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    unsigned before = f.whole[CRM_REL_USAGE];
    pg_fixture_sql(&pg, "crm", steps[i].sql);
    sync_lists(&f);
    if (f.whole[CRM_REL_USAGE] - before != steps[i].whole)
      fail_msg("read whole %u times after %s", f.whole[CRM_REL_USAGE] - before, steps[i].sql);
    follower_must_equal(&f, (int)i);
  }
  assert_int_equal(f.full_reads, 1);
  follower_close(&f);
}

/* A commit that comes after the snapshot of a refresh stays for the next one; and a refresh that fails leaves everything for the next. */
static void nothing_is_lost_between(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, "publication.sql", "LockTimeout 0.1");
  PGconn *late = session();
  run(late, "BEGIN; " CONTRACT "(" ACCOUNT(3) ", current_date - 5, 100, 'EUR')");
  pg_fixture_sql(&pg, "crm", CONTRACT "(" ACCOUNT(4) ", current_date - 5, 100, 'EUR')");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  run(late, "COMMIT");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  follower_must_equal(&f, 0);
  pg_fixture_sql(&pg, "crm", CONTRACT "(" ACCOUNT(5) ", current_date - 5, 100, 'EUR')");
  run(late, "BEGIN; LOCK TABLE crm_ext.contract");
  assert_int_not_equal(try_lists(&f), CRM_OK); /* it is decoded by then */
  pg_fixture_sql(&pg, "crm", "UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(6));
  assert_int_not_equal(try_lists(&f), CRM_OK);
  run(late, "COMMIT");
  sync_lists(&f);
  assert_int_equal(crm_source_rows(f.source), 3); /* the contract, the account, its revenue */
  assert_int_equal(f.full_reads, 1);
  follower_must_equal(&f, 1);
  PQfinish(late);
  follower_close(&f);
}

/* The slot cannot begin while a transaction is open that is older: until then the next best serves. */
static void an_old_transaction_is_waited_for(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  make_crm("publication.sql");
  PGconn *old = session();
  run(old, "BEGIN; CREATE TABLE ahead ()");
  follower_open(&f, &pg, 0, "LockTimeout 0.05");
  sync_lists(&f);
  assert_int_equal(crm_source_following(f.source, CRM_REL_CONTRACT)->mode, CRM_CHANGES_COUNTERS);
  sync_lists(&f);
  assert_int_equal(f.full_reads, 1);
  usleep(100000);
  sync_lists(&f);
  run(old, "COMMIT");
  for (int i = 0; i < 100 && f.full_reads < 2; i++) {
    usleep(20000);
    sync_lists(&f);
  }
  assert_int_equal(f.full_reads, 2);
  assert_true(is_decoded(&f));
  PQfinish(old);
  follower_close(&f);
  await_no_slot();
}

/* However the process ends, its slot is gone. */
static void no_slot_stays(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, "publication.sql", "");
  assert_int_equal(number_of(SLOTS " WHERE temporary AND plugin = 'pgoutput' AND slot_name LIKE 'crm_main_%'"), 1);
  follower_close(&f);
  await_no_slot();
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    follower_open(&f, &pg, 0, "");
    sync_lists(&f);
    if (write(ready[1], "", 1) == 1)
      pause();
    _exit(1);
  }
  char byte;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(number_of(SLOTS), 1);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  await_no_slot();
  close(ready[0]);
  close(ready[1]);
}

/* While syncs fail the log piles up at the server, so the slot is given up after a while. */
static void a_slot_is_given_up(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, "publication.sql", "");
  int64_t *patience_us = &f.options.instances[0].source.read_timeout_us, usual_us = *patience_us;
  assert_int_equal(number_of(SLOTS), 1);
  pg_fixture_sql(&pg, "postgres", "ALTER ROLE reader CONNECTION LIMIT 1");
  pg_fixture_sql(&pg, "crm",
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
                 " AND pid NOT IN (SELECT active_pid FROM pg_replication_slots)");
  assert_int_equal(try_lists(&f), CRM_ERR_CONNECT);
  assert_int_equal(number_of(SLOTS), 1);
  *patience_us = 100000;
  usleep(350000);
  assert_int_not_equal(try_lists(&f), CRM_OK);
  await_no_slot();
  *patience_us = usual_us;
  pg_fixture_sql(&pg, "postgres", "ALTER ROLE reader CONNECTION LIMIT -1");
  sync_lists(&f);
  assert_int_equal(f.full_reads, 2);
  assert_true(is_decoded(&f));
  follower_close(&f);
}

/* What is decoded must fit in; else everything is read, once. */
static void too_much_is_read_whole(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  make_crm("CREATE TABLE loud (account text, at timestamptz); ALTER TABLE loud REPLICA IDENTITY FULL;"
           "GRANT SELECT ON loud TO reader; CREATE PUBLICATION collectd_crm FOR ALL TABLES");
  follower_open(&f, &pg, 0, "<Relation \"signal\">\n Query \"SELECT account AS account_id, 'k' AS kind, at FROM loud\"\n</Relation>");
  sync_lists(&f);
  assert_int_equal(crm_source_following(f.source, CRM_REL_SIGNAL)->mode, CRM_CHANGES_LOGICAL);
  /* Inserted and deleted, so that each is told twice: 9 MB, then 36 MB. */
  pg_fixture_sql(&pg, "crm", "INSERT INTO loud SELECT repeat(i || ' ', 300000), now() FROM generate_series(10, 14) i; DELETE FROM loud");
  sync_lists(&f);
  assert_int_equal(f.full_reads, 1);
  pg_fixture_sql(&pg, "crm", "INSERT INTO loud SELECT repeat(i || ' ', 300000), now() FROM generate_series(10, 29) i; DELETE FROM loud");
  sync_lists(&f);
  assert_int_equal(f.full_reads, 2);
  follower_must_equal(&f, 0);
  sync_lists(&f);
  assert_int_equal(f.full_reads, 2);
  assert_true(is_decoded(&f));
  follower_close(&f);
}

/* --- partitions --- */

static void partitions(void **state) {
  (void)state;
  if (!have_server)
    skip();
  static const char *const publications[] = {
      "CREATE PUBLICATION collectd_crm FOR ALL TABLES",
      "CREATE PUBLICATION collectd_crm FOR ALL TABLES WITH (publish_via_partition_root = true)",
      "CREATE PUBLICATION collectd_crm FOR TABLE answers",
  };
  for (size_t i = 0; i < sizeof(publications) / sizeof(publications[0]); i++) {
    struct follower f;
    make_crm("CREATE TABLE answers (id bigint, account uuid, score int, at timestamptz, PRIMARY KEY (id, account)) PARTITION BY RANGE (id);"
             "CREATE TABLE few PARTITION OF answers FOR VALUES FROM (0) TO (100);"
             /* The columns stand in another order there. */
             "CREATE TABLE many (at timestamptz, score int, account uuid NOT NULL, id bigint NOT NULL, PRIMARY KEY (id, account));"
             "ALTER TABLE answers ATTACH PARTITION many FOR VALUES FROM (100) TO (200); GRANT SELECT ON answers TO reader");
    pg_fixture_sql(&pg, "crm", publications[i]);
    struct crm_workload w = {.stamps = true};
    crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", 7);
    crm_workload_begin(&w, 9);
    crm_workload_close(&w);
    follower_open(&f, &pg, 0, "<Relation \"nps\">\n Query \"SELECT account AS account_id, score, at FROM answers\"\n</Relation>");
    sync_lists(&f);
    assert_int_equal(crm_source_following(f.source, CRM_REL_NPS)->mode, CRM_CHANGES_LOGICAL);
    pg_fixture_sql(&pg, "crm", "INSERT INTO answers SELECT 95 + i, md5('account ' || i)::uuid, i, now() FROM generate_series(1, 8) i");
    sync_lists(&f);
    assert_int_equal(crm_source_rows(f.source), 8);
    pg_fixture_sql(&pg, "crm", "DELETE FROM answers WHERE id IN (96, 101)");
    sync_lists(&f);
    assert_int_equal(crm_source_rows(f.source), 0);
    pg_fixture_sql(&pg, "crm", "UPDATE answers SET id = id + 50 WHERE id = 97"); /* into the other partition */
    pg_fixture_sql(&pg, "crm", "UPDATE answers SET account = " ACCOUNT(8) " WHERE id = 102");
    sync_lists(&f);
    assert_int_equal(crm_source_rows(f.source), 3);
    follower_must_equal(&f, (int)i);
    if (f.whole[CRM_REL_NPS] != 0 || f.full_reads != 1)
      fail_msg("%s: read whole %u times", publications[i], f.whole[CRM_REL_NPS]);
    pg_fixture_sql(&pg, "crm", "TRUNCATE many");
    sync_lists(&f);
    follower_must_equal(&f, (int)i);
    /* What is attached is another table to look at. */
    pg_fixture_sql(
        &pg, "crm",
        "CREATE TABLE more PARTITION OF answers FOR VALUES FROM (200) TO (300); INSERT INTO more VALUES (200, " ACCOUNT(1) ", 3, now())");
    sync_lists(&f);
    assert_int_equal(f.full_reads, 2);
    pg_fixture_sql(&pg, "crm", "UPDATE answers SET score = 4 WHERE id = 200");
    sync_lists(&f);
    assert_int_equal(crm_source_rows(f.source), 1);
    follower_must_equal(&f, (int)i);
    follower_close(&f);
  }
}

/* --- falling back ------------------------------------------------------------------------------------------------- */

static const struct crm_following *probe(struct follower *f, enum crm_relation relation) {
  if (crm_source_probe(f->source, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  return crm_source_following(f->source, relation);
}

static void must_say(const char *text, const char *what) {
  if (strstr(text, what) == NULL)
    fail_msg("\"%s\" is not in: %s", what, text);
}

/* What is lacking is told, the statements that are told help, and nothing is made for it. */
static void remedies_work(void **state) {
  (void)state;
  if (!have_server)
    skip();
  make_crm("ALTER ROLE reader NOREPLICATION");
  pg_fixture_halt(&pg, SIGINT);
  pg.logical = false;
  assert_true(pg_fixture_resume(&pg));
  struct follower f;
  follower_open(&f, &pg, 0, "Changes \"logical\"");
  const struct crm_following *contract = probe(&f, CRM_REL_CONTRACT);
  assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
  must_say(contract->why, "wal_level is not logical");
  struct crm_following_database all = crm_source_following_database(f.source, 0);
  assert_false(all.possible);
  assert_string_equal(all.why, "wal_level is not logical; the role has no attribute REPLICATION; there is no publication collectd_crm");
  must_say(all.remedy, "ALTER SYSTEM SET wal_level = logical (and a restart of the server); ALTER ROLE reader REPLICATION; "
                       "CREATE PUBLICATION collectd_crm FOR TABLE ");
  pg_fixture_halt(&pg, SIGINT);
  pg.logical = true;
  assert_true(pg_fixture_resume(&pg));
  pg_fixture_sql(&pg, "crm", "ALTER TABLE crm_ext.invoice DROP CONSTRAINT invoice_pkey");
  contract = probe(&f, CRM_REL_CONTRACT);
  must_say(contract->why, "not by logical decoding: the role has no attribute REPLICATION; there is no publication");
  pg_fixture_sql(&pg, "crm", crm_source_following_database(f.source, 0).remedy);
  contract = probe(&f, CRM_REL_CONTRACT);
  assert_int_equal(contract->mode, CRM_CHANGES_LOGICAL);
  assert_string_equal(contract->why, "by publication collectd_crm");
  assert_true(crm_source_following_database(f.source, 0).used);
  /* It was given an identity before it was published, so that it can still be updated. */
  pg_fixture_sql(&pg, "crm", "UPDATE crm_ext.invoice SET amount = 1");
  const struct crm_following *support = crm_source_following(f.source, CRM_REL_SUPPORT);
  assert_int_equal(support->mode, CRM_CHANGES_LOGICAL);
  assert_string_equal(support->why,
                      "by publication collectd_crm; read whole when rows of support_metrics are updated or deleted, since its "
                      "replica identity does not tell whose they were");
  assert_string_equal(support->remedy, "ALTER TABLE support_metrics REPLICA IDENTITY USING INDEX "
                                       "support_metrics_organization_id_account_id_provider_metric__key");
  pg_fixture_sql(&pg, "crm", support->remedy);
  support = probe(&f, CRM_REL_SUPPORT);
  assert_string_equal(support->why, "by publication collectd_crm");
  assert_string_equal(support->remedy, "");
  assert_int_equal(number_of(SLOTS), 0);
  follower_close(&f);
}

#define INDEX "CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_contract_updated_at_idx ON crm_ext.contract (updated_at)"

/* What the publication does not have in full is followed another way, from the sync on that notices. */
static void what_is_not_published(void **state) {
  (void)state;
  if (!have_server)
    skip();
  static const struct {
    const char *alter, *restore, *why, *remedy;
    bool all; /* relations, not that one alone */
  } cases[] = {
      {"ALTER PUBLICATION collectd_crm DROP TABLE crm_ext.contract", NULL, "the publication lacks crm_ext.contract",
       "ALTER PUBLICATION \"collectd_crm\" ADD TABLE crm_ext.contract", false},
      {"ALTER PUBLICATION collectd_crm DROP TABLE crm_ext.contract; ALTER PUBLICATION collectd_crm ADD TABLE crm_ext.contract WHERE (arr > "
       "0);"
       "ALTER TABLE crm_ext.contract REPLICA IDENTITY FULL",
       "ALTER PUBLICATION collectd_crm DROP TABLE crm_ext.contract; ALTER PUBLICATION collectd_crm ADD TABLE crm_ext.contract",
       "crm_ext.contract, of which the publication filters rows", INDEX, false},
      {"ALTER PUBLICATION collectd_crm SET (publish = 'insert, update')",
       "ALTER PUBLICATION collectd_crm SET (publish = 'insert, update, delete, truncate')", "leaves kinds of changes out", INDEX, true},
      {"DROP PUBLICATION collectd_crm", "CREATE PUBLICATION collectd_crm FOR ALL TABLES", "there is no publication collectd_crm", INDEX,
       true},
  };
  struct follower f;
  begin_small(&f, "publication.sql", "Changes \"logical\"");
  const struct crm_following *contract = crm_source_following(f.source, CRM_REL_CONTRACT);
  int full_reads = 1;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    pg_fixture_sql(&pg, "crm", cases[i].alter);
    pg_fixture_sql(&pg, "crm", CONTRACT "(" ACCOUNT(4) ", current_date - 5, 100, 'EUR')");
    sync_lists(&f);
    assert_int_equal(f.full_reads, ++full_reads);
    assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
    must_say(contract->why, cases[i].why);
    assert_string_equal(contract->remedy, cases[i].remedy);
    assert_int_equal(crm_source_following(f.source, CRM_REL_NPS)->mode, cases[i].all ? CRM_CHANGES_COUNTERS : CRM_CHANGES_LOGICAL);
    follower_sql(&pg, "UPDATE crm_ext.contract SET arr = arr - 7; DELETE FROM nps_surveys");
    sync_lists(&f);
    assert_int_equal(f.full_reads, full_reads);
    follower_must_equal(&f, (int)i);
    pg_fixture_sql(&pg, "crm", cases[i].restore != NULL ? cases[i].restore : contract->remedy);
    sync_lists(&f);
    if (cases[i].all) { /* nobody looks for it between full reads */
      crm_picture_free(f.picture);
      f.picture = NULL;
      follower_sync(&f);
    }
    assert_int_equal(f.full_reads, ++full_reads);
    assert_true(is_decoded(&f));
  }
  follower_close(&f);
}

static void crmctl_tells(void **state) {
  (void)state;
  if (!have_server)
    skip();
  static char said[65536];
  make_crm("publication.sql");
  crmctl_check(&pg, said, sizeof(said));
  must_say(said, "logical decoding: yes, by publication collectd_crm RELATION STATE FROM account ok");
  must_say(said, "changes: logical, by publication collectd_crm");
  pg_fixture_sql(&pg, "crm", "ALTER PUBLICATION collectd_crm DROP TABLE crm_ext.contract");
  crmctl_check(&pg, said, sizeof(said));
  must_say(said, "changes: counters, changed_at of crm_ext.contract leads no index; not by logical decoding: the publication lacks "
                 "crm_ext.contract cheaper with ALTER PUBLICATION \"collectd_crm\" ADD TABLE crm_ext.contract;");
  pg_fixture_sql(&pg, "crm", "DROP PUBLICATION collectd_crm");
  crmctl_check(&pg, said, sizeof(said));
  must_say(said, "logical decoding: no, there is no publication collectd_crm possible with CREATE PUBLICATION collectd_crm FOR TABLE ");
  assert_null(strstr(said, "changes: logical"));
  assert_int_equal(number_of(SLOTS), 0);
}

static int start(void **state) {
  pg.logical = true;
  return pg_shared_start(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_what_changed_is_read), cmocka_unit_test(sessions_are_looked_up),
      cmocka_unit_test(nothing_is_lost_between), cmocka_unit_test(an_old_transaction_is_waited_for),
      cmocka_unit_test(no_slot_stays), cmocka_unit_test(a_slot_is_given_up),
      cmocka_unit_test(too_much_is_read_whole), cmocka_unit_test(partitions),
      cmocka_unit_test(remedies_work), cmocka_unit_test(what_is_not_published),
      cmocka_unit_test(crmctl_tells),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[0]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[1]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[2]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[3]),
  };
  return cmocka_run_group_tests(tests, start, pg_shared_stop);
}
