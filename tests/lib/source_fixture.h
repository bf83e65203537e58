/* SPDX-License-Identifier: MIT */
/* A source over the test's own PostgreSQL: database "crm" holds a table for each relation of the contract, under its name and with its
 * columns, empty. Role "reader" may read them. */
#ifndef CRM_TESTS_SOURCE_FIXTURE_H
#define CRM_TESTS_SOURCE_FIXTURE_H

#include "lib/pg_fixture.h"
#include "source/source.h"

struct source_fixture {
  struct pg_fixture *pg;
  struct crm_database_options databases[2]; /* the second is named "other", of database "other" */
  struct crm_source_options options;
  char queries[CRM_RELATIONS][64];
  struct crm_zone *zone; /* Europe/Berlin */
  struct crm_stop *stop;
  struct crm_source *source;
  struct crm_facts *facts; /* of the last read that succeeded */
  struct crm_error err;    /* of the last that did not */
  char log[4096];
};

/* Makes the database anew: role, tables, and database "other" without tables. */
void source_fixture_reset(const struct pg_fixture *pg);

/* Options for all relations, "SELECT * FROM <relation>", short timeouts. Change them before source_fixture_open. */
void source_fixture_init(struct source_fixture *s, struct pg_fixture *pg);
void source_fixture_open(struct source_fixture *s);
void source_fixture_close(struct source_fixture *s);

/* Reads; the status comes back, facts or err is set. */
enum crm_status source_fixture_read(struct source_fixture *s);
/* Reads and fails the test with the message if that fails. */
const struct crm_facts *source_fixture_must_read(struct source_fixture *s);

/* Requests the stop after `ms` milliseconds in another thread; source_fixture_stopped_after gives the milliseconds since the request. */
void source_fixture_stop_later(struct source_fixture *s, int ms);
double source_fixture_stopped_after(void);

/* Fails the test unless every one of the texts (NULL ends them) is in the message. */
void assert_message(const char *message, ...) __attribute__((sentinel));

#endif
