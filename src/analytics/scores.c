/* SPDX-License-Identifier: MIT */
#include "analytics/scores.h"

#include <stdio.h>

double *crm_column(struct crm_context *c) {
  double *column = crm_arena_alloc(c->arena, c->n * sizeof(*column));
  if (column == NULL)
    return NULL;
  for (uint32_t i = 0; i < c->n; i++)
    column[i] = NAN;
  return column;
}

#define BUCKETS 11 /* le 10, 20 .. 100, +Inf */

static unsigned bucket_of(double score) {
  unsigned b = 0;
  while (b < BUCKETS - 1 && score > 10.0 * (b + 1))
    b++;
  return b;
}

static enum crm_status emit_average(struct crm_context *c, const int64_t *points, const int64_t *accounts, enum crm_family family) {
  int64_t *sum = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*sum));
  int64_t *count = crm_arena_calloc(c->arena, c->facts->n_tenants, sizeof(*count));
  if (sum == NULL || count == NULL)
    return crm_no_memory(c);
  for (uint32_t cell = 0; cell < c->n_cells; cell++) {
    sum[c->cell_tenant[cell]] += points[cell];
    count[c->cell_tenant[cell]] += accounts[cell];
  }
  for (uint16_t t = 0; t < c->facts->n_tenants; t++) {
    if (count[t] == 0)
      continue;
    enum crm_status status = crm_emit_tenant(c, family, t, NULL, 0, crm_number_ratio(sum[t], count[t] * CRM_POINT));
    if (status != CRM_OK)
      return status;
  }
  return CRM_OK;
}

enum crm_status crm_emit_scores(struct crm_context *c, const double *score, enum crm_family accounts, enum crm_family points,
                                enum crm_family average) {
  int64_t *bucket = crm_arena_calloc(c->arena, (size_t)c->n_cells * BUCKETS, sizeof(*bucket));
  int64_t *sum = crm_arena_calloc(c->arena, c->n_cells, sizeof(*sum));
  if (bucket == NULL || sum == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i) || isnan(score[i]))
      continue;
    bucket[(size_t)bucket_of(score[i]) * c->n_cells + c->cell[i]]++;
    sum[c->cell[i]] += crm_points(score[i]);
  }
  enum crm_status status = CRM_OK;
  for (unsigned b = 0; b < BUCKETS && status == CRM_OK; b++) {
    int64_t *here = bucket + (size_t)b * c->n_cells;
    if (b > 0)
      for (uint32_t cell = 0; cell < c->n_cells; cell++)
        here[cell] += here[(ptrdiff_t)cell - (ptrdiff_t)c->n_cells];
    char le[16];
    snprintf(le, sizeof(le), "%u", 10 * (b + 1));
    const char *own[] = {b == BUCKETS - 1 ? "+Inf" : le};
    status = crm_emit_cells(c, accounts, own, 1, here, 1, NULL);
  }
  if (status == CRM_OK)
    status = crm_emit_cells(c, points, NULL, 0, sum, CRM_POINT, NULL);
  return status == CRM_OK ? emit_average(c, sum, bucket + (size_t)(BUCKETS - 1) * c->n_cells, average) : status;
}

enum crm_status crm_emit_parts(struct crm_context *c, const double *value, double scale, enum crm_family points, enum crm_family accounts,
                               const char *const *own, size_t n_own) {
  int64_t *sum = crm_arena_calloc(c->arena, c->n_cells, sizeof(*sum));
  int64_t *count = crm_arena_calloc(c->arena, c->n_cells, sizeof(*count));
  if (sum == NULL || count == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++) {
    if (!crm_open(c, i) || isnan(value[i]))
      continue;
    sum[c->cell[i]] += crm_points(scale * value[i]);
    count[c->cell[i]]++;
  }
  enum crm_status status = crm_emit_cells(c, points, own, n_own, sum, CRM_POINT, NULL);
  return status == CRM_OK ? crm_emit_cells(c, accounts, own, n_own, count, 1, NULL) : status;
}

enum crm_status crm_emit_bands(struct crm_context *c, const uint8_t *band, unsigned n_bands, const char *(*name)(unsigned),
                               enum crm_family family) {
  int64_t *count = crm_arena_calloc(c->arena, (size_t)c->n_cells * n_bands, sizeof(*count));
  if (count == NULL)
    return crm_no_memory(c);
  for (uint32_t i = 0; i < c->n; i++)
    if (crm_open(c, i))
      count[(size_t)band[i] * c->n_cells + c->cell[i]]++;
  enum crm_status status = CRM_OK;
  for (unsigned b = 0; b < n_bands && status == CRM_OK; b++) {
    const char *own[] = {name(b)};
    status = crm_emit_cells(c, family, own, 1, count + (size_t)b * c->n_cells, 1, NULL);
  }
  return status;
}
