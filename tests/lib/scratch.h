/* SPDX-License-Identifier: MIT */
/* Where tests put what they write. */
#ifndef CRM_TESTS_SCRATCH_H
#define CRM_TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_SIZE = 64 };

/* Fills `path` with what mkdtemp and mkstemp want, "DIRECTORY/crm-NAME-XXXXXX", and returns it: below TMPDIR, or the system's directory where
 * that is not set or longer than 28 letters (a Unix socket's path may be no longer than 107). `name` has at most 10. */
static inline char *scratch_template(char path[SCRATCH_SIZE], const char *name) {
  const char *parent = getenv("TMPDIR");
  if (parent == NULL || parent[0] != '/' || strlen(parent) > 28)
    parent = P_tmpdir;
  snprintf(path, SCRATCH_SIZE, "%.28s/crm-%.10s-XXXXXX", parent, name);
  return path;
}

#endif
