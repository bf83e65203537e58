# SPDX-License-Identifier: MIT
"""Executive: are we keeping and growing our customers?"""

import board
from board import Target, by_name, fixed, steps
from common import (
    COMPARE,
    CURRENCY,
    FILTERS,
    HEALTH_STEPS,
    LINKS,
    MONEY,
    RISK_STEPS,
    WINDOW,
    WORST_FACTOR,
    account_table,
    alerts,
    change_cell,
    dashed_compare,
    each,
    factor_cell,
    headline,
    link,
    money_cell,
    paint,
    score_cell,
    to,
    variables,
)
from promql import accounts, by, earlier, change, ratio, sel, total
from style import BANDS, GOLD, MOVEMENTS, RISKS

MEAN_HEALTH = ratio(total("health_score_points"), total("health_score_accounts", le="+Inf"))
MEAN_RISK = ratio(total("churn_risk_points"), total("churn_risk_accounts", le="+Inf"))
NPS = "100 * " + ratio(
    f"({total('nps_responses', category='promoter', window='90d')} - {total('nps_responses', category='detractor', window='90d')})",
    total("nps_responses", window="90d"),
)
NRR = ratio(total("arr_retained_net", window="$window"), total("arr_retention_base", window="$window"))
GRR = ratio(total("arr_retained_gross", window="$window"), total("arr_retention_base", window="$window"))
ARR = total("arr")
RISKY = f"topk(10, {accounts('account_churn_risk_score')})"


def build():
    health, churn, revenue, kpis = (to("crm-" + d, *FILTERS) for d in ("health", "churn-risk", "revenue", "kpis"))
    headlines = [
        headline(
            "Accounts",
            "Accounts by the CRM, churned ones included.",
            total("accounts"),
            None,
            unit="none",
            unit_text="accounts",
            links=[link("Customer health", health)],
        ),
        headline(
            "Active accounts",
            "Accounts whose recorded status is active.",
            total("accounts", status="active"),
            "up",
            unit="none",
            unit_text="accounts",
            links=[link("Customer health", health)],
        ),
        headline(
            "Accounts at risk",
            "Accounts whose recorded status is at risk: what the CRM says, not the computed score.",
            total("accounts", status="at_risk"),
            "down",
            unit="none",
            unit_text="accounts",
            links=[link("Churn risk", churn)],
        ),
        headline(
            "Churned accounts",
            "Accounts whose recorded status is churned, ever.",
            total("accounts", status="churned"),
            "down",
            unit="none",
            unit_text="accounts",
            links=[link("Churn risk", churn)],
        ),
        headline(
            "Mean health score",
            "Sum of health scores by the number of accounts that have one; every account counts once.",
            MEAN_HEALTH,
            "up",
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100, higher is better",
            links=[link("Customer health", health)],
            thresholds=HEALTH_STEPS,
        ),
        headline(
            "Mean churn risk",
            "Sum of churn risk scores by the number of accounts that have one. A score, not a probability.",
            MEAN_RISK,
            "down",
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100, lower is better",
            links=[link("Churn risk", churn)],
            thresholds=RISK_STEPS,
        ),
        headline(
            "ARR · $currency",
            "Annual recurring revenue of the accounts that pay in $currency; the change is in per cent.",
            ARR,
            "up",
            delta=ratio(f"({change(ARR)})", earlier(ARR)),
            delta_unit="percentunit",
            unit=MONEY,
            unit_text="$currency a year",
            links=[link("Revenue and retention", revenue)],
        ),
        headline(
            "Net promoter score",
            "Share of promoters (9, 10) less that of detractors (0 to 6) among the answers of the last 90 days.",
            NPS,
            "up",
            unit="none",
            decimals=0,
            unit_text="points, -100 to 100",
            links=[link("KPIs", kpis)],
            thresholds=steps("red", (0, GOLD), (30, "green")),
        ),
    ]
    money = [
        board.lines(
            "ARR · $currency",
            "Annual recurring revenue, and what it was $compare before.",
            [Target(ARR, "ARR"), Target(earlier(ARR), "$compare before")],
            9,
            8,
            fill=12,
            unit=MONEY,
            unit_text="$currency a year",
            overrides=[by_name("ARR", color=fixed("blue")), dashed_compare()],
            defaults={"min": 0},
        ),
        board.bar_gauge(
            "ARR movements over $window · $currency",
            "Net movement of each account between the two ends of the window, by kind. Opening revenue, plus the gains, less contraction"
            " and churn, is closing revenue.",
            each(MOVEMENTS, lambda k: total("arr_movement", kind=k, window="$window"), instant=True),
            7,
            8,
            unit=MONEY,
            unit_text="$currency a year",
            overrides=paint(MOVEMENTS),
        ),
        board.lines(
            "Retention over $window · $currency",
            "Revenue now of the accounts that paid at the start of the window, by their revenue then: net with their expansion, gross"
            " without. The line marks 100 %.",
            [Target(NRR, "Net (NRR)"), Target(GRR, "Gross (GRR)")],
            8,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[by_name("Net (NRR)", color=fixed("green")), by_name("Gross (GRR)", color=fixed("blue"))],
            thresholds=steps("transparent", (1, LINE)),
            custom={"thresholdsStyle": {"mode": "line"}, "axisSoftMin": 0.8, "axisSoftMax": 1.1},
        ),
    ]
    risk = [
        board.donut(
            "Accounts by health",
            "Accounts by band of the computed health score: healthy from 80, moderate from 60, at risk from 40.",
            each(BANDS, lambda b: total("accounts_by_health", band=b), instant=True),
            6,
            8,
            unit="none",
            unit_text="accounts",
            overrides=paint(BANDS),
            links=[link("Customer health", health)],
        ),
        board.donut(
            "ARR by churn risk · $currency",
            "Annual recurring revenue by band of the churn risk score: low below 25, medium below 50, high up to 70.",
            each(RISKS, lambda b: total("arr_by_risk", band=b), instant=True),
            6,
            8,
            unit=MONEY,
            unit_text="$currency a year",
            overrides=paint(RISKS),
            links=[link("Churn risk", churn)],
        ),
        board.bar_chart(
            "Renewals due · $currency",
            "Annual value of contracts in force that end within 30, 60 and 90 days, by what is decided; the later horizons include the"
            " earlier ones.",
            [Target(by("horizon", "renewal_arr_upcoming", result=r, horizon=None), table=True) for r in ("renewed", "undecided", "lost")],
            "horizon",
            4,
            8,
            orientation="vertical",
            unit=MONEY,
            unit_text="$currency a year",
            transformations=[
                {"id": "joinByField", "options": {"byField": "horizon", "mode": "outer"}},
                {"id": "filterFieldsByName", "options": {"include": {"names": ["horizon", "Value #A", "Value #B", "Value #C"]}}},
            ],
            overrides=[
                by_name("Value #A", displayName="Renewed", color=fixed("green")),
                by_name("Value #B", displayName="Undecided", color=fixed(GOLD)),
                by_name("Value #C", displayName="Lost", color=fixed("red")),
            ],
            links=[link("Revenue and retention", revenue)],
        ),
        alerts(8, 8),
        account_table(
            "The ten accounts most at risk",
            "The highest churn risk scores, how the health score has changed against $compare before, and the factor that is worst. Click"
            " an account for everything about it.",
            RISKY,
            [
                ("ARR", sel("account_arr"), money_cell()),
                ("Churn risk", RISKY, score_cell(RISK_STEPS)),
                ("Health", sel("account_health_score"), score_cell(HEALTH_STEPS)),
                ("Health change", change(sel("account_health_score")), change_cell(width=120)),
                ("Worst factor", (WORST_FACTOR, "factor"), factor_cell()),
            ],
            ("Churn risk", True),
            24,
            12,
            unit="none",
            unit_text="scores 0 to 100; ARR in $currency",
        ),
    ]
    return board.dashboard(
        "crm-executive",
        "CRM · Executive",
        "Are we keeping and growing our customers? Figures, revenue, risk, and whom to call.",
        variables(CURRENCY, WINDOW, COMPARE),
        [("Where we stand", headlines), ("Revenue", money), ("Risk", risk)],
        links=LINKS,
    )


LINE = "rgba(115, 191, 105, 0.6)"
