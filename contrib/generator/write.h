/* SPDX-License-Identifier: MIT */
/* From a life to rows. Each write_* function appends the rows of one company (or tenant) to the tables it names. */
#ifndef DEMO_WRITE_H
#define DEMO_WRITE_H

#include "simulate.h"

#define TENANTS_MAX 64
#define STAFF 6           /* customer success managers of a tenant ... */
#define STAFF_BLOCK 10000 /* ... in each block of so many accounts */

struct tenant {
  char name[16];
  const char *currency;
  int exponent; /* decimals of the currency */
  struct key key, product;
  uint32_t *sessions; /* on each day of the window, for the product's own totals */
};

struct demo {
  struct scenario scenario;
  struct output out;
  struct curve curve;
  struct tenant tenants[TENANTS_MAX];
};

struct contact {
  struct key key;
  int from, until; /* days with the company; until INT32_MAX: still there */
  bool champion;
};

/* A company while it is being written. */
struct company {
  const struct life *life;
  const struct tenant *tenant;
  struct key key, csm;
  bool has_csm;
  char name[64], domain[48];
  struct contact contacts[MANY_CONTACTS];
  int n_contacts;
};

/* words.c: names out of short lists. */
const char *word_currency(int tenant, int *exponent);
void word_tenant(int tenant, char *text, size_t size);
void word_company(uint64_t seed, uint64_t number, char *name, size_t name_size, char *domain, size_t domain_size);
const char *word_industry(struct prng *r);
const char *word_region(struct prng *r, int tenant);
const char *word_given_name(struct prng *r);
const char *word_family_name(struct prng *r, int tenant);

/* rows_account.c */
void write_tenants(struct demo *demo);
void write_staff(struct demo *demo, uint64_t block);
void company_init(struct company *c, const struct demo *demo, const struct life *life);
void write_account(struct demo *demo, const struct company *c);
void write_growth(struct demo *demo, const struct company *c);
void write_contacts(struct demo *demo, struct company *c); /* fills c->contacts */
void write_onboarding(struct demo *demo, const struct company *c);
/* At the end of the scenario: not_started, in_progress, completed, on_hold, cancelled. */
const char *onboarding_status(const struct life *life);

/* rows_business.c */
void write_contracts(struct demo *demo, const struct company *c);
void write_invoices(struct demo *demo, const struct company *c);
void write_opportunities(struct demo *demo, const struct company *c);
void write_signals(struct demo *demo, const struct company *c);
void write_interventions(struct demo *demo, const struct company *c);
void write_goals(struct demo *demo, const struct company *c);

/* rows_activity.c */
void write_engagements(struct demo *demo, const struct company *c);
void write_health(struct demo *demo, const struct company *c);
void write_support(struct demo *demo, const struct company *c);
void write_nps(struct demo *demo, const struct company *c);
void write_adoption(struct demo *demo, const struct company *c);

/* rows_usage.c: sessions, and the product's daily totals once all companies are done. */
void write_usage(struct demo *demo, const struct company *c);
void write_product_totals(struct demo *demo);

#endif
