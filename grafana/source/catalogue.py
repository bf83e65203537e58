# SPDX-License-Identifier: MIT
"""The catalogue of families, read from src/series/catalogue.def: dashboards may only use what it has, and by the labels it has."""

import collections
import pathlib
import re

Family = collections.namedtuple("Family", "name scope kind unit labels population")

TOP = pathlib.Path(__file__).resolve().parents[2]
ENTRY = re.compile(
    r'^CRM_FAMILY\(\w+,\s*"(\w+)",\s*(CELL|TENANT|DERIVED|ACCOUNT|INSTANCE),\s*(\w+),\s*"(\w*)",\s*'
    r'(CRM_NONE|CRM_LABELS\([^)]*\)),\s*(.*?),\s*"(\w*)",\s*"',
    re.M | re.S,
)
# Labels that come with the scope (METRICS.md section 1); the dimensions are those that the dashboards' variables filter by.
DIMENSIONS = ("segment", "account_owner")
SCOPE_LABELS = {"CELL": ("tenant", *DIMENSIONS), "TENANT": ("tenant",), "DERIVED": ("tenant",), "ACCOUNT": ("tenant", "account"), "INSTANCE": ("tenant",)}


def read(top=TOP):
    text = (pathlib.Path(top) / "src/series/catalogue.def").read_text(encoding="utf-8")
    families = {}
    for name, scope, kind, unit, labels, _needs, population in ENTRY.findall(text):
        families["crm_" + name] = Family("crm_" + name, scope, kind, unit, tuple(re.findall(r'"(\w+)"', labels)), population)
    wanted = len(re.findall(r"^CRM_FAMILY\(", text, re.M))
    if len(families) != wanted:
        raise SystemExit(f"catalogue.def: {len(families)} of {wanted} entries understood")
    return families


FAMILIES = read()


def all_labels(family):
    return SCOPE_LABELS[family.scope] + family.labels
