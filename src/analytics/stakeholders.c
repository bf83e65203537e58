/* SPDX-License-Identifier: MIT */
#include "analytics/contacts.h"
#include "analytics/engagement.h"
#include "analytics/span.h"

#define FEW_CONTACTS 3 /* below, an account hangs by a thread */

/* Accounts are OPEN ones, contacts active ones of these. */
struct stakeholder_cell {
  uint32_t contacts[CRM_LEVELS][CRM_STRENGTHS][2]; /* [1] met */
  uint32_t without_champion, single_threaded;
};

static struct stakeholder_cell *count_contacts(struct crm_context *c, const uint8_t *met) {
  const struct crm_contacts *k = &c->facts->contact;
  struct stakeholder_cell *cells = crm_arena_calloc(c->arena, c->n_cells, sizeof(*cells));
  if (cells == NULL)
    return NULL;
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t ahead = crm_end_ahead(k->first, i, c->n, CRM_AHEAD);
    crm_prefetch(k->since, sizeof(*k->since), ahead, 64);
    crm_prefetch(k->level, sizeof(*k->level), ahead, 64);
    crm_prefetch(k->strength, sizeof(*k->strength), ahead, 64);
    crm_prefetch(k->status, sizeof(*k->status), ahead, 64);
    if (!crm_open(c, i))
      continue;
    struct stakeholder_cell *cell = &cells[c->cell[i]];
    uint32_t champions = 0, engaged = 0;
    for (uint32_t r = k->first[i]; r < k->first[i + 1]; r++) {
      if (!crm_contact_active(c, r))
        continue;
      unsigned is_met = met != NULL && met[r];
      cell->contacts[k->level[r]][k->strength[r]][is_met]++;
      champions += k->strength[r] == CRM_CHAMPION;
      engaged += is_met;
    }
    cell->without_champion += champions == 0;
    cell->single_threaded += engaged < FEW_CONTACTS;
  }
  return cells;
}

static enum crm_status emit_stakeholders(struct crm_context *c, const struct stakeholder_cell *cells, int64_t *column) {
  enum crm_status status = CRM_OK;
  for (unsigned l = 0; l < CRM_LEVELS; l++)
    for (unsigned s = 0; s < CRM_STRENGTHS; s++)
      for (unsigned e = 0; e < 2 && status == CRM_OK; e++) {
        for (uint32_t cell = 0; cell < c->n_cells; cell++)
          column[cell] = cells[cell].contacts[l][s][e];
        const char *own[] = {crm_word_level((enum crm_level)l), crm_word_strength((enum crm_strength)s), e != 0 ? "true" : "false",
                             crm_window_name(CRM_WINDOW_90D)};
        status = crm_emit_cells(c, CRM_FAM_STAKEHOLDERS, own, 4, column, 1, NULL);
      }
  return status;
}

static enum crm_status emit_participation(struct crm_context *c, const struct stakeholder_cell *cells) {
  struct parts {
    int64_t met, all;
  } *parts = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*parts));
  if (parts == NULL)
    return crm_no_memory(c);
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    for (unsigned l = 0; l < CRM_LEVELS; l++)
      for (unsigned s = 0; s < CRM_STRENGTHS; s++) {
        const uint32_t *contacts = cells[cell].contacts[l][s];
        parts[c->cell_tenant[cell]].met += contacts[1];
        parts[c->cell_tenant[cell]].all += (int64_t)contacts[0] + contacts[1];
      }
  const char *own[] = {crm_window_name(CRM_WINDOW_90D)};
  enum crm_status status = CRM_OK;
  for (uint16_t t = 0; t < c->facts->n_tenants && status == CRM_OK; t++)
    if (parts[t].all > 0)
      status = crm_emit_tenant(c, CRM_FAM_STAKEHOLDER_PARTICIPATION_RATIO, t, own, 1, crm_number_ratio(parts[t].met, parts[t].all));
  return status;
}

enum crm_status crm_stakeholders_emit(struct crm_context *c, const uint8_t *met) {
  int64_t *column = crm_arena_calloc(c->arena, c->n_cells, sizeof(*column));
  struct stakeholder_cell *cells = count_contacts(c, met);
  if (column == NULL || cells == NULL)
    return crm_no_memory(c);
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = cells[cell].without_champion;
  enum crm_status status = crm_emit_cells(c, CRM_FAM_ACCOUNTS_WITHOUT_CHAMPION, NULL, 0, column, 1, NULL);
  if (met == NULL || status != CRM_OK)
    return status;
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    column[cell] = cells[cell].single_threaded;
  status = crm_emit_cells(c, CRM_FAM_ACCOUNTS_SINGLE_THREADED, NULL, 0, column, 1, NULL);
  if (status == CRM_OK)
    status = emit_stakeholders(c, cells, column);
  return status == CRM_OK ? emit_participation(c, cells) : status;
}
