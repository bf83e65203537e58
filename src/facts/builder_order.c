/* SPDX-License-Identifier: MIT */
/* Sorting, and the canonical order of rows. */
#include <string.h>

#include "facts/builder_internal.h"

#define RUN 16 /* up to here insertion is faster than merging */

static bool after(const struct crm_sort_item *a, const struct crm_sort_item *b, crm_tie_fn *tie, const void *ctx) {
  if (a->key != b->key)
    return a->key > b->key;
  return tie != NULL && tie(ctx, a->row, b->row) > 0;
}

static void insertion_sort(struct crm_sort_item *items, size_t n, crm_tie_fn *tie, const void *ctx) {
  for (size_t i = 1; i < n; i++) {
    struct crm_sort_item item = items[i];
    size_t j = i;
    while (j > 0 && after(&items[j - 1], &item, tie, ctx)) {
      items[j] = items[j - 1];
      j--;
    }
    items[j] = item;
  }
}

static void merge(const struct crm_sort_item *from, size_t n_left, size_t n, struct crm_sort_item *to, crm_tie_fn *tie, const void *ctx) {
  size_t left = 0;
  size_t right = n_left;
  for (size_t i = 0; i < n; i++) {
    bool take_right = left == n_left || (right < n && after(&from[left], &from[right], tie, ctx));
    to[i] = from[take_right ? right++ : left++];
  }
}

void crm_sort(struct crm_sort_item *items, struct crm_sort_item *scratch, size_t n, crm_tie_fn *tie, const void *ctx) {
  /* Rows mostly come in order. */
  size_t ordered = 1;
  while (ordered < n && !after(&items[ordered - 1], &items[ordered], tie, ctx))
    ordered++;
  if (ordered >= n)
    return;
  for (size_t start = 0; start < n; start += RUN)
    insertion_sort(items + start, n - start < RUN ? n - start : RUN, tie, ctx);
  struct crm_sort_item *from = items;
  struct crm_sort_item *to = scratch;
  for (size_t width = RUN; width < n; width *= 2) {
    for (size_t start = 0; start < n; start += 2 * width) {
      size_t length = n - start < 2 * width ? n - start : 2 * width;
      merge(from + start, length < width ? length : width, length, to + start, tie, ctx);
    }
    struct crm_sort_item *swap = from;
    from = to;
    to = swap;
  }
  if (from != items)
    memcpy(items, from, n * sizeof(*items));
}

uint64_t crm_sort_key_text(const char *text) {
  uint64_t key = 0;
  for (int i = 0; i < 8; i++) {
    key = key << 8 | (unsigned char)*text;
    if (*text != '\0')
      text++;
  }
  return key;
}

/* NaN, a missing number, stands before every other. */
static int compare_numbers(double a, double b) {
  if (a < b)
    return -1;
  if (a > b)
    return 1;
  return (a == a) - (b == b);
}

static int compare_held(const struct crm_facts *facts, const struct crm_held *held, uint32_t a, uint32_t b) {
  const void *data = crm_held_get(facts, held->offset);
  switch (held->hold) {
  case CRM_HOLD_U8: {
    const uint8_t *v = data;
    return (v[a] > v[b]) - (v[a] < v[b]);
  }
  case CRM_HOLD_I8: {
    const int8_t *v = data;
    return (v[a] > v[b]) - (v[a] < v[b]);
  }
  case CRM_HOLD_TENANT:
    return 0; /* not numbered yet: crm_builder_seal compares the names */
  case CRM_HOLD_CURRENCY: {
    const uint16_t *v = data;
    if (v[a] == v[b])
      return 0;
    return strcmp(v[a] == CRM_NO_CURRENCY ? "" : facts->currencies[v[a]].code, v[b] == CRM_NO_CURRENCY ? "" : facts->currencies[v[b]].code);
  }
  case CRM_HOLD_TEXT: {
    const uint32_t *v = data;
    return v[a] == v[b] ? 0 : strcmp(crm_dict_text(&facts->text, v[a]), crm_dict_text(&facts->text, v[b]));
  }
  case CRM_HOLD_I32: {
    const int32_t *v = data;
    return (v[a] > v[b]) - (v[a] < v[b]);
  }
  case CRM_HOLD_I64: {
    const int64_t *v = data;
    return (v[a] > v[b]) - (v[a] < v[b]);
  }
  case CRM_HOLD_F32: {
    const float *v = data;
    return compare_numbers(v[a], v[b]);
  }
  case CRM_HOLD_F64: {
    const double *v = data;
    return compare_numbers(v[a], v[b]);
  }
  case CRM_HOLD_KEY:
    break;
  }
  return 0;
}

int crm_compare_rows(const struct crm_facts *facts, const struct crm_layout *layout, uint32_t a, uint32_t b) {
  for (size_t c = 0; c < layout->n_columns; c++) {
    int order = compare_held(facts, &layout->columns[c], a, b);
    if (order != 0)
      return order;
  }
  return 0;
}
