/* SPDX-License-Identifier: MIT */
/* Facts for tests, written as text:
 *
 *   struct fixture f;
 *   fixture_init(&f, "UTC", "USD");
 *   fixture_row(&f, CRM_REL_ACCOUNT, "account_id=a1 created_at=2025-01-01 mrr=100 segment=smb");
 *   fixture_row(&f, CRM_REL_USAGE, "account_id=a1 day=2026-02-20 logins_per_week=5");
 *   fixture_at(&f, "2026-03-01");
 *   fixture_evaluate(&f);
 *   assert_double_equal(fixture_sum(&f, "crm_accounts status=active"), 1, 0);
 *   fixture_free(&f);
 *
 * A row is a list of column=value, apart by blanks; 'quotes' hold a value with blanks or an empty one; a column not named is NULL.
 * A time is what crm_time_parse reads, with an optional "+Nus" or "-Nus" behind it; an array is a list with commas.
 * Rows of `account` come first, those of `contact` before those of `engagement`. A mistake in a fixture aborts the test program. */
#ifndef CRM_TESTS_FACTS_FIXTURE_H
#define CRM_TESTS_FACTS_FIXTURE_H

#include <stdarg.h>

#include "analytics/context.h"
#include "analytics/evaluate.h"
#include "analytics/params.h"
#include "base/arena.h"
#include "facts/builder.h"
#include "facts/facts.h"
#include "series/set.h"

struct fixture {
  struct crm_zone *zone;
  struct crm_builder *builder;
  bool begun[CRM_RELATIONS];
  struct crm_facts *facts;   /* after fixture_finish */
  struct crm_params params;  /* the defaults, with the zone and without dimensions; change before fixture_context or fixture_evaluate */
  struct crm_scorecard card; /* what params.scorecards points to: a copy of the default one */
  struct crm_arena arena;
  struct crm_series_set set;
  struct crm_context context; /* after fixture_context */
  struct crm_error err;
  crm_time at;
};

void fixture_init(struct fixture *f, const char *zone, const char *default_currency);
void fixture_init_shard(struct fixture *f, const char *zone, const char *default_currency, struct crm_shard shard);
void fixture_free(struct fixture *f);

/* Makes the relation available even if no row follows; done by the first row as well. */
void fixture_begin(struct fixture *f, enum crm_relation relation);
/* `row` is a printf format. */
void fixture_row(struct fixture *f, enum crm_relation relation, const char *row, ...) CRM_PRINTF(3, 4);
crm_time fixture_time(const struct fixture *f, const char *text);
/* Sets the instant T. */
void fixture_at(struct fixture *f, const char *time);
/* Seals the facts; called by the two below when needed. */
void fixture_finish(struct fixture *f);
/* Makes f->context at f->at (crm_context_init), with an empty set. May be called again for another instant. */
void fixture_context(struct fixture *f);
/* Runs crm_evaluate at f->at into f->set. May be called again for another instant or other parameters. */
void fixture_evaluate(struct fixture *f);
/* Number of the account, from its id. */
uint32_t fixture_account(const struct fixture *f, const char *id);

/* Sum of the samples of f->set that match: "crm_accounts status=active segment=smb". NaN if there is none. */
double fixture_sum(const struct fixture *f, const char *query);
/* How many samples match. */
size_t fixture_count(const struct fixture *f, const char *query);
/* The whole set as text, one sample a line, values as exact numbers: equal sets are equal texts. The caller frees it. */
char *fixture_dump(const struct fixture *f);

#endif
