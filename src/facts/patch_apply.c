/* SPDX-License-Identifier: MIT */
/* Applying a prepared patch. First everything that can fail: room, texts, currencies, tenants; then everything that cannot. */
#include "crm_config.h"

#include <stdlib.h>
#include <string.h>

#include "facts/patch_internal.h"

#define BIT(relation) (1u << (relation))

/* --- room --------------------------------------------------------------------------------------------------------- */

/* How many more of each there may be. */
struct need {
  uint64_t rows[CRM_RELATIONS], contacts;
  uint32_t new_accounts; /* that were not there in any form */
};

/* True if the account stays where it is: every span that is new is as long as the old one. */
static bool fits(const struct crm_patch *patch, const struct crm_touched *t) {
  const struct crm_facts *old = patch->picture->facts;
  if (t->old == CRM_NO_ROW)
    return false;
  for (int r = 1; r < CRM_RELATIONS; r++)
    if ((t->changed & BIT(r)) != 0 &&
        crm_span_length(old, (enum crm_relation)r, t->old) != crm_span_length(patch->delta, (enum crm_relation)r, t->delta))
      return false;
  return (t->changed & BIT(CRM_REL_ENGAGEMENT)) == 0 || crm_list_length(old, t->old) == crm_list_length(patch->delta, t->delta);
}

static void add_need(const struct crm_patch *patch, const struct crm_touched *t, struct need *need) {
  const struct crm_facts *old = patch->picture->facts;
  if (t->delta == CRM_NO_ROW || fits(patch, t))
    return;
  need->rows[CRM_REL_ACCOUNT]++;
  need->new_accounts += t->old == CRM_NO_ROW;
  bool all = t->old == CRM_NO_ROW;
  for (int r = 1; r < CRM_RELATIONS; r++) {
    bool from_patch = all || (t->changed & BIT(r)) != 0;
    need->rows[r] +=
        from_patch ? crm_span_length(patch->delta, (enum crm_relation)r, t->delta) : crm_span_length(old, (enum crm_relation)r, t->old);
  }
  need->contacts +=
      all || (t->changed & BIT(CRM_REL_ENGAGEMENT)) != 0 ? crm_list_length(patch->delta, t->delta) : crm_list_length(old, t->old);
}

/* What there is room for afterwards; with slack, so that not every patch moves every column. A large one is not copied but mapped anew where
 * it grows (mremap), so little slack does. */
static uint64_t wanted_room(uint64_t n, uint64_t more, uint64_t cap, bool slack) {
  uint64_t wanted = n + more;
  if (wanted <= cap)
    return cap;
  if (slack)
    wanted += wanted / 64 + 16;
  return wanted < CRM_NO_ROW ? wanted : CRM_NO_ROW - 1;
}

static uint64_t room_of(const struct crm_facts *facts, int relation, const struct need *need, bool slack) {
  uint32_t n = crm_layout_n(facts, crm_layout((enum crm_relation)relation));
  return wanted_room(n, need->rows[relation], facts->cap[relation], slack);
}

static uint64_t contacts_of(const struct crm_facts *facts, const struct need *need, bool slack) {
  return wanted_room(facts->engagement.contact_first[facts->engagement.n], need->contacts, facts->contact_cap, slack);
}

static size_t bytes_more(const struct crm_facts *facts, const struct need *need, bool slack) {
  size_t more = (contacts_of(facts, need, slack) - facts->contact_cap) * sizeof(uint32_t);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    size_t size = crm_layout_row_size(crm_layout((enum crm_relation)r));
    size += r == CRM_REL_ACCOUNT ? (CRM_RELATIONS - 1) * sizeof(uint32_t) : r == CRM_REL_ENGAGEMENT ? sizeof(uint32_t) : 0;
    more += (room_of(facts, r, need, slack) - facts->cap[r]) * size;
  }
  return more;
}

static bool resize(void **data, size_t n, size_t size) {
  void *resized = realloc(*data, n * size == 0 ? 1 : n * size);
  if (resized == NULL)
    return false;
  *data = resized;
  return true;
}

static bool resize_held(struct crm_facts *facts, size_t offset, size_t n, size_t size) {
  void *data = crm_held_get(facts, offset);
  bool done = resize(&data, n, size);
  crm_held_set(facts, offset, data);
  return done;
}

static bool make_room(struct crm_facts *facts, int relation, uint64_t cap) {
  const struct crm_layout *layout = crm_layout((enum crm_relation)relation);
  if (cap == facts->cap[relation])
    return true;
  for (size_t c = 0; c < layout->n_columns; c++)
    if (!resize_held(facts, layout->columns[c].offset, cap, crm_hold_size(layout->columns[c].hold)))
      return false;
  for (int r = 1; relation == CRM_REL_ACCOUNT && r < CRM_RELATIONS; r++)
    if (!resize_held(facts, crm_layout((enum crm_relation)r)->first, cap + 1, sizeof(uint32_t)))
      return false;
  if (relation == CRM_REL_ENGAGEMENT &&
      !resize_held(facts, offsetof(struct crm_facts, engagement.contact_first), cap + 1, sizeof(uint32_t)))
    return false;
  facts->cap[relation] = (uint32_t)cap;
  return true;
}

static bool make_all_room(struct crm_facts *facts, const struct need *need, bool slack) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (!make_room(facts, r, room_of(facts, r, need, slack)))
      return false;
  uint64_t contacts = contacts_of(facts, need, slack);
  if (contacts == facts->contact_cap)
    return true;
  if (!resize_held(facts, offsetof(struct crm_facts, engagement.contact), contacts, sizeof(uint32_t)))
    return false;
  facts->contact_cap = (uint32_t)contacts;
  return true;
}

static void find_again(struct crm_patch *patch) {
  for (size_t i = 0; i < patch->n_touched; i++)
    patch->touched[i].old = crm_picture_find(patch->picture, patch->touched[i].id, patch->touched[i].len);
}

static enum crm_status check_numbers(const struct crm_facts *facts, const struct need *need, struct crm_error *err) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (crm_layout_n(facts, crm_layout((enum crm_relation)r)) + need->rows[r] >= CRM_NO_ROW)
      return crm_error_set(err, CRM_ERR_LIMIT, "relation %s has more than %u rows", crm_relation_info((enum crm_relation)r)->name,
                           CRM_NO_ROW - 1);
  if (facts->engagement.contact_first[facts->engagement.n] + need->contacts >= CRM_NO_ROW)
    return crm_error_set(err, CRM_ERR_LIMIT, "relation engagement names more than %u contacts", CRM_NO_ROW - 1);
  return CRM_OK;
}

static enum crm_status reserve_rows(struct crm_patch *patch, const struct need *need, bool *squeezed, struct crm_error *err) {
  struct crm_picture *p = patch->picture;
  size_t held = crm_picture_bytes(p) + crm_patch_bytes(patch);
  bool slack = p->ceiling == 0 || held + bytes_more(p->facts, need, true) <= p->ceiling;
  if (!slack && held + bytes_more(p->facts, need, false) > p->ceiling) {
    crm_picture_squeeze(p);
    find_again(patch);
    *squeezed = true;
    held = crm_picture_bytes(p) + crm_patch_bytes(patch);
    if (held + bytes_more(p->facts, need, false) > p->ceiling)
      return crm_picture_too_large(p, held + bytes_more(p->facts, need, false), err);
  }
  enum crm_status status = check_numbers(p->facts, need, err);
  if (status != CRM_OK)
    return status;
  return make_all_room(p->facts, need, slack) ? CRM_OK : crm_patch_no_memory(err);
}

static enum crm_status reserve_all(struct crm_patch *patch, bool *squeezed, struct crm_error *err) {
  struct crm_picture *p = patch->picture;
  struct need need = {.contacts = 0};
  for (size_t i = 0; i < patch->n_touched; i++)
    add_need(patch, &patch->touched[i], &need);
  enum crm_status status = reserve_rows(patch, &need, squeezed, err);
  if (status != CRM_OK)
    return status;
  status = crm_ledger_reserve(&p->ledger, patch->ledger.n);
  if (status == CRM_OK)
    status = crm_pairs_reserve(&p->accounts, need.new_accounts);
  for (int r = 1; r < CRM_RELATIONS && status == CRM_OK; r++)
    if (p->keys[r].made)
      status = crm_pairs_reserve(&p->keys[r].owners, patch->delta->rows[r]);
  return status == CRM_OK ? CRM_OK : crm_patch_no_memory(err);
}

/* --- numbers of texts, currencies, tenants ------------------------------------------------------------------------- */

static enum crm_status map_text(struct crm_splice *s, uint32_t number, struct crm_error *err) {
  if (s->text[number] != CRM_DICT_NONE)
    return CRM_OK;
  const struct crm_dict *from = &s->from->text;
  enum crm_status status = crm_dict_add(&s->to->text, crm_dict_text(from, number), crm_dict_len(from, number), &s->text[number]);
  if (status == CRM_ERR_LIMIT)
    return crm_error_set(err, status, "the CRM's texts take more than 4 GiB");
  return status == CRM_OK ? CRM_OK : crm_patch_no_memory(err);
}

static enum crm_status map_row_texts(struct crm_splice *s, enum crm_relation relation, uint32_t start, uint32_t n, struct crm_error *err) {
  const struct crm_layout *layout = crm_layout(relation);
  enum crm_status status = CRM_OK;
  for (size_t c = 0; c < layout->n_columns; c++) {
    if (layout->columns[c].hold != CRM_HOLD_TEXT)
      continue;
    const uint32_t *column = crm_held_get(s->from, layout->columns[c].offset);
    for (uint32_t i = start; i < start + n && status == CRM_OK; i++)
      status = map_text(s, column[i], err);
  }
  return status;
}

static enum crm_status map_currencies(struct crm_splice *s, struct crm_error *err) {
  struct crm_facts *to = s->to;
  for (uint16_t i = 0; i < s->from->n_currencies; i++) {
    uint16_t k = 0;
    while (k < to->n_currencies && strcmp(to->currencies[k].code, s->from->currencies[i].code) != 0)
      k++;
    if (k == CRM_CURRENCIES_MAX)
      return crm_error_set(err, CRM_ERR_LIMIT, "the CRM uses more than %d currencies", CRM_CURRENCIES_MAX);
    if (k == to->n_currencies)
      to->currencies[to->n_currencies++] = s->from->currencies[i];
    s->currency[i] = k;
  }
  return CRM_OK;
}

/* Tenants that are new go behind the others until order_tenants. */
static enum crm_status map_tenant(struct crm_splice *s, uint16_t tenant, struct crm_error *err) {
  struct crm_facts *to = s->to;
  enum crm_status status = map_text(s, s->from->tenants[tenant], err);
  if (status != CRM_OK)
    return status;
  uint32_t text = s->text[s->from->tenants[tenant]];
  uint16_t k = 0;
  while (k < to->n_tenants && to->tenants[k] != text)
    k++;
  if (k == CRM_TENANTS_MAX)
    return crm_error_set(err, CRM_ERR_LIMIT, "relation account names more than %d tenants", CRM_TENANTS_MAX);
  if (k == to->n_tenants)
    to->tenants[to->n_tenants++] = text;
  s->tenant[tenant] = k;
  return CRM_OK;
}

static enum crm_status map_numbers(struct crm_patch *patch, struct crm_splice *s, struct crm_error *err) {
  s->text[0] = 0;
  enum crm_status status = CRM_OK;
  for (int r = 1; r < CRM_RELATIONS && status == CRM_OK; r++)
    status = map_row_texts(s, (enum crm_relation)r, 0, crm_layout_n(s->from, crm_layout((enum crm_relation)r)), err);
  for (size_t i = 0; i < patch->n_touched && status == CRM_OK; i++)
    if (patch->touched[i].given && patch->touched[i].delta != CRM_NO_ROW)
      status = map_row_texts(s, CRM_REL_ACCOUNT, patch->touched[i].delta, 1, err);
  const struct crm_picture *p = patch->picture;
  if (status == CRM_OK && p->ceiling != 0 && crm_picture_bytes(p) + crm_patch_bytes(patch) > p->ceiling)
    status = crm_picture_too_large(p, crm_picture_bytes(p) + crm_patch_bytes(patch), err);
  if (status == CRM_OK)
    status = map_currencies(s, err);
  for (size_t i = 0; i < patch->n_touched && status == CRM_OK; i++)
    if (patch->touched[i].given && patch->touched[i].delta != CRM_NO_ROW)
      status = map_tenant(s, s->from->account.tenant[patch->touched[i].delta], err);
  return status;
}

static int compare_tenants(const void *x, const void *y, void *ctx) {
  const struct crm_facts *facts = ctx;
  return strcmp(crm_dict_text(&facts->text, facts->tenants[*(const uint16_t *)x]),
                crm_dict_text(&facts->text, facts->tenants[*(const uint16_t *)y]));
}

/* Numbers the tenants that have accounts in the order of their names, as a full read does. `before`: how many there were. */
static void order_tenants(struct crm_picture *p, uint16_t before) {
  struct crm_facts *facts = p->facts;
  bool in_order = facts->n_tenants == before;
  for (uint16_t t = 0; t < facts->n_tenants; t++)
    in_order = in_order && p->tenant_accounts[t] > 0;
  if (in_order)
    return;
  uint16_t order[CRM_TENANTS_MAX];
  uint16_t renumber[CRM_TENANTS_MAX] = {0};
  uint32_t texts[CRM_TENANTS_MAX];
  uint32_t accounts[CRM_TENANTS_MAX] = {0};
  uint16_t n = 0;
  for (uint16_t t = 0; t < facts->n_tenants; t++)
    if (p->tenant_accounts[t] > 0)
      order[n++] = t;
  qsort_r(order, n, sizeof(order[0]), compare_tenants, facts);
  for (uint16_t i = 0; i < n; i++) {
    renumber[order[i]] = i;
    texts[i] = facts->tenants[order[i]];
    accounts[i] = p->tenant_accounts[order[i]];
  }
  for (uint32_t a = 0; a < facts->account.n; a++)
    facts->account.tenant[a] = renumber[facts->account.tenant[a]];
  if (n == 0) /* a CRM without accounts still has its zeros */
    texts[n++] = p->default_tenant;
  facts->n_tenants = n;
  memcpy(facts->tenants, texts, n * sizeof(texts[0]));
  memcpy(p->tenant_accounts, accounts, sizeof(accounts));
}

/* --- what cannot fail ---------------------------------------------------------------------------------------------- */

struct applying {
  struct crm_patch *patch;
  struct crm_picture *picture;
  struct crm_splice splice;
  struct crm_patch_applied *applied;
};

/* What an account counts for, before (sign -1) and after (+1). */
static void count_account(const struct applying *a, uint32_t account, int sign) {
  struct crm_facts *facts = a->picture->facts;
  uint64_t one = (uint64_t)(int64_t)sign; /* wraps */
  facts->rows[CRM_REL_ACCOUNT] += one;
  for (int r = 1; r < CRM_RELATIONS; r++)
    facts->rows[r] += one * crm_span_length(facts, (enum crm_relation)r, account);
  a->picture->tenant_accounts[facts->account.tenant[account]] += (uint32_t)one;
  facts->rejected[CRM_REL_ACCOUNT][CRM_REJECT_UNDATED_CHURN] += crm_undated_churn(facts, account) ? one : 0;
}

static void make_garbage(struct crm_facts *facts, uint32_t account) {
  facts->account.created_at[account] = CRM_TIME_NEVER;
  facts->account.id[account] = 0;
  facts->account.tenant[account] = 0;
}

static void append_span(const struct applying *a, const struct crm_touched *t, enum crm_relation relation) {
  const struct crm_layout *layout = crm_layout(relation);
  struct crm_facts *facts = a->picture->facts;
  uint32_t account = facts->account.n;
  uint32_t *first = crm_held_get(facts, layout->first);
  uint32_t to = first[account];
  bool from_patch = t->old == CRM_NO_ROW || (t->changed & BIT(relation)) != 0;
  const struct crm_facts *origin = from_patch ? a->patch->delta : facts;
  uint32_t from_account = from_patch ? t->delta : t->old;
  uint32_t from = crm_span_start(origin, relation, from_account);
  uint32_t n = crm_span_length(origin, relation, from_account);
  if (from_patch)
    (void)crm_splice_rows(&a->splice, relation, to, from, n);
  else
    crm_shift_rows(facts, relation, to, from, n);
  if (relation == CRM_REL_ENGAGEMENT) {
    uint32_t list = facts->engagement.contact_first[to];
    uint32_t shift = facts->contact.first[account] - origin->contact.first[from_account];
    if (from_patch)
      (void)crm_splice_lists(&a->splice, to, list, from, n, shift);
    else
      crm_shift_lists(facts, to, list, from, n, shift);
  }
  first[account + 1] = to + n;
  crm_layout_set_n(facts, layout, to + n);
}

/* Behind the last account. Contacts have to come behind engagements: those look up where contacts are going to be. */
static void append_account(const struct applying *a, const struct crm_touched *t) {
  struct crm_facts *facts = a->picture->facts;
  uint32_t account = facts->account.n;
  for (int r = 1; r < CRM_RELATIONS; r++)
    append_span(a, t, (enum crm_relation)r);
  if (t->given)
    (void)crm_splice_rows(&a->splice, CRM_REL_ACCOUNT, account, t->delta, 1);
  else
    crm_shift_rows(facts, CRM_REL_ACCOUNT, account, t->old, 1);
  facts->account.n = account + 1;
}

static bool write_in_place(const struct applying *a, const struct crm_touched *t) {
  struct crm_facts *facts = a->picture->facts;
  const struct crm_facts *delta = a->patch->delta;
  bool changed = t->given && crm_splice_rows(&a->splice, CRM_REL_ACCOUNT, t->old, t->delta, 1);
  for (int r = 1; r < CRM_RELATIONS; r++) {
    enum crm_relation relation = (enum crm_relation)r;
    if ((t->changed & BIT(r)) == 0)
      continue;
    uint32_t to = crm_span_start(facts, relation, t->old);
    uint32_t from = crm_span_start(delta, relation, t->delta);
    uint32_t n = crm_span_length(delta, relation, t->delta);
    bool differs = crm_splice_rows(&a->splice, relation, to, from, n);
    if (relation == CRM_REL_ENGAGEMENT) {
      uint32_t shift = facts->contact.first[t->old] - delta->contact.first[t->delta];
      differs = crm_splice_lists(&a->splice, to, crm_list_start(facts, t->old), from, n, shift) || differs;
    }
    changed = changed || differs;
  }
  return changed;
}

static void apply_account(const struct applying *a, struct crm_touched *t) {
  struct crm_picture *p = a->picture;
  struct crm_facts *facts = p->facts;
  if (t->old == CRM_NO_ROW && t->delta == CRM_NO_ROW)
    return;
  bool was_undated = t->old != CRM_NO_ROW && crm_undated_churn(facts, t->old);
  uint32_t id = t->old == CRM_NO_ROW ? 0 : facts->account.id[t->old];
  bool changed = true;
  bool stays = t->delta != CRM_NO_ROW && fits(a->patch, t);
  if (t->old != CRM_NO_ROW)
    count_account(a, t->old, -1);
  if (stays) {
    changed = write_in_place(a, t);
  } else {
    uint32_t moved = facts->account.n;
    if (t->delta != CRM_NO_ROW)
      append_account(a, t);
    if (t->old != CRM_NO_ROW) {
      crm_pairs_remove(&p->accounts, id, t->old);
      make_garbage(facts, t->old);
    }
    t->old = CRM_NO_ROW;
    if (t->delta != CRM_NO_ROW) {
      crm_pairs_add(&p->accounts, facts->account.id[moved], moved);
      t->old = moved;
    }
  }
  if (t->old != CRM_NO_ROW) {
    count_account(a, t->old, 1);
    a->applied->rejected[CRM_REL_ACCOUNT][CRM_REJECT_UNDATED_CHURN] += !was_undated && crm_undated_churn(facts, t->old);
  }
  a->applied->accounts += changed;
}

static void apply_accounts(const struct applying *a) {
  struct crm_patch *patch = a->patch;
  for (size_t i = 0; i < patch->n_touched; i++)
    for (int r = 1; r < CRM_RELATIONS; r++)
      if (patch->touched[i].old != CRM_NO_ROW && (patch->touched[i].changed & BIT(r)) != 0)
        crm_keys_remove(a->picture, (enum crm_relation)r, patch->touched[i].old);
  for (size_t i = 0; i < patch->n_touched; i++)
    apply_account(a, &patch->touched[i]);
  /* All keys are out before the first goes in: one that moves is at no time in two accounts. */
  for (size_t i = 0; i < patch->n_touched; i++)
    for (int r = 1; r < CRM_RELATIONS; r++)
      if (patch->touched[i].old != CRM_NO_ROW && (patch->touched[i].changed & BIT(r)) != 0)
        crm_keys_add(a->picture, (enum crm_relation)r, patch->touched[i].old);
}

static void forget_refused(const struct applying *a) {
  struct crm_patch *patch = a->patch;
  struct crm_ledger *ledger = &a->picture->ledger;
  uint64_t(*rejected)[CRM_REJECTS] = a->picture->facts->rejected;
  for (int r = 0; r < CRM_RELATIONS; r++)
    if (patch->all_since[r] != 0)
      crm_ledger_forget_relation(ledger, (enum crm_relation)r, rejected[r]);
  for (size_t i = 0; i < patch->n_touched; i++) {
    const struct crm_touched *t = &patch->touched[i];
    for (int r = 0; r < CRM_RELATIONS; r++)
      if (t->deleted || (t->replaced & BIT(r)) != 0 || (r == CRM_REL_ACCOUNT && t->given))
        crm_ledger_forget_account(ledger, (enum crm_relation)r, t->digest, rejected[r]);
  }
  for (size_t i = 0; i < patch->n_keys; i++)
    crm_ledger_forget_key(ledger, patch->keys[i].relation, patch->keys[i].digest, rejected[patch->keys[i].relation]);
}

/* Room was reserved. */
static void note_refused(const struct applying *a, enum crm_relation relation, uint64_t account, uint64_t key, enum crm_reject reason,
                         uint32_t count) {
  if (crm_ledger_add(&a->picture->ledger, relation, account, key, reason, count) == CRM_OK)
    a->picture->facts->rejected[relation][reason] += count;
  a->applied->rejected[relation][reason] += count;
}

static void count_refused(const struct applying *a) {
  const struct crm_patch *patch = a->patch;
  forget_refused(a);
  for (size_t i = 0; i < patch->ledger.n; i++) {
    const struct crm_ledger_entry *e = &patch->ledger.entries[i];
    if (e->count > 0)
      note_refused(a, (enum crm_relation)e->relation, e->account, e->key, (enum crm_reject)e->reason, e->count);
  }
  for (int r = 0; r < CRM_RELATIONS; r++)
    for (int reason = 0; reason < CRM_REJECTS; reason++) {
      uint64_t loose = patch->ledger.loose[r][reason];
      if (patch->all_since[r] != 0)
        loose += patch->undecoded[r][reason];
      else
        a->applied->rejected[r][reason] += patch->undecoded[r][reason];
      note_refused(a, (enum crm_relation)r, 0, 0, (enum crm_reject)reason, (uint32_t)loose);
    }
}

static void apply_all(const struct applying *a) {
  struct crm_facts *facts = a->picture->facts;
  const struct crm_patch *patch = a->patch;
  apply_accounts(a);
  count_refused(a);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    facts->available[r] = facts->available[r] || patch->all_since[r] != 0;
    if (patch->read_at[r] != CRM_TIME_NONE)
      facts->read_at[r] = patch->read_at[r];
  }
}

enum crm_status crm_patch_apply(struct crm_patch *patch, struct crm_patch_applied *applied, struct crm_error *err) {
  struct crm_patch_applied unasked;
  struct crm_error unwanted;
  if (applied == NULL)
    applied = &unasked;
  if (err == NULL)
    err = &unwanted;
  *applied = (struct crm_patch_applied){.rows = patch->rows_fed};
  if (!patch->prepared)
    return crm_error_set(err, CRM_ERR_DATA, "the patch is not prepared");
  if (patch->n_wants > 0)
    return crm_error_set(err, CRM_ERR_DATA, "the patch lacks rows of %zu accounts and relations that it needs, %s first", patch->n_wants,
                         crm_relation_info(patch->wants[0].relation)->name);
  struct crm_picture *p = patch->picture;
  struct applying a = {.patch = patch, .picture = p, .splice = {.to = p->facts, .from = patch->delta}, .applied = applied};
  a.splice.text = crm_arena_alloc(&patch->work, patch->delta->text.count * sizeof(*a.splice.text));
  a.splice.tenant = crm_arena_alloc(&patch->work, (size_t)patch->delta->n_tenants * sizeof(*a.splice.tenant));
  if (a.splice.text == NULL || a.splice.tenant == NULL)
    return crm_patch_no_memory(err);
  memset(a.splice.text, 0xFF, patch->delta->text.count * sizeof(*a.splice.text)); /* CRM_DICT_NONE */
  uint16_t n_tenants = p->facts->n_tenants;
  enum crm_status status = reserve_all(patch, &applied->squeezed, err);
  if (status == CRM_OK)
    status = map_numbers(patch, &a.splice, err);
  if (status == CRM_OK) {
    apply_all(&a);
    patch->applied = true;
  }
  order_tenants(p, n_tenants); /* after an error too: those added have no account */
  if (status == CRM_OK) {
    crm_patch_unprepare(patch);
    if (crm_picture_is_loose(p)) {
      crm_picture_squeeze(p);
      applied->squeezed = true;
    }
  }
  return status;
}
