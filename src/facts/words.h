/* SPDX-License-Identifier: MIT */
/* The words of the CRM contract, in the order of the enums of facts.h; each list ends in NULL. Internal to facts. */
#ifndef CRM_FACTS_WORDS_H
#define CRM_FACTS_WORDS_H

#include <stddef.h>

extern const char *const crm_words_account_status[];
extern const char *const crm_words_engagement_type[];
extern const char *const crm_words_outcome[];
extern const char *const crm_words_level[];
extern const char *const crm_words_strength[];
extern const char *const crm_words_contact_status[];
extern const char *const crm_words_contract_outcome[];
extern const char *const crm_words_goal_status[];
extern const char *const crm_words_opportunity_kind[];
extern const char *const crm_words_opportunity_stage[];
extern const char *const crm_words_signal_kind[];
extern const char *const crm_words_onboarding_status[];

/* Index of the word, not regarding the case of ASCII letters; -1 if it is not in the list. */
int crm_word_find(const char *const *words, const char *text, size_t len);

#endif
