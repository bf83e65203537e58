#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A daemon follows a CRM that a random workload changes: over a network that breaks, across restarts of the server, and of the daemon, which is
# killed. Whenever the workload rests, everything that was sent of an instant is what `crmctl once --at` says of it, which reads anew.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 300

services_init || bail_out "no scratch directory"
scrape=("$SVC_PYTHON" "$CRM_SRCDIR/tests/e2e/scrape.py")
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 8 --days 60 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
{ sql <"$CRM_SRCDIR/contrib/sql/watermarks.sql" && sql -c "GRANT pg_read_all_stats TO $DEMO_READER; ALTER ROLE $DEMO_READER INHERIT"; } ||
  bail_out "no indexes"
work=$SVC_DIR/work
as_user mkdir "$work"
chmod 0777 "$work"

# --- those who take part ---------------------------------------------------------------------------------------------------
copy_in "$build/tests/lib/crm-relay" "$build/tests/e2e/crm-workload-run" "$SVC_DIR/bin"
as_user chmod 0755 "$SVC_DIR/bin/crm-relay" "$SVC_DIR/bin/crm-workload-run"
coproc RELAY { as_user "$SVC_DIR/bin/crm-relay" "$SVC_DIR/run/.s.PGSQL.5432"; }
relay=("${RELAY[@]}")
read -r relay_port <&"${relay[0]}" || bail_out "no relay"
{ coproc WORKLOAD { as_user "$SVC_DIR/bin/crm-workload-run" "$SVC_DIR/run" postgres crm 11 20; }; } 2>/dev/null # bash warns of a second one
workload=("${WORKLOAD[@]}")
read -r word <&"${workload[0]}"
[ "$word" = ready ] || bail_out "no workload"
net() { printf '%s\n' "$*" >&"${relay[1]}" && read -r NET <&"${relay[0]}"; }
begin_change() { printf '%s\n' "$*" >&"${workload[1]}"; }
end_change() { read -r word <&"${workload[0]}" && [ "$word" = done ]; }

port=$(free_port 0)
write_file "$SVC_DIR/receiver.yml" <<<'global: {}'
spawn receiver prometheus "--config.file=$SVC_DIR/receiver.yml" "--storage.tsdb.path=$SVC_DIR/receiver" "--web.listen-address=127.0.0.1:$port" \
  --web.enable-remote-write-receiver --log.level=warn
url=http://127.0.0.1:$port
wait_for 30 receiver "$SVC_PYTHON" "$SVC_LIB/query.py" get "$url/-/ready" || bail_out "no receiver"

# What is sent is what the plugin computes, not what collectd makes of it. A stall is over within ReadTimeout.
demo_crm_plugin_block 1 'PerAccount "all"' 'MaxCells 5' 'ReadTimeout 8' "Port \"$relay_port\"" 'SSLMode "disable"' |
  sed "s|Host \"$SVC_DIR/run\"|Host \"127.0.0.1\"|" >"$work/plugin"
printf '<Plugin crm>\n  <RemoteWrite "receiver">\n    URL "%s/api/v1/write"\n    Label "via" "push"\n  </RemoteWrite>\n</Plugin>\n' "$url" >>"$work/plugin"
collectd_conf "$build" 3 <"$work/plugin"
# Nor does collectd do anything with the values that it is handed.
sed -i -e '/LoadPlugin write_prometheus/,/<\/Plugin>/d' -e '$aPreCacheChain "drop"\n<Chain "drop">\n  Target "stop"\n</Chain>' "$SVC_DIR/collectd.conf"
start_collectd

# --- comparing -------------------------------------------------------------------------------------------------------------
ask() { "$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$url" "$1" | cut -f2; }
all='{via="push",__name__=~"crm_.*"}'
# followed SECONDS: all series of an instant are there, which is later than that, of a CRM that was read after it. Leaves its milliseconds in at_ms.
followed() {
  local at
  at=$(ask 'max(timestamp(crm_accounts{via="push"}))') && [ -n "$at" ] && [ "$(ask 'min(crm_up{via="push"})')" = 1 ] || return 1
  awk -v t="$at" -v after="$1" -v age="$(ask 'max(crm_source_age_seconds{via="push"})')" 'BEGIN { exit !(t - age - 0.5 > after) }' || return 1
  "${scrape[@]}" prometheus "$url" "$all" "$at" | sed 's/, "via": "push"//' | not_own >"$work/sent"
  [ "$(wc -l <"$work/sent")" = "$(ask 'sum(crm_series{via="push",kind!="instance"})')" ] || return 1
  at_ms=$(awk -v t="$at" 'BEGIN { printf "%.0f", t * 1000 }')
}
not_own() { grep -vE '^crm_(up|source_|drift_|relation_|rows_rejected|sync_|compute_|store_|accounts_changed|full_sync|series|dimension_dropped|build_info|remote_write)'; }
once_at() { # MILLISECONDS FILE
  "$build/crmctl" --config "$SVC_DIR/collectd.conf" once --format json --at "$(date -u -d "@$(($1 / 1000))" +%FT%T).$(printf '%03d' $(($1 % 1000)))Z" \
    >"$work/once.json" 2>"$work/once.err" && "${scrape[@]}" series once "$work/once.json" >"$2"
}
# The instant is known to the millisecond: what differs within one, such as an age, is left out. As long as nothing changes, what was computed with
# older facts is followed by what is right, and what has been missed stays missed.
same() { # SECONDS: as followed
  followed "$1" && once_at "$at_ms" "$work/before" && once_at $((at_ms + 1)) "$work/after" &&
    "${scrape[@]}" same "$work/before" "$work/sent" "$work/before" "$work/after" >"$work/same" 2>&1
}
same_as_once() { # NAME
  net disarm
  if wait_for 60 collectd same "$(date +%s)"; then
    pass "$1: all $(wc -l <"$work/sent") series are as crmctl once has them"
  else
    fail "$1: all series are as crmctl once has them" "$(cat "$work/same" "$work/once.err")"
  fi
}
kill_collectd() {
  stop_service collectd KILL
  start_collectd
}

# --- the rounds ------------------------------------------------------------------------------------------------------------
wait_for 90 receiver followed 0 || bail_out "nothing has been sent"
begin_change run 300
end_change || bail_out "the workload has ended"
same_as_once "after some changes"

struck() { net status && [ "$NET" = struck ]; }
for fault in "delay client 0 2" "reset client 700" "truncate client 3000" "reset server 400" "stall client 1500 -1"; do
  begin_change run 100
  net "$fault"
  ok "a network with $fault: it comes to pass" wait_for 30 collectd struck
  end_change || bail_out "the workload has ended"
done
same_as_once "after a network that broke"

begin_change run 300
sleep 0.5
kill_collectd
end_change || bail_out "the workload has ended"
same_as_once "after a daemon that was killed"

begin_change disconnect
end_change && stop_service postgres QUIT && start_postgres || bail_out "PostgreSQL does not start again"
begin_change connect
end_change
begin_change run 300
net "truncate client 9000" # wherever the full read is then
end_change || bail_out "the workload has ended"
same_as_once "after a server that was restarted"

is "every relation whose changes can be polled is" "$("$SVC_PYTHON" "$SVC_LIB/query.py" prometheus "$url" 'crm_relation_changes{via="push",mode="poll"}' | wc -l)" 15
is "the log holds no complaint but of nonsense, and that the CRM could not be read" "$(complaints | grep -vE 'the CRM cannot be read|refused for [a-z_]*: |No write callback')" ""
stops_within 2000 "the daemon"
done_testing
