/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "facts/shard.h"
#include "source/statement.h"

static void add_setting(struct crm_strbuf *buf, PGconn *pg, const char *name, const char *value, const char *local) {
  char *literal = PQescapeLiteral(pg, value, strlen(value));
  if (literal == NULL) {
    buf->failed = true;
    return;
  }
  crm_strbuf_addf(buf, "%spg_catalog.set_config('%s',%s,%s)", buf->data[buf->len - 1] == ' ' ? "" : ",", name, literal, local);
  PQfreemem(literal);
}

static void add_timeout(struct crm_strbuf *buf, PGconn *pg, const char *name, int64_t us, const char *local) {
  char value[32];
  int64_t ms = us / 1000;
  /* 0 would mean no limit, and the server's type is int32. */
  snprintf(value, sizeof(value), "%" PRId64, ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : ms);
  add_setting(buf, pg, name, value, local);
}

/* "SELECT set_config(...), ...": one statement for all settings, of the session or local to the transaction. */
static void add_settings(struct crm_strbuf *buf, const struct crm_connection *c, bool is_local) {
  const char *local = is_local ? "true" : "false";
  const struct crm_source_options *o = c->options;
  const char *path = c->database->search_path;
  char *search_path = NULL;
  /* pg_temp is searched first unless it is named. */
  if (asprintf(&search_path, "pg_catalog, %s, pg_temp", path != NULL && path[0] != '\0' ? path : "public") < 0) {
    buf->failed = true;
    return;
  }
  crm_strbuf_adds(buf, "SELECT ");
  add_setting(buf, c->pg, "standard_conforming_strings", "on", local);
  add_setting(buf, c->pg, "search_path", search_path, local);
  free(search_path);
  add_setting(buf, c->pg, "row_security", "off", local);
  add_setting(buf, c->pg, "default_transaction_read_only", "on", local);
  /* The days of the instance: a mapping that makes a date of an instant means the civil day there, at whose 00:00 the date then stands. */
  add_setting(buf, c->pg, "TimeZone", crm_zone_name(o->zone), local);
  add_setting(buf, c->pg, "DateStyle", "ISO", local);
  add_setting(buf, c->pg, "client_min_messages", "warning", local);
  add_timeout(buf, c->pg, "statement_timeout", o->statement_timeout_us, local);
  add_timeout(buf, c->pg, "lock_timeout", o->lock_timeout_us, local);
  /* Between two of our statements lies at most one statement of another database. */
  add_timeout(buf, c->pg, "idle_in_transaction_session_timeout", o->statement_timeout_us + o->connect_timeout_us, local);
  if (PQserverVersion(c->pg) >= 110000)
    add_setting(buf, c->pg, "jit", "off", local); /* compiling costs more than it saves on plain scans */
}

static enum crm_status run_settings(struct crm_connection *c, const char *before, bool local, struct crm_error *err) {
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 65536);
  crm_strbuf_adds(&buf, before);
  add_settings(&buf, c, local);
  const char *sql = crm_strbuf_str(&buf);
  enum crm_status status =
      sql != NULL ? crm_connection_run(c, sql, NULL, err) : crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", c->endpoint);
  crm_strbuf_free(&buf);
  return status;
}

/* A session that the server does not let us set up is of no use, whatever the reason. */
static enum crm_status give_up(struct crm_connection *c, enum crm_status status) {
  crm_connection_close(c);
  return status;
}

/* One row of text; *result is NULL otherwise. */
static enum crm_status one_row(struct crm_connection *c, const char *sql, int n_fields, PGresult **result, struct crm_error *err) {
  enum crm_status status = crm_connection_query(c, sql, 0, NULL, result, err);
  if (status == CRM_OK && (PQresultStatus(*result) != PGRES_TUPLES_OK || PQntuples(*result) != 1 || PQnfields(*result) != n_fields)) {
    crm_connection_close(c);
    status = crm_error_set(err, CRM_ERR_DATA, "%s: the server answers with something else than what was asked", c->endpoint);
  }
  if (status != CRM_OK) {
    PQclear(*result);
    *result = NULL;
  }
  return status;
}

/* The server deals accounts to shards, and so do we: should they disagree, accounts would be in none. */
static enum crm_status check_hash(struct crm_connection *c, struct crm_error *err) {
  static const char id[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 4096);
  crm_strbuf_adds(&buf, "SELECT ");
  crm_statement_add_hash(&buf, "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::text");
  const char *sql = crm_strbuf_str(&buf);
  PGresult *result = NULL;
  enum crm_status status = sql != NULL ? one_row(c, sql, 1, &result, err)
                                       : crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", c->endpoint);
  crm_strbuf_free(&buf);
  if (status == CRM_OK && strtoull(PQgetvalue(result, 0, 0), NULL, 10) != crm_shard_hash(id, sizeof(id) - 1))
    status = crm_error_set(err, CRM_ERR_CONFIG,
                           "%s: md5() of this server gives other hashes, so that it cannot be told which account is whose", c->endpoint);
  PQclear(result);
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "Shard");
}

enum crm_status crm_session_open(struct crm_connection *c, struct crm_error *err) {
  enum crm_status status = crm_connection_open(c, err);
  if (status != CRM_OK)
    return status;
  status = run_settings(c, "", false, err);
  if (status != CRM_OK) {
    crm_error_prefix(err, "setting the session up");
    return give_up(c, status);
  }
  /* With it the server notices that we closed the connection while it works on a query of ours. Not every platform has it. */
  if (PQserverVersion(c->pg) >= 140000) {
    status = crm_connection_run(c, "SET client_connection_check_interval = '1s'", NULL, err);
    if (status == CRM_ERR_SQL) {
      crm_error_clear(err);
      status = CRM_OK;
    }
  }
  if (status == CRM_OK && crm_shard_is_part(c->options->shard)) {
    status = check_hash(c, err);
    if (status != CRM_OK)
      return give_up(c, status);
  }
  return status;
}

enum crm_status crm_session_begin(struct crm_connection *c, struct crm_error *err) {
  enum crm_status status = run_settings(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ", true, err);
  if (status != CRM_OK) {
    crm_error_prefix(err, "beginning a transaction");
    return give_up(c, status);
  }
  return CRM_OK;
}

enum crm_status crm_session_commit(struct crm_connection *c, struct crm_error *err) {
  enum crm_status status = crm_connection_run(c, "COMMIT", NULL, err);
  return status == CRM_OK ? CRM_OK : give_up(c, status);
}

static bool is_true(const PGresult *result, int column) {
  return PQgetvalue(result, 0, column)[0] == 't';
}

enum crm_status crm_session_read_at(struct crm_connection *c, crm_time before, crm_time *read_at, struct crm_error *err) {
  *read_at = before;
  PGresult *result;
  enum crm_status status = one_row(c, "SELECT pg_catalog.pg_is_in_recovery()", 1, &result, err);
  if (status != CRM_OK)
    return status;
  bool replica = is_true(result, 0);
  PQclear(result);
  if (!replica)
    return CRM_OK;
  /* Some managed servers call themselves replicas but refuse these functions; then the lag is unknown and taken for 0. */
  status = crm_connection_run(c, "SAVEPOINT crm_lag", NULL, err);
  if (status != CRM_OK)
    return status;
  status = one_row(c,
                   "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
                   " AND EXISTS (SELECT FROM pg_stat_get_wal_receiver() r WHERE r.pid IS NOT NULL) THEN 0"
                   " ELSE greatest(0, extract(epoch FROM now() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))"
                   " * 1000000)::bigint END",
                   1, &result, err);
  if (status == CRM_OK) {
    *read_at = before - (crm_time)strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
  } else if (status == CRM_ERR_SQL) {
    crm_error_clear(err);
    status = crm_connection_run(c, "ROLLBACK TO SAVEPOINT crm_lag", NULL, err);
  }
  return status;
}

enum crm_status crm_session_report(struct crm_connection *c, struct crm_database_report *report, struct crm_error *err) {
  *report = (struct crm_database_report){0};
  PGresult *result;
  enum crm_status status = one_row(c,
                                   "SELECT current_user, current_setting('server_version'), pg_is_in_recovery(),"
                                   " coalesce(bool_or(r.rolsuper), false), coalesce(bool_or(r.rolsuper OR r.rolbypassrls), false)"
                                   " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
                                   5, &result, err);
  if (status != CRM_OK)
    return status;
  snprintf(report->role, sizeof(report->role), "%s", PQgetvalue(result, 0, 0));
  snprintf(report->server_version, sizeof(report->server_version), "%s", PQgetvalue(result, 0, 1));
  snprintf(report->endpoint, sizeof(report->endpoint), "%s", c->endpoint);
  report->in_recovery = is_true(result, 2);
  report->superuser = is_true(result, 3);
  report->bypass_rls = is_true(result, 4);
  report->ssl = PQsslInUse(c->pg) != 0;
  PQclear(result);
  return CRM_OK;
}

enum crm_status crm_session_can_write(struct crm_connection *c, bool *can_write, struct crm_error *err) {
  PGresult *result;
  enum crm_status status = one_row(c,
                                   "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class t ON t.oid = l.relation"
                                   " WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND t.relkind IN ('r', 'p', 'f', 'v')"
                                   " AND t.relnamespace <> 'pg_catalog'::regnamespace"
                                   " AND has_table_privilege(t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))"
                                   " OR EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public'"
                                   " AND has_schema_privilege(n.oid, 'CREATE'))",
                                   1, &result, err);
  if (status != CRM_OK)
    return status;
  *can_write = is_true(result, 0);
  PQclear(result);
  return CRM_OK;
}
