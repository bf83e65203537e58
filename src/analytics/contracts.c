/* SPDX-License-Identifier: MIT */
#include "analytics/contracts.h"

bool crm_contract_in_force(const struct crm_context *c, uint32_t row) {
  const struct crm_contracts *k = &c->facts->contract;
  return k->starts_at[row] <= c->at && (k->ends_at[row] == CRM_TIME_NONE || k->ends_at[row] > c->at);
}

enum crm_contract_outcome crm_contract_outcome(const struct crm_context *c, uint32_t row) {
  const struct crm_contracts *k = &c->facts->contract;
  bool known = k->decided_at[row] == CRM_TIME_NONE || k->decided_at[row] <= c->at;
  return known ? (enum crm_contract_outcome)k->outcome[row] : CRM_CONTRACT_UNDECIDED;
}

bool crm_contract_renewed(const struct crm_context *c, uint32_t row) {
  return crm_contract_outcome(c, row) == CRM_CONTRACT_RENEWED;
}

uint32_t crm_contract_now(const struct crm_context *c, uint32_t account) {
  const struct crm_contracts *k = &c->facts->contract;
  if (!c->facts->available[CRM_REL_CONTRACT])
    return CRM_NO_ROW;
  uint32_t best = CRM_NO_ROW;
  crm_time best_end = 0;
  for (uint32_t r = k->first[account]; r < k->first[account + 1] && k->starts_at[r] <= c->at; r++) {
    crm_time end = k->ends_at[r] == CRM_TIME_NONE ? INT64_MAX : k->ends_at[r];
    /* A contract in force ends after T and an ended one does not, so the latest end puts those in force first. Of equal ends the
     * one that began last holds. */
    if (best == CRM_NO_ROW || end >= best_end) {
      best = r;
      best_end = end;
    }
  }
  return best;
}
