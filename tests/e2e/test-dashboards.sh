#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The dashboards and the alerts against what the demo CRM gives: 90 days of it in a real Prometheus, and what collectd has sent to Prometheus and Graphite.
# Every query of every panel with each value of each variable must answer, with a number and in time (tests/dashboards/check.py), and the alerts must fire
# where the demo has its storms, and nowhere else (tests/dashboards/alerts.py).
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/dashboards
e2e_deadline 600

services_init || bail_out "no scratch directory"
trap '[ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 150 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
start_carbon 10 10s:1d,1d:2y || bail_out "carbon does not start"
start_graphite || bail_out "graphite-web does not start"
demo_crm_plugin_block 10 'PerAccount "all"' 'Benchmark "of the trade" 70' | write_file "$SVC_DIR/crm.conf"
# Somebody who takes remote writes, so that the collector has something to say of its ways out.
write_file "$SVC_DIR/receiver.yml" <<<'global: {}'
receiver=$(free_port 9091)
spawn receiver prometheus "--config.file=$SVC_DIR/receiver.yml" "--storage.tsdb.path=$SVC_DIR/receiver" "--web.listen-address=127.0.0.1:$receiver" \
  --web.enable-remote-write-receiver --log.level=warn
wait_for 30 receiver "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$receiver/-/ready" || bail_out "the receiver does not start"
# One dimension and every 10 s: write_prometheus needs longer for each value the more of them there are.
CRM_LISTEN_PORT=$(free_port 9477) || bail_out "no free port"
collectd_conf "$build" 10 < <(
  demo_crm_plugin_block 10 'GroupBy "segment"' 'FullSync 30'
  demo_crm_listen_block "$CRM_LISTEN_PORT"
  printf '<Plugin crm>\n  <RemoteWrite "central">\n    URL "http://127.0.0.1:%s/api/v1/write"\n  </RemoteWrite>\n</Plugin>\n' "$receiver"
)
start_collectd

# --- Prometheus with a history: every second day of 90, and the days a year ago with which things are compared --------------------------
copy_in "$build/crmctl" "$SVC_DIR/bin"
as_user chmod 755 "$SVC_DIR/bin/crmctl"
now=$(($(date +%s) / 60 * 60))
port=$(free_port 9090)
PROMETHEUS_URL=http://127.0.0.1:$port
write_file "$SVC_DIR/prometheus.json" <<<'{}'
spawn prometheus prometheus "--config.file=$SVC_DIR/prometheus.json" "--storage.tsdb.path=$SVC_DIR/prometheus" "--web.listen-address=127.0.0.1:$port" \
  --web.enable-remote-write-receiver --storage.tsdb.retention.time=10y --query.lookback-delta=50h --storage.tsdb.min-block-duration=1000d --storage.tsdb.max-block-duration=1000d \
  --log.level=warn # no block: it would make one for each day, and ask them all
wait_for 30 prometheus "$SVC_PYTHON" "$SVC_LIB/query.py" get "$PROMETHEUS_URL/-/ready" || bail_out "Prometheus does not start"
history() { # DIRECTORY FROM TO, in days ago
  as_user "$SVC_DIR/bin/crmctl" --config "$SVC_DIR/crm.conf" backfill --from "@$((now - $2 * 86400))" --to "@$((now - $3 * 86400))" --step 2d \
    --format remote_write --url "$PROMETHEUS_URL/api/v1/write" --label job=crm --label instance=demo --output "$SVC_DIR/$1"
}
ok "the demo has a history of a year ago" history year 367 363
ok "the demo has a history of 90 days" history days 92 0

# Graphite only around the days with which things are compared, and only what collectd sends: a file for each series of an account takes it long.
graphite_history() {
  local days
  for days in 7 30 90 365; do
    as_user "$SVC_DIR/bin/crmctl" --config "$SVC_DIR/collectd.conf" backfill --from "@$((now - (days + 1) * 86400))" --to "@$((now - (days - 1) * 86400))" --step 1d \
      --format graphite --path 'demo.crm.%T.gauge.%N' --output "$SVC_DIR/graphite-$days" || return 1
  done
  "$CRM_SRCDIR/tests/e2e/backfill_compare.py" send "$CARBON_PORT" "$SVC_DIR"/graphite-*/*.txt
}
ok "Graphite has a history too" graphite_history
once() { as_user "$SVC_DIR/bin/crmctl" --config "$SVC_DIR/crm.conf" once --at "@$1" --format json; }
# Those of the history that the alerts see: it has every second day.
for days in 0 8 90; do once $((now - days * 86400)) 2>/dev/null >"$SVC_DIR/once-$days.json" || bail_out "crmctl once fails"; done

# All of the past is there at once, so that nothing can last: the alerts have no `for` here.
as_user mkdir "$SVC_DIR/rules"
for file in "$CRM_SRCDIR"/contrib/prometheus/*.rules.yml; do
  sed '/^ *for: /d' "$file" | write_file "$SVC_DIR/rules/$(basename "$file")"
done
"$here/prometheus.py" "$CRM_LISTEN_PORT" "$SVC_DIR/rules" | write_file "$SVC_DIR/prometheus.json" || bail_out "no configuration of Prometheus"
kill -HUP "${SVC_PID[prometheus]}"

prometheus_has_values() { [ -n "$(prometheus_values 'crm_relation_rows_refused > 0 and on () crm_drift_rows_total offset 15s and on () ALERTS{account!=""}')" ]; }
ok "collectd's own series come to Prometheus" wait_for 120 collectd prometheus_has_values
# A second tick of a series: then the first one has come whole.
graphite_has_values() { [ "$(graphite_values 'demo.crm.*.gauge.health_change_points_by_segment.*.90d' | cut -f3 | sort -u | wc -l)" -ge 2 ]; }
ok "values come to Graphite" wait_for 120 collectd graphite_has_values

# --- Graphite, which ends with that: a file for each series takes carbon long at each tick ----------------------------------------
checked() { # NAME ARGUMENT...: says how many queries it has been, also if all is well
  local name=$1 output
  shift
  if output=$("$here/check.py" "$@"); then
    pass "$name"
    diag "$output"
  else
    fail "$name" "$output"
  fi
}
for file in "$CRM_SRCDIR"/grafana/dashboards-graphite/*.json; do
  checked "$(basename "$file" .json) answers" --graphite "$GRAPHITE_URL" --exceptions "$here/exceptions-graphite.json" "$file"
done
stop_service graphite
stop_service carbon KILL # see stop_all

# --- the alerts -------------------------------------------------------------------------------------------------------------------
alerts() { said=$("$here/alerts.py" "$PROMETHEUS_URL" "$SVC_DIR/once-0.json" "$SVC_DIR/once-8.json" "$SVC_DIR/once-90.json"); }
if wait_for 30 prometheus alerts; then pass "the alerts that fire are those that the storms call for"; else fail "the alerts that fire are those that the storms call for" "$said"; fi
diag "$said"

ok "the queries that stand for the requirements' endpoints answer" "$here/endpoints.py" "$PROMETHEUS_URL" "$CRM_SRCDIR/contrib/prometheus/README.md"
# The alerts stand at this instant. From here on the rules would only take time from queries that are timed.
at=$(date +%s)
as_user rm -r "$SVC_DIR/rules"
kill -HUP "${SVC_PID[prometheus]}"

# --- the dashboards --------------------------------------------------------------------------------------------------------------
# What comes after this instant is not asked for.
for name in collectd receiver; do stop_service "$name"; done
stop_service postgres INT

dashboards=$CRM_SRCDIR/grafana/dashboards
ninety=(--days 90 --varied-step 2) # which is how often there is a sample
for file in "$dashboards"/*.json; do
  name=$(basename "$file" .json)
  range=("${ninety[@]}")
  [ "$name" != crm-collector ] || range=(--days 1)
  checked "$name answers" --prometheus "$PROMETHEUS_URL" --at "$at" "${range[@]}" --exceptions "$here/exceptions.json" "$file"
done

# --- that it can fail -------------------------------------------------------------------------------------------------------------
broken=$(mktemp -d "${TMPDIR:-/tmp}/crm-dashboards-XXXXXX")
trap 'rm -rf "$broken"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT
breaks() { # NAME FROM TO WHAT-IT-SAYS: another dashboard, made by an exchange in the text of Executive
  local output
  "$SVC_PYTHON" - "$dashboards/crm-executive.json" "$2" "$3" >"$broken/crm-executive.json" <<'PY'
import sys
text = open(sys.argv[1], encoding="utf-8").read()
assert sys.argv[2] in text, sys.argv[2]
sys.stdout.write(text.replace(sys.argv[2], sys.argv[3]))
PY
  output=$("$here/check.py" --prometheus "$PROMETHEUS_URL" --at "$at" "${ninety[@]}" --exceptions "$here/exceptions.json" ${5:+--seconds "$5"} "$broken/crm-executive.json") &&
    fail "$1 is found" "nothing was found" && return
  if grep -qF "$4" <<<"$output"; then pass "$1 is found"; else fail "$1 is found" "$output"; fi
}
breaks "a query without an answer" 'status=\"active\"' 'status=\"asleep\"' 'no number'
breaks "an error" 'sum(crm_arr{' 'sum(sum(crm_arr{' 'parse error'
breaks "a many-to-many join" '(sum(crm_churn_risk_accounts{' '(sum(crm_arr) * on (tenant) (crm_churn_risk_points + on (tenant) crm_accounts_paying) + sum(crm_churn_risk_accounts{' 'many-to-many'
breaks "a value that no series has" 'status=\"active\"' 'status=~\"active|asleep\"' 'status="asleep"'
breaks "a slow query" 'crm_accounts' 'crm_accounts' ' s: ' 0.000001
cat >"$broken/exceptions.json" <<<'[{"dashboard": "crm-collector", "panel": "Memory", "matching": "", "varying": "*", "reason": "none"}]'
said=$("$here/check.py" --prometheus "$PROMETHEUS_URL" --at "$at" --days 1 --exceptions "$broken/exceptions.json" "$dashboards/crm-collector.json")
if grep -qF 'nothing needs this exception' <<<"$said"; then pass "an exception that nothing needs is found"; else fail "an exception that nothing needs is found" "$said"; fi
done_testing
