# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_patch_property.t
tests_unit_test_patch_property_t_SOURCES = tests/unit/test_patch_property.c tests/lib/rows.c tests/lib/rows.h
tests_unit_test_patch_property_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
tests_unit_test_patch_property_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_patch_property.t
