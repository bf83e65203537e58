#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""endpoints.py PROMETHEUS-URL README.md: asks the queries of the table of endpoints. A capital letter becomes the first value that the label has
in that metric; one query without an answer, or a table that cannot be read, is a finding."""

import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

METRIC = re.compile(r"([a-z_:]+)\{([^}]*)\}")


def ask(url, expression):
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{expression}: {error.read().decode()}")


def with_values(url, expression):
    def selector(match):
        name, inside = match.groups()
        given = [m for m in re.findall(r'\w+="[^"]*"', inside) if not re.search(r'="[A-Z]"$', m)]
        asked = re.findall(r'(\w+)="[A-Z]"', inside)
        # One series that has all of the labels, so that the values suit each other.
        found = ask(url, f"topk(1, {name}{{{','.join(given)}}})") if asked else [{"metric": {}}]
        return f"{name}{{{','.join(given + [f'{k}=' + json.dumps(found[0]['metric'][k]) for k in asked])}}}"

    return METRIC.sub(selector, expression)


def main():
    text = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", text.split("| endpoint | query |")[1], re.M)[1:]
    queries = [q for _, cell in rows for q in re.findall(r"`([^`]+)`", cell) if not q.startswith("...")]
    if len(rows) < 14 or len(queries) < 18:
        sys.exit(f"only {len(rows)} rows and {len(queries)} queries understood")
    empty = [q for q in queries if not ask(sys.argv[1], with_values(sys.argv[1], q))]
    print(f"{len(queries)} queries of {len(rows)} endpoints")
    print("\n".join(f"no answer: {q}" for q in empty))
    sys.exit(bool(empty))


if __name__ == "__main__":
    main()
