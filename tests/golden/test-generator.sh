#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo CRM: the same arguments give the same bytes, the data satisfies every constraint of the schema, and the customer base has what
# the demo wants to show. TAP on standard output.
set -u
SRC=${CRM_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
GENERATOR=${CRM_BUILDDIR:-$SRC/build}/crm-demo-data
MAPPING=$SRC/src/mappings/customer_success
END=2026-11-22
# shellcheck source=tests/golden/private-pg.sh
. "$SRC/tests/golden/private-pg.sh"

[ -x "$GENERATOR" ] || skip_all "not built: crm-demo-data"
pg_start || skip_all "$PG_REASON"

make_data() { "$GENERATOR" --end "$END" "$@"; }
sum() { sha256sum | cut -d ' ' -f 1; }

# --- the program ---------------------------------------------------------------------------------------------------
make_data >"$PG_DIR/demo.sql"
status=$?
ok $status "writes the default customer base"
one=$(sum <"$PG_DIR/demo.sql")
[ "$one" = "$(make_data | sum)" ]
ok $? "the same arguments give the same bytes"
[ "$one" = "$(make_data --accounts 150 --days 500 --tenants 2 --seed 1 | sum)" ]
ok $? "the defaults are those that --help names"
[ "$one" != "$(make_data --seed 2 | sum)" ]
ok $? "another seed gives another world"
accounts_of() { awk '/^COPY public.accounts /{on=1; next} /^\\\.$/{on=0} on'; }
[ "$(make_data --accounts 40 | accounts_of)" = "$(accounts_of <"$PG_DIR/demo.sql" | head -n 40)" ]
ok $? "account number i does not depend on how many there are"
[ "$(make_data --lean | accounts_of | sum)" = "$(accounts_of <"$PG_DIR/demo.sql" | sum)" ]
ok $? "--lean leaves the accounts as they are"
make_data --lean | grep -Eq '^COPY public\.(usage_|user_fingerprints|adoption_metrics)'
[ $? = 1 ]
ok $? "--lean writes no sessions"
for arguments in "" "--end 2026-02-30" "--end tomorrow" "--end $END --accounts 0" "--end $END --days 12x" "--end $END --tenants 65" "--end $END --seed -1" \
  "--end $END stray" "--end $END --unknown"; do
  # shellcheck disable=SC2086
  "$GENERATOR" $arguments >"$PG_DIR/out" 2>"$PG_DIR/err"
  status=$?
  [ $status = 2 ] && [ ! -s "$PG_DIR/out" ] && [ -s "$PG_DIR/err" ]
  ok $? "refuses: ${arguments:-no argument}"
done
if [ -w /dev/full ]; then
  make_data >/dev/full 2>"$PG_DIR/err"
  [ $? = 1 ] && grep -q 'cannot write' "$PG_DIR/err"
  ok $? "a full disk is an error"
fi
"$GENERATOR" --end "$END" --accounts 2000 --lean --progress 2>"$PG_DIR/err" >/dev/null && grep -q '2000 of 2000 accounts' "$PG_DIR/err"
ok $? "tells its progress on standard error"

# --- the data ------------------------------------------------------------------------------------------------------
psql_test postgres -c 'CREATE DATABASE demo' || { echo "Bail out! no database"; exit 1; }
psql_test demo -f "$SRC/contrib/sql/schema.sql" -f "$SRC/contrib/sql/schema_ext.sql" -f "$PG_DIR/demo.sql" >"$PG_DIR/out" 2>&1
status=$?
ok $status "loads under every constraint of the schema"
[ $status = 0 ] || note <"$PG_DIR/out"

# is SQL NAME: SQL must give t
is() {
  local got
  got=$(psql_test demo -At -c "$1" 2>&1)
  [ "$got" = t ]
  local status=$?
  ok $status "$2"
  [ $status = 0 ] || echo "got: $got" | note
}
for file in "$MAPPING"/*.sql; do
  is "SELECT count(*) >= 10 FROM ($(cat "$file")
) q" "relation $(basename "$file" .sql) has rows"
done
is "SELECT count(*) = 150 FROM accounts" "150 accounts"
is "SELECT array_agg(name || ' ' || currency_code ORDER BY name) = '{acme USD,nihon JPY}' FROM organizations" "two tenants, two currencies"
is "SELECT bool_and(n BETWEEN 40 AND 110) FROM (SELECT count(*) n FROM accounts GROUP BY organization_id) q" "both tenants have customers"
is "SELECT count(DISTINCT size) = 5 AND count(*) FILTER (WHERE size IS NULL) BETWEEN 1 AND 10 FROM accounts" "every segment, and a few without"
is "SELECT count(DISTINCT status) = 4 AND count(*) FILTER (WHERE status IS NULL) BETWEEN 1 AND 10
      AND count(*) FILTER (WHERE status = 'churned') BETWEEN 8 AND 40 AND count(*) FILTER (WHERE status = 'at_risk') BETWEEN 3 AND 30 FROM accounts" \
  "every status, and a few without"
is "SELECT count(*) BETWEEN 1 AND 15 FROM accounts WHERE arr IS NULL AND mrr IS NULL" "a few accounts without a price"
is "SELECT count(*) >= 2 FROM accounts a WHERE status <> 'churned'
      AND EXISTS (SELECT FROM account_growth_history g WHERE g.account_id = a.id AND COALESCE(g.arr, g.mrr) = 0)" "some left and returned"
is "SELECT count(*) FILTER (WHERE d.churned_at IS NOT NULL) > 0.5 * count(*) AND count(*) FILTER (WHERE d.churned_at IS NULL) > 0
      FROM accounts a LEFT JOIN crm_ext.account_detail d ON d.account_id = a.id WHERE status = 'churned'" "most churned accounts have a date, not all"
is "SELECT count(*) >= 1 FROM accounts a JOIN crm_ext.account_detail d ON d.account_id = a.id WHERE status = 'churned' AND churned_at IS NULL
      AND NOT EXISTS (SELECT FROM crm_ext.contract c WHERE c.account_id = a.id AND outcome = 'lost')
      AND NOT EXISTS (SELECT FROM account_growth_history g WHERE g.account_id = a.id AND COALESCE(g.arr, g.mrr) = 0)" "a churn without any date"
is "SELECT count(*) FILTER (WHERE change > 0) > 20 AND count(*) FILTER (WHERE change < 0 AND level > 0) >= 5
      FROM (SELECT COALESCE(arr, mrr * 12) AS level, COALESCE(arr, mrr * 12) - lag(COALESCE(arr, mrr * 12)) OVER (PARTITION BY account_id ORDER BY recorded_at) AS change
            FROM account_growth_history) q" "expansions and contractions"
is "SELECT count(*) = 0 FROM accounts a JOIN (SELECT DISTINCT ON (account_id) * FROM account_growth_history ORDER BY account_id, recorded_at DESC) g ON g.account_id = a.id
      WHERE (a.arr, a.mrr, a.seat_count) IS DISTINCT FROM (g.arr, g.mrr, g.seat_count) OR a.last_growth_update <> g.recorded_at" "an account's amounts are its last level"
is "SELECT count(*) = 0 FROM accounts a JOIN (SELECT account_id, arr, mrr, row_number() OVER (PARTITION BY account_id ORDER BY recorded_at DESC) AS n
        FROM account_growth_history) g ON g.account_id = a.id AND g.n = 2 WHERE (a.previous_arr, a.previous_mrr) IS DISTINCT FROM (g.arr, g.mrr)" "previous_* is the level before it"
is "SELECT count(*) = 0 FROM accounts a JOIN account_growth_history g ON g.account_id = a.id WHERE g.recorded_at <= a.created_at" "no level before the account"
is "SELECT count(*) >= 3 FROM accounts a WHERE COALESCE(arr, mrr) > 0 AND NOT EXISTS (SELECT FROM account_growth_history g WHERE g.account_id = a.id)" \
  "some were entered with their revenue, so that no row tells"
is "SELECT bool_and(arr = trunc(arr) AND mrr = trunc(mrr)) FROM accounts a JOIN organizations o ON o.id = organization_id WHERE currency_code = 'JPY'" "yen have no decimals"
is "SELECT bool_and(c.currency = o.currency_code) FROM crm_ext.contract c JOIN accounts a ON a.id = c.account_id JOIN organizations o ON o.id = a.organization_id" \
  "contracts are in the tenant's currency"
is "SELECT count(*) = 0 FROM crm_ext.contract c JOIN crm_ext.contract d ON d.account_id = c.account_id AND d.id > c.id
      WHERE daterange(c.starts_on, c.ends_on) && daterange(d.starts_on, d.ends_on)" "contracts of an account do not overlap"
is "SELECT count(*) FILTER (WHERE outcome = 'lost') > 5 AND count(*) FILTER (WHERE outcome = 'renewed') > 20 AND count(*) FILTER (WHERE ends_on IS NULL) > 5
      AND count(*) FILTER (WHERE outcome IS NULL AND ends_on < DATE '$END') > 0 FROM crm_ext.contract" "renewed, lost, open-ended and overdue contracts"
is "SELECT count(*) FILTER (WHERE paid_at <= due_on) > 100 AND count(*) FILTER (WHERE paid_at > due_on + 1) > 50
      AND count(*) FILTER (WHERE paid_at IS NULL AND due_on < DATE '$END') > 3 FROM crm_ext.invoice WHERE status <> 'void'" "invoices paid early, late and never"
is "SELECT count(*) > 0 FROM contacts WHERE relationship_strength = 'champion' AND contact_status = 'left_company'" "a champion has left"
is "SELECT count(*) > 0 FROM contacts WHERE account_id IS NULL" "a contact without an account"
is "SELECT count(*) FILTER (WHERE completed_at IS NULL AND scheduled_at < '$END') > 20 AND count(*) FILTER (WHERE scheduled_at > '$END') > 20 FROM engagements" \
  "missed meetings, and planned ones"
is "SELECT count(*) >= 2 FROM accounts a WHERE status IN ('active', 'at_risk') AND created_at < '2026-08-01'
      AND NOT EXISTS (SELECT FROM engagements e WHERE e.account_id = a.id AND completed_at > '2026-10-23' AND type <> 'note')" "silent accounts"
is "SELECT avg(n) BETWEEN 40 AND 80 FROM (SELECT count(*) n FROM engagements e JOIN accounts a ON a.id = account_id WHERE status = 'active' AND a.created_at < '2025-11-01'
      AND completed_at > '2025-11-22' GROUP BY a.id) q" "about 60 engagements a year and active account"
is "SELECT count(*) FILTER (WHERE satisfaction_score IS NULL) > 0.3 * count(*) FROM support_metrics" "satisfaction is often unknown"
is "SELECT count(*) > 0 FROM (SELECT FROM health_metrics GROUP BY account_id, metric_date HAVING count(*) > 1) q" "a job that ran twice"
is "SELECT count(*) > 0 FROM health_metrics h WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.id = h.account_id)" "health rows of a deleted account"
is "SELECT count(*) FILTER (WHERE fastenr_account_id IS NULL) > 0 FROM usage_tracked_accounts" "a tracked account that nobody has mapped"
is "SELECT sum(n) > 5 FROM (SELECT count(DISTINCT id) - 1 AS n FROM user_fingerprints WHERE user_email IS NOT NULL GROUP BY user_email) q" "people with two devices"
# Decline precedes churn: logins of the last 30 days against the same account's mean before the last 150.
is "SELECT avg(late / early) < 0.7 FROM (SELECT avg(login_frequency) FILTER (WHERE metric_date >= until - 30) AS late,
        NULLIF(avg(login_frequency) FILTER (WHERE metric_date < until - 150), 0) AS early
      FROM health_metrics h JOIN (SELECT account_id, churned_at::date AS until FROM crm_ext.account_detail WHERE churned_at > '2025-12-01') d USING (account_id)
      GROUP BY account_id) q" "logins fall before a churn"
# Trouble as of the end, with enough of it for the upper bands of risk and health: steep, and on several sides.
is "SELECT count(*) BETWEEN 4 AND 20 FROM (SELECT avg(login_frequency) FILTER (WHERE metric_date >= DATE '$END' - 30) AS late,
        avg(login_frequency) FILTER (WHERE metric_date < DATE '$END' - 30) AS early
      FROM health_metrics h JOIN accounts a ON a.id = h.account_id WHERE status IS DISTINCT FROM 'churned' AND metric_date >= DATE '$END' - 60
      GROUP BY account_id) q WHERE late < 0.5 * early" "logins of a few customers fell by half within a month"
is "SELECT count(*) BETWEEN 3 AND 20 FROM (SELECT account_id FROM support_metrics JOIN accounts a ON a.id = account_id
      WHERE status IS DISTINCT FROM 'churned' AND metric_date >= DATE '$END' - 30
      GROUP BY account_id HAVING sum(escalated_tickets) > 0.5 * sum(new_tickets)) q" "most tickets of a few customers are escalated"
is "SELECT count(*) BETWEEN 3 AND 30 FROM (SELECT account_id FROM crm_ext.signal JOIN accounts a ON a.id = account_id
      WHERE status IS DISTINCT FROM 'churned' AND observed_at >= DATE '$END' - 90 AND kind <> 'feature_requests'
      GROUP BY account_id HAVING count(DISTINCT kind) = 3) q" "competitors, prices and budgets come up together"
is "SELECT count(DISTINCT account_id) >= 3 FROM (SELECT account_id, logins, max(logins) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
        max(logins) OVER (w ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS after
      FROM (SELECT account_id, (DATE '$END' - metric_date - 1) / 30 AS ago, avg(login_frequency) AS logins FROM health_metrics
            WHERE metric_date >= DATE '$END' - 480 GROUP BY 1, 2 HAVING count(*) > 20) months WINDOW w AS (PARTITION BY account_id ORDER BY ago DESC)) q
      WHERE logins > 0 AND LEAST(before, after) > 2 * logins" "some were in such trouble before and recovered"
# Nothing has happened after the end, except what is planned.
future=
for column in accounts.created_at accounts.updated_at accounts.last_growth_update accounts.onboarding_started_at accounts.onboarding_completed_at \
  account_growth_history.recorded_at contacts.created_at contacts.updated_at engagements.completed_at engagements.created_at engagements.updated_at \
  engagement_participants.added_at nps_surveys.survey_date nps_surveys.created_at health_metrics.metric_date customer_goals.created_at \
  customer_goals.completion_date customer_goals.updated_at adoption_metrics.recorded_at support_metrics.metric_date usage_sessions.started_at \
  usage_sessions.ended_at user_fingerprints.last_seen usage_metrics.recorded_at onboarding_plans.started_at onboarding_plans.actual_completion_date \
  onboarding_plans.updated_at crm_ext.contract.starts_on crm_ext.contract.decided_at crm_ext.contract.updated_at crm_ext.invoice.issued_on \
  crm_ext.invoice.paid_at crm_ext.signal.observed_at crm_ext.intervention.opened_at crm_ext.intervention.closed_at crm_ext.opportunity.opened_at \
  crm_ext.opportunity.closed_at crm_ext.account_detail.churned_at; do
  table=${column%.*}
  future="$future${future:+ UNION ALL }SELECT '$column' AS name, max(${column##*.})::timestamptz >= '$END' AS late FROM $table"
done
is "SELECT COALESCE(string_agg(name, ' ') FILTER (WHERE late), '') = '' AND count(late) = count(*) FROM ($future) q" "no facts of the future"
is "SELECT count(*) BETWEEN 100000 AND 200000 FROM (SELECT FROM health_metrics UNION ALL SELECT FROM engagements UNION ALL SELECT FROM engagement_participants
      UNION ALL SELECT FROM usage_sessions UNION ALL SELECT FROM support_metrics) q" "the size of a demo"
done_testing
