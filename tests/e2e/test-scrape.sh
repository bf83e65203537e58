#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The scrape endpoint and the text file: the demo CRM in PostgreSQL, the plugin in collectd, a real Prometheus as the reader, and readers that
# mean no good. Every series, with all its labels, is compared with what `crmctl once` prints.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 400

services_init || bail_out "no scratch directory"
scrape=("$SVC_PYTHON" "$CRM_SRCDIR/tests/e2e/scrape.py")
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 200 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
sql -c "UPDATE accounts SET name = E'Zo\u00eb \"quoted\" \\\\ back\nline {x=\"y\"},' WHERE id = (SELECT min(id::text)::uuid FROM accounts)" ||
  bail_out "an account cannot be given a difficult name"
work=$SVC_DIR/work
as_user mkdir -p "$work" "$SVC_DIR/textfile"
chmod 0777 "$work"

# --- certificates, tokens, ports -------------------------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=IP:127.0.0.1' -keyout "$work/key" -out "$work/crt" 2>"$work/openssl.log" || bail_out "no certificate can be made"
write_file "$SVC_DIR/crt" <"$work/crt"
as_user sh -c 'umask 077; cat >"$1"' sh "$SVC_DIR/key" <"$work/key"
as_user sh -c 'umask 077; cat >"$1"' sh "$SVC_DIR/token" <<<"first-token"
open_port=$(free_port 0)
safe_port=$(free_port 0)
small_port=$(free_port 0)
receiver_port=$(free_port 0)
open=http://127.0.0.1:$open_port/metrics
safe=https://127.0.0.1:$safe_port/metrics

# Somebody else has the port at first.
spawn squatter "$SVC_PYTHON" -c "import socket, time; s = socket.create_server(('127.0.0.1', $small_port)); time.sleep(300)"
wait_for 10 squatter "$SVC_PYTHON" "$SVC_LIB/query.py" listening "$small_port" || bail_out "the port cannot be taken"

{
  demo_crm_plugin_block 3600 'PerAccount "all"' 'GroupBy "segment"' 'MaxBreakdowns 0' # collectd's own path is not looked at here
  cat <<CONF
<Plugin crm>
  <Listen "127.0.0.1:$open_port">
    MaxConnections 64
  </Listen>
  <Listen "127.0.0.1:$safe_port">
    CertFile "$SVC_DIR/crt"
    KeyFile "$SVC_DIR/key"
    BearerTokenFile "$SVC_DIR/token"
    PerAccount false
  </Listen>
  <Listen "127.0.0.1:$small_port">
    MaxConnections 8
    Timeout 3
  </Listen>
  TextFile "$SVC_DIR/textfile/crm.prom"
  # It starts later than the daemon; and one whose secret is missing must not stop the others.
  <RemoteWrite "prometheus">
    URL "http://127.0.0.1:$receiver_port/api/v1/write"
    Label "via" "push"
  </RemoteWrite>
  <RemoteWrite "few">
    URL "http://127.0.0.1:$receiver_port/api/v1/write"
    Label "via" "few"
    Families "crm_arr*" "crm_account_info" "crm_up"
    PerAccount false
    Interval 4
    SpoolDir "$SVC_DIR/spool"
  </RemoteWrite>
  <RemoteWrite "keyless">
    URL "http://127.0.0.1:$receiver_port/api/v1/write"
    BearerTokenFile "$SVC_DIR/no-such-token"
  </RemoteWrite>
</Plugin>
CONF
} >"$work/plugin"
collectd_conf "$build" 2 <"$work/plugin"
start_collectd
has_series() { "${scrape[@]}" get "$open" | grep -q '^crm_account_info{'; }
wait_for 60 collectd has_series || bail_out "the endpoint shows no series of accounts"
pass "the endpoint shows series of accounts"

# --- formats ---------------------------------------------------------------------------------------------------------------
once() { "$build/crmctl" --config "$SVC_DIR/collectd.conf" once --format json; }
protobuf='Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
once >"$work/before.json" || bail_out "crmctl once does not run"
"${scrape[@]}" get "$open" >"$work/page"
"${scrape[@]}" get "$open" 'Accept: application/openmetrics-text;version=1.0.0' >"$work/page.openmetrics"
"${scrape[@]}" get "$open" "$protobuf" >"$work/page.protobuf"
"${scrape[@]}" get "$open" 'Accept-Encoding: gzip' >"$work/page.gz"
once >"$work/after.json"
for when in before after; do "${scrape[@]}" series once "$work/$when.json" >"$work/$when"; done
is_own() { grep -E '^crm_(up|source_|drift_|relation_|rows_rejected|sync_|compute_|store_|accounts_changed|full_sync|series|dimension_dropped|build_info|remote_write)'; }
not_own() { grep -vE '^crm_(up|source_|drift_|relation_|rows_rejected|sync_|compute_|store_|accounts_changed|full_sync|series|dimension_dropped|build_info|remote_write)'; }
for form in text openmetrics protobuf; do
  file=$work/page.$form
  [ "$form" != text ] || file=$work/page
  ok "$form: it is well-formed" bash -c "$(printf '%q ' "${scrape[@]}") series $form '$file' >'$work/$form.all'"
  not_own <"$work/$form.all" >"$work/$form"
  ok "$form: every series is as crmctl once has it" "${scrape[@]}" same "$work/before" "$work/$form" "$work/before" "$work/after"
done
ok "the collector's own series are there" test "$(is_own <"$work/text.all" | wc -l)" -gt 20
ok "units are told" test "$(grep -c '^# UNIT ' "$work/page.openmetrics")" -gt 20
ok "the difficult name is there, as it is in the CRM" grep -qF 'Zo\u00eb \"quoted\" \\ back\nline {x=\"y\"},' "$work/text"
gzip -dc <"$work/page.gz" >"$work/page.unpacked" && "${scrape[@]}" series text "$work/page.unpacked" | not_own >"$work/gzip"
ok "gzip: the same series" "${scrape[@]}" same "$work/before" "$work/gzip" "$work/before" "$work/after"
ok "gzip is much smaller" test "$(stat -c %s "$work/page.gz")" -lt $(($(stat -c %s "$work/page") / 5))
# The linter's remarks are of style: what it may not say is that it cannot read it. Status 3 is for remarks.
lint=$(promtool check metrics <"$work/page" 2>&1)
status=$?
ok "promtool reads it" test "$status" -eq 0 -o "$status" -eq 3
is "promtool has no remark on help, counters or duplicates" "$(grep -iE 'error|no help|counter metrics should|non-counter|duplicate|inconsistent' <<<"$lint")" ""
is "no sample has a timestamp" "$(grep -cvE '^#|^[^ ]+(\{.*\})? [^ ]+$' "$work/page")" 0
# The number that the limit on series is about.
is "crm_series counts those of accounts" "$(sed -n 's/^crm_series{tenant="demo",kind="account"} //p' "$work/page")" "$(grep -cE '^crm_account_[a-z_]*\{' "$work/page")"
own=$(is_own <"$work/text.all" | wc -l)
is "crm_series counts the collector's own" "$(sed -n 's/^crm_series{tenant="demo",kind="instance"} //p' "$work/page")" "$own"

# --- the text file ---------------------------------------------------------------------------------------------------------
"${scrape[@]}" series text "$SVC_DIR/textfile/crm.prom" 2>&1 | not_own >"$work/textfile"
ok "the text file has the same series" "${scrape[@]}" same "$work/before" "$work/textfile" "$work/before" "$work/after"
alone() { [ "$(ls -A "$SVC_DIR/textfile")" = crm.prom ]; } # the next one may be being written right now, but not always
ok "nothing stays beside it" wait_for 10 collectd alone
node_port=$(free_port 0)
spawn node_exporter prometheus-node-exporter --collector.disable-defaults --collector.textfile "--collector.textfile.directory=$SVC_DIR/textfile" \
  --web.disable-exporter-metrics "--web.listen-address=127.0.0.1:$node_port"
node_has_series() { "${scrape[@]}" get "http://127.0.0.1:$node_port/metrics" | grep -q '^crm_account_info{'; }
ok "node_exporter takes it" wait_for 20 node_exporter node_has_series
"${scrape[@]}" get "http://127.0.0.1:$node_port/metrics" >"$work/page.node"
is "without an error" "$(grep '^node_textfile_scrape_error ' "$work/page.node")" "node_textfile_scrape_error 0"
grep -E '^(# [A-Z]+ )?crm_' "$work/page.node" >"$work/page.crm"
"${scrape[@]}" series text "$work/page.crm" | not_own >"$work/node"
ok "and hands on the same series" "${scrape[@]}" same "$work/before" "$work/node" "$work/before" "$work/after"
stop_service node_exporter

# --- the daemon is killed while its receivers are away -----------------------------------------------------------------------
spooled() { find "$SVC_DIR/spool" -name '*.batch' -printf '%f\n' | cut -d- -f1 | sort -u; }
spool_has() { [ "$(spooled | wc -l)" -ge "$1" ]; }
ok "ticks wait in the spool" wait_for 30 collectd spool_has 3
stop_service collectd KILL
spooled >"$work/spooled"
log_mark
start_collectd
wait_for 60 collectd has_series || bail_out "the daemon does not come back"
ok "the next daemon keeps what the one that was killed has left" test "$(comm -23 "$work/spooled" <(spooled) | wc -l)" -eq 0
longer() { spool_has $(($(wc -l <"$work/spooled") + 2)); }
ok "and adds to it" wait_for 30 collectd longer
spooled >"$work/spooled"

# --- Prometheus, by OpenMetrics, by text and by protobuf ---------------------------------------------------------------------
# It asks for OpenMetrics if it is left to itself; so the plain text reaches it by a relay that asks for nothing in particular.
relay_port=$(free_port 0)
spawn relay "${scrape[@]}" relay "$relay_port" "$open"
start_reader() { # NAME PORT [FLAG...]
  local name=$1 port=$2
  shift 2
  write_file "$SVC_DIR/$name.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: open
    static_configs: [{targets: ["127.0.0.1:$open_port"]}]
  - job_name: plain
    static_configs: [{targets: ["127.0.0.1:$relay_port"]}]
  - job_name: safe
    scheme: https
    authorization: {credentials_file: $SVC_DIR/token}
    tls_config: {ca_file: $SVC_DIR/crt}
    static_configs: [{targets: ["127.0.0.1:$safe_port"]}]
YAML
  spawn "$name" prometheus "--config.file=$SVC_DIR/$name.yml" "--storage.tsdb.path=$SVC_DIR/$name" "--web.listen-address=127.0.0.1:$port" \
    --log.level=warn "$@"
}
protobuf_port=$(free_port 0)
start_reader by_openmetrics "$receiver_port" --web.enable-remote-write-receiver
start_reader by_protobuf "$protobuf_port" --enable-feature=native-histograms
openmetrics_url=http://127.0.0.1:$receiver_port protobuf_url=http://127.0.0.1:$protobuf_port
up_is_three() { "$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$1" 'sum(up)' | cut -f2 | grep -qx 3; }
# The same series as they are sent by remote write, with a label more.
pushed() {
  local has='count(crm_account_info{via="push",job="crm"})'
  arrived() { "$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$openmetrics_url" "$has" | grep -q .; }
  ok "the receiver has series that were sent" wait_for 90 by_openmetrics arrived
  once >"$work/before.json" && "${scrape[@]}" prometheus "$openmetrics_url" '{via="push",__name__=~"crm_.*"}' | not_own >"$work/sent" && once >"$work/after.json"
  sed -i 's/, "via": "push"//' "$work/sent"
  for when in before after; do "${scrape[@]}" series once "$work/$when.json" >"$work/$when"; done
  ok "the receiver has every series and label" "${scrape[@]}" same "$work/before" "$work/sent" "$work/before" "$work/after"
  "${scrape[@]}" get "$open" >"$work/page"
  ok "which the collector's own series tell" grep -qE '^crm_remote_write_samples_total\{tenant="demo",sink="prometheus"\} [1-9]' "$work/page"
  is "a receiver without its secret is told" "$(log_count 'receiver keyless: .*no-such-token')" 1
  # What was spooled before and after the kill, and every tick since.
  instants() { "$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$openmetrics_url" 'crm_up{via="few"}[1h]' | cut -f3; }
  drained() { [ "$(comm -12 "$work/spooled" <(spooled) | wc -l)" -eq 0 ]; }
  ok "what was spooled is delivered" wait_for 90 collectd drained
  instants >"$work/instants"
  is "every tick of the outage is there, of both daemons" "$(sed 's/^0*//; s/...$//' "$work/spooled" | sort | comm -23 - <(sort "$work/instants"))" ""
  is "and once" "$(sort "$work/instants" | uniq -d)" ""
  # A sink with families and an interval of its own.
  is "another sink sends its families only" "$("$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$openmetrics_url" 'count by (__name__) ({via="few"})' |
    cut -f1 | grep -vE '^__name__=crm_(arr|up)')" ""
  is "of no single account" "$("$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$openmetrics_url" '{via="few",account!=""}')" ""
  is "at most once in its interval" "$(awk 'NR > 1 && $1 - before < 3600 { print before, $1 } { before = $1 }' "$work/instants")" ""
  ok "it tells of itself" grep -qE '^crm_remote_write_samples_total\{tenant="demo",sink="few"\} [1-9]' "$work/page"
}
for reader in openmetrics protobuf; do
  url=${reader}_url
  ok "Prometheus scrapes the endpoints, $reader" wait_for 60 "by_$reader" up_is_three "${!url}"
  sleep 2
  once >"$work/before.json" && "${scrape[@]}" prometheus "${!url}" '{job="open",__name__=~"crm_.*"}' | not_own >"$work/prometheus" && once >"$work/after.json"
  for when in before after; do "${scrape[@]}" series once "$work/$when.json" >"$work/$when"; done
  ok "Prometheus has every series and label, $reader" "${scrape[@]}" same "$work/before" "$work/prometheus" "$work/before" "$work/after"
  if [ "$reader" = openmetrics ]; then
    "${scrape[@]}" prometheus "${!url}" '{job="plain",__name__=~"crm_.*"}' | not_own >"$work/prometheus"
    ok "Prometheus has every series and label, text" "${scrape[@]}" same "$work/before" "$work/prometheus" "$work/before" "$work/after"
  fi
  grep -v '^crm_account_' "$work/before" >"$work/cells"
  "${scrape[@]}" prometheus "${!url}" '{job="safe",__name__=~"crm_.*"}' | not_own >"$work/prometheus"
  ok "those of the endpoint without single accounts, $reader" "${scrape[@]}" same "$work/cells" "$work/prometheus" "$work/before" "$work/after"
  [ "$reader" != openmetrics ] || pushed
  is "Prometheus has no complaint, $reader" "$(grep -E 'level=(warn|error)' "$SVC_DIR/log/by_$reader.log" | grep -vE 'Error on ingesting samples with different value')" ""
  stop_service "by_$reader"
done

# --- who is kept out --------------------------------------------------------------------------------------------------------
export CRM_CA=$work/crt
status_of() { "${scrape[@]}" headers "$@" 2>&1 | head -n 1; }
is "without a token" "$(status_of "$safe")" "401 Unauthorized"
is "with another token" "$(CRM_TOKEN=second-token status_of "$safe")" "401 Unauthorized"
is "with the token" "$(CRM_TOKEN=first-token status_of "$safe")" "200 OK"
as_user sh -c 'cat >"$1"' sh "$SVC_DIR/token" <<<"second-token"
is "the old token, once the file has changed" "$(CRM_TOKEN=first-token status_of "$safe")" "401 Unauthorized"
is "the new token" "$(CRM_TOKEN=second-token status_of "$safe")" "200 OK"
ok "plain HTTP at the port for TLS gives nothing" bash -c "! $(printf '%q ' "${scrape[@]}") get 'http://127.0.0.1:$safe_port/metrics'"
ok "TLS 1.1 is refused" bash -c "! openssl s_client -connect 127.0.0.1:$safe_port -tls1_1 </dev/null >/dev/null 2>&1"

# --- who cannot hold it -----------------------------------------------------------------------------------------------------
ok "200 readers at once" "${scrape[@]}" parallel 200 "$open"
# held_by NAME PORT URL: a hundred connections, silent, half-open and such that do not take their answer.
held_by() {
  spawn "$1" env "CRM_CA=${4:-}" "CRM_TOKEN=${CRM_TOKEN:-}" "${scrape[@]}" hold 100 "$2"
  wait_for 60 "$1" grep -q held "$SVC_DIR/log/$1.log"
  start=$(now_ms)
  ok "with 100 connections held it still answers, $1" "${scrape[@]}" get "$3"
  took=$(($(now_ms) - start))
  ok "within 10 s ($took ms), $1" test "$took" -lt 10000
}
held_by plain "$open_port" "$open"
CRM_TOKEN=second-token held_by tls "$safe_port" "$safe" "$SVC_DIR/crt"

# --- a port that is taken ---------------------------------------------------------------------------------------------------
taken="scrape endpoint 127.0.0.1:$small_port: Address already in use"
sleep 6
is "a taken port is told once" "$(log_count "$taken")" 1
stop_service squatter KILL
ok "and opened when it is free" wait_for 20 collectd "${scrape[@]}" get "http://127.0.0.1:$small_port/metrics"
is "which is told" "$(log_count "scrape endpoint 127.0.0.1:$small_port: it is open now")" 1

# --- a CRM that cannot be read, and the end ---------------------------------------------------------------------------------
is "no error and no warning in the daemon's log" "$(complaints | grep -vF "$taken" | grep -vE 'receiver keyless:|sink (prometheus|few): .*(refused|trying again|Could not connect)')" ""
stops_within 2000 "the daemon, with a hundred connections open"
is "the text file goes with it" "$(ls -A "$SVC_DIR/textfile")" ""
done_testing
