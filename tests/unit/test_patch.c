/* SPDX-License-Identifier: MIT */
/* Patches at their boundaries: what is refused, what is counted, how much memory is held. What a patched picture must look like is said by
 * facts built from the rows that are there in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "facts/patch_internal.h"
#include "lib/patches.h"
#include "lib/rows.h"

/* --- allocations that fail ------------------------------------------------------------------------------------------- */

static long countdown; /* allocations until the one that fails; 0 = none */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *data, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *data, size_t size);

static bool fails(void) {
  if (countdown == 0 || --countdown > 0)
    return false;
  failed = true;
  return true;
}
void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *data, size_t size) {
  return fails() ? NULL : __real_realloc(data, size);
}

/* --- refusals ---------------------------------------------------------------------------------------------------------- */

static void test_before_any_read(void **state) {
  (void)state;
  struct crm_patch *patch = NULL;
  struct crm_error err = {0};
  assert_int_equal(crm_patch_new(NULL, &patch, &err), CRM_ERR_DATA);
  struct crm_builder *b = patches_read(patches_usual, &rows_usual);
  struct crm_picture *picture = NULL;
  assert_int_equal(crm_picture_new(b, &picture, &err), CRM_ERR_DATA); /* not patchable */
  crm_builder_free(b);
  crm_picture_free(NULL);
  crm_patch_free(NULL);
}

static void test_refused_calls(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_error err = {0};
  struct crm_patch *patch = patches_new(picture);
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA); /* not prepared */
  assert_int_equal(crm_patch_replace(patch, CRM_REL_ACCOUNT, "a", 1, &err), CRM_ERR_DATA);
  assert_int_equal(crm_patch_delete(patch, CRM_REL_USAGE, "a", 1, &err), CRM_ERR_DATA); /* no key */
  patches_give(patch, CRM_REL_USAGE, "a|12|3");
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA); /* neither key nor span */
  patches_replace(patch, CRM_REL_USAGE, "a");
  patches_must(crm_patch_prepare(patch, &err), &err);
  patches_must(crm_patch_apply(patch, NULL, &err), &err);
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA); /* once */
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA);
  crm_patch_free(patch);
  crm_picture_free(picture);
}

static void test_relation_not_available(void **state) {
  (void)state;
  const struct crm_builder_options options = {.default_tenant = "house", .patchable = true};
  struct crm_builder *b = rows_builder(&options);
  crm_builder_begin(b, CRM_REL_ACCOUNT, 5 * CRM_US_PER_SECOND);
  rows_put(b, CRM_REL_ACCOUNT, "a");
  struct crm_picture *picture = NULL;
  struct crm_error err = {0};
  patches_must(crm_picture_new(b, &picture, &err), &err);
  crm_builder_free(b);
  struct crm_patch *patch = patches_new(picture);
  assert_int_equal(crm_patch_replace(patch, CRM_REL_GOAL, "a", 1, &err), CRM_ERR_DATA);
  assert_false(crm_picture_keyed(picture, CRM_REL_GOAL));
  patches_must(crm_patch_replace_all(patch, CRM_REL_GOAL, &err), &err);
  patches_give(patch, CRM_REL_GOAL, "a|g1|on_track");
  patches_give(patch, CRM_REL_GOAL, "x|g2|on_track");
  (void)patches_apply(patch);
  const struct crm_facts *facts = crm_picture_facts(picture);
  assert_true(facts->available[CRM_REL_GOAL]);
  assert_int_equal(facts->rows[CRM_REL_GOAL], 1);
  assert_int_equal(facts->rejected[CRM_REL_GOAL][CRM_REJECT_UNKNOWN_ACCOUNT], 1);
  assert_true(crm_picture_keyed(picture, CRM_REL_GOAL));
  crm_picture_free(picture);
}

/* --- accounts ----------------------------------------------------------------------------------------------------------- */

static void test_empty_patch(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch_applied applied = patches_apply(patches_new(picture));
  assert_int_equal(applied.accounts, 0);
  assert_int_equal(applied.rows, 0);
  patches_assert_is("empty patch", picture, patches_usual);
  crm_picture_free(picture);
}

static void test_first_and_last_account(void **state) {
  (void)state;
  static const struct patches_line one[] = {
      {CRM_REL_ACCOUNT, "a|north|A|~|~|~|~|active"}, {CRM_REL_GOAL, "a|g1|achieved"}, {CRM_REL_USAGE, "a|3|4"}, END};
  struct crm_picture *picture = patches_picture(patches_none, 0);
  patches_assert_is("no account", picture, patches_none);
  assert_false(crm_picture_has_account(picture, "a", 1));
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_ACCOUNT, one[0].text);
  struct crm_error err = {0};
  patches_must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), CRM_RELATIONS - 1);
  assert_string_equal(wanted[0].account_id, "a");
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA);
  patches_assert_is("refused", picture, patches_none);
  patches_replace_every_span(patch, "a");
  patches_give(patch, CRM_REL_GOAL, one[1].text);
  patches_give(patch, CRM_REL_USAGE, one[2].text);
  assert_int_equal(patches_apply(patch).accounts, 1);
  patches_assert_is("first account", picture, one);
  assert_true(crm_picture_has_account(picture, "a", 1));

  patch = patches_new(picture);
  patches_delete(patch, CRM_REL_ACCOUNT, "a");
  patches_delete(patch, CRM_REL_ACCOUNT, "was never there");
  patches_must(crm_patch_prepare(patch, &err), &err); /* rows may be left that are now of nobody */
  assert_int_equal(crm_patch_wanted(patch, &wanted), 2 * (CRM_RELATIONS - 1));
  patches_replace_every_span(patch, "a");
  patches_replace_every_span(patch, "was never there");
  assert_int_equal(patches_apply(patch).accounts, 1);
  patches_assert_is("last account removed", picture, patches_none);

  patch = patches_new(picture); /* and back */
  patches_replace_every_span(patch, "a");
  for (int i = 0; one[i].text != NULL; i++)
    patches_give(patch, one[i].relation, one[i].text);
  assert_int_equal(patches_apply(patch).accounts, 1);
  patches_assert_is("returned", picture, one);
  crm_picture_free(picture);
}

static void test_account_emptied(void **state) {
  (void)state;
  static const struct patches_line rest[] = {
      {CRM_REL_ACCOUNT, "a|north|A|s|~|~|ann|active|USD|1000|~|120"},
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_replace_every_span(patch, "a");
  assert_int_equal(patches_apply(patch).accounts, 1);
  patches_assert_is("emptied", picture, rest);
  crm_picture_free(picture);
}

static void test_account_goes_and_its_rows_stay(void **state) {
  (void)state;
  static const struct patches_line rest[] = {
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_delete(patch, CRM_REL_ACCOUNT, "a");
  patches_replace_every_span(patch, "a");
  patches_give(patch, CRM_REL_USAGE, rest[2].text);
  patches_give(patch, CRM_REL_USAGE, rest[3].text);
  struct crm_patch_applied applied = patches_apply(patch);
  assert_int_equal(applied.rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 2);
  assert_int_equal(crm_picture_facts(picture)->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 3);
  patches_assert_is("gone", picture, rest);

  static const struct patches_line with_nobody[] = {
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_ACCOUNT, "nobody"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  patch = patches_new(picture); /* the unknown account becomes known: its row counts as refused no more */
  patches_give(patch, CRM_REL_ACCOUNT, "nobody");
  patches_replace_every_span(patch, "nobody");
  patches_give(patch, CRM_REL_USAGE, "nobody|11|4");
  (void)patches_apply(patch);
  patches_assert_is("known", picture, with_nobody);
  crm_picture_free(picture);
}

static void test_currency_of_account(void **state) {
  (void)state;
  static const struct patches_line before[] = {
      {CRM_REL_ACCOUNT, "a|~|~|~|~|~|~|~|USD"}, {CRM_REL_REVENUE, "a|5|10"}, {CRM_REL_REVENUE, "a|6|10|~|EUR"}, END};
  static const struct patches_line after[] = {
      {CRM_REL_ACCOUNT, "a|~|~|~|~|~|~|~|JPY"}, {CRM_REL_REVENUE, "a|5|10"}, {CRM_REL_REVENUE, "a|6|10|~|EUR"}, END};
  struct crm_picture *picture = patches_picture(before, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_ACCOUNT, after[0].text);
  struct crm_error err = {0};
  patches_must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), 4); /* revenue, contract, invoice, opportunity */
  struct crm_patch_want copy[4];
  memcpy(copy, wanted, sizeof(copy));
  for (int i = 0; i < 4; i++)
    patches_replace(patch, copy[i].relation, "a");
  patches_give(patch, CRM_REL_REVENUE, after[1].text);
  patches_give(patch, CRM_REL_REVENUE, after[2].text);
  (void)patches_apply(patch);
  patches_assert_is("currency", picture, after);
  crm_picture_free(picture);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static void test_in_place(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  const struct crm_facts *facts = crm_picture_facts(picture);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_ACCOUNT, "b|north|B2|s2|~|~|~|active|~|2000");
  patches_give(patch, CRM_REL_GOAL, "b|g1|achieved");
  patches_give(patch, CRM_REL_ENGAGEMENT, "a|e2|email|~|~|4000|~|~|c1"); /* comes before e1 now */
  assert_int_equal(patches_apply(patch).accounts, 2);
  assert_int_equal(facts->account.n, 2); /* nobody has moved */
  static const struct patches_line after[] = {
      {CRM_REL_ACCOUNT, "a|north|A|s|~|~|ann|active|USD|1000|~|120"},
      {CRM_REL_ACCOUNT, "b|north|B2|s2|~|~|~|active|~|2000"},
      {CRM_REL_CONTACT, "a|c1|user|champion|active"},
      {CRM_REL_CONTACT, "a|c2|primary"},
      {CRM_REL_ENGAGEMENT, "a|e1|meeting|positive|~|5000|ann|~|c1,c2,c9"},
      {CRM_REL_ENGAGEMENT, "a|e2|email|~|~|4000|~|~|c1"},
      {CRM_REL_GOAL, "b|g1|achieved"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  patches_assert_is("in place", picture, after);

  patch = patches_new(picture); /* the same again, as a poll that overlaps brings it */
  patches_give(patch, CRM_REL_GOAL, "b|g1|achieved");
  patches_give(patch, CRM_REL_ENGAGEMENT, "a|e2|email|~|~|4000|~|~|c1");
  struct crm_patch_applied applied = patches_apply(patch);
  assert_int_equal(applied.accounts, 0);
  assert_int_equal(applied.rows, 2);
  patches_assert_is("again", picture, after);

  patch = patches_new(picture);
  patches_replace(patch, CRM_REL_USAGE, "a");
  patches_give(patch, CRM_REL_USAGE, "a|10|5");
  assert_int_equal(patches_apply(patch).accounts, 1);
  assert_int_equal(facts->account.n, 3); /* the account has moved, and left garbage */
  assert_int_equal(facts->rows[CRM_REL_ACCOUNT], 2);
  crm_picture_squeeze(picture);
  assert_int_equal(facts->account.n, 2);
  crm_picture_free(picture);
}

static void test_same_key_twice(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  const struct crm_facts *facts = crm_picture_facts(picture);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_GOAL, "b|g1|achieved");
  patches_give(patch, CRM_REL_GOAL, "b|g1|missed");
  assert_int_equal(patches_apply(patch).rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 1);
  assert_int_equal(facts->rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 1);
  patch = patches_new(picture);
  patches_give(patch, CRM_REL_GOAL, "b|g1|missed");
  (void)patches_apply(patch);
  assert_int_equal(facts->rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 0);
  assert_int_equal(facts->rows[CRM_REL_GOAL], 1);
  crm_picture_free(picture);
}

static void test_key_moves_and_goes(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_ENGAGEMENT, "b|e1|meeting|positive|~|5000|ann|~|c1"); /* c1 is none of b's contacts */
  patches_give(patch, CRM_REL_GOAL, "~|g1|on_track");                               /* of no account any more */
  patches_delete(patch, CRM_REL_CONTACT, "c2");
  patches_delete(patch, CRM_REL_ENGAGEMENT, "was never there");
  assert_int_equal(patches_apply(patch).accounts, 2);
  static const struct patches_line after[] = {
      {CRM_REL_ACCOUNT, "a|north|A|s|~|~|ann|active|USD|1000|~|120"},
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_CONTACT, "a|c1|user|champion|active"},
      {CRM_REL_ENGAGEMENT, "a|e2|call|~|~|6000|~|~|c2"},
      {CRM_REL_ENGAGEMENT, "b|e1|meeting|positive|~|5000|ann|~|c1"},
      {CRM_REL_GOAL, "~|g1|on_track"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  patches_assert_is("moved", picture, after);
  patch = patches_new(picture);
  patches_delete(patch, CRM_REL_GOAL, "g1");
  (void)patches_apply(patch);
  assert_int_equal(crm_picture_facts(picture)->rejected[CRM_REL_GOAL][CRM_REJECT_NO_ACCOUNT], 0);
  crm_picture_free(picture);
}

static void test_contact_gained(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_CONTACT, "a|c9|user"); /* engagement e1 names it already */
  struct crm_error err = {0};
  patches_must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), 1);
  assert_int_equal(wanted->relation, CRM_REL_ENGAGEMENT);
  patches_replace(patch, CRM_REL_ENGAGEMENT, "a");
  patches_give(patch, CRM_REL_ENGAGEMENT, "a|e1|meeting|positive|~|5000|ann|~|c1,c2,c9");
  patches_give(patch, CRM_REL_ENGAGEMENT, "a|e2|call|~|~|6000|~|~|c2");
  (void)patches_apply(patch);
  const struct crm_engagements *e = &crm_picture_facts(picture)->engagement;
  assert_int_equal(e->contact_first[e->n] - e->contact_first[e->n - 2], 4);
  crm_picture_free(picture);
}

static void test_key_in_two_accounts(void **state) {
  (void)state;
  static const struct patches_line shared[] = {{CRM_REL_ACCOUNT, "a"},    {CRM_REL_ACCOUNT, "b"}, {CRM_REL_CONTACT, "a|c1"},
                                       {CRM_REL_CONTACT, "b|c1"}, {CRM_REL_GOAL, "a|g1"}, END};
  struct crm_picture *picture = patches_picture(shared, 0);
  assert_false(crm_picture_keyed(picture, CRM_REL_CONTACT));
  assert_true(crm_picture_keyed(picture, CRM_REL_GOAL));
  assert_false(crm_picture_keyed(picture, CRM_REL_USAGE));
  assert_true(crm_picture_keyed(picture, CRM_REL_ACCOUNT));
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_CONTACT, "b|c1|user");
  struct crm_error err = {0};
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA);
  crm_patch_free(patch);
  patch = patches_new(picture); /* spans bring a key into a second account: by key no longer */
  patches_replace(patch, CRM_REL_GOAL, "b");
  patches_give(patch, CRM_REL_GOAL, "b|g1");
  (void)patches_apply(patch);
  assert_false(crm_picture_keyed(picture, CRM_REL_GOAL));
  assert_int_equal(crm_picture_facts(picture)->rows[CRM_REL_GOAL], 2);
  crm_picture_free(picture);
}

static void test_rows_before_their_span(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  patches_give(patch, CRM_REL_GOAL, "b|g7|achieved");
  patches_replace(patch, CRM_REL_GOAL, "b"); /* read whole now */
  patches_give(patch, CRM_REL_GOAL, "b|g1|on_track");
  patches_replace(patch, CRM_REL_GOAL, "b"); /* twice is once */
  (void)patches_apply(patch);
  patches_assert_is("read whole", picture, patches_usual);
  crm_picture_free(picture);
}

/* --- memory -------------------------------------------------------------------------------------------------------------- */

static void turn(struct crm_picture *picture, int k) {
  char text[200];
  char account[16];
  struct crm_patch *patch = patches_new(picture);
  snprintf(account, sizeof(account), "a%d", k * 7 % 50);
  snprintf(text, sizeof(text), "%s|north|a name that is never the same %d|s", account, k);
  patches_give(patch, CRM_REL_ACCOUNT, text);
  patches_replace(patch, CRM_REL_USAGE, account);
  for (int d = 0; d < 20 + k % 3; d++) {
    snprintf(text, sizeof(text), "%s|%d|%d", account, d, k % 9);
    patches_give(patch, CRM_REL_USAGE, text);
  }
  snprintf(text, sizeof(text), "%s|g-%d-%d|achieved", account, k * 7 % 50, k % 4);
  patches_give(patch, CRM_REL_GOAL, text);
  snprintf(text, sizeof(text), "stranger%d|g-%d|achieved", k % 100, k % 300); /* refused, each time by another name */
  patches_give(patch, CRM_REL_GOAL, text);
  (void)patches_apply(patch);
}

static void test_memory_is_flat(void **state) {
  (void)state;
  enum { WARM = 3000, TURNS = 20000 };
  struct crm_builder *b = rows_builder(&(struct crm_builder_options){.default_tenant = "house", .patchable = true});
  rows_begin(b);
  char text[64];
  for (int i = 0; i < 50; i++) {
    snprintf(text, sizeof(text), "a%d|north", i);
    rows_put(b, CRM_REL_ACCOUNT, text);
  }
  struct crm_picture *picture = NULL;
  struct crm_error err = {0};
  patches_must(crm_picture_new(b, &picture, &err), &err);
  crm_builder_free(b);
  size_t most_early = 0;
  size_t most_late = 0;
  const char *fewer = getenv("CRM_TEST_BASES"); /* under a wrapper that is fifty times as slow */
  int turns = fewer != NULL ? 2 * WARM : TURNS;
  for (int k = 0; k < turns; k++) {
    turn(picture, k);
    size_t bytes = crm_picture_bytes(picture);
    size_t *most = k < WARM ? &most_early : &most_late;
    *most = bytes > *most ? bytes : *most;
  }
  if (most_late > most_early + most_early / 10)
    fail_msg("at most %zu bytes in the first %d patches, %zu later", most_early, WARM, most_late);
  assert_int_equal(crm_picture_facts(picture)->rows[CRM_REL_ACCOUNT], 50);
  crm_picture_free(picture);
}

static enum crm_status add_goal(struct crm_picture *picture, int number, struct crm_error *err) {
  struct crm_patch *patch = patches_new(picture);
  char text[64];
  snprintf(text, sizeof(text), "a|g%d|achieved|1|2|3", number);
  struct crm_row row;
  rows_parse(CRM_REL_GOAL, text, &row);
  enum crm_status status = crm_patch_row(patch, CRM_REL_GOAL, &row, err);
  if (status == CRM_OK)
    status = crm_patch_prepare(patch, err);
  if (status == CRM_OK)
    status = crm_patch_apply(patch, NULL, err);
  crm_patch_free(patch);
  assert_true(crm_picture_bytes(picture) <= 600 * 1024);
  return status;
}

/* Twice the same: the first time tells which patch is refused, and a dump is dear. */
static void test_ceiling(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 600 * 1024);
  assert_true(crm_picture_bytes(picture) < 600 * 1024);
  enum crm_status status = CRM_OK;
  struct crm_error err = {0};
  int patches = 0;
  while (patches < 10000 && (status = add_goal(picture, patches, &err)) == CRM_OK)
    patches++;
  assert_int_equal(status, CRM_ERR_LIMIT);
  assert_true(patches > 100);
  assert_non_null(strstr(err.message, "MaxMemory"));
  crm_picture_free(picture);

  picture = patches_picture(patches_usual, 600 * 1024);
  for (int i = 0; i < patches; i++)
    patches_must(add_goal(picture, i, &err), &err);
  char *before = patches_dump(crm_picture_facts(picture));
  assert_int_equal(add_goal(picture, patches, &err), CRM_ERR_LIMIT);
  char *after = patches_dump(crm_picture_facts(picture));
  assert_string_equal(before, after);
  free(before);
  free(after);
  crm_picture_free(picture);
}

static enum crm_status change_much(struct crm_picture *picture, bool *applied) {
  static const struct patches_line lines[] = {
      {CRM_REL_ACCOUNT, "a|east|A3|s|~|~|ann|active|USD|1000|~|120"},
      {CRM_REL_CONTACT, "a|c1|user"},
      {CRM_REL_ENGAGEMENT, "b|e7|meeting|positive|~|5000|ann|~|c1"},
      {CRM_REL_GOAL, "b|g2|achieved"},
      {CRM_REL_GOAL, "x|g3|achieved"},
      {CRM_REL_USAGE, "a|10|5"},
      END,
  };
  struct crm_patch *patch = NULL;
  struct crm_error err = {0};
  enum crm_status status = crm_patch_new(picture, &patch, &err);
  if (status == CRM_OK)
    status = crm_patch_replace(patch, CRM_REL_USAGE, "a", 1, &err);
  for (int i = 0; lines[i].text != NULL && status == CRM_OK; i++) {
    struct crm_row row;
    rows_parse(lines[i].relation, lines[i].text, &row);
    status = crm_patch_row(patch, lines[i].relation, &row, &err);
  }
  if (status == CRM_OK)
    status = crm_patch_prepare(patch, &err);
  if (status == CRM_OK)
    status = crm_patch_apply(patch, NULL, &err);
  *applied = status == CRM_OK;
  crm_patch_free(patch);
  return status;
}

static void test_out_of_memory(void **state) {
  (void)state;
  static const enum crm_relation keyed[] = {CRM_REL_CONTRACT, CRM_REL_ENGAGEMENT, CRM_REL_CONTACT, CRM_REL_GOAL};
  long n = 1;
  for (bool applied = false; !applied; n++) {
    struct crm_picture *picture = patches_picture(patches_usual, 0);
    for (int i = 0; i < 4; i++)
      assert_true(crm_picture_keyed(picture, keyed[i]));
    char *before = patches_dump(crm_picture_facts(picture));
    failed = false;
    countdown = n;
    enum crm_status status = change_much(picture, &applied);
    countdown = 0;
    if (!applied) {
      assert_true(failed);
      assert_int_equal(status, CRM_ERR_MEMORY);
      char *after = patches_dump(crm_picture_facts(picture));
      if (strcmp(before, after) != 0)
        fail_msg("allocation %ld failed; before\n%s\nafter\n%s", n, before, after);
      free(after);
      assert_int_equal(change_much(picture, &applied), CRM_OK); /* and it can be tried again */
      applied = false;
    }
    free(before);
    crm_picture_free(picture);
  }
  assert_true(n > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_before_any_read),
      cmocka_unit_test(test_refused_calls),
      cmocka_unit_test(test_relation_not_available),
      cmocka_unit_test(test_empty_patch),
      cmocka_unit_test(test_first_and_last_account),
      cmocka_unit_test(test_account_emptied),
      cmocka_unit_test(test_account_goes_and_its_rows_stay),
      cmocka_unit_test(test_currency_of_account),
      cmocka_unit_test(test_in_place),
      cmocka_unit_test(test_same_key_twice),
      cmocka_unit_test(test_key_moves_and_goes),
      cmocka_unit_test(test_contact_gained),
      cmocka_unit_test(test_key_in_two_accounts),
      cmocka_unit_test(test_rows_before_their_span),
      cmocka_unit_test(test_memory_is_flat),
      cmocka_unit_test(test_ceiling),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}
