/* SPDX-License-Identifier: MIT */
/* One company's life: when it signs, grows, falls into trouble, leaves and returns, and how it feels on each day. Pure: the same
 * (scenario, account number) gives the same life, whatever the number of accounts. Money is in whole major units. */
#ifndef DEMO_SIMULATE_H
#define DEMO_SIMULATE_H

#include "prng.h"
#include "table.h"

struct scenario {
  int accounts, tenants, days;
  uint64_t seed;
  int end; /* nothing has happened at or after 00:00 UTC of this day */
  bool lean;
};

enum segment { STARTUP, SMALL, MEDIUM, LARGE, ENTERPRISE, SEGMENTS };
extern const char *const segment_names[SEGMENTS];

/* Streams of random numbers, one per purpose. */
enum purpose {
  FOR_LIFE = 1,
  FOR_MONEY,
  FOR_CURVE,
  FOR_PEOPLE,
  FOR_ENGAGEMENT,
  FOR_HEALTH,
  FOR_SUPPORT,
  FOR_NPS,
  FOR_GOAL,
  FOR_USAGE,
  FOR_INVOICE,
  FOR_SIGNAL,
  FOR_SALES,
  FOR_RECORD,
  FOR_TENANT,
};

#define SPELLS_MAX 3
#define LEVELS_MAX 64
#define TERMS_MAX 12
#define TROUBLES_MAX 24
#define MANY_CONTACTS 12

/* A time as a paying customer. */
struct spell {
  int from, until; /* until may lie after the end of the scenario: not left yet, though already in decline */
};
struct level {
  int64_t at; /* second */
  int64_t arr;
  int seats;
};
struct term {
  int from, until;          /* until DAY_NONE: open-ended */
  int64_t arr, renewed_arr; /* renewed_arr -1: none */
  int decided;              /* day, DAY_NONE: not yet */
  bool lost;
};
/* The sides on which a trouble shows. */
enum pain {
  PAIN_USE,     /* logins, features, sessions */
  PAIN_PEOPLE,  /* meetings missed, bad outcomes, slow answers */
  PAIN_SUPPORT, /* many tickets, escalated */
  PAIN_RIVALS,  /* competitors and prices are talked about, features asked for */
  PAIN_MONEY,   /* budgets cut, invoices late */
  PAINS
};
/* Days: it begins, the product is dropped between `collapse` and `peak`, it lasts until `until` and fades over 45 days, unless the customer
 * left then. */
struct trouble {
  int from, collapse, peak, until;
  double depth, pain[PAINS]; /* 0..1 */
};

enum method { BY_ARR, BY_MRR, BY_SEATS };

/* To be in trouble at the scenario's end, if it is a customer then. */
enum destiny { NOT_DESTINED, DESTINED, DESTINED_BADLY };

struct life {
  const struct scenario *scenario;
  uint64_t number;
  int tenant;
  enum segment segment;
  double quality; /* 0..1: how well the product fits */
  bool silent;    /* nobody talks to them */
  enum destiny destined;
  bool priced, free_of_charge;
  bool inserted_with_arr; /* the account was entered with its revenue: no first row of history */
  bool zero_row, undated; /* what was written down when it left */
  enum method method;
  int created; /* day */
  int64_t created_at;
  struct spell spells[SPELLS_MAX];
  int n_spells;
  struct level levels[LEVELS_MAX]; /* every change, zero rows included; in order of time */
  int n_levels;
  struct term terms[SPELLS_MAX * TERMS_MAX];
  int n_terms;
  struct trouble troubles[TROUBLES_MAX];
  int n_troubles;
  int onboarded, onboarding_target; /* days; onboarded may lie after the end */
  bool onboarding_on_hold;
  bool auto_renew;
};

void life_simulate(struct life *life, const struct scenario *scenario, uint64_t number);
/* The spell that covers the day, or NULL. */
const struct spell *life_spell_at(const struct life *life, int day);
/* The level in force at the end of the day; NULL before the first one. */
const struct level *life_level_at(const struct life *life, int day);
static inline int life_signed_on(const struct life *life) {
  return life->n_spells > 0 ? life->spells[0].from : DAY_NONE;
}
/* True if it once paid and does not any more. */
bool life_churned(const struct life *life);
/* Trouble on the day, 0..1: as a whole, and what of it shows on one side. */
double life_stress(const struct life *life, int day);
double life_pain(const struct life *life, int day, enum pain side);
/* trouble.c: who is destined, and the troubles of one spell. */
enum destiny trouble_destined(uint64_t seed, uint64_t number);
void life_plan_troubles(struct life *life, struct prng *r, const struct spell *spell);

/* The days of a scenario's window: what they share, and one company's feelings. Index 0 is the first day of the window. */
struct curve {
  int first, n;
  float *season; /* factor on activity by the time of year */
  float *health; /* 0..100; NaN where it was no customer */
  float *stress; /* 0..1 */
  float *pain[PAINS];
};
bool curve_init(struct curve *curve, const struct scenario *scenario);
void curve_free(struct curve *curve);
void curve_simulate(struct curve *curve, const struct life *life);
static inline bool curve_covers(const struct curve *c, int day) {
  return day >= c->first && day < c->first + c->n;
}

#endif
