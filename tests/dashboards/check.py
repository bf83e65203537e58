#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asks every query of every panel, with each value of each variable.

check.py --prometheus URL | --graphite URL  --exceptions FILE [--at SECONDS] [--days N] [--varied-step N] [--seconds S] DASHBOARD...

Variables get their values as Grafana gets them. One variable at a time takes each of its values, the others stay at their first one (or
All). A finding is: an error (a many-to-many join among them), a query that takes longer than S (1) seconds, and an answer without a
number, and a value of a label that no series has. An empty answer is right where the expression itself says that it is undefined: without its guards (> 0 before a division, or
the threshold of a table) it has one. All other empty answers must stand in the exceptions with their reason, and an exception that
nothing needs is a finding as well. Ranges are asked for as finely as a panel asks, but where a variable is varied one point every N days will do: the expression and
its series are the same at each. Series and labels that do not exist are lint.py's business."""

import argparse
import collections
import concurrent.futures
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lint import VARIABLE, data_panels, selectors  # noqa: E402

GUARD = re.compile(r" (?:>=|>|<) [\d.]+(?=\)|$)")
Answer = collections.namedtuple("Answer", "error numbers seconds")


def get(url, **parameters):
    """The answer as JSON, or its error as text."""
    try:
        data = urllib.parse.urlencode(parameters, doseq=True).encode()
        with urllib.request.urlopen(url, data, timeout=60) as answer:
            return json.load(answer), None
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            return None, json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            return None, text[:300]


class Prometheus:
    def __init__(self, url, at, days, varied_step):
        self.url, self.at, self.start = url, at, at - days * 86400
        self.step = max(15, days * 86400 // 360)  # about what a panel of 500 pixels asks for
        self.varied_step = varied_step * 86400 or self.step

    def ask(self, target, values, varied):
        expression = substitute(target["expr"], values, regex=True)
        expression = expression.replace("$__rate_interval", f"{max(60, self.step)}s").replace("$__range", f"{self.at - self.start}s")
        return self._ask(expression, target["instant"], self.varied_step if varied else self.step)

    def _ask(self, expression, instant, step):
        began = time.monotonic()
        if instant:
            answer, error = get(self.url + "/api/v1/query", query=expression, time=self.at)
        else:
            answer, error = get(self.url + "/api/v1/query_range", query=expression, start=self.start, end=self.at, step=step)
        took = time.monotonic() - began
        if error:
            return expression, Answer(error, 0, took)
        numbers = sum(1 for s in answer["data"]["result"] for _, v in s.get("values") or [s["value"]] if math.isfinite(float(v)))
        return expression, Answer(None, numbers, took)

    def undefined(self, expression, instant):
        """Whether the expression has an answer once what guards it is taken away."""
        bare = GUARD.sub("", expression)
        if bare == expression:
            return False
        answer, error = get(self.url + "/api/v1/query", query=bare, time=self.at)
        return not error and bool(answer["data"]["result"])

    def has(self, name, label, value):
        answer, error = get(self.url + "/api/v1/series", **{"match[]": f'{name}{{{label}="{value}"}}', "start": self.start, "end": self.at})
        return not error and bool(answer["data"])

    def values(self, variable, chosen):
        text = substitute(variable["definition"], chosen, regex=True)
        inside = re.fullmatch(r"label_values\((.*), *(\w+)\)", text)
        if inside:
            expression = f"group by ({inside[2]}) ({inside[1]})"
        else:
            expression = re.fullmatch(r"query_result\((.*)\)", text)[1]
        answer, error = get(self.url + "/api/v1/query", query=expression, time=self.at)
        if error:
            raise SystemExit(f"variable {variable['name']}: {error}")
        if inside:
            return sorted(s["metric"][inside[2]] for s in answer["data"]["result"])
        out = []
        pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
        for series in answer["data"]["result"]:
            found = re.search(pattern, "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(series["metric"].items())) + "}")
            if found:
                out.append(found.groupdict().get("value") or found[1])
        return out


class Graphite:
    def __init__(self, url):
        self.url = url

    def ask(self, target, values, varied):
        text = substitute(target["target"], values, regex=False)
        began = time.monotonic()
        answer, error = get(self.url + "/render", target=text, format="json", **{"from": "-5min"})
        took = time.monotonic() - began
        if error:
            return text, Answer(error, 0, took)
        return text, Answer(None, sum(1 for s in answer for v, _ in s["datapoints"] if v is not None), took)

    def undefined(self, expression, instant):
        return False

    def values(self, variable, chosen):
        text = substitute(variable["definition"], chosen, regex=False)
        inside = re.fullmatch(r"expand\((.*)\)", text)
        if inside:
            answer, error = get(self.url + "/metrics/expand", query=inside[1])
            found = [] if error else answer["results"]
        else:
            answer, error = get(self.url + "/metrics/find", query=text)
            found = [] if error else [n["text"] for n in answer]
        if variable["regex"]:
            matches = (re.search(variable["regex"].strip("/"), f) for f in found)
            found = [m[1] for m in matches if m]
        return sorted(set(found))


def substitute(text, values, regex):
    def one(match):
        name = match[1] or match[2]
        if name not in values:
            return match[0]
        value = values[name]
        # Grafana escapes what a multi-value variable puts into a regular expression, but not what stands for All.
        if regex and isinstance(value, tuple):
            return value[0]
        return re.sub(r"([\\^$.|?*+()\[\]{}])", r"\\\\\1", value) if regex and re.search(r"=~\"$", text[: match.start()]) else value

    return VARIABLE.sub(one, text)


def resolve(board, source, fixed=None):
    """The values of all variables, the one in `fixed` (name, value) as it says, and the values that each may take."""
    chosen, options = {}, {}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if variable["type"] == "datasource":
            continue
        if variable["type"] == "custom":
            options[name], first = [o["value"] for o in variable["options"]], variable["current"]["value"]
        else:
            options[name] = source.values(variable, chosen)
            first = (variable["allValue"],) if variable["includeAll"] else options[name][0] if options[name] else ""
        chosen[name] = fixed[1] if fixed and fixed[0] == name else first
    return chosen, options


def combinations(board, source):
    """(what was varied, values) for the defaults and for each value of each variable."""
    chosen, options = resolve(board, source)
    empty = [n for n, v in options.items() if not v]
    if empty:
        raise SystemExit(f"{board['uid']}: no values for {', '.join(empty)}")
    yield None, chosen
    for name, values in options.items():
        for value in values:
            if chosen[name] != value:
                yield name, resolve(board, source, (name, value))[0]


def unknown_values(board, source):
    """Values that selectors name and that no series has: an alternative that is misspelt takes nothing away but its part of a sum."""
    seen = set()
    for panel in data_panels(board):
        for target in panel["targets"]:
            for name, matchers in selectors(target.get("expr", "")):
                for label, operator, text in matchers:
                    if operator not in ("=", "=~") or VARIABLE.search(text):
                        continue
                    for value in text.split("|") if operator == "=~" else [text]:
                        if (name, label, value) not in seen and not source.has(name, label, value):
                            yield f'{board["uid"]}: {panel["title"]}: {target["refId"]}: no series of {name} has {label}="{value}"'
                        seen.add((name, label, value))


def excepted(exceptions, board, panel, expression, varied):
    """An exception is {dashboard, panel ("*" for all), matching (of the expression, "" for all), varying (names of variables, null for
    the defaults, or "*"), reason}."""
    for entry in exceptions:
        if (
            entry["dashboard"] == board["uid"]
            and entry["panel"] in ("*", panel["title"])
            and re.search(entry.get("matching", ""), expression)
        ):
            if entry["varying"] == "*" or varied in entry["varying"]:
                entry["needed"] = True
                return True
    return False


def check(board, source, exceptions, limit, pool):
    findings, cache, slowest = [], {}, (0, "")
    findings += unknown_values(board, source)
    answered, asked = collections.Counter(), 0
    empties = []
    for varied, values in combinations(board, source):
        jobs = []
        for panel in data_panels(board):
            for target in panel["targets"]:
                jobs.append((panel, target, pool.submit(ask_once, source, target, values, varied, cache)))
        for panel, target, job in jobs:
            expression, answer = job.result()
            asked += 1
            where = f"{board['uid']}: {panel['title']}: {target['refId']}" + (f" with {varied} = {values[varied]}" if varied else "")
            if answer.error:
                findings.append(f"{where}: {answer.error}: {expression}")
            elif answer.seconds > limit:
                # The machine may have been busy with other things.
                seconds = min(source.ask(target, values, varied)[1].seconds for _ in range(3))
                if seconds > limit:
                    findings.append(f"{where}: {seconds:.2f} s: {expression}")
            if answer.numbers:
                answered[panel["id"], target["refId"]] += 1
            elif not answer.error:
                empties.append((varied, values, panel, target, expression))
            slowest = max(slowest, (answer.seconds, where))
    missing = collections.defaultdict(list)
    for varied, values, panel, target, expression in empties:
        if varied is not None and answered[panel["id"], target["refId"]] and source.undefined(expression, target.get("instant")):
            continue
        if not excepted(exceptions, board, panel, expression, varied):
            missing[panel["title"], target["refId"], varied].append((values, expression))
    for (title, ref, varied), cases in missing.items():
        which = f" with {varied} = {', '.join(v[varied] for v, _ in cases)}" if varied else ""
        findings.append(f"{board['uid']}: {title}: {ref}{which}: no number: {cases[0][1]}")
    print(f"{board['uid']}: {asked} queries, {len(cache)} of them different; the slowest took {slowest[0]:.3f} s ({slowest[1]})")
    return findings


def ask_once(source, target, values, varied, cache):
    key = (
        target["refId"],
        target.get("instant"),
        json.dumps(target, sort_keys=True),
        substitute(target.get("expr") or target["target"], values, "expr" in target),
    )
    if key not in cache:
        cache[key] = source.ask(target, values, varied)
    return cache[key]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--prometheus")
    parser.add_argument("--graphite")
    parser.add_argument("--exceptions", required=True)
    parser.add_argument("--at", type=int, default=int(time.time()))
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--varied-step", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("dashboards", nargs="+")
    given = parser.parse_args()
    exceptions = json.loads(pathlib.Path(given.exceptions).read_text(encoding="utf-8"))
    source = Graphite(given.graphite) if given.graphite else Prometheus(given.prometheus, given.at, given.days, given.varied_step)
    findings, uids = [], set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path in given.dashboards:
            board = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            uids.add(board["uid"])
            findings += check(board, source, exceptions, given.seconds, pool)
    for entry in exceptions:
        if entry["dashboard"] in uids and not entry.get("needed"):
            findings.append(f"{entry['dashboard']}: {entry['panel']}: nothing needs this exception: {entry['reason']}")
    for finding in findings:
        print(finding)
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
