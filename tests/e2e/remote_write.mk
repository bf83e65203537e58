# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/e2e/crm_feed
tests_e2e_crm_feed_SOURCES = tests/e2e/crm_feed.c
tests_e2e_crm_feed_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCURL_CFLAGS)
tests_e2e_crm_feed_LDADD = libcrm.la
exports_tests += tests/e2e/test-remote-write.sh tests/e2e/test-sink-requests.sh tests/e2e/test-sink-keeping.sh
EXTRA_DIST += \
	tests/e2e/feed.py \
	tests/e2e/receiver.py \
	tests/e2e/sink_case.py \
	tests/e2e/sink_keeping.py \
	tests/e2e/sink_requests.py
