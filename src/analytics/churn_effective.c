/* SPDX-License-Identifier: MIT */
/* When each account's churn takes effect (METRICS.md section 3).
 *
 * The CRM records one status and one churn date, and no history of either; so what they say of T has to be read together with the dated
 * facts. In short: the end of the paid period that covers the recorded date, else the recorded date, else the end of the last contract,
 * else the zero level that ends the last time of paying. A positive level after that instant is a return. */
#include "analytics/level.h"

struct evidence {
  crm_time recorded;   /* churned_at, if it is a fact by T */
  crm_time paid_end;   /* the latest end of the contracts that cover it */
  crm_time last_end;   /* the latest end of all contracts; CRM_TIME_NONE if there is none or one is open-ended */
  crm_time zero_at;    /* the zero level that ends the last time of paying, if nothing follows */
  bool recorded_later; /* churned_at lies after T */
  bool contract_later; /* a contract begins after T */
  bool zero_later;     /* of all levels, the zero level that ends the last time of paying lies after T */
  struct crm_levels levels;
};

static void read_contracts(const struct crm_context *c, uint32_t account, struct evidence *e) {
  const struct crm_contracts *contract = &c->facts->contract;
  if (!c->facts->available[CRM_REL_CONTRACT])
    return;
  bool open_ended = false;
  for (uint32_t r = contract->first[account]; r < contract->first[account + 1]; r++) {
    if (contract->starts_at[r] > c->at) {
      e->contract_later = true;
      break; /* ordered by starts_at */
    }
    crm_time ends_at = contract->ends_at[r];
    if (ends_at == CRM_TIME_NONE) {
      open_ended = true;
      continue;
    }
    if (ends_at > e->last_end) /* CRM_TIME_NONE is before everything */
      e->last_end = ends_at;
    if (e->recorded != CRM_TIME_NONE && contract->starts_at[r] <= e->recorded && ends_at > e->recorded && ends_at > e->paid_end)
      e->paid_end = ends_at;
  }
  if (open_ended)
    e->last_end = CRM_TIME_NONE;
}

/* The beginning of the zero levels at the end of the list, if they end a time of paying; else CRM_TIME_NONE. */
static crm_time final_zero(const crm_time *at, const crm_money *arr, uint32_t n) {
  uint32_t zero = n;
  while (zero > 0 && arr[zero - 1] == 0)
    zero--;
  return zero > 0 && zero < n && arr[zero - 1] > 0 ? at[zero] : CRM_TIME_NONE;
}

static void read_levels(const struct crm_context *c, uint32_t account, struct evidence *e) {
  const struct crm_revenues *revenue = &c->facts->revenue;
  crm_levels_of(c, account, &e->levels);
  e->zero_at = final_zero(e->levels.at, e->levels.arr, e->levels.n);
  if (c->facts->available[CRM_REL_REVENUE]) {
    uint32_t first = revenue->first[account], end = revenue->first[account + 1];
    e->zero_later = final_zero(revenue->at + first, revenue->arr + first, end - first) > c->at;
  }
}

/* The first positive level that begins after the instant, or CRM_TIME_NONE. Of levels with one instant only the last ever held. */
static crm_time return_after(const struct evidence *e, crm_time at) {
  for (uint32_t i = crm_levels_until(&e->levels, at); i < e->levels.n; i++)
    if (e->levels.arr[i] > 0 && (i + 1 == e->levels.n || e->levels.at[i + 1] > e->levels.at[i]))
      return e->levels.at[i];
  return CRM_TIME_NONE;
}

static void came_back(struct crm_context *c, uint32_t account, crm_time left_at, crm_time returned_at) {
  c->left_at[account] = left_at;
  c->returned_at[account] = returned_at;
}

/* Status churned. That is what the CRM says today and not at T; so a churn whose date lies after T has not happened yet, whichever fact
 * dates it. */
static void date_churned(struct crm_context *c, uint32_t account, const struct evidence *e) {
  crm_time churn_at = e->recorded;
  if (e->recorded_later)
    return;
  if (churn_at != CRM_TIME_NONE) {
    if (e->paid_end != CRM_TIME_NONE)
      churn_at = e->paid_end;
  } else if (e->last_end != CRM_TIME_NONE) {
    if (e->contract_later)
      return;
    churn_at = e->last_end;
  } else if (e->zero_at != CRM_TIME_NONE) {
    c->churn_at[account] = e->zero_at;
    return;
  } else {
    c->undated_churn[account] = !e->contract_later && !e->zero_later;
    return;
  }
  crm_time returned_at = return_after(e, churn_at);
  if (returned_at != CRM_TIME_NONE && (e->zero_at != CRM_TIME_NONE || e->zero_later)) {
    came_back(c, account, churn_at, returned_at);
    churn_at = e->zero_at; /* it left for good with the zero level; without one it had not yet left again by T */
  }
  /* Levels after the churn that nothing ends are left-overs: the recorded status is the last word. */
  c->churn_at[account] = churn_at;
}

enum crm_status crm_churn_effective(struct crm_context *c) {
  c->left_at = crm_arena_calloc(c->arena, c->n, sizeof(*c->left_at));
  c->returned_at = crm_arena_calloc(c->arena, c->n, sizeof(*c->returned_at));
  if (c->left_at == NULL || c->returned_at == NULL)
    return crm_no_memory(c);
  const struct crm_accounts *a = &c->facts->account;
  for (uint32_t i = 0; i < c->n; i++) {
    c->churn_at[i] = c->left_at[i] = c->returned_at[i] = CRM_TIME_NONE;
    c->undated_churn[i] = 0;
    if (a->status[i] != CRM_CHURNED && a->churned_at[i] == CRM_TIME_NONE)
      continue;
    struct evidence e = {.recorded = CRM_TIME_NONE, .paid_end = CRM_TIME_NONE, .last_end = CRM_TIME_NONE, .zero_at = CRM_TIME_NONE};
    e.recorded_later = a->churned_at[i] > c->at; /* CRM_TIME_NONE is not */
    if (!e.recorded_later)
      e.recorded = a->churned_at[i];
    read_contracts(c, i, &e);
    read_levels(c, i, &e);
    if (a->status[i] == CRM_CHURNED) {
      date_churned(c, i, &e);
      continue;
    }
    /* Not churned today: the date is of an earlier churn if a positive level followed, else a field that nobody cleared. */
    crm_time left_at = e.paid_end != CRM_TIME_NONE ? e.paid_end : e.recorded;
    crm_time returned_at = left_at != CRM_TIME_NONE ? return_after(&e, left_at) : CRM_TIME_NONE;
    if (returned_at != CRM_TIME_NONE)
      came_back(c, i, left_at, returned_at);
  }
  return CRM_OK;
}
