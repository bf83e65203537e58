# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_options_export.t
tests_unit_test_options_export_t_SOURCES = tests/unit/test_options_export.c
tests_unit_test_options_export_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_options_export_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_options_export.t
