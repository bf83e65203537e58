# SPDX-License-Identifier: MIT
"""What several dashboards share: variables, links, stats with their change, tables of accounts."""

import re

import board
from board import Column, Target, by_name, by_ref, choice, fixed, query, steps, value_map
from catalogue import TOP
from promql import ACCOUNTS, change, keyed, only, ordered, sel, total
from style import ALERTS, GOLD, GREY, RISK_FACTORS, SEVERITIES, STATUSES, colours, texts

HEALTH_STEPS = steps("red", (40, "orange"), (60, GOLD), (80, "green"))
RISK_STEPS = steps("green", (25, GOLD), (50, "orange"), (70.000001, "red"))  # high goes up to and including 70
RATIO_STEPS = steps("red", (0.4, "orange"), (0.6, GOLD), (0.8, "green"))
MONEY = "currency:"  # 1.2M without a sign: the currency stands in the title
PLAIN = steps("text")

# --- variables -------------------------------------------------------------------------------------------------------------------

TENANT = query("tenant", "Tenant", "label_values(crm_accounts, tenant)", every=".+", about="One customer base; several may share a CRM.")
SEGMENT = query(
    "segment",
    "Segment",
    'label_values(crm_accounts{tenant=~"$tenant"}, segment)',
    every=".*",
    about="Segment of the account; none where the CRM has none.",
)
OWNER = query(
    "owner",
    "Owner",
    'label_values(crm_accounts{tenant=~"$tenant",segment=~"$segment"}, account_owner)',
    every=".*",
    about="Owner of the account; none where nobody is named.",
)
# The currency of most of the chosen accounts comes first.
CURRENCY = query(
    "currency",
    "Currency",
    "query_result(sort_desc(count by (currency)"
    ' (crm_account_info{tenant=~"$tenant",segment=~"$segment",account_owner=~"$owner",currency!="none"})))',
    multi=False,
    regex='/currency="([^"]+)"/',
    sort=0,
    about="Amounts are never added across currencies.",
)
COMPARE = choice("compare", "Compare with", ["7d", "30d", "90d", "1y"], "30d", "How long before the instant the compared value stands.")
WINDOW = choice(
    "window", "Window", ["7d", "30d", "90d", "1y"], "1y", "Over how long movements and retention are computed, up to each instant."
)
PERIOD = choice("period", "Window", ["7d", "30d", "90d"], "30d", "Over how long changes and activity are computed, up to each instant.")


def variables(*more):
    return [board.datasource(), TENANT, SEGMENT, OWNER, *more]


# --- links -----------------------------------------------------------------------------------------------------------------------

LINKS = [
    {
        "type": "dashboards",
        "title": "Customer success",
        "tags": ["collectd-crm"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
]
KEEP = "${__url_time_range}&${datasource:queryparam}"


def to(uid, *names):
    """The address of another dashboard, with the time range and the variables that it has as well."""
    return f"/d/{uid}?" + "&".join([KEEP, *(f"${{{n}:queryparam}}" for n in names)])


def link(title, url):
    return {"title": title, "url": url, "targetBlank": False}


ACCOUNT_URL = f"/d/crm-account?{KEEP}&var-tenant=${{__data.fields.tenant}}&var-account=${{__data.fields.account}}"
FILTERS = ("tenant", "segment", "owner")

# --- targets by label ------------------------------------------------------------------------------------------------------------


def each(values, make, **more):
    """One target per value, in the order of the list, named by its text: make(value) is the expression."""
    return [Target(make(v), t[0] if isinstance(t, tuple) else t, **more) for v, t in values.items()]


def paint(values):
    return [by_name(t[0], color=fixed(t[1])) for t in values.values()]


# --- numbers ---------------------------------------------------------------------------------------------------------------------


def rising(good, least):
    """Colours of a change: of less than LEAST none. good: which way is better."""
    if good is None:
        return PLAIN
    below, above = ("red", "green") if good == "up" else ("green", "red")
    return steps(below, (-least, "text"), (least, above))


def headline(
    title, about, expression, good="up", delta=None, delta_unit=None, width=6, height=4, unit=None, decimals=None, size=32, **more
):
    """A figure and its change against $compare. good: which way is better. delta: another expression for the change."""
    # A difference of percentages is in points, not in per cent. A narrow panel has no room for the word.
    points = unit == "percentunit" and delta is None
    name = ("Points, $compare" if points else "Change, $compare") if width >= 5 else ("Δ pts $compare" if points else "Δ $compare")
    if delta is None:
        delta = f"100 * ({change(expression)})" if points else change(expression)
    target = [Target(expression, "Now"), Target(delta, name, instant=True)]
    # What is shown as 0 has no colour.
    shown = 3 if delta_unit else 1 if points else 9 if decimals is None else decimals
    properties = {"thresholds": rising(good, 0.5 / 10**shown)}
    if delta_unit or points:
        properties["unit"] = delta_unit or "none"
    if delta_unit or points:
        properties["decimals"] = 1
    return board.stat(
        title,
        about
        + " The second figure is the change against $compare before"
        + (", in percentage points." if points else "."),
        target,
        width,
        height,
        orientation="vertical",
        unit=unit,
        decimals=decimals,
        overrides=[by_ref("B", **properties)],
        text={"titleSize": 12, "valueSize": size},
        **more,
    )


def histogram(title, about, family, palette, width=12, height=8):
    """Accounts per ten points of a score, from a cumulative distribution."""
    targets, painted = [], []
    for i, colour in enumerate(palette):
        low, high = i * 10, i * 10 + 10
        name = f"{low}–{high}"
        expression = total(family, le=str(high)) + (f" - {total(family, le=str(low))}" if low else "")
        targets.append(Target(expression, name, instant=True))
        painted.append(by_name(name, color=fixed(colour)))
    return board.bar_gauge(
        title,
        about,
        targets,
        width,
        height,
        orientation="vertical",
        unit="none",
        decimals=0,
        unit_text="accounts",
        overrides=painted,
        text={"valueSize": 16, "titleSize": 13},
    )


# --- accounts --------------------------------------------------------------------------------------------------------------------

LABELS = "tenant, account, account_name, segment, account_owner, status"


def account_table(title, about, driver, columns, sort, width=24, height=9, label=None, owner=True, status=False, **more):
    """A table with one row per account. driver: the expression that chooses the accounts, by (tenant, account), or with further labels
    if the column is a label; columns: (heading, expression or None for the driver's own value, properties). Accounts link to the
    Account dashboard."""
    targets = [Target(keyed(only(ACCOUNTS, driver), LABELS), table=True)]
    shown = [
        Column("tenant", hidden=True),
        Column("account", hidden=True),
        Column("account_name", "Account", custom_minWidth=145, links=[link("Everything on ${__data.fields.Account}", ACCOUNT_URL)]),
        Column("segment", "Segment", custom_width=95),
    ]
    if owner:
        shown.append(Column("account_owner", "Owner", custom_minWidth=110))
    if status:
        shown.append(
            Column(
                "status",
                "Status",
                custom_width=95,
                mappings=value_map(texts(STATUSES), colours(STATUSES)),
                custom_cellOptions={"type": "color-text"},
            )
        )
    for heading, expression, properties in columns:
        ref = chr(65 + len(targets))
        if isinstance(expression, tuple):  # (expression, label): a label as the column
            targets.append(Target(keyed(only(expression[0], driver), expression[1]), table=True))
            shown.append(Column(expression[1], heading, **properties))
        else:
            targets.append(Target(keyed(only(expression, driver)), table=True))
            shown.append(Column(f"Value #{ref}", heading, **properties))
    transforms = [{"id": "joinByField", "options": {"byField": "key", "mode": "outer"}}]
    return board.table(title, about, targets, width, height, columns=shown, transformations=transforms, sort=sort, **more)


def score_cell(thresholds, width=110):
    """A bar, which takes its part of what a wide screen has. With a decimal, or 59.9 would be 60 in the colour of what is below 60."""
    return {
        "min": 0,
        "max": 100,
        "decimals": 1,
        "unit": "none",
        "custom_minWidth": width,
        "thresholds": thresholds,
        "custom_cellOptions": {"type": "gauge", "mode": "basic"},
        "noValue": "–",
    }


def money_cell(width=80):
    return {"unit": MONEY, "decimals": 0, "custom_width": width, "noValue": "–"}


def change_cell(good="up", width=95, decimals=1):
    return {
        "unit": "none",
        "decimals": decimals,
        "custom_width": width,
        "thresholds": rising(good, 0.5 / 10**decimals),
        "custom_cellOptions": {"type": "color-text"},
        "noValue": "–",
    }


def percent_cell(width=90, thresholds=PLAIN, coloured=False, decimals=0):
    out = {"unit": "percentunit", "decimals": decimals, "custom_width": width, "thresholds": thresholds, "noValue": "–"}
    if coloured:
        out["custom_cellOptions"] = {"type": "color-text"}
    return out


def factor_cell(width=210):
    return {"mappings": value_map(texts(RISK_FACTORS)), "custom_width": width}


WORST_FACTOR = "topk by (tenant, account) (1, " + f"({sel('account_churn_factor_score')} > 0)" + ")"

def alert_names():
    """Of contrib/prometheus; one without a text in style.py ends the generator."""
    names = re.findall(r"^ *- alert: (\w+)", (TOP / "contrib/prometheus/crm-alerts.rules.yml").read_text(encoding="utf-8"), re.M)
    if set(names) != set(ALERTS):
        raise SystemExit(f"style.py and crm-alerts.rules.yml differ in {sorted(set(names) ^ set(ALERTS))}")
    return {name: ALERTS[name] for name in names}


def by_severity(expression):
    """With the severity as its place, to sort by."""
    return ordered(expression, "severity", list(SEVERITIES))


def alert_columns(*more):
    places = {severity: f"{i:02d}" for i, severity in enumerate(SEVERITIES, 1)}
    return [
        Column(
            "severity",
            "Level",
            custom_width=80,
            mappings=value_map(
                {places[s]: t for s, t in texts(SEVERITIES).items()}, {places[s]: c for s, c in colours(SEVERITIES).items()}
            ),
            custom_cellOptions={"type": "color-text"},
        ),
        Column("alertname", "Alert", custom_minWidth=120, mappings=value_map(alert_names()), **(more[0] if more else {})),
    ]


FIRING = by_severity('count by (alertname, severity, tenant) (ALERTS{alertstate="firing",alertname=~"Crm.+"})')


def alerts(width=12, height=8):
    return board.table(
        "Alerts that fire · all segments",
        "Alerts of contrib/prometheus that fire in Prometheus now, the gravest first, and of how many accounts or relations each one is"
        " about.",
        [Target(FIRING, table=True)],
        width,
        height,
        unit="none",
        unit_text="alerts",
        no_value="none firing",
        population="whatever the alert is about; all segments",
        columns=[
            *alert_columns({"links": [link("Churn risk", to("crm-churn-risk", *FILTERS))]}),
            Column("tenant", "Tenant", custom_width=64),
            Column("Value", "Count", custom_width=58, decimals=0),
        ],
        sort=[("Level", False), ("Count", True)],
    )


def dashed_compare(colour=GREY):
    return board.by_regex(
        "/before$/", custom_lineStyle={"fill": "dash", "dash": [8, 8]}, color=fixed(colour), custom_fillOpacity=0, custom_lineWidth=1
    )
