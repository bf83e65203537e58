/* SPDX-License-Identifier: MIT */
/* Series per account: opt-in, limited, and for the same facts always the same accounts. */
#include "crm_config.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/context.h"
#include "analytics/past.h"
#include "analytics/recommendations.h"
#include "analytics/scores.h"

struct selection {
  struct crm_context *c;
  const struct crm_health *health;
  const struct crm_churn_risk *risk;
  double *slope; /* per account, NaN without one; of those that may be shown */
  const uint64_t *rules;
  uint32_t *account;
  uint32_t n;
  GChecksum *checksum; /* CRM_NAMES_HASHED only */
};

/* Who is shown ------------------------------------------------------------------------------------------------------ */

/* At risk: the CRM says so, or the health score stands in the band at_risk or critical, or the churn risk in the band critical. */
static bool at_risk(const struct selection *s, uint32_t i) {
  const struct crm_context *c = s->c;
  if (!crm_open(c, i))
    return false;
  enum crm_health_band health = crm_health_band(crm_card_of(c, i), s->health->score[i]);
  return c->status[i] == CRM_AT_RISK || health == CRM_BAND_AT_RISK || health == CRM_BAND_CRITICAL ||
         crm_risk_band(c->params, s->risk->score[i]) == CRM_RISK_CRITICAL;
}

/* Annual revenue in units that compare across exponents (a ten-thousandth of the major unit). There is no exchange rate: amounts of
 * different currencies are compared by their number. Unknown revenue comes last. */
static int64_t revenue_key(const struct crm_context *c, uint32_t i) {
  if (c->arr[i] == CRM_MONEY_UNKNOWN)
    return -1;
  return c->arr[i] * (10000 / crm_currency_unit(c, c->arr_currency[i]));
}

static int by_revenue(const void *a, const void *b, void *ctx) {
  const struct crm_context *c = ctx;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  int64_t left = revenue_key(c, x), right = revenue_key(c, y);
  if (left != right)
    return left > right ? -1 : 1;
  const struct crm_facts *f = c->facts;
  return strcmp(crm_dict_text(&f->text, f->account.id[x]), crm_dict_text(&f->text, f->account.id[y]));
}

static bool has_arr(const struct crm_context *c, uint32_t i) {
  return crm_open(c, i) && c->arr[i] != CRM_MONEY_UNKNOWN && c->arr_currency[i] != CRM_NO_CURRENCY;
}

static uint64_t series_of(const struct selection *s, uint32_t i) {
  uint64_t n = 1 + (uint64_t)has_arr(s->c, i) + !isnan(s->health->score[i]) + !isnan(s->risk->score[i]) + !isnan(s->slope[i]);
  n += (uint64_t)__builtin_popcountll(s->rules[i]);
  for (size_t f = 0; f < CRM_HEALTH_FACTORS; f++)
    n += !isnan(s->health->factor[f][i]);
  for (size_t f = 0; f < CRM_CHURN_FACTORS; f++)
    n += !isnan(s->risk->factor[f][i]);
  return n;
}

/* Those that PerAccount names, however many series that makes. */
static void find_candidates(struct selection *s) {
  struct crm_context *c = s->c;
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i) && (c->params->per_account != CRM_PER_ACCOUNT_AT_RISK || at_risk(s, i)))
      s->account[s->n++] = i;
  if (c->params->per_account != CRM_PER_ACCOUNT_TOP)
    return;
  qsort_r(s->account, s->n, sizeof(*s->account), by_revenue, c);
  if (s->n > c->params->per_account_top)
    s->n = (uint32_t)c->params->per_account_top;
}

/* Leaves out what MaxSeries has no room for. */
static void limit(struct selection *s) {
  struct crm_context *c = s->c;
  uint64_t all = 0;
  for (uint32_t k = 0; k < s->n; k++)
    all += series_of(s, s->account[k]);
  if (all <= c->params->max_series)
    return;
  if (c->params->per_account != CRM_PER_ACCOUNT_TOP)
    qsort_r(s->account, s->n, sizeof(*s->account), by_revenue, c);
  /* An account is shown whole or not at all, and none that brings in less takes the place of one that does not fit. */
  uint64_t used = 0;
  for (uint32_t k = 0; k < s->n; k++) {
    used += series_of(s, s->account[k]);
    if (used <= c->params->max_series)
      continue;
    c->set->accounts_left_out = s->n - k;
    s->n = k;
  }
}

/* What is shown ----------------------------------------------------------------------------------------------------- */

struct emitter {
  struct crm_context *c;
  uint32_t labels[2 + CRM_FAMILY_LABELS]; /* tenant, account, own */
  enum crm_status status;
};

static uint32_t intern(struct emitter *e, const char *text) {
  uint32_t number = 0;
  if (e->status == CRM_OK)
    e->status = crm_dict_add(&e->c->set->text, text, strlen(text), &number);
  return number;
}

static void add(struct emitter *e, enum crm_family family, size_t n_own, struct crm_number value) {
  if (e->status == CRM_OK)
    e->status = crm_set_add_ids(e->c->set, family, e->labels, 2 + n_own, value);
}

static void add_score(struct emitter *e, enum crm_family family, size_t n_own, double score) {
  if (!isnan(score))
    add(e, family, n_own, crm_number_ratio(crm_points(score), CRM_POINT));
}

static const char *text_or_none(const struct crm_context *c, uint32_t number) {
  return number == 0 ? "none" : crm_dict_text(&c->facts->text, number);
}

/* The first 16 hexadecimal digits of the name's SHA-256: the same name keeps its label, and the label does not tell it. */
#define HASH_DIGITS 16
static void hash_name(struct selection *s, const char *name, char out[HASH_DIGITS + 1]) {
  g_checksum_reset(s->checksum);
  g_checksum_update(s->checksum, (const guchar *)name, -1);
  memcpy(out, g_checksum_get_string(s->checksum), HASH_DIGITS);
  out[HASH_DIGITS] = '\0';
}

static void add_info(struct selection *s, struct emitter *e, uint32_t i) {
  const struct crm_context *c = s->c;
  const struct crm_accounts *a = &c->facts->account;
  char hashed[HASH_DIGITS + 1];
  const char *name = crm_dict_text(&c->facts->text, a->name[i]);
  if (c->params->account_names == CRM_NAMES_OFF)
    name = "";
  if (c->params->account_names == CRM_NAMES_HASHED && a->name[i] != 0) {
    hash_name(s, name, hashed);
    name = hashed;
  }
  const char *own[] = {
      name,
      text_or_none(c, a->segment[i]),
      text_or_none(c, a->owner[i]),
      text_or_none(c, a->industry[i]),
      text_or_none(c, a->region[i]),
      c->status[i] == CRM_STATUS_UNKNOWN ? "unknown" : crm_word_account_status((enum crm_account_status)c->status[i]),
      crm_currency_label(c, a->currency[i]),
  };
  size_t n = sizeof(own) / sizeof(own[0]);
  for (size_t k = 0; k < n; k++)
    e->labels[2 + k] = intern(e, own[k]);
  add(e, CRM_FAM_ACCOUNT_INFO, n, crm_number_int(1));
}

static void add_recommendations(struct selection *s, struct emitter *e, uint32_t i) {
  for (size_t r = 0; r < s->c->params->n_rules; r++) {
    if ((s->rules[i] >> r & 1) == 0)
      continue;
    e->labels[2] = intern(e, s->c->params->rules[r].action);
    e->labels[3] = intern(e, crm_rule_reason(&s->c->params->rules[r]));
    add(e, CRM_FAM_ACCOUNT_RECOMMENDATION, 2, crm_number_int(1));
  }
}

static void add_account(struct selection *s, struct emitter *e, uint32_t i) {
  const struct crm_context *c = s->c;
  e->labels[0] = c->tenant_label[c->facts->account.tenant[i]];
  e->labels[1] = intern(e, crm_dict_text(&c->facts->text, c->facts->account.id[i]));
  add_info(s, e, i);
  add_score(e, CRM_FAM_ACCOUNT_HEALTH_SCORE, 0, s->health->score[i]);
  add_score(e, CRM_FAM_ACCOUNT_HEALTH_SLOPE, 0, s->slope[i]);
  add_score(e, CRM_FAM_ACCOUNT_CHURN_RISK_SCORE, 0, s->risk->score[i]);
  for (unsigned f = 0; f < CRM_HEALTH_FACTORS; f++) {
    e->labels[2] = intern(e, crm_health_factor_name((enum crm_health_factor)f));
    add_score(e, CRM_FAM_ACCOUNT_HEALTH_FACTOR_SCORE, 1, s->health->factor[f][i]);
  }
  for (unsigned f = 0; f < CRM_CHURN_FACTORS; f++) {
    e->labels[2] = intern(e, crm_churn_factor_name((enum crm_churn_factor)f));
    add_score(e, CRM_FAM_ACCOUNT_CHURN_FACTOR_SCORE, 1, 100 * s->risk->factor[f][i]);
  }
  add_recommendations(s, e, i);
  if (!has_arr(c, i))
    return;
  e->labels[2] = intern(e, crm_currency_label(c, c->arr_currency[i]));
  add(e, CRM_FAM_ACCOUNT_ARR, 1, crm_number_ratio(c->arr[i], crm_currency_unit(c, c->arr_currency[i])));
}

enum crm_status crm_per_account_emit(struct crm_context *c, const struct crm_health *health, const struct crm_churn_risk *risk,
                                     const struct crm_past *past, const struct crm_recommended *recommended) {
  c->set->accounts_left_out = 0;
  if (c->params->per_account == CRM_PER_ACCOUNT_NONE)
    return CRM_OK;
  struct selection s = {.c = c,
                        .health = health,
                        .risk = risk,
                        .rules = recommended->rules,
                        .slope = crm_column(c),
                        .account = crm_arena_calloc(c->arena, c->n, sizeof(*s.account))};
  if (s.slope == NULL || s.account == NULL)
    return crm_no_memory(c);
  find_candidates(&s);
  crm_part(c, "slopes");
  enum crm_status status = crm_slopes(c, health, past, s.account, s.n, s.slope);
  if (status != CRM_OK)
    return status;
  crm_part(c, "per_account");
  limit(&s);
  if (c->params->account_names == CRM_NAMES_HASHED)
    s.checksum = g_checksum_new(G_CHECKSUM_SHA256);
  struct emitter e = {.c = c, .status = CRM_OK};
  for (uint32_t k = 0; k < s.n && e.status == CRM_OK; k++)
    add_account(&s, &e, s.account[k]);
  if (s.checksum != NULL)
    g_checksum_free(s.checksum);
  return e.status == CRM_OK ? CRM_OK : crm_error_set(c->err, e.status, "out of memory for series of %u accounts", (unsigned)s.n);
}
