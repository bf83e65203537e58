/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analytics/context.h"

static const char *status_label(unsigned status) {
  return status == CRM_STATUS_UNKNOWN ? "unknown" : crm_word_account_status((enum crm_account_status)status);
}

static enum crm_status emit_by_status(struct crm_context *c) {
  int64_t *count = crm_arena_calloc(c->arena, (size_t)c->n_cells * CRM_STATUSES, sizeof(*count));
  if (count == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i))
      count[(size_t)c->status[i] * c->n_cells + c->cell[i]]++;
  enum crm_status status = CRM_OK;
  for (unsigned s = 0; s < CRM_STATUSES && status == CRM_OK; s++) {
    const char *own[] = {status_label(s)};
    status = crm_emit_cells(c, CRM_FAM_ACCOUNTS, own, 1, count + (size_t)s * c->n_cells, 1, NULL);
  }
  return status;
}

static enum crm_status emit_paying(struct crm_context *c) {
  int64_t *count = crm_arena_calloc(c->arena, c->n_cells, sizeof(*count));
  if (count == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_visible(c, i) && crm_paying(c, i))
      count[c->cell[i]]++;
  return crm_emit_cells(c, CRM_FAM_ACCOUNTS_PAYING, NULL, 0, count, 1, NULL);
}

/* A tenant that has no account in the currency has no series of it; in one that has, a cell without any says 0. */
static enum crm_status emit_unpriced_in(struct crm_context *c, uint16_t currency, int64_t *count, uint8_t *has, uint8_t *skip) {
  memset(count, 0, c->n_cells * sizeof(*count));
  memset(has, 0, c->facts->n_tenants * sizeof(*has));
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_visible(c, i) || c->facts->account.currency[i] != currency)
      continue;
    has[c->facts->account.tenant[i]] = 1;
    count[c->cell[i]] += crm_open(c, i) && c->arr[i] == CRM_MONEY_UNKNOWN;
  }
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    skip[cell] = !has[c->cell_tenant[cell]];
  const char *own[] = {crm_currency_label(c, currency)};
  return crm_emit_cells(c, CRM_FAM_ACCOUNTS_UNPRICED, own, 1, count, 1, skip);
}

enum crm_status crm_accounts_emit(struct crm_context *c) {
  int64_t *count = crm_arena_calloc(c->arena, c->n_cells, sizeof(*count));
  uint8_t *has = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*has));
  uint8_t *skip = crm_arena_calloc(c->arena, c->n_cells, sizeof(*skip));
  if (count == NULL || has == NULL || skip == NULL)
    return crm_no_memory(c);
  enum crm_status status = emit_by_status(c);
  if (status == CRM_OK)
    status = emit_paying(c);
  for (uint16_t k = 0; k < c->facts->n_currencies && status == CRM_OK; k++)
    status = emit_unpriced_in(c, k, count, has, skip);
  return status == CRM_OK ? emit_unpriced_in(c, CRM_NO_CURRENCY, count, has, skip) : status;
}
