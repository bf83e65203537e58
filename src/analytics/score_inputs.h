/* SPDX-License-Identifier: MIT */
/* What the scores of an account are made of: the sixteen inputs of its health, each 0..100, and the twelve indicators of its churn risk,
 * each 0..1 (METRICS.md section 5), at several instants at once. Internal to analytics.
 *
 * The rows that count at one instant mostly count at the next one too, and a large CRM waits for its rows more than it computes. So one
 * account is done for all instants while its rows are in the cache, and where windows of two instants begin and end with the same days they
 * are summed once. Sums are taken in the order of the rows and from 0, so that nothing depends on which instants are computed together. */
#ifndef CRM_ANALYTICS_SCORE_INPUTS_H
#define CRM_ANALYTICS_SCORE_INPUTS_H

#include "analytics/context.h"

#define CRM_INSTANTS_MAX 4

/* Of one account at one instant; NaN = missing. */
struct crm_score_inputs {
  double health[CRM_HEALTH_INPUTS], churn[CRM_CHURN_INDICATORS];
  double active_users; /* the latest known number, however old: the mapping writes it down when it changes */
};

struct crm_instant {
  struct crm_context *c;
  crm_time since_30d, since_60d, since_90d;
  double *arr_rank;      /* per account */
  double *volume;        /* per account: new tickets of 30 d per seat, or per account; NULL if support is not available */
  double *median_volume; /* per volume group: what the volume is compared with */
};

/* Days that bound the windows of all instants, and where each stands in the rows of one account. Newest first, each once. */
#define CRM_BOUNDS_MAX (3 * CRM_INSTANTS_MAX)
#define CRM_BOUND_VECTORS (CRM_BOUNDS_MAX / 4)
typedef crm_day crm_four_days __attribute__((vector_size(4 * sizeof(crm_day))));
union crm_bound_days {
  crm_day one[CRM_BOUNDS_MAX];
  crm_four_days four[CRM_BOUND_VECTORS];
};
struct crm_bounds {
  union crm_bound_days day;
  unsigned n;
};

/* Usage: sums over (from, to] are taken once for each pair of bounds. */
struct crm_usage_windows {
  struct crm_bounds bounds;
  struct {
    uint8_t from, to; /* bounds */
  } sums[2 * CRM_INSTANTS_MAX];
  unsigned n_sums;
  struct {
    uint8_t end, since;  /* bounds: the instant, and 30 d before */
    uint8_t now, before; /* sums: the last 30 d, and those before */
  } at[CRM_INSTANTS_MAX];
};
struct crm_support_windows {
  struct crm_bounds bounds;
  struct {
    uint8_t end, since_30d, since_90d; /* bounds */
  } at[CRM_INSTANTS_MAX];
};

/* Engagement: instants that bound the windows of all instants, newest first, each once. */
#define CRM_TIME_BOUNDS_MAX (5 * CRM_INSTANTS_MAX)
struct crm_engagement_windows {
  crm_time bound[CRM_TIME_BOUNDS_MAX];
  unsigned n;
  struct {
    uint8_t before, end;                     /* bounds: the last instant before this one, this one */
    uint8_t since_30d, since_60d, since_90d; /* bounds */
  } at[CRM_INSTANTS_MAX];
  /* Of what lies after bound b and not after those before it: */
  uint8_t in_90d[CRM_TIME_BOUNDS_MAX + 1]; /* bit k: it is in the 90 d before instant k */
  uint8_t older[CRM_TIME_BOUNDS_MAX + 1];  /* the newest instant that lies before it, or the number of instants */
};

struct crm_scoring {
  const struct crm_facts *facts;
  const struct crm_params *params;
  struct crm_instant instants[CRM_INSTANTS_MAX]; /* newest first */
  size_t n;
  bool with_risk; /* else the indicators are left missing */
  struct crm_usage_windows usage;
  struct crm_support_windows support;
  struct crm_engagement_windows engagement;
  crm_time oldest_90d;
  double *sessions; /* room for the rows of one account */
  uint32_t *group;  /* per account: whom its volume is compared with */
  uint8_t *met;     /* per contact: bit k is set if it was present on an engagement of the 90 d before instant k; NULL without contacts */
};

/* score_windows.c ------------------------------------------------------------------------------------------------- */
/* The windows of the instants, whose contexts are there. */
void crm_score_windows(struct crm_scoring *s);
/* row[b] = the first of the rows [first, end) whose day is after bound b. */
void crm_find_bounds(const struct crm_bounds *bounds, const crm_day *day, uint32_t first, uint32_t end, uint32_t row[CRM_BOUNDS_MAX]);

/* usage_inputs.c, support_inputs.c, engagement_inputs.c, business_inputs.c ---------------------------------------- */
/* Each fills out[k] at instants k at which the account is OPEN, as far as its relations tell. `out` was all missing. */
void crm_usage_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]);
void crm_support_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]);
void crm_engagement_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]);
void crm_business_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]);
/* Asks for the rows that these read of an account. */
void crm_usage_prefetch(const struct crm_scoring *s, uint32_t account);
void crm_support_prefetch(const struct crm_scoring *s, uint32_t account);
void crm_engagement_prefetch(const struct crm_scoring *s, uint32_t account);
void crm_business_prefetch(const struct crm_scoring *s, uint32_t account);

/* Fills volume and group of all accounts, which crm_support_inputs needs with the medians of the groups. */
void crm_ticket_volumes(const struct crm_scoring *s);

/* score_pass.c ---------------------------------------------------------------------------------------------------- */
/* Where the scores of one instant go, per account; each may be NULL. */
struct crm_scores_kept {
  double *health, *risk; /* NaN: none */
  uint8_t *stood;        /* band or other standing, see past.h */
};
/* Scores of the accounts listed (NULL: of all n of them) at the instants of `contexts`, newest first. `health` and `risk`, which may be NULL,
 * get all columns of the first instant; their memory and that of health->met comes from the arena, all else taken from it is given back.
 * Without `with_risk` no risk is computed. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_scores_pass(struct crm_context *const *contexts, size_t n_contexts, bool with_risk, struct crm_health *health,
                                struct crm_churn_risk *risk, const struct crm_scores_kept *kept, const uint32_t *accounts,
                                uint32_t n) CRM_MUSTCHECK;

/* ------------------------------------------------------------------------------------------------------------------ */

/* Two numbers that are added in one go: one after the other, each addition would wait for the one before. */
typedef double crm_pair __attribute__((vector_size(16)));
typedef int64_t crm_pair_mask __attribute__((vector_size(16)));
/* The pair, with 0 where the mask has no bits. */
static inline crm_pair crm_pair_and(crm_pair pair, crm_pair_mask mask) {
  return (crm_pair)((crm_pair_mask)pair & mask);
}
/* The pair, or zeros unless `in` is 1 (0 or 1). */
static inline crm_pair crm_pair_if(crm_pair pair, uint32_t in) {
  int64_t mask = -(int64_t)in;
  return crm_pair_and(pair, (crm_pair_mask){mask, mask});
}

static inline double crm_clip(double value, double lo, double hi) {
  return value < lo ? lo : value > hi ? hi : value;
}
/* 100 x min(1, x / target) */
static inline double crm_of_target(double x, double target) {
  double share = x / target;
  return isnan(share) ? NAN : 100 * crm_clip(share, 0, 1);
}

#endif
