/* SPDX-License-Identifier: MIT */
/* The COPY text of the demo CRM: one buffer per table, written out in the order of the foreign keys whenever a few megabytes have
 * come together, so that memory stays flat whatever the number of accounts. */
#ifndef DEMO_TABLE_H
#define DEMO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prng.h"

/* In the order in which rows must arrive: what is referenced comes first. */
enum table_id {
  T_ORGANIZATION,
  T_USER,
  T_ACCOUNT,
  T_DETAIL,
  T_GROWTH,
  T_CONTACT,
  T_ENGAGEMENT,
  T_PARTICIPANT,
  T_RESPONSE,
  T_NPS,
  T_HEALTH,
  T_GOAL,
  T_ADOPTION,
  T_SUPPORT,
  T_PRODUCT,
  T_TRACKED,
  T_FINGERPRINT,
  T_SESSION,
  T_USAGE_METRIC,
  T_PLAN,
  T_CONTRACT,
  T_INVOICE,
  T_SIGNAL,
  T_INTERVENTION,
  T_OPPORTUNITY,
  TABLES
};

/* No row is longer than this: every text comes from our own short lists. */
#define ROW_MAX 2048

struct dates {
  int first, n; /* days since 1970-01-01 */
  char (*text)[10];
};

struct table {
  char *buf;
  size_t len, cap;
  const struct dates *dates;
};

struct output {
  struct table tables[TABLES];
  struct dates dates;
  size_t pending; /* bytes in all buffers */
  uint64_t rows, bytes;
};

/* Dates from first_day on are written from a prepared list. False: out of memory. */
bool output_init(struct output *out, int first_day, int n_days);
void output_free(struct output *out);
/* Writes everything that waits to stdout. False: the reader is gone, or the disk is full (errno tells). */
bool output_flush(struct output *out);
bool output_text(struct output *out, const char *text);

/* Starts a row; NULL never (out of memory ends the program with a message: nothing could be saved). */
struct table *row_begin(struct output *out, enum table_id id);
void row_end(struct output *out, struct table *t);

void put_null(struct table *t);
void put_key(struct table *t, const struct key *key);
void put_text(struct table *t, const char *text);
void put_int(struct table *t, int64_t v);
/* v / 10^places */
void put_decimal(struct table *t, int64_t v, int places);
void put_bool(struct table *t, bool v);
void put_day(struct table *t, int day);
/* Seconds since 1970-01-01 00:00 UTC. */
void put_time(struct table *t, int64_t seconds);
/* The same, or NULL for DAY_NONE and TIME_NONE. */
#define DAY_NONE INT32_MIN
#define TIME_NONE INT64_MIN
void put_day_or_null(struct table *t, int day);
void put_time_or_null(struct table *t, int64_t seconds);

int day_from_civil(int year, int month, int day);
void day_to_civil(int days, int *year, int *month, int *day);
/* The same day of the month `months` later, the last of it where the month is too short. */
int day_add_months(int day, int months);
static inline int64_t at_day(int day, int seconds) {
  return (int64_t)day * 86400 + seconds;
}
/* 0 = Monday */
static inline int day_of_week(int day) {
  return (day % 7 + 10) % 7;
}

#endif
