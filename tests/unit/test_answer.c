/* SPDX-License-Identifier: MIT */
/* What a receiver's answer means (EMISSION.md 1.6 and 2.2; RFC 9110), and the pauses after it. Dates were made by date(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "export/answer.h"
#include "export/backoff.h"

static void test_verdict(void **state) {
  static const struct {
    const char *name;
    struct crm_answer answer;
    enum crm_verdict version_1, version_2, otlp;
  } cases[] = {
      {"no answer", {.status = 0}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY},
      {"200", {.status = 200}, CRM_ANSWER_OK, CRM_ANSWER_NOT_UNDERSTOOD, CRM_ANSWER_OK},
      {"204", {.status = 204}, CRM_ANSWER_OK, CRM_ANSWER_NOT_UNDERSTOOD, CRM_ANSWER_OK},
      {"204, written", {.status = 204, .tells_written = true}, CRM_ANSWER_OK, CRM_ANSWER_OK, CRM_ANSWER_OK},
      {"299, written", {.status = 299, .tells_written = true}, CRM_ANSWER_OK, CRM_ANSWER_OK, CRM_ANSWER_OK},
      {"100", {.status = 100}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"302", {.status = 302}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"400", {.status = 400}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"400, some written", {.status = 400, .tells_written = true}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"401", {.status = 401}, CRM_ANSWER_DENIED, CRM_ANSWER_DENIED, CRM_ANSWER_DENIED},
      {"403", {.status = 403}, CRM_ANSWER_DENIED, CRM_ANSWER_DENIED, CRM_ANSWER_DENIED},
      {"404", {.status = 404}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"408", {.status = 408}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"413", {.status = 413}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"415", {.status = 415}, CRM_ANSWER_REJECTED, CRM_ANSWER_NOT_UNDERSTOOD, CRM_ANSWER_REJECTED},
      {"429", {.status = 429}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY},
      {"500", {.status = 500}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_REJECTED},
      {"501", {.status = 501}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_REJECTED},
      {"502", {.status = 502}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY},
      {"503", {.status = 503}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY},
      {"504", {.status = 504}, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY, CRM_ANSWER_RETRY},
      {"600", {.status = 600}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
      {"999", {.status = 999}, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED, CRM_ANSWER_REJECTED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("# %s\n", cases[i].name);
    assert_int_equal(crm_answer_verdict(CRM_REMOTE_WRITE_1, &cases[i].answer), cases[i].version_1);
    assert_int_equal(crm_answer_verdict(CRM_REMOTE_WRITE_2, &cases[i].answer), cases[i].version_2);
    assert_int_equal(crm_answer_verdict(CRM_OTLP, &cases[i].answer), cases[i].otlp);
  }
}

static void test_retry_after(void **state) {
  const crm_time now = INT64_C(784111700) * CRM_US_PER_SECOND; /* 1994-11-06 08:48:20 UTC */
  static const struct {
    const char *text;
    int64_t seconds; /* -1: none */
  } cases[] = {
      {"0", 0},
      {"120", 120},
      {" \t7 \r\n", 7},
      {"007", 7},
      {"31622400", 31622400},
      {"31622401", 31622400}, /* at most a year */
      {"99999999999999999999999999", 31622400},
      {"", -1},
      {" ", -1},
      {"-1", -1},
      {"1.5", -1},
      {"1 2", -1},
      {"soon", -1},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 77},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 77},
      {"Sun Nov  6 08:49:37 1994", 77},
      {"Sun Nov 16 08:49:37 1994", 864077},
      {"Sun, 06 Nov 1994 08:48:20 GMT", 0},
      {"Sat, 05 Nov 1994 08:49:37 GMT", 0},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 31622400},
      {"Wed, 07-Nov-69 08:49:37 GMT", 31622400}, /* 2069 */
      {"Sun, 06 Nov 1994 08:49:37 CET", -1},
      {"Sun, 06 Nov 1994 08:49:37", -1},
      {"Sun, 06 Nov 1994 08:49 GMT", -1},
      {"Sun, 06 Nox 1994 08:49:37 GMT", -1},
      {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
      {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
      {"Sun, 06 Nov 1994 08:61:37 GMT", -1},
      {"Sun, 06 Nov 1994 08:49:37 GMT x", -1},
      {"Sun,06 Nov 1994 08:49:37 GMT", -1},
      {"Sun Nov", -1},
      {"Sun Nov  6 08:49:37 94", -1},
      {"Sun,", -1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    print_message("# %zu\n", i);
    int64_t us = cases[i].seconds < 0 ? -1 : cases[i].seconds * CRM_US_PER_SECOND;
    assert_int_equal(crm_retry_after(cases[i].text, strlen(cases[i].text), now), us);
  }
  assert_int_equal(crm_retry_after("123456", 2, now), 12 * CRM_US_PER_SECOND); /* not beyond its length */
}

static void test_otlp(void **state) {
  static const struct {
    const char *name, *bytes;
    size_t len;
    bool valid;
    int64_t rejected;
    const char *message;
  } cases[] = {
      {"empty", "", 0, true, 0, ""},
      {"no partial success", "\x0a\x00", 2, true, 0, ""},
      {"rejected", "\x0a\x03\x08\xac\x02", 5, true, 300, ""},
      {"rejected with a message", "\x0a\x09\x08\x02\x12\x05quota", 11, true, 2, "quota"},
      {"a warning", "\x0a\x07\x12\x05quota", 9, true, 0, "quota"},
      {"fields that are new", "\x0a\x1b\x08\x02\x18\x07\x25\x01\x02\x03\x04\x29\x01\x02\x03\x04\x05\x06\x07\x08\x32\x01x\x12\x02hm\x08\x03",
       29, true, 3, "hm"},
      {"less than none", "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, true, 0, ""},
      {"a message that is no text", "\x0a\x05\x08\x01\x12\x01\xff", 7, true, 1, ""},
      {"cut", "\x0a\x09\x08\x02\x12\x05quo", 9, false, 0, ""},
      {"cut inside", "\x0a\x05\x08\x02\x12\x05q", 7, false, 0, ""},
      {"a number without an end", "\x0a\x03\x08\xff\xff", 5, false, 0, ""},
      {"a number too long", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, false, 0, ""},
      {"field 0", "\x00\x01", 2, false, 0, ""},
      {"a group", "\x0b", 1, false, 0, ""},
      {"a page", "<html>", 6, false, 0, ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_otlp_answer answer;
    print_message("# %s\n", cases[i].name);
    assert_int_equal(crm_otlp_answer_parse(cases[i].bytes, cases[i].len, &answer), cases[i].valid);
    assert_int_equal(answer.rejected, cases[i].rejected);
    assert_string_equal(answer.message, cases[i].message);
  }
  char longer[400];
  struct crm_otlp_answer answer;
  memset(longer, 'x', sizeof(longer));
  memcpy(longer, "\x0a\x84\x03\x12\x81\x03", 6);
  assert_true(crm_otlp_answer_parse(longer, 6 + 385, &answer));
  assert_int_equal(strlen(answer.message), sizeof(answer.message) - 1);
}

static void test_backoff(void **state) {
  for (int round = 0; round < 200; round++) {
    struct crm_backoff backoff = {.min_us = 1000000, .max_us = 60000000};
    int64_t steps[] = {1000000, 2000000, 4000000, 8000000, 16000000, 32000000, 60000000, 60000000, 60000000}, before = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
      int64_t pause = crm_backoff_next(&backoff, -1);
      assert_in_range(pause, steps[i] / 5 * 4, steps[i]);
      assert_true(pause >= before / 5 * 4);
      before = pause;
    }
    crm_backoff_reset(&backoff);
    assert_in_range(crm_backoff_next(&backoff, -1), 800000, 1000000);
    /* What the receiver asked for takes the place of it, within bounds, and the steps go on. */
    assert_in_range(crm_backoff_next(&backoff, 5000000), 5000000, 5500000);
    assert_in_range(crm_backoff_next(&backoff, 0), 1000000, 1100000);
    assert_in_range(crm_backoff_next(&backoff, INT64_MAX), 600000000, 660000000);
    assert_in_range(crm_backoff_next(&backoff, -1), 12800000, 16000000);
  }
  /* Chance spreads the hosts. */
  struct crm_backoff one = {.min_us = 1000000, .max_us = 60000000};
  int64_t low = INT64_MAX, high = 0;
  for (int i = 0; i < 200; i++) {
    crm_backoff_reset(&one);
    int64_t pause = crm_backoff_next(&one, -1);
    low = pause < low ? pause : low;
    high = pause > high ? pause : high;
  }
  assert_true(high - low > 100000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_verdict),
      cmocka_unit_test(test_retry_after),
      cmocka_unit_test(test_otlp),
      cmocka_unit_test(test_backoff),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
