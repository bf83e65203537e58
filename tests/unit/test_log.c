/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/utf8.h"

struct lines {
  int n;
  enum crm_log_level level;
  char last[4096];
};

static void keep(void *ctx, enum crm_log_level level, const char *message) {
  struct lines *lines = ctx;
  lines->n++;
  lines->level = level;
  snprintf(lines->last, sizeof(lines->last), "%s", message);
}

static void one_line_each(void **state) {
  (void)state;
  struct lines lines = {0};
  struct crm_log log = {keep, &lines};
  crm_log(&log, CRM_LOG_WARNING, "ERROR:  no\nLINE 1: select\t1\r\n");
  assert_int_equal(lines.n, 1);
  assert_int_equal(lines.level, CRM_LOG_WARNING);
  assert_string_equal(lines.last, "ERROR:  no LINE 1: select 1");
  crm_log(&log, CRM_LOG_INFO, "na\xC3\xAFve %d", 7);
  assert_string_equal(lines.last, "na\xC3\xAFve 7");
  crm_log(&log, CRM_LOG_INFO, "%s", "");
  assert_string_equal(lines.last, "");
}

static void long_lines_are_cut(void **state) {
  (void)state;
  struct lines lines = {0};
  struct crm_log log = {keep, &lines};
  char text[3000] = "";
  while (strlen(text) < 2900)
    strcat(text, "\xE2\x82\xAC");
  crm_log(&log, CRM_LOG_INFO, "%s", text);
  size_t len = strlen(lines.last);
  assert_true(len > 1000 && len < 1400);
  assert_string_equal(lines.last + len - 3, "...");
  assert_true(crm_utf8_valid(lines.last, len));
}

static void nobody_listens(void **state) {
  (void)state;
  struct crm_log log = {0};
  crm_log(&log, CRM_LOG_ERROR, "x");
  crm_log(NULL, CRM_LOG_ERROR, "x");
}

#define MINUTE INT64_C(60000000)

static void complaints_come_at_growing_intervals(void **state) {
  (void)state;
  struct lines lines = {0};
  struct crm_log log = {keep, &lines};
  struct crm_complaint c = {0};
  int64_t start = 1000 * MINUTE;
  int told[64];
  int n_told = 0;
  for (int minute = 0; minute < 4 * 24 * 60; minute++) { /* four days, once a minute */
    int before = lines.n;
    crm_complain(&c, start + minute * MINUTE, &log, CRM_LOG_ERROR, "down");
    if (lines.n > before)
      told[n_told++] = minute;
  }
  /* 0, then after 5, 10, 20 ... minutes, and never more than a day apart. */
  static const int expected[] = {0, 5, 15, 35, 75, 155, 315, 635, 1275, 2555, 3995, 5435};
  assert_int_equal(n_told, (int)(sizeof(expected) / sizeof(expected[0])));
  assert_memory_equal(told, expected, sizeof(expected));
  assert_string_equal(lines.last, "down (5436 times since it began)");
  assert_int_equal(lines.level, CRM_LOG_ERROR);

  crm_complaint_clear(&c, &log, "up after %d", 3);
  assert_string_equal(lines.last, "up after 3");
  assert_int_equal(lines.level, CRM_LOG_NOTICE);
  int after = lines.n;
  crm_complaint_clear(&c, &log, "up");
  assert_int_equal(lines.n, after); /* nothing to clear */
  crm_complain(&c, start, &log, CRM_LOG_WARNING, "down again");
  assert_string_equal(lines.last, "down again");
  assert_int_equal(lines.n, after + 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_line_each),
      cmocka_unit_test(long_lines_are_cut),
      cmocka_unit_test(nobody_listens),
      cmocka_unit_test(complaints_come_at_growing_intervals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
