#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A sink against real receivers: Prometheus, VictoriaMetrics, and vmagent before a VictoriaMetrics that dies. The receiver goes away, the sink's process is
# killed, both come back: every tick is stored once, with its value, and a series that ended has ended. (crm_feed is a sink in a process of its own.)
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
feed_program=${CRM_BUILDDIR:?}/tests/e2e/crm_feed
e2e_deadline 240

services_init || bail_out "no scratch directory"
spools=$(mktemp -d "${TMPDIR:-/tmp}/crm-spool-XXXXXX") || bail_out "no directory for the spool"
trap '[ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; feed_kill; services_end; rm -rf "$spools"' EXIT

# --- the sink ------------------------------------------------------------------------------------------------------------------

FEED_PROCESS=
feed_start() { # NAME URL: its spool and its log go by its name
  coproc FEED { no_proxy='*' exec "$feed_program" "name=$1" "url=$2" "spool=$spools" instance=host backoff_min_ms=50 backoff_max_ms=300 queue=400 \
    2>>"$SVC_DIR/log/feed-$1.log"; }
  FEED_PROCESS=$FEED_PID FEED_NAME=$1
  exec 7<&"${FEED[0]}" 8>&"${FEED[1]}" # those of a coprocess are closed in subshells
}
feed_kill() {
  [ -n "$FEED_PROCESS" ] || return 0
  {
    kill -KILL "$FEED_PROCESS"
    wait "$FEED_PROCESS" # its lock goes with it
  } 2>/dev/null
  FEED_PROCESS=
}
feed() { # COMMAND: prints the first line of the answer
  local answer
  printf '%s\n' "$*" >&8 && IFS= read -r answer <&7 && printf '%s\n' "$answer"
}
spooled() { find "$spools/$FEED_NAME" -name '*.batch' | wc -l; }
spool_has() { [ "$(spooled)" -eq "$1" ]; }

# Ticks FIRST to LAST, 10 s apart, the last of all before now; account a000000 ends with tick 200, a000005 begins there.
ticks=480
origin=$(($(date +%s) - ticks * 10 - 5))

feed_ticks() {
  local i at
  for ((i = $1; i <= $2; i++)); do
    at=$(((origin + i * 10) * 1000000))
    if [ "$i" -lt 200 ]; then feed "tick acme $at 0 5 $i"; else feed "tick acme $at 1 5 $i"; fi
  done | grep -vx ok | sed "s|^|# |"
}
# "SECOND VALUE" per sample, in order: what account N must have.
wanted() { # NUMBER FIRST LAST
  local i
  for ((i = $2; i <= $3; i++)); do printf '%d %d\n' $((origin + i * 10)) $((i + $1)); done
}

# check WHAT SAMPLES-COMMAND: all samples of three accounts.
check() {
  is "$1: account 1 has every tick once" "$($2 a000001)" "$(wanted 1 1 $ticks)"
  is "$1: account 0 has all until its end" "$($2 a000000)" "$(wanted 0 1 199)"
  is "$1: account 5 has all from its begin" "$($2 a000005)" "$(wanted 5 200 $ticks)"
}

# --- Prometheus -------------------------------------------------------------------------------------------------------------------

port=$(free_port 0)
write_file "$SVC_DIR/receiver.yml" <<<'global: {}'
PROMETHEUS_URL=http://127.0.0.1:$port
start_receiver() {
  spawn prometheus prometheus "--config.file=$SVC_DIR/receiver.yml" "--storage.tsdb.path=$SVC_DIR/receiver" "--web.listen-address=127.0.0.1:$port" \
    --web.enable-remote-write-receiver --log.level=warn
  wait_for 30 prometheus "$SVC_PYTHON" "$SVC_LIB/query.py" get "$PROMETHEUS_URL/-/ready"
}
# Samples as they were stored; a stale marker is not among them.
prometheus_samples() {
  prometheus_values "crm_account_arr{account=\"$1\",tenant=\"acme\",instance=\"host\",job=\"crm\"}[2h]" | awk -F'\t' '{ print $3 / 1000, $2 }'
}

start_receiver || bail_out "Prometheus does not start"
feed_start prometheus "$PROMETHEUS_URL/api/v1/write"
feed_ticks 1 60
ok "Prometheus takes what comes" wait_for 30 - spool_has 0
stop_service prometheus
# More than an hour of ticks, and the sink's process is killed in the middle of it.
feed_ticks 61 240
ok "while it is away ticks are spooled" wait_for 30 - spool_has 180
feed_kill
is "killed: the spool stays" "$(spooled)" 180
feed_start prometheus "$PROMETHEUS_URL/api/v1/write"
feed_ticks 241 440
ok "the next process goes on with it" wait_for 30 - spool_has 380
start_receiver || bail_out "Prometheus does not start again"
ok "and delivers when Prometheus is back" wait_for 60 - spool_has 0
feed_ticks 441 $ticks
ok "and then what comes" wait_for 30 - spool_has 0
check Prometheus prometheus_samples
is "the account that has ended is gone at its end" \
  "$("$SVC_PYTHON" "$SVC_LIB/query.py" get "$PROMETHEUS_URL/api/v1/query?query=crm_account_arr%7Baccount%3D%22a000000%22%7D&time=$((origin + 2000 + 5))" | grep -o '"result":.*')" \
  '"result":[]}}'
is "one that has not is there" "$(prometheus_values "crm_account_arr{account=\"a000001\"}" | cut -f2)" $((ticks + 1))
is "no tick was refused" "$(grep -c refused "$SVC_DIR/log/feed-prometheus.log")" 0
stopped=$(feed "stop 1500")
is "it stops" "${stopped% *}" stopped
FEED_PROCESS=
# The series that lived when a process ended, and do no more when the next begins.
feed_start prometheus "$PROMETHEUS_URL/api/v1/write"
last=$(date +%s)
feed "tick acme ${last}000000 2 1 7" | diag
ok "the next process marks what ended in between" wait_for 20 - spool_has 0
is "and Prometheus has only what lives" "$(prometheus_values 'crm_account_arr' | tr ',\t' '\n\n' | grep ^account=)" account=a000002
feed_kill
stop_service prometheus

# --- VictoriaMetrics, and vmagent before it -------------------------------------------------------------------------------------

ticks=300
vm_port=$(free_port 0)
vm_url=http://127.0.0.1:$vm_port
start_victoria() {
  spawn victoria victoria-metrics "-storageDataPath=$SVC_DIR/victoria" "-httpListenAddr=127.0.0.1:$vm_port" -retentionPeriod=10y -search.latencyOffset=0s
  wait_for 30 victoria "$SVC_PYTHON" "$SVC_LIB/query.py" get "$vm_url/health"
}
vm_job=crm
# Everything that is stored, duplicates among them; a stale marker is null.
victoria_samples() {
  "$SVC_PYTHON" "$SVC_LIB/query.py" get "$vm_url/internal/force_flush" >/dev/null
  "$SVC_PYTHON" - "$vm_url/api/v1/export?match%5B%5D=crm_account_arr%7Baccount%3D%22$1%22%2Cjob%3D%22$vm_job%22%7D" <<'PY'
import json, sys, urllib.request
rows = []
for line in urllib.request.urlopen(sys.argv[1]):
    series = json.loads(line)
    rows += zip(series["timestamps"], series["values"])
for at, value in sorted(rows, key=lambda row: row[0]):
    if value is not None:
        print(at // 1000, value)
PY
}
victoria_has() { [ "$(victoria_samples a000001 | wc -l)" -ge "$1" ]; }

start_victoria || bail_out "VictoriaMetrics does not start"
feed_start victoria "$vm_url/api/v1/write"
feed_ticks 1 100
ok "VictoriaMetrics takes what comes" wait_for 30 - spool_has 0
stop_service victoria KILL
feed_ticks 101 150
ok "while it is away ticks are spooled" wait_for 30 - spool_has 50
feed_kill
feed_start victoria "$vm_url/api/v1/write"
feed_ticks 151 200
start_victoria || bail_out "VictoriaMetrics does not start again"
ok "when it is back they are delivered" wait_for 60 - spool_has 0
feed_ticks 201 $ticks
ok "and what comes then" wait_for 30 - spool_has 0
# Its own kill -9 loses what it had not written to disk yet: the ticks it had answered for are its business, those after are ours.
is "VictoriaMetrics: every tick of the outage and after it once" "$(victoria_samples a000001 | tail -n 200)" "$(wanted 1 101 $ticks)"
is "VictoriaMetrics: account 5" "$(victoria_samples a000005)" "$(wanted 5 200 $ticks)"
feed_kill

agent_port=$(free_port 0)
spawn vmagent vmagent "-httpListenAddr=127.0.0.1:$agent_port" "-remoteWrite.url=$vm_url/api/v1/write" "-remoteWrite.tmpDataPath=$SVC_DIR/vmagent" \
  -remoteWrite.flushInterval=1s -remoteWrite.label=job=agent
wait_for 30 vmagent "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$agent_port/health" || bail_out "vmagent does not start"
vm_job=agent
feed_start agent "http://127.0.0.1:$agent_port/api/v1/write"
feed_ticks 1 100
ok "vmagent takes what comes" wait_for 30 - spool_has 0
ok "and hands it on" wait_for 30 - victoria_has 100
stop_service victoria
feed_ticks 101 $ticks
ok "it takes more while its VictoriaMetrics is away" wait_for 30 - spool_has 0
start_victoria || bail_out "VictoriaMetrics does not start again"
ok "and hands that on afterwards" wait_for 60 - victoria_has $ticks
check "behind vmagent" victoria_samples
feed_kill
done_testing
