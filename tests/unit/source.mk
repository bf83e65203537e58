# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_stop.t tests/unit/test_conninfo.t tests/unit/test_mapping.t tests/unit/test_copy_reader.t \
	tests/unit/test_source_live.t tests/unit/test_source_faults.t
TESTS += tests/unit/test_stop.t tests/unit/test_conninfo.t tests/unit/test_mapping.t tests/unit/test_copy_reader.t \
	tests/unit/test_source_live.t tests/unit/test_source_faults.t

tests_unit_test_stop_t_SOURCES = tests/unit/test_stop.c
tests_unit_test_stop_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_stop_t_LDADD = libcrm.la $(CMOCKA_LIBS)

tests_unit_test_conninfo_t_SOURCES = tests/unit/test_conninfo.c
tests_unit_test_conninfo_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_conninfo_t_LDADD = libcrm.la $(CMOCKA_LIBS)

tests_unit_test_mapping_t_SOURCES = tests/unit/test_mapping.c
tests_unit_test_mapping_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mapping_t_LDADD = libcrm.la $(CMOCKA_LIBS)

tests_unit_test_copy_reader_t_SOURCES = tests/unit/test_copy_reader.c
tests_unit_test_copy_reader_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_copy_reader_t_LDADD = libcrm.la $(CMOCKA_LIBS)

# These start a PostgreSQL of their own, and are skipped where its server programs are not installed.
source_fixture_files = tests/lib/pg_fixture.c tests/lib/pg_fixture.h tests/lib/source_fixture.c tests/lib/source_fixture.h
tests_unit_test_source_live_t_SOURCES = tests/unit/test_source_live.c $(source_fixture_files)
tests_unit_test_source_live_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_source_live_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS)

tests_unit_test_source_faults_t_SOURCES = tests/unit/test_source_faults.c $(source_fixture_files)
tests_unit_test_source_faults_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS)
tests_unit_test_source_faults_t_LDADD = libcrm.la $(CMOCKA_LIBS) $(LIBPQ_LIBS) -lpthread
