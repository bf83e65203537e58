/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static enum crm_status append(struct crm_batch *batch, struct crm_range range) {
  enum crm_status status = crm_vec_reserve((void **)&batch->ranges, &batch->cap, batch->n + 1, sizeof(*batch->ranges));
  if (status == CRM_OK)
    batch->ranges[batch->n++] = range;
  return status;
}

void crm_batch_free(struct crm_batch *batch) {
  free(batch->ranges);
  *batch = (struct crm_batch){0};
}

enum crm_status crm_batch_cut(struct crm_batch *batch, const struct crm_pick *list, size_t begin, size_t end, size_t size) {
  batch->list = list;
  for (; begin < end; begin += size)
    if (append(batch, (struct crm_range){.begin = begin, .end = end - begin < size ? end : begin + size}) != CRM_OK)
      return CRM_ERR_MEMORY;
  return CRM_OK;
}

void crm_batch_rotate(struct crm_batch *batch) {
  struct crm_range range = batch->ranges[batch->first];
  size_t rest = batch->n - batch->first - 1;
  memmove(&batch->ranges[batch->first], &batch->ranges[batch->first + 1], rest * sizeof(range));
  batch->ranges[batch->n - 1] = range;
}

enum crm_status crm_batch_halve(struct crm_batch *batch, bool last) {
  enum crm_status status = append(batch, (struct crm_range){0});
  if (status != CRM_OK)
    return status;
  struct crm_range *range = crm_batch_first(batch);
  struct crm_range whole = *range;
  size_t middle = whole.begin + (whole.end - whole.begin) / 2;
  memmove(range + 1, range, (batch->n - batch->first - 1) * sizeof(*range));
  range[0] = whole;
  range[0].end = middle;
  range[0].failures = range[0].tries = 0;
  range[1] = range[0];
  range[1].begin = middle;
  range[1].end = whole.end;
  if (last) {
    range[0].half = range[1].half = true;
    crm_batch_rotate(batch);
    crm_batch_rotate(batch);
  }
  return CRM_OK;
}

enum crm_status crm_batch_encode(struct crm_batch *batch, struct crm_encoder *encoder, size_t limit, struct crm_error *err) {
  for (;;) {
    const struct crm_range *range = crm_batch_first(batch);
    size_t n = range->end - range->begin;
    enum crm_status status = crm_encode(encoder, batch->at, batch->list + range->begin, n, &batch->body, err);
    if (status != CRM_OK || batch->body.len <= limit || n <= 1)
      return status;
    status = crm_batch_halve(batch, false);
    if (status != CRM_OK)
      return crm_error_set(err, status, "out of memory");
  }
}
