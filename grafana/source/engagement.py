# SPDX-License-Identifier: MIT
"""Engagement: are we talking to the right people, often enough, and does it do good?"""

import board
from board import Column, Target, by_name, fixed, steps, value_map
from common import (
    COMPARE,
    CURRENCY,
    HEALTH_STEPS,
    LINKS,
    PERIOD,
    PLAIN,
    RISK_STEPS,
    account_table,
    each,
    headline,
    money_cell,
    paint,
    score_cell,
    variables,
)
from promql import accounts, by, ordered, ratio, sel, total
from style import GOLD, OUTCOMES, STRENGTHS, TYPES, WEEKDAYS, texts, words

# The hour, or night: with fewer columns the table fits a narrow screen.
WHEN = (
    f'label_replace(label_replace({sel("engagement_activity", window="90d")}, "when", "$1", "hour", "(.*)"), "when", "21–06", "hour",'
    ' "0[0-6]|2[1-3]")'
)
OPEN = total("accounts_by_health")
PARTICIPATION = ratio(total("stakeholders", engaged="true", window="90d"), total("stakeholders", window="90d"))
BUCKETS = [
    ("3600", "≤ 1 h", "green"),
    ("14400", "1–4 h", "green"),
    ("28800", "4–8 h", GOLD),
    ("86400", "8–24 h", GOLD),
    ("259200", "1–3 days", "orange"),
    ("+Inf", "> 3 days", "red"),
]
GAPS = [
    ("604800", "≤ 7 days", "green"),
    ("1209600", "7–14", "green"),
    ("2592000", "14–30", GOLD),
    ("5184000", "30–60", "orange"),
    ("7776000", "60–90", "red"),
    ("+Inf", "> 90 days", "dark-red"),
]


def distribution(title, about, family, buckets, width, unit_text, extra=(), **matchers):
    targets, painted, below = [], [], None
    for le, name, colour in buckets:
        expression = total(family, le=le, **matchers)
        targets.append(Target(expression + (f" - {below}" if below else ""), name, instant=True))
        painted.append(by_name(name, color=fixed(colour)))
        below = expression
    for name, expression, colour in extra:
        targets.append(Target(expression, name, instant=True))
        painted.append(by_name(name, color=fixed(colour)))
    return board.bar_gauge(title, about, targets, width, 8, unit="none", decimals=0, unit_text=unit_text, overrides=painted)


def stacked(title, about, label, rows, columns, make, width, height=8, **more):
    """A bar per value of the label, with one colour per column."""
    targets = [Target(ordered(make(c), label, list(rows)), table=True) for c in columns]
    names = [f"Value #{chr(65 + i)}" for i in range(len(targets))]
    overrides = [by_name(n, displayName=t[0], color=fixed(t[1])) for n, t in zip(names, columns.values())]
    overrides.append(by_name(label, mappings=value_map({f"{i:02d}": t for i, t in enumerate(texts(rows).values(), 1)})))
    return board.bar_chart(
        title,
        about,
        targets,
        label,
        width,
        height,
        unit="none",
        decimals=0,
        overrides=overrides,
        transformations=[
            {"id": "joinByField", "options": {"byField": label, "mode": "outer"}},
            {"id": "filterFieldsByName", "options": {"include": {"names": [label, *names]}}},
            {"id": "sortBy", "options": {"sort": [{"field": label}]}},
        ],
        **more,
    )


def build():
    completed = total("engagements", window="$period")
    missed = total("engagements_missed", window="$period")
    median = "histogram_quantile(0.5, " + by("le", "responses", channel="support", window="30d") + ")"
    p90 = "histogram_quantile(0.9, " + by("le", "responses", channel="support", window="30d") + ")"
    stats = [
        headline(
            "Completed in $period",
            "Engagements completed within $period, notes included.",
            completed,
            None,
            width=4,
            size=26,
            unit="none",
            unit_text="engagements",
        ),
        headline(
            "Per account in $period",
            "Completed engagements other than notes by accounts not churned, those without any included.",
            ratio(total("engagements_customer_facing", window="$period"), OPEN),
            "up",
            width=4,
            size=26,
            unit="none",
            decimals=1,
            unit_text="engagements per account",
        ),
        headline(
            "Missed in $period",
            "Share of engagements planned for the window and never completed, of those and the completed ones.",
            f"{missed} / ({missed} + {completed} > 0)",
            "down",
            width=4,
            size=26,
            unit="percentunit",
            decimals=1,
            unit_text="share of engagements",
            thresholds=steps("green", (0.1, GOLD), (0.2, "red")),
        ),
        headline(
            "Silent for 30 days",
            "Accounts that were engaged before, but not within 30 days; notes do not count.",
            total("accounts_silent", window="30d"),
            "down",
            width=4,
            size=26,
            unit="none",
            unit_text="accounts",
            thresholds=PLAIN,
        ),
        headline(
            "Response, hours",
            "Median first response time of support over 30 days, interpolated within its bucket of the distribution.",
            f"{median} / 3600",
            "down",
            width=4,
            size=26,
            unit="none",
            decimals=1,
            unit_text="hours",
            thresholds=steps("green", (4, GOLD), (24, "red")),
        ),
        headline(
            "Engaged stakeholders",
            "Active contacts present at an engagement completed within 90 days, by all active contacts.",
            PARTICIPATION,
            "up",
            width=4,
            size=26,
            unit="percentunit",
            decimals=1,
            unit_text="share of contacts",
            thresholds=steps("red", (0.2, "orange"), (0.4, GOLD), (0.6, "green")),
        ),
    ]
    activity = [
        stacked(
            "Types and outcomes in $period",
            "Completed engagements by type, coloured by outcome.",
            "engagement_type",
            TYPES,
            OUTCOMES,
            lambda o: by("engagement_type", "engagements", outcome=o, window="$period"),
            10,
            unit_text="engagements",
        ),
        board.donut(
            "Outcomes in $period",
            "Completed engagements by outcome.",
            each(OUTCOMES, lambda o: total("engagements", outcome=o, window="$period"), instant=True),
            7,
            8,
            unit="none",
            unit_text="engagements",
            overrides=paint(OUTCOMES),
        ),
        board.lines(
            "Cadence: the last $period at each instant",
            "Engagements completed within the window that ends at each instant, by type.",
            each(TYPES, lambda t: total("engagements", engagement_type=t, window="$period")),
            7,
            8,
            stack=True,
            unit="none",
            decimals=0,
            unit_text="engagements",
            overrides=paint(TYPES),
        ),
        board.matrix(
            "When: weekday and hour, 90 days · all segments",
            "Engagements completed within 90 days by weekday and hour of completion, on the clock of the configured "
            "time zone; what was completed at night is in the last column.",
            Target(ordered(f"sum by (weekday, when) ({WHEN})", "weekday", list(WEEKDAYS)), table=True),
            "weekday",
            "when",
            list(WEEKDAYS.values()),
            width=24,
            height=10,
            first=60,
            cell=44,
            unit="none",
            decimals=0,
            unit_text="engagements",
        ),
    ]
    gaps = [
        distribution(
            "Time since the last engagement",
            "Accounts by time since their last completed engagement other than a note.",
            "engagement_gap_accounts",
            GAPS,
            8,
            "accounts",
            [("never", total("accounts_never_engaged"), "dark-red")],
        ),
        board.lines(
            "Silence",
            "Accounts engaged before, but not within 30, 60 and 90 days.",
            [Target(total("accounts_silent", window=w), f"{w[:-1]} days") for w in ("30d", "60d", "90d")],
            8,
            8,
            unit="none",
            decimals=0,
            unit_text="accounts",
            overrides=[
                by_name("30 days", color=fixed("yellow")),
                by_name("60 days", color=fixed("orange")),
                by_name("90 days", color=fixed("red")),
            ],
            custom={"axisSoftMin": 0},
        ),
        board.lines(
            "First response of support, hours, over 30 days",
            "Median and 90th percentile, interpolated within the buckets of the distribution.",
            [Target(f"{median} / 3600", "Median"), Target(f"{p90} / 3600", "90 %")],
            8,
            8,
            unit="none",
            unit_text="hours",
            overrides=[by_name("Median", color=fixed("blue")), by_name("90 %", color=fixed("orange"))],
            custom={"axisSoftMin": 0},
        ),
        distribution(
            "Support answered within",
            "First responses to new tickets of 30 days, by how long they took; below, those without a recorded one.",
            "responses",
            BUCKETS,
            8,
            "responses",
            [("none recorded", total("responses_unanswered", channel="support", window="30d"), "dark-red")],
            channel="support",
            window="30d",
        ),
        distribution(
            "Engagements answered within",
            "Engagements of 30 days with a known response time, by how long it took.",
            "responses",
            BUCKETS,
            8,
            "responses",
            channel="engagement",
            window="30d",
        ),
        board.stat(
            "Outcome and later health · all segments",
            "Spearman's rank correlation of the outcome of an engagement with the change of recorded health in the 30 days after it, and "
            "of how many engagements. Together is not because of.",
            [
                Target("max by (tenant) (" + sel("engagement_outcome_correlation") + ")", "{{tenant}} · correlation"),
                Target(
                    "max by (tenant) (" + sel("engagement_outcome_correlation_observations") + ")", "{{tenant}} · engagements", instant=True
                ),
            ],
            8,
            8,
            unit="none",
            decimals=2,
            unit_text="coefficient, -1 to 1",
            overrides=[board.by_ref("B", decimals=0)],
            text={"titleSize": 12, "valueSize": 28},
        ),
    ]
    people = [
        stacked(
            "Stakeholders by relationship, engaged in 90 days",
            "Active contacts by strength of the relationship and whether they were present at an engagement.",
            "strength",
            STRENGTHS,
            {"true": ("Engaged", "green"), "false": ("Not engaged", "#8e8e8e")},
            lambda e: by("strength", "stakeholders", engaged=e, window="90d"),
            8,
            unit_text="contacts",
        ),
        board.bar_gauge(
            "Engaged by decision level, 90 days",
            "Share of active contacts present at an engagement completed within 90 days, by decision level; primary are the "
            "decision makers.",
            [
                Target(
                    ratio(total("stakeholders", level=v, engaged="true", window="90d"), total("stakeholders", level=v, window="90d")),
                    words(v),
                    instant=True,
                )
                for v in ("primary", "influencer", "user", "gatekeeper", "unknown")
            ],
            8,
            8,
            unit="percentunit",
            decimals=1,
            unit_text="share of contacts",
            defaults={"min": 0, "max": 1},
            thresholds=steps("red", (0.2, "orange"), (0.4, GOLD), (0.6, "green")),
        ),
        board.lines(
            "Accounts that lack a champion, or contacts",
            "No active contact who is a champion; fewer than three contacts engaged within 90 days.",
            [Target(total("accounts_without_champion"), "No champion"), Target(total("accounts_single_threaded"), "Fewer than 3 engaged")],
            8,
            8,
            unit="none",
            decimals=0,
            unit_text="accounts",
            overrides=[by_name("No champion", color=fixed("orange")), by_name("Fewer than 3 engaged", color=fixed("purple"))],
            custom={"axisSoftMin": 0},
        ),
    ]
    quiet = f"max by (tenant, account) {accounts('account_recommendation', action='schedule_check_in', reason=None)}"
    # Those that pay in another currency, or nobody knows what, come last.
    quiet = f"topk(25, {quiet} * on (tenant, account) (sum by (tenant, account) ({sel('account_arr')})) or {quiet} * 0)"
    call = [
        account_table(
            "Whom to call: silent accounts by ARR · $currency",
            "Accounts for which a check-in is recommended, by default because nobody has engaged them for 30 days; those who pay "
            "most first, and last those that pay in another currency or nobody knows what.",
            quiet,
            [
                ("ARR", sel("account_arr"), money_cell(90)),
                ("Health", sel("account_health_score"), score_cell(HEALTH_STEPS)),
                ("Churn risk", sel("account_churn_risk_score"), score_cell(RISK_STEPS)),
            ],
            ("ARR", True),
            14,
            13,
            owner=False,
            unit="none",
            unit_text="$currency a year; scores 0 to 100",
        ),
        board.table(
            "Activity by team member · all segments",
            "Engagements completed within 7, 30 and 90 days by who held them; none where nobody is named.",
            [Target("sum by (team_member) (" + sel("engagements_by_member", window=w) + ")", table=True) for w in ("7d", "30d", "90d")],
            10,
            13,
            columns=[Column("team_member", "Team member")]
            + [
                Column(
                    f"Value #{r}",
                    w,
                    custom_minWidth=100,
                    decimals=0,
                    custom_cellOptions={"type": "gauge", "mode": "basic"},
                    min=0,
                    color=fixed("blue"),
                )
                for r, w in zip("ABC", ("7 days", "30 days", "90 days"))
            ],
            transformations=[{"id": "joinByField", "options": {"byField": "team_member", "mode": "outer"}}],
            sort=("90 days", True),
            unit="none",
            unit_text="engagements",
        ),
    ]
    return board.dashboard(
        "crm-engagement",
        "CRM · Engagement",
        "Are we talking to the right people, often enough, and does it do good?",
        variables(CURRENCY, PERIOD, COMPARE),
        [
            ("At a glance", stats),
            ("Activity", activity),
            ("Gaps and answers", gaps),
            ("People", people),
            ("Whom to call, and who calls", call),
        ],
        links=LINKS,
    )
