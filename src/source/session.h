/* SPDX-License-Identifier: MIT */
/* Internal to source: how a session and its transactions are set up, and what is asked of the server besides rows. */
#ifndef CRM_SOURCE_SESSION_H
#define CRM_SOURCE_SESSION_H

#include "source/connection.h"

/* Opens the connection and sets the session up: read-only by default, bounded in time, with a pinned search_path, and row_security off, so
 * that hidden rows are an error and not a silent zero. Errors as crm_connection_open. */
enum crm_status crm_session_open(struct crm_connection *c, struct crm_error *err) CRM_MUSTCHECK;

/* Begins a REPEATABLE READ READ ONLY transaction whose snapshot is taken at once, with the same settings local to it: behind a pooler that
 * hands out a session per transaction those of the session may not be there. */
enum crm_status crm_session_begin(struct crm_connection *c, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_session_commit(struct crm_connection *c, struct crm_error *err) CRM_MUSTCHECK;

/* The instant at which the data of the snapshot begun just now is true: `before` (our clock, taken before the BEGIN), less the lag of a
 * replica. A replica's lag is 0 when it is streaming and has replayed all it received, else the age of the last transaction that it
 * replayed. */
enum crm_status crm_session_read_at(struct crm_connection *c, crm_time before, crm_time *read_at, struct crm_error *err) CRM_MUSTCHECK;

/* Fills all of the report but can_write. */
enum crm_status crm_session_report(struct crm_connection *c, struct crm_database_report *report, struct crm_error *err) CRM_MUSTCHECK;
/* After the mappings were checked in this transaction: may the role change a table that they read (found by the locks they took), or create
 * tables in schema public? */
enum crm_status crm_session_can_write(struct crm_connection *c, bool *can_write, struct crm_error *err) CRM_MUSTCHECK;

#endif
