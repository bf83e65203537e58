# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_history.t
tests_unit_test_history_t_SOURCES = tests/unit/test_history.c
tests_unit_test_history_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_history_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_history.t

check_PROGRAMS += tests/unit/test_backfill_plan.t
tests_unit_test_backfill_plan_t_SOURCES = tests/unit/test_backfill_plan.c src/ctl/backfill_plan.c
tests_unit_test_backfill_plan_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_backfill_plan_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_backfill_plan.t
