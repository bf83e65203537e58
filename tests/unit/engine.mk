# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_engine.t
tests_unit_test_engine_t_SOURCES = tests/unit/test_engine.c
tests_unit_test_engine_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_engine_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_engine.t

check_PROGRAMS += tests/unit/test_breakdown.t
tests_unit_test_breakdown_t_SOURCES = tests/unit/test_breakdown.c
tests_unit_test_breakdown_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_breakdown_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_breakdown.t
