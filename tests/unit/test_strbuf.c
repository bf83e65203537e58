/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "base/vec.h"

static void empty_is_a_text(void **state) {
  (void)state;
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 10);
  assert_string_equal(crm_strbuf_str(&buf), "");
  char *taken = crm_strbuf_take(&buf);
  assert_string_equal(taken, "");
  free(taken);
  crm_strbuf_free(&buf);
}

static void pieces_are_appended(void **state) {
  (void)state;
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 100000);
  crm_strbuf_adds(&buf, "one");
  crm_strbuf_addc(&buf, ' ');
  crm_strbuf_add(&buf, "two and more", 3);
  crm_strbuf_addf(&buf, " %d %s", 3, "four");
  assert_string_equal(crm_strbuf_str(&buf), "one two 3 four");
  assert_int_equal(buf.len, 14);
  crm_strbuf_addf(&buf, "%5000s|", "x"); /* longer than the room there is */
  assert_int_equal(buf.len, 14 + 5001);
  assert_true(crm_strbuf_ok(&buf));
  assert_string_equal(crm_strbuf_str(&buf) + 14 + 4999, "x|");
  crm_strbuf_reset(&buf);
  assert_string_equal(crm_strbuf_str(&buf), "");
  crm_strbuf_adds(&buf, "again");
  char *taken = crm_strbuf_take(&buf);
  assert_string_equal(taken, "again");
  assert_int_equal(buf.len, 0);
  free(taken);
  crm_strbuf_free(&buf);
}

static void ceiling_is_exact(void **state) {
  (void)state;
  struct {
    const char *name;
    size_t ceiling, len;
    bool ok;
  } cases[] = {{"just fits", 1000, 1000, true},
               {"one too many", 1000, 1001, false},
               {"nothing allowed", 0, 1, false},
               {"nothing needed", 0, 0, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int formatted = 0; formatted < 2; formatted++) {
      struct crm_strbuf buf;
      crm_strbuf_init(&buf, cases[i].ceiling);
      for (size_t n = 0; n < cases[i].len; n++) {
        if (formatted)
          crm_strbuf_addf(&buf, "%c", 'a');
        else
          crm_strbuf_addc(&buf, 'a');
      }
      if (crm_strbuf_ok(&buf) != cases[i].ok)
        fail_msg("%s (formatted %d): ok is %d", cases[i].name, formatted, crm_strbuf_ok(&buf));
      assert_true((crm_strbuf_str(&buf) != NULL) == cases[i].ok);
      crm_strbuf_free(&buf);
    }
  }
}

static void failed_stays_failed(void **state) {
  (void)state;
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 4);
  crm_strbuf_adds(&buf, "12345");
  assert_false(crm_strbuf_ok(&buf));
  crm_strbuf_addc(&buf, 'x');
  crm_strbuf_addf(&buf, "%d", 1);
  assert_null(crm_strbuf_str(&buf));
  assert_null(crm_strbuf_take(&buf));
  crm_strbuf_init(&buf, 4);
  crm_strbuf_addf(&buf, "%s", "12345");
  assert_false(crm_strbuf_ok(&buf));
  crm_strbuf_reset(&buf);
  crm_strbuf_adds(&buf, "1234");
  assert_string_equal(crm_strbuf_str(&buf), "1234");
  crm_strbuf_free(&buf);
}

static void vec_doubles(void **state) {
  (void)state;
  void *data = NULL;
  size_t cap = 0;
  assert_int_equal(crm_vec_reserve(&data, &cap, 1, 8), CRM_OK);
  assert_true(cap >= 1);
  memset(data, 1, cap * 8);
  size_t before = cap;
  assert_int_equal(crm_vec_reserve(&data, &cap, before, 8), CRM_OK);
  assert_int_equal(cap, before);
  assert_int_equal(crm_vec_reserve(&data, &cap, before + 1, 8), CRM_OK);
  assert_true(cap >= 2 * before);
  assert_int_equal(((unsigned char *)data)[before * 8 - 1], 1);
  before = cap;
  void *kept = data;
  assert_int_equal(crm_vec_reserve(&data, &cap, SIZE_MAX / 4, 8), CRM_ERR_MEMORY);
  assert_int_equal(cap, before);
  assert_ptr_equal(data, kept);
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_is_a_text),     cmocka_unit_test(pieces_are_appended), cmocka_unit_test(ceiling_is_exact),
      cmocka_unit_test(failed_stays_failed), cmocka_unit_test(vec_doubles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
