"""Looks right after a purchase, against the log read line by line."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.events import EventLog
from thence.rerank.timely_views import MINUTE, seen_next, view_parts

NAMES = ("timestamp", "user_id", "item_id", "event")
Row = tuple[int, str, str, str]


def log_of(rows: list[Row]) -> EventLog:
    columns = zip(*rows, strict=True)
    return EventLog.from_tables(pa.table({name: list(c) for name, c in zip(NAMES, columns, strict=True)}))


def by_hand(rows: list[Row], until: int, minutes: float) -> dict[tuple[str, str], int]:
    rows = [row for row in rows if row[0] < until]
    first: dict[tuple[str, str], int] = {}
    for at, user, item, event in sorted(rows):
        if event == "purchase":
            first.setdefault((user, item), at)
    who = {
        (user, item, seen)
        for (user, item), bought in first.items()
        for at, other, seen, event in rows
        if other == user and event in ("view", "click") and seen != item and 0 < at - bought <= minutes * MINUTE
    }
    count: dict[tuple[str, str], int] = {}
    for _, item, seen in who:
        count[item, seen] = count.get((item, seen), 0) + 1
    return count


def test_customers_are_counted_who_look_within_the_hour() -> None:
    rng = np.random.default_rng(2)
    events = ("view", "view", "click", "purchase", "purchase", "cart")
    rows = [
        (
            int(rng.integers(600)) * MINUTE,
            f"u{rng.integers(12)}",
            f"i{rng.integers(6)}",
            str(rng.choice(events)),
        )
        for _ in range(900)
    ]
    ids = IdMap([f"i{k}" for k in range(6)])
    for until, minutes in ((600 * MINUTE, 60.0), (300 * MINUTE, 15.0)):
        found = seen_next(log_of(rows).before(until), ids, minutes=minutes)
        names = [ids.decode(end) for end in found.pairs]
        got = dict(zip(zip(*names, strict=True), found.weight.tolist(), strict=True))
        assert got == by_hand(rows, until, minutes) and got


def test_a_look_before_is_none_and_a_log_without_looks_has_none() -> None:
    ids = IdMap(["phone", "case"])
    rows = [(0, "u", "case", "view"), (1, "u", "phone", "purchase"), (2, "u", "case", "purchase")]
    found = seen_next(log_of(rows), ids)
    assert found.num_arcs == 0
    at = np.array([0]), np.array([0, 1]), np.array([1])
    assert [part.values(at).tolist() for part in view_parts(found)] == [[0.0], [0.0], [0.0]]


def test_parts_keep_the_direction() -> None:
    ids = IdMap(["phone", "case"])
    looks = seen_next(log_of([(0, "u", "phone", "purchase"), (MINUTE, "u", "case", "view")]), ids)
    forth = np.array([0]), np.array([0, 1]), np.array([1])
    back = np.array([1]), np.array([0, 1]), np.array([0])
    told = {part.name: (part.values(forth)[0], part.values(back)[0]) for part in view_parts(looks)}
    assert (
        told["looks"] == (1.0, 0.0)
        and told["looks.reverse"] == (0.0, 1.0)
        and told["looks.share"] == (0.5, 0.0)
    )
