#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The daemon's notifications: what begins and what ends is told once, to whatever plugin of the daemon listens (here its log).
set -u
. "${CRM_SRCDIR:?}/tests/lib/e2e.sh"
build=${CRM_BUILDDIR:?}
e2e_deadline 200

services_init || bail_out "no scratch directory"
start_postgres || bail_out "PostgreSQL does not start"
demo_crm_load "$build" --accounts 60 --end "$(date -u +%F)" || bail_out "the CRM cannot be loaded"
sql -c "UPDATE crm_ext.contract SET outcome = 'renewed', decided_at = ends_on, renewed_arr = arr WHERE outcome IS NULL AND ends_on <= now()" || bail_out "contracts"
collectd_conf "$build" 1 < <(demo_crm_plugin_block 1 'GroupBy "segment"' 'Notify "collector" "customers" "accounts"' 'PerAccount "all"')
fresh_collectd
wait_for 60 collectd has_metric acme nps || bail_out "no values of the CRM"

told() { log_since | grep -F 'Notification:' | grep -q "severity = $1.*type_instance = $2.*message = .*$3"; }
count_told() { log_since | grep -F 'Notification:' | grep -c "severity = $1.*type_instance = $2"; }
sleep 3
is "accounts that were at risk before are no news" "$(count_told WARNING account_)" 0
is "all renewals are decided" "$(count_told WARNING renewal_undecided)" 0

victim=$(sql -At -c "SELECT id FROM crm_ext.contract WHERE ends_on > now() ORDER BY id LIMIT 1")
sql -c "UPDATE crm_ext.contract SET outcome = NULL, decided_at = NULL, starts_on = current_date - 400, ends_on = current_date - 3 WHERE id = '$victim'"
ok "a contract that nobody decided is told" wait_for 20 collectd told WARNING renewal_undecided '1 contracts ended within 30 days'
sleep 3
is "once" "$(count_told WARNING renewal_undecided)" 1
sql -c "UPDATE crm_ext.contract SET outcome = 'lost', decided_at = now() WHERE id = '$victim'"
ok "and that it has ended" wait_for 20 collectd told OKAY renewal_undecided 'this has ended'

sql -c 'ALTER TABLE nps_surveys RENAME TO nps_surveys_gone'
ok "a relation that is gone is told" wait_for 20 collectd told WARNING relation_missing 'relation nps: it is not read any more'
sql -c 'ALTER TABLE nps_surveys_gone RENAME TO nps_surveys'
ok "and that it is back" wait_for 20 collectd told OKAY relation_missing 'relation nps: this has ended'

stop_service postgres INT 20
ok "a CRM that cannot be read is told" wait_for 30 collectd told WARNING unreadable 'the CRM: it cannot be read'
start_postgres || bail_out "PostgreSQL does not start again"
ok "and that it can be again" wait_for 60 collectd told OKAY unreadable 'the CRM: this has ended'
is "no password in what is told" "$(log_since | grep -cF "$(cat "$SVC_DIR/reader.password")")" 0
stops_within 2000 "the daemon"
done_testing
