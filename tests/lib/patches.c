/* SPDX-License-Identifier: MIT */
#include "patches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts/patch_internal.h"
#include "rows.h"

const struct patches_line patches_none[] = {END};
/* Contacts before engagements, as the builder wants it. */
const struct patches_line patches_usual[] = {
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

struct crm_builder *patches_read(const struct patches_line *lines, const struct crm_builder_options *options) {
  struct crm_builder *b = rows_builder(options);
  rows_begin(b);
  for (; lines->text != NULL; lines++)
    rows_put(b, lines->relation, lines->text);
  return b;
}

struct crm_picture *patches_picture(const struct patches_line *lines, size_t ceiling) {
  const struct crm_builder_options options = {
      .default_tenant = "house", .default_currency = "", .patchable = true, .memory_ceiling = ceiling};
  struct crm_builder *b = patches_read(lines, &options);
  struct crm_picture *picture = NULL;
  struct crm_error err = {0};
  if (crm_picture_new(b, &picture, &err) != CRM_OK)
    fail_msg("%s", err.message);
  crm_builder_free(b);
  return picture;
}

struct crm_patch *patches_new(struct crm_picture *picture) {
  struct crm_patch *patch = NULL;
  struct crm_error err = {0};
  if (crm_patch_new(picture, &patch, &err) != CRM_OK)
    fail_msg("%s", err.message);
  return patch;
}

void patches_must(enum crm_status status, const struct crm_error *err) {
  if (status != CRM_OK)
    fail_msg("%s: %s", crm_status_name(status), err->message);
}

void patches_give(struct crm_patch *patch, enum crm_relation relation, const char *text) {
  struct crm_row row;
  struct crm_error err = {0};
  rows_parse(relation, text, &row);
  patches_must(crm_patch_row(patch, relation, &row, &err), &err);
}

void patches_replace(struct crm_patch *patch, enum crm_relation relation, const char *account) {
  struct crm_error err = {0};
  patches_must(crm_patch_replace(patch, relation, account, strlen(account), &err), &err);
}

void patches_replace_every_span(struct crm_patch *patch, const char *account) {
  for (int r = 1; r < CRM_RELATIONS; r++)
    patches_replace(patch, (enum crm_relation)r, account);
}

void patches_delete(struct crm_patch *patch, enum crm_relation relation, const char *key) {
  struct crm_error err = {0};
  patches_must(crm_patch_delete(patch, relation, key, strlen(key), &err), &err);
}

struct crm_patch_applied patches_apply(struct crm_patch *patch) {
  struct crm_patch_applied applied;
  struct crm_error err = {0};
  patches_must(crm_patch_prepare(patch, &err), &err);
  patches_must(crm_patch_apply(patch, &applied, &err), &err);
  crm_patch_free(patch);
  return applied;
}

char *patches_dump(const struct crm_facts *facts) {
  char *text = rows_dump(facts);
  char *from = strstr(text, "tenant ");
  assert_non_null(from);
  memmove(text, from, strlen(from) + 1);
  return text;
}

void patches_assert_is(const char *name, const struct crm_picture *picture, const struct patches_line *lines) {
  struct crm_facts *fresh = rows_finish(patches_read(lines, &rows_usual));
  char *x = patches_dump(crm_picture_facts(picture));
  char *y = patches_dump(fresh);
  if (strcmp(x, y) != 0)
    fail_msg("%s: patched\n%s\nfresh\n%s", name, x, y);
  free(x);
  free(y);
  crm_facts_unref(fresh);
}
