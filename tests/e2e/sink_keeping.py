#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A sink against a receiver that does as it is told: the end of series, bad batches, secrets, queue, spool, shutdown. See sink_requests.py."""
import os
import random
import resource
import socket
import subprocess
import sys
import time

from feed import until
from receiver import Receiver, free_port, server_context
from sink_case import ALL, RW, SECOND, V1, case, check_strictly_increasing, main, ticks


# --- the end of series ------------------------------------------------------------------------------------------------------------------


def marks(receiver, ms):
    return sorted(s.labels.get("account", s.labels["__name__"]) for s in receiver.taken() if s.stale and s.ms == ms)


@case("a series that ends is marked once, at the tick that lacks it", ALL)
def stale(run):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r)
    t = [run.now + (i - 9) * SECOND for i in range(6)]
    f.tick(t[0], first=0, n=4)
    f.tick(t[1], first=1, n=4)  # a0 ends, a4 begins
    f.tick(t[2], first=1, n=4)
    f.null(t[3])  # all end but the collector's own
    f.null(t[4])
    f.tick(t[5], first=1, n=1)
    until(lambda: len({s.ms for s in r.taken()}) == 6)
    assert [marks(r, at // 1000) for at in t] == [[], ["a000000"], [], ["a000001", "a000002", "a000003", "a000004", "crm_nps"], [], []]
    check_strictly_increasing(r)


@case("an account that has another name: the series with the old one ends in the same tick", ALL)
def renamed(run):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r)
    t = [run.now + (i - 3) * SECOND for i in range(3)]
    for at, name in zip(t, ("Old", "New", "New")):
        f.tick(at, n=2, name=name)
    until(lambda: len(r.requests) == 3)
    info = [sorted((s.labels["account_name"], s.stale) for s in q.series if s.labels["__name__"] == "crm_account_info") for q in r.requests]
    assert info == [[("Old", False)], [("New", False), ("Old", True)], [("New", False)]]
    assert [{s.ms for s in q.series} for q in r.requests] == [{at // 1000} for at in t]


@case("a series that ended while the process was down, which", ALL, "stopped", "was killed")
def stale_after_restart(run, how):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r, spool=run.spool())
    f.tick(run.now - 9 * SECOND, n=3)
    f.tick(run.now - 9 * SECOND, n=1, instance="gone")
    until(lambda: len(r.taken()) == 8)
    time.sleep(0.1)
    if how == "stopped":
        assert f.stop()[0] == "stopped"
    else:
        f.kill()
    f = run.feed(r, spool=run.spool(), hold_ms=60000, orphan_ms=700)
    f.null(run.now - 5 * SECOND)  # the CRM has not been read yet: nothing has ended
    until(lambda: len(r.taken()) == 9)
    f.tick(run.now - 4 * SECOND, first=1, n=3)
    until(lambda: len(r.taken()) == 9 + 6)
    assert marks(r, run.now // 1000 - 5000) == [] and marks(r, run.now // 1000 - 4000) == ["a000000"]
    until(lambda: len(r.taken()) == 15 + 3)  # nobody offers the instance "gone" any more
    assert [s.stale and s.labels["tenant"] == "gone" for s in r.taken()[15:]] == [True] * 3


@case("a mark that was refused is sent again with the next tick", V1)
def stale_owed(run):
    r = run.receiver(204, 400, 204)
    f = run.feed(r)
    f.tick(run.now - 3 * SECOND, first=0, n=2)
    f.tick(run.now - 2 * SECOND, first=1, n=2)
    f.tick(run.now - 1 * SECOND, first=1, n=2)
    f.tick(run.now, first=1, n=2)
    until(lambda: len(r.requests) == 4)
    assert [len([s for s in q.series if s.stale]) for q in r.requests] == [0, 1, 1, 0]


# --- bad batches ---------------------------------------------------------------------------------------------------------------------------


@case("one series on which the receiver fails, of", RW, 64, 1)
def poison(run, n):
    def script(number, request):
        return 500 if any(s.labels.get("account") == "a000000" and not s.stale for s in request.series) else 204

    r = run.receiver(script)
    f = run.feed(r, backoff_min_ms=5, backoff_max_ms=50, spool=run.spool())
    f.tick(run.now - SECOND, n=n)
    until(lambda: f.metrics().get("dropped_total poison") == 1)
    f.tick(run.now, first=1, n=n)
    until(lambda: f.metrics().get("samples_total") == n + 1 + n + 2 + 1)
    good = [q for number, q in enumerate(r.requests) if script(number, q) == 204]
    first = [s for q in good for s in q.series if s.ms == (run.now - SECOND) // 1000]
    assert len(first) == len({s.key for s in first}) == n + 1 and not any(s.labels.get("account") == "a000000" for s in first)


@case("a receiver that fails on everything for a while loses nothing", RW)
def all_fail(run):
    good = []
    r = run.receiver(lambda number, request: 500 if not good else 204)
    f = run.feed(r, backoff_min_ms=5, backoff_max_ms=20)
    f.tick(run.now, n=40)
    until(lambda: len(r.requests) >= 60)
    good.append(len(r.requests))
    until(lambda: f.metrics().get("samples_total") == 42)
    assert not any(n for name, n in f.metrics().items() if name.startswith("dropped"))
    assert len({s.key for q in r.requests[good[0] + 1 :] for s in q.series}) >= 21


@case("413 makes the next requests smaller", V1)
def too_large(run):
    r = run.receiver(lambda number, request: 413 if len(request.body) > 20000 else 204)
    f = run.feed(r, header="X-Filler:1", label="filler:" + "x" * 900)
    for i in range(3):
        f.tick(run.now + i * SECOND, n=2000, value=10**12)
    until(lambda: f.metrics().get("samples_total", 0) + f.metrics().get("dropped_total rejected", 0) == 3 * 2002, 20)
    too_large = [len(q.body) for q in r.requests if len(q.body) > 20000]
    assert 1 <= len(too_large) <= 3 and f.metrics()["samples_total"] >= 2002, (too_large, f.metrics())


# --- secrets -------------------------------------------------------------------------------------------------------------------------------


@case("a token that was replaced is read anew when the old one is refused:", ALL, 401, 403)
def reread(run, status):
    path = run.file("token", "old-token\n")
    good = 200 if run.protocol == "otlp" else 204
    answers = []

    def script(number, request):
        if request.headers["Authorization"] == "Bearer new-token":
            return good
        if not answers:
            stat = os.stat(path)
            run.file("token", "new-token\n")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # even if that cannot be seen
        answers.append(number)
        return {"status": status, "body": b"token old-token is not known"}

    r = run.receiver(script)
    f = run.feed(r, bearer_file=path)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    assert [q.headers["Authorization"] for q in r.requests] == ["Bearer old-token", "Bearer new-token"]
    assert r.requests[0].body == r.requests[1].body


@case("a token that stays refused is tried twice", RW)
def reread_in_vain(run):
    r = run.receiver(401)
    f = run.feed(r, bearer_file=run.file("token", "old-token\n"))
    f.tick(run.now)
    until(lambda: f.metrics().get("dropped_total rejected") == 5)
    time.sleep(0.3)
    assert len(r.requests) == 2


@case("files that change are read before the next request", V1)
def changed_files(run):
    r = run.receiver()
    f = run.feed(r, user="me", password_file=run.file("password", "one\n"), header_file="api-key:" + run.file("key", "first"))
    f.tick(run.now - SECOND)
    until(lambda: len(r.requests) == 1)
    run.file("password", "second:\n")
    run.file("key", "2nd\n")
    f.tick(run.now)
    until(lambda: len(r.requests) == 2)
    assert [q.headers["api-key"] for q in r.requests] == ["first", "2nd"]
    assert [q.headers["Authorization"] for q in r.requests] == ["Basic bWU6b25l", "Basic bWU6c2Vjb25kOg=="]
    os.remove(os.path.join(run.dir, "key"))
    f.tick(run.now + SECOND)
    until(lambda: len(r.requests) == 3)
    assert r.requests[2].headers["api-key"] == "2nd"
    until(lambda: "stays in force" in f.log())


@case("a file of secrets is refused:", V1, ("open to the group", "x", 0o640), ("open to all", "x", 0o604), ("empty", "", 0o600), ("missing", None, 0))
def refused_file(run, what, text, mode):
    path = run.file("token", text, mode) if text is not None else run.dir + "/missing"
    f = run.feed("http://127.0.0.1:1/", bearer_file=path)
    assert f.process.wait(5) == 2
    f.reader.join(5)
    assert path in f.log() and ("chmod 600" in f.log()) == (what.startswith("open"))


@case("no secret is in any message", ALL)
def redacted(run):
    bad = b'"wrong-token wrong-key key=s3cretquery user:hunter22 {account_name=\\"Acme GmbH\\"} {n="Umbrella"}"'
    r = run.receiver({"status": 400, "body": bad}, {"status": 429, "body": bad}, {"mode": "garbage"}, {"status": 401, "body": bad})
    url = r.url.replace("http://", "http://user:hunter22@") + "?key=s3cretquery"
    f = run.feed(url, bearer_file=run.file("token", "wrong-token"), header_file="x-key:" + run.file("key", "wrong-key"))
    for i in range(3):
        f.tick(run.now + i * SECOND)
    until(lambda: len(r.requests) >= 5)
    f.stop()
    until(lambda: "HTTP status 400" in f.log())
    until(lambda: "HTTP status 429" in f.log())
    for secret in ("wrong-token", "wrong-key", "s3cret", "hunter22", "Acme", "Umbrella", "a000001"):
        assert secret not in f.log(), f.log()


@case("TLS with a certificate of the client", V1)
def mutual_tls(run):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=run.dir, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    run.file("san", "subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".pem", "-days", "2",
                "-extfile", "san")
    path = {name: os.path.join(run.dir, name) for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")}
    r = run.receiver(tls=server_context(path["server.pem"], path["server.key"], path["ca.pem"]))
    without = run.feed(r, ca=path["ca.pem"])
    without.tick(run.now)
    until(lambda: without.metrics().get("failed_total", 0) >= 1)
    unknown = run.feed(r, cert=path["client.pem"], key=path["client.key"])
    unknown.tick(run.now)
    until(lambda: unknown.metrics().get("failed_total", 0) >= 1)
    f = run.feed(r, ca=path["ca.pem"], cert=path["client.pem"], key=path["client.key"])
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    assert len(r.requests) == 1


# --- the queue ---------------------------------------------------------------------------------------------------------------------------------


@case("without a spool the oldest ticks go when too many wait", V1)
def queue_full(run):
    port = free_port()
    f = run.feed(f"http://127.0.0.1:{port}/push", queue=3)
    for i in range(8):
        f.tick(run.now + (i - 8) * SECOND)
        time.sleep(0.05)
    until(lambda: f.metrics().get("queue_ticks") == 3)
    assert f.metrics()["dropped_total queue_full"] == 4 * 5
    r = run.receiver(port=port)
    until(lambda: f.metrics().get("samples_total") == 4 * 5)
    assert ticks(r) == [run.now // 1000 + at for at in (-8000, -3000, -2000, -1000)]  # the first one was on its way


@case("a tick that has become too old is dropped", V1, "memory", "spool")
def too_old(run, where):
    port = free_port()
    more = {"spool": run.spool(), "spool_age_ms": 1500} if where == "spool" else {"max_age_ms": 1500}
    f = run.feed(f"http://127.0.0.1:{port}/push", **more)
    f.tick(int((time.time() - 0.5) * SECOND))
    until(lambda: f.metrics().get("dropped_total too_old") == 5)
    r = run.receiver(port=port)
    f.tick(int(time.time() * SECOND))
    until(lambda: f.metrics().get("samples_total") == 5)
    assert len(r.requests) == 1


@case("a clock that goes back", V1)
def clock_back(run):
    r = run.receiver()
    f = run.feed(r)
    f.tick(run.now)
    f.tick(run.now - SECOND)
    f.tick(run.now)
    f.tick(run.now + SECOND)
    until(lambda: f.metrics().get("samples_total") == 10)
    assert f.metrics()["dropped_total out_of_order"] == 10
    check_strictly_increasing(r)


@case("instances have nothing to do with each other", ALL)
def instances(run):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r)
    for i in range(3):
        f.tick(run.now + i * SECOND, instance="acme", n=1)
        f.tick(run.now + i * SECOND, instance="beta", n=2)
    until(lambda: f.metrics("acme").get("samples_total") == 9 and f.metrics("beta").get("samples_total") == 12)
    assert not any(s.stale for s in r.taken())
    check_strictly_increasing(r)


# --- the spool ---------------------------------------------------------------------------------------------------------------------------------


@case("an hour without the receiver, killed in between: every tick arrives once", ALL)
def outage(run):
    port = free_port()
    good = 200 if run.protocol == "otlp" else 204
    start = run.now - 3600 * SECOND
    url = f"http://127.0.0.1:{port}/push"
    up = Receiver((good,), port=port)
    f = run.feed(url, spool=run.spool(), queue=100)
    f.tick(start, n=20)
    until(lambda: f.metrics().get("samples_total") == 22)
    up.close()
    for i in range(1, 180):
        f.tick(start + i * 10 * SECOND, n=20)
        if i % 20 == 0:
            until(lambda: f.metrics()["queue_ticks"] == 0)  # in an hour there would have been time
    until(lambda: len(run.batches()) == 179)
    f.kill()
    f = run.feed(url, spool=run.spool(), queue=100)
    for i in range(180, 360):
        f.tick(start + i * 10 * SECOND, n=20)
        if i % 20 == 0:
            until(lambda: f.metrics()["queue_ticks"] == 0)  # in an hour there would have been time
    until(lambda: len(run.batches()) == 359)
    assert f.metrics()["spool_oldest_timestamp_seconds"] == (start + 10 * SECOND) / SECOND and f.metrics()["spool_bytes"] > 0
    r = run.receiver(good, port=port)
    until(lambda: run.batches() == [])
    f.tick(run.now, n=20)
    until(lambda: len(r.requests) == 360)
    until(lambda: f.metrics()["spool_bytes"] == 0)
    assert "spool_oldest_timestamp_seconds" not in f.metrics()
    assert ticks(r) == [(start + i * 10 * SECOND) // 1000 for i in range(1, 361)]
    check_strictly_increasing(r)
    assert not any(s.stale for s in r.taken())


@case("killed at any moment with a receiver that works: no tick is lost", V1)
def killed(run):
    r = run.receiver(lambda number, request: {"status": 204, "delay": 0.004})
    at, chance = 0, random.Random(1)
    for _ in range(6):
        f = run.feed(r, spool=run.spool(), queue=100)
        for _ in range(20):
            f.tick(run.now + at * SECOND - 1000 * SECOND, n=5)
            at += 1
        until(lambda: len(run.batches()) + len(set(ticks(r))) >= at)
        time.sleep(chance.random() * 0.05)
        f.kill()
    f = run.feed(r, spool=run.spool())
    until(lambda: len(set(ticks(r))) == at)
    until(lambda: run.batches() == [])
    came = ticks(r)
    assert came == sorted(came)  # one that was under way may come twice, as it was
    assert len({(s.key, s.ms, s.bits) for s in r.taken()}) == at * 7


@case("files that are damaged are set aside and counted", V1, "cut", "changed", "empty", "foreign")
def damaged(run, how):
    port = free_port()
    f = run.feed(f"http://127.0.0.1:{port}/push", spool=run.spool())
    for i in range(3):
        f.tick(run.now + (i - 3) * SECOND)
    until(lambda: len(run.batches()) == 3)
    f.kill()
    path = os.path.join(run.spool(), "test", "acme", run.batches()[1])
    data = bytearray(open(path, "rb").read())
    if how == "cut":
        data = data[:-3]
    elif how == "changed":
        data[len(data) // 2] ^= 1
    elif how == "empty":
        data = b""
    else:
        data = open(os.path.join(run.spool(), "test", "acme", run.batches()[0]), "rb").read()
    open(path, "wb").write(data)
    r = run.receiver(port=port)
    f = run.feed(r, spool=run.spool())
    until(lambda: run.batches() == [])
    until(lambda: f.metrics().get("samples_total") == 10)
    assert ticks(r) == [run.now // 1000 - 3000, run.now // 1000 - 1000]
    assert f.metrics()["dropped_total corrupt"] == 5
    assert os.path.exists(path + ".bad")
    until(lambda: "set aside" in f.log())


@case("a damaged state, and other things in the directory, do no harm", V1)
def damaged_state(run):
    r = run.receiver()
    place = os.path.join(run.spool(), "test", "acme")
    os.makedirs(place, 0o700)
    os.makedirs(os.path.join(place, "00000000000000000001-000000-1.batch"))
    for name, data in (("state", b"CRMB junk"), ("new", b"half"), ("1-2-3.batch", b"?"), ("x.bad", b"?")):
        open(os.path.join(place, name), "wb").write(data)
    f = run.feed(r, spool=run.spool())
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    assert os.path.exists(place + "/state.bad")
    until(lambda: "is not known" in f.log())


@case("the spool keeps to its limit of bytes, the oldest go", V1)
def spool_full(run):
    port = free_port()
    f = run.feed(f"http://127.0.0.1:{port}/push", spool=run.spool(), spool_bytes=4000)
    for i in range(60):
        f.tick(run.now + (i - 60) * SECOND, n=10)
        time.sleep(0.005)
    until(lambda: f.metrics().get("dropped_total spool_full", 0) >= 12)
    time.sleep(0.2)
    m = f.metrics()
    assert 2000 < m["spool_bytes"] <= 4000
    left = len(run.batches())
    assert left * 12 + m["dropped_total spool_full"] == 60 * 12
    r = run.receiver(port=port)
    until(lambda: run.batches() == [])
    came = ticks(r)
    assert len(came) == left and came[-left + 1 :] == [(run.now // 1000) - 1000 * i for i in range(left - 1, 0, -1)]


@case("marks in a batch that the spool gave up come with the next tick", V1)
def spool_owes(run):
    port = free_port()
    r = Receiver(port=port)
    f = run.feed(r, spool=run.spool(), spool_bytes=1200)
    f.tick(run.now - 100 * SECOND, n=5)
    until(lambda: f.metrics().get("samples_total") == 7)
    r.close()
    f.tick(run.now - 99 * SECOND, first=1, n=4)  # the mark of a0
    for i in range(1, 90):
        f.tick(run.now + (i - 99) * SECOND, first=1, n=4)
        time.sleep(0.003)
    until(lambda: f.metrics().get("dropped_total spool_full", 0) > 30)
    r = run.receiver(port=port)
    until(lambda: run.batches() == [])
    f.tick(run.now, first=1, n=4)
    until(lambda: any(s.ms == run.now // 1000 for s in r.taken()))
    assert [s.labels["account"] for s in r.taken() if s.stale] in (["a000000"], ["a000000"] * 2)


@case("a second process may not use the directory", V1)
def locked(run):
    r = run.receiver()
    first = run.feed(r, spool=run.spool(), spool_retry_ms=200)
    first.tick(run.now - SECOND)
    until(lambda: first.metrics().get("samples_total") == 5)
    second = run.feed(r, spool=run.spool(), spool_retry_ms=200)
    second.tick(run.now, instance="beta")
    until(lambda: second.metrics("beta").get("samples_total") == 5)  # from memory
    until(lambda: "another process uses the directory" in second.log())
    assert run.batches("beta") == []
    first.stop()
    time.sleep(0.5)
    second.tick(run.now + SECOND, instance="beta")
    until(lambda: "can be used again" in second.log())


@case("a disk that is full: ticks go on from memory", V1)
def disk_full(run):
    r = run.receiver(lambda number, request: {"status": 204, "delay": 0.02})
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
    f = run.feed(r, before=limit, spool=run.spool(), spool_retry_ms=100)
    for i in range(8):
        f.tick(run.now + (i - 8) * SECOND)
    until(lambda: f.metrics().get("samples_total") == 40)
    assert ticks(r) == [run.now // 1000 + 1000 * (i - 8) for i in range(8)]
    until(lambda: "the spool cannot be used" in f.log())
    assert run.batches() == []
    assert f.stop()[0] == "stopped"


@case("a name that is no name of a file", V1)
def odd_name(run):
    r = run.receiver()
    f = run.feed(r, spool=run.spool(), name="../a b/c")
    f.tick(run.now, instance="..%2f")
    until(lambda: f.metrics("..%2f").get("samples_total") == 5)
    assert os.listdir(run.spool()) == ["%2E.%2Fa%20b%2Fc"] and os.listdir(run.dir) == ["spool"]
    assert sorted(os.listdir(run.spool() + "/%2E.%2Fa%20b%2Fc")) == ["%2E.%252f", "lock"]


# --- the end -------------------------------------------------------------------------------------------------------------------------------------


@case("the end comes in time with a receiver that", ALL, ("never answers", True), ("never answers", False), ("does not accept", True), ("always fails", False))
def end_in_time(run, how, with_spool):
    more = {"spool": run.spool()} if with_spool else {}
    if how == "does not accept":
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(s.getsockname())
        run.made.extend([s.close] + [filler.close for filler in fillers])
        f = run.feed(f"http://127.0.0.1:{s.getsockname()[1]}/", **more)
    else:
        f = run.feed(run.receiver({"mode": "hang"} if how == "never answers" else 503), **more)
    f.tick(run.now)
    f.tick(run.now + SECOND)
    time.sleep(0.4)
    ended, took = f.stop(1400)
    assert ended == "stopped" and took <= 1500, (ended, took)
    assert len(run.batches()) == (2 if with_spool else 0)
    assert ("2 ticks have not been delivered" in f.log()) == (not with_spool), f.log()


@case("what is queued at the end is sent", ALL)
def flush(run):
    r = run.receiver(lambda number, request: {"status": 200 if run.protocol == "otlp" else 204, "delay": 0.05})
    f = run.feed(r)
    for i in range(5):
        f.tick(run.now + i * SECOND)
    ended, took = f.stop(1500)
    assert ended == "stopped" and len(ticks(r)) == 5 and took < 1000, (ended, took)


if __name__ == "__main__":
    sys.exit(main())
