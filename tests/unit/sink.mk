# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_answer.t
tests_unit_test_answer_t_SOURCES = tests/unit/test_answer.c
tests_unit_test_answer_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_answer_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_answer.t
check_PROGRAMS += tests/unit/test_picks.t
tests_unit_test_picks_t_SOURCES = tests/unit/test_picks.c
tests_unit_test_picks_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_picks_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_picks.t
check_PROGRAMS += tests/unit/test_spool.t
tests_unit_test_spool_t_SOURCES = tests/unit/test_spool.c
tests_unit_test_spool_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_spool_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_spool.t
check_PROGRAMS += tests/unit/test_sink.t
tests_unit_test_sink_t_SOURCES = tests/unit/test_sink.c
tests_unit_test_sink_t_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_unit_test_sink_t_LDADD = libcrm.la $(CMOCKA_LIBS) -lpthread -ldl
TESTS += tests/unit/test_sink.t
check_PROGRAMS += tests/unit/test_sink_memory.t
tests_unit_test_sink_memory_t_SOURCES = tests/unit/test_sink_memory.c
tests_unit_test_sink_memory_t_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sink_memory_t_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
tests_unit_test_sink_memory_t_LDADD = libcrm.la $(CMOCKA_LIBS)
TESTS += tests/unit/test_sink_memory.t
