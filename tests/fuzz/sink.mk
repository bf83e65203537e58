# SPDX-License-Identifier: MIT
fuzzers += tests/fuzz/fuzz_answer tests/fuzz/fuzz_spool
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_answer tests/fuzz/fuzz_spool
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c
tests_fuzz_fuzz_answer_LDADD = libcrm.la
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_spool_SOURCES = tests/fuzz/fuzz_spool.c
tests_fuzz_fuzz_spool_LDADD = libcrm.la $(SNAPPY_LIBS) $(ZLIB_LIBS)
tests_fuzz_fuzz_spool_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
endif
