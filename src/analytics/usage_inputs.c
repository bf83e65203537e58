/* SPDX-License-Identifier: MIT */
/* Product usage, and by how much it declined. */
#include "analytics/reference.h"
#include "analytics/score_inputs.h"
#include "analytics/span.h"

/* Sums and counts of logins [0] and feature adoption [1]. Whether a row tells a figure is a coin toss, which is no branch to guess. */
struct sums {
  crm_pair sum;
  crm_pair_mask n;
};

static struct sums sum_rows(const double *logins, const double *adoption, uint32_t lo, uint32_t hi) {
  struct sums s = {{0, 0}, {0, 0}};
  for (uint32_t r = lo; r < hi; r++) {
    crm_pair figures = {logins[r], adoption[r]};
    crm_pair_mask told = figures == figures;
    s.sum += crm_pair_and(figures, told);
    s.n -= told;
  }
  return s;
}

/* By how much of itself the mean fell; does not exist when either mean is missing or the earlier one is 0. */
static double decline(const struct sums *earlier, const struct sums *later, unsigned k) {
  if (earlier->n[k] == 0 || later->n[k] == 0 || !(earlier->sum[k] > 0))
    return NAN;
  double before = earlier->sum[k] / (double)earlier->n[k], now = later->sum[k] / (double)later->n[k];
  return crm_clip((before - now) / before, 0, 1);
}

/* Median session length, as a share of the target. */
static double session_input(const double *session_seconds, uint32_t lo, uint32_t hi, double target, double *scratch) {
  size_t n = 0, reached = 0;
  for (uint32_t r = lo; r < hi; r++) {
    double seconds = session_seconds[r];
    scratch[n] = seconds;
    n += !isnan(seconds);
    reached += seconds >= target;
  }
  if (n == 0)
    return NAN;
  /* Both middle ones reach the target, and so does the median, which need not be found then. */
  if (target > 0 && 2 * reached > n)
    return 100;
  return crm_of_target(crm_median(scratch, n), target);
}

static double latest(const double *column, uint32_t lo, uint32_t hi) {
  while (hi > lo && isnan(column[hi - 1]))
    hi--;
  return hi > lo ? column[hi - 1] : NAN;
}

#define STRIDE 16

/* One past the latest of the rows [lo, hi) that tells the number of active users; lo if none does. Many rows may not: they are passed by
 * strides, without asking each. */
static uint32_t after_active_users(const float *active_users, uint32_t lo, uint32_t hi) {
  while (hi - lo >= STRIDE) {
    int told = 0;
    for (uint32_t k = 1; k <= STRIDE; k++)
      told |= !isnan(active_users[hi - k]);
    if (told != 0)
      break;
    hi -= STRIDE;
  }
  while (hi > lo && isnan(active_users[hi - 1]))
    hi--;
  return hi;
}

static void seat_inputs(double users, double seats, struct crm_score_inputs *out) {
  if (!(seats > 0) || isnan(users))
    return;
  double used = users / seats;
  if (isnan(used))
    return;
  out->health[CRM_HI_USER_ACTIVITY] = 100 * crm_clip(used, 0, 1);
  out->health[CRM_HI_EXPANSION_OPPORTUNITY] = crm_clip((used - 0.5) / 0.4, 0, 1) * 100;
}

void crm_usage_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  const struct crm_usages *u = &s->facts->usage;
  const struct crm_usage_windows *w = &s->usage;
  const struct crm_scorecard *card = crm_card_of(s->instants[0].c, account);
  double seats = s->facts->account.seats[account];
  uint32_t first = u->first[account], row[CRM_BOUNDS_MAX];
  crm_find_bounds(&w->bounds, u->day, first, u->first[account + 1], row);
  struct sums sums[2 * CRM_INSTANTS_MAX];
  for (unsigned k = 0; k < w->n_sums; k++)
    sums[k] = sum_rows(u->logins_per_week, u->feature_adoption, row[w->sums[k].from], row[w->sums[k].to]);
  uint32_t users_until = row[0];
  for (size_t k = 0; k < s->n; k++) {
    if (!crm_open(s->instants[k].c, account))
      continue;
    struct crm_score_inputs *o = &out[k];
    const struct sums *now = &sums[w->at[k].now], *before = &sums[w->at[k].before];
    uint32_t lo = row[w->at[k].since], hi = row[w->at[k].end];
    if (now->n[0] > 0)
      o->health[CRM_HI_LOGIN_FREQUENCY] = crm_of_target(now->sum[0] / (double)now->n[0], card->login_target);
    o->health[CRM_HI_FEATURE_ADOPTION] = latest(u->feature_adoption, lo, hi);
    o->health[CRM_HI_SESSION_DURATION] = session_input(u->session_seconds, lo, hi, card->session_target_seconds, s->sessions);
    /* What was the latest at a later instant is so at this one, unless it is of a day between the two. */
    users_until = after_active_users(u->active_users, first, users_until < hi ? users_until : hi);
    if (users_until > first)
      o->active_users = (double)u->active_users[users_until - 1];
    seat_inputs(o->active_users, seats, o);
    if (!s->with_risk)
      continue;
    o->churn[CRM_CI_DECLINING_LOGIN_FREQUENCY] = decline(before, now, 0);
    o->churn[CRM_CI_REDUCED_FEATURE_USAGE] = decline(before, now, 1);
  }
}

void crm_usage_prefetch(const struct crm_scoring *s, uint32_t account) {
  const struct crm_usages *u = &s->facts->usage;
  uint32_t end = u->first[account + 1];
  crm_prefetch(u->day, sizeof(*u->day), end, 512);
  crm_prefetch(u->logins_per_week, sizeof(*u->logins_per_week), end, 768);
  crm_prefetch(u->feature_adoption, sizeof(*u->feature_adoption), end, 768);
  crm_prefetch(u->session_seconds, sizeof(*u->session_seconds), end, 512);
  crm_prefetch(u->active_users, sizeof(*u->active_users), end, 128);
}
