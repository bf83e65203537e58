/* SPDX-License-Identifier: MIT */
/* A set of samples: what one computation yields, and what every exporter reads.
 *
 * A value is a rational num / den wherever it can be (counts, money, fixed-point points, ratios of them), so that sums over cells
 * are exact whatever their order; den 0 means that `real` holds the value. Nothing non-finite is ever added. */
#ifndef CRM_SERIES_SET_H
#define CRM_SERIES_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "facts/calendar.h"
#include "facts/dict.h"
#include "series/catalogue.h"

#define CRM_DIMENSIONS_MAX 4

struct crm_number {
  int64_t num;
  int64_t den; /* > 0; 0: see real */
  double real;
};
static inline struct crm_number crm_number_int(int64_t v) { return (struct crm_number){v, 1, 0}; }
static inline struct crm_number crm_number_ratio(int64_t num, int64_t den) { return (struct crm_number){num, den, 0}; }
static inline struct crm_number crm_number_real(double v) { return (struct crm_number){0, 0, v}; }
double crm_number_value(const struct crm_number *number);

struct crm_sample {
  uint16_t family;  /* enum crm_family */
  uint16_t n_labels;
  uint32_t labels;  /* offset into set->label_values: tenant, then [the dimensions | account], then the family's own labels */
  struct crm_number value;
};

struct crm_series_set {
  crm_time at;        /* the instant T */
  struct crm_dict text; /* label values */
  const char *dimensions[CRM_DIMENSIONS_MAX]; /* label names of the cells: "segment", "account_owner", ... */
  size_t n_dimensions;
  struct crm_sample *samples;
  size_t n, cap;
  uint32_t *label_values;
  size_t n_label_values, cap_label_values;
  uint64_t accounts_left_out; /* accounts without series of their own because of MaxSeries; set by crm_evaluate */
};

enum crm_status crm_set_init(struct crm_series_set *set) CRM_MUSTCHECK;
void crm_set_free(struct crm_series_set *set);
/* Empties, keeps the memory. */
enum crm_status crm_set_reset(struct crm_series_set *set) CRM_MUSTCHECK;
/* Adds a sample; `labels` are text of the values in the order above, n of them (checked against the catalogue).
 * A non-finite value is dropped silently: undefined is absent (METRICS.md R4).
 * CRM_OK, CRM_ERR_MEMORY, or CRM_ERR_DATA when n or the denominator does not fit (a fault of the caller; nothing is added). */
enum crm_status crm_set_add(struct crm_series_set *set, enum crm_family family, const char *const *labels, size_t n, struct crm_number value) CRM_MUSTCHECK;
/* The same with label values already in set->text (crm_dict_add). */
enum crm_status crm_set_add_ids(struct crm_series_set *set, enum crm_family family, const uint32_t *labels, size_t n, struct crm_number value) CRM_MUSTCHECK;
/* Adds n samples nums[i] / den whose own labels are the same: leading[i * k ...], k numbers each, are those before them. Those with `skip` (may
 * be NULL) set are left out. The same results. */
enum crm_status crm_set_add_column(struct crm_series_set *set, enum crm_family family, const uint32_t *leading, const uint32_t *own, size_t n_own, const int64_t *nums, int64_t den, size_t n, const uint8_t *skip) CRM_MUSTCHECK;
/* Orders samples by family in catalogue order, then by the text of their labels (le by number), so that equal sets are equal bytes. */
enum crm_status crm_set_sort(struct crm_series_set *set) CRM_MUSTCHECK;
/* Name of label `i` of a sample of the family. */
const char *crm_set_label_name(const struct crm_series_set *set, enum crm_family family, size_t i);
static inline const char *crm_set_label_value(const struct crm_series_set *set, const struct crm_sample *s, size_t i) {
  return crm_dict_text(&set->text, set->label_values[s->labels + i]);
}

/* Sums a sorted set over its cells: puts into `out` (emptied by the caller before) each cell family's total per tenant (no dimension labels: n_dimensions of `out` is 0) or, with
 * `dimension` >= 0, per value of that one dimension (n_dimensions of `out` is 1). Other families are copied when dimension < 0.
 * Sums are exact wherever numerator and denominator fit 64 bits. `out` is left sorted. CRM_ERR_DATA when there is no such dimension. */
enum crm_status crm_set_roll_up(const struct crm_series_set *set, int dimension, struct crm_series_set *out) CRM_MUSTCHECK;

#endif
