#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Judges what encode_cases prints: decodes each body with Python's own snappy and gzip and with the few lines below for protobuf's wire
format, works out from the input what must have come out, and compares; then asks Google's protobuf for the same (encode_google.py). Knows neither our .proto files
nor our code; field numbers are those of the specifications. Prints TAP, from the second test on: test_encode_decode.sh has the first."""
import collections
import fractions
import gzip
import json
import os
import re
import struct
import sys

import snappy

import encode_google

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import scrape

STALE = 0x7FF0000000000002
LIMIT = 1024


# --- protobuf's wire format ---------------------------------------------------------------------------------------------------
def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Number, value in the order of the bytes: an int for varints, 8 bytes for fixed64, bytes for the rest."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length, "cut off"
        else:
            raise AssertionError(f"wire type {kind}")
        yield number, value


def message(data, known):
    """Field number -> list of values; a field that is not known is a fault."""
    found = collections.defaultdict(list)
    for number, value in fields(data):
        assert number in known, f"field {number}"
        found[number].append(value)
    return found


def bits(values):
    assert len(values) <= 1
    return struct.unpack("<Q", values[0])[0] if values else 0


def one(values, default=0):
    assert len(values) <= 1
    return values[0] if values else default


Series = collections.namedtuple("Series", "labels bits time start type help unit")  # time and start in the unit of the format


def decode_rw1(raw):
    for data in message(raw, {1})[1]:
        series = message(data, {1, 2})
        labels = []
        for label in series[1]:
            label = message(label, {1, 2})
            labels.append((one(label[1]), one(label[2])))
        assert len(series[2]) == 1
        sample = message(series[2][0], {1, 2})
        yield Series(labels, bits(sample[1]), one(sample[2]), 0, None, None, None)


def decode_rw2(raw):
    request = message(raw, {4, 5})
    symbols = request[4]
    assert symbols[0] == b"", "symbols[0]"
    assert len(set(symbols)) == len(symbols), "a symbol twice"
    used = {0}

    def symbol(ref):
        used.add(ref)
        return symbols[ref]

    for data in request[5]:
        series = message(data, {1, 2, 5})
        refs, at = [], 0
        packed = one(series[1])
        while at < len(packed):
            ref, at = varint(packed, at)
            refs.append(ref)
        assert len(refs) % 2 == 0, "an odd number of references"
        labels = [(symbol(refs[i]), symbol(refs[i + 1])) for i in range(0, len(refs), 2)]
        assert len(series[2]) == 1
        sample = message(series[2][0], {1, 2, 3})
        metadata = message(one(series[5]), {1, 3, 4})
        yield Series(labels, bits(sample[1]), one(sample[2]), one(sample[3]), one(metadata[1]), symbol(one(metadata[3])), symbol(one(metadata[4])))
    # Names of labels that were all empty, and nothing else, may be there without use.
    unused = [symbols[i] for i in range(len(symbols)) if i not in used]
    assert all(re.fullmatch(rb"[a-zA-Z_][a-zA-Z0-9_]*", text) for text in unused), "a symbol without use"


def attributes(values):
    for data in values:
        pair = message(data, {1, 2})
        yield one(pair[1]), one(message(one(pair[2]), {1})[1])


def decode_otlp(raw, expected_resource):
    resources = message(raw, {1})[1]
    assert len(resources) <= 1
    seen = set()
    for data in resources:
        resource = message(data, {1, 2})
        got = list(attributes(message(one(resource[1]), {1})[1]))
        assert got == expected_resource, f"resource {got}"
        assert len(resource[2]) == 1
        for metric in message(resource[2][0], {2})[2]:
            metric = message(metric, {1, 2, 5, 7})
            name = one(metric[1])
            assert name not in seen, "a metric in two pieces"
            seen.add(name)
            assert len(metric[5]) + len(metric[7]) == 1
            kind = 1 if metric[7] else 2
            if metric[7]:
                data = message(metric[7][0], {1, 2, 3})
                assert one(data[2]) == 2 and one(data[3]) == 1, "not cumulative and monotonic"
            else:
                data = message(metric[5][0], {1})
            for point in data[1]:
                point = message(point, {2, 3, 4, 7, 8})
                flags = one(point[8])
                assert flags == (0 if point[4] else 1), "flags"
                value = bits(point[4]) if point[4] else STALE
                yield Series([(b"__name__", name)] + list(attributes(point[7])), value, bits(point[3]), bits(point[2]), kind,
                             one(metric[2], b""), None)


# --- what must come out --------------------------------------------------------------------------------------------------------
def clean(value):
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        value = bytes(byte if byte < 0x80 else ord("?") for byte in value)
    value = value[:LIMIT]
    while value:
        try:
            value.decode("utf-8")
            return value
        except UnicodeDecodeError:
            value = value[:-1]
    return value


def legal(name):
    return re.fullmatch(rb"[a-zA-Z_][a-zA-Z0-9_]*", name) and not name.startswith(b"__")


def value_bits(pick):
    if pick["stale"]:
        return STALE
    if pick["den"] > 0:
        value = float(fractions.Fraction(pick["num"], pick["den"]))
    else:
        value = struct.unpack("<d", struct.pack("<Q", pick["real"]))[0]
    return struct.unpack("<Q", struct.pack("<d", value + 0.0))[0]


def expect(case, pick):
    own = [(bytes.fromhex(n), bytes.fromhex(v)) for n, v in pick["labels"]]
    if not all(legal(name) for name, _ in own):
        return None
    otlp = case["protocol"] == 2
    labels = {}
    for name, value in own:
        labels.setdefault(name, value)
    common = [] if otlp else [(b"job", case["job"]), (b"instance", case["instance"])]
    given = {}
    for name, value in case["external"]:
        if legal(name) and name not in (b"job", b"instance") and clean(value):
            given.setdefault(name, value)
    for name, value in common + list(given.items()):
        labels.setdefault(name, value)
    labels = sorted((name, clean(value)) for name, value in labels.items() if clean(value))
    if otlp:
        labels.insert(0, (b"__name__", pick["family"].encode()))
    else:
        labels = sorted(labels + [(b"__name__", pick["family"].encode())])
    known_start = pick["counter"] and 0 < case["start"] <= case["at"]
    kind = 1 if pick["counter"] else 2
    if case["protocol"] == 0:
        return Series(labels, value_bits(pick), case["at"] // 1000, 0, None, None, None)
    help_text = bytes.fromhex(pick["help"])
    if case["protocol"] == 1:
        start = case["start"] // 1000 if known_start and not pick["stale"] else 0
        return Series(labels, value_bits(pick), case["at"] // 1000, start, kind, help_text, pick["unit"].encode())
    return Series(labels, value_bits(pick), case["at"] * 1000 % 2**64, case["start"] * 1000 if known_start else 0, kind, help_text, None)


def check(case):
    body = bytes.fromhex(case["body"])
    case["job"], case["instance"] = bytes.fromhex(case["job"]), bytes.fromhex(case["instance"])
    case["external"] = [(bytes.fromhex(n), bytes.fromhex(v)) for n, v in case["external"]]
    raw = gzip.decompress(body) if case["protocol"] == 2 else snappy.uncompress(body)
    assert len(raw) == case["raw_len"], "raw_len"
    if case["protocol"] == 0:
        got = list(decode_rw1(raw))
    elif case["protocol"] == 1:
        got = list(decode_rw2(raw))
    else:
        resource = [(b"service.name", clean(case["job"])), (b"service.instance.id", clean(case["instance"]))]
        got = list(decode_otlp(raw, [pair for pair in resource if pair[1]]))
    expected = [expect(case, pick) for pick in case["picks"]]
    assert case["n_dropped"] == expected.count(None), "n_dropped"
    expected = [series for series in expected if series is not None]
    assert case["n_series"] == len(expected), "n_series"
    for series in got:  # on what came out alone, whatever was expected
        names = [name for name, _ in series.labels]
        if case["protocol"] == 2:
            names = names[1:]
        assert names == sorted(set(names)), f"labels out of order or twice: {names}"
        for _, value in series.labels:
            assert value and len(value) <= LIMIT and value.decode("utf-8"), "a value"
    if case["protocol"] == 2:  # grouped by metric, and otherwise in the order given
        expected.sort(key=lambda series: [s.labels[0] for s in got].index(series.labels[0]))
    assert got == expected, next((f"{g} instead of {e}" for g, e in zip(got, expected) if g != e), "too few or too many")
    google = [Series(*series) for series in encode_google.decode(case["protocol"], raw)]
    assert google == got, next((f"Google's protobuf: {g} instead of {e}" for g, e in zip(google, got) if g != e), "another number for Google's protobuf")
    return len(got)


def as_text(value):
    """As the formats of a scrape have it: whole, and what is not UTF-8 with a question mark for each byte that is not ASCII."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return bytes(byte if byte < 0x80 else ord("?") for byte in value).decode()


def check_scrape(case):
    def key(name, labels, value):
        return name, tuple(label for label in labels if label[1] != ""), struct.pack("<d", value + 0.0)

    expected = collections.Counter()
    for pick in case["picks"]:
        labels = [(bytes.fromhex(name).decode(), as_text(bytes.fromhex(value))) for name, value in pick["labels"]]
        expected[key(pick["family"], labels, struct.unpack("<d", struct.pack("<Q", value_bits(pick)))[0])] += 1
    text, openmetrics, protobuf = (bytes.fromhex(case[form]) for form in ("text", "openmetrics", "protobuf"))
    for form, got in (("text", scrape.parse_text(text, False)), ("openmetrics", scrape.parse_text(openmetrics, True)),
                      ("protobuf", encode_google.scrape(protobuf))):
        got = collections.Counter(key(*series) for series in got)
        assert got == expected, f"{form}: {list((got - expected))[:1]} instead of {list((expected - got))[:1]}"
    return len(case["picks"])


def main():
    names = ["remote write 1.0", "remote write 2.0", "OTLP", "text, OpenMetrics and protobuf of a scrape"]
    cases, series, failed = [0, 0, 0, 0], [0, 0, 0, 0], [None, None, None, None]
    for number, line in enumerate(sys.stdin):
        case = json.loads(line)
        protocol = case["protocol"]
        cases[protocol] += 1
        try:
            series[protocol] += check_scrape(case) if protocol == 3 else check(case)
        except (AssertionError, IndexError, ValueError, OSError) as fault:
            failed[protocol] = failed[protocol] or f"case {number}: {type(fault).__name__} {fault}"
    for protocol in range(4):
        ok = failed[protocol] is None and series[protocol] > 100
        print(f"{'ok' if ok else 'not ok'} {protocol + 2} - {names[protocol]}: decoded is what was encoded, {series[protocol]} series in "
              f"{cases[protocol]} requests")
        if not ok:
            print(f"# {failed[protocol] or 'too few series to say anything'}"[:2000])
    print("1..5")
    return 1 if any(failed) else 0


sys.exit(main())
