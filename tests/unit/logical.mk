# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_pgoutput.t
TESTS += tests/unit/test_pgoutput.t
tests_unit_test_pgoutput_t_SOURCES = tests/unit/test_pgoutput.c
tests_unit_test_pgoutput_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pgoutput_t_LDADD = libcrm.la $(CMOCKA_LIBS)
