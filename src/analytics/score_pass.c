/* SPDX-License-Identifier: MIT */
/* The scores of all accounts at some instants: first what accounts are compared with, which takes a look at all of them, then account by
 * account, all instants of one at a time. */
#include "analytics/past.h"
#include "analytics/reference.h"
#include "analytics/score_inputs.h"
#include "analytics/scores.h"
#include "analytics/span.h"

static uint32_t longest_usage(const struct crm_facts *facts) {
  uint32_t longest = 0;
  for (uint32_t i = 0; i < facts->account.n; i++) {
    uint32_t rows = facts->usage.first[i + 1] - facts->usage.first[i];
    longest = rows > longest ? rows : longest;
  }
  return longest;
}

/* Columns that the pass writes in whole. */
static bool make_columns(struct crm_context *c, double **columns, size_t n) {
  for (size_t k = 0; k < n; k++)
    if ((columns[k] = crm_arena_alloc(c->arena, c->n * sizeof(**columns))) == NULL)
      return false;
  return true;
}

static enum crm_status make_results(struct crm_context *c, struct crm_health *health, struct crm_churn_risk *risk) {
  bool made = true;
  if (health != NULL) {
    made = made && make_columns(c, health->input, CRM_HEALTH_INPUTS) && make_columns(c, health->factor, CRM_HEALTH_FACTORS) &&
           make_columns(c, &health->score, 1) && make_columns(c, &health->active_users, 1);
    health->met = NULL;
  }
  if (risk != NULL)
    made = made && make_columns(c, risk->indicator, CRM_CHURN_INDICATORS) && make_columns(c, risk->factor, CRM_CHURN_FACTORS) &&
           make_columns(c, &risk->score, 1);
  return made ? CRM_OK : crm_no_memory(c);
}

/* What accounts are compared with at the instants. */
static enum crm_status read_references(struct crm_scoring *s) {
  struct crm_context *first = s->instants[0].c;
  uint32_t n_groups = 2 * (uint32_t)s->facts->n_tenants;
  bool support = s->facts->available[CRM_REL_SUPPORT];
  for (size_t k = 0; k < s->n; k++) {
    struct crm_instant *t = &s->instants[k];
    if (!make_columns(t->c, &t->arr_rank, 1) || (support && !make_columns(t->c, &t->volume, 1)))
      return crm_no_memory(t->c);
    enum crm_status status = crm_arr_ranks(t->c, t->arr_rank);
    if (status != CRM_OK)
      return status;
  }
  if (!support)
    return CRM_OK;
  s->group = crm_arena_alloc(first->arena, first->n * sizeof(*s->group));
  if (s->group == NULL)
    return crm_no_memory(first);
  crm_ticket_volumes(s);
  for (size_t k = 0; k < s->n; k++) {
    struct crm_instant *t = &s->instants[k];
    t->median_volume = crm_arena_calloc(first->arena, n_groups, sizeof(*t->median_volume));
    if (t->median_volume == NULL)
      return crm_no_memory(first);
    enum crm_status status = crm_group_medians(t->c, t->volume, s->group, n_groups, t->median_volume);
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

static void keep_columns(struct crm_health *health, struct crm_churn_risk *risk, uint32_t i, const struct crm_score_inputs *in,
                         const double *health_factor, double health_score, const double *risk_factor, double risk_score) {
  if (health != NULL) {
    for (size_t k = 0; k < CRM_HEALTH_INPUTS; k++)
      health->input[k][i] = in->health[k];
    for (size_t k = 0; k < CRM_HEALTH_FACTORS; k++)
      health->factor[k][i] = health_factor[k];
    health->score[i] = health_score;
    health->active_users[i] = in->active_users;
  }
  if (risk != NULL) {
    for (size_t k = 0; k < CRM_CHURN_INDICATORS; k++)
      risk->indicator[k][i] = in->churn[k];
    for (size_t k = 0; k < CRM_CHURN_FACTORS; k++)
      risk->factor[k][i] = risk_factor[k];
    risk->score[i] = risk_score;
  }
}

static void score_account(const struct crm_scoring *s, uint32_t i, struct crm_health *health, struct crm_churn_risk *risk,
                          const struct crm_scores_kept *kept) {
  const bool *available = s->facts->available;
  struct crm_score_inputs in[CRM_INSTANTS_MAX];
  for (size_t k = 0; k < s->n; k++) {
    for (size_t j = 0; j < CRM_HEALTH_INPUTS; j++)
      in[k].health[j] = NAN;
    for (size_t j = 0; j < CRM_CHURN_INDICATORS; j++)
      in[k].churn[j] = NAN;
    in[k].active_users = NAN;
  }
  if (available[CRM_REL_USAGE])
    crm_usage_inputs(s, i, in);
  if (available[CRM_REL_SUPPORT])
    crm_support_inputs(s, i, in);
  if (available[CRM_REL_ENGAGEMENT])
    crm_engagement_inputs(s, i, in);
  crm_business_inputs(s, i, in);
  const struct crm_scorecard *card = crm_card_of(s->instants[0].c, i);
  for (size_t k = 0; k < s->n; k++) {
    double health_factor[CRM_HEALTH_FACTORS], risk_factor[CRM_CHURN_FACTORS], risk_score = NAN;
    double health_score = crm_health_score(s->params, card, in[k].health, health_factor);
    if (s->with_risk)
      risk_score = crm_churn_risk_score(s->params, in[k].churn, risk_factor);
    if (k == 0)
      keep_columns(health, s->with_risk ? risk : NULL, i, &in[k], health_factor, health_score, risk_factor, risk_score);
    if (kept == NULL)
      continue;
    if (kept[k].health != NULL)
      kept[k].health[i] = health_score;
    if (kept[k].risk != NULL)
      kept[k].risk[i] = risk_score;
    if (kept[k].stood != NULL)
      kept[k].stood[i] = crm_standing(s->instants[k].c, i, health_score);
  }
}

static void prefetch(const struct crm_scoring *s, uint32_t i) {
  const bool *available = s->facts->available;
  if (available[CRM_REL_USAGE])
    crm_usage_prefetch(s, i);
  if (available[CRM_REL_SUPPORT])
    crm_support_prefetch(s, i);
  if (available[CRM_REL_ENGAGEMENT])
    crm_engagement_prefetch(s, i);
  crm_business_prefetch(s, i);
}

static enum crm_status scores_pass(struct crm_scoring *s, struct crm_health *health, struct crm_churn_risk *risk,
                                   const struct crm_scores_kept *kept, const uint32_t *accounts, uint32_t n) {
  struct crm_context *first = s->instants[0].c;
  crm_score_windows(s);
  if (s->facts->available[CRM_REL_USAGE]) {
    s->sessions = crm_arena_calloc(first->arena, longest_usage(s->facts), sizeof(*s->sessions));
    if (s->sessions == NULL)
      return crm_no_memory(first);
  }
  const char *part = crm_part(first, "references");
  enum crm_status status = read_references(s);
  crm_part(first, part);
  if (status != CRM_OK)
    return status;
  for (uint32_t k = 0; k < n; k++) {
    uint32_t ahead = n - k > CRM_AHEAD / 4 ? k + CRM_AHEAD / 4 : n - 1;
    prefetch(s, accounts == NULL ? ahead : accounts[ahead]);
    score_account(s, accounts == NULL ? k : accounts[k], health, risk, kept);
  }
  /* The instants before the first one are done with. */
  if (health != NULL && s->met != NULL)
    for (uint32_t k = 0; k < s->facts->contact.n; k++)
      s->met[k] &= 1;
  return CRM_OK;
}

enum crm_status crm_scores_pass(struct crm_context *const *contexts, size_t n_contexts, bool with_risk, struct crm_health *health,
                                struct crm_churn_risk *risk, const struct crm_scores_kept *kept, const uint32_t *accounts, uint32_t n) {
  struct crm_context *c = contexts[0];
  struct crm_scoring s = {.facts = c->facts, .params = c->params, .n = n_contexts, .with_risk = with_risk};
  for (size_t k = 0; k < n_contexts; k++)
    s.instants[k].c = contexts[k];
  enum crm_status status = make_results(c, health, risk);
  if (status != CRM_OK)
    return status;
  struct crm_arena_mark mark = crm_arena_mark(c->arena);
  if (c->facts->available[CRM_REL_CONTACT] && c->facts->available[CRM_REL_ENGAGEMENT]) {
    s.met = crm_arena_calloc(c->arena, c->facts->contact.n, sizeof(*s.met));
    if (s.met == NULL)
      return crm_no_memory(c);
    if (health != NULL) {
      health->met = s.met;
      mark = crm_arena_mark(c->arena);
    }
  }
  status = scores_pass(&s, health, risk, kept, accounts, n);
  crm_arena_rewind(c->arena, mark);
  return status;
}

enum crm_status crm_health_compute(struct crm_context *c, struct crm_health *health) {
  return crm_scores_pass(&c, 1, false, health, NULL, NULL, NULL, c->n);
}

enum crm_status crm_churn_risk_compute(struct crm_context *c, struct crm_churn_risk *risk) {
  return crm_scores_pass(&c, 1, true, NULL, risk, NULL, NULL, c->n);
}
