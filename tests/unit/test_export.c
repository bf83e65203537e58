/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/text.h"
#include "../lib/scratch.h"

static const struct {
  const char *name;
  struct crm_number number;
  const char *text;
} numbers[] = {
    {"zero", {0, 1, 0}, "0"},
    {"count", {1234567, 1, 0}, "1234567"},
    {"cents", {12345, 100, 0}, "123.45"},
    {"whole in cents", {12300, 100, 0}, "123"},
    {"a zero at the end goes", {12340, 100, 0}, "123.4"},
    {"below one", {5, 100, 0}, "0.05"},
    {"negative below one", {-5, 100, 0}, "-0.05"},
    {"KWD", {1001, 1000, 0}, "1.001"},
    {"beyond 2^53", {9007199254740993, 1, 0}, "9007199254740993"},
    {"beyond 2^53 in cents", {INT64_C(9223372036854775807), 100, 0}, "92233720368547758.07"},
    {"smallest", {INT64_MIN, 1, 0}, "-9223372036854775808"},
    {"smallest by the largest power of ten", {INT64_MIN, INT64_C(1000000000000000000), 0}, "-9.223372036854775808"},
    {"MRR that is whole cents", {120600, 1200, 0}, "100.5"},
    {"MRR of 2000 a year", {200000, 1200, 0}, "166.66666666666666"},
    {"third", {1, 3, 0}, "0.3333333333333333"},
    {"half", {1, 2, 0}, "0.5"},
    {"sixteen digits are enough", {0, 0, 0.1234567890123456}, "0.1234567890123456"},
    {"real", {0, 0, 0.1}, "0.1"},
    {"large real", {0, 0, 1e300}, "1e+300"},
    {"negative real", {0, 0, -2.5}, "-2.5"},
    {"minus zero", {0, 0, -0.0}, "0"},
};

static void test_numbers(void **state) {
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    char buf[32];
    crm_format_number(&numbers[i].number, buf);
    if (strcmp(buf, numbers[i].text) != 0)
      fail_msg("%s: %s", numbers[i].name, buf);
  }
}

/* A locale with a decimal comma, made in a scratch directory from the sources of Debian's package locales; machines seldom have one. */
static bool set_comma_locale(char dir[SCRATCH_SIZE]) {
  char command[256];
  if (mkdtemp(scratch_template(dir, "locale")) == NULL)
    return false;
  snprintf(command, sizeof(command), "localedef --no-archive -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", dir);
  return system(command) == 0 && setenv("LOCPATH", dir, 1) == 0 && setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL;
}

/* A host that speaks German must not publish decimal commas. */
static void test_locale(void **state) {
  char dir[SCRATCH_SIZE];
  char command[SCRATCH_SIZE + 16];
  bool comma = set_comma_locale(dir) && strcmp(localeconv()->decimal_point, ",") == 0;
  char buf[32];
  crm_format_number(&(struct crm_number){0, 0, 0.25}, buf);
  setlocale(LC_NUMERIC, "C");
  unsetenv("LOCPATH");
  snprintf(command, sizeof(command), "rm -rf %s", dir);
  assert_int_equal(system(command), 0);
  if (!comma) {
    print_message("# no locale with a decimal comma can be made: install locales\n");
    skip();
  }
  assert_string_equal(buf, "0.25");
}

static void add(struct crm_series_set *set, enum crm_family family, const char *a, const char *b, const char *c, struct crm_number value) {
  const char *labels[] = {a, b, c};
  size_t n = 0;
  while (n < 3 && labels[n] != NULL)
    n++;
  assert_int_equal(crm_set_add(set, family, labels, n, value), CRM_OK);
}

static struct crm_series_set example(void) {
  struct crm_series_set set;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.at = INT64_C(1772366400) * CRM_US_PER_SECOND;
  set.dimensions[0] = "segment";
  set.n_dimensions = 1;
  add(&set, CRM_FAM_ARR, "acme", "say \"hi\"\\\n", "USD", crm_number_ratio(12345, 100));
  add(&set, CRM_FAM_ARR, "acme", "M\xc3\xbcnchen\t", "USD", crm_number_ratio(1, 100));
  add(&set, CRM_FAM_UP, "acme", NULL, NULL, crm_number_int(1));
  assert_int_equal(crm_set_sort(&set), CRM_OK);
  return set;
}

/* HELP texts change with the catalogue, so they are put in from there. */
static void expect_text(struct crm_strbuf *expected, const char *family, const char *type) {
  crm_strbuf_addf(expected, "# HELP %s %s\n# TYPE %s %s\n", family, crm_family_info(crm_family_by_name(family))->help, family, type);
}

static void test_text(void **state) {
  struct crm_series_set set = example();
  struct crm_strbuf out, expected;
  crm_strbuf_init(&out, 1 << 20);
  crm_strbuf_init(&expected, 1 << 20);
  crm_export_text(&set, &out);
  expect_text(&expected, "crm_arr", "gauge");
  crm_strbuf_adds(&expected, "crm_arr{tenant=\"acme\",segment=\"M\xc3\xbcnchen\t\",currency=\"USD\"} 0.01\n"
                             "crm_arr{tenant=\"acme\",segment=\"say \\\"hi\\\"\\\\\\n\",currency=\"USD\"} 123.45\n");
  expect_text(&expected, "crm_up", "gauge");
  crm_strbuf_adds(&expected, "crm_up{tenant=\"acme\"} 1\n");
  assert_string_equal(crm_strbuf_str(&out), crm_strbuf_str(&expected));
  crm_strbuf_free(&out);
  crm_strbuf_free(&expected);
  crm_set_free(&set);
}

static void test_counter(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  crm_strbuf_init(&out, 1 << 20);
  add(&set, CRM_FAM_ROWS_REJECTED_TOTAL, "acme", "revenue", "missing", crm_number_int(3));
  crm_export_text(&set, &out);
  assert_non_null(strstr(crm_strbuf_str(&out), "\n# TYPE crm_rows_rejected_total counter\n"));
  assert_non_null(strstr(crm_strbuf_str(&out), "\ncrm_rows_rejected_total{tenant=\"acme\",relation=\"revenue\",reason=\"missing\"} 3\n"));
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

/* One label that is not UTF-8, or a name no parser takes, would cost the whole answer. */
static void test_bad_bytes(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  crm_strbuf_init(&out, 1 << 20);
  add(&set, CRM_FAM_UP, "ac\xffme\xc3", NULL, NULL, crm_number_int(1));
  set.dimensions[0] = "not a name";
  set.n_dimensions = 1;
  add(&set, CRM_FAM_ARR, "acme", "x", "USD", crm_number_int(1));
  crm_export_text(&set, &out);
  assert_non_null(strstr(crm_strbuf_str(&out), "crm_up{tenant=\"ac?me?\"} 1\n"));
  assert_null(strstr(crm_strbuf_str(&out), "crm_arr"));
  crm_strbuf_reset(&out);
  crm_export_json(&set, &out);
  assert_non_null(strstr(crm_strbuf_str(&out), "{\"tenant\": \"ac?me?\"}"));
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

static void test_json(void **state) {
  struct crm_series_set set = example();
  struct crm_strbuf out;
  crm_strbuf_init(&out, 1 << 20);
  crm_export_json(&set, &out);
  assert_string_equal(crm_strbuf_str(&out), "{\"at\": \"2026-03-01T12:00:00Z\", \"series\": [\n"
                                            "{\"name\": \"crm_arr\", \"labels\": {\"tenant\": \"acme\", \"segment\": "
                                            "\"M\xc3\xbcnchen\\u0009\", \"currency\": \"USD\"}, \"value\": 0.01},\n"
                                            "{\"name\": \"crm_arr\", \"labels\": {\"tenant\": \"acme\", \"segment\": \"say "
                                            "\\\"hi\\\"\\\\\\u000a\", \"currency\": \"USD\"}, \"value\": 123.45},\n"
                                            "{\"name\": \"crm_up\", \"labels\": {\"tenant\": \"acme\"}, \"value\": 1}\n]}\n");
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

static void test_empty(void **state) {
  struct crm_series_set set;
  struct crm_strbuf out;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  crm_strbuf_init(&out, 1 << 20);
  crm_export_text(&set, &out);
  assert_int_equal(out.len, 0);
  crm_export_json(&set, &out);
  assert_string_equal(crm_strbuf_str(&out), "{\"at\": null, \"series\": [\n]}\n");
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

/* A buffer that is full says so and never holds half an answer. */
static void test_ceiling(void **state) {
  struct crm_series_set set = example();
  struct crm_strbuf out;
  crm_strbuf_init(&out, 64);
  crm_export_text(&set, &out);
  assert_false(crm_strbuf_ok(&out));
  assert_null(crm_strbuf_str(&out));
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

/* Every family of the catalogue, with two samples each. */
static void add_catalogue(struct crm_series_set *set) {
  set->dimensions[0] = "segment";
  set->n_dimensions = 1;
  for (unsigned f = 0; f < CRM_FAMILIES; f++) {
    const struct crm_family_info *info = crm_family_info((enum crm_family)f);
    size_t n_own = crm_family_label_count((enum crm_family)f);
    size_t n = n_own + (info->scope == CRM_SCOPE_CELL || info->scope == CRM_SCOPE_ACCOUNT ? 2 : 1);
    for (int k = 0; k < 2; k++) {
      const char *labels[2 + CRM_FAMILY_LABELS];
      for (size_t i = 0; i < n; i++)
        labels[i] = k == 0 ? "\"quoted\" \\ \xe6\x97\xa5" : "b";
      if (info->kind == CRM_DISTRIBUTION)
        labels[n - 1] = k == 0 ? "10" : "+Inf";
      assert_int_equal(crm_set_add(set, (enum crm_family)f, labels, n, crm_number_ratio(k + 1, 3)), CRM_OK);
    }
  }
  assert_int_equal(crm_set_sort(set), CRM_OK);
}

/* The linter wants `le` on histograms only and `quantile` on summaries only. Both are meant: a distribution is made of gauges, and so is an
 * estimate of quantiles (METRICS.md sections 1 and 2). */
static bool is_meant(enum crm_family f, const char *line) {
  const struct crm_family_info *info = crm_family_info(f);
  if (strstr(line, "non-histogram metrics should not have \"le\" label") != NULL)
    return info->kind == CRM_DISTRIBUTION;
  bool quantiles = false;
  for (size_t i = 0; info->labels[i] != NULL; i++)
    quantiles = quantiles || strcmp(info->labels[i], "quantile") == 0;
  return quantiles && strstr(line, "non-summary metrics should not have \"quantile\" label") != NULL;
}

/* The reference parser and linter of the format. */
static void test_promtool(void **state) {
  if (system("promtool --version >/dev/null 2>&1") != 0) {
    print_message("# promtool is not installed\n");
    skip();
  }
  struct crm_series_set set;
  struct crm_strbuf out;
  char path[SCRATCH_SIZE], command[64 + sizeof(path)], line[1024];
  assert_int_equal(crm_set_init(&set), CRM_OK);
  add_catalogue(&set);
  crm_strbuf_init(&out, 1 << 24);
  crm_export_text(&set, &out);
  assert_true(crm_strbuf_ok(&out));
  int fd = mkstemp(scratch_template(path, "export"));
  assert_true(fd >= 0);
  assert_int_equal(write(fd, out.data, out.len), out.len);
  close(fd);

  snprintf(command, sizeof(command), "promtool check metrics <%s 2>&1", path);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t unexpected = 0;
  while (fgets(line, sizeof(line), pipe) != NULL) {
    char family[128] = "";
    sscanf(line, "%127s", family);
    enum crm_family f = crm_family_by_name(family);
    if (f != CRM_FAMILIES && is_meant(f, line))
      continue;
    print_message("# %s", line);
    unexpected++;
  }
  int rc = pclose(pipe);
  unlink(path);
  assert_int_equal(unexpected, 0);
  assert_true(WIFEXITED(rc) && (WEXITSTATUS(rc) == 0 || WEXITSTATUS(rc) == 3)); /* 3: it was read, and has the remarks above */
  crm_strbuf_free(&out);
  crm_set_free(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers), cmocka_unit_test(test_locale),    cmocka_unit_test(test_text),
      cmocka_unit_test(test_counter), cmocka_unit_test(test_bad_bytes), cmocka_unit_test(test_json),
      cmocka_unit_test(test_empty),   cmocka_unit_test(test_ceiling),   cmocka_unit_test(test_promtool),
  };
  return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
