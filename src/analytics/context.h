/* SPDX-License-Identifier: MIT */
/* What every module of the computation shares: which accounts are visible at T, in which cell each stands, and how a column of
 * per-cell sums becomes samples. Internal to analytics. */
#ifndef CRM_ANALYTICS_CONTEXT_H
#define CRM_ANALYTICS_CONTEXT_H

#include "analytics/params.h"
#include "base/arena.h"
#include "facts/facts.h"
#include "series/set.h"

#define CRM_CELL_INVISIBLE UINT32_MAX     /* the account does not exist yet at T */
#define CRM_CELL_FOREIGN (UINT32_MAX - 1) /* it does, in another shard: others are compared with it, and that is all */

/* Invoices due within (T - 1 y, T] whose payment can be judged, and those of them that were paid in time (invoices.h). */
struct crm_payments {
  uint32_t due, on_time;
  uint32_t overdue; /* of those due, the ones not paid at T */
};

struct crm_context {
  const struct crm_facts *facts;
  const struct crm_params *params;
  crm_time at;
  crm_day day; /* the last civil day whose 00:00 is at or before T: rows with row.day <= day are visible */
  struct crm_arena *arena;
  struct crm_series_set *set;
  struct crm_error *err;

  uint32_t n;          /* accounts */
  uint32_t *cell;      /* per account, or CRM_CELL_INVISIBLE, CRM_CELL_FOREIGN */
  uint8_t *status;     /* per account, as of T: see crm_status_at */
  crm_time *churn_at;  /* per account: when its (last) churn takes effect, CRM_TIME_NONE = none known; revenue.c: crm_churn_effective */
  uint8_t *undated_churn; /* per account: status churned without any date */
  crm_time *left_at, *returned_at; /* per account: a recorded churn it came back from, [left_at, returned_at); CRM_TIME_NONE = none */
  crm_money *arr;         /* per account: crm_arr_at(c, account, at); for accounts that are not visible CRM_MONEY_UNKNOWN */
  uint16_t *arr_currency; /* per account: the currency of arr */
  crm_money *any_arr;         /* arr and its currency for accounts of other shards as well; the same columns where there are none */
  uint16_t *any_arr_currency;
  struct crm_payments *payments; /* per account, of OPEN ones; NULL if invoices are not available */

  uint32_t n_cells;
  uint16_t *cell_tenant;  /* per cell: facts->tenants */
  uint32_t *cell_labels;  /* per cell: 1 + n_dimensions label values (set->text): tenant, dimensions */
  size_t n_dimensions;
  bool dimension_dropped[CRM_DIMS]; /* by MaxCells, last first */
  uint32_t *tenant_label; /* per tenant: label value in set->text */
  uint32_t *card_segment; /* per scorecard: its segment in facts->text, CRM_DICT_NONE where no account has it */
  const char *part;       /* of the computation: see crm_part */
};

/* Says which part of the computation begins, and returns the one that was under way. Nothing but a test unless somebody listens. */
static inline const char *crm_part(struct crm_context *c, const char *part) {
  const char *before = c->part;
  c->part = part;
  if (c->params->trace != NULL)
    c->params->trace->begin(c->params->trace->ctx, part);
  return before;
}

/* Exists at T, and is one of ours. */
static inline bool crm_visible(const struct crm_context *c, uint32_t account) { return c->cell[account] < CRM_CELL_FOREIGN; }
/* OPEN: visible and not churned at T. */
static inline bool crm_open(const struct crm_context *c, uint32_t account) {
  return crm_visible(c, account) && c->status[account] != CRM_CHURNED;
}
/* The same of any shard: whom others are compared with. */
static inline bool crm_open_anywhere(const struct crm_context *c, uint32_t account) {
  return c->cell[account] != CRM_CELL_INVISIBLE && c->status[account] != CRM_CHURNED;
}

/* PAYING: a known revenue above 0 at T. */
static inline bool crm_paying(const struct crm_context *c, uint32_t account) {
  return c->arr[account] > 0; /* CRM_MONEY_UNKNOWN is negative */
}
/* True if every relation of the mask (1u << CRM_REL_...) is available. */
bool crm_has(const struct crm_context *c, unsigned relations);
/* The scorecard of the account's segment, else the default one. */
const struct crm_scorecard *crm_card_of(const struct crm_context *c, uint32_t account);
/* Fills `err` of the context and returns CRM_ERR_MEMORY. */
enum crm_status crm_no_memory(struct crm_context *c);

/* Status as of T. The CRM keeps no history of the status: an account is churned at T if its churn has taken effect at or before T (and it has not returned since);
 * one whose recorded status is churned but whose churn lies after T counts as active; any other shows its recorded status. Created after T: invisible. */
enum crm_status crm_context_init(struct crm_context *c, const struct crm_facts *facts, const struct crm_params *params, crm_time at, struct crm_arena *arena,
                                 struct crm_series_set *set, struct crm_error *err) CRM_MUSTCHECK;

/* A context of an instant before now->at, for computing scores only: what was visible then is visible, but it has neither cells nor labels,
 * and its set is NULL. Memory comes from the arena of `now`. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_context_earlier(struct crm_context *c, const struct crm_context *now, crm_time at) CRM_MUSTCHECK;

/* Adds one sample per cell: sums[cell] / den, with the family's own labels (text; n_own of them). Cells with `skip` (may be NULL) set
 * are left out. For families of scope CELL. */
enum crm_status crm_emit_cells(struct crm_context *c, enum crm_family family, const char *const *own, size_t n_own, const int64_t *sums, int64_t den,
                               const uint8_t *skip) CRM_MUSTCHECK;
/* One sample of one cell. */
enum crm_status crm_emit_cell(struct crm_context *c, enum crm_family family, uint32_t cell, const char *const *own, size_t n_own,
                              struct crm_number value) CRM_MUSTCHECK;
/* One sample of scope TENANT or DERIVED. Of a shard's facts one that is derived is passed over: several would publish a part's ratio under
 * the whole tenant's name. */
enum crm_status crm_emit_tenant(struct crm_context *c, enum crm_family family, uint16_t tenant, const char *const *own, size_t n_own, struct crm_number value) CRM_MUSTCHECK;

/* The code of the currency, "none" for CRM_NO_CURRENCY; and the divisor that makes major units of minor ones. */
const char *crm_currency_label(const struct crm_context *c, uint16_t currency);
int64_t crm_currency_unit(const struct crm_context *c, uint16_t currency);

/* Scores and other points are summed as fixed point, 32 bits after the point: exact in any order up to 10^7 accounts. */
#define CRM_POINT INT64_C(4294967296)
static inline int64_t crm_points(double value) { return (int64_t)(value * (double)CRM_POINT + (value < 0 ? -0.5 : 0.5)); }
/* The nearest fixed-point number. A mean of values that are all 80 may come out a last bit below 80; bands and limits are told apart on
 * this grid (2e-10 wide), so that such a score is in the band that starts at 80. NaN stays NaN. */
static inline double crm_on_grid(double value) { return isnan(value) ? value : (double)crm_points(value) / (double)CRM_POINT; }

/* revenue.c --------------------------------------------------------------------------------------------------- */
/* Sets churn_at and undated_churn, which exist, and makes left_at and returned_at (METRICS.md section 3: end of the paid period where contracts tell,
 * else the recorded date, else the zero revenue level); called by crm_context_init. A recorded churn that was followed by a positive revenue level
 * is not the account's last word, and not in churn_at: it stands in left_at and returned_at. */
enum crm_status crm_churn_effective(struct crm_context *c) CRM_MUSTCHECK;
/* True if the account is churned at the instant. */
bool crm_churned_at(const struct crm_context *c, uint32_t account, crm_time at);
/* Effective annual revenue of the account at any instant <= T (METRICS.md section 3). Returns CRM_MONEY_UNKNOWN where it is not known, 0 where there is none;
 * *currency is that of the level (CRM_NO_CURRENCY with 0 or unknown where none is known). */
crm_money crm_arr_at(const struct crm_context *c, uint32_t account, crm_time at, uint16_t *currency);
/* The families of Revenue but crm_account_arr. */
enum crm_status crm_revenue(struct crm_context *c) CRM_MUSTCHECK;

/* health.c ------------------------------------------------------------------------------------------------------ */
/* Scores of every account at T; NaN = missing. Columns of n from the arena. */
struct crm_health {
  double *input[CRM_HEALTH_INPUTS];
  double *factor[CRM_HEALTH_FACTORS];
  double *score;
  double *active_users; /* the latest known number at T, however old */
  uint8_t *met;         /* per contact: present on an engagement completed in the 90 d before T; NULL: not known */
};
/* Computes at c->at. Also usable for another instant through a context made for it. */
enum crm_status crm_health_compute(struct crm_context *c, struct crm_health *health) CRM_MUSTCHECK;
enum crm_status crm_health_emit(struct crm_context *c, const struct crm_health *health) CRM_MUSTCHECK;
enum crm_health_band crm_health_band(const struct crm_scorecard *card, double score);

/* churn_risk.c -------------------------------------------------------------------------------------------------- */
struct crm_churn_risk {
  double *indicator[CRM_CHURN_INDICATORS]; /* 0..1, NaN missing */
  double *factor[CRM_CHURN_FACTORS];       /* 0..1 */
  double *score;                           /* 0..100 */
};
enum crm_status crm_churn_risk_compute(struct crm_context *c, struct crm_churn_risk *risk) CRM_MUSTCHECK;
enum crm_risk_band crm_risk_band(const struct crm_params *params, double score);
enum crm_status crm_churn_risk_emit(struct crm_context *c, const struct crm_churn_risk *risk) CRM_MUSTCHECK;

/* accounts.c, kpi.c, per_account.c ------------------------------------------------------------------------------- */
enum crm_status crm_accounts_emit(struct crm_context *c) CRM_MUSTCHECK;
enum crm_status crm_nps_emit(struct crm_context *c) CRM_MUSTCHECK;
struct crm_past;
struct crm_recommended;
/* PerAccount and MaxSeries; health and risk scores choose who is shown. The slopes of those need the scores of the past (past.h);
 * `recommended` is what crm_recommendations_emit made. Both only count where PerAccount asks for series. */
enum crm_status crm_per_account_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                                     const struct crm_past *past, const struct crm_recommended *recommended) CRM_MUSTCHECK;

#endif
