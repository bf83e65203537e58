# SPDX-License-Identifier: MIT
check_LTLIBRARIES += tests/lib/libfacts_fixture.la
tests_lib_libfacts_fixture_la_SOURCES = tests/lib/facts_fixture.c tests/lib/facts_fixture.h
tests_lib_libfacts_fixture_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_libfacts_fixture_la_LIBADD = libcrm.la

# One program per module; all of them link the fixture.
CRM_ANALYTICS_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
CRM_ANALYTICS_TEST_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS) -lm
noinst_HEADERS += tests/lib/bases.h tests/lib/close.h tests/lib/patience.h tests/lib/scratch.h

check_PROGRAMS += tests/unit/test_accounts.t
tests_unit_test_accounts_t_SOURCES = tests/unit/test_accounts.c
tests_unit_test_accounts_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_accounts_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_accounts.t
check_PROGRAMS += tests/unit/test_catalogue.t
tests_unit_test_catalogue_t_SOURCES = tests/unit/test_catalogue.c
tests_unit_test_catalogue_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_catalogue_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_catalogue.t
check_PROGRAMS += tests/unit/test_churn_risk.t
tests_unit_test_churn_risk_t_SOURCES = tests/unit/test_churn_risk.c
tests_unit_test_churn_risk_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_churn_risk_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_churn_risk.t
check_PROGRAMS += tests/unit/test_context.t
tests_unit_test_context_t_SOURCES = tests/unit/test_context.c
tests_unit_test_context_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_context_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_context.t
check_PROGRAMS += tests/unit/test_evaluate.t
tests_unit_test_evaluate_t_SOURCES = tests/unit/test_evaluate.c
tests_unit_test_evaluate_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_evaluate_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_evaluate.t
check_PROGRAMS += tests/unit/test_health.t
tests_unit_test_health_t_SOURCES = tests/unit/test_health.c
tests_unit_test_health_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_health_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_health.t
check_PROGRAMS += tests/unit/test_nps.t
tests_unit_test_nps_t_SOURCES = tests/unit/test_nps.c
tests_unit_test_nps_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_nps_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_nps.t
check_PROGRAMS += tests/unit/test_per_account.t
tests_unit_test_per_account_t_SOURCES = tests/unit/test_per_account.c
tests_unit_test_per_account_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_per_account_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_per_account.t
# What every family owes, over bases with rows in every relation.
check_PROGRAMS += tests/unit/test_whole_property.t
tests_unit_test_whole_property_t_SOURCES = \
	tests/unit/test_whole_property.c \
	tests/lib/chance.h \
	tests/lib/owed.c tests/lib/owed.h \
	tests/lib/sums.c tests/lib/sums.h \
	tests/lib/whole_base.c tests/lib/whole_base.h
tests_unit_test_whole_property_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_whole_property_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_whole_property.t
check_PROGRAMS += tests/unit/test_shards.t
tests_unit_test_shards_t_SOURCES = tests/unit/test_shards.c
tests_unit_test_shards_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_shards_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_shards.t
