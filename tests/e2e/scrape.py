#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A reader of scrape endpoints, of another make than what it reads.

scrape.py get URL [HEADER...]                prints the body; CRM_CA and CRM_TOKEN are used if set. Exit status 1 and the status line if it is not 200
scrape.py headers URL [HEADER...]             prints the status line and the headers
scrape.py series FORMAT FILE                  "name{label=value,...}<TAB>value" per series, sorted; FORMAT: text, openmetrics, protobuf or once
                                              (the JSON of crmctl once). Labels without a value are left out, as Prometheus does. Strict: a family
                                              in two pieces, a series twice, a missing # EOF and the like are errors
scrape.py prometheus URL SELECTOR [TIME]      the same of what a Prometheus has, now or of that time (seconds); job and instance are left out
scrape.py same A B STEADY-1 STEADY-2          compares A with B, each made by `series` or `prometheus`: the same series, and the same value for each
                                              that is the same in both STEADY files; the others move with the clock
scrape.py parallel N URL                      N readers at once; all must get the same whole answer
scrape.py hold N PORT                         N connections, silent ones, ones with half a request, and ones that do not take their answer, until it is
                                              killed; with CRM_CA the last two speak TLS
scrape.py relay PORT URL                      hands on what URL answers to one who asks for nothing in particular: text 0.0.4, whatever its own reader
                                              would like better, until it is killed
"""
import http.server
import json
import math
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|(?=\}))')
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def request(url, headers, method="GET"):
    asked = urllib.request.Request(url, method=method, headers=dict(h.split(": ", 1) for h in headers))
    if os.environ.get("CRM_TOKEN"):
        asked.add_header("Authorization", "Bearer " + os.environ["CRM_TOKEN"])
    context = ssl.create_default_context(cafile=os.environ["CRM_CA"]) if url.startswith("https") else None
    try:
        return urllib.request.urlopen(asked, timeout=30, context=context)
    except urllib.error.HTTPError as error:
        return error


def get(url, *headers):
    answer = request(url, headers)
    sys.stdout.buffer.write(answer.read())
    if answer.status != 200:
        sys.exit(f"{answer.status} {answer.reason}")


def show_headers(url, *headers):
    answer = request(url, headers)
    print(answer.status, answer.reason)
    print("\n".join(f"{k}: {v}" for k, v in answer.headers.items()))


def unescape(text):
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def parse_labels(text):
    labels, at = [], 0
    while at < len(text) and text[at] != "}":
        m = LABEL.match(text, at)
        if not m:
            raise ValueError(f"labels: {text[at:at + 80]}")
        labels.append((m[1], unescape(m[2])))
        at = m.end()
    if text[at:at + 2] != "} ":
        raise ValueError(f"behind the labels: {text[at:at + 80]}")
    return labels, text[at + 2:]


def parse_text(data, openmetrics):
    lines = data.decode("utf-8").split("\n")
    if lines.pop() != "":
        raise ValueError("the last line has no newline")
    if openmetrics and lines.pop() != "# EOF":
        raise ValueError("no # EOF")
    suffix = {"counter": "_total", "info": "_info"} if openmetrics else {}
    family, kinds = None, {}
    for line in lines:
        if line.startswith("# "):
            _, what, name, rest = (line + " ").split(" ", 3)
            rest = rest[:-1]
            if what not in ("HELP", "TYPE") + (("UNIT",) if openmetrics else ()):
                raise ValueError(line)
            if name != family:
                if name in kinds:
                    raise ValueError(f"{name}: a family in two pieces")
                family, kinds[name], samples = name, {}, 0
            if what in kinds[name] or samples:
                raise ValueError(f"{name}: {what} is told twice, or behind samples")
            kinds[name][what] = rest
            if what == "UNIT" and not name.endswith("_" + rest):
                raise ValueError(f"{name}: the unit {rest} is not in the name")
            continue
        name = NAME.match(line)[0]
        kind = kinds[family]["TYPE"]
        if name != family + suffix.get(kind, "") or "HELP" not in kinds[family]:
            raise ValueError(f"{name} in the family {family} of type {kind}")
        if line[len(name)] == "{":
            labels, rest = parse_labels(line[len(name) + 1:])
        else:
            labels, rest = [], line[len(name) + 1:]
        samples += 1
        if kind == "info" and rest != "1":
            raise ValueError(line)
        yield name, labels, float(rest)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 1:
            value, at = data[at:at + 8], at + 8
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("cut off")
        else:
            raise ValueError(f"tag {tag}")
        yield tag >> 3, value


def parse_protobuf(data):
    """io.prometheus.client.MetricFamily, each behind its length; numbers from the published definition."""
    at, seen = 0, set()
    while at < len(data):
        size, at = varint(data, at)
        family = list(fields(data[at:at + size]))
        at += size
        name = next(v for n, v in family if n == 1).decode()
        kind = next(v for n, v in family if n == 3)
        if name in seen or not any(n == 2 for n, _ in family):
            raise ValueError(f"{name}: twice, or without help")
        seen.add(name)
        for number, metric in family:
            if number == 5 and not name.removesuffix("_total").endswith("_" + metric.decode()):
                raise ValueError(f"{name}: the unit {metric.decode()} is not in the name")
            if number != 4:
                continue
            labels, value = [], None
            for n, v in fields(metric):
                if n == 1:
                    pair = dict(fields(v))
                    labels.append((pair[1].decode(), pair[2].decode()))
                elif n == {0: 3, 1: 2}[kind]:
                    value = struct.unpack("<d", dict(fields(v))[1])[0]
                else:
                    raise ValueError(f"{name}: field {n} in a metric of type {kind}")
            yield name, labels, value


def parse_once(data):
    for series in json.loads(data)["series"]:
        yield series["name"], list(series["labels"].items()), float(series["value"])


def write(samples):
    lines = {}
    for name, labels, value in samples:
        if len({k for k, _ in labels}) != len(labels):
            raise ValueError(f"{name}: a label twice")
        key = name + json.dumps({k: v for k, v in sorted(labels) if v != ""})
        if key in lines:
            raise ValueError(f"{key}: twice")
        lines[key] = value
    for key in sorted(lines):
        print(key, repr(lines[key]), sep="\t")


def series(form, path):
    with open(path, "rb") as file:
        data = file.read()
    parsers = {"text": lambda d: parse_text(d, False), "openmetrics": lambda d: parse_text(d, True), "protobuf": parse_protobuf, "once": parse_once}
    write(parsers[form](data))


def prometheus(base, selector, at=None):
    # With a time, those of that very millisecond.
    query = urllib.parse.urlencode({"query": selector} if at is None else {"query": selector + "[1ms]", "time": at})
    with urllib.request.urlopen(base + "/api/v1/query?" + query, timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    write((s["metric"].pop("__name__"), [(k, v) for k, v in s["metric"].items() if k not in ("job", "instance")],
           float((s["values"][-1] if at else s["value"])[1])) for s in result)


def load(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").rsplit("\t", 1) for line in file)


def same(*paths):
    a, b, one, two = map(load, paths)
    steady = [key for key in a if key in one and one[key] == two.get(key)]
    wrong = [f"only in the first: {key}" for key in a.keys() - b.keys()] + [f"only in the second: {key}" for key in b.keys() - a.keys()]
    # Not to the last bit: what is divided may be divided at one instant or the other. A sum of money is.
    wrong += [f"{key}: {a[key]}, {b[key]}" for key in steady if key in b and not math.isclose(float(a[key]), float(b[key]), rel_tol=1e-12)]
    print(f"{len(a)} series, {len(steady)} of them steady, {len(wrong)} differ")
    print("\n".join(wrong[:20]))
    if wrong or len(steady) < 0.9 * len(a) or not a:
        sys.exit(1)


def parallel(n, url):
    answers = [None] * int(n)

    def read(i):
        answer = request(url, [])
        answers[i] = (answer.status, answer.read())

    began = time.monotonic()
    threads = [threading.Thread(target=read, args=(i,)) for i in range(int(n))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = {len(a[1]) for a in answers if a is not None and a[0] == 200}
    missing = sum(a is None or a[0] != 200 for a in answers)
    print(f"{n} readers, {missing} without an answer, bodies of {sorted(sizes)} bytes, {time.monotonic() - began:.1f} s")
    if missing or min(sizes) < 1000:
        sys.exit(1)


def hold(n, port):
    context = ssl.create_default_context(cafile=os.environ["CRM_CA"]) if os.environ.get("CRM_CA") else None
    token = f"Authorization: Bearer {os.environ['CRM_TOKEN']}\r\n" if os.environ.get("CRM_TOKEN") else ""
    held = []
    for i in range(int(n)):
        s = socket.socket()
        s.settimeout(10)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", int(port)))
        held.append(s)
        try:
            if i % 3 and context is not None:
                held[i] = s = context.wrap_socket(s, server_hostname="127.0.0.1")
            if i % 3 == 1:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Half:")
            elif i % 3 == 2:
                s.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{token}\r\n".encode())
        except OSError:
            pass  # it was closed for being slow; it has been one more all the same
    print("held", flush=True)
    time.sleep(300)


def relay(port, url):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            answer = request(url, [])
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    {"get": get, "headers": show_headers, "series": series, "prometheus": prometheus, "same": same, "parallel": parallel, "hold": hold, "relay": relay}[sys.argv[1]](*sys.argv[2:])
