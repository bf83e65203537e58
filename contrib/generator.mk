# SPDX-License-Identifier: MIT
# The made-up customer base of the demo, the end-to-end test and the bench. It stands alone: C library and libm.
noinst_PROGRAMS += crm-demo-data
crm_demo_data_SOURCES = \
	contrib/generator/main.c \
	contrib/generator/prng.c contrib/generator/prng.h \
	contrib/generator/rows_account.c \
	contrib/generator/rows_activity.c \
	contrib/generator/rows_business.c \
	contrib/generator/rows_usage.c \
	contrib/generator/simulate.c contrib/generator/simulate.h \
	contrib/generator/table.c contrib/generator/table.h \
	contrib/generator/trouble.c \
	contrib/generator/words.c contrib/generator/write.h
# No fused multiply-add: the same arguments give the same bytes on every machine.
crm_demo_data_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
crm_demo_data_LDADD = -lm
