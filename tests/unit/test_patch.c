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

/* --- pictures and patches from rows ---------------------------------------------------------------------------------- */

struct line {
  enum crm_relation relation;
  const char *text;
};
#define END                                                                                                                                \
  { CRM_RELATIONS, NULL }

static const struct line none[] = {END};
/* Contacts before engagements, as the builder wants it. */
static const struct line usual[] = {
    {CRM_REL_ACCOUNT, "a|north|A|s|~|~|ann|active|USD|1000|~|120"},
    {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
    {CRM_REL_CONTACT, "a|c1|user|champion|active"},
    {CRM_REL_CONTACT, "a|c2|primary"},
    {CRM_REL_ENGAGEMENT, "a|e1|meeting|positive|~|5000|ann|~|c1,c2,c9"},
    {CRM_REL_ENGAGEMENT, "a|e2|call|~|~|6000|~|~|c2"},
    {CRM_REL_GOAL, "b|g1|on_track"},
    {CRM_REL_USAGE, "a|10|5"},
    {CRM_REL_USAGE, "a|11|4"},
    {CRM_REL_USAGE, "nobody|11|4"},
    END,
};

static struct crm_builder *read_lines(const struct line *lines, const struct crm_builder_options *options) {
  struct crm_builder *b = rows_builder(options);
  rows_begin(b);
  for (; lines->text != NULL; lines++)
    rows_put(b, lines->relation, lines->text);
  return b;
}

static struct crm_picture *picture_of(const struct line *lines, size_t ceiling) {
  const struct crm_builder_options options = {
      .default_tenant = "house", .default_currency = "", .patchable = true, .memory_ceiling = ceiling};
  struct crm_builder *b = read_lines(lines, &options);
  struct crm_picture *picture = NULL;
  struct crm_error err = {0};
  if (crm_picture_new(b, &picture, &err) != CRM_OK)
    fail_msg("%s", err.message);
  crm_builder_free(b);
  return picture;
}

static struct crm_patch *patch_of(struct crm_picture *picture) {
  struct crm_patch *patch = NULL;
  struct crm_error err = {0};
  if (crm_patch_new(picture, &patch, &err) != CRM_OK)
    fail_msg("%s", err.message);
  return patch;
}

static void must(enum crm_status status, const struct crm_error *err) {
  if (status != CRM_OK)
    fail_msg("%s: %s", crm_status_name(status), err->message);
}

static void give(struct crm_patch *patch, enum crm_relation relation, const char *text) {
  struct crm_row row;
  struct crm_error err = {0};
  rows_parse(relation, text, &row);
  must(crm_patch_row(patch, relation, &row, &err), &err);
}

static void replace(struct crm_patch *patch, enum crm_relation relation, const char *account) {
  struct crm_error err = {0};
  must(crm_patch_replace(patch, relation, account, strlen(account), &err), &err);
}

static void replace_every_span(struct crm_patch *patch, const char *account) {
  for (int r = 1; r < CRM_RELATIONS; r++)
    replace(patch, (enum crm_relation)r, account);
}

static void delete (struct crm_patch *patch, enum crm_relation relation, const char *key) {
  struct crm_error err = {0};
  must(crm_patch_delete(patch, relation, key, strlen(key), &err), &err);
}

/* Prepares, applies and frees it. */
static struct crm_patch_applied apply(struct crm_patch *patch) {
  struct crm_patch_applied applied;
  struct crm_error err = {0};
  must(crm_patch_prepare(patch, &err), &err);
  must(crm_patch_apply(patch, &applied, &err), &err);
  crm_patch_free(patch);
  return applied;
}

/* The currencies apart, of which a picture forgets none. */
static char *dump(const struct crm_facts *facts) {
  char *text = rows_dump(facts);
  char *from = strstr(text, "tenant ");
  assert_non_null(from);
  memmove(text, from, strlen(from) + 1);
  return text;
}

static void assert_is(const char *name, const struct crm_picture *picture, const struct line *lines) {
  struct crm_facts *fresh = rows_finish(read_lines(lines, &rows_usual));
  char *x = dump(crm_picture_facts(picture));
  char *y = dump(fresh);
  if (strcmp(x, y) != 0)
    fail_msg("%s: patched\n%s\nfresh\n%s", name, x, y);
  free(x);
  free(y);
  crm_facts_unref(fresh);
}

/* --- refusals ---------------------------------------------------------------------------------------------------------- */

static void test_before_any_read(void **state) {
  (void)state;
  struct crm_patch *patch = NULL;
  struct crm_error err = {0};
  assert_int_equal(crm_patch_new(NULL, &patch, &err), CRM_ERR_DATA);
  struct crm_builder *b = read_lines(usual, &rows_usual);
  struct crm_picture *picture = NULL;
  assert_int_equal(crm_picture_new(b, &picture, &err), CRM_ERR_DATA); /* not patchable */
  crm_builder_free(b);
  crm_picture_free(NULL);
  crm_patch_free(NULL);
}

static void test_refused_calls(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_error err = {0};
  struct crm_patch *patch = patch_of(picture);
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA); /* not prepared */
  assert_int_equal(crm_patch_replace(patch, CRM_REL_ACCOUNT, "a", 1, &err), CRM_ERR_DATA);
  assert_int_equal(crm_patch_delete(patch, CRM_REL_USAGE, "a", 1, &err), CRM_ERR_DATA); /* no key */
  give(patch, CRM_REL_USAGE, "a|12|3");
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA); /* neither key nor span */
  replace(patch, CRM_REL_USAGE, "a");
  must(crm_patch_prepare(patch, &err), &err);
  must(crm_patch_apply(patch, NULL, &err), &err);
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
  must(crm_picture_new(b, &picture, &err), &err);
  crm_builder_free(b);
  struct crm_patch *patch = patch_of(picture);
  assert_int_equal(crm_patch_replace(patch, CRM_REL_GOAL, "a", 1, &err), CRM_ERR_DATA);
  assert_false(crm_picture_keyed(picture, CRM_REL_GOAL));
  must(crm_patch_replace_all(patch, CRM_REL_GOAL, &err), &err);
  give(patch, CRM_REL_GOAL, "a|g1|on_track");
  give(patch, CRM_REL_GOAL, "x|g2|on_track");
  (void)apply(patch);
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
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch_applied applied = apply(patch_of(picture));
  assert_int_equal(applied.accounts, 0);
  assert_int_equal(applied.rows, 0);
  assert_is("empty patch", picture, usual);
  crm_picture_free(picture);
}

static void test_first_and_last_account(void **state) {
  (void)state;
  static const struct line one[] = {
      {CRM_REL_ACCOUNT, "a|north|A|~|~|~|~|active"}, {CRM_REL_GOAL, "a|g1|achieved"}, {CRM_REL_USAGE, "a|3|4"}, END};
  struct crm_picture *picture = picture_of(none, 0);
  assert_is("no account", picture, none);
  assert_false(crm_picture_has_account(picture, "a", 1));
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_ACCOUNT, one[0].text);
  struct crm_error err = {0};
  must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), CRM_RELATIONS - 1);
  assert_string_equal(wanted[0].account_id, "a");
  assert_int_equal(crm_patch_apply(patch, NULL, &err), CRM_ERR_DATA);
  assert_is("refused", picture, none);
  replace_every_span(patch, "a");
  give(patch, CRM_REL_GOAL, one[1].text);
  give(patch, CRM_REL_USAGE, one[2].text);
  assert_int_equal(apply(patch).accounts, 1);
  assert_is("first account", picture, one);
  assert_true(crm_picture_has_account(picture, "a", 1));

  patch = patch_of(picture);
  delete (patch, CRM_REL_ACCOUNT, "a");
  delete (patch, CRM_REL_ACCOUNT, "was never there");
  assert_int_equal(apply(patch).accounts, 1);
  assert_is("last account removed", picture, none);

  patch = patch_of(picture); /* and back */
  replace_every_span(patch, "a");
  for (int i = 0; one[i].text != NULL; i++)
    give(patch, one[i].relation, one[i].text);
  assert_int_equal(apply(patch).accounts, 1);
  assert_is("returned", picture, one);
  crm_picture_free(picture);
}

static void test_account_emptied(void **state) {
  (void)state;
  static const struct line rest[] = {
      {CRM_REL_ACCOUNT, "a|north|A|s|~|~|ann|active|USD|1000|~|120"},
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch *patch = patch_of(picture);
  replace_every_span(patch, "a");
  assert_int_equal(apply(patch).accounts, 1);
  assert_is("emptied", picture, rest);
  crm_picture_free(picture);
}

static void test_account_goes_and_its_rows_stay(void **state) {
  (void)state;
  static const struct line rest[] = {
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch *patch = patch_of(picture);
  delete (patch, CRM_REL_ACCOUNT, "a");
  replace_every_span(patch, "a");
  give(patch, CRM_REL_USAGE, rest[2].text);
  give(patch, CRM_REL_USAGE, rest[3].text);
  struct crm_patch_applied applied = apply(patch);
  assert_int_equal(applied.rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 2);
  assert_int_equal(crm_picture_facts(picture)->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 3);
  assert_is("gone", picture, rest);

  static const struct line with_nobody[] = {
      {CRM_REL_ACCOUNT, "b|south|B|s|~|~|bob|churned|~|1000"},
      {CRM_REL_ACCOUNT, "nobody"},
      {CRM_REL_GOAL, "b|g1|on_track"},
      {CRM_REL_USAGE, "a|10|5"},
      {CRM_REL_USAGE, "a|11|4"},
      {CRM_REL_USAGE, "nobody|11|4"},
      END,
  };
  patch = patch_of(picture); /* the unknown account becomes known: its row counts as refused no more */
  give(patch, CRM_REL_ACCOUNT, "nobody");
  replace_every_span(patch, "nobody");
  give(patch, CRM_REL_USAGE, "nobody|11|4");
  (void)apply(patch);
  assert_is("known", picture, with_nobody);
  crm_picture_free(picture);
}

static void test_currency_of_account(void **state) {
  (void)state;
  static const struct line before[] = {
      {CRM_REL_ACCOUNT, "a|~|~|~|~|~|~|~|USD"}, {CRM_REL_REVENUE, "a|5|10"}, {CRM_REL_REVENUE, "a|6|10|~|EUR"}, END};
  static const struct line after[] = {
      {CRM_REL_ACCOUNT, "a|~|~|~|~|~|~|~|JPY"}, {CRM_REL_REVENUE, "a|5|10"}, {CRM_REL_REVENUE, "a|6|10|~|EUR"}, END};
  struct crm_picture *picture = picture_of(before, 0);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_ACCOUNT, after[0].text);
  struct crm_error err = {0};
  must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), 4); /* revenue, contract, invoice, opportunity */
  struct crm_patch_want copy[4];
  memcpy(copy, wanted, sizeof(copy));
  for (int i = 0; i < 4; i++)
    replace(patch, copy[i].relation, "a");
  give(patch, CRM_REL_REVENUE, after[1].text);
  give(patch, CRM_REL_REVENUE, after[2].text);
  (void)apply(patch);
  assert_is("currency", picture, after);
  crm_picture_free(picture);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static void test_in_place(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  const struct crm_facts *facts = crm_picture_facts(picture);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_ACCOUNT, "b|north|B2|s2|~|~|~|active|~|2000");
  give(patch, CRM_REL_GOAL, "b|g1|achieved");
  give(patch, CRM_REL_ENGAGEMENT, "a|e2|email|~|~|4000|~|~|c1"); /* comes before e1 now */
  assert_int_equal(apply(patch).accounts, 2);
  assert_int_equal(facts->account.n, 2); /* nobody has moved */
  static const struct line after[] = {
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
  assert_is("in place", picture, after);

  patch = patch_of(picture); /* the same again, as a poll that overlaps brings it */
  give(patch, CRM_REL_GOAL, "b|g1|achieved");
  give(patch, CRM_REL_ENGAGEMENT, "a|e2|email|~|~|4000|~|~|c1");
  struct crm_patch_applied applied = apply(patch);
  assert_int_equal(applied.accounts, 0);
  assert_int_equal(applied.rows, 2);
  assert_is("again", picture, after);

  patch = patch_of(picture);
  replace(patch, CRM_REL_USAGE, "a");
  give(patch, CRM_REL_USAGE, "a|10|5");
  assert_int_equal(apply(patch).accounts, 1);
  assert_int_equal(facts->account.n, 3); /* the account has moved, and left garbage */
  assert_int_equal(facts->rows[CRM_REL_ACCOUNT], 2);
  crm_picture_squeeze(picture);
  assert_int_equal(facts->account.n, 2);
  crm_picture_free(picture);
}

static void test_same_key_twice(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  const struct crm_facts *facts = crm_picture_facts(picture);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_GOAL, "b|g1|achieved");
  give(patch, CRM_REL_GOAL, "b|g1|missed");
  assert_int_equal(apply(patch).rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 1);
  assert_int_equal(facts->rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 1);
  patch = patch_of(picture);
  give(patch, CRM_REL_GOAL, "b|g1|missed");
  (void)apply(patch);
  assert_int_equal(facts->rejected[CRM_REL_GOAL][CRM_REJECT_DUPLICATE], 0);
  assert_int_equal(facts->rows[CRM_REL_GOAL], 1);
  crm_picture_free(picture);
}

static void test_key_moves_and_goes(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_ENGAGEMENT, "b|e1|meeting|positive|~|5000|ann|~|c1"); /* c1 is none of b's contacts */
  give(patch, CRM_REL_GOAL, "~|g1|on_track");                               /* of no account any more */
  delete (patch, CRM_REL_CONTACT, "c2");
  delete (patch, CRM_REL_ENGAGEMENT, "was never there");
  assert_int_equal(apply(patch).accounts, 2);
  static const struct line after[] = {
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
  assert_is("moved", picture, after);
  patch = patch_of(picture);
  delete (patch, CRM_REL_GOAL, "g1");
  (void)apply(patch);
  assert_int_equal(crm_picture_facts(picture)->rejected[CRM_REL_GOAL][CRM_REJECT_NO_ACCOUNT], 0);
  crm_picture_free(picture);
}

static void test_contact_gained(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_CONTACT, "a|c9|user"); /* engagement e1 names it already */
  struct crm_error err = {0};
  must(crm_patch_prepare(patch, &err), &err);
  const struct crm_patch_want *wanted;
  assert_int_equal(crm_patch_wanted(patch, &wanted), 1);
  assert_int_equal(wanted->relation, CRM_REL_ENGAGEMENT);
  replace(patch, CRM_REL_ENGAGEMENT, "a");
  give(patch, CRM_REL_ENGAGEMENT, "a|e1|meeting|positive|~|5000|ann|~|c1,c2,c9");
  give(patch, CRM_REL_ENGAGEMENT, "a|e2|call|~|~|6000|~|~|c2");
  (void)apply(patch);
  const struct crm_engagements *e = &crm_picture_facts(picture)->engagement;
  assert_int_equal(e->contact_first[e->n] - e->contact_first[e->n - 2], 4);
  crm_picture_free(picture);
}

static void test_key_in_two_accounts(void **state) {
  (void)state;
  static const struct line shared[] = {{CRM_REL_ACCOUNT, "a"},    {CRM_REL_ACCOUNT, "b"}, {CRM_REL_CONTACT, "a|c1"},
                                       {CRM_REL_CONTACT, "b|c1"}, {CRM_REL_GOAL, "a|g1"}, END};
  struct crm_picture *picture = picture_of(shared, 0);
  assert_false(crm_picture_keyed(picture, CRM_REL_CONTACT));
  assert_true(crm_picture_keyed(picture, CRM_REL_GOAL));
  assert_false(crm_picture_keyed(picture, CRM_REL_USAGE));
  assert_true(crm_picture_keyed(picture, CRM_REL_ACCOUNT));
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_CONTACT, "b|c1|user");
  struct crm_error err = {0};
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA);
  crm_patch_free(patch);
  patch = patch_of(picture); /* spans bring a key into a second account: by key no longer */
  replace(patch, CRM_REL_GOAL, "b");
  give(patch, CRM_REL_GOAL, "b|g1");
  (void)apply(patch);
  assert_false(crm_picture_keyed(picture, CRM_REL_GOAL));
  assert_int_equal(crm_picture_facts(picture)->rows[CRM_REL_GOAL], 2);
  crm_picture_free(picture);
}

static void test_rows_before_their_span(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 0);
  struct crm_patch *patch = patch_of(picture);
  give(patch, CRM_REL_GOAL, "b|g7|achieved");
  replace(patch, CRM_REL_GOAL, "b"); /* read whole now */
  give(patch, CRM_REL_GOAL, "b|g1|on_track");
  replace(patch, CRM_REL_GOAL, "b"); /* twice is once */
  (void)apply(patch);
  assert_is("read whole", picture, usual);
  crm_picture_free(picture);
}

/* --- memory -------------------------------------------------------------------------------------------------------------- */

static void turn(struct crm_picture *picture, int k) {
  char text[200];
  char account[16];
  struct crm_patch *patch = patch_of(picture);
  snprintf(account, sizeof(account), "a%d", k * 7 % 50);
  snprintf(text, sizeof(text), "%s|north|a name that is never the same %d|s", account, k);
  give(patch, CRM_REL_ACCOUNT, text);
  replace(patch, CRM_REL_USAGE, account);
  for (int d = 0; d < 20 + k % 3; d++) {
    snprintf(text, sizeof(text), "%s|%d|%d", account, d, k % 9);
    give(patch, CRM_REL_USAGE, text);
  }
  snprintf(text, sizeof(text), "%s|g-%d-%d|achieved", account, k * 7 % 50, k % 4);
  give(patch, CRM_REL_GOAL, text);
  snprintf(text, sizeof(text), "stranger%d|g-%d|achieved", k % 100, k % 300); /* refused, each time by another name */
  give(patch, CRM_REL_GOAL, text);
  (void)apply(patch);
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
  must(crm_picture_new(b, &picture, &err), &err);
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

static void test_ceiling(void **state) {
  (void)state;
  struct crm_picture *picture = picture_of(usual, 600 * 1024);
  assert_true(crm_picture_bytes(picture) < 600 * 1024);
  char text[300];
  enum crm_status status = CRM_OK;
  struct crm_error err = {0};
  int patches = 0;
  while (status == CRM_OK && patches < 10000) {
    struct crm_patch *patch = patch_of(picture);
    char *before = dump(crm_picture_facts(picture));
    snprintf(text, sizeof(text), "a|g%d|achieved|1|2|3", patches);
    struct crm_row row;
    rows_parse(CRM_REL_GOAL, text, &row);
    status = crm_patch_row(patch, CRM_REL_GOAL, &row, &err);
    if (status == CRM_OK)
      status = crm_patch_prepare(patch, &err);
    if (status == CRM_OK)
      status = crm_patch_apply(patch, NULL, &err);
    crm_patch_free(patch);
    assert_true(crm_picture_bytes(picture) <= 600 * 1024);
    if (status != CRM_OK) {
      char *after = dump(crm_picture_facts(picture));
      assert_string_equal(before, after);
      free(after);
    }
    free(before);
    patches++;
  }
  assert_int_equal(status, CRM_ERR_LIMIT);
  assert_true(patches > 100);
  assert_non_null(strstr(err.message, "MaxMemory"));
  crm_picture_free(picture);
}

static enum crm_status change_much(struct crm_picture *picture, bool *applied) {
  static const struct line lines[] = {
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
    struct crm_picture *picture = picture_of(usual, 0);
    for (int i = 0; i < 4; i++)
      assert_true(crm_picture_keyed(picture, keyed[i]));
    char *before = dump(crm_picture_facts(picture));
    failed = false;
    countdown = n;
    enum crm_status status = change_much(picture, &applied);
    countdown = 0;
    if (!applied) {
      assert_true(failed);
      assert_int_equal(status, CRM_ERR_MEMORY);
      char *after = dump(crm_picture_facts(picture));
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
