#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""inhibit.py ALERTMANAGER.yml RULES.yml: gives a real Alertmanager alerts, and asks which it keeps back. What should be is written here by hand."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ACME = {"tenant": "acme"}  # a tenant in the CRM that the instance `crm` reads
CRM = {"tenant": "crm"}
ONE, TWO = dict(ACME, account="a1"), dict(ACME, account="a2")
# Alert, labels, and whether it is kept back while all of these hold.
FIRST = [
    ("CrmCollectorDown", CRM, False),
    ("CrmRelationMissing", dict(CRM, relation="nps"), True),
    ("CrmSeriesLimitReached", dict(CRM, kind="account"), True),
    ("CrmShardMissing", CRM, True),
    ("CrmShardMissing", {"tenant": "other"}, False),
    ("CrmRelationMissing", {"tenant": "other", "relation": "nps"}, False),
    ("CrmRemoteWriteDropping", {"tenant": "other", "sink": "cloud", "reason": "rejected"}, False),
    ("CrmSpoolGrowing", {"tenant": "other", "sink": "cloud"}, True),
    ("CrmSpoolGrowing", {"tenant": "other", "sink": "second"}, False),
    ("CrmRevenueIdentityBroken", dict(ACME, currency="EUR"), False),
    ("CrmArrAtRisk", dict(ACME, currency="EUR"), True),
    ("CrmNetRetentionBelowTarget", dict(ACME, currency="EUR"), True),
    ("CrmGrossRetentionBelowTarget", dict(ACME, currency="EUR"), True),
    ("CrmArrAtRisk", {"tenant": "calm", "currency": "EUR"}, False),
    ("CrmAccountCritical", ONE, False),
    ("CrmAccountHealthDropped", ONE, True),
    ("CrmAccountHealthDropped", TWO, False),
    ("CrmRenewalAtRisk", TWO, False),
    ("CrmAccountRiskRose", TWO, True),
    ("CrmAccountRiskRose", ONE, False),
    ("CrmChampionLost", ONE, False),
    ("CrmHighArrAccountSilent", ONE, False),
    ("CrmPaymentOverdue", ONE, False),
    ("CrmAccountsNewlyAtRisk", ACME, False),
    ("CrmHealthFalling", dict(ACME, segment="large"), False),
    ("CrmRenewalOverdue", ACME, False),
    ("CrmSupportEscalationStorm", ACME, False),
    ("CrmNpsFell", ACME, False),
    ("CrmUndatedChurn", CRM, False),
    ("CrmSettingsMissing", {}, False),
]
# Then the CRM of another instance cannot be read: nothing is said of customers any more.
UNREADABLE = [("CrmSourceUnreadable", {"tenant": "other"}, False), ("CrmSourceStale", {"tenant": "other"}, True)]
OF_THE_COLLECTOR = r"Crm(Collector|Source|Relation|Shard|Series|Remote|Spool|Settings|RevenueIdentity)"


def then(alert, labels, kept_back):
    if not re.match(OF_THE_COLLECTOR, alert) or (alert, labels.get("tenant")) == ("CrmRelationMissing", "other"):
        return alert, labels, True
    return alert, labels, kept_back


def ask(url, body=None):
    request = urllib.request.Request(url, body and json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def key(alert, labels):
    return alert, tuple(sorted(labels.items()))


def differences(url, expected):
    states = {}
    for alert in ask(url + "/api/v2/alerts"):
        labels = alert["labels"]
        states[key(labels.pop("alertname"), labels)] = alert["status"]["state"]
    return [
        f"{alert} {labels}: {states.get(key(alert, labels), 'not there')}, though it should be {'kept back' if kept else 'sent'}"
        for alert, labels, kept in expected
        if states.get(key(alert, labels)) != ("suppressed" if kept else "active")
    ]


def hold(url, alerts, expected):
    ask(url + "/api/v2/alerts", [{"labels": dict(labels, alertname=alert)} for alert, labels, _ in alerts])
    end = time.monotonic() + 30
    while (wrong := differences(url, expected)) and time.monotonic() < end:
        time.sleep(0.2)
    return wrong


def main():
    with open(sys.argv[2], encoding="utf-8") as rules:
        names = set(re.findall(r"^ *- alert: (\w+)", rules.read(), re.M))
    unknown = names ^ {alert for alert, _, _ in FIRST + UNREADABLE}
    if unknown:
        sys.exit(f"alerts here and in the rules differ: {sorted(unknown)}")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [
                "prometheus-alertmanager",
                "--config.file=" + os.path.abspath(sys.argv[1]),
                "--storage.path=" + directory,
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
                "--log.level=error",
            ]
        )
        try:
            url, end = f"http://127.0.0.1:{port}", time.monotonic() + 30
            while True:
                try:
                    ask(url + "/api/v2/status")
                    break
                except (urllib.error.URLError, ConnectionError):
                    if time.monotonic() > end or server.poll() is not None:
                        sys.exit("Alertmanager does not start")
                    time.sleep(0.1)
            wrong = hold(url, FIRST, FIRST)
            wrong += hold(url, UNREADABLE, UNREADABLE + [then(*case) for case in FIRST])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
