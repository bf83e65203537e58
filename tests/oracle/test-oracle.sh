#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The oracle: every family a second time in plain SQL, by its definition and from the application's own tables, against what the tool
# computes through the mapping, as of three instants in two time zones. One line per family, instant and zone.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/oracle
modules=(facts accounts revenue nps health churn_risk kpi print)
# The end of the data; late on an evening, between two days; and 200 days before the end, when it is 29 February in one zone and still the
# 28th in the other, so that a year before is not the same instant in both.
instants=(2024-09-16T00:00:00Z 2024-08-02T22:30:00Z 2024-02-29T01:00:00Z)
zones=(UTC America/Sao_Paulo)
e2e_deadline 600

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 240 --end 2024-09-16 || bail_out "the CRM cannot be loaded"
sql -v instants="${instants[*]}" -f - <"$here/edges.sql" || bail_out "the edges cannot be loaded"
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-oracle-XXXXXX")
trap 'rm -rf "$work"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT

# Lines of compare.py become tests of this script.
results() {
  local line
  while IFS= read -r line; do
    case $line in
      "ok - "*) pass "${line#ok - }" ;;
      "not ok - "*) fail "${line#not ok - }" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

for module in "${modules[@]}"; do cat "$here/$module.sql"; done >"$work/oracle.sql"
for zone in "${zones[@]}"; do
  demo_crm_plugin_block 60 'PerAccount "all"' 'History 0' "TimeZone \"$zone\"" | write_file "$SVC_DIR/crm.conf"
  for t in "${instants[@]}"; do
    expected=$work/expected-${zone//\//_}-$t
    if ! sql -v t="$t" -v tz="$zone" -f - <"$work/oracle.sql" >"$expected" 2>"$work/error" ||
      ! "$build/crmctl" --config "$SVC_DIR/crm.conf" once --at "$t" --format json >"$work/got" 2>"$work/error"; then
      fail "$t $zone" "$(cat "$work/error")"
      continue
    fi
    results < <("$here/compare.py" values "$expected" "$work/got" "$t $zone" 2>&1 || echo "not ok - compare.py $t $zone")
  done
done

# Equal zeros prove little: each family has a value somewhere for each of its own labels.
results < <("$here/compare.py" alive "$work"/expected-* 2>&1 || echo "not ok - compare.py alive")
done_testing
