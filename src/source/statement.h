/* SPDX-License-Identifier: MIT */
/* Internal to source: the statements by which changes are found and read. `sql` is a mapping's text. All return NULL when out of memory;
 * free() what they return. */
#ifndef CRM_SOURCE_STATEMENT_H
#define CRM_SOURCE_STATEMENT_H

#include "source/source.h"

/* What is read of a relation. */
struct crm_selection {
  enum crm_relation relation;
  const char *sql;
  const bool *present; /* columns, by index in the contract */
  crm_day first_day;   /* CRM_DAY_NONE: no bound */
  struct crm_shard shard; /* rows of whose accounts alone */
  const char *own;        /* the ids of these accounts, an SQL literal of an array; NULL: they are told by the hash of each row's */
};

/* "COPY (SELECT columns FROM (sql) q [WHERE ...]) TO STDOUT (FORMAT binary)": everything. */
char *crm_statement_copy(const struct crm_selection *selection);
/* The SELECT of the former. */
char *crm_statement_all(const struct crm_selection *selection);
/* The rows whose column `key` is one of the array `array`, an SQL expression such as "$1::uuid[]". One key at a time, by a lateral join
 * that is not flattened: so the condition is an equality with a constant, which the server passes on into groupings and unions, where an
 * ANY stops. */
char *crm_statement_some(const struct crm_selection *selection, const char *key, const char *array);
/* The same for rows of accounts on days: each of `accounts` with the day of `days` that stands at its place. */
char *crm_statement_days(const struct crm_selection *selection, const char *accounts, const char *days);
/* Columns `key` and `stamp`, as texts, of rows with `stamp` >= `since`, an SQL expression, each pair once with the number of its rows. With
 * `day`, a column, that is part of the stamp, and the fourth column of the result; else it is NULL. Of all shards and days, since the
 * server's counters do not know them either. */
char *crm_statement_poll(const struct crm_selection *selection, const char *key, const char *stamp, const char *day, const char *since);

/* One text: the array of the ids of the shard's own accounts. `selection` is of account. */
char *crm_statement_own(const struct crm_selection *selection, struct crm_shard shard);
/* Columns `via` and `key`, as texts, each pair once, of rows of the statement for changes `sql` whose `via` is one of the array `$1`, which
 * is of the type `type`. */
char *crm_statement_look_up(const char *sql, const char *via, const char *key, const char *type);

struct crm_strbuf;
/* Adds an expression with the hash by which accounts are dealt to shards (facts/shard.h) of the text that `id`, an expression, gives. md5()
 * and bit strings are what PostgreSQL and the databases that speak its language agree upon; hashtext() is another function in each. */
void crm_statement_add_hash(struct crm_strbuf *buf, const char *id);
/* Adds an item to an array of texts, {"a","b"}, which is empty at first. */
void crm_statement_add_item(struct crm_strbuf *array, const char *text, size_t len);

#endif
