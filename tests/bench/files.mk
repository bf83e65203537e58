# SPDX-License-Identifier: MIT
EXTRA_PROGRAMS = crm-bench crm-follow-bench
crm_bench_SOURCES = tests/bench/crm_bench.c
crm_bench_LDADD = libcrm.la
crm_follow_bench_SOURCES = tests/bench/crm_follow_bench.c $(relay_files)
crm_follow_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests $(LIBPQ_CFLAGS)
crm_follow_bench_LDADD = libcrm.la $(LIBPQ_LIBS) -lpthread
EXTRA_DIST += tests/bench/README.md tests/bench/run-bench.sh tests/bench/run-follow-bench.sh tests/bench/follow_report.py tests/bench/peers.py
CLEANFILES += crm-bench$(EXEEXT) crm-follow-bench$(EXEEXT)

bench: crm-bench$(EXEEXT) crm-demo-data$(EXEEXT)
	CRM_SRCDIR='$(abs_top_srcdir)' CRM_BUILDDIR='$(abs_top_builddir)' '$(srcdir)/tests/bench/run-bench.sh'
bench-follow: crm-bench$(EXEEXT) crm-follow-bench$(EXEEXT) tests/lib/crm-relay$(EXEEXT) crm-demo-data$(EXEEXT)
	CRM_SRCDIR='$(abs_top_srcdir)' CRM_BUILDDIR='$(abs_top_builddir)' '$(srcdir)/tests/bench/run-follow-bench.sh'
.PHONY: bench bench-follow
include tests/bench/encode.mk
include tests/bench/scrape.mk
