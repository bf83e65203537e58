# SPDX-License-Identifier: MIT
# What the build as a whole promises: with the other tests in `make check`.
tree_tests = \
	tests/e2e/test-exports.sh \
	tests/e2e/test-libcrm-headers.sh \
	tests/e2e/test-spdx.sh
TESTS += $(tree_tests)
dist_check_SCRIPTS += $(tree_tests)

# With real servers, each test its own: `make check-e2e`. They need Debian's packages, see contrib/lib/packages.sh.
# From the CRM through the daemon to what people look at.
e2e_tests = \
	tests/e2e/test-e2e.sh \
	tests/e2e/test-faults.sh \
	tests/e2e/test-follow.sh \
	tests/e2e/test-logical.sh \
	tests/e2e/test-replica.sh \
	tests/e2e/test-requirements.sh \
	tests/e2e/test-notify.sh \
	tests/e2e/test-dashboards.sh \
	tests/e2e/test-daemon-memory.sh
# The ways out of our own, each against what receives it.
exports_tests = \
	tests/e2e/test-backfill.sh \
	tests/e2e/test-backfill-push.sh \
	tests/e2e/test-scrape.sh \
	tests/e2e/test-recipes.sh \
	tests/e2e/test-shards.sh
dist_check_SCRIPTS += $(e2e_tests) $(exports_tests)
EXTRA_DIST += \
	tests/e2e/backfill_compare.py \
	tests/e2e/backfill_push.py \
	tests/e2e/compare.py \
	tests/e2e/expected.sql \
	tests/e2e/requirements.py \
	tests/e2e/requirements.sql \
	tests/e2e/scrape.py \
	tests/e2e/shards.py \
	tests/e2e/silent_server.py \
	tests/lib/collectd.supp \
	tests/lib/e2e.sh \
	tests/lib/tap.sh \
	tests/lib/tsan.supp

# What follows runs some of the tests, in $$tests. Several of these targets may be at work in one build directory at once: each has a summary of its own, and
# leaves the names of its tests in TARGET.list for contrib/check. (The + in a recipe says that there is a make in it.)
run_tests = printf '%s\n' $$tests >$@.list && $(MAKE) check-TESTS TESTS="$$tests" TEST_SUITE_LOG=$@.suite.log
MOSTLYCLEANFILES += check-*.list check-*.suite.log

.PHONY: check-all check-compiled check-e2e check-e2e-crm check-e2e-exports check-threads check-unit
check-all: all
	+tests='$(TESTS)'; $(run_tests)
check-e2e: all
	+tests='$(e2e_tests) $(exports_tests)'; $(run_tests)
check-e2e-crm: all
	+tests='$(e2e_tests)'; $(run_tests)
check-e2e-exports: all
	+tests='$(exports_tests)'; $(run_tests)

# The programs among the tests alone, for valgrind and other wrappers: make check-unit T_LOG_COMPILER=... Without those in which a server works for
# a minute at the pace of the wrapper; `make check` of an instrumented build has them.
workload_tests = tests/unit/test_follow_plans.t tests/unit/test_follow_workload.t tests/unit/test_logical.t
check-unit: all
	+tests=; for t in $(TESTS); do case " $(workload_tests) " in *" $$t "*) continue;; esac; case $$t in *.t) tests="$$tests $$t";; esac; done; \
	$(run_tests)

# Those that run code of ours that was compiled, for instrumented builds: not what only reads files.
check-compiled: all
	+tests=; for t in $(TESTS); do case " $(tree_tests) $(dashboards_tests) $(rules_tests) " in *" $$t "*) ;; *) tests="$$tests $$t";; esac; done; \
	$(run_tests)

# Those among them that run more than one thread, and nothing else built: for ThreadSanitizer, which is slow.
threaded_tests = \
	tests/unit/test_engine.t \
	tests/unit/test_notices.t \
	tests/unit/test_sink.t \
	tests/unit/test_exports.t \
	tests/unit/test_source_faults.t \
	tests/unit/test_stop.t
check-threads: $(BUILT_SOURCES)
	+tests='$(threaded_tests)'; $(run_tests) check_PROGRAMS='$(threaded_tests)'
