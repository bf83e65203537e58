/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "series/set.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

double crm_number_value(const struct crm_number *number) {
  if (number->den == 0)
    return number->real;
  if (number->num % number->den == 0)
    return (double)(number->num / number->den);
  return (double)((long double)number->num / (long double)number->den);
}

enum crm_status crm_set_init(struct crm_series_set *set) {
  *set = (struct crm_series_set){.at = CRM_TIME_NONE};
  return crm_dict_init(&set->text);
}

void crm_set_free(struct crm_series_set *set) {
  crm_dict_free(&set->text);
  free(set->samples);
  free(set->label_values);
  *set = (struct crm_series_set){.at = CRM_TIME_NONE};
}

enum crm_status crm_set_reset(struct crm_series_set *set) {
  /* The strings go: the accounts of years ago must not stay for as long as the daemon runs. */
  crm_dict_free(&set->text);
  set->at = CRM_TIME_NONE;
  set->n_dimensions = 0;
  set->n = 0;
  set->n_label_values = 0;
  set->accounts_left_out = 0;
  return crm_dict_init(&set->text);
}

/* Labels that stand before the family's own ones. */
static size_t leading_labels(const struct crm_series_set *set, enum crm_family family) {
  switch (crm_family_info(family)->scope) {
  case CRM_SCOPE_CELL:
    return 1 + set->n_dimensions;
  case CRM_SCOPE_ACCOUNT:
    return 2;
  case CRM_SCOPE_TENANT:
  case CRM_SCOPE_INSTANCE:
    break;
  }
  return 1;
}

/* Makes room for one more sample; nothing is added when the value is undefined or memory is short. */
static enum crm_status check_sample(struct crm_series_set *set, enum crm_family family, size_t n, const struct crm_number *value,
                                    bool *defined) {
  if ((unsigned)family >= CRM_FAMILIES || n != leading_labels(set, family) + crm_family_label_count(family) || value->den < 0)
    return CRM_ERR_DATA;
  *defined = value->den > 0 || isfinite(value->real);
  if (!*defined)
    return CRM_OK;
  enum crm_status status = crm_vec_reserve((void **)&set->samples, &set->cap, set->n + 1, sizeof(*set->samples));
  if (status != CRM_OK)
    return status;
  if (set->n_label_values + n > UINT32_MAX)
    return CRM_ERR_MEMORY;
  return crm_vec_reserve((void **)&set->label_values, &set->cap_label_values, set->n_label_values + n, sizeof(*set->label_values));
}

static void append(struct crm_series_set *set, enum crm_family family, size_t n, struct crm_number value) {
  set->samples[set->n++] =
      (struct crm_sample){.family = (uint16_t)family, .n_labels = (uint16_t)n, .labels = (uint32_t)set->n_label_values, .value = value};
  set->n_label_values += n;
}

enum crm_status crm_set_add_ids(struct crm_series_set *set, enum crm_family family, const uint32_t *labels, size_t n,
                                struct crm_number value) {
  bool defined = false;
  enum crm_status status = check_sample(set, family, n, &value, &defined);
  if (status != CRM_OK || !defined)
    return status;
  memcpy(set->label_values + set->n_label_values, labels, n * sizeof(*labels));
  append(set, family, n, value);
  return CRM_OK;
}

enum crm_status crm_set_add_column(struct crm_series_set *set, enum crm_family family, const uint32_t *leading, const uint32_t *own,
                                   size_t n_own, const int64_t *nums, int64_t den, size_t n, const uint8_t *skip) {
  if ((unsigned)family >= CRM_FAMILIES || n_own != crm_family_label_count(family) || den <= 0)
    return CRM_ERR_DATA;
  size_t n_leading = leading_labels(set, family), n_labels = n_leading + n_own;
  if (n > (UINT32_MAX - set->n_label_values) / n_labels)
    return CRM_ERR_MEMORY;
  enum crm_status status = crm_vec_reserve((void **)&set->samples, &set->cap, set->n + n, sizeof(*set->samples));
  if (status == CRM_OK)
    status = crm_vec_reserve((void **)&set->label_values, &set->cap_label_values, set->n_label_values + n * n_labels,
                             sizeof(*set->label_values));
  if (status != CRM_OK)
    return status;
  for (size_t i = 0; i < n; i++) {
    if (skip != NULL && skip[i])
      continue;
    uint32_t *labels = set->label_values + set->n_label_values;
    for (size_t k = 0; k < n_leading; k++)
      labels[k] = leading[i * n_leading + k];
    for (size_t k = 0; k < n_own; k++)
      labels[n_leading + k] = own[k];
    append(set, family, n_labels, crm_number_ratio(nums[i], den));
  }
  return CRM_OK;
}

enum crm_status crm_set_add(struct crm_series_set *set, enum crm_family family, const char *const *labels, size_t n,
                            struct crm_number value) {
  bool defined = false;
  enum crm_status status = check_sample(set, family, n, &value, &defined);
  if (status != CRM_OK || !defined)
    return status;
  for (size_t i = 0; i < n; i++) {
    status = crm_dict_add(&set->text, labels[i], strlen(labels[i]), &set->label_values[set->n_label_values + i]);
    if (status != CRM_OK)
      return CRM_ERR_MEMORY;
  }
  append(set, family, n, value);
  return CRM_OK;
}

const char *crm_set_label_name(const struct crm_series_set *set, enum crm_family family, size_t i) {
  size_t leading = leading_labels(set, family);
  if (i >= leading)
    return crm_family_info(family)->labels[i - leading];
  if (i == 0)
    return "tenant";
  return crm_family_info(family)->scope == CRM_SCOPE_ACCOUNT ? "account" : set->dimensions[i - 1];
}

/* --- sums over cells -------------------------------------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b) {
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Exact wherever numerator and denominator of the sum fit; the nearest double of the two values otherwise. */
static struct crm_number add_numbers(struct crm_number a, struct crm_number b) {
  if (a.den > 0 && b.den > 0) {
    int64_t by = b.den / gcd(a.den, b.den); /* the common denominator is a.den * by */
    __int128 den = (__int128)a.den * by;
    if (den <= INT64_MAX) {
      __int128 left = (__int128)a.num * by, right = (__int128)b.num * (int64_t)(den / b.den), num = left + right;
      if (num >= INT64_MIN && num <= INT64_MAX)
        return crm_number_ratio((int64_t)num, (int64_t)den);
    }
  }
  return crm_number_real(crm_number_value(&a) + crm_number_value(&b));
}

struct roll_up {
  const struct crm_series_set *from;
  struct crm_series_set *out;
  uint32_t *text;  /* number of a text in `from` -> in `out`, or CRM_DICT_NONE */
  uint32_t *slots; /* open addressing over the samples of `out`, UINT32_MAX = free */
  size_t slot_mask;
};

static enum crm_status map_label(struct roll_up *r, uint32_t from, uint32_t *to) {
  if (r->text[from] == CRM_DICT_NONE) {
    enum crm_status status =
        crm_dict_add(&r->out->text, crm_dict_text(&r->from->text, from), crm_dict_len(&r->from->text, from), &r->text[from]);
    if (status != CRM_OK) {
      r->text[from] = CRM_DICT_NONE;
      return CRM_ERR_MEMORY;
    }
  }
  *to = r->text[from];
  return CRM_OK;
}

static size_t hash_key(uint16_t family, const uint32_t *labels, size_t n) {
  uint64_t h = family * UINT64_C(0x9e3779b97f4a7c15);
  for (size_t i = 0; i < n; i++) {
    h = (h ^ labels[i]) * UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 32;
  }
  return (size_t)h;
}

/* The slot of the sample with that key, or the free slot where it belongs. */
static uint32_t *find_slot(const struct roll_up *r, uint16_t family, const uint32_t *labels, size_t n) {
  for (size_t at = hash_key(family, labels, n);; at++) {
    uint32_t *slot = &r->slots[at & r->slot_mask];
    if (*slot == UINT32_MAX)
      return slot;
    const struct crm_sample *s = &r->out->samples[*slot];
    if (s->family == family && memcmp(r->out->label_values + s->labels, labels, n * sizeof(*labels)) == 0)
      return slot;
  }
}

static enum crm_status grow_slots(struct roll_up *r) {
  size_t count = r->slots == NULL ? 1024 : (r->slot_mask + 1) * 2;
  uint32_t *slots = malloc(count * sizeof(*slots));
  if (slots == NULL)
    return CRM_ERR_MEMORY;
  memset(slots, 0xff, count * sizeof(*slots));
  free(r->slots);
  r->slots = slots;
  r->slot_mask = count - 1;
  for (size_t i = 0; i < r->out->n; i++) {
    const struct crm_sample *s = &r->out->samples[i];
    *find_slot(r, s->family, r->out->label_values + s->labels, s->n_labels) = (uint32_t)i;
  }
  return CRM_OK;
}

static enum crm_status add_to_total(struct roll_up *r, const struct crm_sample *s, int dimension) {
  uint32_t labels[1 + CRM_DIMENSIONS_MAX + 1 + CRM_FAMILY_LABELS];
  const uint32_t *from = r->from->label_values + s->labels;
  bool cell = crm_family_info((enum crm_family)s->family)->scope == CRM_SCOPE_CELL;
  size_t n = 0;
  for (size_t i = 0; i < s->n_labels; i++) {
    bool is_dimension = cell && i >= 1 && i <= r->from->n_dimensions;
    if (is_dimension && (int)i != dimension + 1)
      continue;
    enum crm_status status = map_label(r, from[i], &labels[n++]);
    if (status != CRM_OK)
      return status;
  }
  if (!cell)
    return crm_set_add_ids(r->out, (enum crm_family)s->family, labels, n, s->value);
  if (r->slots == NULL || r->out->n >= r->slot_mask / 2) {
    enum crm_status status = grow_slots(r);
    if (status != CRM_OK)
      return status;
  }
  uint32_t *slot = find_slot(r, s->family, labels, n);
  if (*slot == UINT32_MAX) {
    *slot = (uint32_t)r->out->n;
    enum crm_status status = crm_set_add_ids(r->out, (enum crm_family)s->family, labels, n, s->value);
    if (status != CRM_OK)
      *slot = UINT32_MAX;
    return status;
  }
  struct crm_number *total = &r->out->samples[*slot].value;
  *total = add_numbers(*total, s->value);
  return CRM_OK;
}

enum crm_status crm_set_roll_up(const struct crm_series_set *set, int dimension, struct crm_series_set *out) {
  if (dimension >= (int)set->n_dimensions)
    return CRM_ERR_DATA;
  out->at = set->at;
  out->accounts_left_out = set->accounts_left_out;
  out->n_dimensions = dimension < 0 ? 0 : 1;
  if (dimension >= 0)
    out->dimensions[0] = set->dimensions[dimension];
  struct roll_up r = {.from = set, .out = out, .text = malloc(set->text.count * sizeof(*r.text))};
  enum crm_status status = r.text != NULL ? CRM_OK : CRM_ERR_MEMORY;
  if (status == CRM_OK)
    memset(r.text, 0xff, set->text.count * sizeof(*r.text)); /* CRM_DICT_NONE */
  /* Cell families first and the others behind them: the index need not know the latter. */
  for (size_t i = 0; status == CRM_OK && i < set->n; i++)
    if (crm_family_info((enum crm_family)set->samples[i].family)->scope == CRM_SCOPE_CELL)
      status = add_to_total(&r, &set->samples[i], dimension);
  for (size_t i = 0; status == CRM_OK && dimension < 0 && i < set->n; i++)
    if (crm_family_info((enum crm_family)set->samples[i].family)->scope != CRM_SCOPE_CELL)
      status = add_to_total(&r, &set->samples[i], dimension);
  free(r.text);
  free(r.slots);
  return status == CRM_OK ? crm_set_sort(out) : status;
}
