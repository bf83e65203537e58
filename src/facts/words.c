/* SPDX-License-Identifier: MIT */
#include "facts/words.h"

#include <string.h>

#include "facts/facts.h"

const char *const crm_words_account_status[] = {"onboarding", "active", "at_risk", "churned", "unknown", NULL};
const char *const crm_words_engagement_type[] = {"meeting", "call", "email", "demo", "training", "note", "other", NULL};
const char *const crm_words_outcome[] = {"positive", "neutral", "negative", "action_required", "unrecorded", NULL};
const char *const crm_words_level[] = {"primary", "influencer", "user", "gatekeeper", "unknown", NULL};
const char *const crm_words_strength[] = {"champion", "supporter", "neutral", "detractor", "unknown", NULL};
const char *const crm_words_contact_status[] = {"active", "inactive", "left", "unresponsive", "unknown", NULL};
const char *const crm_words_contract_outcome[] = {"undecided", "renewed", "lost", NULL};
const char *const crm_words_goal_status[] = {"on_track", "at_risk", "achieved", "missed", "unknown", NULL};
const char *const crm_words_opportunity_kind[] = {"upsell", "cross_sell", "expansion", "renewal", "new", "other", NULL};
const char *const crm_words_opportunity_stage[] = {"open", "won", "lost", NULL};
const char *const crm_words_signal_kind[] = {
    "budget_constraints", "competitor_mentions", "feature_requests", "pricing_discussions", "other", NULL};
const char *const crm_words_onboarding_status[] = {"not_started", "in_progress", "completed", "on_hold", "cancelled", "unknown", NULL};

#define LENGTH(words) (sizeof(words) / sizeof(words[0]) - 1)
_Static_assert(LENGTH(crm_words_account_status) == CRM_STATUSES, "a word per status");
_Static_assert(LENGTH(crm_words_engagement_type) == CRM_ENGAGEMENT_TYPES, "a word per type");
_Static_assert(LENGTH(crm_words_outcome) == CRM_OUTCOMES, "a word per outcome");
_Static_assert(LENGTH(crm_words_level) == CRM_LEVELS, "a word per level");
_Static_assert(LENGTH(crm_words_strength) == CRM_STRENGTHS, "a word per strength");
_Static_assert(LENGTH(crm_words_contact_status) == CRM_CONTACT_STATUS_UNKNOWN + 1, "a word per status");
_Static_assert(LENGTH(crm_words_contract_outcome) == CRM_CONTRACT_LOST + 1, "a word per outcome");
_Static_assert(LENGTH(crm_words_goal_status) == CRM_GOAL_UNKNOWN + 1, "a word per status");
_Static_assert(LENGTH(crm_words_opportunity_kind) == CRM_SALE_OTHER + 1, "a word per kind");
_Static_assert(LENGTH(crm_words_opportunity_stage) == CRM_STAGE_LOST + 1, "a word per stage");
_Static_assert(LENGTH(crm_words_signal_kind) == CRM_SIGNAL_KINDS, "a word per kind");
_Static_assert(LENGTH(crm_words_onboarding_status) == CRM_ONB_UNKNOWN + 1, "a word per status");

const char *crm_word_account_status(enum crm_account_status v) {
  return (unsigned)v < CRM_STATUSES ? crm_words_account_status[v] : NULL;
}
const char *crm_word_engagement_type(enum crm_engagement_type v) {
  return (unsigned)v < CRM_ENGAGEMENT_TYPES ? crm_words_engagement_type[v] : NULL;
}
const char *crm_word_outcome(enum crm_outcome v) {
  return (unsigned)v < CRM_OUTCOMES ? crm_words_outcome[v] : NULL;
}
const char *crm_word_level(enum crm_level v) {
  return (unsigned)v < CRM_LEVELS ? crm_words_level[v] : NULL;
}
const char *crm_word_strength(enum crm_strength v) {
  return (unsigned)v < CRM_STRENGTHS ? crm_words_strength[v] : NULL;
}
const char *crm_word_signal_kind(enum crm_signal_kind v) {
  return (unsigned)v < CRM_SIGNAL_KINDS ? crm_words_signal_kind[v] : NULL;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int crm_word_find(const char *const *words, const char *text, size_t len) {
  for (int w = 0; words[w] != NULL; w++) {
    size_t i = 0;
    while (i < len && words[w][i] != '\0' && lower(text[i]) == words[w][i])
      i++;
    if (i == len && words[w][i] == '\0')
      return w;
  }
  return -1;
}
