#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""prometheus.py PORT INSTANCE: Prometheus' configuration for the dashboards' test. collectd's write_prometheus on the port is
scraped for the families of the collector itself, under the names of the catalogue: what stands in the name of collectd's value
(source_age_seconds.account) becomes labels again."""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "grafana/source"))
from catalogue import FAMILIES  # noqa: E402


def rules(instance):
    yield {"source_labels": ["crm"], "regex": instance, "action": "keep"}
    yield {"source_labels": ["crm"], "target_label": "tenant"}
    for family in FAMILIES.values():
        if family.scope == "INSTANCE":
            name = family.name[len("crm_") :] + r"\.([^.]+)" * len(family.labels)
            for i, label in enumerate(family.labels, 1):
                yield {"source_labels": ["type"], "regex": name, "target_label": label, "replacement": f"${i}"}
            yield {"source_labels": ["type"], "regex": name, "target_label": "__name__", "replacement": family.name}
    yield {"source_labels": ["__name__"], "regex": "crm_.*", "action": "keep"}
    yield {"regex": "crm|type", "action": "labeldrop"}


def main():
    port, instance = sys.argv[1:]
    job = {
        "job_name": "crm",
        "honor_labels": True,
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        "metric_relabel_configs": list(rules(instance)),
    }
    config = {"global": {"scrape_interval": "2s", "scrape_timeout": "2s"}, "scrape_configs": [job]}
    print(json.dumps(config, indent=1))  # YAML too


if __name__ == "__main__":
    main()
