/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analytics/engagement.h"
#include "analytics/span.h"
#include "analytics/spearman.h"

#define MIN_OBSERVATIONS 10
#define CHANGE_BITS 41 /* 100 + change, on the grid of points, is less than 2^40 */

/* An engagement was followed up once the CRM recorded a health score later than 7 and not later than 30 days after it. */
#define FOLLOW_UP_FROM (7 * CRM_US_PER_DAY)
#define FOLLOW_UP_UNTIL (30 * CRM_US_PER_DAY)

struct crm_outcome_cursor crm_outcome_cursor(const struct crm_context *c, uint32_t account) {
  const struct crm_healths *h = &c->facts->health;
  uint32_t first = h->first[account];
  uint32_t end = crm_span_after_day(h->day, first, h->first[account + 1], c->day);
  return (struct crm_outcome_cursor){first, end, end, end};
}

/* The score of the first day with one among rows [lo, hi), by the last row of that day; NaN if there is none until `last`. */
static double first_score(const struct crm_healths *h, uint32_t lo, uint32_t hi, crm_day last) {
  double score = NAN;
  crm_day day = last;
  for (uint32_t r = lo; r < hi && h->day[r] <= day; r++) {
    if (isnan(h->score[r]))
      continue;
    score = h->score[r];
    day = h->day[r];
  }
  return score;
}

/* The newest score among rows [lo, hi). */
static double last_score(const struct crm_healths *h, uint32_t lo, uint32_t hi) {
  while (hi-- > lo)
    if (!isnan(h->score[hi]))
      return h->score[hi];
  return NAN;
}

static enum crm_status grow(struct crm_context *c, struct crm_outcome_pairs *pairs) {
  size_t cap = pairs->cap == 0 ? 4096 : 2 * pairs->cap;
  uint64_t *keys = crm_arena_calloc(c->arena, cap, sizeof(*keys));
  if (keys == NULL)
    return crm_no_memory(c);
  if (pairs->n > 0)
    memcpy(keys, pairs->keys, pairs->n * sizeof(*keys));
  pairs->keys = keys;
  pairs->cap = cap;
  return CRM_OK;
}

enum crm_status crm_outcome_pairs_add(struct crm_context *c, struct crm_outcome_pairs *pairs, struct crm_outcome_cursor *cursor,
                                      uint16_t tenant, crm_time done, uint8_t outcome) {
  const struct crm_healths *h = &c->facts->health;
  /* A day's row stands at its 00:00: it is at or before an instant if its day is not after the instant's. */
  cursor->after = crm_span_after_day(h->day, cursor->first, cursor->after, crm_local_day(pairs->local, done + FOLLOW_UP_FROM));
  if (cursor->after == cursor->end) /* nothing recorded since */
    return CRM_OK;
  cursor->later = crm_span_after_day(h->day, cursor->first, cursor->later, crm_local_day(pairs->local, done));
  double then = first_score(h, cursor->after, cursor->end, crm_local_day(pairs->local, done + FOLLOW_UP_UNTIL));
  double before = last_score(h, cursor->first, cursor->later);
  if (isnan(then) || isnan(before))
    return CRM_OK;
  if (pairs->n == pairs->cap) {
    enum crm_status status = grow(c, pairs);
    if (status != CRM_OK)
      return status;
  }
  uint64_t change = (uint64_t)crm_points(100 + then - before);
  uint64_t y = (uint64_t)tenant << CHANGE_BITS | change;
  pairs->keys[pairs->n++] = crm_spearman_key(y, 2u - outcome); /* negative 0, neutral 1, positive 2 */
  return CRM_OK;
}

enum crm_status crm_outcome_correlation_emit(struct crm_context *c, struct crm_outcome_pairs *pairs) {
  uint64_t *scratch = crm_arena_alloc(c->arena, pairs->n * sizeof(*scratch));
  const uint8_t *present = crm_tenants_present(c);
  if (scratch == NULL || present == NULL)
    return crm_no_memory(c);
  crm_sort_keys(pairs->keys, scratch, pairs->n);
  size_t from = 0;
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++) {
    size_t end = from;
    while (end < pairs->n && pairs->keys[end] >> (CHANGE_BITS + CRM_SPEARMAN_X_BITS) == t)
      end++;
    size_t n = end - from;
    const uint64_t *keys = pairs->keys + from;
    from = end;
    if (!present[t])
      continue;
    status = crm_emit_tenant(c, CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION_OBSERVATIONS, t, NULL, 0, crm_number_int((int64_t)n));
    double r = n < MIN_OBSERVATIONS ? NAN : crm_spearman(keys, n);
    if (status == CRM_OK && !isnan(r))
      status = crm_emit_tenant(c, CRM_FAM_ENGAGEMENT_OUTCOME_CORRELATION, t, NULL, 0, crm_number_real(r));
  }
  return status;
}
