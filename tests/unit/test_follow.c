/* SPDX-License-Identifier: MIT */
/* Following the CRM, one thing at a time. That it comes to the same as reading it whole, whatever happens, is test_follow_workload.c. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>
#include <malloc.h>
#include <unistd.h>

#include "facts/compare.h"
#include "lib/crm_workload.h"
#include "lib/follower.h"
#include "lib/pg_shared.h"

#define ACCOUNT(n) "md5('account " #n "')::uuid"

static void begin_small(struct follower *f, bool watermarks, const char *options) {
  follower_make_crm(&pg, watermarks, true);
  struct crm_workload w = {.stamps = true};
  crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", 7);
  crm_workload_begin(&w, 20);
  crm_workload_close(&w);
  follower_open(f, &pg, 0, options);
  follower_sync(f);
}

static void nothing_happens(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  follower_sync(&f); /* sessions that have ended since may have shown their counters */
  crm_time read_at = crm_picture_facts(f.picture)->read_at[CRM_REL_USAGE];
  follower_sync(&f);
  assert_int_equal(f.full_reads, 1);
  assert_int_equal(crm_source_rows(f.source), 0);
  assert_int_equal(f.applied.accounts, 0);
  assert_true(crm_picture_facts(f.picture)->read_at[CRM_REL_USAGE] > read_at);
  follower_close(&f);
}

static void only_what_changed_is_read(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  follower_sync(&f);
  follower_sql(&pg,
               "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')");
  follower_sync(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  assert_int_equal(f.applied.accounts, 1);
  assert_false(f.refresh.whole[CRM_REL_CONTRACT]);
  follower_sql(&pg,
               "INSERT INTO health_metrics (organization_id, account_id) SELECT organization_id, id FROM accounts WHERE id = " ACCOUNT(4));
  follower_sync(&f);
  assert_int_equal(crm_source_rows(f.source), 1); /* usage; a score of 50 is none of health */
  assert_false(f.refresh.whole[CRM_REL_USAGE]);
  follower_must_equal(&f, 0);
  follower_close(&f);
}

/* New figures of a day are read without those of the other days; where a row may have stood under another day, all of them are. */
static void a_day_is_read_alone(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "Changes \"poll\"\nChangesOverlap 0");
  follower_sql(&pg, "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score) SELECT organization_id, id,"
                    " current_date - k, 60 FROM accounts, generate_series(1, 300) k WHERE id = " ACCOUNT(3) ";"
                    "INSERT INTO support_metrics (organization_id, account_id, provider, metric_date) SELECT organization_id, id, 'jira',"
                    " current_date - k FROM accounts, generate_series(1, 300) k WHERE id = " ACCOUNT(3));
  follower_sync(&f);
  usleep(1200000); /* polls look at whole seconds */
  follower_sync(&f);
  follower_sql(&pg, "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score) SELECT organization_id, id,"
                    " current_date, 61 FROM accounts WHERE id = " ACCOUNT(3) ";"
                    "INSERT INTO support_metrics (organization_id, account_id, provider, metric_date) SELECT organization_id, id, 'jira',"
                    " current_date FROM accounts WHERE id = " ACCOUNT(3));
  follower_sync(&f);
  assert_int_equal(crm_source_rows(f.source), 3); /* one each of usage, health, support */
  assert_int_equal(f.applied.accounts, 1);
  follower_must_equal(&f, 1);
  follower_sql(&pg, "UPDATE support_metrics SET metric_date = current_date - 301, updated_at = clock_timestamp() WHERE metric_date ="
                    " current_date - 7 AND account_id = " ACCOUNT(3));
  follower_sync(&f);
  assert_int_equal(crm_source_rows(f.source), 301);
  follower_must_equal(&f, 2);
  for (int day = 1; day <= 3; day++) { /* of nobody, and counted as such */
    char sql[256];
    snprintf(sql, sizeof(sql), "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score) SELECT id,"
                               " md5('nobody')::uuid, current_date - %d, 70 FROM organizations LIMIT 1", day);
    follower_sql(&pg, sql);
    follower_sync(&f);
    assert_int_equal(crm_picture_facts(f.picture)->rejected[CRM_REL_HEALTH][CRM_REJECT_UNKNOWN_ACCOUNT], day);
    follower_must_equal(&f, 2 + day);
  }
  follower_sql(&pg, "DELETE FROM accounts WHERE id = " ACCOUNT(3)); /* leaves its rows of health_metrics */
  follower_sync(&f);
  assert_int_equal(crm_picture_facts(f.picture)->rejected[CRM_REL_HEALTH][CRM_REJECT_UNKNOWN_ACCOUNT], 3 + 301);
  follower_must_equal(&f, 9);
  assert_int_equal(f.full_reads, 1);
  follower_close(&f);
}

/* A transaction that stamps its rows, and commits after a poll has looked past its stamp. */
static void late_commit(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "Changes \"poll\"\nChangesOverlap 0");
  struct crm_workload w = {0};
  crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", 1);
  PQclear(PQexec(w.late, "BEGIN"));
  PQclear(PQexec(
      w.late, "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')"));
  usleep(1200000); /* polls look at whole seconds */
  follower_sql(&pg,
               "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(4) ", current_date - 5, 100, 'EUR')");
  follower_sync(&f);
  usleep(1200000);
  follower_sync(&f);
  PQclear(PQexec(w.late, "COMMIT"));
  follower_sync(&f);
  assert_int_equal(crm_source_rows(f.source), 1);
  follower_must_equal(&f, 0);
  crm_workload_close(&w);
  follower_close(&f);
}

/* changed_at is not set by an update: with Changes auto the counters do not agree, and the relation is read whole. */
static void unstamped_update(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  follower_sync(&f);
  follower_sql(&pg, "UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(3));
  follower_sync(&f);
  assert_true(f.refresh.whole[CRM_REL_ACCOUNT]);
  follower_must_equal(&f, 0);
  follower_close(&f);
}

static void altered_tables(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "");
  follower_sync(&f);
  follower_sql(&pg, "ALTER TABLE crm_ext.contract ALTER arr TYPE double precision");
  follower_sync(&f);
  assert_int_equal(f.full_reads, 2);
  follower_must_equal(&f, 0);
  follower_sql(&pg, "ALTER TABLE nps_surveys RENAME TO nps_gone");
  follower_sync(&f);
  assert_int_equal(f.full_reads, 3);
  assert_false(crm_picture_facts(f.picture)->available[CRM_REL_NPS]);
  follower_sync(&f);
  assert_int_equal(f.full_reads, 3);
  follower_sql(&pg, "ALTER TABLE nps_gone RENAME TO nps_surveys");
  follower_sync(&f);
  assert_int_equal(f.full_reads, 4);
  assert_true(crm_picture_facts(f.picture)->available[CRM_REL_NPS]);
  follower_must_equal(&f, 0);
  follower_close(&f);
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
  follower_make_crm(&pg, true, true);
  follower_sql(&pg, "CREATE VIEW answers AS SELECT * FROM nps_surveys; GRANT SELECT ON answers TO reader;"
                    "CREATE FUNCTION threshold() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 9; END $$");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char options[1024];
    snprintf(options, sizeof(options), "<Relation \"nps\">\n Query \"%s\"\n</Relation>", cases[i].query);
    struct follower f;
    follower_open(&f, &pg, 0, options);
    if (crm_source_probe(f.source, &f.err) != CRM_OK)
      fail_msg("%s", f.err.message);
    const struct crm_following *nps = crm_source_following(f.source, CRM_REL_NPS);
    if (nps->mode != cases[i].mode || strstr(nps->why, cases[i].why) == NULL)
      fail_msg("%s: %s, %s", cases[i].query, crm_changes_name(nps->mode), nps->why);
    follower_close(&f);
  }
}

/* A server that only stands before others notices nothing of what is written through another of its kind. */
static void distributed_is_read_whole(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  follower_make_crm(&pg, true, true);
  follower_sql(&pg, "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
                    " VALUES (99999, 'citus', 10, 11, false, '1')");
  follower_open(&f, &pg, 0, "");
  follower_sync(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(crm_source_following(f.source, (enum crm_relation)r)->mode, CRM_CHANGES_NONE);
  assert_non_null(strstr(crm_source_following(f.source, CRM_REL_ACCOUNT)->why, "distributed"));
  follower_sync(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_true(f.refresh.whole[r]);
  follower_close(&f);
}

/* Where an index is missing, the statement that would make it is told, and works. */
static void remedies_work(void **state) {
  (void)state;
  if (!have_server)
    skip();
  follower_make_crm(&pg, false, false);
  struct follower f;
  follower_open(&f, &pg, 0, "");
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  const struct crm_following *contract = crm_source_following(f.source, CRM_REL_CONTRACT);
  assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
  assert_string_equal(contract->remedy,
                      "CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_contract_updated_at_idx ON crm_ext.contract (updated_at)");
  pg_fixture_sql(&pg, "crm", contract->remedy);
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  assert_int_equal(contract->mode, CRM_CHANGES_COUNTERS);
  assert_string_equal(contract->remedy, "GRANT pg_read_all_stats TO \"reader\"; ALTER ROLE \"reader\" INHERIT");
  pg_fixture_sql(&pg, "crm", contract->remedy);
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  assert_int_equal(contract->mode, CRM_CHANGES_POLL);
  follower_close(&f);
}

/* Runs all that is told, a statement at a time as a user would; how many there were. */
static int run_remedies(const struct follower *f) {
  int n = 0;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    char remedy[1024], *rest = remedy;
    snprintf(remedy, sizeof(remedy), "%s", crm_source_following(f->source, (enum crm_relation)r)->remedy);
    for (char *statement; (statement = strsep(&rest, ";")) != NULL;) {
      if (strspn(statement, " ") == strlen(statement))
        continue;
      pg_fixture_sql(&pg, "crm", statement);
      n++;
    }
  }
  return n;
}

/* All that is told for all relations is valid, and once it has been done, nothing is left to be told: every relation is polled. No index is
 * made twice, though two relations may lack the same. */
static void all_remedies_work(void **state) {
  (void)state;
  if (!have_server)
    skip();
  follower_make_crm(&pg, false, false);
  struct follower f;
  follower_open(&f, &pg, 0, "");
  for (int round = 0; round == 0 || run_remedies(&f) > 0; round++) {
    assert_true(round < 4);
    assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  }
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_following *following = crm_source_following(f.source, (enum crm_relation)r);
    if (following->mode != CRM_CHANGES_POLL)
      fail_msg("%s: %s, %s", crm_relation_info((enum crm_relation)r)->name, crm_changes_name(following->mode), following->why);
  }
  char twice[128];
  pg_fixture_value(&pg, "crm",
                   "SELECT count(*) FROM (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                   " GROUP BY i.indrelid, i.indkey HAVING count(*) > 1) d",
                   twice, sizeof(twice));
  assert_string_equal(twice, "0");
  follower_close(&f);
}

/* FullSync compares: what the followed picture lacks is counted. */
static void drift_is_measured(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, true, "Changes \"poll\"");
  follower_sync(&f);
  follower_sql(&pg, "UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(3)); /* without a stamp, which poll relies on */
  follower_sync(&f);
  follower_sql(&pg,
               "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(3) ", current_date - 5, 100, 'EUR')");
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
  follower_sql(&pg, "UPDATE crm_ext.contract SET arr = 200, updated_at = now()");
  follower_sync(&f);
  assert_int_equal(f.full_reads, 1);
  follower_must_equal(&f, 0);
  follower_close(&f);
}

/* Where the server does not count, deleted rows are what a poll alone cannot see: FullSync finds them, and nothing else. */
static void only_deletes_drift(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  follower_make_crm(&pg, true, true);
  pg_fixture_sql(&pg, "crm", "ALTER DATABASE crm SET track_counts = off");
  struct crm_workload w = {.stamps = true};
  crm_workload_open(&w, pg.dir, PG_FIXTURE_SUPERUSER, "crm", 7);
  crm_workload_begin(&w, 20);
  crm_workload_close(&w);
  follower_sql(
      &pg, "INSERT INTO crm_ext.contract (id, account_id, starts_on, arr, currency) SELECT md5('c' || i)::uuid, md5('account ' || i)::uuid,"
           " current_date - 5, 100, 'EUR' FROM generate_series(0, 9) i;"
           "INSERT INTO crm_ext.opportunity (account_id, kind, opened_at) SELECT md5('account ' || i)::uuid, 'upsell', now() FROM"
           " generate_series(0, 5) i;"
           "INSERT INTO nps_surveys (organization_id, account_id, score) SELECT organization_id, id, 9 FROM accounts");
  follower_open(&f, &pg, 0, "Changes \"poll\"");
  follower_sync(&f);
  assert_int_equal(crm_source_following(f.source, CRM_REL_CONTRACT)->mode, CRM_CHANGES_POLL);
  assert_int_equal(crm_source_following(f.source, CRM_REL_NPS)->mode, CRM_CHANGES_NONE); /* it tells of new rows only */
  follower_sql(
      &pg, "DELETE FROM crm_ext.contract WHERE id IN (md5('c1')::uuid, md5('c2')::uuid, md5('c3')::uuid);"
           "DELETE FROM crm_ext.opportunity WHERE account_id = " ACCOUNT(
               4) ";"
                  "DELETE FROM nps_surveys WHERE account_id = " ACCOUNT(
                      5) ";"
                         "UPDATE nps_surveys SET score = 1 WHERE account_id = " ACCOUNT(
                             6) ";"
                                "UPDATE user_profiles SET full_name = 'Somebody Else';"
                                "UPDATE crm_ext.contract SET arr = 200, updated_at = now() WHERE id IN (md5('c4')::uuid, md5('c5')::uuid);"
                                "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) VALUES (" ACCOUNT(
                                    1) ", current_date, 7, 'EUR')");
  follower_sync(&f);
  assert_false(f.refresh.whole[CRM_REL_CONTRACT]);
  assert_int_equal(crm_picture_facts(f.picture)->rows[CRM_REL_CONTRACT], 11); /* 10 and 1; 3 of them are not there any more */
  uint64_t differ[CRM_RELATIONS];
  if (follower_try_full(&f, differ) != CRM_OK)
    fail_msg("%s", f.err.message);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    uint64_t deleted = r == CRM_REL_CONTRACT ? 3 : r == CRM_REL_OPPORTUNITY ? 1 : 0;
    if (differ[r] != deleted)
      fail_msg("relation %s: %llu rows differ", crm_relation_info((enum crm_relation)r)->name, (unsigned long long)differ[r]);
  }
  follower_must_equal(&f, 0);
  follower_close(&f);
}

/* Rows of both usage and health. */
static void insert_days(int n) {
  char text[512];
  snprintf(text, sizeof(text),
           "INSERT INTO health_metrics (organization_id, account_id, metric_date, login_frequency, overall_health_score)"
           " SELECT a.organization_id, a.id, current_date - i %% 390, 3, 60 FROM generate_series(1, %d) i JOIN accounts a"
           " ON a.id = md5('account ' || i %% 20)::uuid",
           n);
  follower_sql(&pg, text);
}

/* What is to be read whole takes more memory as a patch than as a picture: past a ceiling, or where it is most of a large CRM, everything
 * is read anew instead. */
static void much_is_read_anew(void **state) {
  (void)state;
  if (!have_server)
    skip();
  struct follower f;
  begin_small(&f, false, "");
  insert_days(20000);
  follower_sync(&f);
  assert_int_equal(f.full_reads, 1); /* without a ceiling that much is patched */
  assert_true(f.refresh.whole[CRM_REL_USAGE] && f.refresh.whole[CRM_REL_HEALTH]);
  size_t bytes = crm_picture_bytes(f.picture);
  follower_close(&f);

  follower_open(&f, &pg, 0, "");
  f.options.instances[0].source.max_memory = 3 * bytes;
  follower_sync(&f);
  insert_days(1);
  follower_sync(&f);
  assert_int_equal(f.full_reads, 2);
  assert_non_null(strstr(f.refresh.reason, "MaxMemory"));
  assert_false(f.refresh.routine);
  follower_must_equal(&f, 0);
  follower_close(&f);

  if (getenv("CRM_TEST_BASES") != NULL) /* under a wrapper that is fifty times as slow */
    return;
  follower_open(&f, &pg, 0, "");
  insert_days(130000);
  follower_sync(&f);
  insert_days(1);
  follower_sync(&f);
  assert_int_equal(f.full_reads, 2);
  assert_true(f.refresh.routine);
  follower_sql(&pg, "UPDATE accounts SET name = 'Other' WHERE id = " ACCOUNT(3));
  follower_sync(&f);
  assert_int_equal(f.full_reads, 2); /* few rows are a patch, also of a large CRM */
  follower_must_equal(&f, 1);
  follower_close(&f);
}

/* Thousands of refreshes (CRM_FOLLOW_REFRESHES, default 600) that change the same rows take no more memory than the first hundred. */
static void memory_is_flat(void **state) {
  (void)state;
  if (!have_server)
    skip();
  enum { WARM = 100 };
  const char *wish = getenv("CRM_FOLLOW_REFRESHES");
  int turns = wish != NULL ? atoi(wish) : getenv("CRM_TEST_BASES") != NULL ? 3 * WARM / 2 : 600; /* under a wrapper fewer */
  struct follower f;
  begin_small(&f, true, "");
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {pg.dir, PG_FIXTURE_SUPERUSER, "crm", NULL};
  PGconn *conn = PQconnectdbParams(keys, values, 0);
  size_t early[2] = {0}, late[2] = {0}; /* the most, of the picture and of the heap */
  for (int i = 0; i < turns; i++) {
    char text[512];
    snprintf(text, sizeof(text),
             "UPDATE accounts SET name = repeat(md5(id || ' %d'), 6), updated_at = now();" /* 4 KiB of new text each time */
             "INSERT INTO crm_ext.contract (id, account_id, starts_on, arr, currency) VALUES (md5('c%d')::uuid, md5('account %d')::uuid, "
             "current_date, %d, 'EUR') ON CONFLICT (id) DO UPDATE SET arr = excluded.arr, updated_at = now();"
             "SELECT pg_stat_force_next_flush()",
             i, i % 30, i % 30 % 20, i);
    PGresult *result = PQexec(conn, text);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
      fail_msg("%s", PQerrorMessage(conn));
    PQclear(result);
    follower_sync(&f);
    size_t now[2] = {crm_picture_bytes(f.picture), mallinfo2().uordblks};
    for (int k = 0; k < 2; k++) {
      size_t *most = i < WARM ? &early[k] : &late[k];
      *most = now[k] > *most ? now[k] : *most;
    }
  }
  PQfinish(conn);
  assert_int_equal(f.full_reads, 1);
  for (int k = 0; k < 2; k++)
    if (late[k] > early[k] + early[k] / 10)
      fail_msg("%s: at most %zu bytes in the first %d refreshes, %zu later", k == 0 ? "picture" : "heap", early[k], WARM, late[k]);
  follower_must_equal(&f, turns);
  follower_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_happens),   cmocka_unit_test(only_what_changed_is_read),
      cmocka_unit_test(late_commit),       cmocka_unit_test(unstamped_update),
      cmocka_unit_test(a_day_is_read_alone),
      cmocka_unit_test(altered_tables),    cmocka_unit_test(what_cannot_be_followed),
      cmocka_unit_test(remedies_work),     cmocka_unit_test(all_remedies_work),
      cmocka_unit_test(drift_is_measured), cmocka_unit_test(only_deletes_drift),
      cmocka_unit_test(memory_is_flat),    cmocka_unit_test(distributed_is_read_whole),
      cmocka_unit_test(much_is_read_anew),
  };
  return cmocka_run_group_tests(tests, pg_shared_start, pg_shared_stop);
}
