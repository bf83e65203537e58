/* SPDX-License-Identifier: MIT */
/* Random changes of the demo CRM (contrib/sql/schema.sql, schema_ext.sql), as an application and its users would make them: inserts,
 * updates, deletes, merges of accounts, churn and return, values that make no sense but are legal, transactions that commit late or not at
 * all. */
#ifndef CRM_TESTS_CRM_WORKLOAD_H
#define CRM_TESTS_CRM_WORKLOAD_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct crm_workload {
  PGconn *now;     /* commits at once */
  PGconn *late;    /* holds a transaction open for some steps */
  int late_steps;  /* until its end; 0: none is open */
  uint64_t random; /* state */
  int accounts;    /* numbers used so far */
  bool stamps;     /* every update sets updated_at; else one in eight does not */
  bool keeps_rows; /* nothing is deleted, and no row goes from one account to another */
  uint64_t done, refused;
  uint64_t merges, returns, nonsense, late_changes; /* of each how many */
  char host[96], user[32], dbname[32];
};

/* Connects as a superuser. */
void crm_workload_open(struct crm_workload *w, const char *host, const char *user, const char *dbname, uint64_t seed);
/* Ends the sessions and begins others, for when the server was away meanwhile. */
void crm_workload_disconnect(struct crm_workload *w);
void crm_workload_connect(struct crm_workload *w);
void crm_workload_close(struct crm_workload *w);
/* Tenants, users, products and some accounts to begin with. */
void crm_workload_begin(struct crm_workload *w, int accounts);
/* One step. What the database refuses (a duplicate, a lock that is held) is no fault. */
void crm_workload_step(struct crm_workload *w);
/* Ends the late transaction, and has the server's counters tell everything. */
void crm_workload_settle(struct crm_workload *w);
uint64_t crm_workload_random(struct crm_workload *w, uint64_t below);

#endif
