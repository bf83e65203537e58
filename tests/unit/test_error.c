/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void set_fills_and_returns(void **state) {
  (void)state;
  struct crm_error err = {.sqlstate = "42P01"};
  errno = EINTR;
  assert_int_equal(crm_error_set(&err, CRM_ERR_IO, "cannot read %s", "x.sql"), CRM_ERR_IO);
  assert_int_equal(errno, EINTR);
  assert_int_equal(err.status, CRM_ERR_IO);
  assert_string_equal(err.message, "cannot read x.sql");
  assert_string_equal(err.sqlstate, "");
  assert_int_equal(crm_error_set(NULL, CRM_ERR_DATA, "nobody listens"), CRM_ERR_DATA);
}

static void set_may_quote_itself(void **state) {
  (void)state;
  struct crm_error err = {0};
  crm_error_set(&err, CRM_ERR_SQL, "inner");
  crm_error_set(&err, CRM_ERR_MAPPING, "outer: %s", err.message);
  assert_string_equal(err.message, "outer: inner");
}

static void prefix_keeps_status(void **state) {
  (void)state;
  struct crm_error err = {0};
  crm_error_set(&err, CRM_ERR_SQL, "does not exist");
  strcpy(err.sqlstate, "42703");
  errno = EAGAIN;
  assert_int_equal(crm_error_prefix(&err, "relation %s", "usage"), CRM_ERR_SQL);
  assert_int_equal(errno, EAGAIN);
  assert_string_equal(err.message, "relation usage: does not exist");
  assert_string_equal(err.sqlstate, "42703");
  assert_int_equal(crm_error_prefix(NULL, "x"), CRM_OK);
}

static void clear_resets(void **state) {
  (void)state;
  struct crm_error err = {0};
  crm_error_set(&err, CRM_ERR_SQL, "x");
  crm_error_clear(&err);
  assert_int_equal(err.status, CRM_OK);
  assert_string_equal(err.message, "");
  crm_error_clear(NULL);
}

/* Cuts at every alignment of a two-, three- and four-byte character. */
static void long_messages_are_cut_at_a_character(void **state) {
  (void)state;
  static const char *const characters[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  struct crm_error err;
  for (size_t c = 0; c < 4; c++) {
    for (size_t shift = 0; shift < 8; shift++) {
      char text[3 * sizeof(err.message)];
      size_t len = 0;
      while (len < shift)
        text[len++] = '.';
      while (len < 2 * sizeof(err.message)) {
        strcpy(text + len, characters[c]);
        len += strlen(characters[c]);
      }
      crm_error_set(&err, CRM_ERR_DATA, "%s", text);
      size_t kept = strlen(err.message);
      assert_true(kept < sizeof(err.message) && kept > sizeof(err.message) - 8);
      assert_string_equal(err.message + kept - 3, "...");
      assert_true(crm_utf8_valid(err.message, kept));
      assert_memory_equal(err.message, text, kept - 3);

      crm_error_set(&err, CRM_ERR_DATA, "%.*s", 700, text + shift);
      crm_error_prefix(&err, "%.*s", 500, text + shift);
      assert_string_equal(err.message + strlen(err.message) - 3, "...");
    }
  }
}

static void exact_fit_is_not_cut(void **state) {
  (void)state;
  struct crm_error err;
  char text[sizeof(err.message) + 1];
  memset(text, 'x', sizeof(text));
  text[sizeof(err.message) - 1] = '\0';
  crm_error_set(&err, CRM_ERR_DATA, "%s", text);
  assert_string_equal(err.message, text);
}

static void every_status_has_a_name(void **state) {
  (void)state;
  assert_string_equal(crm_status_name(CRM_OK), "ok");
  assert_string_equal(crm_status_name(CRM_ERR_TIMEOUT), "timeout");
  for (int i = CRM_OK; i <= CRM_ERR_LIMIT; i++) {
    assert_string_not_equal(crm_status_name((enum crm_status)i), "unknown");
    for (int j = CRM_OK; j < i; j++)
      assert_string_not_equal(crm_status_name((enum crm_status)i), crm_status_name((enum crm_status)j));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(set_fills_and_returns),
      cmocka_unit_test(set_may_quote_itself),
      cmocka_unit_test(prefix_keeps_status),
      cmocka_unit_test(clear_resets),
      cmocka_unit_test(long_messages_are_cut_at_a_character),
      cmocka_unit_test(exact_fit_is_not_cut),
      cmocka_unit_test(every_status_has_a_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
