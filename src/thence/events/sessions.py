"""Sessions: a user's events with no pause longer than a gap between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thence.base.errors import ConfigError
from thence.events.clock import MINUTE

if TYPE_CHECKING:
    import ibis

    from thence.events.log import EventLog


def sessions(events: EventLog | ibis.Table, gap_minutes: float = 30.0) -> ibis.Table:
    """Events with the column ``session``: 0, 1, … for each user, a new one after each pause.

    An event opens a session when it is its user's first or comes more than the gap after the one before.

    Args:
        events: a log, whose clock then holds for its sessions too, or some of its events.
        gap_minutes: the longest pause inside a session.

    Returns:
        A lazy Ibis table: the events and ``session`` (int64). (user_id, session) names a session.

    Raises:
        ConfigError: the gap is not positive.

    Example:
        >>> import pyarrow as pa
        >>> from thence.events import EventLog
        >>> log = EventLog.from_tables(pa.table({
        ...     "timestamp": [0, 20 * MINUTE, 60 * MINUTE], "user_id": ["u"] * 3,
        ...     "item_id": ["a", "b", "c"], "event": ["view"] * 3}))
        >>> sessions(log).order_by("timestamp").to_pyarrow()["session"].to_pylist()
        [0, 0, 1]
    """
    if not gap_minutes > 0:
        raise ConfigError(f"a gap of {gap_minutes} minutes is not positive", where="gap_minutes")
    import ibis

    table: Any = events if isinstance(events, ibis.Table) else events.events
    order = [table.timestamp, table.item_id, table.event]
    pause = table.timestamp - table.timestamp.lag().over(ibis.window(group_by=table.user_id, order_by=order))
    opened = table.mutate(_opens=ibis.ifelse(pause > round(gap_minutes * MINUTE), 1, 0))
    so_far = ibis.cumulative_window(
        group_by=opened.user_id, order_by=[opened.timestamp, opened.item_id, opened.event]
    )
    return opened.mutate(session=opened._opens.sum().over(so_far).cast("int64")).drop("_opens")
