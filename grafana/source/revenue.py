# SPDX-License-Identifier: MIT
"""Revenue and retention: where does revenue come from, and where does it go?"""

import board
from board import Target, by_name, fixed, steps
from common import (
    COMPARE,
    CURRENCY,
    HEALTH_STEPS,
    LINKS,
    MONEY,
    RISK_STEPS,
    WINDOW,
    account_table,
    dashed_compare,
    each,
    headline,
    money_cell,
    paint,
    score_cell,
    variables,
)
from promql import accounts, by, change, earlier, ratio, sel, total
from style import GOLD, LOSSES, MOVEMENTS, RESULTS

ARR = total("arr")
PARTS = {k: total("arr_movement", kind=k, window="$window") for k in MOVEMENTS}
NRR = ratio(total("arr_retained_net", window="$window"), total("arr_retention_base", window="$window"))
GRR = ratio(total("arr_retained_gross", window="$window"), total("arr_retention_base", window="$window"))
GOOD = steps("red", (0.8, "orange"), (0.9, GOLD), (1, "green"))
# Blue where a cohort has grown, over green to red where it has shrunk.
RETENTION = steps(
    "transparent",
    (0, "#e02f44"),
    (0.5, "#ff9830"),
    (0.7, "#f2cc0c"),
    (0.85, "#96d98d"),
    (0.95, "#37872d"),
    (1.05, "#3274d9"),
    (1.5, "#174a99"),
)
STAGES = {"open": ("Open", "blue"), "won": ("Won in $window", "green"), "lost": ("Lost in $window", "red")}
KINDS = {"new": "New", "upsell": "Upsell", "cross_sell": "Cross-sell", "expansion": "Expansion", "renewal": "Renewal"}
BIG = f"topk(10, {accounts('account_arr')})"


def columns_of(label, targets, names):
    fields = [f"Value #{chr(65 + i)}" for i in range(len(targets))]
    return {
        "transformations": [
            {"id": "joinByField", "options": {"byField": label, "mode": "outer"}},
            {"id": "filterFieldsByName", "options": {"include": {"names": [label, *fields]}}},
            {"id": "sortBy", "options": {"sort": [{"field": label}]}},
        ],
        "overrides": [by_name(f, displayName=n[0], color=fixed(n[1])) for f, n in zip(fields, names)],
    }


# Months of age that are shown: all of the first year, then every third.
AGES = [*range(13), 15, 18, 21]


def cohorts(title, about, family):
    share = (
        f"sum by (cohort, age) ({sel(family, age=('=~', '|'.join(map(str, AGES))))}) / on (cohort) group_left () (sum by (cohort)"
        f" ({sel(family, age='0')}) > 0)"
    )
    padded = f'label_replace({share}, "age", "0$1", "age", "(.)")'
    return board.matrix(
        title,
        about + " All of the first year, then every third month.",
        Target(padded, table=True),
        "cohort",
        "age",
        (),
        width=24,
        height=25,  # 24 months and the heading
        heading="Cohort",
        first=80,
        cell=50,
        unit="percentunit",
        decimals=0,
        unit_text="share of the month of the cohort, by months of age",
        thresholds=RETENTION,
        no_value="",
        overrides=[by_name(f"{i:02d}", displayName=str(i)) for i in AGES],
    )


def build():
    money = {"unit": MONEY, "unit_text": "$currency a year"}
    gained = " + ".join(PARTS[k] for k in ("new", "expansion", "reactivation"))
    lost = " + ".join(PARTS[k] for k in LOSSES)
    stats = [
        headline(
            "ARR · $currency",
            "Annual recurring revenue of the accounts that pay in $currency; the change is in per cent.",
            ARR,
            "up",
            delta=ratio(f"({change(ARR)})", earlier(ARR)),
            delta_unit="percentunit",
            size=28,
            **money,
        ),
        headline(
            "Net retention over $window",
            "Revenue now of the accounts that paid at the start of the window, expansion included, by their revenue then.",
            NRR,
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="ratio",
            thresholds=GOOD,
            size=28,
        ),
        headline(
            "Gross retention over $window",
            "The same without expansion: of each account the lesser of then and now. Never above 100 %.",
            GRR,
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="ratio",
            thresholds=GOOD,
            size=28,
        ),
        headline(
            "ARR growth over $window",
            "Closing less opening annual recurring revenue of the window, by the opening one; not annualised.",
            ratio(
                f"({total('arr_closing', window='$window')} - {total('arr_opening', window='$window')})",
                total("arr_opening", window="$window"),
            ),
            "up",
            unit="percentunit",
            decimals=1,
            unit_text="ratio",
            thresholds=steps("red", (0, "green")),
            size=28,
        ),
        board.stat(
            "Quick ratio",
            "What was gained over $window (new, expansion, reactivation) by what was lost (contraction, churn). Nothing lost: no value.",
            Target(ratio(f"({gained})", f"({lost})"), "Quick ratio"),
            4,
            4,
            unit="none",
            decimals=1,
            unit_text="ratio",
            thresholds=steps("red", (1, GOLD), (4, "green")),
            no_value="nothing lost",
        ),
        board.stat(
            "ARPA a month · $currency",
            "Average revenue per account: monthly recurring revenue by paying accounts.",
            Target(ratio(total("mrr"), total("arr_accounts")), "ARPA"),
            4,
            4,
            unit=MONEY,
            unit_text="$currency a month",
        ),
        board.stat(
            "ACV · $currency",
            "Average contract value: annual recurring revenue by contracts in force of paying accounts.",
            Target(ratio(ARR, total("contracts_in_force")), "ACV"),
            4,
            4,
            **money,
        ),
        board.stat(
            "LTV · all segments",
            "Lifetime value of a customer, not filtered by segment and owner: monthly revenue per account times the gross margin of the"
            " configuration (1 if none) by the monthly churn of customers of the last six complete months; the lifetime is capped. Nobody"
            " churned: no value.",
            Target("max by (tenant) (" + sel("customer_lifetime_value") + ")", "{{tenant}}"),
            4,
            4,
            unit=MONEY,
            unit_text="$currency",
        ),
        board.stat(
            "Committed for 90d",
            "Annual recurring revenue less what is known to end within 90 days, and its share of all.",
            [
                Target(total("arr_committed", horizon="90d"), "ARR"),
                Target(ratio(total("arr_committed", horizon="90d"), ARR), "Share", instant=True),
            ],
            4,
            4,
            orientation="vertical",
            overrides=[by_name("Share", unit="percentunit", decimals=0)],
            text={"titleSize": 12, "valueSize": 24},
            **money,
        ),
        board.stat(
            "Unknown revenue",
            "Accounts not churned whose recurring revenue nobody has recorded. It is in no sum of revenue.",
            Target(total("accounts_unpriced", currency=None), "Accounts"),
            4,
            4,
            unit="none",
            decimals=0,
            unit_text="accounts",
            thresholds=steps("text", (1, GOLD)),
        ),
    ]
    months = [
        Target(("-1 * " if k in LOSSES else "") + f"sum by (month) ({sel('arr_month_movement', kind=k)})", table=True) for k in MOVEMENTS
    ]
    flow = [
        board.bar_chart(
            "ARR movements by month · $currency · all segments",
            "Net movement of annual recurring revenue per account from the end of one calendar month to that of the next, by kind; "
            "losses below the axis. The last month is still running.",
            months,
            "month",
            14,
            9,
            rotate=-30,
            **money,
            **columns_of("month", months, MOVEMENTS.values()),
        ),
        board.bar_gauge(
            "Movements over $window · $currency",
            "The same between the two ends of the window, for the chosen segments: opening, what came and went, closing. A long window is"
            " not the sum of months.",
            [
                Target(total("arr_opening", window="$window"), "Opening", instant=True),
                *each(MOVEMENTS, PARTS.get, instant=True),
                Target(total("arr_closing", window="$window"), "Closing", instant=True),
            ],
            10,
            9,
            overrides=[*paint(MOVEMENTS), by_name("Opening", color=fixed("#8e8e8e")), by_name("Closing", color=fixed("blue"))],
            text={"titleSize": 11, "valueSize": 16},
            **money,
        ),
        board.lines(
            "ARR · $currency",
            "Annual recurring revenue, and what it was $compare before.",
            [Target(ARR, "ARR"), Target(earlier(ARR), "$compare before")],
            8,
            8,
            fill=12,
            overrides=[by_name("ARR", color=fixed("blue")), dashed_compare()],
            defaults={"min": 0},
            **money,
        ),
        board.lines(
            "ARR by segment · $currency",
            "Annual recurring revenue by segment of the account.",
            [Target(by("segment", "arr"), "{{segment}}")],
            8,
            8,
            stack=True,
            **money,
        ),
        board.lines(
            "Retention over $window · $currency",
            "Net and gross revenue retention of the window that ends at each instant. The line marks 100 %.",
            [Target(NRR, "Net (NRR)"), Target(GRR, "Gross (GRR)")],
            8,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[by_name("Net (NRR)", color=fixed("green")), by_name("Gross (GRR)", color=fixed("blue"))],
            thresholds=steps("transparent", (1, "rgba(115, 191, 105, 0.6)")),
            custom={"thresholdsStyle": {"mode": "line"}, "axisSoftMin": 0.8, "axisSoftMax": 1.1},
        ),
    ]
    kept = [
        cohorts(
            "Revenue by cohort · $currency · all segments",
            "Annual recurring revenue of the accounts that began to pay in the month of the row, so many months later, by that of their"
            " first month: green where it is kept, blue where it has grown.",
            "cohort_arr",
        ),
        cohorts(
            "Customers by cohort · $currency · all segments",
            "Paying accounts of the cohort so many months later, by those of its first month.",
            "cohort_accounts",
        ),
    ]
    due = [Target(by("horizon", "renewal_arr_upcoming", result=r, horizon=None), table=True) for r in RESULTS]
    deals = [Target(by("kind", "opportunity_arr", opportunity_stage=s, window="$window"), table=True) for s in STAGES]
    pipeline = columns_of("kind", deals, STAGES.values())
    pipeline["overrides"].append(by_name("kind", mappings=board.value_map(KINDS)))
    ahead = [
        board.bar_chart(
            "Renewals ahead · $currency",
            "Annual value of contracts in force that end within 30, 60 and 90 days, by what is decided; the later horizons include the"
            " earlier ones.",
            due,
            "horizon",
            8,
            8,
            **money,
            **columns_of("horizon", due, RESULTS.values()),
        ),
        board.bar_chart(
            "Pipeline · $currency",
            "Annual value of sales opportunities by kind, not weighted: open now, and won and lost within the window.",
            deals,
            "kind",
            8,
            8,
            stacking="none",
            **money,
            **pipeline,
        ),
        board.bar_gauge(
            "Concentration · $currency · all segments",
            "Share of annual recurring revenue that the largest accounts hold.",
            [
                Target(f"max by (top) ({sel('arr_concentration_ratio', top=n)})", f"Top {n}" if n != "1" else "Largest", instant=True)
                for n in ("1", "5", "10", "20")
            ],
            8,
            8,
            unit="percentunit",
            decimals=1,
            unit_text="share of revenue",
            defaults={"min": 0, "max": 1},
            thresholds=steps("green", (0.25, GOLD), (0.5, "orange"), (0.75, "red")),
        ),
        board.stat(
            "Renewed over 1y · $currency",
            "Of the annual value of contracts that ended in the last year and of which it is known what they became: gross counts of each"
            " the lesser of before and after.",
            [
                Target(ratio(total("renewal_arr_renewed_gross", window="1y"), total("renewal_arr_base", window="1y")), "Gross"),
                Target(ratio(total("renewal_arr_renewed", window="1y"), total("renewal_arr_base", window="1y")), "Net", instant=True),
            ],
            6,
            5,
            orientation="vertical",
            unit="percentunit",
            decimals=1,
            unit_text="ratio",
            thresholds=GOOD,
            text={"titleSize": 12, "valueSize": 32},
        ),
        board.stat(
            "Expansion with success · $currency",
            "Share of the year's expansion of accounts that had achieved a goal or had an engagement of positive outcome in the 90 days"
            " before. Together is not because of.",
            Target(
                ratio(total("success_driven_expansion_arr", window="1y"), total("arr_movement", kind="expansion", window="1y")), "Share"
            ),
            6,
            5,
            unit="percentunit",
            decimals=0,
            unit_text="share of expansion",
        ),
        board.stat(
            "Adds up · all segments",
            "Closing revenue less opening revenue and all movements, over all windows: the largest difference. It must be 0; anything else"
            " is shown, and means that the figures are wrong.",
            Target("max(abs(" + sel("arr_identity_residual", currency=None, window=None) + "))", "Residual"),
            6,
            5,
            unit="none",
            decimals=2,
            unit_text="major units of any currency",
            defaults={"mappings": board.value_map({"0": "yes"})},
            thresholds=steps("green", (1e-9, "red")),
        ),
        board.stat(
            "Customers over $window",
            "Accounts that pay now and did not then, came back, and went.",
            [
                Target(total("accounts_won", window="$window"), "Won", instant=True),
                Target(total("accounts_reactivated", window="$window"), "Back", instant=True),
                Target(total("accounts_lost", window="$window"), "Lost", instant=True),
            ],
            6,
            5,
            unit="none",
            decimals=0,
            orientation="vertical",
            unit_text="accounts",
            overrides=[
                by_name("Won", thresholds=steps("blue")),
                by_name("Back", thresholds=steps("purple")),
                by_name("Lost", thresholds=steps("red")),
            ],
            text={"titleSize": 12, "valueSize": 32},
        ),
    ]
    who = [
        account_table(
            "The largest accounts · $currency",
            "The ten accounts that pay most, with their share of the revenue chosen, their health and churn risk. Click an account for"
            " everything about it.",
            BIG,
            [
                ("ARR", BIG, money_cell(100)),
                (
                    "Share",
                    f"{sel('account_arr')} / on () group_left () ({ARR} > 0)",
                    {"unit": "percentunit", "decimals": 1, "custom_width": 80},
                ),
                ("Health", sel("account_health_score"), score_cell(HEALTH_STEPS)),
                ("Churn risk", sel("account_churn_risk_score"), score_cell(RISK_STEPS)),
            ],
            ("ARR", True),
            24,
            12,
            unit="none",
            unit_text="$currency a year; scores 0 to 100",
        )
    ]
    return board.dashboard(
        "crm-revenue",
        "CRM · Revenue and retention",
        "Where does revenue come from, and where does it go?",
        variables(CURRENCY, WINDOW, COMPARE),
        [
            ("At a glance", stats),
            ("Movements", flow),
            ("Cohorts by revenue", kept[:1]),
            ("What lies ahead", ahead),
            ("Who", who),
            ("Cohorts by customers", kept[1:]),
        ],
        links=LINKS,
    )
