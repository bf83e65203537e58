/* SPDX-License-Identifier: MIT */
/* The full read: every relation of every database into the builder. */
#include "crm_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "facts/builder.h"
#include "source/internal.h"

struct sink {
  struct crm_builder *builder;
  enum crm_relation relation;
};

static enum crm_status take_row(void *ctx, const struct crm_row *row, struct crm_error *err) {
  const struct sink *sink = ctx;
  return crm_builder_row(sink->builder, sink->relation, row, err);
}

static enum crm_status feed_reader(void *ctx, const char *data, size_t len, struct crm_error *err) {
  return crm_copy_reader_feed(ctx, data, len, err);
}

/* Takes the rows of a copy that has begun. *refusal is the server's error, if it sent one in the middle. */
static enum crm_status take_rows(struct crm_source *source, enum crm_relation relation, struct crm_connection *c,
                                 struct crm_builder *builder, PGresult **refusal, struct crm_error *err) {
  struct sink sink = {.builder = builder, .relation = relation};
  struct crm_copy_reader reader;
  crm_copy_reader_init(&reader, source->fields[relation], source->n_fields[relation], source->options->zone, take_row, &sink);
  enum crm_status status = crm_connection_copy(c, feed_reader, &reader, refusal, err);
  if (status == CRM_OK) {
    status = crm_copy_reader_finish(&reader, err);
    if (status != CRM_OK)
      crm_connection_close(c);
  }
  crm_copy_reader_free(&reader);
  return status;
}

static enum crm_status copy_relation(struct crm_source *source, enum crm_relation relation, struct crm_builder *builder,
                                     struct crm_error *err) {
  struct crm_source_database *database = &source->databases[source->database_of[relation]];
  struct crm_connection *c = &database->connection;
  struct crm_relation_check *check = &source->checks[relation];
  crm_day first_day = CRM_DAY_NONE;
  if (source->options->history_days > 0)
    first_day = crm_zone_day(source->options->zone, database->read_at) - source->options->history_days;
  char *statement = crm_mapping_copy_statement(relation, source->mapping.sql[relation], check->column_present, first_day);
  if (statement == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "relation %s: out of memory", crm_relation_info(relation)->name);
  enum crm_status status = crm_source_savepoint(database, err);
  PGresult *result = NULL;
  if (status == CRM_OK)
    status = crm_connection_query(c, statement, 0, NULL, &result, err);
  free(statement);
  bool begun = false;
  if (status == CRM_OK && (PQresultStatus(result) != PGRES_COPY_OUT || PQbinaryTuples(result) != 1)) {
    crm_connection_close(c);
    status = crm_error_set(err, CRM_ERR_DATA, "the server does not send binary rows");
  } else if (status == CRM_OK) {
    PQclear(result);
    result = NULL;
    begun = true;
    crm_builder_begin(builder, relation, database->read_at);
    status = take_rows(source, relation, c, builder, &result, err);
  }
  if (status == CRM_ERR_SQL) {
    bool passing = crm_sqlstate_passing(err->sqlstate);
    crm_check_explain(c, relation, check->origin, NULL, result, err);
    status = err->status;
    if (!passing && relation != CRM_REL_ACCOUNT) {
      check->state = CRM_RELATION_BROKEN; /* looked at anew by the next read */
      check->error = *err;
      crm_error_clear(err);
      if (begun)
        crm_builder_abandon(builder, relation);
      status = crm_source_rollback(database, err);
    }
  } else if (status != CRM_OK)
    crm_error_prefix(err, "relation %s", crm_relation_info(relation)->name);
  PQclear(result);
  return status;
}

static bool is_last_of_database(const struct crm_source *source, size_t at) {
  for (size_t i = at + 1; i < source->n_order; i++)
    if (source->database_of[source->order[i]] == source->database_of[source->order[at]])
      return false;
  return true;
}

static enum crm_status read_all(struct crm_source *source, struct crm_builder *builder, struct crm_error *err) {
  for (size_t i = 0; i < source->n_order; i++) {
    enum crm_relation relation = source->order[i];
    size_t index = source->database_of[relation];
    struct crm_source_database *database = &source->databases[index];
    enum crm_status status = CRM_OK;
    if (!database->in_transaction)
      status = crm_source_begin(source, index, err);
    int64_t start_us = crm_clock_monotonic_us();
    if (status == CRM_OK && source->checks[relation].state == CRM_RELATION_OK)
      status = copy_relation(source, relation, builder, err);
    if (status == CRM_OK && is_last_of_database(source, i)) {
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
static void tell_rejects(struct crm_source *source, const struct crm_facts *facts) {
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

enum crm_status crm_source_read(struct crm_source *source, struct crm_facts **facts, struct crm_error *err) {
  struct crm_error local;
  if (err == NULL)
    err = &local;
  crm_error_clear(err);
  memset(source->phase_us, 0, sizeof(source->phase_us));
  int64_t deadline_us = crm_clock_monotonic_us() + source->options->read_timeout_us;
  for (size_t i = 0; i < source->options->n_databases; i++)
    source->databases[i].connection.deadline_us = deadline_us;
  const struct crm_builder_options builder_options = {.default_tenant = source->options->instance,
                                                      .default_currency = source->options->default_currency,
                                                      .zone = source->options->zone,
                                                      .memory_ceiling = source->options->max_memory};
  struct crm_builder *builder;
  enum crm_status status = crm_builder_new(&builder_options, &builder, err);
  if (status != CRM_OK)
    return status;
  status = read_all(source, builder, err);
  crm_source_end(source);
  if (status == CRM_OK) {
    int64_t start_us = crm_clock_monotonic_us();
    status = crm_builder_finish(builder, facts, err);
    source->phase_us[CRM_PHASE_BUILD] = crm_clock_monotonic_us() - start_us;
  }
  if (status == CRM_OK)
    tell_rejects(source, *facts);
  crm_builder_free(builder);
  return status;
}
