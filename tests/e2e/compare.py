#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Values read back against values expected.

compare.py instant GOT                   the time (ms) of the newest complete set of values in GOT; exit status 1 if none is known
                                          to be complete, for which two have to be equally large
compare.py values NAME EXPECTED GOT TIME  prints the differences at that time; exit status 1 if there are any
compare.py totals JSON TIME               GOT of what `crmctl once --format json` printed: its totals per tenant

EXPECTED has lines "tenant<TAB>type instance<TAB>value"; GOT "tenant<TAB>type instance<TAB>value<TAB>time". Every expected value must be
there and equal, and nothing else of the families that are expected.
"""
import collections
import json
import math
import sys

DIMENSIONS = ("segment", "account_owner")


def read(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")


def instant(path):
    count = collections.Counter(time for _, _, _, time in read(path))
    most = max(count.values(), default=0)
    complete = [time for time, n in count.items() if n == most]
    if len(complete) < 2:
        sys.exit(f"no two sets of values of one size: {sorted(count.items())}")
    print(max(complete, key=float))


def totals(path, time):
    sums = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for series in json.load(file)["series"]:
            labels = series["labels"]
            own = [value for name, value in labels.items() if name not in ("tenant", *DIMENSIONS)]
            kind = ".".join([series["name"].removeprefix("crm_"), *own]).lower()
            sums[labels["tenant"], kind].append(float(series["value"]))
    for (tenant, kind), parts in sums.items():
        print(tenant, kind, repr(math.fsum(parts)), time, sep="\t")


def equal(got, expected):
    # 15 significant digits are what collectd's writers print.
    return math.isclose(got, expected, rel_tol=1e-13, abs_tol=1e-9)


def values(name, expected_path, got_path, time):
    expected = {(tenant, kind): float(value) for tenant, kind, value in read(expected_path)}
    got = {(tenant, kind): float(value) for tenant, kind, value, at in read(got_path) if at == time}
    families = {kind.split(".")[0] for _, kind in expected}
    wrong = []
    for key in sorted(expected):
        if key not in got:
            wrong.append(f"{'/'.join(key)}: expected {expected[key]!r}, not there")
        elif not equal(got[key], expected[key]):
            wrong.append(f"{'/'.join(key)}: expected {expected[key]!r}, got {got[key]!r}")
    for key in sorted(set(got) - set(expected)):
        if key[1].split(".")[0] in families:
            wrong.append(f"{'/'.join(key)}: not expected, got {got[key]!r}")
    print(f"{name}: {len(expected)} values of {len(families)} families expected, {len(wrong)} differ")
    for line in wrong[:40]:
        print(line)
    if wrong or not expected:
        sys.exit(1)


if __name__ == "__main__":
    {"instant": instant, "totals": totals, "values": values}[sys.argv[1]](*sys.argv[2:])
