/* SPDX-License-Identifier: MIT */
/* Internal to source: what has changed in a database, by logical decoding with the server's own output plugin on a temporary slot.
 *
 * The slot lives in a session of its own, and ends with it: nothing is left at the server when the process is gone. It is drained once per
 * refresh, by SQL, up to what is visible in the refresh's snapshot. What is decoded but not visible yet stays pending, and so does
 * everything until the refresh is accepted. The order that makes it exact: the slot is there before the snapshot of the full read; each
 * refresh takes its snapshot before it asks how far the log goes, and drains up to there.
 *
 * While the slot exists the server keeps the log that was not drained. So a session that could not be drained for long is given up. */
#ifndef CRM_SOURCE_LOGICAL_H
#define CRM_SOURCE_LOGICAL_H

#include "base/strbuf.h"
#include "source/connection.h"
#include "source/snapshot.h"

/* Which column of a table tells what a changed row of it changes. */
struct crm_track {
  Oid table;
  char column[64]; /* "": nothing tells, the relation is read whole */
  bool by_key;     /* its values are keys of the relation, else account ids */
  bool padded;     /* of type character(n): blanks at the end are none of the value */
  int looked_up;   /* 1 and more: its values are looked up by that statement of the mapping for changes; 0: they are keys or ids */
  char type[64];   /* of the column then, by name */
  char day[64];    /* the column with the day of the account that a row changes alone; "": all its days */
};

enum crm_logical_state {
  CRM_LOGICAL_CLOSED,
  CRM_LOGICAL_STARTING, /* the slot is being made: that waits for transactions that were running before */
  CRM_LOGICAL_READY,
};

struct crm_logical {
  struct crm_connection connection;
  enum crm_logical_state state;
  char slot[64];
  bool wanted;                        /* it would be used if the slot were there */
  bool in_use;                        /* a relation is followed by it */
  bool fresh;                         /* nothing was drained yet, nothing is counted from it */
  uint64_t signature;                 /* of the tracks by which pending changes were told apart */
  struct crm_strbuf pending;          /* entries, see logical.c */
  struct crm_snapshot base;           /* of the last full read: what it shows was read */
  struct crm_snapshot accepted, next; /* of the last accepted refresh or full read, and of the one at hand */
  char next_place[32];                /* in the log: everything that `next` shows lies before */
  char mark[40], next_mark[40];       /* of the publication; different when it was altered meanwhile */
  bool behind;                        /* of what was shown something may not have been decoded yet */
  int64_t drained_us;                 /* monotonic: when the slot was made or drained the last time */
  int failures;                       /* since a drain succeeded */
  int64_t held_until_us;              /* monotonic: not tried again before */
  char trouble[256];                  /* why it failed the last time */
};

void crm_logical_init(struct crm_logical *logical, const struct crm_source_options *options, const struct crm_database_options *database,
                      const struct crm_stop *stop);
/* Ends the session and with it the slot, and forgets what is pending. */
void crm_logical_close(struct crm_logical *logical);
void crm_logical_free(struct crm_logical *logical);

/* Connects where needed, has the slot made, and waits for at most wait_us until it is READY. What keeps it from that is no error but in
 * `trouble`; errors are CRM_ERR_STOPPED and CRM_ERR_MEMORY. */
enum crm_status crm_logical_start(struct crm_logical *logical, int64_t wait_us, struct crm_error *err) CRM_MUSTCHECK;
/* READY, and its session lives. */
bool crm_logical_alive(const struct crm_logical *logical);
/* Gives up a slot that was not drained for three read timeouts: it must not fill the server's disk. */
void crm_logical_relieve(struct crm_logical *logical);

/* Should it be drained although nothing seems to have been committed? */
bool crm_logical_due(const struct crm_logical *logical);

/* Where the log stands, asked for over `c` in the transaction whose snapshot rows are read in: fills next, next_place, next_mark. With
 * `full` all that the snapshot shows has been read, or is going to be. */
enum crm_status crm_logical_look(struct crm_connection *c, struct crm_logical *logical, bool full, struct crm_error *err) CRM_MUSTCHECK;
/* Fills `pending` up to that place; `lost` says why, if that could not be done: then the slot is gone and everything is to be read anew.
 * Errors are CRM_ERR_STOPPED and CRM_ERR_MEMORY; the slot is gone then, too. */
struct crm_source;
enum crm_status crm_logical_drain(struct crm_source *source, size_t database, char *lost, size_t lost_size,
                                  struct crm_error *err) CRM_MUSTCHECK;

/* CRM_TOUCHED_DAY: a day of an account, "2026-11-29 ACCOUNT". CRM_TOUCHED_VIA + n: what the statement n (from 0) for changes of the relation
 * tells of that value. */
enum crm_touched { CRM_TOUCHED_ALL, CRM_TOUCHED_ACCOUNT, CRM_TOUCHED_KEY, CRM_TOUCHED_DAY, CRM_TOUCHED_VIA };
#define CRM_TOUCHED_DAY_LEN 10 /* letters of the day; the account stands one behind it */
/* Tells what the pending changes that `next` shows touch. */
typedef enum crm_status crm_touched_fn(void *ctx, enum crm_relation relation, unsigned what, const char *text, size_t len,
                                       struct crm_error *err);
enum crm_status crm_logical_tell(const struct crm_logical *logical, crm_touched_fn *tell, void *ctx, struct crm_error *err) CRM_MUSTCHECK;
/* What was told is read: it is not pending any more. `mark` is that of the publication by which the tracks were chosen. */
void crm_logical_accept(struct crm_logical *logical, const char *mark);

#endif
