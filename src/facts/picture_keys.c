/* SPDX-License-Identifier: MIT */
/* Which account has which key. */
#include "facts/patch_internal.h"

uint64_t crm_picture_key_of(const struct crm_facts *facts, enum crm_relation relation, uint32_t row) {
  if (relation == CRM_REL_ENGAGEMENT)
    return facts->engagement.key[row];
  uint32_t id = relation == CRM_REL_CONTRACT  ? facts->contract.id[row]
                : relation == CRM_REL_CONTACT ? facts->contact.id[row]
                                              : facts->goal.id[row];
  return crm_digest_of(facts->text.seed, crm_dict_text(&facts->text, id), crm_dict_len(&facts->text, id));
}

static bool has_key(const struct crm_facts *facts, enum crm_relation relation, uint32_t account, uint64_t key) {
  uint32_t start = crm_span_start(facts, relation, account);
  uint32_t n = crm_span_length(facts, relation, account);
  for (uint32_t r = start; r < start + n; r++)
    if (crm_picture_key_of(facts, relation, r) == key)
      return true;
  return false;
}

static bool is_elsewhere(const struct crm_picture *p, enum crm_relation relation, uint64_t key, uint32_t owner) {
  const struct crm_pairs *owners = &p->keys[relation].owners;
  size_t at = crm_pairs_start(owners, crm_key_tag(key));
  for (;;) {
    uint32_t other = crm_pairs_next(owners, crm_key_tag(key), &at);
    if (other == CRM_PAIR_NONE)
      return false;
    if (other != owner && has_key(p->facts, relation, crm_pairs_find(&p->accounts, other), key))
      return true;
  }
}

void crm_keys_add(struct crm_picture *p, enum crm_relation relation, uint32_t account) {
  struct crm_key_index *index = &p->keys[relation];
  if (!index->made)
    return;
  uint32_t owner = p->facts->account.id[account];
  uint32_t start = crm_span_start(p->facts, relation, account);
  uint32_t n = crm_span_length(p->facts, relation, account);
  for (uint32_t r = start; r < start + n; r++) {
    uint64_t key = crm_picture_key_of(p->facts, relation, r);
    index->shared = index->shared || is_elsewhere(p, relation, key, owner);
    crm_pairs_add(&index->owners, crm_key_tag(key), owner);
  }
}

void crm_keys_remove(struct crm_picture *p, enum crm_relation relation, uint32_t account) {
  struct crm_key_index *index = &p->keys[relation];
  if (!index->made)
    return;
  uint32_t start = crm_span_start(p->facts, relation, account);
  uint32_t n = crm_span_length(p->facts, relation, account);
  for (uint32_t r = start; r < start + n; r++)
    crm_pairs_remove(&index->owners, crm_key_tag(crm_picture_key_of(p->facts, relation, r)), p->facts->account.id[account]);
}

bool crm_picture_keyed(struct crm_picture *p, enum crm_relation relation) {
  if (relation == CRM_REL_ACCOUNT)
    return true;
  struct crm_key_index *index = &p->keys[relation];
  if (!crm_has_key(relation) || !p->facts->available[relation])
    return false;
  if (!index->made) {
    if (crm_pairs_reserve(&index->owners, p->facts->rows[relation]) != CRM_OK)
      return false;
    if (p->ceiling != 0 && crm_picture_bytes(p) > p->ceiling) {
      crm_pairs_free(&index->owners);
      return false;
    }
    index->made = true;
    for (uint32_t a = 0; a < p->facts->account.n; a++)
      if (!crm_is_garbage(p->facts, a))
        crm_keys_add(p, relation, a);
  }
  return !index->shared;
}
