/* SPDX-License-Identifier: MIT */
/* Gathering what a patch says. */
#include "facts/patch.h"

#include <stdlib.h>

#include "facts/patch_internal.h"

enum crm_status crm_patch_no_memory(struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
}

enum crm_status crm_patch_new(struct crm_picture *picture, struct crm_patch **out, struct crm_error *err) {
  if (picture == NULL)
    return crm_error_set(err, CRM_ERR_DATA, "there is no picture yet that could be changed");
  struct crm_patch *patch = calloc(1, sizeof(*patch));
  if (patch == NULL)
    return crm_patch_no_memory(err);
  patch->picture = picture;
  crm_arena_init(&patch->arena, 0);
  crm_arena_init(&patch->work, 0);
  crm_ledger_init(&patch->ledger);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    patch->last_row[r] = &patch->rows[r];
    patch->read_at[r] = CRM_TIME_NONE;
  }
  *out = patch;
  return CRM_OK;
}

void crm_patch_unprepare(struct crm_patch *patch) {
  if (!patch->begun)
    return;
  patch->begun = patch->prepared = false;
  patch->n_touched = patch->n_keys = patch->n_days = patch->n_wants = 0;
  crm_pairs_clear(&patch->touched_by_id);
  crm_pairs_clear(&patch->keys_by_digest);
  crm_pairs_clear(&patch->days_by_tag);
  crm_facts_unref(patch->delta);
  patch->delta = NULL;
  crm_ledger_free(&patch->ledger);
  crm_arena_reset(&patch->work);
}

void crm_patch_free(struct crm_patch *patch) {
  if (patch == NULL)
    return;
  crm_patch_unprepare(patch);
  crm_arena_free(&patch->arena);
  crm_arena_free(&patch->work);
  crm_pairs_free(&patch->touched_by_id);
  crm_pairs_free(&patch->keys_by_digest);
  crm_pairs_free(&patch->days_by_tag);
  free(patch->touched);
  free(patch->keys);
  free(patch->days);
  free(patch->wants);
  free(patch);
}

size_t crm_patch_bytes(const struct crm_patch *patch) {
  return sizeof(*patch) + patch->arena.used + patch->work.used + patch->touched_cap * sizeof(*patch->touched) +
         patch->keys_cap * sizeof(*patch->keys) + patch->days_cap * sizeof(*patch->days) + patch->wants_cap * sizeof(*patch->wants) +
         crm_pairs_bytes(&patch->touched_by_id) + crm_pairs_bytes(&patch->keys_by_digest) + crm_pairs_bytes(&patch->days_by_tag) +
         crm_ledger_bytes(&patch->ledger) +
         (patch->delta == NULL ? 0 : crm_facts_bytes(patch->delta));
}

/* `before`: what the arena held. */
static enum crm_status check_ceiling(const struct crm_patch *patch, size_t before, struct crm_error *err) {
  const struct crm_picture *p = patch->picture;
  if (patch->arena.used == before)
    return CRM_OK;
  size_t needed = crm_picture_bytes(p) + crm_patch_bytes(patch);
  return p->ceiling != 0 && needed > p->ceiling ? crm_picture_too_large(p, needed, err) : CRM_OK;
}

static enum crm_status note(struct crm_patch *patch, struct crm_patch_note **list, enum crm_relation relation, crm_day day,
                            const char *text, size_t len, struct crm_error *err) {
  size_t before = patch->arena.used;
  struct crm_patch_note *n = crm_arena_alloc(&patch->arena, sizeof(*n));
  char *copy = crm_arena_strndup(&patch->arena, text, len);
  if (n == NULL || copy == NULL)
    return crm_patch_no_memory(err);
  *n = (struct crm_patch_note){.next = *list, .relation = relation, .day = day, .order = ++patch->order, .text = copy, .len = len};
  *list = n;
  crm_patch_unprepare(patch);
  return check_ceiling(patch, before, err);
}

void crm_patch_read_at(struct crm_patch *patch, enum crm_relation relation, crm_time read_at) {
  patch->read_at[relation] = read_at;
}

static bool is_available(const struct crm_patch *patch, enum crm_relation relation) {
  return patch->picture->facts->available[relation] || patch->all_since[relation] != 0;
}

enum crm_status crm_patch_replace(struct crm_patch *patch, enum crm_relation relation, const char *account_id, size_t len,
                                  struct crm_error *err) {
  if (relation == CRM_REL_ACCOUNT || !is_available(patch, relation))
    return crm_error_set(err, CRM_ERR_DATA, "relation %s has no rows of accounts that could be replaced",
                         crm_relation_info(relation)->name);
  return len == 0 ? CRM_OK : note(patch, &patch->replace, relation, CRM_DAY_NONE, account_id, len, err);
}

enum crm_status crm_patch_replace_day(struct crm_patch *patch, enum crm_relation relation, const char *account_id, size_t len, crm_day day,
                                      struct crm_error *err) {
  if (crm_relation_day(relation) < 0 || !is_available(patch, relation) || day == CRM_DAY_NONE)
    return crm_error_set(err, CRM_ERR_DATA, "relation %s has no rows of days that could be replaced", crm_relation_info(relation)->name);
  return len == 0 ? CRM_OK : note(patch, &patch->replace, relation, day, account_id, len, err);
}

enum crm_status crm_patch_replace_all(struct crm_patch *patch, enum crm_relation relation, struct crm_error *err) {
  (void)err;
  if (patch->all_since[relation] == 0)
    patch->all_since[relation] = ++patch->order;
  crm_patch_unprepare(patch);
  return CRM_OK;
}

enum crm_status crm_patch_delete(struct crm_patch *patch, enum crm_relation relation, const char *key, size_t len, struct crm_error *err) {
  if (!crm_picture_keyed(patch->picture, relation))
    return crm_error_set(err, CRM_ERR_DATA, "relation %s has no key by which a row could be deleted", crm_relation_info(relation)->name);
  return len == 0 ? CRM_OK : note(patch, &patch->delete, relation, CRM_DAY_NONE, key, len, err);
}

void crm_patch_reject(struct crm_patch *patch, enum crm_relation relation, enum crm_reject reason) {
  patch->undecoded[relation][reason]++;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static bool copy_texts(struct crm_arena *arena, struct crm_cell_value *cell) {
  struct crm_text_item *items = crm_arena_calloc(arena, cell->n_items, sizeof(*items));
  if (items == NULL)
    return false;
  for (size_t i = 0; i < cell->n_items; i++) {
    items[i] = (struct crm_text_item){crm_arena_strndup(arena, cell->items[i].text, cell->items[i].len), cell->items[i].len};
    if (items[i].text == NULL)
      return false;
  }
  cell->items = items;
  return true;
}

/* What the cell points to becomes the patch's own. */
static bool copy_cell(struct crm_arena *arena, enum crm_column_kind kind, struct crm_cell_value *cell) {
  switch (kind) {
  case CRM_COL_TEXT:
    cell->text = crm_arena_strndup(arena, cell->len == 0 ? "" : cell->text, cell->len);
    return cell->text != NULL;
  case CRM_COL_TEXTS:
    return copy_texts(arena, cell);
  case CRM_COL_MONEY:
    if (cell->numeric == NULL)
      return true;
    cell->numeric = (const unsigned char *)crm_arena_strndup(arena, (const char *)cell->numeric, cell->numeric_len);
    return cell->numeric != NULL;
  case CRM_COL_TIME:
  case CRM_COL_DAY:
  case CRM_COL_NUMBER:
  case CRM_COL_BOOLEAN:
    break;
  }
  return true;
}

enum crm_status crm_patch_row(struct crm_patch *patch, enum crm_relation relation, const struct crm_row *row, struct crm_error *err) {
  const struct crm_relation_info *info = crm_relation_info(relation);
  if (!is_available(patch, relation))
    return crm_error_set(err, CRM_ERR_DATA, "relation %s is not available, and is not read as a whole", info->name);
  size_t before = patch->arena.used;
  size_t n = 0;
  for (size_t c = 0; c < info->n_columns; c++)
    n += row->cells[c].set;
  struct crm_patch_row *copy = crm_arena_alloc(&patch->arena, sizeof(*copy) + n * sizeof(copy->cells[0]));
  if (copy == NULL)
    return crm_patch_no_memory(err);
  *copy = (struct crm_patch_row){.order = ++patch->order};
  size_t at = 0;
  for (size_t c = 0; c < info->n_columns; c++) {
    if (!row->cells[c].set)
      continue;
    copy->columns |= 1u << c;
    copy->cells[at] = row->cells[c];
    if (!copy_cell(&patch->arena, info->columns[c].kind, &copy->cells[at++]))
      return crm_patch_no_memory(err);
  }
  *patch->last_row[relation] = copy;
  patch->last_row[relation] = &copy->next;
  crm_patch_unprepare(patch);
  return check_ceiling(patch, before, err);
}

size_t crm_patch_wanted(const struct crm_patch *patch, const struct crm_patch_want **wanted) {
  *wanted = patch->wants;
  return patch->n_wants;
}
