# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_follow.t
TESTS += tests/unit/test_follow.t
tests_unit_test_follow_t_SOURCES = tests/unit/test_follow.c tests/lib/crm_workload.c tests/lib/crm_workload.h tests/lib/pg_fixture.c tests/lib/pg_fixture.h
tests_unit_test_follow_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_follow_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS) -lpthread
