/* SPDX-License-Identifier: MIT */
#include "analytics/engagement.h"

#include <stdio.h>

#include "analytics/span.h"

const enum crm_window crm_ring_window[CRM_RINGS] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D};
static const int ring_days[CRM_RINGS] = {7, 30, 90};

#define GAP_BUCKETS 6
static const int gap_days[GAP_BUCKETS - 1] = {7, 14, 30, 60, 90};

#define SILENCES 3
static const enum crm_window silence_window[SILENCES] = {CRM_WINDOW_30D, CRM_WINDOW_60D, CRM_WINDOW_90D};

#define HOURS_OF_WEEK 168
#define DAYS_UNTIL_FOLLOWED_UP 30

struct engagement_cell {
  uint32_t done[CRM_RINGS][CRM_ENGAGEMENT_TYPES][CRM_OUTCOMES];
  uint32_t missed[CRM_RINGS][CRM_ENGAGEMENT_TYPES];
  uint32_t facing[CRM_RINGS]; /* customer-facing, of OPEN accounts */
  uint32_t open;              /* OPEN accounts */
  uint32_t gap[GAP_BUCKETS], silent[SILENCES], never;
};

struct pass {
  struct crm_context *c;
  crm_time since[CRM_RINGS], silent_since[SILENCES];
  struct crm_local_time local;
  struct engagement_cell *cells;
  struct crm_response_cell *responses;
  uint32_t *hours; /* tenant x HOURS_OF_WEEK */
  struct crm_members members;
  struct crm_outcome_pairs pairs;
  bool follows_up; /* health scores are available */
};

const uint8_t *crm_tenants_present(struct crm_context *c) {
  uint8_t *present = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*present));
  for (uint32_t cell = 0; cell < c->n_cells && present != NULL; cell++)
    present[c->cell_tenant[cell]] = 1;
  return present;
}

/* Counting ---------------------------------------------------------------------------------------------------------- */

/* `at` is after the start of the last window. */
static unsigned ring_of(const struct pass *p, crm_time at) {
  return (unsigned)(at <= p->since[0]) + (at <= p->since[1]); /* a coin toss is no branch to guess */
}

static enum crm_status add_completed(struct pass *p, uint32_t i, uint32_t r, struct crm_outcome_cursor *cursor) {
  struct crm_context *c = p->c;
  const struct crm_engagements *e = &c->facts->engagement;
  uint16_t tenant = c->facts->account.tenant[i];
  struct engagement_cell *cell = &p->cells[c->cell[i]];
  crm_time done = e->completed_at[r];
  unsigned ring = ring_of(p, done);
  uint32_t facing = CRM_CUSTOMER_FACING >> e->type[r] & 1;
  cell->done[ring][e->type[r]][e->outcome[r]]++;
  cell->facing[ring] += facing & (c->status[i] != CRM_CHURNED);
  p->hours[tenant * HOURS_OF_WEEK + crm_local_hour_of_week(&p->local, done)]++;
  if (done > p->since[1] && !isnan(e->response_seconds[r]))
    crm_responses_add(&p->responses[c->cell[i]], CRM_CHANNEL_ENGAGEMENT, e->response_seconds[r], 1);
  enum crm_status status = CRM_OK;
  if (p->follows_up && (facing & (e->outcome[r] <= CRM_NEGATIVE)) != 0)
    status = crm_outcome_pairs_add(c, &p->pairs, cursor, tenant, done, e->outcome[r]);
  return status == CRM_OK ? crm_members_add(&p->members, tenant, e->owner[r], ring) : status;
}

/* Completed by T, towards the customer. */
static bool is_contact(const struct crm_context *c, uint32_t r) {
  const struct crm_engagements *e = &c->facts->engagement;
  return e->completed_at[r] != CRM_TIME_NONE && e->completed_at[r] <= c->at && (CRM_CUSTOMER_FACING >> e->type[r] & 1) != 0;
}

/* `last` is CRM_TIME_NONE if there was never an engagement. */
static void add_gap(const struct pass *p, struct engagement_cell *cell, crm_time last) {
  cell->open++;
  if (last == CRM_TIME_NONE) {
    cell->never++;
    return;
  }
  unsigned b = 0;
  while (b < GAP_BUCKETS - 1 && p->c->at - last > gap_days[b] * CRM_US_PER_DAY)
    b++;
  cell->gap[b]++;
  for (unsigned k = 0; k < SILENCES; k++)
    cell->silent[k] += last <= p->silent_since[k];
}

/* Rows are ordered by completed_at, those never completed among them by scheduled_at. */
static enum crm_status add_account(struct pass *p, uint32_t i) {
  const struct crm_context *c = p->c;
  const struct crm_engagements *e = &c->facts->engagement;
  struct engagement_cell *cell = &p->cells[c->cell[i]];
  struct crm_outcome_cursor cursor = {0};
  if (p->follows_up)
    cursor = crm_outcome_cursor(c, i);
  crm_time last = CRM_TIME_NONE;
  uint32_t r = e->first[i + 1];
  for (; r > e->first[i]; r--) {
    crm_time done = e->completed_at[r - 1], planned = e->scheduled_at[r - 1];
    if ((done == CRM_TIME_NONE ? planned : done) <= p->since[CRM_RINGS - 1])
      break;
    if (done == CRM_TIME_NONE || done > c->at) {
      /* Not held as of T, whatever came of it later. */
      if (planned > p->since[CRM_RINGS - 1] && planned < c->at)
        cell->missed[ring_of(p, planned)][e->type[r - 1]]++;
      continue;
    }
    enum crm_status status = add_completed(p, i, r - 1, &cursor);
    if (status != CRM_OK)
      return status;
    if (last == CRM_TIME_NONE && is_contact(c, r - 1))
      last = done;
  }
  if (!crm_open(c, i))
    return CRM_OK;
  for (; r > e->first[i] && last == CRM_TIME_NONE; r--)
    if (is_contact(c, r - 1))
      last = e->completed_at[r - 1];
  add_gap(p, cell, last);
  return CRM_OK;
}

static void prefetch(const struct pass *p, uint32_t i) {
  const struct crm_context *c = p->c;
  const struct crm_engagements *e = &c->facts->engagement;
  uint32_t ahead = crm_end_ahead(e->first, i, c->n, CRM_AHEAD);
  crm_prefetch(e->completed_at, sizeof(*e->completed_at), ahead, 192);
  crm_prefetch(e->scheduled_at, sizeof(*e->scheduled_at), ahead, 192);
  crm_prefetch(e->type, sizeof(*e->type), ahead, 64);
  crm_prefetch(e->outcome, sizeof(*e->outcome), ahead, 64);
  crm_prefetch(e->owner, sizeof(*e->owner), ahead, 128);
  crm_prefetch(e->response_seconds, sizeof(*e->response_seconds), ahead, 128);
  if (p->follows_up) {
    ahead = crm_end_ahead(c->facts->health.first, i, c->n, CRM_AHEAD);
    crm_prefetch(c->facts->health.day, sizeof(crm_day), ahead, 128);
    crm_prefetch(c->facts->health.score, sizeof(double), ahead, 256);
  }
}

static enum crm_status pass_init(struct crm_context *c, struct pass *p) {
  const struct crm_zone *zone = c->params->zone;
  *p = (struct pass){.c = c, .follows_up = c->facts->available[CRM_REL_HEALTH]};
  for (unsigned w = 0; w < CRM_RINGS; w++)
    p->since[w] = crm_window_start(zone, c->at, crm_ring_window[w]);
  for (unsigned k = 0; k < SILENCES; k++)
    p->silent_since[k] = crm_window_start(zone, c->at, silence_window[k]);
  p->cells = crm_arena_calloc(c->arena, c->n_cells, sizeof(*p->cells));
  p->responses = crm_responses_new(c);
  p->hours = crm_arena_calloc(c->arena, c->facts->n_tenants, HOURS_OF_WEEK * sizeof(*p->hours));
  if (p->cells == NULL || p->responses == NULL || p->hours == NULL)
    return crm_no_memory(c);
  p->pairs.local = &p->local;
  enum crm_status status = crm_local_time_init(c, p->since[CRM_RINGS - 1], c->at + DAYS_UNTIL_FOLLOWED_UP * CRM_US_PER_DAY, &p->local);
  return status == CRM_OK ? crm_members_init(c, &p->members) : status;
}

/* Emission ---------------------------------------------------------------------------------------------------------- */

static void clear(const struct crm_context *c, int64_t *column) {
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = 0;
}

static enum crm_status emit_completed(struct pass *p, unsigned type, unsigned outcome, int64_t *column) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  clear(c, column);
  for (unsigned w = 0; w < CRM_RINGS && status == CRM_OK; w++) {
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      column[cell] += p->cells[cell].done[w][type][outcome];
    const char *own[] = {crm_word_engagement_type((enum crm_engagement_type)type), crm_word_outcome((enum crm_outcome)outcome),
                         crm_window_name(crm_ring_window[w])};
    status = crm_emit_cells(c, CRM_FAM_ENGAGEMENTS, own, 3, column, 1, NULL);
  }
  return status;
}

static enum crm_status emit_missed(struct pass *p, unsigned type, int64_t *column) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  clear(c, column);
  for (unsigned w = 0; w < CRM_RINGS && status == CRM_OK; w++) {
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      column[cell] += p->cells[cell].missed[w][type];
    const char *own[] = {crm_word_engagement_type((enum crm_engagement_type)type), crm_window_name(crm_ring_window[w])};
    status = crm_emit_cells(c, CRM_FAM_ENGAGEMENTS_MISSED, own, 2, column, 1, NULL);
  }
  return status;
}

static enum crm_status emit_counts(struct pass *p, int64_t *column) {
  enum crm_status status = CRM_OK;
  for (unsigned type = 0; type < CRM_ENGAGEMENT_TYPES && status == CRM_OK; type++) {
    for (unsigned outcome = 0; outcome < CRM_OUTCOMES && status == CRM_OK; outcome++)
      status = emit_completed(p, type, outcome, column);
    if (status == CRM_OK)
      status = emit_missed(p, type, column);
  }
  return status;
}

static enum crm_status emit_activity(struct pass *p) {
  static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  struct crm_context *c = p->c;
  const uint8_t *present = crm_tenants_present(c);
  if (present == NULL)
    return crm_no_memory(c);
  enum crm_status status = CRM_OK;
  for (unsigned k = 0; k < HOURS_OF_WEEK; k++) {
    char hour[16];
    snprintf(hour, sizeof(hour), "%02u", k % 24);
    const char *own[] = {weekdays[k / 24], hour, crm_window_name(CRM_WINDOW_90D)};
    for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
      if (present[t])
        status = crm_emit_tenant(c, CRM_FAM_ENGAGEMENT_ACTIVITY, t, own, 3, crm_number_int(p->hours[t * HOURS_OF_WEEK + k]));
  }
  return status;
}

static enum crm_status emit_frequency(struct pass *p, int64_t *column) {
  struct crm_context *c = p->c;
  struct parts {
    int64_t facing, open;
  } *parts = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*parts));
  if (parts == NULL)
    return crm_no_memory(c);
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    parts[c->cell_tenant[cell]].open += p->cells[cell].open;
  enum crm_status status = CRM_OK;
  clear(c, column);
  for (unsigned w = 0; w < CRM_RINGS && status == CRM_OK; w++) {
    const char *own[] = {crm_window_name(crm_ring_window[w])};
    for (uint32_t cell = 0; cell < c->n_cells; cell++) {
      column[cell] += p->cells[cell].facing[w];
      parts[c->cell_tenant[cell]].facing += p->cells[cell].facing[w];
    }
    status = crm_emit_cells(c, CRM_FAM_ENGAGEMENTS_CUSTOMER_FACING, own, 1, column, 1, NULL);
    for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
      if (parts[t].open > 0)
        status = crm_emit_tenant(c, CRM_FAM_ENGAGEMENT_FREQUENCY_RATIO, t, own, 1,
                                 crm_number_ratio(30 * parts[t].facing, ring_days[w] * parts[t].open));
  }
  return status;
}

static enum crm_status emit_gaps(struct pass *p, int64_t *column) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  clear(c, column);
  for (unsigned b = 0; b < GAP_BUCKETS && status == CRM_OK; b++) {
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      column[cell] += p->cells[cell].gap[b];
    char le[16] = "+Inf";
    if (b < GAP_BUCKETS - 1)
      snprintf(le, sizeof(le), "%d", gap_days[b] * 86400);
    const char *own[] = {le};
    status = crm_emit_cells(c, CRM_FAM_ENGAGEMENT_GAP_ACCOUNTS, own, 1, column, 1, NULL);
  }
  return status;
}

static enum crm_status emit_silence(struct pass *p, int64_t *column) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  for (unsigned k = 0; k < SILENCES && status == CRM_OK; k++) {
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      column[cell] = p->cells[cell].silent[k];
    const char *own[] = {crm_window_name(silence_window[k])};
    status = crm_emit_cells(c, CRM_FAM_ACCOUNTS_SILENT, own, 1, column, 1, NULL);
  }
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = p->cells[cell].never;
  return status == CRM_OK ? crm_emit_cells(c, CRM_FAM_ACCOUNTS_NEVER_ENGAGED, NULL, 0, column, 1, NULL) : status;
}

/* What needs engagements; the other families that use the pass do without. */
static enum crm_status engagements(struct pass *p) {
  struct crm_context *c = p->c;
  enum crm_status status = CRM_OK;
  for (uint32_t i = 0; i < c->n && status == CRM_OK; i++) {
    prefetch(p, i);
    if (crm_visible(c, i))
      status = add_account(p, i);
  }
  int64_t *column = crm_arena_calloc(c->arena, c->n_cells, sizeof(*column));
  if (column == NULL)
    return crm_no_memory(c);
  if (status == CRM_OK)
    status = emit_counts(p, column);
  if (status == CRM_OK)
    status = crm_members_emit(&p->members);
  if (status == CRM_OK)
    status = emit_activity(p);
  if (status == CRM_OK)
    status = emit_frequency(p, column);
  if (status == CRM_OK)
    status = emit_gaps(p, column);
  if (status == CRM_OK)
    status = emit_silence(p, column);
  crm_part(c, "outcomes");
  return status == CRM_OK && p->follows_up ? crm_outcome_correlation_emit(c, &p->pairs) : status;
}

enum crm_status crm_engagement_emit(struct crm_context *c, const struct crm_health *health) {
  struct pass p;
  bool held = c->facts->available[CRM_REL_ENGAGEMENT];
  enum crm_status status = pass_init(c, &p);
  if (status == CRM_OK && held)
    status = engagements(&p);
  crm_part(c, "responses");
  if (status == CRM_OK)
    status = crm_responses_emit(c, p.responses);
  crm_part(c, "stakeholders");
  return status == CRM_OK && c->facts->available[CRM_REL_CONTACT] ? crm_stakeholders_emit(c, health->met) : status;
}
