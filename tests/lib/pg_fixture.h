/* SPDX-License-Identifier: MIT */
/* A PostgreSQL server of the test's own: a new cluster in a temporary directory, a Unix socket only, run by an unprivileged user, and gone
 * with the test, however that ends. Local users come in without a password, but those of role "scram_users" need theirs. */
#ifndef CRM_TESTS_PG_FIXTURE_H
#define CRM_TESTS_PG_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PG_FIXTURE_SUPERUSER "boss"

struct pg_fixture {
  bool logical; /* set before the start: its log can be decoded */
  char dir[64]; /* also the socket's directory */
  char bindir[256];
  pid_t server; /* 0: not running */
  char reason[256];
};

/* Makes the cluster and starts the server. False with `reason` if it cannot be done here: the server programs are not installed, or there
 * is no unprivileged user to run them. */
bool pg_fixture_start(struct pg_fixture *f);
/* Stops the server and removes the directory. */
void pg_fixture_stop(struct pg_fixture *f);
/* Stops and starts the server only; `signal` SIGINT is a fast shutdown, SIGQUIT an immediate one. */
void pg_fixture_halt(struct pg_fixture *f, int signal);
bool pg_fixture_resume(struct pg_fixture *f);

/* Runs statements as the superuser; a failure ends the program with its message on stderr. */
void pg_fixture_sql(const struct pg_fixture *f, const char *dbname, const char *sql);
/* The first value of the result as text into buf. */
void pg_fixture_value(const struct pg_fixture *f, const char *dbname, const char *sql, char *buf, size_t size);

#endif
