"""What a saved log holds and what its ingests refused, in counts: for a page that shows the data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from thence.base.artifact import open_artifact
from thence.events.clock import DAY, iso
from thence.events.log import KIND, EventLog
from thence.events.quarantine import FILE

BIN_DAYS = (1, 7, 28, 91, 364)
"""Widths of the bins over time; the narrowest is taken that gives at most ``MAX_BINS``."""
MAX_BINS = 120


def log_facts(folder: str | Path) -> dict[str, Any]:
    """Counts of a saved log, JSON-able.

    Args:
        folder: where the log lies.

    Returns:
        ``events``, ``users`` and ``items`` that have events; ``catalogue``, its items; ``first`` and ``last``
        moment (ISO 8601 UTC, None without events); ``kinds``, events by kind; ``bin_days`` and ``over_time``,
        events by bins of so many days; ``sources``, what was read from each (its file's name alone) and what
        became of it, each read row being accepted, quarantined or a duplicate; ``refused``, the rows in
        quarantine by reason, the most frequent first.

    Raises:
        ArtifactError: it is absent, torn, tampered with, or not a log.
    """
    art = open_artifact(folder, KIND, verify=False)
    log = EventLog.load(folder, verify=False)
    ledger = art.config["sources"]
    refused = (
        pq.read_table(art.path(FILE), columns=["source", "digest", "reason"]) if FILE in art.files else None
    )
    first, last = log.span()
    return {
        **_sizes(log),
        "catalogue": int(art.counts.get("items", 0)),
        "first": iso(first) if log.count() else None,
        "last": iso(last) if log.count() else None,
        "kinds": _kinds(log),
        **_over_time(log),
        "sources": [_source(entry) for entry in ledger],
        "refused": [] if refused is None else _refused(refused, ledger),
    }


def _sizes(log: EventLog) -> dict[str, int]:
    seen = log.events
    counts = seen.aggregate(events=seen.count(), users=seen.user_id.nunique(), items=seen.item_id.nunique())
    return {name: int(value) for name, value in counts.to_pyarrow().to_pylist()[0].items()}


def _kinds(log: EventLog) -> dict[str, int]:
    seen = log.events
    rows = seen.group_by("event").aggregate(n=seen.count()).to_pyarrow().to_pylist()
    return {row["event"]: int(row["n"]) for row in sorted(rows, key=lambda row: (-row["n"], row["event"]))}


def _over_time(log: EventLog) -> dict[str, Any]:
    """Events in each bin from the first to the last, empty ones too; bins begin at midnight UTC."""
    if not log.count():
        return {"bin_days": BIN_DAYS[0], "over_time": []}
    begin, end = (int(moment // DAY) for moment in log.span())
    days = next((width for width in BIN_DAYS if (end - begin) // width < MAX_BINS), BIN_DAYS[-1])
    seen: Any = log.events
    place = ((seen.timestamp - begin * DAY) / (days * DAY)).floor().cast("int64")
    found = seen.mutate(place=place).group_by("place").agg(n=lambda rows: rows.count()).to_pyarrow()
    counts = np.zeros((end - begin) // days + 1, np.int64)
    counts[found["place"].to_numpy()] = found["n"].to_numpy()
    starts = ((begin + at * days) * DAY for at in range(len(counts)))
    return {"bin_days": days, "over_time": [[iso(at), int(n)] for at, n in zip(starts, counts, strict=True)]}


def _source(entry: dict[str, Any]) -> dict[str, Any]:
    counts = {name: entry.get(name) for name in ("read", "accepted", "quarantined", "duplicates")}
    return {
        "name": PurePath(str(entry["name"])).name,
        "catalogue": bool(entry.get("catalogue", False)),
        **counts,
    }


def _refused(rows: Any, ledger: list[dict[str, Any]]) -> list[dict[str, Any]]:
    listed = {(entry["name"], entry["sha256"]) for entry in ledger if entry.get("catalogue")}
    found = Counter(
        (reason, (source, digest) in listed)
        for source, digest, reason in zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True)
    )
    return [
        {"reason": reason, "rows": count, "catalogue": catalogue}
        for (reason, catalogue), count in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ]
