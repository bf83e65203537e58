# SPDX-License-Identifier: MIT
"""What the files of cases share: a table of cases, what each of them has, and how they are run; TAP on standard output."""
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time
import traceback

from feed import Feed
from receiver import Receiver

SECOND = 1000000
ALL, RW, V1, V2, OTLP = ("1", "2", "otlp"), ("1", "2"), ("1",), ("2",), ("otlp",)
CASES = []


def case(name, protocols, *rows):
    """Each row is passed to the function after the run."""

    def register(function):
        for protocol in protocols:
            for row in rows or [()]:
                row = row if isinstance(row, tuple) else (row,)
                title = " ".join([f"[{protocol}]", name] + [str(value) for value in row])
                CASES.append((title, function, protocol, row))
        return function

    return register


class Run:
    """What a case has: its directory, its receivers and feeds, which end with it."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.dir = tempfile.mkdtemp(prefix="crm-rw-")
        self.made = []
        self.now = int(time.time()) * SECOND

    def receiver(self, *script, **more):
        made = Receiver(script[0] if len(script) == 1 and callable(script[0]) else script or (204,), **more)
        self.made.append(made.close)
        return made

    def feed(self, receiver, **options):
        url = receiver if isinstance(receiver, str) else receiver.url
        made = Feed(url, protocol=self.protocol, **options)
        self.made.append(made.kill)
        return made

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def spool(self):
        return os.path.join(self.dir, "spool")

    def batches(self, instance="acme"):
        path = os.path.join(self.spool(), "test", instance)
        return sorted(name for name in os.listdir(path) if name.endswith(".batch")) if os.path.isdir(path) else []

    def end(self):
        for end in reversed(self.made):
            end()
        shutil.rmtree(self.dir)


def names(series):
    return sorted(s.labels["__name__"] for s in series)


def ticks(receiver, account="a000000"):
    """Instants in ms of the samples of one account, in the order of their coming."""
    return [s.ms for s in receiver.taken() if s.labels.get("account") == account]


def check_strictly_increasing(receiver):
    last = {}
    for series in receiver.taken():
        assert series.key not in last or last[series.key] < series.ms, f"{series.key}: {last[series.key]} then {series.ms}"
        last[series.key] = series.ms


def attempt(entry):
    title, function, protocol, row = entry
    run = Run(protocol)
    try:
        function(run, *row)
        return None
    except Exception:  # whatever it is, the case has failed
        return traceback.format_exc()
    finally:
        run.end()


def main():
    wanted = sys.argv[1:]
    cases = [entry for entry in CASES if not wanted or any(word in entry[0] for word in wanted)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for number, (entry, fault) in enumerate(zip(cases, pool.map(attempt, cases)), 1):
            print(f"{'ok' if fault is None else 'not ok'} {number} - {entry[0]}", flush=True)
            if fault is not None:
                failed += 1
                print("".join(f"# {line}\n" for line in fault.splitlines()), end="", flush=True)
    print(f"1..{len(cases)}")
    return 1 if failed else 0
