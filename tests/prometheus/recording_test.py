#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a promtool test of every recording rule: made-up series of two tenants, two shards, segments and owners, and what the definitions
give for them, worked out here from the series and not from the rules. Also names every rule that has no expectation.

recording_test.py RULES.yml >TEST.yml
"""
import itertools
import json
import math
import random
import sys
from fractions import Fraction

import yaml

TENANTS, SEGMENTS, OWNERS, SHARDS = ("acme", "none"), ("large", "none"), ("Mia", "Zoë \"Z\""), ("h1:9477", "h2:9477")
WINDOWS = {"7d": 7, "30d": 30, "90d": 90}
LEVELS = {"tenant": ("tenant",), "tenant_segment": ("tenant", "segment"), "tenant_account_owner": ("tenant", "account_owner")}
random.seed(20260301)
series = []  # (family, labels, value)


def add(family, low, high, **own):
    """The family in every cell, with values of its own; `own` gives the values of further labels."""
    for combination in itertools.product(*own.values()):
        for tenant, segment, owner, shard in itertools.product(TENANTS, SEGMENTS, OWNERS, SHARDS):
            labels = {"tenant": tenant, "segment": segment, "account_owner": owner, "job": "crm", "instance": shard}
            labels.update(zip(own, combination))
            # One owner of one tenant has nothing at all: a denominator of 0.
            empty = tenant == "none" and owner != "Mia"
            series.append((family, labels, 0 if empty else random.randint(low, high)))


CURRENCIES, KINDS = ("EUR", "JPY"), ("new", "expansion", "contraction", "churn", "reactivation", "adjustment")
add("crm_accounts", 0, 9, status=("onboarding", "active", "at_risk", "churned", "unknown"))
add("crm_accounts_paying", 0, 20)
add("crm_accounts_by_health", 0, 9, band=("healthy", "moderate", "at_risk", "critical", "unscored"))
add("crm_accounts_by_risk", 0, 9, band=("low", "medium", "high", "critical", "unscored"))
add("crm_accounts_newly_at_risk", 0, 3, window=WINDOWS)
add("crm_accounts_silent", 0, 3, window=("30d", "60d", "90d"))
add("crm_recommendations", 0, 3, action=("training", "executive_review"))
add("crm_arr", 0, 10000, currency=CURRENCIES)
add("crm_mrr", 0, 1000, currency=CURRENCIES)
add("crm_arr_accounts", 1, 20, currency=CURRENCIES)
add("crm_contracts_in_force", 1, 20, currency=CURRENCIES)
add("crm_arr_by_risk", 0, 5000, band=("low", "medium", "high", "critical", "unscored"), currency=CURRENCIES)
add("crm_arr_movement", 0, 500, currency=CURRENCIES, window=("30d", "1y"), kind=KINDS)
for family in ("opening", "closing", "retained_net", "retained_gross", "retention_base"):
    add("crm_arr_" + family, 1, 9000, currency=CURRENCIES, window=("30d", "1y"))
add("crm_success_driven_expansion_arr", 0, 100, currency=CURRENCIES, window=("30d", "1y"))
for family in ("opening", "lost"):
    add("crm_accounts_" + family, 1, 20, window=("30d", "1y"))
add("crm_health_score_accounts", 1, 20, le=("40", "+Inf"))
add("crm_health_score_points", 0, 1000)
add("crm_health_score_arr_points", 0, 90000, currency=CURRENCIES)
add("crm_health_scored_arr", 1, 900, currency=CURRENCIES)
add("crm_churn_risk_accounts", 1, 20, le=("40", "+Inf"))
add("crm_churn_risk_points", 0, 1000)
for what in ("health", "churn"):
    add(f"crm_{what}_factor_points", 0, 1000, factor=("a", "b"))
    add(f"crm_{what}_factor_accounts", 1, 20, factor=("a", "b"))
add("crm_health_input_points", 0, 1000, factor=("product_usage",), input=("feature_adoption", "user_activity"))
add("crm_health_input_accounts", 1, 20, factor=("product_usage",), input=("feature_adoption", "user_activity"))
add("crm_health_change_points", -100, 100, window=WINDOWS)
add("crm_health_change_accounts", 1, 20, window=WINDOWS)
add("crm_health_recovered_accounts", 0, 5, window=WINDOWS)
add("crm_health_recovery_base_accounts", 1, 9, window=WINDOWS)
add("crm_goals_due", 0, 9, result=("achieved", "missed", "overdue"), window=WINDOWS)
add("crm_renewals_due", 0, 9, result=("renewed", "lost", "undecided"), window=WINDOWS)
add("crm_renewals_upcoming", 0, 9, result=("renewed", "lost", "undecided"), horizon=("30d", "90d"))
add("crm_renewal_arr_upcoming", 0, 900, currency=CURRENCIES, result=("renewed", "undecided"), horizon=("30d", "90d"))
for family in ("base", "renewed", "renewed_gross"):
    add("crm_renewal_arr_" + family, 1, 900, currency=CURRENCIES, window=WINDOWS)
for family in ("active_users", "seats", "active_accounts", "accounts"):
    add("crm_adoption_" + family, 1, 90)
add("crm_responses", 1, 90, channel=("support", "engagement"), window=("30d",), le=("3600", "+Inf"))
add("crm_response_seconds_points", 1, 90000, channel=("support", "engagement"), window=("30d",))
add("crm_stakeholders", 0, 9, level=("primary", "user"), strength=("champion", "neutral"), engaged=("true", "false"), window=("90d",))
add("crm_nps_responses", 0, 9, category=("promoter", "passive", "detractor"), window=("90d",))
add("crm_engagements_customer_facing", 0, 90, window=WINDOWS)

expected = {}  # rule -> {labels: value}


def total(family, keep, **where):
    """Sums of the family by the labels `keep`; `where` gives the values that count of a label."""
    sums = {}
    for name, labels, value in series:
        if name == family and all(labels[k] in v for k, v in where.items()):
            key = tuple((k, labels[k]) for k in keep)
            sums[key] = sums.get(key, 0) + value
    return sums


def expect(rule, values):
    expected[rule] = values


def divide(top, bottom, factor=1):
    return {k: factor * top[k] / bottom[k] for k in top if bottom.get(k, 0) != 0}


def expectations(level, keep):
    def own(*labels):
        return keep + labels

    def share(name, operation, top, bottom, *labels, top_where={}, bottom_where={}):
        expect(f"{level}:{name}:{operation}", divide(total(top, own(*labels), **top_where), total(bottom, own(*labels), **bottom_where)))

    for family, labels in {"accounts": ("status",), "accounts_paying": (), "accounts_by_health": ("band",), "accounts_by_risk": ("band",),
                           "accounts_newly_at_risk": ("window",), "accounts_silent": ("window",), "recommendations": ("action",),
                           "arr": ("currency",), "arr_by_risk": ("currency", "band"), "arr_movement": ("currency", "window", "kind"),
                           "renewals_upcoming": ("result", "horizon"), "renewal_arr_upcoming": ("currency", "result", "horizon")}.items():
        expect(f"{level}:crm_{family}:sum", total("crm_" + family, own(*labels)))
    everybody = {"le": ("+Inf",)}
    share("crm_health_score", "mean", "crm_health_score_points", "crm_health_score_accounts", bottom_where=everybody)
    share("crm_health_score_arr_weighted", "mean", "crm_health_score_arr_points", "crm_health_scored_arr", "currency")
    share("crm_churn_risk_score", "mean", "crm_churn_risk_points", "crm_churn_risk_accounts", bottom_where=everybody)
    share("crm_health_factor", "mean", "crm_health_factor_points", "crm_health_factor_accounts", "factor")
    share("crm_churn_factor", "mean", "crm_churn_factor_points", "crm_churn_factor_accounts", "factor")
    share("crm_health_change", "mean", "crm_health_change_points", "crm_health_change_accounts", "window")
    share("crm_health_recovery", "ratio", "crm_health_recovered_accounts", "crm_health_recovery_base_accounts", "window")
    share("crm_arr_at_risk", "ratio", "crm_arr_by_risk", "crm_arr_by_risk", "currency", top_where={"band": ("high", "critical")})
    both = ("currency", "window")
    share("crm_net_revenue_retention", "ratio", "crm_arr_retained_net", "crm_arr_retention_base", *both)
    share("crm_gross_revenue_retention", "ratio", "crm_arr_retained_gross", "crm_arr_retention_base", *both)
    gained, lost = {"kind": ("new", "expansion", "reactivation")}, {"kind": ("contraction", "churn")}
    share("crm_quick", "ratio", "crm_arr_movement", "crm_arr_movement", *both, top_where=gained, bottom_where=lost)
    share("crm_revenue_churn", "ratio", "crm_arr_movement", "crm_arr_opening", *both, top_where=lost)
    opening, closing = total("crm_arr_opening", own(*both)), total("crm_arr_closing", own(*both))
    expect(f"{level}:crm_arr_growth:ratio", divide({k: closing[k] - opening[k] for k in opening}, opening))
    share("crm_logo_churn", "ratio", "crm_accounts_lost", "crm_accounts_opening", "window")
    share("crm_success_driven_expansion", "ratio", "crm_success_driven_expansion_arr", "crm_arr_movement", *both,
          bottom_where={"kind": ("expansion",)})
    share("crm_revenue_per_account", "ratio", "crm_mrr", "crm_arr_accounts", "currency")
    share("crm_average_contract_value", "ratio", "crm_arr", "crm_contracts_in_force", "currency")
    share("crm_goal_completion", "ratio", "crm_goals_due", "crm_goals_due", "window", top_where={"result": ("achieved",)})
    share("crm_renewal_logo", "ratio", "crm_renewals_due", "crm_renewals_due", "window", top_where={"result": ("renewed",)})
    share("crm_renewal_net", "ratio", "crm_renewal_arr_renewed", "crm_renewal_arr_base", *both)
    share("crm_renewal_gross", "ratio", "crm_renewal_arr_renewed_gross", "crm_renewal_arr_base", *both)
    share("crm_adoption_seats", "ratio", "crm_adoption_active_users", "crm_adoption_seats")
    share("crm_adoption_accounts", "ratio", "crm_adoption_active_accounts", "crm_adoption_accounts")
    feature = {"input": ("feature_adoption",)}
    points = total("crm_health_input_points", keep, **feature)
    known = total("crm_health_input_accounts", keep, **feature)
    expect(f"{level}:crm_adoption_features:ratio", {k: v / 100 for k, v in divide(points, known).items()})
    share("crm_response_seconds", "mean", "crm_response_seconds_points", "crm_responses", "channel", "window", bottom_where=everybody)
    share("crm_stakeholder_participation", "ratio", "crm_stakeholders", "crm_stakeholders", "window", top_where={"engaged": ("true",)})
    promoters = total("crm_nps_responses", own("window"), category=("promoter",))
    detractors = total("crm_nps_responses", own("window"), category=("detractor",))
    answers = total("crm_nps_responses", own("window"))
    expect(f"{level}:crm_nps:score", divide({k: promoters[k] - detractors[k] for k in promoters}, answers, 100))
    # The variance of a value that is +1, 0 or -1, by the number of answers.
    variances = {k: Fraction(promoters[k] + detractors[k], n) - Fraction(promoters[k] - detractors[k], n) ** 2 for k, n in answers.items() if n != 0}
    expect(f"{level}:crm_nps:standard_error", {k: 100 * math.sqrt(v / answers[k]) for k, v in variances.items()})
    open_accounts = total("crm_accounts", keep, status=("onboarding", "active", "at_risk", "unknown"))
    covered = total("crm_health_factor_accounts", own("factor"))
    expect(f"{level}:crm_health_coverage:ratio", divide(covered, {k: open_accounts[k[:-1]] for k in covered}))
    frequency = {}
    for key, n in total("crm_engagements_customer_facing", own("window")).items():
        accounts = open_accounts[key[:-1]]
        if accounts != 0:
            frequency[key] = n * (30 / WINDOWS[key[-1][1]]) / accounts
    expect(f"{level}:crm_engagement_frequency:ratio", frequency)


def braces(name, labels):
    return name + "{" + ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in labels) + "}"


def main():
    for level, keep in LEVELS.items():
        expectations(level, keep)
    rules = {r["record"] for g in yaml.safe_load(open(sys.argv[1]))["groups"] for r in g["rules"]}
    if rules != set(expected):
        sys.exit(f"rules without an expectation: {sorted(rules - set(expected))}; expectations without a rule: {sorted(set(expected) - rules)}")
    tests = []
    for rule, values in sorted(expected.items()):
        # Sums of whole numbers are exact in any order, and one division gives the same bits everywhere.
        samples = [{"labels": braces(rule, k), "value": v} for k, v in values.items()]
        tests.append({"expr": rule, "eval_time": "5m", "exp_samples": samples})
    inputs = [{"series": braces(name, labels.items()), "values": f"{value}+0x2"} for name, labels, value in series]
    test = {"rule_files": [sys.argv[1]], "evaluation_interval": "5m",
            "tests": [{"interval": "5m", "input_series": inputs, "promql_expr_test": tests}]}
    yaml.safe_dump(test, sys.stdout, allow_unicode=True, width=10000)
    print(f"{len(expected)} rules", file=sys.stderr)


if __name__ == "__main__":
    main()
