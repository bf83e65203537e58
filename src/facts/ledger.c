/* SPDX-License-Identifier: MIT */
#include "facts/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define FIRST_CHAINS 64

void crm_ledger_init(struct crm_ledger *l) {
  memset(l, 0, sizeof(*l));
  l->free = CRM_LEDGER_END;
}

void crm_ledger_free(struct crm_ledger *l) {
  free(l->entries);
  free(l->by_account);
  free(l->by_key);
  crm_ledger_init(l);
}

size_t crm_ledger_bytes(const struct crm_ledger *l) {
  return l->cap * sizeof(*l->entries) + 2 * l->n_chains * sizeof(uint32_t);
}

/* --- chains ------------------------------------------------------------------------------------------------------- */

/* Digests are well mixed already. */
static uint32_t *chain(const struct crm_ledger *l, uint32_t *heads, enum crm_relation relation, uint64_t digest) {
  uint64_t mixed = (digest ^ (uint64_t)relation) * UINT64_C(0x9e3779b97f4a7c15);
  return &heads[(mixed >> 32) & (l->n_chains - 1)];
}

static struct crm_ledger_link *link_of(struct crm_ledger_entry *entry, bool by_key) {
  return by_key ? &entry->by_key : &entry->by_account;
}

static uint32_t *head_of(const struct crm_ledger *l, const struct crm_ledger_entry *entry, bool by_key) {
  enum crm_relation relation = (enum crm_relation)entry->relation;
  return by_key ? chain(l, l->by_key, relation, entry->key) : chain(l, l->by_account, relation, entry->account);
}

static bool is_linked(const struct crm_ledger_entry *entry, bool by_key) {
  return (by_key ? entry->key : entry->account) != 0;
}

static void put_in_chain(struct crm_ledger *l, uint32_t at, bool by_key) {
  struct crm_ledger_entry *entry = &l->entries[at];
  if (!is_linked(entry, by_key))
    return;
  uint32_t *head = head_of(l, entry, by_key);
  *link_of(entry, by_key) = (struct crm_ledger_link){.next = *head, .previous = CRM_LEDGER_END};
  if (*head != CRM_LEDGER_END)
    link_of(&l->entries[*head], by_key)->previous = at;
  *head = at;
}

static void take_from_chain(struct crm_ledger *l, uint32_t at, bool by_key) {
  struct crm_ledger_entry *entry = &l->entries[at];
  if (!is_linked(entry, by_key))
    return;
  struct crm_ledger_link link = *link_of(entry, by_key);
  if (link.next != CRM_LEDGER_END)
    link_of(&l->entries[link.next], by_key)->previous = link.previous;
  if (link.previous != CRM_LEDGER_END)
    link_of(&l->entries[link.previous], by_key)->next = link.next;
  else
    *head_of(l, entry, by_key) = link.next;
}

static enum crm_status grow_chains(struct crm_ledger *l, size_t entries) {
  size_t wanted = l->n_chains == 0 ? FIRST_CHAINS : l->n_chains;
  while (wanted < entries)
    wanted *= 2;
  if (wanted == l->n_chains)
    return CRM_OK;
  uint32_t *by_account = malloc(wanted * sizeof(*by_account));
  uint32_t *by_key = malloc(wanted * sizeof(*by_key));
  if (by_account == NULL || by_key == NULL) {
    free(by_account);
    free(by_key);
    return CRM_ERR_MEMORY;
  }
  memset(by_account, 0xFF, wanted * sizeof(*by_account)); /* CRM_LEDGER_END */
  memset(by_key, 0xFF, wanted * sizeof(*by_key));
  free(l->by_account);
  free(l->by_key);
  l->by_account = by_account;
  l->by_key = by_key;
  l->n_chains = wanted;
  for (size_t i = 0; i < l->n; i++) {
    if (l->entries[i].count == 0)
      continue;
    put_in_chain(l, (uint32_t)i, false);
    put_in_chain(l, (uint32_t)i, true);
  }
  return CRM_OK;
}

enum crm_status crm_ledger_reserve(struct crm_ledger *l, size_t more) {
  if (l->n + more >= CRM_LEDGER_END)
    return CRM_ERR_MEMORY;
  void *data = l->entries;
  enum crm_status status = crm_vec_reserve(&data, &l->cap, l->n + more, sizeof(*l->entries));
  l->entries = data;
  return status == CRM_OK ? grow_chains(l, l->n + more) : status;
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

static bool is_same(const struct crm_ledger_entry *entry, enum crm_relation relation, uint64_t account, uint64_t key) {
  return entry->relation == relation && entry->account == account && entry->key == key;
}

/* Chains of keys are short; those of accounts are too where there is no key, since then reasons alone tell entries apart. */
static uint32_t find(struct crm_ledger *l, enum crm_relation relation, uint64_t account, uint64_t key, enum crm_reject reason) {
  if (l->n_chains == 0)
    return CRM_LEDGER_END;
  bool by_key = key != 0;
  uint32_t at = by_key ? *chain(l, l->by_key, relation, key) : *chain(l, l->by_account, relation, account);
  while (at != CRM_LEDGER_END && !(is_same(&l->entries[at], relation, account, key) && l->entries[at].reason == reason))
    at = link_of(&l->entries[at], by_key)->next;
  return at;
}

enum crm_status crm_ledger_add(struct crm_ledger *l, enum crm_relation relation, uint64_t account, uint64_t key, enum crm_reject reason,
                               uint32_t count) {
  if (account == 0 && key == 0) {
    l->loose[relation][reason] += count;
    return CRM_OK;
  }
  uint32_t at = find(l, relation, account, key, reason);
  if (at != CRM_LEDGER_END) {
    l->entries[at].count += count;
    return CRM_OK;
  }
  if (l->free != CRM_LEDGER_END) {
    at = l->free;
    l->free = l->entries[at].by_account.next;
  } else {
    enum crm_status status = crm_ledger_reserve(l, 1);
    if (status != CRM_OK)
      return status;
    at = (uint32_t)l->n++;
  }
  l->entries[at] =
      (struct crm_ledger_entry){.account = account, .key = key, .count = count, .relation = (uint8_t)relation, .reason = (uint8_t)reason};
  put_in_chain(l, at, false);
  put_in_chain(l, at, true);
  return CRM_OK;
}

bool crm_ledger_has_account(const struct crm_ledger *l, enum crm_relation relation, uint64_t account) {
  if (account == 0 || l->n_chains == 0)
    return false;
  uint32_t at = *chain(l, l->by_account, relation, account);
  while (at != CRM_LEDGER_END && !(l->entries[at].relation == relation && l->entries[at].account == account))
    at = l->entries[at].by_account.next;
  return at != CRM_LEDGER_END;
}

static void forget(struct crm_ledger *l, uint32_t at, uint64_t counts[CRM_REJECTS]) {
  struct crm_ledger_entry *entry = &l->entries[at];
  counts[entry->reason] -= entry->count;
  take_from_chain(l, at, false);
  take_from_chain(l, at, true);
  entry->count = 0;
  entry->by_account.next = l->free;
  l->free = at;
}

static void forget_chain(struct crm_ledger *l, enum crm_relation relation, uint64_t digest, bool by_key, uint64_t counts[CRM_REJECTS]) {
  if (digest == 0 || l->n_chains == 0)
    return;
  uint32_t at = *chain(l, by_key ? l->by_key : l->by_account, relation, digest);
  while (at != CRM_LEDGER_END) {
    const struct crm_ledger_entry *entry = &l->entries[at];
    uint32_t next = by_key ? entry->by_key.next : entry->by_account.next;
    if (entry->relation == relation && (by_key ? entry->key : entry->account) == digest)
      forget(l, at, counts);
    at = next;
  }
}

void crm_ledger_forget_account(struct crm_ledger *l, enum crm_relation relation, uint64_t account, uint64_t counts[CRM_REJECTS]) {
  forget_chain(l, relation, account, false, counts);
}

void crm_ledger_forget_key(struct crm_ledger *l, enum crm_relation relation, uint64_t key, uint64_t counts[CRM_REJECTS]) {
  forget_chain(l, relation, key, true, counts);
}

void crm_ledger_forget_relation(struct crm_ledger *l, enum crm_relation relation, uint64_t counts[CRM_REJECTS]) {
  for (size_t i = 0; i < l->n; i++)
    if (l->entries[i].count > 0 && l->entries[i].relation == relation)
      forget(l, (uint32_t)i, counts);
  for (int reason = 0; reason < CRM_REJECTS; reason++) {
    counts[reason] -= l->loose[relation][reason];
    l->loose[relation][reason] = 0;
  }
}
