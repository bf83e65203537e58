#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints crm-recording.rules.yml: sums and ratios by tenant, by segment and by account owner.

Every ratio is made of the additive families, so it is exact over tenants, shards and hosts; an average of ratios never is.
Names are level:metric:operation, as Prometheus recommends.
"""

# Each level: its name, and the labels that it keeps besides a rule's own.
LEVELS = (
    ("tenant", ("tenant",)),
    ("tenant_segment", ("tenant", "segment")),
    ("tenant_account_owner", ("tenant", "account_owner")),
)

# Sums: name of the family without crm_, selector, labels of its own.
SUMS = (
    ("accounts", "", ("status",)),
    ("accounts_paying", "", ()),
    ("accounts_by_health", "", ("band",)),
    ("accounts_by_risk", "", ("band",)),
    ("accounts_newly_at_risk", "", ("window",)),
    ("accounts_silent", "", ("window",)),
    ("recommendations", "", ("action",)),
    ("arr", "", ("currency",)),
    ("arr_by_risk", "", ("currency", "band")),
    ("arr_movement", "", ("currency", "window", "kind")),
    ("renewals_upcoming", "", ("result", "horizon")),
    ("renewal_arr_upcoming", "", ("currency", "result", "horizon")),
)

# Ratios: name, operation, numerator, denominator, labels of their own, factor. {x} is replaced by sum by (LEVEL, own labels) (x).
RATIOS = (
    ("crm_health_score", "mean", "crm_health_score_points", 'crm_health_score_accounts{le="+Inf"}', (), ""),
    ("crm_health_score_arr_weighted", "mean", "crm_health_score_arr_points", "crm_health_scored_arr", ("currency",), ""),
    ("crm_churn_risk_score", "mean", "crm_churn_risk_points", 'crm_churn_risk_accounts{le="+Inf"}', (), ""),
    ("crm_health_factor", "mean", "crm_health_factor_points", "crm_health_factor_accounts", ("factor",), ""),
    ("crm_churn_factor", "mean", "crm_churn_factor_points", "crm_churn_factor_accounts", ("factor",), ""),
    ("crm_health_change", "mean", "crm_health_change_points", "crm_health_change_accounts", ("window",), ""),
    ("crm_health_recovery", "ratio", "crm_health_recovered_accounts", "crm_health_recovery_base_accounts", ("window",), ""),
    ("crm_arr_at_risk", "ratio", 'crm_arr_by_risk{band=~"high|critical"}', "crm_arr_by_risk", ("currency",), ""),
    ("crm_net_revenue_retention", "ratio", "crm_arr_retained_net", "crm_arr_retention_base", ("currency", "window"), ""),
    ("crm_gross_revenue_retention", "ratio", "crm_arr_retained_gross", "crm_arr_retention_base", ("currency", "window"), ""),
    ("crm_quick", "ratio", 'crm_arr_movement{kind=~"new|expansion|reactivation"}', 'crm_arr_movement{kind=~"contraction|churn"}',
     ("currency", "window"), ""),
    ("crm_revenue_churn", "ratio", 'crm_arr_movement{kind=~"contraction|churn"}', "crm_arr_opening", ("currency", "window"), ""),
    ("crm_logo_churn", "ratio", "crm_accounts_lost", "crm_accounts_opening", ("window",), ""),
    ("crm_success_driven_expansion", "ratio", "crm_success_driven_expansion_arr", 'crm_arr_movement{kind="expansion"}',
     ("currency", "window"), ""),
    ("crm_revenue_per_account", "ratio", "crm_mrr", "crm_arr_accounts", ("currency",), ""),
    ("crm_average_contract_value", "ratio", "crm_arr", "crm_contracts_in_force", ("currency",), ""),
    ("crm_goal_completion", "ratio", 'crm_goals_due{result="achieved"}', "crm_goals_due", ("window",), ""),
    ("crm_renewal_logo", "ratio", 'crm_renewals_due{result="renewed"}', "crm_renewals_due", ("window",), ""),
    ("crm_renewal_net", "ratio", "crm_renewal_arr_renewed", "crm_renewal_arr_base", ("currency", "window"), ""),
    ("crm_renewal_gross", "ratio", "crm_renewal_arr_renewed_gross", "crm_renewal_arr_base", ("currency", "window"), ""),
    ("crm_adoption_seats", "ratio", "crm_adoption_active_users", "crm_adoption_seats", (), ""),
    ("crm_adoption_accounts", "ratio", "crm_adoption_active_accounts", "crm_adoption_accounts", (), ""),
    ("crm_adoption_features", "ratio", 'crm_health_input_points{input="feature_adoption"}', 'crm_health_input_accounts{input="feature_adoption"}',
     (), " / 100"),
    ("crm_response_seconds", "mean", "crm_response_seconds_points", 'crm_responses{le="+Inf"}', ("channel", "window"), ""),
    ("crm_stakeholder_participation", "ratio", 'crm_stakeholders{engaged="true"}', "crm_stakeholders", ("window",), ""),
)

HEADER = """# SPDX-License-Identifier: MIT
# Made by make-recording-rules.py; edit that. Sums and ratios by tenant, segment and account owner.
#
# They add up series of any number of daemons: of shards of one CRM, of several CRMs. Two daemons that watch the same accounts for each other's
# sake would be counted twice: let Prometheus (or Thanos, Mimir) drop one of the replicas first.
# A ratio whose denominator is 0 has no sample: it is undefined, and neither 0 nor 1.
groups:
"""


def by(level, own):
    return "sum by (" + ", ".join(level + own) + ")"


def rule(name, expression):
    print(f"      - record: {name}\n        expr: |-")
    for line in expression:
        print(f"          {line}")


def main():
    print(HEADER, end="")
    for level, labels in LEVELS:
        print(f"  - name: crm_by_{level}\n    rules:")
        for family, selector, own in SUMS:
            rule(f"{level}:crm_{family}:sum", [f"{by(labels, own)} (crm_{family}{selector})"])
        for name, operation, top, bottom, own, factor in RATIOS:
            rule(f"{level}:{name}:{operation}",
                 [f"{by(labels, own)} ({top})", f"/ ({by(labels, own)} ({bottom}) != 0){factor}"])
        growth = by(labels, ("currency", "window"))
        rule(f"{level}:crm_arr_growth:ratio",
             ["(", f"  {growth} (crm_arr_closing)", f"  - {growth} (crm_arr_opening)", ")", f"/ ({growth} (crm_arr_opening) != 0)"])
        # Promoters less detractors, of all answers. NPS 0 is a value.
        nps = by(labels, ("window",))
        rule(f"{level}:crm_nps:score",
             ["100 * (", f'  {nps} (crm_nps_responses{{category="promoter"}})', f'  - {nps} (crm_nps_responses{{category="detractor"}})',
              ")", f"/ ({nps} (crm_nps_responses) != 0)"])
        # 100 sqrt((p + d - (p - d)^2) / n) with the shares p and d, brought to one division of whole numbers.
        promoters, detractors = (f'{nps} (crm_nps_responses{{category="{c}"}})' for c in ("promoter", "detractor"))
        rule(f"{level}:crm_nps:standard_error",
             ["100 * sqrt(", "  (", f"    ({promoters} + {detractors})", f"    * {nps} (crm_nps_responses)",
              f"    - ({promoters} - {detractors}) ^ 2", "  )", f"  / ({nps} (crm_nps_responses) != 0) ^ 3", ")"])
        # Per account that has not churned.
        open_accounts = f'(sum by ({", ".join(labels)}) (crm_accounts{{status!="churned"}}) != 0)'
        rule(f"{level}:crm_health_coverage:ratio",
             [f"{by(labels, ('factor',))} (crm_health_factor_accounts)",
              f"/ on ({', '.join(labels)}) group_left () {open_accounts}"])
        # And per 30 days; the windows differ in length.
        for window, days in (("7d", 7), ("30d", 30), ("90d", 90)):
            print(f"      - record: {level}:crm_engagement_frequency:ratio\n        labels:\n          window: {window}\n        expr: |-")
            print(f'          sum by ({", ".join(labels)}) (crm_engagements_customer_facing{{window="{window}"}}) * (30 / {days})')
            print(f"          / {open_accounts}")


if __name__ == "__main__":
    main()
