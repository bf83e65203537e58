/* SPDX-License-Identifier: MIT */
/* The picture of the CRM in memory: one structure of arrays per relation, rows grouped by account and ordered by time.
 *
 * Built by the source (facts/builder.h), then shared: analytics reads it from any thread. It never changes, but for a picture that is
 * patched while nobody reads it (facts/patch.h).
 * Rows of account i in relation R are R.first[i] .. R.first[i + 1] - 1. Within an account rows are ordered by the relation's time,
 * and rows of equal time by all their other columns, so that the order never depends on the order in which the server sent them. */
#ifndef CRM_FACTS_FACTS_H
#define CRM_FACTS_FACTS_H

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "facts/calendar.h"
#include "facts/dict.h"
#include "facts/money.h"
#include "facts/relation.h"
#include "facts/shard.h"

/* A missing number is NaN; a missing boolean is CRM_TRI_UNKNOWN; a missing time, day or amount has its own constant. */
enum crm_tri { CRM_TRI_UNKNOWN = -1, CRM_TRI_FALSE = 0, CRM_TRI_TRUE = 1 };

enum crm_account_status { CRM_ONBOARDING, CRM_ACTIVE, CRM_AT_RISK, CRM_CHURNED, CRM_STATUS_UNKNOWN, CRM_STATUSES };
enum crm_engagement_type { CRM_MEETING, CRM_CALL, CRM_EMAIL, CRM_DEMO, CRM_TRAINING, CRM_NOTE, CRM_OTHER, CRM_ENGAGEMENT_TYPES };
enum crm_outcome { CRM_POSITIVE, CRM_NEUTRAL, CRM_NEGATIVE, CRM_ACTION_REQUIRED, CRM_UNRECORDED, CRM_OUTCOMES };
enum crm_level { CRM_PRIMARY, CRM_INFLUENCER, CRM_USER, CRM_GATEKEEPER, CRM_LEVEL_UNKNOWN, CRM_LEVELS };
enum crm_strength { CRM_CHAMPION, CRM_SUPPORTER, CRM_STRENGTH_NEUTRAL, CRM_DETRACTOR, CRM_STRENGTH_UNKNOWN, CRM_STRENGTHS };
enum crm_contact_status { CRM_CONTACT_ACTIVE, CRM_CONTACT_INACTIVE, CRM_CONTACT_LEFT, CRM_CONTACT_UNRESPONSIVE, CRM_CONTACT_STATUS_UNKNOWN };
enum crm_contract_outcome { CRM_CONTRACT_UNDECIDED, CRM_CONTRACT_RENEWED, CRM_CONTRACT_LOST };
enum crm_goal_status { CRM_GOAL_ON_TRACK, CRM_GOAL_AT_RISK, CRM_GOAL_ACHIEVED, CRM_GOAL_MISSED, CRM_GOAL_UNKNOWN };
enum crm_opportunity_kind { CRM_UPSELL, CRM_CROSS_SELL, CRM_EXPANSION_SALE, CRM_RENEWAL_SALE, CRM_NEW_SALE, CRM_SALE_OTHER };
enum crm_opportunity_stage { CRM_STAGE_OPEN, CRM_STAGE_WON, CRM_STAGE_LOST };
enum crm_signal_kind { CRM_SIGNAL_BUDGET, CRM_SIGNAL_COMPETITOR, CRM_SIGNAL_FEATURE_REQUEST, CRM_SIGNAL_PRICING, CRM_SIGNAL_OTHER, CRM_SIGNAL_KINDS };
enum crm_onboarding_status { CRM_ONB_NOT_STARTED, CRM_ONB_IN_PROGRESS, CRM_ONB_COMPLETED, CRM_ONB_ON_HOLD, CRM_ONB_CANCELLED, CRM_ONB_UNKNOWN };

/* The words of each enum as they stand in the CRM contract; used to read and to label. Case-insensitive on reading. NULL past the end. */
const char *crm_word_account_status(enum crm_account_status v);
const char *crm_word_engagement_type(enum crm_engagement_type v);
const char *crm_word_outcome(enum crm_outcome v);
const char *crm_word_level(enum crm_level v);
const char *crm_word_strength(enum crm_strength v);
const char *crm_word_signal_kind(enum crm_signal_kind v); /* budget_constraints, competitor_mentions, feature_requests, pricing_discussions, other */

/* Strings (`uint32_t` columns named here) are numbers in facts->text. Currencies and tenants are numbers in small lists of their own. */
struct crm_accounts {
  uint32_t n;
  uint32_t *id;      /* facts->text; unique */
  uint16_t *tenant;  /* facts->tenants */
  uint32_t *name, *segment, *industry, *region, *owner;
  uint8_t *status;   /* enum crm_account_status */
  uint16_t *currency; /* facts->currencies; CRM_NO_CURRENCY if unknown */
  crm_time *created_at, *churned_at, *first_value_at, *changed_at;
  crm_money *arr;    /* annual, from arr or 12 x mrr; CRM_MONEY_UNKNOWN */
  double *seats;     /* NaN unknown */
  int8_t *auto_renew; /* enum crm_tri */
  double *renewal_forecast, *recorded_health, *recorded_risk; /* 0..100, NaN unknown */
  uint8_t *foreign; /* 1: of another shard, held for what others are compared with alone */
};
#define CRM_NO_CURRENCY UINT16_MAX

struct crm_revenues { /* ordered by at; of rows with one `at` the last in canonical order holds */
  uint32_t n, *first;
  crm_time *at;
  crm_money *arr; /* annual level from then on, 0 allowed */
  uint16_t *currency;
};
struct crm_contracts { /* ordered by starts_at */
  uint32_t n, *first;
  uint32_t *id;
  crm_time *starts_at, *ends_at, *decided_at; /* ends_at CRM_TIME_NONE = open-ended */
  crm_money *arr, *renewed_arr;
  uint16_t *currency;
  int8_t *auto_renew;
  uint8_t *outcome;
};
struct crm_usages { /* ordered by day; several rows of one day are legal, each column counts by itself where not NaN */
  uint32_t n, *first;
  crm_day *day;
  double *logins_per_week, *feature_adoption, *session_seconds;
  float *active_users; /* a count: exact to 2^24 */
};
struct crm_supports { /* ordered by day */
  uint32_t n, *first;
  crm_day *day;
  float *new_tickets, *resolved_tickets, *open_tickets, *escalated; /* counts: exact to 2^24 */
  double *severity, *resolution_hours, *first_response_seconds, *csat;
};
struct crm_engagements { /* ordered by completed_at, else scheduled_at */
  uint32_t n, *first;
  crm_time *scheduled_at, *completed_at;
  uint8_t *type, *outcome;
  uint32_t *owner;
  double *response_seconds;
  float *participants, *accepted, *answered; /* counts */
  /* Contacts present (organizer or attendee, not declined) of row r: contact[contact_first[r]] .. contact[contact_first[r+1] - 1],
   * numbers of rows in struct crm_contacts (of the same account), ascending, distinct. */
  uint32_t *contact_first, *contact;
  uint64_t *key; /* digest of engagement_id, for facts that can be patched; else NULL */
};
struct crm_contacts { /* ordered by id text */
  uint32_t n, *first;
  uint32_t *id;
  uint8_t *level, *strength, *status;
  crm_time *since;
};
struct crm_npses { /* ordered by at */
  uint32_t n, *first;
  crm_time *at;
  uint8_t *score; /* 0..10 */
  uint32_t *respondent; /* 0 = unknown */
};
struct crm_goals {
  uint32_t n, *first;
  uint32_t *id;
  uint8_t *status;
  crm_time *created_at, *target_at, *completed_at;
};
struct crm_healths { /* ordered by day; what the CRM itself recorded */
  uint32_t n, *first;
  crm_day *day;
  double *score;
};
struct crm_invoices { /* ordered by due_at */
  uint32_t n, *first;
  crm_time *due_at, *paid_at;
  crm_money *amount;
  uint16_t *currency;
};
struct crm_opportunities { /* ordered by opened_at */
  uint32_t n, *first;
  uint8_t *kind, *stage;
  crm_money *amount;
  uint16_t *currency;
  crm_time *opened_at, *closed_at;
  double *probability;
};
struct crm_signals { /* ordered by at */
  uint32_t n, *first;
  uint8_t *kind;
  crm_time *at;
  double *weight; /* 1 when NULL */
};
struct crm_interventions { /* ordered by opened_at */
  uint32_t n, *first;
  uint32_t *kind, *stage, *owner; /* text */
  crm_time *opened_at, *closed_at;
};
struct crm_onboardings { /* ordered by started_at */
  uint32_t n, *first;
  crm_time *started_at, *target_at, *completed_at;
  uint8_t *status;
};

#define CRM_CURRENCIES_MAX 64
#define CRM_TENANTS_MAX 4096

struct crm_currency {
  char code[4];
  int exponent;
};

struct crm_facts {
  struct crm_dict text;
  struct crm_currency currencies[CRM_CURRENCIES_MAX];
  uint16_t n_currencies;
  uint32_t *tenants; /* number -> text */
  uint16_t n_tenants;

  struct crm_accounts account;
  struct crm_revenues revenue;
  struct crm_contracts contract;
  struct crm_usages usage;
  struct crm_supports support;
  struct crm_engagements engagement;
  struct crm_contacts contact;
  struct crm_npses nps;
  struct crm_goals goal;
  struct crm_healths health;
  struct crm_invoices invoice;
  struct crm_opportunities opportunity;
  struct crm_signals signal;
  struct crm_interventions intervention;
  struct crm_onboardings onboarding;

  struct crm_shard shard;             /* whose accounts are its own; see account.foreign */
  bool available[CRM_RELATIONS];      /* the relation was mapped and read; an empty relation is available */
  uint64_t rows[CRM_RELATIONS];       /* rows accepted */
  uint64_t rejected[CRM_RELATIONS][CRM_REJECTS]; /* rows refused in this read */
  crm_time read_at[CRM_RELATIONS];    /* instant of the snapshot, less the lag of a replica */
  /* Room in facts that can be patched, 0 = exactly what there is: rows of each relation, and contacts of engagements. */
  uint32_t cap[CRM_RELATIONS], contact_cap;
  atomic_int refs;
};

/* Empty facts with one reference, before any row. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_facts_new(struct crm_facts **facts, struct crm_error *err) CRM_MUSTCHECK;
/* Shares and releases; the last release frees everything. Thread-safe. NULL is allowed. */
struct crm_facts *crm_facts_ref(struct crm_facts *facts);
void crm_facts_unref(struct crm_facts *facts);
/* Bytes of memory held. */
size_t crm_facts_bytes(const struct crm_facts *facts);

#endif
