/* SPDX-License-Identifier: MIT */
/* One server (lib/pg_fixture.h) for all tests of a program. Without one they skip; why is printed once. */
#ifndef CRM_TESTS_PG_SHARED_H
#define CRM_TESTS_PG_SHARED_H

#include "pg_fixture.h"

extern struct pg_fixture pg;
extern bool have_server;

/* cmocka's group setup and teardown. */
int pg_shared_start(void **state);
int pg_shared_stop(void **state);

#endif
