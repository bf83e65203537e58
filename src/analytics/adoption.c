/* SPDX-License-Identifier: MIT */
/* Adoption in its three meanings, and the mean engagement score: figures of OPEN accounts at T. */
#include "analytics/kpi.h"

struct adoption {
  int64_t *active_users, *seats;       /* per cell, of accounts for which both are known */
  int64_t *active_accounts, *accounts; /* per cell */
  uint8_t *told;                       /* per tenant: the active users of one of its accounts are known */
};

static enum crm_status adoption_init(struct crm_context *c, struct adoption *a) {
  int64_t **columns[] = {&a->active_users, &a->seats, &a->active_accounts, &a->accounts};
  for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++)
    if ((*columns[k] = crm_arena_calloc(c->arena, c->n_cells, sizeof(int64_t))) == NULL)
      return crm_no_memory(c);
  a->told = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*a->told));
  return a->told == NULL ? crm_no_memory(c) : CRM_OK;
}

static void count(const struct crm_context *c, const double *active_users, struct adoption *a) {
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i))
      continue;
    uint32_t cell = c->cell[i];
    a->accounts[cell]++;
    double users = active_users[i];
    if (isnan(users))
      continue;
    a->told[c->facts->account.tenant[i]] = 1;
    a->active_accounts[cell] += users > 0;
    double seats = c->facts->account.seats[i];
    if (!(seats >= 0.5)) /* people and seats are counted in whole numbers */
      continue;
    a->active_users[cell] += (int64_t)(users + 0.5);
    a->seats[cell] += (int64_t)(seats + 0.5);
  }
}

/* num / (den x scale) per tenant where there is a denominator. */
static enum crm_status emit_ratio(struct crm_context *c, enum crm_family family, const char *kind, const int64_t *num, const int64_t *den,
                                  int64_t scale, const uint8_t *told) {
  int64_t *n = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*n));
  int64_t *d = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*d));
  if (n == NULL || d == NULL)
    return crm_no_memory(c);
  crm_sum_tenants(c, num, n);
  crm_sum_tenants(c, den, d);
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
    if (d[t] > 0 && (told == NULL || told[t]))
      status = crm_emit_tenant(c, family, t, &kind, kind != NULL, crm_number_ratio(n[t], scale * d[t]));
  return status;
}

/* Mean over OPEN accounts of values that exist, each 0 .. 100, divided by `full`. */
static enum crm_status emit_mean(struct crm_context *c, enum crm_family family, const char *kind, const double *value, int64_t full) {
  int64_t *points = crm_arena_calloc(c->arena, c->n_cells, sizeof(*points));
  int64_t *accounts = crm_arena_calloc(c->arena, c->n_cells, sizeof(*accounts));
  if (points == NULL || accounts == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i) || isnan(value[i]))
      continue;
    points[c->cell[i]] += crm_points(value[i]);
    accounts[c->cell[i]]++;
  }
  return emit_ratio(c, family, kind, points, accounts, full * CRM_POINT, NULL);
}

static enum crm_status emit_usage(struct crm_context *c, const struct crm_health *health) {
  struct adoption a;
  enum crm_status status = adoption_init(c, &a);
  if (status != CRM_OK)
    return status;
  count(c, health->active_users, &a);
  const struct {
    enum crm_family family;
    const int64_t *sums;
  } parts[] = {
      {CRM_FAM_ADOPTION_ACTIVE_USERS, a.active_users},
      {CRM_FAM_ADOPTION_SEATS, a.seats},
      {CRM_FAM_ADOPTION_ACTIVE_ACCOUNTS, a.active_accounts},
      {CRM_FAM_ADOPTION_ACCOUNTS, a.accounts},
  };
  for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && status == CRM_OK; k++)
    status = crm_emit_cells(c, parts[k].family, NULL, 0, parts[k].sums, 1, NULL);
  if (status == CRM_OK)
    status = emit_ratio(c, CRM_FAM_ADOPTION_RATIO, "seats", a.active_users, a.seats, 1, NULL);
  if (status == CRM_OK)
    status = emit_ratio(c, CRM_FAM_ADOPTION_RATIO, "accounts", a.active_accounts, a.accounts, 1, a.told);
  return status == CRM_OK ? emit_mean(c, CRM_FAM_ADOPTION_RATIO, "features", health->input[CRM_HI_FEATURE_ADOPTION], 100) : status;
}

enum crm_status crm_adoption_emit(struct crm_context *c, const struct crm_health *health) {
  enum crm_status status = CRM_OK;
  if (c->facts->available[CRM_REL_USAGE])
    status = emit_usage(c, health);
  if (status != CRM_OK || !c->facts->available[CRM_REL_ENGAGEMENT])
    return status;
  return emit_mean(c, CRM_FAM_ENGAGEMENT_SCORE_AVERAGE, NULL, health->factor[CRM_HF_ENGAGEMENT], 1);
}
