#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rules for Prometheus: made from their source, valid, each with an expectation, each alert with a runbook, no unknown metric.
set -u
. "${CRM_SRCDIR:?}/tests/lib/tap.sh"
rules=$CRM_SRCDIR/contrib/prometheus tests=$CRM_SRCDIR/tests/prometheus
command -v promtool >/dev/null || { [ -n "${CI:-}" ] && bail_out "promtool is missing"; skip "rules" "promtool is not installed"; done_testing; }
work=$(mktemp -d "${TMPDIR:-/tmp}/crm-rules-XXXXXX") || bail_out "no scratch directory"
trap 'rm -rf "$work"' EXIT
cp "$rules"/*.rules.yml "$tests"/*.test.yml "$work" && cd "$work" || bail_out "no copies"

/usr/bin/python3 "$rules/make-recording-rules.py" >made.yml
ok "crm-recording.rules.yml is what make-recording-rules.py makes" diff made.yml crm-recording.rules.yml
for file in crm-*.rules.yml; do ok "promtool check rules $file" promtool check rules "$file"; done
ok "amtool check-config alertmanager.yml" amtool check-config "$rules/alertmanager.yml"
ok "what keeps back what, in Alertmanager" "$tests/inhibit.py" "$rules/alertmanager.yml" crm-alerts.rules.yml
ok "every recording rule has an expectation" sh -c '/usr/bin/python3 "$0" crm-recording.rules.yml >recording.test.yml' "$tests/recording_test.py"
for file in *.test.yml; do ok "promtool test rules $file" promtool test rules "$file"; done

alerts=$(sed -n 's/^ *- alert: //p' crm-alerts.rules.yml)
# Of the cases of each alert: one in which it fires, and one in which it is silent.
/usr/bin/python3 - alerts*.test.yml >said <<'PY'
import collections, sys, yaml
fires, silent = collections.Counter(), collections.Counter()
for path in sys.argv[1:]:
    for case in (c for t in yaml.safe_load(open(path))["tests"] for c in t.get("alert_rule_test", [])):
        (fires if case.get("exp_alerts") else silent)[case["alertname"]] += 1
for name in fires | silent:
    print(name, "fires" if fires[name] else "never fires", "and", "is silent" if silent[name] else "is never silent")
PY
for alert in $alerts; do
  is "$alert is tested" "$(sed -n "s/^$alert //p" said)" "fires and is silent"
  ok "$alert has a runbook" grep -qx "### $alert" "$CRM_SRCDIR/contrib/runbooks/README.md"
done
is "no runbook without its alert" "$(sed -n 's/^### //p' "$CRM_SRCDIR/contrib/runbooks/README.md" | sort | tr '\n' ' ')" "$(printf '%s\n' $alerts | sort | tr '\n' ' ')"

# Names of families are those of the catalogue.
sed -nE 's/^CRM_FAMILY\([A-Z0-9_]+, "([a-z0-9_]+)".*/crm_\1/p' "$CRM_SRCDIR/src/series/catalogue.def" | sort -u >families
grep -ohE '[a-z_]*:?crm_[a-z_0-9]+' crm-recording.rules.yml crm-alerts.rules.yml | grep -v ':' | grep -vE '^(crm_alert_(threshold|link)|crm_by_.*|crm_(accounts|customer_base|truth|collector|settings))$' |
  sort -u >used
echo crm_accounts >>used
is "no metric that the catalogue has not" "$(sort -u used | comm -23 - families | tr '\n' ' ')" ""
sed -nE 's/.*(threshold="[a-z_]+").*/\1/p' crm-alerts.rules.yml | tr -d '"' | sort -u >thresholds.used
grep -oE 'threshold: [a-z_]+' crm-settings.rules.yml | sed 's/: /=/' | sort -u >thresholds.set
ok "the thresholds that are used are those that are set" diff thresholds.used thresholds.set
done_testing
