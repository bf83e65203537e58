/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "source/logical.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/vec.h"
#include "source/internal.h"
#include "source/pgoutput.h"

/* Pending changes may take so much; an entry has 12 bytes and a key or an account's id. More is a reason to read everything. */
#define PENDING_MAX ((size_t)32 << 20)
/* The server gathers the messages of one call before it sends them, and stops behind the transaction that reaches this number. */
#define MESSAGES_PER_CALL 100000
/* So many failures without a drain in between, and it is left alone for so long: each costs a full read. */
#define FAILURES_MAX 3
#define HOLD_US (3600 * CRM_US_PER_SECOND)
#define FLUSH_LOOK_US INT64_C(10000)
#define FLUSH_GRACE_US INT64_C(500000)
#define FLUSH_WAIT_MAX_US (5 * CRM_US_PER_SECOND)

void crm_logical_init(struct crm_logical *l, const struct crm_source_options *options, const struct crm_database_options *database,
                      const struct crm_stop *stop) {
  *l = (struct crm_logical){0};
  crm_connection_init(&l->connection, options, database, stop);
  crm_strbuf_init(&l->pending, PENDING_MAX);
}

void crm_logical_close(struct crm_logical *l) {
  crm_connection_close(&l->connection);
  l->state = CRM_LOGICAL_CLOSED;
  l->fresh = false;
  l->behind = false;
  crm_strbuf_free(&l->pending);
  crm_strbuf_init(&l->pending, PENDING_MAX);
  crm_snapshot_free(&l->base);
  crm_snapshot_free(&l->accepted);
  crm_snapshot_free(&l->next);
}

void crm_logical_free(struct crm_logical *l) {
  crm_logical_close(l);
  crm_strbuf_free(&l->pending);
}

bool crm_logical_alive(const struct crm_logical *l) {
  return l->state == CRM_LOGICAL_READY && crm_connection_usable(&l->connection);
}

void crm_logical_relieve(struct crm_logical *l) {
  if (l->state != CRM_LOGICAL_CLOSED && crm_clock_monotonic_us() - l->drained_us > 3 * l->connection.options->read_timeout_us)
    crm_logical_close(l);
}

/* It failed, whatever it was: the session is ended, since the slot is gone with any error of its own. Only what ends the whole operation
 * is handed on. */
static enum crm_status fail(struct crm_logical *l, enum crm_status status, const struct crm_error *reason, struct crm_error *err) {
  crm_logical_close(l);
  snprintf(l->trouble, sizeof(l->trouble), "%.*s", (int)sizeof(l->trouble) - 1, reason->message);
  if (status == CRM_ERR_STOPPED || status == CRM_ERR_MEMORY) {
    if (err != NULL)
      *err = *reason;
    return status;
  }
  if (++l->failures >= FAILURES_MAX)
    l->held_until_us = crm_clock_monotonic_us() + HOLD_US;
  return CRM_OK;
}

/* --- the slot --- */

/* "crm_INSTANCE_PID_RANDOM": whoever looks at the server's slots shall find out whose it is; the number keeps hosts apart. */
static void name_slot(struct crm_logical *l) {
  char instance[25] = "";
  const char *from = l->connection.options->instance;
  for (size_t i = 0; from[i] != '\0' && i + 1 < sizeof(instance); i++) {
    char c = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] - 'A' + 'a') : from[i];
    instance[i] = c;
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
      instance[i] = '_';
  }
  snprintf(l->slot, sizeof(l->slot), "crm_%s_%ld_%08x", instance, (long)getpid(), (unsigned)crm_random_between(0, UINT32_MAX));
}

static enum crm_status ask_for_slot(struct crm_logical *l, struct crm_error *err) {
  char sql[192];
  name_slot(l);
  snprintf(sql, sizeof(sql), "SELECT pg_catalog.pg_create_logical_replication_slot('%s', 'pgoutput', true)", l->slot);
  l->drained_us = crm_clock_monotonic_us();
  l->state = CRM_LOGICAL_STARTING;
  return crm_connection_send(&l->connection, sql, err);
}

enum crm_status crm_logical_start(struct crm_logical *l, int64_t wait_us, struct crm_error *err) {
  struct crm_error reason = {0};
  enum crm_status status = CRM_OK;
  if (crm_logical_alive(l))
    return CRM_OK;
  if (l->state == CRM_LOGICAL_READY)
    crm_logical_close(l);
  if (crm_clock_monotonic_us() < l->held_until_us)
    return CRM_OK;
  if (l->state == CRM_LOGICAL_CLOSED) {
    status = crm_session_open(&l->connection, &reason);
    if (status == CRM_OK) /* waiting for a transaction to end counts as waiting for a lock, but keeps nobody waiting */
      status = crm_connection_run(&l->connection, "SET lock_timeout = 0", NULL, &reason);
    if (status == CRM_OK)
      status = ask_for_slot(l, &reason);
  }
  bool answered = false;
  if (status == CRM_OK)
    status = crm_connection_answer(&l->connection, crm_clock_monotonic_us() + wait_us, &answered, &reason);
  if (status == CRM_OK && answered) {
    l->state = CRM_LOGICAL_READY;
    l->fresh = true;
    l->trouble[0] = '\0';
  } else if (status == CRM_OK)
    snprintf(l->trouble, sizeof(l->trouble), "the slot waits for a transaction that has been running since before");
  else if (status == CRM_ERR_SQL && strcmp(reason.sqlstate, "57014") == 0) /* it took as long as a statement may: once more */
    status = ask_for_slot(l, &reason);
  return status == CRM_OK ? CRM_OK : fail(l, status, &reason, err);
}

/* --- where the log stands --- */

bool crm_logical_due(const struct crm_logical *l) {
  return l->in_use && (l->behind || crm_clock_monotonic_us() - l->drained_us > l->connection.options->read_timeout_us);
}

enum crm_status crm_logical_look(struct crm_connection *c, struct crm_logical *l, bool full, struct crm_error *err) {
  const char *params[] = {c->options->publication};
  PGresult *result;
  enum crm_status status = crm_connection_query(
      c, PQserverVersion(c->pg) >= 150000 ? CRM_PUBLICATION_PLACE(CRM_PUBLICATION_SCHEMAS) : CRM_PUBLICATION_PLACE("''"), 1, params,
      &result, err);
  if (status == CRM_OK && (PQntuples(result) != 1 || PQnfields(result) != 3)) {
    crm_connection_close(c);
    status = crm_error_set(err, CRM_ERR_DATA, "%s: the server answers with something else than what was asked", c->endpoint);
  }
  if (status == CRM_OK) {
    crm_snapshot_free(&l->next);
    status = crm_snapshot_read(PQgetvalue(result, 0, 0), &l->next, err);
    snprintf(l->next_place, sizeof(l->next_place), "%s", PQgetvalue(result, 0, 1));
    snprintf(l->next_mark, sizeof(l->next_mark), "%s", PQgetvalue(result, 0, 2));
  }
  if (status == CRM_OK && full) {
    crm_snapshot_free(&l->base);
    status = crm_snapshot_read(PQgetvalue(result, 0, 0), &l->base, err);
  }
  PQclear(result);
  return status;
}

/* A transaction whose commit does not wait for the disk can be visible some time before it can be decoded; the server promises to write it
 * within three rounds of its log writer. That is waited for if anything has ended since the last time: what lies behind that then is of
 * transactions which have not ended. Should the promise not be kept, the next refresh looks again. */
static enum crm_status await_flush(struct crm_logical *l, struct crm_error *err) {
  const char *params[] = {l->next_place};
  const struct crm_statement statement = {.sql = "SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn,"
                                                 " (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_writer_delay')",
                                          .n_params = 1,
                                          .params = params,
                                          .prepare = true};
  int64_t start_us = crm_clock_monotonic_us();
  l->behind = crm_snapshot_moved(&l->accepted, &l->next);
  while (l->behind) {
    PGresult *result;
    enum crm_status status = crm_connection_pipeline(&l->connection, &statement, 1, &result, NULL, err);
    if (status != CRM_OK)
      return status;
    bool one = PQntuples(result) == 1 && PQnfields(result) == 2;
    l->behind = !one || PQgetvalue(result, 0, 0)[0] != 't';
    int64_t wait_us = one ? 3000 * strtoll(PQgetvalue(result, 0, 1), NULL, 10) + FLUSH_GRACE_US : 0;
    PQclear(result);
    int64_t now_us = crm_clock_monotonic_us();
    if (now_us >= start_us + (wait_us < FLUSH_WAIT_MAX_US ? wait_us : FLUSH_WAIT_MAX_US))
      break;
    if (l->behind && crm_stop_wait(l->connection.stop, now_us + FLUSH_LOOK_US))
      return crm_error_set(err, CRM_ERR_STOPPED, "%s: stopped while waiting for the log", l->connection.endpoint);
  }
  return CRM_OK;
}

/* --- what the messages say --- */

/* An entry of `pending`: this, and `len` bytes. */
struct entry {
  uint32_t xid;
  uint16_t relation;
  uint16_t what;
  uint32_t len;
};

/* A track, found again in the table as it was when the change was made. */
struct route {
  uint32_t table;
  enum crm_relation relation;
  const struct crm_track *track;
  int column;    /* -1: not there */
  bool identity; /* an old row has it */
  int day;       /* the same of the day */
  bool day_identity;
};

struct draining {
  const struct crm_source *source;
  size_t database;
  struct crm_logical *logical;
  struct route *routes;
  size_t n_routes, cap_routes;
  uint64_t messages, bytes;
  bool in_transaction, skipped;
  uint32_t xid;
  bool whole[CRM_RELATIONS];  /* of this transaction: nothing more is to be said of the relation */
  size_t last[CRM_RELATIONS]; /* where the relation's last entry of this transaction is, and 1 */
};

static enum crm_status out_of_memory(struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

static enum crm_status add_entry(struct draining *d, enum crm_relation relation, unsigned what, const char *text, size_t len,
                                 struct crm_error *err) {
  struct crm_strbuf *pending = &d->logical->pending;
  struct entry entry;
  if (d->whole[relation])
    return CRM_OK;
  d->whole[relation] = what == CRM_TOUCHED_ALL;
  if (d->last[relation] > 0) { /* rows of one account often come one behind the other */
    const char *last = pending->data + d->last[relation] - 1;
    memcpy(&entry, last, sizeof(entry));
    if (entry.what == what && entry.len == len && memcmp(last + sizeof(entry), text, len) == 0)
      return CRM_OK;
  }
  d->last[relation] = pending->len + 1;
  entry = (struct entry){.xid = d->xid, .relation = (uint16_t)relation, .what = (uint16_t)what, .len = (uint32_t)len};
  crm_strbuf_add(pending, (const char *)&entry, sizeof(entry));
  crm_strbuf_add(pending, text, len);
  return crm_strbuf_ok(pending) ? CRM_OK : crm_error_set(err, CRM_ERR_LIMIT, "more has changed than is kept (%zu MiB)", PENDING_MAX >> 20);
}

/* A day of an account; the whole account if the day is none, or if either is too long to be one. */
static enum crm_status add_day(struct draining *d, const struct route *route, struct crm_pgoutput_value account,
                               struct crm_pgoutput_value day, struct crm_error *err) {
  char text[CRM_TOUCHED_DAY_LEN + 1 + 256];
  if (day.kind != CRM_PGOUTPUT_TEXT || day.len != CRM_TOUCHED_DAY_LEN || account.len >= sizeof(text) - CRM_TOUCHED_DAY_LEN - 1)
    return add_entry(d, route->relation, CRM_TOUCHED_ACCOUNT, account.text, account.len, err);
  memcpy(text, day.text, day.len);
  text[day.len] = ' ';
  memcpy(text + day.len + 1, account.text, account.len);
  return add_entry(d, route->relation, CRM_TOUCHED_DAY, text, day.len + 1 + account.len, err);
}

/* What a value of the track's column touches, of which `day` may be known. A row without one may be one of those that are refused, which
 * belong to no account. */
static enum crm_status add_value(struct draining *d, const struct route *route, struct crm_pgoutput_value value,
                                 struct crm_pgoutput_value day, struct crm_error *err) {
  const struct crm_track *track = route->track;
  if (track->looked_up > 0 && value.kind == CRM_PGOUTPUT_NULL)
    return CRM_OK; /* it leads nowhere */
  while (track->padded && value.len > 0 && value.text[value.len - 1] == ' ')
    value.len--;
  if (value.kind != CRM_PGOUTPUT_TEXT || value.len == 0)
    return add_entry(d, route->relation, CRM_TOUCHED_ALL, "", 0, err);
  if (day.kind != CRM_PGOUTPUT_ABSENT)
    return add_day(d, route, value, day, err);
  unsigned what = track->by_key ? CRM_TOUCHED_KEY : CRM_TOUCHED_ACCOUNT;
  if (track->looked_up > 0)
    what = CRM_TOUCHED_VIA + (unsigned)track->looked_up - 1;
  return add_entry(d, route->relation, what, value.text, value.len, err);
}

static enum crm_status take_begin(void *ctx, uint32_t xid, struct crm_error *err) {
  struct draining *d = ctx;
  if (d->in_transaction)
    return crm_error_set(err, CRM_ERR_DATA, "the output plugin begins a transaction within another");
  d->in_transaction = true;
  d->xid = xid;
  d->skipped = crm_snapshot_shows(&d->logical->base, xid);
  memset(d->whole, 0, sizeof(d->whole));
  memset(d->last, 0, sizeof(d->last));
  return CRM_OK;
}

static enum crm_status take_commit(void *ctx, struct crm_error *err) {
  struct draining *d = ctx;
  if (!d->in_transaction)
    return crm_error_set(err, CRM_ERR_DATA, "the output plugin ends a transaction that it did not begin");
  d->in_transaction = false;
  return CRM_OK;
}

static enum crm_status take_relation(void *ctx, const struct crm_pgoutput_relation *relation, struct crm_error *err) {
  struct draining *d = ctx;
  size_t kept = 0;
  for (size_t i = 0; i < d->n_routes; i++)
    if (d->routes[i].table != relation->table)
      d->routes[kept++] = d->routes[i];
  d->n_routes = kept;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_way *way = &d->source->ways[r];
    if (d->source->database_of[r] != d->database || way->following.mode != CRM_CHANGES_LOGICAL)
      continue;
    for (size_t t = 0; t < way->n_tracks; t++) {
      const struct crm_track *track = &way->tracks[t];
      if (track->table != relation->table)
        continue;
      struct route route = {.table = relation->table, .relation = (enum crm_relation)r, .track = track, .column = -1, .day = -1};
      if (track->column[0] != '\0')
        route.column = crm_pgoutput_column(relation, track->column, &route.identity);
      if (track->day[0] != '\0')
        route.day = crm_pgoutput_column(relation, track->day, &route.day_identity);
      if (crm_vec_reserve((void **)&d->routes, &d->cap_routes, d->n_routes + 1, sizeof(*d->routes)) != CRM_OK)
        return out_of_memory(err);
      d->routes[d->n_routes++] = route;
    }
  }
  return CRM_OK;
}

static enum crm_status take_change(void *ctx, enum crm_pgoutput_change change, uint32_t table, struct crm_pgoutput_tuple before,
                                   struct crm_pgoutput_tuple after, struct crm_error *err) {
  struct draining *d = ctx;
  if (!d->in_transaction)
    return crm_error_set(err, CRM_ERR_DATA, "the output plugin tells of a change outside of a transaction");
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < d->n_routes && status == CRM_OK && !d->skipped; i++) {
    const struct route *route = &d->routes[i];
    if (route->table != table)
      continue;
    /* Without the old value nobody knows where the row was before. */
    if (route->column < 0 || (change != CRM_PGOUTPUT_INSERT && !route->identity)) {
      status = add_entry(d, route->relation, CRM_TOUCHED_ALL, "", 0, err);
      continue;
    }
    struct crm_pgoutput_value new = crm_pgoutput_value(after, route->column), old = crm_pgoutput_value(before, route->column);
    if (new.kind == CRM_PGOUTPUT_UNCHANGED)
      new = old;
    /* The same of the day; but the account may be known where the day is not. */
    struct crm_pgoutput_value new_day = {.kind = CRM_PGOUTPUT_ABSENT}, old_day = new_day;
    if (route->day >= 0 && (change == CRM_PGOUTPUT_INSERT || route->day_identity)) {
      new_day = crm_pgoutput_value(after, route->day);
      old_day = crm_pgoutput_value(before, route->day);
    }
    if (change != CRM_PGOUTPUT_DELETE)
      status = add_value(d, route, new, new_day, err);
    if (status == CRM_OK && before.at != NULL)
      status = add_value(d, route, old, old_day, err);
  }
  return status;
}

static enum crm_status take_truncate(void *ctx, uint32_t table, struct crm_error *err) {
  struct draining *d = ctx;
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < d->n_routes && status == CRM_OK && !d->skipped; i++)
    if (d->routes[i].table == table)
      status = add_entry(d, d->routes[i].relation, CRM_TOUCHED_ALL, "", 0, err);
  return status;
}

/* One row of the copy: a message. */
static enum crm_status take_message(void *ctx, const struct crm_row *row, struct crm_error *err) {
  struct draining *d = ctx;
  const struct crm_pgoutput_sink sink = {d, take_begin, take_commit, take_relation, take_change, take_truncate};
  d->messages++;
  return crm_pgoutput_message(row->cells[0].text, row->cells[0].set ? row->cells[0].len : 0, &sink, err);
}

/* --- draining --- */

struct feeding {
  struct draining *draining;
  struct crm_copy_reader reader;
};

static enum crm_status feed(void *ctx, const char *data, size_t len, struct crm_error *err) {
  struct feeding *feeding = ctx;
  feeding->draining->bytes += len;
  return crm_copy_reader_feed(&feeding->reader, data, len, err);
}

static char *drain_statement(struct crm_logical *l) {
  const char *name = l->connection.options->publication;
  char *text = NULL, *quoted = PQescapeIdentifier(l->connection.pg, name, strlen(name)); /* it is read as a list of names */
  char *literal = quoted != NULL ? PQescapeLiteral(l->connection.pg, quoted, strlen(quoted)) : NULL;
  if (literal != NULL && asprintf(&text,
                                  "COPY (SELECT data FROM pg_catalog.pg_logical_slot_get_binary_changes('%s', '%s', %d,"
                                  " 'proto_version', '1', 'publication_names', %s)) TO STDOUT (FORMAT binary)",
                                  l->slot, l->next_place, MESSAGES_PER_CALL, literal) < 0)
    text = NULL;
  PQfreemem(quoted);
  PQfreemem(literal);
  return text;
}

/* One call. The bytes of a message come as they are, which is what the copy reader takes for text. */
static enum crm_status drain_once(struct draining *d, const char *sql, struct crm_error *err) {
  const struct crm_copy_field field = {.cell = 0, .kind = CRM_COL_TEXT, .type = {.wire = CRM_WIRE_TEXT}};
  struct crm_connection *c = &d->logical->connection;
  struct feeding feeding = {.draining = d};
  PGresult *result;
  d->messages = 0;
  d->n_routes = 0; /* each call tells of its tables anew */
  enum crm_status status = crm_connection_run(c, sql, &result, err);
  if (status == CRM_OK && PQresultStatus(result) != PGRES_COPY_OUT)
    status = crm_error_set(err, CRM_ERR_DATA, "the server does not send changes");
  PQclear(result);
  if (status != CRM_OK)
    return status;
  crm_copy_reader_init(&feeding.reader, &field, 1, c->options->zone, take_message, d);
  status = crm_connection_copy(c, feed, &feeding, NULL, err);
  if (status == CRM_OK)
    status = crm_copy_reader_finish(&feeding.reader, err);
  crm_copy_reader_free(&feeding.reader);
  if (status == CRM_OK && d->in_transaction)
    status = crm_error_set(err, CRM_ERR_DATA, "the output plugin leaves a transaction open");
  return status;
}

enum crm_status crm_logical_drain(struct crm_source *source, size_t database, char *lost, size_t lost_size, struct crm_error *err) {
  struct crm_logical *l = &source->databases[database].logical;
  struct draining d = {.source = source, .database = database, .logical = l};
  struct crm_error reason = {0};
  lost[0] = '\0';
  enum crm_status status = await_flush(l, &reason);
  char *sql = status == CRM_OK ? drain_statement(l) : NULL;
  if (status == CRM_OK && sql == NULL)
    status = out_of_memory(&reason);
  while (status == CRM_OK) {
    status = drain_once(&d, sql, &reason);
    source->bytes_received += d.bytes;
    d.bytes = 0;
    if (d.messages < MESSAGES_PER_CALL)
      break;
  }
  free(sql);
  free(d.routes);
  if (status != CRM_OK) {
    snprintf(lost, lost_size, "changes cannot be decoded: %.*s", (int)lost_size - 32, reason.message);
    return fail(l, status, &reason, err);
  }
  l->fresh = false;
  l->failures = 0;
  l->drained_us = crm_clock_monotonic_us();
  return CRM_OK;
}

/* --- what is pending --- */

enum crm_status crm_logical_tell(const struct crm_logical *l, crm_touched_fn *tell, void *ctx, struct crm_error *err) {
  struct entry entry;
  enum crm_status status = CRM_OK;
  for (size_t at = 0; status == CRM_OK && at < l->pending.len; at += sizeof(entry) + entry.len) {
    memcpy(&entry, l->pending.data + at, sizeof(entry));
    if (crm_snapshot_shows(&l->next, entry.xid))
      status = tell(ctx, (enum crm_relation)entry.relation, entry.what, l->pending.data + at + sizeof(entry), entry.len, err);
  }
  return status;
}

void crm_logical_accept(struct crm_logical *l, const char *mark) {
  struct entry entry;
  size_t kept = 0, len = l->pending.len;
  if (l->state != CRM_LOGICAL_READY || l->next.xmax == 0)
    return;
  for (size_t at = 0; at < len;) {
    memcpy(&entry, l->pending.data + at, sizeof(entry));
    size_t size = sizeof(entry) + entry.len;
    if (!crm_snapshot_shows(&l->next, entry.xid)) {
      memmove(l->pending.data + kept, l->pending.data + at, size);
      kept += size;
    }
    at += size;
  }
  l->pending.len = kept;
  crm_snapshot_free(&l->accepted);
  l->accepted = l->next;
  l->next = (struct crm_snapshot){0};
  snprintf(l->mark, sizeof(l->mark), "%s", strcmp(l->next_mark, mark) == 0 ? mark : "");
}
