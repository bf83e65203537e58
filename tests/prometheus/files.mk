# SPDX-License-Identifier: MIT
# Rules for Prometheus, with promtool: in `make check`.
rules_tests = tests/prometheus/test-rules.sh
TESTS += $(rules_tests)
dist_check_SCRIPTS += tests/prometheus/test-rules.sh
EXTRA_DIST += \
	tests/prometheus/alerts-accounts.test.yml \
	tests/prometheus/alerts-fast.test.yml \
	tests/prometheus/alerts-no-settings.test.yml \
	tests/prometheus/alerts-quarter.test.yml \
	tests/prometheus/alerts-slow.test.yml \
	tests/prometheus/alerts.test.yml \
	tests/prometheus/inhibit.py \
	tests/prometheus/recording_test.py
