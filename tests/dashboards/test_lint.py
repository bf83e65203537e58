#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_lint.py DIRECTORY: breaks the dashboards there, in memory, one rule at a time; lint.py must find each, and nothing in what is whole."""

import copy
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lint import data_panels, findings, load  # noqa: E402


def variable(board, name):
    return next(v for v in board["templating"]["list"] if v["name"] == name)


def first(board, kind):
    return next(p for p in data_panels(board) if p["type"] == kind)


def target(board):
    return first(board, "stat")["targets"][0]


def put(thing, key, value):
    thing[key] = value


def expression(board, old, new):
    for panel in data_panels(board):
        for t in panel["targets"]:
            if old in t["expr"]:
                t["expr"] = t["expr"].replace(old, new)
                return
    raise SystemExit(f"test_lint.py: no target with {old}")


# Rule, dashboard, what breaks it.
BREAKS = (
    ("uneditable-dashboard", "crm-executive", lambda b: put(b, "editable", True)),
    ("dashboard", "crm-executive", lambda b: put(b, "uid", "crm-other")),
    ("dashboard", "crm-executive", lambda b: put(b, "schemaVersion", 41)),
    ("dashboard", "crm-executive", lambda b: put(b, "__inputs", [])),
    ("template-datasource-rule", "crm-executive", lambda b: put(b["templating"]["list"][0], "name", "ds")),
    ("template-on-time-change-reload-rule", "crm-executive", lambda b: put(variable(b, "segment"), "refresh", 1)),
    ("template-all", "crm-executive", lambda b: put(variable(b, "segment"), "allValue", None)),
    ("template-options", "crm-executive", lambda b: put(variable(b, "window"), "options", [])),
    ("template-chain", "crm-executive", lambda b: b["templating"]["list"].insert(1, b["templating"]["list"].pop(2))),
    ("template-unused", "crm-executive", lambda b: b["templating"]["list"].append(dict(variable(b, "window"), name="unused"))),
    ("template-label-promql-rule", "crm-executive", lambda b: put(variable(b, "segment"), "definition", "crm_accounts")),
    ("panel-title-description-rule", "crm-executive", lambda b: put(first(b, "stat"), "title", "")),
    ("panel-description", "crm-executive", lambda b: put(first(b, "stat"), "description", "Accounts.")),
    ("panel-datasource-rule", "crm-executive", lambda b: put(first(b, "stat"), "datasource", {"type": "prometheus", "uid": "P1"})),
    ("panel-datasource-rule", "crm-executive", lambda b: put(target(b), "datasource", {"type": "prometheus", "uid": "P1"})),
    ("panel-no-targets-rule", "crm-executive", lambda b: put(first(b, "stat"), "targets", [])),
    ("panel-units-rule", "crm-executive", lambda b: first(b, "stat")["fieldConfig"]["defaults"].pop("unit")),
    ("panel-no-value", "crm-executive", lambda b: put(first(b, "stat")["fieldConfig"]["defaults"], "noValue", "0")),
    (
        "panel-thresholds",
        "crm-executive",
        lambda b: put(first(b, "stat")["fieldConfig"]["defaults"], "thresholds", {"steps": [{"color": "red", "value": 1}]}),
    ),
    ("layout", "crm-executive", lambda b: put(first(b, "stat")["gridPos"], "w", 7)),
    ("layout", "crm-executive", lambda b: put(first(b, "stat")["gridPos"], "x", 20)),
    ("panel-id", "crm-executive", lambda b: put(b["panels"][2], "id", b["panels"][1]["id"])),
    ("legend", "crm-executive", lambda b: put(target(b), "legendFormat", "__auto")),
    ("target-ref", "crm-executive", lambda b: put(first(b, "stat")["targets"][1], "refId", "A")),
    ("target-kind", "crm-executive", lambda b: put(target(b), "range", True)),
    ("variable", "crm-executive", lambda b: put(first(b, "stat"), "title", "Accounts of $customer")),
    ("catalogue", "crm-executive", lambda b: expression(b, "crm_arr{", "crm_revenue{")),
    ("catalogue", "crm-executive", lambda b: expression(b, 'status="active"', 'state="active"')),
    ("catalogue", "crm-executive", lambda b: expression(b, "sum by (horizon)", "sum by (period)")),
    ("filters", "crm-executive", lambda b: expression(b, 'segment=~"$segment",', "")),
    ("fixed-value", "crm-executive", lambda b: expression(b, '"$currency"', '"USD"')),
    ("target-counter-agg-rule", "crm-collector", lambda b: expression(b, "[$__rate_interval]", "[5m]")),
    ("link", "crm-executive", lambda b: put(first(b, "stat"), "links", [{"url": "/d/crm-nowhere?x=1"}])),
    ("link", "crm-executive", lambda b: put(first(b, "stat"), "links", [{"url": "/d/crm-account?var-segment=x"}])),
    ("link", "crm-executive", lambda b: put(b["links"][0], "tags", ["other"])),
)


def main():
    boards = load(sorted(pathlib.Path(sys.argv[1]).glob("*.json")))
    names = {pathlib.Path(p).stem: p for p in boards}
    missed = [f"{rule} is found in what is whole: {text}" for _, rule, text in findings(boards)]
    for i, (rule, name, apply) in enumerate(BREAKS):
        broken = dict(boards, **{names[name]: copy.deepcopy(boards[names[name]])})
        apply(broken[names[name]])
        if rule not in {found for path, found, _ in findings(broken) if path == names[name]}:
            missed.append(f"case {i + 1}: {rule} is not found")
    print("\n".join(missed))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
