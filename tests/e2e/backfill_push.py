#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""crmctl backfill --format remote_write against a receiver that does as it is told: what comes, in which order, and that every instant comes exactly once,
whatever happens in between.

backfill_push.py DIRECTORY CONFIG PSQL CRMCTL...   CRMCTL is the command with all that stands before its own arguments, PSQL one that takes a statement; both are
run as an ordinary user, who owns DIRECTORY. TAP without numbers on standard output.
"""
import collections
import functools
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import traceback

from receiver import Receiver

DIRECTORY, CONFIG, PSQL = sys.argv[1], sys.argv[2], shlex.split(sys.argv[3])
CRMCTL = sys.argv[4:]
PATIENCE = float(os.environ.get("CRM_TEST_PATIENCE", "1"))  # limits are those of a machine that has nothing else to do
FROM, TO, INSTANTS = "2025-03-03", "2025-03-10", 8
HOST = socket.gethostname()
CASES = []


def case(name):
    def register(function):
        CASES.append((name, function))
        return function

    return register


class Run:
    def __init__(self, number):
        self.work = os.path.join(DIRECTORY, f"push-{number}")
        self.config = CONFIG
        self.receivers = []

    def receiver(self, *script):
        made = Receiver(script[0] if len(script) == 1 and callable(script[0]) else script or (204,))
        self.receivers.append(made)
        return made

    def file(self, name, text):
        path = os.path.join(DIRECTORY, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        owner = os.stat(DIRECTORY)
        os.chown(path, owner.st_uid, owner.st_gid)
        return path

    def command(self, *arguments, to=TO):
        return [*CRMCTL, "--config", self.config, "backfill", "--from", FROM, "--to", to, "--format", "remote_write", "--output", self.work, *arguments]

    def start(self, *arguments, **more):
        return subprocess.Popen(self.command(*arguments, **more), stderr=subprocess.PIPE, text=True, cwd=DIRECTORY)

    def push(self, *arguments, status=0, **more):
        """Its standard error."""
        process = self.start(*arguments, **more)
        said = process.communicate(timeout=60 * PATIENCE)[1]
        assert process.returncode == status, f"status {process.returncode}, expected {status}: {said}"
        return said


def once(requests, wanted=None, instants=INSTANTS):
    """Every sample of these requests is there once, in the order of the instants; as many instants as there should be."""
    seen = [(s.key, s.ms) for q in requests for s in q.series]
    twice = [key for key, n in collections.Counter(seen).items() if n > 1]
    assert not twice, f"{len(twice)} samples twice, such as {twice[0]}"
    order = [s.ms for q in requests for s in q.series]
    assert order == sorted(order), "time-major"
    assert all(len({s.ms for s in q.series}) == 1 and len(q.series) <= 2000 for q in requests)
    assert len(set(order)) == instants, f"{len(set(order))} instants"
    if wanted is not None:
        assert set(seen) == wanted, f"{len(wanted - set(seen))} missing, {len(set(seen) - wanted)} not wanted"


@functools.lru_cache(maxsize=None)
def everything():
    """What a run without incidents sends: (series, instant)."""
    run = Run("whole")
    r = run.receiver()
    run.push("--url", r.url)
    r.close()
    return {(s.key, s.ms) for s in r.taken()}




def until(condition, seconds=30):
    end = time.monotonic() + seconds * PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


# --- what comes --------------------------------------------------------------------------------------------------------------


@case("instant by instant, with labels, in requests of at most 2000 series")
def plain(run):
    r = run.receiver()
    said = run.push("--url", r.url + "?secret=1", "--label", "dc=north")
    once(r.requests)
    assert len(r.requests) > INSTANTS, "an instant takes more than one request"
    assert r.most == 1 and len({q.peer for q in r.requests}) == 1, "one request in flight, over one connection"
    for s in r.taken():
        assert s.labels["job"] == "crm" and s.labels["instance"] == HOST and s.labels["dc"] == "north" and "tenant" in s.labels
        assert s.names == sorted(s.names, key=lambda n: n.encode())
    assert f"{len(r.taken())} taken by {r.url}?*** in {len(r.requests)} requests" in said and "secret=" not in said, said
    said = run.push("--url", r.url + "?secret=1", "--label", "dc=north")
    assert f"({INSTANTS} instants it had already)" in said, "nothing is left to do"
    once(r.requests)


@case("job and instance of one's own")
def own_labels(run):
    r = run.receiver()
    run.push("--url", r.url, "--label", "job=j", "--label", "instance=i")
    assert {(s.labels["job"], s.labels["instance"]) for s in r.taken()} == {("j", "i")}


@case("a series that ends is marked with the next instant, and nothing else is")
def markers(run):
    r = run.receiver()
    run.push("--url", r.url)
    by_instant = collections.defaultdict(dict)
    for s in r.taken():
        by_instant[s.ms][s.key] = s.stale
    before, ended = {}, 0
    for ms in sorted(by_instant):
        now = by_instant[ms]
        alive = {key for key, stale in now.items() if not stale}
        assert {key for key, stale in now.items() if stale} == set(before) - alive
        ended += len(set(before) - alive)
        before = alive
    assert ended > 0, "a base in which nothing ends proves nothing"


@case("a later end adds the instants that are missing")
def later(run):
    r = run.receiver()
    run.push("--url", r.url, to="2025-03-06")
    once(r.requests, instants=4)
    run.push("--url", r.url)
    once(r.requests, everything())


# --- answers -----------------------------------------------------------------------------------------------------------------


@case("503, 429 and no answer: the same request again, and no other before")
def retries(run):
    wanted = everything()
    r = run.receiver(503, 204, 204, {"status": 429, "headers": {"Retry-After": "1"}}, 204, {"mode": "close"}, 204)
    said = run.push("--url", r.url)
    q = r.requests
    assert q[0].body == q[1].body and q[3].body == q[4].body and q[5].body == q[6].body
    assert q[1].at - q[0].at >= 0.8 and q[4].at - q[3].at >= 1
    once([q[1], q[2], q[4], *q[6:]], wanted)
    assert "HTTP status 503; trying again with growing pauses" in said, said


@case("refused as out of order: one error that says where, when and what to do; once that is done it goes on there")
def refused(run):
    wanted = everything()
    r = run.receiver(lambda n, q: {"status": 400, "body": b"out of order sample"} if n == 3 else 204)
    said = run.push("--url", r.url + "?token=hunter2", status=2)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(r.requests[3].series[0].ms / 1000))
    said = [line for line in said.splitlines() if "warning: instance demo: relation" not in line]
    assert len(said) == 1 and said[0].startswith(f"crmctl: {r.url}?*** refuses the series of {when}: HTTP status 400: out of order sample: "), said
    assert "out_of_order_time_window" in said[0] and "hunter2" not in said[0]
    assert len(r.requests) == 4
    run.push("--url", r.url + "?token=hunter2")
    assert r.requests[4].body == r.requests[3].body
    once(r.requests[:3] + r.requests[4:], wanted)


@case("500 too old sample, which will not get better")
def too_old(run):
    r = run.receiver({"status": 500, "body": b"too old sample"})
    assert "HTTP status 500: too old sample: it has newer samples" in run.push("--url", r.url, status=2)
    assert len(r.requests) == 1


@case("404: is the path right?")
def path(run):
    r = run.receiver(404)
    assert "HTTP status 404: is the path right?" in run.push("--url", r.url, status=2)


@case("413: smaller requests, and nothing is lost")
def too_large(run):
    wanted = everything()
    r = run.receiver(lambda n, q: 413 if len(q.series) > 700 else 204)
    run.push("--url", r.url)
    once([q for q in r.requests if len(q.series) <= 700], wanted)


# --- interruption --------------------------------------------------------------------------------------------------------------


@case("interrupted: what was acknowledged does not come again, what was in doubt comes as it was, though the CRM is another")
def interrupted(run):
    wanted = everything()
    hung = 4
    r = run.receiver(lambda n, q: {"mode": "hang"} if n == hung else 204)
    process = run.start("--url", r.url)
    until(lambda: len(r.requests) == hung + 1)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20 * PATIENCE)[1]
    assert process.returncode == 130 and "the same command goes on" in said, said
    assert time.monotonic() - begin < 0.9, "at once"
    subprocess.run([*PSQL, "UPDATE accounts SET name = name || ' & Co'"], check=True)
    try:
        run.push("--url", r.url)
    finally:
        subprocess.run([*PSQL, "UPDATE accounts SET name = replace(name, ' & Co', '')"], check=True)
    taken = r.requests[:hung] + r.requests[hung + 1 :]
    assert r.requests[hung + 1].body == r.requests[hung].body
    once(taken)
    # But for the names: the instant under way has the old ones, all of it; then those end.
    unnamed = lambda key: not any(k == "__name__" and v == "crm_account_info" for k, v in key)
    assert {s for s in wanted if unnamed(s[0])} == {(s.key, s.ms) for q in taken for s in q.series if unnamed(s.key)}
    info = lambda ms, stale: {s.labels["account_name"] for q in taken for s in q.series if not unnamed(s.key) and s.ms == ms and s.stale == stale}
    instants = sorted({s.ms for q in taken for s in q.series})
    at = r.requests[hung].series[0].ms
    after = instants[instants.index(at) + 1]
    assert info(at, False) and not any("& Co" in name for name in info(at, False))
    assert all("& Co" in name for name in info(after, False)) and info(after, True) == info(at, False)


@case("interrupted again and again, and killed: every sample exactly once, or again in the very same request")
def kills(run):
    wanted = everything()
    acknowledged = []

    def answer(number, q):
        acknowledged.append(q)
        return {"status": 204, "delay": 0.05}

    r = run.receiver(answer)
    runs = 0
    for number in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        had = len(r.requests)
        process = run.start("--url", r.url)
        until(lambda: len(r.requests) >= had + 3 or process.poll() is not None)
        runs += process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=20 * PATIENCE)
    assert runs == 4, "it was over too early"
    run.push("--url", r.url)
    bodies = {q.body: q for q in acknowledged}
    assert len(acknowledged) - len(bodies) <= runs, "only what was in doubt came again"
    once(list(bodies.values()), wanted)


@case("interrupted while it waits for the receiver")
def waiting(run):
    r = run.receiver({"status": 503, "headers": {"Retry-After": "500"}})
    process = run.start("--url", r.url)
    until(lambda: len(r.requests) == 1)
    time.sleep(0.3)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20 * PATIENCE)
    assert process.returncode == 130 and time.monotonic() - begin < 0.9


# --- the directory -----------------------------------------------------------------------------------------------------------


@case("another receiver or other labels are refused; --restart begins anew")
def other(run):
    r = run.receiver()
    run.push("--url", r.url)
    n = len(r.requests)
    assert "holds a backfill with other arguments" in run.push("--url", r.url, "--label", "a=b", status=2)
    assert "holds a backfill with other arguments" in run.push("--url", "http://127.0.0.1:9/push", status=2)
    run.push("--url", r.url, "--restart")
    assert [q.body for q in r.requests[n:]] == [q.body for q in r.requests[:n]]


@case("a file in it that is damaged is told")
def damaged(run):
    r = run.receiver()
    run.push("--url", r.url)
    path = os.path.join(run.work, "crm-instant.push")
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"damaged")
    assert "crm-instant.push (--restart begins anew): " in run.push("--url", r.url, status=2)


# --- a receiver of the configuration -----------------------------------------------------------------------------------------


def configure(run, blocks):
    with open(CONFIG) as f:
        run.config = run.file(os.path.basename(run.work) + ".conf", f.read() + f"\n<Plugin crm>\n{blocks}\n</Plugin>\n")


@case("--sink: URL, labels, credentials, families and version of the block")
def sink(run):
    r = run.receiver()
    password = run.file(os.path.basename(run.work) + ".password", "hunter2\n")
    configure(run, f'<RemoteWrite "there">\n URL "{r.url}"\n Message "2.0"\n Label "dc" "south"\n Label "floor" "2"\n Job "customers"\n User "u"\n'
              f' PasswordFile "{password}"\n Families "crm_accounts*"\n Header "X-Scope-OrgID" "7"\n BatchSeries 10\n</RemoteWrite>')
    run.push("--sink", "there", "--label", "dc=north")
    assert {q.protocol for q in r.requests} == {"2"} and max(len(q.series) for q in r.requests) <= 10
    assert {(q.headers["Authorization"], q.headers["X-Scope-OrgID"]) for q in r.requests} == {("Basic dTpodW50ZXIy", "7")}
    for s in r.taken():
        assert (s.labels["job"], s.labels["dc"], s.labels["floor"]) == ("customers", "north", "2") and s.labels["__name__"].startswith("crm_accounts")
    once(r.requests)


@case("--sink: 2.0 is not understood")
def version(run):
    wanted = everything()
    r = run.receiver(lambda n, q: {"status": 204, "written": None})
    configure(run, f'<RemoteWrite "there">\n URL "{r.url}"\n Message "2.0"\n</RemoteWrite>')
    run.push("--sink", "there")
    assert [q.protocol for q in r.requests[:2]] == ["2", "1"]
    once(r.requests[1:], wanted)


@case("--sink: what the receiver leaves out is counted and told")
def partial(run):
    r = run.receiver(lambda n, q: {"status": 204, "written": len(q.series) - 1} if n == 2 else 204)
    configure(run, f'<RemoteWrite "there">\n URL "{r.url}"\n Message "2.0"\n</RemoteWrite>')
    assert "1 values were left out by the receiver" in run.push("--sink", "there", status=1)


@case("--sink: OTLP")
def otlp(run):
    r = run.receiver(200)
    configure(run, f'<OTLP "there">\n URL "{r.url}"\n</OTLP>')
    run.push("--sink", "there")
    assert {q.protocol for q in r.requests} == {"otlp"}
    assert {(s.key, s.ms) for s in r.taken()} == everything()


@case("--sink: a name that is none")
def no_sink(run):
    configure(run, '<RemoteWrite "here">\n URL "http://127.0.0.1:9/push"\n</RemoteWrite>')
    assert 'no block <RemoteWrite "there"> or <OTLP> of that name; there are: here' in run.push("--sink", "there", status=2)


def main():
    failed = 0
    for number, (name, function) in enumerate(CASES, 1):
        run, fault = Run(number), None
        try:
            function(run)
        except Exception:  # whatever it is, the case has failed
            fault = traceback.format_exc()
        for receiver in run.receivers:
            receiver.close()
        print(f"{'ok' if fault is None else 'not ok'} - {name}", flush=True)
        if fault is not None:
            failed += 1
            print("".join(f"# {line}\n" for line in fault.splitlines()), end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
