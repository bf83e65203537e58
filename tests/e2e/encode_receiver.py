#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bodies of remote write 1.0 against a real receiver.

encode_receiver.py push URL FILE...            each answered with 204
encode_receiver.py prometheus URL JSON         Prometheus has the series of `crmctl once --format json`, and no others, with these values
encode_receiver.py prometheus-ended URL JSON   a minute later it has none of them
encode_receiver.py victoria URL JSON           VictoriaMetrics has them, each followed by a stale marker a minute later
"""
import datetime
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

ADDED = {"job": "encode", "instance": "here", "datacenter": "eu-1"}


def get(url, **query):
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
        return answer.read().decode()


def push(url, *paths):
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0",
               "User-Agent": "test/1"}
    for path in paths:
        with open(path, "rb") as file:
            request = urllib.request.Request(url, file.read(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, ""
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        if status != 204:
            sys.exit(f"{path}: {status} {text}")
    print(f"{len(paths)} requests")


def key(labels):
    return tuple(sorted(labels.items()))


def expected(path):
    with open(path, encoding="utf-8") as file:
        once = json.load(file)
    at = datetime.datetime.fromisoformat(once["at"].replace("Z", "+00:00")).timestamp()
    series = {}
    for one in once["series"]:
        labels = {name: value for name, value in one["labels"].items() if value != ""}
        labels.update(ADDED, __name__=one["name"])
        assert key(labels) not in series, f"crmctl has it twice: {labels}"
        series[key(labels)] = float(one["value"])
    assert len(series) > 1000
    return at, series


def compare(got, wanted, tolerance=0.0):
    wrong = [f"missing: {dict(k)}" for k in wanted if k not in got] + [f"not wanted: {dict(k)}" for k in got if k not in wanted]
    wrong += [f"{dict(k)}: {got[k]!r} instead of {v!r}" for k, v in wanted.items() if k in got and abs(got[k] - v) > tolerance * abs(v)]
    if wrong:
        sys.exit("\n".join(wrong[:10] + [f"{len(wrong)} in all"]))
    print(f"{len(got)} series")


def ask_prometheus(url, at):
    result = json.loads(get(url + "/api/v1/query", query='{job="encode"}', time=at))["data"]["result"]
    return {key(one["metric"]): float(one["value"][1]) for one in result}


def prometheus(url, path):
    at, wanted = expected(path)
    compare(ask_prometheus(url, at), wanted)


def prometheus_ended(url, path):
    at, wanted = expected(path)
    assert len(ask_prometheus(url, at + 59)) == len(wanted), "not there a second before"
    compare(ask_prometheus(url, at + 60), {})


def victoria(url, path):
    at, wanted = expected(path)
    get(url + "/internal/force_flush")
    got = {}
    lines = get(url + "/api/v1/export", **{"match[]": '{job="encode"}', "start": at - 1, "end": at + 61}).splitlines()
    for one in map(json.loads, lines):
        times = [round(at * 1000), round(at * 1000) + 60000]
        if one["timestamps"] != times or one["values"][1] is not None:
            sys.exit(f"no value and marker: {one}")
        got[key(one["metric"])] = float(one["values"][0])
    compare(got, wanted, 1e-11)  # it keeps decimals, of which about twelve are exact


COMMANDS = {"push": push, "prometheus": prometheus, "prometheus-ended": prometheus_ended, "victoria": victoria}
try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except (OSError, AssertionError) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
