# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_revenue_months_property.t
tests_unit_test_revenue_months_property_t_SOURCES = tests/unit/test_revenue_months_property.c tests/lib/revenue_truth.c tests/lib/revenue_truth.h
tests_unit_test_revenue_months_property_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_months_property_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_months_property.t

check_PROGRAMS += tests/unit/test_revenue_months.t
tests_unit_test_revenue_months_t_SOURCES = tests/unit/test_revenue_months.c tests/lib/revenue_check.c tests/lib/revenue_check.h
tests_unit_test_revenue_months_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_months_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_months.t

check_PROGRAMS += tests/unit/test_revenue_more.t
tests_unit_test_revenue_more_t_SOURCES = tests/unit/test_revenue_more.c tests/lib/revenue_check.c tests/lib/revenue_check.h
tests_unit_test_revenue_more_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_more_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_more.t

check_PROGRAMS += tests/unit/test_revenue_parts.t
tests_unit_test_revenue_parts_t_SOURCES = tests/unit/test_revenue_parts.c tests/lib/revenue_check.c tests/lib/revenue_check.h
tests_unit_test_revenue_parts_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_parts_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_parts.t
