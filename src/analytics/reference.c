/* SPDX-License-Identifier: MIT */
#include "analytics/reference.h"

#include "base/sort.h"

/* Median ------------------------------------------------------------------------------------------------------------ */

static void swap(double *a, double *b) {
  double t = *a;
  *a = *b;
  *b = t;
}

/* Puts the k-th smallest at v[k], smaller ones before and larger ones behind it (Hoare's selection, middle of three as pivot). */
static void select_kth(double *v, size_t n, size_t k) {
  size_t lo = 0, hi = n - 1;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (v[mid] < v[lo])
      swap(&v[mid], &v[lo]);
    if (v[hi] < v[lo])
      swap(&v[hi], &v[lo]);
    if (v[hi] < v[mid])
      swap(&v[hi], &v[mid]);
    double pivot = v[mid];
    size_t i = lo, j = hi;
    while (i <= j) {
      while (v[i] < pivot)
        i++;
      while (pivot < v[j])
        j--;
      if (i > j)
        break;
      swap(&v[i], &v[j]);
      i++;
      if (j == 0)
        break;
      j--;
    }
    if (k <= j)
      hi = j;
    else if (k >= i)
      lo = i;
    else
      return;
  }
}

#define FEW 64

/* The median of a few values. The side of the pivot on which a value falls is a coin toss, so every value is written to both sides and the
 * counts alone decide; nothing is guessed, and no load waits for the store before it. */
static double median_of_few(const double *v, size_t n) {
  double side[2][2][FEW]; /* of alternate rounds: below and above the pivot */
  size_t k = n / 2;
  bool odd = n % 2 == 1;
  double before = 0; /* the largest of those known to be before the ones left, if any */
  for (unsigned round = 0;; round ^= 1) {
    double *below = side[round][0], *above = side[round][1], pivot = v[n / 2];
    size_t n_below = 0, n_above = 0;
    for (size_t i = 0; i < n; i++) {
      double x = v[i];
      below[n_below] = x;
      n_below += x < pivot;
      above[n_above] = x;
      n_above += x > pivot;
    }
    size_t up_to_pivot = n - n_above;
    if (k < n_below) {
      v = below;
      n = n_below;
      continue;
    }
    if (k >= up_to_pivot) {
      before = pivot;
      k -= up_to_pivot;
      v = above;
      n = n_above;
      continue;
    }
    if (odd || k > n_below)
      return pivot;
    for (size_t i = 0; i < n_below; i++)
      before = i == 0 || below[i] > before ? below[i] : before;
    return before + (pivot - before) / 2;
  }
}

double crm_median(double *values, size_t n) {
  if (n <= FEW)
    return median_of_few(values, n);
  size_t k = n / 2;
  select_kth(values, n, k);
  if (n % 2 == 1)
    return values[k];
  double before = values[0];
  for (size_t i = 1; i < k; i++)
    before = values[i] > before ? values[i] : before;
  return before + (values[k] - before) / 2;
}

enum crm_status crm_group_medians(struct crm_context *c, const double *value, const uint32_t *group, uint32_t n_groups, double *median) {
  uint32_t *end = crm_arena_calloc(c->arena, (size_t)n_groups + 1, sizeof(*end));
  double *sorted = crm_arena_calloc(c->arena, c->n, sizeof(*sorted));
  if (end == NULL || sorted == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (!isnan(value[i]))
      end[group[i] + 1]++;
  for (uint32_t g = 0; g < n_groups; g++)
    end[g + 1] += end[g];
  /* end[g] is where group g begins; filling it moves it to where the group ends. */
  for (uint32_t i = 0; i < c->n; i++)
    if (!isnan(value[i]))
      sorted[end[group[i]]++] = value[i];
  for (uint32_t g = 0; g < n_groups; g++) {
    uint32_t begin = g == 0 ? 0 : end[g - 1];
    median[g] = end[g] == begin ? NAN : crm_median(sorted + begin, end[g] - begin);
  }
  return CRM_OK;
}

/* Percentile rank --------------------------------------------------------------------------------------------------- */

/* Keys are revenue, items accounts. */
static void rank_group(struct crm_keyed *v, struct crm_keyed *scratch, uint32_t n, double *rank) {
  crm_sort_keyed(v, scratch, n);
  for (uint32_t i = 0; i < n;) {
    uint32_t equal = i;
    while (equal < n && v[equal].key == v[i].key)
      equal++;
    double r = 100.0 * ((double)i + 0.5 * (double)(equal - i)) / (double)n;
    for (; i < equal; i++)
      rank[v[i].item] = r;
  }
}

/* Accounts of one tenant and currency are ranked together; UINT32_MAX for those that do not pay. */
static uint32_t rank_group_of(const struct crm_context *c, uint32_t account) {
  if (c->any_arr[account] <= 0 || c->any_arr_currency[account] == CRM_NO_CURRENCY) /* CRM_MONEY_UNKNOWN is negative */
    return UINT32_MAX;
  return (uint32_t)c->facts->account.tenant[account] * c->facts->n_currencies + c->any_arr_currency[account];
}

enum crm_status crm_arr_ranks(struct crm_context *c, double *rank) {
  uint32_t n_groups = (uint32_t)c->facts->n_tenants * c->facts->n_currencies;
  uint32_t *end = crm_arena_calloc(c->arena, (size_t)n_groups + 1, sizeof(*end));
  struct crm_keyed *sorted = crm_arena_alloc(c->arena, c->n * sizeof(*sorted));
  struct crm_keyed *scratch = crm_arena_alloc(c->arena, c->n * sizeof(*scratch));
  if (end == NULL || sorted == NULL || scratch == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t group = rank_group_of(c, i);
    rank[i] = NAN;
    if (group != UINT32_MAX)
      end[group + 1]++;
  }
  for (uint32_t g = 0; g < n_groups; g++)
    end[g + 1] += end[g];
  for (uint32_t i = 0; i < c->n; i++) {
    uint32_t group = rank_group_of(c, i);
    if (group != UINT32_MAX)
      sorted[end[group]++] = (struct crm_keyed){(uint64_t)c->any_arr[i], i};
  }
  for (uint32_t g = 0; g < n_groups; g++) {
    uint32_t begin = g == 0 ? 0 : end[g - 1];
    rank_group(sorted + begin, scratch, end[g] - begin, rank);
  }
  return CRM_OK;
}
