/* SPDX-License-Identifier: MIT */
/* Internal to source: what a database tells about changes without being asked for rows. */
#ifndef CRM_SOURCE_LOOKOUT_H
#define CRM_SOURCE_LOOKOUT_H

#include "source/connection.h"

/* What is known of one table. */
struct crm_table_signal {
  Oid oid;
  int64_t inserted, updated, deleted; /* by the server's counters */
  char file[16];                      /* changes with TRUNCATE and when the table is written anew */
  char shape[160];                    /* changes with what the table is: altered, another view, another partition */
};

/* What a look at a database found. */
struct crm_look {
  char identity[96];  /* of the server's run and the database */
  char snapshot[512]; /* of transactions, or a replica's place; "" if it does not fit in */
  bool replica;
  crm_time clock;                  /* the server's */
  crm_time bound;                  /* what commits later was not stamped before this, by the server's clock */
  bool sees_activity;              /* of all sessions, so that `bound` can be relied on */
  bool counting;                   /* track_counts is on */
  char reset[48];                  /* when the counters were reset */
  struct crm_table_signal *tables; /* in the order of the list */
  size_t n_tables;
};

/* The tables of a database that are watched, and two looks. */
struct crm_lookout {
  Oid *list;
  size_t n, cap;
  struct crm_look accepted, next;
};

void crm_lookout_free(struct crm_lookout *lookout);
/* Adds a table to the list, once. */
enum crm_status crm_lookout_watch(struct crm_lookout *lookout, Oid table) CRM_MUSTCHECK;

/* Fills identity, snapshot, replica of the look at hand; one round trip, outside of a transaction or inside. */
enum crm_status crm_lookout_glance(struct crm_connection *c, struct crm_lookout *lookout, struct crm_error *err) CRM_MUSTCHECK;
/* Fills the rest. To be called before the snapshot is taken from which rows are read, so that nothing falls between. */
enum crm_status crm_lookout_look(struct crm_connection *c, struct crm_lookout *lookout, int64_t overlap_us,
                                 struct crm_error *err) CRM_MUSTCHECK;
/* The snapshot of the transaction at hand becomes that of the look. */
enum crm_status crm_lookout_take_snapshot(struct crm_connection *c, struct crm_lookout *lookout, struct crm_error *err) CRM_MUSTCHECK;
/* The look at hand becomes the accepted one. */
void crm_lookout_accept(struct crm_lookout *lookout);
/* True if a snapshot is known and the same as the accepted one. */
bool crm_lookout_still(const struct crm_lookout *lookout);

/* The table's signals of both looks; false if the table is not in one of them. */
bool crm_lookout_table(const struct crm_lookout *lookout, Oid table, const struct crm_table_signal **before,
                       const struct crm_table_signal **now);

/* Row versions seen by a poll, each by key and stamp, so that the next poll, which reaches back, knows them. */
struct crm_seen;
struct crm_seen *crm_seen_new(void);
void crm_seen_free(struct crm_seen *seen);
/* CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_seen_add(struct crm_seen *seen, const char *key, const char *stamp, int64_t count) CRM_MUSTCHECK;
/* How many of that key and stamp were seen; 0 with NULL. */
int64_t crm_seen_count(const struct crm_seen *seen, const char *key, const char *stamp);

#endif
