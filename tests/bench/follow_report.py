#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""follow_report.py RAW: the tables of run-follow-bench.sh, and which targets are met. Exit status 1 if something drifted."""
import collections
import sys

SETTINGS = {"application": "the application's own indexes, Changes auto",
            "watermarks": "with contrib/sql/watermarks.sql, Changes auto",
            "composite": "with watermarks.sql and indexes.sql, Changes poll",
            "logical": "with publication.sql, Changes logical"}
TOOLS = {"collectd": "collectd postgresql", "postgres-exporter": "prometheus-postgres-exporter", "sql-exporter": "prometheus-sql-exporter"}
HEAD = "| what | wall ms | server CPU ms | client CPU ms | bytes | rows or series | ratios of server CPU |\n|---|--:|--:|--:|--:|--:|---|"


class Run:
    """What was measured at one number of accounts."""

    def __init__(self):
        self.full, self.interval, self.elsewhere, self.updates, self.memory, self.drift = {}, {}, {}, {}, {}, {}
        self.tools = collections.defaultdict(dict)
        self.floors, self.callback = {}, None

    def cheapest(self, changed):
        """Server CPU of the cheapest other tool."""
        return min((rounds[changed][1] for rounds in self.tools.values() if changed in rounds), default=None)


def load(path):
    runs = collections.defaultdict(Run)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            size, setting, what, *rest = line.rstrip("\n").split("\t")
            run = runs[int(size)]
            if setting == "tools":
                run.tools[what][int(rest[0])] = [float(x) for x in rest[1:]]
            elif setting == "floors":
                run.floors[what] = [float(x) for x in rest]
            elif what == "callback":
                run.callback = [float(x) for x in rest]
            elif what == "memory":
                run.memory[setting] = [int(x) for x in rest]
            elif what == "drift":
                run.drift[setting] = int(rest[0])
            else:
                value = [float(x) for x in rest[1:6]] + [rest[6]]
                if what == "interval":
                    run.interval[setting, int(rest[0])] = value
                else:
                    getattr(run, what)[setting] = value
    return runs


def line(what, value, remark=""):
    wall, server, client, size, rows = value[:5]
    print(f"| {what} | {wall:,.2f} | {server:,.2f} | {client:,.2f} | {size:,.0f} | {rows:,.0f} | {remark} |")


def against(run, changed, server):
    """How much less, or more, than each of the other tools."""
    parts = []
    for name, rounds in run.tools.items():
        if changed in rounds and server > 0:
            tool, other = TOOLS[name].split()[-1].removeprefix("prometheus-"), rounds[changed][1]
            parts.append(f"{other / server:,.0f}x less than {tool}" if other >= server else f"{server / other:,.0f}x more than {tool}")
    return ", ".join(parts)


def tables(size, run):
    print(f"\n### {size:,} accounts\n\n{HEAD}")
    for name, rounds in run.tools.items():
        for changed, (wall, server, client, moved, _, series) in sorted(rounds.items()):
            line(f"{TOOLS[name]}, {changed:,} accounts changed", (wall, server, client, moved, series))
    if "polls" in run.floors:
        line("floor: a poll of each watermark index, pipelined (pgbench)", run.floors["polls"])
    if "copy" in run.floors:
        line("floor: COPY of what is read to nowhere (psql)", run.floors["copy"])
    for setting, title in SETTINGS.items():
        if setting not in run.full:
            continue
        print(f"| *the plugin, {title}* | | | | | | |")
        line("full read", run.full[setting])
        for (of, changed), value in sorted(run.interval.items(), key=lambda item: item[0][1]):
            if of == setting:
                star = " \\*" if value[5] else ""
                line(f"{changed:,} accounts changed{star}", value, against(run, changed, value[1]))
        line("only other tables changed", run.elsewhere[setting])
        if setting in run.updates:
            value = run.updates[setting]
            star = " \\*" if value[5] else ""
            line(f"goals, support and opportunities of 10 accounts updated{star}", value)
    print("\n\\* a relation was read whole, or everything")
    for setting, (accounts, rows, taken, *peaks) in run.memory.items():
        if peaks:
            print(f"\nMemory, {SETTINGS[setting]}: the picture of {rows:,} rows takes {taken / 2**20:,.0f} MiB; the process at most "
                  f"{peaks[0] / 1024:,.0f} MiB in the full read, {peaks[1] / 1024:,.0f} MiB while it followed.")


class Targets:
    def __init__(self):
        print("\n### Targets\n\n| target | measured | |\n|---|---|---|")

    def say(self, target, measured, met):
        print(f"| {target} | {measured} | {'met' if met else '**missed**'} |")


def targets(runs):
    say = Targets().say
    for size, run in sorted(runs.items()):
        of = f"{size:,} accounts"
        for setting in SETTINGS:
            if (setting, 0) not in run.interval:
                continue
            server = run.interval[setting, 0][1]
            say(f"{of}, {setting}: idle interval, server CPU <= 3 ms", f"{server:.2f} ms", server <= 3)
            if run.cheapest(0) is not None:
                ratio = run.cheapest(0) / server
                say(f"{of}, {setting}: idle interval >= 5,000x less than the cheapest tool", f"{ratio:,.0f}x", ratio >= 5000)
        for setting, limit in (("watermarks", 120), ("composite", 10), ("logical", 10)):
            if (setting, 100) in run.interval:
                server = run.interval[setting, 100][1]
                say(f"{of}, {setting}: 100 changed accounts, server CPU <= {limit} ms", f"{server:.2f} ms", server <= limit)
        if "copy" in run.floors:
            full, floor = run.full["watermarks"], run.floors["copy"]
            say(f"{of}: full read <= 1.3x of COPY to nowhere, wall", f"{full[0] / floor[0]:.2f}x", full[0] <= 1.3 * floor[0])
            say(f"{of}: full read <= 2x of COPY to nowhere, client CPU", f"{full[2] / floor[2]:.2f}x", full[2] <= 2 * floor[2])
        if "watermarks" in run.memory:
            accounts, rows, taken = run.memory["watermarks"][:3]
            over = (taken - 32 * rows) / accounts
            say(f"{of}: memory <= 1,536 bytes per account beyond 32 bytes per raw fact",
                f"{over:,.0f} bytes ({taken / accounts:,.0f} in all, {rows / accounts:,.0f} facts an account)", over <= 1536)
        if run.callback:
            mean, most = run.callback
            say(f"{of}: collectd's read callback <= 5 ms of the reading thread", f"{mean:.2f} ms, at most {most:.2f} ms", mean <= 5)
    if len(runs) > 1:
        small, large = min(runs), max(runs)
        for setting in SETTINGS:
            for changed in (0, 10, 100, 1000):
                if (setting, changed) in runs[small].interval and (setting, changed) in runs[large].interval:
                    a, b = runs[small].interval[setting, changed], runs[large].interval[setting, changed]
                    say(f"{setting}: {changed:,} changed accounts cost the server the same (within 1.5x) at {large:,} as at {small:,}",
                        f"{b[1] / a[1]:.2f}x", b[1] <= 1.5 * a[1])


def main():
    runs = load(sys.argv[1])
    for size, run in sorted(runs.items()):
        tables(size, run)
    targets(runs)
    drift = sum(sum(run.drift.values()) for run in runs.values())
    print(f"\nDrift: {drift} rows differ between what was followed and a fresh full read.")
    sys.exit(drift != 0)


if __name__ == "__main__":
    main()
