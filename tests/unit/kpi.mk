# SPDX-License-Identifier: MIT
check_PROGRAMS += tests/unit/test_kaplan_meier.t
tests_unit_test_kaplan_meier_t_SOURCES = tests/unit/test_kaplan_meier.c
tests_unit_test_kaplan_meier_t_CPPFLAGS = $(CRM_ANALYTICS_TEST_CPPFLAGS)
tests_unit_test_kaplan_meier_t_LDADD = $(CRM_ANALYTICS_TEST_LDADD)
TESTS += tests/unit/test_kaplan_meier.t
