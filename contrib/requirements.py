#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes contrib/requirements.md of contrib/requirements.tsv: requirements.py TSV >MARKDOWN

A line of the source is a heading ("# ..."), or five columns with tabs between: item, kind, expression, check, note.
kind     promql, command, option (of the plugin, with its default), other (the note says how), later (not there yet)
check    what tests/e2e/test-requirements.sh holds the answer against: see there
"""
import sys

INTRO = """<!-- Made from requirements.tsv by `make update-requirements`; do not edit. -->
# What is asked of a customer-success analytics module, and what serves it

Every interface field, feature, report and endpoint of such a module, with the PromQL, the command or the option that serves it here. Names are those
of the labelled series, as the scrape endpoint and `crmctl once` have them; `crm-metrics(7)` defines each. `tests/e2e/test-requirements.sh` runs every
line against the demo CRM and fails on an error, an empty answer or a wrong one.

The parameters of the endpoints: `period` is the label `window` or the range of a query; `segment`, `team_member`, `type`, `outcome` and `account_id`
are label matchers; `compare` is an `offset`; `risk_threshold` and `at_risk` are comparisons; `factors` are the families of factors. `$account`,
`$owner` and `$segment` stand for a value, as a dashboard's variables do. Series of single accounts need the option `PerAccount`.
"""


def rows(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            yield (line,) if line.startswith("# ") else tuple(line.split("\t"))


def cell(text):
    return text.replace("|", "\\|")


def served(kind, expression):
    if kind == "later":
        what, name = expression.split(" ", 1)
        return f"not there yet ({'option' if what == 'option' else 'family'} `{name if what == 'option' else 'crm_' + name}`)"
    if kind == "other":
        return ""
    return f"{'option ' if kind == 'option' else ''}`{cell(expression)}`"


def main(path):
    print(INTRO, end="")
    for row in rows(path):
        if len(row) == 1:
            print(f"\n## {row[0][2:]}\n\n| item | served by | |\n| --- | --- | --- |")
            continue
        item, kind, expression, _, note = row
        print(f"| {cell(item)} | {served(kind, expression)} | {cell(note)} |")


if __name__ == "__main__":
    main(sys.argv[1])
