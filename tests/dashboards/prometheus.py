#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""prometheus.py PORT RULES: Prometheus' configuration for the dashboards' test, with the rules of a directory. Of the plugin's own endpoint on the port
only the families of the collector itself are kept: those of the customers come from the history."""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "grafana/source"))
from catalogue import FAMILIES  # noqa: E402


def main():
    own = "|".join(family.name for family in FAMILIES.values() if family.scope == "INSTANCE")
    job = {
        "job_name": "crm",
        "static_configs": [{"targets": [f"127.0.0.1:{sys.argv[1]}"]}],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": own, "action": "keep"}],
    }
    seconds = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "5s"}
    config = {"global": seconds, "scrape_configs": [job], "rule_files": [sys.argv[2] + "/*.rules.yml"]}
    print(json.dumps(config, indent=1))  # YAML too


if __name__ == "__main__":
    main()
