#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real daemon that reads a replica over TLS: the server is verified, changes and deletions come through, data that is not replayed grows
# old, and a replica that becomes the primary is noticed.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 200

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 30 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"

# certificate NAME SUBJECT-ALTERNATIVE-NAME AUTHORITY: NAME.crt and NAME.key, signed by AUTHORITY; authorities sign themselves.
certificate() {
  local tls=$SVC_DIR/tls signed=(-x509)
  [ "$1" = "$3" ] || signed=(-x509 -CA "$tls/$3.crt" -CAkey "$tls/$3.key")
  as_user openssl req "${signed[@]}" -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" ${2:+-addext "subjectAltName=$2"} \
    -keyout "$tls/$1.key" -out "$tls/$1.crt"
}
as_user mkdir "$SVC_DIR/tls" "$SVC_DIR/run2"
{ certificate authority "" authority && certificate stranger "" stranger && certificate server "DNS:localhost" authority; } \
  >/dev/null 2>&1 || bail_out "no certificates"

# The replica: TCP by TLS alone.
bin=$(postgres_bin)
as_user sh -c 'echo "local replication postgres trust" >>"$1"' sh "$SVC_DIR/pg/pg_hba.conf"
sql -c "SELECT pg_reload_conf()" >/dev/null
as_user "$bin/pg_basebackup" -h "$SVC_DIR/run" -U postgres -D "$SVC_DIR/replica" -R -c fast --no-sync || bail_out "no copy of the server"
write_file "$SVC_DIR/replica/pg_hba.conf" <<'HBA'
local all postgres trust
hostssl all all 127.0.0.1/32 scram-sha-256
HBA
as_user chmod 600 "$SVC_DIR/tls/server.key"
port=$(free_port 0)
start_replica() {
  spawn replica "$bin/postgres" -D "$SVC_DIR/replica" -k "$SVC_DIR/run2" -p "$port" -c listen_addresses=127.0.0.1 -c fsync=off -c ssl=on \
    -c "ssl_cert_file=$SVC_DIR/tls/server.crt" -c "ssl_key_file=$SVC_DIR/tls/server.key" -c log_min_messages=warning
  wait_for 30 replica as_user "$bin/pg_isready" -q -h "$SVC_DIR/run2" -p "$port"
}
start_replica || bail_out "the replica does not start"
replica() { as_user psql -X -q -v ON_ERROR_STOP=1 -h "$SVC_DIR/run2" -p "$port" -U postgres -d crm "$@"; }
is "it is a replica" "$(replica -Atc 'SELECT pg_is_in_recovery()')" t

# conf HOST MODE AUTHORITY: the daemon's configuration.
conf() {
  collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 'MaxBreakdowns 0' 'GroupBy "segment"' "Port $port" "SSLMode \"$2\"" \
    "SSLRootCert \"$SVC_DIR/tls/$3.crt\"" | sed "s|^    Host .*|    Host \"$1\"|")
}
# The server's account of what is wrong, by crmctl; the password must never be in it.
copy_in "$build/crmctl" "$SVC_DIR/bin" && as_user chmod 0755 "$SVC_DIR/bin/crmctl"
check() { as_user "$SVC_DIR/bin/crmctl" --config "$SVC_DIR/collectd.conf" check 2>&1; }
# says NAME TEXT: the check fails, and says so.
says() {
  local said status
  said=$(check)
  status=$?
  if [ $status -ne 0 ] && [[ $said = *"$2"* ]] && [[ $said != *"$(as_user cat "$SVC_DIR/reader.password")"* ]]; then
    pass "$1"
  else
    fail "$1" "status $status" "$said"
  fi
}
conf localhost verify-full stranger
says "another authority's server is refused" "certificate verify failed"
conf 127.0.0.1 verify-full authority
says "so is one by another name" "does not match host name"
conf localhost disable authority
says "the server takes nothing without TLS" "no encryption"
conf localhost verify-full authority
said=$(check)
is "crmctl check is content" $? 0
ok "and says that a replica tells no changes" grep -q 'replica' <<<"$said"

fresh_collectd
ok "the first read comes through" wait_for 40 collectd metric_is demo up 1
is "by TLS" "$(replica -Atc "SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = '$DEMO_READER'")" t
rows_are() { [ "$(metric demo relation_rows.account) $(metric demo relation_rows.nps)" = "$1" ]; }
counts() { sql -AtF' ' -c "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM nps_surveys)"; }
ok "all rows are there" wait_for 20 collectd rows_are "$(counts)"
sql -c "INSERT INTO nps_surveys (organization_id, account_id, score) SELECT organization_id, id, 9 FROM accounts LIMIT 3"
ok "new rows come through" wait_for 20 collectd rows_are "$(counts)"
sql -c "DELETE FROM nps_surveys WHERE score = 9"
ok "and deleted ones go" wait_for 20 collectd rows_are "$(counts)"

# What is not replayed is not seen, and the data says how old it is.
before=$(counts)
replica -c "SELECT pg_wal_replay_pause()" >/dev/null
sql -c "DELETE FROM nps_surveys WHERE score = 8"
old() { awk -v age="$(metric demo source_age_seconds.account)" 'BEGIN {exit !(age > 4)}'; }
ok "while the replica stands still the data grows old" wait_for 30 collectd old
ok "and stays what it was" rows_are "$before"
replica -c "SELECT pg_wal_replay_resume()" >/dev/null
ok "then it catches up" wait_for 20 collectd rows_are "$(counts)"
young() { ! old; }
ok "and is young again" wait_for 20 collectd young

# The primary is lost and the replica takes over.
stop_service postgres QUIT
replica -c "SELECT pg_promote()" >/dev/null
replica -c "DELETE FROM nps_surveys WHERE score = 7"
counts() { replica -AtF' ' -c "SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM nps_surveys)"; }
ok "what is written to the new primary comes through" wait_for 30 collectd rows_are "$(counts)"
counted() { [ "$("$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$COLLECTD_PORT/metrics" | grep -c 'crm="demo",type="relation_changes\..*\.counters"')" = 15 ]; }
ok "and is followed by its counters from now on" wait_for 20 collectd counted
is "no error and no warning in the daemon's log" "$(complaints)" ""
stops_within 2000 "the daemon"
done_testing
