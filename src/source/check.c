/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "source/mapping.h"

/* --- types --- */

/* Numbers of pg_type.dat; they never change. */
static const struct {
  Oid oid;
  struct crm_copy_type type;
  const char *name;
} builtin[] = {
    {16, {CRM_WIRE_BOOL, 0}, "boolean"},
    {18, {CRM_WIRE_CHAR, 0}, "\"char\""},
    {19, {CRM_WIRE_TEXT, 0}, "name"},
    {20, {CRM_WIRE_INT8, 0}, "bigint"},
    {21, {CRM_WIRE_INT2, 0}, "smallint"},
    {23, {CRM_WIRE_INT4, 0}, "integer"},
    {25, {CRM_WIRE_TEXT, 0}, "text"},
    {26, {CRM_WIRE_OID, 0}, "oid"},
    {700, {CRM_WIRE_FLOAT4, 0}, "real"},
    {701, {CRM_WIRE_FLOAT8, 0}, "double precision"},
    {1003, {CRM_WIRE_ARRAY, CRM_WIRE_TEXT}, "name[]"},
    {1005, {CRM_WIRE_ARRAY, CRM_WIRE_INT2}, "smallint[]"},
    {1007, {CRM_WIRE_ARRAY, CRM_WIRE_INT4}, "integer[]"},
    {1009, {CRM_WIRE_ARRAY, CRM_WIRE_TEXT}, "text[]"},
    {1014, {CRM_WIRE_ARRAY, CRM_WIRE_BPCHAR}, "character[]"},
    {1015, {CRM_WIRE_ARRAY, CRM_WIRE_TEXT}, "character varying[]"},
    {1016, {CRM_WIRE_ARRAY, CRM_WIRE_INT8}, "bigint[]"},
    {1042, {CRM_WIRE_BPCHAR, 0}, "character"},
    {1043, {CRM_WIRE_TEXT, 0}, "character varying"},
    {1082, {CRM_WIRE_DATE, 0}, "date"},
    {1114, {CRM_WIRE_TIMESTAMP, 0}, "timestamp without time zone"},
    {1184, {CRM_WIRE_TIMESTAMPTZ, 0}, "timestamp with time zone"},
    {1700, {CRM_WIRE_NUMERIC, 0}, "numeric"},
    {2950, {CRM_WIRE_UUID, 0}, "uuid"},
    {2951, {CRM_WIRE_ARRAY, CRM_WIRE_UUID}, "uuid[]"},
};

/* The format on the wire is that of the type's send function. */
static const struct {
  const char *send;
  enum crm_wire wire;
} send_functions[] = {
    {"textsend", CRM_WIRE_TEXT},        {"varcharsend", CRM_WIRE_TEXT},
    {"namesend", CRM_WIRE_TEXT},        {"citextsend", CRM_WIRE_TEXT},
    {"enum_send", CRM_WIRE_TEXT},       {"bpcharsend", CRM_WIRE_BPCHAR},
    {"charsend", CRM_WIRE_CHAR},        {"uuid_send", CRM_WIRE_UUID},
    {"int2send", CRM_WIRE_INT2},        {"int4send", CRM_WIRE_INT4},
    {"int8send", CRM_WIRE_INT8},        {"oidsend", CRM_WIRE_OID},
    {"float4send", CRM_WIRE_FLOAT4},    {"float8send", CRM_WIRE_FLOAT8},
    {"numeric_send", CRM_WIRE_NUMERIC}, {"boolsend", CRM_WIRE_BOOL},
    {"date_send", CRM_WIRE_DATE},       {"timestamptz_send", CRM_WIRE_TIMESTAMPTZ},
    {"array_send", CRM_WIRE_ARRAY},     {"timestamp_send", CRM_WIRE_TIMESTAMP},
};

static enum crm_wire wire_of_send(const char *name) {
  for (size_t i = 0; i < sizeof(send_functions) / sizeof(send_functions[0]); i++)
    if (strcmp(send_functions[i].send, name) == 0)
      return send_functions[i].wire;
  return CRM_WIRE_NONE;
}

void crm_types_free(struct crm_types *types) {
  free(types->entries);
  *types = (struct crm_types){0};
}

static const struct crm_type_entry *find_type(const struct crm_types *types, Oid oid) {
  for (size_t i = 0; i < types->n; i++)
    if (types->entries[i].oid == oid)
      return &types->entries[i];
  return NULL;
}

static const char *builtin_name(Oid oid) {
  for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
    if (builtin[i].oid == oid)
      return builtin[i].name;
  return NULL;
}

struct crm_copy_type crm_builtin_type(Oid oid) {
  for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
    if (builtin[i].oid == oid)
      return builtin[i].type;
  return (struct crm_copy_type){0};
}

/* Learns the types of the list "{1,2}". A domain in a column has been resolved by the server; one inside an array has not. Other functions
 * than citext's own count only if they are the server's, since anybody may call a function textsend. */
static enum crm_status learn_types(struct crm_connection *c, struct crm_types *types, const char *oids, struct crm_error *err) {
  PGresult *result;
  const char *params[] = {oids};
  enum crm_status status = crm_connection_query(
      c,
      "WITH RECURSIVE element AS ("
      " SELECT t.oid AS array_type, t.typelem AS oid FROM pg_catalog.pg_type t"
      "  WHERE t.oid = ANY ($1::oid[]) AND t.typsend = 'pg_catalog.array_send'::regproc"
      " UNION ALL SELECT e.array_type, t.typbasetype FROM element e JOIN pg_catalog.pg_type t ON t.oid = e.oid WHERE t.typtype = 'd'),"
      " send AS (SELECT t.oid, p.proname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc p ON p.oid = t.typsend"
      "  WHERE t.typtype <> 'd' AND (p.pronamespace = 'pg_catalog'::regnamespace OR p.proname = 'citextsend'))"
      " SELECT t.oid, format_type(t.oid, NULL), coalesce(s.proname, ''),"
      "  coalesce((SELECT es.proname FROM element e JOIN send es ON es.oid = e.oid WHERE e.array_type = t.oid), '')"
      " FROM pg_catalog.pg_type t LEFT JOIN send s ON s.oid = t.oid WHERE t.oid = ANY ($1::oid[])",
      1, params, &result, err);
  for (int row = 0; status == CRM_OK && row < PQntuples(result); row++) {
    status = crm_vec_reserve((void **)&types->entries, &types->cap, types->n + 1, sizeof(*types->entries));
    if (status != CRM_OK) {
      crm_error_set(err, status, "out of memory");
      break;
    }
    struct crm_type_entry *entry = &types->entries[types->n++];
    entry->oid = (Oid)strtoul(PQgetvalue(result, row, 0), NULL, 10);
    snprintf(entry->name, sizeof(entry->name), "%s", PQgetvalue(result, row, 1));
    entry->type.wire = wire_of_send(PQgetvalue(result, row, 2));
    entry->type.element = entry->type.wire == CRM_WIRE_ARRAY ? wire_of_send(PQgetvalue(result, row, 3)) : CRM_WIRE_NONE;
  }
  PQclear(result);
  return status;
}

/* --- columns --- */

/* The number of the result's column of the name, -1 if there is none, -2 if there are several. */
static int result_column(const PGresult *result, const char *name) {
  int found = -1;
  for (int i = 0; i < PQnfields(result); i++)
    if (strcmp(PQfname(result, i), name) == 0)
      found = found == -1 ? i : -2;
  return found;
}

static enum crm_status learn_new_types(struct crm_connection *c, struct crm_types *types, const struct crm_relation_info *info,
                                       const PGresult *result, struct crm_error *err) {
  char oids[CRM_ROW_COLUMNS * 12 + 3] = "{";
  size_t len = 1;
  for (size_t i = 0; i < info->n_columns; i++) {
    int column = result_column(result, info->columns[i].name);
    if (column < 0 || builtin_name(PQftype(result, column)) != NULL || find_type(types, PQftype(result, column)) != NULL)
      continue;
    len += (size_t)snprintf(oids + len, sizeof(oids) - len, "%s%u", len > 1 ? "," : "", PQftype(result, column));
  }
  if (len == 1)
    return CRM_OK;
  memcpy(oids + len, "}", 2);
  return learn_types(c, types, oids, err);
}

static const struct {
  const char *wanted, *cast;
} kinds[] = {
    [CRM_COL_TEXT] = {"text (or uuid, an enum, an integer)", "text"},
    [CRM_COL_TEXTS] = {"an array of text (or of uuid, an enum, integers)", "text[]"},
    [CRM_COL_TIME] = {"timestamp with time zone or date", "timestamptz"},
    [CRM_COL_DAY] = {"date", "date"},
    [CRM_COL_NUMBER] = {"a number (integer, numeric, double precision)", "numeric"},
    [CRM_COL_MONEY] = {"an amount (numeric, integer, double precision) in major units", "numeric"},
    [CRM_COL_BOOLEAN] = {"boolean", "boolean"},
};

struct problems {
  char text[640];
  size_t len;
};

static void CRM_PRINTF(2, 3) add_problem(struct problems *p, const char *fmt, ...) {
  if (p->len + 1 >= sizeof(p->text))
    return;
  if (p->len > 0)
    p->len += (size_t)snprintf(p->text + p->len, sizeof(p->text) - p->len, "; ");
  va_list args;
  va_start(args, fmt);
  int n = p->len < sizeof(p->text) ? vsnprintf(p->text + p->len, sizeof(p->text) - p->len, fmt, args) : 0;
  va_end(args);
  p->len += n > 0 ? (size_t)n : 0;
}

static void misfit(struct problems *p, const struct crm_column *column, struct crm_copy_type type, const char *type_name,
                   const struct crm_zone *zone) {
  if (column->kind == CRM_COL_TIME && type.wire == CRM_WIRE_TIMESTAMP)
    add_problem(p, "column \"%s\" is %s, which names no instant: write %s AT TIME ZONE 'UTC', or the zone in which it is kept",
                column->name, type_name, column->name);
  else if (column->kind == CRM_COL_DAY && type.wire == CRM_WIRE_TIMESTAMPTZ)
    add_problem(p, "column \"%s\" is %s but must be a date: write (%s AT TIME ZONE '%s')::date", column->name, type_name, column->name,
                crm_zone_name(zone));
  else
    add_problem(p, "column \"%s\" is %s but must be %s: write %s::%s", column->name, type_name, kinds[column->kind].wanted, column->name,
                kinds[column->kind].cast);
}

static void compare_columns(const struct crm_connection *c, const struct crm_types *types, enum crm_relation relation,
                            const PGresult *result, struct crm_relation_check *check, struct crm_copy_field *fields, size_t *n_fields) {
  const struct crm_relation_info *info = crm_relation_info(relation);
  struct problems problems = {0};
  *n_fields = 0;
  for (size_t i = 0; i < info->n_columns; i++) {
    const struct crm_column *column = &info->columns[i];
    int found = result_column(result, column->name);
    if (found == -2)
      add_problem(&problems, "column \"%s\" is there twice: name the columns one by one instead of with *", column->name);
    else if (found == -1 && column->required)
      add_problem(&problems, "required column \"%s\" is missing: let the mapping give %s (%s)", column->name, kinds[column->kind].wanted,
                  column->help);
    if (found < 0)
      continue;
    Oid oid = PQftype(result, found);
    const struct crm_type_entry *entry = find_type(types, oid);
    struct crm_copy_type type = entry != NULL ? entry->type : crm_builtin_type(oid);
    const char *name = entry != NULL ? entry->name : builtin_name(oid);
    if (!crm_copy_type_fits(column->kind, type)) {
      misfit(&problems, column, type, name != NULL ? name : "of an unknown type", c->options->zone);
      continue;
    }
    check->column_present[i] = true;
    if (i == 0) /* account_id, in every relation */
      check->account_type = oid;
    fields[(*n_fields)++] = (struct crm_copy_field){.cell = i, .kind = column->kind, .type = type};
  }
  check->state = problems.len == 0 ? CRM_RELATION_OK : CRM_RELATION_BROKEN;
  if (problems.len > 0)
    crm_error_set(&check->error, CRM_ERR_MAPPING, "relation %s (%s): %s", info->name, check->origin, problems.text);
}

enum crm_status crm_check_relation(struct crm_connection *c, struct crm_types *types, enum crm_relation relation, const char *sql,
                                   struct crm_relation_check *check, struct crm_copy_field *fields, size_t *n_fields,
                                   struct crm_error *err) {
  check->state = CRM_RELATION_UNKNOWN;
  memset(check->column_present, 0, sizeof(check->column_present));
  crm_error_clear(&check->error);
  char *statement = crm_mapping_check_statement(sql);
  if (statement == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  PGresult *result;
  enum crm_status status = crm_connection_query(c, statement, 0, NULL, &result, err);
  free(statement);
  if (status == CRM_ERR_SQL) {
    bool passing = crm_sqlstate_passing(err->sqlstate);
    crm_check_explain(c, relation, check->origin, sql, result, err);
    status = err->status;
    if (!passing) {
      check->state = CRM_RELATION_BROKEN;
      check->error = *err;
      crm_error_clear(err);
      status = CRM_OK;
    }
  } else if (status == CRM_OK) {
    status = learn_new_types(c, types, crm_relation_info(relation), result, err);
    if (status == CRM_OK)
      compare_columns(c, types, relation, result, check, fields, n_fields);
  }
  PQclear(result);
  return status;
}
