#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the daemon does when the CRM is not as it should be: it goes on, says so once, says once when it is over, and always stops
# within two seconds.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 400

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 20 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"

# A relation that takes as long as the table test.nap says, to catch the plugin in the midst of a read.
sql <<SQL || bail_out "no table test.nap"
CREATE SCHEMA test;
CREATE TABLE test.nap (seconds double precision NOT NULL);
INSERT INTO test.nap VALUES (0);
GRANT USAGE ON SCHEMA test TO $DEMO_READER;
GRANT SELECT ON test.nap TO $DEMO_READER;
SQL
slow_signal='<Relation "signal">
      Query "WITH nap AS MATERIALIZED (SELECT pg_sleep(seconds) FROM test.nap) SELECT s.account_id::text AS account_id, s.kind, s.observed_at AS at, s.weight FROM nap, crm_ext.signal s"
    </Relation>'
# Few values, because write_prometheus takes its time with new ones, and what is waited for here comes through it.
few=('MaxBreakdowns 0' 'GroupBy "segment"')
for relation in engagement contact goal; do few+=("<Relation \"$relation\">" "  Disabled true" "</Relation>"); done
collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 "$slow_signal" "StaleAfter 10" "LockTimeout 30" "${few[@]}")

reading() { # STATE-OF-BACKEND: a backend of the plugin is in it
  [ "$(sql -Atc "SELECT count(*) FROM pg_stat_activity WHERE usename = '$DEMO_READER' AND $1")" -gt 0 ]
}
not_reading() { ! reading "$1"; }
account_total() { metric demo relation_rows.account; }

# --- a good run ------------------------------------------------------------------------------------------------------------
fresh_collectd
ok "the first read comes through" wait_for 30 collectd metric_is demo up 1
ok "all relations are there" wait_for 10 collectd metric_is demo relation_available.account 1
is "all 20 accounts" "$(account_total)" 20
sleep 3
is "no error and no warning in a good run" "$(complaints)" ""
is "no password in the log" "$(log_since | grep -cF "$(as_user cat "$SVC_DIR/reader.password")")" 0

# --- the server goes away in the midst of a read, and comes back -----------------------------------------------------------
some_tenant=$(sql -Atc "SELECT lower(name) FROM organizations o WHERE EXISTS (SELECT FROM accounts WHERE organization_id = o.id) ORDER BY 1 LIMIT 1")
ok "business values are sent" wait_for 10 collectd has_metric "$some_tenant" accounts.active
log_mark
sql -c 'UPDATE test.nap SET seconds = 20'
ok "a read is under way" wait_for 15 collectd reading "state = 'active' AND wait_event = 'PgSleep'"
stop_service postgres QUIT # an immediate shutdown: every backend drops its connection
ok "killed while reading: crm_up goes to 0" wait_for 10 collectd metric_is demo up 0
ok "the last good values are still sent" has_metric "$some_tenant" accounts.active
age=$(metric demo source_age_seconds.account)
sleep 2
older=$(metric demo source_age_seconds.account)
ok "the age of the source grows" awk -v a="$age" -v b="$older" 'BEGIN { exit !(b > a + 0.5) }'
ok "stale business values are no longer sent" wait_for 20 collectd no_metric "$some_tenant" accounts.active
ok "its own series still are" metric_is demo up 0
start_postgres || bail_out "PostgreSQL does not start again"
sql -c 'UPDATE test.nap SET seconds = 0'
ok "the server is back: crm_up goes to 1" wait_for 30 collectd metric_is demo up 1
ok "business values are back" wait_for 10 collectd has_metric "$some_tenant" accounts.active
is "one line when it broke" "$(log_count '\[err(or)?\].*cannot be read')" 1
is "one line when it cleared" "$(log_count 'is read again after')" 1

# --- a table is dropped and made again -------------------------------------------------------------------------------------
log_mark
sql -c 'CREATE TABLE test.opportunity AS TABLE crm_ext.opportunity; DROP TABLE crm_ext.opportunity'
ok "a dropped table makes its relation unavailable" wait_for 15 collectd metric_is demo relation_available.opportunity 0
is "and nothing else" "$(metric demo up) $(metric demo relation_available.nps)" "1 1"
sleep 3
is "one line names relation and SQLSTATE" "$(log_count 'opportunity.*42P01')" 1
sql -c "CREATE TABLE crm_ext.opportunity AS TABLE test.opportunity; GRANT SELECT ON crm_ext.opportunity TO $DEMO_READER"
ok "the table is back, and so is the relation" wait_for 15 collectd metric_is demo relation_available.opportunity 1
is "one line says so" "$(log_count 'opportunity is read again')" 1

# --- a privilege is revoked ------------------------------------------------------------------------------------------------
log_mark
ok "NPS is sent" wait_for 10 collectd metric_is demo relation_available.nps 1
sql -c "REVOKE SELECT ON nps_surveys FROM $DEMO_READER, PUBLIC"
ok "a revoked privilege makes the relation unavailable" wait_for 15 collectd metric_is demo relation_available.nps 0
is "the CRM is still up" "$(metric demo up)" 1
ok "NPS is no longer sent" wait_for 15 collectd no_metric "$some_tenant" nps
is "one line names relation and SQLSTATE" "$(log_count 'nps.*42501')" 1
sql -c "GRANT SELECT ON nps_surveys TO $DEMO_READER"
ok "granted again" wait_for 15 collectd metric_is demo relation_available.nps 1

log_mark
sql -c "REVOKE SELECT ON accounts FROM $DEMO_READER, PUBLIC"
ok "without accounts the CRM is down" wait_for 15 collectd metric_is demo up 0
is "one line says why" "$(log_count '\[err(or)?\].*account.*42501')" 1
sql -c "GRANT SELECT ON accounts TO $DEMO_READER"
ok "granted again" wait_for 30 collectd metric_is demo up 1

# --- row-level security ----------------------------------------------------------------------------------------------------
log_mark
sql -c "ALTER ROLE $DEMO_READER NOBYPASSRLS; ALTER TABLE accounts ENABLE ROW LEVEL SECURITY"
ok "row-level security is an error, not zero accounts" wait_for 15 collectd metric_is demo up 0
is "one line names it" "$(log_count '\[err(or)?\].*row.level security')" 1
sql -c 'ALTER TABLE accounts DISABLE ROW LEVEL SECURITY'
ok "switched off again" wait_for 30 collectd metric_is demo up 1
is "all accounts again" "$(account_total)" 20

# --- a wrong password ------------------------------------------------------------------------------------------------------
log_mark
old=$(as_user cat "$SVC_DIR/reader.password")
sql <<<"ALTER ROLE $DEMO_READER PASSWORD 'quite-another-secret'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '$DEMO_READER'" >/dev/null
ok "a wrong password: crm_up goes to 0" wait_for 15 collectd metric_is demo up 0
sleep 2
is "one line about it" "$(log_count '\[err(or)?\].*cannot be read')" 1
write_file "$SVC_DIR/reader.password" <<<quite-another-secret
ok "the password file is read anew: crm_up goes to 1 without a restart" wait_for 30 collectd metric_is demo up 1
is "no password in the log" "$(log_since | grep -cE "$old|quite-another-secret")" 0

# --- stopping while a query is stuck ---------------------------------------------------------------------------------------
sql -c 'UPDATE test.nap SET seconds = 60'
ok "a read is under way" wait_for 15 collectd reading "wait_event = 'PgSleep'"
stops_within 2000 "a query that takes long does not hold the daemon"
ok "the query has been cancelled" wait_for 5 postgres not_reading "true"
sql -c 'UPDATE test.nap SET seconds = 0'

fresh_collectd
ok "it starts again" wait_for 30 collectd metric_is demo up 1
spawn locker psql -X -q -h "$SVC_DIR/run" -U postgres -d crm -c "BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)"
locked() { [ "$(sql -At -c "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'accounts'::regclass")" = 1 ]; }
wait_for 15 locker locked || bail_out "the table cannot be locked"
sql -c 'UPDATE crm_ext.account_detail SET updated_at = now()' # what has not changed is not read
ok "a read waits for a lock" wait_for 15 collectd reading "wait_event_type = 'Lock'"
stops_within 2000 "a lock does not hold the daemon"
ok "nothing waits for the lock any more" wait_for 5 postgres not_reading "true"
stop_service locker INT
sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE%' AND pid <> pg_backend_pid()" >/dev/null

# --- the server is down at the start ---------------------------------------------------------------------------------------
stop_service postgres INT
fresh_collectd
ok "down at the start: crm_up is 0" wait_for 15 collectd metric_is demo up 0
is "no business values" "$(metric "$some_tenant" accounts.active)" ""
sleep 3
is "one line about it" "$(log_count '\[err(or)?\].*cannot be read')" 1
stops_within 2000 "it stops while the server is down"
fresh_collectd
wait_for 15 collectd metric_is demo up 0
start_postgres || bail_out "PostgreSQL does not start again"
ok "the server comes: crm_up goes to 1" wait_for 30 collectd metric_is demo up 1
is "one line when it cleared" "$(log_count 'is read again after')" 1
stops_within 2000 "it stops in good health"

# --- an empty CRM ----------------------------------------------------------------------------------------------------------
SVC_DATABASE=postgres sql -c 'CREATE DATABASE empty'
SVC_DATABASE=empty sql <"$CRM_SRCDIR/contrib/sql/schema.sql"
SVC_DATABASE=empty sql <"$CRM_SRCDIR/contrib/sql/schema_ext.sql"
SVC_DATABASE=empty sql <"$CRM_SRCDIR/contrib/sql/role.sql" >/dev/null
collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 "${few[@]}" | sed 's/Database "crm"/Database "empty"/')
fresh_collectd
ok "an empty CRM is up" wait_for 30 collectd metric_is demo up 1
is "with no account" "$(account_total)" 0
is "and no complaint" "$(complaints)" ""
stops_within 2000 "it stops"

# --- a server that accepts and never answers -------------------------------------------------------------------------------
port=$(free_port 0)
copy_in "$CRM_SRCDIR/tests/e2e/silent_server.py" "$SVC_DIR/silent"
spawn silent "$SVC_PYTHON" "$SVC_DIR/silent/silent_server.py" "$port"
wait_for 10 silent "$SVC_PYTHON" "$SVC_LIB/query.py" listening "$port"
collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 "Port $port" "ConnectTimeout 60" | sed 's/Host .*/Host "127.0.0.1"/')
fresh_collectd
ok "the plugin has connected to the silent server" wait_for 15 collectd grep -q 'accepted 2' "$SVC_DIR/log/silent.log" # 1 was the probe
sleep 1
stops_within 2000 "a server that never answers does not hold the daemon"

# --- a configuration that is wrong -----------------------------------------------------------------------------------------
# refused NAME PATTERN LINE...: the daemon refuses to start with these lines in the instance, and its log matches.
refused() {
  local name=$1 pattern=$2 line
  shift 2
  collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 "$@")
  line=$(grep -nF -- "${1%%$'\n'*}" "$SVC_DIR/collectd.conf" | tail -n 1 | cut -d: -f1)
  fresh_collectd
  if ! wait_for 10 - eval '! service_alive collectd'; then
    fail "$name: the daemon refuses to start" "$(log_since)"
    stop_service collectd
    return
  fi
  stop_service collectd
  if [ "$SVC_STOP_STATUS" -ne 0 ] && log_since | grep -E "collectd\.conf:$line: .*($pattern)" >/dev/null; then
    pass "$name: refused with file and line"
  else
    fail "$name: refused with file and line" "status $SVC_STOP_STATUS, wanted collectd.conf:$line: and $pattern" "$(log_since)"
  fi
}
refused "unknown option" "SyncIntervall.*SyncInterval" 'SyncIntervall 10'
refused "number out of range" "History" 'History -5'
refused "text for a number" "LockTimeout" 'LockTimeout "soon"'
refused "unknown zone" "TimeZone" 'TimeZone "Europe/Atlantis"'
refused "unknown dimension" "GroupBy" 'GroupBy "planet"'
refused "unknown mapping" "Mapping" 'Mapping "no_such_crm"'
refused "a password in the configuration" "[Pp]assword" 'ConnInfo "host=localhost password=geheim"'
is "the refused password is not in the log" "$(grep -c geheim "$SVC_DIR/log/collectd.log")" 0
refused "unknown relation" "Relation" '<Relation "acount">
      Disabled true
    </Relation>'

done_testing
