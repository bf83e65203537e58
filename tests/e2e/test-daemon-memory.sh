#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A whole life of the plugin in the daemon (start, reads, an outage, a dropped table, the end) under valgrind, and once more with
# the sanitizers' build.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 500

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 10 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
copy_in "$CRM_SRCDIR/tests/lib/collectd.supp" "$SVC_DIR/supp"

# life NAME: what the daemon goes through; it has been started. The log tells, since the write plugins lag behind under such wrappers.
told() { log_since | grep -qE "$1"; }
life() {
  ok "$1: the first read comes through" wait_for 90 collectd told 'first read: 10 accounts'
  ok "$1: values are sent" wait_for 60 collectd has_metric demo up
  sql -c 'ALTER TABLE crm_ext.signal RENAME TO signal_away'
  ok "$1: a table goes away" wait_for 60 collectd told 'relation signal is left out'
  sql -c 'ALTER TABLE crm_ext.signal_away RENAME TO signal'
  ok "$1: and comes back" wait_for 60 collectd told 'relation signal is read again'
  stop_service postgres QUIT
  ok "$1: the server goes away" wait_for 60 collectd told 'the CRM cannot be read'
  start_postgres || bail_out "PostgreSQL does not start again"
  ok "$1: and comes back" wait_for 60 collectd told 'the CRM is read again'
  stop_service collectd TERM 60
}
few=('PerAccount "all"' 'GroupBy "segment"') # wrappers are slow, and more of the same series would find nothing more

# --- valgrind --------------------------------------------------------------------------------------------------------------
collectd_conf "$build" 3 < <(demo_crm_plugin_block 2 "${few[@]}")
fresh_collectd valgrind --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  --suppressions="$SVC_DIR/supp/collectd.supp" --log-file="$SVC_DIR/log/valgrind.log"
life valgrind
if [ "$SVC_STOP_STATUS" -eq 0 ] && as_user grep -q 'ERROR SUMMARY: 0 errors' "$SVC_DIR/log/valgrind.log"; then
  pass "valgrind: no error and no leak"
else
  fail "valgrind: no error and no leak" "exit status $SVC_STOP_STATUS" "$(tail -n 60 "$SVC_DIR/log/valgrind.log")"
fi

# --- sanitizers ------------------------------------------------------------------------------------------------------------
asan=${CRM_ASAN_BUILD:-}
if [ -z "$asan" ] || [ ! -f "$asan/.libs/crm.so" ]; then
  skip "sanitizers" "CRM_ASAN_BUILD names no build made with --enable-sanitizers"
  done_testing
fi
ok "sanitizers: the module is instrumented" grep -q __asan_init "$asan/.libs/crm.so"
collectd_conf "$asan" 3 < <(demo_crm_plugin_block 2 "${few[@]}")
write_file "$SVC_DIR/supp/lsan.supp" <<<'leak:cf_read'
fresh_collectd env LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:exitcode=98 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=97 \
  LSAN_OPTIONS=suppressions="$SVC_DIR/supp/lsan.supp":exitcode=98
life sanitizers
reports=$(collectd_log | grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:')
if [ "$SVC_STOP_STATUS" -eq 0 ] && [ -z "$reports" ]; then
  pass "sanitizers: no error and no leak"
else
  fail "sanitizers: no error and no leak" "exit status $SVC_STOP_STATUS" "$(collectd_log | grep -A40 -E 'Sanitizer|runtime error' | head -n 80)"
fi

done_testing
