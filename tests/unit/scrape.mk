# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_options_export.t
tests_unit_test_options_export_t_SOURCES = tests/unit/test_options_export.c
tests_unit_test_options_export_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_options_export_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_options_export.t

check_PROGRAMS += tests/unit/test_exposition.t
tests_unit_test_exposition_t_SOURCES = tests/unit/test_exposition.c
tests_unit_test_exposition_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(PROTOBUF_C_CFLAGS)
tests_unit_test_exposition_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(PROTOBUF_C_LIBS)
TESTS += tests/unit/test_exposition.t

check_PROGRAMS += tests/unit/test_exports.t
tests_unit_test_exports_t_SOURCES = tests/unit/test_exports.c
tests_unit_test_exports_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_test_exports_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(ZLIB_LIBS) -lpthread
TESTS += tests/unit/test_exports.t

check_PROGRAMS += tests/unit/test_pages.t
tests_unit_test_pages_t_SOURCES = tests/unit/test_pages.c
tests_unit_test_pages_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pages_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_pages.t
