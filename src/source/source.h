/* SPDX-License-Identifier: MIT */
/* PostgreSQL -> facts. A `struct crm_source` owns the connections of one instance: one per database, each read in one snapshot.
 * Everything waits with a deadline and wakes at once when asked to stop: a call returns within half a second of crm_stop_request, whatever
 * the server does. The one exception is name resolution inside libpq, which blocks as long as the resolver does when a host is given by
 * name and not by address or socket directory; who must end meanwhile leaves the thread behind. Not thread-safe: one thread drives a
 * source. */
#ifndef CRM_SOURCE_SOURCE_H
#define CRM_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "facts/facts.h"
#include "facts/shard.h"

struct crm_database_options {
  const char *name;                                                          /* "" for the instance's own */
  const char *conninfo;                                                      /* libpq keywords or URI; may be NULL */
  const char *host, *port, *dbname, *user, *service, *sslmode, *sslrootcert; /* NULL = libpq's default; override conninfo */
  const char *password_file;                                                 /* a file whose first line is the password; NULL: none */
  const char *passfile;                                                      /* libpq's passfile; NULL: libpq's default */
  const char *search_path;                                                   /* default "public"; pg_catalog always comes first */
};

/* How changes of a relation are found. */
enum crm_changes {
  CRM_CHANGES_AUTO,     /* the first of the following that can be relied on here */
  CRM_CHANGES_LOGICAL,  /* the server's log of changes, by logical decoding */
  CRM_CHANGES_POLL,     /* rows changed since, by an indexed column changed_at */
  CRM_CHANGES_COUNTERS, /* the server's counters of changed rows tell which tables were written to; then the relation is read whole */
  CRM_CHANGES_NONE,     /* read whole each time */
};
const char *crm_changes_name(enum crm_changes changes);

struct crm_relation_options {
  bool disabled;
  int changes;            /* 0: as the instance; else 1 + enum crm_changes */
  const char *query;      /* SQL text, or NULL */
  const char *query_file; /* path, or NULL; else the mapping's own file */
  const char *database;   /* name of a crm_database_options; NULL or "": the instance's own */
};

struct crm_source_options {
  const char *instance;                         /* name, for messages and application_name */
  const char *mapping;                          /* name of a shipped mapping, or an absolute directory */
  const char *mapping_dir;                      /* where shipped mappings live */
  const struct crm_database_options *databases; /* [0] is the instance's own */
  size_t n_databases;
  struct crm_relation_options relations[CRM_RELATIONS];
  const struct crm_zone *zone;
  const char *default_currency;
  int64_t connect_timeout_us;   /* default 10 s: total, over all addresses */
  int64_t statement_timeout_us; /* default 60 s: one statement of the server's */
  int64_t lock_timeout_us;      /* default 2 s */
  int64_t read_timeout_us;      /* default 300 s: one whole read, everything included */
  int changes;                  /* enum crm_changes */
  const char *publication;      /* by which changes are decoded; NULL or "": none */
  int64_t changes_overlap_us;   /* how much earlier than the last look a change may be stamped that shows only now; default 10 s */
  int history_days;             /* older rows of usage, support and health are not read; 0 = all; default 400 */
  size_t max_memory;            /* bytes, 0 = none */
  struct crm_shard shard;       /* of 0: all accounts */
};

/* What is known of a relation after connecting: for `crmctl check`, the log and crm_relation_available. */
enum crm_relation_state {
  CRM_RELATION_UNKNOWN,    /* not looked at yet */
  CRM_RELATION_NOT_MAPPED, /* the mapping has no file for it, or it is disabled */
  CRM_RELATION_OK,
  CRM_RELATION_BROKEN, /* error tells why, what, and what to do */
};
struct crm_relation_check {
  enum crm_relation_state state;
  bool column_present[24]; /* by index in crm_relation_info()->columns */
  unsigned account_type;   /* the server's number of the type of account_id */
  struct crm_error error;  /* for BROKEN: names relation, column, SQLSTATE and the remedy */
  char origin[256];        /* file or "Query of <Relation>" it comes from */
};

struct crm_stop; /* a flag that wakes every wait */
enum crm_status crm_stop_new(struct crm_stop **stop) CRM_MUSTCHECK;
void crm_stop_free(struct crm_stop *stop);
void crm_stop_request(struct crm_stop *stop); /* async-signal-safe, idempotent */
bool crm_stop_requested(const struct crm_stop *stop);
/* Sleeps until the monotonic deadline or the stop; true if stopped. */
bool crm_stop_wait(const struct crm_stop *stop, int64_t deadline_monotonic_us);

struct crm_source;
/* Reads the mapping files and remembers the options (which must outlive the source). Opens no connection.
 * CRM_ERR_CONFIG or CRM_ERR_IO names the file. */
enum crm_status crm_source_new(const struct crm_source_options *options, const struct crm_log *log, struct crm_stop *stop,
                               struct crm_source **source, struct crm_error *err) CRM_MUSTCHECK;
void crm_source_free(struct crm_source *source);

/* Connects where needed, sets the session up and prepares each relation. Never logs; what does not fit is in the checks.
 * Fails only if a database cannot be reached or `account` does not fit. */
enum crm_status crm_source_check(struct crm_source *source, struct crm_error *err) CRM_MUSTCHECK;
const struct crm_relation_check *crm_source_relation(const struct crm_source *source, enum crm_relation relation);

/* A full read: connects and checks where needed, reads every relation of each database in one REPEATABLE READ READ ONLY snapshot,
 * and hands over the facts (one reference). A relation that no longer fits is left out (its check says why) unless it is `account`;
 * a passing fault (timeout, lost connection) fails the whole read. Reports rows refused once per relation and reason through the log. */
enum crm_status crm_source_read(struct crm_source *source, struct crm_facts **facts, struct crm_error *err) CRM_MUSTCHECK;

/* Durations of the last read in microseconds, by phase. */
enum crm_phase { CRM_PHASE_CONNECT, CRM_PHASE_CHECK, CRM_PHASE_READ, CRM_PHASE_BUILD, CRM_PHASES };
const char *crm_phase_name(enum crm_phase phase);
int64_t crm_source_phase_us(const struct crm_source *source, enum crm_phase phase);
/* Received by the last read or refresh. */
uint64_t crm_source_rows(const struct crm_source *source);
uint64_t crm_source_bytes(const struct crm_source *source);

/* Facts for `crmctl check`, valid after crm_source_check: one line each. */
struct crm_database_report {
  char server_version[64];
  char endpoint[256]; /* user@host:port/dbname, never a password */
  char role[64];
  bool superuser, bypass_rls, can_write, in_recovery, ssl;
};
const struct crm_database_report *crm_source_database(const struct crm_source *source, size_t index);

#endif
