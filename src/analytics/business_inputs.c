/* SPDX-License-Identifier: MIT */
/* Business: the contract, the payments, and what the customer was heard to say. */
#include "analytics/contracts.h"
#include "analytics/score_inputs.h"
#include "analytics/span.h"

/* `contract` is the one that decides at the instant, or CRM_NO_ROW. Never from health or risk, which it is part of. */
static double renewal_likelihood(const struct crm_context *c, uint32_t account, uint32_t contract) {
  int8_t renews = CRM_TRI_UNKNOWN;
  if (contract != CRM_NO_ROW && crm_contract_in_force(c, contract))
    renews = c->facts->contract.auto_renew[contract];
  if (renews == CRM_TRI_UNKNOWN)
    renews = c->facts->account.auto_renew[account];
  return renews == CRM_TRI_TRUE ? 100 : c->facts->account.renewal_forecast[account];
}

static double approaching_renewal(const struct crm_context *c, uint32_t contract) {
  const struct crm_contracts *k = &c->facts->contract;
  if (contract == CRM_NO_ROW || k->ends_at[contract] == CRM_TIME_NONE)
    return NAN;
  if (crm_contract_renewed(c, contract))
    return 0;
  double days = (double)(k->ends_at[contract] - c->at) / (double)CRM_US_PER_DAY;
  return crm_clip(1 - days / c->params->renewal_horizon_days, 0, 1);
}

static void signal_indicators(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  static const enum crm_churn_indicator indicators[] = {
      [CRM_SIGNAL_BUDGET] = CRM_CI_BUDGET_CONSTRAINTS,
      [CRM_SIGNAL_COMPETITOR] = CRM_CI_COMPETITOR_MENTIONS,
      [CRM_SIGNAL_FEATURE_REQUEST] = CRM_CI_FEATURE_REQUESTS,
      [CRM_SIGNAL_PRICING] = CRM_CI_PRICING_DISCUSSIONS,
  };
  const struct crm_signals *g = &s->facts->signal;
  double weight[CRM_INSTANTS_MAX][CRM_SIGNAL_KINDS] = {{0}};
  for (uint32_t r = g->first[account + 1]; r-- > g->first[account] && g->at[r] > s->oldest_90d;)
    for (size_t k = 0; k < s->n; k++) {
      bool counts = (g->at[r] <= s->instants[k].c->at) & (g->at[r] > s->instants[k].since_90d);
      weight[k][g->kind[r]] += counts ? g->weight[r] : 0;
    }
  for (size_t k = 0; k < s->n; k++)
    for (size_t kind = 0; kind < sizeof(indicators) / sizeof(indicators[0]); kind++)
      if (crm_open(s->instants[k].c, account))
        out[k].churn[indicators[kind]] = crm_clip(weight[k][kind], 0, 1);
}

void crm_business_inputs(const struct crm_scoring *s, uint32_t account, struct crm_score_inputs out[CRM_INSTANTS_MAX]) {
  const bool *available = s->facts->available;
  for (size_t k = 0; k < s->n; k++) {
    const struct crm_context *c = s->instants[k].c;
    if (!crm_open(c, account))
      continue;
    uint32_t contract = crm_contract_now(c, account);
    out[k].health[CRM_HI_CONTRACT_VALUE] = s->instants[k].arr_rank[account];
    out[k].health[CRM_HI_RENEWAL_LIKELIHOOD] = renewal_likelihood(c, account, contract);
    if (c->payments != NULL && c->payments[account].due > 0) {
      struct crm_payments paid = c->payments[account];
      out[k].health[CRM_HI_PAYMENT_HISTORY] = 100.0 * paid.on_time / paid.due;
      out[k].churn[CRM_CI_PAYMENT_DELAYS] = (double)(paid.due - paid.on_time) / (double)paid.due;
    }
    if (available[CRM_REL_CONTRACT])
      out[k].churn[CRM_CI_CONTRACT_APPROACHING_RENEWAL] = approaching_renewal(c, contract);
  }
  if (s->with_risk && available[CRM_REL_SIGNAL])
    signal_indicators(s, account, out);
}

void crm_business_prefetch(const struct crm_scoring *s, uint32_t account) {
  const struct crm_contracts *k = &s->facts->contract;
  const struct crm_signals *g = &s->facts->signal;
  if (s->facts->available[CRM_REL_CONTRACT]) {
    uint32_t end = k->first[account + 1];
    crm_prefetch(k->starts_at, sizeof(*k->starts_at), end, 64);
    crm_prefetch(k->ends_at, sizeof(*k->ends_at), end, 64);
    crm_prefetch(k->decided_at, sizeof(*k->decided_at), end, 64);
  }
  if (s->with_risk && s->facts->available[CRM_REL_SIGNAL]) {
    crm_prefetch(g->at, sizeof(*g->at), g->first[account + 1], 64);
    crm_prefetch(g->weight, sizeof(*g->weight), g->first[account + 1], 64);
  }
}
