#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Loads what crmctl backfill wrote and compares what a database has with what `crmctl once --at` says.

import URL FILE...                          POSTs the files to VictoriaMetrics, and waits until they can be read
send PORT FILE...                           sends the lines of the files to carbon, series by series: it opens a file for whatever it has of one
prometheus URL ONCE.json SECONDS LABEL...   the same series, labels and values, no more and no fewer; LABEL is name=value on all of them
victoria URL ONCE.json SECONDS LABEL...
graphite WHISPER-DIR ONCE.json SECONDS      the totals that have no labels of their own
"""
import json
import math
import os
import socket
import sys
import time
import urllib.parse
import urllib.request


def ask(url, **parameters):
    data = urllib.parse.urlencode(parameters, doseq=True).encode()
    with urllib.request.urlopen(url, data=data, timeout=60) as answer:
        return answer.read().decode()


def key(labels):
    return tuple(sorted((k, v) for k, v in labels.items() if v != ""))


def wanted(path, extra):
    with open(path) as file:
        once = json.load(file)
    labels = dict(label.split("=", 1) for label in extra)
    return {key({**labels, **s["labels"], "__name__": s["name"]}): float(s["value"]) for s in once["series"]}


def judge(want, got, same=lambda a, b: a == b):
    wrong = [f"{k}: {got[k]!r}, wanted {want[k]!r}" for k in want if k in got and not same(got[k], want[k])]
    missing = [k for k in want if k not in got]
    more = [k for k in got if k not in want]
    for what, some in (("wrong", wrong), ("missing", missing), ("not wanted", more)):
        for one in some[:5]:
            print(what, one)
    if wrong or missing or more or not want:
        sys.exit(f"{len(want)} wanted, {len(wrong)} wrong, {len(missing)} missing, {len(more)} not wanted")


def prometheus(url, once, at, *extra):
    answer = json.loads(ask(url + "/api/v1/query", query='{__name__=~"crm_.+"}', time=at))
    judge(wanted(once, extra), {key(s["metric"]): float(s["value"][1]) for s in answer["data"]["result"]})


def victoria(url, once, at, *extra):
    got = {}
    lines = ask(url + "/api/v1/export", **{"match[]": '{__name__=~"crm_.+"}', "start": at, "end": at})
    for line in lines.splitlines():
        series = json.loads(line)
        for value, time_ms in zip(series["values"], series["timestamps"]):
            if time_ms == int(at) * 1000:
                got[key(series["metric"])] = float(value)
    # It keeps the values of a block as decimals with one exponent for all, which leaves 12 to 13 digits of them; whole numbers stay whole.
    judge(wanted(once, extra), got, lambda a, b: a == b if b == int(b) else math.isclose(a, b, rel_tol=1e-11))


def graphite(directory, once, at):
    import whisper  # Debian's, it comes with carbon

    want, got = {}, {}
    with open(once) as file:
        for s in json.load(file)["series"]:
            if set(s["labels"]) == {"tenant"}:
                want[(s["labels"]["tenant"], s["name"][len("crm_"):])] = float(s["value"])
    for tenant, name in want:
        path = os.path.join(directory, "demo", "crm", tenant, "gauge", name + ".wsp")
        if not os.path.exists(path):
            continue
        (start, _, step), values = whisper.fetch(path, int(at) - 86400, int(at) + 86400)
        for i, value in enumerate(values):
            if value is not None and start + i * step == int(at) // 86400 * 86400:
                got[(tenant, name)] = value
    judge(want, got)


def victoria_import(url, *files):
    for path in files:
        with open(path, "rb") as file:
            request = urllib.request.Request(url + "/api/v1/import", data=file.read(), method="POST")
            urllib.request.urlopen(request, timeout=60).close()
    ask(url + "/internal/force_flush")
    time.sleep(2)


def send(port, *files):
    lines = []
    for path in files:
        with open(path, "rb") as file:
            lines += file.readlines()
    assert all(line.endswith(b"\n") for line in lines)
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection:
        connection.sendall(b"".join(sorted(lines)))
    time.sleep(10)


if __name__ == "__main__":
    {"prometheus": prometheus, "victoria": victoria, "graphite": graphite, "import": victoria_import, "send": send}[sys.argv[1]](*sys.argv[2:])
