/* SPDX-License-Identifier: MIT */
/* Sealing the accounts: one row per id, ordered by tenant and id, found by id. */
#include <stdlib.h>
#include <string.h>

#include "facts/builder_internal.h"

struct by_text {
  const struct crm_dict *text;
  const uint32_t *number; /* per row */
};

static int compare_texts(const void *ctx, uint32_t a, uint32_t b) {
  const struct by_text *by = ctx;
  if (by->number[a] == by->number[b])
    return 0;
  return strcmp(crm_dict_text(by->text, by->number[a]), crm_dict_text(by->text, by->number[b]));
}

/* Canonical order of two rows with one id. */
static int compare_accounts(const struct crm_builder *b, uint32_t x, uint32_t y) {
  struct by_text tenants = {&b->facts->text, b->stage[CRM_REL_ACCOUNT].account};
  int order = compare_texts(&tenants, x, y);
  return order != 0 ? order : crm_compare_rows(b->facts, crm_layout(CRM_REL_ACCOUNT), x, y);
}

/* Of the rows with one id, keeps the one that comes first in canonical order: holders[text of the id] is that row. Returns how many ids
 * there are. */
static uint32_t drop_duplicates(struct crm_builder *b, uint32_t *holders) {
  struct crm_facts *facts = b->facts;
  memset(holders, 0xFF, facts->text.count * sizeof(*holders)); /* CRM_NO_ROW */
  uint32_t kept = 0;
  for (uint32_t r = 0; r < facts->account.n; r++) {
    uint32_t *holder = &holders[facts->account.id[r]];
    if (*holder == CRM_NO_ROW) {
      *holder = r;
      kept++;
      continue;
    }
    uint32_t id = facts->account.id[r];
    uint64_t digest = crm_digest_of(facts->text.seed, crm_dict_text(&facts->text, id), crm_dict_len(&facts->text, id));
    crm_builder_refuse(b, CRM_REL_ACCOUNT, digest, 0, CRM_REJECT_DUPLICATE);
    if (compare_accounts(b, r, *holder) < 0)
      *holder = r;
  }
  return kept;
}

/* Fills items with the rows kept, ordered by tenant and id. */
static void order_accounts(struct crm_builder *b, const uint32_t *holders, struct crm_sort_item *items, struct crm_sort_item *scratch,
                           uint32_t kept) {
  struct crm_facts *facts = b->facts;
  const uint32_t *tenant = b->stage[CRM_REL_ACCOUNT].account;
  uint32_t n = 0;
  bool one_tenant = true;
  for (uint32_t r = 0; r < facts->account.n; r++) {
    if (holders[facts->account.id[r]] != r)
      continue;
    items[n++] = (struct crm_sort_item){crm_sort_key_text(crm_dict_text(&facts->text, facts->account.id[r])), r};
    one_tenant = one_tenant && tenant[r] == tenant[items[0].row];
  }
  crm_sort(items, scratch, kept, compare_texts, &(struct by_text){&facts->text, facts->account.id});
  if (one_tenant)
    return;
  for (uint32_t i = 0; i < kept; i++)
    items[i].key = crm_sort_key_text(crm_dict_text(&facts->text, tenant[items[i].row]));
  crm_sort(items, scratch, kept, compare_texts, &(struct by_text){&facts->text, tenant}); /* stable: ids stay in order */
}

/* Numbers the tenants in the order in which the ordered accounts name them, which is that of their names. */
static enum crm_status number_tenants(struct crm_builder *b, const struct crm_sort_item *items, uint32_t kept, struct crm_error *err) {
  struct crm_facts *facts = b->facts;
  const uint32_t *text = b->stage[CRM_REL_ACCOUNT].account;
  facts->tenants = malloc(CRM_TENANTS_MAX * sizeof(*facts->tenants));
  if (facts->tenants == NULL)
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  for (uint32_t i = 0; i < kept; i++) {
    uint32_t tenant = text[items[i].row];
    if (facts->n_tenants == 0 || facts->tenants[facts->n_tenants - 1] != tenant) {
      if (facts->n_tenants == CRM_TENANTS_MAX)
        return crm_error_set(err, CRM_ERR_LIMIT, "relation account names more than %d tenants", CRM_TENANTS_MAX);
      facts->tenants[facts->n_tenants++] = tenant;
    }
    facts->account.tenant[items[i].row] = (uint16_t)(facts->n_tenants - 1);
  }
  if (facts->n_tenants == 0)
    facts->tenants[facts->n_tenants++] = b->default_tenant; /* a CRM without accounts still has its zeros */
  return CRM_OK;
}

/* --- look-up ------------------------------------------------------------------------------------------------------ */

static uint32_t hash_of(const struct crm_builder *b, const char *id, size_t len) {
  return (uint32_t)(crm_hash(b->facts->text.seed, id, len) >> 32);
}

/* holders is used again: text of an id -> account. */
static enum crm_status index_accounts(struct crm_builder *b, uint32_t *holders, uint32_t n_texts, struct crm_error *err) {
  const struct crm_facts *facts = b->facts;
  uint32_t n = facts->account.n;
  size_t n_slots = 16;
  while (n_slots < (size_t)n * 2) /* at most half full */
    n_slots *= 2;
  b->entries = crm_builder_array(b, n, sizeof(*b->entries), CRM_REL_ACCOUNT, err);
  if (b->entries == NULL)
    return err->status;
  b->slots = crm_builder_array(b, n_slots, sizeof(*b->slots), CRM_REL_ACCOUNT, err);
  if (b->slots == NULL)
    return err->status;
  b->n_slots = n_slots;
  b->last_entry = 0;
  for (size_t i = 0; i < n_slots; i++)
    b->slots[i].entry = CRM_NO_ROW;
  for (uint32_t a = 0; a < n; a++)
    holders[facts->account.id[a]] = a;
  uint32_t entry = 0;
  for (uint32_t id = 0; id < n_texts; id++) {
    if (holders[id] == CRM_NO_ROW)
      continue;
    uint32_t len = (uint32_t)crm_dict_len(&facts->text, id);
    uint32_t hash = hash_of(b, crm_dict_text(&facts->text, id), len);
    size_t i = hash & (n_slots - 1);
    while (b->slots[i].entry != CRM_NO_ROW)
      i = (i + 1) & (n_slots - 1);
    b->slots[i] = (struct crm_account_slot){.hash = hash, .entry = entry};
    b->entries[entry++] = (struct crm_account_entry){.start = facts->text.start[id], .len = len, .account = holders[id]};
  }
  return CRM_OK;
}

static bool is_entry(const struct crm_builder *b, uint32_t entry, const char *id, size_t len) {
  const struct crm_account_entry *e = &b->entries[entry];
  return e->len == len && memcmp(b->facts->text.bytes + e->start, id, len) == 0;
}

uint32_t crm_builder_find_account(struct crm_builder *b, const char *id, size_t len) {
  uint32_t n = b->facts->account.n;
  if (n == 0)
    return CRM_NO_ROW;
  uint32_t last = b->last_entry;
  if (is_entry(b, last, id, len))
    return b->entries[last].account;
  uint32_t next = last + 1 < n ? last + 1 : 0;
  if (is_entry(b, next, id, len)) {
    b->last_entry = next;
    return b->entries[next].account;
  }
  uint32_t hash = hash_of(b, id, len);
  for (size_t i = hash & (b->n_slots - 1); b->slots[i].entry != CRM_NO_ROW; i = (i + 1) & (b->n_slots - 1)) {
    uint32_t entry = b->slots[i].entry;
    if (b->slots[i].hash == hash && is_entry(b, entry, id, len)) {
      b->last_entry = entry;
      return b->entries[entry].account;
    }
  }
  return CRM_NO_ROW;
}

/* --- sealing ------------------------------------------------------------------------------------------------------ */

enum crm_status crm_builder_seal(struct crm_builder *b, struct crm_error *err) {
  struct crm_facts *facts = b->facts;
  uint32_t n_texts = facts->text.count;
  struct crm_sort_item *items = NULL;
  struct crm_sort_item *scratch = NULL;
  uint32_t *order = NULL;
  enum crm_status status = CRM_OK;
  uint32_t *holders = crm_builder_array(b, n_texts, sizeof(*holders), CRM_REL_ACCOUNT, err);
  if (holders == NULL)
    return err->status;
  uint32_t kept = drop_duplicates(b, holders);
  items = crm_builder_array(b, kept, sizeof(*items), CRM_REL_ACCOUNT, err);
  if (items != NULL)
    scratch = crm_builder_array(b, kept, sizeof(*scratch), CRM_REL_ACCOUNT, err);
  if (scratch != NULL)
    order = crm_builder_array(b, kept, sizeof(*order), CRM_REL_ACCOUNT, err);
  if (order == NULL) {
    status = err->status;
    goto out;
  }
  order_accounts(b, holders, items, scratch, kept);
  status = number_tenants(b, items, kept, err);
  for (uint32_t i = 0; i < kept; i++)
    order[i] = items[i].row;
  if (status == CRM_OK)
    status = crm_builder_move(b, CRM_REL_ACCOUNT, order, kept, err);
  if (status == CRM_OK)
    status = index_accounts(b, holders, n_texts, err);
  if (status == CRM_OK) {
    struct crm_stage *stage = &b->stage[CRM_REL_ACCOUNT];
    crm_builder_free_array(b, stage->account, stage->cap, sizeof(*stage->account));
    *stage = (struct crm_stage){0};
    facts->rows[CRM_REL_ACCOUNT] = kept;
    b->sealed = true;
  }
out:
  crm_builder_free_array(b, items, kept, sizeof(*items));
  crm_builder_free_array(b, scratch, kept, sizeof(*scratch));
  crm_builder_free_array(b, order, kept, sizeof(*order));
  crm_builder_free_array(b, holders, n_texts, sizeof(*holders));
  return status;
}
