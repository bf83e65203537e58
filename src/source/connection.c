/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/connection.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "source/cancel.h"

#define CANCEL_WAIT_US INT64_C(300000)
/* How much later than the server's own statement_timeout we lose patience, so that the server's clearer message comes first. */
#define STATEMENT_GRACE_US (2 * CRM_US_PER_SECOND)
/* A wait for data looks again this often: bytes may sit in the TLS library where poll() cannot see them. */
#define LOOK_AGAIN_US CRM_US_PER_SECOND

void crm_connection_init(struct crm_connection *c, const struct crm_source_options *options, const struct crm_database_options *database,
                         const struct crm_stop *stop) {
  *c = (struct crm_connection){.options = options, .database = database, .stop = stop, .deadline_us = INT64_MAX};
  crm_database_title(database, options->instance, c->endpoint, sizeof(c->endpoint));
}

static void ignore_notice(void *ctx, const PGresult *result) {
  (void)ctx;
  (void)result;
}

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* libpq's text for what went wrong with the connection. */
static enum crm_status lost(struct crm_connection *c, const char *what, struct crm_error *err) {
  char text[512];
  crm_secrets_scrub(&c->secrets, PQerrorMessage(c->pg), text, sizeof(text));
  crm_error_set(err, CRM_ERR_CONNECT, "%s: %s%s%s", c->endpoint, what, text[0] != '\0' ? ": " : "", text);
  crm_connection_close(c);
  return CRM_ERR_CONNECT;
}

/* Waits; closes the connection unless it is CRM_OK. */
static enum crm_status await(struct crm_connection *c, short events, int64_t deadline_us, const char *doing, struct crm_error *err) {
  enum crm_status status = crm_stop_poll(c->stop, PQsocket(c->pg), events, deadline_us);
  if (status == CRM_OK)
    return CRM_OK;
  crm_connection_close(c);
  if (status == CRM_ERR_STOPPED)
    return crm_error_set(err, status, "%s: stopped while %s", c->endpoint, doing);
  return crm_error_set(err, status, "%s: timeout while %s", c->endpoint, doing);
}

/* --- opening and closing --- */

static const char *or_else(const char *text, const char *instead) {
  return text != NULL && text[0] != '\0' ? text : instead;
}

static void set_endpoint(struct crm_connection *c) {
  char text[256];
  const char *host = or_else(PQhost(c->pg), "localhost");
  snprintf(text, sizeof(text), "%s@%s:%s/%s", or_else(PQuser(c->pg), "?"), host, or_else(PQport(c->pg), "5432"), or_else(PQdb(c->pg), "?"));
  crm_secrets_scrub(&c->secrets, text, c->endpoint, sizeof(c->endpoint));
}

static enum crm_status poll_until_open(struct crm_connection *c, int64_t deadline_us, struct crm_error *err) {
  PostgresPollingStatusType next = PGRES_POLLING_WRITING; /* as the manual of PQconnectPoll wants it */
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED || PQstatus(c->pg) == CONNECTION_BAD || PQsocket(c->pg) < 0) {
      set_endpoint(c); /* of several hosts the last one */
      return lost(c, "cannot connect", err);
    }
    enum crm_status status = await(c, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us, "connecting", err);
    if (status != CRM_OK)
      return status;
    next = PQconnectPoll(c->pg);
  }
  return CRM_OK;
}

enum crm_status crm_connection_open(struct crm_connection *c, struct crm_error *err) {
  int64_t deadline_us = earlier(c->deadline_us, crm_clock_monotonic_us() + c->options->connect_timeout_us);
  if (crm_stop_requested(c->stop))
    return crm_error_set(err, CRM_ERR_STOPPED, "%s: stopped before connecting", c->endpoint);
  crm_secrets_free(&c->secrets);
  struct crm_conninfo conninfo;
  enum crm_status status =
      crm_conninfo_build(c->database, c->options->instance, c->options->connect_timeout_us, &conninfo, &c->secrets, err);
  if (status == CRM_OK) {
    c->pg = PQconnectStartParams(conninfo.keywords, conninfo.values, 0);
    if (c->pg == NULL)
      status = crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", c->endpoint);
  }
  crm_conninfo_free(&conninfo);
  if (status != CRM_OK)
    return status;
  PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
  /* A password of the passfile or of a service is known only now. */
  if (crm_secrets_add(&c->secrets, PQpass(c->pg)) != CRM_OK) {
    crm_connection_close(c);
    return crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", c->endpoint);
  }
  set_endpoint(c);
  status = poll_until_open(c, deadline_us, err);
  if (status != CRM_OK)
    return status;
  set_endpoint(c);
  if (PQsetnonblocking(c->pg, 1) != 0)
    return lost(c, "cannot switch to non-blocking mode", err);
  return CRM_OK;
}

static void free_prepared(struct crm_connection *c);

void crm_connection_close(struct crm_connection *c) {
  if (c->pg != NULL) {
    if (PQstatus(c->pg) == CONNECTION_OK && PQtransactionStatus(c->pg) == PQTRANS_ACTIVE)
      crm_cancel_bounded(c->pg, CANCEL_WAIT_US);
    PQfinish(c->pg);
    c->pg = NULL;
  }
  free_prepared(c);
  crm_secrets_free(&c->secrets);
}

bool crm_connection_usable(const struct crm_connection *c) {
  if (c->pg == NULL || PQstatus(c->pg) != CONNECTION_OK || PQtransactionStatus(c->pg) != PQTRANS_IDLE)
    return false;
  struct pollfd fd = {.fd = PQsocket(c->pg), .events = POLLIN};
  for (int i = 0; i < 4 && poll(&fd, 1, 0) > 0; i++) /* behind a farewell comes the end */
    if (PQconsumeInput(c->pg) == 0)
      return false; /* closed by the server while it was idle */
  return PQstatus(c->pg) == CONNECTION_OK;
}

/* --- statements --- */

static int64_t statement_deadline(const struct crm_connection *c) {
  return earlier(c->deadline_us, crm_clock_monotonic_us() + c->options->statement_timeout_us + STATEMENT_GRACE_US);
}

static enum crm_status flush(struct crm_connection *c, int64_t deadline_us, struct crm_error *err) {
  for (int left; (left = PQflush(c->pg)) != 0;) {
    if (left < 0)
      return lost(c, "connection lost", err);
    enum crm_status status = await(c, POLLIN | POLLOUT, deadline_us, "sending a statement", err);
    if (status != CRM_OK)
      return status;
    /* A server that is itself blocked on sending to us must be drained, or both sides wait. */
    if (PQconsumeInput(c->pg) == 0)
      return lost(c, "connection lost", err);
  }
  return CRM_OK;
}

/* Waits until PQgetResult would not block. */
static enum crm_status await_result(struct crm_connection *c, int64_t deadline_us, struct crm_error *err) {
  while (PQisBusy(c->pg)) {
    int64_t now_us = crm_clock_monotonic_us();
    enum crm_status status = crm_stop_poll(c->stop, PQsocket(c->pg), POLLIN, earlier(deadline_us, now_us + LOOK_AGAIN_US));
    if (status == CRM_ERR_STOPPED || (status == CRM_ERR_TIMEOUT && crm_clock_monotonic_us() >= deadline_us))
      return await(c, POLLIN, deadline_us, "waiting for an answer", err);
    if (PQconsumeInput(c->pg) == 0)
      return lost(c, "connection lost", err);
  }
  return CRM_OK;
}

static const char *field(const PGresult *result, int code) {
  return or_else(PQresultErrorField(result, code), "");
}

/* What the server said to a statement that it refused. */
static enum crm_status refused(struct crm_connection *c, const PGresult *result, struct crm_error *err) {
  char text[512];
  crm_secrets_scrub(&c->secrets, or_else(field(result, PG_DIAG_MESSAGE_PRIMARY), PQresultErrorMessage(result)), text, sizeof(text));
  const char *sqlstate = field(result, PG_DIAG_SQLSTATE);
  crm_error_set(err, CRM_ERR_SQL, "%s: %s%s%s%s", c->endpoint, text, sqlstate[0] != '\0' ? " (SQLSTATE " : "", sqlstate,
                sqlstate[0] != '\0' ? ")" : "");
  if (err != NULL)
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
  return CRM_ERR_SQL;
}

/* The server's farewell ("terminating connection due to administrator command"); no more results follow it. */
static bool is_farewell(const PGresult *result) {
  const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

static enum crm_status dismissed(struct crm_connection *c, const PGresult *result, struct crm_error *err) {
  (void)refused(c, result, err);
  if (err != NULL)
    err->status = CRM_ERR_CONNECT;
  crm_connection_close(c);
  return CRM_ERR_CONNECT;
}

/* Takes results until the statement is over or a copy begins, and keeps the first that failed, else the last. */
static enum crm_status take_results(struct crm_connection *c, int64_t deadline_us, PGresult **kept, struct crm_error *err) {
  PGresult *keep = NULL;
  bool failed = false, copying = false;
  enum crm_status status = CRM_OK;
  while (!copying) {
    status = await_result(c, deadline_us, err);
    if (status != CRM_OK)
      break;
    PGresult *result = PQgetResult(c->pg);
    if (result == NULL)
      break;
    ExecStatusType type = PQresultStatus(result);
    if (type == PGRES_COPY_IN || type == PGRES_COPY_BOTH) /* no statement of ours asks for it, and PQgetResult would give it for ever */
      status = lost(c, "the server does not keep to the protocol", err);
    else if (is_farewell(result))
      status = dismissed(c, result, err);
    if (status != CRM_OK || failed) {
      PQclear(result);
      if (status != CRM_OK)
        break;
      continue;
    }
    PQclear(keep);
    keep = result;
    failed = type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK && type != PGRES_COPY_OUT && type != PGRES_EMPTY_QUERY;
    copying = type == PGRES_COPY_OUT;
  }
  if (status == CRM_OK && (keep == NULL || PQstatus(c->pg) != CONNECTION_OK))
    status = lost(c, "connection lost", err);
  else if (status == CRM_OK && failed)
    status = refused(c, keep, err);
  if (kept != NULL && !crm_status_fatal(status))
    *kept = keep;
  else
    PQclear(keep);
  return status;
}

static enum crm_status finish(struct crm_connection *c, int sent, PGresult **result, struct crm_error *err) {
  int64_t deadline_us = statement_deadline(c);
  if (sent == 0)
    return lost(c, "cannot send a statement", err);
  enum crm_status status = flush(c, deadline_us, err);
  return status == CRM_OK ? take_results(c, deadline_us, result, err) : status;
}

enum crm_status crm_connection_run(struct crm_connection *c, const char *sql, PGresult **result, struct crm_error *err) {
  if (result != NULL)
    *result = NULL;
  return finish(c, PQsendQuery(c->pg, sql), result, err);
}

enum crm_status crm_connection_query(struct crm_connection *c, const char *sql, int n_params, const char *const *params, PGresult **result,
                                     struct crm_error *err) {
  if (result != NULL)
    *result = NULL;
  return finish(c, PQsendQueryParams(c->pg, sql, n_params, NULL, params, NULL, NULL, 0), result, err);
}

enum crm_status crm_connection_send(struct crm_connection *c, const char *sql, struct crm_error *err) {
  return PQsendQuery(c->pg, sql) == 0 ? lost(c, "cannot send a statement", err) : flush(c, statement_deadline(c), err);
}

enum crm_status crm_connection_answer(struct crm_connection *c, int64_t until_us, bool *answered, struct crm_error *err) {
  *answered = false;
  while (PQisBusy(c->pg)) {
    enum crm_status status = crm_stop_poll(c->stop, PQsocket(c->pg), POLLIN, earlier(until_us, crm_clock_monotonic_us() + LOOK_AGAIN_US));
    if (status == CRM_ERR_STOPPED)
      return await(c, POLLIN, until_us, "waiting for an answer", err);
    if (PQconsumeInput(c->pg) == 0)
      return lost(c, "connection lost", err);
    if (status == CRM_ERR_TIMEOUT && PQisBusy(c->pg) && crm_clock_monotonic_us() >= until_us)
      return CRM_OK;
  }
  *answered = true;
  return take_results(c, statement_deadline(c), NULL, err);
}

/* --- pipeline --- */

/* So many statements are kept prepared in a session; then all are given up, since those of former days do not come again. */
enum { PREPARED_MAX = 200 };

static void forget_prepared(struct crm_connection *c) {
  for (size_t i = 0; i < c->n_prepared; i++) {
    free(c->prepared[i]);
    c->prepared[i] = NULL;
  }
}

static void free_prepared(struct crm_connection *c) {
  forget_prepared(c);
  free(c->prepared);
  c->prepared = NULL;
  c->n_prepared = c->cap_prepared = 0;
}

/* The number of the statement; if it is new, `*is_new` and it is remembered. SIZE_MAX when out of memory. */
static size_t number_of(struct crm_connection *c, const char *sql, bool *is_new) {
  *is_new = false;
  for (size_t i = 0; i < c->n_prepared; i++)
    if (c->prepared[i] != NULL && strcmp(c->prepared[i], sql) == 0)
      return i;
  char *copy = strdup(sql);
  if (copy == NULL || crm_vec_reserve((void **)&c->prepared, &c->cap_prepared, c->n_prepared + 1, sizeof(*c->prepared)) != CRM_OK) {
    free(copy);
    return SIZE_MAX;
  }
  *is_new = true;
  c->prepared[c->n_prepared] = copy;
  return c->n_prepared++;
}

/* Sends one statement; with `*prepares` a result of preparing it comes before its own. */
static int send_one(struct crm_connection *c, const struct crm_statement *s, bool *prepares) {
  *prepares = false;
  size_t number = s->prepare && !c->never_prepare ? number_of(c, s->sql, prepares) : SIZE_MAX;
  if (number == SIZE_MAX)
    return PQsendQueryParams(c->pg, s->sql, s->n_params, NULL, s->params, NULL, NULL, s->binary ? 1 : 0);
  char name[32];
  snprintf(name, sizeof(name), "crm_%zu", number);
  if (*prepares && PQsendPrepare(c->pg, name, s->sql, 0, NULL) != 1)
    return 0;
  return PQsendQueryPrepared(c->pg, name, s->n_params, s->params, NULL, NULL, s->binary ? 1 : 0);
}

static bool is_good(const PGresult *result) {
  ExecStatusType type = PQresultStatus(result);
  return type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK || type == PGRES_EMPTY_QUERY;
}

/* Takes what one statement of the pipeline gave: a result, and the NULL that ends it. */
static enum crm_status take_one(struct crm_connection *c, int64_t deadline_us, PGresult **result, struct crm_error *err) {
  *result = NULL;
  for (;;) {
    enum crm_status status = await_result(c, deadline_us, err);
    if (status != CRM_OK)
      return status;
    PGresult *next = PQgetResult(c->pg);
    if (next == NULL)
      return *result != NULL ? CRM_OK : lost(c, "connection lost", err);
    if (is_farewell(next)) {
      status = dismissed(c, next, err);
      PQclear(next);
      return status;
    }
    if (*result == NULL)
      *result = next;
    else
      PQclear(next);
    if (PQresultStatus(*result) == PGRES_PIPELINE_SYNC)
      return CRM_OK; /* no NULL follows it */
  }
}

/* The results of the statements and of the sync behind them. prepares[i]: one of preparing comes before that of statement i. */
static enum crm_status take_pipeline(struct crm_connection *c, size_t n, const bool *prepares, PGresult **results, size_t *failed,
                                     struct crm_error *err) {
  int64_t deadline_us = statement_deadline(c);
  bool bad = false;
  for (size_t i = 0; i <= n; i++) {
    for (int preparing = i < n && prepares[i]; preparing >= 0; preparing--) {
      PGresult *result;
      enum crm_status status = take_one(c, deadline_us, &result, err);
      bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
      if (status == CRM_OK && is_sync != (i == n))
        status = lost(c, "the server does not keep to the protocol", err);
      if (status != CRM_OK) {
        PQclear(result);
        return status;
      }
      if (!is_sync && !bad && !is_good(result)) {
        bad = true;
        (void)refused(c, result, err);
        if (failed != NULL)
          *failed = i;
      }
      if (preparing > 0 || is_sync || bad)
        PQclear(result);
      else
        results[i] = result;
    }
  }
  return bad ? CRM_ERR_SQL : CRM_OK;
}

enum crm_status crm_connection_pipeline(struct crm_connection *c, const struct crm_statement *statements, size_t n, PGresult **results,
                                        size_t *failed, struct crm_error *err) {
  if (c->n_prepared > PREPARED_MAX && crm_connection_run(c, "DEALLOCATE ALL", NULL, err) != CRM_OK)
    return err != NULL ? err->status : CRM_ERR_CONNECT;
  if (c->n_prepared > PREPARED_MAX)
    free_prepared(c);
  bool *prepares = calloc(n + 1, sizeof(*prepares));
  if (prepares == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "%s: out of memory", c->endpoint);
  for (size_t i = 0; i < n; i++)
    results[i] = NULL;
  enum crm_status status = PQenterPipelineMode(c->pg) == 1 ? CRM_OK : lost(c, "cannot enter pipeline mode", err);
  int sent = 1;
  for (size_t i = 0; i < n && sent == 1 && status == CRM_OK; i++)
    sent = send_one(c, &statements[i], &prepares[i]);
  if (status == CRM_OK && (sent != 1 || PQpipelineSync(c->pg) != 1))
    status = lost(c, "cannot send a statement", err);
  if (status == CRM_OK)
    status = flush(c, statement_deadline(c), err);
  if (status == CRM_OK)
    status = take_pipeline(c, n, prepares, results, failed, err);
  free(prepares);
  if (!crm_status_fatal(status) && PQexitPipelineMode(c->pg) != 1)
    status = lost(c, "cannot leave pipeline mode", err);
  for (size_t i = 0; i < n && status != CRM_OK; i++) {
    PQclear(results[i]);
    results[i] = NULL;
  }
  if (status != CRM_OK) { /* which of them are there is not known; their numbers are not used again */
    forget_prepared(c);
    c->never_prepare |= err != NULL && (strcmp(err->sqlstate, "26000") == 0 || strcmp(err->sqlstate, "42P05") == 0);
  }
  return status;
}

enum crm_status crm_connection_copy(struct crm_connection *c, crm_copy_feed_fn *feed, void *ctx, PGresult **result, struct crm_error *err) {
  if (result != NULL)
    *result = NULL;
  int64_t deadline_us = statement_deadline(c);
  bool looked = false; /* the socket has been read since the last message, and there was none */
  for (;;) {
    char *data;
    int n = PQgetCopyData(c->pg, &data, 1);
    if (n > 0) {
      enum crm_status status = feed(ctx, data, (size_t)n, err);
      PQfreemem(data);
      if (status != CRM_OK) {
        crm_connection_close(c);
        return status;
      }
      looked = false;
      continue;
    }
    if (n == -1)
      break; /* the end, or the server's error: both are in the result */
    if (n < 0)
      return lost(c, "cannot read rows", err);
    if (looked || crm_stop_requested(c->stop) || crm_clock_monotonic_us() >= deadline_us) {
      int64_t until_us = earlier(deadline_us, crm_clock_monotonic_us() + LOOK_AGAIN_US);
      enum crm_status status = crm_stop_poll(c->stop, PQsocket(c->pg), POLLIN, until_us);
      if (status == CRM_ERR_STOPPED || crm_clock_monotonic_us() >= deadline_us)
        return await(c, 0, deadline_us, "reading rows", err);
    }
    /* Reading first and waiting only when nothing was there saves a system call for each buffer while the server is ahead of us. */
    if (PQconsumeInput(c->pg) == 0)
      return lost(c, "connection lost while reading rows", err);
    looked = true;
  }
  return take_results(c, deadline_us, result, err);
}
