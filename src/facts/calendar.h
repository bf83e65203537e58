/* SPDX-License-Identifier: MIT */
/* Instants, days and months in one time zone, without the process's TZ.
 *
 * An instant is microseconds since the Unix epoch. A day is a number of days since 1970-01-01 in the zone's civil calendar.
 * A zone is an immutable table of transitions that may be shared by threads; GLib reads the system's tz database when it is made. */
#ifndef CRM_FACTS_CALENDAR_H
#define CRM_FACTS_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef int64_t crm_time; /* microseconds since the epoch */
#define CRM_TIME_NONE INT64_MIN
typedef int32_t crm_day; /* civil days since 1970-01-01 */
#define CRM_DAY_NONE INT32_MIN

#define CRM_US_PER_SECOND INT64_C(1000000)
#define CRM_US_PER_DAY (INT64_C(86400) * CRM_US_PER_SECOND)

struct crm_zone;

/* `name` as in the tz database ("Europe/Berlin", "UTC"). CRM_ERR_CONFIG names an unknown zone. The caller frees *zone. */
enum crm_status crm_zone_new(const char *name, struct crm_zone **zone, struct crm_error *err) CRM_MUSTCHECK;
void crm_zone_free(struct crm_zone *zone);
const char *crm_zone_name(const struct crm_zone *zone);

/* Seconds east of UTC at the instant. Rules are known from 1900 to 2200; outside, the nearest known offset holds. */
int32_t crm_zone_offset(const struct crm_zone *zone, crm_time at);
/* The civil day on which the instant falls. */
crm_day crm_zone_day(const struct crm_zone *zone, crm_time at);
/* The first instant of the civil day (where 00:00 does not exist because of a time change, the first instant after the gap;
 * where it occurs twice, the first). */
crm_time crm_zone_day_start(const struct crm_zone *zone, crm_day day);
/* Day of the week 0 = Monday .. 6 = Sunday, and hour 0..23, of the instant in the zone. */
void crm_zone_weekday_hour(const struct crm_zone *zone, crm_time at, int *weekday, int *hour);

/* Proleptic Gregorian calendar. month 1..12. */
crm_day crm_day_from_civil(int year, int month, int day);
void crm_day_to_civil(crm_day day, int *year, int *month, int *day_of_month);

/* Months are counted from 1970-01 = 0. */
int32_t crm_zone_month(const struct crm_zone *zone, crm_time at);
/* First instant of the month in the zone. */
crm_time crm_zone_month_start(const struct crm_zone *zone, int32_t month);
/* "YYYY-MM" and NUL into buf. */
void crm_month_name(int32_t month, char buf[16]);

/* The same local time of day `years` calendar years earlier; 29 Feb -> 28 Feb. A local time inside a gap moves forward by
 * the gap; one that occurs twice is the earlier. */
crm_time crm_zone_years_before(const struct crm_zone *zone, crm_time at, int years);

/* Windows of METRICS.md R2. */
enum crm_window { CRM_WINDOW_7D, CRM_WINDOW_30D, CRM_WINDOW_60D, CRM_WINDOW_90D, CRM_WINDOW_1Y, CRM_WINDOWS };
/* The label value: "7d", "30d", "60d", "90d", "1y". */
const char *crm_window_name(enum crm_window w);
/* T - w: multiples of 24 h; 1y is one calendar year earlier in the zone. The window is (result, T]. */
crm_time crm_window_start(const struct crm_zone *zone, crm_time at, enum crm_window w);

/* Reads "2026-03-01", "2026-03-01T12:00:00Z", "...+02:00", "2026-03-01 12:00[:00]" (a time without offset is of the zone), or
 * "@SECONDS". CRM_ERR_CONFIG with what is allowed. */
enum crm_status crm_time_parse(const struct crm_zone *zone, const char *text, crm_time *at, struct crm_error *err) CRM_MUSTCHECK;
/* RFC 3339 in UTC with seconds, e.g. "2026-03-01T12:00:00Z"; "none" for CRM_TIME_NONE. */
void crm_time_format(crm_time at, char buf[32]);

#endif
