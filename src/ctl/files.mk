# SPDX-License-Identifier: MIT
bin_PROGRAMS = crmctl
crmctl_SOURCES = \
	src/crmctl.c \
	src/ctl/backfill.c src/ctl/backfill.h \
	src/ctl/backfill_files.c \
	src/ctl/backfill_plan.c \
	src/ctl/backfill_push.c \
	src/ctl/backfill_send.c \
	src/ctl/check.c \
	src/ctl/common.c \
	src/ctl/ctl.h \
	src/ctl/once.c \
	src/ctl/summary.c
crmctl_CPPFLAGS = $(AM_CPPFLAGS) -DCRM_PKGDATADIR='"$(pkgdatadir)"'
crmctl_LDADD = libcrm.la
