#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A sink against a receiver that does as it is told: requests, answers, versions. Each case is run for remote write 1.0, 2.0 and OTLP where it says so. The
cases of the public compliance list for senders are among them, in its generations for 1.0 and 2.0, as far as they concern HTTP, order and time: what
concerns scraping has no counterpart here, and encodings of values and labels have their own tests (tests/unit/test_encode.c)."""
import email.utils
import random
import sys
import time

from feed import until
from receiver import free_port
from sink_case import ALL, OTLP, RW, SECOND, V1, V2, case, check_strictly_increasing, main, names, ticks


# --- what a request looks like ---------------------------------------------------------------------------------------------------


@case("headers, connection and contents of plain requests", ALL)
def plain(run):
    r = run.receiver(204 if run.protocol != "otlp" else 200)
    f = run.feed(r, label="dc:north", header="X-Scope-OrgID:7")
    for i in range(3):
        f.tick(run.now - (3 - i) * SECOND, value=100 + i)
        until(lambda: len(r.requests) == i + 1)
    for i, q in enumerate(r.requests):
        h = q.headers
        assert q.path == "/push"
        wanted = {"1": ("application/x-protobuf", "snappy", "0.1.0"),
                  "2": ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", "2.0.0"),
                  "otlp": ("application/x-protobuf", "gzip", None)}[run.protocol]
        assert (h["Content-Type"], h["Content-Encoding"], h["X-Prometheus-Remote-Write-Version"]) == wanted
        assert h["User-Agent"].startswith("collectd-crm/") and "Expect" not in h and h["X-Scope-OrgID"] == "7"
        assert names(q.series) == ["crm_account_arr"] * 3 + ["crm_nps", "crm_up"]
        for s in q.series:
            assert s.ms == (run.now - (3 - i) * SECOND) // 1000
            assert s.labels["job"] == "crm" and s.labels["instance"] == "host" and s.labels["dc"] == "north"
            assert run.protocol == "otlp" or s.names == sorted(s.names, key=lambda n: n.encode())
        assert [s.value for s in q.series if s.labels.get("account") == "a000002"] == [102 + i]
    assert len({q.peer for q in r.requests}) == 1, "the connection is kept"
    assert r.most == 1


@case("batches of at most so many series", ALL, 10)
def batches(run, size):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r, batch_series=size)
    f.tick(run.now, n=33)
    until(lambda: len(r.taken()) == 35)
    assert all(len(q.series) <= size for q in r.requests) and len(r.requests) == 4 and r.most == 1
    assert len({s.key for s in r.taken()}) == 35


@case("batches of at most so many bytes", ALL, 400)
def bytes_of_batches(run, size):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r, batch_bytes=size)
    f.tick(run.now, n=200)
    until(lambda: len(r.taken()) == 202)
    assert all(len(q.body) <= size for q in r.requests) and len({s.key for s in r.taken()}) == 202


@case("a large tick without further options: at most 2,000 series and 900,000 bytes a request, all of one instant, in one order", ALL)
def large(run):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r)
    f.tick(run.now, n=12000)
    until(lambda: f.metrics().get("samples_total") == 12002, 30)
    assert max(len(q.series) for q in r.requests) == 2000 and len(r.requests) == 7 and max(len(q.body) for q in r.requests) <= 900000
    assert {s.ms for s in r.taken()} == {run.now // 1000} and len({s.key for s in r.taken()}) == 12002
    assert r.most == 1 and len({q.peer for q in r.requests}) == 1


@case("families and accounts that are not wanted", ALL, ("crm_*", True, 5), ("crm_up", True, 1), ("!crm_account*", True, 2), ("crm_*", False, 2))
def selection(run, family, per_account, n):
    r = run.receiver(200 if run.protocol == "otlp" else 204)
    f = run.feed(r, family=family, per_account=str(per_account).lower())
    f.tick(run.now)
    until(lambda: r.requests)
    assert len(r.taken()) == n


@case("one tick in an interval, early or late by a little", V1)
def interval(run):
    r = run.receiver()
    f = run.feed(r, interval_ms=10000)
    for at in (0, 2, 5, 9.5, 12, 19.6, 25, 29.7):
        f.tick(run.now + int((at - 40) * SECOND))
        time.sleep(0.05)
    until(lambda: len(ticks(r)) == 4)
    assert ticks(r) == [int(run.now / 1000 + (at - 40) * 1000) for at in (0, 9.5, 19.6, 29.7)]


# --- answers -----------------------------------------------------------------------------------------------------------------------


@case("taken: status", ALL, 200, 202, 204)
def taken(run, status):
    r = run.receiver({"status": status, "written": 5, "body": b"" if status == 204 or run.protocol == "otlp" else b"hello"})
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    time.sleep(0.3)
    assert len(r.requests) == 1
    m = f.metrics()
    assert m["last_status"] == status and m["failed_total"] == 0 and m["retried_total"] == 0
    assert m["highest_sent_timestamp_seconds"] == run.now / SECOND and abs(m["last_success_timestamp_seconds"] - time.time()) < 10


@case("refused for good: status", RW, 400, 401, 403, 404, 405, 409, 413, 422, 301, 302, 307)
def refused(run, status):
    headers = {"Location": "http://127.0.0.1:1/"} if status < 400 else {}
    r = run.receiver({"status": status, "body": b"because", "headers": headers}, 204)
    f = run.feed(r)
    f.tick(run.now - SECOND)
    until(lambda: f.metrics().get("dropped_total rejected") == 5)
    time.sleep(0.5)
    assert len(r.requests) == 1, "it must not come again"
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    assert [q.series[0].ms for q in r.requests] == [(run.now - SECOND) // 1000, run.now // 1000]
    until(lambda: "because" in f.log())
    until(lambda: f"HTTP status {status}" in f.log())


@case("refused for good by OTLP's rules: status", OTLP, 400, 401, 403, 404, 413, 500, 501, 505)
def refused_otlp(run, status):
    r = run.receiver(status, 200)
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("dropped_total rejected") == 5)
    time.sleep(0.5)
    assert len(r.requests) == 1


def check_again(run, first, fault, **options):
    good = 200 if run.protocol == "otlp" else 204
    r = run.receiver(first, first, good)
    f = run.feed(r, **options)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    assert len(r.requests) == 3 and len({q.body for q in r.requests}) == 1, "the same bytes"
    m = f.metrics()
    assert (m["failed_total"], m["retried_total"]) == (2, 2) and not any(n for name, n in m.items() if name.startswith("dropped"))
    until(lambda: f.log().count("takes requests again") == 1)
    assert f.log().count("does not take requests") == 1
    until(lambda: fault in f.log())


@case("the same again after status", RW, 429, 500, 502, 503, 504, 599)
def again(run, status):
    check_again(run, status, f"HTTP status {status}")


@case("the same again after status", OTLP, 429, 502, 503, 504)
def again_otlp(run, status):
    check_again(run, status, f"HTTP status {status}")


@case("the same again after", ALL, "close", "garbage", "hang")
def again_network(run, mode):
    check_again(run, {"mode": mode, "status": 204}, "does not take requests", timeout_ms=300)


@case("the same again when the answer is too slow", V1)
def again_slow(run):
    check_again(run, {"mode": "trickle", "status": 200, "body": b"x" * 100}, "timed out", timeout_ms=300)


@case("an answer that is cut, or endless, counts by its status", V1, ("cut", 10), (None, 4000000))
def cut_answer(run, mode, size):
    r = run.receiver({"mode": mode, "status": 200, "body": b"x" * size})
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 5)
    f.tick(run.now + SECOND)
    until(lambda: f.metrics().get("samples_total") == 10)
    assert len(r.requests) == 2


@case("a receiver that comes late", ALL)
def late(run):
    port = free_port()
    f = run.feed(f"http://127.0.0.1:{port}/push")
    f.tick(run.now - SECOND)
    until(lambda: f.metrics().get("failed_total", 0) >= 2)
    f.tick(run.now)
    r = run.receiver(200 if run.protocol == "otlp" else 204, port=port)
    until(lambda: f.metrics().get("samples_total") == 10)
    assert ticks(r) == [run.now // 1000 - 1000, run.now // 1000]


@case("pauses grow, none is shorter than 0.8 of the one before, none is too long", RW, 503, 502, 429)
def growth(run, status):
    r = run.receiver(status)
    f = run.feed(r, backoff_min_ms=100, backoff_max_ms=800)
    f.tick(run.now)
    until(lambda: len(r.requests) >= 7, 20)
    at = [q.at for q in r.requests]
    gaps = [b - a for a, b in zip(at, at[1:])]
    for before, after in zip(gaps, gaps[1:]):
        assert after >= 0.8 * before - 0.03, gaps
    assert gaps[0] >= 0.08 and 0.6 <= max(gaps) < 1.0, gaps


@case("Retry-After is kept to", ALL, ("seconds", 429), ("date", 429), ("seconds", 503), ("date", 503))
def retry_after(run, form, status):
    dates = []

    def script(number, request):
        if number > 0:
            return 200 if run.protocol == "otlp" else 204
        dates.append(int(time.time()) + 2)
        return {"status": status, "headers": {"Retry-After": "1" if form == "seconds" else email.utils.formatdate(dates[0], usegmt=True)}}

    r = run.receiver(script)
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: len(r.requests) == 2)
    if form == "seconds":
        assert 0.95 <= r.requests[1].at - r.requests[0].at <= 2.5
    else:
        assert dates[0] - 0.05 <= r.requests[1].wall <= dates[0] + 1.5


@case("order and completeness with a receiver that takes its time", ALL)
def order(run):
    chance = random.Random(4)
    good = 200 if run.protocol == "otlp" else 204
    r = run.receiver(lambda number, request: {"status": chance.choice([good, good, good, 503]), "delay": chance.random() * 0.03})
    f = run.feed(r, queue=20, batch_series=100, backoff_max_ms=60)
    for i in range(20):
        f.tick(run.now + (i - 20) * SECOND, n=300)
        time.sleep(0.03)
    until(lambda: f.metrics().get("samples_total") == 20 * 302, 30)
    assert r.most == 1
    # What was answered with 503 came again: in one order, and at its old instant.
    last, seen = {}, set()
    for s in r.taken():
        assert s.key not in last or last[s.key] <= s.ms
        last[s.key] = s.ms
        seen.add((s.key, s.ms))
    assert len(seen) == 20 * 302


# --- versions ------------------------------------------------------------------------------------------------------------------------


@case("2.0 is not understood:", V2, 415, 200, 204)
def fall_back(run, status):
    r = run.receiver(lambda number, request: {"status": status, "written": None} if request.protocol == "2" else 204)
    f = run.feed(r)
    f.tick(run.now - SECOND)
    until(lambda: f.metrics().get("samples_total") == 5)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 10)
    assert [q.protocol for q in r.requests] == ["2", "1", "1"]
    assert {(s.key, s.ms, s.bits) for s in r.requests[0].series} == {(s.key, s.ms, s.bits) for s in r.requests[1].series}
    until(lambda: f.log().count("does not understand remote write 2.0") == 1)


@case("2.0 is not understood while older batches wait in the spool", V2)
def fall_back_spooled(run):
    port = free_port()
    f = run.feed(f"http://127.0.0.1:{port}/push", spool=run.spool())
    for i in range(3):
        f.tick(run.now + (i - 3) * SECOND)
    until(lambda: len(run.batches()) == 3)
    r = run.receiver(lambda number, request: 415 if request.protocol == "2" else 204, port=port)
    until(lambda: f.metrics().get("samples_total") == 15)
    assert [q.protocol for q in r.requests] == ["2", "1", "1", "1"] and run.batches() == []


@case("no other version is tried without need, status", RW, 204, 400, 503)
def no_fall_back(run, status):
    r = run.receiver({"status": status, "written": 5})
    f = run.feed(r)
    for i in range(3):
        f.tick(run.now + i * SECOND)
        time.sleep(0.2)
    until(lambda: len(r.requests) >= 3)
    assert {q.protocol for q in r.requests} == {run.protocol}


@case("415 to 1.0 is final", V1)
def final_415(run):
    r = run.receiver(415, 204)
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("dropped_total rejected") == 5)
    assert len(r.requests) == 1


@case("2.0: what was not written is counted", V2)
def not_written(run):
    r = run.receiver({"status": 200, "written": 3})
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 3)
    assert f.metrics()["dropped_total not_written"] == 2 and len(r.requests) == 1


@case("OTLP: partial success is counted and not sent again", OTLP)
def partial(run):
    message = b'bad: {account="a000001"} of acme'
    inner = b"\x08\x02\x12" + bytes([len(message)]) + message
    r = run.receiver({"status": 200, "body": b"\x0a" + bytes([len(inner)]) + inner}, 200)
    f = run.feed(r)
    f.tick(run.now)
    until(lambda: f.metrics().get("samples_total") == 3)
    time.sleep(0.3)
    assert f.metrics()["dropped_total not_written"] == 2 and len(r.requests) == 1
    until(lambda: "without 2 of 5 series" in f.log())
    assert "a000001" not in f.log()


if __name__ == "__main__":
    sys.exit(main())
