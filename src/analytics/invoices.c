/* SPDX-License-Identifier: MIT */
#include "analytics/invoices.h"

#include "analytics/span.h"

/* The day starts of the window and one after: a due date stands at one of them, and asking the zone for each invoice would cost
 * more than all the rest. */
struct due_days {
  crm_time since; /* start of the window (T - 1y, T] */
  const crm_time *start;
  uint32_t n;
};

static enum crm_status due_days_init(struct crm_context *c, struct due_days *days) {
  const struct crm_zone *zone = c->params->zone;
  days->since = crm_window_start(zone, c->at, CRM_WINDOW_1Y);
  crm_day first = crm_zone_day(zone, days->since);
  days->n = (uint32_t)(c->day - first) + 2;
  crm_time *start = crm_arena_calloc(c->arena, days->n, sizeof(*start));
  if (start == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < days->n; i++)
    start[i] = crm_zone_day_start(zone, first + (crm_day)i);
  days->start = start;
  return CRM_OK;
}

/* The instant before which a payment is on time. */
static crm_time deadline(const struct due_days *days, crm_time due) {
  /* Time changes move a day's start by far less than a day, so that it is a neighbour of where 24 h days would put it. */
  int64_t guess = (due - days->start[0]) / CRM_US_PER_DAY;
  uint32_t i = guess > 0 ? (uint32_t)guess - 1 : 0;
  while (i + 1 < days->n && days->start[i] < due)
    i++;
  if (days->start[i] != due)
    return due + 1;
  while (i + 1 < days->n && days->start[i] == due)
    i++;
  return days->start[i];
}

static struct crm_payments payments_of(const struct crm_context *c, const struct due_days *days, uint32_t account) {
  const struct crm_invoices *v = &c->facts->invoice;
  struct crm_payments p = {0, 0, 0};
  uint32_t lo = v->first[account];
  for (uint32_t r = crm_span_after(v->due_at, lo, v->first[account + 1], c->at); r-- > lo && v->due_at[r] > days->since;) {
    crm_time end = deadline(days, v->due_at[r]);
    bool paid = v->paid_at[r] != CRM_TIME_NONE && v->paid_at[r] <= c->at;
    if (!paid && end > c->at + 1)
      continue;
    p.due++;
    p.overdue += !paid;
    if (paid && v->paid_at[r] < end)
      p.on_time++;
  }
  return p;
}

enum crm_status crm_payments_read(struct crm_context *c) {
  const struct crm_invoices *v = &c->facts->invoice;
  if (!c->facts->available[CRM_REL_INVOICE])
    return CRM_OK;
  struct due_days days = {0};
  enum crm_status status = due_days_init(c, &days);
  if (status != CRM_OK)
    return status;
  c->payments = crm_arena_calloc(c->arena, c->n, sizeof(*c->payments));
  if (c->payments == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t ahead = crm_end_ahead(v->first, i, c->n, CRM_AHEAD);
    crm_prefetch(v->due_at, sizeof(*v->due_at), ahead, 128);
    crm_prefetch(v->paid_at, sizeof(*v->paid_at), ahead, 128);
    if (crm_open(c, i))
      c->payments[i] = payments_of(c, &days, i);
  }
  return CRM_OK;
}
