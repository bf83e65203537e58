/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analytics/context.h"
#include "analytics/span.h"

enum category { PROMOTER, PASSIVE, DETRACTOR, CATEGORIES };
static const char *const category_names[CATEGORIES] = {"promoter", "passive", "detractor"};

static enum category category_of(uint8_t score) {
  return score >= 9 ? PROMOTER : score >= 7 ? PASSIVE : DETRACTOR;
}

static const enum crm_window windows[] = {CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y}; /* each within the next */
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))
#define WINDOW_90D 1

/* Who has been seen of one account: a hash set that is emptied by taking the next stamp. */
struct seen {
  uint32_t *respondent, *stamp;
  uint32_t mask, now;
};

static enum crm_status seen_init(struct crm_context *c, struct seen *seen) {
  const struct crm_npses *p = &c->facts->nps;
  uint32_t longest = 0;
  for (uint32_t i = 0; i < c->n; i++)
    if (p->first[i + 1] - p->first[i] > longest)
      longest = p->first[i + 1] - p->first[i];
  uint32_t slots = 16;
  while (slots < 2 * (uint64_t)longest)
    slots *= 2;
  *seen = (struct seen){.respondent = crm_arena_calloc(c->arena, slots, sizeof(*seen->respondent)),
                        .stamp = crm_arena_calloc(c->arena, slots, sizeof(*seen->stamp)),
                        .mask = slots - 1};
  return seen->respondent == NULL || seen->stamp == NULL ? crm_no_memory(c) : CRM_OK;
}

/* True if the respondent was not there yet. */
static bool seen_add(struct seen *seen, uint32_t respondent) {
  uint32_t slot = (uint32_t)((respondent * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & seen->mask;
  for (; seen->stamp[slot] == seen->now; slot = (slot + 1) & seen->mask)
    if (seen->respondent[slot] == respondent)
      return false;
  seen->stamp[slot] = seen->now;
  seen->respondent[slot] = respondent;
  return true;
}

/* counts[(window x CATEGORIES + category) x n_cells + cell] */
static enum crm_status count_answers(struct crm_context *c, int64_t *counts) {
  const struct crm_npses *p = &c->facts->nps;
  struct seen seen;
  enum crm_status status = seen_init(c, &seen);
  if (status != CRM_OK)
    return status;
  crm_time since[WINDOWS];
  for (size_t w = 0; w < WINDOWS; w++)
    since[w] = crm_window_start(c->params->zone, c->at, windows[w]);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i))
      continue;
    seen.now = i + 1;
    uint32_t lo = p->first[i];
    /* From the newest on: the first answer met of a respondent is the latest in every window that holds one of theirs. */
    for (uint32_t r = crm_span_after(p->at, lo, p->first[i + 1], c->at); r-- > lo && p->at[r] > since[WINDOWS - 1];) {
      if (p->respondent[r] != 0 && !seen_add(&seen, p->respondent[r]))
        continue;
      enum category category = category_of(p->score[r]);
      for (size_t w = 0; w < WINDOWS; w++)
        counts[(w * CATEGORIES + category) * c->n_cells + c->cell[i]] += p->at[r] > since[w];
    }
  }
  return CRM_OK;
}

static enum crm_status emit_tenant(struct crm_context *c, uint16_t tenant, const int64_t *n) {
  int64_t all = n[PROMOTER] + n[PASSIVE] + n[DETRACTOR];
  if (all == 0)
    return CRM_OK;
  enum crm_status status = crm_emit_tenant(c, CRM_FAM_NPS, tenant, NULL, 0, crm_number_ratio(100 * (n[PROMOTER] - n[DETRACTOR]), all));
  if (status != CRM_OK)
    return status;
  /* Variance of the +1, 0, -1 of one answer: p + d - (p - d)^2. Source: DEFINITIONS.md 1.1, npsScore. */
  double p = (double)n[PROMOTER] / (double)all, d = (double)n[DETRACTOR] / (double)all;
  double variance = p + d - (p - d) * (p - d);
  double error = variance <= 0 ? 0 : 100 * sqrt(variance / (double)all);
  return crm_emit_tenant(c, CRM_FAM_NPS_STANDARD_ERROR, tenant, NULL, 0, crm_number_real(error));
}

enum crm_status crm_nps_emit(struct crm_context *c) {
  if (!c->facts->available[CRM_REL_NPS])
    return CRM_OK;
  int64_t *counts = crm_arena_calloc(c->arena, (size_t)c->n_cells * CATEGORIES * WINDOWS, sizeof(*counts));
  int64_t *tenants = crm_arena_calloc(c->arena, (size_t)c->facts->n_tenants * CATEGORIES, sizeof(*tenants));
  if (counts == NULL || tenants == NULL)
    return crm_no_memory(c);
  enum crm_status status = count_answers(c, counts);
  for (size_t k = 0; k < CATEGORIES && status == CRM_OK; k++) {
    for (size_t w = 0; w < WINDOWS && status == CRM_OK; w++) {
      const char *own[] = {category_names[k], crm_window_name(windows[w])};
      status = crm_emit_cells(c, CRM_FAM_NPS_RESPONSES, own, 2, counts + (w * CATEGORIES + k) * c->n_cells, 1, NULL);
    }
    const int64_t *last_90d = counts + (WINDOW_90D * CATEGORIES + k) * c->n_cells;
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      tenants[(size_t)c->cell_tenant[cell] * CATEGORIES + k] += last_90d[cell];
  }
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
    status = emit_tenant(c, t, tenants + (size_t)t * CATEGORIES);
  return status;
}
