"""Cases from real baskets: what customers took home for the first time together with something else.

For each basket after the cut (an order, or the purchases of one user at one time where orders have no id) and
each ordered pair of different items i, j in it, the case i → j stands when this user had never bought j
before. Repeat purchases are habits, easy to guess and of no use to a recommender, so they are judged apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.evaluate.cases import Cases

if TYPE_CHECKING:
    from thence.events.log import EventLog

CHUNK_PAIRS = 1 << 23


def first_purchase_cases(
    log_before: EventLog,
    log_after: EventLog,
    ids: IdMap,
    *,
    repeat: bool = False,
    max_basket: int = 1000,
) -> Cases:
    """Pairs from baskets after the cut in which the second item was bought by its user for the first time.

    First means: not in ``log_before``, and not at an earlier time in ``log_after``. Equal pairs of one user are
    one case whose weight counts them. Groups are users, so that the bootstrap draws households.

    Args:
        log_before: events before the cut; its purchases also give popularity and degree of each node.
        log_after: events from the cut on.
        ids: the nodes; purchases of other items are left out before pairs are made.
        repeat: instead give the pairs whose second item the user had bought before.
        max_basket: baskets with more different items are left out (robots, resellers) and counted in
            ``info["baskets left out"]``.

    Raises:
        ConfigError: ``max_basket`` is below 2.
        DataError: no basket after the cut gives a case.
    """
    if max_basket < 2:
        raise ConfigError(f"max_basket is {max_basket}", fix="A pair needs baskets of at least 2.")
    owned_user, owned_item, popularity = _owned(log_before, ids)
    lines, num_users = _lines(log_after, ids, owned_user)
    owned = owned_item[lines.owner >= 0] + len(ids) * lines.owner[lines.owner >= 0]
    fresh = _first_time(lines, owned, len(ids))
    flagged = ~fresh if repeat else fresh
    user, source, target, weight, dropped = _pairs(lines, flagged, len(ids), num_users, max_basket)
    if not len(source):
        what = "repeat" if repeat else "first"
        raise DataError(f"no basket after the cut holds a {what} purchase", where=repr(log_after))
    info = {
        "protocol": ("repeat" if repeat else "first") + " purchases in the same basket",
        "baskets": int(lines.basket[-1]) + 1,
        "baskets left out": dropped,
        "pairs": int(weight.sum()),
        "users": len(np.unique(user)),
    }
    return Cases(source, target, weight, user, len(ids), popularity, popularity, info=info)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Distinct (basket, item) lines after the cut, sorted by user, basket, item."""

    user: np.ndarray
    basket: np.ndarray
    item: np.ndarray
    time: np.ndarray
    owner: np.ndarray  # for each purchase before the cut, its user's code here or -1


def _owned(log: EventLog, ids: IdMap) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Distinct (user, item) purchases before the cut, and how often each node was bought."""
    purchases: Any = log.events.filter(log.events.event == "purchase")
    table = purchases.group_by("user_id", "item_id").aggregate(times=purchases.count()).to_pyarrow()
    item = ids.encode(table["item_id"], missing="mark")
    times = table["times"].to_numpy().astype(np.float64)
    popularity = np.bincount(item[item >= 0], weights=times[item >= 0], minlength=len(ids))
    keep = pa.array(item >= 0)
    return table["user_id"].filter(keep).combine_chunks(), item[item >= 0], popularity


def _lines(log: EventLog, ids: IdMap, owned_user: pa.Array) -> tuple[_Lines, int]:
    events: Any = log.events.filter(log.events.event == "purchase")
    table = events.select("user_id", "item_id", "timestamp", "order_id").to_pyarrow()
    item = ids.encode(table["item_id"], missing="mark")
    table, item = table.filter(pa.array(item >= 0)), item[item >= 0]
    if not len(item):
        raise DataError("no purchase after the cut is of a known item", where=repr(log))
    users = pc.unique(table["user_id"].cast(pa.string()))
    users = users.take(pc.sort_indices(users))  # codes that do not hang on the order of rows
    user, owner = _codes(table["user_id"], users), _codes(owned_user, users)
    time = table["timestamp"].to_numpy().astype(np.int64)
    order = table["order_id"].cast(pa.string())
    order_code = _codes(order, pc.unique(order.drop_null()))
    moment = np.where(order_code < 0, time, 0)
    by = np.lexsort((time, item, moment, order_code, user))
    key = np.stack([user, order_code, moment])[:, by]
    new_basket = np.ones(len(by), bool)
    new_basket[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    new_line = new_basket.copy()
    new_line[1:] |= item[by][1:] != item[by][:-1]
    basket, by = (np.cumsum(new_basket) - 1)[new_line], by[new_line]  # the earliest time of each line is kept
    return _Lines(user[by], basket, item[by], time[by], owner), len(users)


def _codes(values: Any, known: Any) -> np.ndarray:
    known = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    found = pc.index_in(values.cast(pa.string()), value_set=known).fill_null(-1)
    return np.asarray(found.to_numpy(zero_copy_only=False) if isinstance(found, pa.Array) else found.to_numpy())


def _first_time(lines: _Lines, owned: np.ndarray, num_nodes: int) -> np.ndarray:
    """``[L]`` bool: the line's user had not bought its item at any earlier time."""
    key = lines.user.astype(np.int64) * num_nodes + lines.item
    distinct, back = np.unique(key, return_inverse=True)
    earliest = np.full(len(distinct), np.iinfo(np.int64).max)
    np.minimum.at(earliest, back, lines.time)
    return (lines.time == earliest[back]) & ~np.isin(distinct, owned)[back]


def _pairs(
    lines: _Lines, flagged: np.ndarray, num_nodes: int, num_users: int, max_basket: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """User, source, target and count of all pairs (any line, flagged line) of a basket, equal ones added."""
    if num_users * num_nodes**2 >= 2**63:
        raise DataError(f"{num_users:,} users times {num_nodes:,}² nodes overflow", fix="Sample users.")
    size = np.bincount(lines.basket)
    start = np.cumsum(size) - size
    small = size <= max_basket
    right = np.flatnonzero(flagged & small[lines.basket] & (size[lines.basket] > 1))
    width = size[lines.basket[right]].astype(np.int64)
    chunk = (np.cumsum(width) - 1) // CHUNK_PAIRS
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in np.split(right, np.flatnonzero(np.diff(chunk)) + 1) if len(right) else []:
        wide = size[lines.basket[part]]
        target = np.repeat(part, wide)
        offset = np.arange(len(target)) - np.repeat(np.cumsum(wide) - wide, wide)
        source = start[lines.basket[target]] + offset
        source, target = source[source != target], target[source != target]
        key = (lines.user[target].astype(np.int64) * num_nodes + lines.item[source]) * num_nodes
        key, count = np.unique(key + lines.item[target], return_counts=True)
        keys.append(key)
        counts.append(count)
    key, back = np.unique(np.concatenate(keys), return_inverse=True)
    weight = np.bincount(back, weights=np.concatenate(counts), minlength=len(key))
    rest, target = np.divmod(key, num_nodes)
    user, source = np.divmod(rest, num_nodes)
    return user, source, target, weight, int((~small).sum())
