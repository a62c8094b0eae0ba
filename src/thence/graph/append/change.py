"""What a batch changes: the share of the customers it touches, before and after, taken out and put in.

Counts are sums over customers, so the new count of a pair is the old one, less what the touched customers gave
before, plus what they give now. The last time of a pair is a maximum, which cannot be taken out of. It need not
be, but in one case: what changed held the maximum before, holds only an earlier time now, and there are other
sightings of the pair. Then the customers who have both products are looked up and read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.graph.append.counted import Columns, concat, take
from thence.graph.append.groups import distinct
from thence.graph.append.holders import users_of_both
from thence.graph.append.sightings import Status, share_of
from thence.graph.append.store import ROWS, Store
from thence.graph.build import GraphConfig

AT_ONCE = 20_000
"""Customers whose rows are read again at a time."""


@dataclass(frozen=True, eq=False)
class World:
    """What stands before a batch.

    Args:
        stores: by name.
        config: the graph's settings.
    """

    stores: Mapping[str, Store]
    config: GraphConfig


def changed(name: str, before: Columns, after: Columns, store: Store) -> tuple[Columns, np.ndarray]:
    """The new rows of the pairs that a batch changes.

    Args:
        name: the relation.
        before: the share of the touched customers as it was.
        after: their share as it is.
        store: the relation's pairs as they stand.

    Returns:
        Sorted rows, with ``support`` 0 for pairs that nobody shows any more, and the positions of those whose
        last time must be looked up among the other customers; theirs is the touched customers' own so far.
    """
    key = distinct(before["key"], after["key"])
    old, new = (_aligned(name, key, share) for share in (before, after))
    differs = np.zeros(len(key), bool)
    for column in ROWS[name]:
        differs |= old[column] != new[column]
    key, old, new = key[differs], take(old, differs), take(new, differs)
    stands, _ = store.latest(key)
    rows: Columns = {"key": key}
    for column in ROWS[name]:
        if column not in ("key", "last_time"):
            rows[column] = stands[column] - old[column] + new[column]
    others = stands["support"] > old["support"]
    mine = np.where(new["support"] > 0, new["last_time"], np.iinfo(np.int64).min)
    was, gave = stands["last_time"], old["support"] > 0
    lost = others & gave & (old["last_time"] == was) & (mine < was)
    rows["last_time"] = np.where(others & ~lost, np.maximum(was, mine), mine)
    rows["last_time"][rows["support"] == 0] = 0
    return {column: rows[column] for column in ROWS[name]}, np.flatnonzero(lost)


def restore(name: str, rows: Columns, lost: np.ndarray, fresh: Columns, status: Status, world: World) -> int:
    """Look the last time of some pairs up among all customers who had both products before the batch.

    Args:
        name: the relation.
        rows: what :func:`changed` returned; its ``last_time`` is put right.
        lost: positions in ``rows``.
        fresh: the rows that the batch brings, sorted by customer.
        status: which products count after the batch.
        world: what stands before it.

    Returns:
        How many customers' rows were read again.
    """
    if not len(lost):
        return 0
    side, holders = ("looks", "lookers") if name == "co_viewed" else ("purchases", "buyers")
    wanted = rows["key"][lost]
    users, rarer = users_of_both(wanted, world.stores[holders])
    about = np.zeros(len(status.warm), bool)
    about[rarer] = True
    for at in range(0, len(users), AT_ONCE):
        some = users[at : at + AT_ONCE]
        again = concat([world.stores[side].of(some), take(fresh, np.flatnonzero(_among(fresh["key"], some)))])
        found = share_of(again, (name,), status, world.config, about).pairs[name]
        hit = _among(found["key"], wanted)
        target = lost[np.searchsorted(wanted, found["key"][hit])]
        rows["last_time"][target] = np.maximum(rows["last_time"][target], found["last_time"][hit])
    return len(users)


def _among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``[n]`` bool: which values stand in ``known``, which is sorted and may be empty."""
    if not len(known):
        return np.zeros(len(values), bool)
    return known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values


def _aligned(name: str, key: np.ndarray, share: Columns) -> Columns:
    """A share with one row for each of ``key``, zeros where it has none."""
    at = np.searchsorted(key, share["key"])
    aligned = {}
    for column, type_ in ROWS[name].items():
        aligned[column] = key if column == "key" else np.zeros(len(key), type_)
        if column != "key":
            aligned[column][at] = share[column]
    return aligned
