/* SPDX-License-Identifier: MIT */
/* Which rows were refused, by account and key, so that their counts can be taken back when the rows are read again. Internal to facts.
 *
 * Accounts and keys are known by a digest of their text, 0 = none. Rows of one account, key and reason share an entry. */
#ifndef CRM_FACTS_LEDGER_H
#define CRM_FACTS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "facts/relation.h"

struct crm_ledger_entry {
  uint64_t account, key;
  uint32_t count; /* 0: the entry is free, and by_account.next the next free one */
  uint8_t relation, reason;
  struct crm_ledger_link {
    uint32_t next, previous; /* CRM_LEDGER_END */
  } by_account, by_key;
};
#define CRM_LEDGER_END UINT32_MAX

struct crm_ledger {
  struct crm_ledger_entry *entries;
  size_t n, cap;
  uint32_t free;                              /* first free entry */
  uint32_t *by_account, *by_key;              /* first entry of each chain */
  size_t n_chains;                            /* a power of two, or 0 */
  uint64_t loose[CRM_RELATIONS][CRM_REJECTS]; /* rows with neither account nor key */
};

void crm_ledger_init(struct crm_ledger *ledger);
void crm_ledger_free(struct crm_ledger *ledger);
size_t crm_ledger_bytes(const struct crm_ledger *ledger);
/* Room for `more` entries, so that adding them cannot fail. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_ledger_reserve(struct crm_ledger *ledger, size_t more) CRM_MUSTCHECK;
enum crm_status crm_ledger_add(struct crm_ledger *ledger, enum crm_relation relation, uint64_t account, uint64_t key,
                               enum crm_reject reason, uint32_t count) CRM_MUSTCHECK;
/* Were rows of the account refused? */
bool crm_ledger_has_account(const struct crm_ledger *ledger, enum crm_relation relation, uint64_t account);
/* Each takes from counts[reason] what it forgets. */
void crm_ledger_forget_account(struct crm_ledger *ledger, enum crm_relation relation, uint64_t account, uint64_t counts[CRM_REJECTS]);
void crm_ledger_forget_key(struct crm_ledger *ledger, enum crm_relation relation, uint64_t key, uint64_t counts[CRM_REJECTS]);
void crm_ledger_forget_relation(struct crm_ledger *ledger, enum crm_relation relation, uint64_t counts[CRM_REJECTS]);

#endif
