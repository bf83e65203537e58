/* SPDX-License-Identifier: MIT */
/* The rows of a refresh: lists of keys and accounts, and whole relations, into the patch. */
#include "crm_config.h"

#include "source/refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"

/* Rows by key or account are read until that would take this share of the time of reading the whole relation. Both times are measured: that
 * of the whole relation at its last reading, that of lists per unit of the planner's cost, since its estimates of lookups are dear by
 * default. Before the first list a lookup is taken for as much cheaper than estimated, as is usual for tables in memory. */
#define WHOLE_FROM 0.7
#define LOOKUPS_CHEAPER 8.0
#define LIST_MAX ((size_t)64 << 20)

/* A patch holds rows as they came, some 240 bytes each where a picture takes about 35. So relations that are to be read whole and would
 * take more than a second picture are not patched: everything is read anew, which takes no more than that. */
#define PATCH_ROW_BYTES 240
#define PATCH_BYTES_LEAST ((uint64_t)64 << 20)

static enum crm_status no_memory(struct crm_run *run) {
  return crm_error_set(run->err, CRM_ERR_MEMORY, "out of memory");
}

struct taking {
  struct crm_run *run;
  enum crm_relation relation;
  struct crm_dict *found; /* keys that came, or NULL */
};

static enum crm_status take_row(void *ctx, const struct crm_row *row, struct crm_error *err) {
  const struct taking *t = ctx;
  if (t->found != NULL) {
    const struct crm_cell_value *key = &row->cells[crm_relation_key(t->relation)];
    uint32_t number;
    if (key->set && crm_dict_add(t->found, key->text, key->len, &number) != CRM_OK)
      return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  return crm_patch_row(t->run->patch, t->relation, row, err);
}

static enum crm_status read_whole(struct crm_run *run, enum crm_relation relation) {
  struct crm_source *source = run->source;
  enum crm_status status = crm_source_check_relation(source, relation, run->err);
  if (status == CRM_OK && source->checks[relation].state == CRM_RELATION_OK)
    status = crm_patch_replace_all(run->patch, relation, run->err);
  struct taking t = {.run = run, .relation = relation};
  if (status == CRM_OK && source->checks[relation].state == CRM_RELATION_OK)
    status = crm_source_copy(source, relation, take_row, &t, run->err);
  if (status == CRM_OK && source->checks[relation].state != CRM_RELATION_OK)
    crm_run_want_full(run, "relation %s does not fit any more", crm_relation_info(relation)->name);
  run->refresh->whole[relation] = true;
  return status;
}

static bool put32(struct crm_strbuf *buf, uint32_t v) {
  const char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
  crm_strbuf_add(buf, bytes, 4);
  return crm_strbuf_ok(buf);
}

/* Values in binary are the same in a result as in a copy, so the copy reader decodes them: only the frame is put around. */
static enum crm_status decode(struct crm_run *run, enum crm_relation relation, const PGresult *result, struct crm_dict *found) {
  struct crm_source *source = run->source;
  struct taking t = {.run = run, .relation = relation, .found = found};
  int n = PQnfields(result);
  for (int i = 0; i < n; i++)
    if ((size_t)n != source->n_fields[relation] || PQftype(result, i) != source->ways[relation].types[i]) {
      crm_run_want_full(run, "columns of relation %s were altered", crm_relation_info(relation)->name);
      return CRM_OK;
    }
  struct crm_copy_reader reader;
  crm_copy_reader_init(&reader, source->fields[relation], source->n_fields[relation], source->options->zone, take_row, &t);
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, (size_t)1 << 30);
  crm_strbuf_add(&buf, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  enum crm_status status = CRM_OK;
  for (int row = 0; status == CRM_OK && row < PQntuples(result); row++) {
    const char count[2] = {(char)(n >> 8), (char)n};
    crm_strbuf_add(&buf, count, 2);
    for (int i = 0; i < n; i++) {
      bool null = PQgetisnull(result, row, i) != 0;
      (void)put32(&buf, null ? UINT32_MAX : (uint32_t)PQgetlength(result, row, i));
      if (!null)
        crm_strbuf_add(&buf, PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
    }
    source->rows_received++;
    source->bytes_received += buf.len;
    status = crm_strbuf_ok(&buf) ? crm_copy_reader_feed(&reader, buf.data, buf.len, run->err) : no_memory(run);
    crm_strbuf_reset(&buf);
  }
  crm_strbuf_free(&buf);
  crm_copy_reader_free(&reader);
  return status;
}

/* The rows of one list. Days come first: where the account's span is read too, that is what counts in the end. */
enum by { BY_DAY, BY_ACCOUNT, BY_KEY, WAYS };
struct question {
  enum crm_relation relation;
  enum by by;
  const struct crm_dict *list;
  char *sql, *array, *days;
};

static const struct crm_dict *list_of(const struct crm_task *task, enum by by) {
  return by == BY_DAY ? &task->days : by == BY_ACCOUNT ? &task->accounts : &task->keys;
}

static void free_question(struct question *q) {
  free(q->sql);
  free(q->array);
  free(q->days);
}

static bool make_question(struct crm_run *run, struct question *q) {
  const struct crm_way *way = &run->source->ways[q->relation];
  struct crm_selection selection = crm_source_selection(run->source, q->relation);
  char cast[192];
  snprintf(cast, sizeof(cast), "$1::%s[]", q->by == BY_KEY ? way->key_type : way->account_type);
  if (q->by == BY_DAY)
    q->sql = crm_statement_days(&selection, cast, "$2::date[]");
  else
    q->sql = crm_statement_some(
        &selection, crm_relation_info(q->relation)->columns[q->by == BY_KEY ? crm_relation_key(q->relation) : 0].name, cast);
  struct crm_strbuf array, days;
  crm_strbuf_init(&array, LIST_MAX);
  crm_strbuf_init(&days, LIST_MAX);
  for (uint32_t i = 1; i < q->list->count; i++) {
    const char *text = crm_dict_text(q->list, i);
    size_t before = q->by == BY_DAY ? CRM_TOUCHED_DAY_LEN + 1 : 0;
    crm_statement_add_item(&array, text + before, crm_dict_len(q->list, i) - before);
    if (q->by == BY_DAY)
      crm_statement_add_item(&days, text, CRM_TOUCHED_DAY_LEN);
  }
  q->array = crm_strbuf_take(&array);
  q->days = crm_strbuf_take(&days);
  crm_strbuf_free(&array);
  crm_strbuf_free(&days);
  return q->sql != NULL && q->array != NULL && q->days != NULL;
}

/* Of "2026-11-29 ACCOUNT". */
static crm_day day_of_item(const char *text) {
  int year, month, day;
  return sscanf(text, "%4d-%2d-%2d", &year, &month, &day) == 3 ? crm_day_from_civil(year, month, day) : CRM_DAY_NONE;
}

/* The spans that the question reads anew. */
static enum crm_status announce(struct crm_run *run, const struct question *q) {
  enum crm_status status = CRM_OK;
  for (uint32_t i = 1; i < q->list->count && status == CRM_OK; i++) {
    const char *text = crm_dict_text(q->list, i);
    size_t len = crm_dict_len(q->list, i), before = CRM_TOUCHED_DAY_LEN + 1;
    if (q->by == BY_DAY)
      status = crm_patch_replace_day(run->patch, q->relation, text + before, len - before, day_of_item(text), run->err);
    else
      status = crm_patch_replace(run->patch, q->relation, text, len, run->err);
  }
  return status;
}

/* Keys that did not come back are not there any more. */
static enum crm_status delete_missing(struct crm_run *run, const struct question *q, const struct crm_dict *found) {
  for (uint32_t i = 1; i < q->list->count; i++) {
    const char *key = crm_dict_text(q->list, i);
    size_t len = crm_dict_len(q->list, i);
    if (crm_dict_find(found, key, len) != CRM_DICT_NONE)
      continue;
    enum crm_status status = crm_patch_delete(run->patch, q->relation, key, len, run->err);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static enum crm_status take_answer(struct crm_run *run, struct question *q, const PGresult *result) {
  if (q->by != BY_KEY) {
    enum crm_status status = announce(run, q);
    return status == CRM_OK ? decode(run, q->relation, result, NULL) : status;
  }
  struct crm_dict found;
  if (crm_dict_init(&found) != CRM_OK)
    return no_memory(run);
  enum crm_status status = decode(run, q->relation, result, &found);
  if (status == CRM_OK && !run->refresh->full_wanted)
    status = delete_missing(run, q, &found);
  crm_dict_free(&found);
  return status;
}

/* Where single days of accounts come to more than all of their days, the accounts are read. */
static enum crm_status settle_days(struct crm_run *run, enum crm_relation relation) {
  const struct crm_way *way = &run->source->ways[relation];
  struct crm_task *task = &run->tasks[relation];
  struct crm_dict accounts;
  const size_t before = CRM_TOUCHED_DAY_LEN + 1;
  uint32_t number;
  if (!task->lists || task->days.count < 2)
    return CRM_OK;
  if (crm_dict_init(&accounts) != CRM_OK)
    return no_memory(run);
  enum crm_status status = CRM_OK;
  for (uint32_t i = 1; i < task->days.count && status == CRM_OK; i++)
    status = crm_dict_add(&accounts, crm_dict_text(&task->days, i) + before, crm_dict_len(&task->days, i) - before, &number);
  bool much = (task->days.count - 1) * way->cost_day > (accounts.count - 1) * way->cost_account;
  for (uint32_t i = 1; i < accounts.count && status == CRM_OK && much; i++)
    status = crm_dict_add(&task->accounts, crm_dict_text(&accounts, i), crm_dict_len(&accounts, i), &number);
  crm_dict_free(&accounts);
  if (much) {
    crm_dict_free(&task->days);
    if (status == CRM_OK)
      status = crm_dict_init(&task->days);
  }
  return status == CRM_OK ? CRM_OK : no_memory(run);
}

/* What the lists of the relation cost, in the planner's units. */
static double cost_of_lists(const struct crm_run *run, enum crm_relation relation) {
  const struct crm_way *way = &run->source->ways[relation];
  const struct crm_task *task = &run->tasks[relation];
  if (!task->lists)
    return 0;
  return (task->keys.count - 1) * way->cost_key + (task->accounts.count - 1) * way->cost_account + (task->days.count - 1) * way->cost_day;
}

/* Microseconds for a unit of the planner's cost when the relation is read whole. */
static double whole_rate(const struct crm_source *source, enum crm_relation relation) {
  return source->us_all[relation] / source->ways[relation].cost_all;
}

/* Would it be quicker to read the relation whole? */
static bool is_much(const struct crm_run *run, enum crm_relation relation) {
  const struct crm_source *source = run->source;
  double rate = whole_rate(source, relation) / LOOKUPS_CHEAPER;
  if (source->us_per_cost > 0)
    rate = source->us_per_cost;
  return cost_of_lists(run, relation) * rate > WHOLE_FROM * source->us_all[relation] && source->us_all[relation] > 5000;
}

/* Learns from the time that lists took. One that had to wait must not spoil it for good: it is forgotten by and by, and bounded. */
static void learn_rate(struct crm_run *run, double us, double cost) {
  struct crm_source *source = run->source;
  if (cost < 100)
    return;
  double all_us = 0, all_cost = 0;
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (crm_run_reads(run, (enum crm_relation)r)) {
      all_us += source->us_all[r];
      all_cost += source->ways[r].cost_all;
    }
  double most = all_cost > 0 ? all_us / all_cost : us / cost;
  double rate = us / cost < most ? us / cost : most;
  source->us_per_cost = source->us_per_cost > 0 ? 0.75 * source->us_per_cost + 0.25 * rate : rate;
}

/* Would the relations that are to be read whole take more memory than a full read? */
static bool is_too_much(const struct crm_run *run) {
  const struct crm_facts *facts = crm_picture_facts(run->picture);
  uint64_t rows = 0;
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (run->tasks[r].whole || run->refresh->whole[r])
      rows += facts->rows[r];
  uint64_t bytes = rows * PATCH_ROW_BYTES;
  return bytes > PATCH_BYTES_LEAST && bytes > crm_picture_bytes(run->picture);
}

/* The same statements come in every interval, and each item of a list is looked up by itself: their plan does not depend on what is looked
 * up, but making it takes the server longer than the lookups of some accounts. Servers that do not know the setting (before PostgreSQL 12)
 * decide for themselves. */
static const char keep_plans[] = "SELECT CASE WHEN pg_catalog.current_setting('plan_cache_mode', true) IS NOT NULL"
                                 " THEN pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true) END";

/* Asks all questions at once. results[i] is of questions[i]. */
static enum crm_status ask(struct crm_run *run, size_t database, const struct question *questions, size_t n, PGresult **results) {
  struct crm_statement statements[1 + WAYS * CRM_RELATIONS] = {{.sql = keep_plans, .prepare = true}};
  PGresult *all[1 + WAYS * CRM_RELATIONS];
  const char *params[WAYS * CRM_RELATIONS][2];
  size_t failed = 0;
  for (size_t i = 0; i < n; i++) {
    params[i][0] = questions[i].array;
    params[i][1] = questions[i].days;
    statements[1 + i] = (struct crm_statement){
        .sql = questions[i].sql, .n_params = questions[i].by == BY_DAY ? 2 : 1, .params = params[i], .binary = true, .prepare = true};
  }
  enum crm_status status = crm_connection_pipeline(&run->source->databases[database].connection, statements, 1 + n, all, &failed, run->err);
  if (status == CRM_ERR_SQL && failed > 0 && !crm_sqlstate_passing(run->err->sqlstate)) {
    crm_run_want_full(run, "reading rows of relation %s was refused", crm_relation_info(questions[failed - 1].relation)->name);
    crm_error_clear(run->err);
    return CRM_OK;
  }
  if (status != CRM_OK)
    return status;
  PQclear(all[0]);
  memcpy(results, all + 1, n * sizeof(*results));
  return CRM_OK;
}

enum crm_status crm_run_read(struct crm_run *run, size_t index) {
  struct crm_source *source = run->source;
  struct question questions[WAYS * CRM_RELATIONS];
  PGresult *results[WAYS * CRM_RELATIONS];
  size_t n = 0;
  double cost = 0;
  enum crm_status status = CRM_OK;
  for (int r = 0; r < CRM_RELATIONS && status == CRM_OK; r++) {
    struct crm_task *task = &run->tasks[r];
    if (source->database_of[r] != index || !crm_run_reads(run, (enum crm_relation)r))
      continue;
    if (task->lists && task->keys.count > 1 && !crm_picture_keyed(run->picture, (enum crm_relation)r))
      task->whole = true;
    status = settle_days(run, (enum crm_relation)r);
    task->whole |= is_much(run, (enum crm_relation)r);
    task->whole &= !run->given[r];
    run->given[r] |= task->whole || task->lists;
    cost += task->whole ? 0 : cost_of_lists(run, (enum crm_relation)r);
    for (int by = 0; by < WAYS && !task->whole && task->lists; by++) {
      struct question q = {.relation = (enum crm_relation)r, .by = (enum by)by, .list = list_of(task, (enum by)by)};
      if (q.list->count < 2)
        continue;
      questions[n] = q;
      if (status == CRM_OK && !make_question(run, &questions[n]))
        status = no_memory(run);
      n++;
    }
  }
  if (status == CRM_OK && !run->within && is_too_much(run)) {
    run->refresh->routine = !run->refresh->full_wanted;
    crm_run_want_full(run, "most of it has changed");
  }
  if (status == CRM_OK && n > 0 && !run->refresh->full_wanted) {
    int64_t start_us = crm_clock_monotonic_us();
    status = ask(run, index, questions, n, results);
    if (status == CRM_OK && !run->refresh->full_wanted) {
      learn_rate(run, (double)(crm_clock_monotonic_us() - start_us), cost);
      for (size_t i = 0; i < n; i++) {
        if (status == CRM_OK && !run->refresh->full_wanted)
          status = take_answer(run, &questions[i], results[i]);
        PQclear(results[i]);
      }
    }
  }
  for (size_t i = 0; i < n; i++)
    free_question(&questions[i]);
  for (int r = 0; r < CRM_RELATIONS && status == CRM_OK && !run->refresh->full_wanted; r++)
    if (source->database_of[r] == index && run->tasks[r].whole && crm_run_reads(run, (enum crm_relation)r))
      status = read_whole(run, (enum crm_relation)r);
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (source->database_of[r] == index) {
      run->tasks[r].whole = false;
      crm_task_free(&run->tasks[r]);
    }
  return status;
}
