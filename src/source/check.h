/* SPDX-License-Identifier: MIT */
/* Internal to source: does a relation's query give what the contract wants, and what to do if it does not? */
#ifndef CRM_SOURCE_CHECK_H
#define CRM_SOURCE_CHECK_H

#include "source/connection.h"
#include "source/copy_reader.h"

/* What is known of the server's types beyond the built-in ones; of one connection, since another database has other numbers. */
struct crm_type_entry {
  Oid oid;
  struct crm_copy_type type;
  char name[64];
};
struct crm_types {
  struct crm_type_entry *entries;
  size_t n, cap;
};
void crm_types_free(struct crm_types *types);

/* Asks the server for the columns of `sql` (analysed, planned, privileges checked, not run), and compares them with the contract. The
 * caller is in a transaction with a savepoint: after a refusal it must roll back to it. CRM_OK: check->state is OK and `fields`
 * (CRM_ROW_COLUMNS of them) tell how to read the rows, or it is BROKEN with check->error; check->origin is the caller's. Anything else is a
 * passing fault, after which the read must be given up: err says what. */
enum crm_status crm_check_relation(struct crm_connection *c, struct crm_types *types, enum crm_relation relation, const char *sql,
                                   struct crm_relation_check *check, struct crm_copy_field *fields, size_t *n_fields,
                                   struct crm_error *err) CRM_MUSTCHECK;

/* Turns a statement refused by the server (err as crm_connection_query left it, its result) into a message that names the relation, its
 * origin, the SQLSTATE and what to do. `sql`: the mapping's text, to tell the line of a fault in its check statement; NULL if it was
 * another statement. */
void crm_check_explain(struct crm_connection *c, enum crm_relation relation, const char *origin, const char *sql, const PGresult *result,
                       struct crm_error *err);

/* True for what may be gone at the next try (timeout, lock, conflict, resources, lost connection): then the read is given up rather than
 * the relation left out. */
bool crm_sqlstate_passing(const char *sqlstate);

/* The type of the built-in number, or CRM_WIRE_NONE. */
struct crm_copy_type crm_builtin_type(Oid oid);

#endif
