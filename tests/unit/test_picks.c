/* SPDX-License-Identifier: MIT */
/* What a tick sends, what it marks as ended, and both as they lie in a file. Sets and expectations are made by hand. */
#include "crm_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/picks.h"
#include "export/series_file.h"

/* "family label|label=value ..." apart by blanks; the family without crm_. */
static struct crm_series_set make_set(const char *text, const char *dimension1, const char *dimension2) {
  struct crm_series_set set;
  assert_int_equal(crm_set_init(&set), CRM_OK);
  set.dimensions[0] = dimension1;
  set.dimensions[1] = dimension2;
  set.n_dimensions = (size_t)(dimension1 != NULL) + (size_t)(dimension2 != NULL);
  char buf[1024], name[128];
  snprintf(buf, sizeof(buf), "%s", text);
  for (char *save = NULL, *item = strtok_r(buf, " ", &save); item != NULL; item = strtok_r(NULL, " ", &save)) {
    const char *labels[12];
    size_t n = 0;
    char *colon = strchr(item, ':');
    *colon = '\0';
    for (char *at = colon + 1; at != NULL;)
      labels[n++] = strsep(&at, "|");
    snprintf(name, sizeof(name), "crm_%s", item);
    assert_int_equal(crm_set_add(&set, crm_family_by_name(name), labels, n, crm_number_int(7)), CRM_OK);
  }
  assert_int_equal(crm_set_sort(&set), CRM_OK);
  return set;
}

/* The picks as such a text again, ended series with a '-' before. */
static void write_picks(const struct crm_pick *picks, size_t n, char *buf, size_t size) {
  size_t len = 0;
  buf[0] = '\0';
  for (size_t i = 0; i < n; i++) {
    const struct crm_sample *s = &picks[i].set->samples[picks[i].sample];
    len += (size_t)snprintf(buf + len, size - len, "%s%s%s", i > 0 ? " " : "", picks[i].stale ? "-" : "",
                            crm_family_info((enum crm_family)s->family)->name + 4);
    for (size_t l = 0; l < s->n_labels; l++)
      len += (size_t)snprintf(buf + len, size - len, "%c%s", l == 0 ? ':' : '|', crm_set_label_value(picks[i].set, s, l));
  }
}

static const struct crm_sink_options all_options = {.per_account = true};

static void test_difference(void **state) {
  static const struct {
    const char *name, *before, *now, *picks;
    bool changed;
  } cases[] = {
      {"nothing at all", "", "", "", false},
      {"all new", "", "nps:a nps:b", "nps:a nps:b", true},
      {"no change", "nps:a nps:b", "nps:a nps:b", "nps:a nps:b", false},
      {"first ends", "nps:a nps:b", "nps:b", "-nps:a nps:b", true},
      {"last ends", "nps:a nps:b", "nps:a", "nps:a -nps:b", true},
      {"one ends, one begins", "nps:a nps:c", "nps:b nps:c", "-nps:a nps:b nps:c", true},
      {"all end", "nps:a up:x", "", "-nps:a -up:x", true},
      {"another family", "account_arr:t|a|USD", "nps:t", "-account_arr:t|a|USD nps:t", true},
      {"a name that changed ends the old info", "account_info:t|a|Old|s|o|i|r|x|c", "account_info:t|a|New|s|o|i|r|x|c",
       "account_info:t|a|New|s|o|i|r|x|c -account_info:t|a|Old|s|o|i|r|x|c", true},
      {"bounds are in the order of numbers", "health_score_accounts:t|9 health_score_accounts:t|10 health_score_accounts:t|+Inf",
       "health_score_accounts:t|10 health_score_accounts:t|100 health_score_accounts:t|+Inf",
       "-health_score_accounts:t|9 health_score_accounts:t|10 health_score_accounts:t|100 health_score_accounts:t|+Inf", true},
      {"bytes, not letters", "nps:Z nps:a nps:\xc3\xa9", "nps:a", "-nps:Z nps:a -nps:\xc3\xa9", true},
  };
  struct crm_selection selection;
  crm_selection_init(&selection, &all_options);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char got[1024];
    struct crm_picks picks = {0};
    struct crm_series_set before = make_set(cases[i].before, NULL, NULL), now = make_set(cases[i].now, NULL, NULL);
    print_message("# %s\n", cases[i].name);
    assert_int_equal(crm_picks_add(&picks, &now, &selection, &before, &selection), CRM_OK);
    write_picks(picks.list, picks.n, got, sizeof(got));
    assert_string_equal(got, cases[i].picks);
    assert_int_equal(picks.changed, cases[i].changed);
    crm_picks_free(&picks);
    /* Nothing now, or nothing before. */
    assert_int_equal(crm_picks_add(&picks, NULL, &selection, &before, &selection), CRM_OK);
    assert_int_equal(picks.n, before.n);
    assert_int_equal(picks.n_stale, before.n);
    crm_picks_free(&picks);
    assert_int_equal(crm_picks_add(&picks, &now, &selection, NULL, NULL), CRM_OK);
    assert_int_equal(picks.n, now.n);
    assert_int_equal(picks.n_stale, 0);
    crm_picks_free(&picks);
    crm_set_free(&before);
    crm_set_free(&now);
  }
}

static void test_dimensions(void **state) {
  struct crm_selection selection;
  struct crm_picks picks = {0};
  char got[1024];
  crm_selection_init(&selection, &all_options);
  struct crm_series_set two = make_set("accounts:t|s|o|active nps:t", "segment", "account_owner"),
                        one = make_set("accounts:t|s|active nps:t", "segment", NULL),
                        other = make_set("accounts:t|s|active nps:t", "account_owner", NULL);
  assert_int_equal(crm_picks_add(&picks, &one, &selection, &two, &selection), CRM_OK);
  write_picks(picks.list, picks.n, got, sizeof(got));
  assert_string_equal(got, "-accounts:t|s|o|active accounts:t|s|active nps:t");
  crm_picks_free(&picks);
  assert_int_equal(crm_picks_add(&picks, &one, &selection, &other, &selection), CRM_OK);
  write_picks(picks.list, picks.n, got, sizeof(got));
  assert_string_equal(got, "-accounts:t|s|active accounts:t|s|active nps:t"); /* the same values under other names */
  crm_picks_free(&picks);
  crm_set_free(&two);
  crm_set_free(&one);
  crm_set_free(&other);
}

static void test_twice(void **state) {
  struct crm_selection selection;
  struct crm_picks picks = {0};
  char got[1024];
  crm_selection_init(&selection, &all_options);
  struct crm_series_set before = make_set("nps:a nps:a nps:b nps:b", NULL, NULL), now = make_set("nps:b nps:b nps:c nps:c", NULL, NULL);
  assert_int_equal(crm_picks_add(&picks, &now, &selection, &before, &selection), CRM_OK);
  write_picks(picks.list, picks.n, got, sizeof(got));
  assert_string_equal(got, "-nps:a nps:b nps:c");
  crm_picks_free(&picks);
  crm_set_free(&before);
  crm_set_free(&now);
}

static void test_selection(void **state) {
  static const struct {
    const char *name, *patterns[4];
    bool per_account, accounts, arr, account_arr, up;
  } cases[] = {
      {"all", {NULL}, true, true, true, true, true},
      {"no accounts", {NULL}, false, true, true, false, true},
      {"some", {"crm_arr*"}, true, false, true, false, false},
      {"all but some", {"!crm_arr*", "!crm_up"}, true, true, false, true, false},
      {"the last that fits decides", {"crm_a*", "!crm_acc*", "crm_accounts"}, true, true, true, false, false},
      {"the last that fits decides, for good", {"crm_accounts", "!crm_*"}, true, false, false, false, false},
      {"asked for, but no accounts", {"crm_account_arr"}, false, false, false, false, false},
      {"none fits", {"arr"}, true, false, false, false, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct crm_sink_options options = {.families = (const char **)cases[i].patterns, .per_account = cases[i].per_account};
    struct crm_selection selection;
    print_message("# %s\n", cases[i].name);
    while (options.n_families < 4 && cases[i].patterns[options.n_families] != NULL)
      options.n_families++;
    crm_selection_init(&selection, &options);
    assert_int_equal(selection.family[CRM_FAM_ACCOUNTS], cases[i].accounts);
    assert_int_equal(selection.family[CRM_FAM_ARR], cases[i].arr);
    assert_int_equal(selection.family[CRM_FAM_ACCOUNT_ARR], cases[i].account_arr);
    assert_int_equal(selection.family[CRM_FAM_UP], cases[i].up);
  }
  /* What was never sent does not end. */
  struct crm_sink_options options = {.per_account = false};
  struct crm_selection selection;
  struct crm_picks picks = {0};
  crm_selection_init(&selection, &options);
  struct crm_series_set before = make_set("account_arr:t|a|USD nps:t", NULL, NULL), now = make_set("nps:t", NULL, NULL);
  assert_int_equal(crm_picks_add(&picks, &now, &selection, &before, &selection), CRM_OK);
  assert_int_equal(picks.n, 1);
  assert_int_equal(crm_selection_count(&selection, &before), 1);
  crm_picks_free(&picks);
  /* But what a process before this one sent does, though it is not wanted any more. */
  assert_int_equal(crm_picks_add(&picks, &now, &selection, &before, NULL), CRM_OK);
  assert_int_equal(picks.n_stale, 1);
  crm_picks_free(&picks);
  crm_set_free(&before);
  crm_set_free(&now);
}

static void test_frame_of_picks(void **state) {
  struct crm_selection selection;
  struct crm_picks picks = {0};
  char got[1024];
  crm_selection_init(&selection, &all_options);
  struct crm_series_set one = make_set("accounts:t|s|active nps:t up:t", "segment", NULL),
                        two = make_set("accounts:t|active nps:u", NULL, NULL);
  assert_int_equal(crm_picks_add(&picks, &one, &selection, NULL, NULL), CRM_OK);
  assert_int_equal(crm_picks_add(&picks, NULL, NULL, &two, NULL), CRM_OK);
  struct crm_frame *frame = crm_frame_of_picks("i", 5, picks.list, picks.n);
  crm_picks_free(&picks);
  crm_set_free(&one);
  crm_set_free(&two);
  assert_non_null(frame);
  assert_int_equal(crm_picks_add(&picks, frame->business, NULL, NULL, NULL), CRM_OK);
  assert_int_equal(crm_picks_add(&picks, frame->own, NULL, NULL, NULL), CRM_OK);
  write_picks(picks.list, picks.n, got, sizeof(got));
  assert_string_equal(got, "accounts:t|s|active nps:t nps:u up:t");
  assert_string_equal(crm_set_label_name(frame->business, CRM_FAM_ACCOUNTS, 1), "segment");
  crm_picks_free(&picks);
  crm_frame_unref(frame);
}

/* --- files ---------------------------------------------------------------------------------------------------------------------- */

static void test_file(void **state) {
  struct crm_series_set set = make_set("accounts:t|s|o|active nps:t", "segment", "account_owner"),
                        ended = make_set("accounts:t|s|churned", "segment", NULL);
  const char *labels[] = {"tenant \xe2\x82\xac", "a", ""};
  const struct crm_number values[] = {crm_number_int(INT64_MAX), crm_number_int(INT64_MIN), crm_number_ratio(-7, 1200),
                                      crm_number_real(-0.1), crm_number_real(5e-324)};
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(crm_set_add(&set, CRM_FAM_ACCOUNT_ARR, labels, 3, values[i]), CRM_OK);
  struct crm_pick picks[] = {{&set, 0, false}, {&ended, 0, true}, {&set, 1, false}, {&set, 2, false}, {&set, 3, false},
                             {&set, 4, false}, {&set, 5, false},  {&set, 6, false}, {&set, 0, true}};
  size_t n = sizeof(picks) / sizeof(picks[0]);
  struct crm_strbuf buf, again;
  struct crm_error err = {0};
  crm_strbuf_init(&buf, 1 << 20);
  crm_strbuf_init(&again, 1 << 20);
  assert_int_equal(crm_series_file_write(1234567890123456, picks, n, &buf, &err), CRM_OK);
  struct crm_series_file file;
  assert_int_equal(crm_series_file_read(buf.data, buf.len, &file, &err), CRM_OK);
  assert_int_equal(file.at, 1234567890123456);
  assert_int_equal(file.n, n);
  assert_int_equal(file.n_unknown, 0);
  char want[1024], got[1024];
  write_picks(picks, n, want, sizeof(want));
  write_picks(file.picks, file.n, got, sizeof(got));
  assert_string_equal(got, want);
  for (size_t i = 0; i < 5; i++) {
    const struct crm_number *value = &file.picks[3 + i].set->samples[file.picks[3 + i].sample].value;
    assert_int_equal(value->num, values[i].num);
    assert_int_equal(value->den, values[i].den);
    assert_memory_equal(&value->real, &values[i].real, sizeof(double));
  }
  assert_string_equal(crm_set_label_name(file.picks[0].set, CRM_FAM_ACCOUNTS, 2), "account_owner");
  assert_string_equal(crm_set_label_name(file.picks[1].set, CRM_FAM_ACCOUNTS, 2), "status");
  assert_int_equal(crm_series_file_write(file.at, file.picks, file.n, &again, &err), CRM_OK);
  assert_int_equal(again.len, buf.len);
  assert_memory_equal(again.data, buf.data, buf.len);
  crm_series_file_free(&file);
  /* The bytes that another program would look for. */
  assert_memory_equal(buf.data, "CRMB\x01\x00\x00\x00\xc0\xba\x8a\x3c\xd5\x62\x04\x00\x09\x00\x00\x00", 20);
  /* Whatever bit is changed, and wherever it is cut, it is no file any more. */
  for (size_t i = 0; i < buf.len; i++) {
    buf.data[i] ^= (char)(1 << (i % 8));
    assert_int_equal(crm_series_file_read(buf.data, buf.len, &file, &err), CRM_ERR_DATA);
    buf.data[i] ^= (char)(1 << (i % 8));
    char *cut = malloc(i + 1);
    memcpy(cut, buf.data, i);
    assert_int_equal(crm_series_file_read(cut, i, &file, &err), CRM_ERR_DATA);
    free(cut);
  }
  crm_strbuf_add(&buf, "x", 1);
  assert_int_equal(crm_series_file_read(buf.data, buf.len, &file, &err), CRM_ERR_DATA);
  crm_strbuf_free(&buf);
  crm_strbuf_free(&again);
  crm_set_free(&set);
  crm_set_free(&ended);
}

static void test_empty_file(void **state) {
  struct crm_strbuf buf;
  struct crm_series_file file;
  crm_strbuf_init(&buf, 1 << 20);
  assert_int_equal(crm_series_file_write(0, NULL, 0, &buf, NULL), CRM_OK);
  assert_int_equal(crm_series_file_read(buf.data, buf.len, &file, NULL), CRM_OK);
  assert_int_equal(file.n, 0);
  crm_series_file_free(&file);
  crm_strbuf_free(&buf);
}

static void test_too_many_kinds(void **state) {
  static const char *const names[] = {"segment", "account_owner", "industry", "account_region", "status"};
  struct crm_series_set sets[5];
  struct crm_pick picks[5];
  struct crm_strbuf buf;
  crm_strbuf_init(&buf, 1 << 20);
  for (int i = 0; i < 5; i++) {
    sets[i] = make_set("accounts:t|x|active", names[i], NULL);
    picks[i] = (struct crm_pick){&sets[i], 0, false};
  }
  assert_int_equal(crm_series_file_write(0, picks, 4, &buf, NULL), CRM_OK);
  assert_int_equal(crm_series_file_write(0, picks, 5, &buf, NULL), CRM_ERR_LIMIT);
  for (int i = 0; i < 5; i++)
    crm_set_free(&sets[i]);
  crm_strbuf_free(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_difference), cmocka_unit_test(test_dimensions),     cmocka_unit_test(test_twice),
      cmocka_unit_test(test_selection),  cmocka_unit_test(test_frame_of_picks), cmocka_unit_test(test_file),
      cmocka_unit_test(test_empty_file), cmocka_unit_test(test_too_many_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
