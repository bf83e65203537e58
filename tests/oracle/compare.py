#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What SQL says against what `crmctl once --format json` printed. Prints lines "ok - ..." and "not ok - ...", and comments.

compare.py values EXPECTED GOT NAME  a line for each family: the same series on both sides, with equal values
compare.py alive CATALOGUE EXPECTED...  a line for each family: every tenant has it, and none of its label values is 0 at every instant

EXPECTED has lines "family<TAB>labels as JSON<TAB>value", GOT is crmctl's JSON. A series that only one side has is a difference, and so is a
family that SQL does not know. Counts and money are equal; everything else is within 1e-9 of itself, but for what 2^-32 of a point per account,
in which scores are added up, makes of sums and means that are small.
"""
import collections
import json
import math
import re
import sys

INEXACT = ("_points", "_average", "_score", "_slope", "_ratio", "_value", "_per_account", "_correlation", "nps", "nps_standard_error", "mrr")
POINTS = ("_points", "_average", "_score", "_slope")  # what is made of scores
CELL = ("tenant", "segment", "account_owner", "account", "currency")
ALWAYS_ZERO = ("arr_identity_residual",)  # the identity
# Estimates of models (METRICS.md section 6), which are held against R and not against SQL.
MODELS = ("account_churn_probability", "account_health_forecast", "account_time_to_churn", "churn_model", "engagement_effect", "expected_churned")
ANY = ("month", "cohort", "age", "team_member")  # labels of which not each value has to be there
NEVER = (("engagement_type", "other"),)  # which the application does not let in
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
    return math.isclose(wanted, value, rel_tol=1e-9, abs_tol=1e-8 if family.endswith(POINTS) else 0)


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
    for family in sorted(wanted.keys() | {family for family in there if not family.startswith(MODELS)}):
        report(f"{family} {name}", list(differences(family, wanted[family], there[family])))


def business_families(catalogue):
    with open(catalogue, encoding="utf-8") as file:
        return [name for name, scope in re.findall(r'^CRM_FAMILY\(\w+, "(\w+)", (\w+),', file.read(), re.MULTILINE) if scope != "INSTANCE"]


def alive(catalogue, *paths):
    sums = collections.defaultdict(lambda: collections.defaultdict(float))
    tenants = collections.defaultdict(set)
    for path in paths:
        for family, labels, value in expected(path):
            tenants[family].add(labels["tenant"])
            tenants[""].add(labels["tenant"])
            own = sorted((name, label) for name, label in labels.items() if name not in CELL + ANY and family != "account_info")
            # Of transitions, each that begins and each that ends somewhere: nobody becomes healthy in a week, or comes back.
            kinds = [own[:1] + own[2:], own[1:]] if family == "health_band_transitions" else [own]
            for kind in kinds:
                if not set(NEVER) & set(kind):
                    sums[family][tuple(kind)] += abs(value)
    for family in business_families(catalogue):
        if family.startswith(MODELS):
            continue
        dead = sorted(own for own, total in sums[family].items() if total == 0 and family not in ALWAYS_ZERO)
        wrong = [f"{show(own)}: SQL says 0 at every instant" for own in dead]
        wrong += [f"no tenant {tenant}" for tenant in sorted(tenants[""] - tenants[family])]
        report(f"{family}: nothing is 0 at every instant", wrong)
    report("there is more than one tenant", [] if len(tenants[""]) > 1 else [f"only {tenants['']}"])


if __name__ == "__main__":
    {"values": values, "alive": alive}[sys.argv[1]](*sys.argv[2:])
