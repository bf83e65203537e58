/* SPDX-License-Identifier: MIT */
#include "analytics/local_time.h"

enum crm_status crm_local_time_init(struct crm_context *c, crm_time from, crm_time to, struct crm_local_time *local) {
  const int64_t hour = 3600 * CRM_US_PER_SECOND;
  size_t n = (size_t)((to - from) / hour) + 2;
  int32_t *offset = crm_arena_calloc(c->arena, n, sizeof(*offset));
  if (offset == NULL)
    return crm_no_memory(c);
  for (size_t i = 0; i < n; i++)
    offset[i] = crm_zone_offset(c->params->zone, from + (int64_t)i * hour);
  *local = (struct crm_local_time){.zone = c->params->zone, .from = from, .offset = offset};
  return CRM_OK;
}
