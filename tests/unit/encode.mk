# SPDX-License-Identifier: MIT
check_LTLIBRARIES += tests/lib/libwire_decode.la
tests_lib_libwire_decode_la_SOURCES = tests/lib/wire_decode.c tests/lib/wire_decode.h
tests_lib_libwire_decode_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(PROTOBUF_C_CFLAGS) $(ZLIB_CFLAGS)
CRM_ENCODE_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
CRM_ENCODE_TEST_LDADD = tests/lib/libwire_decode.la libcrm.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/test_encode.t
tests_unit_test_encode_t_SOURCES = tests/unit/test_encode.c
tests_unit_test_encode_t_CPPFLAGS = $(CRM_ENCODE_TEST_CPPFLAGS)
tests_unit_test_encode_t_LDADD = $(CRM_ENCODE_TEST_LDADD)
TESTS += tests/unit/test_encode.t
