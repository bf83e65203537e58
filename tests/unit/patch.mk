# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_patch.t
tests_unit_test_patch_t_SOURCES = tests/unit/test_patch.c tests/lib/patches.c tests/lib/patches.h tests/lib/rows.c tests/lib/rows.h
tests_unit_test_patch_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
tests_unit_test_patch_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_patch_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_patch.t
check_PROGRAMS += tests/unit/test_patch_days.t
tests_unit_test_patch_days_t_SOURCES = tests/unit/test_patch_days.c tests/lib/patches.c tests/lib/patches.h tests/lib/rows.c tests/lib/rows.h
tests_unit_test_patch_days_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
tests_unit_test_patch_days_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_patch_days.t
check_PROGRAMS += tests/unit/test_patch_property.t
tests_unit_test_patch_property_t_SOURCES = tests/unit/test_patch_property.c tests/lib/rows.c tests/lib/rows.h
tests_unit_test_patch_property_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
tests_unit_test_patch_property_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_patch_property.t
