/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/publication.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/logical.h"

static void CRM_PRINTF(3, 4) append(char *to, size_t size, const char *fmt, ...) {
  size_t len = strlen(to);
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(to + len, size - len, fmt, args);
  va_end(args);
  if (n < 0 || (size_t)n >= size - len)
    to[len] = '\0'; /* rather nothing than half of it: it may be SQL */
}

static void append_item(char *to, size_t size, const char *separator, const char *item) {
  append(to, size, "%s%s", to[0] != '\0' ? separator : "", item);
}

static bool is_true(const PGresult *result, int row, int column) {
  return PQgetvalue(result, row, column)[0] == 't';
}

/* --- the database --- */

#define SURVEY(schemas)                                                                                                                    \
  "SELECT pg_is_in_recovery(), current_setting('wal_level'),"                                                                              \
  " (SELECT r.rolreplication OR r.rolsuper FROM pg_roles r WHERE r.rolname = current_user), quote_ident(current_user), quote_ident($1),"   \
  " (SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate FROM pg_publication p WHERE p.pubname = $1),"                    \
  " coalesce(" CRM_PUBLICATION_MARK(                                                                                                       \
      schemas) ", ''),"                                                                                                                    \
               " current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)"

static void judge(const PGresult *result, struct crm_publication *p) {
  const char *role = PQgetvalue(result, 0, 3), *name = PQgetvalue(result, 0, 4);
  p->exists = !PQgetisnull(result, 0, 5);
  snprintf(p->mark, sizeof(p->mark), "%s", PQgetvalue(result, 0, 6));
  if (is_true(result, 0, 0)) {
    snprintf(p->why, sizeof(p->why), "this is a replica");
    return;
  }
  if (strcmp(PQgetvalue(result, 0, 1), "logical") != 0) {
    append_item(p->why, sizeof(p->why), "; ", "wal_level is not logical");
    append_item(p->remedy, sizeof(p->remedy), "; ", "ALTER SYSTEM SET wal_level = logical (and a restart of the server)");
  }
  if (!is_true(result, 0, 2)) {
    append_item(p->why, sizeof(p->why), "; ", "the role has no attribute REPLICATION");
    append(p->remedy, sizeof(p->remedy), "%sALTER ROLE %s REPLICATION", p->remedy[0] != '\0' ? "; " : "", role);
  }
  if (!p->exists)
    append(p->why, sizeof(p->why), "%sthere is no publication %s", p->why[0] != '\0' ? "; " : "", name);
  else if (!is_true(result, 0, 5)) {
    append(p->why, sizeof(p->why), "%sthe publication %s leaves kinds of changes out", p->why[0] != '\0' ? "; " : "", name);
    append(p->remedy, sizeof(p->remedy), "%sALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate')",
           p->remedy[0] != '\0' ? "; " : "", name);
  }
  if (p->why[0] == '\0' && atoi(PQgetvalue(result, 0, 7)) <= 0)
    snprintf(p->why, sizeof(p->why), "the server has no replication slot left (max_replication_slots)");
  p->usable = p->why[0] == '\0';
  if (p->usable)
    snprintf(p->why, sizeof(p->why), "by publication %s", name);
}

enum crm_status crm_publication_survey(struct crm_connection *c, struct crm_publication *p, struct crm_error *err) {
  *p = (struct crm_publication){.usable = false};
  const char *params[] = {c->options->publication};
  PGresult *result;
  enum crm_status status =
      crm_connection_query(c, PQserverVersion(c->pg) >= 150000 ? SURVEY(CRM_PUBLICATION_SCHEMAS) : SURVEY("''"), 1, params, &result, err);
  if (status == CRM_OK && (PQntuples(result) != 1 || PQnfields(result) != 8)) {
    crm_connection_close(c);
    status = crm_error_set(err, CRM_ERR_DATA, "%s: the server answers with something else than what was asked", c->endpoint);
  }
  if (status == CRM_OK)
    judge(result, p);
  PQclear(result);
  return status;
}

/* "{1,2,3}" */
static const char *oid_list(const Oid *tables, size_t n, struct crm_strbuf *list) {
  crm_strbuf_init(list, 1 << 20);
  for (size_t i = 0; i < n; i++)
    crm_strbuf_addf(list, "%s%u", i > 0 ? "," : "{", tables[i]);
  crm_strbuf_adds(list, n > 0 ? "}" : "{}");
  return crm_strbuf_str(list);
}

/* A table without an identity must not be published before it has one: the server would refuse its updates and deletes from then on. */
enum crm_status crm_publication_suggest(struct crm_connection *c, const Oid *tables, size_t n, struct crm_publication *p,
                                        struct crm_error *err) {
  if (p->exists || n == 0)
    return CRM_OK;
  struct crm_strbuf list;
  const char *params[] = {oid_list(tables, n, &list), c->options->publication};
  PGresult *result = NULL;
  enum crm_status status =
      params[0] == NULL
          ? crm_error_set(err, CRM_ERR_MEMORY, "out of memory")
          : crm_connection_query(
                c,
                "SELECT coalesce(string_agg(format('ALTER TABLE %s REPLICA IDENTITY FULL; ', c.oid::regclass), '' ORDER BY c.oid)"
                "  FILTER (WHERE c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS"
                "   (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate))), '')"
                " || format('CREATE PUBLICATION %I FOR TABLE %s', $2::text, string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid))"
                " FROM pg_class c WHERE c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND c.relpersistence = 'p' HAVING count(*) > 0",
                2, params, &result, err);
  if (status == CRM_OK && PQntuples(result) == 1)
    append_item(p->remedy, sizeof(p->remedy), "; ", PQgetvalue(result, 0, 0));
  PQclear(result);
  crm_strbuf_free(&list);
  return status;
}

/* --- the tables of a relation --- */

/* Per table and teller: a partition is published itself or by what it is a part of, and then that must be among the tables, since its
 * changes come by that one's name. to_jsonb, because servers before 15 know neither row filters nor lists of columns. */
static const char cover_sql[] =
    "WITH listed AS (SELECT pc.oid, to_jsonb(pt) ->> 'rowfilter' AS filter, to_jsonb(pt) -> 'attnames' AS attnames"
    "  FROM pg_publication_tables pt JOIN pg_namespace pn ON pn.nspname = pt.schemaname"
    "  JOIN pg_class pc ON pc.relnamespace = pn.oid AND pc.relname = pt.tablename WHERE pt.pubname = $1)"
    " SELECT c.oid, c.relkind, c.oid::regclass::text, l.oid IS NOT NULL, l.filter IS NOT NULL, c.relispartition,"
    "  c.relkind = 'r' AND c.relpersistence = 'p', k.place, coalesce(a.attname, ''),"
    "  coalesce(l.attnames ? a.attname::text, true) AND a.attgenerated = '',"
    "  c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute x ON x.attrelid = i.indrelid AND x.attname = a.attname"
    "   WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END"
    "   AND x.attnum = ANY (i.indkey)),"
    /* What would let old rows tell: an index that could serve, else the whole row; but not with a list of columns, which it has to be in.
     */
    "  CASE WHEN l.attnames IS NULL OR jsonb_array_length(l.attnames) = (SELECT count(*) FROM pg_attribute y WHERE y.attrelid = c.oid"
    "    AND y.attnum > 0 AND NOT y.attisdropped AND y.attgenerated = '') THEN"
    "   format('ALTER TABLE %s REPLICA IDENTITY %s', c.oid::regclass, coalesce((SELECT format('USING INDEX %I', ic.relname)"
    "    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_attribute x ON x.attrelid = c.oid AND x.attname = a.attname"
    "    WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
    "     AND x.attnum = ANY (i.indkey) AND NOT EXISTS (SELECT FROM pg_attribute z WHERE z.attrelid = c.oid AND z.attnum = ANY (i.indkey)"
    "      AND NOT z.attnotnull) ORDER BY i.indnkeyatts, ic.relname LIMIT 1), 'FULL')) END,"
    /* It must have an identity before it is published, or the server refuses its updates from then on. */
    "  c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS"
    "   (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)),"
    "  format_type(a.atttypid, NULL),"
    "  CASE WHEN coalesce(l.attnames ? k.day::text, true) THEN k.day END"
    " FROM pg_class c"
    " LEFT JOIN LATERAL (SELECT * FROM listed WHERE listed.oid = c.oid OR (listed.oid = ANY ($2::oid[]) AND listed.oid IN"
    "  (SELECT pg_partition_ancestors(c.oid)::oid)) ORDER BY listed.oid = c.oid DESC LIMIT 1) l ON true"
    " LEFT JOIN LATERAL (SELECT t.place, pa.attname, da.attname AS day"
    "  FROM unnest($3::oid[], $4::int[], $5::int[]) WITH ORDINALITY t (oid, number, day, place)"
    "  JOIN pg_attribute pa ON pa.attrelid = t.oid AND pa.attnum = t.number"
    "  LEFT JOIN pg_attribute da ON da.attrelid = t.oid AND da.attnum = t.day AND t.day > 0"
    "  WHERE t.oid = c.oid OR t.oid IN (SELECT pg_partition_ancestors(c.oid)::oid)) k ON true"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = k.attname"
    " WHERE c.oid = ANY ($2::oid[]) AND c.relkind <> 'v' ORDER BY c.oid, k.place";

/* One table that is not published, or not in full. */
static void add_lacking(const PGresult *result, int row, const char *publication, struct crm_cover *cover) {
  const char *name = PQgetvalue(result, row, 2);
  cover->covered = false;
  if (!is_true(result, row, 6))
    append(cover->lacking, sizeof(cover->lacking), "%s%s, which cannot be published", cover->lacking[0] != '\0' ? ", " : "", name);
  else if (is_true(result, row, 4))
    append(cover->lacking, sizeof(cover->lacking), "%s%s, of which the publication filters rows", cover->lacking[0] != '\0' ? ", " : "",
           name);
  else {
    append_item(cover->lacking, sizeof(cover->lacking), ", ", name);
    append(cover->remedy, sizeof(cover->remedy), "%s%s%s%sALTER PUBLICATION %s ADD TABLE %s", cover->remedy[0] != '\0' ? "; " : "",
           is_true(result, row, 12) ? "ALTER TABLE " : "", is_true(result, row, 12) ? name : "",
           is_true(result, row, 12) ? " REPLICA IDENTITY FULL; " : "", publication, name);
  }
}

static void take_cover(const PGresult *result, const struct crm_teller *tellers, struct crm_track *tracks, size_t max,
                       const char *publication, struct crm_cover *cover) {
  char before[16] = ""; /* a table with several tellers comes several times */
  char advice[512] = "";
  for (int i = 0; i < PQntuples(result); i++) {
    bool first = strcmp(before, PQgetvalue(result, i, 0)) != 0, is_table = PQgetvalue(result, i, 1)[0] != 'p';
    snprintf(before, sizeof(before), "%s", PQgetvalue(result, i, 0));
    if (first && is_table && (!is_true(result, i, 3) || is_true(result, i, 4)))
      add_lacking(result, i, publication, cover);
    if (cover->n_tracks == max) {
      cover->covered = false;
      snprintf(cover->lacking, sizeof(cover->lacking), "too many tables");
      return;
    }
    struct crm_track *track = &tracks[cover->n_tracks++];
    *track = (struct crm_track){.table = (Oid)strtoul(PQgetvalue(result, i, 0), NULL, 10)};
    bool told = is_true(result, i, 9) && strlen(PQgetvalue(result, i, 8)) < sizeof(track->column) &&
                strlen(PQgetvalue(result, i, 13)) < sizeof(track->type);
    if (PQgetisnull(result, i, 7) || !told)
      continue;
    const struct crm_teller *teller = &tellers[atoi(PQgetvalue(result, i, 7)) - 1];
    snprintf(track->column, sizeof(track->column), "%s", PQgetvalue(result, i, 8));
    track->by_key = teller->by_key;
    track->padded = teller->padded;
    track->looked_up = teller->looked_up;
    snprintf(track->type, sizeof(track->type), "%s", PQgetvalue(result, i, 13));
    if (strlen(PQgetvalue(result, i, 14)) < sizeof(track->day))
      snprintf(track->day, sizeof(track->day), "%s", PQgetvalue(result, i, 14));
    if (is_table && !is_true(result, i, 10)) {
      append_item(cover->untold, sizeof(cover->untold), ", ", PQgetvalue(result, i, 2));
      if (!PQgetisnull(result, i, 11))
        append_item(advice, sizeof(advice), "; ", PQgetvalue(result, i, 11));
    }
  }
  if (cover->covered)
    snprintf(cover->remedy, sizeof(cover->remedy), "%s", advice);
}

enum crm_status crm_publication_cover(struct crm_connection *c, const Oid *tables, size_t n, const struct crm_teller *tellers,
                                      size_t n_tellers, struct crm_track *tracks, size_t max, struct crm_cover *cover,
                                      struct crm_error *err) {
  *cover = (struct crm_cover){.covered = true};
  struct crm_strbuf list, teller_tables, teller_numbers, teller_days;
  crm_strbuf_init(&teller_tables, 65536);
  crm_strbuf_init(&teller_numbers, 65536);
  crm_strbuf_init(&teller_days, 65536);
  for (size_t i = 0; i < n_tellers; i++) {
    crm_strbuf_addf(&teller_tables, "%s%u", i > 0 ? "," : "{", tellers[i].table);
    crm_strbuf_addf(&teller_numbers, "%s%d", i > 0 ? "," : "{", tellers[i].attribute);
    crm_strbuf_addf(&teller_days, "%s%d", i > 0 ? "," : "{", tellers[i].day);
  }
  crm_strbuf_adds(&teller_tables, n_tellers > 0 ? "}" : "{}");
  crm_strbuf_adds(&teller_numbers, n_tellers > 0 ? "}" : "{}");
  crm_strbuf_adds(&teller_days, n_tellers > 0 ? "}" : "{}");
  const char *params[] = {c->options->publication, oid_list(tables, n, &list), crm_strbuf_str(&teller_tables),
                          crm_strbuf_str(&teller_numbers), crm_strbuf_str(&teller_days)};
  PGresult *result = NULL;
  enum crm_status status = params[1] == NULL || params[2] == NULL || params[3] == NULL || params[4] == NULL
                               ? crm_error_set(err, CRM_ERR_MEMORY, "out of memory")
                               : crm_connection_query(c, cover_sql, 5, params, &result, err);
  char *publication = status == CRM_OK ? PQescapeIdentifier(c->pg, params[0], strlen(params[0])) : NULL;
  if (status == CRM_OK && publication == NULL)
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  if (status == CRM_OK)
    take_cover(result, tellers, tracks, max, publication, cover);
  PQfreemem(publication);
  PQclear(result);
  crm_strbuf_free(&list);
  crm_strbuf_free(&teller_tables);
  crm_strbuf_free(&teller_numbers);
  crm_strbuf_free(&teller_days);
  return status;
}
