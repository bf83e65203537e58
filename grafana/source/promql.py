# SPDX-License-Identifier: MIT
"""PromQL by name of family. A selector gets the matchers of the dashboards' variables by itself, as the scope of its family has them, and a
family or label that the catalogue does not have ends the generator."""

import re

from catalogue import FAMILIES, all_labels

# Variables by label. A tenant is always there; `none` stands where an account has no segment. `.*` for All also finds cells that lack a
# dimension altogether, because GroupBy leaves it out or MaxCells has dropped it.
VARIABLE = {"tenant": "$tenant", "segment": "$segment", "account_owner": "$owner"}


class Unknown(Exception):
    pass


def sel(family, **matchers):
    """sel("accounts", status="active"); a value may be ("=~", "a|b"). currency and window follow their variables unless given; None leaves
    a matcher out."""
    info = FAMILIES.get("crm_" + family)
    if info is None:
        raise Unknown(f"the catalogue has no family crm_{family}")
    known = all_labels(info)
    for label in matchers:
        if label not in known:
            raise Unknown(f"crm_{family} has no label {label}")
    parts = {}
    for label in known:
        if label in matchers:
            if matchers[label] is not None:
                parts[label] = matchers[label]
        elif info.scope == "INSTANCE" and label == "tenant":
            parts[label] = ("=~", "$crm")
        elif label in VARIABLE and (label == "tenant" or info.scope == "CELL"):
            parts[label] = ("=~", VARIABLE[label])
        elif label == "currency" and info.scope != "ACCOUNT":
            parts[label] = "$currency"
        elif label == "currency" and family == "account_arr":
            parts[label] = "$currency"
        elif label == "window":
            raise Unknown(f"crm_{family} needs a window")
        elif label == "horizon":
            raise Unknown(f"crm_{family} needs a horizon")
    text = ",".join(f'{k}{v[0]}"{v[1]}"' if isinstance(v, tuple) else f'{k}="{v}"' for k, v in parts.items())
    return f"crm_{family}{{{text}}}"


def total(family, **matchers):
    return f"sum({sel(family, **matchers)})"


def by(labels, family, **matchers):
    return f"sum by ({labels}) ({sel(family, **matchers)})"


def ratio(above, below, keep=""):
    """The quotient of two sums, and nothing where there is nothing to divide by: an undefined ratio is no sample. KEEP: labels that
    both have."""
    if keep:
        return f"{above} / on ({keep}) ({below} > 0)"
    return f"{above} / ({below} > 0)"


def change(expression, over="$compare"):
    """Now less then."""
    return f"({expression}) - ({earlier(expression, over)})"


def earlier(expression, over="$compare"):
    """The same expression an interval before: every selector with an offset."""
    return re.sub(r"(crm_\w+\{[^}]*\})", lambda m: f"{m[1]} offset {over}", expression)


# --- accounts --------------------------------------------------------------------------------------------------------------------

ACCOUNTS = 'crm_account_info{tenant=~"$tenant",segment=~"$segment",account_owner=~"$owner"}'


def accounts(family, **matchers):
    """A family per account, of the accounts that the variables choose."""
    return f"({sel(family, **matchers)} and on (tenant, account) {ACCOUNTS})"


def keyed(expression, labels=""):
    """One value per account, with the key by which tables join: an account's identifier is unique within its tenant only. No label but the
    key and those asked for, since a join gives each that comes twice a number."""
    return f'max by ({", ".join(filter(None, ["key", labels]))}) (label_join({expression}, "key", "|", "tenant", "account"))'


def only(expression, driver):
    """Of the accounts alone that the driver has."""
    return f"({expression} and on (tenant, account) {driver})"


def ordered(expression, label, values):
    """The label's values replaced by their place in the list, two digits, to sort by; mappings show the text."""
    for i, value in enumerate(values, 1):
        expression = f'label_replace({expression}, "{label}", "{i:02d}", "{label}", "{value}")'
    return expression
