/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/internal.h"

/* --- life --- */

static enum crm_status find_database(const struct crm_source_options *options, enum crm_relation relation, size_t *index,
                                     struct crm_error *err) {
  const char *name = options->relations[relation].database;
  *index = 0;
  if (name == NULL || name[0] == '\0')
    return CRM_OK;
  for (size_t i = 0; i < options->n_databases; i++) {
    if (options->databases[i].name != NULL && strcmp(options->databases[i].name, name) == 0) {
      *index = i;
      return CRM_OK;
    }
  }
  return crm_error_set(err, CRM_ERR_CONFIG, "instance %s: relation %s: there is no database \"%s\"", options->instance,
                       crm_relation_info(relation)->name, name);
}

static void append_order(struct crm_source *source, enum crm_relation relation) {
  if (source->mapping.sql[relation] == NULL)
    return;
  for (size_t i = 0; i < source->n_order; i++)
    if (source->order[i] == relation)
      return;
  source->order[source->n_order++] = relation;
}

static void set_order(struct crm_source *source) {
  append_order(source, CRM_REL_ACCOUNT);
  append_order(source, CRM_REL_CONTACT);
  size_t first = source->database_of[CRM_REL_ACCOUNT]; /* its transaction is open already: it comes before the other databases */
  for (size_t d = 0; d < source->options->n_databases; d++)
    for (int r = 0; r < CRM_RELATIONS; r++)
      if (source->database_of[r] == (first + d) % source->options->n_databases)
        append_order(source, (enum crm_relation)r);
}

enum crm_status crm_source_new(const struct crm_source_options *options, const struct crm_log *log, struct crm_stop *stop,
                               struct crm_source **source, struct crm_error *err) {
  if (options->n_databases == 0)
    return crm_error_set(err, CRM_ERR_CONFIG, "instance %s: there is no database", options->instance);
  struct crm_source *s = calloc(1, sizeof(*s));
  if (s == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  s->options = options;
  s->stop = stop;
  if (log != NULL)
    s->log = *log;
  enum crm_status status = CRM_OK;
  s->databases = calloc(options->n_databases, sizeof(*s->databases));
  if (s->databases == NULL)
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  for (size_t i = 0; status == CRM_OK && i < options->n_databases; i++) {
    crm_connection_init(&s->databases[i].connection, options, &options->databases[i], stop);
    crm_logical_init(&s->databases[i].logical, options, &options->databases[i], stop);
  }
  if (status == CRM_OK)
    status = crm_mapping_load(options, &s->log, &s->mapping, err);
  for (int r = 0; status == CRM_OK && r < CRM_RELATIONS; r++) {
    struct crm_relation_check *check = &s->checks[r];
    check->state = s->mapping.sql[r] == NULL ? CRM_RELATION_NOT_MAPPED : CRM_RELATION_UNKNOWN;
    memcpy(check->origin, s->mapping.origin[r], sizeof(check->origin));
    status = find_database(options, (enum crm_relation)r, &s->database_of[r], err);
  }
  if (status != CRM_OK) {
    crm_source_free(s);
    return status;
  }
  set_order(s);
  *source = s;
  return CRM_OK;
}

void crm_source_free(struct crm_source *source) {
  if (source == NULL)
    return;
  for (size_t i = 0; source->databases != NULL && i < source->options->n_databases; i++) {
    crm_connection_close(&source->databases[i].connection);
    crm_logical_free(&source->databases[i].logical);
    crm_types_free(&source->databases[i].types);
    crm_lookout_free(&source->databases[i].lookout);
  }
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_way_free(&source->ways[r]);
  free(source->databases);
  free(source->own);
  crm_mapping_free(&source->mapping);
  free(source);
}

/* --- what is known --- */

const struct crm_relation_check *crm_source_relation(const struct crm_source *source, enum crm_relation relation) {
  return &source->checks[relation];
}

const struct crm_database_report *crm_source_database(const struct crm_source *source, size_t index) {
  return index < source->options->n_databases ? &source->databases[index].report : NULL;
}

const char *crm_phase_name(enum crm_phase phase) {
  static const char *const names[CRM_PHASES] = {"connect", "check", "read", "build"};
  return (unsigned)phase < CRM_PHASES ? names[phase] : NULL;
}

int64_t crm_source_phase_us(const struct crm_source *source, enum crm_phase phase) {
  return source->phase_us[phase];
}

uint64_t crm_source_rows(const struct crm_source *source) {
  return source->rows_received;
}

uint64_t crm_source_bytes(const struct crm_source *source) {
  return source->bytes_received;
}

/* --- transactions --- */

static enum crm_status connect_database(struct crm_source *source, struct crm_source_database *database, struct crm_error *err) {
  int64_t start_us = crm_clock_monotonic_us();
  crm_connection_close(&database->connection);
  crm_types_free(&database->types);
  enum crm_status status = crm_session_open(&database->connection, err);
  source->phase_us[CRM_PHASE_CONNECT] += crm_clock_monotonic_us() - start_us;
  return status;
}

static enum crm_status begin_transaction(struct crm_source *source, struct crm_source_database *database, struct crm_error *err) {
  bool reused = crm_connection_usable(&database->connection);
  enum crm_status status = reused ? CRM_OK : connect_database(source, database, err);
  if (status != CRM_OK)
    return status;
  crm_time before = crm_clock_realtime_us();
  status = crm_session_begin(&database->connection, err);
  if (status == CRM_ERR_CONNECT && reused) { /* it had died since the last read, and only now it shows */
    crm_error_clear(err);
    status = connect_database(source, database, err);
    if (status != CRM_OK)
      return status;
    before = crm_clock_realtime_us();
    status = crm_session_begin(&database->connection, err);
  }
  if (status != CRM_OK)
    return status;
  database->in_transaction = true;
  database->savepoint = false;
  return crm_session_read_at(&database->connection, before, &database->read_at, err);
}

enum crm_status crm_source_connect(struct crm_source *source, size_t index, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  return crm_connection_usable(&database->connection) ? CRM_OK : connect_database(source, database, err);
}

enum crm_status crm_source_begin_bare(struct crm_source *source, size_t index, struct crm_error *err) {
  return begin_transaction(source, &source->databases[index], err);
}

enum crm_status crm_source_savepoint(struct crm_source_database *database, struct crm_error *err) {
  const char *sql = database->savepoint ? "RELEASE SAVEPOINT crm_relation; SAVEPOINT crm_relation" : "SAVEPOINT crm_relation";
  enum crm_status status = crm_connection_run(&database->connection, sql, NULL, err);
  database->savepoint = status == CRM_OK;
  return status;
}

enum crm_status crm_source_rollback(struct crm_source_database *database, struct crm_error *err) {
  return crm_connection_run(&database->connection, "ROLLBACK TO SAVEPOINT crm_relation", NULL, err);
}

enum crm_status crm_source_check_relation(struct crm_source *source, enum crm_relation relation, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[source->database_of[relation]];
  struct crm_relation_check *check = &source->checks[relation];
  enum crm_status status = crm_source_savepoint(database, err);
  if (status != CRM_OK)
    return status;
  status = crm_check_relation(&database->connection, &database->types, relation, source->mapping.sql[relation], check,
                              source->fields[relation], &source->n_fields[relation], err);
  if (status != CRM_OK || check->state == CRM_RELATION_OK)
    return status;
  if (relation == CRM_REL_ACCOUNT) {
    if (err != NULL)
      *err = check->error;
    return check->error.status;
  }
  return crm_source_rollback(database, err);
}

enum crm_status crm_source_begin(struct crm_source *source, size_t index, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  int64_t start_us = crm_clock_monotonic_us(), connect_us = source->phase_us[CRM_PHASE_CONNECT];
  enum crm_status status = begin_transaction(source, database, err);
  for (size_t i = 0; status == CRM_OK && i < source->n_order; i++)
    if (source->database_of[source->order[i]] == index)
      status = crm_source_check_relation(source, source->order[i], err);
  source->phase_us[CRM_PHASE_CHECK] += crm_clock_monotonic_us() - start_us - (source->phase_us[CRM_PHASE_CONNECT] - connect_us);
  return status;
}

void crm_source_end(struct crm_source *source) {
  for (size_t i = 0; i < source->options->n_databases; i++) {
    struct crm_source_database *database = &source->databases[i];
    crm_logical_relieve(&database->logical);
    if (!database->in_transaction)
      continue;
    database->in_transaction = false;
    struct crm_connection *c = &database->connection;
    if (c->pg == NULL)
      continue;
    /* No answer is waited for after a stop, and closing is a rollback too. */
    if (crm_stop_requested(source->stop) || PQtransactionStatus(c->pg) == PQTRANS_ACTIVE ||
        crm_connection_run(c, "ROLLBACK", NULL, NULL) != CRM_OK)
      crm_connection_close(c);
  }
}

/* --- check --- */

bool crm_source_uses(const struct crm_source *source, size_t database) {
  for (size_t i = 0; i < source->n_order; i++)
    if (source->database_of[source->order[i]] == database)
      return true;
  return false;
}

static enum crm_status check_database(struct crm_source *source, size_t index, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  enum crm_status status = crm_source_begin(source, index, err);
  if (!database->in_transaction)
    return status;
  /* `account` not fitting must not hide who we are: the report helps to tell why. */
  struct crm_error later;
  if (status != CRM_OK && database->savepoint && database->connection.pg != NULL && crm_source_rollback(database, &later) != CRM_OK)
    return status;
  if (database->connection.pg == NULL)
    return status;
  enum crm_status report = crm_session_report(&database->connection, &database->report, status == CRM_OK ? err : &later);
  if (report == CRM_OK)
    report = crm_session_can_write(&database->connection, &database->report.can_write, status == CRM_OK ? err : &later);
  return status != CRM_OK ? status : report;
}

enum crm_status crm_source_check(struct crm_source *source, struct crm_error *err) {
  int64_t deadline_us = crm_clock_monotonic_us() + source->options->read_timeout_us;
  memset(source->phase_us, 0, sizeof(source->phase_us));
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < source->options->n_databases; i++) {
    source->databases[i].connection.deadline_us = deadline_us;
    if (crm_source_uses(source, i))
      status = check_database(source, i, err);
  }
  crm_source_end(source);
  return status;
}
