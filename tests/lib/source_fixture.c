/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/source_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void source_fixture_reset(const struct pg_fixture *pg) {
  pg_fixture_sql(pg, "postgres", "DROP DATABASE IF EXISTS crm WITH (FORCE)");
  pg_fixture_sql(pg, "postgres", "DROP DATABASE IF EXISTS other WITH (FORCE)");
  pg_fixture_sql(pg, "postgres",
                 "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN"
                 " CREATE ROLE reader LOGIN; END IF; END $$");
  pg_fixture_sql(pg, "postgres", "CREATE DATABASE crm");
  pg_fixture_sql(pg, "postgres", "CREATE DATABASE other");
  static const char *const types[] = {
      [CRM_COL_TEXT] = "text",      [CRM_COL_TEXTS] = "text[]",  [CRM_COL_TIME] = "timestamptz", [CRM_COL_DAY] = "date",
      [CRM_COL_NUMBER] = "numeric", [CRM_COL_MONEY] = "numeric", [CRM_COL_BOOLEAN] = "boolean"};
  char sql[16384];
  size_t len = 0;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_relation_info *info = crm_relation_info((enum crm_relation)r);
    len += (size_t)snprintf(sql + len, sizeof(sql) - len, "CREATE TABLE \"%s\" (", info->name);
    for (size_t i = 0; i < info->n_columns; i++)
      len += (size_t)snprintf(sql + len, sizeof(sql) - len, "%s\"%s\" %s", i > 0 ? "," : "", info->columns[i].name,
                              types[info->columns[i].kind]);
    len += (size_t)snprintf(sql + len, sizeof(sql) - len, ");");
  }
  snprintf(sql + len, sizeof(sql) - len, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
  pg_fixture_sql(pg, "crm", sql);
}

static void take_log(void *ctx, enum crm_log_level level, const char *message) {
  struct source_fixture *s = ctx;
  (void)level;
  size_t len = strlen(s->log);
  snprintf(s->log + len, sizeof(s->log) - len, "%s\n", message);
}

void source_fixture_init(struct source_fixture *s, struct pg_fixture *pg) {
  *s = (struct source_fixture){.pg = pg};
  s->databases[0] = (struct crm_database_options){.name = "", .host = pg->dir, .dbname = "crm", .user = "reader"};
  s->databases[1] = (struct crm_database_options){.name = "other", .host = pg->dir, .dbname = "other", .user = "reader"};
  assert_int_equal(crm_zone_new("Europe/Berlin", &s->zone, &s->err), CRM_OK);
  assert_int_equal(crm_stop_new(&s->stop), CRM_OK);
  s->options = (struct crm_source_options){.instance = "main",
                                           .databases = s->databases,
                                           .n_databases = 2,
                                           .zone = s->zone,
                                           .default_currency = "USD",
                                           .connect_timeout_us = 10 * CRM_US_PER_SECOND,
                                           .statement_timeout_us = 30 * CRM_US_PER_SECOND,
                                           .lock_timeout_us = 30 * CRM_US_PER_SECOND,
                                           .read_timeout_us = 60 * CRM_US_PER_SECOND};
  for (int r = 0; r < CRM_RELATIONS; r++) {
    snprintf(s->queries[r], sizeof(s->queries[r]), "SELECT * FROM %s", crm_relation_info((enum crm_relation)r)->name);
    s->options.relations[r].query = s->queries[r];
  }
}

void source_fixture_open(struct source_fixture *s) {
  const struct crm_log log = {.write = take_log, .ctx = s};
  if (crm_source_new(&s->options, &log, s->stop, &s->source, &s->err) != CRM_OK)
    fail_msg("%s", s->err.message);
}

void source_fixture_close(struct source_fixture *s) {
  crm_facts_unref(s->facts);
  crm_source_free(s->source);
  crm_stop_free(s->stop);
  crm_zone_free(s->zone);
}

enum crm_status source_fixture_read(struct source_fixture *s) {
  struct crm_facts *facts = NULL;
  crm_error_clear(&s->err);
  enum crm_status status = crm_source_read(s->source, &facts, &s->err);
  if (status == CRM_OK) {
    crm_facts_unref(s->facts);
    s->facts = facts;
  }
  return status;
}

const struct crm_facts *source_fixture_must_read(struct source_fixture *s) {
  if (source_fixture_read(s) != CRM_OK)
    fail_msg("%s: %s", crm_status_name(s->err.status), s->err.message);
  return s->facts;
}

/* --- stopping --- */

static int64_t requested_us; /* read after the thread has done its work */
static int delay_ms;

static void *request(void *arg) {
  usleep((useconds_t)delay_ms * 1000);
  requested_us = crm_clock_monotonic_us();
  crm_stop_request(arg);
  return NULL;
}

static pthread_t requester;

void source_fixture_stop_later(struct source_fixture *s, int ms) {
  delay_ms = ms;
  assert_int_equal(pthread_create(&requester, NULL, request, s->stop), 0);
}

double source_fixture_stopped_after(void) {
  int64_t now_us = crm_clock_monotonic_us();
  pthread_join(requester, NULL);
  return (double)(now_us - requested_us) / 1000;
}

void assert_message(const char *message, ...) {
  va_list args;
  va_start(args, message);
  for (const char *part; (part = va_arg(args, const char *)) != NULL;)
    if (strstr(message, part) == NULL)
      fail_msg("\"%s\" is not in: %s", part, message);
  va_end(args);
}
