/* SPDX-License-Identifier: MIT */
/* Internal to source: what the output plugin "pgoutput" says of changes, version 1 of its protocol (PostgreSQL manual, Logical Replication
 * Message Formats). Bytes in, calls out: no connection, no memory of its own, so that it can be fuzzed. All integers are big-endian.
 *
 * A message is looked through as a whole before anything of it is told: what a call is handed can be read to its end. */
#ifndef CRM_SOURCE_PGOUTPUT_H
#define CRM_SOURCE_PGOUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Columns of a row, in the order of the relation's message. */
struct crm_pgoutput_tuple {
  const unsigned char *at; /* NULL: there is none */
  int n;
};

enum crm_pgoutput_kind {
  CRM_PGOUTPUT_ABSENT,    /* there is no such column */
  CRM_PGOUTPUT_NULL,      /* also what an old row of kind KEY gives for columns that are none of its identity */
  CRM_PGOUTPUT_UNCHANGED, /* a large value that was not written again */
  CRM_PGOUTPUT_TEXT,
};
struct crm_pgoutput_value {
  enum crm_pgoutput_kind kind;
  const char *text; /* without NUL at its end */
  size_t len;
};
/* The value of the column, from 0. */
struct crm_pgoutput_value crm_pgoutput_value(struct crm_pgoutput_tuple tuple, int column);

/* A table as it was when it was changed; comes before its first change, and again once it has been altered. */
struct crm_pgoutput_relation {
  uint32_t table;
  const char *schema, *name; /* schema "" is pg_catalog */
  int n;
  const unsigned char *columns;
};
/* The place of the column, or -1; `identity` tells whether the old row has it. */
int crm_pgoutput_column(const struct crm_pgoutput_relation *relation, const char *name, bool *identity);

enum crm_pgoutput_change { CRM_PGOUTPUT_INSERT, CRM_PGOUTPUT_UPDATE, CRM_PGOUTPUT_DELETE };

/* Who is told. What a call returns other than CRM_OK is handed on. */
struct crm_pgoutput_sink {
  void *ctx;
  /* What follows up to the commit was done by the transaction `xid`. */
  enum crm_status (*begin)(void *ctx, uint32_t xid, struct crm_error *err);
  enum crm_status (*commit)(void *ctx, struct crm_error *err);
  enum crm_status (*relation)(void *ctx, const struct crm_pgoutput_relation *relation, struct crm_error *err);
  /* `before` is the old row: with an update it is there when the identity has changed, or is the whole row. `after` is the new one. */
  enum crm_status (*change)(void *ctx, enum crm_pgoutput_change change, uint32_t table, struct crm_pgoutput_tuple before,
                            struct crm_pgoutput_tuple after, struct crm_error *err);
  /* Once for each table. */
  enum crm_status (*truncate)(void *ctx, uint32_t table, struct crm_error *err);
};

/* One message. CRM_ERR_DATA for bytes that are none, and for messages that were not asked for: of transactions that are still running, of
 * prepared ones, and of applications. */
enum crm_status crm_pgoutput_message(const void *bytes, size_t len, const struct crm_pgoutput_sink *sink,
                                     struct crm_error *err) CRM_MUSTCHECK;

#endif
