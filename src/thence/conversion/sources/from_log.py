"""Exposures from an event log: what was shown, what was done about it, and the conversion that it is given.

An exposure event (a click, say) of a user and an item is followed by engagement (cart, view) and a conversion
(purchase) of the same user and item; or of the same user and whatever other columns ``by`` names, of the log or
of the catalogue. The rule of attribution:

    last     a conversion belongs to the last exposure of its group strictly before it, if that is at most a
             window ago, and so does engagement; of several conversions the first counts
    every    they belong to every exposure of the group at most a window before them

Under ``last`` a later exposure of the group ends the earlier one's chances. This is known when it happens, so
it is told as engagement of the kind ``exposure again`` (``click again``), under both rules.

Features are what the log says of the exposure event itself (order ids left out), the item and user hashed, the
catalogue's category, brand and price, and hour and day of the week. Nothing of another row of the log is a
feature, so nothing later can be.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError, nearest
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.sources.hashing import BUCKETS, Buckets, describe, signed_log
from thence.conversion.sources.report import fit_to_learn
from thence.conversion.sources.timeline import Timeline
from thence.events.clock import DAY, HOUR
from thence.events.columns import is_text, plain
from thence.events.log import EventLog
from thence.events.schema import EVENTS

Attribution = Literal["last", "every"]
LEFT_OUT = ("timestamp", "event", "order_id", "title")


def exposures_of(
    log: EventLog,
    *,
    window: int,
    exposure: str = "click",
    conversion: str = "purchase",
    engagement: Collection[str] = ("cart", "view"),
    by: Collection[str] = ("user_id", "item_id"),
    attribution: Attribution = "last",
    buckets: Buckets = BUCKETS,
) -> Exposures:
    """Exposures of a log, seen up to its clock or the end of its rows.

    Args:
        log: the events.
        window: attribution window in microseconds.
        exposure: the event that is an exposure.
        conversion: the event that converts it.
        engagement: events in between that may tell.
        by: columns of the log or its catalogue in which these must agree.
        attribution: ``last`` or ``every``, see above.
        buckets: of categories.

    Raises:
        ConfigError: an event is neither in the log nor one that thence knows, or has two roles; a column is
            unknown.
        DataError: there are no exposures, the window is longer than the log, or all or none converted.

    Example:
        >>> day = 86_400_000_000
        >>> log = EventLog.from_tables(pa.table({
        ...     "timestamp": [0, 1, 2 * day, 3 * day, 9 * day], "user_id": ["u", "v", "u", "u", "v"],
        ...     "item_id": ["tea"] * 5, "event": ["click", "click", "cart", "purchase", "click"]}))
        >>> shown = exposures_of(log, window=7 * day, engagement=["cart"])
        >>> shown.converted.tolist(), shown.engagement.kinds, len(shown.engagement)
        ([True, False, False], ('cart', 'click again'), 1)
    """
    roles = (exposure, conversion, *engagement)
    if attribution not in ("last", "every"):
        raise ConfigError(f"attribution is {attribution!r}", fix="Choose last or every.")
    if len(set(roles)) < len(roles):
        raise ConfigError(f"an event of {roles} has two roles", fix="Name each once.")
    events, items = _tables(log, roles, by)
    time = np.asarray(events["timestamp"], np.int64)
    name = np.asarray(plain(pc.index_in(events["event"], value_set=pa.array(roles, pa.string()))))
    shown = np.flatnonzero(name == 0)
    if not len(shown):
        raise DataError(f"the log has no {exposure!r}")
    group = _groups([_column(events, items, column) for column in by], len(time))
    until = log.until if log.until is not None else log.span()[1] + 1
    end = _conversions(group, time, (shown, np.flatnonzero(name == 1)), window, attribution)
    made = Exposures.make(
        time[shown],
        end,
        window=window,
        features=_features(events.take(pa.array(shown)), items, buckets),
        engagement=_engagement(group, time, (shown, name), window, (roles, attribution)),
    ).before(until)
    fit_to_learn(made)
    return made


def _tables(log: EventLog, roles: tuple[str, ...], by: Collection[str]) -> tuple[pa.Table, pa.Table | None]:
    """The events with a role, sorted by time, and the catalogue."""
    seen: Any = log.events
    known = seen.event.value_counts().to_pyarrow()["event"].to_pylist()
    for name in roles:
        if name not in {*known, *EVENTS}:
            raise ConfigError(f"the log has no event {name!r}", fix=nearest(name, known))
    items = log.items.to_pyarrow() if log.items is not None else None
    columns = {*seen.columns, *(items.column_names if items is not None else ())}
    for column in by:
        if column not in columns:
            raise ConfigError(f"no column {column!r}", where="by", fix=nearest(column, columns))
    return seen.filter(seen.event.isin(roles)).order_by("timestamp").to_pyarrow(), items


def _column(events: pa.Table, items: pa.Table | None, name: str) -> pa.Array:
    """A column of the events, or of the catalogue by their items."""
    if items is None or name in events.column_names:
        return plain(events[name])
    return _catalogue(events, items, name)


def _groups(columns: list[pa.Array], rows: int) -> np.ndarray:
    """``[rows]`` equal ints where all columns are equal; a row without a value is alone."""
    group, alone = np.zeros(rows, np.int64), np.zeros(rows, bool)
    for column in columns:
        alone |= np.asarray(column.is_null())
        codes = np.asarray(column.dictionary_encode().indices.fill_null(0), np.int64)
        _, group = np.unique(group * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return np.where(alone, group.max(initial=0) + 1 + np.arange(rows), group)


def _conversions(
    group: np.ndarray, time: np.ndarray, rows: tuple[np.ndarray, np.ndarray], window: int, attribution: str
) -> np.ndarray:
    """When each exposure converts."""
    shown, bought = rows
    if attribution == "every":
        line = Timeline(group[bought], time[bought])
        first, stop = line.between(group[shown], time[shown], time[shown] + window)
        end = np.full(len(shown), NEVER)
        found = np.flatnonzero(stop > first)
        end[found] = time[bought[line.order[first[found]]]]
        return end
    owner = Timeline(group[shown], time[shown]).last(group[bought], time[bought])
    end = np.full(len(shown), NEVER)
    mine = np.flatnonzero((owner >= 0) & (time[bought] - time[shown[owner]] <= window))
    np.minimum.at(end, owner[mine], time[bought[mine]])
    return end


def _engagement(
    group: np.ndarray,
    time: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    window: int,
    rule: tuple[tuple[str, ...], str],
) -> Engagement:
    """Events of each exposure within its window; under ``last`` only until the next exposure."""
    (shown, name), (roles, attribution) = rows, rule
    event = np.flatnonzero((name == 0) | (name >= 2))
    begin, until = time[shown], time[shown] + window
    follows = np.zeros(len(shown), bool)
    if attribution == "last":
        line = Timeline(group[shown], begin)
        place = line.place(group[shown], begin, after=True)
        later = line.order[np.minimum(place, len(shown) - 1)]
        follows = (place < len(shown)) & (group[shown[later]] == group[shown])
        follows &= begin[later] <= until
        until = np.where(follows, begin[later], until)
    asked, found = Timeline(group[event], time[event]).pairs(group[shown], begin, until)
    kind, at = name[event[found]], time[event[found]]
    if attribution == "last":
        kept = (kind == 0) | ~(
            follows[asked] & (at == until[asked])
        )  # what comes with the next is the next one's
        kept &= ~((kind == 0) & _again(asked, kind))
        asked, kind, at = asked[kept], kind[kept], at[kept]
    kinds = (*roles[2:], f"{roles[0]} again")
    return Engagement.make(kinds, asked, np.where(kind == 0, len(kinds) - 1, kind - 2), at)


def _again(asked: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Which rows repeat the exposure event for the same question: two exposures at the same moment."""
    repeated = np.zeros(len(asked), bool)
    rows = np.flatnonzero(kind == 0)
    repeated[rows[1:]] = np.diff(asked[rows]) == 0
    return repeated


def _features(shown: pa.Table, items: pa.Table | None, buckets: Buckets) -> Features:
    """The event's own columns, the catalogue's, and the calendar."""
    columns: dict[str, Any] = {name: shown[name] for name in shown.column_names if name not in LEFT_OUT}
    if items is not None:
        for name in items.column_names:
            if name not in LEFT_OUT and name != "item_id":
                label = f"catalogue {name}" if name in columns else name
                columns[label] = _catalogue(shown, items, name)
    category = columns.get("category")
    if category is not None and is_text(category.type):
        columns["department"] = pc.list_element(pc.split_pattern(category, " > "), 0)
    hours = np.asarray(shown["timestamp"], np.int64) // HOUR
    columns |= {"hour": hours % 24, "weekday": (hours // (DAY // HOUR) + 3) % 7}
    floating = {
        name for name, column in columns.items() if pa.types.is_floating(getattr(column, "type", pa.null()))
    }
    numbers = {
        name: signed_log(np.asarray(plain(columns[name]).fill_null(np.nan), np.float64))
        for name in sorted(floating)
    }
    kept = {name: column for name, column in columns.items() if name not in floating and _coded(column)}
    return describe(kept, numbers, buckets)


def _catalogue(shown: pa.Table, items: pa.Table, name: str) -> pa.Array:
    place = pc.index_in(plain(shown["item_id"]), value_set=plain(items["item_id"]))
    return plain(items[name]).take(place)


def _coded(column: Any) -> bool:
    """Whether a column can be hashed; dates and moments cannot."""
    type_ = column.type if not isinstance(column, np.ndarray) else pa.int64()
    return is_text(type_) or pa.types.is_integer(type_) or pa.types.is_boolean(type_)
