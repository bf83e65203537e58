# SPDX-License-Identifier: MIT
"""Customer-success KPIs: the eight figures a customer-success team answers for, and what they are made of."""

import board
from board import Column, Target, by_name, fixed, steps
from common import COMPARE, CURRENCY, HEALTH_STEPS, LINKS, WINDOW, each, headline, link, paint, percent_cell, to, variables
from promql import by, ratio, sel, total
from style import CATEGORIES, GOALS, GOLD, ONBOARDING

HEALTH = ratio(total("health_score_points"), total("health_score_accounts", le="+Inf"))
ANSWERS = {c: total("nps_responses", category=c, window="90d") for c in CATEGORIES}
N = total("nps_responses", window="90d")
NPS = "100 * " + ratio(f"({ANSWERS['promoter']} - {ANSWERS['detractor']})", N)
# 100 sqrt((p + d - (p - d)^2) / n) of the shares, in counts
ERROR = (
    f"100 * sqrt(({ANSWERS['promoter']} + {ANSWERS['detractor']}) / ({N} > 0) - (({ANSWERS['promoter']} - {ANSWERS['detractor']}) / ({N} >"
    f" 0)) ^ 2) / sqrt({N} > 0)"
)
CHURN = ratio(total("accounts_lost", window="$window"), total("accounts_opening", window="$window"))
ENGAGEMENT = ratio(total("health_factor_points", factor="engagement"), total("health_factor_accounts", factor="engagement"))
SEATS = ratio(total("adoption_active_users"), total("adoption_seats"))
# These three are not published over 7 days.
LONG = {"window": "90d"}
GOALS_MET = ratio(total("goals_due", result="achieved", **LONG), total("goals_due", **LONG))
RENEWED = ratio(total("renewals_due", result="renewed", **LONG), total("renewals_due", **LONG))
SCORE = {"unit": "none", "decimals": 1, "custom_width": 78, "thresholds": HEALTH_STEPS, "custom_cellOptions": {"type": "color-text"}}
ENGAGED = {"factor": "engagement"}
PARTS = [
    ("Health", "health_score_points", {}, "health_score_accounts", {"le": "+Inf"}, SCORE),
    ("Adoption", "adoption_active_users", {}, "adoption_seats", {}, percent_cell(80)),
    ("Engagement", "health_factor_points", ENGAGED, "health_factor_accounts", ENGAGED, dict(SCORE, custom_width=104)),
    ("Churn", "accounts_lost", {"window": "$window"}, "accounts_opening", {"window": "$window"}, percent_cell(57)),
    ("Goals", "goals_due", {"result": "achieved", **LONG}, "goals_due", LONG, percent_cell(57)),
    ("Renewals", "renewals_due", {"result": "renewed", **LONG}, "renewals_due", LONG, percent_cell(82)),
]


def breakdown(title, label, heading, variable):
    targets = [Target(ratio(by(label, a, **am), by(label, b, **bm), label), table=True) for _, a, am, b, bm, _ in PARTS]
    columns = [
        Column(
            label,
            heading,
            custom_minWidth=90,
            links=[link("Only this one", to("crm-kpis", "tenant") + f"&var-{variable}=${{__value.text}}")],
        )
    ]
    columns += [Column(f"Value #{chr(65 + i)}", p[0], **dict(p[5], noValue="–")) for i, p in enumerate(PARTS)]
    return board.table(
        title,
        "The KPIs that have parts per cell: mean health, active users by seats, engagement factor, churn of customers over $window, goals"
        " achieved and contracts renewed of those due in 90 days. A dash: nothing to divide by. A click filters this dashboard.",
        targets,
        12,
        12,
        columns=columns,
        transformations=[{"id": "joinByField", "options": {"byField": label, "mode": "outer"}}],
        sort=("Health", False),
        unit="none",
        unit_text="score, 0 to 100; per cent",
    )


def wait(quantile):
    return "max by (tenant) (" + sel("time_to_value_seconds", quantile=quantile) + ") / 86400"


def build():
    stats = [
        headline(
            "Customer health score",
            "Mean health score of accounts that have one.",
            HEALTH,
            "up",
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=HEALTH_STEPS,
        ),
        headline(
            "Net promoter score",
            "Share of promoters less that of detractors among the answers of the last 90 days.",
            NPS,
            "up",
            unit="none",
            decimals=0,
            unit_text="points, -100 to 100",
            thresholds=steps("red", (0, GOLD), (30, "green")),
        ),
        headline(
            "Churn rate over $window",
            "Paying accounts of the start of the window that pay nothing now, by all that paid then.",
            CHURN,
            "down",
            unit="percentunit",
            decimals=1,
            unit_text="share of customers",
            thresholds=steps("green", (0.05, GOLD), (0.1, "red")),
        ),
        board.stat(
            "Time to value, days · all segments",
            "Days from the start to the first value by which half of the accounts have it, by Kaplan-Meier: those still waiting count.",
            Target(wait("0.5"), "{{tenant}}"),
            6,
            4,
            unit="none",
            decimals=0,
            unit_text="days",
            thresholds=steps("text"),
            text={"titleSize": 12, "valueSize": 32},
        ),
        headline(
            "Adoption rate",
            "Distinct users active in 28 days by seats bought, of accounts for which both are known.",
            SEATS,
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="users by seats",
            thresholds=steps("red", (0.4, "orange"), (0.6, GOLD), (0.8, "green")),
        ),
        headline(
            "Engagement score",
            "Mean of the engagement factor of the health score over the accounts for which it is known.",
            ENGAGEMENT,
            "up",
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=HEALTH_STEPS,
        ),
        headline(
            "Goal completion over 90d",
            "Achieved by achieved, missed and overdue goals whose target lies in the last 90 days.",
            GOALS_MET,
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="share of goals due",
            thresholds=steps("red", (0.5, "orange"), (0.7, GOLD), (0.85, "green")),
        ),
        headline(
            "Renewal rate over 90d",
            "Contracts renewed of those that ended in the last 90 days; undecided ones are not renewed.",
            RENEWED,
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="share of contracts",
            thresholds=steps("red", (0.8, "orange"), (0.9, GOLD), (0.95, "green")),
        ),
    ]
    voice = [
        board.lines(
            "Net promoter score and its standard error",
            "The score of the last 90 days at each instant, and one standard error to either side: a move within the band may be chance.",
            [Target(f"{NPS} - {ERROR}", "Lower"), Target(f"{NPS} + {ERROR}", "Upper"), Target(NPS, "NPS")],
            8,
            8,
            unit="none",
            unit_text="points, -100 to 100",
            overrides=[
                by_name("NPS", color=fixed("blue")),
                by_name("Lower", color=fixed("blue"), custom_lineWidth=0, custom_hideFrom={"legend": True, "tooltip": False, "viz": False}),
                by_name(
                    "Upper",
                    color=fixed("blue"),
                    custom_lineWidth=0,
                    custom_fillBelowTo="Lower",
                    custom_fillOpacity=15,
                    custom_hideFrom={"legend": True, "tooltip": False, "viz": False},
                ),
            ],
        ),
        board.donut(
            "Answers of 90 days",
            "Answers to the promoter question: promoters 9 and 10, passives 7 and 8, detractors 0 to 6; of repeated answers of one person"
            " the latest.",
            each(CATEGORIES, ANSWERS.get, instant=True),
            6,
            8,
            unit="none",
            unit_text="answers",
            overrides=paint(CATEGORIES),
        ),
        board.lines(
            "Health and engagement",
            "Mean health score and mean engagement factor at each instant.",
            [Target(HEALTH, "Health"), Target(ENGAGEMENT, "Engagement")],
            10,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            overrides=[by_name("Health", color=fixed("blue")), by_name("Engagement", color=fixed("orange"))],
            custom={"axisSoftMin": 40, "axisSoftMax": 100},
        ),
    ]
    features = ratio(
        total("health_input_points", factor="product_usage", input="feature_adoption"),
        total("health_input_accounts", factor="product_usage", input="feature_adoption"),
    )
    value = [
        board.lines(
            "Adoption",
            "Three different numbers: active users by seats; accounts with any active user by all; mean share of features used.",
            [
                Target(SEATS, "Seats"),
                Target(ratio(total("adoption_active_accounts"), total("adoption_accounts")), "Accounts"),
                Target(f"{features} / 100", "Features"),
            ],
            8,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[
                by_name("Seats", color=fixed("blue")),
                by_name("Accounts", color=fixed("green")),
                by_name("Features", color=fixed("purple")),
            ],
            custom={"axisSoftMin": 0, "axisSoftMax": 1},
        ),
        board.lines(
            "Time to value · all segments",
            "Days from the start to the first value by which half, and nine of ten, of the accounts have it.",
            [Target(wait("0.5"), "{{tenant}} · half"), Target(wait("0.9"), "{{tenant}} · 90 %")],
            8,
            8,
            unit="none",
            unit_text="days",
            defaults={"min": 0},
        ),
        board.donut(
            "First value",
            "Accounts that got their first value before they churned, and those that have not.",
            [
                Target(total("time_to_value_accounts", reached="true"), "Reached", instant=True),
                Target(total("time_to_value_accounts", reached="false"), "Waiting, or churned", instant=True),
            ],
            8,
            8,
            unit="none",
            unit_text="accounts",
            overrides=[by_name("Reached", color=fixed("green")), by_name("Waiting, or churned", color=fixed("#8e8e8e"))],
        ),
    ]
    work = [
        board.donut(
            "Goals",
            "Goals of accounts not churned by status; an open goal is overdue once the day of its target is over.",
            each(GOALS, lambda s: total("goals", status=s), instant=True),
            6,
            8,
            unit="none",
            unit_text="goals",
            overrides=paint(GOALS),
        ),
        board.donut(
            "Onboarding",
            "Accounts by the state of the onboarding that began last.",
            each(ONBOARDING, lambda s: total("onboarding_accounts", state=s), instant=True),
            6,
            8,
            unit="none",
            unit_text="accounts",
            overrides=paint(ONBOARDING),
        ),
        board.lines(
            "Goals and renewals over 90d",
            "Goals achieved of those due, and contracts renewed of those that ended, in the 90 days up to each instant.",
            [Target(GOALS_MET, "Goals"), Target(RENEWED, "Renewals")],
            6,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[by_name("Goals", color=fixed("blue")), by_name("Renewals", color=fixed("green"))],
            custom={"axisSoftMin": 0, "axisSoftMax": 1},
        ),
        board.lines(
            "Churn over $window",
            "Customers lost by customers at the start of the window; revenue lost, contraction included, by revenue at the start.",
            [
                Target(CHURN, "Customers"),
                Target(
                    ratio(
                        f"({total('arr_movement', kind='churn', window='$window')} +"
                        f" {total('arr_movement', kind='contraction', window='$window')})",
                        total("arr_opening", window="$window"),
                    ),
                    "Revenue · $currency",
                ),
            ],
            6,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[by_name("Customers", color=fixed("red")), board.by_regex("/^Revenue/", color=fixed("orange"))],
            defaults={"min": 0},
            custom={"axisSoftMax": 0.05},
        ),
    ]
    where = [breakdown("By segment", "segment", "Segment", "segment"), breakdown("By owner", "account_owner", "Owner", "owner")]
    return board.dashboard(
        "crm-kpis",
        "CRM · Customer-success KPIs",
        "The eight figures a customer-success team answers for, and what they are made of.",
        variables(CURRENCY, WINDOW, COMPARE),
        [("The eight", stats), ("What customers say", voice), ("Value", value), ("Work", work), ("Where", where)],
        links=LINKS,
    )
