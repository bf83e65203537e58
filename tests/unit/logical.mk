# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_pgoutput.t tests/unit/test_logical.t
TESTS += tests/unit/test_pgoutput.t tests/unit/test_logical.t
tests_unit_test_pgoutput_t_SOURCES = tests/unit/test_pgoutput.c
tests_unit_test_pgoutput_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pgoutput_t_LDADD = libcrm.la $(CMOCKA_LIBS)
tests_unit_test_logical_t_SOURCES = tests/unit/test_logical.c tests/lib/crmctl_check.c tests/lib/crmctl_check.h tests/lib/crm_workload.c tests/lib/crm_workload.h tests/lib/follower.c tests/lib/follower.h tests/lib/pg_fixture.c tests/lib/pg_fixture.h tests/lib/pg_shared.c tests/lib/pg_shared.h
tests_unit_test_logical_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_logical_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS) -lpthread
