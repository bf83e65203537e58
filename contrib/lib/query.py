#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Small questions to the servers of services.sh.

query.py get URL                        exit status 0 if it answers 200; prints the body
query.py listening PORT                 exit status 0 if something accepts on the loopback
query.py prometheus URL EXPRESSION      "label=value,...<TAB>value<TAB>time in ms" per sample
query.py graphite URL TARGET            "path<TAB>value<TAB>time in s" per value of the last ten minutes
"""
import json
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


def get(url, tries=1):
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            tries -= 1
            if error.code < 500 or tries == 0:
                raise
            time.sleep(1)


def prometheus(base, expression):
    # A range selector such as x[20s] gives every sample as it was stored, with its own time.
    query = urllib.parse.urlencode({"query": expression})
    answer = json.loads(get(base + "/api/v1/query?" + query))
    for series in answer["data"]["result"]:
        labels = ",".join(f"{k}={v}" for k, v in sorted(series["metric"].items()))
        for at, value in series.get("values") or [series["value"]]:
            print(labels, value, round(at * 1000), sep="\t")


def graphite(base, target):
    query = urllib.parse.urlencode({"target": target, "format": "json", "from": "-10min"})
    # It answers 500 when it meets a file that carbon is just making.
    for series in json.loads(get(base + "/render?" + query, tries=10)):
        for value, at in series["datapoints"]:
            if value is not None:
                print(series["target"], repr(value), at, sep="\t")


def main():
    what, args = sys.argv[1], sys.argv[2:]
    try:
        if what == "get":
            sys.stdout.write(get(args[0]))
        elif what == "listening":
            socket.create_connection(("127.0.0.1", int(args[0])), timeout=2).close()
        elif what == "prometheus":
            prometheus(*args)
        elif what == "graphite":
            graphite(*args)
        else:
            sys.exit(__doc__)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{what} {args[0]}: {error}")


if __name__ == "__main__":
    main()
