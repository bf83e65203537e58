/* SPDX-License-Identifier: MIT */
/* The order of a set's samples: by family, then by the text of their labels, `le` by number.
 *
 * Each distinct text is compared with others once, to give it a rank; the ranks of a sample's labels side by side make one number, and the
 * numbers of a family are sorted digit by digit, in time linear in their count. Comparing label by label would cost most of a small
 * computation. */
#include "crm_config.h"

#include "series/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#define KEY_BITS 64

struct order {
  struct crm_series_set *set;
  uint32_t *rank;    /* text number -> its place among all texts by bytes */
  uint32_t *le_rank; /* text number -> its place among those that are a `le`, by number; 0 for others */
  struct crm_keyed *keyed, *scratch;
  bool has_le; /* of the family being sorted */
};

/* --- ranks of texts --------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *left, const void *right, void *ctx) {
  const struct crm_dict *text = ctx;
  return strcmp(crm_dict_text(text, *(const uint32_t *)left), crm_dict_text(text, *(const uint32_t *)right));
}

struct le {
  double value;
  uint32_t rank, text;
};

static int compare_le(const void *left, const void *right) {
  const struct le *a = left, *b = right;
  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static bool is_distribution(const struct crm_sample *s) {
  return crm_family_info((enum crm_family)s->family)->kind == CRM_DISTRIBUTION;
}

/* `seen` has room for all texts. */
static enum crm_status rank_le(struct order *order, uint32_t *seen) {
  const struct crm_series_set *set = order->set;
  uint32_t n = 0;
  for (size_t i = 0; i < set->n; i++) {
    const struct crm_sample *s = &set->samples[i];
    uint32_t text = set->label_values[s->labels + s->n_labels - 1];
    if (!is_distribution(s) || order->le_rank[text] != 0)
      continue;
    order->le_rank[text] = 1;
    seen[n++] = text;
  }
  struct le *le = malloc((n + 1) * sizeof(*le));
  if (le == NULL)
    return CRM_ERR_MEMORY;
  for (uint32_t i = 0; i < n; i++)
    le[i] = (struct le){strtod(crm_dict_text(&set->text, seen[i]), NULL), order->rank[seen[i]], seen[i]};
  qsort(le, n, sizeof(*le), compare_le);
  for (uint32_t i = 0; i < n; i++)
    order->le_rank[le[i].text] = i + 1;
  free(le);
  return CRM_OK;
}

static enum crm_status rank_texts(struct order *order) {
  const struct crm_dict *text = &order->set->text;
  uint32_t *sorted = malloc(text->count * sizeof(*sorted));
  order->rank = malloc(text->count * sizeof(*order->rank));
  order->le_rank = calloc(text->count, sizeof(*order->le_rank));
  if (sorted == NULL || order->rank == NULL || order->le_rank == NULL) {
    free(sorted);
    return CRM_ERR_MEMORY;
  }
  for (uint32_t i = 0; i < text->count; i++)
    sorted[i] = i;
  qsort_r(sorted, text->count, sizeof(*sorted), compare_texts, (void *)text);
  for (uint32_t i = 0; i < text->count; i++)
    order->rank[sorted[i]] = i;
  enum crm_status status = rank_le(order, sorted);
  free(sorted);
  return status;
}

/* --- one family ------------------------------------------------------------------------------------------------------- */

static uint32_t label_rank(const struct order *order, const struct crm_sample *s, size_t label) {
  uint32_t text = order->set->label_values[s->labels + label];
  return order->has_le && label + 1U == s->n_labels ? order->le_rank[text] : order->rank[text];
}

/* Of keyed samples of one family. */
static int compare_samples(const void *left, const void *right, void *ctx) {
  const struct order *order = ctx;
  const struct crm_keyed *l = left, *r = right;
  const struct crm_sample *a = &order->set->samples[l->item], *b = &order->set->samples[r->item];
  for (size_t i = 0; i < a->n_labels; i++) {
    uint32_t x = label_rank(order, a, i), y = label_rank(order, b, i);
    if (x != y)
      return x < y ? -1 : 1;
  }
  double x = crm_number_value(&a->value), y = crm_number_value(&b->value);
  return x != y ? (x < y ? -1 : 1) : 0; /* the same series twice: a fault of the caller, but still one order */
}

/* Gives each of the n samples listed its key. False if the labels have too many values for one number. */
static bool make_keys(const struct order *order, struct crm_keyed *keyed, size_t n) {
  const struct crm_sample *samples = order->set->samples;
  size_t n_labels = samples[keyed[0].item].n_labels;
  unsigned bits = 0;
  for (size_t i = 0; i < n; i++)
    keyed[i].key = 0;
  for (size_t label = 0; label < n_labels; label++) {
    uint32_t least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
      uint32_t rank = label_rank(order, &samples[keyed[i].item], label);
      least = rank < least ? rank : least;
      most = rank > most ? rank : most;
    }
    if (most == least)
      continue;
    unsigned width = 32 - (unsigned)__builtin_clz(most - least);
    bits += width;
    if (bits > KEY_BITS)
      return false;
    for (size_t i = 0; i < n; i++)
      keyed[i].key = keyed[i].key << width | (label_rank(order, &samples[keyed[i].item], label) - least);
  }
  return true;
}

/* Puts the n samples listed, which are one family, into their order. */
static void sort_family(struct order *order, uint32_t *list, size_t n) {
  struct crm_keyed *keyed = order->keyed;
  order->has_le = is_distribution(&order->set->samples[list[0]]);
  for (size_t i = 0; i < n; i++)
    keyed[i].item = list[i];
  bool has_keys = make_keys(order, keyed, n);
  if (!has_keys)
    qsort_r(keyed, n, sizeof(*keyed), compare_samples, order);
  else
    crm_sort_keyed(keyed, order->scratch, n);
  for (size_t i = 0; has_keys && i < n;) {
    size_t end = i + 1;
    while (end < n && keyed[end].key == keyed[i].key)
      end++;
    if (end - i > 1)
      qsort_r(keyed + i, end - i, sizeof(*keyed), compare_samples, order);
    i = end;
  }
  for (size_t i = 0; i < n; i++)
    list[i] = keyed[i].item;
}

/* --- all -------------------------------------------------------------------------------------------------------------- */

static enum crm_status sort_families(struct order *order) {
  struct crm_series_set *set = order->set;
  size_t end[CRM_FAMILIES + 1] = {0}, largest = 0;
  uint32_t *list = malloc(set->n * sizeof(*list));
  if (list == NULL)
    return CRM_ERR_MEMORY;
  for (size_t i = 0; i < set->n; i++)
    end[set->samples[i].family + 1U]++;
  for (size_t f = 0; f < CRM_FAMILIES; f++) {
    largest = end[f + 1] > largest ? end[f + 1] : largest;
    end[f + 1] += end[f];
  }
  /* end[f] is where family f begins; filling it moves it to where the family ends. */
  for (size_t i = 0; i < set->n; i++)
    list[end[set->samples[i].family]++] = (uint32_t)i;
  order->keyed = malloc(largest * sizeof(*order->keyed));
  order->scratch = malloc(largest * sizeof(*order->scratch));
  struct crm_sample *sorted = malloc(set->cap * sizeof(*sorted));
  enum crm_status status = order->keyed != NULL && order->scratch != NULL && sorted != NULL ? CRM_OK : CRM_ERR_MEMORY;
  size_t begin = 0;
  for (size_t f = 0; f < CRM_FAMILIES && status == CRM_OK; f++) {
    if (end[f] > begin)
      sort_family(order, list + begin, end[f] - begin);
    begin = end[f];
  }
  for (size_t i = 0; i < set->n && status == CRM_OK; i++)
    sorted[i] = set->samples[list[i]];
  if (status == CRM_OK) {
    free(set->samples);
    set->samples = sorted;
    sorted = NULL;
  }
  free(sorted);
  free(list);
  return status;
}

enum crm_status crm_set_sort(struct crm_series_set *set) {
  if (set->n == 0)
    return CRM_OK;
  if (set->n > UINT32_MAX)
    return CRM_ERR_MEMORY;
  struct order order = {.set = set};
  enum crm_status status = rank_texts(&order);
  if (status == CRM_OK)
    status = sort_families(&order);
  free(order.rank);
  free(order.le_rank);
  free(order.keyed);
  free(order.scratch);
  return status;
}
