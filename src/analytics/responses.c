/* SPDX-License-Identifier: MIT */
#include "analytics/engagement.h"
#include "analytics/span.h"

static const double limit_seconds[CRM_RESPONSE_BUCKETS - 1] = {3600, 4 * 3600, 8 * 3600, 24 * 3600, 72 * 3600};
static const char *const limit_names[CRM_RESPONSE_BUCKETS] = {"3600", "14400", "28800", "86400", "259200", "+Inf"};
static const char *const channel_names[CRM_CHANNELS] = {"support", "engagement"};
static const enum crm_relation channel_relation[CRM_CHANNELS] = {CRM_REL_SUPPORT, CRM_REL_ENGAGEMENT};

/* Fine enough for a microsecond. */
#define SECOND_POINTS (INT64_C(1) << 20)

struct crm_response_cell *crm_responses_new(struct crm_context *c) {
  return crm_arena_calloc(c->arena, c->n_cells, sizeof(struct crm_response_cell));
}

void crm_responses_add(struct crm_response_cell *cell, enum crm_channel channel, double seconds, int64_t n) {
  unsigned b = 0;
  for (unsigned k = 0; k < CRM_RESPONSE_BUCKETS - 1; k++)
    b += seconds > limit_seconds[k];
  cell->bucket[channel][b] += n;
  cell->points[channel] += (__int128)(int64_t)(seconds * (double)SECOND_POINTS + 0.5) * n;
}

/* A row tells the mean of its day, which stands for each of the day's tickets. Where it is missing nobody knows of a response to any of
 * them. */
static void add_support(struct crm_context *c, struct crm_response_cell *cells) {
  const struct crm_supports *s = &c->facts->support;
  crm_day since = crm_zone_day(c->params->zone, crm_window_start(c->params->zone, c->at, CRM_WINDOW_30D));
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t ahead = crm_end_ahead(s->first, i, c->n, CRM_AHEAD);
    crm_prefetch(s->day, sizeof(*s->day), ahead, 64);
    crm_prefetch(s->new_tickets, sizeof(*s->new_tickets), ahead, 64);
    crm_prefetch(s->first_response_seconds, sizeof(*s->first_response_seconds), ahead, 64);
    if (!crm_visible(c, i))
      continue;
    for (uint32_t r = crm_span_after_day(s->day, s->first[i], s->first[i + 1], c->day); r-- > s->first[i] && s->day[r] > since;) {
      int64_t tickets = isnan(s->new_tickets[r]) ? 0 : (int64_t)(s->new_tickets[r] + 0.5F);
      if (isnan(s->first_response_seconds[r]))
        cells[c->cell[i]].unanswered += tickets;
      else
        crm_responses_add(&cells[c->cell[i]], CRM_CHANNEL_SUPPORT, s->first_response_seconds[r], tickets);
    }
  }
}

static enum crm_status emit_buckets(struct crm_context *c, const struct crm_response_cell *cells, enum crm_channel channel,
                                    int64_t *column) {
  enum crm_status status = CRM_OK;
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = 0;
  for (unsigned b = 0; b < CRM_RESPONSE_BUCKETS && status == CRM_OK; b++) {
    for (uint32_t cell = 0; cell < c->n_cells; cell++)
      column[cell] += cells[cell].bucket[channel][b];
    const char *own[] = {channel_names[channel], crm_window_name(CRM_WINDOW_30D), limit_names[b]};
    status = crm_emit_cells(c, CRM_FAM_RESPONSES, own, 3, column, 1, NULL);
  }
  return status;
}

/* On the finest grid on which the sum of all cells fits 63 bits: the first one, unless centuries are summed. */
static enum crm_status emit_points(struct crm_context *c, const struct crm_response_cell *cells, enum crm_channel channel,
                                   int64_t *column) {
  __int128 all = 0;
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    all += cells[cell].points[channel];
  unsigned coarser = 0;
  while (all >> coarser > INT64_MAX && coarser < 20)
    coarser++;
  for (uint32_t cell = 0; cell < c->n_cells; cell++) {
    __int128 points = cells[cell].points[channel] >> coarser;
    column[cell] = points > INT64_MAX ? INT64_MAX : (int64_t)points;
  }
  const char *own[] = {channel_names[channel], crm_window_name(CRM_WINDOW_30D)};
  return crm_emit_cells(c, CRM_FAM_RESPONSE_SECONDS_POINTS, own, 2, column, SECOND_POINTS >> coarser, NULL);
}

static enum crm_status emit_unanswered(struct crm_context *c, const struct crm_response_cell *cells, int64_t *column) {
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = cells[cell].unanswered;
  const char *own[] = {channel_names[CRM_CHANNEL_SUPPORT], crm_window_name(CRM_WINDOW_30D)};
  return crm_emit_cells(c, CRM_FAM_RESPONSES_UNANSWERED, own, 2, column, 1, NULL);
}

enum crm_status crm_responses_emit(struct crm_context *c, struct crm_response_cell *cells) {
  int64_t *column = crm_arena_calloc(c->arena, c->n_cells, sizeof(*column));
  if (column == NULL)
    return crm_no_memory(c);
  if (c->facts->available[CRM_REL_SUPPORT])
    add_support(c, cells);
  enum crm_status status = CRM_OK;
  for (unsigned k = 0; k < CRM_CHANNELS && status == CRM_OK; k++) {
    if (!c->facts->available[channel_relation[k]])
      continue;
    status = emit_buckets(c, cells, (enum crm_channel)k, column);
    if (status == CRM_OK)
      status = emit_points(c, cells, (enum crm_channel)k, column);
  }
  return status == CRM_OK && c->facts->available[CRM_REL_SUPPORT] ? emit_unanswered(c, cells, column) : status;
}
