/* SPDX-License-Identifier: MIT */
/* Reading what has changed, and nothing else. The order within one refresh is what makes it right: first the signals, then the snapshot,
 * then the polls and the rows in that snapshot. What commits before the signals is in the snapshot; what commits after them differs from
 * them at the next look. */
#include "crm_config.h"

#include "source/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/refresh.h"

static enum crm_status no_memory(struct crm_run *run) {
  return crm_error_set(run->err, CRM_ERR_MEMORY, "out of memory");
}

void crm_run_want_full(struct crm_run *run, const char *fmt, ...) {
  if (run->refresh->full_wanted)
    return;
  run->refresh->full_wanted = true;
  va_list args;
  va_start(args, fmt);
  vsnprintf(run->refresh->reason, sizeof(run->refresh->reason), fmt, args);
  va_end(args);
}

/* The same for a reason that stands already; "" is none. */
static void want_full_for(struct crm_run *run, const char *reason) {
  if (reason[0] != '\0')
    crm_run_want_full(run, "%s", reason);
}

static struct crm_source_database *database_of(const struct crm_run *run, enum crm_relation relation) {
  return &run->source->databases[run->source->database_of[relation]];
}

bool crm_run_reads(const struct crm_run *run, enum crm_relation relation) {
  return run->source->mapping.sql[relation] != NULL && run->source->checks[relation].state == CRM_RELATION_OK;
}

static enum crm_status need_lists(struct crm_run *run, struct crm_task *task) {
  if (task->lists)
    return CRM_OK;
  if (crm_dict_init(&task->keys) != CRM_OK)
    return no_memory(run);
  if (crm_dict_init(&task->accounts) != CRM_OK) {
    crm_dict_free(&task->keys);
    return no_memory(run);
  }
  if (crm_dict_init(&task->days) != CRM_OK) {
    crm_dict_free(&task->keys);
    crm_dict_free(&task->accounts);
    return no_memory(run);
  }
  task->lists = true;
  return CRM_OK;
}

void crm_task_free(struct crm_task *task) {
  if (task->lists) {
    crm_dict_free(&task->keys);
    crm_dict_free(&task->accounts);
    crm_dict_free(&task->days);
  }
  task->lists = false;
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

/* A touched row becomes a task. */
static enum crm_status take_touched(void *ctx, enum crm_relation relation, unsigned what, const char *text, size_t len,
                                    struct crm_error *err) {
  struct crm_run *run = ctx;
  struct crm_task *task = &run->tasks[relation];
  uint32_t number;
  if (!crm_run_reads(run, relation))
    return CRM_OK;
  if (what == CRM_TOUCHED_ALL) {
    task->whole = true;
    return CRM_OK;
  }
  enum crm_status status = need_lists(run, task);
  struct crm_dict *list = what == CRM_TOUCHED_KEY ? &task->keys : what == CRM_TOUCHED_DAY ? &task->days : &task->accounts;
  if (status == CRM_OK && crm_dict_add(list, text, len, &number) != CRM_OK)
    status = crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  return status;
}

/* Looks at a database, and begins its transaction unless nothing was committed. */
static enum crm_status look(struct crm_run *run, size_t index, bool within) {
  struct crm_source *source = run->source;
  struct crm_source_database *database = &source->databases[index];
  struct crm_connection *c = &database->connection;
  database->still = false;
  crm_time before = crm_clock_realtime_us();
  enum crm_status status = crm_source_connect(source, index, run->err);
  if (status == CRM_OK)
    status = crm_lookout_glance(c, &database->lookout, run->err);
  if (status != CRM_OK)
    return status;
  if (strcmp(database->lookout.next.identity, database->lookout.accepted.identity) != 0) {
    crm_run_want_full(run, "the database was restarted, or is another one");
    return CRM_OK;
  }
  char lost[sizeof(run->refresh->reason)] = "";
  status = crm_source_look_at_slot(source, index, lost, sizeof(lost), run->err);
  if (status != CRM_OK || lost[0] != '\0') {
    want_full_for(run, lost);
    return status;
  }
  database->still = crm_lookout_still(&database->lookout);
  bool idle = database->still && !database->lookout.next.replica && !within && !crm_logical_due(&database->logical);
  for (size_t i = 0; i < source->n_order && idle; i++) {
    enum crm_relation relation = source->order[i];
    const struct crm_way *way = &source->ways[relation];
    if (source->database_of[relation] == index && source->checks[relation].state == CRM_RELATION_UNKNOWN)
      idle = false;
    else if (source->database_of[relation] == index && crm_run_reads(run, relation))
      idle = way->gated && (crm_relation_info(relation)->history_column < 0 || source->first_day == source->first_day_next);
  }
  if (idle) {
    database->read_at = before;
    return CRM_OK;
  }
  status = crm_lookout_look(c, &database->lookout, source->options->changes_overlap_us, run->err);
  if (status == CRM_OK)
    status = crm_source_begin_bare(source, index, run->err);
  if (status == CRM_OK)
    status = crm_lookout_take_snapshot(c, &database->lookout, run->err);
  database->refreshed = database->in_transaction;
  if (status == CRM_OK && database->logical.in_use)
    status = crm_source_decode(source, index, take_touched, run, lost, sizeof(lost), run->err);
  want_full_for(run, lost);
  return status;
}

enum change { SAME, WRITTEN, DELETED, ALTERED };

/* What the counters say of a table; the numbers of rows that were inserted and updated. */
static enum change change_of(const struct crm_lookout *lookout, Oid table, int64_t *inserted, int64_t *updated) {
  const struct crm_table_signal *before, *now;
  *inserted = *updated = 0;
  if (!crm_lookout_table(lookout, table, &before, &now))
    return DELETED; /* not known before */
  if (strcmp(before->shape, now->shape) != 0)
    return ALTERED;
  *inserted = now->inserted - before->inserted;
  *updated = now->updated - before->updated;
  if (now->deleted != before->deleted || *inserted < 0 || *updated < 0 || strcmp(before->file, now->file) != 0 ||
      strcmp(lookout->accepted.reset, lookout->next.reset) != 0)
    return DELETED;
  return *inserted + *updated > 0 ? WRITTEN : SAME;
}

/* Whether the table's file is another one: what a TRUNCATE of a partition does that is published by its root, and comes with no message. */
static bool was_rewritten(const struct crm_lookout *lookout, Oid table) {
  const struct crm_table_signal *before, *now;
  return crm_lookout_table(lookout, table, &before, &now) && strcmp(before->file, now->file) != 0;
}

static struct crm_watch *watch_of(struct crm_way *way, Oid table) {
  for (size_t i = 0; i < way->n_watches; i++)
    if (way->watches[i].table == table)
      return &way->watches[i];
  return NULL;
}

/* What the signals alone say of a relation. */
static void judge(struct crm_run *run, enum crm_relation relation) {
  struct crm_source *source = run->source;
  struct crm_way *way = &source->ways[relation];
  struct crm_source_database *database = database_of(run, relation);
  struct crm_task *task = &run->tasks[relation];
  if (!way->gated || (crm_relation_info(relation)->history_column >= 0 && source->first_day != source->first_day_next))
    task->whole = true;
  bool decoded = way->following.mode == CRM_CHANGES_LOGICAL;
  if (!way->counted && !decoded) {
    task->whole |= way->following.mode != CRM_CHANGES_POLL && !database->still;
    return;
  }
  for (size_t i = 0; i < way->n_tables; i++) {
    int64_t inserted, updated;
    enum change change = change_of(&database->lookout, way->tables[i], &inserted, &updated);
    if (change == ALTERED)
      crm_run_want_full(run, "a table that relation %s reads was altered", crm_relation_info(relation)->name);
    bool polled = change == WRITTEN && watch_of(way, way->tables[i]) != NULL;
    task->whole |= decoded ? was_rewritten(&database->lookout, way->tables[i]) : change != SAME && !polled;
  }
}

/* --- polls -------------------------------------------------------------------------------------------------------- */

/* The rows of one poll: remembers what was seen, and counts the row versions that were not seen before. */
static enum crm_status see_poll(struct crm_watch *watch, const PGresult *result, int64_t *fresh, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  crm_seen_free(watch->seen_next);
  watch->seen_next = crm_seen_new();
  watch->balance_next = 0;
  *fresh = 0;
  if (watch->seen_next == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  for (int i = 0; status == CRM_OK && i < PQntuples(result); i++) {
    const char *key = PQgetvalue(result, i, 0), *stamp = PQgetvalue(result, i, 1);
    int64_t count = strtoll(PQgetvalue(result, i, 2), NULL, 10), before = crm_seen_count(watch->seen, key, stamp);
    status = crm_seen_add(watch->seen_next, key, stamp, count);
    *fresh += count > before ? count - before : 0;
  }
  return status == CRM_OK ? CRM_OK : crm_error_set(err, status, "out of memory");
}

/* Do the counters bear out what the poll found? If not, the relation is read whole. True if all that was found are new rows, none of which
 * can have stood under another account or day before. */
static bool compare(struct crm_run *run, enum crm_relation relation, struct crm_watch *watch, int64_t fresh) {
  struct crm_source *source = run->source;
  struct crm_way *way = &source->ways[relation];
  int64_t inserted, updated;
  (void)change_of(&database_of(run, relation)->lookout, watch->table, &inserted, &updated);
  watch->balance_next = 0;
  if (!way->counted)
    return watch->inserts_only;
  /* Counters may come later than rows, but never less of them: what a poll saw was written once at least. */
  watch->balance_next = watch->balance + fresh - inserted - updated;
  bool are_new = watch->inserts_only || (watch->balance_next == 0 && updated == 0);
  bool trusted = crm_source_changes(source, relation) == CRM_CHANGES_POLL && !watch->inserts_only;
  if (!trusted && (watch->balance_next < 0 || (updated > 0 && (!watch->stable_key || watch->inserts_only))))
    run->tasks[relation].whole = true;
  if (watch->balance_next < 0)
    watch->balance_next = 0;
  return are_new;
}

/* Adds the row of a poll to the lists of its relation: its key, its day or its account. */
static enum crm_status list_row(struct crm_run *run, enum crm_relation relation, const struct crm_watch *watch, const char *key,
                                const char *day) {
  struct crm_task *task = &run->tasks[relation];
  struct crm_dict *list = watch->by_key ? &task->keys : &task->accounts;
  char text[CRM_TOUCHED_DAY_LEN + 1 + 256];
  uint32_t number;
  enum crm_status status = need_lists(run, task);
  if (status != CRM_OK)
    return status;
  /* No day is NULL, infinity, or one before Christ. */
  if (day != NULL && strlen(day) == CRM_TOUCHED_DAY_LEN && (size_t)snprintf(text, sizeof(text), "%s %s", day, key) < sizeof(text)) {
    list = &task->days;
    key = text;
  }
  return crm_dict_add(list, key, strlen(key), &number) == CRM_OK ? CRM_OK : no_memory(run);
}

/* Turns what a poll found and was not seen before into tasks. */
static enum crm_status take_poll(struct crm_run *run, enum crm_relation relation, const struct crm_watch *watch, const PGresult *result,
                                 bool are_new) {
  struct crm_task *task = &run->tasks[relation];
  enum crm_status status = CRM_OK;
  for (int i = 0; status == CRM_OK && i < PQntuples(result) && !task->whole; i++) {
    const char *key = PQgetvalue(result, i, 0), *stamp = PQgetvalue(result, i, 1);
    if (crm_seen_count(watch->seen, key, stamp) >= strtoll(PQgetvalue(result, i, 2), NULL, 10))
      continue;
    if (key[0] == '\0') /* of no account now, but perhaps of one before */
      task->whole = true;
    else if (watch->by_key || crm_shard_needs_all(relation) || crm_shard_holds(run->source->options->shard, key, strlen(key)))
      status = list_row(run, relation, watch, key, watch->by_day && are_new ? PQgetvalue(result, i, 3) : NULL);
  }
  return status;
}

/* Sends the polls of all relations of the database that are wanted, in one go. Without a run: to remember what they see only. */
static enum crm_status poll_database(struct crm_source *source, size_t index, struct crm_run *run, crm_time bound, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  enum { MOST = CRM_RELATIONS * CRM_WATCHES_MAX };
  struct crm_statement statements[MOST];
  PGresult *results[MOST];
  struct crm_watch *watches[MOST];
  enum crm_relation relations[MOST];
  size_t n = 0, failed = 0;
  char since[64];
  crm_time_format(bound, since); /* whole seconds, cut off: earlier */
  const char *params[] = {since};
  for (size_t i = 0; i < source->n_order; i++) {
    struct crm_way *way = &source->ways[source->order[i]];
    if (source->database_of[source->order[i]] != index || source->checks[source->order[i]].state != CRM_RELATION_OK)
      continue;
    for (size_t w = 0; w < way->n_watches; w++) {
      statements[n] = (struct crm_statement){.sql = way->watches[w].poll, .n_params = 1, .params = params, .prepare = true};
      relations[n] = source->order[i];
      watches[n++] = &way->watches[w];
    }
  }
  if (n == 0)
    return CRM_OK;
  enum crm_status status = crm_connection_pipeline(&database->connection, statements, n, results, &failed, err);
  if (status == CRM_ERR_SQL && run != NULL && !crm_sqlstate_passing(err->sqlstate)) {
    crm_run_want_full(run, "asking for changes of relation %s was refused", crm_relation_info(relations[failed])->name);
    crm_error_clear(err);
    return CRM_OK;
  }
  if (status != CRM_OK)
    return status;
  for (size_t i = 0; i < n; i++) {
    int64_t fresh = 0;
    if (status == CRM_OK)
      status = see_poll(watches[i], results[i], &fresh, err);
    if (status == CRM_OK && run != NULL)
      status = take_poll(run, relations[i], watches[i], results[i], compare(run, relations[i], watches[i], fresh));
    PQclear(results[i]);
  }
  return status;
}

enum crm_status crm_source_prime(struct crm_source *source, size_t index, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  enum crm_status status = crm_lookout_take_snapshot(&database->connection, &database->lookout, err);
  if (status == CRM_OK && database->logical.in_use)
    status = crm_logical_look(&database->connection, &database->logical, true, err);
  return status == CRM_OK ? poll_database(source, index, NULL, database->lookout.next.bound, err) : status;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* Relations that did not fit may do so again; and where a refresh failed while it looked at one, nothing is known of it any more. */
static enum crm_status try_others(struct crm_run *run, size_t index) {
  struct crm_source *source = run->source;
  for (size_t i = 0; i < source->n_order; i++) {
    enum crm_relation relation = source->order[i];
    bool held = crm_picture_facts(run->picture)->available[relation];
    if (source->database_of[relation] != index || source->checks[relation].state == CRM_RELATION_OK)
      continue;
    enum crm_status status = crm_source_check_relation(source, relation, run->err);
    if (status != CRM_OK)
      return status;
    bool fits = source->checks[relation].state == CRM_RELATION_OK;
    if (fits != held)
      crm_run_want_full(run, fits ? "relation %s fits again" : "relation %s does not fit any more", crm_relation_info(relation)->name);
  }
  return CRM_OK;
}

static enum crm_status find_changes(struct crm_run *run, bool within) {
  struct crm_source *source = run->source;
  for (size_t d = 0; d < source->options->n_databases; d++) {
    if (!crm_source_uses(source, d))
      continue;
    struct crm_source_database *database = &source->databases[d];
    enum crm_status status = look(run, d, within);
    if (status == CRM_OK && !run->refresh->full_wanted && database->in_transaction)
      status = try_others(run, d);
    if (status != CRM_OK || run->refresh->full_wanted)
      return status;
    for (int r = 0; r < CRM_RELATIONS; r++)
      if (source->database_of[r] == d && crm_run_reads(run, (enum crm_relation)r) && database->in_transaction)
        judge(run, (enum crm_relation)r);
    if (database->in_transaction && !run->refresh->full_wanted)
      status = poll_database(source, d, run, database->lookout.accepted.bound, run->err);
    if (status != CRM_OK || run->refresh->full_wanted)
      return status;
  }
  return CRM_OK;
}

/* Turns what the patch wants besides into tasks. */
static enum crm_status take_wants(struct crm_run *run, bool *any) {
  const struct crm_patch_want *wants;
  size_t n = crm_patch_wanted(run->patch, &wants);
  *any = n > 0;
  for (size_t i = 0; i < n; i++) {
    struct crm_task *task = &run->tasks[wants[i].relation];
    uint32_t number;
    enum crm_status status = need_lists(run, task);
    if (status == CRM_OK && crm_dict_add(&task->accounts, wants[i].account_id, wants[i].len, &number) != CRM_OK)
      status = no_memory(run);
    if (status == CRM_OK && !crm_run_reads(run, wants[i].relation))
      crm_run_want_full(run, "relation %s is needed but cannot be read", crm_relation_info(wants[i].relation)->name);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static bool has_task(const struct crm_run *run, size_t index) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (run->source->database_of[r] == index && (run->tasks[r].whole || run->tasks[r].lists))
      return true;
  return false;
}

static enum crm_status read_changes(struct crm_run *run) {
  struct crm_source *source = run->source;
  for (bool any = true; any;) {
    for (size_t d = 0; d < source->options->n_databases; d++) {
      if (!crm_source_uses(source, d) || !has_task(run, d))
        continue;
      /* A database in which nothing was committed has no transaction yet; whatever its snapshot is, it is the same for what is followed, or
       * is found at the next look. */
      enum crm_status status = source->databases[d].in_transaction ? CRM_OK : crm_source_begin_bare(source, d, run->err);
      if (status == CRM_OK)
        status = crm_run_read(run, d);
      if (status != CRM_OK || run->refresh->full_wanted)
        return status;
    }
    enum crm_status status = crm_patch_prepare(run->patch, run->err);
    if (status == CRM_OK)
      status = take_wants(run, &any);
    if (status != CRM_OK || run->refresh->full_wanted)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_source_refresh_picture(struct crm_source *source, struct crm_picture *picture, struct crm_refresh *refresh, bool within,
                                           struct crm_error *err) {
  struct crm_run run = {.source = source, .picture = picture, .refresh = refresh, .within = within, .err = err};
  *refresh = (struct crm_refresh){0};
  if (!source->followed) {
    crm_run_want_full(&run, "there was no full read yet");
    return CRM_OK;
  }
  int64_t start_us = crm_clock_monotonic_us();
  enum crm_status status = crm_patch_new(picture, &run.patch, err);
  if (status == CRM_OK)
    status = find_changes(&run, within);
  source->phase_us[CRM_PHASE_CHECK] = crm_clock_monotonic_us() - start_us - source->phase_us[CRM_PHASE_CONNECT];
  start_us = crm_clock_monotonic_us();
  if (status == CRM_OK && !refresh->full_wanted) {
    for (int r = 0; r < CRM_RELATIONS; r++)
      if (crm_run_reads(&run, (enum crm_relation)r))
        crm_patch_read_at(run.patch, (enum crm_relation)r, database_of(&run, (enum crm_relation)r)->read_at);
    status = read_changes(&run);
  }
  if (status == CRM_ERR_LIMIT) { /* the patch and the picture together; a picture alone may fit */
    crm_run_want_full(&run, "what has changed does not fit into MaxMemory beside the picture");
    crm_error_clear(err);
    status = CRM_OK;
  }
  for (size_t d = 0; d < source->options->n_databases && !within; d++) {
    struct crm_source_database *database = &source->databases[d];
    if (status != CRM_OK || refresh->full_wanted || !database->in_transaction)
      continue;
    database->in_transaction = false;
    status = crm_session_commit(&database->connection, err);
  }
  if (!within || status != CRM_OK || refresh->full_wanted)
    crm_source_end(source);
  source->phase_us[CRM_PHASE_READ] = crm_clock_monotonic_us() - start_us;
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_task_free(&run.tasks[r]);
  if (status == CRM_OK && !refresh->full_wanted)
    refresh->patch = run.patch;
  else
    crm_patch_free(run.patch);
  if (refresh->full_wanted)
    source->followed = false;
  return status;
}
