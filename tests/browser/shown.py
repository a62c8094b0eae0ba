"""The small shop with all that the pages show: a whole report, counts of its log, what each arc does."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.serve.test_data import told
from tests.serve.test_explain import directed

from thence.evaluate.report import Figure, Gap, Report
from thence.serve import Bundle

VALUES = {  # HR@10 on all, on the two buckets of degree; paired direction; coverage
    "ours": (0.30, 0.20, 0.40, 0.60, 0.8),
    "counts": (0.24, 0.10, 0.42, 0.50, 0.5),
    "popularity": (0.06, 0.06, 0.06, 0.70, 0.1),
}
INFO = {
    "title": "A small shop", "test from": "2026-01-06T00:00:00Z", "headline": "HR@10",
    "counts": {"cases": 1200, "queries": 7, "groups": 12, "nodes": 1001},
    "protocol": {"protocol": "first purchases"},
    "slices": {"low_degree": {"what": "degree 1-3", "cases": 400},
               "high_degree": {"what": "degree 4-9", "cases": 800}},
    "buckets": [{"name": "1–3", "cases": 400, "queries": 4}, {"name": "4–9", "cases": 800, "queries": 3}],
    "settings": {"confidence": 0.95, "resamples": 100},
}  # fmt: skip


def report() -> Report:
    """The model is ahead on the whole, counting where much is known, the best sellers on direction."""
    figures, gaps = [], []
    for method, (whole, low, high, direction, coverage) in VALUES.items():
        hits = {"all": whole, "low_degree": low, "high_degree": high, "degree 1–3": low, "degree 4–9": high}
        figures += [Figure(method, "HR@10", at, at - 0.02, at + 0.02, part) for part, at in hits.items()]
        figures += [Figure(method, "MRR@10", whole / 3, whole / 3 - 0.01, whole / 3 + 0.01)]
        figures += [Figure(method, "direction_auc_paired", direction, direction - 0.05, direction + 0.05)]
        figures += [Figure(method, "coverage", coverage)]
    for part, rival, value in (("all", "counts", 0.25), ("low_degree", "counts", 1.0)):
        gaps.append(Gap("ours", rival, "HR@10", value, value - 0.05, value + 0.05, part))
    gaps.append(Gap("ours", "counts", "HR@10", 0.40 / 0.42 - 1, -0.10, 0.01, "high_degree"))
    gaps.append(Gap("ours", "popularity", "direction_auc_paired", 0.6 / 0.7 - 1, -0.2, -0.05))
    return Report(tuple(figures), tuple(gaps), ("counts", "popularity"), INFO)


def shop() -> Bundle:
    """What the tests of the pages serve."""
    made = report()
    return directed(replace(told(), report={**made.flat(), "report": json.loads(made.to_json())}))
