# SPDX-License-Identifier: MIT
"""Customer health: which accounts are getting worse, and why?"""

import board
from board import Column, Target, by_name, by_regex, fixed, steps, value_map
from common import (
    COMPARE,
    HEALTH_STEPS,
    LINKS,
    PERIOD,
    RATIO_STEPS,
    account_table,
    change_cell,
    dashed_compare,
    each,
    headline,
    histogram,
    link,
    paint,
    percent_cell,
    score_cell,
    to,
    variables,
)
from promql import by, change, earlier, ordered, ratio, sel, total
from style import BANDS, FACTORS, GOLD, TRENDS, readable, texts, words

OPEN = total("accounts_by_health")
MEAN = ratio(total("health_score_points"), total("health_score_accounts", le="+Inf"))
INPUTS = {
    "product_usage": ("login_frequency", "feature_adoption", "session_duration", "user_activity"),
    "support": ("ticket_volume", "ticket_severity", "resolution_time", "satisfaction"),
    "engagement": ("meeting_frequency", "response_rate", "outcome_quality", "stakeholder_participation"),
    "business": ("contract_value", "payment_history", "expansion_opportunity", "renewal_likelihood"),
}
FROM = ["healthy", "moderate", "at_risk", "critical", "unscored", "churned", "new"]
MOVED = change(sel("account_health_score"), "$period")


def movers(title, about, choose):
    sign = "> 0" if choose == "topk" else "< 0"
    driver = (
        f"{choose}(10, (({MOVED}) {sign}) and on (tenant, account)"
        ' crm_account_info{tenant=~"$tenant",segment=~"$segment",account_owner=~"$owner"})'
    )
    return account_table(
        title,
        about,
        driver,
        [
            ("Health", sel("account_health_score"), score_cell(HEALTH_STEPS)),
            ("Change", driver, change_cell()),
            ("Trend, 30 d", sel("account_health_slope"), change_cell(width=105)),
        ],
        ("Change", choose == "topk"),
        12,
        12,
        owner=False,
        no_value="nobody moved that way",
        unit="none",
        unit_text="score, 0 to 100, and points of it",
    )


def breakdown(title, label, heading):
    below = by(label, "health_score_accounts", le="+Inf")
    mean = ratio(by(label, "health_score_points"), below, label)
    columns = [
        ("Accounts", f"{by(label, 'accounts_by_health')} > 0", {"decimals": 0, "custom_width": 85}),
        ("Mean score", mean, score_cell(HEALTH_STEPS, 120)),
        (
            "Change",
            ratio(by(label, "health_change_points", window="$period"), by(label, "health_change_accounts", window="$period"), label),
            change_cell(),
        ),
        ("Healthy", ratio(by(label, "accounts_by_health", band="healthy"), by(label, "accounts_by_health"), label), percent_cell(80)),
        ("Critical", ratio(by(label, "accounts_by_health", band="critical"), by(label, "accounts_by_health"), label), percent_cell(80)),
    ]
    shown = [
        Column(
            label,
            heading,
            custom_minWidth=100,
            links=[
                link("Only this one", to("crm-health", "tenant") + f"&var-{'segment' if label == 'segment' else 'owner'}=${{__value.text}}")
            ],
        )
    ]
    shown += [Column(f"Value #{chr(65 + i)}", c[0], **c[2]) for i, c in enumerate(columns)]
    return board.table(
        title,
        "Accounts, their mean score, its mean change over $period among the accounts that had a score at both ends, and the shares of the "
        "bands. A click filters this dashboard.",
        [Target(c[1], table=True) for c in columns],
        12,
        12,
        columns=shown,
        transformations=[{"id": "joinByField", "options": {"byField": label, "mode": "outer"}}],
        sort=("Mean score", False),
        unit="none",
        unit_text="score, 0 to 100; per cent",
    )


def build():
    bands = []
    for band, (name, colour) in BANDS.items():
        count = total("accounts_by_health", band=band)
        if band == "unscored":
            about = "Accounts without a score, because too few of its inputs are known."
        else:
            about = f"Accounts in the band {name.lower()} and their share of all that have not churned."
        bands.append(
            board.stat(
                name,
                about,
                [Target(count, "Accounts"), Target(ratio(count, OPEN), "Share", instant=True)],
                4,
                4,
                orientation="vertical",
                unit="none",
                decimals=0,
                unit_text="accounts; per cent",
                thresholds=steps("text", (1e-9, readable(colour))),  # nobody there is no reason for a colour
                text={"titleSize": 12, "valueSize": 28},
                overrides=[by_name("Share", unit="percentunit", decimals=0)],
            )
        )
    bands.append(
        headline(
            "Mean score",
            "Sum of health scores by the number of accounts that have one.",
            MEAN,
            "up",
            width=4,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=HEALTH_STEPS,
            size=26,
        )
    )
    over_time = [
        board.lines(
            "Accounts by band",
            "Accounts by band of the health score at each instant.",
            each(BANDS, lambda b: total("accounts_by_health", band=b)),
            12,
            8,
            stack=True,
            unit="none",
            decimals=0,
            unit_text="accounts",
            overrides=paint(BANDS),
        ),
        board.lines(
            "Mean score",
            "Mean health score, and what it was $compare before; dashed too, the benchmarks of the configuration if there are any.",
            [
                Target(MEAN, "Mean"),
                Target(earlier(MEAN), "$compare before"),
                Target("max by (benchmark_source) (" + sel("health_benchmark_score") + ")", "Benchmark: {{benchmark_source}}"),
            ],
            12,
            8,
            fill=8,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            overrides=[
                by_name("Mean", color=fixed("blue")),
                dashed_compare(),
                by_regex("/^Benchmark/", custom_lineStyle={"fill": "dash", "dash": [2, 6]}, custom_fillOpacity=0),
            ],
            custom={"axisSoftMin": 40, "axisSoftMax": 100},
        ),
        board.heatmap(
            "Scores over time",
            "Accounts per ten points of the health score at each instant; the scale below tells how many.",
            [Target(by("le", "health_score_accounts", le=("!=", "+Inf")), "{{le}}", heatmap=True, interval="1d")],
            12,
            8,
            unit="none",
            decimals=0,
            unit_text="accounts",
        ),
        histogram(
            "Scores now",
            "Accounts per ten points of the health score.",
            "health_score_accounts",
            ["red"] * 4 + ["orange"] * 2 + [GOLD] * 2 + ["green"] * 2,
        ),
    ]
    mean = lambda f: ratio(total("health_factor_points", factor=f), total("health_factor_accounts", factor=f))
    covers = each(FACTORS, lambda f: ratio(total("health_factor_accounts", factor=f), OPEN), instant=True)
    factors = [
        board.bar_gauge(
            "Factors",
            "Mean of each factor of the health score over the accounts for which it is known. Weights: product usage 40 %, support 25 %, "
            "engagement 20 %, business 15 %, unless configured otherwise.",
            each(FACTORS, mean, instant=True),
            6,
            9,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            defaults={"min": 0, "max": 100},
            thresholds=HEALTH_STEPS,
        ),
        board.bar_gauge(
            "Coverage of factors",
            "Share of accounts for which the factor could be computed. A missing factor is left out, never replaced.",
            covers,
            6,
            9,
            unit="percentunit",
            decimals=1,
            unit_text="share of accounts",
            defaults={"min": 0, "max": 1},
            thresholds=RATIO_STEPS,
        ),
        board.lines(
            "Factors over time",
            "Mean of each factor at each instant: which of them moves the score.",
            each(FACTORS, mean),
            12,
            9,
            unit="none",
            unit_text="score, 0 to 100",
            overrides=paint(FACTORS),
            custom={"axisSoftMin": 40, "axisSoftMax": 100},
        ),
    ]
    why = [
        board.Block(12, factors),
        board.table(
            "Inputs",
            "Mean of each input of the score over the accounts for which it is known, and the share of accounts for which it is.",
            [
                Target(
                    ratio(by("factor, input", "health_input_points"), by("factor, input", "health_input_accounts"), "factor, input"),
                    table=True,
                ),
                Target(f"{by('factor, input', 'health_input_accounts')} / on () group_left () ({OPEN} > 0)", table=True),
            ],
            12,
            18,  # all sixteen
            columns=[
                Column("factor 1", "Factor", mappings=value_map(texts(FACTORS)), custom_width=130),
                Column("input", "Input", mappings=value_map({i: words(i) for f in INPUTS.values() for i in f}), custom_minWidth=205),
                Column("Value #A", "Mean", **score_cell(HEALTH_STEPS)),
                Column("Value #B", "Coverage", **percent_cell(92, RATIO_STEPS, True, 1)),
            ],
            transformations=[{"id": "joinByField", "options": {"byField": "input", "mode": "outer"}}],
            sort=("Mean", False),
            unit="none",
            unit_text="score, 0 to 100; share of accounts",
        ),
    ]
    moves = "sum by (from, to) (" + sel("health_band_transitions", window="$period") + " > 0)"
    changes = [
        board.matrix(
            "From band to band over $period · all segments",
            "Accounts by band $period before (rows) and now (columns). What happened in between is not seen.",
            Target(ordered(ordered(moves, "from", FROM), "to", FROM), table=True),
            "from",
            "to",
            [words(b) for b in FROM],
            [words(b) for b in FROM],
            12,
            9,
            heading="From",
            cell=60,
            unit="none",
            decimals=0,
            unit_text="accounts",
            no_value="",
        ),
        board.lines(
            "Trend over $period",
            "Accounts whose score rose by more than 5 points over the window, fell by more than 5, or neither.",
            each(TRENDS, lambda t: total("accounts_by_health_trend", trend=t, window="$period")),
            6,
            9,
            stack=True,
            unit="none",
            decimals=0,
            unit_text="accounts",
            overrides=paint(TRENDS),
        ),
        board.lines(
            "Recovery over $period",
            "Of the accounts at risk or critical $period before, the share that is healthy or moderate now. Churned ones have not "
            "recovered.",
            [
                Target(
                    ratio(total("health_recovered_accounts", window="$period"), total("health_recovery_base_accounts", window="$period")),
                    "Recovered",
                )
            ],
            6,
            9,
            fill=12,
            unit="percentunit",
            unit_text="share of accounts",
            overrides=[by_name("Recovered", color=fixed("green"))],
            custom={"axisSoftMin": 0},
        ),
    ]
    return board.dashboard(
        "crm-health",
        "CRM · Customer health",
        "Which accounts are getting worse, and why?",
        variables(PERIOD, COMPARE),
        [
            ("Bands", bands),
            ("Over time", over_time),
            ("Why", why),
            ("What changed", changes),
            (
                "Where",
                [
                    breakdown("By segment", "segment", "Segment"),
                    breakdown("By owner", "account_owner", "Owner"),
                    movers(
                        "Worst movers over $period",
                        "The accounts whose score fell most since $period ago, and their trend: the slope of the last 90 days, in points"
                        " per 30 days.",
                        "bottomk",
                    ),
                    movers(
                        "Best movers over $period",
                        "The accounts whose score rose most since $period ago, and their trend: the slope of the last 90 days, in points"
                        " per 30 days.",
                        "topk",
                    ),
                ],
            ),
        ],
        links=LINKS,
    )
