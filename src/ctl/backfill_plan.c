/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "ctl/backfill.h"

#include <stdlib.h>
#include <string.h>

/* More points than any database of metrics wants of one series. */
#define INSTANTS_MAX 10000000

/* "1d", "6h", "30m", "90s", or plain seconds. */
static enum crm_status parse_step(const char *text, struct crm_backfill_plan *plan, struct crm_error *err) {
  char *end;
  long n = strtol(text, &end, 10);
  int64_t seconds = strcmp(end, "d") == 0 ? 86400 : strcmp(end, "h") == 0 ? 3600 : strcmp(end, "m") == 0 ? 60 : 1;
  if (end == text || text[0] == '+' || (end[0] != '\0' && (end[1] != '\0' || strchr("dhms", end[0]) == NULL)) || n <= 0 || n > 10000000 ||
      (end[0] == 'd' && n > 3660))
    return crm_error_set(err, CRM_ERR_CONFIG, "--step: \"%.40s\" is no time between two instants; allowed: 1d, 6h, 30m, 90s and the like",
                         text);
  plan->days = end[0] == 'd' ? (int)n : 0;
  plan->step_us = n * seconds * CRM_US_PER_SECOND;
  return CRM_OK;
}

crm_time crm_backfill_instant(const struct crm_backfill_plan *plan, size_t i) {
  if (plan->days == 0)
    return plan->from + (int64_t)i * plan->step_us;
  crm_day first = crm_zone_day(plan->zone, plan->from);
  crm_time time_of_day = plan->from - crm_zone_day_start(plan->zone, first);
  return crm_zone_day_start(plan->zone, first + (crm_day)i * plan->days) + time_of_day;
}

enum crm_status crm_backfill_plan_make(const struct crm_zone *zone, const char *from, const char *to, const char *step, crm_time now,
                                       struct crm_backfill_plan *plan, struct crm_error *err) {
  *plan = (struct crm_backfill_plan){.zone = zone, .to = now};
  if (from == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG, "--from is missing: the first instant, such as --from 2025-01-01");
  if (step == NULL)
    step = "1d";
  enum crm_status status = parse_step(step, plan, err);
  if (status != CRM_OK)
    return status;
  strncpy(plan->step, step, sizeof(plan->step) - 1);
  status = crm_time_parse(zone, from, &plan->from, err);
  if (status != CRM_OK)
    return crm_error_prefix(err, "--from");
  if (to != NULL) {
    status = crm_time_parse(zone, to, &plan->to, err);
    if (status != CRM_OK)
      return crm_error_prefix(err, "--to");
  }
  if (plan->to > now || plan->from > now)
    return crm_error_set(err, CRM_ERR_CONFIG, "%s lies in the future: what is not known yet cannot be computed",
                         plan->from > now ? "--from" : "--to");
  if (plan->from > plan->to)
    return crm_error_set(err, CRM_ERR_CONFIG, "--from is later than --to");
  int64_t most = (plan->to - plan->from) / plan->step_us + 3; /* a day may be an hour short */
  if (most > INSTANTS_MAX)
    return crm_error_set(err, CRM_ERR_CONFIG, "--step: more than %d instants", INSTANTS_MAX);
  plan->n = (size_t)most;
  while (plan->n > 1 && crm_backfill_instant(plan, plan->n - 1) > plan->to)
    plan->n--;
  return CRM_OK;
}
