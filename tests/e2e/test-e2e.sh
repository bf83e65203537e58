#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way: the demo CRM in PostgreSQL, the plugin in collectd, values read back from Prometheus and Graphite, and compared with
# SQL that knows the definitions and the application's tables only (expected.sql).
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
here=$CRM_SRCDIR/tests/e2e
e2e_deadline 400

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 600 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
# The archive keeps every second, and a value comes every fourth: each tick has a second of its own. One dimension, and without the relations that
# nothing here is compared with: with everything broken down by a dozen owners, write_prometheus and carbon would be busy with new series
# for longer than this test waits.
start_carbon 1 || bail_out "carbon does not start"
start_graphite || bail_out "graphite-web does not start"
without=()
for relation in engagement contact goal opportunity; do without+=("<Relation \"$relation\">" "  Disabled true" "</Relation>"); done
collectd_conf "$build" 4 < <(demo_crm_plugin_block 5 'GroupBy "segment"' 'MaxBreakdowns 4000' "${without[@]}")
start_collectd
start_prometheus "$COLLECTD_PORT" 1 || bail_out "Prometheus does not start"
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-e2e-XXXXXX")
trap 'rm -rf "$work"; [ -z "$E2E_WATCH" ] || kill "$E2E_WATCH" 2>/dev/null; services_end' EXIT

# All samples of the last seconds with their own times; the newest tick that is complete is compared. A scrape may come in the midst of one.
complete_tick() {
  prometheus_values 'collectd_crm_gauge{instance="demo"}[30s]' |
    sed -nE 's/^__name__=[^,]*,crm=([^,]*),instance=[^,]*,job=[^,]*,type=([^\t]*)\t/\1\t\2\t/p' | grep -v '^demo	' >"$work/prometheus"
  at_ms=$("$here/compare.py" instant "$work/prometheus")
}

# --- Prometheus ------------------------------------------------------------------------------------------------------------
at_ms=
wait_for 120 collectd complete_tick || bail_out "no complete values of the CRM have come to Prometheus"
pass "values of the CRM come to Prometheus"
at=$(date -u -d "@$((at_ms / 1000)).$(printf '%03d' $((at_ms % 1000)))" '+%F %T.%3N+00')
sql -v at="$at" -f - <"$here/expected.sql" | grep -v '_by_account_owner[.]' >"$work/expected" || bail_out "the expected values cannot be computed"
diag "as of $at: $(wc -l <"$work/expected") values expected"
ok "Prometheus has what SQL says" "$here/compare.py" values Prometheus "$work/expected" "$work/prometheus" "$at_ms"

# --- Graphite --------------------------------------------------------------------------------------------------------------
at_s=$(((at_ms + 500) / 1000)) # collectd rounds to the nearest second
in_graphite() { graphite_values 'demo.crm.*.gauge.accounts.active' | grep -q "	$at_s\$"; }
ok "the same tick comes to Graphite" wait_for 90 carbon in_graphite
sleep 2 # what is still in carbon's queue of that second
graphite_values 'demo.crm.*.gauge.**' |
  sed -nE 's/^demo\.crm\.([^.]*)\.gauge\.([^\t]*)\t/\1\t\2\t/p' | grep -v '^demo	' >"$work/graphite"
ok "Graphite has what SQL says" "$here/compare.py" values Graphite "$work/expected" "$work/graphite" "$at_s"

# --- sums that must agree whatever the scores are --------------------------------------------------------------------------
value() { awk -F'\t' -v t="$1" -v k="$2" -v at="$at_ms" '$1 == t && $2 == k && $4 == at {print $3}' "$work/prometheus"; }
sum() { awk -F'\t' -v t="$1" -v k="^$2[.]" -v at="$at_ms" '$1 == t && $2 ~ k && $4 == at {s += $3} END {printf "%.15g\n", s}' "$work/prometheus"; }
for tenant in $(cut -f1 "$work/expected" | sort -u); do
  open=$(awk -v a="$(sum "$tenant" accounts)" -v c="$(value "$tenant" accounts.churned)" 'BEGIN {print a - c}')
  is "$tenant: the health bands add up to the open accounts" "$(sum "$tenant" accounts_by_health)" "$open"
  is "$tenant: the risk bands add up to the open accounts" "$(sum "$tenant" accounts_by_risk)" "$open"
  mean=$(awk -v p="$(value "$tenant" health_score_points)" -v n="$(value "$tenant" 'health_score_accounts.inf')" 'BEGIN {printf "%.9f\n", p / n}')
  is "$tenant: the mean health score is points by accounts" "$(printf '%.9f' "$(value "$tenant" health_score_average)")" "$mean"
  ok "$tenant: the scores are no constant" awk -v m="$mean" 'BEGIN {exit !(m > 20 && m < 95)}'
done

# --- past instants, through the tool; the facts are as they were -----------------------------------------------------------
cp "$work/expected" "$work/all-expected"
for days in 1 45 200; do
  past=$(date -u -d "@$((at_ms / 1000 - days * 86400))" +%FT%TZ)
  if "$build/crmctl" --config "$SVC_DIR/collectd.conf" once --at "$past" --format json >"$work/once.json" 2>"$work/once.err"; then
    pass "crmctl once --at $past"
  else
    fail "crmctl once --at $past" "$(cat "$work/once.err")"
  fi
  "$here/compare.py" totals "$work/once.json" "$past" >"$work/once"
  sql -v at="$past" -f - <"$here/expected.sql" | grep -vE '^[^	]*	[a-z_]*_by_(segment|account_owner)\.' >"$work/expected.past"
  ok "crmctl once, $days days ago, has what SQL says" "$here/compare.py" values "crmctl once" "$work/expected.past" "$work/once" "$past"
  cat "$work/expected.past" >>"$work/all-expected"
done

# A comparison of zeros would prove little: each kind of movement, unknown revenue and every status have been there.
for kind in 'arr_movement[.].*[.]'{new,expansion,contraction,churn,reactivation,adjustment} 'accounts_unpriced[.]' \
  'accounts[.]'{onboarding,active,at_risk,churned,unknown} 'nps_responses[.]'{promoter,passive,detractor}; do
  ok "the demo CRM has $kind" awk -F'\t' -v k="^$kind" '$2 ~ k && $3 != 0 {found = 1} END {exit !found}' "$work/all-expected"
done

# --- the end ---------------------------------------------------------------------------------------------------------------
is "no error and no warning in the daemon's log" "$(complaints)" ""
stops_within 2000 "the daemon"
done_testing
