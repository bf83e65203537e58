/* SPDX-License-Identifier: MIT */
/* Internal to source: one libpq connection that never blocks beyond its deadline and gives up at once when asked to stop. */
#ifndef CRM_SOURCE_CONNECTION_H
#define CRM_SOURCE_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "source/conninfo.h"
#include "source/source.h"
#include "source/stop.h"

struct crm_connection {
  const struct crm_source_options *options;
  const struct crm_database_options *database;
  const struct crm_stop *stop;
  int64_t deadline_us; /* monotonic; of the whole operation the connection is used in */
  PGconn *pg;          /* NULL: closed */
  struct crm_secrets secrets;
  char **prepared; /* texts of the statements that are prepared in this session, by their numbers; NULL: none of that number */
  size_t n_prepared, cap_prepared;
  bool never_prepare; /* behind a pooler that hands out a session per transaction, statements are not there any more */
  char endpoint[256]; /* user@host:port/dbname as far as known; stays after closing */
};

void crm_connection_init(struct crm_connection *c, const struct crm_source_options *options, const struct crm_database_options *database,
                         const struct crm_stop *stop);

/* Opens the connection within connect_timeout_us, all addresses included, and within deadline_us. It must be closed.
 * Name resolution inside libpq may block longer (the resolver's own timeouts, 5 s x attempts); it does not happen for an address or a
 * socket directory. CRM_ERR_CONFIG, _IO, _CONNECT, _TIMEOUT, _STOPPED, _MEMORY; no message holds a secret. */
enum crm_status crm_connection_open(struct crm_connection *c, struct crm_error *err) CRM_MUSTCHECK;
/* Cancels a running statement (waiting for at most 300 ms) and closes. Never blocks otherwise. */
void crm_connection_close(struct crm_connection *c);
/* Open, idle, outside of a transaction, and nothing of an error or a farewell waiting to be read. */
bool crm_connection_usable(const struct crm_connection *c);

/* Runs statements by the simple protocol (`sql` may hold several; then the last result counts). With `result` not NULL the last result, or
 * the one that failed, is handed over, to be freed with PQclear. CRM_ERR_SQL with sqlstate when the server refused it and the connection
 * lives on; CRM_ERR_CONNECT, _TIMEOUT, _STOPPED, _MEMORY: then it is closed. */
enum crm_status crm_connection_run(struct crm_connection *c, const char *sql, PGresult **result, struct crm_error *err) CRM_MUSTCHECK;
/* The same for exactly one statement with text parameters: the server refuses a text that holds a second one. A result PGRES_COPY_OUT
 * leaves the copy to crm_connection_copy. */
enum crm_status crm_connection_query(struct crm_connection *c, const char *sql, int n_params, const char *const *params, PGresult **result,
                                     struct crm_error *err) CRM_MUSTCHECK;

/* Sends one statement without parameters, and does not wait for its answer. Errors as crm_connection_run. */
enum crm_status crm_connection_send(struct crm_connection *c, const char *sql, struct crm_error *err) CRM_MUSTCHECK;
/* Takes the answer of such a statement if it is there by then (monotonic); else *answered is false, and the statement goes on. Errors as
 * crm_connection_run. */
enum crm_status crm_connection_answer(struct crm_connection *c, int64_t until_us, bool *answered, struct crm_error *err) CRM_MUSTCHECK;

/* One statement of a pipeline. */
struct crm_statement {
  const char *sql;
  int n_params;
  const char *const *params; /* texts */
  bool binary;               /* how the values of the result are sent */
  bool prepare;              /* it comes again and again: keep it prepared */
};
/* Sends all statements at once, in libpq's pipeline mode, and takes one result of each: a single round trip. On CRM_OK results[0..n) are to
 * be freed with PQclear. Inside a transaction the first that fails spoils the rest: CRM_ERR_SQL with the server's words, and *failed (may
 * be NULL) says which; then no result is handed over. Other errors as crm_connection_run. */
enum crm_status crm_connection_pipeline(struct crm_connection *c, const struct crm_statement *statements, size_t n, PGresult **results,
                                        size_t *failed, struct crm_error *err) CRM_MUSTCHECK;

/* Takes the data of a copy: `feed` is called for each message. When it fails, its status comes back, and the connection is closed.
 * CRM_OK after the last message and the command's success; else as crm_connection_run. */
typedef enum crm_status crm_copy_feed_fn(void *ctx, const char *data, size_t len, struct crm_error *err);
enum crm_status crm_connection_copy(struct crm_connection *c, crm_copy_feed_fn *feed, void *ctx, PGresult **result,
                                    struct crm_error *err) CRM_MUSTCHECK;

/* True if the status says that the connection is gone (and the whole read with it). */
static inline bool crm_status_fatal(enum crm_status status) {
  return status != CRM_OK && status != CRM_ERR_SQL && status != CRM_ERR_MAPPING;
}

#endif
