#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tries the lines of contrib/requirements.tsv. Prints lines "ok - ..." and "not ok - ...", and comments.

requirements.py static TOP                                      every item of requirements.items has a line and the other way round; options have
                                                                the default that is told; what is "later" is not there yet
requirements.py queries TOP URL TIME EXPECTED ORACLE NAME=VALUE...
                                                                asks a Prometheus, with $NAME put in, about the instant TIME
requirements.py commands TOP DIRECTORY NAME=VALUE...            runs commands with DIRECTORY, where crmctl is, first in PATH

Checks of a query:
  sql:KEY                       the series and values that EXPECTED has for the key, in lines "key<TAB>labels as JSON<TAB>value"
  KIND by LABEL,...             these labels exactly, and values that such a thing can have: see KINDS
A query of one family or its sum, "crm_x{...}" or "sum by (...) (crm_x{...})", also has to give what the oracle says of that family: ORACLE has
the answers of tests/oracle, in lines "family<TAB>labels as JSON<TAB>value".
Checks of a command, which has to succeed: "matches REGEX" of what it prints, "file REGEX" of a file that it leaves in $output.
"""
import collections
import fnmatch
import json
import math
import os
import pathlib
import re
import string
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

KINDS = {
    "signed": lambda value: True,
    "amount": lambda value: value >= 0,
    "seconds": lambda value: value >= 0,
    "count": lambda value: value >= 0 and value == int(value),
    "ratio": lambda value: 0 <= value <= 1,
    "score": lambda value: 0 <= value <= 100,
    "one": lambda value: value == 1,
}
SHOWN = 8


def report(name, wrong):
    print(f"{'not ok' if wrong else 'ok'} - {name}", flush=True)
    for line in wrong[:SHOWN]:
        print(f"# {line}")
    if len(wrong) > SHOWN:
        print(f"# ... {len(wrong)} in all")


def table(top):
    """item, kind, expression, check, note"""
    lines = (top / "contrib/requirements.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("# ")]
    if bad := [row for row in rows if len(row) != 5]:
        sys.exit(f"requirements.tsv: not five columns: {bad[0]}")
    return rows


# --- what needs no server ----------------------------------------------------------------------------------------------------

def later_is_there(top, expression):
    what, name = expression.split(" ", 1)
    catalogue = re.findall(r'^CRM_FAMILY\(\w+, "(\w+)"', (top / "src/series/catalogue.def").read_text(encoding="utf-8"), re.MULTILINE)
    options = re.findall(r'^CRM_OPTION\(\.name = "(\w+)"', (top / "src/options/option_table.def").read_text(encoding="utf-8"), re.MULTILINE)
    if what not in ("family", "option") or not catalogue or not options:
        return [f"this test does not know {what}, or finds no catalogue and no options"]
    there = fnmatch.filter(catalogue if what == "family" else options, name)
    return [f"{what} {one} is there now: say how it serves the item" for one in there]


def static(top):
    items = [line for line in (top / "contrib/requirements.items").read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    rows = table(top)
    told = {row[0] for row in rows}
    report("every item has a line", [item for item in items if item not in told])
    report("every line is of an item", sorted(told - set(items)) + [item for item, n in collections.Counter(items).items() if n > 1])
    report("every line is of a kind", [row[0] for row in rows if row[1] not in ("promql", "command", "option", "other", "later")])
    page = subprocess.run([top / "contrib/requirements.py", top / "contrib/requirements.tsv"], stdout=subprocess.PIPE, check=True).stdout
    report("requirements.md is up to date", [] if page == (top / "contrib/requirements.md").read_bytes() else ["make update-requirements"])
    sample = (top / "contrib/collectd/crm.conf").read_text(encoding="utf-8").splitlines()
    for item, kind, expression, _, note in rows:
        if kind == "option":
            report(f"{item}: {expression}", [] if f"    #{expression}" in sample else ["not in the sample configuration"])
        elif kind == "other":
            report(f"{item}: explained", [] if note else ["nothing is said"])
        elif kind == "later":
            report(f"{item}: not there yet", later_is_there(top, expression))


# --- queries -----------------------------------------------------------------------------------------------------------------

def ask(url, time, expression):
    query = urllib.parse.urlencode({"query": expression, "time": time})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        raise ValueError(error.read().decode(errors="replace")) from error
    return [(one["metric"], float(one["value"][1])) for one in result]


def show(labels):
    return "{" + ", ".join(f"{name}={value}" for name, value in labels) + "}"


def compared(got, wanted):
    there = {tuple(sorted((name, value) for name, value in labels.items() if name != "__name__")): value for labels, value in got}
    if not wanted:
        yield "SQL says nothing"
    if len(there) != len(got):
        yield "series of different metrics"
    for labels in sorted(there.keys() | wanted.keys()):
        if labels not in there or labels not in wanted:
            yield f"{show(labels)}: SQL says {wanted.get(labels)}, there is {there.get(labels)}"
        elif not math.isclose(there[labels], wanted[labels], rel_tol=1e-9, abs_tol=1e-8):
            yield f"{show(labels)}: SQL says {wanted[labels]}, there is {there[labels]}"


SIMPLE = re.compile(r"(?:sum by \(([\w, ]*)\) \()?crm_(\w+)(?:\{([^}]*)\})?(\)?)")
SELECTOR = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def selects(selectors, labels):
    for name, how, value in selectors:
        same = re.fullmatch(value, labels.get(name, "")) is not None if how == "=~" else labels.get(name, "") == value
        if same == (how == "!="):
            return False
    return True


def oracle_says(expression, oracle):
    """What the query gives by the oracle's answers; None if it is no plain family or sum."""
    match = SIMPLE.fullmatch(expression)
    if not match or (match[1] is None) != (match[4] == ""):
        return None
    selectors = SELECTOR.findall(match[3] or "")
    sums = collections.defaultdict(float)
    for labels, value in oracle[match[2]]:
        if selects(selectors, labels):
            kept = labels if match[1] is None else {name: labels[name] for name in match[1].split(", ")}
            sums[tuple(sorted(kept.items()))] += value
    return sums


def shaped(got, check):
    match = re.fullmatch(r"(\w+) by ?([\w,]*)", check)
    if not match or match[1] not in KINDS:
        yield f"the check cannot be understood: {check!r}"
        return
    names = set(filter(None, match[2].split(",")))
    for labels, value in got:
        if set(labels) - {"__name__"} != names - {"__name__"}:
            yield f"labels {', '.join(sorted(labels))}"
        elif not math.isfinite(value) or not KINDS[match[1]](value):
            yield f"{show(sorted(labels.items()))}: {value} is no {match[1]}"


def queries(top, url, time, expected, oracle_path, *variables):
    put = dict(one.split("=", 1) for one in variables)
    oracle = collections.defaultdict(list)
    for line in pathlib.Path(oracle_path).read_text(encoding="utf-8").splitlines():
        family, labels, value = line.split("\t")
        oracle[family].append((json.loads(labels), float(value)))
    held = 0
    wanted = collections.defaultdict(dict)
    for line in pathlib.Path(expected).read_text(encoding="utf-8").splitlines():
        key, labels, value = line.split("\t")
        wanted[key][tuple(sorted(json.loads(labels).items()))] = float(value)
    used = set()
    for item, kind, expression, check, _ in table(top):
        if kind != "promql":
            continue
        try:
            query = string.Template(expression).substitute(put)
            got = ask(url, time, query)
        except (ValueError, KeyError, OSError) as error:
            report(f"{item}: {expression}", [str(error)])
            continue
        wrong = [] if got else ["no answer"]
        if check.startswith("sql:"):
            used.add(check[4:])
            wrong += compared(got, wanted[check[4:]])
        else:
            wrong += shaped(got, check)
        if (by_oracle := oracle_says(query, oracle)) is not None:
            held += 1
            wrong += compared(got, by_oracle)
        report(f"{item}: {expression}", wrong)
    report("plain sums are held against the oracle", [] if held > 0 else ["none is"])
    report("everything that SQL says is asked for", sorted(wanted.keys() - used))


# --- commands ----------------------------------------------------------------------------------------------------------------

def commands(top, directory, *variables):
    put = dict(one.split("=", 1) for one in variables)
    environment = dict(os.environ, PATH=f"{directory}:{os.environ['PATH']}")
    for number, (item, kind, expression, check, _) in enumerate(table(top)):
        if kind != "command":
            continue
        output = pathlib.Path(directory) / f"output-{number}"
        ran = subprocess.run(
            ["sh", "-c", string.Template(expression).substitute(put, output=output)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )
        how, pattern = check.split(" ", 1)
        if how == "file":
            texts = [path.read_text(encoding="utf-8") for path in output.glob("*")] if output.is_dir() else []
        else:
            texts = [ran.stdout]
        wrong = []
        if ran.returncode != 0:
            wrong = [f"exit status {ran.returncode}", *ran.stderr.splitlines()]
        elif how not in ("matches", "file") or not any(re.search(pattern, text) for text in texts):
            wrong = [f"nothing matches {pattern}", *ran.stdout[:400].splitlines()]
        report(f"{item}: {expression}", wrong)


if __name__ == "__main__":
    {"static": static, "queries": queries, "commands": commands}[sys.argv[1]](pathlib.Path(sys.argv[2]), *sys.argv[3:])
