/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/lookout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "facts/dict.h"

/* --- the list --- */

static void look_free(struct crm_look *look) {
  free(look->tables);
  *look = (struct crm_look){0};
}

void crm_lookout_free(struct crm_lookout *s) {
  look_free(&s->accepted);
  look_free(&s->next);
  free(s->list);
  *s = (struct crm_lookout){0};
}

enum crm_status crm_lookout_watch(struct crm_lookout *s, Oid table) {
  for (size_t i = 0; i < s->n; i++)
    if (s->list[i] == table)
      return CRM_OK;
  enum crm_status status = crm_vec_reserve((void **)&s->list, &s->cap, s->n + 1, sizeof(*s->list));
  if (status == CRM_OK)
    s->list[s->n++] = table;
  return status;
}

void crm_lookout_accept(struct crm_lookout *s) {
  look_free(&s->accepted);
  s->accepted = s->next;
  s->next = (struct crm_look){0};
}

bool crm_lookout_still(const struct crm_lookout *s) {
  return s->next.snapshot[0] != '\0' && strcmp(s->next.snapshot, s->accepted.snapshot) == 0;
}

static const struct crm_table_signal *find(const struct crm_look *look, Oid table) {
  for (size_t i = 0; i < look->n_tables; i++)
    if (look->tables[i].oid == table)
      return &look->tables[i];
  return NULL;
}

bool crm_lookout_table(const struct crm_lookout *s, Oid table, const struct crm_table_signal **before,
                       const struct crm_table_signal **now) {
  *before = find(&s->accepted, table);
  *now = find(&s->next, table);
  return *before != NULL && *now != NULL;
}

/* --- asking --- */

/* A snapshot is which transactions are visible: if it is the same, so are the rows. A replica's list of running transactions is not
 * complete, but its place in the log says it all. */
#define SNAPSHOT                                                                                                                           \
  "CASE WHEN pg_is_in_recovery() THEN 'at ' || coalesce(pg_last_wal_replay_lsn()::text, '') ELSE pg_current_snapshot()::text END"

static enum crm_status strange(struct crm_connection *c, struct crm_error *err) {
  crm_connection_close(c);
  return crm_error_set(err, CRM_ERR_DATA, "%s: the server answers with something else than what was asked", c->endpoint);
}

static void take_text(char *to, size_t size, const PGresult *result, int column) {
  const char *text = PQgetvalue(result, 0, column);
  snprintf(to, size, "%s", strlen(text) < size ? text : "");
}

enum crm_status crm_lookout_glance(struct crm_connection *c, struct crm_lookout *s, struct crm_error *err) {
  look_free(&s->next);
  PGresult *result;
  enum crm_status status = crm_connection_query(
      c,
      "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::text || ' ' ||"
      " extract(epoch FROM pg_postmaster_start_time())::text || ' ' || pg_is_in_recovery()::text, " SNAPSHOT ", pg_is_in_recovery()",
      0, NULL, &result, err);
  if (status != CRM_OK) {
    PQclear(result);
    return status;
  }
  if (PQntuples(result) != 1 || PQnfields(result) != 3) {
    PQclear(result);
    return strange(c, err);
  }
  take_text(s->next.identity, sizeof(s->next.identity), result, 0);
  take_text(s->next.snapshot, sizeof(s->next.snapshot), result, 1);
  s->next.replica = PQgetvalue(result, 0, 2)[0] == 't';
  PQclear(result);
  return CRM_OK;
}

enum crm_status crm_lookout_take_snapshot(struct crm_connection *c, struct crm_lookout *s, struct crm_error *err) {
  PGresult *result;
  enum crm_status status = crm_connection_query(c, "SELECT " SNAPSHOT, 0, NULL, &result, err);
  if (status == CRM_OK && PQntuples(result) != 1)
    status = strange(c, err);
  /* A replica goes on replaying while we read, so its place is not exactly that of our snapshot. */
  if (status == CRM_OK && !s->next.replica)
    take_text(s->next.snapshot, sizeof(s->next.snapshot), result, 0);
  PQclear(result);
  return status;
}

/* A transaction stamps rows with its start or later. One that is prepared is not among the sessions: while there is any, the bound stays.
 */
static const char activity_sql[] =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
    " (SELECT (extract(epoch FROM min(a.xact_start)) * 1000000)::bigint FROM pg_stat_activity a"
    "  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type NOT LIKE 'autovacuum%'),"
    " EXISTS (SELECT FROM pg_prepared_xacts p WHERE p.database = current_database()),"
    " coalesce((SELECT pg_has_role(r.oid, 'USAGE') FROM pg_roles r WHERE r.rolname = 'pg_read_all_stats'), false),"
    " current_setting('track_counts')::boolean,"
    " coalesce((SELECT d.stats_reset::text FROM pg_stat_database d WHERE d.datname = current_database()), '')";

static const char tables_sql[] =
    "SELECT t.oid, pg_stat_get_tuples_inserted(t.oid), pg_stat_get_tuples_updated(t.oid), pg_stat_get_tuples_deleted(t.oid),"
    " coalesce(c.relfilenode::text, ''),"
    /* Not the xmin of the table's own row: TRUNCATE changes it, and is no reason to look at everything anew. */
    " coalesce(c.relkind::text || CASE WHEN c.relkind IN ('v', 'p') THEN ' ' || c.xmin ELSE '' END || ' ' || c.relrowsecurity"
    "  || c.relpersistence::text"
    /* By another name it is another table, and one that may not be read any more has to be missed now and not tomorrow. */
    "  || ' ' || c.relnamespace::regnamespace::text || '.' || c.relname || ' ' || coalesce(c.relacl::text, '')"
    "  || ' ' || coalesce((SELECT hashtext(string_agg(a.xmin || ' ' || a.attname, ',' ORDER BY a.attnum)) FROM pg_attribute a"
    "                      WHERE a.attrelid = c.oid AND a.attnum > 0), 0)"
    "  || ' ' || coalesce((SELECT string_agg(r.xmin::text, ',' ORDER BY r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid), '')"
    "  || ' ' || (SELECT count(*) || ':' || coalesce(max(i.xmin::text::bigint), 0) FROM pg_inherits i WHERE i.inhparent = c.oid), '')"
    " FROM unnest($1::oid[]) WITH ORDINALITY t (oid, place) LEFT JOIN pg_class c ON c.oid = t.oid ORDER BY t.place";

static int64_t number(const PGresult *result, int row, int column) {
  return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static enum crm_status take_tables(struct crm_look *look, const PGresult *result) {
  size_t n = (size_t)PQntuples(result);
  look->tables = calloc(n > 0 ? n : 1, sizeof(*look->tables));
  if (look->tables == NULL)
    return CRM_ERR_MEMORY;
  look->n_tables = n;
  for (size_t i = 0; i < n; i++) {
    struct crm_table_signal *t = &look->tables[i];
    t->oid = (Oid)strtoul(PQgetvalue(result, (int)i, 0), NULL, 10);
    t->inserted = number(result, (int)i, 1);
    t->updated = number(result, (int)i, 2);
    t->deleted = number(result, (int)i, 3);
    snprintf(t->file, sizeof(t->file), "%s", PQgetvalue(result, (int)i, 4));
    snprintf(t->shape, sizeof(t->shape), "%s", PQgetvalue(result, (int)i, 5));
  }
  return CRM_OK;
}

enum crm_status crm_lookout_look(struct crm_connection *c, struct crm_lookout *s, int64_t overlap_us, struct crm_error *err) {
  struct crm_strbuf list;
  crm_strbuf_init(&list, 1 << 20);
  crm_strbuf_addc(&list, '{');
  for (size_t i = 0; i < s->n; i++)
    crm_strbuf_addf(&list, "%s%u", i > 0 ? "," : "", s->list[i]);
  crm_strbuf_addc(&list, '}');
  const char *params[] = {crm_strbuf_str(&list)};
  const struct crm_statement statements[] = {{.sql = activity_sql, .prepare = true},
                                             {.sql = tables_sql, .n_params = 1, .params = params, .prepare = true}};
  PGresult *results[2] = {NULL, NULL};
  enum crm_status status = params[0] == NULL ? crm_error_set(err, CRM_ERR_MEMORY, "out of memory")
                                             : crm_connection_pipeline(c, statements, 2, results, NULL, err);
  crm_strbuf_free(&list);
  if (status == CRM_OK && (PQntuples(results[0]) != 1 || PQnfields(results[0]) != 6 || PQntuples(results[1]) != (int)s->n))
    status = strange(c, err);
  if (status == CRM_OK) {
    struct crm_look *look = &s->next;
    look->clock = number(results[0], 0, 0);
    look->bound = look->clock;
    if (!PQgetisnull(results[0], 0, 1) && number(results[0], 0, 1) < look->bound)
      look->bound = number(results[0], 0, 1);
    look->bound -= overlap_us;
    if (PQgetvalue(results[0], 0, 2)[0] == 't' && s->accepted.clock != 0 && s->accepted.bound < look->bound)
      look->bound = s->accepted.bound;
    look->sees_activity = PQgetvalue(results[0], 0, 3)[0] == 't';
    look->counting = PQgetvalue(results[0], 0, 4)[0] == 't';
    take_text(look->reset, sizeof(look->reset), results[0], 5);
    status = take_tables(look, results[1]);
    if (status != CRM_OK)
      crm_error_set(err, status, "out of memory");
  }
  PQclear(results[0]);
  PQclear(results[1]);
  return status;
}

/* --- what a poll has seen --- */

struct crm_seen {
  struct crm_dict dict; /* "key stamp" */
  int64_t *count;
  size_t cap;
};

struct crm_seen *crm_seen_new(void) {
  struct crm_seen *seen = calloc(1, sizeof(*seen));
  if (seen != NULL && crm_dict_init(&seen->dict) != CRM_OK) {
    free(seen);
    return NULL;
  }
  return seen;
}

void crm_seen_free(struct crm_seen *seen) {
  if (seen == NULL)
    return;
  crm_dict_free(&seen->dict);
  free(seen->count);
  free(seen);
}

enum crm_status crm_seen_add(struct crm_seen *seen, const char *key, const char *stamp, int64_t count) {
  char *text;
  int len = asprintf(&text, "%s %s", stamp, key);
  if (len < 0)
    return CRM_ERR_MEMORY;
  uint32_t i;
  enum crm_status status = crm_dict_add(&seen->dict, text, (size_t)len, &i);
  free(text);
  if (status == CRM_OK)
    status = crm_vec_reserve((void **)&seen->count, &seen->cap, (size_t)i + 1, sizeof(*seen->count));
  if (status == CRM_OK)
    seen->count[i] = count;
  return status;
}

int64_t crm_seen_count(const struct crm_seen *seen, const char *key, const char *stamp) {
  char *text;
  if (seen == NULL)
    return 0;
  int len = asprintf(&text, "%s %s", stamp, key);
  if (len < 0)
    return 0;
  uint32_t i = crm_dict_find(&seen->dict, text, (size_t)len);
  free(text);
  return i == CRM_DICT_NONE ? 0 : seen->count[i];
}
