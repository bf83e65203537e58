# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the end-to-end tests share: TAP, private servers that end with the test, and the daemon's current values.

. "${CRM_SRCDIR:?}/tests/lib/tap.sh"
. "$CRM_SRCDIR/contrib/lib/build.sh"
. "$CRM_SRCDIR/contrib/lib/services.sh"
. "$CRM_SRCDIR/contrib/lib/demo_crm.sh"

SVC_ANY_PORT=0
SVC_PATIENCE=${CRM_TEST_PATIENCE:-1} # more where several tests run side by side
E2E_WATCH=
trap '[ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT
trap 'exit 143' TERM INT HUP

# A test that is over its time says so itself instead of being killed with nothing said.
e2e_deadline() { # SECONDS
  (sleep $(($1 * SVC_PATIENCE)) && kill -TERM $$) </dev/null >/dev/null 2>&1 &
  E2E_WATCH=$!
}

# metric CRM TYPE-INSTANCE: the value that the daemon hands out now, or nothing.
metric() {
  "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$COLLECTD_PORT/metrics" 2>/dev/null |
    sed -n "s/^collectd_crm_gauge{crm=\"$1\",type=\"$2\",instance=\"[^\"]*\"} \([^ ]*\).*/\1/p"
}
metric_is() { [ "$(metric "$1" "$2")" = "$3" ]; }
has_metric() { [ -n "$(metric "$1" "$2")" ]; }
no_metric() { ! has_metric "$1" "$2"; }

# The daemon's log so far; its lines since the last log_mark; how many of those match.
log_mark() { LOG_MARK=$(wc -l <"$SVC_DIR/log/collectd.log"); }
log_since() { tail -n +$((${LOG_MARK:-0} + 1)) "$SVC_DIR/log/collectd.log"; }
log_count() { log_since | grep -cE "$1"; }

# Lines of the log that a good run has not: errors and warnings, but for one of collectd 5.12's own and for what the demo CRM does to the
# plugin on purpose (rows of deleted accounts, churn without any date), and for what the daemon says of a machine that has too much to do.
complaints() {
  log_since | grep -E '\[(err|error|warning)\]' | grep -vE 'MHD_OPTION_EXTERNAL_LOGGER|Not sleeping because the next interval is' |
    grep -vE 'relation account: refused for undated_churn: [0-9]+ \(' |
    grep -vE 'relation (usage|health): refused for unknown_account: [0-9]+ \('
}

# stops_within MS NAME: ends the daemon and checks that it took no longer and ended well.
stops_within() {
  stop_service collectd TERM 20
  if [ "$SVC_STOP_MS" -le "$1" ] && [ "$SVC_STOP_STATUS" -eq 0 ]; then
    pass "$2: it stopped after $SVC_STOP_MS ms"
  else
    fail "$2" "it took $SVC_STOP_MS ms and ended with status $SVC_STOP_STATUS" "$(tail -n 20 "$SVC_DIR/log/collectd.log")"
  fi
}

# A log of its own for every run of the daemon.
fresh_collectd() { # [WRAPPER...]
  as_user rm -f "$SVC_DIR/log/collectd.log"
  LOG_MARK=0
  start_collectd "$@"
}
