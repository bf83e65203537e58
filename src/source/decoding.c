/* SPDX-License-Identifier: MIT */
/* Following by logical decoding. How a changed row of a table is traced to what it changes: by the statements of the mapping for changes,
 * or its own, of which the server tells whose column the key or the account's id is. And what a probe and a refresh do with the slot. */
#include "crm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "facts/dict.h"
#include "source/internal.h"

/* A slot is there once all transactions have ended that were running when it was asked for. Those of an application mostly take less. */
#define SLOT_WAIT_US CRM_US_PER_SECOND
/* The column of a statement for changes that its account or key is looked up by. */
#define CRM_VIA "via"
#define LIST_MAX ((size_t)128 << 20)
/* The type character(n). */
#define TYPE_BPCHAR 1042

static bool is_plain(struct crm_result_column column) {
  return column.table != 0 && column.attribute > 0;
}

/* Adds what the statement tells: its key or account, if that is a plain column of a table, or "via", by which it can be looked up with a
 * statement for changes, whose number is `number` (from 1). A statement that the server refuses tells nothing; why is said where it is
 * polled. */
static enum crm_status add_teller(struct crm_source *source, enum crm_relation relation, const char *sql, int number,
                                  struct crm_teller *tellers, size_t *n, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[source->database_of[relation]];
  const char *key = crm_relation_key_name(relation);
  PGresult *result;
  enum crm_status status = crm_source_describe(&database->connection, sql, &result, err);
  if (status == CRM_OK) {
    struct crm_result_column keyed = {0}, column = crm_result_column(result, "account_id");
    if (key != NULL)
      keyed = crm_result_column(result, key);
    bool by_key = is_plain(keyed);
    if (by_key)
      column = keyed;
    struct crm_result_column via = crm_result_column(result, CRM_VIA);
    bool looked_up = number > 0 && via.found && (crm_result_column(result, "account_id").found || keyed.found);
    if (looked_up)
      column = via;
    /* What the statement says, it says of the table whose stamp it gives. */
    struct crm_result_column stamp = crm_result_column(result, "changed_at");
    if (!stamp.found)
      stamp = crm_result_column(result, "inserted_at");
    struct crm_result_column day = crm_result_column(result, "day");
    bool by_day = number > 0 && !by_key && !looked_up && crm_relation_day(relation) >= 0 && crm_is_day_of(day, column.table);
    if (is_plain(column) && (!is_plain(stamp) || stamp.table == column.table))
      tellers[(*n)++] = (struct crm_teller){.table = column.table,
                                            .attribute = column.attribute,
                                            .by_key = keyed.found && (by_key || looked_up),
                                            .padded = column.type == TYPE_BPCHAR,
                                            .looked_up = looked_up ? number : 0,
                                            .day = by_day ? day.attribute : 0};
  } else if (status == CRM_ERR_SQL && !crm_sqlstate_passing(err->sqlstate)) {
    crm_error_clear(err);
    status = crm_source_rollback(database, err);
  }
  PQclear(result);
  return status;
}

enum crm_status crm_source_track(struct crm_source *source, enum crm_relation relation, struct crm_cover *cover, struct crm_error *err) {
  const struct crm_mapping *mapping = &source->mapping;
  struct crm_way *way = &source->ways[relation];
  struct crm_teller tellers[CRM_CHANGES_MAX + 1];
  size_t n = 0;
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < mapping->n_changes[relation] && status == CRM_OK; i++)
    status = add_teller(source, relation, mapping->changes[relation][i], (int)i + 1, tellers, &n, err);
  if (mapping->n_changes[relation] == 0)
    status = add_teller(source, relation, mapping->sql[relation], 0, tellers, &n, err);
  if (status == CRM_OK)
    status = crm_publication_cover(&source->databases[source->database_of[relation]].connection, way->tables, way->n_tables, tellers, n,
                                   way->tracks, CRM_TRACKS_MAX, cover, err);
  way->n_tracks = status == CRM_OK ? cover->n_tracks : 0;
  return status;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len) {
  const unsigned char *p = bytes;
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
  return hash;
}

uint64_t crm_source_tracks_signature(const struct crm_source *source, size_t database) {
  uint64_t hash = 0;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_way *way = &source->ways[r];
    if (source->database_of[r] != database || way->following.mode != CRM_CHANGES_LOGICAL)
      continue;
    hash = mix(hash == 0 ? UINT64_C(14695981039346656037) : hash, &r, sizeof(r));
    for (size_t t = 0; t < way->n_tracks; t++) {
      const struct crm_track *track = &way->tracks[t];
      hash = mix(hash, &track->table, sizeof(track->table));
      hash = mix(hash, track->column, strlen(track->column) + 1);
      hash = mix(hash, &track->by_key, sizeof(track->by_key));
      hash = mix(hash, &track->padded, sizeof(track->padded));
      hash = mix(hash, &track->looked_up, sizeof(track->looked_up));
      hash = mix(hash, track->day, strlen(track->day) + 1);
    }
  }
  return hash;
}

/* --- the slot --- */

struct crm_following_database crm_source_following_database(const struct crm_source *source, size_t index) {
  const struct crm_publication *p = &source->databases[index].publication;
  return (struct crm_following_database){
      .why = p->why, .remedy = p->remedy, .possible = p->usable, .used = crm_source_tracks_signature(source, index) != 0};
}

bool crm_source_asks_for_logical(const struct crm_source *source, size_t index) {
  bool asks = false;
  for (size_t i = 0; i < source->n_order; i++) {
    enum crm_changes want = crm_source_changes(source, source->order[i]);
    asks |= source->database_of[source->order[i]] == index && (want == CRM_CHANGES_AUTO || want == CRM_CHANGES_LOGICAL);
  }
  return asks && source->options->publication != NULL && source->options->publication[0] != '\0';
}

enum crm_status crm_source_have_slot(struct crm_source *source, size_t index, bool *again, struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  struct crm_logical *logical = &database->logical;
  uint64_t signature = crm_source_tracks_signature(source, index);
  *again = false;
  logical->in_use = signature != 0;
  logical->wanted = false;
  if (signature == 0 || (signature != logical->signature && !logical->fresh))
    crm_logical_close(logical);
  logical->signature = signature;
  if (signature == 0 || crm_logical_alive(logical))
    return CRM_OK;
  enum crm_status status = crm_logical_start(logical, SLOT_WAIT_US, err);
  if (status != CRM_OK || crm_logical_alive(logical))
    return status;
  database->publication.usable = false;
  snprintf(database->publication.why, sizeof(database->publication.why), "%s", logical->trouble);
  crm_log(&source->log, CRM_LOG_NOTICE, "instance %s: no logical decoding for now: %s", source->options->instance, logical->trouble);
  logical->in_use = false;
  logical->wanted = true;
  *again = true;
  return CRM_OK;
}

enum crm_status crm_source_look_at_slot(struct crm_source *source, size_t index, char *lost, size_t lost_size, struct crm_error *err) {
  struct crm_logical *logical = &source->databases[index].logical;
  enum crm_status status = CRM_OK;
  crm_snapshot_free(&logical->next);
  if (logical->in_use && (!crm_logical_alive(logical) || logical->accepted.xmax == 0))
    snprintf(lost, lost_size, "the slot from which changes are decoded is gone");
  else if (logical->wanted) {
    status = crm_logical_start(logical, 0, err);
    if (status == CRM_OK && crm_logical_alive(logical))
      snprintf(lost, lost_size, "changes can be decoded from now on");
  }
  return status;
}

/* --- what is looked up --- */

/* Values to be looked up, by relation and statement. */
struct looking {
  struct crm_source *source;
  struct crm_dict *values[CRM_RELATIONS][CRM_CHANGES_MAX];
  crm_touched_fn *tell;
  void *ctx;
};

static enum crm_status out_of_memory(struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

static enum crm_status add_value(struct crm_dict **values, const char *text, size_t len, struct crm_error *err) {
  uint32_t number;
  if (*values == NULL) {
    *values = calloc(1, sizeof(**values));
    if (*values == NULL || crm_dict_init(*values) != CRM_OK) {
      free(*values);
      *values = NULL;
      return out_of_memory(err);
    }
  }
  return crm_dict_add(*values, text, len, &number) == CRM_OK ? CRM_OK : out_of_memory(err);
}

static void free_values(struct crm_dict *values) {
  if (values != NULL)
    crm_dict_free(values);
  free(values);
}

/* Hands on what is known already. */
static enum crm_status take_touched(void *ctx, enum crm_relation relation, unsigned what, const char *text, size_t len,
                                    struct crm_error *err) {
  struct looking *l = ctx;
  if (what < CRM_TOUCHED_VIA)
    return l->tell(l->ctx, relation, what, text, len, err);
  return add_value(&l->values[relation][what - CRM_TOUCHED_VIA], text, len, err);
}

static const struct crm_track *track_by(const struct crm_way *way, size_t statement) {
  for (size_t t = 0; t < way->n_tracks; t++)
    if (way->tracks[t].looked_up == (int)statement + 1)
      return &way->tracks[t];
  return NULL;
}

/* Tells what was found. A value that leads to no row may have led to one before: then nobody knows whose it was. */
static enum crm_status take_found(struct looking *l, enum crm_relation relation, const struct crm_track *track,
                                  const struct crm_dict *values, const PGresult *result, struct crm_error *err) {
  struct crm_dict *found = NULL;
  enum crm_status status = CRM_OK;
  for (int i = 0; i < PQntuples(result) && status == CRM_OK; i++) {
    status = add_value(&found, PQgetvalue(result, i, 0), (size_t)PQgetlength(result, i, 0), err);
    if (status == CRM_OK && !PQgetisnull(result, i, 1))
      status = l->tell(l->ctx, relation, track->by_key ? CRM_TOUCHED_KEY : CRM_TOUCHED_ACCOUNT, PQgetvalue(result, i, 1),
                       (size_t)PQgetlength(result, i, 1), err);
  }
  for (uint32_t v = 1; v < values->count && status == CRM_OK; v++)
    if (found == NULL || crm_dict_find(found, crm_dict_text(values, v), crm_dict_len(values, v)) == CRM_DICT_NONE) {
      status = l->tell(l->ctx, relation, CRM_TOUCHED_ALL, "", 0, err);
      break;
    }
  free_values(found);
  return status;
}

static enum crm_status look_up(struct looking *l, enum crm_relation relation, size_t statement, char *lost, size_t lost_size,
                               struct crm_error *err) {
  const struct crm_dict *values = l->values[relation][statement];
  const struct crm_track *track = track_by(&l->source->ways[relation], statement);
  if (track == NULL) /* pending from before, which the signature rules out */
    return l->tell(l->ctx, relation, CRM_TOUCHED_ALL, "", 0, err);
  struct crm_strbuf array;
  crm_strbuf_init(&array, LIST_MAX);
  for (uint32_t v = 1; v < values->count; v++)
    crm_statement_add_item(&array, crm_dict_text(values, v), crm_dict_len(values, v));
  char *sql = crm_statement_look_up(l->source->mapping.changes[relation][statement], CRM_VIA,
                                    track->by_key ? crm_relation_key_name(relation) : "account_id", track->type);
  const char *params[] = {crm_strbuf_str(&array)};
  PGresult *result = NULL;
  enum crm_status status =
      sql == NULL || params[0] == NULL
          ? out_of_memory(err)
          : crm_connection_query(&l->source->databases[l->source->database_of[relation]].connection, sql, 1, params, &result, err);
  if (status == CRM_OK)
    status = take_found(l, relation, track, values, result, err);
  else if (status == CRM_ERR_SQL && !crm_sqlstate_passing(err->sqlstate)) {
    snprintf(lost, lost_size, "looking up changes of relation %s was refused", crm_relation_info(relation)->name);
    crm_error_clear(err);
    status = CRM_OK;
  }
  PQclear(result);
  crm_strbuf_free(&array);
  free(sql);
  return status;
}

/* Tells what is pending, with what has to be looked up. */
static enum crm_status tell_pending(struct crm_source *source, size_t index, crm_touched_fn *tell, void *ctx, char *lost, size_t lost_size,
                                    struct crm_error *err) {
  struct looking *l = calloc(1, sizeof(*l));
  if (l == NULL)
    return out_of_memory(err);
  *l = (struct looking){.source = source, .tell = tell, .ctx = ctx};
  enum crm_status status = crm_logical_tell(&source->databases[index].logical, take_touched, l, err);
  for (int r = 0; r < CRM_RELATIONS; r++)
    for (size_t s = 0; s < CRM_CHANGES_MAX; s++) {
      if (status == CRM_OK && lost[0] == '\0' && l->values[r][s] != NULL)
        status = look_up(l, (enum crm_relation)r, s, lost, lost_size, err);
      free_values(l->values[r][s]);
    }
  free(l);
  return status;
}

enum crm_status crm_source_decode(struct crm_source *source, size_t index, crm_touched_fn *tell, void *ctx, char *lost, size_t lost_size,
                                  struct crm_error *err) {
  struct crm_source_database *database = &source->databases[index];
  struct crm_logical *logical = &database->logical;
  enum crm_status status = crm_logical_look(&database->connection, logical, false, err);
  if (status == CRM_OK && strcmp(logical->mark, logical->next_mark) != 0) {
    snprintf(lost, lost_size, "the publication was altered");
    return CRM_OK;
  }
  if (status == CRM_OK)
    status = crm_logical_drain(source, index, lost, lost_size, err);
  if (status == CRM_OK && lost[0] == '\0')
    status = tell_pending(source, index, tell, ctx, lost, lost_size, err);
  return status;
}
