/* SPDX-License-Identifier: MIT */
/* Following the CRM must come to the same as reading it whole: a random workload runs against the demo CRM while a picture follows it, and
 * at random moments every series equals that of a fresh full read, byte for byte. CRM_FOLLOW_STEPS (default 300) steps for each way of
 * following, CRM_FOLLOW_SEED, CRM_FOLLOW_WAY for one of them. */
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
#include <unistd.h>

#include "analytics/evaluate.h"
#include "base/clock.h"
#include "export/text.h"
#include "facts/compare.h"
#include "lib/crm_workload.h"
#include "lib/pg_fixture.h"
#include "options/options.h"
#include "source/follow.h"
#include "source/statement.h"

static struct pg_fixture pg;
static bool have_server;

/* One transaction; the server's counters tell of it at once. */
static void sql(const char *text) {
  char both[8192];
  snprintf(both, sizeof(both), "%s; SELECT pg_stat_force_next_flush()", text);
  pg_fixture_sql(&pg, "crm", both);
}

static void psql(const char *file) {
  char command[1024];
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(command, sizeof(command), "%s/psql -qX -v ON_ERROR_STOP=1 -h %s -U boss -d crm -f %s/contrib/sql/%s >/dev/null", pg.bindir,
           pg.dir, srcdir != NULL ? srcdir : ".", file);
  if (system(command) != 0)
    fail_msg("%s", command);
}

static void make_crm(bool watermarks, bool sees_activity) {
  pg_fixture_sql(&pg, "postgres", "DROP DATABASE IF EXISTS crm WITH (FORCE)");
  pg_fixture_sql(&pg, "postgres", "CREATE DATABASE crm");
  pg_fixture_sql(&pg, "postgres",
                 "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN"
                 " CREATE ROLE reader LOGIN; END IF; END $$");
  pg_fixture_sql(&pg, "postgres", sees_activity ? "GRANT pg_read_all_stats TO reader" : "REVOKE pg_read_all_stats FROM reader");
  psql("schema.sql");
  psql("schema_ext.sql");
  if (watermarks)
    psql("watermarks.sql");
  sql("GRANT USAGE ON SCHEMA crm_ext TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA crm_ext TO reader");
}

/* --- one that follows --------------------------------------------------------------------------------------------- */

struct follower {
  struct crm_options options;
  struct crm_arena arena; /* of the configuration's text */
  struct crm_stop *stop;
  struct crm_source *source; /* follows */
  struct crm_source *fresh;  /* reads whole, to compare with */
  struct crm_picture *picture;
  struct crm_refresh refresh; /* the last one; its patch is gone */
  struct crm_patch_applied applied;
  struct crm_error err;
  int full_reads, refreshes, compared, cuts;
  unsigned whole[CRM_RELATIONS];
};

static void take_log(void *ctx, enum crm_log_level level, const char *message) {
  (void)ctx;
  if (getenv("CRM_FOLLOW_LOG") != NULL)
    print_message("# log %d: %s\n", level, message);
}

static void open_follower(struct follower *f, const char *extra) {
  *f = (struct follower){0};
  char text[2048], mappings[512];
  snprintf(text, sizeof(text),
           "<Instance \"main\">\n Host \"%s\"\n Database \"crm\"\n User \"reader\"\n PerAccount \"all\"\n Currency \"USD\"\n"
           " TimeZone \"Europe/Berlin\"\n%s\n</Instance>\n",
           pg.dir, extra);
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(mappings, sizeof(mappings), "%s/src/mappings", srcdir != NULL ? srcdir : ".");
  struct crm_conf_node root = {0};
  crm_arena_init(&f->arena, 0);
  crm_options_init(&f->options);
  if (crm_conf_parse(text, strlen(text), "follow.conf", &f->arena, &root, &f->err) != CRM_OK ||
      crm_options_parse(&f->options, &root, mappings, &f->err) != CRM_OK || crm_options_finish(&f->options, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  assert_int_equal(crm_stop_new(&f->stop), CRM_OK);
  const struct crm_log log = {.write = take_log};
  const struct crm_source_options *source = &f->options.instances[0].source;
  if (crm_source_new(source, &log, f->stop, &f->source, &f->err) != CRM_OK ||
      crm_source_new(source, &log, f->stop, &f->fresh, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
}

static void close_follower(struct follower *f) {
  crm_picture_free(f->picture);
  crm_source_free(f->source);
  crm_source_free(f->fresh);
  crm_stop_free(f->stop);
  crm_options_free(&f->options);
  crm_arena_free(&f->arena);
}

/* As the engine does it. */
static enum crm_status try_sync(struct follower *f) {
  enum crm_status status = CRM_OK;
  bool full = f->picture == NULL;
  f->refresh = (struct crm_refresh){0};
  if (!full) {
    status = crm_source_refresh(f->source, f->picture, &f->refresh, &f->err);
    full = f->refresh.full_wanted;
    if (status == CRM_OK && !full) {
      f->refreshes++;
      status = crm_patch_apply(f->refresh.patch, &f->applied, &f->err);
      crm_patch_free(f->refresh.patch);
      if (status == CRM_OK)
        crm_source_accept(f->source, f->picture);
      for (int r = 0; r < CRM_RELATIONS; r++)
        f->whole[r] += f->refresh.whole[r];
    }
  }
  if (status == CRM_OK && full) {
    struct crm_picture *picture = NULL;
    status = crm_source_read_picture(f->source, NULL, NULL, &picture, &f->err);
    if (status == CRM_OK) {
      crm_picture_free(f->picture);
      f->picture = picture;
      f->full_reads++;
    }
  }
  return status;
}

static void sync_now(struct follower *f) {
  if (try_sync(f) != CRM_OK)
    fail_msg("%s", f->err.message);
}

static char *series(struct follower *f, const struct crm_facts *facts, crm_time at) {
  struct crm_series_set set;
  struct crm_strbuf text;
  struct crm_arena scratch;
  crm_arena_init(&scratch, 0);
  crm_strbuf_init(&text, 1 << 28);
  assert_int_equal(crm_set_init(&set), CRM_OK);
  if (crm_evaluate(facts, &f->options.instances[0].params, at, &scratch, &set, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  crm_export_text(&set, &text);
  crm_set_free(&set);
  crm_arena_free(&scratch);
  char *out = crm_strbuf_take(&text);
  assert_non_null(out);
  return out;
}

static void tell_difference(const char *followed, const char *fresh) {
  const char *a = followed, *b = fresh;
  while (*a != '\0' && *b != '\0') {
    size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");
    if (la != lb || strncmp(a, b, la) != 0) {
      print_message("# followed: %.*s\n# fresh:    %.*s\n", (int)la, a, (int)lb, b);
      return;
    }
    a += la + (a[la] != '\0');
    b += lb + (b[lb] != '\0');
  }
}

/* Every series, and every row, as after a fresh full read. */
static void must_equal(struct follower *f, int step) {
  struct crm_facts *fresh = NULL;
  if (crm_source_read(f->fresh, &fresh, &f->err) != CRM_OK)
    fail_msg("%s", f->err.message);
  uint64_t differ[CRM_RELATIONS];
  assert_int_equal(crm_facts_compare(crm_picture_facts(f->picture), fresh, differ, &f->err), CRM_OK);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    if (differ[r] != 0)
      fail_msg("step %d: %llu rows of relation %s differ from a fresh read", step, (unsigned long long)differ[r],
               crm_relation_info((enum crm_relation)r)->name);
  }
  crm_time at = crm_clock_realtime_us();
  char *a = series(f, crm_picture_facts(f->picture), at), *b = series(f, fresh, at);
  if (strcmp(a, b) != 0) {
    tell_difference(a, b);
    fail_msg("step %d: the series differ from those of a fresh read", step);
  }
  free(a);
  free(b);
  crm_facts_unref(fresh);
  f->compared++;
}

/* --- the equivalence ---------------------------------------------------------------------------------------------- */

struct way {
  const char *name, *options;
  bool watermarks, sees_activity, stamps;
  enum crm_changes engagement, usage; /* what is then in force */
};
static const struct way ways[] = {
    {"counters", "", false, false, false, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS},
    {"auto with indexes", "", true, true, false, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
    {"auto with indexes, activity hidden", "", true, false, false, CRM_CHANGES_COUNTERS, CRM_CHANGES_COUNTERS},
    {"poll", "Changes \"poll\"\nChangesOverlap 0", true, true, true, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
    {"none", "Changes \"none\"", false, false, false, CRM_CHANGES_NONE, CRM_CHANGES_NONE},
    {"auto with indexes, a shard", "Shard \"2/3\"", true, true, false, CRM_CHANGES_POLL, CRM_CHANGES_POLL},
};

static int env_int(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text != NULL && atoi(text) > 0 ? atoi(text) : otherwise;
}

static void restart_server(struct follower *f, struct crm_workload *w) {
  crm_workload_settle(w);
  uint64_t random = w->random;
  crm_workload_close(w);
  pg_fixture_halt(&pg, SIGINT);
  assert_int_not_equal(try_sync(f), CRM_OK);
  assert_true(pg_fixture_resume(&pg));
  crm_workload_open(w, pg.dir, "crm", random);
  int before = f->full_reads;
  sync_now(f);
  assert_int_equal(f->full_reads, before + 1); /* the counters are not those they were */
}

/* Ends the reader's sessions some microseconds from now, wherever it is in its work. */
static void *cut(void *arg) {
  usleep(*(const useconds_t *)arg);
  pg_fixture_sql(&pg, "crm", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reader'");
  return NULL;
}

/* Whatever a refresh had done when its connection was cut, the next one finds the same changes again. */
static void sync_cut(struct follower *f, struct crm_workload *w) {
  useconds_t delay = (useconds_t)crm_workload_random(w, 6000);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, cut, &delay), 0);
  enum crm_status status = try_sync(f);
  pthread_join(thread, NULL);
  if (status != CRM_OK) {
    if (status != CRM_ERR_CONNECT)
      fail_msg("%s: %s", crm_status_name(status), f->err.message);
    f->cuts++;
  }
  while ((status = try_sync(f)) == CRM_ERR_CONNECT) {
  }
  if (status != CRM_OK)
    fail_msg("%s", f->err.message);
}

static void follows_a_workload(void **state) {
  if (!have_server)
    skip();
  const struct way *way = *state;
  if (getenv("CRM_FOLLOW_WAY") != NULL && strcmp(getenv("CRM_FOLLOW_WAY"), way->name) != 0)
    skip();
  int steps = env_int("CRM_FOLLOW_STEPS", 300), seed = env_int("CRM_FOLLOW_SEED", 1);
  make_crm(way->watermarks, way->sees_activity);
  struct crm_workload w = {.stamps = way->stamps};
  struct follower f;
  crm_workload_open(&w, pg.dir, "crm", (uint64_t)seed);
  crm_workload_begin(&w, 25);
  open_follower(&f, way->options);
  sync_now(&f);
  assert_int_equal(crm_source_following(f.source, CRM_REL_ENGAGEMENT)->mode, way->engagement);
  assert_int_equal(crm_source_following(f.source, CRM_REL_USAGE)->mode, way->usage);
  must_equal(&f, 0);
  for (int i = 1; i <= steps; i++) {
    crm_workload_step(&w);
    if (crm_workload_random(&w, 5) == 0) {
      if (crm_workload_random(&w, 8) == 0)
        sync_cut(&f, &w);
      else
        sync_now(&f);
      if (crm_workload_random(&w, 3) == 0)
        must_equal(&f, i);
    }
    if (i == steps / 2)
      restart_server(&f, &w);
  }
  crm_workload_settle(&w);
  sync_now(&f);
  must_equal(&f, steps);
  print_message("# %s: %d steps (%llu statements, %llu refused), %d refreshes, %d cut, %d full reads, %d comparisons\n", way->name, steps,
                (unsigned long long)w.done, (unsigned long long)w.refused, f.refreshes, f.cuts, f.full_reads, f.compared);
  if (way->engagement == CRM_CHANGES_POLL) /* else the polls were worth nothing */
    assert_true(f.whole[CRM_REL_CONTRACT] < (unsigned)f.refreshes / 2);
  /* Only restarts may have led to a full read. */
  assert_int_equal(f.full_reads, 2);
  close_follower(&f);
  crm_workload_close(&w);
}

/* --- one thing at a time ------------------------------------------------------------------------------------------ */

#define ACCOUNT(n) "md5('account " #n "')::uuid"

static void begin_small(struct follower *f, bool watermarks, const char *options) {
  make_crm(watermarks, true);
  struct crm_workload w = {.stamps = true};
  crm_workload_open(&w, pg.dir, "crm", 7);
  crm_workload_begin(&w, 20);
  crm_workload_close(&w);
  open_follower(f, options);
  sync_now(f);
}

static void nothing_happens(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  sync_now(&f); /* sessions that have ended since may have shown their counters */
  crm_time read_at = crm_picture_facts(f.picture)->read_at[CRM_REL_USAGE];
  sync_now(&f);
  assert_int_equal(f.full_reads, 1);
  assert_int_equal(crm_source_rows(f.source), 0);
  assert_int_equal(f.applied.accounts, 0);
  assert_true(crm_picture_facts(f.picture)->read_at[CRM_REL_USAGE] > read_at);
  close_follower(&f);
}

static void only_what_changed_is_read(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  sync_now(&f);
  sql("INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')");
  sync_now(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  assert_int_equal(f.applied.accounts, 1);
  assert_false(f.refresh.whole[CRM_REL_CONTRACT]);
  sql("INSERT INTO health_metrics (organization_id, account_id) SELECT organization_id, id FROM accounts WHERE id = " ACCOUNT(4));
  sync_now(&f);
  assert_int_equal(crm_source_rows(f.source), 1); /* usage; a score of 50 is none of health */
  assert_false(f.refresh.whole[CRM_REL_USAGE]);
  must_equal(&f, 0);
  close_follower(&f);
}

/* A transaction that stamps its rows, and commits after a poll has looked past its stamp. */
static void late_commit(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "Changes \"poll\"\nChangesOverlap 0");
  struct crm_workload w = {0};
  crm_workload_open(&w, pg.dir, "crm", 1);
  PQclear(PQexec(w.late, "BEGIN"));
  PQclear(PQexec(
      w.late, "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')"));
  usleep(1200000); /* polls look at whole seconds */
  sql("INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(4) ", current_date - 5, 100, 'EUR')");
  sync_now(&f);
  usleep(1200000);
  sync_now(&f);
  PQclear(PQexec(w.late, "COMMIT"));
  sync_now(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  must_equal(&f, 0);
  crm_workload_close(&w);
  close_follower(&f);
}

/* changed_at is not set by an update: with Changes auto the counters do not agree, and the relation is read whole. */
static void unstamped_update(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  sync_now(&f);
  sql("UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(3));
  sync_now(&f);
  assert_true(f.refresh.whole[CRM_REL_ACCOUNT]);
  must_equal(&f, 0);
  close_follower(&f);
}

static void altered_tables(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  sync_now(&f);
  sql("ALTER TABLE crm_ext.contract ALTER arr TYPE double precision");
  sync_now(&f);
  assert_int_equal(f.full_reads, 2);
  must_equal(&f, 0);
  sql("ALTER TABLE nps_surveys RENAME TO nps_gone");
  sync_now(&f);
  assert_int_equal(f.full_reads, 3);
  assert_false(crm_picture_facts(f.picture)->available[CRM_REL_NPS]);
  sync_now(&f);
  assert_int_equal(f.full_reads, 3);
  sql("ALTER TABLE nps_gone RENAME TO nps_surveys");
  sync_now(&f);
  assert_int_equal(f.full_reads, 4);
  assert_true(crm_picture_facts(f.picture)->available[CRM_REL_NPS]);
  must_equal(&f, 0);
  close_follower(&f);
}

/* What depends on the clock, or on what a function of the user's reads, cannot be followed. */
static void what_cannot_be_followed(void **state) {
  (void)state;
  if (!have_server)
    skip();
  static const struct {
    const char *query, *why;
    enum crm_changes mode;
  } cases[] = {
      {"SELECT account_id, score, created_at AS at FROM nps_surveys WHERE created_at > now() - interval '90 days'", "now()",
       CRM_CHANGES_NONE},
      {"SELECT account_id, score, survey_date AS at FROM nps_surveys WHERE survey_date < CURRENT_DATE", "CURRENT_DATE", CRM_CHANGES_NONE},
      {"SELECT account_id, least(score, threshold()) AS score, created_at AS at FROM nps_surveys", "threshold()", CRM_CHANGES_NONE},
      {"SELECT account_id, score, created_at AS at FROM answers", "", CRM_CHANGES_COUNTERS}, /* a view */
      {"SELECT account_id, score, created_at AS at, created_at AS changed_at FROM nps_surveys WHERE score > 3", "hide",
       CRM_CHANGES_COUNTERS},
      {"SELECT account_id, score, created_at AS at, max(created_at) OVER (PARTITION BY account_id) AS changed_at FROM nps_surveys",
       "plain column", CRM_CHANGES_COUNTERS},
      {"SELECT account_id, score, created_at AS at, created_at AS changed_at FROM nps_surveys", "by rows of nps_surveys", CRM_CHANGES_POLL},
  };
  make_crm(true, true);
  sql("CREATE VIEW answers AS SELECT * FROM nps_surveys; GRANT SELECT ON answers TO reader;"
      "CREATE FUNCTION threshold() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 9; END $$");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char options[1024];
    snprintf(options, sizeof(options), "<Relation \"nps\">\n Query \"%s\"\n</Relation>", cases[i].query);
    struct follower f;
    open_follower(&f, options);
    if (crm_source_probe(f.source, &f.err) != CRM_OK)
      fail_msg("%s", f.err.message);
    const struct crm_following *nps = crm_source_following(f.source, CRM_REL_NPS);
    if (nps->mode != cases[i].mode || strstr(nps->why, cases[i].why) == NULL)
      fail_msg("%s: %s, %s", cases[i].query, crm_changes_name(nps->mode), nps->why);
    close_follower(&f);
  }
}

/* Where an index is missing, the statement that would make it is told, and works. */
static void remedies_work(void **state) {
  (void)state;
  if (!have_server)
    skip();
  make_crm(false, false);
  struct follower f;
  open_follower(&f, "");
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  const struct crm_following *contract = crm_source_following(f.source, CRM_REL_CONTRACT);
  assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
  assert_string_equal(contract->remedy, "CREATE INDEX CONCURRENTLY ON crm_ext.contract (updated_at)");
  pg_fixture_sql(&pg, "crm", contract->remedy);
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
  assert_string_equal(contract->remedy, "GRANT pg_read_all_stats TO \"reader\"; ALTER ROLE \"reader\" INHERIT");
  pg_fixture_sql(&pg, "crm", contract->remedy);
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  assert_int_equal(contract->mode, CRM_CHANGES_POLL);
  close_follower(&f);
}

static const char *const large[] = {"accounts",       "contacts",       "engagements",    "engagement_participants",
                                    "health_metrics", "customer_goals", "support_metrics"};

/* The plan for a few accounts or keys has no scan of a large table. */
static void must_look_up(struct follower *f, enum crm_relation relation, const char *key, const char *array) {
  char path[1024], text[16384], *statement = NULL, *query = NULL;
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(path, sizeof(path), "%s/src/mappings/customer_success/%s.sql", srcdir != NULL ? srcdir : ".", crm_relation_info(relation)->name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  fclose(file);
  const struct crm_selection selection = {
      .relation = relation, .sql = text, .present = crm_source_relation(f->source, relation)->column_present, .first_day = CRM_DAY_NONE};
  statement = crm_statement_some(&selection, key, array);
  assert_true(asprintf(&query, "EXPLAIN %s", statement) > 0);
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {pg.dir, PG_FIXTURE_SUPERUSER, "crm", NULL};
  PGconn *conn = PQconnectdbParams(keys, values, 0);
  PGresult *plan = PQexec(conn, query);
  if (PQresultStatus(plan) != PGRES_TUPLES_OK)
    fail_msg("%s", PQerrorMessage(conn));
  for (int i = 0; i < PQntuples(plan); i++)
    for (size_t t = 0; t < sizeof(large) / sizeof(large[0]); t++) {
      char scan[64];
      int len = snprintf(scan, sizeof(scan), "Seq Scan on %s", large[t]);
      const char *at = strstr(PQgetvalue(plan, i, 0), scan);
      if (at != NULL && at[len] == ' ')
        fail_msg("relation %s by %s: %s", crm_relation_info(relation)->name, key, PQgetvalue(plan, i, 0));
    }
  PQclear(plan);
  PQfinish(conn);
  free(query);
  free(statement);
}

/* With the index the planner of a large table must not scan it to read what belongs to a few accounts. */
static void lists_are_looked_up(void **state) {
  (void)state;
  if (!have_server)
    skip();
  make_crm(true, true);
  sql("INSERT INTO organizations (id, name) VALUES (md5('t')::uuid, 'T');"
      "INSERT INTO accounts (id, organization_id, name) SELECT md5('account ' || i)::uuid, md5('t')::uuid, 'A' FROM generate_series(1, "
      "3000) i;"
      "INSERT INTO contacts (id, organization_id, account_id, first_name, last_name) SELECT md5('contact ' || i)::uuid, md5('t')::uuid,"
      " md5('account ' || (1 + i % 3000))::uuid, 'A', 'B' FROM generate_series(1, 9000) i;"
      "INSERT INTO engagements (id, organization_id, account_id, type, title, completed_at) SELECT md5('engagement ' || i)::uuid, "
      "md5('t')::uuid,"
      " md5('account ' || (1 + i % 3000))::uuid, 'call', 't', now() FROM generate_series(1, 30000) i;"
      "INSERT INTO engagement_participants (engagement_id, contact_id) SELECT md5('engagement ' || i)::uuid,"
      " md5('contact ' || (1 + i % 9000))::uuid FROM generate_series(1, 30000) i;"
      "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score, created_at) SELECT md5('t')::uuid,"
      " md5('account ' || (1 + i % 3000))::uuid, current_date - i / 3000, 60, now() - interval '1 day' FROM generate_series(1, 60000) i;"
      "INSERT INTO customer_goals (organization_id, account_id, title) SELECT md5('t')::uuid, md5('account ' || (1 + i % 3000))::uuid, 'g'"
      " FROM generate_series(1, 9000) i;"
      "INSERT INTO support_metrics (organization_id, account_id, provider, metric_date) SELECT md5('t')::uuid, md5('account ' || (1 + i % "
      "3000))::uuid,"
      " 'jira', current_date - i / 3000 FROM generate_series(1, 30000) i;"
      "ANALYZE");
  struct follower f;
  open_follower(&f, "Changes \"poll\"");
  sync_now(&f);
  sync_now(&f);
  const char *const three = "ARRAY[md5('account 7'), md5('account 8'), md5('engagement 77')]::uuid[]";
  for (int r = 0; r < CRM_RELATIONS; r++) {
    if (crm_source_relation(f.source, (enum crm_relation)r)->state != CRM_RELATION_OK)
      fail_msg("%s", crm_relation_info((enum crm_relation)r)->name);
    must_look_up(&f, (enum crm_relation)r, "account_id", three);
    if (crm_relation_key((enum crm_relation)r) > 0)
      must_look_up(&f, (enum crm_relation)r, crm_relation_info((enum crm_relation)r)->columns[crm_relation_key((enum crm_relation)r)].name,
                   three);
  }
  sql("UPDATE accounts SET name = 'B', updated_at = now() WHERE id = " ACCOUNT(
      7) ";"
         "UPDATE engagements SET outcome = 'positive', updated_at = now() WHERE id = md5('engagement 77')::uuid;"
         "UPDATE contacts SET relationship_strength = 'champion', updated_at = now() WHERE id = md5('contact 9')::uuid;"
         "UPDATE customer_goals SET status = 'achieved', completion_date = current_date, updated_at = now() WHERE account_id = " ACCOUNT(
             8) ";"
                "UPDATE support_metrics SET new_tickets = 5, updated_at = now() WHERE account_id = " ACCOUNT(
                    8) ";"
                       "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score) SELECT "
                       "organization_id, id, current_date, 70"
                       " FROM accounts WHERE id = " ACCOUNT(9));
  sync_now(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (f.refresh.whole[r])
      fail_msg("relation %s was read whole", crm_relation_info((enum crm_relation)r)->name);
  assert_true(crm_source_rows(f.source) > 5 && crm_source_rows(f.source) < 200);
  must_equal(&f, 0);
  close_follower(&f);
}

/* FullSync compares: what the followed picture lacks is counted. */
static void drift_is_measured(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "Changes \"poll\"");
  sync_now(&f);
  sql("UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(3)); /* without a stamp, which poll relies on */
  sync_now(&f);
  sql("INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')");
  struct crm_picture *full = NULL;
  struct crm_refresh before = {0};
  if (crm_source_read_picture(f.source, f.picture, &before, &full, &f.err) != CRM_OK)
    fail_msg("%s", f.err.message);
  assert_non_null(before.patch);
  assert_int_equal(crm_patch_apply(before.patch, &f.applied, &f.err), CRM_OK);
  crm_patch_free(before.patch);
  uint64_t differ[CRM_RELATIONS];
  assert_int_equal(crm_facts_compare(crm_picture_facts(f.picture), crm_picture_facts(full), differ, &f.err), CRM_OK);
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(differ[r], r == CRM_REL_ACCOUNT ? 1 : 0); /* the contract was followed to the same snapshot */
  crm_picture_free(f.picture);
  f.picture = full;
  sql("UPDATE crm_ext.contract SET arr = 200, updated_at = now()");
  sync_now(&f);
  assert_int_equal(f.full_reads, 1);
  must_equal(&f, 0);
  close_follower(&f);
}

static int start(void **state) {
  (void)state;
  have_server = pg_fixture_start(&pg);
  if (!have_server)
    print_message("# skipped: %s\n", pg.reason);
  return 0;
}

static int stop(void **state) {
  (void)state;
  if (have_server)
    pg_fixture_stop(&pg);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_happens),
      cmocka_unit_test(only_what_changed_is_read),
      cmocka_unit_test(late_commit),
      cmocka_unit_test(unstamped_update),
      cmocka_unit_test(altered_tables),
      cmocka_unit_test(what_cannot_be_followed),
      cmocka_unit_test(remedies_work),
      cmocka_unit_test(drift_is_measured),
      cmocka_unit_test(lists_are_looked_up),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[0]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[1]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[2]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[3]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[4]),
      cmocka_unit_test_prestate(follows_a_workload, (void *)&ways[5]),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
