"""Evidence from an event log: how many events an id was in before a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError
from thence.events import EventLog


def event_counts(
    log: EventLog, ids: Sequence[str] | pa.Array, column: str = "item_id", *, event: str | None = None
) -> np.ndarray:
    """Events ``[n]`` of each id in what the log sees; turn its clock back with ``log.before`` first.

    Counts of several columns make evidence by :func:`~thence.decide.uncertainty.evidence.effective`.

    Args:
        log: events.
        ids: ``[n]`` external ids; one that the log does not know has none.
        column: ``user_id``, ``item_id`` or another column of strings.
        event: of this kind alone.

    Raises:
        DataError: the log has no such column of strings.

    Example:
        >>> log = EventLog.from_tables(pa.table({
        ...     "timestamp": [10, 20, 30], "user_id": ["u", "u", "v"],
        ...     "item_id": ["phone", "case", "phone"], "event": ["view"] * 3}))
        >>> event_counts(log, ["phone", "case", "lamp"]).tolist()
        [2, 1, 0]
        >>> event_counts(log.before(30), ["u", "v"], "user_id").tolist()
        [2, 0]
    """
    events: Any = log.events
    if column not in events.columns or not events[column].type().is_string():
        raise DataError(f"the log has no column {column!r} of strings", fix=f"It has {list(events.columns)}.")
    if event is not None:
        events = events.filter(events.event == event)
    seen = events.group_by(column).aggregate(times=events.count()).to_pyarrow()
    known = dict(zip(seen[column].to_pylist(), seen["times"].to_pylist(), strict=True))
    asked = pa.array(ids).to_pylist() if isinstance(ids, pa.Array) else ids
    return np.array([known.get(each, 0) for each in asked], np.int64)
