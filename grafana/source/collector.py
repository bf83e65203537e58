# SPDX-License-Identifier: MIT
"""Collector: is it alive, fresh, fast and complete?"""

import board
from board import Column, Target, query, steps
from common import LINKS
from promql import sel
from style import GOLD

INSTANCE = query("crm", "Instance", "label_values(crm_up, tenant)", every=".+", about="Instance of the plugin: one CRM.")
STEP = "$__rate_interval"


def worst(label, family, **matchers):
    return f"max by ({label}) ({sel(family, **matchers)})"


def alive():
    yes = [
        {
            "type": "value",
            "options": {"0": {"text": "failed", "color": "red", "index": 0}, "1": {"text": "up", "color": "green", "index": 1}},
        }
    ]
    limit = [
        {
            "type": "value",
            "options": {"0": {"text": "no", "color": "green", "index": 0}, "1": {"text": "reached", "color": "orange", "index": 1}},
        }
    ]
    return [
        board.stat(
            "Last read of the CRM",
            "Whether the last read of the CRM succeeded.",
            Target(worst("tenant", "up"), "{{tenant}}", instant=True),
            4,
            4,
            unit="none",
            unit_text="up or failed",
            defaults={"mappings": yes},
        ),
        board.stat(
            "Age of the data",
            "Age of the oldest relation: how long ago its snapshot was taken, the lag of a replica included.",
            Target("max(" + sel("source_age_seconds") + ")", "Age"),
            4,
            4,
            unit="s",
            decimals=0,
            unit_text="seconds",
            thresholds=steps("green", (600, GOLD), (3600, "red")),
        ),
        board.stat(
            "Relations missing",
            "Relations that are not mapped or could not be read; metrics that need them are absent.",
            Target("count(" + sel("relation_available") + ") - sum(" + sel("relation_available") + ")", "Missing"),
            4,
            4,
            unit="none",
            decimals=0,
            unit_text="relations",
            thresholds=steps("green", (1, "orange")),
        ),
        board.stat(
            "Rows refused",
            "Rows that are left out at the moment because they make no sense; the table below says which and why.",
            Target("sum(" + sel("relation_rows_refused") + ")", "Rows"),
            4,
            4,
            unit="none",
            decimals=0,
            unit_text="rows within an interval",
            thresholds=steps("text", (1, GOLD)),
        ),
        board.stat(
            "Limits reached",
            "Whether a limit leaves series out: MaxCells (cell), MaxSeries (account), MaxBreakdowns (breakdown: on collectd's own path only).",
            Target(worst("kind", "series_limit_reached"), "{{kind}}", instant=True),
            4,
            4,
            unit="none",
            unit_text="yes or no",
            defaults={"mappings": limit},
            orientation="vertical",
            text={"titleSize": 12, "valueSize": 18},
        ),
        board.stat(
            "Last full read",
            "How long ago the last full read of the CRM ended.",
            Target("time() - max(" + sel("full_sync_timestamp_seconds") + ")", "Ago", instant=True),
            4,
            4,
            unit="s",
            decimals=0,
            unit_text="seconds",
            thresholds=steps("green", (90000, GOLD)),
        ),
    ]


def rate(labels, family):
    return f"sum by ({labels}) (rate({sel(family)}[{STEP}]))"


def ways_out():
    """Absent where the plugin has no way out of its own: collectd's write plugins have none of these."""
    return [
        board.lines(
            "Samples taken",
            "Samples, stale markers among them, that each receiver has taken per second.",
            Target(rate("sink", "remote_write_samples_total"), "{{sink}}"),
            8,
            8,
            unit="none",
            unit_text="samples a second",
            defaults={"min": 0},
        ),
        board.lines(
            "Requests failed and sent again",
            "Requests that were not answered with success, and requests sent once more, per second.",
            [
                Target(rate("sink", "remote_write_failed_total"), "{{sink}} · failed"),
                Target(rate("sink", "remote_write_retried_total"), "{{sink}} · again"),
            ],
            8,
            8,
            unit="none",
            unit_text="requests a second",
            defaults={"min": 0},
        ),
        board.lines(
            "Samples given up",
            "Samples given up per second, all of them and by reason. It should be 0.",
            Target(
                f"({rate('sink, reason', 'remote_write_dropped_total')} > 0) or"
                f" label_replace({rate('sink', 'remote_write_dropped_total')}, \"reason\", \"all\", \"\", \"\")",
                "{{sink}} · {{reason}}",
            ),
            8,
            8,
            unit="none",
            unit_text="samples a second",
            defaults={"min": 0},
        ),
        board.lines(
            "Behind",
            "How far the newest instant that the receiver has taken lies back, and the age of the oldest batch in the spool.",
            [
                Target("time() - max by (sink) (" + sel("remote_write_highest_sent_timestamp_seconds") + ")", "{{sink}} · sent"),
                Target("time() - min by (sink) (" + sel("remote_write_spool_oldest_timestamp_seconds") + ")", "{{sink}} · spool"),
            ],
            8,
            8,
            unit="s",
            unit_text="seconds",
            defaults={"min": 0},
        ),
        board.lines(
            "Waiting",
            "Size of the batches that wait in the spool.",
            Target("sum by (sink) (" + sel("remote_write_spool_bytes") + ")", "{{sink}}"),
            8,
            8,
            fill=12,
            unit="bytes",
            unit_text="bytes",
            defaults={"min": 0},
        ),
        board.table(
            "Receivers",
            "What each receiver answered last, how long it took, the ticks that wait in memory for it, and how long ago it last took a request.",
            [
                Target(worst("sink", "remote_write_last_status"), table=True),
                Target(worst("sink", "remote_write_request_duration_seconds"), table=True),
                Target("sum by (sink) (" + sel("remote_write_queue_ticks") + ")", table=True),
                Target("time() - max by (sink) (" + sel("remote_write_last_success_timestamp_seconds") + ")", table=True),
            ],
            8,
            8,
            unit="none",
            unit_text="HTTP status; seconds; ticks",
            no_value="no way out of this kind",
            columns=[
                Column("sink", "Sink", custom_minWidth=60),
                Column("Value #A", "Status", custom_width=68, decimals=0),
                Column("Value #B", "Took", unit="s", custom_width=80),
                Column("Value #C", "Waiting", custom_width=78, decimals=0),
                Column("Value #D", "Success", unit="s", decimals=0, custom_width=80, noValue="never"),
            ],
            transformations=[{"id": "joinByField", "options": {"byField": "sink", "mode": "outer"}}],
        ),
    ]


def build():
    fresh = [
        board.Block(
            12,
            [
                board.lines(
                    "Age by relation",
                    "Age of the snapshot from which each relation was read. It rises between two reads and falls with each.",
                    Target(worst("relation", "source_age_seconds"), "{{relation}}"),
                    12,
                    9,
                    unit="s",
                    unit_text="seconds",
                    defaults={"min": 0},
                ),
                board.lines(
                    "Read from the CRM",
                    "Rows received from the CRM per second: what reading costs it. A full read is a peak.",
                    Target(rate("tenant", "source_rows_total"), "{{tenant}}"),
                    6,
                    8,
                    fill=12,
                    unit="none",
                    unit_text="rows a second",
                    defaults={"min": 0},
                ),
                board.lines(
                    "Accounts read anew",
                    "Accounts that were read anew by the last read; after a full read all of them.",
                    Target(worst("tenant", "accounts_changed"), "{{tenant}}"),
                    6,
                    8,
                    unit="none",
                    unit_text="accounts",
                    defaults={"min": 0},
                ),
            ],
        ),
        board.table(
            "Relations",
            "Rows held in memory, the age of the snapshot, how changes are found between two full reads (none: the relation is read whole each"
            " time), and in how many rows full reads differed from what had been followed, within the time range: anything but 0 means"
            " that changes were missed. Relations that are missing say so.",
            [
                Target(worst("relation", "relation_available"), table=True),
                Target("sum by (relation) (" + sel("relation_rows") + ")", table=True),
                Target(worst("relation", "source_age_seconds"), table=True),
                Target(worst("relation, mode", "relation_changes"), table=True),
                Target(f"sum by (relation) (increase({sel('drift_rows_total')}[$__range]))", table=True),
            ],
            12,
            17,  # all fifteen
            unit="none",
            unit_text="rows; seconds",
            columns=[
                Column("relation", "Relation"),
                Column(
                    "Value #A",
                    "Available",
                    custom_width=88,
                    custom_cellOptions={"type": "color-text"},
                    mappings=[
                        {
                            "type": "value",
                            "options": {
                                "0": {"text": "missing", "color": "orange", "index": 0},
                                "1": {"text": "yes", "color": "green", "index": 1},
                            },
                        }
                    ],
                ),
                Column("Value #B", "Rows", unit="locale", decimals=0, custom_width=82, noValue="–"),
                Column("Value #C", "Age", unit="s", decimals=0, custom_width=68, noValue="–"),
                Column("mode", "Changes", custom_width=86, noValue="–"),
                Column(
                    "Value #E",
                    "Missed",
                    decimals=0,
                    custom_width=70,
                    noValue="–",
                    thresholds=steps("text", (1, "red")),
                    custom_cellOptions={"type": "color-text"},
                ),
            ],
            transformations=[{"id": "joinByField", "options": {"byField": "relation", "mode": "outer"}}],
            sort=("Rows", True),
        ),
    ]
    fast = [
        board.lines(
            "Duration of a read",
            "How long each phase of the last read of the CRM took.",
            Target(worst("phase", "sync_duration_seconds"), "{{phase}}"),
            8,
            8,
            unit="s",
            unit_text="seconds",
            defaults={"min": 0},
        ),
        board.lines(
            "Duration of the computation",
            "How long the last computation of all metrics took.",
            Target(worst("tenant", "compute_duration_seconds"), "{{tenant}}"),
            8,
            8,
            fill=12,
            unit="s",
            unit_text="seconds",
            defaults={"min": 0},
        ),
        board.lines(
            "Memory",
            "Memory held by the picture of the CRM.",
            Target(worst("tenant", "store_bytes"), "{{tenant}}"),
            8,
            8,
            fill=12,
            unit="bytes",
            unit_text="bytes",
            defaults={"min": 0},
        ),
    ]
    complete = [
        board.lines(
            "Series",
            "Series published, by kind: per cell, tenant, account, and of the collector itself.",
            Target("sum by (kind) (" + sel("series") + ")", "{{kind}}"),
            8,
            8,
            stack=True,
            unit="none",
            unit_text="series",
        ),
        board.Block(
            8,
            [
                board.stat(
                    "Dimensions",
                    "Whether a dimension was left out of all families to stay within MaxCells.",
                    Target(worst("dimension", "dimension_dropped"), "{{dimension}}", instant=True),
                    8,
                    4,
                    unit="none",
                    unit_text="kept or dropped",
                    orientation="vertical",
                    text={"titleSize": 12, "valueSize": 24},
                    defaults={
                        "mappings": [
                            {
                                "type": "value",
                                "options": {
                                    "0": {"text": "kept", "color": "green", "index": 0},
                                    "1": {"text": "dropped", "color": "red", "index": 1},
                                },
                            }
                        ]
                    },
                ),
                board.table(
                    "Versions",
                    "Version of this software and of the daemon that it runs in.",
                    [Target("count by (version, collectd) (" + sel("build_info") + ")", table=True)],
                    8,
                    4,
                    unit="none",
                    unit_text="instances",
                    columns=[
                        Column("version", "collectd-crm", custom_minWidth=100),
                        Column("collectd", "collectd", custom_minWidth=100),
                        Column("Value", "Instances", custom_width=100),
                    ],
                ),
            ],
        ),
        board.table(
            "Rows refused, by reason",
            "Rows that are left out at the moment because they make no sense. undated_churn counts churned accounts without any date of it.",
            [Target("sum by (relation, reason) (" + sel("relation_rows_refused") + ") > 0", table=True)],
            8,
            8,
            unit="none",
            decimals=0,
            unit_text="rows",
            no_value="none refused",
            columns=[Column("relation", "Relation"), Column("reason", "Reason"), Column("Value", "Rows", custom_width=80)],
            sort=("Rows", True),
        ),
    ]
    rows = [("Alive", alive()), ("Fresh", fresh), ("Fast", fast), ("Complete", complete), ("Ways out: remote write and OTLP", ways_out())]
    return board.dashboard(
        "crm-collector",
        "CRM · Collector",
        "Is the collector alive, fresh, fast and complete?",
        [board.datasource(), INSTANCE],
        rows,
        links=LINKS,
        start="now-6h",
        refresh="1m",
    )
