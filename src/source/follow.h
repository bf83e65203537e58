/* SPDX-License-Identifier: MIT */
/* Following the CRM: after one full read only what has changed is read.
 *
 *   crm_source_read_picture(source, &picture, err);      everything, and where changes are counted from
 *   crm_source_refresh(source, picture, &refresh, err);  what has changed since, as a patch
 *   lock; crm_patch_apply(refresh.patch, ...); unlock;
 *   crm_source_accept(source, picture);                  the next refresh begins there
 *
 * How changes are found, from cheap to dear:
 * - Snapshot: a server whose snapshot (a replica: replay position) is the same as at the last look has committed nothing, so nothing is
 * read. Exact, and without cost.
 * - Counters: the server counts inserted, updated and deleted rows of each table. A table counts as written to when a counter differs, or
 * its file (TRUNCATE, rewriting). Counters of a session show when it is idle or ends, at most 10 s late on PostgreSQL 15 but for a session
 * that is never idle; so a change may show late, but does show, since it is the difference from the last look that counts.
 * - Logical: the server decodes its log for a temporary slot, by a publication that names the tables. A changed row tells its key, its
 * account or its day of the account, before and after the change as far as the table's replica identity goes; what does not tell
 * (TRUNCATE, a table that is only joined, an old row without that column) makes the relation read whole. Exact: what is taken is what the
 * snapshot of the refresh shows (see logical.h).
 * - Poll: the rows of one table by changed_at, where that is a plain column of the table which leads an index and no condition of the
 * mapping can hide a changed row. The bound is the start of the oldest transaction that ran at the look before (what commits later was
 * stamped later than that), less ChangesOverlap. Keys that came up and are not there any more are deleted. Where a poll tells the day of a
 * new row, that day of the account is read and not its whole span. What a poll cannot see is told
 * by the counters: deleted rows, rows of the mapping's other tables; then the relation is read whole. With Changes auto the counters must
 * also agree with what the poll found: as many row versions seen as rows were written, and no updates where a row might have moved from one
 * account to another; else the relation is read whole. With Changes poll changed_at is trusted instead. */
#ifndef CRM_SOURCE_FOLLOW_H
#define CRM_SOURCE_FOLLOW_H

#include "facts/patch.h"
#include "source/source.h"

/* What is in force for a relation; valid after crm_source_probe or a full read. */
struct crm_following {
  enum crm_changes mode; /* never AUTO */
  char why[256];         /* a sentence without its end */
  char remedy[1024];     /* SQL that would make it cheaper, statements with "; " between them, or "" */
};
const struct crm_following *crm_source_following(const struct crm_source *source, enum crm_relation relation);
/* Is there logical decoding in a database? */
struct crm_following_database {
  const char *why;    /* a sentence without its end; "" if nobody asks for it */
  const char *remedy; /* SQL that would allow it, or "" */
  bool used, possible;
};
struct crm_following_database crm_source_following_database(const struct crm_source *source, size_t index);
/* Connects where needed and finds out what holds, for `crmctl check`. Makes no slot. Errors as crm_source_check. */
enum crm_status crm_source_probe(struct crm_source *source, struct crm_error *err) CRM_MUSTCHECK;

/* crm_source_read into a picture that can be refreshed. With `picture_before` not NULL that picture's refresh is made in the same snapshot
 * first, and left in `before`, to be applied: so that both pictures are of one instant and may be compared. It is left empty where
 * that cannot be done. */
struct crm_refresh;
enum crm_status crm_source_read_picture(struct crm_source *source, struct crm_picture *picture_before, struct crm_refresh *before,
                                        struct crm_picture **picture, struct crm_error *err) CRM_MUSTCHECK;

struct crm_refresh {
  struct crm_patch *patch;   /* prepared, to be applied and freed; NULL if a full read is wanted */
  bool full_wanted;          /* the database is not what it was: it was restarted or altered, a relation is back; or too much has changed */
  bool routine;              /* full_wanted is nothing that somebody need be told of */
  char reason[160];          /* why */
  bool whole[CRM_RELATIONS]; /* relations that were read whole */
};
/* Reads what has changed. CRM_OK with a patch or full_wanted; other errors leave everything as it was, so that the next refresh finds the
 * same again. The patch is the caller's. */
enum crm_status crm_source_refresh(struct crm_source *source, struct crm_picture *picture, struct crm_refresh *refresh,
                                   struct crm_error *err) CRM_MUSTCHECK;
/* The patch of the last refresh has been applied to the picture. */
void crm_source_accept(struct crm_source *source, const struct crm_picture *picture);

#endif
