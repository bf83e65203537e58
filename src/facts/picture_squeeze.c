/* SPDX-License-Identifier: MIT */
/* Taking garbage out: accounts that moved or went, with their rows, and texts that nobody uses any more. In place, column by column, so
 * that no second picture is needed. */
#include <stdlib.h>
#include <string.h>

#include "facts/patch_internal.h"

/* With an eighth of garbage a row that is written costs eight rows that are moved, once, and the picture is at most an eighth larger. */
#define GARBAGE_SHARE 8
#define GARBAGE_LEAST ((size_t)64 * 1024)
#define TEXTS_LEAST ((size_t)64 * 1024)

static void count_bytes(const struct crm_facts *facts, size_t *live, size_t *garbage) {
  *live = *garbage = 0;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    size_t size = crm_layout_row_size(layout);
    *live += facts->rows[r] * size;
    *garbage += (crm_layout_n(facts, layout) - facts->rows[r]) * size;
  }
}

static bool has_loose_texts(const struct crm_picture *p) {
  size_t added = p->facts->text.bytes_len - p->texts_kept;
  return added > TEXTS_LEAST && added > p->texts_kept / 2;
}

bool crm_picture_is_loose(const struct crm_picture *p) {
  size_t live;
  size_t garbage;
  count_bytes(p->facts, &live, &garbage);
  return (garbage > GARBAGE_LEAST && garbage * GARBAGE_SHARE > live) || has_loose_texts(p);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static void squeeze_lists(struct crm_facts *facts) {
  const struct crm_engagements *e = &facts->engagement;
  /* The spans of contacts are still where they were, so it is known where each goes. */
  uint32_t to = 0;
  uint32_t list = 0;
  uint32_t contact = 0;
  for (uint32_t a = 0; a < facts->account.n; a++) {
    if (crm_is_garbage(facts, a))
      continue;
    uint32_t from = e->first[a];
    uint32_t n = e->first[a + 1] - from;
    uint32_t length = e->contact_first[from + n] - e->contact_first[from];
    crm_shift_lists(facts, to, list, from, n, contact - facts->contact.first[a]);
    to += n;
    list += length;
    contact += facts->contact.first[a + 1] - facts->contact.first[a];
  }
}

/* Neighbours that stay move together. */
static void squeeze_relation(struct crm_facts *facts, enum crm_relation relation) {
  const struct crm_layout *layout = crm_layout(relation);
  const uint32_t *first = crm_held_get(facts, layout->first);
  uint32_t to = 0;
  uint32_t a = 0;
  while (a < facts->account.n) {
    if (crm_is_garbage(facts, a)) {
      a++;
      continue;
    }
    uint32_t start = first[a];
    while (a < facts->account.n && !crm_is_garbage(facts, a))
      a++;
    crm_shift_rows(facts, relation, to, start, first[a] - start);
    to += first[a] - start;
  }
  crm_layout_set_n(facts, layout, to);
}

static void squeeze_first(struct crm_facts *facts, enum crm_relation relation) {
  uint32_t *first = crm_held_get(facts, crm_layout(relation)->first);
  uint32_t at = 0;
  uint32_t kept = 0;
  for (uint32_t a = 0; a < facts->account.n; a++) {
    uint32_t n = first[a + 1] - first[a]; /* a + 1 is not written before the next turn, kept is at most a */
    if (crm_is_garbage(facts, a))
      continue;
    first[kept++] = at;
    at += n;
    /* first[kept] is written in the next turn or behind the loop. */
  }
  first[kept] = at;
}

static void squeeze_accounts(struct crm_picture *p) {
  struct crm_facts *facts = p->facts;
  uint32_t n = facts->account.n;
  uint32_t to = 0;
  crm_pairs_clear(&p->accounts);
  for (uint32_t a = 0; a < n; a++) {
    if (crm_is_garbage(facts, a))
      continue;
    crm_shift_rows(facts, CRM_REL_ACCOUNT, to, a, 1);
    crm_pairs_add(&p->accounts, facts->account.id[to], to);
    to++;
  }
  facts->account.n = to;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

static enum crm_status keep_text(const struct crm_dict *from, struct crm_dict *to, uint32_t *renumber, uint32_t number) {
  if (renumber[number] != CRM_DICT_NONE)
    return CRM_OK;
  return crm_dict_add(to, crm_dict_text(from, number), crm_dict_len(from, number), &renumber[number]);
}

/* Calls for every column of texts; `write` false fills renumber, true uses it. */
static enum crm_status renumber_columns(struct crm_facts *facts, struct crm_dict *to, uint32_t *renumber, bool write) {
  enum crm_status status = CRM_OK;
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    uint32_t n = crm_layout_n(facts, layout);
    for (size_t c = 0; c < layout->n_columns; c++) {
      if (layout->columns[c].hold != CRM_HOLD_TEXT)
        continue;
      uint32_t *column = crm_held_get(facts, layout->columns[c].offset);
      for (uint32_t i = 0; i < n && status == CRM_OK; i++) {
        if (write)
          column[i] = renumber[column[i]];
        else
          status = keep_text(&facts->text, to, renumber, column[i]);
      }
    }
  }
  return status;
}

static void renumber_owners(struct crm_picture *p, const uint32_t *renumber) {
  for (int r = 0; r < CRM_RELATIONS; r++) {
    struct crm_pairs *owners = &p->keys[r].owners;
    for (size_t i = 0; i < owners->n_slots; i++)
      if (owners->slots[i].second != CRM_PAIR_NONE)
        owners->slots[i].second = renumber[owners->slots[i].second];
  }
}

/* After the rows, so that every row is in use. */
static void squeeze_texts(struct crm_picture *p) {
  struct crm_facts *facts = p->facts;
  size_t more = crm_dict_bytes(&facts->text) + facts->text.count * sizeof(uint32_t);
  if (p->ceiling != 0 && crm_picture_bytes(p) + more > p->ceiling)
    return;
  struct crm_dict kept;
  uint32_t *renumber = malloc(facts->text.count * sizeof(*renumber));
  if (renumber == NULL)
    return;
  if (crm_dict_init_seed(&kept, facts->text.seed) != CRM_OK) {
    free(renumber);
    return;
  }
  memset(renumber, 0xFF, facts->text.count * sizeof(*renumber)); /* CRM_DICT_NONE */
  renumber[0] = 0;
  enum crm_status status = keep_text(&facts->text, &kept, renumber, p->default_tenant);
  for (uint16_t t = 0; t < facts->n_tenants && status == CRM_OK; t++)
    status = keep_text(&facts->text, &kept, renumber, facts->tenants[t]);
  if (status == CRM_OK)
    status = renumber_columns(facts, &kept, renumber, false);
  if (status != CRM_OK) {
    crm_dict_free(&kept);
    free(renumber);
    return;
  }
  (void)renumber_columns(facts, &kept, renumber, true);
  p->default_tenant = renumber[p->default_tenant];
  for (uint16_t t = 0; t < facts->n_tenants; t++)
    facts->tenants[t] = renumber[facts->tenants[t]];
  renumber_owners(p, renumber);
  crm_dict_free(&facts->text);
  facts->text = kept;
  p->texts_kept = kept.bytes_len;
  crm_pairs_clear(&p->accounts);
  for (uint32_t a = 0; a < facts->account.n; a++)
    crm_pairs_add(&p->accounts, facts->account.id[a], a);
  free(renumber);
}

void crm_picture_squeeze(struct crm_picture *p) {
  struct crm_facts *facts = p->facts;
  if (facts->account.n > facts->rows[CRM_REL_ACCOUNT]) {
    squeeze_lists(facts);
    for (int r = 1; r < CRM_RELATIONS; r++) {
      squeeze_relation(facts, (enum crm_relation)r);
    }
    for (int r = 1; r < CRM_RELATIONS; r++)
      squeeze_first(facts, (enum crm_relation)r);
    squeeze_accounts(p);
  }
  if (has_loose_texts(p))
    squeeze_texts(p);
}
