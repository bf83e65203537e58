# SPDX-License-Identifier: MIT
"""Churn risk: who leaves next, what does it cost, and what to do?"""

import board
from board import Column, Target, by_name, fixed, steps, value_map
from common import (
    ACCOUNT_URL,
    COMPARE,
    CURRENCY,
    HEALTH_STEPS,
    LINKS,
    MONEY,
    RISK_STEPS,
    WORST_FACTOR,
    account_table,
    change_cell,
    each,
    factor_cell,
    headline,
    histogram,
    link,
    money_cell,
    paint,
    score_cell,
    variables,
)
from promql import ACCOUNTS, accounts, by, change, ratio, sel, total
from style import ACTIONS, GOLD, REASONS, RISKS, RISK_FACTORS, texts, words

AT_RISK = total("arr_by_risk", band=("=~", "high|critical"))
INDICATORS = {
    "health_decline": ("declining_login_frequency", "reduced_feature_usage", "support_escalations"),
    "engagement_reduction": ("missed_meetings", "delayed_responses", "negative_outcomes"),
    "business_risk": ("contract_approaching_renewal", "payment_delays", "budget_constraints"),
    "competitive_threats": ("competitor_mentions", "feature_requests", "pricing_discussions"),
}
# The longest one would not fit a narrow screen.
INDICATOR_TEXTS = {i: words(i) for f in INDICATORS.values() for i in f} | {"contract_approaching_renewal": "Renewal approaching"}
RISKY = f"topk(25, {accounts('account_churn_risk_score')} >= 50)"
RAISED = f"topk(10, ({change(sel('account_churn_risk_score'))}) and on (tenant, account) {ACCOUNTS})"
ACTION = {"mappings": value_map(ACTIONS), "custom_width": 165}


def actions():
    """One row per account and action."""
    holds = f"(max by (tenant, account, action, reason) ({sel('account_recommendation')}) and on (tenant, account) {ACCOUNTS})"
    revenue = f"sum by (tenant, account) ({sel('account_arr')})"
    info = f"max by (tenant, account, account_name) ({ACCOUNTS})"
    chosen = f"topk(50, {holds} * on (tenant, account) group_left (account_name) {info} * on (tenant, account) group_left () {revenue})"
    columns = [
        Column("tenant", hidden=True),
        Column("account", hidden=True),
        Column("account_name", "Account", custom_minWidth=120, links=[link("Everything on ${__data.fields.Account}", ACCOUNT_URL)]),
        Column("action", "Recommendation", **ACTION),
        Column("reason", "Because of", mappings=value_map(REASONS), custom_width=150),
        Column("Value", "ARR", **money_cell()),
    ]
    return board.table(
        "What to do, by ARR · $currency",
        "What the rules recommend now, for the fifty that concern most revenue; one line per account and recommendation. The rules stand in"
        " the configuration and can be changed there.",
        [Target(chosen, table=True)],
        12,
        14,
        columns=columns,
        sort=("ARR", True),
        unit="none",
        unit_text="$currency a year",
    )


def build():
    stats = [
        headline(
            "ARR at risk · $currency",
            "Annual recurring revenue of accounts whose churn risk is high or critical: 50 and more.",
            AT_RISK,
            "down",
            unit=MONEY,
            width=5,
            unit_text="$currency a year",
            size=28,
        ),
        headline(
            "Share of ARR at risk",
            "ARR at risk by all annual recurring revenue in $currency.",
            ratio(AT_RISK, total("arr_by_risk")),
            "down",
            unit="percentunit",
            decimals=1,
            width=5,
            unit_text="share of revenue",
            thresholds=steps("green", (0.05, GOLD), (0.1, "orange"), (0.2, "red")),
            size=28,
        ),
        headline(
            "Accounts high or critical",
            "Accounts whose churn risk is 50 or more.",
            total("accounts_by_risk", band=("=~", "high|critical")),
            "down",
            unit="none",
            decimals=0,
            width=5,
            unit_text="accounts",
            size=28,
        ),
        board.stat(
            "Newly at risk",
            "Accounts whose churn risk has risen above 70 within the window; it ends at 60, so that nobody flickers.",
            [
                Target(total("accounts_newly_at_risk", window="7d"), "in 7 days"),
                Target(total("accounts_newly_at_risk", window="30d"), "in 30 days"),
            ],
            4,
            4,
            orientation="vertical",
            unit="none",
            decimals=0,
            unit_text="accounts",
            thresholds=steps("text", (1, "orange"), (5, "red")),
            text={"titleSize": 12, "valueSize": 28},
        ),
        headline(
            "Mean churn risk",
            "Sum of churn risk scores by the number of accounts that have one. A score, not a probability.",
            ratio(total("churn_risk_points"), total("churn_risk_accounts", le="+Inf")),
            "down",
            unit="none",
            decimals=1,
            width=5,
            unit_text="score, 0 to 100",
            thresholds=RISK_STEPS,
            size=28,
        ),
    ]
    over_time = [
        board.lines(
            "Accounts by risk",
            "Accounts by band of the churn risk score: low below 25, medium below 50, high up to 70, critical above.",
            each(RISKS, lambda b: total("accounts_by_risk", band=b)),
            12,
            8,
            stack=True,
            unit="none",
            unit_text="accounts",
            overrides=paint(RISKS),
        ),
        board.lines(
            "ARR at risk · $currency",
            "Annual recurring revenue of accounts with high and with critical churn risk.",
            each({b: RISKS[b] for b in ("high", "critical")}, lambda b: total("arr_by_risk", band=b)),
            12,
            8,
            stack=True,
            unit=MONEY,
            unit_text="$currency a year",
            overrides=paint(RISKS),
        ),
    ]
    raised = board.table(
        "Indicators raised",
        "Accounts on which the indicator is raised, that is 0.5 or more of 1, and what they are of all accounts not churned.",
        [
            Target(by("factor, indicator", "churn_indicator_accounts"), table=True),
            Target(
                f"{by('factor, indicator', 'churn_indicator_accounts')} / on () group_left () ({total('accounts_by_risk')} > 0)", table=True
            ),
        ],
        12,
        14,
        columns=[
            Column("factor 1", "Factor", mappings=value_map(texts(RISK_FACTORS)), custom_width=176),
            Column("indicator", "Indicator", mappings=value_map(INDICATOR_TEXTS), custom_minWidth=200),
            Column("Value #A", "Accounts", decimals=0, custom_width=100),
            Column(
                "Value #B",
                "Share",
                unit="percentunit",
                decimals=0,
                custom_minWidth=90,
                min=0,
                max=1,
                color=fixed("orange"),
                custom_cellOptions={"type": "gauge", "mode": "basic"},
            ),
        ],
        transformations=[{"id": "joinByField", "options": {"byField": "indicator", "mode": "outer"}}],
        sort=("Accounts", True),
        unit="none",
        unit_text="accounts; share of accounts",
    )
    means = each(
        RISK_FACTORS, lambda f: ratio(total("churn_factor_points", factor=f), total("churn_factor_accounts", factor=f)), instant=True
    )
    why = [
        histogram(
            "Risk scores now",
            "Accounts per ten points of the churn risk score.",
            "churn_risk_accounts",
            ["green", "green", "green", GOLD, GOLD, "orange", "orange", "red", "red", "red"],
            12,
            8,
        ),
        board.bar_gauge(
            "Factors",
            "Mean of each factor of the churn risk over the accounts for which it is known. Weights: health decline 30 %, engagement"
            " reduction 25 %, business risk 25 %, competitive threats 20 %, unless configured otherwise.",
            means,
            5,
            8,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            overrides=paint(RISK_FACTORS),
        ),
        board.lines(
            "Factors over time",
            "Mean of each factor at each instant.",
            each(RISK_FACTORS, lambda f: ratio(total("churn_factor_points", factor=f), total("churn_factor_accounts", factor=f))),
            7,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            overrides=paint(RISK_FACTORS),
            defaults={"min": 0},
        ),
        raised,
        actions(),
    ]
    columns = [
        ("ARR", sel("account_arr"), money_cell()),
        ("Churn risk", RISKY, score_cell(RISK_STEPS)),
        ("Risk change", change(sel("account_churn_risk_score")), change_cell("down", 105)),
        ("Health", sel("account_health_score"), score_cell(HEALTH_STEPS)),
        ("Worst factor", (WORST_FACTOR, "factor"), factor_cell()),
    ]
    rising = [
        ("ARR", sel("account_arr"), money_cell()),
        ("Churn risk", sel("account_churn_risk_score"), score_cell(RISK_STEPS)),
        ("Rise", RAISED, change_cell("down")),
    ]
    count = lambda *values: [Target(total("recommendations", action=a), ACTIONS[a], instant=True) for a in values]
    whom = [
        account_table(
            "Accounts at risk",
            "Accounts with a churn risk of 50 and more, the highest 25, with the change of the score against $compare before, and the"
            " factor that is worst. Click an account for everything about it.",
            RISKY,
            columns,
            ("Churn risk", True),
            24,
            10,
            status=True,
            no_value="no account at 50 or more",
            unit="none",
            unit_text="scores 0 to 100; ARR in $currency",
        ),
        account_table(
            "Fastest rising",
            "Accounts whose churn risk score rose most against $compare before, also those still below the bands.",
            RAISED,
            rising,
            ("Rise", True),
            14,
            12,
            unit="none",
            unit_text="scores 0 to 100, points of it; ARR in $currency",
        ),
        board.bar_gauge(
            "Recommendations",
            "Accounts for which a rule recommends the action; each counts once per action.",
            count(*ACTIONS),
            10,
            12,
            unit="none",
            decimals=0,
            unit_text="accounts",
            defaults={"color": fixed("blue")},
        ),
    ]
    outcome = [
        board.lines(
            "Recovery",
            "Of the accounts whose health was at risk or critical at the start of the window, the share that is healthy or moderate at its"
            " end: what rescue came to. It tells what happened, not what caused it.",
            [
                Target(ratio(total("health_recovered_accounts", window=w), total("health_recovery_base_accounts", window=w)), n)
                for w, n in (("30d", "in 30 days"), ("90d", "in 90 days"))
            ],
            12,
            8,
            unit="percentunit",
            unit_text="share of accounts",
            defaults={"min": 0},
            overrides=[by_name("in 30 days", color=fixed("blue")), by_name("in 90 days", color=fixed("green"))],
        ),
        board.lines(
            "Customers and revenue lost over 90 days",
            "Paying accounts of 90 days before each instant that pay nothing at it, by all that paid then; and the revenue of 90 days before"
            " that churn and contraction have taken since.",
            [
                Target(ratio(total("accounts_lost", window="90d"), total("accounts_opening", window="90d")), "Logo churn"),
                Target(
                    ratio(
                        f"({total('arr_movement', kind='churn', window='90d')} +"
                        f" {total('arr_movement', kind='contraction', window='90d')})",
                        total("arr_opening", window="90d"),
                    ),
                    "Revenue churn · $currency",
                ),
            ],
            12,
            8,
            unit="percentunit",
            unit_text="share of accounts, of revenue",
            defaults={"min": 0},
            custom={"axisSoftMax": 0.05},
            overrides=[by_name("Logo churn", color=fixed("red")), board.by_regex("/^Revenue/", color=fixed("orange"))],
        ),
    ]
    return board.dashboard(
        "crm-churn-risk",
        "CRM · Churn risk",
        "Who leaves next, what does it cost, and what to do?",
        variables(CURRENCY, COMPARE),
        [("What is at stake", stats), ("Over time", over_time), ("Why, and what to do", why), ("Who", whom), ("What came of it", outcome)],
        links=LINKS,
    )
