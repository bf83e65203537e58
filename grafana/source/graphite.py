# SPDX-License-Identifier: MIT
"""The second set, for Graphite: Executive and Customer health on the names of collectd's own path, as write_graphite makes them with
SeparateInstances and PreserveSeparator: ROOT.crm.TENANT.gauge.FAMILY.VALUE... What is broken down by one dimension is
FAMILY_by_DIMENSION.DIMENSIONVALUE.VALUE..."""

import board
from board import GRAPHITE, Graphite, by_name, by_regex, choice, fixed, query, steps
from catalogue import FAMILIES
from common import HEALTH_STEPS, MONEY, RATIO_STEPS, RISK_STEPS, link, paint
from promql import Unknown
from style import BANDS, FACTORS, GOLD, GREY, MOVEMENTS, RESULTS, RISKS, STATUSES, TRENDS, readable

ROOT = query(
    "root",
    "Sender",
    "expand(*.crm)",
    multi=False,
    regex="/^(.*)\\.crm$/",
    kind=GRAPHITE,
    about="What write_graphite puts before the plugin: a prefix if there is one, and the host.",
)
TENANT = query(
    "tenant",
    "Tenant",
    "expand($root.crm.*.gauge.accounts)",
    multi=False,
    regex="/\\.crm\\.([^.]+)\\.gauge/",
    kind=GRAPHITE,
    about="One customer base.",
)
CURRENCY = query(
    "currency", "Currency", "$root.crm.$tenant.gauge.arr.*", multi=False, kind=GRAPHITE, about="Amounts are never added across currencies."
)
COMPARE = choice("compare", "Compare with", ["7d", "30d", "90d", "1y"], "30d", "How long before the instant the compared value stands.")
WINDOW = choice("window", "Window", ["7d", "30d", "90d", "1y"], "1y", "Over how long movements and retention are computed.")
PERIOD = choice("period", "Window", ["7d", "30d", "90d"], "30d", "Over how long changes are computed.")
LINKS = [
    {
        "type": "dashboards",
        "title": "Customer success",
        "tags": ["collectd-crm-graphite"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
]


def path(family, *values, dimension=None, of="*"):
    """The path of one value. The number of values must be that of the family's labels."""
    info = FAMILIES.get("crm_" + family)
    if info is None:
        raise Unknown(f"the catalogue has no family crm_{family}")
    if len(values) != len(info.labels):
        raise Unknown(f"crm_{family} has the labels {info.labels}, not {values}")
    name = f"{family}_by_{dimension}.{of}" if dimension else family
    return ".".join(["$root.crm.$tenant.gauge", name, *values])


def named(target, name):
    return Graphite(f"alias({target}, '{name}')")


def over(above, below):
    return f"divideSeries({above}, {below})"


def then(target):
    return f"timeShift({target}, '$compare')"


def headline(title, about, target, unit=None, decimals=None, **more):
    # The value before, not a difference: where Graphite has none, diffSeries would give the value itself.
    return board.stat(
        title,
        about + " The second figure is what it was $compare before, as soon as Graphite has kept values for so long.",
        [named(target, "Now"), named(then(target), "$compare before")],
        6,
        4,
        orientation="vertical",
        unit=unit,
        decimals=decimals,
        overrides=[by_regex("/before$/", thresholds=steps(GREY), noValue="–")],  # series of Graphite do not say of which query they are
        text={"titleSize": 12, "valueSize": 32},
        **more,
    )


def each(values, make):
    return [named(make(v), t[0] if isinstance(t, tuple) else t) for v, t in values.items()]


STATUS = {s: path("accounts", s) for s in STATUSES}
ALL = f"sumSeries({path('accounts', '*')})"
OPEN = f"sumSeries({path('accounts_by_health', '*')})"
MEAN = path("health_score_average")


def executive():
    arr = path("arr", "$currency")
    figures = [
        headline("Accounts", "Accounts by the CRM, churned ones included.", ALL, unit="none", unit_text="accounts"),
        headline("Active accounts", "Accounts whose recorded status is active.", STATUS["active"], unit="none", unit_text="accounts"),
        headline("Accounts at risk", "Accounts whose recorded status is at risk.", STATUS["at_risk"], unit="none", unit_text="accounts"),
        headline(
            "Churned accounts", "Accounts whose recorded status is churned, ever.", STATUS["churned"], unit="none", unit_text="accounts"
        ),
        headline(
            "Mean health score",
            "Mean health score of accounts that have one.",
            MEAN,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=HEALTH_STEPS,
        ),
        headline(
            "Mean churn risk",
            "Mean churn risk score of accounts that have one. A score, not a probability.",
            path("churn_risk_score_average"),
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=RISK_STEPS,
        ),
        headline(
            "ARR · $currency",
            "Annual recurring revenue of the accounts that pay in the currency.",
            arr,
            unit=MONEY,
            unit_text="currency a year",
            defaults={"min": 0},
        ),
        headline(
            "Net promoter score",
            "Share of promoters less that of detractors among the answers of 90 days.",
            path("nps"),
            unit="none",
            decimals=0,
            unit_text="points, -100 to 100",
            thresholds=steps("red", (0, GOLD), (30, "green")),
        ),
    ]
    money = [
        board.lines(
            "ARR · $currency",
            "Annual recurring revenue, and what it was $compare before.",
            [named(arr, "ARR"), named(then(arr), "$compare before")],
            9,
            8,
            fill=12,
            unit=MONEY,
            unit_text="currency a year",
            defaults={"min": 0},
            overrides=[
                by_name("ARR", color=fixed("blue")),
                by_regex("/before$/", custom_lineStyle={"fill": "dash", "dash": [8, 8]}, color=fixed(GREY), custom_fillOpacity=0),
            ],
        ),
        board.bar_gauge(
            "ARR movements over $window · $currency",
            "Net movement of each account between the two ends of the window, by kind.",
            each(MOVEMENTS, lambda k: path("arr_movement", "$currency", "$window", k)),
            7,
            8,
            unit=MONEY,
            unit_text="currency a year",
            overrides=paint(MOVEMENTS),
        ),
        board.lines(
            "Retention over $window · $currency",
            "Net and gross revenue retention of the window that ends at each instant. The line marks 100 %.",
            [
                named(path("net_revenue_retention_ratio", "$currency", "$window"), "Net (NRR)"),
                named(path("gross_revenue_retention_ratio", "$currency", "$window"), "Gross (GRR)"),
            ],
            8,
            8,
            unit="percentunit",
            unit_text="ratio",
            overrides=[by_name("Net (NRR)", color=fixed("green")), by_name("Gross (GRR)", color=fixed("blue"))],
            thresholds=steps("transparent", (1, "rgba(115, 191, 105, 0.6)")),
            custom={"thresholdsStyle": {"mode": "line"}, "axisSoftMin": 0.8, "axisSoftMax": 1.1},
        ),
    ]
    risk = [
        board.donut(
            "Accounts by health",
            "Accounts by band of the health score: healthy from 80, moderate from 60, at risk from 40.",
            each(BANDS, lambda b: path("accounts_by_health", b)),
            6,
            8,
            unit="none",
            unit_text="accounts",
            overrides=paint(BANDS),
            links=[
                link(
                    "Customer health",
                    "/d/crm-graphite-health?${__url_time_range}&${datasource:queryparam}&${root:queryparam}&${tenant:queryparam}",
                )
            ],
        ),
        board.donut(
            "ARR by churn risk · $currency",
            "Annual recurring revenue by band of the churn risk score: low below 25, medium below 50, high up to 70.",
            each(RISKS, lambda b: path("arr_by_risk", b, "$currency")),
            6,
            8,
            unit=MONEY,
            unit_text="currency a year",
            overrides=paint(RISKS),
        ),
        board.bar_gauge(
            "Renewals in 90 days · $currency",
            "Annual value of contracts in force that end within 90 days, by what is decided.",
            each(RESULTS, lambda r: path("renewal_arr_upcoming", "$currency", r, "90d")),
            6,
            8,
            unit=MONEY,
            unit_text="currency a year",
            overrides=paint(RESULTS),
        ),
        board.donut(
            "Accounts by status",
            "Accounts by the status that the CRM has recorded.",
            each(STATUSES, STATUS.get),
            6,
            8,
            unit="none",
            unit_text="accounts",
            overrides=paint(STATUSES),
        ),
    ]
    return board.dashboard(
        "crm-graphite-executive",
        "CRM · Executive (Graphite)",
        "Are we keeping and growing our customers? For Graphite, on collectd's own path.",
        [board.datasource("graphite"), ROOT, TENANT, CURRENCY, WINDOW, COMPARE],
        [("Where we stand", figures), ("Revenue", money), ("Risk", risk)],
        tags=("collectd-crm-graphite",),
        links=LINKS,
    )


def health():
    bands = [
        board.stat(
            name,
            "Accounts in the band and their share of all that have not churned.",
            [named(path("accounts_by_health", band), "Accounts"), named(over(path("accounts_by_health", band), OPEN), "Share")],
            4,
            4,
            orientation="vertical",
            unit="none",
            decimals=0,
            unit_text="accounts; per cent",
            thresholds=steps("text", (1e-9, readable(colour))),  # nobody there is no reason for a colour
            overrides=[by_name("Share", unit="percentunit", decimals=0)],
            text={"titleSize": 12, "valueSize": 28},
        )
        for band, (name, colour) in BANDS.items()
    ]
    bands.append(
        board.stat(
            "Mean score",
            "Mean health score of accounts that have one.",
            named(MEAN, "Mean"),
            4,
            4,
            unit="none",
            decimals=1,
            unit_text="score, 0 to 100",
            thresholds=HEALTH_STEPS,
        )
    )
    over_time = [
        board.lines(
            "Accounts by band",
            "Accounts by band of the health score at each instant.",
            each(BANDS, lambda b: path("accounts_by_health", b)),
            12,
            8,
            stack=True,
            unit="none",
            unit_text="accounts",
            overrides=paint(BANDS),
        ),
        board.lines(
            "Mean score",
            "Mean health score, and what it was $compare before.",
            [named(MEAN, "Mean"), named(then(MEAN), "$compare before")],
            12,
            8,
            unit="none",
            unit_text="score, 0 to 100",
            overrides=[
                by_name("Mean", color=fixed("blue")),
                by_regex("/before$/", custom_lineStyle={"fill": "dash", "dash": [8, 8]}, color=fixed(GREY)),
            ],
            custom={"axisSoftMin": 40, "axisSoftMax": 100},
        ),
    ]
    tens, below = [], None
    for high in range(10, 101, 10):
        le = path("health_score_accounts", str(high))
        tens.append(named(f"diffSeries({le}, {below})" if below else le, f"{high - 10}–{high}"))
        below = le
    palette = ["red"] * 4 + ["orange"] * 2 + [GOLD] * 2 + ["green"] * 2
    why = [
        board.bar_gauge(
            "Scores now",
            "Accounts per ten points of the health score.",
            tens,
            12,
            9,
            orientation="vertical",
            unit="none",
            decimals=0,
            unit_text="accounts",
            overrides=[by_name(f"{i * 10}–{i * 10 + 10}", color=fixed(c)) for i, c in enumerate(palette)],
            text={"titleSize": 11, "valueSize": 14},
        ),
        board.bar_gauge(
            "Factors",
            "Mean of each factor of the health score over the accounts for which it is known.",
            each(FACTORS, lambda f: over(path("health_factor_points", f), path("health_factor_accounts", f))),
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
            "Share of accounts for which the factor could be computed.",
            each(FACTORS, lambda f: path("health_coverage_ratio", f)),
            6,
            9,
            unit="percentunit",
            decimals=1,
            unit_text="share of accounts",
            defaults={"min": 0, "max": 1},
            thresholds=RATIO_STEPS,
        ),
    ]
    changed_by = ", ".join(path(f, "$period", dimension="segment") for f in ("health_change_points", "health_change_accounts"))
    changed = [
        board.lines(
            "Trend over $period",
            "Accounts whose score rose by more than 5 points over the window, fell by more than 5, or neither.",
            each(TRENDS, lambda t: path("accounts_by_health_trend", t, "$period")),
            8,
            8,
            stack=True,
            unit="none",
            unit_text="accounts",
            overrides=paint(TRENDS),
        ),
        board.lines(
            "Recovery over $period",
            "Of the accounts at risk or critical at the start of the window, the share that is healthy or moderate at its end.",
            named(path("health_recovery_ratio", "$period"), "Recovered"),
            8,
            8,
            fill=12,
            unit="percentunit",
            unit_text="share of accounts",
            defaults={"min": 0},
            overrides=[by_name("Recovered", color=fixed("green"))],
        ),
        board.lines(
            "Mean change over $period by segment",
            "Sum of the changes of the score since the start of the window by the accounts that had one at both ends. Breakdowns need"
            " GroupBy, and MaxBreakdowns to leave room for them.",
            Graphite(f"aliasSub(divideSeriesLists({changed_by}), '.*_by_segment.([^.]+).*', '\\1')"),
            8,
            8,
            unit="none",
            unit_text="points",
        ),
    ]
    return board.dashboard(
        "crm-graphite-health",
        "CRM · Customer health (Graphite)",
        "Which accounts are getting worse, and why? For Graphite, on collectd's own path.",
        [board.datasource("graphite"), ROOT, TENANT, PERIOD, COMPARE],
        [("Bands", bands), ("Over time", over_time), ("Why", why), ("What changed, and where", changed)],
        tags=("collectd-crm-graphite",),
        links=LINKS,
    )
