#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an interval costs with the tools that somebody without this plugin would use, with equivalent queries; and the floors.

peers.py tools SOCKET-DIR POSTMASTER-PID WORK-DIR TODAY RELAY BENCH SECONDS N...

One after the other collectd's postgresql plugin, prometheus-postgres-exporter and prometheus-sql-exporter, as Debian has them, run the same
queries (some 75 aggregate series, and three per account) against the database crm; before each interval N accounts are changed by BENCH. Prints a
line per interval with tabs: peer, accounts changed, milliseconds of wall, CPU of the server and CPU of the tool, bytes on the wire, KiB of the
tool's memory, series. A tool that is not installed is told on standard error and left out. SECONDS: how often a tool reads that does so by
itself; more than one reading takes.

peers.py floors SOCKET-DIR POSTMASTER-PID COPIES.sql POLLS.sql PGBENCH ROLE TRIES

The statements of COPIES.sql by psql, to nowhere, and those of POLLS.sql by pgbench: lines of "copy" or "polls", milliseconds of wall, CPU of the server,
CPU of the client, bytes and rows (0: not counted). The least of three runs, and the mean of TRIES.

peers.py callback PID SECONDS TICKS

What the plugin's read callback takes of the reading threads of the collectd PID, whose Interval is SECONDS and that reads nothing else: a line of
"callback", and milliseconds of CPU: the mean of so many ticks, and the most.

CPU of the server is that of all its processes, so that nobody else may use it meanwhile. The tools go through a relay, which counts bytes.
"""
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")

# name, labels, values, query. All of what a careful person would write: groupings of what is there, windows by indexed columns.
QUERIES = [
    ("accounts", ["status"], ["number", "arr", "health", "churn_risk"],
     "SELECT coalesce(status, 'none') AS status, count(*)::float8 AS number, sum(arr)::float8 AS arr, avg(health_score)::float8 AS health,"
     " avg(churn_risk_score)::float8 AS churn_risk FROM accounts GROUP BY 1"),
    ("nps", ["tenant"], ["promoters", "detractors", "answers"],
     "SELECT organization_id::text AS tenant, (count(*) FILTER (WHERE score >= 9))::float8 AS promoters,"
     " (count(*) FILTER (WHERE score <= 6))::float8 AS detractors, count(*)::float8 AS answers FROM nps_surveys"
     " WHERE survey_date > DATE '@TODAY@' - 90 GROUP BY 1"),
    ("engagements", ["kind"], ["number", "positive"],
     "SELECT type AS kind, count(*)::float8 AS number, (count(*) FILTER (WHERE outcome = 'positive'))::float8 AS positive FROM engagements"
     " WHERE completed_at > DATE '@TODAY@' - 30 GROUP BY 1"),
    ("usage", ["tenant"], ["logins", "adoption", "health"],
     "SELECT organization_id::text AS tenant, avg(login_frequency)::float8 AS logins, avg(feature_adoption_score)::float8 AS adoption,"
     " (percentile_cont(0.5) WITHIN GROUP (ORDER BY overall_health_score))::float8 AS health FROM health_metrics"
     " WHERE metric_date > DATE '@TODAY@' - 30 GROUP BY 1"),
    ("support", ["tenant"], ["opened", "resolved", "escalated", "satisfaction", "hours"],
     "SELECT organization_id::text AS tenant, sum(new_tickets)::float8 AS opened, sum(resolved_tickets)::float8 AS resolved,"
     " sum(escalated_tickets)::float8 AS escalated, avg(satisfaction_score)::float8 AS satisfaction,"
     " avg(avg_resolution_time_hours)::float8 AS hours FROM support_metrics WHERE metric_date > DATE '@TODAY@' - 30 GROUP BY 1"),
    ("goals", ["status"], ["number"],
     "SELECT coalesce(status, 'none') AS status, count(*)::float8 AS number FROM customer_goals GROUP BY 1"),
    ("contacts", ["relationship"], ["number"],
     "SELECT coalesce(relationship_strength, 'none') AS relationship, count(*)::float8 AS number FROM contacts WHERE contact_status = 'active' GROUP BY 1"),
    ("contracts", ["outcome"], ["number", "arr"],
     "SELECT coalesce(outcome, 'none') AS outcome, count(*)::float8 AS number, sum(arr)::float8 AS arr FROM crm_ext.contract GROUP BY 1"),
    ("invoices", ["status"], ["number", "amount"],
     "SELECT coalesce(status, 'none') AS status, count(*)::float8 AS number, sum(amount)::float8 AS amount FROM crm_ext.invoice GROUP BY 1"),
    ("growth", ["tenant"], ["changes", "arr"],
     "SELECT organization_id::text AS tenant, count(*)::float8 AS changes, sum(arr)::float8 AS arr FROM account_growth_history"
     " WHERE recorded_at > DATE '@TODAY@' - 30 GROUP BY 1"),
    ("onboarding", ["status"], ["number"],
     "SELECT coalesce(status, 'none') AS status, count(*)::float8 AS number FROM onboarding_plans GROUP BY 1"),
    ("account", ["account"], ["arr", "health", "last_seconds"],
     "SELECT a.id::text AS account, coalesce(a.arr, 0)::float8 AS arr, coalesce(h.score, 0)::float8 AS health,"
     " coalesce(extract(epoch FROM DATE '@TODAY@' - e.last_at), 0)::float8 AS last_seconds FROM accounts a"
     " LEFT JOIN (SELECT account_id, avg(overall_health_score) AS score FROM health_metrics WHERE metric_date > DATE '@TODAY@' - 7 GROUP BY 1) h"
     " ON h.account_id = a.id"
     " LEFT JOIN (SELECT account_id, max(completed_at) AS last_at FROM engagements GROUP BY 1) e ON e.account_id = a.id"),
]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def ticks(pid):
    """(parent, milliseconds of its own, of children that have ended)"""
    fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK_MS, (int(fields[13]) + int(fields[14])) * TICK_MS


def tree_cpu(root):
    """Of a server that forks one process per session: of those there are, and of those that have ended."""
    _, own, ended = ticks(root)
    total = own + ended
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent, own, ended = ticks(pid)
        except (OSError, IndexError):
            continue
        if parent == root:
            total += own + ended
    return total


class Relay:
    def __init__(self, program, target):
        self.process = subprocess.Popen([program, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def count(self):
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return sum(map(int, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Meter:
    """Everything that is counted."""

    def __init__(self, postmaster, relay):
        self.postmaster, self.relay, self.tool = postmaster, relay, None

    def look(self):
        _, client, _ = ticks(self.tool)
        return tree_cpu(self.postmaster), client, self.relay.count()

    def wait_quiet(self, seconds):
        """Until nothing has worked for so long; returns when it last did."""
        before, last = self.look(), time.monotonic()
        while time.monotonic() - last < seconds:
            time.sleep(0.05)
            now = self.look()
            if now[0] - before[0] > 2 * TICK_MS or now[1] - before[1] > 2 * TICK_MS or now[2] != before[2]:
                before, last = now, time.monotonic()
        return last

    def wait_bytes(self, seconds):
        """Until a question goes over the wire, which is more than a farewell."""
        before, end = self.relay.count(), time.monotonic() + seconds
        while self.relay.count() < before + 100:
            if time.monotonic() > end:
                sys.exit("peers.py: the tool does not read again")
            time.sleep(0.005)
        return time.monotonic()


def collectd_conf(work, port, seconds, queries):
    out = [f'FQDNLookup false\nHostname "bench"\nBaseDir "{work}"\nPIDFile "{work}/collectd.pid"\nTypesDB "/usr/share/collectd/types.db"\n'
           f'Interval {seconds}\nPostCacheChain "nobody"\n<Chain "nobody">\nTarget "stop"\n</Chain>\n' # a word for each value about that else
           "LoadPlugin postgresql\n<Plugin postgresql>"]
    for name, labels, values, sql in queries:
        out.append(f'<Query {name}>\nStatement "{sql}"')
        for value in values:
            out.append(f'<Result>\nType gauge\nInstancePrefix "{name}_{value}"\nInstancesFrom "{labels[0]}"\nValuesFrom "{value}"\n</Result>')
        out.append("</Query>")
    out.append(f'<Database crm>\nHost "127.0.0.1"\nPort "{port}"\nUser "postgres"\nSSLMode "disable"\n'
               + "\n".join(f"Query {name}" for name, *_ in queries) + "\n</Database>\n</Plugin>")
    return "\n".join(out) + "\n"


def postgres_exporter_conf(queries):
    out = []
    for name, labels, values, sql in queries:
        out += [f"crm_{name}:", f'  query: "{sql}"', "  metrics:"]
        for label in labels:
            out += [f"    - {label}:", '        usage: "LABEL"', f'        description: "{label}"']
        for value in values:
            out += [f"    - {value}:", '        usage: "GAUGE"', f'        description: "{value}"']
    return "\n".join(out) + "\n"


def sql_exporter_conf(port, seconds, queries):
    out = ["jobs:", "- name: crm", f"  interval: '{seconds}s'", "  connections:",
           f"  - 'postgres://postgres@127.0.0.1:{port}/crm?sslmode=disable'", "  queries:"]
    for name, labels, values, sql in queries:
        out += [f"  - name: {name}", f"    help: {name}", "    labels: [%s]" % ", ".join(f'"{x}"' for x in labels),
                "    values: [%s]" % ", ".join(f'"{x}"' for x in values), f'    query: "{sql}"']
    return "\n".join(out) + "\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    def __init__(self, name, program, arguments, environment, url):
        self.name, self.program, self.arguments, self.environment, self.url = name, program, arguments, environment, url


def get(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=600) as answer:
        return answer.read()


def series_of(page):
    """Those of the queries: not what the tool says of itself."""
    return sum(line.startswith((b"crm_", b"sql_")) and b"{" in line and not line.startswith(b"sql_exporter_") for line in page.splitlines())


def measure(peer, meter, numbers, seconds, change, expected_series):
    scraped = peer.name == "postgres-exporter" # it reads when it is asked, the others by themselves
    log = open(f"{peer.name}.log", "wb")
    process = subprocess.Popen([peer.program, *peer.arguments], stdout=log, stderr=log, env={**os.environ, **peer.environment})
    meter.tool = process.pid
    try:
        page = b""
        if scraped:
            for _ in range(100):
                try:
                    page = get(peer.url)
                    break
                except OSError:
                    time.sleep(0.1)
        else:
            meter.wait_bytes(60)
        meter.wait_quiet(2) # the first reading is not like the others
        for number in numbers:
            change(number)
            before = meter.look()
            if scraped:
                started = time.monotonic()
                page = get(peer.url)
                ended = time.monotonic()
            else:
                started = meter.wait_bytes(3 * seconds)
                ended = meter.wait_quiet(2)
                if peer.url:
                    scrape_started = time.monotonic()
                    page = get(peer.url)
                    ended += time.monotonic() - scrape_started
            time.sleep(0.2)
            after = meter.look()
            series = series_of(page) if peer.url else expected_series
            if series < expected_series * 0.99:
                sys.exit(f"peers.py: {peer.name} gives {series} series of {expected_series}: see {os.getcwd()}/{peer.name}.log")
            peak = next(int(line.split()[1]) for line in read(f"/proc/{process.pid}/status").splitlines() if line.startswith("VmHWM"))
            print(peer.name, number, f"{(ended - started) * 1000:.1f}", *(f"{b - a:.1f}" for a, b in zip(before, after)), peak, series,
                  sep="\t", flush=True)
    finally:
        process.terminate()
        process.wait()
        log.close()


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def timed(postmaster, command):
    """(wall, server, client, what it printed)"""
    server, client, started = tree_cpu(postmaster), children_cpu(), time.monotonic()
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    wall = (time.monotonic() - started) * 1000
    time.sleep(0.2) # until the server's process has ended, too
    return wall, tree_cpu(postmaster) - server, children_cpu() - client, out


def floors(sockets, postmaster, copies, polls, pgbench, role, tries):
    who = ["-h", sockets, "-U", role]
    postmaster = int(postmaster)
    # A shell, so that the rows do not come here.
    copy = ["sh", "-c", 'psql -XAtq -v ON_ERROR_STOP=1 "$@" >/dev/null', "sh", *who, "-d", "crm", "-f", copies]
    wall, server, client, _ = min(timed(postmaster, copy) for _ in range(3))
    print("copy", f"{wall:.1f}", f"{server:.1f}", f"{client:.1f}", 0, 0, sep="\t")
    run = [pgbench, "-n", "-c", "1", "-M", "prepared", "-f", polls, *who]
    _, server_once, client_once, _ = timed(postmaster, [*run, "-t", "1", "crm"])
    _, server, client, out = timed(postmaster, [*run, "-t", str(1 + int(tries)), "crm"])
    wall = float(re.search(rb"latency average = ([0-9.]+) ms", out).group(1))
    print("polls", f"{wall:.3f}", *(f"{max(x, 0) / int(tries):.3f}" for x in (server - server_once, client - client_once)), 0, 0, sep="\t")


def reading_threads(pid):
    """Milliseconds on a CPU."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        if read(f"/proc/{pid}/task/{task}/comm").startswith("reader"):
            total += int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0]) / 1e6
    return total


def callback(pid, seconds, ticks):
    # From one moment to another between two ticks.
    before = reading_threads(pid)
    while reading_threads(pid) - before < 0.5:
        time.sleep(0.02)
    time.sleep(float(seconds) / 2)
    costs, before, due = [], reading_threads(pid), time.monotonic()
    for _ in range(int(ticks)):
        due += float(seconds)
        time.sleep(max(0, due - time.monotonic()))
        now = reading_threads(pid)
        costs.append(now - before)
        before = now
    print("callback", f"{sum(costs) / len(costs):.3f}", f"{max(costs):.3f}", sep="\t")


def tools(sockets, postmaster, work, today, relay_program, bench, seconds, *numbers):
    numbers = [int(n) for n in numbers]
    os.chdir(work)
    seconds = int(seconds)
    queries = [(name, labels, values, sql.replace("@TODAY@", today)) for name, labels, values, sql in QUERIES]
    relay = Relay(relay_program, f"{sockets}/.s.PGSQL.5432")
    meter = Meter(int(postmaster), relay)
    rounds = iter(range(1_000_000, 2_000_000))

    def change(number):
        subprocess.run([bench, sockets, "change", str(number), str(next(rounds))], check=True)

    def rows(sql):
        return int(subprocess.run(["psql", "-XAtq", "-h", sockets, "-U", "postgres", "-d", "crm", "-c", f"SELECT count(*) FROM ({sql}) q"],
                                  check=True, stdout=subprocess.PIPE, text=True).stdout)

    series = sum(rows(sql) * len(values) for _, _, values, sql in queries)
    for name, text in (("collectd.conf", collectd_conf(work, relay.port, seconds, queries)),
                       ("queries.yaml", postgres_exporter_conf(queries)),
                       ("sql.yaml", sql_exporter_conf(relay.port, seconds, queries))):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    dsn = f"host=127.0.0.1 port={relay.port} user=postgres dbname=crm sslmode=disable"
    http = [free_port(), free_port()]
    peers = [
        Peer("collectd", "/usr/sbin/collectd", ["-f", "-C", "collectd.conf"], {}, None),
        Peer("postgres-exporter", "/usr/bin/prometheus-postgres-exporter",
             ["--disable-default-metrics", "--disable-settings-metrics", "--no-collector.database", "--no-collector.bgwriter",
              "--extend.query-path=queries.yaml", f"--web.listen-address=127.0.0.1:{http[0]}"],
             {"DATA_SOURCE_NAME": dsn}, f"http://127.0.0.1:{http[0]}/metrics"),
        Peer("sql-exporter", "/usr/bin/prometheus-sql-exporter",
             ["-config.file", "sql.yaml", "-web.listen-address", f"127.0.0.1:{http[1]}"], {}, f"http://127.0.0.1:{http[1]}/metrics"),
    ]
    for peer in peers:
        if not shutil.which(peer.program) or (peer.name == "collectd" and not os.path.exists("/usr/lib/collectd/postgresql.so")):
            print(f"peers.py: {peer.name} is left out: {peer.program} is not installed", file=sys.stderr)
            continue
        measure(peer, meter, numbers, seconds, change, series)
    relay.close()


if __name__ == "__main__":
    {"tools": tools, "floors": floors, "callback": callback}[sys.argv[1]](*sys.argv[2:])
