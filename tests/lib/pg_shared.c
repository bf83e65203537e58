/* SPDX-License-Identifier: MIT */
#include "pg_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pg_fixture pg;
bool have_server;

int pg_shared_start(void **state) {
  (void)state;
  have_server = pg_fixture_start(&pg);
  if (!have_server)
    print_message("# skipped: %s\n", pg.reason);
  return 0;
}

int pg_shared_stop(void **state) {
  (void)state;
  if (have_server)
    pg_fixture_stop(&pg);
  return 0;
}
