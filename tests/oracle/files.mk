# SPDX-License-Identifier: MIT
# The metrics a second time in SQL: one of the tests of `make check-e2e`.
e2e_tests += tests/oracle/test-oracle.sh
EXTRA_DIST += \
	tests/oracle/accounts.sql \
	tests/oracle/book.sql \
	tests/oracle/churn_risk.sql \
	tests/oracle/churn_risk_cells.sql \
	tests/oracle/compare.py \
	tests/oracle/edges.sql \
	tests/oracle/engagement.sql \
	tests/oracle/facts.sql \
	tests/oracle/health.sql \
	tests/oracle/health_cells.sql \
	tests/oracle/kpi.sql \
	tests/oracle/months.sql \
	tests/oracle/nps.sql \
	tests/oracle/print.sql \
	tests/oracle/recommendations.sql \
	tests/oracle/remember.sql \
	tests/oracle/revenue.sql \
	tests/oracle/trend.sql \
	tests/oracle/value.sql
