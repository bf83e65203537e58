/* SPDX-License-Identifier: MIT */
/* Checking a patch: which accounts it is about, and facts of its own with their whole new spans, made by the builder of a full read. */
#include <string.h>

#include "base/vec.h"
#include "facts/columns.h"
#include "facts/patch_internal.h"

#define BIT(relation) (1u << (relation))
/* Amounts without a currency are in the account's. */
#define WITH_CURRENCY (BIT(CRM_REL_REVENUE) | BIT(CRM_REL_CONTRACT) | BIT(CRM_REL_INVOICE) | BIT(CRM_REL_OPPORTUNITY))
/* An engagement names contacts by their rows, so that both are ordered together. */
#define WITH_CONTACTS (BIT(CRM_REL_ENGAGEMENT) | BIT(CRM_REL_CONTACT))

/* --- rows as they were given --------------------------------------------------------------------------------------- */

/* NULL if the cell is. */
static const struct crm_cell_value *cell_of(const struct crm_patch_row *row, unsigned column) {
  if ((row->columns & BIT(column)) == 0)
    return NULL;
  return &row->cells[__builtin_popcount(row->columns & (BIT(column) - 1))];
}

static bool has_text(const struct crm_cell_value *cell) {
  return cell != NULL && cell->len > 0;
}

static void unpack(const struct crm_patch_row *row, struct crm_row *to, size_t n_columns) {
  memset(to, 0, n_columns * sizeof(to->cells[0]));
  size_t at = 0;
  for (size_t c = 0; c < n_columns; c++)
    if ((row->columns & 1u << c) != 0)
      to->cells[c] = row->cells[at++];
}

/* --- the accounts that are touched --------------------------------------------------------------------------------- */

static uint64_t digest_of(const struct crm_patch *patch, const char *text, size_t len) {
  return crm_digest_of(patch->picture->facts->text.seed, text, len);
}

static struct crm_touched *find_touched(const struct crm_patch *patch, uint64_t digest, const char *id, size_t len) {
  size_t at = crm_pairs_start(&patch->touched_by_id, crm_key_tag(digest));
  for (;;) {
    uint32_t i = crm_pairs_next(&patch->touched_by_id, crm_key_tag(digest), &at);
    if (i == CRM_PAIR_NONE)
      return NULL;
    struct crm_touched *t = &patch->touched[i];
    if (t->len == len && memcmp(t->id, id, len) == 0)
      return t;
  }
}

/* NULL with *err filled. Valid until the next call. */
static struct crm_touched *touch(struct crm_patch *patch, const char *id, size_t len, struct crm_error *err) {
  uint64_t digest = digest_of(patch, id, len);
  struct crm_touched *known = find_touched(patch, digest, id, len);
  if (known != NULL)
    return known;
  void *data = patch->touched;
  enum crm_status status = crm_vec_reserve(&data, &patch->touched_cap, patch->n_touched + 1, sizeof(*patch->touched));
  patch->touched = data;
  char *copy = crm_arena_strndup(&patch->work, id, len); /* texts of the picture move when some are added */
  if (status != CRM_OK || copy == NULL || crm_pairs_reserve(&patch->touched_by_id, 1) != CRM_OK) {
    crm_patch_no_memory(err);
    return NULL;
  }
  struct crm_touched *t = &patch->touched[patch->n_touched];
  *t =
      (struct crm_touched){.id = copy, .len = len, .digest = digest, .old = crm_picture_find(patch->picture, id, len), .delta = CRM_NO_ROW};
  crm_pairs_add(&patch->touched_by_id, crm_key_tag(digest), (uint32_t)patch->n_touched++);
  return t;
}

static struct crm_touched *touch_account(struct crm_patch *patch, uint32_t account, struct crm_error *err) {
  const struct crm_facts *facts = patch->picture->facts;
  uint32_t id = facts->account.id[account];
  return touch(patch, crm_dict_text(&facts->text, id), crm_dict_len(&facts->text, id), err);
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

static bool is_key_given(const struct crm_patch *patch, enum crm_relation relation, uint64_t digest) {
  size_t at = crm_pairs_start(&patch->keys_by_digest, crm_key_tag(digest));
  for (;;) {
    uint32_t i = crm_pairs_next(&patch->keys_by_digest, crm_key_tag(digest), &at);
    if (i == CRM_PAIR_NONE)
      return false;
    if (patch->keys[i].relation == relation && patch->keys[i].digest == digest)
      return true;
  }
}

/* The key's row goes from wherever it is. */
static enum crm_status take_key(struct crm_patch *patch, enum crm_relation relation, uint64_t digest, struct crm_error *err) {
  if (is_key_given(patch, relation, digest))
    return CRM_OK;
  void *data = patch->keys;
  enum crm_status status = crm_vec_reserve(&data, &patch->keys_cap, patch->n_keys + 1, sizeof(*patch->keys));
  patch->keys = data;
  if (status != CRM_OK || crm_pairs_reserve(&patch->keys_by_digest, 1) != CRM_OK)
    return crm_patch_no_memory(err);
  patch->keys[patch->n_keys] = (struct crm_patch_key){relation, digest};
  crm_pairs_add(&patch->keys_by_digest, crm_key_tag(digest), (uint32_t)patch->n_keys++);
  const struct crm_picture *p = patch->picture;
  size_t at = crm_pairs_start(&p->keys[relation].owners, crm_key_tag(digest));
  for (;;) {
    uint32_t owner = crm_pairs_next(&p->keys[relation].owners, crm_key_tag(digest), &at);
    if (owner == CRM_PAIR_NONE)
      return CRM_OK;
    struct crm_touched *t = touch_account(patch, crm_pairs_find(&p->accounts, owner), err);
    if (t == NULL)
      return err->status;
    t->changed |= BIT(relation);
  }
}

/* --- days ---------------------------------------------------------------------------------------------------------- */

static uint32_t day_tag(enum crm_relation relation, uint32_t touched, crm_day day) {
  return (((uint32_t)day * 16 + (uint32_t)relation) * UINT32_C(0x9e3779b1)) ^ (touched * UINT32_C(0x85ebca6b));
}

/* NULL if that day of the account is not replaced. */
static struct crm_patch_day *find_day(const struct crm_patch *patch, enum crm_relation relation, const struct crm_touched *t, crm_day day) {
  uint32_t touched = (uint32_t)(t - patch->touched);
  uint32_t tag = day_tag(relation, touched, day);
  size_t at = crm_pairs_start(&patch->days_by_tag, tag);
  for (;;) {
    uint32_t i = crm_pairs_next(&patch->days_by_tag, tag, &at);
    if (i == CRM_PAIR_NONE)
      return NULL;
    struct crm_patch_day *d = &patch->days[i];
    if (d->relation == relation && d->touched == touched && d->day == day)
      return d;
  }
}

/* Notes come the last first: the first one counts. */
static enum crm_status take_day(struct crm_patch *patch, struct crm_touched *t, const struct crm_patch_note *n, struct crm_error *err) {
  t->by_day |= BIT(n->relation);
  struct crm_patch_day *known = find_day(patch, n->relation, t, n->day);
  if (known != NULL) {
    known->since = n->order;
    return CRM_OK;
  }
  void *data = patch->days;
  enum crm_status status = crm_vec_reserve(&data, &patch->days_cap, patch->n_days + 1, sizeof(*patch->days));
  patch->days = data;
  if (status != CRM_OK || crm_pairs_reserve(&patch->days_by_tag, 1) != CRM_OK)
    return crm_patch_no_memory(err);
  uint32_t touched = (uint32_t)(t - patch->touched);
  patch->days[patch->n_days] = (struct crm_patch_day){n->relation, touched, n->day, n->order};
  crm_pairs_add(&patch->days_by_tag, day_tag(n->relation, touched, n->day), (uint32_t)patch->n_days++);
  return CRM_OK;
}

/* Of a row that was given: the day's replacement that it is part of; NULL if there is none. */
static const struct crm_patch_day *day_of_row(const struct crm_patch *patch, enum crm_relation relation, const struct crm_touched *t,
                                              const struct crm_patch_row *row) {
  if (t == NULL || (t->by_day & BIT(relation)) == 0)
    return NULL;
  const struct crm_cell_value *day = cell_of(row, (unsigned)crm_relation_day(relation));
  return day == NULL ? NULL : find_day(patch, relation, t, day->day);
}

/* --- what was said ------------------------------------------------------------------------------------------------- */

static enum crm_status collect_notes(struct crm_patch *patch, struct crm_error *err) {
  for (const struct crm_patch_note *n = patch->replace; n != NULL; n = n->next) {
    struct crm_touched *t = touch(patch, n->text, n->len, err);
    if (t == NULL)
      return err->status;
    if (n->day != CRM_DAY_NONE) {
      enum crm_status status = take_day(patch, t, n, err);
      if (status != CRM_OK)
        return status;
      continue;
    }
    t->replaced |= BIT(n->relation);
    t->since[n->relation] = n->order; /* the list is the last first */
  }
  for (const struct crm_patch_note *n = patch->delete; n != NULL; n = n->next) {
    if (n->relation != CRM_REL_ACCOUNT) {
      enum crm_status status = take_key(patch, n->relation, digest_of(patch, n->text, n->len), err);
      if (status != CRM_OK)
        return status;
      continue;
    }
    struct crm_touched *t = touch(patch, n->text, n->len, err);
    if (t == NULL)
      return err->status;
    t->deleted = true;
  }
  return CRM_OK;
}

static enum crm_status collect_wholes(struct crm_patch *patch, struct crm_error *err) {
  const struct crm_facts *facts = patch->picture->facts;
  bool any = false;
  for (int r = 0; r < CRM_RELATIONS; r++)
    any = any || patch->all_since[r] != 0;
  for (uint32_t a = 0; any && a < facts->account.n; a++)
    if (!crm_is_garbage(facts, a) && touch_account(patch, a, err) == NULL)
      return err->status;
  return CRM_OK;
}

static enum crm_status collect_accounts(struct crm_patch *patch, struct crm_error *err) {
  for (const struct crm_patch_row *row = patch->rows[CRM_REL_ACCOUNT]; row != NULL; row = row->next) {
    const struct crm_cell_value *id = cell_of(row, CRM_IX_ACCOUNT_ID);
    if (!has_text(id) || row->order <= patch->all_since[CRM_REL_ACCOUNT])
      continue;
    struct crm_touched *t = touch(patch, id->text, id->len, err);
    if (t == NULL)
      return err->status;
    t->given = true;
  }
  return CRM_OK;
}

/* True if the row is part of what replaces a span, or came before that was announced. */
static bool is_of_span(const struct crm_patch *patch, enum crm_relation relation, const struct crm_touched *t) {
  return patch->all_since[relation] != 0 || (t != NULL && (t->replaced & BIT(relation)) != 0);
}

static enum crm_status collect_row(struct crm_patch *patch, enum crm_relation relation, const struct crm_patch_row *row,
                                   struct crm_error *err) {
  const struct crm_cell_value *id = cell_of(row, CRM_IX_ACCOUNT_ID);
  struct crm_touched *t = has_text(id) ? find_touched(patch, digest_of(patch, id->text, id->len), id->text, id->len) : NULL;
  if (is_of_span(patch, relation, t) || day_of_row(patch, relation, t, row) != NULL)
    return CRM_OK;
  if (!crm_picture_keyed(patch->picture, relation))
    return has_text(id)
               ? crm_error_set(err, CRM_ERR_DATA, "relation %s: a row without a usable key, of an account whose rows are not replaced",
                               crm_relation_info(relation)->name)
               : CRM_OK;
  const struct crm_cell_value *key = cell_of(row, 1);
  if (!has_text(key))
    return CRM_OK;
  enum crm_status status = take_key(patch, relation, digest_of(patch, key->text, key->len), err);
  if (status != CRM_OK || !has_text(id))
    return status;
  t = touch(patch, id->text, id->len, err);
  if (t == NULL)
    return err->status;
  t->changed |= BIT(relation);
  return CRM_OK;
}

static unsigned available_relations(const struct crm_patch *patch) {
  unsigned available = 0;
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (patch->picture->facts->available[r] || patch->all_since[r] != 0)
      available |= BIT(r);
  return available;
}

/* Which spans are made anew. */
static void settle(struct crm_patch *patch) {
  unsigned available = available_relations(patch);
  for (size_t i = 0; i < patch->n_touched; i++) {
    struct crm_touched *t = &patch->touched[i];
    for (int r = 1; r < CRM_RELATIONS; r++) {
      if (patch->all_since[r] == 0)
        continue;
      t->since[r] = (t->replaced & BIT(r)) == 0 || t->since[r] > patch->all_since[r] ? patch->all_since[r] : t->since[r];
      t->replaced |= BIT(r);
    }
    if (!t->given && t->old != CRM_NO_ROW && patch->all_since[CRM_REL_ACCOUNT] != 0)
      t->deleted = true;
    t->changed |= t->replaced | t->by_day;
    if (t->old == CRM_NO_ROW || t->deleted)
      t->changed |= available & ~BIT(CRM_REL_ACCOUNT);
    if ((t->changed & WITH_CONTACTS) != 0)
      t->changed |= WITH_CONTACTS & available;
  }
}

static enum crm_status collect(struct crm_patch *patch, struct crm_error *err) {
  enum crm_status status = collect_notes(patch, err);
  if (status == CRM_OK)
    status = collect_wholes(patch, err);
  if (status == CRM_OK)
    status = collect_accounts(patch, err);
  for (int r = 1; r < CRM_RELATIONS; r++)
    for (const struct crm_patch_row *row = patch->rows[r]; row != NULL && status == CRM_OK; row = row->next)
      status = collect_row(patch, (enum crm_relation)r, row, err);
  settle(patch);
  return status;
}

/* --- the patch's own facts ----------------------------------------------------------------------------------------- */

static const char *currency_code(const struct crm_facts *facts, uint16_t currency) {
  return currency == CRM_NO_CURRENCY ? "" : facts->currencies[currency].code;
}

static enum crm_status feed_accounts(struct crm_patch *patch, struct crm_builder *b, struct crm_error *err) {
  const struct crm_facts *facts = patch->picture->facts;
  struct crm_row full;
  enum crm_status status = CRM_OK;
  for (const struct crm_patch_row *row = patch->rows[CRM_REL_ACCOUNT]; row != NULL && status == CRM_OK; row = row->next) {
    /* Rows without an id cannot be told from those of the read before. */
    if (row->order <= patch->all_since[CRM_REL_ACCOUNT] || (!has_text(cell_of(row, 0)) && patch->all_since[CRM_REL_ACCOUNT] == 0))
      continue;
    unpack(row, &full, CRM_IX_ACCOUNT_COLUMNS);
    patch->rows_fed++;
    status = crm_builder_row(b, CRM_REL_ACCOUNT, &full, err);
  }
  for (size_t i = 0; i < patch->n_touched && status == CRM_OK; i++) {
    const struct crm_touched *t = &patch->touched[i];
    if (t->old != CRM_NO_ROW && !t->deleted && !t->given)
      status = crm_builder_seed(b, t->id, t->len, currency_code(facts, facts->account.currency[t->old]), err);
  }
  if (status == CRM_OK)
    status = crm_builder_seal(b, err);
  for (size_t i = 0; i < patch->n_touched && status == CRM_OK; i++)
    patch->touched[i].delta = crm_builder_find_account(b, patch->touched[i].id, patch->touched[i].len);
  return status;
}

/* What stays of the account's old span. `rows` has room for it. */
static uint32_t rows_that_stay(const struct crm_patch *patch, enum crm_relation relation, const struct crm_touched *t, uint32_t *rows) {
  const struct crm_facts *facts = patch->picture->facts;
  uint32_t start = crm_span_start(facts, relation, t->old);
  uint32_t n = crm_span_length(facts, relation, t->old);
  bool keyed = crm_has_key(relation) && patch->n_keys > 0;
  const crm_day *days = (t->by_day & BIT(relation)) != 0 ? crm_held_get(facts, crm_layout(relation)->columns[0].offset) : NULL;
  uint32_t kept = 0;
  for (uint32_t r = start; r < start + n; r++)
    if ((!keyed || !is_key_given(patch, relation, crm_picture_key_of(facts, relation, r))) &&
        (days == NULL || find_day(patch, relation, t, days[r]) == NULL))
      rows[kept++] = r;
  return kept;
}

static enum crm_status adopt(struct crm_patch *patch, struct crm_builder *b, enum crm_relation relation, struct crm_error *err) {
  const struct crm_facts *facts = patch->picture->facts;
  uint32_t *rows = NULL;
  size_t room = 0;
  enum crm_status status = CRM_OK;
  for (size_t i = 0; i < patch->n_touched && status == CRM_OK; i++) {
    const struct crm_touched *t = &patch->touched[i];
    if (t->old == CRM_NO_ROW || t->deleted || t->delta == CRM_NO_ROW || (t->changed & ~t->replaced & BIT(relation)) == 0)
      continue;
    size_t n = crm_span_length(facts, relation, t->old);
    if (n > room) {
      room = 2 * n;
      rows = crm_arena_alloc(&patch->work, room * sizeof(*rows));
      if (rows == NULL)
        return crm_patch_no_memory(err);
    }
    if (n > 0)
      status = crm_builder_adopt(b, relation, t->delta, facts, rows, rows_that_stay(patch, relation, t, rows), err);
  }
  return status;
}

/* False for rows that came before their span was announced, and for those that nothing would ever take back. */
static bool counts(const struct crm_patch *patch, enum crm_relation relation, const struct crm_patch_row *row) {
  const struct crm_cell_value *id = cell_of(row, CRM_IX_ACCOUNT_ID);
  if (!has_text(id))
    return patch->all_since[relation] != 0 ? row->order > patch->all_since[relation] : crm_has_key(relation) && has_text(cell_of(row, 1));
  const struct crm_touched *t = find_touched(patch, digest_of(patch, id->text, id->len), id->text, id->len);
  if (t != NULL && (t->replaced & BIT(relation)) != 0)
    return row->order > t->since[relation];
  if (patch->all_since[relation] != 0)
    return row->order > patch->all_since[relation];
  if (crm_has_key(relation))
    return has_text(cell_of(row, 1));
  const struct crm_patch_day *day = day_of_row(patch, relation, t, row);
  return day != NULL && row->order > day->since;
}

static enum crm_status feed_relation(struct crm_patch *patch, struct crm_builder *b, enum crm_relation relation, struct crm_error *err) {
  struct crm_row full;
  enum crm_status status = adopt(patch, b, relation, err);
  for (const struct crm_patch_row *row = patch->rows[relation]; row != NULL && status == CRM_OK; row = row->next) {
    if (!counts(patch, relation, row))
      continue;
    unpack(row, &full, crm_relation_info(relation)->n_columns);
    patch->rows_fed++;
    status = crm_builder_row(b, relation, &full, err);
  }
  return status;
}

static enum crm_status feed(struct crm_patch *patch, struct crm_builder *b, struct crm_error *err) {
  unsigned available = available_relations(patch);
  for (int r = 0; r < CRM_RELATIONS; r++)
    if ((available & BIT(r)) != 0)
      crm_builder_begin(b, (enum crm_relation)r, 0);
  enum crm_status status = feed_accounts(patch, b, err);
  if (status == CRM_OK && (available & BIT(CRM_REL_CONTACT)) != 0)
    status = feed_relation(patch, b, CRM_REL_CONTACT, err);
  for (int r = 1; r < CRM_RELATIONS && status == CRM_OK; r++)
    if (r != CRM_REL_CONTACT && (available & BIT(r)) != 0)
      status = feed_relation(patch, b, (enum crm_relation)r, err);
  return status;
}

static enum crm_status make_delta(struct crm_patch *patch, struct crm_error *err) {
  const struct crm_picture *p = patch->picture;
  size_t held = crm_picture_bytes(p) + crm_patch_bytes(patch);
  if (p->ceiling != 0 && held >= p->ceiling)
    return crm_picture_too_large(p, held, err);
  const struct crm_builder_options options = {.default_tenant = crm_dict_text(&p->facts->text, p->default_tenant),
                                              .default_currency = p->default_currency,
                                              .shard = p->facts->shard,
                                              .memory_ceiling = p->ceiling == 0 ? 0 : p->ceiling - held,
                                              .patchable = true};
  struct crm_builder *b;
  enum crm_status status = crm_builder_new_seed(&options, p->facts->text.seed, &b, err);
  if (status != CRM_OK)
    return status;
  status = feed(patch, b, err);
  if (status == CRM_OK)
    status = crm_builder_finish(b, &patch->delta, err);
  if (status == CRM_OK) {
    patch->ledger = b->ledger;
    crm_ledger_init(&b->ledger);
  }
  crm_builder_free(b);
  if (status == CRM_ERR_LIMIT && p->ceiling != 0) /* the builder knew of its part only */
    crm_error_prefix(err, "besides the %zu bytes held already", held);
  return status;
}

/* --- what is wanted besides ---------------------------------------------------------------------------------------- */

/* True if the account has an id of a contact that it had not. Both spans are ordered by id. */
static bool gained_contact(const struct crm_patch *patch, const struct crm_touched *t) {
  const struct crm_facts *old = patch->picture->facts;
  const struct crm_facts *new = patch->delta;
  uint32_t x = old->contact.first[t->old];
  uint32_t end = old->contact.first[t->old + 1];
  for (uint32_t y = new->contact.first[t->delta]; y < new->contact.first[t->delta + 1]; y++) {
    const char *id = crm_dict_text(&new->text, new->contact.id[y]);
    while (x < end && strcmp(crm_dict_text(&old->text, old->contact.id[x]), id) < 0)
      x++;
    if (x == end || strcmp(crm_dict_text(&old->text, old->contact.id[x]), id) != 0)
      return true;
  }
  return false;
}

static unsigned wanted_of(const struct crm_patch *patch, const struct crm_touched *t) {
  unsigned available = available_relations(patch) & ~BIT(CRM_REL_ACCOUNT) & ~t->replaced;
  unsigned wanted = 0;
  for (int r = 1; r < CRM_RELATIONS && t->by_day != 0; r++)
    if ((t->by_day & BIT(r)) != 0 && crm_ledger_has_account(&patch->picture->ledger, (enum crm_relation)r, t->digest))
      wanted |= BIT(r);
  if (t->deleted || (t->old == CRM_NO_ROW && t->delta != CRM_NO_ROW))
    return available;
  if (t->delta == CRM_NO_ROW)
    return wanted & available;
  const struct crm_facts *old = patch->picture->facts;
  const struct crm_facts *new = patch->delta;
  if (t->given && strcmp(currency_code(old, old->account.currency[t->old]), currency_code(new, new->account.currency[t->delta])) != 0)
    wanted |= WITH_CURRENCY;
  if ((t->changed & BIT(CRM_REL_CONTACT)) != 0 && (available & BIT(CRM_REL_ENGAGEMENT)) != 0 && gained_contact(patch, t))
    wanted |= BIT(CRM_REL_ENGAGEMENT);
  return wanted & available;
}

static enum crm_status want(struct crm_patch *patch, struct crm_error *err) {
  for (size_t i = 0; i < patch->n_touched; i++) {
    const struct crm_touched *t = &patch->touched[i];
    unsigned wanted = wanted_of(patch, t);
    for (int r = 1; r < CRM_RELATIONS; r++) {
      if ((wanted & BIT(r)) == 0)
        continue;
      void *data = patch->wants;
      enum crm_status status = crm_vec_reserve(&data, &patch->wants_cap, patch->n_wants + 1, sizeof(*patch->wants));
      patch->wants = data;
      if (status != CRM_OK)
        return crm_patch_no_memory(err);
      patch->wants[patch->n_wants++] = (struct crm_patch_want){(enum crm_relation)r, t->id, t->len};
    }
  }
  return CRM_OK;
}

enum crm_status crm_patch_prepare(struct crm_patch *patch, struct crm_error *err) {
  struct crm_error unwanted;
  if (err == NULL)
    err = &unwanted;
  crm_patch_unprepare(patch);
  if (patch->applied)
    return crm_error_set(err, CRM_ERR_DATA, "the patch was applied already");
  patch->begun = true;
  patch->rows_fed = 0;
  enum crm_status status = collect(patch, err);
  if (status == CRM_OK)
    status = make_delta(patch, err);
  if (status == CRM_OK)
    status = want(patch, err);
  if (status != CRM_OK)
    crm_patch_unprepare(patch);
  patch->prepared = status == CRM_OK;
  return status;
}
