# SPDX-License-Identifier: MIT
# Golden tests: the mapping against hand-made rows, and the demo CRM's generator. Both start a private PostgreSQL and skip without one.
dist_check_SCRIPTS += tests/golden/run-golden.sh tests/golden/test-generator.sh
TESTS += tests/golden/run-golden.sh tests/golden/test-generator.sh
EXTRA_DIST += \
	tests/golden/private-pg.sh \
	tests/golden/setup.sql \
	tests/golden/expected/account.csv \
	tests/golden/expected/columns.txt \
	tests/golden/expected/contact.csv \
	tests/golden/expected/contract.csv \
	tests/golden/expected/engagement.csv \
	tests/golden/expected/goal.csv \
	tests/golden/expected/health.csv \
	tests/golden/expected/intervention.csv \
	tests/golden/expected/invoice.csv \
	tests/golden/expected/nps.csv \
	tests/golden/expected/onboarding.csv \
	tests/golden/expected/opportunity.csv \
	tests/golden/expected/revenue.csv \
	tests/golden/expected/signal.csv \
	tests/golden/expected/support.csv \
	tests/golden/expected/usage.csv
