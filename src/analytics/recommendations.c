/* SPDX-License-Identifier: MIT */
#include "analytics/recommendations.h"

#include <string.h>

#include "analytics/churn_indicators.h"
#include "analytics/contacts.h"
#include "analytics/contracts.h"
#include "analytics/health_inputs.h"
#include "analytics/scores.h"
#include "analytics/span.h"

static bool inputs_available(const struct crm_context *c, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++)
    if (crm_has(c, crm_health_input_needs((enum crm_health_input)i)))
      return true;
  return false;
}

static bool indicators_available(const struct crm_context *c, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++)
    if (crm_churn_indicator_available(c, (enum crm_churn_indicator)i))
      return true;
  return false;
}

static bool fact_available(const struct crm_context *c, unsigned term) {
  const bool *available = c->facts->available;
  switch (term) {
  case CRM_TERM_CONTRACT_DAYS_LEFT:
    return available[CRM_REL_CONTRACT];
  case CRM_TERM_SILENT_DAYS:
    return available[CRM_REL_ENGAGEMENT];
  case CRM_TERM_OVERDUE_INVOICES:
    return available[CRM_REL_INVOICE];
  case CRM_TERM_ESCALATIONS:
    return available[CRM_REL_SUPPORT];
  default:
    return available[CRM_REL_CONTACT];
  }
}

bool crm_term_available(const struct crm_context *c, unsigned term) {
  const unsigned inputs = CRM_HEALTH_INPUTS / CRM_HEALTH_FACTORS, indicators = CRM_CHURN_INDICATORS / CRM_CHURN_FACTORS;
  if (term >= CRM_TERM_CONTRACT_DAYS_LEFT)
    return fact_available(c, term);
  if (term >= CRM_TERM_CHURN_INDICATOR) {
    unsigned i = term - CRM_TERM_CHURN_INDICATOR;
    return indicators_available(c, i, i + 1);
  }
  if (term >= CRM_TERM_CHURN_FACTOR) {
    unsigned f = term - CRM_TERM_CHURN_FACTOR;
    return indicators_available(c, f * indicators, (f + 1) * indicators);
  }
  if (term >= CRM_TERM_HEALTH_INPUT) {
    unsigned i = term - CRM_TERM_HEALTH_INPUT;
    return inputs_available(c, i, i + 1);
  }
  if (term >= CRM_TERM_HEALTH_FACTOR) {
    unsigned f = term - CRM_TERM_HEALTH_FACTOR;
    return inputs_available(c, f * inputs, (f + 1) * inputs);
  }
  return term == CRM_TERM_HEALTH_SCORE || indicators_available(c, 0, CRM_CHURN_INDICATORS);
}

/* Facts as columns -------------------------------------------------------------------------------------------------- */

static void contract_days_left(const struct crm_context *c, double *column) {
  const struct crm_contracts *k = &c->facts->contract;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t row = crm_open(c, i) ? crm_contract_now(c, i) : CRM_NO_ROW;
    if (row != CRM_NO_ROW && k->ends_at[row] != CRM_TIME_NONE && !crm_contract_renewed(c, row))
      column[i] = (double)(k->ends_at[row] - c->at) / (double)CRM_US_PER_DAY;
  }
}

/* The last completed engagement with the customer; rows never completed stand among the others by their plan. */
static crm_time last_engaged(const struct crm_context *c, uint32_t account) {
  const struct crm_engagements *e = &c->facts->engagement;
  for (uint32_t r = e->first[account + 1]; r-- > e->first[account];)
    if (e->completed_at[r] != CRM_TIME_NONE && e->completed_at[r] <= c->at && e->type[r] != CRM_NOTE)
      return e->completed_at[r];
  return CRM_TIME_NONE;
}

static void silent_days(const struct crm_context *c, double *column) {
  const struct crm_engagements *e = &c->facts->engagement;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t ahead = crm_end_ahead(e->first, i, c->n, CRM_AHEAD);
    crm_prefetch(e->completed_at, sizeof(*e->completed_at), ahead, 64);
    crm_prefetch(e->type, sizeof(*e->type), ahead, 64);
    if (!crm_open(c, i))
      continue;
    crm_time since = last_engaged(c, i);
    if (since == CRM_TIME_NONE)
      since = c->facts->account.created_at[i];
    if (since != CRM_TIME_NONE)
      column[i] = (double)(c->at - since) / (double)CRM_US_PER_DAY;
  }
}

/* Champions that are active, or with `lost` those that have left or become inactive. Who is only unresponsive is neither. */
static void champions(const struct crm_context *c, bool lost, double *column) {
  const struct crm_contacts *k = &c->facts->contact;
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i))
      continue;
    uint32_t n = 0;
    for (uint32_t r = k->first[i]; r < k->first[i + 1]; r++) {
      bool gone = k->status[r] == CRM_CONTACT_LEFT || k->status[r] == CRM_CONTACT_INACTIVE;
      bool known = k->since[r] == CRM_TIME_NONE || k->since[r] <= c->at;
      n += k->strength[r] == CRM_CHAMPION && (lost ? gone && known : crm_contact_active(c, r));
    }
    column[i] = n;
  }
}

static void overdue_invoices(const struct crm_context *c, double *column) {
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_open(c, i))
      column[i] = c->payments[i].overdue;
}

/* No row is no escalation; rows of which none tells are not. */
static void escalations(const struct crm_context *c, double *column) {
  const struct crm_supports *s = &c->facts->support;
  crm_day since = crm_zone_day(c->params->zone, crm_window_start(c->params->zone, c->at, CRM_WINDOW_30D));
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t ahead = crm_end_ahead(s->first, i, c->n, CRM_AHEAD);
    crm_prefetch(s->day, sizeof(*s->day), ahead, 64);
    crm_prefetch(s->escalated, sizeof(*s->escalated), ahead, 64);
    if (!crm_open(c, i))
      continue;
    uint32_t end = crm_span_after_day(s->day, s->first[i], s->first[i + 1], c->day), rows = 0, known = 0;
    double n = 0;
    for (uint32_t r = end; r-- > s->first[i] && s->day[r] > since;) {
      rows++;
      if (isnan(s->escalated[r]))
        continue;
      known++;
      n += (double)s->escalated[r];
    }
    if (known > 0 || rows == 0)
      column[i] = n;
  }
}

static void fill_fact(const struct crm_context *c, unsigned term, double *column) {
  switch (term) {
  case CRM_TERM_CONTRACT_DAYS_LEFT:
    contract_days_left(c, column);
    return;
  case CRM_TERM_SILENT_DAYS:
    silent_days(c, column);
    return;
  case CRM_TERM_CHAMPIONS:
    champions(c, false, column);
    return;
  case CRM_TERM_LOST_CHAMPIONS:
    champions(c, true, column);
    return;
  case CRM_TERM_OVERDUE_INVOICES:
    overdue_invoices(c, column);
    return;
  default:
    escalations(c, column);
  }
}

/* Rules ------------------------------------------------------------------------------------------------------------- */

struct terms {
  const double *column[CRM_TERMS]; /* of those that some rule asks for */
  double scale[CRM_TERMS];         /* from what the column holds to what the term is */
};

static enum crm_status find_column(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk, unsigned term,
                                   struct terms *terms) {
  if (terms->column[term] != NULL)
    return CRM_OK;
  terms->scale[term] = 1;
  if (term >= CRM_TERM_CONTRACT_DAYS_LEFT) {
    double *column = crm_column(c);
    if (column == NULL)
      return crm_no_memory(c);
    fill_fact(c, term, column);
    terms->column[term] = column;
  } else if (term >= CRM_TERM_CHURN_INDICATOR) {
    terms->column[term] = risk->indicator[term - CRM_TERM_CHURN_INDICATOR];
  } else if (term >= CRM_TERM_CHURN_FACTOR) {
    terms->column[term] = risk->factor[term - CRM_TERM_CHURN_FACTOR];
    terms->scale[term] = 100;
  } else if (term >= CRM_TERM_HEALTH_INPUT) {
    terms->column[term] = health->input[term - CRM_TERM_HEALTH_INPUT];
  } else if (term >= CRM_TERM_HEALTH_FACTOR) {
    terms->column[term] = health->factor[term - CRM_TERM_HEALTH_FACTOR];
  } else {
    terms->column[term] = term == CRM_TERM_HEALTH_SCORE ? health->score : risk->score;
  }
  return CRM_OK;
}

static bool rule_available(const struct crm_context *c, const struct crm_rule *rule) {
  for (size_t k = 0; k < rule->n_conditions; k++)
    if (!crm_term_available(c, rule->conditions[k].term))
      return false;
  return true;
}

static bool rule_holds(const struct crm_rule *rule, const struct terms *terms, uint32_t account) {
  for (size_t k = 0; k < rule->n_conditions; k++) {
    unsigned term = rule->conditions[k].term;
    if (!crm_condition_holds(&rule->conditions[k], terms->scale[term] * terms->column[term][account]))
      return false;
  }
  return true;
}

/* The first rule that says the same. */
static size_t same_rule(const struct crm_params *params, size_t rule) {
  const struct crm_rule *rules = params->rules;
  size_t r = 0;
  while (strcmp(rules[r].action, rules[rule].action) != 0 || strcmp(crm_rule_reason(&rules[r]), crm_rule_reason(&rules[rule])) != 0)
    r++;
  return r;
}

/* Accounts to which one of the rules `mask` applies. */
static enum crm_status emit_action(struct crm_context *c, const uint64_t *rules, uint64_t mask, const char *action) {
  int64_t *count = crm_arena_calloc(c->arena, c->n_cells, sizeof(*count));
  if (count == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if ((rules[i] & mask) != 0)
      count[c->cell[i]]++;
  return crm_emit_cells(c, CRM_FAM_RECOMMENDATIONS, &action, 1, count, 1, NULL);
}

static enum crm_status emit_actions(struct crm_context *c, const uint64_t *rules, uint64_t available) {
  const struct crm_params *params = c->params;
  for (size_t r = 0; r < params->n_rules; r++) {
    uint64_t mask = 0;
    bool first = true;
    for (size_t k = 0; k < params->n_rules; k++) {
      if ((available >> k & 1) == 0 || strcmp(params->rules[k].action, params->rules[r].action) != 0)
        continue;
      first = first && k >= r;
      mask |= UINT64_C(1) << same_rule(params, k);
    }
    if ((available >> r & 1) == 0 || !first)
      continue;
    enum crm_status status = emit_action(c, rules, mask, params->rules[r].action);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_recommendations_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                                         struct crm_recommended *recommended) {
  uint64_t *rules = crm_arena_calloc(c->arena, c->n, sizeof(*rules));
  recommended->rules = rules;
  if (rules == NULL)
    return crm_no_memory(c);
  struct terms terms = {.scale = {0}};
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  uint64_t available = 0;
  enum crm_status status = CRM_OK;
  for (size_t r = 0; r < c->params->n_rules; r++) {
    const struct crm_rule *rule = &c->params->rules[r];
    if (!rule_available(c, rule))
      continue;
    available |= UINT64_C(1) << r;
    for (size_t k = 0; k < rule->n_conditions; k++)
      if ((status = find_column(c, health, risk, rule->conditions[k].term, &terms)) != CRM_OK)
        return status;
    uint64_t bit = UINT64_C(1) << same_rule(c->params, r);
    for (uint32_t i = 0; i < c->n; i++)
      if (crm_open(c, i) && rule_holds(rule, &terms, i))
        rules[i] |= bit;
  }
  status = emit_actions(c, rules, available);
  crm_arena_rewind(c->arena, mark);
  return status;
}
