/* SPDX-License-Identifier: MIT */
/* What is read of a large CRM to follow it is looked up: the plans of all statements, as they are sent, hold no scan of a large table. The
 * server tells the plans itself, by its module auto_explain. */
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
#include <unistd.h>

#include "base/strbuf.h"
#include "lib/follower.h"
#include "lib/pg_shared.h"
#include "source/mapping.h"
#include "source/statement.h"

enum { LARGE = 2000 }; /* rows */

/* Enough rows in each table of the mapping for the planner to care; nothing of it is of the last day, so that polls find little. */
static const char large_crm[] =
    "SET session_replication_role = replica;" /* no trigger, no check of references: it takes seconds otherwise */
    "INSERT INTO organizations (id, name) VALUES (md5('t')::uuid, 'T');"
    "INSERT INTO usage_tracking_products (id, organization_id, name) VALUES (md5('p')::uuid, md5('t')::uuid, 'P');"
    "CREATE TEMP TABLE a AS SELECT i, md5('account ' || i)::uuid AS id, md5('t')::uuid AS t, now() - interval '2 days' AS at"
    " FROM generate_series(1, 3000) i;"
    "INSERT INTO accounts (id, organization_id, name, created_at, updated_at) SELECT id, t, 'A', at, at FROM a;"
    "INSERT INTO crm_ext.account_detail (account_id, region, updated_at) SELECT id, 'emea', at FROM a;"
    "INSERT INTO account_growth_history (account_id, organization_id, arr, recorded_at) SELECT id, t, 1000, at - k * interval '30 days' "
    "FROM a,"
    " generate_series(1, 3) k;"
    "INSERT INTO contacts (id, organization_id, account_id, first_name, last_name, created_at, updated_at)"
    " SELECT md5('contact ' || i || ' ' || k)::uuid, t, id, 'A', 'B', at, at FROM a, generate_series(1, 3) k;"
    "INSERT INTO engagements (id, organization_id, account_id, type, title, completed_at, created_at, updated_at)"
    " SELECT md5('engagement ' || i || ' ' || k)::uuid, t, id, 'call', 't', at, at, at FROM a, generate_series(1, 8) k;"
    "INSERT INTO engagement_participants (engagement_id, contact_id, added_at) SELECT md5('engagement ' || i || ' ' || k)::uuid,"
    " md5('contact ' || i || ' ' || 1 + k % 3)::uuid, at FROM a, generate_series(1, 8) k;"
    "INSERT INTO crm_ext.engagement_response (engagement_id, response_seconds, updated_at) SELECT md5('engagement ' || i || ' ' || "
    "k)::uuid, 60, at"
    " FROM a, generate_series(1, 2) k;"
    "INSERT INTO nps_surveys (organization_id, account_id, score, created_at) SELECT t, id, 9, at FROM a, generate_series(1, 3);"
    "INSERT INTO health_metrics (organization_id, account_id, metric_date, overall_health_score, created_at)"
    " SELECT t, id, current_date - k, 60, at FROM a, generate_series(1, 20) k;"
    "INSERT INTO customer_goals (organization_id, account_id, title, created_at, updated_at) SELECT t, id, 'g', at, at FROM a, "
    "generate_series(1, 3);"
    "INSERT INTO support_metrics (organization_id, account_id, provider, metric_date, created_at, updated_at)"
    " SELECT t, id, 'jira', current_date - k, at, at FROM a, generate_series(1, 8) k;"
    "INSERT INTO usage_tracked_accounts (id, product_id, account_id, fastenr_account_id) SELECT md5('tracked ' || i)::uuid, "
    "md5('p')::uuid, 'x' || i, id"
    " FROM a;"
    "INSERT INTO user_fingerprints (id, product_id, tracked_account_id, user_email) SELECT md5('device ' || i || ' ' || k)::uuid, "
    "md5('p')::uuid,"
    " md5('tracked ' || i)::uuid, 'u' || k FROM a, generate_series(1, 2) k;"
    "INSERT INTO usage_sessions (product_id, fingerprint_id, tracked_account_id, session_token, started_at, ended_at)"
    " SELECT md5('p')::uuid, md5('device ' || i || ' ' || 1 + k % 2)::uuid, md5('tracked ' || i)::uuid, 's', at - k * interval '1 day',"
    " at - k * interval '1 day' + interval '1 hour' FROM a, generate_series(1, 8) k;"
    "INSERT INTO onboarding_plans (organization_id, account_id, status, started_at, updated_at) SELECT t, id, 'in_progress', at, at FROM a;"
    "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency, updated_at) SELECT id, current_date - 90, 1000, 'EUR', at FROM a;"
    "INSERT INTO crm_ext.invoice (account_id, issued_on, due_on, amount, currency, updated_at) SELECT id, current_date - 40, current_date "
    "- 10, 10,"
    " 'EUR', at FROM a, generate_series(1, 3);"
    "INSERT INTO crm_ext.signal (account_id, kind, observed_at) SELECT id, 'competitor_mentions', at FROM a, generate_series(1, 2);"
    "INSERT INTO crm_ext.intervention (account_id, kind, opened_at, updated_at) SELECT id, 'call', at, at FROM a;"
    "INSERT INTO crm_ext.opportunity (account_id, kind, opened_at, updated_at) SELECT id, 'upsell', at, at FROM a";

static void make_large_crm(bool watermarks) {
  follower_make_crm(&pg, watermarks, true);
  follower_sql(&pg, large_crm);
  pg_fixture_sql(&pg, "crm", "VACUUM (ANALYZE)");
}

/* --- plans -------------------------------------------------------------------------------------------------------- */

/* Names of the tables that are large, each between commas. */
static void name_large(char *buf, size_t size) {
  char sql[512];
  snprintf(sql, sizeof(sql),
           "SELECT ',' || string_agg(relname, ',') || ',' FROM pg_class WHERE relkind = 'r' AND reltuples >= %d AND relnamespace IN"
           " ('public'::regnamespace, 'crm_ext'::regnamespace)",
           LARGE);
  pg_fixture_value(&pg, "crm", sql, buf, size);
}

/* A line of a plan that scans a table of the list; NULL: none. *scans counts all nodes that read a table of the list. */
static char *find_scan(char *plans, const char *large, int *scans) {
  static const char *const looks[] = {"Index Scan using ", "Index Only Scan using ", "Bitmap Heap Scan on ", "Seq Scan on "};
  char *bad = NULL, *rest = plans;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;)
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
      char name[80] = ",", *at = strstr(line, looks[i]);
      const char *on = at == NULL ? NULL : i < 2 ? strstr(at, " on ") : at + strlen(looks[i]) - 4;
      if (on == NULL)
        continue;
      on += 4;
      const char *dot = strchr(on, '.');
      size_t len = strcspn(on, " ");
      if (dot != NULL && dot < on + len) {
        len -= (size_t)(dot + 1 - on);
        on = dot + 1;
      }
      snprintf(name, sizeof(name), ",%.*s,", (int)len, on);
      if (strstr(large, name) == NULL)
        continue;
      ++*scans;
      if (i == 3)
        bad = line;
    }
  return bad;
}

static char *read_log(long from) {
  char path[96];
  snprintf(path, sizeof(path), "%s/log", pg.dir);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  struct crm_strbuf text;
  crm_strbuf_init(&text, 64 << 20);
  char buf[8192];
  assert_int_equal(fseek(file, from, SEEK_SET), 0);
  for (size_t n; (n = fread(buf, 1, sizeof(buf), file)) > 0;)
    crm_strbuf_add(&text, buf, n);
  fclose(file);
  char *out = crm_strbuf_take(&text);
  assert_non_null(out);
  return out;
}

static long log_size(void) {
  char path[96];
  snprintf(path, sizeof(path), "%s/log", pg.dir);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  long size = ftell(file);
  fclose(file);
  return size;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

/* With the indexes of watermarks.sql, after a day's work on some accounts in every table. (With Changes auto an update of a row that might
 * have come from another account has its relation read whole; see follow.h.) */
static void a_refresh_scans_no_large_table(void **state) {
  (void)state;
  if (!have_server)
    skip();
  make_large_crm(true);
  pg_fixture_sql(
      &pg, "crm",
      "ALTER ROLE reader SET session_preload_libraries = 'auto_explain'; ALTER ROLE reader SET auto_explain.log_min_duration = 0;"
      "ALTER ROLE reader SET log_min_messages = 'log'");
  char large[1024];
  name_large(large, sizeof(large));
  struct follower f;
  follower_open(&f, &pg, 0, "Changes \"poll\"");
  follower_sync(&f);
  follower_sync(&f);
  for (int i = 0; i < 6; i++) { /* by then the server has made up its mind on plans without values */
    follower_sql(&pg, "UPDATE crm_ext.contract SET arr = arr + 1, updated_at = now() WHERE account_id = md5('account 2999')::uuid");
    follower_sync(&f);
  }
  for (int r = 0; r < CRM_RELATIONS; r++)
    assert_int_equal(crm_source_following(f.source, (enum crm_relation)r)->mode, CRM_CHANGES_POLL);
  follower_sql(
      &pg, "CREATE TABLE chosen AS SELECT md5('account ' || i)::uuid AS id, md5('t')::uuid AS t, 'tracked ' || i AS tracked,"
           " md5('engagement ' || i || ' 1')::uuid AS e, md5('contact ' || i || ' 1')::uuid AS c FROM generate_series(7, 12) i;"
           "UPDATE accounts a SET name = 'B', updated_at = now() FROM chosen c WHERE c.id = a.id;"
           "UPDATE crm_ext.account_detail a SET region = 'apac', updated_at = now() FROM chosen c WHERE c.id = a.account_id;"
           "INSERT INTO account_growth_history (account_id, organization_id, arr) SELECT id, t, 5 FROM chosen;"
           "UPDATE contacts SET relationship_strength = 'champion', updated_at = now() WHERE id IN (SELECT c FROM chosen);"
           "UPDATE engagements SET outcome = 'positive', updated_at = now() WHERE id IN (SELECT e FROM chosen);"
           "INSERT INTO engagements (organization_id, account_id, type, title) SELECT t, id, 'call', 't' FROM chosen;"
           "UPDATE crm_ext.engagement_response SET response_seconds = 9, updated_at = now() WHERE engagement_id IN (SELECT e FROM chosen);"
           "INSERT INTO nps_surveys (organization_id, account_id, score) SELECT t, id, 3 FROM chosen;"
           "INSERT INTO health_metrics (organization_id, account_id, overall_health_score) SELECT t, id, 70 FROM chosen;"
           "UPDATE customer_goals SET status = 'achieved', completion_date = current_date, updated_at = now() WHERE account_id IN (SELECT "
           "id FROM "
           "chosen);"
           "UPDATE support_metrics SET new_tickets = 5, updated_at = now() WHERE account_id IN (SELECT id FROM chosen);"
           "INSERT INTO usage_sessions (product_id, fingerprint_id, tracked_account_id, session_token, started_at)"
           " SELECT f.product_id, f.id, f.tracked_account_id, 's', now() FROM user_fingerprints f JOIN chosen c ON md5(c.tracked)::uuid ="
           " f.tracked_account_id");
  follower_sql(
      &pg,
      "UPDATE onboarding_plans SET status = 'completed', updated_at = now() WHERE account_id IN (SELECT id FROM chosen);"
      "INSERT INTO crm_ext.contract (account_id, starts_on, arr, currency) SELECT id, current_date, 7, 'EUR' FROM chosen;"
      "UPDATE crm_ext.invoice SET status = 'paid', paid_at = now(), updated_at = now() WHERE account_id IN (SELECT id FROM chosen);"
      "INSERT INTO crm_ext.signal (account_id, kind, observed_at) SELECT id, 'competitor_mentions', now() FROM chosen;"
      "INSERT INTO crm_ext.intervention (account_id, kind, opened_at) SELECT id, 'call', now() FROM chosen;"
      "UPDATE crm_ext.opportunity SET stage = 'won', closed_at = now(), updated_at = now() WHERE account_id IN (SELECT id FROM chosen)");
  long before = log_size();
  follower_sync(&f);
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (f.refresh.whole[r])
      fail_msg("relation %s was read whole", crm_relation_info((enum crm_relation)r)->name);
  assert_true(crm_source_rows(f.source) > 50 && crm_source_rows(f.source) < 2000);
  usleep(100000); /* the server writes its log by and by */
  char *plans = read_log(before);
  int scans = 0;
  const char *bad = find_scan(plans, large, &scans);
  if (bad != NULL)
    fail_msg("a large table is scanned: %s", bad);
  assert_true(scans > 2 * CRM_RELATIONS); /* a poll and a list of each at least, or the plans have not been seen */
  free(plans);
  follower_must_equal(&f, 0);
  follower_close(&f);
}

/* The plan for a few accounts or keys, which is the same whichever way a relation is followed. */
static void must_look_up(const struct crm_source *source, const struct crm_mapping *mapping, enum crm_relation relation, const char *key,
                         const char *large) {
  const struct crm_selection selection = {.relation = relation,
                                          .sql = mapping->sql[relation],
                                          .present = crm_source_relation(source, relation)->column_present,
                                          .first_day = CRM_DAY_NONE};
  char *statement =
      crm_statement_some(&selection, key, "ARRAY[md5('account 7'), md5('account 8'), md5('engagement 7 1'), md5('contact 7 1')]::uuid[]");
  char *query = NULL;
  assert_true(asprintf(&query, "EXPLAIN %s", statement) > 0);
  const char *keys[] = {"host", "user", "dbname", NULL}, *values[] = {pg.dir, PG_FIXTURE_SUPERUSER, "crm", NULL};
  PGconn *conn = PQconnectdbParams(keys, values, 0);
  PGresult *plan = PQexec(conn, query);
  if (PQresultStatus(plan) != PGRES_TUPLES_OK)
    fail_msg("%s", PQerrorMessage(conn));
  int scans = 0;
  for (int i = 0; i < PQntuples(plan); i++)
    if (find_scan(PQgetvalue(plan, i, 0), large, &scans) != NULL)
      fail_msg("relation %s by %s: %s", crm_relation_info(relation)->name, key, PQgetvalue(plan, i, 0));
  assert_true(scans > 0);
  PQclear(plan);
  PQfinish(conn);
  free(query);
  free(statement);
}

/* With the application's own indexes. */
static void lists_are_looked_up(void **state) {
  (void)state;
  if (!have_server)
    skip();
  make_large_crm(false);
  char large[1024];
  name_large(large, sizeof(large));
  struct follower f;
  follower_open(&f, &pg, 0, "");
  assert_int_equal(crm_source_probe(f.source, &f.err), CRM_OK);
  struct crm_mapping mapping;
  const struct crm_log no_log = {0};
  assert_int_equal(crm_mapping_load(&f.options.instances[0].source, &no_log, &mapping, &f.err), CRM_OK);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    int key = crm_relation_key((enum crm_relation)r);
    must_look_up(f.source, &mapping, (enum crm_relation)r, "account_id", large);
    if (key > 0)
      must_look_up(f.source, &mapping, (enum crm_relation)r, crm_relation_info((enum crm_relation)r)->columns[key].name, large);
  }
  crm_mapping_free(&mapping);
  follower_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_refresh_scans_no_large_table),
      cmocka_unit_test(lists_are_looked_up),
  };
  return cmocka_run_group_tests(tests, pg_shared_start, pg_shared_stop);
}
