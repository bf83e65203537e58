/* SPDX-License-Identifier: MIT */
/* How long customers wait for the first value. Those that still wait have waited this long already: a mean over the others would be the
 * shorter the younger the customer base is, so the estimate is that of Kaplan and Meier. */
#include "analytics/kaplan_meier.h"
#include "analytics/kpi.h"

#define NOT_COUNTED UINT64_MAX

static const struct {
  double quantile;
  const char *label;
} quantiles[] = {{0.5, "0.5"}, {0.9, "0.9"}};

/* The first contract, else the onboarding, else the account itself; CRM_TIME_NONE where nothing is dated. */
static crm_time start_of(const struct crm_context *c, uint32_t account) {
  const struct crm_facts *facts = c->facts;
  if (facts->available[CRM_REL_CONTRACT]) {
    uint32_t r = facts->contract.first[account]; /* ordered by starts_at */
    if (r < facts->contract.first[account + 1] && facts->contract.starts_at[r] <= c->at)
      return facts->contract.starts_at[r];
  }
  if (facts->available[CRM_REL_ONBOARDING]) {
    uint32_t r = facts->onboarding.first[account];
    if (r < facts->onboarding.first[account + 1] && facts->onboarding.started_at[r] <= c->at)
      return facts->onboarding.started_at[r];
  }
  return facts->account.created_at[account];
}

/* CRM_TIME_NONE: not yet, as far as is known at T. */
static crm_time value_of(const struct crm_context *c, uint32_t account) {
  const struct crm_facts *facts = c->facts;
  crm_time first = facts->account.first_value_at[account];
  if (first != CRM_TIME_NONE && first <= c->at)
    return first;
  first = CRM_TIME_NONE;
  if (!facts->available[CRM_REL_ONBOARDING])
    return first;
  const struct crm_onboardings *o = &facts->onboarding;
  for (uint32_t r = o->first[account]; r < o->first[account + 1] && o->started_at[r] <= c->at; r++) {
    crm_time completed_at;
    if (crm_onboarding_completed(c, r, &completed_at) && completed_at != CRM_TIME_NONE && (first == CRM_TIME_NONE || completed_at < first))
      first = completed_at;
  }
  return first;
}

/* Until when the account was watched: T, or the first churn after the start. */
static crm_time watched_until(const struct crm_context *c, uint32_t account, crm_time start) {
  if (c->left_at[account] != CRM_TIME_NONE && c->left_at[account] > start)
    return c->left_at[account];
  if (c->status[account] != CRM_CHURNED || c->churn_at[account] == CRM_TIME_NONE)
    return c->at;
  return c->churn_at[account] > start ? c->churn_at[account] : start;
}

static uint64_t subject_of(const struct crm_context *c, uint32_t account, bool *reached) {
  crm_time start = start_of(c, account);
  if (start == CRM_TIME_NONE || c->undated_churn[account])
    return NOT_COUNTED;
  crm_time end = watched_until(c, account, start), value = value_of(c, account);
  *reached = value != CRM_TIME_NONE && value <= end;
  if (*reached)
    end = value > start ? value : start;
  return crm_subject(end - start, *reached);
}

static enum crm_status emit_quantiles(struct crm_context *c, uint16_t tenant, const uint64_t *sorted, size_t n) {
  enum crm_status status = CRM_OK;
  for (size_t q = 0; q < sizeof(quantiles) / sizeof(quantiles[0]) && status == CRM_OK; q++) {
    int64_t time;
    if (crm_survival_quantile(sorted, n, quantiles[q].quantile, &time))
      status = crm_emit_tenant(c, CRM_FAM_TIME_TO_VALUE_SECONDS, tenant, &quantiles[q].label, 1, crm_number_ratio(time, CRM_US_PER_SECOND));
  }
  return status;
}

/* Groups the subjects by tenant, and each tenant's are then estimated by themselves. */
static enum crm_status estimate(struct crm_context *c, const uint64_t *subject, uint32_t *end) {
  const uint16_t *tenant = c->facts->account.tenant;
  uint64_t *grouped = crm_arena_alloc(c->arena, c->n * sizeof(*grouped));
  uint64_t *scratch = crm_arena_alloc(c->arena, c->n * sizeof(*scratch));
  if (grouped == NULL || scratch == NULL)
    return crm_no_memory(c);
  /* end[t] holds how many tenant t - 1 has; then where t begins; filling moves it to where t ends. */
  for (uint16_t t = 0; t < c->facts->n_tenants; t++)
    end[t + 1] += end[t];
  for (uint32_t i = 0; i < c->n; i++)
    if (subject[i] != NOT_COUNTED)
      grouped[end[tenant[i]]++] = subject[i];
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++) {
    uint32_t begin = t == 0 ? 0 : end[t - 1];
    crm_subjects_sort(grouped + begin, scratch, end[t] - begin);
    status = emit_quantiles(c, t, grouped + begin, end[t] - begin);
  }
  return status;
}

enum crm_status crm_time_to_value_emit(struct crm_context *c) {
  uint64_t *subject = crm_arena_alloc(c->arena, c->n * sizeof(*subject));
  uint32_t *end = crm_arena_calloc(c->arena, (size_t)c->facts->n_tenants + 1, sizeof(*end));
  int64_t *waiting = crm_arena_calloc(c->arena, c->n_cells, sizeof(*waiting));
  int64_t *reached = crm_arena_calloc(c->arena, c->n_cells, sizeof(*reached));
  if (subject == NULL || end == NULL || waiting == NULL || reached == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    bool yes = false;
    subject[i] = crm_visible(c, i) ? subject_of(c, i, &yes) : NOT_COUNTED;
    if (subject[i] == NOT_COUNTED)
      continue;
    (yes ? reached : waiting)[c->cell[i]]++;
    end[c->facts->account.tenant[i] + 1]++;
  }
  static const char *const yes_no[] = {"true", "false"};
  enum crm_status status = crm_emit_cells(c, CRM_FAM_TIME_TO_VALUE_ACCOUNTS, &yes_no[0], 1, reached, 1, NULL);
  if (status == CRM_OK)
    status = crm_emit_cells(c, CRM_FAM_TIME_TO_VALUE_ACCOUNTS, &yes_no[1], 1, waiting, 1, NULL);
  return status == CRM_OK ? estimate(c, subject, end) : status;
}
