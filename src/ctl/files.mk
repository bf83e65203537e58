# SPDX-License-Identifier: MIT
bin_PROGRAMS = crmctl
crmctl_SOURCES = src/crmctl.c
crmctl_LDADD = libcrm.la
