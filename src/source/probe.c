/* SPDX-License-Identifier: MIT */
/* Which way a relation can be followed, found out from the server: the tables that its query touches by the locks it takes, whether
 * changed_at is a column of one of them by what the server tells of the result, what the planner would do by EXPLAIN. */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/follow.h"
#include "source/internal.h"
#include "source/plan.h"

void crm_way_free(struct crm_way *way) {
  for (size_t i = 0; i < way->n_watches; i++) {
    free(way->watches[i].poll);
    crm_seen_free(way->watches[i].seen);
    crm_seen_free(way->watches[i].seen_next);
  }
  *way = (struct crm_way){0};
}

const char *crm_changes_name(enum crm_changes changes) {
  static const char *const names[] = {"auto", "logical", "poll", "counters", "none"};
  return (unsigned)changes < sizeof(names) / sizeof(names[0]) ? names[changes] : NULL;
}

const struct crm_following *crm_source_following(const struct crm_source *source, enum crm_relation relation) {
  return &source->ways[relation].following;
}

/* One relation being looked at. */
struct probe {
  struct crm_source *source;
  struct crm_source_database *database;
  struct crm_connection *c;
  enum crm_relation relation;
  struct crm_way *way;
  bool foreign;                   /* tables whose changes are not counted here */
  char call[64];                  /* a function that may read the clock or other tables, or "" */
  Oid immaterial[CRM_TABLES_MAX]; /* tables whose changes do not matter, by the mapping's word */
  size_t n_immaterial;
  struct crm_error *err;
};

static void CRM_PRINTF(2, 3) say(struct probe *p, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(p->way->following.why, sizeof(p->way->following.why), fmt, args);
  va_end(args);
}

/* --- tables --- */

static enum crm_status ask_tables(struct probe *p, PGresult **result) {
  return crm_connection_query(p->c,
                              "SELECT DISTINCT t.oid, t.relkind FROM pg_locks l JOIN pg_class t ON t.oid = l.relation"
                              " WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND t.relkind IN ('r', 'p', 'm', 'f', 'v')"
                              " AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
                              " AND t.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) ORDER BY 1",
                              0, NULL, result, p->err);
}

static bool is_immaterial(const struct probe *p, Oid table) {
  for (size_t i = 0; i < p->n_immaterial; i++)
    if (p->immaterial[i] == table)
      return true;
  return false;
}

/* The tables whose locks the relation's query has taken. */
static enum crm_status find_tables(struct probe *p) {
  PGresult *result;
  enum crm_status status = ask_tables(p, &result);
  struct crm_way *way = p->way;
  for (int i = 0; status == CRM_OK && i < PQntuples(result); i++) {
    Oid table = (Oid)strtoul(PQgetvalue(result, i, 0), NULL, 10);
    if (is_immaterial(p, table))
      continue;
    p->foreign |= PQgetvalue(result, i, 1)[0] == 'f' || way->n_tables == CRM_TABLES_MAX;
    if (way->n_tables == CRM_TABLES_MAX)
      break;
    way->tables[way->n_tables++] = table;
    status = crm_lookout_watch(&p->database->lookout, table);
    if (status != CRM_OK)
      crm_error_set(p->err, status, "out of memory");
  }
  PQclear(result);
  return status;
}

enum crm_status crm_source_describe(struct crm_connection *c, const char *sql, PGresult **result, struct crm_error *err) {
  *result = NULL;
  char *statement = crm_mapping_check_statement(sql);
  if (statement == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  enum crm_status status = crm_connection_query(c, statement, 0, NULL, result, err);
  free(statement);
  return status;
}

struct crm_result_column crm_result_column(const PGresult *result, const char *name) {
  struct crm_result_column column = {0};
  for (int i = 0; i < PQnfields(result); i++)
    if (strcmp(PQfname(result, i), name) == 0)
      column = (struct crm_result_column){true, PQftype(result, i), PQftable(result, i), PQftablecol(result, i)};
  return column;
}

/* A statement for changes that gives no column ("SELECT FROM accounts") names tables whose changes do not matter to the relation. To be
 * called while no table is locked. */
static enum crm_status find_immaterial(struct probe *p) {
  const struct crm_mapping *mapping = &p->source->mapping;
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < mapping->n_changes[p->relation] && status == CRM_OK; i++) {
    PGresult *result;
    status = crm_source_savepoint(p->database, p->err);
    if (status != CRM_OK)
      break;
    status = crm_source_describe(p->c, mapping->changes[p->relation][i], &result, p->err);
    bool none = status == CRM_OK && PQnfields(result) == 0;
    PQclear(result);
    if (status == CRM_ERR_SQL && !crm_sqlstate_passing(p->err->sqlstate)) {
      crm_error_clear(p->err); /* told of by try_watch */
      status = CRM_OK;
    }
    if (status == CRM_OK && none) {
      status = ask_tables(p, &result);
      for (int t = 0; status == CRM_OK && t < PQntuples(result) && p->n_immaterial < CRM_TABLES_MAX; t++)
        p->immaterial[p->n_immaterial++] = (Oid)strtoul(PQgetvalue(result, t, 0), NULL, 10);
      PQclear(result);
    }
    if (status == CRM_OK)
      status = crm_source_rollback(p->database, p->err);
  }
  return status;
}

/* --- polls --- */

/* What an index says: can changed_at be looked up, is the key the row's own? And names for what is to be told. */
static enum crm_status ask_indexes(struct probe *p, struct crm_result_column stamp, struct crm_result_column key, bool *indexed,
                                   bool *unique, char *title, size_t title_size, char *remedy, size_t remedy_size) {
  char table[16], attribute[16], key_attribute[16];
  snprintf(table, sizeof(table), "%u", stamp.table);
  snprintf(attribute, sizeof(attribute), "%d", stamp.attribute);
  snprintf(key_attribute, sizeof(key_attribute), "%d", key.table == stamp.table ? key.attribute : 0);
  const char *params[] = {table, attribute, key_attribute};
  PGresult *result;
  enum crm_status status = crm_connection_query(
      p->c,
      "SELECT coalesce(bool_or(i.indkey[0] = $2::int2 AND i.indpred IS NULL AND m.amname = 'btree'), false),"
      " coalesce(bool_or(i.indkey[0] = $3::int2 AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indimmediate), false),"
      " $1::oid::regclass::text,"
      /* With a name: two relations may lack the same index, and it must not be made twice. */
      " (SELECT format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %I.%I (%I)',"
      "   left('crm_' || c.relname || '_' || a.attname, 59) || '_idx', n.nspname, c.relname, a.attname) FROM pg_class c"
      "   JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = $2::int2"
      "   WHERE c.oid = $1::oid AND c.relkind IN ('r', 'm'))"
      " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam"
      " WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indisready",
      3, params, &result, p->err);
  if (status == CRM_OK && PQntuples(result) == 1) {
    *indexed = PQgetvalue(result, 0, 0)[0] == 't';
    *unique = PQgetvalue(result, 0, 1)[0] == 't';
    snprintf(title, title_size, "%s", PQgetvalue(result, 0, 2));
    snprintf(remedy, remedy_size, "%s", PQgetvalue(result, 0, 3));
  }
  PQclear(result);
  return status;
}

/* A condition of the mapping on rows of the table: a row that stops to fulfil it by a change vanishes and no poll tells. A plan by an index
 * shows that on changed_at as Index Cond or Recheck Cond. */
static bool has_condition(const char *plan) {
  return strstr(plan, "Filter: ") != NULL;
}

static void add_remedy(struct probe *p, const char *sql) {
  char *to = p->way->following.remedy;
  size_t len = strlen(to), size = sizeof(p->way->following.remedy);
  if (sql[0] != '\0' && len + strlen(sql) + 3 < size)
    snprintf(to + len, size - len, "%s%s", len > 0 ? "; " : "", sql);
}

/* Tries to poll `sql`, which gives changed_at (or inserted_at) and a key, and adds the watch; else why not is said. */
static enum crm_status try_watch(struct probe *p, const char *sql, const char *key_name, bool by_key) {
  PGresult *result;
  enum crm_status status = crm_source_describe(p->c, sql, &result, p->err);
  if (status == CRM_ERR_SQL && !crm_sqlstate_passing(p->err->sqlstate)) {
    say(p, "the statement for changes fails: %s", p->err->message);
    crm_error_clear(p->err);
    PQclear(result);
    return crm_source_rollback(p->database, p->err);
  }
  if (status != CRM_OK) {
    PQclear(result);
    return status;
  }
  struct crm_result_column stamp = crm_result_column(result, "changed_at"), key = crm_result_column(result, key_name),
                           day = crm_result_column(result, "day");
  bool inserts_only = !stamp.found;
  if (inserts_only)
    stamp = crm_result_column(result, "inserted_at");
  PQclear(result);
  const char *stamp_name = inserts_only ? "inserted_at" : "changed_at", *day_name = NULL;
  int day_column = crm_relation_day(p->relation);
  bool own = sql == p->source->mapping.sql[p->relation]; /* which does not promise that a row changes its own day alone */
  if (day_column >= 0 && !by_key && !own && crm_is_day_of(day, stamp.table))
    day_name = crm_relation_info(p->relation)->columns[day_column].name;
  if (!stamp.found || !key.found) {
    say(p, "the mapping gives no changed_at");
    return CRM_OK;
  }
  if (crm_builtin_type(stamp.type).wire != CRM_WIRE_TIMESTAMPTZ || stamp.table == 0 || stamp.attribute <= 0) {
    say(p, "%s is not a plain column of a table, of type timestamptz", stamp_name);
    return CRM_OK;
  }
  bool indexed = false, unique = false;
  struct crm_watch watch = {.table = stamp.table, .by_key = by_key, .inserts_only = inserts_only};
  char remedy[512] = "";
  status = ask_indexes(p, stamp, key, &indexed, &unique, watch.title, sizeof(watch.title), remedy, sizeof(remedy));
  if (status != CRM_OK)
    return status;
  if (!indexed) {
    say(p, "%s of %s leads no index", stamp_name, watch.title);
    add_remedy(p, remedy);
    return CRM_OK;
  }
  struct crm_selection selection = crm_source_selection(p->source, p->relation);
  selection.sql = sql;
  status = crm_connection_run(p->c, "SET LOCAL enable_seqscan = off", NULL, p->err);
  char *plan = NULL;
  if (status == CRM_OK)
    status = crm_plan_explain(
        p->database, crm_statement_poll(&selection, key_name, stamp_name, day_name, "'9999-01-01 00:00:00+00'::timestamptz"), &plan, p->err);
  if (status == CRM_OK)
    status = crm_connection_run(p->c, "SET LOCAL enable_seqscan = on", NULL, p->err);
  bool usable = status == CRM_OK && plan != NULL && !has_condition(plan) && strstr(plan, " Cond: ") != NULL;
  free(plan);
  if (status != CRM_OK)
    return status;
  if (!usable) {
    say(p, "a condition of the mapping could hide a changed row of %s", watch.title);
    return CRM_OK;
  }
  watch.stable_key = unique;
  watch.by_day = day_name != NULL;
  watch.poll = crm_statement_poll(&selection, key_name, stamp_name, day_name, "$1::timestamptz");
  if (watch.poll == NULL)
    return crm_error_set(p->err, CRM_ERR_MEMORY, "out of memory");
  p->way->watches[p->way->n_watches++] = watch;
  return CRM_OK;
}

/* The polls that the mapping allows: those of its own file for changes, or of the relation itself. Tables without one are told of by the
 * counters. */
static enum crm_status find_watches(struct probe *p) {
  struct crm_source *source = p->source;
  const char *key = crm_relation_key_name(p->relation);
  size_t n = source->mapping.n_changes[p->relation];
  if (n == 0)
    return try_watch(p, source->mapping.sql[p->relation], key != NULL ? key : "account_id", key != NULL);
  for (size_t i = 0; i < n; i++) {
    const char *sql = source->mapping.changes[p->relation][i];
    PGresult *result;
    enum crm_status status = crm_source_describe(p->c, sql, &result, p->err);
    bool by_key = status == CRM_OK && key != NULL && crm_result_column(result, key).found;
    bool none = status == CRM_OK && PQnfields(result) == 0;
    PQclear(result);
    if (none)
      continue;
    if (status == CRM_ERR_SQL && !crm_sqlstate_passing(p->err->sqlstate)) {
      crm_error_clear(p->err);
      status = crm_source_rollback(p->database, p->err); /* try_watch finds it again, and says so */
    }
    if (status == CRM_OK)
      status = try_watch(p, sql, by_key ? key : "account_id", by_key);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static void drop_watches(struct crm_way *way) {
  for (size_t i = 0; i < way->n_watches; i++)
    free(way->watches[i].poll);
  way->n_watches = 0;
}

/* --- the decision --- */

enum crm_changes crm_source_changes(const struct crm_source *source, enum crm_relation relation) {
  int own = source->options->relations[relation].changes;
  return (enum crm_changes)(own > 0 ? own - 1 : source->options->changes);
}

static enum crm_status type_name(struct probe *p, Oid oid, char *name, size_t size) {
  char text[16];
  snprintf(text, sizeof(text), "%u", oid);
  const char *params[] = {text};
  PGresult *result;
  enum crm_status status = crm_connection_query(p->c, "SELECT format_type($1::oid, NULL)", 1, params, &result, p->err);
  if (status == CRM_OK && PQntuples(result) == 1)
    snprintf(name, size, "%s", PQgetvalue(result, 0, 0));
  PQclear(result);
  return status;
}

/* Names of types, and what reading costs by the planner's estimate. */
static enum crm_status learn_costs(struct probe *p) {
  struct crm_way *way = p->way;
  const char *key = crm_relation_key_name(p->relation);
  PGresult *result;
  enum crm_status status = crm_source_describe(p->c, p->source->mapping.sql[p->relation], &result, p->err);
  if (status != CRM_OK) {
    PQclear(result);
    return status;
  }
  const struct crm_relation_info *info = crm_relation_info(p->relation);
  size_t n = 0;
  for (size_t i = 0; i < info->n_columns; i++)
    if (p->source->checks[p->relation].column_present[i])
      way->types[n++] = crm_result_column(result, info->columns[i].name).type;
  struct crm_result_column account = crm_result_column(result, "account_id"),
                           keyed = key != NULL ? crm_result_column(result, key) : account;
  PQclear(result);
  status = type_name(p, account.type, way->account_type, sizeof(way->account_type));
  if (status == CRM_OK)
    status = type_name(p, keyed.type, way->key_type, sizeof(way->key_type));
  struct crm_selection selection = crm_source_selection(p->source, p->relation);
  char array[192];
  /* NULL would be folded away; a value that is not there is a value. */
  snprintf(array, sizeof(array), "(SELECT ARRAY[NULL::%s])", way->account_type);
  if (status == CRM_OK)
    status = crm_plan_cost_of(p->database, crm_statement_some(&selection, "account_id", array), &way->cost_account, p->err);
  if (status == CRM_OK && crm_relation_day(p->relation) >= 0)
    status = crm_plan_cost_of(p->database, crm_statement_days(&selection, array, "(SELECT ARRAY[NULL::date])"), &way->cost_day, p->err);
  snprintf(array, sizeof(array), "(SELECT ARRAY[NULL::%s])", way->key_type);
  if (status == CRM_OK && key != NULL)
    status = crm_plan_cost_of(p->database, crm_statement_some(&selection, key, array), &way->cost_key, p->err);
  /* The planner takes the array to hold ten. */
  way->cost_account /= 10;
  way->cost_day /= 10;
  way->cost_key /= 10;
  return status;
}

/* "by accounts and crm_ext.account_detail, as far as the counters agree; for other tables by the counters". */
static void say_watches(struct probe *p, enum crm_changes want) {
  const struct crm_way *way = p->way;
  char tables[160] = "";
  size_t others = 0;
  for (size_t w = 0; w < way->n_watches; w++) {
    size_t len = strlen(tables);
    snprintf(tables + len, sizeof(tables) - len, "%s%s", w > 0 ? ", " : "", way->watches[w].title);
  }
  for (size_t t = 0; t < way->n_tables; t++) {
    bool watched = false;
    for (size_t w = 0; w < way->n_watches; w++)
      watched |= way->watches[w].table == way->tables[t];
    others += !watched;
  }
  say(p, "by rows of %s%s%s", tables,
      !way->counted              ? "; deleted rows show at the next FullSync"
      : want != CRM_CHANGES_POLL ? ", as far as the counters agree"
                                 : "",
      others > 0 && way->counted ? "; of its other tables by the counters" : "");
}

/* Do the polls alone tell of each table's new and changed rows? Where nothing is counted, nothing else does. */
static bool polls_tell_all(const struct crm_way *way) {
  for (size_t t = 0; t < way->n_tables; t++) {
    bool told = false;
    for (size_t w = 0; w < way->n_watches; w++)
      told |= way->watches[w].table == way->tables[t] && !way->watches[w].inserts_only;
    if (!told)
      return false;
  }
  return true;
}

/* Adds to a sentence that stands already, or begins one. */
static void CRM_PRINTF(2, 3) say_too(struct probe *p, const char *fmt, ...) {
  char *to = p->way->following.why;
  size_t len = strlen(to), size = sizeof(p->way->following.why);
  va_list args;
  va_start(args, fmt);
  char text[256];
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  snprintf(to + len, size - len, "%s%s", len > 0 ? "; " : "", text);
}

/* Logical decoding, if all tables are published. Else it is said below, behind why the next best is taken, unless nobody has asked for it:
 * with Changes auto the publication is what asks. */
static enum crm_status try_logical(struct probe *p, bool *can, struct crm_cover *cover) {
  const struct crm_publication *publication = &p->database->publication;
  *can = false;
  *cover = (struct crm_cover){.covered = false};
  if (!publication->usable)
    return CRM_OK;
  enum crm_status status = crm_source_track(p->source, p->relation, cover, p->err);
  if (status != CRM_OK || !cover->covered)
    return status;
  *can = true;
  p->way->following.mode = CRM_CHANGES_LOGICAL;
  say(p, "%s", publication->why);
  if (cover->untold[0] != '\0')
    say_too(p, "read whole when rows of %s are updated or deleted, since its replica identity does not tell whose they were",
            cover->untold);
  add_remedy(p, cover->remedy);
  return CRM_OK;
}

static void say_why_not_logical(struct probe *p, enum crm_changes want, const struct crm_cover *cover) {
  const struct crm_publication *publication = &p->database->publication;
  if (publication->usable) {
    say_too(p, "not by logical decoding: the publication lacks %s", cover->lacking);
    if (cover->remedy[0] != '\0') /* rather than an index */
      p->way->following.remedy[0] = '\0';
    add_remedy(p, cover->remedy);
  } else if (want == CRM_CHANGES_LOGICAL)
    say_too(p, "not by logical decoding: %s", publication->why);
}

static enum crm_status decide_otherwise(struct probe *p, enum crm_changes want);

/* Decides with all that is known. */
static enum crm_status decide(struct probe *p) {
  struct crm_way *way = p->way;
  const struct crm_look *look = &p->database->lookout.next;
  enum crm_changes want = crm_source_changes(p->source, p->relation);
  way->following.mode = CRM_CHANGES_NONE;
  way->gated = !p->foreign && p->call[0] == '\0' && want != CRM_CHANGES_NONE;
  way->counted = way->gated && !look->replica && look->counting;
  if (want == CRM_CHANGES_NONE) {
    say(p, "as configured");
    return CRM_OK;
  }
  if (p->database->distributed) {
    way->gated = way->counted = false;
    say(p, "the tables of a distributed database are written to on other servers than this one, which does not notice");
    return CRM_OK;
  }
  if (p->call[0] != '\0') {
    say(p, "what the query gives may depend on more than its tables: it calls %s", p->call);
    return CRM_OK;
  }
  bool can = false, asked = (want == CRM_CHANGES_AUTO || want == CRM_CHANGES_LOGICAL) && !p->foreign;
  struct crm_cover cover;
  enum crm_status status = asked ? try_logical(p, &can, &cover) : CRM_OK;
  if (status == CRM_OK && !can)
    status = decide_otherwise(p, want);
  if (status == CRM_OK && asked && !can)
    say_why_not_logical(p, want, &cover);
  return status;
}

/* By polls or counters. */
static enum crm_status decide_otherwise(struct probe *p, enum crm_changes want) {
  struct crm_way *way = p->way;
  const struct crm_look *look = &p->database->lookout.next;
  bool can_poll = false;
  enum crm_status status = CRM_OK;
  if (want != CRM_CHANGES_COUNTERS)
    status = find_watches(p);
  if (status != CRM_OK)
    return status;
  can_poll = way->n_watches > 0;
  if (can_poll && want != CRM_CHANGES_POLL && !look->sees_activity) {
    can_poll = false;
    say(p, "changed_at is indexed, but the role does not see since when other transactions run, so that late commits could be missed");
    char *role = PQescapeIdentifier(p->c->pg, PQuser(p->c->pg), strlen(PQuser(p->c->pg)));
    if (role != NULL) {
      char grant[256];
      snprintf(grant, sizeof(grant), "GRANT pg_read_all_stats TO %s; ALTER ROLE %s INHERIT", role, role);
      add_remedy(p, grant);
    }
    PQfreemem(role);
  }
  if (can_poll && want != CRM_CHANGES_POLL && !way->counted) {
    can_poll = false;
    say(p, look->replica ? "this is a replica, where deleted rows are not counted" : "deleted rows are not counted here");
  }
  bool untold = can_poll && !way->counted && !polls_tell_all(way);
  if (can_poll && !untold) {
    way->following.mode = CRM_CHANGES_POLL;
    say_watches(p, want);
    return CRM_OK;
  }
  drop_watches(way);
  if (way->counted) {
    way->following.mode = CRM_CHANGES_COUNTERS;
    if (want == CRM_CHANGES_COUNTERS)
      say(p, "as configured");
    return CRM_OK;
  }
  if (untold)
    say(p, "changes are not counted here, and polls do not tell of all tables that it reads");
  else if (p->foreign)
    say(p, "a foreign table tells nothing of its changes");
  else if (look->replica)
    say(p, "a replica does not count changes; it is read whole when it has replayed anything");
  else
    say(p, "track_counts is off");
  return CRM_OK;
}

/* A poll that is the same as before has seen what it has seen. */
static void keep_seen(struct crm_way *way, struct crm_way *before) {
  for (size_t i = 0; i < way->n_watches; i++)
    for (size_t j = 0; j < before->n_watches; j++) {
      struct crm_watch *now = &way->watches[i], *old = &before->watches[j];
      if (now->seen != NULL || now->table != old->table || strcmp(now->poll, old->poll) != 0)
        continue;
      now->balance = old->balance;
      now->seen = old->seen;
      old->seen = NULL;
    }
}

static enum crm_status probe_relation(struct crm_source *source, size_t index, enum crm_relation relation, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  struct probe p = {
      .source = source, .database = database, .c = &database->connection, .relation = relation, .way = &source->ways[relation], .err = err};
  struct crm_way before = *p.way;
  *p.way = (struct crm_way){.following.mode = CRM_CHANGES_NONE};
  enum crm_status status = find_immaterial(&p);
  if (status == CRM_OK)
    status = crm_source_check_relation(source, relation, err);
  if (status != CRM_OK || source->checks[relation].state != CRM_RELATION_OK) {
    crm_way_free(&before);
    return status;
  }
  struct crm_selection selection = crm_source_selection(source, relation);
  char *plan;
  status = crm_plan_explain(database, crm_statement_all(&selection), &plan, err);
  if (status == CRM_OK && plan != NULL) {
    p.way->cost_all = crm_plan_cost(plan);
    status = find_tables(&p);
    if (status == CRM_OK)
      status = crm_plan_strange_call(p.c, plan, p.call, sizeof(p.call), err);
    if (status == CRM_OK)
      status = learn_costs(&p);
    if (status == CRM_OK)
      status = decide(&p);
  }
  free(plan);
  keep_seen(p.way, &before);
  crm_way_free(&before);
  return status;
}

/* With Citus rows live in tables of other servers, with YugabyteDB in a store of its own: there neither snapshot nor counters of the server
 * that we talk to change when somebody writes through another. */
static enum crm_status ask_distributed(struct crm_source_database *database, struct crm_error *err) {
  PGresult *result;
  enum crm_status status = crm_connection_query(
      &database->connection,
      "SELECT version() ~ '-YB-|CockroachDB' OR EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')", 0, NULL, &result, err);
  if (status == CRM_OK)
    database->distributed = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
  PQclear(result);
  return status;
}

static enum crm_status probe_relations(struct crm_source *source, size_t index, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  source->databases[index].lookout.n = 0;
  for (size_t i = 0; status == CRM_OK && i < source->n_order; i++) {
    if (source->database_of[source->order[i]] != index)
      continue;
    status = probe_relation(source, index, source->order[i], err);
    /* Its locks go, so that those of the next relation are its own. */
    if (status == CRM_OK)
      status = crm_source_rollback(&source->databases[index], err);
  }
  return status;
}

enum crm_status crm_source_probe_database(struct crm_source *source, size_t index, bool begin, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  struct crm_lookout *lookout = &database->lookout;
  enum crm_status status = crm_source_begin_bare(source, index, err);
  lookout->n = 0;
  if (status == CRM_OK)
    status = ask_distributed(database, err);
  if (status == CRM_OK)
    status = crm_lookout_glance(&database->connection, lookout, err);
  if (status == CRM_OK) /* what the role can see; the list is empty yet */
    status = crm_lookout_look(&database->connection, lookout, source->options->changes_overlap_us, err);
  database->publication = (struct crm_publication){.usable = false};
  if (status == CRM_OK && crm_source_asks_for_logical(source, index))
    status = crm_publication_survey(&database->connection, &database->publication, err);
  bool again = false;
  if (status == CRM_OK)
    status = probe_relations(source, index, err);
  if (status == CRM_OK && begin)
    status = crm_source_have_slot(source, index, &again, err);
  if (status == CRM_OK && again)
    status = probe_relations(source, index, err);
  if (status == CRM_OK && crm_source_asks_for_logical(source, index))
    status = crm_publication_suggest(&database->connection, lookout->list, lookout->n, &database->publication, err);
  if (status == CRM_OK) {
    database->in_transaction = false;
    status = crm_session_commit(&database->connection, err);
  }
  return status;
}

enum crm_status crm_source_probe(struct crm_source *source, struct crm_error *err) {
  struct crm_error local;
  if (err == NULL)
    err = &local;
  crm_source_start(source);
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < source->options->n_databases; i++) {
    if (crm_source_uses(source, i))
      status = crm_source_probe_database(source, i, false, err);
  }
  crm_source_end(source);
  source->followed = false;
  return status;
}
