# SPDX-License-Identifier: MIT
# What stands between a client and a server, for tests and benches; and the program of it.
relay_files = tests/lib/relay.c tests/lib/relay.h
check_PROGRAMS += tests/lib/crm-relay
tests_lib_crm_relay_SOURCES = tests/lib/crm_relay.c $(relay_files)
tests_lib_crm_relay_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_crm_relay_LDADD = libcrm.la -lpthread

check_PROGRAMS += tests/unit/test_follow.t tests/unit/test_follow_plans.t tests/unit/test_follow_workload.t
TESTS += tests/unit/test_follow.t tests/unit/test_follow_plans.t tests/unit/test_follow_workload.t
follower_files = tests/lib/crm_workload.c tests/lib/crm_workload.h tests/lib/follower.c tests/lib/follower.h tests/lib/pg_fixture.c tests/lib/pg_fixture.h tests/lib/pg_shared.c tests/lib/pg_shared.h
tests_unit_test_follow_t_SOURCES = tests/unit/test_follow.c $(follower_files)
tests_unit_test_follow_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_follow_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS)
tests_unit_test_follow_plans_t_SOURCES = tests/unit/test_follow_plans.c $(follower_files)
tests_unit_test_follow_plans_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_follow_plans_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS)
tests_unit_test_follow_workload_t_SOURCES = tests/unit/test_follow_workload.c $(follower_files) $(relay_files)
tests_unit_test_follow_workload_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_follow_workload_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS) -lpthread

# The workload as a program, for tests/e2e/test-follow.sh.
check_PROGRAMS += tests/e2e/crm-workload-run
tests_e2e_crm_workload_run_SOURCES = tests/e2e/crm_workload_run.c tests/lib/crm_workload.c tests/lib/crm_workload.h
tests_e2e_crm_workload_run_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(LIBPQ_CFLAGS)
tests_e2e_crm_workload_run_LDADD = $(LIBPQ_LIBS)
