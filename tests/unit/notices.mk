# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_notices.t
tests_unit_test_notices_t_SOURCES = tests/unit/test_notices.c
tests_unit_test_notices_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_notices_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_notices.t
