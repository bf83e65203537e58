/* SPDX-License-Identifier: MIT */
/* Internal to source: what source.c and read.c share. */
#ifndef CRM_SOURCE_INTERNAL_H
#define CRM_SOURCE_INTERNAL_H

#include "source/check.h"
#include "source/connection.h"
#include "source/copy_reader.h"
#include "source/mapping.h"
#include "source/session.h"

struct crm_source_database {
  struct crm_connection connection;
  struct crm_types types; /* of this connection */
  struct crm_database_report report;
  bool in_transaction;
  bool savepoint;   /* set in this transaction */
  crm_time read_at; /* of this transaction's snapshot */
};

struct crm_source {
  const struct crm_source_options *options;
  struct crm_log log;
  struct crm_stop *stop;
  struct crm_mapping mapping;
  struct crm_source_database *databases; /* options->n_databases of them */
  size_t database_of[CRM_RELATIONS];
  /* The mapped relations in the order of reading: account, contact, then the others database by database. */
  enum crm_relation order[CRM_RELATIONS];
  size_t n_order;
  struct crm_relation_check checks[CRM_RELATIONS];
  struct crm_copy_field fields[CRM_RELATIONS][CRM_ROW_COLUMNS]; /* of relations whose check is OK */
  size_t n_fields[CRM_RELATIONS];
  bool rejecting[CRM_RELATIONS][CRM_REJECTS]; /* what the last read refused, as the log knows it */
  int64_t phase_us[CRM_PHASES];
};

/* Connects where needed, begins a transaction with its snapshot, and checks all of the database's relations in it. The locks which that
 * takes hold until its end: what was checked is what is read, and no TRUNCATE comes between. Everything is checked in each transaction,
 * since binary rows do not tell their types and a column altered meanwhile would be misread. On success database->in_transaction. A fault
 * of `account` is an error, one of another relation is in its check. */
enum crm_status crm_source_begin(struct crm_source *source, size_t database, struct crm_error *err) CRM_MUSTCHECK;
/* Ends all transactions that are open, after success or failure. A connection that does not answer is closed. */
void crm_source_end(struct crm_source *source);
/* Sets or moves the savepoint to which a refused statement rolls back. */
enum crm_status crm_source_savepoint(struct crm_source_database *database, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_source_rollback(struct crm_source_database *database, struct crm_error *err) CRM_MUSTCHECK;

#endif
