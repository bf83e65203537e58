/* SPDX-License-Identifier: MIT */
/* Sales opportunities by kind and by the stage they were in at T. */
#include "analytics/currency_cells.h"
#include "analytics/revenue.h"

enum { KINDS = CRM_SALE_OTHER + 1, STAGES = CRM_STAGE_LOST + 1, WINDOWS = 4 };
static const enum crm_window windows[WINDOWS] = {CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_90D, CRM_WINDOW_1Y};

/* What is open is a stock and the same in every window, so that it takes one place; won and lost take one per window. */
enum { PLACES = 1 + 2 * WINDOWS, COUNT = 0, AMOUNT = KINDS * PLACES, COLUMNS = 2 * KINDS * PLACES };

static unsigned place(unsigned stage, unsigned window) {
  return stage == CRM_STAGE_OPEN ? 0 : 1 + (stage == CRM_STAGE_LOST) * WINDOWS + window;
}

struct sales {
  struct crm_context *c;
  struct crm_currency_cells cells;
  crm_time start[WINDOWS];
  uint8_t *has_other; /* per tenant: it has an opportunity of a kind that is none of those known */
};

/* Not known before it was opened. */
static bool is_known(const struct sales *s, uint32_t row) {
  return s->c->facts->opportunity.opened_at[row] <= s->c->at; /* CRM_TIME_NONE is before everything */
}

/* Won or lost after T means open at T. */
static enum crm_opportunity_stage stage_at(const struct sales *s, uint32_t row) {
  const struct crm_opportunities *o = &s->c->facts->opportunity;
  return o->closed_at[row] > s->c->at ? CRM_STAGE_OPEN : (enum crm_opportunity_stage)o->stage[row];
}

static void add(const struct sales *s, uint32_t account, uint32_t row, unsigned stage, unsigned window) {
  const struct crm_opportunities *o = &s->c->facts->opportunity;
  unsigned column = o->kind[row] * PLACES + place(stage, window);
  crm_currency_cells_add(&s->cells, account, o->currency[row], COUNT + column, 1);
  if (o->amount[row] != CRM_MONEY_UNKNOWN)
    crm_currency_cells_add(&s->cells, account, o->currency[row], AMOUNT + column, o->amount[row]);
}

static void add_all(const struct sales *s) {
  const struct crm_opportunities *o = &s->c->facts->opportunity;
  for (uint32_t i = 0; i < s->c->n; i++)
    for (uint32_t r = o->first[i]; crm_visible(s->c, i) && r < o->first[i + 1]; r++) {
      if (!is_known(s, r))
        continue;
      enum crm_opportunity_stage stage = stage_at(s, r);
      if (stage == CRM_STAGE_OPEN) {
        add(s, i, r, stage, 0);
        continue;
      }
      for (unsigned w = 0; w < WINDOWS; w++) /* without a date it is in no window */
        if (o->closed_at[r] > s->start[w])
          add(s, i, r, stage, w);
    }
}

static void note_all(struct sales *s) {
  const struct crm_opportunities *o = &s->c->facts->opportunity;
  for (uint32_t i = 0; i < s->c->n; i++)
    for (uint32_t r = o->first[i]; crm_visible(s->c, i) && r < o->first[i + 1]; r++)
      if (is_known(s, r)) {
        crm_currency_cells_note(&s->cells, i, o->currency[r]);
        s->has_other[s->c->facts->account.tenant[i]] |= o->kind[r] == CRM_SALE_OTHER;
      }
}

static enum crm_status emit(struct sales *s, unsigned slot, unsigned kind, unsigned stage, unsigned window) {
  static const char *const kinds[KINDS] = {"upsell", "cross_sell", "expansion", "renewal", "new", "other"};
  static const char *const stages[STAGES] = {"open", "won", "lost"};
  const char *own[] = {NULL, kinds[kind], stages[stage], crm_window_name(windows[window])};
  uint16_t currency = s->cells.currency[slot];
  s->cells.shown = kind == CRM_SALE_OTHER ? s->has_other : NULL;
  unsigned column = kind * PLACES + place(stage, window);
  enum crm_status status = crm_currency_cells_emit(&s->cells, slot, COUNT + column, CRM_FAM_OPPORTUNITIES, own, 4, 1);
  if (status != CRM_OK || currency == CRM_NO_CURRENCY) /* an amount has a currency */
    return status;
  return crm_currency_cells_emit(&s->cells, slot, AMOUNT + column, CRM_FAM_OPPORTUNITY_ARR, own, 4, crm_currency_unit(s->c, currency));
}

enum crm_status crm_opportunities(struct crm_context *c) {
  struct sales s = {.c = c};
  if (!c->facts->available[CRM_REL_OPPORTUNITY])
    return CRM_OK;
  for (unsigned w = 0; w < WINDOWS; w++)
    s.start[w] = crm_window_start(c->params->zone, c->at, windows[w]);
  s.has_other = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*s.has_other));
  if (s.has_other == NULL)
    return crm_no_memory(c);
  enum crm_status status = crm_currency_cells_init(&s.cells, c, COLUMNS);
  if (status != CRM_OK)
    return status;
  note_all(&s);
  status = crm_currency_cells_make(&s.cells);
  if (status != CRM_OK)
    return status;
  add_all(&s);
  for (unsigned slot = 0; slot < s.cells.n_slots; slot++)
    for (unsigned kind = 0; kind < KINDS; kind++)
      for (unsigned stage = 0; stage < STAGES; stage++)
        for (unsigned w = 0; status == CRM_OK && w < WINDOWS; w++)
          status = emit(&s, slot, kind, stage, w);
  return status;
}
