# SPDX-License-Identifier: MIT
EXTRA_PROGRAMS += crm-patch-bench
crm_patch_bench_SOURCES = tests/bench/patch_bench.c
crm_patch_bench_LDADD = libcrm.la
CLEANFILES += crm-patch-bench$(EXEEXT)

bench-patch: crm-patch-bench$(EXEEXT)
	./crm-patch-bench$(EXEEXT)
.PHONY: bench-patch
