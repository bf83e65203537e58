# SPDX-License-Identifier: MIT
include tests/unit/base.mk
include tests/unit/facts.mk
include tests/unit/source.mk
include tests/unit/analytics.mk
include tests/unit/engagement.mk
include tests/unit/revenue.mk
include tests/unit/trend.mk
include tests/unit/revenue_more.mk
include tests/unit/options.mk
include tests/unit/kpi.mk
include tests/unit/engine.mk
include tests/unit/backfill.mk
include tests/golden/files.mk
include tests/e2e/files.mk
include tests/oracle/files.mk
include tests/fuzz/files.mk
include tests/bench/files.mk
