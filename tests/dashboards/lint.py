#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lint.py FILE...: the rules for dashboards, one line per finding; exit status 1 if there is any. All dashboards of a set in one call,
since links are followed. Rules named like those of Grafana's dashboard-linter ask for the same; job and instance are not asked for: a
metric about customers has neither when it comes by remote write."""

import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "grafana/source"))
from catalogue import DIMENSIONS, FAMILIES, all_labels  # noqa: E402

UNITS = {"none", "short", "percentunit", "s", "bytes", "locale", "currency:"}
BUILT_IN = {"__rate_interval", "__range", "__interval", "__url_time_range", "__value.text", "datasource"}
VARIABLE = re.compile(r"\$\{([\w.]+)(?::\w+)?\}|\$([A-Za-z_]\w*)")
SELECTOR = re.compile(r"\b(crm_\w+)(?:\{([^{}]*)\})?")
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
DERIVED = {"key", "when", "alertname", "severity", "alertstate"}  # made by label_join, or of ALERTS
STATIC = {"text", "row"}
# Series of an account are chosen through crm_account_info, so they need no dimensions.
FILTERED = {"CELL": {"tenant", *DIMENSIONS}, "TENANT": {"tenant"}, "DERIVED": {"tenant"}, "ACCOUNT": {"tenant"}, "INSTANCE": {"tenant"}}


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def data_panels(board):
    return [p for p in panels(board) if p["type"] not in STATIC]


def variables_in(text):
    return {a or b for a, b in VARIABLE.findall(text)}


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from strings(v)


def selectors(expression):
    for name, inside in SELECTOR.findall(expression):
        yield name, MATCHER.findall(inside)


def lint_expression(expression, names):
    """Findings of one PromQL expression."""
    for name, matchers in selectors(expression):
        family = FAMILIES.get(name)
        if family is None:
            yield "catalogue", f"there is no {name}"
            continue
        for label, _, _ in matchers:
            if label not in all_labels(family):
                yield "catalogue", f"{name} has no label {label}"
        if family.kind == "COUNTER" and not re.search(
            r"(rate|increase)\(" + re.escape(name) + r"\{[^}]*\}\[\$__(rate_interval|range)\]", expression
        ):
            yield "target-counter-agg-rule", f"{name} outside of rate or increase over $__rate_interval or $__range"
        if {"segment", "owner"} <= names or family.scope != "CELL":
            wanted = FILTERED[family.scope] if "segment" in names or family.scope != "CELL" else {"tenant"}
            for label in wanted - {m[0] for m in matchers}:
                yield "filters", f"{name} is not filtered by {label}"
        for label, operator, value in matchers:
            if label in ("tenant", *DIMENSIONS, "currency") and value != "none" and not value.startswith("$"):
                yield "fixed-value", f'{label}{operator}"{value}" in a selector of {name}'
    known = {label for family in FAMILIES.values() for label in all_labels(family)} | DERIVED
    for labels in GROUPING.findall(expression):
        for label in filter(None, (part.strip() for part in labels.split(","))):
            if label not in known:
                yield "catalogue", f"no family has the label {label} (in a grouping)"


def lint_variables(board):
    seen = [v["name"] for v in board["templating"]["list"]]
    first = board["templating"]["list"][0] if seen else {}
    if first.get("type") != "datasource" or first.get("name") != "datasource" or first.get("label") != "Data source":
        yield "template-datasource-rule", "the first variable must be the data source"
    for v in board["templating"]["list"]:
        name = v["name"]
        if not v.get("label"):
            yield "template-label", f"{name} has no label"
        if v["type"] == "query":
            if v.get("refresh") != 2:
                yield "template-on-time-change-reload-rule", f"{name} must be refreshed when the time range changes"
            if v["datasource"].get("uid") != "${datasource}":
                yield "template-datasource", f"{name} does not ask the chosen data source"
            if v["includeAll"] and v.get("allValue") not in (".+", ".*"):
                yield "template-all", f"{name}: All needs .+ or .*"
            if v["datasource"]["type"] == "prometheus":
                if not re.match(r"(label_values|query_result)\(", v["definition"]) or v["query"]["query"] != v["definition"]:
                    yield "template-label-promql-rule", f"{name} is no label_values or query_result"
                for metric, matchers in selectors(v["definition"]):
                    if metric not in FAMILIES:
                        yield "catalogue", f"{name}: there is no {metric}"
                    else:
                        for label, _, _ in matchers:
                            if label not in all_labels(FAMILIES[metric]):
                                yield "catalogue", f"{name}: {metric} has no label {label}"
        elif v["type"] == "custom":
            values = [o["value"] for o in v["options"]]
            if ",".join(values) != v["query"] or v["current"].get("value") not in values:
                yield "template-options", f"{name}: options and query differ, or the current value is none of them"
        position = seen.index(name)
        for used in variables_in(v.get("definition", "")) - BUILT_IN:
            if used not in seen[:position]:
                yield "template-chain", f"{name} uses {used}, which does not come before it"
    for name in seen[1:]:
        rest = [p for p in board["panels"]] + [w for w in board["templating"]["list"] if w["name"] != name]
        if not any(name in variables_in(s) for s in strings(rest)):
            yield "template-unused", f"nothing uses {name}"


def lint_panel(panel, names, graphite):
    kind = "graphite" if graphite else "prometheus"
    if not panel.get("title") or not panel.get("description"):
        yield "panel-title-description-rule", "needs a title and a description"
    for part in ("**Unit**", "**Population**", "**From**" if any("crm" in s for s in strings(panel.get("targets", []))) else "**Unit**"):
        if part not in panel.get("description", ""):
            yield "panel-description", f"the description does not say {part}"
    if panel.get("datasource") != {"type": kind, "uid": "${datasource}"}:
        yield "panel-datasource-rule", "does not ask the chosen data source"
    if not panel.get("targets"):
        yield "panel-no-targets-rule", "asks nothing"
        return
    defaults = panel["fieldConfig"]["defaults"]
    if defaults.get("unit") not in UNITS:
        yield "panel-units-rule", f"unit {defaults.get('unit')}"
    if panel["type"] != "timeseries" and defaults.get("noValue") in (None, "0"):
        yield "panel-no-value", "needs a text for no data, and 0 is none"
    steps = defaults.get("thresholds", {}).get("steps", [])
    values = [s["value"] for s in steps]
    if not steps or values[0] is not None or any(b is None or (a is not None and b <= a) for a, b in zip(values, values[1:])):
        yield "panel-thresholds", "thresholds must begin without a value and rise"
    refs = [t["refId"] for t in panel["targets"]]
    if len(set(refs)) != len(refs):
        yield "target-ref", "two targets of one name"
    for used in variables_in(json.dumps(panel)) - BUILT_IN:
        if used not in names and not used.startswith("__"):
            yield "variable", f"${used} is no variable"
    for target in panel["targets"]:
        if target.get("datasource") != {"type": kind, "uid": "${datasource}"}:
            yield "panel-datasource-rule", f"target {target['refId']} does not ask the chosen data source"
        if graphite:
            if not re.search(r"(alias|aliasSub|groupByNode)\(", target["target"]):
                yield "legend", f"target {target['refId']} has no name"
            continue
        if target["format"] != "table" and target["legendFormat"] in ("", "__auto"):
            yield "legend", f"target {target['refId']} has no legend"
        if target["instant"] == target["range"]:
            yield "target-kind", f"target {target['refId']} must be either instant or of a range"
        for rule, text in lint_expression(target["expr"], names):
            yield rule, f"target {target['refId']}: {text}"


def lint_places(board):
    taken = {}
    ids = [p["id"] for p in panels(board)]
    if len(set(ids)) != len(ids):
        yield "panel-id", "two panels of one id"
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24 or place["w"] < 1 or place["h"] < 1:
            yield "layout", f"{panel['title']} leaves the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if taken.setdefault((x, y), panel["id"]) != panel["id"]:
                    yield "layout", f"{panel['title']} lies on another panel"
                    return


def lint_links(board, boards):
    for text in strings([board["panels"], board["links"]]):
        found = re.match(r"/d/([\w-]+)\?(.*)", text)
        if not found:
            continue
        uid, query = found.groups()
        if uid not in boards:
            yield "link", f"there is no dashboard {uid}"
            continue
        there = {v["name"] for v in boards[uid]["templating"]["list"]}
        for name in re.findall(r"var-(\w+)=", query) + [n for n in re.findall(r"\$\{(\w+):queryparam\}", query)]:
            if name not in there:
                yield "link", f"{uid} has no variable {name}"
    tags = {t for b in boards.values() for t in b["tags"]}
    for link in board["links"]:
        if link["type"] == "dashboards" and not set(link["tags"]) <= tags:
            yield "link", "no dashboard has the tag of the links"


def lint_board(path, board, boards):
    for key, wanted in (("id", None), ("editable", False), ("graphTooltip", 1), ("uid", pathlib.Path(path).stem)):
        if board.get(key) != wanted:
            yield "uneditable-dashboard" if key == "editable" else "dashboard", f"{key} must be {json.dumps(wanted)}"
    if not 36 <= board["schemaVersion"] <= 39:
        yield "dashboard", "schemaVersion must be 36 to 39, so that 9.4 reads it and newer ones migrate it"
    if "__inputs" in board or not board["uid"].startswith("crm-") or not board["tags"] or not board["description"]:
        yield "dashboard", "needs a uid crm-..., tags and a description, and no __inputs"
    names = {v["name"] for v in board["templating"]["list"]}
    graphite = board["templating"]["list"][0].get("query") == "graphite"
    yield from lint_variables(board)
    yield from lint_places(board)
    yield from lint_links(board, boards)
    for panel in data_panels(board):
        for rule, text in lint_panel(panel, names, graphite):
            yield rule, f"{panel.get('title')}: {text}"


def findings(boards):
    """boards: dashboard by path."""
    by_uid = {}
    for path, board in boards.items():
        if board["uid"] in by_uid:
            yield path, "dashboard", f"a second dashboard of uid {board['uid']}"
        by_uid[board["uid"]] = board
    for path, board in boards.items():
        for rule, text in lint_board(path, board, by_uid):
            yield path, rule, text


def load(paths):
    return {str(p): json.loads(pathlib.Path(p).read_text(encoding="utf-8")) for p in paths}


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: lint.py FILE...")
    count = 0
    for path, rule, text in findings(load(sys.argv[1:])):
        print(f"{pathlib.Path(path).name}: {rule}: {text}")
        count += 1
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
