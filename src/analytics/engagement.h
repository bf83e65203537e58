/* SPDX-License-Identifier: MIT */
/* Engagement (METRICS.md section 2, DEFINITIONS.md 1.4): what took place, with whom, how often, and what came of it. Internal to analytics.
 *
 * An engagement counts from completed_at on; one that was planned before T and not completed by T is missed, even if it took place later.
 * All kinds but notes are customer-facing. */
#ifndef CRM_ANALYTICS_ENGAGEMENT_H
#define CRM_ANALYTICS_ENGAGEMENT_H

#include "analytics/context.h"
#include "analytics/local_time.h"

#define CRM_CUSTOMER_FACING (((1u << CRM_ENGAGEMENT_TYPES) - 1) & ~(1u << CRM_NOTE))

/* The windows of counts, each within the next. Counts are kept by ring: [0] the newest 7 d, [1] those before up to 30 d, [2] up to 90 d. */
enum { CRM_RINGS = 3 };
extern const enum crm_window crm_ring_window[CRM_RINGS];

/* engagement.c: all families of Engagement. Of the health scores it needs who was met. */
enum crm_status crm_engagement_emit(struct crm_context *c, const struct crm_health *health) CRM_MUSTCHECK;

/* Which tenants have a visible account; a tenant without has no series. NULL: out of memory. */
const uint8_t *crm_tenants_present(struct crm_context *c);

/* team_members.c ------------------------------------------------------------------------------------------------- */
struct crm_member {
  uint32_t owner; /* facts->text, 0 = none */
  uint16_t tenant;
  uint32_t count[CRM_RINGS];
};
/* Team members by tenant and owner, found by hash. */
struct crm_members {
  struct crm_context *c;
  uint32_t none; /* facts->text number of the text "none", which shares its label with the empty text */
  struct crm_member *member;
  uint32_t *slots;
  uint32_t n, cap; /* slots: 2 x cap, a power of 2 */
};
enum crm_status crm_members_init(struct crm_context *c, struct crm_members *members) CRM_MUSTCHECK;
/* Counts one completed engagement. */
enum crm_status crm_members_add(struct crm_members *members, uint16_t tenant, uint32_t owner, unsigned ring) CRM_MUSTCHECK;
enum crm_status crm_members_emit(struct crm_members *members) CRM_MUSTCHECK;

/* responses.c ---------------------------------------------------------------------------------------------------- */
enum crm_channel { CRM_CHANNEL_SUPPORT, CRM_CHANNEL_ENGAGEMENT, CRM_CHANNELS };
enum { CRM_RESPONSE_BUCKETS = 6 }; /* 1 4 8 24 72 h, more */
struct crm_response_cell {
  int64_t bucket[CRM_CHANNELS][CRM_RESPONSE_BUCKETS];
  __int128 points[CRM_CHANNELS]; /* seconds on a grid of 2^-20 s; a mistaken figure may be large */
  int64_t unanswered;            /* support only */
};
/* Cells of no response. NULL: out of memory. */
struct crm_response_cell *crm_responses_new(struct crm_context *c);
/* `n` responses after so many seconds (>= 0, not NaN). */
void crm_responses_add(struct crm_response_cell *cell, enum crm_channel channel, double seconds, int64_t n);
/* Adds those of support and publishes all. */
enum crm_status crm_responses_emit(struct crm_context *c, struct crm_response_cell *cells) CRM_MUSTCHECK;

/* stakeholders.c ------------------------------------------------------------------------------------------------- */
/* `met`: per contact, present on an engagement completed in the 90 d before T; NULL if engagements are not available. Contacts are. */
enum crm_status crm_stakeholders_emit(struct crm_context *c, const uint8_t *met) CRM_MUSTCHECK;

/* outcome_correlation.c ------------------------------------------------------------------------------------------ */
struct crm_outcome_pairs {
  const struct crm_local_time *local;
  uint64_t *keys; /* tenant, change, outcome: see crm_spearman_key */
  size_t n, cap;
};
/* The visible health rows of one account; `later` and `after`, the first rows after an engagement and 7 d after it, move down as its
 * engagements are followed from the newest to the oldest. */
struct crm_outcome_cursor {
  uint32_t first, later, after, end;
};
struct crm_outcome_cursor crm_outcome_cursor(const struct crm_context *c, uint32_t account);
/* An engagement completed at `done` with the outcome positive, neutral or negative; those of an account from the newest to the oldest. */
enum crm_status crm_outcome_pairs_add(struct crm_context *c, struct crm_outcome_pairs *pairs, struct crm_outcome_cursor *cursor,
                                      uint16_t tenant, crm_time done, uint8_t outcome) CRM_MUSTCHECK;
enum crm_status crm_outcome_correlation_emit(struct crm_context *c, struct crm_outcome_pairs *pairs) CRM_MUSTCHECK;

#endif
