#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What SQL says against what `crmctl once --format json` printed. Prints lines "ok - ..." and "not ok - ...", and comments.

compare.py values EXPECTED GOT NAME  a line for each family: the same series on both sides, with equal values
compare.py alive EXPECTED...         a line for each family: none of its label values is 0 at every instant

EXPECTED has lines "family<TAB>labels as JSON<TAB>value", GOT is crmctl's JSON. A series that only one side has is a difference, and so is a
family that SQL does not know. Counts and money are equal; everything else is within 1e-9 of itself, but for what 2^-32 of a point per account,
in which points are added up, makes of small numbers. The families of families-to-come are left out until SQL knows them.
"""
import collections
import json
import math
import pathlib
import sys

INEXACT = ("_points", "_average", "_score", "_ratio", "nps", "nps_standard_error", "mrr")
CELL = ("tenant", "segment", "account_owner", "account", "currency")
ALWAYS_ZERO = ("arr_identity_residual",)  # the identity
SHOWN = 12


def series(rows):
    families = collections.defaultdict(dict)
    for family, labels, value in rows:
        key = tuple(sorted(labels.items()))
        if key in families[family]:
            sys.exit(f"{family}{show(key)} is there twice")
        families[family][key] = value
    return families


def expected(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            family, labels, value = line.rstrip("\n").split("\t")
            yield family, json.loads(labels), float(value)


def got(path):
    with open(path, encoding="utf-8") as file:
        for one in json.load(file)["series"]:
            yield one["name"].removeprefix("crm_"), one["labels"], float(one["value"])


def equal(family, wanted, value):
    if not family.endswith(INEXACT):
        return wanted == value
    return math.isclose(wanted, value, rel_tol=1e-9, abs_tol=1e-8)


def show(key):
    return "{" + ", ".join(f"{name}={value}" for name, value in key) + "}"


def differences(family, wanted, there):
    for key in sorted(wanted.keys() | there.keys()):
        if key not in there:
            yield f"{show(key)}: SQL says {wanted[key]!r}, not there"
        elif key not in wanted:
            yield f"{show(key)}: {there[key]!r}, which SQL does not have"
        elif not equal(family, wanted[key], there[key]):
            yield f"{show(key)}: SQL says {wanted[key]!r}, there is {there[key]!r}"


def report(what, wrong):
    print(f"{'not ok' if wrong else 'ok'} - {what}")
    if len(wrong) > SHOWN:
        print(f"# {len(wrong)} differences, of which the first:")
    for line in wrong[:SHOWN]:
        print(f"# {line}")


def values(expected_path, got_path, name):
    wanted, there = series(expected(expected_path)), series(got(got_path))
    lines = pathlib.Path(__file__).with_name("families-to-come").read_text(encoding="utf-8").splitlines()
    to_come = {family for line in lines if not line.startswith("#") for family in line.split()}
    if told := to_come & wanted.keys():
        report(f"families-to-come {name}", [f"{family} is in SQL: take it out" for family in sorted(told)])
    for family in sorted((wanted.keys() | there.keys()) - to_come):
        report(f"{family} {name}", list(differences(family, wanted[family], there[family])))


def alive(*paths):
    sums = collections.defaultdict(lambda: collections.defaultdict(float))
    for path in paths:
        for family, labels, value in expected(path):
            own = tuple(sorted((name, label) for name, label in labels.items() if name not in CELL and family != "account_info"))
            sums[family][own] += abs(value)
    for family in sorted(sums.keys() - set(ALWAYS_ZERO)):
        dead = sorted(own for own, total in sums[family].items() if total == 0)
        report(f"{family}: nothing is 0 at every instant", [f"{show(own)}: SQL says 0 at every instant" for own in dead])


if __name__ == "__main__":
    {"values": values, "alive": alive}[sys.argv[1]](*sys.argv[2:])
