#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every line of contrib/requirements.tsv against the demo CRM: its queries in a real Prometheus that holds some months of it, its commands, and
# that the table covers the items of contrib/requirements.items. The answers that matter are held against SQL (requirements.sql).
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/e2e
oracle=$CRM_SRCDIR/tests/oracle
t=2024-09-16T00:00:00Z
e2e_deadline 400

# Lines of requirements.py become tests of this script.
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
requirements() { results < <("$here/requirements.py" "$@" 2>&1 || echo "not ok - requirements.py $1"); }

requirements static "$CRM_SRCDIR"

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 120 --end 2024-09-16 || bail_out "the CRM cannot be loaded"
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-requirements-XXXXXX")
trap 'rm -rf "$work"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT
demo_crm_plugin_block 60 'PerAccount "all"' 'GroupBy "segment" "owner"' 'History 0' 'Benchmark "last year" 70' | write_file "$SVC_DIR/crm.conf"

# --- what SQL says ---------------------------------------------------------------------------------------------------------
modules_sql() {
  local module
  for module in "$@"; do cat "$oracle/$module.sql"; done
}
scores=(facts health churn_risk)
sql -c 'CREATE SCHEMA oracle' -c 'CREATE TABLE oracle.score (tz text, t timestamptz, days int, id uuid, churned boolean, score numeric, risk numeric)' ||
  bail_out "no place for earlier scores"
for days in 7 30 90; do
  modules_sql "${scores[@]}" remember >"$work/past.sql"
  sql -v t="$(date -u -d "$t - $days days" +%FT%TZ)" -v tz=UTC -v days="$days" -f - <"$work/past.sql" || bail_out "no earlier scores"
done
# Values for the variables: the account in the greatest danger, and who held the most engagements.
segment=$(sql -At -c "SELECT size FROM accounts GROUP BY size ORDER BY count(*) DESC, size LIMIT 1")
account=$(sql -At -c "SELECT id FROM oracle.score WHERE days = 7 AND score IS NOT NULL ORDER BY risk DESC NULLS LAST, id LIMIT 1")
owner=$(sql -At -c "SELECT u.full_name FROM engagements e JOIN user_profiles u ON u.id = e.created_by
  WHERE completed_at <= '$t' AND completed_at > '$t'::timestamptz - interval '30 days' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
{
  modules_sql "${scores[@]}" revenue months book nps engagement trend kpi value
  cat "$here/requirements.sql" "$oracle/print.sql"
} >"$work/expected.sql"
# What the oracle says of every family; of the weekly scores that a slope is made of only some are there.
modules_sql "${scores[@]}" accounts revenue months book nps health_cells engagement churn_risk_cells trend recommendations kpi value print >"$work/all.sql"
sql -v t="$t" -v tz=UTC -v benchmark='last year' -v benchmark_score=70 -f - <"$work/all.sql" >"$work/all" ||
  bail_out "the oracle's answers cannot be computed"
grep -v '^account_health_slope' "$work/all" >"$work/oracle"
sql -v t="$t" -v tz=UTC -v benchmark=x -v benchmark_score=70 -v segment="$segment" -v account="$account" -v owner="$owner" -f - \
  <"$work/expected.sql" >"$work/expected" || bail_out "the expected answers cannot be computed"

# --- commands: those that tell of an instant tell of that of the data --------------------------------------------------------
mkdir "$work/bin"
cat >"$work/bin/crmctl" <<SH
#!/bin/sh
case " \$* " in
  *" --at "*) ;;
  *" once "* | *" summary "*) set -- "\$@" --at $t ;;
esac
exec "$build/crmctl" --config "$SVC_DIR/crm.conf" "\$@"
SH
chmod +x "$work/bin/crmctl"
requirements commands "$CRM_SRCDIR" "$work/bin"

# --- queries: the past as crmctl writes it, in a Prometheus that keeps old blocks ---------------------------------------------
as_user mkdir "$SVC_DIR/prometheus"
past() { # NAME FROM TO STEP: into blocks of Prometheus
  local file
  "$build/crmctl" --config "$SVC_DIR/crm.conf" backfill --from "$2" --to "$3" --step "$4" --output "$work/$1" 2>"$work/error" || {
    diag "$(cat "$work/error")"
    return 1
  }
  for file in "$work/$1"/*.om; do
    write_file "$SVC_DIR/past.om" <"$file"
    as_user promtool tsdb create-blocks-from openmetrics --max-block-duration=744h "$SVC_DIR/past.om" "$SVC_DIR/prometheus" >"$work/error" 2>&1 || {
      diag "$(cat "$work/error")"
      return 1
    }
  done
}
ago() { date -u -d "$t - $1 days" +%FT%TZ; }
past weeks "$(ago 91)" "$t" 7d || bail_out "the past cannot be loaded"
for days in 30 90; do past "$days" "$(ago $days)" "$(ago $days)" 1d || bail_out "the past cannot be loaded"; done

port=$(free_port 9090) || bail_out "no port"
printf 'global: {}\n' | write_file "$SVC_DIR/prometheus.yml"
spawn prometheus prometheus "--config.file=$SVC_DIR/prometheus.yml" "--storage.tsdb.path=$SVC_DIR/prometheus" --storage.tsdb.retention.time=100y \
  "--web.listen-address=127.0.0.1:$port" --log.level=warn
wait_for 60 prometheus "$SVC_PYTHON" "$SVC_LIB/query.py" get "http://127.0.0.1:$port/-/ready" || bail_out "Prometheus does not start"
requirements queries "$CRM_SRCDIR" "http://127.0.0.1:$port" "$t" "$work/expected" "$work/oracle" "account=$account" "segment=$segment" "owner=$owner"
done_testing
