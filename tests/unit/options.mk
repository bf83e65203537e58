# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_conf.t
tests_unit_test_conf_t_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_conf_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_conf.t

check_PROGRAMS += tests/unit/test_options.t
tests_unit_test_options_t_SOURCES = tests/unit/test_options.c
tests_unit_test_options_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_options_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_options.t

check_PROGRAMS += tests/unit/test_docs.t
tests_unit_test_docs_t_SOURCES = tests/unit/test_docs.c
tests_unit_test_docs_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_docs_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_docs.t

dist_check_SCRIPTS += tests/unit/test_ctl.sh
TESTS += tests/unit/test_ctl.sh
