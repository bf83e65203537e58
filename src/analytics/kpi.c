/* SPDX-License-Identifier: MIT */
#include "analytics/kpi.h"

#include <string.h>

void crm_sum_tenants(const struct crm_context *c, const int64_t *cells, int64_t *tenants) {
  memset(tenants, 0, c->facts->n_tenants * sizeof(*tenants));
  for (uint32_t cell = 0; cell < c->n_cells; cell++)
    tenants[c->cell_tenant[cell]] += cells[cell];
}

struct crm_due crm_due_at(const struct crm_context *c) {
  return (struct crm_due){c->at, crm_zone_day_start(c->params->zone, c->day)};
}

enum crm_status crm_kpi_emit(struct crm_context *c, const struct crm_health *health) {
  enum crm_status status = crm_time_to_value_emit(c);
  if (status == CRM_OK)
    status = crm_adoption_emit(c, health);
  if (status == CRM_OK)
    status = crm_goals_emit(c);
  if (status == CRM_OK)
    status = crm_renewals_emit(c);
  return status == CRM_OK ? crm_onboarding_emit(c) : status;
}
