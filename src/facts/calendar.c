/* SPDX-License-Identifier: MIT */
#include "facts/calendar.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define FIRST_KNOWN INT64_C(-2208988800) /* 1900-01-01T00:00:00Z */
#define LAST_KNOWN INT64_C(7258118400)   /* 2200-01-01T00:00:00Z */
#define SECONDS_PER_DAY INT64_C(86400)
#define LAST_DAY 106000000 /* its microseconds still fit in 64 bits; some 290,000 years */

/* Span i holds from since[i] (inclusive) to since[i + 1], with offset[i] seconds east of UTC; since[0] is the beginning of time. */
struct crm_zone {
  char *name;
  size_t n;
  int64_t *since;
  int32_t *offset;
};

static int64_t floor_div(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

struct table {
  struct crm_zone *zone;
  GTimeZone *glib;
  size_t since_cap, offset_cap;
};

static int interval_at(const struct table *t, int64_t at) {
  return g_time_zone_find_interval(t->glib, G_TIME_TYPE_UNIVERSAL, at);
}

static enum crm_status add_span(struct table *t, int64_t since, int32_t offset) {
  struct crm_zone *zone = t->zone;
  if (zone->n > 0 && zone->offset[zone->n - 1] == offset)
    return CRM_OK; /* only the abbreviation or the DST mark changed */
  void *data = zone->since;
  enum crm_status status = crm_vec_reserve(&data, &t->since_cap, zone->n + 1, sizeof(*zone->since));
  zone->since = data;
  if (status != CRM_OK)
    return status;
  data = zone->offset;
  status = crm_vec_reserve(&data, &t->offset_cap, zone->n + 1, sizeof(*zone->offset));
  zone->offset = data;
  if (status != CRM_OK)
    return status;
  zone->since[zone->n] = since;
  zone->offset[zone->n] = offset;
  zone->n++;
  return CRM_OK;
}

/* Adds every transition in (low, high]. GLib numbers its intervals in the order of time but does not tell where they begin: bisection. */
static enum crm_status add_transitions(struct table *t, int64_t low, int low_interval, int64_t high, int high_interval) {
  if (low_interval == high_interval)
    return CRM_OK;
  if (high - low == 1)
    return add_span(t, high, g_time_zone_get_offset(t->glib, high_interval));
  int64_t middle = low + (high - low) / 2;
  int middle_interval = interval_at(t, middle);
  enum crm_status status = add_transitions(t, low, low_interval, middle, middle_interval);
  return status == CRM_OK ? add_transitions(t, middle, middle_interval, high, high_interval) : status;
}

enum crm_status crm_zone_new(const char *name, struct crm_zone **out, struct crm_error *err) {
  struct table t = {.glib = name[0] == '\0' ? NULL : g_time_zone_new_identifier(name)};
  if (t.glib == NULL)
    return crm_error_set(err, CRM_ERR_CONFIG,
                         "unknown time zone \"%s\": a name of the tz database is needed, such as \"Europe/Berlin\" or \"UTC\"", name);
  struct crm_zone *zone = calloc(1, sizeof(*zone));
  if (zone == NULL) {
    g_time_zone_unref(t.glib);
    return crm_error_set(err, CRM_ERR_MEMORY, "out of memory");
  }
  t.zone = zone;
  zone->name = strdup(name);
  int first = interval_at(&t, FIRST_KNOWN);
  enum crm_status status = zone->name == NULL ? CRM_ERR_MEMORY : add_span(&t, INT64_MIN, g_time_zone_get_offset(t.glib, first));
  if (status == CRM_OK)
    status = add_transitions(&t, FIRST_KNOWN, first, LAST_KNOWN, interval_at(&t, LAST_KNOWN));
  g_time_zone_unref(t.glib);
  if (status != CRM_OK) {
    crm_zone_free(zone);
    return crm_error_set(err, status, "out of memory");
  }
  *out = zone;
  return CRM_OK;
}

void crm_zone_free(struct crm_zone *zone) {
  if (zone == NULL)
    return;
  free(zone->name);
  free(zone->since);
  free(zone->offset);
  free(zone);
}

const char *crm_zone_name(const struct crm_zone *zone) {
  return zone->name;
}

/* The span in which the UTC second lies. */
static size_t span_at(const struct crm_zone *zone, int64_t second) {
  size_t low = 0;
  size_t n = zone->n;
  while (n > 1) {
    size_t half = n / 2;
    if (zone->since[low + half] <= second)
      low += half;
    n -= half;
  }
  return low;
}

/* --- instants to local time --------------------------------------------------------------------------------------- */

int32_t crm_zone_offset(const struct crm_zone *zone, crm_time at) {
  return zone->offset[span_at(zone, floor_div(at, CRM_US_PER_SECOND))];
}

/* Seconds of the local clock since 1970-01-01T00:00 of that clock. */
static int64_t local_second(const struct crm_zone *zone, crm_time at) {
  int64_t second = floor_div(at, CRM_US_PER_SECOND);
  return second + zone->offset[span_at(zone, second)];
}

crm_day crm_zone_day(const struct crm_zone *zone, crm_time at) {
  if (at == CRM_TIME_NONE)
    return CRM_DAY_NONE;
  return (crm_day)floor_div(local_second(zone, at), SECONDS_PER_DAY);
}

void crm_zone_weekday_hour(const struct crm_zone *zone, crm_time at, int *weekday, int *hour) {
  int64_t local = local_second(zone, at);
  int64_t day = floor_div(local, SECONDS_PER_DAY);
  int64_t since_monday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
  *weekday = (int)(since_monday < 0 ? since_monday + 7 : since_monday);
  *hour = (int)((local - day * SECONDS_PER_DAY) / 3600);
}

/* --- local time to instants --------------------------------------------------------------------------------------- */

/* The first UTC second at which the local clock shows `local`. Where it never does, the clock jumped over it at `*gap_end` (a UTC second;
 * INT64_MIN otherwise), and the result is the second at which it would have shown it without the jump. */
static int64_t resolve(const struct crm_zone *zone, int64_t local, int64_t *gap_end) {
  *gap_end = INT64_MIN;
  /* No offset reaches 24 h, so the spans before this one all ended before the local clock could show `local`. */
  size_t i = span_at(zone, local - SECONDS_PER_DAY);
  while (i + 1 < zone->n && local >= zone->since[i + 1] + zone->offset[i])
    i++;
  if (i > 0 && local < zone->since[i] + zone->offset[i]) {
    *gap_end = zone->since[i];
    return local - zone->offset[i - 1];
  }
  return local - zone->offset[i];
}

crm_time crm_zone_day_start(const struct crm_zone *zone, crm_day day) {
  if (day == CRM_DAY_NONE)
    return CRM_TIME_NONE;
  if (day > LAST_DAY || day < -LAST_DAY)
    day = day > 0 ? LAST_DAY : -LAST_DAY;
  int64_t gap_end;
  int64_t second = resolve(zone, day * SECONDS_PER_DAY, &gap_end);
  return (gap_end != INT64_MIN ? gap_end : second) * CRM_US_PER_SECOND;
}

/* --- civil dates (proleptic Gregorian) ---------------------------------------------------------------------------- */

/* Days are counted in years that begin in March, so that the leap day is the last of its year, and in eras of 400 years = 146097 days.
 * Formula: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days. */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define DAYS_PER_ERA 146097

crm_day crm_day_from_civil(int year, int month, int day) {
  int64_t y = month <= 2 ? (int64_t)year - 1 : year;
  int64_t era = floor_div(y, 400);
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (crm_day)(era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970);
}

void crm_day_to_civil(crm_day day, int *year, int *month, int *day_of_month) {
  int64_t z = (int64_t)day + DAYS_TO_1970;
  int64_t era = floor_div(z, DAYS_PER_ERA);
  int64_t day_of_era = z - era * DAYS_PER_ERA;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t march_month = (5 * day_of_year + 2) / 153;
  *day_of_month = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
  *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
  *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* --- months and years --------------------------------------------------------------------------------------------- */

int32_t crm_zone_month(const struct crm_zone *zone, crm_time at) {
  int year, month, day;
  crm_day_to_civil(crm_zone_day(zone, at), &year, &month, &day);
  return (int32_t)((year - 1970) * 12 + month - 1);
}

static void month_to_civil(int32_t number, int *year, int *month) {
  int64_t y = floor_div(number, 12);
  *year = (int)(1970 + y);
  *month = (int)(number - y * 12) + 1;
}

crm_time crm_zone_month_start(const struct crm_zone *zone, int32_t number) {
  int year, month;
  month_to_civil(number, &year, &month);
  return crm_zone_day_start(zone, crm_day_from_civil(year, month, 1));
}

void crm_month_name(int32_t number, char buf[16]) {
  int year, month;
  month_to_civil(number, &year, &month);
  snprintf(buf, 16, "%04d-%02u", year, (unsigned)month % 100);
}

crm_time crm_zone_years_before(const struct crm_zone *zone, crm_time at, int years) {
  if (at == CRM_TIME_NONE)
    return CRM_TIME_NONE;
  int64_t local = local_second(zone, at);
  int64_t local_day = floor_div(local, SECONDS_PER_DAY);
  int year, month, day;
  crm_day_to_civil((crm_day)local_day, &year, &month, &day);
  year -= years;
  if (day > days_in_month(year, month))
    day = days_in_month(year, month); /* 29 Feb -> 28 Feb */
  int64_t second_of_day = local - local_day * SECONDS_PER_DAY;
  int64_t gap_end;
  int64_t second = resolve(zone, crm_day_from_civil(year, month, day) * SECONDS_PER_DAY + second_of_day, &gap_end);
  int64_t fraction = at - floor_div(at, CRM_US_PER_SECOND) * CRM_US_PER_SECOND;
  return second * CRM_US_PER_SECOND + fraction;
}

/* --- windows ------------------------------------------------------------------------------------------------------ */

const char *crm_window_name(enum crm_window w) {
  static const char *const names[CRM_WINDOWS] = {"7d", "30d", "60d", "90d", "1y"};
  return (unsigned)w < CRM_WINDOWS ? names[w] : NULL;
}

crm_time crm_window_start(const struct crm_zone *zone, crm_time at, enum crm_window w) {
  switch (w) {
  case CRM_WINDOW_7D:
    return at - 7 * CRM_US_PER_DAY;
  case CRM_WINDOW_30D:
    return at - 30 * CRM_US_PER_DAY;
  case CRM_WINDOW_60D:
    return at - 60 * CRM_US_PER_DAY;
  case CRM_WINDOW_90D:
    return at - 90 * CRM_US_PER_DAY;
  case CRM_WINDOW_1Y:
  case CRM_WINDOWS:
    break;
  }
  return crm_zone_years_before(zone, at, 1);
}

/* --- text --------------------------------------------------------------------------------------------------------- */

/* Reads exactly `digits` decimal digits. */
static bool read_digits(const char **p, int digits, int *value) {
  int v = 0;
  for (int i = 0; i < digits; i++) {
    if ((*p)[i] < '0' || (*p)[i] > '9')
      return false;
    v = v * 10 + ((*p)[i] - '0');
  }
  *p += digits;
  *value = v;
  return true;
}

static bool read_char(const char **p, char c) {
  if (**p != c)
    return false;
  (*p)++;
  return true;
}

static bool read_date(const char **p, crm_day *out) {
  int year, month, day;
  if (!read_digits(p, 4, &year) || !read_char(p, '-') || !read_digits(p, 2, &month) || !read_char(p, '-') || !read_digits(p, 2, &day))
    return false;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return false;
  *out = crm_day_from_civil(year, month, day);
  return true;
}

/* HH:MM[:SS[.ffffff]] */
static bool read_time_of_day(const char **p, int64_t *us) {
  int hour, minute, second = 0;
  int64_t fraction = 0;
  if (!read_digits(p, 2, &hour) || !read_char(p, ':') || !read_digits(p, 2, &minute))
    return false;
  if (read_char(p, ':')) {
    if (!read_digits(p, 2, &second))
      return false;
    if (read_char(p, '.')) {
      int64_t unit = CRM_US_PER_SECOND;
      int digit;
      while (unit > 1 && read_digits(p, 1, &digit)) {
        unit /= 10;
        fraction += digit * unit;
      }
      if (unit == CRM_US_PER_SECOND)
        return false;
    }
  }
  if (hour > 23 || minute > 59 || second > 59)
    return false;
  *us = (hour * INT64_C(3600) + minute * 60 + second) * CRM_US_PER_SECOND + fraction;
  return true;
}

/* Z or +HH:MM or -HH:MM */
static bool read_offset(const char **p, int64_t *seconds) {
  if (read_char(p, 'Z') || read_char(p, 'z')) {
    *seconds = 0;
    return true;
  }
  bool west = **p == '-';
  int hours, minutes;
  if ((!read_char(p, '+') && !read_char(p, '-')) || !read_digits(p, 2, &hours) || !read_char(p, ':') || !read_digits(p, 2, &minutes))
    return false;
  if (hours > 23 || minutes > 59)
    return false;
  *seconds = (hours * INT64_C(3600) + minutes * 60) * (west ? -1 : 1);
  return true;
}

static bool read_epoch(const char *p, crm_time *at) {
  bool negative = read_char(&p, '-');
  int64_t seconds = 0;
  int digits = 0;
  int digit;
  while (digits < 12 && read_digits(&p, 1, &digit)) {
    seconds = seconds * 10 + digit;
    digits++;
  }
  if (digits == 0 || *p != '\0')
    return false;
  *at = (negative ? -seconds : seconds) * CRM_US_PER_SECOND;
  return true;
}

static bool read_instant(const struct crm_zone *zone, const char *p, crm_time *at) {
  if (read_char(&p, '@'))
    return read_epoch(p, at);
  crm_day day;
  if (!read_date(&p, &day))
    return false;
  if (*p == '\0') {
    *at = crm_zone_day_start(zone, day);
    return true;
  }
  int64_t us;
  if ((!read_char(&p, 'T') && !read_char(&p, 't') && !read_char(&p, ' ')) || !read_time_of_day(&p, &us))
    return false;
  int64_t local = day * SECONDS_PER_DAY + us / CRM_US_PER_SECOND;
  int64_t second;
  if (*p == '\0') {
    int64_t gap_end;
    second = resolve(zone, local, &gap_end);
  } else {
    int64_t offset;
    if (!read_offset(&p, &offset) || *p != '\0')
      return false;
    second = local - offset;
  }
  *at = second * CRM_US_PER_SECOND + us % CRM_US_PER_SECOND;
  return true;
}

enum crm_status crm_time_parse(const struct crm_zone *zone, const char *text, crm_time *at, struct crm_error *err) {
  if (read_instant(zone, text, at))
    return CRM_OK;
  return crm_error_set(err, CRM_ERR_CONFIG,
                       "\"%s\" is not an instant: allowed are 2026-03-01, 2026-03-01T12:00:00Z, 2026-03-01T12:00:00+02:00, "
                       "\"2026-03-01 12:00\" (of the time zone %s) and @SECONDS since 1970",
                       text, zone->name);
}

void crm_time_format(crm_time at, char buf[32]) {
  if (at == CRM_TIME_NONE) {
    strcpy(buf, "none");
    return;
  }
  int64_t second = floor_div(at, CRM_US_PER_SECOND);
  int64_t day = floor_div(second, SECONDS_PER_DAY);
  int of_day = (int)(second - day * SECONDS_PER_DAY);
  int year, month, day_of_month;
  crm_day_to_civil((crm_day)day, &year, &month, &day_of_month);
  snprintf(buf, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day_of_month, of_day / 3600, of_day / 60 % 60, of_day % 60);
}
