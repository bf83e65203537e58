/* SPDX-License-Identifier: MIT */
/* What the tests of revenue say and check, on top of facts_fixture.h. A difference fails the running cmocka test. */
#ifndef CRM_TESTS_REVENUE_CHECK_H
#define CRM_TESTS_REVENUE_CHECK_H

#include "lib/facts_fixture.h"

/* Adds rows "A created_at=..." (account), "R at=..." (revenue) and "C contract_id=..." (contract), in that order whatever theirs; without
 * an account_id they are of account a1. "W 30" sets the reactivation window to 30 days. */
void revenue_add_rows(struct fixture *f, const char *const *rows, size_t n);
/* Computes the revenue families, and nothing else, at f->at. */
void revenue_compute(struct fixture *f);

/* Equal but for the last bits; NaN equals NaN. */
bool revenue_near(double a, double b);
/* The sum of the samples that match (fixture_sum); NaN expects none. */
void revenue_check(const struct fixture *f, const char *name, const char *query, double expected);
/* `text` is "30d opening=1200 churn=1200 base=1200 nrr=0 grr=0", or "30d/EUR ...": whatever it does not name must be 0, and ratios absent.
 */
void revenue_check_window(const struct fixture *f, const char *name, const char *text);

#endif
