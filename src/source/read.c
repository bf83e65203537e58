/* SPDX-License-Identifier: MIT */
/* The full read: every relation of every database into the builder. */
#include "crm_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "facts/builder.h"
#include "source/internal.h"

/* What the rows of one copy go through. */
struct feeding {
  struct crm_source *source;
  struct crm_copy_reader reader;
};

static enum crm_status feed_reader(void *ctx, const char *data, size_t len, struct crm_error *err) {
  struct feeding *feeding = ctx;
  feeding->source->bytes_received += len;
  return crm_copy_reader_feed(&feeding->reader, data, len, err);
}

/* Takes the rows of a copy that has begun. *refusal is the server's error, if it sent one in the middle. */
static enum crm_status take_rows(struct crm_source *source, enum crm_relation relation, crm_copy_row_fn *take, void *ctx,
                                 PGresult **refusal, struct crm_error *err) {
  struct crm_connection *c = &source->databases[source->database_of[relation]].connection;
  struct feeding feeding = {.source = source};
  crm_copy_reader_init(&feeding.reader, source->fields[relation], source->n_fields[relation], source->options->zone, take, ctx);
  enum crm_status status = crm_connection_copy(c, feed_reader, &feeding, refusal, err);
  if (status == CRM_OK) {
    status = crm_copy_reader_finish(&feeding.reader, err);
    if (status != CRM_OK)
      crm_connection_close(c);
  }
  source->rows_received += feeding.reader.rows;
  crm_copy_reader_free(&feeding.reader);
  return status;
}

struct crm_selection crm_source_selection(const struct crm_source *source, enum crm_relation relation) {
  return (struct crm_selection){.relation = relation,
                                .sql = source->mapping.sql[relation],
                                .present = source->checks[relation].column_present,
                                .first_day = source->first_day_next,
                                .shard = crm_shard_needs_all(relation) ? (struct crm_shard){0} : source->options->shard};
}

/* The ids of a shard's own accounts, as they stand in the snapshot in which the relation is read: that of account in the same database. */
static enum crm_status ask_own(struct crm_source *source, struct crm_connection *c, struct crm_error *err) {
  struct crm_selection accounts = crm_source_selection(source, CRM_REL_ACCOUNT);
  char *statement = crm_statement_own(&accounts, source->options->shard);
  PGresult *result = NULL;
  enum crm_status status = statement == NULL ? CRM_ERR_MEMORY : crm_connection_query(c, statement, 0, NULL, &result, err);
  free(statement);
  if (status == CRM_OK) {
    const char *ids = PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "{}";
    char *literal = PQescapeLiteral(c->pg, ids, strlen(ids));
    source->own = literal != NULL ? strdup(literal) : NULL;
    PQfreemem(literal);
  }
  PQclear(result);
  if (status == CRM_ERR_MEMORY || (status == CRM_OK && source->own == NULL))
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory for the accounts of the shard");
  return status == CRM_OK ? CRM_OK : crm_error_prefix(err, "accounts of the shard");
}

/* Makes the selection one by ids where that can be: ids of another type, or in another database, cannot be compared there. */
static enum crm_status select_own(struct crm_source *source, struct crm_connection *c, struct crm_selection *selection,
                                  struct crm_error *err) {
  enum crm_relation relation = selection->relation;
  if (!crm_shard_is_part(selection->shard) || source->database_of[relation] != source->database_of[CRM_REL_ACCOUNT] ||
      source->checks[relation].account_type != source->checks[CRM_REL_ACCOUNT].account_type)
    return CRM_OK;
  enum crm_status status = source->own != NULL ? CRM_OK : ask_own(source, c, err);
  selection->own = source->own;
  return status;
}

enum crm_status crm_source_copy(struct crm_source *source, enum crm_relation relation, crm_copy_row_fn *take, void *ctx,
                                struct crm_error *err) {
  struct crm_source_database *database = &source->databases[source->database_of[relation]];
  struct crm_connection *c = &database->connection;
  struct crm_relation_check *check = &source->checks[relation];
  struct crm_selection selection = crm_source_selection(source, relation);
  enum crm_status status = select_own(source, c, &selection, err);
  if (status != CRM_OK)
    return status;
  char *statement = crm_statement_copy(&selection);
  if (statement == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "relation %s: out of memory", crm_relation_info(relation)->name);
  int64_t start_us = crm_clock_monotonic_us();
  status = crm_source_savepoint(database, err);
  PGresult *result = NULL;
  if (status == CRM_OK)
    status = crm_connection_query(c, statement, 0, NULL, &result, err);
  free(statement);
  if (status == CRM_OK && (PQresultStatus(result) != PGRES_COPY_OUT || PQbinaryTuples(result) != 1)) {
    crm_connection_close(c);
    status = crm_error_set(err, CRM_ERR_DATA, "the server does not send binary rows");
  } else if (status == CRM_OK) {
    PQclear(result);
    result = NULL;
    status = take_rows(source, relation, take, ctx, &result, err);
    source->us_all[relation] = (double)(crm_clock_monotonic_us() - start_us);
  }
  if (status == CRM_ERR_SQL) {
    bool passing = crm_sqlstate_passing(err->sqlstate);
    crm_check_explain(c, relation, check->origin, NULL, result, err);
    status = err->status;
    if (!passing && relation != CRM_REL_ACCOUNT) {
      check->state = CRM_RELATION_BROKEN; /* looked at anew by the next read */
      check->error = *err;
      crm_error_clear(err);
      status = crm_source_rollback(database, err);
    }
  } else if (status != CRM_OK)
    crm_error_prefix(err, "relation %s", crm_relation_info(relation)->name);
  PQclear(result);
  return status;
}

/* --- everything --- */

struct sink {
  struct crm_builder *builder;
  enum crm_relation relation;
};

static enum crm_status take_row(void *ctx, const struct crm_row *row, struct crm_error *err) {
  const struct sink *sink = ctx;
  return crm_builder_row(sink->builder, sink->relation, row, err);
}

static enum crm_status build_relation(struct crm_source *source, enum crm_relation relation, struct crm_builder *builder,
                                      struct crm_error *err) {
  struct sink sink = {.builder = builder, .relation = relation};
  crm_builder_begin(builder, relation, source->databases[source->database_of[relation]].read_at);
  enum crm_status status = crm_source_copy(source, relation, take_row, &sink, err);
  if (status == CRM_OK && source->checks[relation].state != CRM_RELATION_OK)
    crm_builder_abandon(builder, relation);
  return status;
}

static bool is_last_of_database(const struct crm_source *source, size_t at) {
  for (size_t i = at + 1; i < source->n_order; i++)
    if (source->database_of[source->order[i]] == source->database_of[source->order[at]])
      return false;
  return true;
}

static enum crm_status read_all(struct crm_source *source, struct crm_builder *builder, bool follow, struct crm_error *err) {
  for (size_t i = 0; i < source->n_order; i++) {
    enum crm_relation relation = source->order[i];
    size_t index = source->database_of[relation];
    struct crm_source_database *database = &source->databases[index];
    enum crm_status status = CRM_OK;
    if (!database->in_transaction)
      status = crm_source_begin(source, index, err);
    else if (database->refreshed) /* begun by a refresh, which looked at what it needed only */
      status = crm_source_check_relation(source, relation, err);
    int64_t start_us = crm_clock_monotonic_us();
    if (status == CRM_OK && source->checks[relation].state == CRM_RELATION_OK)
      status = build_relation(source, relation, builder, err);
    if (status == CRM_OK && is_last_of_database(source, i)) {
      if (follow)
        status = crm_source_prime(source, index, err);
      if (status != CRM_OK)
        return status;
      database->in_transaction = false;
      status = crm_session_commit(&database->connection, err);
    }
    source->phase_us[CRM_PHASE_READ] += crm_clock_monotonic_us() - start_us;
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

/* One line when rows of a relation begin to be refused for a reason, and one when that has ended. */
void crm_source_tell_rejects(struct crm_source *source, const struct crm_facts *facts) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    if (!facts->available[r])
      continue;
    const char *name = crm_relation_info((enum crm_relation)r)->name;
    for (int reason = 0; reason < CRM_REJECTS; reason++) {
      uint64_t n = facts->rejected[r][reason];
      const char *word = crm_reject_name((enum crm_reject)reason);
      if (n > 0 && !source->rejecting[r][reason])
        crm_log(&source->log, CRM_LOG_WARNING, "instance %s: relation %s: refused for %s: %" PRIu64 " (taken: %" PRIu64 " rows)",
                source->options->instance, name, word, n, facts->rows[r]);
      else if (n == 0 && source->rejecting[r][reason])
        crm_log(&source->log, CRM_LOG_NOTICE, "instance %s: relation %s: nothing is refused any more for %s", source->options->instance,
                name, word);
      source->rejecting[r][reason] = n > 0;
    }
  }
}

void crm_source_start(struct crm_source *source) {
  memset(source->phase_us, 0, sizeof(source->phase_us));
  source->rows_received = 0;
  source->bytes_received = 0;
  free(source->own);
  source->own = NULL;
  int64_t deadline_us = crm_clock_monotonic_us() + source->options->read_timeout_us;
  for (size_t i = 0; i < source->options->n_databases; i++) {
    source->databases[i].connection.deadline_us = deadline_us;
    source->databases[i].logical.connection.deadline_us = deadline_us;
    source->databases[i].refreshed = false;
  }
  /* By our clock and not each server's: all relations begin on the same day. */
  source->first_day_next = source->options->history_days > 0
                               ? crm_zone_day(source->options->zone, crm_clock_realtime_us()) - source->options->history_days
                               : CRM_DAY_NONE;
}

enum crm_status crm_source_build(struct crm_source *source, bool follow, struct crm_builder **builder, struct crm_error *err) {
  const struct crm_builder_options builder_options = {.default_tenant = source->options->instance,
                                                      .default_currency = source->options->default_currency,
                                                      .zone = source->options->zone,
                                                      .memory_ceiling = source->options->max_memory,
                                                      .shard = source->options->shard,
                                                      .patchable = follow};
  enum crm_status status = crm_builder_new(&builder_options, builder, err);
  if (status != CRM_OK)
    return status;
  status = read_all(source, *builder, follow, err);
  crm_source_end(source);
  if (status != CRM_OK) {
    crm_builder_free(*builder);
    *builder = NULL;
  }
  return status;
}

enum crm_status crm_source_read(struct crm_source *source, struct crm_facts **facts, struct crm_error *err) {
  struct crm_error local;
  if (err == NULL)
    err = &local;
  crm_error_clear(err);
  crm_source_start(source);
  struct crm_builder *builder;
  enum crm_status status = crm_source_build(source, false, &builder, err);
  if (status != CRM_OK)
    return status;
  int64_t start_us = crm_clock_monotonic_us();
  status = crm_builder_finish(builder, facts, err);
  source->phase_us[CRM_PHASE_BUILD] = crm_clock_monotonic_us() - start_us;
  if (status == CRM_OK)
    crm_source_tell_rejects(source, *facts);
  crm_builder_free(builder);
  return status;
}
