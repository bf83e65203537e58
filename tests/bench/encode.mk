# SPDX-License-Identifier: MIT
EXTRA_PROGRAMS += encode-bench
encode_bench_SOURCES = tests/bench/encode_bench.c
encode_bench_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS) $(ZLIB_CFLAGS)
encode_bench_LDADD = libcrm.la $(PROTOBUF_C_LIBS) $(SNAPPY_LIBS) $(ZLIB_LIBS)
CLEANFILES += encode-bench$(EXEEXT)

bench: bench-encode
bench-encode: encode-bench$(EXEEXT)
	./encode-bench$(EXEEXT)
.PHONY: bench-encode
