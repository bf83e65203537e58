#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Bodies of remote write 1.0 as real receivers take them: Prometheus and VictoriaMetrics give back every series of the demo CRM, those of
# single accounts too, with the labels and values that `crmctl once` prints, and know when they have ended.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/e2e
e2e_deadline 240

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 300 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
demo_crm_plugin_block 60 'PerAccount "all"' | write_file "$SVC_DIR/crm.conf"
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-encode-XXXXXX")
trap 'rm -rf "$work"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT

# The markers are a minute later, and a receiver need not take what is in the future.
at=$(date -u -d '2 minutes ago' +%FT%TZ)
"$build/crmctl" --config "$SVC_DIR/crm.conf" once --at "$at" --format json >"$work/once.json" 2>"$work/error" ||
  bail_out "crmctl once: $(cat "$work/error")"
CRM_ENCODE_DIR=$work "$build/tests/e2e/encode-once" --config "$SVC_DIR/crm.conf" once --at "$at" 2>"$work/error" ||
  bail_out "encode-once: $(cat "$work/error")"

port=$(free_port 9090) || bail_out "no port"
write_file "$SVC_DIR/prometheus.yml" <<<'global: {scrape_interval: 1m}'
spawn prometheus prometheus "--config.file=$SVC_DIR/prometheus.yml" "--storage.tsdb.path=$SVC_DIR/prometheus" \
  "--web.listen-address=127.0.0.1:$port" --web.enable-remote-write-receiver --log.level=warn
prometheus=http://127.0.0.1:$port
port=$(free_port 8428) || bail_out "no port"
spawn victoria victoria-metrics "-storageDataPath=$SVC_DIR/victoria" "-httpListenAddr=127.0.0.1:$port" -retentionPeriod=1y -search.latencyOffset=0s
victoria=http://127.0.0.1:$port
wait_for 30 prometheus "$SVC_PYTHON" "$SVC_LIB/query.py" get "$prometheus/-/ready" || bail_out "Prometheus does not start"
wait_for 30 victoria "$SVC_PYTHON" "$SVC_LIB/query.py" get "$victoria/health" || bail_out "VictoriaMetrics does not start"

ok "Prometheus takes the values" "$here/encode_receiver.py" push "$prometheus/api/v1/write" "$work"/*.values
ok "and gives back what crmctl once prints" "$here/encode_receiver.py" prometheus "$prometheus" "$work/once.json"
ok "Prometheus takes the stale markers" "$here/encode_receiver.py" push "$prometheus/api/v1/write" "$work"/*.ended
ok "and every series has ended" "$here/encode_receiver.py" prometheus-ended "$prometheus" "$work/once.json"
ok "VictoriaMetrics takes both" "$here/encode_receiver.py" push "$victoria/api/v1/write" "$work"/*.values "$work"/*.ended
victoria_has() { wait_for 20 victoria "$here/encode_receiver.py" victoria "$victoria" "$work/once.json" || "$here/encode_receiver.py" victoria "$victoria" "$work/once.json"; }
ok "and gives back what crmctl once prints, and the markers" victoria_has
diag "$(grep -c '"name"' "$work/once.json") series in $(find "$work" -name '*.values' | wc -l) requests of $(cat "$work"/*.values | wc -c) bytes"
done_testing
