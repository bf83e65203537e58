#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Four daemons, each with a quarter of the demo CRM's accounts, and one Prometheus that scrapes them: sums over the shards are what one daemon
# with all accounts says, and the recording rules make the same ratios of them.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/e2e
catalogue=$CRM_SRCDIR/src/series/catalogue.def
shards=4
e2e_deadline 240

services_init || bail_out "no scratch directory"
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-shards-XXXXXX") || bail_out "no scratch directory"
trap 'rm -rf "$work"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 120 --days 250 --end "$(date -u -d yesterday +%F)" || bail_out "the CRM cannot be loaded"
sql -c "ALTER ROLE $DEMO_READER CONNECTION LIMIT 8" || bail_out "the role cannot be altered" # a connection for each shard, and two for crmctl
demo_crm_plugin_block 60 'GroupBy "segment"' | write_file "$SVC_DIR/whole.conf"

checked() { # NAME ARGUMENT...: says what was compared, also if all is well
  local name=$1 output
  shift
  if output=$("$here/shards.py" "$@" 2>&1); then
    pass "$name"
    diag "$output"
  else
    fail "$name" "$output"
  fi
}
once() { "$build/crmctl" --config "$SVC_DIR/whole.conf" "$@"; }

# --- crmctl, at an instant of the past: every bit of time is the same for all ---------------------------------------------------
at=$(date -u -d '20 days ago' +%FT11:17:00Z)
all='PerAccount "all"'
once --set "$all" once --format json --at "$at" >"$work/whole.json" || bail_out "crmctl once does not run"
files=()
for ((i = 1; i <= shards; i++)); do
  once --set "$all" --set "Shard \"$i/$shards\"" once --format json --at "$at" >"$work/shard$i.json" 2>"$work/shard$i.err" || bail_out "crmctl once does not run"
  files+=("$work/shard$i.json")
done
checked "crmctl once: the shards add up to the whole, and of each account one says just the same" sums "$catalogue" "$work/whole.json" "${files[@]}"
is "it says that it is a part" "$(tail -n 1 "$work/shard3.err")" "crmctl: shard 3 of 4: accounts of other shards are left out, and so is what is no sum"
is "so does crmctl check" "$(once --set 'Shard "3/4"' check | sed -n 's/^  shard  *//p')" "3 of 4: the others are watched elsewhere"

# --- four daemons -----------------------------------------------------------------------------------------------------------------
# Contracts are moved out of the ninety days in which the risk grows with every second; the rest stands still for some seconds.
sql -c "UPDATE crm_ext.contract SET ends_on = ends_on + 100 WHERE ends_on BETWEEN current_date - 1 AND current_date + 92" ||
  bail_out "contracts cannot be moved"
targets=
for ((i = 1; i <= shards; i++)); do
  listen=$(free_port 0) COLLECTD_PORT=$(free_port 0) COLLECTD_HOST=host$i
  collectd_conf "$build" 2 < <(
    demo_crm_plugin_block 60 "Shard \"$i/$shards\"" 'GroupBy "segment"' 'MaxBreakdowns 0'
    demo_crm_listen_block "$listen"
  )
  sed -i "s/collectd\.pid/shard$i.pid/" "$SVC_DIR/collectd.conf"
  as_user mv "$SVC_DIR/collectd.conf" "$SVC_DIR/shard$i.conf"
  targets="$targets${targets:+, }\"127.0.0.1:$listen\""
done
# Only now, since each configuration brings the plugin anew, and what is loaded must not be written to.
for ((i = 1; i <= shards; i++)); do spawn "shard$i" /usr/sbin/collectd -f -C "$SVC_DIR/shard$i.conf"; done
copy_in "$CRM_SRCDIR"/contrib/prometheus/*.rules.yml "$SVC_DIR/rules"
write_file "$SVC_DIR/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
scrape_configs:
  - job_name: crm
    static_configs: [{targets: [$targets]}]
rule_files: ["$SVC_DIR/rules/crm-recording.rules.yml"]
YAML
port=$(free_port 0)
PROMETHEUS_URL=http://127.0.0.1:$port
spawn prometheus prometheus "--config.file=$SVC_DIR/prometheus.yml" "--storage.tsdb.path=$SVC_DIR/prometheus" \
  "--web.listen-address=127.0.0.1:$port" --log.level=warn
value_is() { [ "$(prometheus_values "$1" | cut -f2)" = "$2" ]; }
ok "all shards come to Prometheus" wait_for 90 shard1 value_is "count(crm_shards == $shards) == count(count by (shard) (crm_shards))" "$shards"
# Its first values are of the time before the daemon has read.
ok "with the accounts of all" wait_for 90 shard1 value_is 'sum(crm_accounts)' "$(sql -At -c 'SELECT count(*) FROM accounts')"
sleep 3

# Meanwhile a window may pass over something, and then one more try is due.
for ((try = 1; try <= 5; try++)); do
  once once --format json >"$work/before.json" 2>"$work/error" || bail_out "crmctl once does not run: $(cat "$work/error")"
  sleep 3
  "$here/shards.py" prometheus "$catalogue" "$work/before.json" "$PROMETHEUS_URL" >"$work/sums" 2>&1
  sums=$?
  "$here/shards.py" rules "$catalogue" "$work/before.json" "$PROMETHEUS_URL" >"$work/rules" 2>&1
  rules=$?
  once once --format json >"$work/after.json"
  "$here/shards.py" steady "$work/before.json" "$work/after.json" && break
done
ok "the CRM stood still" test "$try" -le 5
for part in sums rules; do
  if [ "${!part}" -eq 0 ]; then pass "$part: Prometheus has what the whole says"; else fail "$part" "$(cat "$work/$part")"; fi
  diag "$(head -n 1 "$work/$part")"
done

# --- what each of them reads --------------------------------------------------------------------------------------------------------
for relation in usage engagement; do
  all=$(prometheus_values "sum(crm_relation_rows{relation=\"$relation\"})" | cut -f2)
  most=$(prometheus_values "max(crm_relation_rows{relation=\"$relation\"})" | cut -f2)
  ok "no shard reads half of $relation ($most of $all rows)" test "$((2 * most))" -lt "$all"
done
is "rows of accounts that are not there are nobody's" "$(prometheus_values 'crm_relation_rows_refused{relation="usage",reason="unknown_account"}')" ""
for ((i = 1; i <= shards; i++)); do
  stop_service "shard$i" TERM 20 || fail "shard $i does not stop"
done
done_testing
