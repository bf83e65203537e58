#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""alerts.py PROMETHEUS-URL NOW.json WEEK-AGO.json QUARTER-AGO.json: the alerts that fire are those that the demo's storms call for, and no other: what
should fire is worked out here from what `crmctl once` says of the three instants, with the thresholds of crm-settings.rules.yml written once more."""

import collections
import json
import sys
import urllib.parse
import urllib.request

# The collector is well, and the demo has churned accounts without any date.
OF_THE_COLLECTOR = {("CrmUndatedChurn", ("tenant", "demo"))}


class Once:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.series = collections.defaultdict(list)
            for s in json.load(file)["series"]:
                self.series[s["name"]].append((s["labels"], float(s["value"])))

    def sums(self, name, *keep, **where):
        out = collections.Counter()
        for labels, value in self.series[name]:
            if all(labels[k] in (v if isinstance(v, tuple) else (v,)) for k, v in where.items()):
                out[tuple(labels[k] for k in keep)] += value
        return out

    def accounts(self, name, **where):
        return self.sums(name, "tenant", "account", **where)


def expected(now, week, quarter):
    def accounts(alert, keys):
        fire.update((alert, ("tenant", t), ("account", a)) for t, a in keys)

    def tenants(alert, keys):
        fire.update((alert, ("tenant", key[0])) for key in keys)

    fire = set(OF_THE_COLLECTOR)
    health, before = now.accounts("crm_account_health_score"), week.accounts("crm_account_health_score")
    both = health.keys() & before.keys()
    accounts("CrmAccountHealthDropped", [k for k in both if before[k] - health[k] >= 15])
    accounts("CrmAccountCritical", [k for k in both if health[k] < 40 <= before[k]])
    risk, before = now.accounts("crm_account_churn_risk_score"), week.accounts("crm_account_churn_risk_score")
    accounts("CrmAccountRiskRose", [k for k in risk.keys() & before.keys() if risk[k] - before[k] >= 15 and risk[k] >= 50])
    dear = {(t, a) for (t, a, c), n in now.sums("crm_account_arr", "tenant", "account", "currency").items() if n >= {"JPY": 7.5e6}.get(c, 50000)}
    recommended = {
        a: now.accounts("crm_account_recommendation", action=a)
        for a in ("schedule_check_in", "identify_champion", "executive_review", "billing_follow_up")
    }
    accounts("CrmHighArrAccountSilent", dear & recommended["schedule_check_in"].keys())
    accounts("CrmChampionLost", recommended["identify_champion"])
    accounts("CrmRenewalAtRisk", recommended["executive_review"])
    accounts("CrmPaymentOverdue", recommended["billing_follow_up"])

    tenants("CrmAccountsNewlyAtRisk", [k for k, n in now.sums("crm_accounts_newly_at_risk", "tenant", window="7d").items() if n >= 3])
    changed = now.sums("crm_health_change_accounts", "tenant", "segment", window="7d")
    for key, points in now.sums("crm_health_change_points", "tenant", "segment", window="7d").items():
        if changed[key] and points / changed[key] <= -5:
            fire.add(("CrmHealthFalling", ("tenant", key[0]), ("segment", key[1])))
    money = now.sums("crm_arr_by_risk", "tenant", "currency")
    for key, n in now.sums("crm_arr_by_risk", "tenant", "currency", band=("high", "critical")).items():
        if money[key] and n / money[key] > 0.25:
            fire.add(("CrmArrAtRisk", ("tenant", key[0]), ("currency", key[1])))
    tenants("CrmRenewalOverdue", [k for k, n in now.sums("crm_renewals_due", "tenant", result="undecided", window="30d").items() if n])
    there = now.sums("crm_accounts", "tenant", status=("onboarding", "active", "at_risk", "unknown"))
    escalated = now.sums("crm_churn_indicator_accounts", "tenant", indicator="support_escalations")
    tenants("CrmSupportEscalationStorm", [k for k, n in escalated.items() if there[k] and n / there[k] > 0.1])
    nps, error, nps_then, error_then = (o.sums(n, "tenant") for o in (now, quarter) for n in ("crm_nps", "crm_nps_standard_error"))
    tenants(
        "CrmNpsFell",
        [k for k in nps.keys() & nps_then.keys() if nps_then[k] - nps[k] > 2 * (error[k] ** 2 + error_then[k] ** 2) ** 0.5],
    )
    for word, target in (("Net", 1), ("Gross", 0.9)):
        ratios = now.sums(f"crm_{word.lower()}_revenue_retention_ratio", "tenant", "currency", window="1y")
        fire.update((f"Crm{word}RetentionBelowTarget", ("tenant", t), ("currency", c)) for (t, c), r in ratios.items() if r < target)
    return fire


def firing(url):
    query = urllib.parse.urlencode({"query": 'ALERTS{alertname=~"Crm.+",alertstate="firing"}'})
    with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
        found = [s["metric"] for s in json.load(answer)["data"]["result"]]
    # What tells one from another of the same name; what Prometheus adds from crm_account_info is in the tests of the rules.
    told = {"CrmHealthFalling": ("segment",), "CrmArrAtRisk": ("currency",)}
    told.update(dict.fromkeys(("CrmNetRetentionBelowTarget", "CrmGrossRetentionBelowTarget"), ("currency",)))
    return {
        (m["alertname"], *((k, m[k]) for k in ("tenant", *(("account",) if "account" in m else told.get(m["alertname"], ()))) if k in m))
        for m in found
    }


def main():
    wanted, found = expected(*map(Once, sys.argv[2:])), firing(sys.argv[1])
    for what, some in (("is silent", wanted - found), ("fires for nothing", found - wanted)):
        for alert in sorted(some):
            print(what, alert)
    counts = collections.Counter(alert[0] for alert in found)
    print("firing: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))
    accounts = {k for alert in found for k in alert if k[0] == "account"}
    if not accounts or len(counts) < 5:
        print("these are no storms")
        sys.exit(1)
    sys.exit(wanted != found)


if __name__ == "__main__":
    main()
