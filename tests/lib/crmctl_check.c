/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "lib/crmctl_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void crmctl_check(const struct pg_fixture *pg, char *out, size_t size) {
  char path[96], command[256], mapping[4096], where[4096];
  const char *srcdir = getenv("CRM_SRCDIR");
  snprintf(where, sizeof(where), "%.4000s/src/mappings/customer_success", srcdir != NULL ? srcdir : ".");
  assert_non_null(realpath(where, mapping));
  snprintf(path, sizeof(path), "%s/check.conf", pg->dir);
  FILE *conf = fopen(path, "w");
  assert_non_null(conf);
  fprintf(conf,
          "<Plugin crm>\n<Instance \"main\">\nHost \"%s\"\nDatabase \"crm\"\nUser \"reader\"\nMapping \"%s\"\n</Instance>\n</Plugin>\n",
          pg->dir, mapping);
  assert_int_equal(fclose(conf), 0);
  snprintf(command, sizeof(command), "./crmctl --config %s check 2>&1", path);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t len = fread(out, 1, size - 1, pipe);
  assert_int_equal(pclose(pipe), 0);
  out[len] = '\0';
  size_t kept = 0;
  for (size_t i = 0; i < len; i++)
    if ((out[i] != ' ' && out[i] != '\n') || (kept > 0 && out[kept - 1] != ' '))
      out[kept++] = out[i] == '\n' ? ' ' : out[i];
  out[kept] = '\0';
}
