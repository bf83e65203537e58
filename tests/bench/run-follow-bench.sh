#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench-follow`: what an interval costs the CRM and us by the number of accounts that changed, beside queries that are run at each scrape,
# on the same database in the same run: with the application's indexes alone, and with those of contrib/sql/watermarks.sql and indexes.sql.
#
#   CRM_BENCH_SIZES   accounts, default "10000 100000"
#   CRM_BENCH_DAYS    days of daily facts, default 365, and 60 from 100,000 accounts on
set -u -o pipefail
CRM_SRCDIR=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
CRM_BUILDDIR=${CRM_BUILDDIR:-$PWD}
. "$CRM_SRCDIR/contrib/lib/services.sh"
. "$CRM_SRCDIR/contrib/lib/build.sh"
. "$CRM_SRCDIR/contrib/lib/demo_crm.sh"
sizes=${CRM_BENCH_SIZES:-10000 100000}

[ -x "$CRM_BUILDDIR/crm-follow-bench" ] || { printf 'bench: %s/crm-follow-bench is missing; say "make bench-follow"\n' "$CRM_BUILDDIR" >&2; exit 2; }
trap services_end EXIT
trap 'exit 130' INT TERM HUP
services_init || exit 1
start_postgres || exit 1
conninfo="host=$SVC_DIR/run dbname=crm user=postgres"
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/*.sql "$SVC_DIR/mapping"
copy_in "$CRM_SRCDIR"/src/mappings/customer_success/changes/*.sql "$SVC_DIR/mapping/changes"
copy_in "$CRM_SRCDIR/tests/bench/peer.sql" "$SVC_DIR/peer"
copy_in "$CRM_BUILDDIR/crm-follow-bench" "$SVC_DIR/bin"
as_user chmod 0755 "$SVC_DIR/bin/crm-follow-bench"
bench() { as_user "$SVC_DIR/bin/crm-follow-bench" "$conninfo" "$SVC_DIR/mapping" "$SVC_DIR/peer/peer.sql" "$1"; }
status=0
for size in $sizes; do
  SVC_DATABASE=postgres sql -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS crm" || exit 1
  days=${CRM_BENCH_DAYS:-$([ "$size" -ge 100000 ] && echo 60 || echo 365)}
  demo_crm_load "$CRM_BUILDDIR" --unchecked --accounts "$size" --days "$days" --seed 1 --end 2026-03-01 --lean || exit 1
  sql -c 'VACUUM (ANALYZE)' || exit 1
  printf '\n%s accounts, %s days: the indexes of the application alone, by the counters\n' "$size" "$days"
  bench auto || status=1
  sql <"$CRM_SRCDIR/contrib/sql/watermarks.sql" >/dev/null || exit 1
  sql -c 'VACUUM (ANALYZE)' || exit 1
  printf '\n%s accounts, %s days: indexes of watermarks.sql, Changes auto\n' "$size" "$days"
  bench auto || status=1
  sql <"$CRM_SRCDIR/contrib/sql/indexes.sql" >/dev/null || exit 1
  printf '\n%s accounts, %s days: those and indexes.sql, Changes poll\n' "$size" "$days"
  bench poll || status=1
done
printf '\n* a relation was read whole. The full read counts all the CPU of the two sides so far.\n'
exit $status
