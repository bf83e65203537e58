/* SPDX-License-Identifier: MIT */
#include "analytics/churn_indicators.h"

#include "analytics/contracts.h"
#include "analytics/span.h"

static double clip01(double value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

bool crm_churn_indicator_available(const struct crm_context *c, enum crm_churn_indicator i) {
  const bool *available = c->facts->available;
  switch (i) {
  case CRM_CI_DECLINING_LOGIN_FREQUENCY:
  case CRM_CI_REDUCED_FEATURE_USAGE:
    return available[CRM_REL_USAGE];
  case CRM_CI_SUPPORT_ESCALATIONS:
    return available[CRM_REL_SUPPORT];
  case CRM_CI_DELAYED_RESPONSES:
    return available[CRM_REL_ENGAGEMENT] || available[CRM_REL_SUPPORT];
  case CRM_CI_MISSED_MEETINGS:
  case CRM_CI_NEGATIVE_OUTCOMES:
    return available[CRM_REL_ENGAGEMENT];
  case CRM_CI_CONTRACT_APPROACHING_RENEWAL:
    return available[CRM_REL_CONTRACT];
  case CRM_CI_PAYMENT_DELAYS:
    return available[CRM_REL_INVOICE];
  case CRM_CI_BUDGET_CONSTRAINTS:
  case CRM_CI_COMPETITOR_MENTIONS:
  case CRM_CI_FEATURE_REQUESTS:
  case CRM_CI_PRICING_DISCUSSIONS:
  case CRM_CHURN_INDICATORS:
    break;
  }
  return available[CRM_REL_SIGNAL];
}

/* Health decline ---------------------------------------------------------------------------------------------------- */

/* Sums and counts of the figures of two columns. One after the other, each addition would wait for the one before. */
struct pair {
  double sum[2];
  uint32_t n[2];
};

static struct pair sum_pair(const double *a, const double *b, uint32_t lo, uint32_t hi) {
  struct pair p = {{0, 0}, {0, 0}};
  for (uint32_t r = lo; r < hi; r++) {
    bool in_a = !isnan(a[r]), in_b = !isnan(b[r]);
    p.sum[0] += in_a ? a[r] : 0;
    p.sum[1] += in_b ? b[r] : 0;
    p.n[0] += in_a;
    p.n[1] += in_b;
  }
  return p;
}

/* By how much of itself the mean fell; does not exist when either mean is missing or the earlier one is 0. */
static double decline(const struct pair *earlier, const struct pair *later, unsigned k) {
  if (earlier->n[k] == 0 || later->n[k] == 0 || !(earlier->sum[k] > 0))
    return NAN;
  double before = earlier->sum[k] / earlier->n[k], now = later->sum[k] / later->n[k];
  return clip01((before - now) / before);
}

static void usage_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_churn_risk *risk = p->risk;
  const struct crm_usages *u = &c->facts->usage;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(u->first, i, c->n, CRM_AHEAD);
    crm_prefetch(u->day, sizeof(*u->day), ahead, 256);
    crm_prefetch(u->logins_per_week, sizeof(*u->logins_per_week), ahead, 512);
    crm_prefetch(u->feature_adoption, sizeof(*u->feature_adoption), ahead, 512);
    if (!crm_open(c, i))
      continue;
    uint32_t end = crm_span_after_day(u->day, u->first[i], u->first[i + 1], c->day);
    uint32_t later = crm_span_after_day(u->day, u->first[i], end, p->day_30d);
    uint32_t earlier = crm_span_after_day(u->day, u->first[i], later, p->day_60d);
    struct pair before = sum_pair(u->logins_per_week, u->feature_adoption, earlier, later);
    struct pair now = sum_pair(u->logins_per_week, u->feature_adoption, later, end);
    risk->indicator[CRM_CI_DECLINING_LOGIN_FREQUENCY][i] = decline(&before, &now, 0);
    risk->indicator[CRM_CI_REDUCED_FEATURE_USAGE][i] = decline(&before, &now, 1);
  }
}

static void support_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_churn_risk *risk = p->risk;
  const struct crm_supports *s = &c->facts->support;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(s->first, i, c->n, CRM_AHEAD);
    crm_prefetch(s->day, sizeof(*s->day), ahead, 64);
    crm_prefetch(s->new_tickets, sizeof(*s->new_tickets), ahead, 64);
    crm_prefetch(s->escalated, sizeof(*s->escalated), ahead, 64);
    crm_prefetch(s->first_response_seconds, sizeof(*s->first_response_seconds), ahead, 192);
    if (!crm_open(c, i))
      continue;
    uint32_t end = crm_span_after_day(s->day, s->first[i], s->first[i + 1], c->day);
    double tickets = 0, escalated = 0, answered = 0, slow = 0;
    for (uint32_t r = end; r-- > s->first[i] && s->day[r] > p->day_90d;) {
      if (isnan(s->new_tickets[r]))
        continue;
      double weight = (double)s->new_tickets[r];
      if (!isnan(s->first_response_seconds[r])) {
        answered += weight;
        slow += s->first_response_seconds[r] > c->params->response_target_seconds ? weight : 0;
      }
      if (s->day[r] > p->day_30d && !isnan(s->escalated[r])) {
        tickets += weight;
        escalated += (double)s->escalated[r];
      }
    }
    if (tickets > 0)
      risk->indicator[CRM_CI_SUPPORT_ESCALATIONS][i] = clip01(escalated / tickets);
    if (answered > 0)
      risk->indicator[CRM_CI_DELAYED_RESPONSES][i] = slow / answered;
  }
}

/* Engagement reduction ---------------------------------------------------------------------------------------------- */

#define MEETINGS (1u << CRM_MEETING | 1u << CRM_CALL | 1u << CRM_DEMO | 1u << CRM_TRAINING)

static void engagement_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_churn_risk *risk = p->risk;
  const struct crm_engagements *e = &c->facts->engagement;
  double target = c->params->response_target_seconds;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(e->first, i, c->n, CRM_AHEAD);
    crm_prefetch(e->completed_at, sizeof(*e->completed_at), ahead, 192);
    crm_prefetch(e->scheduled_at, sizeof(*e->scheduled_at), ahead, 192);
    crm_prefetch(e->type, sizeof(*e->type), ahead, 64);
    crm_prefetch(e->outcome, sizeof(*e->outcome), ahead, 64);
    crm_prefetch(e->response_seconds, sizeof(*e->response_seconds), ahead, 192);
    if (!crm_open(c, i))
      continue;
    uint32_t missed = 0, held = 0, answered = 0, slow = 0, negative = 0, recorded = 0;
    for (uint32_t r = e->first[i + 1]; r-- > e->first[i];) {
      crm_time done = e->completed_at[r], planned = e->scheduled_at[r];
      uint32_t meeting = MEETINGS >> e->type[r] & 1;
      if ((done == CRM_TIME_NONE ? planned : done) <= p->since_90d)
        break;
      if (done == CRM_TIME_NONE || done > c->at) {
        /* Not held as of T, whatever came of it later: missed if its hour has passed. */
        missed += meeting & (planned > p->since_60d) & (planned < c->at);
        continue;
      }
      held += meeting & (done > p->since_60d);
      negative += e->outcome[r] == CRM_NEGATIVE;
      recorded += e->outcome[r] != CRM_UNRECORDED;
      answered += !isnan(e->response_seconds[r]);
      slow += e->response_seconds[r] > target; /* false for NaN */
    }
    if (missed + held > 0)
      risk->indicator[CRM_CI_MISSED_MEETINGS][i] = (double)missed / (double)(missed + held);
    if (answered > 0) /* takes the place of what support rows tell */
      risk->indicator[CRM_CI_DELAYED_RESPONSES][i] = (double)slow / (double)answered;
    if (recorded > 0)
      risk->indicator[CRM_CI_NEGATIVE_OUTCOMES][i] = (double)negative / (double)recorded;
  }
}

/* Business risk and competitive threats ----------------------------------------------------------------------------- */

static double approaching_renewal(const struct crm_context *c, uint32_t account) {
  const struct crm_contracts *k = &c->facts->contract;
  uint32_t row = crm_contract_now(c, account);
  if (row == CRM_NO_ROW || k->ends_at[row] == CRM_TIME_NONE)
    return NAN;
  if (crm_contract_renewed(c, row))
    return 0;
  double days = (double)(k->ends_at[row] - c->at) / (double)CRM_US_PER_DAY;
  return clip01(1 - days / c->params->renewal_horizon_days);
}

static void contract_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_churn_risk *risk = p->risk;
  for (uint32_t i = from; i < to; i++)
    if (crm_open(c, i))
      risk->indicator[CRM_CI_CONTRACT_APPROACHING_RENEWAL][i] = approaching_renewal(c, i);
}

static void payment_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) {
    struct crm_payments paid = p->c->payments[i];
    if (paid.due > 0)
      p->risk->indicator[CRM_CI_PAYMENT_DELAYS][i] = (double)(paid.due - paid.on_time) / (double)paid.due;
  }
}

static void signal_indicators(const struct crm_churn_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_churn_risk *risk = p->risk;
  static const struct {
    enum crm_signal_kind kind;
    enum crm_churn_indicator indicator;
  } kinds[] = {
      {CRM_SIGNAL_BUDGET, CRM_CI_BUDGET_CONSTRAINTS},
      {CRM_SIGNAL_COMPETITOR, CRM_CI_COMPETITOR_MENTIONS},
      {CRM_SIGNAL_FEATURE_REQUEST, CRM_CI_FEATURE_REQUESTS},
      {CRM_SIGNAL_PRICING, CRM_CI_PRICING_DISCUSSIONS},
  };
  const struct crm_signals *s = &c->facts->signal;
  for (uint32_t i = from; i < to; i++) {
    if (!crm_open(c, i))
      continue;
    double weight[CRM_SIGNAL_KINDS] = {0};
    for (uint32_t r = crm_span_after(s->at, s->first[i], s->first[i + 1], c->at); r-- > s->first[i] && s->at[r] > p->since_90d;)
      weight[s->kind[r]] += s->weight[r];
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
      risk->indicator[kinds[k].indicator][i] = clip01(weight[kinds[k].kind]);
  }
}

/* All accounts ------------------------------------------------------------------------------------------------------ */

void crm_churn_indicators_begin(struct crm_context *c, struct crm_churn_risk *risk, struct crm_churn_pass *pass) {
  const struct crm_zone *zone = c->params->zone;
  *pass = (struct crm_churn_pass){
      .c = c,
      .risk = risk,
      .since_60d = crm_window_start(zone, c->at, CRM_WINDOW_60D),
      .since_90d = crm_window_start(zone, c->at, CRM_WINDOW_90D),
  };
  pass->day_30d = crm_zone_day(zone, crm_window_start(zone, c->at, CRM_WINDOW_30D));
  pass->day_60d = crm_zone_day(zone, pass->since_60d);
  pass->day_90d = crm_zone_day(zone, pass->since_90d);
}

void crm_churn_indicators_fill(const struct crm_churn_pass *pass, uint32_t from, uint32_t to) {
  const bool *available = pass->c->facts->available;
  if (available[CRM_REL_USAGE])
    usage_indicators(pass, from, to);
  if (available[CRM_REL_SUPPORT])
    support_indicators(pass, from, to);
  if (available[CRM_REL_ENGAGEMENT])
    engagement_indicators(pass, from, to);
  if (available[CRM_REL_CONTRACT])
    contract_indicators(pass, from, to);
  if (available[CRM_REL_INVOICE])
    payment_indicators(pass, from, to);
  if (available[CRM_REL_SIGNAL])
    signal_indicators(pass, from, to);
}
