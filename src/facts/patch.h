/* SPDX-License-Identifier: MIT */
/* Changing a picture at a cost that follows the change and not the size.
 *
 * A *picture* owns facts that came from a full read, and what is needed to change them: where an account stands, which key belongs to which
 * account, which rows were refused. A *patch* gathers what one refresh found, is prepared beside the picture, and is applied as a whole.
 *
 *   crm_picture_new(builder, &picture, err);         from a builder made with options.patchable, instead of crm_builder_finish
 *   crm_patch_new(picture, &patch, err);
 *   crm_patch_replace(patch, CRM_REL_USAGE, "a1", 2, err);     all usage rows of a1 follow, in this patch
 *   crm_patch_row(patch, CRM_REL_USAGE, &row, err);
 *   crm_patch_row(patch, CRM_REL_GOAL, &row, err);             a goal, by its key
 *   crm_patch_prepare(patch, err);                             builds; says what is wanted besides
 *   while (crm_patch_wanted(patch, &wanted) > 0) ...           read these, hand them over, prepare again
 *   lock; crm_patch_apply(patch, &applied, err); unlock;
 *
 * How it is held. Analytics reads rows first[i] .. first[i + 1] - 1 of account i, and that stays so. What is changed without changing how
 * many rows an account has is written in place. Otherwise the account moves behind the last one with all its rows, and what it leaves
 * is garbage: an account created at CRM_TIME_NEVER, which is visible at no instant. When garbage passes a share of all rows
 * it is squeezed out in place. So facts->account.n counts garbage too: facts->rows[CRM_REL_ACCOUNT] is the number of accounts. The order
 * of accounts means nothing; within an account rows are in canonical order, as after a full read.
 *
 * What a patch says is a *set*: the order of calls does not matter, except that crm_patch_prepare comes behind them. Within one patch
 * deletions come first, then spans that are replaced, or days of spans, are emptied, then the rows are put in; rows that were given before
 * their span was announced do not count any more, so that a span may be read again whole. The rows of a patch with one key are *all*
 * rows with that key, hence a key given twice is a duplicate, of which one is kept and the other counted, as in a full read.
 * So the rows of a patch belong to one snapshot; who follows a log of changes collects the keys and reads them in the end.
 *
 * Keys: account (its id), engagement, contract, contact, goal (the column behind account_id). A key may move from one account to another: a
 * row with it takes it away from the account that had it. This needs a key to be in one account only, which crm_picture_keyed
 * tells; a relation where it does not hold is patched by spans.
 *
 * Counts of refused rows are those of a full read: the picture remembers for each refused row its account, key and reason. A
 * replaced span forgets those of the account, a row or a deletion by key those of the key. What can be forgotten by neither stands
 * until the next full read: rows of relations without a key that have no account_id, accounts without an id, and rows that could not be
 * decoded. facts->rows and facts->rejected are of the picture as it is.
 *
 * Threads: one thread patches. crm_patch_apply wants the facts to itself; every other function may run beside readers of the facts.
 * (The engine: a pthread_rwlock, read-locked around crm_evaluate, write-locked around crm_patch_apply. It takes as long as the change,
 * and a squeeze about a quarter of a second per 100,000 accounts of 160 rows.) An applied patch, whole or refused, leaves facts that can be
 * read. */
#ifndef CRM_FACTS_PATCH_H
#define CRM_FACTS_PATCH_H

#include "facts/builder.h"

#define CRM_TIME_NEVER INT64_MAX /* created_at of garbage */

struct crm_picture;
struct crm_patch;

/* --- the picture -------------------------------------------------------------------------------------------------- */

/* Finishes the builder (made with `patchable`; free it afterwards with crm_builder_free) and takes over what it made, with its ceiling
 * and defaults. Errors as crm_builder_finish, and CRM_ERR_DATA if the builder was not patchable. The caller frees *picture. */
enum crm_status crm_picture_new(struct crm_builder *builder, struct crm_picture **picture, struct crm_error *err) CRM_MUSTCHECK;
/* Releases the picture's reference to its facts as well. NULL is allowed. */
void crm_picture_free(struct crm_picture *picture);
/* The facts, the same for the picture's whole life; the picture's own reference, so use crm_facts_ref to keep them. */
struct crm_facts *crm_picture_facts(const struct crm_picture *picture);
/* Bytes held by the facts and by what is needed to patch them; at most the ceiling. */
size_t crm_picture_bytes(const struct crm_picture *picture);
/* True if there is an account of that id. */
bool crm_picture_has_account(const struct crm_picture *picture, const char *id, size_t len);
/* The column that is the key, CRM_IX_..., 0 for account; -1 for a relation without. */
int crm_relation_key(enum crm_relation relation);
/* True if rows of the relation may be given and deleted by key: it is available, it has a key, and no key is in two accounts. The first
 * call of a relation makes its index, at the cost of the relation's rows; it is kept up to date from then on. False also if there is no
 * memory for it. */
bool crm_picture_keyed(struct crm_picture *picture, enum crm_relation relation);

/* --- the patch ---------------------------------------------------------------------------------------------------- */

/* CRM_ERR_DATA if `picture` is NULL: nothing can be changed before the first full read. One patch of a picture at a time. */
enum crm_status crm_patch_new(struct crm_picture *picture, struct crm_patch **patch, struct crm_error *err) CRM_MUSTCHECK;
/* NULL is allowed. An unapplied patch leaves the picture as it was. */
void crm_patch_free(struct crm_patch *patch);

/* When the relation was looked at (facts->read_at), for those that were, changed or not. */
void crm_patch_read_at(struct crm_patch *patch, enum crm_relation relation, crm_time read_at);

/* All rows of the account in that relation (any but `account`) will be given in this patch; those it had go. The account may be new, gone
 * or unknown: then its rows are counted as such. Twice is the same as once. CRM_ERR_DATA if the relation is not available. */
enum crm_status crm_patch_replace(struct crm_patch *patch, enum crm_relation relation, const char *account_id, size_t len,
                                  struct crm_error *err) CRM_MUSTCHECK;
/* The same for the account's rows of one day, in a relation of figures of days (crm_relation_day): its rows of other days stay. Rows of that
 * day are taken, others of the account are not unless their span is replaced too. */
enum crm_status crm_patch_replace_day(struct crm_patch *patch, enum crm_relation relation, const char *account_id, size_t len, crm_day day,
                                      struct crm_error *err) CRM_MUSTCHECK;
/* A whole relation is read anew: crm_patch_replace for every account, known or not, at the cost of the relation. Forgets every refused
 * row of it, and makes it available if it was not. Of `account`: accounts that are not given are deleted. Comes
 * before any row of the relation: those given earlier in this patch would be there twice. */
enum crm_status crm_patch_replace_all(struct crm_patch *patch, enum crm_relation relation, struct crm_error *err) CRM_MUSTCHECK;

/* Takes a copy of the row. Where the account's span is being replaced, or the whole relation, the row is part of that; else it is an upsert
 * by key, and one without a key is passed over. CRM_ERR_MEMORY, CRM_ERR_LIMIT, CRM_ERR_DATA if the relation is not available. Rows that
 * make no sense are counted when the patch is applied. */
enum crm_status crm_patch_row(struct crm_patch *patch, enum crm_relation relation, const struct crm_row *row,
                              struct crm_error *err) CRM_MUSTCHECK;
/* Counts a row that could not be decoded: for good where the whole relation is read, else only in crm_patch_applied. */
void crm_patch_reject(struct crm_patch *patch, enum crm_relation relation, enum crm_reject reason);

/* The row with that key goes, whichever account has it; of `account`, the account with all its rows (also where it comes back in
 * this patch: an id used again). A key that is not there is no error. CRM_ERR_DATA if the relation has no usable key. */
enum crm_status crm_patch_delete(struct crm_patch *patch, enum crm_relation relation, const char *key, size_t len,
                                 struct crm_error *err) CRM_MUSTCHECK;

/* Checks the rows by the builder's rules and works out what else is needed. May be called again after more was given. The same errors as
 * crm_builder_row, and CRM_ERR_DATA for a row of a relation without usable key whose account's span is not being replaced. */
enum crm_status crm_patch_prepare(struct crm_patch *patch, struct crm_error *err) CRM_MUSTCHECK;

/* Spans that must be replaced in this patch, or it is refused, because what is there was read under other circumstances:
 * - every available relation of an account that is new to the picture (its rows were refused as of an unknown account), or that is
 * deleted (rows that it leaves in the CRM are refused from now on);
 * - revenue, contract, invoice, opportunity of an account whose currency has changed (rows without one of their own have the account's);
 * - engagement of an account that gained a contact's id (lists of contacts name it, perhaps);
 * - a relation of which days of an account are replaced, where rows of the account were refused: of which day is not remembered.
 * What was announced by crm_patch_replace already is not listed. Valid until the next call with this patch but crm_patch_wanted. */
struct crm_patch_want {
  enum crm_relation relation;
  const char *account_id; /* NUL-terminated */
  size_t len;
};
size_t crm_patch_wanted(const struct crm_patch *patch, const struct crm_patch_want **wanted);

struct crm_patch_applied {
  uint32_t accounts;                             /* accounts that were inserted, deleted, or changed in any column or row */
  uint64_t rows;                                 /* rows taken from the patch */
  uint64_t rejected[CRM_RELATIONS][CRM_REJECTS]; /* rows of the patch that were refused, for counters that only grow */
  bool squeezed;                                 /* garbage was squeezed out */
};
/* Applies a prepared patch. On an error the picture is as it was: CRM_ERR_DATA if it is not prepared or something is wanted; CRM_ERR_LIMIT
 * past the ceiling, also after squeezing; CRM_ERR_MEMORY. `applied` may be NULL. The patch is empty afterwards, and only to be freed. */
enum crm_status crm_patch_apply(struct crm_patch *patch, struct crm_patch_applied *applied, struct crm_error *err) CRM_MUSTCHECK;

#endif
