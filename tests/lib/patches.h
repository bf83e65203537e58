/* SPDX-License-Identifier: MIT */
/* Pictures and patches from rows as text (lib/rows.h), for tests; what cannot be made fails the test. */
#ifndef CRM_TESTS_PATCHES_H
#define CRM_TESTS_PATCHES_H

#include "facts/patch.h"

struct patches_line {
  enum crm_relation relation;
  const char *text;
};
#define END                                                                                                                                \
  { CRM_RELATIONS, NULL }

extern const struct patches_line patches_none[], patches_usual[]; /* up to END */

struct crm_builder *patches_read(const struct patches_line *lines, const struct crm_builder_options *options);
/* `ceiling` in bytes, 0: none. */
struct crm_picture *patches_picture(const struct patches_line *lines, size_t ceiling);
struct crm_patch *patches_new(struct crm_picture *picture);

void patches_must(enum crm_status status, const struct crm_error *err);
void patches_give(struct crm_patch *patch, enum crm_relation relation, const char *text);
void patches_replace(struct crm_patch *patch, enum crm_relation relation, const char *account);
void patches_replace_every_span(struct crm_patch *patch, const char *account);
void patches_delete(struct crm_patch *patch, enum crm_relation relation, const char *key);
/* Prepares, applies and frees it. */
struct crm_patch_applied patches_apply(struct crm_patch *patch);

/* rows_dump, the currencies apart, of which a picture forgets none. To be freed. */
char *patches_dump(const struct crm_facts *facts);
/* The picture is as if it had been read from the lines. */
void patches_assert_is(const char *name, const struct crm_picture *picture, const struct patches_line *lines);

#endif
