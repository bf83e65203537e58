/* SPDX-License-Identifier: MIT */
/* Rows that were checked before, as columns, into the builder of a patch: what stays of a span that is otherwise read anew. So a span is
 * ordered, freed of duplicates and connected to its contacts by the same code whether it comes from a full read or not. */
#include <string.h>

#include "facts/builder_internal.h"
#include "facts/columns.h"

static enum crm_status add_text(struct crm_builder *b, const struct crm_facts *from, uint32_t number, uint32_t *added,
                                struct crm_error *err) {
  *added = 0;
  if (number == 0)
    return CRM_OK;
  enum crm_status status = crm_dict_add(&b->facts->text, crm_dict_text(&from->text, number), crm_dict_len(&from->text, number), added);
  return status == CRM_OK ? CRM_OK : crm_error_set(err, status, "out of memory for texts");
}

enum crm_status crm_builder_seed(struct crm_builder *b, const char *id, size_t len, const char *currency, struct crm_error *err) {
  struct crm_row row = {0};
  row.cells[CRM_IX_ACCOUNT_ID].set = true;
  row.cells[CRM_IX_ACCOUNT_ID].text = id;
  row.cells[CRM_IX_ACCOUNT_ID].len = len;
  row.cells[CRM_IX_ACCOUNT_CURRENCY].set = currency[0] != '\0';
  row.cells[CRM_IX_ACCOUNT_CURRENCY].text = currency;
  row.cells[CRM_IX_ACCOUNT_CURRENCY].len = strlen(currency);
  enum crm_status status = crm_builder_row(b, CRM_REL_ACCOUNT, &row, err);
  if (status == CRM_OK && currency[0] == '\0') /* none, even where there is a default */
    b->facts->account.currency[b->facts->account.n - 1] = CRM_NO_CURRENCY;
  return status;
}

static enum crm_status adopt_texts(struct crm_builder *b, uint32_t *to, const struct crm_facts *from, const uint32_t *column,
                                   const uint32_t *rows, uint32_t n, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  for (uint32_t i = 0; i < n && status == CRM_OK; i++)
    status = add_text(b, from, column[rows[i]], &to[i], err);
  return status;
}

static enum crm_status adopt_currencies(struct crm_builder *b, uint16_t *to, const struct crm_facts *from, const uint16_t *column,
                                        const uint32_t *rows, uint32_t n, struct crm_error *err) {
  enum crm_status status = CRM_OK;
  for (uint32_t i = 0; i < n && status == CRM_OK; i++) {
    to[i] = CRM_NO_CURRENCY;
    if (column[rows[i]] != CRM_NO_CURRENCY)
      status = crm_builder_currency(b, from->currencies[column[rows[i]]].code, &to[i], err);
  }
  return status;
}

static void adopt_bytes(char *to, const char *column, size_t size, const uint32_t *rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    memcpy(to + i * size, column + rows[i] * size, size);
}

static enum crm_status adopt_columns(struct crm_builder *b, enum crm_relation relation, uint32_t start, const struct crm_facts *from,
                                     const uint32_t *rows, uint32_t n, struct crm_error *err) {
  const struct crm_layout *layout = crm_layout(relation);
  enum crm_status status = CRM_OK;
  for (size_t c = 0; c < layout->n_columns && status == CRM_OK; c++) {
    enum crm_hold hold = layout->columns[c].hold;
    size_t size = crm_hold_size(hold);
    char *to = (char *)crm_held_get(b->facts, layout->columns[c].offset) + start * size;
    const void *column = crm_held_get(from, layout->columns[c].offset);
    if (hold == CRM_HOLD_TEXT)
      status = adopt_texts(b, (uint32_t *)(void *)to, from, column, rows, n, err);
    else if (hold == CRM_HOLD_CURRENCY)
      status = adopt_currencies(b, (uint16_t *)(void *)to, from, column, rows, n, err);
    else
      adopt_bytes(to, column, size, rows, n);
  }
  return status;
}

/* The contacts of an engagement, by the texts of their ids; an id that no contact has any more is nowhere in the builder. */
static enum crm_status adopt_list(struct crm_builder *b, uint32_t to, const struct crm_facts *from, uint32_t row, struct crm_error *err) {
  const struct crm_engagements *e = &from->engagement;
  uint32_t first = e->contact_first[row];
  uint32_t n = e->contact_first[row + 1] - first;
  enum crm_status status = CRM_OK;
  if (b->list_n + n > b->list_cap)
    status = crm_builder_grow_list(b, b->list_n + n, err);
  b->list_start[to] = (uint32_t)b->list_n;
  for (uint32_t i = 0; i < n && status == CRM_OK; i++) {
    uint32_t text = from->contact.id[e->contact[first + i]];
    uint32_t id = crm_dict_find(&b->facts->text, crm_dict_text(&from->text, text), crm_dict_len(&from->text, text));
    if (id != CRM_DICT_NONE && id != 0)
      b->list[b->list_n++] = id;
  }
  b->list_start[to + 1] = (uint32_t)b->list_n;
  b->digest[to] = 0; /* a key that stays is not among those given */
  return status;
}

enum crm_status crm_builder_adopt(struct crm_builder *b, enum crm_relation relation, uint32_t account, const struct crm_facts *from,
                                  const uint32_t *rows, uint32_t n, struct crm_error *err) {
  const struct crm_layout *layout = crm_layout(relation);
  struct crm_stage *stage = &b->stage[relation];
  uint32_t start = crm_layout_n(b->facts, layout);
  enum crm_status status = CRM_OK;
  while (status == CRM_OK && stage->cap - start < n)
    status = crm_builder_grow(b, relation, err);
  if (status == CRM_OK)
    status = adopt_columns(b, relation, start, from, rows, n, err);
  for (uint32_t i = 0; i < n && status == CRM_OK; i++) {
    stage->account[start + i] = account;
    if (relation == CRM_REL_ENGAGEMENT)
      status = adopt_list(b, start + i, from, rows[i], err);
  }
  if (status == CRM_OK)
    crm_layout_set_n(b->facts, layout, start + n);
  return status;
}
