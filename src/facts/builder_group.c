/* SPDX-License-Identifier: MIT */
/* Ordering the rows of a relation: by account, and canonically within the account. */
#include <stdlib.h>
#include <string.h>

#include "facts/builder_internal.h"

/* --- moving columns ----------------------------------------------------------------------------------------------- */

/* Elements are moved as bytes, since a column may be of any type; with a constant size that is one load and one store. */
static inline void gather(void *to, const void *from, const uint32_t *order, uint32_t n, size_t size) {
  for (uint32_t i = 0; i < n; i++)
    memcpy((char *)to + i * size, (const char *)from + order[i] * size, size);
}

enum crm_status crm_builder_move(struct crm_builder *b, enum crm_relation relation, const uint32_t *order, uint32_t n,
                                 struct crm_error *err) {
  const struct crm_layout *layout = crm_layout(relation);
  struct crm_facts *facts = b->facts;
  size_t cap = b->stage[relation].cap;
  for (size_t c = 0; c < layout->n_columns; c++) {
    size_t size = crm_hold_size(layout->columns[c].hold);
    void *from = crm_held_get(facts, layout->columns[c].offset);
    if (layout->columns[c].hold == CRM_HOLD_KEY && !b->patchable) {
      crm_builder_free_array(b, from, cap, size);
      crm_held_set(facts, layout->columns[c].offset, NULL);
      continue;
    }
    void *to = crm_builder_array(b, n, size, relation, err);
    if (to == NULL)
      return err->status;
    switch (size) {
    case 1:
      gather(to, from, order, n, 1);
      break;
    case 2:
      gather(to, from, order, n, 2);
      break;
    case 4:
      gather(to, from, order, n, 4);
      break;
    default:
      gather(to, from, order, n, 8);
      break;
    }
    crm_builder_free_array(b, from, cap, size);
    crm_held_set(facts, layout->columns[c].offset, to);
  }
  crm_layout_set_n(facts, layout, n);
  return CRM_OK;
}

/* --- other relations ---------------------------------------------------------------------------------------------- */

struct group_ctx {
  struct crm_builder *b;
  enum crm_relation relation;
  const struct crm_layout *layout;
  uint32_t *order;
  struct crm_sort_item *items, *scratch; /* of the largest group */
};

/* Contacts of an engagement not yet ordered, once they are resolved: ascending, then CRM_NO_ROW. */
static int compare_lists(const struct crm_builder *b, uint32_t x, uint32_t y) {
  uint32_t i = b->list_start[x];
  uint32_t j = b->list_start[y];
  for (;; i++, j++) {
    uint32_t left = i < b->list_start[x + 1] ? b->list[i] : CRM_NO_ROW;
    uint32_t right = j < b->list_start[y + 1] ? b->list[j] : CRM_NO_ROW;
    if (left != right)
      return left < right ? -1 : 1;
    if (left == CRM_NO_ROW)
      return 0;
  }
}

static int compare_in_group(const void *ctx, uint32_t x, uint32_t y) {
  const struct group_ctx *g = ctx;
  int order = crm_compare_rows(g->b->facts, g->layout, x, y);
  if (order == 0 && g->relation == CRM_REL_ENGAGEMENT)
    order = compare_lists(g->b, x, y);
  return order;
}

/* What rows are ordered by before all else. */
static uint64_t sort_key(const struct group_ctx *g, uint32_t row) {
  const struct crm_facts *facts = g->b->facts;
  if (g->relation == CRM_REL_ENGAGEMENT) {
    crm_time completed = facts->engagement.completed_at[row];
    return crm_sort_key_i64(completed != CRM_TIME_NONE ? completed : facts->engagement.scheduled_at[row]);
  }
  const struct crm_held *held = &g->layout->columns[0];
  const void *data = crm_held_get(facts, held->offset);
  switch (held->hold) {
  case CRM_HOLD_I64:
    return crm_sort_key_i64(((const int64_t *)data)[row]);
  case CRM_HOLD_I32:
    return crm_sort_key_i64(((const int32_t *)data)[row]);
  case CRM_HOLD_TEXT:
    return crm_sort_key_text(crm_dict_text(&facts->text, ((const uint32_t *)data)[row]));
  default:
    return 0;
  }
}

/* The column of ids that must not repeat within an account, or NULL. */
static const uint32_t *key_column(const struct crm_facts *facts, enum crm_relation relation) {
  switch (relation) {
  case CRM_REL_CONTRACT:
    return facts->contract.id;
  case CRM_REL_CONTACT:
    return facts->contact.id;
  case CRM_REL_GOAL:
    return facts->goal.id;
  default:
    return NULL;
  }
}

static int compare_digests(const void *ctx, uint32_t x, uint32_t y) {
  const struct group_ctx *g = ctx;
  uint64_t left = g->b->digest[g->order[x]];
  uint64_t right = g->b->digest[g->order[y]];
  return (left > right) - (left < right);
}

static void drop_duplicate(const struct group_ctx *g, uint32_t at) {
  struct crm_builder *b = g->b;
  const struct crm_facts *facts = b->facts;
  const struct crm_dict *text = &facts->text;
  uint32_t row = g->order[at];
  uint32_t account = facts->account.id[b->stage[g->relation].account[row]];
  const uint32_t *ids = key_column(facts, g->relation);
  uint64_t key =
      ids == NULL ? facts->engagement.key[row] : crm_digest_of(text->seed, crm_dict_text(text, ids[row]), crm_dict_len(text, ids[row]));
  crm_builder_refuse(b, g->relation, crm_digest_of(text->seed, crm_dict_text(text, account), crm_dict_len(text, account)), key,
                     CRM_REJECT_DUPLICATE);
  g->order[at] = CRM_NO_ROW;
}

/* Marks, by CRM_NO_ROW in `order`, the rows of an ordered group whose id an earlier row of the group has. */
static void mark_duplicates(const struct group_ctx *g, uint32_t start, uint32_t n) {
  const uint32_t *ids = key_column(g->b->facts, g->relation);
  bool digests = g->relation == CRM_REL_ENGAGEMENT;
  if ((ids == NULL && !digests) || n < 2)
    return;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = g->order[start + i];
    g->items[i] = (struct crm_sort_item){digests ? g->b->facts->engagement.key[row] : ids[row], start + i};
  }
  crm_tie_fn *tie = digests ? compare_digests : NULL;
  crm_sort(g->items, g->scratch, n, tie, g);
  uint32_t kept = 0; /* the sort is stable, so the first of equals is the first in order */
  for (uint32_t i = 1; i < n; i++) {
    if (g->items[i].key == g->items[kept].key && (tie == NULL || tie(g, g->items[i].row, g->items[kept].row) == 0))
      drop_duplicate(g, g->items[i].row);
    else
      kept = i;
  }
}

static void sort_group(const struct group_ctx *g, uint32_t start, uint32_t n) {
  if (n < 2)
    return;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = g->order[start + i];
    g->items[i] = (struct crm_sort_item){sort_key(g, row), row};
  }
  crm_sort(g->items, g->scratch, n, compare_in_group, g);
  for (uint32_t i = 0; i < n; i++)
    g->order[start + i] = g->items[i].row;
}

static int compare_u32(const void *x, const void *y) {
  uint32_t a = *(const uint32_t *)x;
  uint32_t b = *(const uint32_t *)y;
  return (a > b) - (a < b);
}

/* Returns how many distinct values there are; they come first, ascending. */
static uint32_t sort_distinct(uint32_t *values, uint32_t n) {
  if (n < 2)
    return n;
  qsort(values, n, sizeof(*values), compare_u32);
  uint32_t kept = 1;
  for (uint32_t i = 1; i < n; i++)
    if (values[i] != values[kept - 1])
      values[kept++] = values[i];
  return kept;
}

/* Turns the texts of contact ids in the lists of one account's engagements into numbers of contact rows: ascending, distinct, the rest
 * CRM_NO_ROW. contact_of_text needs no clearing between accounts, since a row of another account is recognised. */
static void resolve_lists(const struct group_ctx *g, uint32_t account, uint32_t start, uint32_t n, uint32_t *contact_of_text) {
  struct crm_builder *b = g->b;
  const struct crm_contacts *contacts = &b->facts->contact;
  uint32_t first = contacts->first[account];
  uint32_t end = contacts->first[account + 1];
  for (uint32_t c = first; c < end; c++)
    contact_of_text[contacts->id[c]] = c;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = g->order[start + i];
    uint32_t *list = b->list + b->list_start[row];
    uint32_t length = b->list_start[row + 1] - b->list_start[row];
    uint32_t known = 0;
    for (uint32_t j = 0; j < length; j++) {
      uint32_t contact = contact_of_text[list[j]];
      if (contact >= first && contact < end)
        list[known++] = contact;
    }
    known = sort_distinct(list, known);
    for (uint32_t j = known; j < length; j++)
      list[j] = CRM_NO_ROW;
  }
}

/* Writes the contacts of the engagements in their final order. */
static enum crm_status place_lists(const struct group_ctx *g, uint32_t n, struct crm_error *err) {
  struct crm_builder *b = g->b;
  struct crm_engagements *engagement = &b->facts->engagement;
  size_t total = 0;
  for (size_t i = 0; i < b->list_n; i++)
    total += b->list[i] != CRM_NO_ROW; /* at least what is placed: lists of duplicates are not */
  engagement->contact_first = crm_builder_array(b, (size_t)n + 1, sizeof(uint32_t), g->relation, err);
  if (engagement->contact_first == NULL)
    return err->status;
  engagement->contact = crm_builder_array(b, total, sizeof(uint32_t), g->relation, err);
  if (engagement->contact == NULL)
    return err->status;
  uint32_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    engagement->contact_first[i] = at;
    uint32_t row = g->order[i];
    for (uint32_t j = b->list_start[row]; j < b->list_start[row + 1] && b->list[j] != CRM_NO_ROW; j++)
      engagement->contact[at++] = b->list[j];
  }
  engagement->contact_first[n] = at;
  return CRM_OK;
}

/* Stable counting sort by account: order[first[a] ..] are the rows of account a. Returns the size of the largest group. */
static uint32_t group_by_account(const uint32_t *account, uint32_t n, uint32_t n_accounts, uint32_t *first, uint32_t *order) {
  memset(first, 0, ((size_t)n_accounts + 1) * sizeof(*first));
  for (uint32_t r = 0; r < n; r++)
    first[account[r]]++;
  uint32_t largest = 0;
  uint32_t at = 0;
  for (uint32_t a = 0; a < n_accounts; a++) {
    uint32_t count = first[a];
    largest = count > largest ? count : largest;
    first[a] = at;
    at += count;
  }
  first[n_accounts] = at;
  for (uint32_t r = 0; r < n; r++)
    order[first[account[r]]++] = r;
  /* Each first[a] has moved to where a + 1 begins. */
  for (uint32_t a = n_accounts; a > 0; a--)
    first[a] = first[a - 1];
  first[0] = 0;
  return largest;
}

/* Closes the gaps that duplicates left in `order`; returns the rows that stay. */
static uint32_t close_gaps(uint32_t *order, uint32_t *first, uint32_t n_accounts) {
  uint32_t at = 0;
  uint32_t start = 0;
  for (uint32_t a = 0; a < n_accounts; a++) {
    uint32_t end = first[a + 1];
    first[a] = at;
    for (uint32_t i = start; i < end; i++)
      if (order[i] != CRM_NO_ROW)
        order[at++] = order[i];
    start = end;
  }
  first[n_accounts] = at;
  return at;
}

enum crm_status crm_builder_group(struct crm_builder *b, enum crm_relation relation, struct crm_error *err) {
  struct crm_facts *facts = b->facts;
  const struct crm_layout *layout = crm_layout(relation);
  struct crm_stage *stage = &b->stage[relation];
  uint32_t n = crm_layout_n(facts, layout);
  uint32_t n_accounts = facts->account.n;
  struct group_ctx g = {.b = b, .relation = relation, .layout = layout};
  uint32_t largest = 0;
  uint32_t *contact_of_text = NULL;
  uint32_t *first = crm_builder_array(b, (size_t)n_accounts + 1, sizeof(*first), relation, err);
  if (first == NULL)
    return err->status;
  crm_held_set(facts, layout->first, first);

  enum crm_status status = CRM_OK;
  g.order = crm_builder_array(b, n, sizeof(*g.order), relation, err);
  if (g.order == NULL)
    return err->status;
  largest = group_by_account(stage->account, n, n_accounts, first, g.order);
  g.items = crm_builder_array(b, largest, sizeof(*g.items), relation, err);
  if (g.items != NULL)
    g.scratch = crm_builder_array(b, largest, sizeof(*g.scratch), relation, err);
  if (g.scratch != NULL && relation == CRM_REL_ENGAGEMENT) {
    contact_of_text = crm_builder_array(b, facts->text.count, sizeof(*contact_of_text), relation, err);
    if (contact_of_text != NULL)
      memset(contact_of_text, 0xFF, facts->text.count * sizeof(*contact_of_text));
  }
  if (g.scratch == NULL || (relation == CRM_REL_ENGAGEMENT && contact_of_text == NULL)) {
    status = err->status;
    goto out;
  }
  for (uint32_t a = 0; a < n_accounts; a++) {
    uint32_t count = first[a + 1] - first[a];
    if (relation == CRM_REL_ENGAGEMENT)
      resolve_lists(&g, a, first[a], count, contact_of_text);
    sort_group(&g, first[a], count);
    mark_duplicates(&g, first[a], count);
  }
  uint32_t kept = close_gaps(g.order, first, n_accounts);
  facts->rows[relation] = kept;
  if (relation == CRM_REL_ENGAGEMENT)
    status = place_lists(&g, kept, err);
  if (status == CRM_OK)
    status = crm_builder_move(b, relation, g.order, kept, err);
out:
  crm_builder_free_array(b, g.order, n, sizeof(*g.order));
  crm_builder_free_array(b, g.items, largest, sizeof(*g.items));
  crm_builder_free_array(b, g.scratch, largest, sizeof(*g.scratch));
  crm_builder_free_array(b, contact_of_text, facts->text.count, sizeof(*contact_of_text));
  return status;
}
