# SPDX-License-Identifier: MIT
EXTRA_PROGRAMS += scrape-bench
scrape_bench_SOURCES = tests/bench/scrape_bench.c
scrape_bench_LDADD = libcrm.la
EXTRA_DIST += tests/bench/run-scrape.sh tests/bench/put_values.py
CLEANFILES += scrape-bench$(EXEEXT)

bench: bench-scrape
bench-scrape: scrape-bench$(EXEEXT)
	CRM_SRCDIR='$(abs_top_srcdir)' CRM_BUILDDIR='$(abs_top_builddir)' '$(srcdir)/tests/bench/run-scrape.sh'
.PHONY: bench-scrape
