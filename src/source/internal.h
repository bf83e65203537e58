/* SPDX-License-Identifier: MIT */
/* Internal to source: what source.c and read.c share. */
#ifndef CRM_SOURCE_INTERNAL_H
#define CRM_SOURCE_INTERNAL_H

#include "facts/patch.h"
#include "source/check.h"
#include "source/connection.h"
#include "source/copy_reader.h"
#include "source/follow.h"
#include "source/logical.h"
#include "source/lookout.h"
#include "source/mapping.h"
#include "source/publication.h"
#include "source/session.h"
#include "source/statement.h"

struct crm_source_database {
  struct crm_connection connection;
  struct crm_types types; /* of this connection */
  struct crm_database_report report;
  bool in_transaction;
  bool savepoint;             /* set in this transaction */
  crm_time read_at;           /* of this transaction's snapshot */
  bool refreshed;             /* the transaction was begun by a refresh */
  bool distributed;           /* its tables are kept by other servers, and what this one counts is not what is written to them */
  bool still;                 /* nothing was committed since the last look */
  struct crm_lookout lookout; /* of the last accepted look, and of the one at hand */
  struct crm_logical logical;
  struct crm_publication publication; /* as found by the last probe */
};

enum { CRM_WATCHES_MAX = CRM_CHANGES_MAX, CRM_TABLES_MAX = 64, CRM_TRACKS_MAX = CRM_TABLES_MAX + CRM_CHANGES_MAX };

/* A poll: one table, looked at by an indexed changed_at. */
struct crm_watch {
  char *poll;      /* the statement; $1: since */
  char title[128]; /* the table, for messages */
  Oid table;
  bool inserts_only;                 /* what stands for changed_at is inserted_at, which tells of new rows only */
  bool by_key;                       /* the values are keys of the relation, else account ids */
  bool by_day;                       /* a row tells which day of the account it belongs to, so that a new one changes that alone */
  bool stable_key;                   /* the value identifies the row, so that an update cannot move it away from another value */
  int64_t balance, balance_next;     /* row versions seen less rows counted as written */
  struct crm_seen *seen, *seen_next; /* row versions of the last poll, and of the one at hand */
};

/* How one relation is followed. */
struct crm_way {
  struct crm_following following;
  bool gated;   /* nothing committed means nothing changed */
  bool counted; /* the counters tell of its tables */
  Oid tables[CRM_TABLES_MAX];
  size_t n_tables;
  struct crm_watch watches[CRM_WATCHES_MAX];
  size_t n_watches;
  struct crm_track tracks[CRM_TRACKS_MAX]; /* one or more of each table, with logical decoding */
  size_t n_tracks;
  Oid types[CRM_ROW_COLUMNS]; /* of the fields, as they were checked */
  char account_type[128], key_type[128];
  double cost_all, cost_account, cost_day, cost_key; /* by the planner: everything; one account, day of an account, key */
};

struct crm_source {
  const struct crm_source_options *options;
  struct crm_log log;
  struct crm_stop *stop;
  struct crm_mapping mapping;
  struct crm_source_database *databases; /* options->n_databases of them */
  size_t database_of[CRM_RELATIONS];
  /* The mapped relations in the order of reading: account, contact, then the others database by database. */
  enum crm_relation order[CRM_RELATIONS];
  size_t n_order;
  struct crm_relation_check checks[CRM_RELATIONS];
  struct crm_copy_field fields[CRM_RELATIONS][CRM_ROW_COLUMNS]; /* of relations whose check is OK */
  size_t n_fields[CRM_RELATIONS];
  bool rejecting[CRM_RELATIONS][CRM_REJECTS]; /* what the last read refused, as the log knows it */
  int64_t phase_us[CRM_PHASES];
  uint64_t rows_received, bytes_received; /* of the operation at hand */
  struct crm_way ways[CRM_RELATIONS];
  double us_all[CRM_RELATIONS]; /* how long reading the relation whole took the last time */
  double us_per_cost;           /* of reading lists: time for a unit of the planner's cost, as measured; 0: not yet */
  bool followed;                /* there is a full read from which changes are counted */
  crm_day first_day;            /* of the last accepted look */
  crm_day first_day_next;
  char *own; /* crm_selection.own of this operation's snapshot; NULL: not asked for yet */
};

/* What is selected of the relation now. */
struct crm_selection crm_source_selection(const struct crm_source *source, enum crm_relation relation);
/* Is a relation read from the database? */
bool crm_source_uses(const struct crm_source *source, size_t database);
/* Reads a whole relation into `take`, inside its database's transaction. A relation that the server refuses for good is marked as broken in
 * its check, whatever rows were taken before, and that is CRM_OK. */
enum crm_status crm_source_copy(struct crm_source *source, enum crm_relation relation, crm_copy_row_fn *take, void *ctx,
                                struct crm_error *err) CRM_MUSTCHECK;
/* Begins an operation: deadline, durations, counts, the first day of what is selected. */
void crm_source_start(struct crm_source *source);
/* Reads everything into a builder, to be finished and freed by the caller; with `follow` it is for a picture, and what is followed from
 * there on is primed. Ends all transactions. */
struct crm_builder;
enum crm_status crm_source_build(struct crm_source *source, bool follow, struct crm_builder **builder, struct crm_error *err) CRM_MUSTCHECK;
/* In the transaction of a full read: remembers its snapshot, and what its polls see. */
enum crm_status crm_source_prime(struct crm_source *source, size_t database, struct crm_error *err) CRM_MUSTCHECK;
/* One line when rows of a relation begin to be refused for a reason, and one when that has ended. */
void crm_source_tell_rejects(struct crm_source *source, const struct crm_facts *facts);
/* Checks the relation in the transaction at hand, as crm_source_begin does for all. */
enum crm_status crm_source_check_relation(struct crm_source *source, enum crm_relation relation, struct crm_error *err) CRM_MUSTCHECK;
/* Connects where needed and begins the transaction, without looking at any relation. */
enum crm_status crm_source_begin_bare(struct crm_source *source, size_t database, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_source_connect(struct crm_source *source, size_t database, struct crm_error *err) CRM_MUSTCHECK;

/* refresh.c: crm_source_refresh after crm_source_start; with `within` all transactions are begun, and left open. */
enum crm_status crm_source_refresh_picture(struct crm_source *source, struct crm_picture *picture, struct crm_refresh *refresh, bool within,
                                           struct crm_error *err) CRM_MUSTCHECK;

/* What the server tells of a column of a statement's result. */
struct crm_result_column {
  bool found;
  Oid type, table;
  int attribute; /* of the table; 0: not a plain column */
};
struct crm_result_column crm_result_column(const PGresult *result, const char *name);
/* Is it a date of the table itself, by which its rows stand under a day? */
static inline bool crm_is_day_of(struct crm_result_column day, Oid table) {
  return day.found && day.table == table && day.attribute > 0 && crm_builtin_type(day.type).wire == CRM_WIRE_DATE;
}
/* The columns of the statement, in *result, which is to be cleared in any case. Errors as crm_connection_query. */
enum crm_status crm_source_describe(struct crm_connection *c, const char *sql, PGresult **result, struct crm_error *err) CRM_MUSTCHECK;
/* What is configured for the relation. */
enum crm_changes crm_source_changes(const struct crm_source *source, enum crm_relation relation);
/* The column that is the relation's key; NULL if it has none. */
static inline const char *crm_relation_key_name(enum crm_relation relation) {
  int key = crm_relation_key(relation);
  return key < 0 ? NULL : crm_relation_info(relation)->columns[key].name;
}

/* decoding.c: which columns tell what a changed row changes, for logical decoding: fills the way's tracks. Inside the transaction of a
 * probe, with a savepoint; its tables are known. */
enum crm_status crm_source_track(struct crm_source *source, enum crm_relation relation, struct crm_cover *cover,
                                 struct crm_error *err) CRM_MUSTCHECK;
/* A number that stands for the tracks of all relations of the database that are followed by logical decoding; 0: there are none. */
uint64_t crm_source_tracks_signature(const struct crm_source *source, size_t database);
/* Is there a relation of the database that would be followed by logical decoding? */
bool crm_source_asks_for_logical(const struct crm_source *source, size_t database);
/* The slot that the relations need. One that is there goes on, unless its pending changes were told apart by other tables and columns.
 * Where there is none yet, *again: the publication counts as not usable, and the relations are to be looked at again. */
enum crm_status crm_source_have_slot(struct crm_source *source, size_t database, bool *again, struct crm_error *err) CRM_MUSTCHECK;
/* Before a refresh takes its snapshot: is the slot what it was at the last look, and is one there now that had to be waited for? `lost`, ""
 * before, gets the reason why everything is to be read. */
enum crm_status crm_source_look_at_slot(struct crm_source *source, size_t database, char *lost, size_t lost_size,
                                        struct crm_error *err) CRM_MUSTCHECK;
/* Inside the transaction of a refresh: decodes what its snapshot shows, and tells it; or `lost`. */
enum crm_status crm_source_decode(struct crm_source *source, size_t database, crm_touched_fn *tell, void *ctx, char *lost, size_t lost_size,
                                  struct crm_error *err) CRM_MUSTCHECK;

/* probe.c: decides how each relation of the database is followed, in a transaction of its own. With `begin` the slot is made where it is
 * needed; else it is only found out whether it could be. */
enum crm_status crm_source_probe_database(struct crm_source *source, size_t database, bool begin, struct crm_error *err) CRM_MUSTCHECK;
void crm_way_free(struct crm_way *way);

/* Connects where needed, begins a transaction with its snapshot, and checks all of the database's relations in it. The locks which that
 * takes hold until its end: what was checked is what is read, and no TRUNCATE comes between. Everything is checked in each transaction,
 * since binary rows do not tell their types and a column altered meanwhile would be misread. On success database->in_transaction. A fault
 * of `account` is an error, one of another relation is in its check. */
enum crm_status crm_source_begin(struct crm_source *source, size_t database, struct crm_error *err) CRM_MUSTCHECK;
/* Ends all transactions that are open, after success or failure. A connection that does not answer is closed. */
void crm_source_end(struct crm_source *source);
/* Sets or moves the savepoint to which a refused statement rolls back. */
enum crm_status crm_source_savepoint(struct crm_source_database *database, struct crm_error *err) CRM_MUSTCHECK;
enum crm_status crm_source_rollback(struct crm_source_database *database, struct crm_error *err) CRM_MUSTCHECK;

#endif
