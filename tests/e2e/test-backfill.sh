#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A year of the demo CRM's past, every third day of it: into Prometheus (promtool's blocks), VictoriaMetrics and Graphite, and at ten instants compared with what
# `crmctl once --at` says of them.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
compare=$CRM_SRCDIR/tests/e2e/backfill_compare.py
e2e_deadline 400

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 80 --days 500 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
COLLECTD_PORT=1
collectd_conf "$build" 10 < <(demo_crm_plugin_block 10 'GroupBy "segment"' 'PerAccount "top" 10' 'TimeZone "America/New_York"')
work=$SVC_DIR/work
as_user mkdir "$work"
as_user cp "$build/crmctl" "$SVC_DIR/crmctl" 2>/dev/null || { write_file "$SVC_DIR/crmctl" <"$build/crmctl" && as_user chmod 755 "$SVC_DIR/crmctl"; }
crmctl() { as_user "$SVC_DIR/crmctl" --config "$SVC_DIR/collectd.conf" "$@"; }
# Yesterday, so that nothing depends on the hour of the day: 365 days before it, at midnight in New York.
to=$(TZ=America/New_York date -d 'yesterday' +%F)
from=$(date -u -d "$to - 364 days" +%F)

backfill() { crmctl backfill --from "$from" --to "$to" --step 3d --label job=crm --label instance=demo "$@"; }
ok "OpenMetrics" backfill --output "$work/om"
ok "VictoriaMetrics' lines" backfill --format victoriametrics --output "$work/vm"
ok "Graphite's lines" backfill --format graphite --output "$work/graphite" --path 'demo.crm.%T.gauge.%N'

# --- it is interrupted, and goes on ----------------------------------------------------------------------------------------
crmctl backfill --from "$from" --to "$to" --step 3d --label job=crm --label instance=demo --output "$work/again" >/dev/null 2>&1 &
some_files() { ls "$work"/again/*.om; }
wait_for 60 - some_files || bail_out "no file of a backfill"
pkill -INT -f "crmctl --config $SVC_DIR/collectd.conf backfill"
wait $!
is "an interrupted run says so" $? 130
ok "it leaves no unfinished file" bash -c "! ls '$work'/again | grep -vE '^(crm-[0-9TZ]*-[0-9TZ]*\.om|backfill\.state)\$'"
before=$(ls "$work/again" | grep -c om)
ok "it goes on" backfill --output "$work/again"
ok "there was something left to do" test "$before" -lt "$(ls "$work/again" | grep -c om)"
ok "the files are those of a run that was not interrupted" diff -r "$work/om" "$work/again"
backfill --step 2d --output "$work/again" >/dev/null 2>"$SVC_DIR/other"
is "other arguments are refused" $? 2
ok "and told" grep -q 'holds a backfill with other arguments' "$SVC_DIR/other"
ok "a later end replaces the last file" crmctl backfill --from "$from" --to "$(date -u -d "$from + 25 days" +%F)" --output "$work/grow"
first=$(ls "$work/grow" | grep -c om)
ok "the same with a later end" crmctl backfill --from "$from" --to "$(date -u -d "$from + 27 days" +%F)" --output "$work/grow"
is "no span is there twice" "$(ls "$work/grow" | grep -c om)" "$first"

# Memory does not grow with the time that is gone through.
peak() { as_user "$SVC_PYTHON" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$SVC_DIR/crmctl" --config "$SVC_DIR/collectd.conf" --history 800 backfill "$@"; }
short=$(peak --from "$(date -u -d "$to - 10 days" +%F)" --to "$to" --output "$work/short")
long=$(peak --from "$from" --to "$to" --step 3d --output "$work/long")
diag "most memory: ten days $short kB, a year $long kB"
ok "memory does not grow with the time" test "$((long * 10))" -le "$((short * 13))"

# --- into the databases ----------------------------------------------------------------------------------------------------
load_blocks() {
  local file
  for file in "$work"/om/*.om; do
    as_user promtool tsdb create-blocks-from openmetrics --max-block-duration=744h "$file" "$SVC_DIR/prometheus" || return 1
  done
}
ok "promtool makes blocks of every file" load_blocks
start_prometheus 1 15 --storage.tsdb.retention.time=10y || bail_out "Prometheus does not start"
port=$(free_port 8428)
spawn victoria victoria-metrics -storageDataPath="$SVC_DIR/victoria" -httpListenAddr="127.0.0.1:$port" -retentionPeriod=10y -search.latencyOffset=0s
VICTORIA_URL=http://127.0.0.1:$port
wait_for 30 victoria "$SVC_PYTHON" "$SVC_LIB/query.py" get "$VICTORIA_URL/health" || bail_out "VictoriaMetrics does not start"
ok "VictoriaMetrics takes every file" "$compare" import "$VICTORIA_URL" "$work"/vm/*.jsonl
start_carbon 1 1d:5y || bail_out "carbon does not start"
ok "carbon takes every file" "$compare" send "$CARBON_PORT" "$work"/graphite/*.txt

# --- ten instants ----------------------------------------------------------------------------------------------------------
seed=${CRM_TEST_SEED:-$RANDOM}
diag "CRM_TEST_SEED=$seed"
RANDOM=$seed
for ((i = 0; i < 10; i++)); do
  day=$(date -u -d "$from + $((RANDOM % 122 * 3)) days" +%F)
  at=$(TZ=America/New_York date -d "$day" +%s)
  crmctl once --at "@$at" --format json >"$SVC_DIR/once.json" 2>/dev/null || bail_out "crmctl once --at $day fails"
  ok "$day: Prometheus has what crmctl once says" "$compare" prometheus "$PROMETHEUS_URL" "$SVC_DIR/once.json" "$at" job=crm instance=demo
  ok "$day: VictoriaMetrics too" "$compare" victoria "$VICTORIA_URL" "$SVC_DIR/once.json" "$at" job=crm instance=demo
  ok "$day: Graphite has the totals" "$compare" graphite "$SVC_DIR/graphite/whisper" "$SVC_DIR/once.json" "$at"
done
done_testing
