/* SPDX-License-Identifier: MIT */
/* Cutting the accounts of a CRM into parts, each watched by a daemon of its own.
 *
 * An account belongs to shard 1 + hash % of, where the hash is the first four bytes of the MD5 of its id as text in UTF-8, as a big-endian
 * number: the same on every server of every version, and what SQL can say without functions of its own (source/statement.h). Ids do not
 * change, so an account stays where it is as long as `of` does.
 *
 * What accounts are compared with (the tenant's median of tickets, the ranks of revenue) is that of the whole tenant, so a shard also holds
 * accounts that are not its own, with what these references need and nothing else. */
#ifndef CRM_FACTS_SHARD_H
#define CRM_FACTS_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/relation.h"

#define CRM_SHARDS_MAX 1024

struct crm_shard {
  uint16_t number, of; /* 1 <= number <= of; of 0: not cut */
};

/* True if there are accounts that are not its own. */
static inline bool crm_shard_is_part(struct crm_shard shard) {
  return shard.of > 1;
}
/* Reads "3/8". False, and nothing is set, unless both are whole numbers without sign or blanks and 1 <= number <= of <= CRM_SHARDS_MAX. */
bool crm_shard_parse(const char *text, struct crm_shard *shard);
uint32_t crm_shard_hash(const char *id, size_t len);
/* True if the account of that id is its own. */
bool crm_shard_holds(struct crm_shard shard, const char *id, size_t len);
/* True if a shard holds rows of all accounts, and not of its own alone: what effective revenue and ticket volume are made of. */
bool crm_shard_needs_all(enum crm_relation relation);

#endif
