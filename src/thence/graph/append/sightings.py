"""What customers add to a graph's counts, from all that is known of them.

The relations of ``graph/relation`` once more, for rows in memory instead of tables of an engine: the sightings
of a customer depend on nothing but that customer's own rows and on which products count. Whoever knows all rows
of some customers therefore knows their share of every count, and can take it out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from thence.events.clock import MINUTE
from thence.graph.append.counted import PAIR, Columns, added, join, merged, tally
from thence.graph.append.groups import ends_of, expand, run_of, starts_of
from thence.graph.build import GraphConfig
from thence.graph.relation.bought_after import DAY

GAP = 30 * MINUTE
MAX_SESSION = 100
SUBSTITUTE: dict[str, type] = {**PAIR, "joint": np.int32}


@dataclass(frozen=True, eq=False)
class Status:
    """What is known of products, by code.

    Args:
        warm: ``[num_items]`` bool: bought often enough to have arcs.
        category: ``[num_items]`` int64: the category, -1 where unknown.
    """

    warm: np.ndarray
    category: np.ndarray


@dataclass
class Share:
    """What some customers add to the counts.

    Args:
        pairs: by relation, a table of ``key``, ``support`` and ``last_time``; of ``substitute``, ``support``
            counts who bought both and ``joint`` who bought both at once.
        items: by name, ``[num_items]`` int64: how often each product could begin or end a pair.
        totals: by name, how many trials there were.
    """

    pairs: dict[str, Columns] = field(default_factory=dict)
    items: dict[str, np.ndarray] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Baskets:
    """Warm products in baskets, each once: sorted by user and basket; ``size`` is of the basket."""

    user: np.ndarray
    basket: np.ndarray
    item: np.ndarray
    time: np.ndarray
    size: np.ndarray
    is_first: np.ndarray
    firsts: Columns


def share_of(
    purchases: Columns, looks: Columns, status: Status, config: GraphConfig, only: Sequence[str] | None = None
) -> Share:
    """Count what customers of whom all rows are given add to the graph.

    Args:
        purchases: ``key`` (user), ``order``, ``item`` (code) and ``time`` of lines, in any order.
        looks: ``key`` (user), ``item`` and ``time`` of views and clicks, in any order.
        status: which products count.
        config: the graph's settings.
        only: the relations to count; those of the settings when None.
    """
    share, names = Share(), config.relations if only is None else only
    if set(names) - {"co_viewed"}:
        baskets = baskets_of(purchases, status.warm)
        share.totals["users"] = len(starts_of(baskets.firsts["user"]))
        share.items["customers"] = np.bincount(baskets.firsts["item"], minlength=len(status.warm))
        for name in names:
            if name != "co_viewed":
                RULES[name](baskets, status, config, share)
    if "co_viewed" in names:
        _co_viewed(looks, status, share)
    return share


def baskets_of(lines: Columns, warm: np.ndarray) -> Baskets:
    """Lines of purchases as baskets; a basket's time is that of its first line of a warm product."""
    keep = warm[lines["item"]]
    user, order, item, time = (lines[name][keep] for name in ("key", "order", "item", "time"))
    at = np.lexsort((item, order, user))
    user, order, item, time = user[at], order[at], item[at], time[at]
    line, begins = starts_of(user, order, item), starts_of(user, order)
    basket_time = np.minimum.reduceat(time, begins) if len(begins) else time
    basket = run_of(begins, len(time))[line]
    user, item, time = user[line], item[line], basket_time[basket]
    size = np.bincount(basket, minlength=len(begins))[basket]
    owned = join(user, item)
    by = np.argsort(owned, kind="stable")
    groups = starts_of(owned[by])
    first = np.minimum.reduceat(time[by], groups) if len(groups) else time
    is_first = np.empty(len(time), bool)
    is_first[by] = time[by] == first[run_of(groups, len(by))]
    firsts = {"user": user[by][groups], "item": item[by][groups], "time": first}
    return Baskets(user, basket, item, time, size, is_first, firsts)


def _same_basket(baskets: Baskets, status: Status, config: GraphConfig, share: Share) -> None:
    kept, num = baskets.size <= config.max_basket, len(status.warm)
    share.items["tries"] = np.bincount(baskets.item[kept], minlength=num)
    share.items["hits"] = np.bincount(baskets.item[kept & baskets.is_first], minlength=num)
    share.totals["baskets"] = len(starts_of(baskets.basket[kept]))
    shared = np.flatnonzero(kept & (baskets.size > 1))
    shared = shared[np.lexsort((~baskets.is_first[shared], baskets.basket[shared]))]
    item, time = baskets.item[shared], baskets.time[shared]
    begins = starts_of(baskets.basket[shared])
    low = begins[run_of(begins, len(shared))] if len(shared) else begins
    new = np.add.reduceat(baskets.is_first[shared].astype(np.int64), begins) if len(begins) else begins
    high = low + new[run_of(begins, len(shared))]

    def sightings() -> Iterator[Columns]:
        for left, right in expand(low, high):
            source, target = item[left], item[right]
            apart = source != target
            yield tally(join(source[apart], target[apart]), time[left][apart])

    share.pairs["same_basket"] = merged(list(sightings()), added, PAIR)


def _bought_after(baskets: Baskets, status: Status, config: GraphConfig, share: Share) -> None:
    firsts, window = baskets.firsts, round(config.window_days * DAY)
    at = np.lexsort((firsts["time"], firsts["user"]))
    user, item, time = (firsts[name][at] for name in ("user", "item", "time"))
    rows, end = np.arange(len(at)), ends_of(starts_of(user), len(at))
    low = _bisect(rows, end, lambda row, other: time[other] <= time[row])
    high = _bisect(low, end, lambda row, other: time[other] - time[row] <= window)
    seen = [tally(join(item[left], item[right]), time[right]) for left, right in expand(low, high)]
    share.pairs["bought_after"] = merged(seen, added, PAIR)
    share.totals["followed"] = int(np.maximum(high - low, 0).sum())


def _substitute(baskets: Baskets, status: Status, config: GraphConfig, share: Share) -> None:
    category = status.category[baskets.item]
    known = category >= 0
    user, item, time, category, basket = (
        column[known] for column in (baskets.user, baskets.item, baskets.time, category, baskets.basket)
    )
    both = _bought_by_one(user, item, time, category)
    both["joint"] = np.zeros(len(both["key"]), np.int32)
    joint = _bought_in_one(user, item, category, basket)
    share.pairs["substitute"] = merged([both, joint], added, SUBSTITUTE)


def _bought_by_one(user: np.ndarray, item: np.ndarray, time: np.ndarray, category: np.ndarray) -> Columns:
    """Pairs, smaller code first, that one customer bought."""
    at = np.lexsort((item, category, user))
    user, item, time, category = user[at], item[at], time[at], category[at]
    owned = starts_of(user, category, item)
    last = np.maximum.reduceat(time, owned) if len(owned) else time
    user, item, category = user[owned], item[owned], category[owned]
    seen = [
        tally(join(item[left], item[right]), np.maximum(last[left], last[right]))
        for left, right in expand(*_later(user, category))
    ]
    return merged(seen, added, PAIR)


def _bought_in_one(user: np.ndarray, item: np.ndarray, category: np.ndarray, basket: np.ndarray) -> Columns:
    """Pairs, smaller code first, that one customer bought at once, each customer once."""
    at = np.lexsort((item, category, basket))
    user, item, category, basket = user[at], item[at], category[at], basket[at]
    found = []
    for left, right in expand(*_later(basket, category)):
        found.append(_distinct(join(item[left], item[right]), user[left]))
    key, buyer = (np.concatenate([one[side] for one in found]) if found else user[:0] for side in (0, 1))
    key, _ = _distinct(key.astype(np.int64), buyer)
    starts = starts_of(key)
    joint = np.diff(starts, append=len(key)).astype(np.int32)
    none = np.zeros(len(starts), np.int32)
    never = np.full(len(starts), np.iinfo(np.int64).min)
    return {"key": key[starts], "support": none, "last_time": never, "joint": joint}


def _co_viewed(looks: Columns, status: Status, share: Share) -> None:
    at = np.lexsort((looks["time"], looks["key"]))
    user, item, time = (looks[name][at] for name in ("key", "item", "time"))
    opens = np.ones(len(at), np.int64)
    opens[1:] = (user[1:] != user[:-1]) | (time[1:] - time[:-1] > GAP)
    visit = np.cumsum(opens)
    warm = status.warm[item]
    visit, item, time = visit[warm], item[warm], time[warm]
    held = join(visit, item)
    by = np.argsort(held, kind="stable")
    groups = starts_of(held[by])
    last = np.maximum.reduceat(time[by], groups) if len(groups) else time
    visit, item = visit[by][groups], item[by][groups]
    size = np.bincount(visit, minlength=1)[visit]
    kept = size <= MAX_SESSION
    visit, item, last = visit[kept], item[kept], last[kept]
    seen = [
        tally(join(item[left], item[right]), np.maximum(last[left], last[right]))
        for left, right in expand(*_later(visit))
    ]
    share.pairs["co_viewed"] = merged(seen, added, PAIR)
    share.items["sessions"] = np.bincount(item, minlength=len(status.warm))
    share.totals["sessions"] = len(starts_of(visit))


RULES: dict[str, Callable[[Baskets, Status, GraphConfig, Share], None]] = {
    "same_basket": _same_basket,
    "bought_after": _bought_after,
    "substitute": _substitute,
}


def _later(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of sorted columns, the range of the rows behind it in its run."""
    num = len(columns[0])
    return np.arange(1, num + 1), ends_of(starts_of(*columns), num)


def _bisect(low: np.ndarray, high: np.ndarray, before: Callable[..., np.ndarray]) -> np.ndarray:
    """For each row, the first of its range ``low … high - 1`` of which ``before(row, other)`` is false."""
    rows, last = np.arange(len(low)), len(low) - 1
    low, high = low.copy(), high.copy()
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        ahead = (low < high) & before(rows, np.minimum(middle, last))
        low, high = np.where(ahead, middle + 1, low), np.where(ahead, high, middle)
    return low


def _distinct(key: np.ndarray, user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each (key, user) once, sorted."""
    at = np.lexsort((user, key))
    key, user = key[at], user[at]
    starts = starts_of(key, user)
    return key[starts], user[starts]
