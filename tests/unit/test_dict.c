/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "facts/dict.h"

static uint32_t add(struct crm_dict *dict, const char *text, size_t len) {
  uint32_t number = CRM_DICT_NONE;
  assert_int_equal(crm_dict_add(dict, text, len, &number), CRM_OK);
  return number;
}

static void empty_is_zero(void **state) {
  (void)state;
  struct crm_dict dict;
  assert_int_equal(crm_dict_init(&dict), CRM_OK);
  assert_int_equal(dict.count, 1);
  assert_int_equal(add(&dict, "", 0), 0);
  assert_int_equal(add(&dict, NULL, 0), 0);
  assert_int_equal(crm_dict_find(&dict, NULL, 0), 0);
  assert_string_equal(crm_dict_text(&dict, 0), "");
  assert_int_equal(crm_dict_len(&dict, 0), 0);
  crm_dict_free(&dict);
  assert_int_equal(crm_dict_bytes(&dict), 0);
  crm_dict_free(&dict);
}

static void strings_keep_their_number(void **state) {
  (void)state;
  struct crm_dict dict;
  assert_int_equal(crm_dict_init(&dict), CRM_OK);
  enum { N = 50000 }; /* many growths of everything */
  char text[300];
  for (uint32_t i = 0; i < N; i++) {
    int len = snprintf(text, sizeof(text), "%0*u", (int)(1 + i % 40), i);
    assert_int_equal(crm_dict_find(&dict, text, (size_t)len), CRM_DICT_NONE);
    assert_int_equal(add(&dict, text, (size_t)len), i + 1);
    assert_int_equal(add(&dict, text, (size_t)len), i + 1);
  }
  assert_int_equal(dict.count, N + 1);
  for (uint32_t i = 0; i < N; i++) {
    int len = snprintf(text, sizeof(text), "%0*u", (int)(1 + i % 40), i);
    assert_int_equal(crm_dict_find(&dict, text, (size_t)len), i + 1);
    assert_string_equal(crm_dict_text(&dict, i + 1), text);
    assert_int_equal(crm_dict_len(&dict, i + 1), len);
  }
  size_t bytes = crm_dict_bytes(&dict);
  assert_true(bytes > N * 20u && bytes < N * 100u);
  crm_dict_free(&dict);
}

/* Strings of all lengths that differ in one byte, at each place, or in their length only. */
static void near_strings_are_apart(void **state) {
  (void)state;
  struct crm_dict dict;
  assert_int_equal(crm_dict_init(&dict), CRM_OK);
  char text[80];
  uint32_t expected = 1;
  for (size_t len = 1; len <= 70; len++) {
    memset(text, 'a', sizeof(text));
    assert_int_equal(add(&dict, text, len), expected++);
    for (size_t at = 0; at < len; at++) {
      text[at] = 'b';
      assert_int_equal(crm_dict_find(&dict, text, len), CRM_DICT_NONE);
      assert_int_equal(add(&dict, text, len), expected++);
      text[at] = 'a';
    }
  }
  crm_dict_free(&dict);
}

static void hash_depends_on_the_seed_and_mixes(void **state) {
  (void)state;
  static const char text[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  assert_true(crm_hash(1, text, 36) != crm_hash(2, text, 36));
  assert_true(crm_hash(1, text, 36) == crm_hash(1, text, 36));
  /* Consecutive numbers, the worst usual input: neither half of the hash may favour a bucket. 64 buckets, 64000 strings: the count
   * of a bucket has mean 1000 and standard deviation 31. */
  int low[64] = {0};
  int high[64] = {0};
  for (int i = 0; i < 64000; i++) {
    char number[16];
    int len = snprintf(number, sizeof(number), "%d", i);
    uint64_t hash = crm_hash(12345, number, (size_t)len);
    low[hash & 63]++;
    high[hash >> 58]++;
  }
  for (int b = 0; b < 64; b++) {
    assert_in_range(low[b], 800, 1200);
    assert_in_range(high[b], 800, 1200);
  }
  /* Flipping one bit of the text flips about half the bits of the hash. */
  int flips = 0;
  for (int bit = 0; bit < 36 * 8; bit++) {
    char other[37];
    memcpy(other, text, sizeof(other));
    other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
    flips += __builtin_popcountll(crm_hash(7, text, 36) ^ crm_hash(7, other, 36));
  }
  assert_in_range(flips, 36 * 8 * 30, 36 * 8 * 34);
}

static void two_dictionaries_differ_in_seed(void **state) {
  (void)state;
  struct crm_dict a, b;
  assert_int_equal(crm_dict_init(&a), CRM_OK);
  assert_int_equal(crm_dict_init(&b), CRM_OK);
  assert_true(a.seed != b.seed);
  crm_dict_free(&a);
  crm_dict_free(&b);
}

static void reset_leaves_the_empty_string_alone(void **state) {
  for (int seed = 0; seed < 50; seed++) { /* the slot of "" is another one in each */
    struct crm_dict dict;
    assert_int_equal(crm_dict_init(&dict), CRM_OK);
    for (int round = 0; round < 3; round++) {
      char text[16];
      uint32_t number;
      for (uint32_t i = 1; i <= 300; i++) {
        snprintf(text, sizeof(text), "%d-%u", round, i);
        assert_int_equal(crm_dict_add(&dict, text, strlen(text), &number), CRM_OK);
        assert_int_equal(number, i);
      }
      assert_int_equal(crm_dict_add(&dict, "", 0, &number), CRM_OK);
      assert_int_equal(number, 0);
      crm_dict_reset(&dict);
      assert_int_equal(dict.count, 1);
      assert_int_equal(crm_dict_find(&dict, text, strlen(text)), CRM_DICT_NONE);
      assert_int_equal(crm_dict_find(&dict, "", 0), 0);
    }
    crm_dict_free(&dict);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_is_zero),
      cmocka_unit_test(strings_keep_their_number),
      cmocka_unit_test(near_strings_are_apart),
      cmocka_unit_test(hash_depends_on_the_seed_and_mixes),
      cmocka_unit_test(two_dictionaries_differ_in_seed),
      cmocka_unit_test(reset_leaves_the_empty_string_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
