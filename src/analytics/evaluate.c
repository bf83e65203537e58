/* SPDX-License-Identifier: MIT */
#include "analytics/evaluate.h"

#include <string.h>

#include "analytics/context.h"
#include "analytics/engagement.h"
#include "analytics/kpi.h"
#include "analytics/past.h"
#include "analytics/recommendations.h"
#include "analytics/trend.h"

static enum crm_status emit_all(struct crm_context *c) {
  struct crm_health health;
  struct crm_churn_risk risk;
  struct crm_past past;
  struct crm_recommended recommended;
  crm_part(c, "scores");
  enum crm_status status = crm_past_compute(c, &health, &risk, &past);
  crm_part(c, "accounts");
  if (status == CRM_OK)
    status = crm_accounts_emit(c);
  crm_part(c, "health");
  if (status == CRM_OK)
    status = crm_health_emit(c, &health);
  crm_part(c, "churn_risk");
  if (status == CRM_OK)
    status = crm_churn_risk_emit(c, &risk);
  crm_part(c, "trend");
  if (status == CRM_OK)
    status = crm_trend_emit(c, &health, &risk, &past);
  crm_part(c, "recommendations");
  if (status == CRM_OK)
    status = crm_recommendations_emit(c, &health, &risk, &recommended);
  if (status == CRM_OK)
    status = crm_revenue(c);
  crm_part(c, "nps");
  if (status == CRM_OK)
    status = crm_nps_emit(c);
  crm_part(c, "kpi");
  if (status == CRM_OK)
    status = crm_kpi_emit(c, &health);
  crm_part(c, "engagement");
  if (status == CRM_OK)
    status = crm_engagement_emit(c, &health);
  crm_part(c, "per_account");
  return status == CRM_OK ? crm_per_account_emit(c, &health, &risk, &past, &recommended) : status;
}

enum crm_status crm_evaluate(const struct crm_facts *facts, const struct crm_params *params, crm_time at, struct crm_arena *arena,
                             struct crm_series_set *set, struct crm_error *err) {
  crm_arena_reset(arena);
  enum crm_status status = crm_set_reset(set);
  if (status != CRM_OK)
    return crm_error_set(err, status, "out of memory for series");
  set->at = at;
  set->accounts_left_out = 0;
  if (!facts->available[CRM_REL_ACCOUNT])
    return CRM_OK;
  struct crm_context c;
  status = crm_context_init(&c, facts, params, at, arena, set, err);
  if (status == CRM_OK)
    status = emit_all(&c);
  if (status != CRM_OK)
    return status;
  crm_part(&c, "order");
  status = crm_set_sort(set);
  return status == CRM_OK ? CRM_OK : crm_error_set(err, status, "out of memory while ordering %zu series", set->n);
}

/* DashboardStats ---------------------------------------------------------------------------------------------------- */

/* A sum of numbers that share a denominator, as counts, points and amounts of one currency do: exact. */
struct sum {
  int64_t num, den;
};

static void sum_add(struct sum *sum, const struct crm_number *v) {
  sum->num += v->num;
  sum->den = v->den;
}

struct amounts {
  uint32_t currency[CRM_CURRENCIES_MAX]; /* label value */
  struct sum sum[CRM_CURRENCIES_MAX];
  size_t n;
};

struct tally {
  uint64_t accounts[CRM_STATUSES];
  struct sum health_points, health_accounts, risk_points, risk_accounts;
  int64_t promoters, detractors, answers;
  struct amounts arr;
};

static void add_accounts(struct tally *t, const char *status, int64_t n) {
  unsigned s = 0;
  while (s < CRM_STATUS_UNKNOWN && strcmp(status, crm_word_account_status((enum crm_account_status)s)) != 0)
    s++;
  t->accounts[s] += (uint64_t)n;
}

static void add_answers(struct tally *t, const char *category, int64_t n) {
  t->answers += n;
  t->promoters += strcmp(category, "promoter") == 0 ? n : 0;
  t->detractors += strcmp(category, "detractor") == 0 ? n : 0;
}

static void add_amount(struct amounts *a, uint32_t currency, const struct crm_number *value) {
  size_t k = 0;
  while (k < a->n && a->currency[k] != currency)
    k++;
  if (k == CRM_CURRENCIES_MAX)
    return;
  if (k == a->n) {
    a->currency[k] = currency;
    a->n++;
  }
  sum_add(&a->sum[k], value);
}

static void tally_sample(struct tally *t, const struct crm_series_set *set, const struct crm_sample *s) {
  /* The family's own labels stand last. */
  size_t own = s->n_labels - crm_family_label_count((enum crm_family)s->family);
  switch (s->family) {
  case CRM_FAM_ACCOUNTS:
    add_accounts(t, crm_set_label_value(set, s, own), s->value.num);
    break;
  case CRM_FAM_HEALTH_SCORE_POINTS:
    sum_add(&t->health_points, &s->value);
    break;
  case CRM_FAM_HEALTH_SCORE_ACCOUNTS:
    if (strcmp(crm_set_label_value(set, s, own), "+Inf") == 0)
      sum_add(&t->health_accounts, &s->value);
    break;
  case CRM_FAM_CHURN_RISK_POINTS:
    sum_add(&t->risk_points, &s->value);
    break;
  case CRM_FAM_CHURN_RISK_ACCOUNTS:
    if (strcmp(crm_set_label_value(set, s, own), "+Inf") == 0)
      sum_add(&t->risk_accounts, &s->value);
    break;
  case CRM_FAM_ARR:
    add_amount(&t->arr, set->label_values[s->labels + own], &s->value);
    break;
  case CRM_FAM_NPS_RESPONSES:
    if (strcmp(crm_set_label_value(set, s, own + 1), "90d") == 0)
      add_answers(t, crm_set_label_value(set, s, own), s->value.num);
    break;
  default:
    break;
  }
}

static double mean_score(const struct sum *points, const struct sum *accounts) {
  return accounts->num == 0 ? NAN : (double)points->num / (double)points->den / (double)accounts->num;
}

/* Which currency's amount is the total: the one asked for, else the only one in which there is revenue. */
static void total_arr(const struct amounts *a, const struct crm_series_set *set, const char *wanted, struct crm_dashboard_stats *stats) {
  size_t chosen = a->n;
  for (size_t k = 0; k < a->n; k++) {
    stats->currencies += a->sum[k].num != 0;
    bool fits = wanted != NULL ? strcmp(crm_dict_text(&set->text, a->currency[k]), wanted) == 0 : a->sum[k].num != 0 || a->n == 1;
    if (fits)
      chosen = k;
  }
  if (chosen == a->n || (wanted == NULL && stats->currencies > 1))
    return;
  stats->total_arr = (double)a->sum[chosen].num / (double)a->sum[chosen].den;
  const char *code = crm_dict_text(&set->text, a->currency[chosen]);
  memcpy(stats->currency, code, strnlen(code, sizeof(stats->currency) - 1));
}

void crm_dashboard_stats(const struct crm_series_set *set, const char *tenant, const char *currency, struct crm_dashboard_stats *stats) {
  struct tally t = {.answers = 0};
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    if (tenant == NULL || strcmp(crm_set_label_value(set, s, 0), tenant) == 0)
      tally_sample(&t, set, s);
  }
  *stats = (struct crm_dashboard_stats){
      .active_accounts = t.accounts[CRM_ACTIVE],
      .at_risk_accounts = t.accounts[CRM_AT_RISK],
      .churned_accounts = t.accounts[CRM_CHURNED],
      .onboarding_accounts = t.accounts[CRM_ONBOARDING],
      .unknown_accounts = t.accounts[CRM_STATUS_UNKNOWN],
      .average_health_score = mean_score(&t.health_points, &t.health_accounts),
      .average_churn_risk = mean_score(&t.risk_points, &t.risk_accounts),
      .total_arr = NAN,
      .nps_score = t.answers == 0 ? NAN : 100.0 * (double)(t.promoters - t.detractors) / (double)t.answers,
  };
  for (unsigned s = 0; s < CRM_STATUSES; s++)
    stats->total_accounts += t.accounts[s];
  total_arr(&t.arr, set, currency, stats);
}
