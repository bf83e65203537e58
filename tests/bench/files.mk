# SPDX-License-Identifier: MIT
EXTRA_PROGRAMS = crm-bench
crm_bench_SOURCES = tests/bench/crm_bench.c
crm_bench_LDADD = libcrm.la
EXTRA_DIST += tests/bench/run-bench.sh
CLEANFILES += crm-bench$(EXEEXT)

bench: crm-bench$(EXEEXT) crm-demo-data$(EXEEXT)
	CRM_SRCDIR='$(abs_top_srcdir)' CRM_BUILDDIR='$(abs_top_builddir)' '$(srcdir)/tests/bench/run-bench.sh'
.PHONY: bench
include tests/bench/encode.mk
include tests/bench/scrape.mk
