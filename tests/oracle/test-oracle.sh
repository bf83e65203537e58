#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The oracle: every family a second time in plain SQL, by its definition and from the application's own tables, against what the tool
# computes through the mapping, as of three instants in two time zones, for two tenants. One line per family, instant and zone.
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/oracle
scores=(facts health churn_risk)
modules=("${scores[@]}" accounts revenue months book nps health_cells engagement churn_risk_cells trend recommendations kpi value print)
# The end of the data; late on an evening, between two days; and 200 days before the end, when it is 29 February in one zone and still the
# 28th in the other, so that a year before is not the same instant in both.
instants=(2024-09-16T00:00:00Z 2024-08-02T22:30:00Z 2024-02-29T01:00:00Z)
zones=(UTC America/Sao_Paulo)
# Scores are told over time: those of the starts of the windows, and one a week for the slope.
days_before=(7 14 21 28 30 35 42 49 56 63 70 77 84 90)
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

modules_sql() {
  local module
  for module in "$@"; do cat "$here/$module.sql"; done
}
modules_sql "${scores[@]}" remember >"$work/past.sql"
modules_sql "${modules[@]}" >"$work/oracle.sql"
sql -c 'CREATE SCHEMA oracle' -c 'CREATE TABLE oracle.score (tz text, t timestamptz, days int, id uuid, churned boolean, score numeric, risk numeric)' ||
  bail_out "no place for earlier scores"

# expect ZONE: what SQL says at every instant, into $work/expected-*; a file that is not there could not be made.
expect() {
  local zone=$1 t days
  for t in "${instants[@]}"; do
    for days in "${days_before[@]}"; do
      sql -v t="$(date -u -d "$t - $days days" +%FT%TZ)" -v tz="$zone" -v days="$days" -f - <"$work/past.sql" || return 1
    done
    sql -v t="$t" -v tz="$zone" -v benchmark=plan -v benchmark_score=72.5 -f - <"$work/oracle.sql" >"$work/new-${zone//\//_}-$t" || return 1
    mv "$work/new-${zone//\//_}-$t" "$work/expected-${zone//\//_}-$t"
  done
}
children=()
for zone in "${zones[@]}"; do
  expect "$zone" 2>"$work/error-${zone//\//_}" &
  children+=($!)
done
wait "${children[@]}"

for zone in "${zones[@]}"; do
  demo_crm_plugin_block 60 'PerAccount "all"' 'History 0' "TimeZone \"$zone\"" 'Benchmark "plan" 72.5' | write_file "$SVC_DIR/crm.conf"
  for t in "${instants[@]}"; do
    expected=$work/expected-${zone//\//_}-$t
    if [ ! -f "$expected" ]; then
      fail "$t $zone" "$(cat "$work/error-${zone//\//_}")"
    elif ! "$build/crmctl" --config "$SVC_DIR/crm.conf" once --at "$t" --format json >"$work/got" 2>"$work/error"; then
      fail "$t $zone" "$(cat "$work/error")"
    else
      results < <("$here/compare.py" values "$expected" "$work/got" "$t $zone" 2>&1 || echo "not ok - compare.py $t $zone")
    fi
  done
done

# Equal zeros prove little: each family has a value somewhere for each of its own labels.
results < <("$here/compare.py" alive "$CRM_SRCDIR/src/series/catalogue.def" "$work"/expected-* 2>&1 || echo "not ok - compare.py alive")
done_testing
