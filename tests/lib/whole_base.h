/* SPDX-License-Identifier: MIT */
/* Random customer bases with rows in every relation, for the properties that every family has to have. Each customer's story is drawn
 * first, past and future; then every row is told as the CRM has it at T, and as it has it later, when more has happened. */
#ifndef CRM_TESTS_WHOLE_BASE_H
#define CRM_TESTS_WHOLE_BASE_H

#include "lib/chance.h"
#include "lib/facts_fixture.h"

#define WHOLE_ACCOUNTS 12
#define WHOLE_ROWS 2000

enum { WHOLE_TENANTS = 3 };
extern const char *const whole_tenants[WHOLE_TENANTS];

struct whole_row {
  enum crm_relation relation;
  int account;              /* WHOLE_ACCOUNTS and above: of a customer who was deleted, with rows left behind */
  char now[320], later[320]; /* "": the row is not there */
};

struct whole_base {
  crm_time at; /* T */
  const struct crm_zone *zone;
  int n, tenant[WHOLE_ACCOUNTS];
  bool own_arr;  /* the CRM keeps no history of revenue: each account's current one counts */
  /* Somebody came back from a recorded churn, or paid before the account began: at T more is known of the time before than was then. */
  bool hindsight;
  struct whole_row rows[WHOLE_ROWS];
  int n_rows;
};

struct whole_choice {
  bool later;            /* as it is told later */
  int tenant;            /* only what belongs to this one; -1: all */
  struct chance *order;  /* NULL: as drawn; else the rows are shuffled */
};

void whole_draw(struct chance *c, const struct crm_zone *zone, struct whole_base *b);
/* Puts the rows into a new fixture, with all relations available but revenue where `own_arr`; at is T. The caller frees the fixture. */
void whole_put(struct fixture *f, const struct whole_base *b, const struct whole_choice *choice);

#endif
