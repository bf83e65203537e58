/* SPDX-License-Identifier: MIT */
/* The rules which every family of the catalogue keeps (METRICS.md sections 1 and 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "series/catalogue.h"

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

/* ^[a-z][a-z0-9_]*$ */
static bool is_name(const char *text) {
  if (!islower((unsigned char)text[0]))
    return false;
  for (const char *p = text; *p != '\0'; p++)
    if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_')
      return false;
  return true;
}

#define EACH_FAMILY(info)                                                                                                                  \
  const struct crm_family_info *info = crm_family_info((enum crm_family)0);                                                                \
  info < crm_family_info((enum crm_family)0) + CRM_FAMILIES;                                                                               \
  info++

static void test_names(void **state) {
  for (EACH_FAMILY(info)) {
    assert_memory_equal(info->name, "crm_", 4);
    assert_true(is_name(info->name + 4));
    for (const struct crm_family_info *other = crm_family_info((enum crm_family)0); other < info; other++)
      assert_string_not_equal(info->name, other->name);
  }
}

/* New Relic and others read a type from these. */
static void test_suffixes(void **state) {
  for (EACH_FAMILY(info)) {
    assert_int_equal(info->kind == CRM_COUNTER, ends_with(info->name, "_total"));
    assert_false(ends_with(info->name, "_count"));
    assert_false(ends_with(info->name, "_sum"));
    assert_false(ends_with(info->name, "_bucket"));
  }
}

/* METRICS.md R5, and the suffix tells the unit. */
static void test_units(void **state) {
  static const struct {
    const char *end, *unit;
  } rules[] = {{"_ratio", "ratio"},   {"_seconds", "seconds"}, {"_seconds_points", "seconds"}, /* the first that fits */
               {"_bytes", "bytes"}, {"_score", "score"},     {"_points", "score"}};
  for (EACH_FAMILY(info))
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
      if (ends_with(info->name, rules[i].end)) {
        assert_string_equal(info->unit, rules[i].unit);
        break;
      }
}

static void test_labels(void **state) {
  /* Labels of the target, and those every sample carries already. */
  static const char *const forbidden[] = {"type",   "owner",  "name",    "stage",    "region", "host",
                                          "source", "tenant", "account", "instance", "job"};
  for (EACH_FAMILY(info)) {
    size_t n = crm_family_label_count(crm_family_by_name(info->name));
    assert_in_range(n, 0, CRM_FAMILY_LABELS - 1);
    assert_null(info->labels[n]);
    bool money = false;
    for (size_t i = 0; i < n; i++) {
      assert_true(is_name(info->labels[i]));
      for (size_t k = 0; k < sizeof(forbidden) / sizeof(forbidden[0]); k++)
        assert_string_not_equal(info->labels[i], forbidden[k]);
      for (size_t k = 0; k < i; k++)
        assert_string_not_equal(info->labels[i], info->labels[k]);
      money = money || strcmp(info->labels[i], "currency") == 0;
      /* Cell families carry the dimensions too. */
      if (info->scope == CRM_SCOPE_CELL)
        assert_string_not_equal(info->labels[i], "segment");
      if (strcmp(info->labels[i], "le") == 0)
        assert_int_equal(info->kind, CRM_DISTRIBUTION);
    }
    if (info->kind == CRM_DISTRIBUTION)
      assert_string_equal(info->labels[n - 1], "le");
    if (strcmp(info->unit, "currency") == 0) /* R3: money is never without its currency */
      assert_true(money);
  }
}

/* What is no sum is of a tenant, and what says that it is a ratio or a mean is none. tests/unit/test_shards.c adds up the others. */
static void test_derived(void **state) {
  size_t n = 0;
  for (EACH_FAMILY(info)) {
    n += info->derived;
    if (info->derived)
      assert_int_equal(info->scope, CRM_SCOPE_TENANT);
    if (info->scope == CRM_SCOPE_TENANT && (strcmp(info->unit, "ratio") == 0 || strcmp(info->unit, "score") == 0))
      assert_true(info->derived);
    if (ends_with(info->name, "_ratio") || ends_with(info->name, "_average"))
      assert_true(info->derived);
  }
  assert_in_range(n, 20, 60);
}

static void test_help(void **state) {
  for (EACH_FAMILY(info)) {
    size_t len = strlen(info->help);
    assert_in_range(len, 20, 600);
    assert_true(isupper((unsigned char)info->help[0]) || memcmp(info->help, "crm_", 4) == 0);
    assert_int_equal(info->help[len - 1], '.');
    for (const char *p = info->help; *p != '\0'; p++)
      assert_true(isprint((unsigned char)*p) && *p != '\\' && !(p[0] == ' ' && p[1] == ' '));
    for (const struct crm_family_info *other = crm_family_info((enum crm_family)0); other < info; other++)
      assert_string_not_equal(info->help, other->help);
  }
}

static void test_lookup(void **state) {
  for (unsigned f = 0; f < CRM_FAMILIES; f++)
    assert_int_equal(crm_family_by_name(crm_family_info((enum crm_family)f)->name), f);
  assert_int_equal(crm_family_by_name("crm_no_such_family"), CRM_FAMILIES);
  assert_int_equal(crm_family_by_name("accounts"), CRM_FAMILIES);
  assert_int_equal(crm_family_by_name(""), CRM_FAMILIES);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),  cmocka_unit_test(test_suffixes), cmocka_unit_test(test_units),
      cmocka_unit_test(test_labels), cmocka_unit_test(test_derived),  cmocka_unit_test(test_help),
      cmocka_unit_test(test_lookup),
  };
  return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
