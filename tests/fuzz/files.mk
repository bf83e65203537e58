# SPDX-License-Identifier: MIT
# ./configure --enable-fuzzers CC=clang && make fuzzers; contrib/check fuzz runs them. Seeds are in tests/fuzz/corpus/NAME/.
fuzzers = tests/fuzz/fuzz_accept tests/fuzz/fuzz_conf tests/fuzz/fuzz_copy tests/fuzz/fuzz_encode tests/fuzz/fuzz_numeric tests/fuzz/fuzz_pgoutput
if ENABLE_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_accept tests/fuzz/fuzz_conf tests/fuzz/fuzz_copy tests/fuzz/fuzz_encode tests/fuzz/fuzz_numeric tests/fuzz/fuzz_pgoutput
tests_fuzz_fuzz_accept_SOURCES = tests/fuzz/fuzz_accept.c
tests_fuzz_fuzz_accept_LDADD = libcrm.la
tests_fuzz_fuzz_accept_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDADD = libcrm.la
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_copy_SOURCES = tests/fuzz/fuzz_copy.c
tests_fuzz_fuzz_copy_LDADD = libcrm.la
tests_fuzz_fuzz_copy_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_encode_SOURCES = tests/fuzz/fuzz_encode.c tests/lib/wire_decode.c tests/lib/wire_decode.h
tests_fuzz_fuzz_encode_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(PROTOBUF_C_CFLAGS) $(ZLIB_CFLAGS)
tests_fuzz_fuzz_encode_LDADD = libcrm.la $(PROTOBUF_C_LIBS) $(SNAPPY_LIBS) $(ZLIB_LIBS)
tests_fuzz_fuzz_encode_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_numeric_SOURCES = tests/fuzz/fuzz_numeric.c
tests_fuzz_fuzz_numeric_LDADD = libcrm.la
tests_fuzz_fuzz_numeric_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_pgoutput_SOURCES = tests/fuzz/fuzz_pgoutput.c
tests_fuzz_fuzz_pgoutput_LDADD = libcrm.la
tests_fuzz_fuzz_pgoutput_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus

fuzzers: $(BUILT_SOURCES)
	$(MAKE) $(fuzzers)
.PHONY: fuzzers
