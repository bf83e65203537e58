/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "series/set.h"

static struct crm_series_set new_set(const char *dimension1, const char *dimension2) {
  struct crm_series_set set;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = dimension1;
  set.dimensions[1] = dimension2;
  set.n_dimensions = (size_t)(dimension1 != NULL) + (size_t)(dimension2 != NULL);
  return set;
}

/* Labels as one text, apart by '|'. */
static enum crm_status add(struct crm_series_set *set, enum crm_family family, const char *labels, struct crm_number value) {
  char buf[256];
  const char *parts[12];
  size_t n = 0;
  snprintf(buf, sizeof(buf), "%s", labels);
  for (char *at = buf; at != NULL;) {
    parts[n++] = strsep(&at, "|");
  }
  return crm_set_add(set, family, parts, n, value);
}

static void check_sample(const struct crm_series_set *set, size_t i, const char *family, const char *labels, int64_t num, int64_t den) {
  char buf[256] = "";
  const struct crm_sample *s = &set->samples[i];
  for (size_t l = 0; l < s->n_labels; l++) {
    strcat(buf, l > 0 ? "|" : "");
    strcat(buf, crm_set_label_value(set, s, l));
  }
  assert_true(i < set->n);
  assert_string_equal(crm_family_info((enum crm_family)s->family)->name, family);
  assert_string_equal(buf, labels);
  assert_int_equal(s->value.num, num);
  assert_int_equal(s->value.den, den);
}

static void test_add(void **state) {
  static const struct {
    const char *name;
    enum crm_family family;
    const char *labels;
    struct crm_number value;
    enum crm_status status;
    size_t added;
  } cases[] = {
      {"cell", CRM_FAM_ARR, "acme|smb|USD", {1, 1, 0}, CRM_OK, 1},
      {"cell without its dimension", CRM_FAM_ARR, "acme|USD", {1, 1, 0}, CRM_ERR_DATA, 0},
      {"cell with one label more", CRM_FAM_ARR, "acme|smb|USD|x", {1, 1, 0}, CRM_ERR_DATA, 0},
      {"tenant", CRM_FAM_NPS, "acme", {1, 1, 0}, CRM_OK, 1},
      {"tenant with a dimension", CRM_FAM_NPS, "acme|smb", {1, 1, 0}, CRM_ERR_DATA, 0},
      {"account", CRM_FAM_ACCOUNT_ARR, "acme|a1|USD", {1, 1, 0}, CRM_OK, 1},
      {"instance", CRM_FAM_UP, "acme", {1, 1, 0}, CRM_OK, 1},
      {"zero is a value", CRM_FAM_NPS, "acme", {0, 1, 0}, CRM_OK, 1},
      {"negative denominator", CRM_FAM_NPS, "acme", {1, -1, 0}, CRM_ERR_DATA, 0},
      {"real", CRM_FAM_NPS, "acme", {0, 0, 0.5}, CRM_OK, 1},
      {"NaN is absent", CRM_FAM_NPS, "acme", {0, 0, NAN}, CRM_OK, 0},
      {"infinity is absent", CRM_FAM_NPS, "acme", {0, 0, INFINITY}, CRM_OK, 0},
      {"minus infinity is absent", CRM_FAM_NPS, "acme", {0, 0, -INFINITY}, CRM_OK, 0},
      {"no such family", CRM_FAMILIES, "acme", {1, 1, 0}, CRM_ERR_DATA, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_series_set set = new_set("segment", NULL);
    enum crm_status status = add(&set, cases[i].family, cases[i].labels, cases[i].value);
    if (status != cases[i].status || set.n != cases[i].added)
      fail_msg("%s: status %s, %zu added", cases[i].name, crm_status_name(status), set.n);
    crm_set_free(&set);
  }
}

static void test_label_names(void **state) {
  struct crm_series_set set = new_set("segment", "account_owner");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ARR, 0), "tenant");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ARR, 1), "segment");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ARR, 2), "account_owner");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ARR, 3), "currency");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ACCOUNT_ARR, 1), "account");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_ACCOUNT_ARR, 2), "currency");
  assert_string_equal(crm_set_label_name(&set, CRM_FAM_NET_REVENUE_RETENTION_RATIO, 2), "window");
  crm_set_free(&set);
}

static const struct {
  enum crm_family family;
  const char *labels;
  int64_t value;
} sorted[] = {
    {CRM_FAM_ACCOUNTS, "acme|smb|active", 3},
    {CRM_FAM_ACCOUNTS, "acme|smb|churned", 4},
    {CRM_FAM_ACCOUNTS, "beta|enterprise|active", 5},
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS, "acme|Smb|10", 1},
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS, "acme|smb|10", 1}, /* upper case comes first: bytes, not words */
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS, "acme|smb|20", 2},
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS, "acme|smb|100", 3},
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS, "acme|smb|+Inf", 4},
    {CRM_FAM_HEALTH_SCORE_ACCOUNTS,
     "acme|sm\xc3\xbc"
     "b|+Inf",
     9},
    {CRM_FAM_ARR, "acme|smb|EUR", 7},
    {CRM_FAM_ARR, "acme|smb|USD", 6},
    {CRM_FAM_UP, "acme", 1},
};
#define N_SORTED (sizeof(sorted) / sizeof(sorted[0]))

/* Whatever the order in which samples come, also with the dictionary's numbers in another order. */
static void test_sort(void **state) {
  static const size_t steps[] = {1, 5, 7, 11}; /* none has a factor in common with the 12 samples */
  for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
    struct crm_series_set set = new_set("segment", NULL);
    for (size_t i = 0; i < N_SORTED; i++) {
      size_t at = (i * steps[k] + k) % N_SORTED;
      assert_int_equal(add(&set, sorted[at].family, sorted[at].labels, crm_number_int(sorted[at].value)), CRM_OK);
    }
    assert_int_equal(crm_set_sort(&set), CRM_OK);
    assert_int_equal(set.n, N_SORTED);
    for (size_t i = 0; i < N_SORTED; i++)
      check_sample(&set, i, crm_family_info(sorted[i].family)->name, sorted[i].labels, sorted[i].value, 1);
    crm_set_free(&set);
  }
}

static void test_roll_up(void **state) {
  struct crm_series_set set = new_set("segment", "account_owner"), out = new_set(NULL, NULL);
  set.at = 42;
  assert_int_equal(add(&set, CRM_FAM_ARR, "acme|smb|ann|USD", crm_number_ratio(10001, 100)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ARR, "acme|smb|bob|USD", crm_number_ratio(20002, 100)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ARR, "acme|big|ann|USD", crm_number_ratio(40004, 100)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ARR, "acme|big|ann|EUR", crm_number_ratio(80008, 100)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ARR, "beta|smb|ann|USD", crm_number_ratio(1, 100)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_NPS, "acme", crm_number_int(50)), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ACCOUNT_ARR, "acme|a1|USD", crm_number_int(3)), CRM_OK);
  assert_int_equal(crm_set_sort(&set), CRM_OK);

  assert_int_equal(crm_set_roll_up(&set, -1, &out), CRM_OK);
  assert_int_equal(out.at, 42);
  assert_int_equal(out.n_dimensions, 0);
  assert_int_equal(out.n, 5);
  check_sample(&out, 0, "crm_arr", "acme|EUR", 80008, 100);
  check_sample(&out, 1, "crm_arr", "acme|USD", 70007, 100);
  check_sample(&out, 2, "crm_arr", "beta|USD", 1, 100);
  check_sample(&out, 3, "crm_account_arr", "acme|a1|USD", 3, 1);
  check_sample(&out, 4, "crm_nps", "acme", 50, 1);

  assert_int_equal(crm_set_reset(&out), CRM_OK);
  assert_int_equal(crm_set_roll_up(&set, 1, &out), CRM_OK);
  assert_string_equal(out.dimensions[0], "account_owner");
  assert_int_equal(out.n, 4); /* cell families only */
  check_sample(&out, 0, "crm_arr", "acme|ann|EUR", 80008, 100);
  check_sample(&out, 1, "crm_arr", "acme|ann|USD", 50005, 100);
  check_sample(&out, 2, "crm_arr", "acme|bob|USD", 20002, 100);
  check_sample(&out, 3, "crm_arr", "beta|ann|USD", 1, 100);

  assert_int_equal(crm_set_reset(&out), CRM_OK);
  assert_int_equal(crm_set_roll_up(&set, 2, &out), CRM_ERR_DATA);
  crm_set_free(&set);
  crm_set_free(&out);
}

/* What comes out when two cells are added. */
static void test_exact_sums(void **state) {
  static const struct {
    const char *name;
    struct crm_number a, b;
    int64_t num, den; /* den 0: `real` */
    double real;
  } cases[] = {
      {"same denominator", {1, 100, 0}, {2, 100, 0}, 3, 100, 0},
      {"other denominator", {1, 4, 0}, {1, 6, 0}, 5, 12, 0},
      {"one divides the other", {1, 1200, 0}, {1, 100, 0}, 13, 1200, 0},
      {"negative", {-5, 100, 0}, {2, 1, 0}, 195, 100, 0},
      {"whole 64 bits", {INT64_MAX - 1, 1, 0}, {1, 1, 0}, INT64_MAX, 1, 0},
      {"over 64 bits", {INT64_MAX, 1, 0}, {INT64_MAX, 1, 0}, 0, 0, 18446744073709551614.0},
      {"below 64 bits", {INT64_MIN, 1, 0}, {-1, 1, 0}, 0, 0, -9223372036854775809.0},
      {"denominators too large", {1, INT64_MAX, 0}, {1, INT64_MAX - 1, 0}, 0, 0, 2.0 / 9223372036854775807.0},
      {"real and ratio", {0, 0, 0.25}, {1, 2, 0}, 0, 0, 0.75},
      {"reals", {0, 0, 0.5}, {0, 0, -2}, 0, 0, -1.5},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int swap = 0; swap < 2; swap++) {
      struct crm_series_set set = new_set("segment", NULL), out = new_set(NULL, NULL);
      assert_int_equal(add(&set, CRM_FAM_ARR, swap ? "acme|y|USD" : "acme|x|USD", cases[i].a), CRM_OK);
      assert_int_equal(add(&set, CRM_FAM_ARR, swap ? "acme|x|USD" : "acme|y|USD", cases[i].b), CRM_OK);
      assert_int_equal(crm_set_sort(&set), CRM_OK);
      assert_int_equal(crm_set_roll_up(&set, -1, &out), CRM_OK);
      assert_int_equal(out.n, 1);
      const struct crm_number *sum = &out.samples[0].value;
      if (sum->num != cases[i].num || sum->den != cases[i].den || sum->real != cases[i].real)
        fail_msg("%s: %lld/%lld %.17g", cases[i].name, (long long)sum->num, (long long)sum->den, sum->real);
      crm_set_free(&set);
      crm_set_free(&out);
    }
}

/* More totals than the index first has room for; 300 cells of 20 currencies each. */
static void test_many_cells(void **state) {
  struct crm_series_set set = new_set("segment", NULL), out = new_set(NULL, NULL);
  for (int tenant = 0; tenant < 100; tenant++)
    for (int segment = 0; segment < 3; segment++)
      for (int currency = 0; currency < 20; currency++) {
        char labels[64];
        snprintf(labels, sizeof(labels), "t%02d|s%d|C%02d", tenant, segment, currency);
        assert_int_equal(add(&set, CRM_FAM_ARR, labels, crm_number_ratio(tenant * 1000 + currency * 10 + segment, 100)), CRM_OK);
      }
  assert_int_equal(crm_set_sort(&set), CRM_OK);
  assert_int_equal(crm_set_roll_up(&set, -1, &out), CRM_OK);
  assert_int_equal(out.n, 2000);
  for (int tenant = 0; tenant < 100; tenant++)
    for (int currency = 0; currency < 20; currency++) {
      char labels[64];
      snprintf(labels, sizeof(labels), "t%02d|C%02d", tenant, currency);
      check_sample(&out, (size_t)(tenant * 20 + currency), "crm_arr", labels, 3 * (tenant * 1000 + currency * 10) + 3, 100);
    }
  crm_set_free(&set);
  crm_set_free(&out);
}

static void test_reset(void **state) {
  struct crm_series_set set = new_set("segment", NULL);
  assert_int_equal(add(&set, CRM_FAM_ARR, "acme|smb|USD", crm_number_int(1)), CRM_OK);
  set.accounts_left_out = 7;
  assert_int_equal(crm_set_reset(&set), CRM_OK);
  assert_int_equal(set.n, 0);
  assert_int_equal(set.n_dimensions, 0);
  assert_int_equal(set.text.count, 1); /* the empty text */
  assert_true(set.at == CRM_TIME_NONE);
  assert_int_equal(set.accounts_left_out, 0);
  assert_int_equal(crm_set_sort(&set), CRM_OK);
  assert_int_equal(add(&set, CRM_FAM_ARR, "beta|USD", crm_number_int(1)), CRM_OK);
  check_sample(&set, 0, "crm_arr", "beta|USD", 1, 1);
  crm_set_free(&set);
}

static void test_number_value(void **state) {
  static const struct {
    struct crm_number number;
    double value;
  } cases[] = {
      {{1, 3, 0}, 1.0 / 3}, {{-7, 2, 0}, -3.5}, {{12, 4, 0}, 3},
      {{0, 5, 0}, 0},       {{0, 0, 2.5}, 2.5}, {{INT64_MIN, 1, 0}, -9223372036854775808.0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_true(crm_number_value(&cases[i].number) == cases[i].value);
}

/* Sixty-four bits do not hold the ranks of so many labels of so many values. */
static void test_sort_long_labels(void **state) {
  struct crm_series_set set = new_set("segment", "account_owner");
  set.dimensions[2] = "industry";
  set.dimensions[3] = "account_region";
  set.n_dimensions = 4;
  for (unsigned i = 0; i < 700; i++) {
    char text[8][8];
    const char *labels[8];
    for (unsigned k = 0; k < 8; k++) {
      /* Each label runs through all values, each at its own pace: 701 is a prime. */
      snprintf(text[k], sizeof(text[k]), "%03u", k < 3 ? i / 234 * 300 : i * (k * 37 + 1) % 701);
      labels[k] = text[k];
    }
    assert_int_equal(crm_set_add(&set, CRM_FAM_ENGAGEMENTS, labels, 8, crm_number_int(i)), CRM_OK);
  }
  assert_int_equal(crm_set_sort(&set), CRM_OK);
  assert_int_equal(set.n, 700);
  for (size_t i = 1; i < set.n; i++) {
    int order = 0;
    for (size_t l = 0; l < 8 && order == 0; l++)
      order = strcmp(crm_set_label_value(&set, &set.samples[i - 1], l), crm_set_label_value(&set, &set.samples[i], l));
    assert_true(order < 0);
  }
  crm_set_free(&set);
}

static void test_add_column(void **state) {
  struct crm_series_set set = new_set("segment", NULL);
  const char *const texts[] = {"t", "smb", "large", "good"};
  uint32_t id[4];
  for (size_t k = 0; k < 4; k++)
    assert_int_equal(crm_dict_add(&set.text, texts[k], strlen(texts[k]), &id[k]), CRM_OK);
  const uint32_t leading[] = {id[0], id[1], id[0], id[2], id[0], id[3]};
  const int64_t nums[] = {3, 4, 5};
  const uint8_t skip[] = {0, 1, 0};
  assert_int_equal(crm_set_add_column(&set, CRM_FAM_ACCOUNTS, leading, &id[3], 1, nums, 2, 3, skip), CRM_OK);
  assert_int_equal(crm_set_add_column(&set, CRM_FAM_ACCOUNTS_PAYING, leading, NULL, 0, nums, 1, 2, NULL), CRM_OK);
  assert_int_equal(crm_set_add_column(&set, CRM_FAM_ACCOUNTS, leading, NULL, 0, nums, 1, 3, NULL), CRM_ERR_DATA);
  assert_int_equal(crm_set_add_column(&set, CRM_FAM_ACCOUNTS, leading, &id[3], 1, nums, 0, 3, NULL), CRM_ERR_DATA);
  assert_int_equal(set.n, 4);
  check_sample(&set, 0, "crm_accounts", "t|smb|good", 3, 2);
  check_sample(&set, 1, "crm_accounts", "t|good|good", 5, 2);
  check_sample(&set, 2, "crm_accounts_paying", "t|smb", 3, 1);
  check_sample(&set, 3, "crm_accounts_paying", "t|large", 4, 1);
  crm_set_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_add_column), cmocka_unit_test(test_sort_long_labels),
      cmocka_unit_test(test_add),        cmocka_unit_test(test_label_names),
      cmocka_unit_test(test_sort),       cmocka_unit_test(test_roll_up),
      cmocka_unit_test(test_exact_sums), cmocka_unit_test(test_many_cells),
      cmocka_unit_test(test_reset),      cmocka_unit_test(test_number_value),
  };
  return cmocka_run_group_tests_name("set", tests, NULL, NULL);
}
