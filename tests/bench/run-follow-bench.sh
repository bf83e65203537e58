#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench-follow`: what an interval costs the CRM and the one who reads it by the number of accounts that changed, in one run on the same
# database: the plugin (with the application's indexes alone, with those of contrib/sql/watermarks.sql, with those of indexes.sql too, by logical
# decoding with publication.sql), the tools that somebody would use without it, and the floors. follow_report.py makes the tables, and says which targets are met.
#
#   CRM_BENCH_SIZES    accounts, default "10000 100000"
#   CRM_BENCH_DAYS     days of daily facts, default 365, and 60 from 100,000 accounts on, which the windows need; 365 there take 8 GB of disk
#   CRM_BENCH_CHANGED  before how many changed accounts the tools are measured, default "0 10 100 1000"
#   CRM_BENCH_SECONDS  how often tools read that do so by themselves, default 20 and from 100,000 accounts on 75; more than one reading takes
#   CRM_BENCH_RAW      a file to which the measurements are added, for follow_report.py
set -u -o pipefail
CRM_SRCDIR=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
CRM_BUILDDIR=${CRM_BUILDDIR:-$PWD}
. "$CRM_SRCDIR/contrib/lib/services.sh"
. "$CRM_SRCDIR/contrib/lib/build.sh"
. "$CRM_SRCDIR/contrib/lib/demo_crm.sh"
. "$CRM_SRCDIR/contrib/lib/packages.sh"
sizes=${CRM_BENCH_SIZES:-10000 100000}
end=2026-03-01

for program in crm-bench crm-follow-bench tests/lib/crm-relay; do
  [ -x "$CRM_BUILDDIR/$program" ] || { printf 'bench: %s/%s is missing; say "make bench-follow"\n' "$CRM_BUILDDIR" "$program" >&2; exit 2; }
done
missing=$(packages_missing "${PACKAGES_BENCH[@]}")
[ -z "$missing" ] || printf 'bench: these tools are left out, because their packages are not installed: %s\n' "${missing//$'\n'/ }" >&2
trap services_end EXIT
trap 'exit 130' INT TERM HUP
services_init || exit 1
raw=$SVC_DIR/raw
start_postgres || exit 1
# What is counted is the work of sessions.
SVC_DATABASE=postgres sql -c 'ALTER SYSTEM SET autovacuum = off' -c 'ALTER SYSTEM SET wal_level = logical' >/dev/null || exit 1
stop_service postgres INT 60 && start_postgres || exit 1
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/*.sql "$SVC_DIR/mapping"
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/changes/*.sql "$SVC_DIR/mapping/changes"
copy_in "$CRM_BUILDDIR/crm-bench" "$CRM_BUILDDIR/crm-follow-bench" "$CRM_BUILDDIR/tests/lib/crm-relay" "$CRM_SRCDIR/tests/bench/peers.py" "$SVC_DIR/bin"
as_user chmod 0755 "$SVC_DIR/bin/crm-bench" "$SVC_DIR/bin/crm-follow-bench" "$SVC_DIR/bin/crm-relay"
as_user mkdir "$SVC_DIR/work"
: >"$raw"

# add SIZE SETTING: standard input, lines of measurements, goes to the others with these two in front.
add() { sed "s/^/$1\t$2\t/" >>"$raw"; }

follow() { # SIZE SETTING CHANGES
  printf 'measuring %s accounts: %s...\n' "$1" "$2" >&2
  as_user "$SVC_DIR/bin/crm-follow-bench" "$SVC_DIR/run" "$reader" "$SVC_DIR/mapping" "$3" | add "$1" "$2"
}

# floors SIZE: the statements of the full read by psql, the rows thrown away; and one poll per index of watermarks.sql, in a pipeline.
floors() {
  local tries=1000 statements
  printf 'measuring %s accounts: floors...\n' "$1" >&2
  as_user "$SVC_DIR/bin/crm-bench" "host=$SVC_DIR/run dbname=crm $reader" "$SVC_DIR/mapping" print-copies | write_file "$SVC_DIR/copies.sql" || return 1
  statements=$(sed -n 's/^CREATE INDEX .* ON \([a-z_.]*\) (\([a-z_]*\));$/SELECT \2 FROM \1 WHERE \2 >= timestamptz '"'9999-01-01'"';/p' \
    "$CRM_SRCDIR/contrib/sql/watermarks.sql")
  write_file "$SVC_DIR/polls.sql" < <(printf '\\startpipeline\n%s\n\\endpipeline\n' "$statements")
  as_user env PGOPTIONS="-c statement_timeout=0" PGPASSWORD="${reader#*password=}" "$SVC_PYTHON" "$SVC_DIR/bin/peers.py" floors "$SVC_DIR/run" "${SVC_PID[postgres]}" "$SVC_DIR/copies.sql" \
    "$SVC_DIR/polls.sql" "$(postgres_bin)/pgbench" "$DEMO_READER" "$tries" | add "$1" floors
}

peers() { # SIZE
  local seconds=${CRM_BENCH_SECONDS:-$([ "$1" -ge 100000 ] && echo 75 || echo 20)}
  printf 'measuring %s accounts: other tools...\n' "$1" >&2
  # shellcheck disable=SC2086 # numbers
  as_user "$SVC_PYTHON" "$SVC_DIR/bin/peers.py" tools "$SVC_DIR/run" "${SVC_PID[postgres]}" "$SVC_DIR/work" "$end" "$SVC_DIR/bin/crm-relay" \
    "$SVC_DIR/bin/crm-follow-bench" "$seconds" ${CRM_BENCH_CHANGED:-0 10 100 1000} | add "$1" tools
}

# callback SIZE: the plugin in a collectd that does nothing else, its values dropped behind the cache.
callback() {
  printf 'measuring %s accounts: the read callback...\n' "$1" >&2
  collectd_conf "$CRM_BUILDDIR" 5 < <(demo_crm_plugin_block 5)
  sed -i -e '/LoadPlugin write_prometheus/,/<\/Plugin>/d' -e '$aPostCacheChain "nobody"\n<Chain "nobody">\n  Target "stop"\n</Chain>' "$SVC_DIR/collectd.conf"
  start_collectd && wait_for 900 collectd grep -q 'first read: ' "$SVC_DIR/log/collectd.log" || return 1
  sleep 30 # the first values are not like the others
  as_user "$SVC_PYTHON" "$SVC_DIR/bin/peers.py" callback "${SVC_PID[collectd]}" 5 10 | add "$1" daemon
  stop_service collectd TERM 30
}

status=0
for size in $sizes; do
  SVC_DATABASE=postgres sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS crm" || exit 1
  days=${CRM_BENCH_DAYS:-$([ "$size" -ge 100000 ] && echo 60 || echo 365)}
  printf 'loading %s accounts, %s days...\n' "$size" "$days" >&2
  demo_crm_load "$CRM_BUILDDIR" --unchecked --accounts "$size" --days "$days" --seed 1 --end "$end" --lean || exit 1
  sql -c "GRANT pg_read_all_stats TO $DEMO_READER" -c "ALTER ROLE $DEMO_READER INHERIT" || exit 1
  reader="user=$DEMO_READER password=$(as_user cat "$SVC_DIR/reader.password")"
  sql -c 'VACUUM (ANALYZE)' || exit 1
  peers "$size" || status=1
  follow "$size" application auto || status=1
  sql <"$CRM_SRCDIR/contrib/sql/watermarks.sql" >/dev/null && sql -c 'VACUUM (ANALYZE)' || exit 1
  floors "$size" || status=1
  follow "$size" watermarks auto || status=1
  callback "$size" || status=1
  sql <"$CRM_SRCDIR/contrib/sql/indexes.sql" >/dev/null && sql -c 'VACUUM (ANALYZE)' || exit 1
  follow "$size" composite poll || status=1
  sql <"$CRM_SRCDIR/contrib/sql/publication.sql" >/dev/null && sql -c "ALTER ROLE $DEMO_READER REPLICATION" && sql -c 'VACUUM (ANALYZE)' || exit 1
  follow "$size" logical logical || status=1
done
[ -z "${CRM_BENCH_RAW:-}" ] || cat "$raw" >>"$CRM_BENCH_RAW"
"$SVC_PYTHON" "$CRM_SRCDIR/tests/bench/follow_report.py" "$raw" || status=1
exit $status
