/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "facts/layout.h"
#include "facts/patch.h"

#define S CRM_US_PER_SECOND

const struct crm_builder_options rows_usual = {.default_tenant = "house", .default_currency = ""};

struct crm_builder *rows_builder(const struct crm_builder_options *options) {
  struct crm_builder *b = NULL;
  struct crm_error err = {0};
  if (crm_builder_new(options, &b, &err) != CRM_OK)
    fail_msg("%s", err.message);
  return b;
}

void rows_parse(enum crm_relation relation, const char *text, struct crm_row *row) {
  const struct crm_relation_info *info = crm_relation_info(relation);
  memset(row, 0xAA, sizeof(*row)); /* nothing may be read that is not set */
  static char copy[8192];
  static unsigned char bytes[256];
  static struct crm_text_item items[64];
  snprintf(copy, sizeof(copy), "%s", text);
  char *cell = copy;
  for (size_t c = 0; c < info->n_columns; c++) {
    struct crm_cell_value *v = &row->cells[c];
    v->set = cell != NULL && strncmp(cell, "~", 1) != 0;
    char *next = cell == NULL ? NULL : strchr(cell, '|');
    if (next != NULL)
      *next++ = '\0';
    if (v->set) {
      switch (info->columns[c].kind) {
      case CRM_COL_TEXT:
        v->text = cell;
        v->len = strlen(cell);
        break;
      case CRM_COL_TEXTS:
        v->items = items;
        v->n_items = 0;
        for (char *item = cell; *item != '\0';) {
          size_t len = strcspn(item, ",");
          items[v->n_items++] = (struct crm_text_item){item, len};
          item += len + (item[len] == ',');
        }
        break;
      case CRM_COL_TIME:
        v->time = strcmp(cell, "infinity") == 0 ? INT64_MAX : strcmp(cell, "-infinity") == 0 ? INT64_MIN : (int64_t)(atof(cell) * 1e6);
        break;
      case CRM_COL_DAY:
        v->day = (crm_day)atol(cell);
        break;
      case CRM_COL_NUMBER:
        v->number = strtod(cell, NULL);
        break;
      case CRM_COL_MONEY:
        v->numeric = NULL;
        v->major = strtod(cell, NULL);
        if (cell[0] == '=') {
          v->numeric = bytes;
          v->numeric_len = strlen(cell + 1) / 2;
          for (size_t i = 0; i < v->numeric_len; i++) {
            unsigned byte;
            sscanf(cell + 1 + 2 * i, "%2x", &byte);
            bytes[i] = (unsigned char)byte;
          }
        }
        break;
      case CRM_COL_BOOLEAN:
        v->boolean = cell[0] == 't';
        break;
      }
    }
    cell = next;
  }
}

enum crm_status rows_try_put(struct crm_builder *b, enum crm_relation relation, const char *text, struct crm_error *err) {
  struct crm_row row;
  rows_parse(relation, text, &row);
  return crm_builder_row(b, relation, &row, err);
}

void rows_put(struct crm_builder *b, enum crm_relation relation, const char *text) {
  struct crm_error err = {0};
  if (rows_try_put(b, relation, text, &err) != CRM_OK)
    fail_msg("%s: %s", text, err.message);
}

void rows_begin(struct crm_builder *b) {
  for (int r = 0; r < CRM_RELATIONS; r++)
    crm_builder_begin(b, (enum crm_relation)r, 5 * S);
}

struct crm_facts *rows_finish(struct crm_builder *b) {
  struct crm_facts *facts = NULL;
  struct crm_error err = {0};
  if (crm_builder_finish(b, &facts, &err) != CRM_OK)
    fail_msg("%s", err.message);
  crm_builder_free(b);
  return facts;
}

const char *rows_text(const struct crm_facts *facts, uint32_t number) {
  return crm_dict_text(&facts->text, number);
}

/* printf would take most of the time of the tests that compare whole pictures again and again. */
void rows_add_text(struct crm_strbuf *buf, const char *text) {
  crm_strbuf_addc(buf, ' ');
  crm_strbuf_adds(buf, text);
}

void rows_add_int(struct crm_strbuf *buf, int64_t value) {
  char text[24], *at = &text[sizeof(text)];
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do
    *--at = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (value < 0)
    *--at = '-';
  *--at = ' ';
  crm_strbuf_add(buf, at, (size_t)(&text[sizeof(text)] - at));
}

void rows_add_real(struct crm_strbuf *buf, double value) {
  if (isnan(value) && !signbit(value))
    crm_strbuf_add(buf, " nan", 4);
  else if (fabs(value) < 1e15 && value == (double)(int64_t)value && !(value == 0 && signbit(value)))
    rows_add_int(buf, (int64_t)value);
  else
    crm_strbuf_addf(buf, " %a", value);
}

static void dump_cell(struct crm_strbuf *buf, const struct crm_facts *f, const struct crm_held *held, uint32_t i) {
  const void *data = crm_held_get(f, held->offset);
  switch (held->hold) {
  case CRM_HOLD_U8:
    rows_add_int(buf, ((const uint8_t *)data)[i]);
    break;
  case CRM_HOLD_I8:
    rows_add_int(buf, ((const int8_t *)data)[i]);
    break;
  case CRM_HOLD_TENANT:
    rows_add_text(buf, rows_text(f, f->tenants[((const uint16_t *)data)[i]]));
    break;
  case CRM_HOLD_CURRENCY: {
    uint16_t currency = ((const uint16_t *)data)[i];
    rows_add_text(buf, currency == CRM_NO_CURRENCY ? "none" : f->currencies[currency].code);
    break;
  }
  case CRM_HOLD_TEXT:
    rows_add_text(buf, rows_text(f, ((const uint32_t *)data)[i]));
    break;
  case CRM_HOLD_I32:
    rows_add_int(buf, ((const int32_t *)data)[i]);
    break;
  case CRM_HOLD_I64:
    rows_add_int(buf, ((const int64_t *)data)[i]);
    break;
  case CRM_HOLD_F32:
    rows_add_real(buf, (double)((const float *)data)[i]);
    break;
  case CRM_HOLD_F64:
    rows_add_real(buf, ((const double *)data)[i]);
    break;
  case CRM_HOLD_KEY: /* a random seed is in it */
    break;
  }
}

static int compare_accounts(const void *x, const void *y, void *ctx) {
  const struct crm_facts *f = ctx;
  const struct crm_accounts *a = &f->account;
  uint32_t i = *(const uint32_t *)x;
  uint32_t j = *(const uint32_t *)y;
  int order = strcmp(rows_text(f, f->tenants[a->tenant[i]]), rows_text(f, f->tenants[a->tenant[j]]));
  return order != 0 ? order : strcmp(rows_text(f, a->id[i]), rows_text(f, a->id[j]));
}

char *rows_dump(const struct crm_facts *f) {
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 100000000);
  for (int c = 0; c < f->n_currencies; c++)
    crm_strbuf_addf(&buf, "currency %s %d\n", f->currencies[c].code, f->currencies[c].exponent);
  for (int t = 0; t < f->n_tenants; t++)
    crm_strbuf_addf(&buf, "tenant %s\n", rows_text(f, f->tenants[t]));
  uint32_t *order = calloc((size_t)f->account.n + 1, sizeof(*order));
  assert_non_null(order);
  uint32_t accounts = 0;
  for (uint32_t a = 0; a < f->account.n; a++)
    if (f->account.created_at[a] != CRM_TIME_NEVER)
      order[accounts++] = a;
  qsort_r(order, accounts, sizeof(*order), compare_accounts, (void *)(uintptr_t)f);
  for (int r = 0; r < CRM_RELATIONS; r++) {
    const struct crm_layout *layout = crm_layout((enum crm_relation)r);
    crm_strbuf_addf(&buf, "%s available %d rows %" PRIu64 " read %" PRId64 " rejected", crm_relation_info((enum crm_relation)r)->name,
                    f->available[r], f->rows[r], f->read_at[r]);
    for (int reason = 0; reason < CRM_REJECTS; reason++)
      crm_strbuf_addf(&buf, " %" PRIu64, f->rejected[r][reason]);
    crm_strbuf_addc(&buf, '\n');
    const uint32_t *first = layout->first == 0 ? NULL : crm_held_get(f, layout->first);
    for (uint32_t a = 0; a < accounts; a++) {
      uint32_t start = first == NULL ? order[a] : first[order[a]];
      uint32_t end = first == NULL ? order[a] + 1 : first[order[a] + 1];
      for (uint32_t i = start; i < end; i++) {
        rows_add_int(&buf, a);
        crm_strbuf_addc(&buf, ':');
        for (size_t c = 0; c < layout->n_columns; c++)
          dump_cell(&buf, f, &layout->columns[c], i);
        if (r == CRM_REL_ENGAGEMENT)
          for (uint32_t c = f->engagement.contact_first[i]; c < f->engagement.contact_first[i + 1]; c++)
            crm_strbuf_addf(&buf, " with %s", rows_text(f, f->contact.id[f->engagement.contact[c]]));
        crm_strbuf_addc(&buf, '\n');
      }
    }
  }
  free(order);
  char *text = crm_strbuf_take(&buf);
  assert_non_null(text);
  return text;
}
