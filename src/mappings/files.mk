# SPDX-License-Identifier: MIT
# Shipped mappings, one runnable SELECT a file.
customer_successdir = $(pkgdatadir)/mappings/customer_success
dist_customer_success_DATA = \
	src/mappings/customer_success/account.sql \
	src/mappings/customer_success/contact.sql \
	src/mappings/customer_success/contract.sql \
	src/mappings/customer_success/engagement.sql \
	src/mappings/customer_success/goal.sql \
	src/mappings/customer_success/health.sql \
	src/mappings/customer_success/intervention.sql \
	src/mappings/customer_success/invoice.sql \
	src/mappings/customer_success/nps.sql \
	src/mappings/customer_success/onboarding.sql \
	src/mappings/customer_success/opportunity.sql \
	src/mappings/customer_success/revenue.sql \
	src/mappings/customer_success/signal.sql \
	src/mappings/customer_success/support.sql \
	src/mappings/customer_success/usage.sql

# How their changes are found.
customer_success_changesdir = $(customer_successdir)/changes
dist_customer_success_changes_DATA = \
	src/mappings/customer_success/changes/account.sql \
	src/mappings/customer_success/changes/contact.sql \
	src/mappings/customer_success/changes/engagement.sql \
	src/mappings/customer_success/changes/health.sql \
	src/mappings/customer_success/changes/intervention.sql \
	src/mappings/customer_success/changes/invoice.sql \
	src/mappings/customer_success/changes/nps.sql \
	src/mappings/customer_success/changes/onboarding.sql \
	src/mappings/customer_success/changes/revenue.sql \
	src/mappings/customer_success/changes/signal.sql \
	src/mappings/customer_success/changes/support.sql \
	src/mappings/customer_success/changes/usage.sql
