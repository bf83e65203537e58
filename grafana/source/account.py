# SPDX-License-Identifier: MIT
"""Account: everything about one account. Every table of accounts links here."""

import board
from board import Target, by_name, fixed, query, steps, value_map
from common import HEALTH_STEPS, LINKS, MONEY, RISK_STEPS, alert_columns, by_severity, each, paint
from promql import sel
from style import ACTIONS, BANDS, FACTORS, REASONS, RISK_FACTORS, STATUSES, colours, texts

TENANT = query("tenant", "Tenant", "label_values(crm_account_info, tenant)", multi=False, about="One customer base.")
# The name to choose by, the identifier to ask with.
ACCOUNT = query(
    "account",
    "Account",
    'query_result(max by (account_name, account) (crm_account_info{tenant="$tenant"}))',
    multi=False,
    sort=5,
    regex='/account="(?<value>[^"]+)",\\s*account_name="(?<text>[^"]*)"/',
    about="Type to search.",
)
# The bands as numbers 0 to 3, and their names.
BAND = " + ".join(f'(max(crm_account_health_score{{tenant="$tenant",account="$account"}}) >= bool {edge})' for edge in (40, 60, 80))
NAMES = value_map(
    {str(i): t[0] for i, t in enumerate(reversed([*BANDS.values()][:4]))},
    {str(i): t[1] for i, t in enumerate(reversed([*BANDS.values()][:4]))},
)
NAMES.append({"type": "special", "options": {"match": "null", "result": {"text": "No score", "color": BANDS["unscored"][1], "index": 4}}})
ONE = {"tenant": "$tenant", "account": "$account"}


def one(family, **matchers):
    return sel(family, **ONE, **matchers)


def value(family, **matchers):
    return f"max({one(family, **matchers)})"


def fact(title, about, label, width, mappings=None):
    extra = {"overrides": [by_name(label, mappings=mappings)]} if mappings else {}
    return board.stat(
        title,
        about,
        Target(f"max by ({label}) ({one('account_info', currency=None)})", table=True),
        width,
        3,
        fields=f"/^{label}$/",
        unit="none",
        unit_text="text",
        colour="value" if mappings else "none",
        text={"valueSize": 20},
        **extra,
    )


def build():
    who = [
        fact("Account", "Name of the account, unless names are hashed or switched off.", "account_name", 6),
        fact("Segment", "Segment of the account.", "segment", 3),
        fact("Owner", "Who owns the account.", "account_owner", 5),
        fact("Status", "What the CRM says.", "status", 3, mappings=value_map(texts(STATUSES), colours(STATUSES))),
        fact("Industry", "Industry of the account.", "industry", 4),
        fact("Region", "Region of the account.", "account_region", 3),
    ]
    segment_mean = (
        'sum by (segment) (crm_health_score_points{{tenant="$tenant"}}) / on (segment) (sum by (segment)'
        ' (crm_health_score_accounts{{tenant="$tenant",le="+Inf"}}) > 0) and on (segment) {}'
    ).format(one("account_info", currency=None))
    now = [
        board.gauge(
            "Health",
            "Health score of the account: the weighted mean of the factors that exist.",
            Target(value("account_health_score"), "Health", instant=True),
            4,
            7,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            thresholds=HEALTH_STEPS,
            no_value="no score",
        ),
        board.gauge(
            "Churn risk",
            "Churn risk score of the account: the weighted mean of the factors that exist. A score, not a probability.",
            Target(value("account_churn_risk_score"), "Churn risk", instant=True),
            4,
            7,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            thresholds=RISK_STEPS,
            no_value="no score",
        ),
        board.stat(
            "Revenue, ARR",
            "Annual recurring revenue of the account, in the currency it pays in.",
            Target(f"max by (currency) ({one('account_arr', currency=None)})", "{{currency}}"),
            4,
            7,
            unit=MONEY,
            unit_text="major units of the currency a year",
            mode="value_and_name",
            text={"titleSize": 14, "valueSize": 36},
            defaults={"min": 0},
            no_value="unknown",
        ),
        board.stat(
            "Health trend",
            "Points per 30 days: the slope of the health score over the last 90 days: the median of the slopes between all pairs of weekly"
            " scores.",
            Target(value("account_health_slope"), "Points per 30 days"),
            4,
            7,
            unit="none",
            decimals=1,
            unit_text="points per 30 days",
            thresholds=steps("red", (-2, "text"), (2, "green")),
            mode="value_and_name",
            text={"titleSize": 14, "valueSize": 36},
            no_value="no score",
        ),
        board.table(
            "What to do",
            "What the rules recommend for this account now, and because of what.",
            [Target(f"max by (action, reason) ({one('account_recommendation')})", table=True)],
            8,
            7,
            unit="none",
            unit_text="text",
            no_value="nothing to do",
            columns=[
                board.Column("action", "Recommendation", mappings=value_map(ACTIONS)),
                board.Column("reason", "Because of", mappings=value_map(REASONS)),
            ],
        ),
    ]
    over_time = [
        board.lines(
            "Health",
            "Health score of the account, and dashed the mean of its segment.",
            [Target(value("account_health_score"), "This account"), Target(f"max({segment_mean})", "Mean of the segment")],
            12,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            overrides=[
                by_name("This account", color=fixed("blue"), custom_fillOpacity=10),
                by_name(
                    "Mean of the segment", color=fixed("#8e8e8e"), custom_lineStyle={"fill": "dash", "dash": [8, 8]}, custom_lineWidth=1
                ),
            ],
        ),
        board.lines(
            "Churn risk",
            "Churn risk score of the account.",
            Target(value("account_churn_risk_score"), "Churn risk"),
            12,
            8,
            fill=10,
            unit="none",
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            overrides=[by_name("Churn risk", color=fixed("red"))],
            thresholds=steps("transparent", (50, "orange"), (70, "red")),
            custom={"thresholdsStyle": {"mode": "dashed"}},
        ),
        board.lines(
            "Health factors",
            "The factors of the health score; one that is missing could not be computed.",
            each(FACTORS, lambda f: value("account_health_factor_score", factor=f)),
            12,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            overrides=paint(FACTORS),
        ),
        board.lines(
            "Churn risk factors",
            "The factors of the churn risk.",
            each(RISK_FACTORS, lambda f: value("account_churn_factor_score", factor=f)),
            12,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            overrides=paint(RISK_FACTORS),
        ),
        board.states(
            "Band of the health score",
            "Healthy from 80, moderate from 60, at risk from 40, critical below, as the bands are by default.",
            Target(BAND, "Health"),
            12,
            5,
            unit="none",
            decimals=0,
            unit_text="band",
            defaults={"mappings": NAMES},
        ),
        board.lines(
            "Annual recurring revenue",
            "Annual recurring revenue of the account at each instant.",
            Target(f"max by (currency) ({one('account_arr', currency=None)})", "{{currency}}"),
            12,
            5,
            fill=12,
            unit=MONEY,
            unit_text="major units of the currency a year",
            defaults={"min": 0},
        ),
    ]
    strengths = [
        board.bar_gauge(
            "Health factors now",
            "Each factor of the health score; weights: product usage 40 %, support 25 %, engagement 20 %, business 15 %, unless configured"
            " otherwise.",
            each(FACTORS, lambda f: value("account_health_factor_score", factor=f), instant=True),
            8,
            7,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            thresholds=HEALTH_STEPS,
        ),
        board.bar_gauge(
            "Churn risk factors now",
            "Each factor of the churn risk; weights: health decline 30 %, engagement reduction 25 %, business risk 25 %, competitive"
            " threats 20 %, unless configured otherwise.",
            each(RISK_FACTORS, lambda f: value("account_churn_factor_score", factor=f), instant=True),
            8,
            7,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            thresholds=RISK_STEPS,
        ),
        board.table(
            "Alerts on this account",
            "Alerts that fire now and name this account.",
            [
                Target(
                    by_severity(
                        'count by (alertname, severity)'
                        ' (ALERTS{alertstate="firing",alertname=~"Crm.+",tenant="$tenant",account="$account"})'
                    ),
                    table=True,
                )
            ],
            8,
            7,
            unit="none",
            unit_text="alerts",
            population="this account",
            no_value="none firing",
            columns=alert_columns(),
            sort=("Level", False),
        ),
    ]
    return board.dashboard(
        "crm-account",
        "CRM · Account",
        "Everything about one account.",
        [board.datasource(), TENANT, ACCOUNT],
        [(None, who), ("Now", now), ("Why", strengths), ("Over time", over_time)],
        links=LINKS,
    )
