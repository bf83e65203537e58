/* SPDX-License-Identifier: MIT */
/* What the files of the builder share: builder.c (memory and lifecycle), builder_rows.c (checking and appending rows),
 * builder_accounts.c, builder_group.c and builder_order.c (ordering). */
#ifndef CRM_FACTS_BUILDER_INTERNAL_H
#define CRM_FACTS_BUILDER_INTERNAL_H

#include "facts/builder.h"
#include "facts/layout.h"
#include "facts/ledger.h"

#define CRM_NO_ROW UINT32_MAX
#define CRM_REJECT_NONE CRM_REJECTS

/* 128 bits of seeded hash stand for an engagement's id, which nobody needs but to find duplicates: with 10^7 engagements in one account the
 * chance that two ids are mistaken for one is below 10^-24, and 16 bytes a row are held instead of the text. The first half is the column
 * engagement.key. Between accounts, where a patch looks for a key, that half has to do: a mistake in 10^7 engagements once in 10^5 reads.
 */

/* Rows not yet ordered. */
struct crm_stage {
  uint32_t *account; /* per row: number of the account; of an account row: text of its tenant */
  size_t cap;        /* rows for which there is room in every column */
};

/* An account's id in the dictionary's bytes. Entries stand in the order in which the accounts came: rows of other relations often come in
 * the same order, day after day, and then the next entry is the one looked for and already in the cache. */
struct crm_account_entry {
  uint32_t start, len;
  uint32_t account;
};
struct crm_account_slot {
  uint32_t hash;
  uint32_t entry; /* CRM_NO_ROW = free */
};

struct crm_builder {
  struct crm_facts *facts; /* NULL once finished */
  uint32_t default_tenant; /* text */
  uint16_t default_currency;
  size_t ceiling;
  size_t held; /* bytes of columns and helpers; the dictionary counts by itself */
  struct crm_stage stage[CRM_RELATIONS];

  /* Engagements: what is needed to order them. */
  uint64_t *digest;     /* the second half */
  uint32_t *list_start; /* per row, and one behind the last: its contacts in list */
  uint32_t *list;       /* texts of the contacts' ids, then numbers of their rows; CRM_NO_ROW = nothing */
  size_t list_n, list_cap;

  /* Known once the accounts are sealed, which the first row of another relation does. */
  bool sealed;
  struct crm_account_entry *entries; /* one per account */
  struct crm_account_slot *slots;    /* open addressing by id */
  size_t n_slots;                    /* a power of two */
  uint32_t last_entry;               /* of the previous row */

  bool patchable;
  struct crm_ledger ledger;      /* of a patchable builder: the rows counted in facts->rejected but undated churns */
  enum crm_status ledger_status; /* CRM_ERR_MEMORY once a row could not be noted */
};

/* builder.c */
/* Counts `bytes` more as held, or CRM_ERR_LIMIT naming the relation. */
enum crm_status crm_builder_hold(struct crm_builder *b, size_t bytes, enum crm_relation relation, struct crm_error *err) CRM_MUSTCHECK;
static inline void crm_builder_release(struct crm_builder *b, size_t bytes) {
  b->held -= bytes;
}
/* malloc of count * size bytes, counted; NULL with *err filled. crm_builder_free_array gives it back. */
void *crm_builder_array(struct crm_builder *b, size_t count, size_t size, enum crm_relation relation, struct crm_error *err);
void crm_builder_free_array(struct crm_builder *b, void *data, size_t count, size_t size);
/* Room for one more row in every column of the relation. */
enum crm_status crm_builder_grow(struct crm_builder *b, enum crm_relation relation, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_builder_grow_list(struct crm_builder *b, size_t need, struct crm_error *err) CRM_MUSTCHECK;
/* The number of the currency, of three letters in any case. CRM_ERR_LIMIT past CRM_CURRENCIES_MAX. */
enum crm_status crm_builder_currency(struct crm_builder *b, const char *code, uint16_t *number, struct crm_error *err) CRM_MUSTCHECK;

/* Counts a refused row and notes it in the ledger. Digests as crm_digest_of. */
void crm_builder_refuse(struct crm_builder *b, enum crm_relation relation, uint64_t account, uint64_t key, enum crm_reject reason);
/* Digest of an id, 0 for an empty one. */
static inline uint64_t crm_digest_of(uint64_t seed, const char *text, size_t len) {
  uint64_t digest = len == 0 ? 0 : crm_hash(seed, text, len);
  return digest == 0 && len > 0 ? 1 : digest;
}
/* True if the account is churned without any date from any source (METRICS.md section 3). */
bool crm_undated_churn(const struct crm_facts *facts, uint32_t account);
/* True for a relation whose second column is a key of its rows. */
bool crm_has_key(enum crm_relation relation);

/* crm_builder_new with a known seed of hashes. */
enum crm_status crm_builder_new_seed(const struct crm_builder_options *options, uint64_t seed, struct crm_builder **builder,
                                     struct crm_error *err) CRM_MUSTCHECK;

/* builder_adopt.c: what is there already, into the builder of a patch. */
/* Before any other relation: an account of that id and currency (a code, or "" for none), about which nothing else matters. */
enum crm_status crm_builder_seed(struct crm_builder *b, const char *id, size_t len, const char *currency,
                                 struct crm_error *err) CRM_MUSTCHECK;
/* Rows of other facts, as they are, as rows of `account`. Contacts come before engagements. */
enum crm_status crm_builder_adopt(struct crm_builder *b, enum crm_relation relation, uint32_t account, const struct crm_facts *from,
                                  const uint32_t *rows, uint32_t n, struct crm_error *err) CRM_MUSTCHECK;

/* builder_rows.c */
enum crm_status crm_builder_take(struct crm_builder *b, enum crm_relation relation, const struct crm_row *row,
                                 struct crm_error *err) CRM_MUSTCHECK;

/* builder_accounts.c */
/* The account of that id, or CRM_NO_ROW. */
uint32_t crm_builder_find_account(struct crm_builder *b, const char *id, size_t len);
/* Drops duplicate accounts, orders and numbers them. */
enum crm_status crm_builder_seal(struct crm_builder *b, struct crm_error *err) CRM_MUSTCHECK;
/* builder_group.c */
/* Puts row order[i] at i, for n rows, one column at a time; the columns then have exactly n elements. */
enum crm_status crm_builder_move(struct crm_builder *b, enum crm_relation relation, const uint32_t *order, uint32_t n,
                                 struct crm_error *err) CRM_MUSTCHECK;
/* Groups the rows of a relation by account and orders them. */
enum crm_status crm_builder_group(struct crm_builder *b, enum crm_relation relation, struct crm_error *err) CRM_MUSTCHECK;

/* builder_order.c */
/* One thing to sort: by key, and by `tie` among equal keys. */
struct crm_sort_item {
  uint64_t key;
  uint32_t row;
};
typedef int crm_tie_fn(const void *ctx, uint32_t a, uint32_t b);
/* Stable. `scratch` has room for n items. `tie` NULL: equal keys keep their order. */
void crm_sort(struct crm_sort_item *items, struct crm_sort_item *scratch, size_t n, crm_tie_fn *tie, const void *ctx);
/* A key that orders as the first eight bytes of the text, and as the number. */
uint64_t crm_sort_key_text(const char *text);
static inline uint64_t crm_sort_key_i64(int64_t v) {
  return (uint64_t)v ^ UINT64_C(1) << 63;
}
/* Compares two rows by all columns, by what they mean and not by numbers of the dictionary: <0, 0, >0. */
int crm_compare_rows(const struct crm_facts *facts, const struct crm_layout *layout, uint32_t a, uint32_t b);

#endif
