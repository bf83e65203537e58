/* SPDX-License-Identifier: MIT */
/* Support: how many tickets, how grave, how soon answered and solved, and what the customer thought of it. */
#include "analytics/health_inputs.h"
#include "analytics/score_inputs.h"
#include "analytics/span.h"

double crm_resolution_scale(double hours) {
  static const double at[] = {12, 24, 48, 72, 120}, points[] = {100, 75, 50, 25, 0};
  if (hours <= at[0])
    return points[0];
  for (size_t k = 1; k < sizeof(at) / sizeof(at[0]); k++)
    if (hours <= at[k])
      return points[k - 1] + (points[k] - points[k - 1]) * (hours - at[k - 1]) / (at[k] - at[k - 1]);
  return isnan(hours) ? NAN : 0;
}

/* Volume ------------------------------------------------------------------------------------------------------------ */

/* New tickets in the rows: 0 if there are none, NaN if there are some but none tells. */
static double new_tickets(const float *column, uint32_t lo, uint32_t hi) {
  double tickets = 0;
  uint32_t known = 0;
  for (uint32_t r = lo; r < hi; r++) {
    bool tells = !isnan(column[r]);
    tickets += tells ? (double)column[r] : 0;
    known += tells;
  }
  return known > 0 || lo == hi ? tickets : NAN;
}

void crm_ticket_volumes(const struct crm_scoring *s) {
  const struct crm_supports *t = &s->facts->support;
  const struct crm_accounts *a = &s->facts->account;
  for (uint32_t i = 0; i < a->n; i++) {
    uint32_t ahead = crm_end_ahead(t->first, i, a->n, CRM_AHEAD), row[CRM_BOUNDS_MAX];
    crm_prefetch(t->day, sizeof(*t->day), ahead, 128);
    crm_prefetch(t->new_tickets, sizeof(*t->new_tickets), ahead, 128);
    bool per_seat = a->seats[i] > 0;
    /* Tickets per seat and tickets per account are different quantities, so each has the median of its own kind as its reference. */
    s->group[i] = 2 * (uint32_t)a->tenant[i] + (per_seat ? 1 : 0);
    crm_find_bounds(&s->support.bounds, t->day, t->first[i], t->first[i + 1], row);
    for (size_t k = 0; k < s->n; k++) {
      double volume =
          new_tickets(t->new_tickets, row[s->support.at[k].since_30d], row[s->support.at[k].end]) / (per_seat ? a->seats[i] : 1);
      s->instants[k].volume[i] = crm_open_anywhere(s->instants[k].c, i) ? volume : NAN;
    }
  }
}

static double volume_input(const struct crm_scoring *s, const struct crm_instant *t, uint32_t account) {
  double x = t->volume[account], m = t->median_volume[s->group[account]];
  if (isnan(x))
    return NAN;
  return x <= m ? 100 : 100 * m / x;
}

/* The other inputs -------------------------------------------------------------------------------------------------- */

static void window_inputs(const struct crm_supports *t, uint32_t lo, uint32_t hi, struct crm_score_inputs *out) {
  double severity = 0, hours = 0, resolved = 0, csat = 0;
  uint32_t n_severity = 0, n_csat = 0;
  for (uint32_t r = lo; r < hi; r++) {
    bool grave = !isnan(t->severity[r]), solved = !isnan(t->resolution_hours[r]) & !isnan(t->resolved_tickets[r]),
         asked = !isnan(t->csat[r]);
    severity += grave ? t->severity[r] : 0;
    n_severity += grave;
    hours += solved ? t->resolution_hours[r] * (double)t->resolved_tickets[r] : 0;
    resolved += solved ? (double)t->resolved_tickets[r] : 0;
    csat += asked ? t->csat[r] : 0;
    n_csat += asked;
  }
  if (n_severity > 0)
    out->health[CRM_HI_TICKET_SEVERITY] = crm_clip(100 - severity / (double)n_severity, 0, 100);
  if (resolved > 0)
    out->health[CRM_HI_RESOLUTION_TIME] = crm_resolution_scale(hours / resolved);
  if (n_csat > 0)
    out->health[CRM_HI_SATISFACTION] = crm_clip(25 * (csat / (double)n_csat - 1), 0, 100);
}

/* Escalated tickets of the rows from `recent` on, slow responses of those from `lo` on. */
static void window_indicators(const struct crm_supports *t, uint32_t lo, uint32_t recent, uint32_t hi, double target,
                              struct crm_score_inputs *out) {
  crm_pair escalations = {0, 0}, responses = {0, 0}; /* tickets, escalated; answered, slow */
  for (uint32_t r = hi; r-- > lo;) {
    double weight = (double)t->new_tickets[r], seconds = t->first_response_seconds[r], escalated = (double)t->escalated[r];
    int64_t counts = -(int64_t)!isnan(weight), answers = counts & -(int64_t)!isnan(seconds), slow = answers & -(int64_t)(seconds > target);
    int64_t escalates = counts & -(int64_t)!isnan(escalated) & -(int64_t)(r >= recent);
    responses += crm_pair_and((crm_pair){weight, weight}, (crm_pair_mask){answers, slow});
    escalations += crm_pair_and((crm_pair){weight, escalated}, (crm_pair_mask){escalates, escalates});
  }
  if (escalations[0] > 0)
    out->churn[CRM_CI_SUPPORT_ESCALATIONS] = crm_clip(escalations[1] / escalations[0], 0, 1);
  if (responses[0] > 0)
    out->churn[CRM_CI_DELAYED_RESPONSES] = responses[1] / responses[0];
}

void crm_support_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  const struct crm_supports *t = &s->facts->support;
  uint32_t row[CRM_BOUNDS_MAX];
  crm_find_bounds(&s->support.bounds, t->day, t->first[account], t->first[account + 1], row);
  for (size_t k = 0; k < s->n; k++) {
    if (!crm_open(s->instants[k].c, account))
      continue;
    uint32_t hi = row[s->support.at[k].end], recent = row[s->support.at[k].since_30d];
    out[k].health[CRM_HI_TICKET_VOLUME] = volume_input(s, &s->instants[k], account);
    window_inputs(t, recent, hi, &out[k]);
    if (s->with_risk)
      window_indicators(t, row[s->support.at[k].since_90d], recent, hi, s->params->response_target_seconds, &out[k]);
  }
}

void crm_support_prefetch(const struct crm_scoring *s, uint32_t account) {
  const struct crm_supports *t = &s->facts->support;
  uint32_t end = t->first[account + 1];
  crm_prefetch(t->day, sizeof(*t->day), end, 64);
  crm_prefetch(t->new_tickets, sizeof(*t->new_tickets), end, 64);
  crm_prefetch(t->resolved_tickets, sizeof(*t->resolved_tickets), end, 64);
  crm_prefetch(t->escalated, sizeof(*t->escalated), end, 64);
  crm_prefetch(t->severity, sizeof(*t->severity), end, 128);
  crm_prefetch(t->resolution_hours, sizeof(*t->resolution_hours), end, 128);
  crm_prefetch(t->first_response_seconds, sizeof(*t->first_response_seconds), end, 128);
  crm_prefetch(t->csat, sizeof(*t->csat), end, 128);
}
