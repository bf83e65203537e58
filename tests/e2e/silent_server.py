#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""silent_server.py PORT: accepts connections on the loopback and never says a word. Prints a line per connection."""
import socket
import sys

held = []
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    held.append(server.accept()[0])
    print("accepted", len(held), flush=True)
