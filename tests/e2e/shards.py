#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shards against the whole. Series are read from the JSON of crmctl once, or asked of a Prometheus that scrapes daemons.

shards.py sums CATALOGUE WHOLE.json SHARD.json...            every sum of the shards is that of the whole, each account is in one shard and
                                                           the same there; shards have nothing else that is no sum
shards.py steady BEFORE.json AFTER.json                      exit status 0 if both say the same
shards.py prometheus CATALOGUE WHOLE.json URL                the same of sum(...) without (instance)
shards.py rules CATALOGUE WHOLE.json URL                     what the whole publishes and is no sum is what the recording rules have made of sums
"""
import collections
import json
import math
import re
import sys
import urllib.parse
import urllib.request

# What is published of a tenant and is no sum -> the recording rule, and labels that only the rule has.
RULES = {
    "crm_health_score_average": ("tenant:crm_health_score:mean", {}),
    "crm_health_score_arr_weighted_average": ("tenant:crm_health_score_arr_weighted:mean", {"currency": None}),
    "crm_health_coverage_ratio": ("tenant:crm_health_coverage:ratio", {}),
    "crm_health_recovery_ratio": ("tenant:crm_health_recovery:ratio", {}),
    "crm_engagement_frequency_ratio": ("tenant:crm_engagement_frequency:ratio", {}),
    "crm_stakeholder_participation_ratio": ("tenant:crm_stakeholder_participation:ratio", {}),
    "crm_churn_risk_score_average": ("tenant:crm_churn_risk_score:mean", {}),
    "crm_net_revenue_retention_ratio": ("tenant:crm_net_revenue_retention:ratio", {}),
    "crm_gross_revenue_retention_ratio": ("tenant:crm_gross_revenue_retention:ratio", {}),
    "crm_arr_growth_ratio": ("tenant:crm_arr_growth:ratio", {}),
    "crm_quick_ratio": ("tenant:crm_quick:ratio", {}),
    "crm_revenue_churn_ratio": ("tenant:crm_revenue_churn:ratio", {}),
    "crm_average_contract_value": ("tenant:crm_average_contract_value:ratio", {}),
    "crm_revenue_per_account": ("tenant:crm_revenue_per_account:ratio", {}),
    "crm_success_driven_expansion_ratio": ("tenant:crm_success_driven_expansion:ratio", {}),
    "crm_logo_churn_ratio": ("tenant:crm_logo_churn:ratio", {}),
    "crm_nps": ("tenant:crm_nps:score", {"window": "90d"}),
    "crm_nps_standard_error": ("tenant:crm_nps:standard_error", {"window": "90d"}),
    "crm_engagement_score_average": ("tenant:crm_health_factor:mean", {"factor": "engagement"}),
    "crm_goal_completion_ratio": ("tenant:crm_goal_completion:ratio", {}),
    # One rule per value of a label.
    "crm_adoption_ratio": ("tenant:crm_adoption_{kind}:ratio", {}),
    "crm_renewal_ratio": ("tenant:crm_renewal_{kind}:ratio", {"currency": None}),
}
# And what cannot be had of sums (contrib/scaling.md says why).
NEVER = {"crm_health_benchmark_score", "crm_engagement_outcome_correlation", "crm_customer_lifetime_value", "crm_arr_concentration_ratio",
         "crm_time_to_value_seconds"}


def scopes(path):
    with open(path, encoding="utf-8") as file:
        found = dict(re.findall(r'^CRM_FAMILY\([A-Z0-9_]+, "([a-z0-9_]+)",\s*([A-Z]+),', file.read(), re.M))
    return {"crm_" + name: scope for name, scope in found.items()}


def read(path):
    """{(name, labels): value}"""
    with open(path, encoding="utf-8") as file:
        series = json.load(file)["series"]
    return {(s["name"], tuple(sorted((k, v) for k, v in s["labels"].items() if v != ""))): float(s["value"]) for s in series}


def ask(base, expression):
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{base}/api/v1/query?{query}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return [(s["metric"], float(s["value"][1])) for s in result]


def report(what, n, wrong):
    print(f"{what}: {n} compared, {len(wrong)} wrong")
    for line in wrong[:30]:
        print(line)
    sys.exit(1 if wrong or n == 0 else 0)


def compare_sums(scope, whole, got, families):
    wrong = []
    wanted = {key: value for key, value in whole.items() if scope[key[0]] in ("CELL", "TENANT")}
    for key, value in wanted.items():
        # Where nobody in a shard has what a series is about there is no zero; so it may be lacking in all, but only a zero may.
        if not math.isclose(got.get(key, 0.0), value, rel_tol=1e-12, abs_tol=1e-9):
            wrong.append(f"{key}: the whole has {value!r}, the shards {got.get(key)!r}")
    wrong += [f"{key}: the whole has it not" for key in got if key not in wanted]
    lacking = {name for name, _ in wanted} - families
    wrong += [f"{name}: no shard has it" for name in sorted(lacking)]
    return len(wanted), wrong


def sums(catalogue, whole_path, *shard_paths):
    scope, whole = scopes(catalogue), read(whole_path)
    got, families, wrong = collections.defaultdict(float), set(), []
    accounts = {}
    for path in shard_paths:
        for (name, labels), value in read(path).items():
            if scope[name] == "DERIVED":
                wrong.append(f"{path}: {name} is no sum")
            elif scope[name] == "ACCOUNT":
                if (name, labels) in accounts:
                    wrong.append(f"{path}: {name}{labels} is in another shard too")
                accounts[name, labels] = value
            elif scope[name] in ("CELL", "TENANT"):
                families.add(name)
                got[name, labels] += value
    n, differ = compare_sums(scope, whole, got, families)
    wanted = {key: value for key, value in whole.items() if scope[key[0]] == "ACCOUNT"}
    wrong += [f"{key}: the whole has {wanted.get(key)!r}, a shard {accounts.get(key)!r}"
              for key in sorted(set(wanted) | set(accounts)) if wanted.get(key) != accounts.get(key)]
    if not wanted:
        wrong.append("the whole says nothing of single accounts")
    report("sums", n + len(wanted), wrong + differ)


def steady(before, after):
    sys.exit(0 if read(before) == read(after) else 1)


def prometheus(catalogue, whole_path, base):
    scope, whole = scopes(catalogue), read(whole_path)
    got, families, wrong = {}, set(), []
    for name in sorted(n for n, s in scope.items() if s in ("CELL", "TENANT", "DERIVED")):
        for labels, value in ask(base, f"sum without (instance, job) ({name})"):
            labels.pop("__name__", None)
            if scope[name] == "DERIVED":
                wrong.append(f"{name}: it is no sum")
                continue
            families.add(name)
            got[name, tuple(sorted(labels.items()))] = value
    n, differ = compare_sums(scope, whole, got, families)
    report("sums in Prometheus", n, wrong + differ)


def rules(catalogue, whole_path, base):
    scope, whole = scopes(catalogue), read(whole_path)
    derived = {name for name, s in scope.items() if s == "DERIVED"}
    wrong = [f"{name}: neither a rule nor a word why there is none" for name in sorted(derived - set(RULES) - NEVER)]
    wrong += [f"{name}: it is a sum" for name in sorted((set(RULES) | NEVER) - derived)]
    recorded, seen = {}, set()
    for (name, labels), value in whole.items():
        if name not in RULES:
            continue
        labels = dict(labels)
        rule, extra = RULES[name]
        if "{kind}" in rule:
            rule = rule.format(kind=labels.pop("kind"))
        if rule not in recorded:
            recorded[rule] = [({k: v for k, v in m.items() if k != "__name__"}, v) for m, v in ask(base, rule)]
        labels.update({k: v for k, v in extra.items() if v is not None})
        free = {k for k, v in extra.items() if v is None}
        found = [v for m, v in recorded[rule] if {k: v for k, v in m.items() if k not in free} == labels]
        seen.add(name)
        # A label left free is the currency: the whole publishes one value where there is one currency with anything in it.
        if not any(math.isclose(v, value, rel_tol=1e-9, abs_tol=1e-12) for v in found) or len(found) > 1 + 3 * len(free):
            wrong.append(f"{name}{labels}: the whole has {value!r}, {rule} {found!r}")
    wrong += [f"{name}: the whole has none, so that nothing was compared" for name in sorted(set(RULES) - seen)]
    report("ratios", len([k for k in whole if k[0] in RULES]), wrong)


if __name__ == "__main__":
    {"sums": sums, "steady": steady, "prometheus": prometheus, "rules": rules}[sys.argv[1]](*sys.argv[2:])
