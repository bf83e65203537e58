# SPDX-License-Identifier: MIT
libcrm_la_SOURCES += \
	src/analytics/accounts.c \
	src/analytics/adoption.c \
	src/analytics/business_inputs.c \
	src/analytics/churn_effective.c \
	src/analytics/churn_indicators.c src/analytics/churn_indicators.h \
	src/analytics/churn_risk.c \
	src/analytics/contacts.h \
	src/analytics/context.c src/analytics/context.h \
	src/analytics/contracts.c src/analytics/contracts.h \
	src/analytics/currency_cells.c src/analytics/currency_cells.h \
	src/analytics/engagement.c src/analytics/engagement.h \
	src/analytics/engagement_inputs.c \
	src/analytics/evaluate.c src/analytics/evaluate.h \
	src/analytics/expansion.c \
	src/analytics/goals.c \
	src/analytics/health.c \
	src/analytics/health_inputs.c src/analytics/health_inputs.h \
	src/analytics/invoices.c src/analytics/invoices.h \
	src/analytics/kaplan_meier.c src/analytics/kaplan_meier.h \
	src/analytics/kpi.c src/analytics/kpi.h \
	src/analytics/level.c src/analytics/level.h \
	src/analytics/level_walk.c src/analytics/level_walk.h \
	src/analytics/local_time.c src/analytics/local_time.h \
	src/analytics/nps.c \
	src/analytics/onboarding.c \
	src/analytics/opportunities.c \
	src/analytics/outcome_correlation.c \
	src/analytics/params.c src/analytics/params.h \
	src/analytics/past.c src/analytics/past.h \
	src/analytics/per_account.c \
	src/analytics/recommendations.c src/analytics/recommendations.h \
	src/analytics/reference.c src/analytics/reference.h \
	src/analytics/renewals.c \
	src/analytics/responses.c \
	src/analytics/revenue.c src/analytics/revenue.h \
	src/analytics/revenue_contracts.c \
	src/analytics/revenue_months.c \
	src/analytics/rules.c src/analytics/rules.h \
	src/analytics/score_inputs.h \
	src/analytics/score_pass.c \
	src/analytics/score_windows.c \
	src/analytics/scores.c src/analytics/scores.h \
	src/analytics/span.h \
	src/analytics/spearman.c src/analytics/spearman.h \
	src/analytics/stakeholders.c \
	src/analytics/support_inputs.c \
	src/analytics/team_members.c \
	src/analytics/time_to_value.c \
	src/analytics/trend.c src/analytics/trend.h \
	src/analytics/usage_inputs.c
