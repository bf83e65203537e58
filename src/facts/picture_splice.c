/* SPDX-License-Identifier: MIT */
/* Moving whole spans: from the facts of a patch into the picture, and within the picture. */
#include <string.h>

#include "facts/patch_internal.h"

/* Writes v to *to; true if that changes it. What is behind the last row was never written and is not looked at. */
#define WRITE(type, to, v, compare, changed)                                                                                               \
  do {                                                                                                                                     \
    type new_value = (v);                                                                                                                  \
    (changed) = (changed) || ((compare) && *(to) != new_value);                                                                            \
    *(to) = new_value;                                                                                                                     \
  } while (0)

static bool splice_texts(const struct crm_splice *s, uint32_t *to, const uint32_t *from, uint32_t n, bool compare) {
  bool changed = !compare;
  for (uint32_t i = 0; i < n; i++)
    WRITE(uint32_t, &to[i], s->text[from[i]], compare, changed);
  return changed;
}

static bool splice_currencies(const struct crm_splice *s, uint16_t *to, const uint16_t *from, uint32_t n, bool compare) {
  bool changed = !compare;
  for (uint32_t i = 0; i < n; i++)
    WRITE(uint16_t, &to[i], from[i] == CRM_NO_CURRENCY ? CRM_NO_CURRENCY : s->currency[from[i]], compare, changed);
  return changed;
}

static bool splice_tenants(const struct crm_splice *s, uint16_t *to, const uint16_t *from, uint32_t n, bool compare) {
  bool changed = !compare;
  for (uint32_t i = 0; i < n; i++)
    WRITE(uint16_t, &to[i], s->tenant[from[i]], compare, changed);
  return changed;
}

bool crm_splice_rows(const struct crm_splice *s, enum crm_relation relation, uint32_t to, uint32_t from, uint32_t n) {
  const struct crm_layout *layout = crm_layout(relation);
  bool compare = to < crm_layout_n(s->to, layout);
  bool changed = !compare;
  for (size_t c = 0; n > 0 && c < layout->n_columns; c++) {
    enum crm_hold hold = layout->columns[c].hold;
    size_t size = crm_hold_size(hold);
    char *target = (char *)crm_held_get(s->to, layout->columns[c].offset) + to * size;
    const char *origin = (const char *)crm_held_get(s->from, layout->columns[c].offset) + from * size;
    bool differs = false;
    if (hold == CRM_HOLD_TEXT) {
      differs = splice_texts(s, (uint32_t *)(void *)target, (const uint32_t *)(const void *)origin, n, compare);
    } else if (hold == CRM_HOLD_CURRENCY) {
      differs = splice_currencies(s, (uint16_t *)(void *)target, (const uint16_t *)(const void *)origin, n, compare);
    } else if (hold == CRM_HOLD_TENANT) {
      differs = splice_tenants(s, (uint16_t *)(void *)target, (const uint16_t *)(const void *)origin, n, compare);
    } else {
      differs = compare && memcmp(target, origin, n * size) != 0;
      memcpy(target, origin, n * size);
    }
    changed = changed || differs;
  }
  return changed && n > 0;
}

bool crm_splice_lists(const struct crm_splice *s, uint32_t to, uint32_t list, uint32_t from, uint32_t n, uint32_t shift) {
  struct crm_engagements *e = &s->to->engagement;
  const struct crm_engagements *origin = &s->from->engagement;
  bool compare = to < e->n;
  bool changed = false;
  uint32_t at = list;
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t j = origin->contact_first[from + i]; j < origin->contact_first[from + i + 1]; j++, at++)
      WRITE(uint32_t, &e->contact[at], origin->contact[j] + shift, compare, changed);
    WRITE(uint32_t, &e->contact_first[to + i + 1], at, compare, changed);
  }
  return changed;
}

void crm_shift_rows(struct crm_facts *facts, enum crm_relation relation, uint32_t to, uint32_t from, uint32_t n) {
  const struct crm_layout *layout = crm_layout(relation);
  if (to == from || n == 0)
    return;
  for (size_t c = 0; c < layout->n_columns; c++) {
    size_t size = crm_hold_size(layout->columns[c].hold);
    char *column = crm_held_get(facts, layout->columns[c].offset);
    memmove(column + to * size, column + from * size, n * size);
  }
}

void crm_shift_lists(struct crm_facts *facts, uint32_t to, uint32_t list, uint32_t from, uint32_t n, uint32_t shift) {
  struct crm_engagements *e = &facts->engagement;
  uint32_t start = e->contact_first[from];
  uint32_t length = e->contact_first[from + n] - start;
  for (uint32_t i = 0; i < length; i++)
    e->contact[list + i] = e->contact[start + i] + shift;
  for (uint32_t i = 0; i < n; i++) /* to may be from: each is read before it is written */
    e->contact_first[to + i + 1] = e->contact_first[from + i + 1] - start + list;
}
