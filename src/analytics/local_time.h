/* SPDX-License-Identifier: MIT */
/* The local clock over some months, for many instants. Internal to analytics. */
#ifndef CRM_ANALYTICS_LOCAL_TIME_H
#define CRM_ANALYTICS_LOCAL_TIME_H

#include "analytics/context.h"

/* Asking the zone for each of millions of instants costs more than all that is done with the answer; here its offset is known by the hour.
 */
struct crm_local_time {
  const struct crm_zone *zone;
  crm_time from;
  const int32_t *offset; /* seconds east of UTC at from + i hours */
};

/* Knows (from, to]. CRM_OK or CRM_ERR_MEMORY. */
enum crm_status crm_local_time_init(struct crm_context *c, crm_time from, crm_time to, struct crm_local_time *local) CRM_MUSTCHECK;

static inline int64_t crm_floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

/* Seconds of the local clock since 1970-01-01 00:00 as it shows them. */
static inline int64_t crm_local_second(const struct crm_local_time *local, crm_time at) {
  size_t hour = (size_t)((at - local->from) / (3600 * CRM_US_PER_SECOND));
  int32_t offset = local->offset[hour];
  if (offset != local->offset[hour + 1])
    offset = crm_zone_offset(local->zone, at);
  return crm_floor_div(at, CRM_US_PER_SECOND) + offset;
}
/* As crm_zone_day. */
static inline crm_day crm_local_day(const struct crm_local_time *local, crm_time at) {
  return (crm_day)crm_floor_div(crm_local_second(local, at), 86400);
}
/* 24 x weekday (Monday 0) + hour of the local clock. */
static inline unsigned crm_local_hour_of_week(const struct crm_local_time *local, crm_time at) {
  int64_t since_monday = (crm_local_second(local, at) + 3 * 86400) % (7 * 86400); /* 1970-01-01 was a Thursday */
  return (unsigned)(since_monday < 0 ? since_monday + 7 * 86400 : since_monday) / 3600;
}

#endif
