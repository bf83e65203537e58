# SPDX-License-Identifier: MIT
"""Drives crm_feed: a sink in a process of its own, see crm_feed.c."""
import os
import subprocess
import threading
import time


class Feed:
    def __init__(self, url, before=None, **options):
        self.options = {"backoff_min_ms": 50, "backoff_max_ms": 400, "instance": "host", **options}
        program = os.path.join(os.environ.get("CRM_BUILDDIR", "."), "tests/e2e/crm_feed")
        arguments = [f"url={url}"]
        for name, value in self.options.items():
            for each in value if isinstance(value, list) else [value]:
                arguments.append(f"{name}={each}")
        wrapper = os.environ.get("CRM_FEED_WRAPPER", "").split()
        self.process = subprocess.Popen(wrapper + [program] + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, bufsize=1, preexec_fn=before, env={**os.environ, "no_proxy": "*"})
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("crm_feed has ended: " + " / ".join(self.lines))
        return answer.strip()

    def tick(self, at, first=0, n=3, value=100, instance="acme", name=""):
        assert self.say(f"tick {instance} {at} {first} {n} {value} {name}") == "ok"

    def null(self, at, instance="acme"):
        assert self.say(f"null {instance} {at}") == "ok"

    def metrics(self, instance="acme"):
        values = {}
        line = self.say(f"metrics {instance}")
        while line != ".":
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                labels = name.split("{", 1)[1]
                name = name.split("{", 1)[0].removeprefix("crm_remote_write_")
                if 'reason="' in labels:
                    name += " " + labels.split('reason="', 1)[1].split('"', 1)[0]
                values[name] = float(value)
            line = self.process.stdout.readline().strip()
        return values

    def stop(self, ms=1500):
        how, took = self.say(f"stop {ms}").split()
        self.process.wait(10)
        self.reader.join(5)
        return how, int(took)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def log(self):
        return "\n".join(self.lines)


def until(what, seconds=15, say=lambda: ""):
    """Waits until what() is true; AssertionError if that does not come."""
    end = time.monotonic() + seconds * float(os.environ.get("CRM_TEST_PATIENCE", "1"))
    while not what():
        assert time.monotonic() < end, f"waited in vain{say()}"
        time.sleep(0.01)
