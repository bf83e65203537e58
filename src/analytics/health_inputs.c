/* SPDX-License-Identifier: MIT */
#include "analytics/health_inputs.h"

#include "analytics/contacts.h"
#include "analytics/contracts.h"
#include "analytics/reference.h"
#include "analytics/scores.h"
#include "analytics/span.h"

unsigned crm_health_input_needs(enum crm_health_input i) {
  static const unsigned needs[CRM_HEALTH_INPUTS] = {
      [CRM_HI_LOGIN_FREQUENCY] = 1u << CRM_REL_USAGE,
      [CRM_HI_FEATURE_ADOPTION] = 1u << CRM_REL_USAGE,
      [CRM_HI_SESSION_DURATION] = 1u << CRM_REL_USAGE,
      [CRM_HI_USER_ACTIVITY] = 1u << CRM_REL_USAGE,
      [CRM_HI_TICKET_VOLUME] = 1u << CRM_REL_SUPPORT,
      [CRM_HI_TICKET_SEVERITY] = 1u << CRM_REL_SUPPORT,
      [CRM_HI_RESOLUTION_TIME] = 1u << CRM_REL_SUPPORT,
      [CRM_HI_SATISFACTION] = 1u << CRM_REL_SUPPORT,
      [CRM_HI_MEETING_FREQUENCY] = 1u << CRM_REL_ENGAGEMENT,
      [CRM_HI_RESPONSE_RATE] = 1u << CRM_REL_ENGAGEMENT,
      [CRM_HI_OUTCOME_QUALITY] = 1u << CRM_REL_ENGAGEMENT,
      [CRM_HI_STAKEHOLDER_PARTICIPATION] = 1u << CRM_REL_ENGAGEMENT | 1u << CRM_REL_CONTACT,
      [CRM_HI_CONTRACT_VALUE] = 0,
      [CRM_HI_PAYMENT_HISTORY] = 1u << CRM_REL_INVOICE,
      [CRM_HI_EXPANSION_OPPORTUNITY] = 1u << CRM_REL_USAGE,
      [CRM_HI_RENEWAL_LIKELIHOOD] = 0,
  };
  return needs[i];
}

static double clip(double value, double lo, double hi) {
  return value < lo ? lo : value > hi ? hi : value;
}

/* 100 x min(1, x / target) */
static double of_target(double x, double target) {
  double share = x / target;
  return isnan(share) ? NAN : 100 * clip(share, 0, 1);
}

/* Product usage ----------------------------------------------------------------------------------------------------- */

static void usage_window(const struct crm_context *c, struct crm_health *h, uint32_t i, uint32_t lo, uint32_t hi, double *scratch) {
  const struct crm_usages *u = &c->facts->usage;
  const struct crm_scorecard *card = crm_card_of(c, i);
  double logins = 0, adoption = NAN;
  size_t n_logins = 0, n_sessions = 0;
  for (uint32_t r = lo; r < hi; r++) {
    if (!isnan(u->logins_per_week[r])) {
      logins += u->logins_per_week[r];
      n_logins++;
    }
    if (!isnan(u->feature_adoption[r]))
      adoption = u->feature_adoption[r];
    if (!isnan(u->session_seconds[r]))
      scratch[n_sessions++] = u->session_seconds[r];
  }
  if (n_logins > 0)
    h->input[CRM_HI_LOGIN_FREQUENCY][i] = of_target(logins / (double)n_logins, card->login_target);
  h->input[CRM_HI_FEATURE_ADOPTION][i] = adoption;
  if (n_sessions > 0)
    h->input[CRM_HI_SESSION_DURATION][i] = of_target(crm_median(scratch, n_sessions), card->session_target_seconds);
}

double crm_active_users_until(const struct crm_usages *usage, uint32_t lo, uint32_t hi) {
  while (hi-- > lo)
    if (!isnan(usage->active_users[hi]))
      return usage->active_users[hi];
  return NAN;
}

static void usage_inputs(const struct crm_health_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  struct crm_health *h = p->health;
  const struct crm_usages *u = &c->facts->usage;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(u->first, i, c->n, CRM_AHEAD);
    crm_prefetch(u->day, sizeof(*u->day), ahead, 128);
    crm_prefetch(u->logins_per_week, sizeof(*u->logins_per_week), ahead, 256);
    crm_prefetch(u->feature_adoption, sizeof(*u->feature_adoption), ahead, 256);
    crm_prefetch(u->session_seconds, sizeof(*u->session_seconds), ahead, 256);
    crm_prefetch(u->active_users, sizeof(*u->active_users), ahead, 64);
    if (!crm_open(c, i))
      continue;
    uint32_t first = u->first[i];
    uint32_t hi = crm_span_after_day(u->day, first, u->first[i + 1], c->day);
    uint32_t lo = crm_span_after_day(u->day, first, hi, p->since_day);
    usage_window(c, h, i, lo, hi, p->sessions);
    double seats = c->facts->account.seats[i];
    if (!(seats > 0))
      continue;
    double used = crm_active_users_until(u, first, hi) / seats;
    if (isnan(used))
      continue;
    h->input[CRM_HI_USER_ACTIVITY][i] = 100 * clip(used, 0, 1);
    h->input[CRM_HI_EXPANSION_OPPORTUNITY][i] = clip((used - 0.5) / 0.4, 0, 1) * 100;
  }
}

/* Support ----------------------------------------------------------------------------------------------------------- */

double crm_resolution_scale(double hours) {
  static const double at[] = {12, 24, 48, 72, 120}, points[] = {100, 75, 50, 25, 0};
  if (hours <= at[0])
    return points[0];
  for (size_t k = 1; k < sizeof(at) / sizeof(at[0]); k++)
    if (hours <= at[k])
      return points[k - 1] + (points[k] - points[k - 1]) * (hours - at[k - 1]) / (at[k] - at[k - 1]);
  return isnan(hours) ? NAN : 0;
}

/* Returns the new tickets of the window: 0 if it has no rows, NaN if it has rows but none tells. */
static double support_window(const struct crm_context *c, struct crm_health *h, uint32_t i, uint32_t lo, uint32_t hi) {
  const struct crm_supports *s = &c->facts->support;
  double tickets = 0, severity = 0, hours = 0, resolved = 0, csat = 0;
  size_t n_tickets = 0, n_severity = 0, n_csat = 0;
  for (uint32_t r = lo; r < hi; r++) {
    if (!isnan(s->new_tickets[r])) {
      tickets += (double)s->new_tickets[r];
      n_tickets++;
    }
    if (!isnan(s->severity[r])) {
      severity += s->severity[r];
      n_severity++;
    }
    if (!isnan(s->resolution_hours[r]) && !isnan(s->resolved_tickets[r])) {
      hours += s->resolution_hours[r] * (double)s->resolved_tickets[r];
      resolved += (double)s->resolved_tickets[r];
    }
    if (!isnan(s->csat[r])) {
      csat += s->csat[r];
      n_csat++;
    }
  }
  if (n_severity > 0)
    h->input[CRM_HI_TICKET_SEVERITY][i] = clip(100 - severity / (double)n_severity, 0, 100);
  if (resolved > 0)
    h->input[CRM_HI_RESOLUTION_TIME][i] = crm_resolution_scale(hours / resolved);
  if (n_csat > 0)
    h->input[CRM_HI_SATISFACTION][i] = clip(25 * (csat / (double)n_csat - 1), 0, 100);
  return n_tickets > 0 || lo == hi ? tickets : NAN;
}

/* Tickets per seat and tickets per account are different quantities, so each has the median of its own kind as its reference. */
static enum crm_status ticket_volumes(const struct crm_health_pass *p) {
  struct crm_context *c = p->c;
  uint32_t n_groups = 2 * (uint32_t)c->facts->n_tenants;
  double *median = crm_arena_calloc(c->arena, n_groups, sizeof(*median));
  if (median == NULL)
    return crm_no_memory(c);
  enum crm_status status = crm_group_medians(c, p->volume, p->group, n_groups, median);
  if (status != CRM_OK)
    return status;
  for (uint32_t i = 0; i < c->n; i++) {
    double x = p->volume[i], m = median[p->group[i]];
    if (!isnan(x))
      p->health->input[CRM_HI_TICKET_VOLUME][i] = x <= m ? 100 : 100 * m / x;
  }
  return CRM_OK;
}

static void support_inputs(const struct crm_health_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  const struct crm_supports *s = &c->facts->support;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(s->first, i, c->n, CRM_AHEAD);
    crm_prefetch(s->day, sizeof(*s->day), ahead, 64);
    crm_prefetch(s->new_tickets, sizeof(*s->new_tickets), ahead, 64);
    crm_prefetch(s->resolved_tickets, sizeof(*s->resolved_tickets), ahead, 64);
    crm_prefetch(s->severity, sizeof(*s->severity), ahead, 128);
    crm_prefetch(s->resolution_hours, sizeof(*s->resolution_hours), ahead, 128);
    crm_prefetch(s->csat, sizeof(*s->csat), ahead, 128);
    if (!crm_open(c, i))
      continue;
    uint32_t hi = crm_span_after_day(s->day, s->first[i], s->first[i + 1], c->day);
    uint32_t lo = crm_span_after_day(s->day, s->first[i], hi, p->since_day);
    double seats = c->facts->account.seats[i];
    bool per_seat = seats > 0;
    p->volume[i] = support_window(c, p->health, i, lo, hi) / (per_seat ? seats : 1);
    p->group[i] = 2 * (uint32_t)c->facts->account.tenant[i] + (per_seat ? 1 : 0);
  }
}

/* Engagement -------------------------------------------------------------------------------------------------------- */

#define MEETINGS (1u << CRM_MEETING | 1u << CRM_CALL | 1u << CRM_DEMO | 1u << CRM_TRAINING)

/* Share of the active contacts that were met; NaN if there are none. */
static double participation(const struct crm_context *c, uint32_t i, const uint8_t *met) {
  const struct crm_contacts *k = &c->facts->contact;
  uint32_t all = 0, seen = 0;
  for (uint32_t r = k->first[i]; r < k->first[i + 1]; r++) {
    bool active = crm_contact_active(c, r);
    all += active;
    seen += active & met[r];
  }
  return all == 0 ? NAN : 100.0 * seen / all;
}

static void engagement_inputs_of(const struct crm_health_pass *p, uint32_t i) {
  const struct crm_context *c = p->c;
  struct crm_health *h = p->health;
  const struct crm_engagements *e = &c->facts->engagement;
  double invited = 0, accepted = 0;
  uint32_t outcome[CRM_OUTCOMES] = {0}, meetings = 0;
  /* Completed rows are in order; those never completed stand among them by their plan and do not count. */
  for (uint32_t r = e->first[i + 1]; r-- > e->first[i];) {
    crm_time done = e->completed_at[r];
    if (done == CRM_TIME_NONE || done > c->at)
      continue;
    if (done <= p->since_90d)
      break;
    outcome[e->outcome[r]]++;
    if (p->met != NULL)
      for (uint32_t k = e->contact_first[r]; k < e->contact_first[r + 1]; k++)
        p->met[e->contact[k]] = 1;
    if (done <= p->since_30d)
      continue;
    meetings += MEETINGS >> e->type[r] & 1;
    if (e->participants[r] > 0 && !isnan(e->accepted[r])) {
      invited += (double)e->participants[r];
      accepted += (double)e->accepted[r];
    }
  }
  h->input[CRM_HI_MEETING_FREQUENCY][i] = of_target(meetings, crm_card_of(c, i)->meeting_target);
  if (invited > 0)
    h->input[CRM_HI_RESPONSE_RATE][i] = 100 * clip(accepted / invited, 0, 1);
  double judged = (double)outcome[CRM_POSITIVE] + (double)outcome[CRM_NEUTRAL] + (double)outcome[CRM_NEGATIVE];
  if (judged > 0)
    h->input[CRM_HI_OUTCOME_QUALITY][i] = 100 * ((double)outcome[CRM_POSITIVE] + 0.5 * (double)outcome[CRM_NEUTRAL]) / judged;
  if (p->met != NULL)
    h->input[CRM_HI_STAKEHOLDER_PARTICIPATION][i] = participation(c, i, p->met);
}

static void engagement_inputs(const struct crm_health_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  const struct crm_engagements *e = &c->facts->engagement;
  for (uint32_t i = from; i < to; i++) {
    uint32_t ahead = crm_end_ahead(e->first, i, c->n, CRM_AHEAD);
    crm_prefetch(e->completed_at, sizeof(*e->completed_at), ahead, 192);
    crm_prefetch(e->type, sizeof(*e->type), ahead, 64);
    crm_prefetch(e->outcome, sizeof(*e->outcome), ahead, 64);
    crm_prefetch(e->participants, sizeof(*e->participants), ahead, 64);
    crm_prefetch(e->accepted, sizeof(*e->accepted), ahead, 64);
    crm_prefetch(e->contact_first, sizeof(*e->contact_first), ahead, 128);
    /* Where its contacts end is only known once that line has come. */
    crm_prefetch(e->contact, sizeof(*e->contact), e->contact_first[crm_end_ahead(e->first, i, c->n, CRM_AHEAD / 2)], 192);
    if (crm_open(c, i))
      engagement_inputs_of(p, i);
  }
}

/* Business ---------------------------------------------------------------------------------------------------------- */

/* Never from health or risk, which it is part of. */
static double renewal_likelihood(const struct crm_context *c, uint32_t i) {
  uint32_t contract = crm_contract_now(c, i);
  int8_t renews = CRM_TRI_UNKNOWN;
  if (contract != CRM_NO_ROW && crm_contract_in_force(c, contract))
    renews = c->facts->contract.auto_renew[contract];
  if (renews == CRM_TRI_UNKNOWN)
    renews = c->facts->account.auto_renew[i];
  return renews == CRM_TRI_TRUE ? 100 : c->facts->account.renewal_forecast[i];
}

static void business_inputs(const struct crm_health_pass *p, uint32_t from, uint32_t to) {
  const struct crm_context *c = p->c;
  for (uint32_t i = from; i < to; i++) {
    if (!crm_open(c, i))
      continue;
    p->health->input[CRM_HI_RENEWAL_LIKELIHOOD][i] = renewal_likelihood(c, i);
    if (c->payments != NULL && c->payments[i].due > 0)
      p->health->input[CRM_HI_PAYMENT_HISTORY][i] = 100.0 * c->payments[i].on_time / c->payments[i].due;
  }
}

/* All accounts ------------------------------------------------------------------------------------------------------ */

static uint32_t longest_usage(const struct crm_context *c) {
  uint32_t longest = 0;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t rows = c->facts->usage.first[i + 1] - c->facts->usage.first[i];
    longest = rows > longest ? rows : longest;
  }
  return longest;
}

enum crm_status crm_health_inputs_begin(struct crm_context *c, struct crm_health *health, struct crm_health_pass *pass) {
  const bool *available = c->facts->available;
  *pass = (struct crm_health_pass){
      .c = c,
      .health = health,
      .since_30d = crm_window_start(c->params->zone, c->at, CRM_WINDOW_30D),
      .since_90d = crm_window_start(c->params->zone, c->at, CRM_WINDOW_90D),
  };
  pass->since_day = crm_zone_day(c->params->zone, pass->since_30d);
  pass->volume = crm_column(c);
  pass->group = crm_arena_calloc(c->arena, c->n, sizeof(*pass->group));
  pass->sessions = crm_arena_calloc(c->arena, available[CRM_REL_USAGE] ? longest_usage(c) : 0, sizeof(*pass->sessions));
  if (pass->volume == NULL || pass->group == NULL || pass->sessions == NULL)
    return crm_no_memory(c);
  if (available[CRM_REL_CONTACT]) {
    pass->met = crm_arena_calloc(c->arena, c->facts->contact.n, sizeof(*pass->met));
    if (pass->met == NULL)
      return crm_no_memory(c);
  }
  return CRM_OK;
}

void crm_health_inputs_fill(const struct crm_health_pass *pass, uint32_t from, uint32_t to) {
  const bool *available = pass->c->facts->available;
  if (available[CRM_REL_USAGE])
    usage_inputs(pass, from, to);
  if (available[CRM_REL_SUPPORT])
    support_inputs(pass, from, to);
  if (available[CRM_REL_ENGAGEMENT])
    engagement_inputs(pass, from, to);
  business_inputs(pass, from, to);
}

enum crm_status crm_health_inputs_end(const struct crm_health_pass *pass) {
  enum crm_status status = crm_arr_ranks(pass->c, pass->health->input[CRM_HI_CONTRACT_VALUE]);
  return status == CRM_OK ? ticket_volumes(pass) : status;
}
