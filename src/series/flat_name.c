/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "series/flat_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* One label of the set ("tenant", "currency", ...) with one of its values. */
struct value {
  uint16_t label;
  bool changed;  /* by cleaning, so that another value could look alike */
  uint32_t text; /* set->text */
  char *name;
};

struct name {
  char *type_instance; /* NULL: none */
  uint32_t instance;   /* number in values */
};

struct crm_flat_names {
  const char **labels; /* label names, in the order in which they were met */
  size_t n_labels, cap_labels;
  struct value *values; /* ordered by label and text number */
  size_t n_values, cap_values;
  struct name *names; /* one per sample */
  size_t n_names;
};

static char clean(char c) {
  unsigned char u = (unsigned char)c;
  if (u >= 'A' && u <= 'Z')
    return (char)(u - 'A' + 'a');
  if (u >= 0x80 || (u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u == '_' || u == '-')
    return c;
  return '_';
}

size_t crm_flat_value(const char *value, char *buf, size_t size) {
  if (*value == '\0')
    value = "none";
  size_t len = strlen(value);
  for (size_t i = 0; i < len && i + 1 < size; i++)
    buf[i] = clean(value[i]);
  if (size > 0)
    buf[len < size ? len : size - 1] = '\0';
  return len;
}

/* FNV-1a, then mixed, so that every one of the 32 bits kept depends on every byte. `round` gives another hash to values whose last one was
 * taken. */
static uint32_t hash_text(const char *text, unsigned round) {
  uint64_t h = UINT64_C(0xcbf29ce484222325) + round;
  for (const char *c = text; *c != '\0'; c++)
    h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
  h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
  return (uint32_t)(h >> 32);
}

static enum crm_status label_number(struct crm_flat_names *names, const char *label, uint16_t *number) {
  size_t i = 0;
  while (i < names->n_labels && strcmp(names->labels[i], label) != 0)
    i++;
  *number = (uint16_t)i;
  if (i < names->n_labels)
    return CRM_OK;
  enum crm_status status = crm_vec_reserve((void **)&names->labels, &names->cap_labels, i + 1, sizeof(*names->labels));
  if (status == CRM_OK)
    names->labels[names->n_labels++] = label;
  return status;
}

static bool has_name(const struct crm_sample *s) {
  return crm_family_info((enum crm_family)s->family)->scope != CRM_SCOPE_ACCOUNT;
}

static int compare_values(const void *left, const void *right) {
  const struct value *a = left, *b = right;
  if (a->label != b->label)
    return a->label < b->label ? -1 : 1;
  return a->text != b->text ? (a->text < b->text ? -1 : 1) : 0;
}

static int compare_names(const void *left, const void *right) {
  const struct value *const *a = left, *const *b = right;
  if ((*a)->label != (*b)->label)
    return (*a)->label < (*b)->label ? -1 : 1;
  return strcmp((*a)->name, (*b)->name);
}

/* Label numbers of one family's samples; all samples of a family carry the same ones. */
static enum crm_status family_labels(struct crm_flat_names *names, const struct crm_series_set *set, const struct crm_sample *s,
                                     uint16_t *labels) {
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < s->n_labels; i++)
    status = label_number(names, crm_set_label_name(set, (enum crm_family)s->family, i), &labels[i]);
  return status;
}

static enum crm_status collect_values(struct crm_flat_names *names, const struct crm_series_set *set) {
  uint16_t labels[1 + CRM_DIMENSIONS_MAX + CRM_FAMILY_LABELS];
  enum crm_status status = CRM_OK;
  for (size_t i = 0; status == CRM_OK && i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    if (!has_name(s))
      continue;
    if (i == 0 || set->samples[i - 1].family != s->family)
      status = family_labels(names, set, s, labels);
    if (status == CRM_OK)
      status = crm_vec_reserve((void **)&names->values, &names->cap_values, names->n_values + s->n_labels, sizeof(*names->values));
    for (size_t l = 0; status == CRM_OK && l < s->n_labels; l++)
      names->values[names->n_values++] = (struct value){.label = labels[l], .text = set->label_values[s->labels + l]};
  }
  if (status != CRM_OK || names->n_values == 0)
    return status;
  qsort(names->values, names->n_values, sizeof(*names->values), compare_values);
  size_t kept = 1;
  for (size_t i = 1; i < names->n_values; i++)
    if (compare_values(&names->values[kept - 1], &names->values[i]) != 0)
      names->values[kept++] = names->values[i];
  names->n_values = kept;
  return CRM_OK;
}

/* The cleaned value, in a buffer that also holds "_" and 8 digits. */
static enum crm_status clean_values(struct crm_flat_names *names, const struct crm_series_set *set) {
  for (size_t i = 0; i < names->n_values; i++) {
    struct value *v = &names->values[i];
    const char *text = crm_dict_text(&set->text, v->text);
    if (strcmp(names->labels[v->label], "le") == 0 && strcmp(text, "+Inf") == 0)
      text = "inf";
    size_t size = strlen(text) + sizeof("none") + 9;
    v->name = malloc(size);
    if (v->name == NULL)
      return CRM_ERR_MEMORY;
    crm_flat_value(text, v->name, size);
    v->changed = strcmp(v->name, crm_dict_text(&set->text, v->text)) != 0;
  }
  return CRM_OK;
}

/* Gives values that look alike another name, all but the one that is itself what they look like. A new name may in turn be taken: then the
 * next round hashes differently. Unchanged values never move, so a handful of rounds is more than ever happens. */
static enum crm_status part_values(struct crm_flat_names *names, const struct crm_series_set *set) {
  struct value **sorted = malloc((names->n_values + 1) * sizeof(struct value *));
  if (sorted == NULL)
    return CRM_ERR_MEMORY;
  for (size_t i = 0; i < names->n_values; i++)
    sorted[i] = &names->values[i];
  bool alike = true;
  for (unsigned round = 0; alike && round < 16; round++) {
    alike = false;
    qsort(sorted, names->n_values, sizeof(*sorted), compare_names);
    for (size_t i = 0, end = 0; i < names->n_values; i = end) {
      for (end = i + 1; end < names->n_values && compare_names(&sorted[i], &sorted[end]) == 0; end++)
        continue;
      for (size_t k = i; end - i > 1 && k < end; k++) {
        alike = true;
        const char *text = crm_dict_text(&set->text, sorted[k]->text);
        if (!sorted[k]->changed)
          continue;
        size_t size = strlen(text) + sizeof("none");
        size_t len = crm_flat_value(text, sorted[k]->name, size);
        snprintf(sorted[k]->name + len, 10, "_%08x", (unsigned)hash_text(text, round));
      }
    }
  }
  free(sorted);
  return alike ? CRM_ERR_DATA : CRM_OK;
}

static uint32_t find_value(const struct crm_flat_names *names, uint16_t label, uint32_t text) {
  struct value key = {.label = label, .text = text};
  const struct value *found = bsearch(&key, names->values, names->n_values, sizeof(key), compare_values);
  return (uint32_t)(found - names->values); /* collect_values met every one */
}

static char *put(char *to, const char *text) {
  size_t len = strlen(text);
  memcpy(to, text, len);
  return to + len;
}

/* FAMILY.VALUE.VALUE... or FAMILY_by_DIMENSION.VALUE.VALUE...: the tenant is not in it. */
static char *join(const struct crm_flat_names *names, const struct crm_series_set *set, const struct crm_sample *s,
                  const uint32_t *values) {
  const struct crm_family_info *info = crm_family_info((enum crm_family)s->family);
  const char *family = info->name + strlen("crm_");
  const char *dimension = info->scope == CRM_SCOPE_CELL && set->n_dimensions == 1 ? set->dimensions[0] : NULL;
  size_t size = strlen(family) + 1;
  if (dimension != NULL)
    size += strlen("_by_") + strlen(dimension);
  for (size_t i = 1; i < s->n_labels; i++)
    size += 1 + strlen(names->values[values[i]].name);
  char *text = malloc(size);
  if (text == NULL)
    return NULL;
  char *to = put(text, family);
  if (dimension != NULL)
    to = put(put(to, "_by_"), dimension);
  for (size_t i = 1; i < s->n_labels; i++) {
    *to++ = '.';
    to = put(to, names->values[values[i]].name);
  }
  *to = '\0';
  return text;
}

static enum crm_status join_all(struct crm_flat_names *names, const struct crm_series_set *set) {
  uint16_t labels[1 + CRM_DIMENSIONS_MAX + CRM_FAMILY_LABELS];
  uint32_t values[1 + CRM_DIMENSIONS_MAX + CRM_FAMILY_LABELS];
  names->names = calloc(set->n + 1, sizeof(*names->names));
  if (names->names == NULL)
    return CRM_ERR_MEMORY;
  names->n_names = set->n;
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    if (!has_name(s))
      continue;
    enum crm_status status = CRM_OK;
    if (i == 0 || set->samples[i - 1].family != s->family)
      status = family_labels(names, set, s, labels);
    if (status != CRM_OK)
      return status;
    for (size_t l = 0; l < s->n_labels; l++)
      values[l] = find_value(names, labels[l], set->label_values[s->labels + l]);
    names->names[i] = (struct name){.type_instance = join(names, set, s, values), .instance = values[0]};
    if (names->names[i].type_instance == NULL)
      return CRM_ERR_MEMORY;
  }
  return CRM_OK;
}

enum crm_status crm_flat_names_new(const struct crm_series_set *set, struct crm_flat_names **names) {
  *names = NULL;
  struct crm_flat_names *n = calloc(1, sizeof(*n));
  if (n == NULL)
    return CRM_ERR_MEMORY;
  enum crm_status status = collect_values(n, set);
  if (status == CRM_OK)
    status = clean_values(n, set);
  if (status == CRM_OK)
    status = part_values(n, set);
  if (status == CRM_OK)
    status = join_all(n, set);
  if (status != CRM_OK) {
    crm_flat_names_free(n);
    return status;
  }
  *names = n;
  return CRM_OK;
}

void crm_flat_names_free(struct crm_flat_names *names) {
  if (names == NULL)
    return;
  for (size_t i = 0; i < names->n_names; i++)
    free(names->names[i].type_instance);
  for (size_t i = 0; i < names->n_values; i++)
    free(names->values[i].name);
  free(names->names);
  free(names->values);
  free(names->labels);
  free(names);
}

const char *crm_flat_name(const struct crm_flat_names *names, size_t i, size_t limit) {
  const char *name = names->names[i].type_instance;
  return name != NULL && strlen(name) <= limit ? name : NULL;
}

const char *crm_flat_instance(const struct crm_flat_names *names, size_t i) {
  const struct name *name = &names->names[i];
  return name->type_instance != NULL ? names->values[name->instance].name : NULL;
}
