/* SPDX-License-Identifier: MIT */
/* How far two pictures of one CRM differ, by what they mean: numbers of dictionaries, the order of accounts and garbage do not count. */
#ifndef CRM_FACTS_COMPARE_H
#define CRM_FACTS_COMPARE_H

#include "facts/facts.h"

/* differ[r] = rows of the relation that only one of them has, a row that was changed counting once: the larger number of the two sides, by
 * account. An account that only one has counts in every relation with its rows. Rows are told apart by 64-bit hashes. Cost: once over all
 * rows, and memory for the accounts of `b`. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_facts_compare(const struct crm_facts *a, const struct crm_facts *b, uint64_t differ[CRM_RELATIONS],
                                  struct crm_error *err) CRM_MUSTCHECK;

#endif
