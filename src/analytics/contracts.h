/* SPDX-License-Identifier: MIT */
/* The contract that decides at the instant. Internal to analytics. */
#ifndef CRM_ANALYTICS_CONTRACTS_H
#define CRM_ANALYTICS_CONTRACTS_H

#include "analytics/context.h"

#define CRM_NO_ROW UINT32_MAX

/* Of the account's contracts in force at T (begun, not ended) the one that ends last, an open-ended one being the very last; if none is in
 * force, of the ended ones the one that ended last. Row of facts->contract, or CRM_NO_ROW. A contract that begins after T is invisible. */
uint32_t crm_contract_now(const struct crm_context *c, uint32_t account);
/* True if the contract has begun and not ended at T. */
bool crm_contract_in_force(const struct crm_context *c, uint32_t row);
/* What was known at T of how the contract ends; a decision without a date was always known. */
enum crm_contract_outcome crm_contract_outcome(const struct crm_context *c, uint32_t row);
/* True if it was known at T that the contract is renewed. */
bool crm_contract_renewed(const struct crm_context *c, uint32_t row);

#endif
