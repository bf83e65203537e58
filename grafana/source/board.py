# SPDX-License-Identifier: MIT
"""What dashboards are made of. A dashboard is a list of rows, a row a title and panels; the place on the 24 columns is worked out here,
so that nothing overlaps. Every panel says what it shows, its unit and its population: the latter from the catalogue."""

import re

from catalogue import FAMILIES
from style import GREY

SCHEMA = 38  # Grafana 9.4 writes it, newer ones migrate it
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
GRAPHITE = {"type": "graphite", "uid": "${datasource}"}
POPULATION = {
    "ACCOUNTS": "all accounts, churned ones included",
    "OPEN": "accounts that have not churned",
    "PAYING": "accounts with recurring revenue",
    "": "",
}


class Target:
    def __init__(self, expr, legend="__auto", table=False, instant=False, heatmap=False, interval=None, hide=False):
        self.expr, self.legend, self.table, self.heatmap, self.interval, self.hide = expr, legend, table, heatmap, interval, hide
        self.instant = instant or table

    def json(self, ref):
        out = {
            "refId": ref,
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr,
            "format": "table" if self.table else "heatmap" if self.heatmap else "time_series",
            "instant": self.instant,
            "range": not self.instant,
            "legendFormat": self.legend,
        }
        if self.interval:
            out["interval"] = self.interval
        if self.hide:
            out["hide"] = True
        return out

    def families(self):
        return re.findall(r"crm_\w+(?=\{)", self.expr)


class Graphite:
    """A target of Graphite's render API."""

    def __init__(self, target):
        self.target = target

    def json(self, ref):
        return {"refId": ref, "datasource": GRAPHITE, "target": self.target, "textEditor": True}

    def families(self):
        names = []
        for name in re.findall(r"\.gauge\.(\w+)", self.target):
            name = "crm_" + re.sub(r"_by_(segment|account_owner|account_region|industry)$", "", name)
            names.append(name)
        return names


def refs():
    for i in range(26 * 27):
        yield (chr(64 + i // 26) if i >= 26 else "") + chr(65 + i % 26)


def steps(*pairs):
    """steps("red", (40, "orange"), (60, "yellow")): a base colour, then colours from values on."""
    base, *rest = pairs
    return {"mode": "absolute", "steps": [{"color": base, "value": None}] + [{"color": c, "value": v} for v, c in rest]}


def by_name(name, **properties):
    return _override("byName", name, properties)


def by_regex(pattern, **properties):
    return _override("byRegexp", pattern, properties)


def by_ref(ref, **properties):
    return _override("byFrameRefID", ref, properties)


def _override(matcher, option, properties):
    # custom.x is written custom_x
    props = [{"id": k.replace("custom_", "custom.", 1), "value": v} for k, v in properties.items()]
    return {"matcher": {"id": matcher, "options": option}, "properties": props}


def fixed(colour):
    return {"mode": "fixed", "fixedColor": colour}


def value_map(texts, colours=None):
    options = {}
    for i, (value, text) in enumerate(texts.items()):
        options[value] = {"text": text, "index": i}
        if colours and value in colours:
            options[value]["color"] = colours[value]
    return [{"type": "value", "options": options}]


class Panel:
    """kind is Grafana's name of the panel; about the definition, unit_text the unit in words for the description."""

    def __init__(
        self,
        kind,
        title,
        about,
        targets,
        width,
        height,
        unit=None,
        unit_text=None,
        decimals=None,
        thresholds=None,
        overrides=(),
        options=None,
        custom=None,
        defaults=None,
        transformations=(),
        no_value="no data",
        links=(),
        population=None,
    ):
        self.kind, self.title, self.about, self.width, self.height = kind, title, about, width, height
        self.targets = targets if isinstance(targets, list) else [targets]
        self.unit, self.unit_text, self.population, self.no_value = unit, unit_text, population, no_value
        self.options, self.transformations, self.links = options or {}, list(transformations), list(links)
        self.defaults = dict(defaults or {})
        if unit is not None:
            self.defaults["unit"] = unit
        if decimals is not None:
            self.defaults["decimals"] = decimals
        if thresholds is not None:
            self.defaults["thresholds"] = thresholds
        self.defaults.setdefault("thresholds", steps(GREY))
        # A time series says "No data" by itself, and would write the text at ticks of its axis.
        if kind != "timeseries":
            self.defaults["noValue"] = no_value
        if custom:
            self.defaults["custom"] = custom
        self.overrides = list(overrides)

    def description(self):
        if self.kind == "text":
            return self.about
        families = []
        for target in self.targets:
            for name in target.families():
                if name not in families:
                    families.append(name)
        # It only chooses the accounts of the others.
        families = [f for f in families if f != "crm_account_info"] or families
        lines = [self.about]
        if self.unit_text:
            lines.append(f"**Unit**: {self.unit_text}.")
        population = self.population
        if population is None:
            names = {FAMILIES[f].population for f in families if f in FAMILIES} - {""}
            population = "; ".join(POPULATION[n] for n in ("ACCOUNTS", "OPEN", "PAYING") if n in names)
            if {FAMILIES[f].scope for f in families if f in FAMILIES} == {"INSTANCE"}:
                population = "the chosen instances of the plugin"
        if population:
            lines.append(f"**Population**: {population}.")
        if families:
            lines.append("**From**: " + ", ".join(f"`{f}`" for f in families[:6]) + (" …" if len(families) > 6 else "") + ".")
        return "\n\n".join(lines)

    def json(self, ident, x, y):
        out = {
            "id": ident,
            "type": self.kind,
            "title": self.title,
            "description": self.description(),
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "options": self.options,
        }
        if self.kind == "text":
            return out
        source = GRAPHITE if isinstance(self.targets[0], Graphite) else PROMETHEUS
        out["datasource"] = source
        out["targets"] = [t.json(ref) for t, ref in zip(self.targets, refs())]
        out["fieldConfig"] = {"defaults": self.defaults, "overrides": self.overrides}
        if self.transformations:
            out["transformations"] = self.transformations
        if self.links:
            out["links"] = self.links
        return out


# --- panels ----------------------------------------------------------------------------------------------------------------------

LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True}
TOOLTIP = {"mode": "multi", "sort": "none"}
LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def unjudged(thresholds, colour):
    """The same thresholds, with a neutral colour for the text that stands where there is no data."""
    first, *rest = thresholds["steps"]
    if not rest:
        return thresholds
    return dict(thresholds, steps=[{"color": colour, "value": None}, {"color": first["color"], "value": -1e12}, *rest])


def stat(title, about, targets, width=4, height=4, colour="value", text=None, mode="auto", fields=None, orientation="auto", **more):
    """Values, large. They are asked for the end of the time range: the last point of a range, which a sparkline would need, may be
    hours older, and then the figure would not agree with the tables and bars beside it."""
    targets = targets if isinstance(targets, list) else [targets]
    for target in targets:
        target.instant = True
    reduce = dict(LAST)
    if fields:
        reduce["fields"] = fields
    options = {
        "reduceOptions": reduce,
        "colorMode": colour,
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": orientation,
        "textMode": mode,
    }
    options["text"] = text or {"titleSize": 12, "valueSize": 32}
    more["thresholds"] = unjudged(more.get("thresholds", steps("text")), "text")
    return Panel("stat", title, about, targets, width, height, options=options, **more)


def lines(title, about, targets, width=12, height=8, fill=0, stack=False, bars=False, legend=LEGEND, custom=None, **more):
    style = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if stack or bars else 2,
        "fillOpacity": fill if fill else (70 if stack or bars else 0),
        "gradientMode": "none",
        "showPoints": "never",
        "spanNulls": 129600000,  # a day and a half: what is kept once a day is a line all the same
        "stacking": {"mode": "normal" if stack is True else stack or "none", "group": "A"},
        "thresholdsStyle": {"mode": "off"},
    }
    style.update(custom or {})
    more.pop("decimals", None)  # an axis chooses its own
    if stack:
        more.setdefault("defaults", {}).setdefault("min", 0)
    return Panel("timeseries", title, about, targets, width, height, options={"legend": legend, "tooltip": TOOLTIP}, custom=style, **more)


def bar_gauge(title, about, targets, width=6, height=8, orientation="horizontal", mode="basic", text=None, **more):
    options = {
        "reduceOptions": LAST,
        "displayMode": mode,
        "orientation": orientation,
        "showUnfilled": True,
        "minVizWidth": 0,
        "minVizHeight": 10,
        "valueMode": "color",
    }
    options["text"] = text or {"titleSize": 12, "valueSize": 20}
    more.setdefault("defaults", {}).setdefault("min", 0)
    if "thresholds" in more:
        more["thresholds"] = unjudged(more["thresholds"], GREY)
    return Panel("bargauge", title, about, targets, width, height, options=options, **more)


def gauge(title, about, targets, width=4, height=6, **more):
    options = {"reduceOptions": LAST, "orientation": "auto", "showThresholdLabels": False, "showThresholdMarkers": True}
    options["text"] = {"valueSize": 32}  # or two side by side differ with the length of their numbers
    more["thresholds"] = unjudged(more["thresholds"], GREY)
    return Panel("gauge", title, about, targets, width, height, options=options, **more)


def donut(title, about, targets, width=6, height=8, **more):
    options = {
        "reduceOptions": LAST,
        "pieType": "donut",
        "displayLabels": [],
        "tooltip": {"mode": "single", "sort": "none"},
        "legend": {"displayMode": "table", "placement": "right", "showLegend": True, "values": ["value"]},
    }
    return Panel("piechart", title, about, targets, width, height, options=options, **more)


def bar_chart(
    title, about, targets, x, width=12, height=8, stacking="normal", orientation="auto", legend=LEGEND, transformations=(), rotate=0, **more
):
    options = {
        "xField": x,
        "orientation": orientation,
        "stacking": stacking,
        "showValue": "never" if stacking != "none" else "auto",
        "groupWidth": 0.7,
        "barWidth": 0.9,
        "xTickLabelRotation": rotate,
        "legend": legend,
        "tooltip": TOOLTIP,
    }
    more.pop("decimals", None)  # rounded ticks would tell 1.5M as 2M
    return Panel(
        "barchart",
        title,
        about,
        targets,
        width,
        height,
        options=options,
        transformations=transformations,
        custom={"fillOpacity": 80, "lineWidth": 0, "gradientMode": "none"},
        **more,
    )


def heatmap(title, about, targets, width=12, height=8, unit_y="none", scheme="Greens", **more):
    options = {
        "calculate": False,
        "rowsFrame": {"layout": "auto", "value": "Accounts"},
        "color": {
            "mode": "scheme",
            "scheme": scheme,
            "steps": 32,
            "exponent": 0.6,
            "fill": "dark-orange",
            "scale": "exponential",
            "reverse": False,
        },
        "cellGap": 1,
        "cellValues": {"unit": "none", "decimals": 0},
        "filterValues": {"le": 1e-9},
        "yAxis": {"axisPlacement": "left", "unit": unit_y, "reverse": False},
        "legend": {"show": True},
        "tooltip": {"show": True, "yHistogram": False},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
    }
    return Panel("heatmap", title, about, targets, width, height, options=options, **more)


def table(
    title, about, targets, width=24, height=8, columns=(), transformations=(), sort=None, overrides=(), custom=None, rows=None, **more
):
    """columns: Column in order. sort: (shown name, descending), or a list of them."""
    style = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False}
    style.update(custom or {})
    options = {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""}}
    if sort:
        options["sortBy"] = [{"displayName": name, "desc": desc} for name, desc in (sort if isinstance(sort, list) else [sort])]
    transforms, over = list(transformations), list(overrides)
    if columns:
        transforms += [
            {"id": "filterFieldsByName", "options": {"include": {"names": [c.field for c in columns]}}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {c.field: i for i, c in enumerate(columns)},
                    "renameByName": {c.field: c.name for c in columns if not c.hidden},
                },
            },
        ]
        over = [o for c in columns for o in c.overrides()] + over
    return Panel(
        "table", title, about, targets, width, height, options=options, custom=style, transformations=transforms, overrides=over, **more
    )


# From nothing to much. Opaque, since Grafana chooses black or white for the text without looking at what shines through; and nothing between
# light and dark, where either is hard to read.
SHADES = steps("transparent", (1, "#c8d8f0"), (20, "#a3bde3"), (40, "#3274d9"), (60, "#1f60c4"), (80, "#174a99"))
SHADES["mode"] = "percentage"


def matrix(
    title, about, target, row, column, rows, columns=None, width=24, height=9, heading=" ", first=100, cell=48, overrides=(), **more
):
    """A coloured table: one row per value of a label, one column per value of another. rows and columns: texts by value, in their
    order; target must have them replaced by their place (promql.ordered)."""
    corner = f"{row}\\{column}"
    transforms = [
        {"id": "sortBy", "options": {"sort": [{"field": column}]}},
        {"id": "groupingToMatrix", "options": {"columnField": column, "rowField": row, "valueField": "Value"}},
        {"id": "sortBy", "options": {"sort": [{"field": corner}]}},
    ]
    properties = {"displayName": heading, "custom_cellOptions": {"type": "auto"}, "custom_align": "left", "custom_width": first}
    if rows:
        properties["mappings"] = value_map({f"{i:02d}": t for i, t in enumerate(rows, 1)})
    over = [by_name(f"{i:02d}", displayName=t) for i, t in enumerate(columns or (), 1)] + list(overrides) + [by_name(corner, **properties)]
    more.setdefault("thresholds", SHADES)
    return table(
        title,
        about,
        [target],
        width,
        height,
        transformations=transforms,
        overrides=over,
        custom={"align": "center", "cellOptions": {"type": "color-background", "mode": "basic"}, "minWidth": cell},
        **more,
    )


class Column:
    """One column of a table: the field it is made of, its heading, and properties as by_name takes them."""

    def __init__(self, field, name=None, hidden=False, **properties):
        self.field, self.name, self.hidden, self.properties = field, name or field, hidden, properties

    def overrides(self):
        properties = {"custom_hidden": True} if self.hidden else dict(self.properties)
        if "thresholds" in properties:
            properties["thresholds"] = unjudged(properties["thresholds"], "text")
        return [by_name(self.name if not self.hidden else self.field, **properties)] if properties else []


def states(title, about, targets, width=24, height=8, **more):
    options = {
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "never",  # a short state would show the first letters of its name; the legend tells all
        "legend": LEGEND,
        "tooltip": {"mode": "single", "sort": "none"},
    }
    more.setdefault("defaults", {})["color"] = fixed(GREY)  # mappings have theirs; with shades, which are the default, there is no legend
    return Panel(
        "state-timeline",
        title,
        about,
        targets,
        width,
        height,
        options=options,
        custom={"fillOpacity": 75, "lineWidth": 0, "spanNulls": 129600000},
        **more,
    )


def text(title, about, content, width=24, height=4):
    return Panel(
        "text",
        title,
        about,
        [],
        width,
        height,
        options={"mode": "markdown", "content": content, "code": {"language": "plaintext", "showLineNumbers": False, "showMiniMap": False}},
    )


# --- variables -------------------------------------------------------------------------------------------------------------------


def datasource(kind="prometheus"):
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": kind,
        "regex": "",
        "refresh": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "current": {},
        "options": [],
        "skipUrlSync": False,
    }


def query(name, label, expression, every=None, multi=True, regex="", sort=1, hide=0, kind=PROMETHEUS, about=""):
    """A variable filled by the data source. every: the regular expression that stands for All."""
    out = {
        "type": "query",
        "name": name,
        "label": label,
        "description": about,
        "datasource": kind,
        "refresh": 2,
        "regex": regex,
        "sort": sort,
        "hide": hide,
        "multi": multi,
        "includeAll": every is not None,
        "options": [],
        "skipUrlSync": False,
        "current": {},
    }
    if kind is GRAPHITE:
        out["query"] = out["definition"] = expression
    else:
        out["definition"] = expression
        out["query"] = {"query": expression, "refId": "StandardVariableQuery"}
    if every is not None:
        out["allValue"] = every
        out["current"] = (
            {"selected": True, "text": ["All"], "value": ["$__all"]} if multi else {"selected": True, "text": "All", "value": "$__all"}
        )
    return out


def choice(name, label, values, default, about=""):
    """A variable with given values; Grafana 9 needs them as options too."""
    options = [{"text": v, "value": v, "selected": v == default} for v in values]
    return {
        "type": "custom",
        "name": name,
        "label": label,
        "description": about,
        "query": ",".join(values),
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "skipUrlSync": False,
        "current": {"selected": True, "text": default, "value": default},
        "options": options,
    }


# --- dashboards ------------------------------------------------------------------------------------------------------------------


class Block:
    """Panels that fill a part of the columns as a row fills all of them, so that a tall panel can stand beside several."""

    def __init__(self, width, panels):
        self.width, self.panels = width, panels


def place(members, left, top, width, ident):
    """Panels and blocks from left to right, in as many lines as they need: the panels' JSON and the height of all."""
    placed, x, y, line = [], 0, top, 0
    for member in members:
        if x + member.width > width:
            x, y, line = 0, y + line, 0
        if isinstance(member, Block):
            inner, height = place(member.panels, left + x, y, member.width, ident + len(placed))
            placed += inner
        else:
            placed.append(member.json(ident + len(placed), left + x, y))
            height = member.height
        x, line = x + member.width, max(line, height)
    return placed, y + line - top


def dashboard(uid, title, about, variables, rows, tags=("collectd-crm",), start="now-90d", refresh="5m", links=(), annotations=()):
    """rows: (title or None, panels or blocks[, collapsed])."""
    panels, y, ident = [], 0, 1
    for row in rows:
        name, members, collapsed = row if len(row) == 3 else (*row, False)
        head = None
        if name is not None:
            head = {
                "id": ident,
                "type": "row",
                "title": name,
                "collapsed": collapsed,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": [],
            }
            panels.append(head)
            ident, y = ident + 1, y + 1
        placed, height = place(members, 0, y, 24, ident)
        ident, y = ident + len(placed), y + height
        if collapsed:
            head["panels"] = placed
        else:
            panels += placed
    return {
        "id": None,
        "uid": uid,
        "title": title,
        "description": about,
        "tags": list(tags),
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA,
        "style": "dark",
        "timezone": "browser",
        "time": {"from": start, "to": "now"},
        "timepicker": {"refresh_intervals": ["30s", "1m", "5m", "15m", "30m", "1h"]},
        "refresh": refresh,
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "version": 1,
        "links": list(links),
        "annotations": {"list": list(annotations)},
        "templating": {"list": list(variables)},
        "panels": panels,
    }
