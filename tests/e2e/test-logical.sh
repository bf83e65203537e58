#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A real daemon that follows by logical decoding: deleted rows are noticed, FullSync finds nothing that was
# missed, and no slot is left at the server.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 200

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 30 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
sql -c "ALTER SYSTEM SET wal_level = logical" || bail_out "wal_level"
stop_service postgres INT
start_postgres || bail_out "PostgreSQL does not start again"
ok "publication.sql" sql -f - <"$CRM_SRCDIR/contrib/sql/publication.sql"
sql -c "ALTER ROLE $DEMO_READER REPLICATION" || bail_out "the attribute REPLICATION"
few=('MaxBreakdowns 0' 'GroupBy "segment"') # write_prometheus takes its time with new values
collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 "${few[@]}" 'FullSync 15')
fresh_collectd
ok "the first read comes through" wait_for 40 collectd metric_is demo up 1
logical() { [ "$("$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$COLLECTD_PORT/metrics" | grep -c 'crm="demo",type="relation_changes\..*\.logical"')" = 15 ]; }
ok "all relations are decoded" wait_for 20 collectd logical
slots() { sql -Atc "SELECT string_agg(plugin || ' ' || temporary::text, ',') FROM pg_replication_slots"; }
is "by one temporary slot" "$(slots)" "pgoutput true"

rows_are() { [ "$(metric demo relation_rows.nps) $(metric demo relation_rows.goal)" = "$1" ]; }
counts() { sql -AtF' ' -c "SELECT (SELECT count(*) FROM nps_surveys), (SELECT count(*) FROM customer_goals)"; }
full_at=$(metric demo full_sync_timestamp_seconds)
before=$(counts)
ok "all rows are there" wait_for 20 collectd rows_are "$before"
sql -c "DELETE FROM nps_surveys WHERE id IN (SELECT id FROM nps_surveys ORDER BY id LIMIT 5);
  DELETE FROM customer_goals WHERE id = (SELECT min(id::text)::uuid FROM customer_goals); UPDATE accounts SET seat_count = seat_count + 1"
ok "there were rows to delete" test "$before" != "$(counts)"
ok "deleted rows are gone" wait_for 20 collectd rows_are "$(counts)"
newer() { awk -v a="$full_at" -v b="$(metric demo full_sync_timestamp_seconds)" 'BEGIN {exit !(b > a)}'; }
ok "a full read follows" wait_for 40 collectd newer
drift() { "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$COLLECTD_PORT/metrics" | grep 'crm="demo",type="drift_rows_total\.' | awk '{n++; s += $2} END {print n + 0, s + 0}'; }
measured() { [ "$(drift)" = "15 0" ]; }
ok "and finds nothing that was missed, in any relation" wait_for 40 collectd measured
is "no error and no warning in the daemon's log" "$(complaints)" ""
stops_within 2000 "the daemon"
none() { [ -z "$(slots)" ]; }
ok "no slot is left" wait_for 10 postgres none
done_testing
