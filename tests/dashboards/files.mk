# SPDX-License-Identifier: MIT
# Without servers, in `make check`; with them tests/e2e/test-dashboards.sh, in `make check-e2e`.
dashboards_tests = tests/dashboards/test-source.sh
TESTS += $(dashboards_tests)
dist_check_SCRIPTS += $(dashboards_tests)
EXTRA_DIST += \
	tests/dashboards/alerts.py \
	tests/dashboards/check.py \
	tests/dashboards/endpoints.py \
	tests/dashboards/exceptions-graphite.json \
	tests/dashboards/exceptions.json \
	tests/dashboards/lint.py \
	tests/dashboards/prometheus.py \
	tests/dashboards/test_lint.py
