/* SPDX-License-Identifier: MIT */
/* Patches that replace days of an account's span and leave the others as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/patches.h"

static void replace_day(struct crm_patch *patch, const char *account, crm_day day) {
  struct crm_error err = {0};
  patches_must(crm_patch_replace_day(patch, CRM_REL_USAGE, account, strlen(account), day, &err), &err);
}

static void test_day_of_span(void **state) {
  (void)state;
  static const struct patches_line nothing_given[] = {{CRM_REL_USAGE, "a|10|5"}, END};
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  struct crm_error err = {0};
  assert_int_equal(crm_patch_replace_day(patch, CRM_REL_NPS, "a", 1, 11, &err), CRM_ERR_DATA);
  patches_give(patch, CRM_REL_USAGE, "a|11|99"); /* came before the day was announced */
  replace_day(patch, "a", 11);
  patches_give(patch, CRM_REL_USAGE, "a|11|4");
  replace_day(patch, "a", 11); /* twice is once */
  replace_day(patch, "a", 12); /* has no rows, now or then */
  assert_int_equal(patches_apply(patch).accounts, 0);
  patches_assert_is("as it was", picture, patches_usual);

  patch = patches_new(picture);
  replace_day(patch, "a", 11);
  assert_int_equal(patches_apply(patch).accounts, 1);
  struct crm_facts *facts = crm_picture_facts(picture);
  assert_int_equal(facts->rows[CRM_REL_USAGE], 1);

  patch = patches_new(picture);
  replace_day(patch, "a", 11);
  patches_give(patch, CRM_REL_USAGE, "a|11|4");
  assert_int_equal(patches_apply(patch).accounts, 1);
  patches_assert_is("back again", picture, patches_usual);

  patch = patches_new(picture);
  replace_day(patch, "a", 11);
  patches_give(patch, CRM_REL_USAGE, nothing_given[0].text); /* of another day */
  assert_int_equal(crm_patch_prepare(patch, &err), CRM_ERR_DATA);
  crm_patch_free(patch);
  crm_picture_free(picture);
}

/* Of which days rows were refused is not remembered, so a day alone will not do. */
static void test_day_of_account_with_refused_rows(void **state) {
  (void)state;
  struct crm_picture *picture = patches_picture(patches_usual, 0);
  struct crm_patch *patch = patches_new(picture);
  struct crm_error err = {0};
  const struct crm_patch_want *wanted;
  replace_day(patch, "nobody", 11);
  replace_day(patch, "somebody", 11); /* as unknown, but nothing was refused of it */
  patches_give(patch, CRM_REL_USAGE, "somebody|11|3");
  patches_must(crm_patch_prepare(patch, &err), &err);
  assert_int_equal(crm_patch_wanted(patch, &wanted), 1);
  assert_int_equal(wanted[0].relation, CRM_REL_USAGE);
  assert_string_equal(wanted[0].account_id, "nobody");
  patches_replace(patch, CRM_REL_USAGE, "nobody");
  (void)patches_apply(patch);
  assert_int_equal(crm_picture_facts(picture)->rejected[CRM_REL_USAGE][CRM_REJECT_UNKNOWN_ACCOUNT], 1);
  crm_picture_free(picture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_day_of_span),
      cmocka_unit_test(test_day_of_account_with_refused_rows),
  };
  return cmocka_run_group_tests_name("patch_days", tests, NULL, NULL);
}
