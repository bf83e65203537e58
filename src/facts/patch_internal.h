/* SPDX-License-Identifier: MIT */
/* What the files of pictures and patches share. picture.c (life cycle), picture_keys.c (who has which key), picture_splice.c (rows of a
 * patch into the columns), picture_squeeze.c (garbage out); patch.c (gathering), patch_prepare.c (checking), patch_apply.c. */
#ifndef CRM_FACTS_PATCH_INTERNAL_H
#define CRM_FACTS_PATCH_INTERNAL_H

#include "base/arena.h"
#include "facts/builder_internal.h"
#include "facts/pairs.h"
#include "facts/patch.h"

/* Of a relation with a key: upper half of the digest of each key, and the text of the id of the account that has it. A digest may be there
 * twice, and for a key that its account does not have, if upper halves are equal. */
struct crm_key_index {
  bool made;
  bool shared; /* a key was seen in two accounts */
  struct crm_pairs owners;
};

struct crm_picture {
  struct crm_facts *facts;
  struct crm_ledger ledger;
  struct crm_pairs accounts; /* text of the id -> account */
  struct crm_key_index keys[CRM_RELATIONS];
  uint32_t tenant_accounts[CRM_TENANTS_MAX]; /* by number of the tenant */
  uint32_t default_tenant;                   /* text */
  char default_currency[4];
  size_t ceiling;
  size_t texts_kept; /* bytes of the dictionary's text when all of it was in use */
};

/* --- a patch ------------------------------------------------------------------------------------------------------ */

struct crm_patch_row {
  struct crm_patch_row *next;
  uint32_t order;                /* of the call */
  uint32_t columns;              /* bit per column that is not NULL */
  struct crm_cell_value cells[]; /* of those columns */
};

struct crm_patch_note { /* a span to replace, or a day of it, or a key to delete */
  struct crm_patch_note *next;
  enum crm_relation relation;
  crm_day day; /* CRM_DAY_NONE: all */
  uint32_t order;
  const char *text;
  size_t len;
};

/* An account that the patch is about. */
struct crm_touched {
  const char *id;
  size_t len;
  uint64_t digest;
  uint32_t old;                  /* its number in the picture, or CRM_NO_ROW */
  uint32_t delta;                /* its number in the patch's own facts, or CRM_NO_ROW: it is not there after the patch */
  bool given;                    /* a row of `account` came */
  bool deleted;                  /* what was there before goes */
  uint32_t replaced;             /* bit per relation */
  uint32_t by_day;               /* bit per relation of which some days are replaced */
  uint32_t changed;              /* bit per relation whose span in the patch's facts is the whole new span */
  uint32_t since[CRM_RELATIONS]; /* order of the call that announced the span */
};

struct crm_patch_key {
  enum crm_relation relation;
  uint64_t digest;
};

/* A day of an account that is replaced. */
struct crm_patch_day {
  enum crm_relation relation;
  uint32_t touched; /* the account, by its number among those that are touched */
  crm_day day;
  uint32_t since; /* order of the call */
};

struct crm_patch {
  struct crm_picture *picture;
  struct crm_arena arena; /* what was given */
  uint32_t order;
  struct crm_patch_row *rows[CRM_RELATIONS], **last_row[CRM_RELATIONS];
  struct crm_patch_note *replace, *delete;
  uint32_t all_since[CRM_RELATIONS]; /* order of the call, 0 = only parts of the relation are read */
  crm_time read_at[CRM_RELATIONS];
  uint64_t undecoded[CRM_RELATIONS][CRM_REJECTS];

  /* Made by crm_patch_prepare. */
  bool begun, prepared, applied;
  uint64_t rows_fed; /* rows that count, refused ones too */
  struct crm_arena work;
  struct crm_touched *touched;
  size_t n_touched, touched_cap;
  struct crm_pairs touched_by_id; /* upper half of the digest -> touched */
  struct crm_patch_key *keys;     /* given or deleted */
  size_t n_keys, keys_cap;
  struct crm_pairs keys_by_digest;
  struct crm_patch_day *days;
  size_t n_days, days_cap;
  struct crm_pairs days_by_tag;
  struct crm_facts *delta;
  struct crm_ledger ledger;
  struct crm_patch_want *wants;
  size_t n_wants, wants_cap;
};

enum crm_status crm_patch_no_memory(struct crm_error *err);
/* Frees what crm_patch_prepare made. */
void crm_patch_unprepare(struct crm_patch *patch);
size_t crm_patch_bytes(const struct crm_patch *patch);
/* Fills *err: `needed` bytes are more than the ceiling allows. */
enum crm_status crm_picture_too_large(const struct crm_picture *p, size_t needed, struct crm_error *err);

/* The account of that id, or CRM_NO_ROW. */
uint32_t crm_picture_find(const struct crm_picture *p, const char *id, size_t len);
static inline bool crm_is_garbage(const struct crm_facts *facts, uint32_t account) {
  return facts->account.created_at[account] == CRM_TIME_NEVER;
}
static inline uint32_t crm_span_length(const struct crm_facts *facts, enum crm_relation relation, uint32_t account) {
  const uint32_t *first = crm_held_get(facts, crm_layout(relation)->first);
  return first[account + 1] - first[account];
}
static inline uint32_t crm_span_start(const struct crm_facts *facts, enum crm_relation relation, uint32_t account) {
  const uint32_t *first = crm_held_get(facts, crm_layout(relation)->first);
  return first[account];
}
/* Contacts that the engagements of the account name. */
static inline uint32_t crm_list_start(const struct crm_facts *facts, uint32_t account) {
  return facts->engagement.contact_first[facts->engagement.first[account]];
}
static inline uint32_t crm_list_length(const struct crm_facts *facts, uint32_t account) {
  return facts->engagement.contact_first[facts->engagement.first[account + 1]] - crm_list_start(facts, account);
}

/* picture_keys.c */
uint64_t crm_picture_key_of(const struct crm_facts *facts, enum crm_relation relation, uint32_t row);
static inline uint32_t crm_key_tag(uint64_t digest) {
  return (uint32_t)(digest >> 32);
}
/* Takes all keys of an account out of the index of the relation, if there is one. */
void crm_keys_remove(struct crm_picture *p, enum crm_relation relation, uint32_t account);
/* Puts them in; there must be room. */
void crm_keys_add(struct crm_picture *p, enum crm_relation relation, uint32_t account);

/* picture_splice.c */
/* Numbers of the patch's facts -> numbers of the picture's. */
struct crm_splice {
  struct crm_facts *to;
  const struct crm_facts *from;
  uint32_t *text;
  uint16_t currency[CRM_CURRENCIES_MAX];
  uint16_t *tenant;
};
/* Writes n rows of `from` over rows of `to`, behind the last one too; true if that changed anything. */
bool crm_splice_rows(const struct crm_splice *s, enum crm_relation relation, uint32_t to, uint32_t from, uint32_t n);
/* The lists of n engagements, the first of them `to`, at `list` in contact: contact 0 of `from` becomes contact 0 + shift. */
bool crm_splice_lists(const struct crm_splice *s, uint32_t to, uint32_t list, uint32_t from, uint32_t n, uint32_t shift);
/* Rows of one facts elsewhere in the same facts, which may overlap only if `to` is before `from`. */
void crm_shift_rows(struct crm_facts *facts, enum crm_relation relation, uint32_t to, uint32_t from, uint32_t n);
void crm_shift_lists(struct crm_facts *facts, uint32_t to, uint32_t list, uint32_t from, uint32_t n, uint32_t shift);

/* picture_squeeze.c */
/* True if there is so much garbage that it should go. */
bool crm_picture_is_loose(const struct crm_picture *p);
/* Puts accounts and rows together, and forgets texts nobody uses if memory allows. Cannot fail. */
void crm_picture_squeeze(struct crm_picture *p);

#endif
