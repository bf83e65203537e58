/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void validity(void **state) {
  (void)state;
  static const struct {
    const char *name, *text;
    size_t len;
    bool valid;
  } cases[] = {
      {"empty", "", 0, true},
      {"ASCII", "hello", 5, true},
      {"long ASCII", "0123456789abcdef01234567", 24, true},
      {"control characters", "\x01\x1F\x7F", 3, true},
      {"NUL", "a\0b", 3, false},
      {"NUL among eight", "abc\0defghij", 11, false},
      {"U+0080, the first of two bytes", "\xC2\x80", 2, true},
      {"U+07FF, the last of two bytes", "\xDF\xBF", 2, true},
      {"U+0800, the first of three", "\xE0\xA0\x80", 3, true},
      {"U+D7FF, before the surrogates", "\xED\x9F\xBF", 3, true},
      {"U+D800, a surrogate", "\xED\xA0\x80", 3, false},
      {"U+DFFF, a surrogate", "\xED\xBF\xBF", 3, false},
      {"U+E000, after the surrogates", "\xEE\x80\x80", 3, true},
      {"U+FFFF", "\xEF\xBF\xBF", 3, true},
      {"U+10000, the first of four", "\xF0\x90\x80\x80", 4, true},
      {"U+10FFFF, the last", "\xF4\x8F\xBF\xBF", 4, true},
      {"U+110000", "\xF4\x90\x80\x80", 4, false},
      {"overlong NUL", "\xC0\x80", 2, false},
      {"overlong slash", "\xC1\xAF", 2, false},
      {"overlong three", "\xE0\x9F\xBF", 3, false},
      {"overlong four", "\xF0\x8F\xBF\xBF", 4, false},
      {"F5", "\xF5\x80\x80\x80", 4, false},
      {"FF", "\xFF", 1, false},
      {"stray continuation", "a\x80", 2, false},
      {"cut after one of two", "\xC3", 1, false},
      {"cut after two of three", "\xE2\x82", 2, false},
      {"cut after three of four", "\xF0\x9F\x98", 3, false},
      {"bad second of two", "\xC3(", 2, false},
      {"bad third of three", "\xE2\x82(", 3, false},
      {"bad fourth of four", "\xF0\x9F\x98(", 4, false},
      {"Latin-1 behind ASCII",
       "Strassenbahn-Stra\xDF"
       "e",
       19, false},
      {"character behind eight ASCII", "abcdefgh\xC3\xA4ijklmnop\xE2\x82\xAC", 21, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (crm_utf8_valid(cases[i].text, cases[i].len) != cases[i].valid)
      fail_msg("%s", cases[i].name);
}

static void cutting(void **state) {
  (void)state;
  static const struct {
    const char *name, *text;
    size_t limit, expected;
  } cases[] = {
      {"shorter than the limit", "abc", 5, 3},
      {"as long as the limit", "abc", 3, 3},
      {"ASCII", "abc", 2, 2},
      {"nothing", "abc", 0, 0},
      {"between characters", "\xC3\xA4\xC3\xB6", 2, 2},
      {"in the second", "\xC3\xA4\xC3\xB6", 3, 2},
      {"in the first", "\xF0\x9F\x98\x80", 3, 0},
      {"before the last", "a\xE2\x82\xAC", 3, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (crm_utf8_cut(cases[i].text, strlen(cases[i].text), cases[i].limit) != cases[i].expected)
      fail_msg("%s", cases[i].name);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(validity), cmocka_unit_test(cutting)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
