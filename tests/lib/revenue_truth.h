/* SPDX-License-Identifier: MIT */
/* Random customer bases for the property tests of revenue. Each customer's true history is drawn first; then it is told in one of the ways
 * in which CRMs tell it, with zero levels, dates, contracts or a status alone. What is published must follow from the truth. */
#ifndef CRM_TESTS_REVENUE_TRUTH_H
#define CRM_TESTS_REVENUE_TRUTH_H

#include "lib/chance.h"
#include "lib/facts_fixture.h"

#define TRUTH_ACCOUNTS 10
#define TRUTH_STEPS 8
#define TRUTH_ROWS 512

enum { TRUTH_SEGMENTS = 2, TRUTH_TENANTS = 2, TRUTH_CURRENCIES = 3, TRUTH_WINDOWS = 4 };
extern const char *const truth_segments[TRUTH_SEGMENTS];
extern const char *const truth_tenants[TRUTH_TENANTS];
extern const char *const truth_currencies[TRUTH_CURRENCIES]; /* of 0, 3 and 2 decimals */
extern const int64_t truth_units[TRUTH_CURRENCIES];
extern const enum crm_window truth_windows[TRUTH_WINDOWS];

struct step {
  crm_time at;
  int64_t level; /* annual, minor units; from then on */
  int currency;
};

/* How the truth is told. */
enum telling {
  LEVELS,         /* all in revenue rows, zeros too; status active */
  DATE,           /* the last step, to zero, only by churned_at */
  PAID_PERIOD,    /* churned_at earlier, and a contract that ends with the last step */
  CONTRACTS,      /* status churned, no date, two contracts */
  ZERO_LEVEL,     /* status churned and a zero level */
  UNDATED,        /* status churned alone: never any revenue */
  UNKNOWN_BEFORE, /* existed long before its first level */
  RETURNED,       /* a gap told by churned_at and the level that ends it; status active */
  OWN_ARR,        /* no revenue relation */
  OWN_ARR_DATE,   /* no revenue relation, churned_at */
  TELLINGS
};

struct truth {
  enum telling telling;
  int tenant, segment;
  crm_time created_at;
  bool unknown_before; /* from created_at until the first step */
  struct step steps[TRUTH_STEPS];
  int n;
};

struct truth_base {
  struct truth accounts[TRUTH_ACCOUNTS];
  int n;
  crm_time at;
  int days;     /* reactivation window */
  bool own;     /* the CRM keeps no history of revenue */
  bool returns; /* some account is told as RETURNED, whose picture before the return differs by nature */
  struct row {
    enum crm_relation relation;
    bool later; /* a fact dated after T that is not part of the truth at T */
    char text[192];
  } rows[TRUTH_ROWS];
  int n_rows;
};

/* Revenue at the instant, -1 if nobody knows it; *currency is always one of those above. */
int64_t truth_level(const struct truth *t, crm_time at, int *currency);
/* Whether it had paid before `start` (where it does not), at most `days` before it does again; 0: ever. */
bool truth_had_paid(const struct truth *t, crm_time start, int days);

/* Times, often exactly on an edge of a window or a month, lie in the two years before T and the months after it. */
void truth_draw(struct chance *c, struct truth_base *b, const struct crm_zone *zone);
/* Tells the base, in the order of its rows or with `shuffle` in another one, with facts after T or without, and computes the revenue
 * families as of `at` into f->set, per segment. The caller frees the fixture. */
void truth_evaluate(struct fixture *f, const struct truth_base *b, const struct crm_zone *zone, struct chance *shuffle, bool later,
                    crm_time at);
/* Index of the text in the list, -1 if it is not there. */
int truth_place(const char *const *list, int n, const char *text);

#endif
