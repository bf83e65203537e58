# SPDX-License-Identifier: MIT
# crmctl with another `once`.
noinst_PROGRAMS += tests/e2e/encode-once
tests_e2e_encode_once_SOURCES = tests/e2e/encode_once.c $(crmctl_SOURCES)
tests_e2e_encode_once_CPPFLAGS = $(crmctl_CPPFLAGS)
tests_e2e_encode_once_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=crm_ctl_once
tests_e2e_encode_once_LDADD = $(crmctl_LDADD)
exports_tests += tests/e2e/test-encode.sh
EXTRA_DIST += tests/e2e/encode_receiver.py
