# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_set.t
tests_unit_test_set_t_SOURCES = tests/unit/test_set.c
tests_unit_test_set_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_set_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_set.t

check_PROGRAMS += tests/unit/test_flat_name.t
tests_unit_test_flat_name_t_SOURCES = tests/unit/test_flat_name.c
tests_unit_test_flat_name_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_flat_name_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_flat_name.t

check_PROGRAMS += tests/unit/test_export.t
tests_unit_test_export_t_SOURCES = tests/unit/test_export.c
tests_unit_test_export_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_export_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_export.t

check_PROGRAMS += tests/unit/test_revenue.t
tests_unit_test_revenue_t_SOURCES = tests/unit/test_revenue.c tests/lib/revenue_check.c tests/lib/revenue_check.h
tests_unit_test_revenue_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue.t

check_PROGRAMS += tests/unit/test_revenue_examples.t
tests_unit_test_revenue_examples_t_SOURCES = tests/unit/test_revenue_examples.c tests/lib/revenue_check.c tests/lib/revenue_check.h
tests_unit_test_revenue_examples_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_examples_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_examples.t

check_PROGRAMS += tests/unit/test_revenue_property.t
tests_unit_test_revenue_property_t_SOURCES = tests/unit/test_revenue_property.c tests/lib/revenue_truth.c tests/lib/revenue_truth.h
tests_unit_test_revenue_property_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_revenue_property_t_LDADD = tests/lib/libfacts_fixture.la libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_revenue_property.t
