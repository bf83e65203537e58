/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "facts/columns.h"
#include "facts/patch_internal.h"

#define MIB (1024.0 * 1024.0)

enum crm_status crm_picture_too_large(const struct crm_picture *p, size_t needed, struct crm_error *err) {
  return crm_error_set(err, CRM_ERR_LIMIT,
                       "with what has changed, the CRM needs at least %.1f MiB of memory, more than the %.1f MiB allowed by MaxMemory",
                       (double)needed / MIB, (double)p->ceiling / MIB);
}

static enum crm_status index_accounts(struct crm_picture *p, struct crm_error *err) {
  const struct crm_facts *facts = p->facts;
  if (crm_pairs_reserve(&p->accounts, facts->account.n) != CRM_OK)
    return crm_patch_no_memory(err);
  for (uint32_t a = 0; a < facts->account.n; a++) {
    crm_pairs_add(&p->accounts, facts->account.id[a], a);
    p->tenant_accounts[facts->account.tenant[a]]++;
  }
  return CRM_OK;
}

enum crm_status crm_picture_new(struct crm_builder *builder, struct crm_picture **out, struct crm_error *err) {
  if (!builder->patchable)
    return crm_error_set(err, CRM_ERR_DATA, "the builder does not keep what is needed to change the facts");
  struct crm_picture *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return crm_patch_no_memory(err);
  p->ceiling = builder->ceiling;
  p->default_tenant = builder->default_tenant;
  if (builder->facts != NULL && builder->default_currency != CRM_NO_CURRENCY)
    memcpy(p->default_currency, builder->facts->currencies[builder->default_currency].code, sizeof(p->default_currency));
  crm_ledger_init(&p->ledger);
  enum crm_status status = crm_builder_finish(builder, &p->facts, err);
  if (status == CRM_OK) {
    p->ledger = builder->ledger;
    crm_ledger_init(&builder->ledger);
    for (int r = 0; r < CRM_RELATIONS; r++)
      p->facts->cap[r] = crm_layout_n(p->facts, crm_layout((enum crm_relation)r));
    p->facts->contact_cap = p->facts->engagement.contact_first[p->facts->engagement.n];
    p->texts_kept = p->facts->text.bytes_len;
    status = index_accounts(p, err);
  }
  if (status == CRM_OK && p->ceiling != 0 && crm_picture_bytes(p) > p->ceiling)
    status = crm_picture_too_large(p, crm_picture_bytes(p), err);
  if (status != CRM_OK) {
    crm_picture_free(p);
    return status;
  }
  *out = p;
  return CRM_OK;
}

void crm_picture_free(struct crm_picture *p) {
  if (p == NULL)
    return;
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_pairs_free(&p->keys[r].owners);
  crm_pairs_free(&p->accounts);
  crm_ledger_free(&p->ledger);
  crm_facts_unref(p->facts);
  free(p);
}

struct crm_facts *crm_picture_facts(const struct crm_picture *p) {
  return p->facts;
}

size_t crm_picture_bytes(const struct crm_picture *p) {
  size_t bytes = sizeof(*p) + crm_facts_bytes(p->facts) + crm_ledger_bytes(&p->ledger) + crm_pairs_bytes(&p->accounts);
  for (int r = 0; r < CRM_RELATIONS; r++)
    bytes += crm_pairs_bytes(&p->keys[r].owners);
  return bytes;
}

uint32_t crm_picture_find(const struct crm_picture *p, const char *id, size_t len) {
  uint32_t text = crm_dict_find(&p->facts->text, id, len);
  if (text == CRM_DICT_NONE || text == 0)
    return CRM_NO_ROW;
  return crm_pairs_find(&p->accounts, text); /* CRM_PAIR_NONE is CRM_NO_ROW */
}

bool crm_picture_has_account(const struct crm_picture *p, const char *id, size_t len) {
  return crm_picture_find(p, id, len) != CRM_NO_ROW;
}

int crm_relation_key(enum crm_relation relation) {
  if (relation == CRM_REL_ACCOUNT)
    return CRM_IX_ACCOUNT_ID;
  return crm_has_key(relation) ? 1 : -1;
}
