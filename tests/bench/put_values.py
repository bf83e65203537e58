#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""put_values.py SOCKET FAMILIES VALUES: gives a daemon, through its plugin unixsock, FAMILIES families of VALUES gauges each."""
import socket
import sys

path, families, values = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with socket.socket(socket.AF_UNIX) as s:
    s.connect(path)
    answers = s.makefile("rb")
    for f in range(families):
        # Few lines on their way at a time: the daemon answers each.
        s.sendall(b"".join(b"PUTVAL bench/crm%d-acme/gauge-enterprise_europe_%08x_support_paying interval=3600 N:%d.%02d\n" % (f, v * 2654435761 % 2**32, v * 79, v % 100) for v in range(values)))
        for _ in range(values):
            answer = answers.readline()
            if not answer.startswith(b"0 "):
                sys.exit(answer.decode())
