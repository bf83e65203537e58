/* SPDX-License-Identifier: MIT */
#include "analytics/score_inputs.h"

#include "analytics/span.h"

/* The place of the day among the bounds, which hold it. */
static uint8_t bound_of(const struct crm_bounds *bounds, crm_day day) {
  uint8_t b = 0;
  while (bounds->day.one[b] != day)
    b++;
  return b;
}

static void add_bound(struct crm_bounds *bounds, crm_day day) {
  unsigned b = bounds->n;
  for (unsigned k = 0; k < bounds->n; k++)
    if (bounds->day.one[k] == day)
      return;
  for (; b > 0 && bounds->day.one[b - 1] < day; b--)
    bounds->day.one[b] = bounds->day.one[b - 1];
  bounds->day.one[b] = day;
  bounds->n++;
}

/* The place of the pair among the sums, new or not. */
static uint8_t sum_of(struct crm_usage_windows *w, uint8_t from, uint8_t to) {
  uint8_t k = 0;
  while (k < w->n_sums && (w->sums[k].from != from || w->sums[k].to != to))
    k++;
  if (k == w->n_sums) {
    w->sums[k].from = from;
    w->sums[k].to = to;
    w->n_sums++;
  }
  return k;
}

static void add_time_bound(struct crm_engagement_windows *w, crm_time at) {
  unsigned b = w->n;
  for (unsigned k = 0; k < w->n; k++)
    if (w->bound[k] == at)
      return;
  for (; b > 0 && w->bound[b - 1] < at; b--)
    w->bound[b] = w->bound[b - 1];
  w->bound[b] = at;
  w->n++;
}

static uint8_t time_bound_of(const struct crm_engagement_windows *w, crm_time at) {
  uint8_t b = 0;
  while (w->bound[b] != at)
    b++;
  return b;
}

static void engagement_windows(struct crm_scoring *s) {
  struct crm_engagement_windows *w = &s->engagement;
  *w = (struct crm_engagement_windows){.n = 0};
  for (size_t k = 0; k < s->n; k++) {
    const struct crm_instant *t = &s->instants[k];
    const crm_time bounds[] = {t->c->at, t->c->at - 1, t->since_30d, t->since_60d, t->since_90d};
    for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++)
      add_time_bound(w, bounds[b]);
  }
  for (size_t k = 0; k < s->n; k++) {
    const struct crm_instant *t = &s->instants[k];
    w->at[k].end = time_bound_of(w, t->c->at);
    w->at[k].before = time_bound_of(w, t->c->at - 1);
    w->at[k].since_30d = time_bound_of(w, t->since_30d);
    w->at[k].since_60d = time_bound_of(w, t->since_60d);
    w->at[k].since_90d = time_bound_of(w, t->since_90d);
  }
  for (unsigned b = 0; b <= w->n; b++)
    for (size_t k = 0; k < s->n; k++) {
      w->in_90d[b] |= (uint8_t)((w->at[k].end < b && b <= w->at[k].since_90d) << k);
      w->older[b] += w->at[k].end < b;
    }
}

void crm_score_windows(struct crm_scoring *s) {
  const struct crm_zone *zone = s->params->zone;
  struct {
    crm_day end, since_30d, since_60d, since_90d;
  } days[CRM_INSTANTS_MAX];
  s->usage.bounds.n = s->usage.n_sums = s->support.bounds.n = 0;
  for (unsigned b = 0; b < CRM_BOUNDS_MAX; b++)
    s->usage.bounds.day.one[b] = s->support.bounds.day.one[b] = INT32_MAX; /* no row is after those that are not there */
  for (size_t k = 0; k < s->n; k++) {
    struct crm_instant *t = &s->instants[k];
    t->since_30d = crm_window_start(zone, t->c->at, CRM_WINDOW_30D);
    t->since_60d = crm_window_start(zone, t->c->at, CRM_WINDOW_60D);
    t->since_90d = crm_window_start(zone, t->c->at, CRM_WINDOW_90D);
    days[k].end = t->c->day;
    days[k].since_30d = crm_zone_day(zone, t->since_30d);
    days[k].since_60d = crm_zone_day(zone, t->since_60d);
    days[k].since_90d = crm_zone_day(zone, t->since_90d);
    add_bound(&s->usage.bounds, days[k].end);
    add_bound(&s->usage.bounds, days[k].since_30d);
    if (s->with_risk)
      add_bound(&s->usage.bounds, days[k].since_60d);
    add_bound(&s->support.bounds, days[k].end);
    add_bound(&s->support.bounds, days[k].since_30d);
    add_bound(&s->support.bounds, days[k].since_90d);
    s->oldest_90d = t->since_90d;
  }
  for (size_t k = 0; k < s->n; k++) {
    const struct crm_bounds *usage = &s->usage.bounds, *support = &s->support.bounds;
    uint8_t end = bound_of(usage, days[k].end), since = bound_of(usage, days[k].since_30d);
    s->usage.at[k].end = end;
    s->usage.at[k].since = since;
    s->usage.at[k].now = s->usage.at[k].before = sum_of(&s->usage, since, end);
    if (s->with_risk)
      s->usage.at[k].before = sum_of(&s->usage, bound_of(usage, days[k].since_60d), since);
    s->support.at[k].end = bound_of(support, days[k].end);
    s->support.at[k].since_30d = bound_of(support, days[k].since_30d);
    s->support.at[k].since_90d = bound_of(support, days[k].since_90d);
  }
  engagement_windows(s);
}

/* Bounds are some weeks apart and so may rows be, so that searching for each would be a chain of guesses. One walk back over the rows
 * compares each with all bounds at once. */
void crm_find_bounds(const struct crm_bounds *bounds, const crm_day *day, uint32_t first, uint32_t end, uint32_t row[CRM_BOUNDS_MAX]) {
  end = crm_span_after_day(day, first, end, bounds->day.one[0]);
  _Static_assert(CRM_BOUND_VECTORS == 3, "all bounds in registers");
  /* In registers, which arrays would not be. */
  const crm_four_days new_bounds = bounds->day.four[0], mid_bounds = bounds->day.four[1], old_bounds = bounds->day.four[2];
  crm_four_days after_new = {0}, after_mid = {0}, after_old = {0}; /* rows after each bound */
  crm_day oldest = bounds->day.one[bounds->n - 1];
  for (uint32_t r = end; r-- > first && day[r] > oldest;) {
    crm_four_days here = {day[r], day[r], day[r], day[r]};
    after_new -= here > new_bounds;
    after_mid -= here > mid_bounds;
    after_old -= here > old_bounds;
  }
  union crm_bound_days after = {.four = {after_new, after_mid, after_old}};
  for (unsigned b = 0; b < bounds->n; b++)
    row[b] = end - (uint32_t)after.one[b];
}
