"""What customers add to a graph's counts, from all that is known of them.

The relations of ``graph/relation`` once more, for rows in memory instead of tables of an engine: the sightings
of a customer depend on nothing but that customer's own rows and on which products count. Whoever knows all rows
of some customers therefore knows their share of every count, before a batch and after it, and need look only at
what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from thence.events.clock import MINUTE
from thence.graph.append.baskets import (
    NEVER,
    Focus,
    Known,
    Order,
    around,
    difference,
    everything,
    known_of,
    put_in_order,
)
from thence.graph.append.counted import PAIR, SUBSTITUTE, Columns, added, join, merged, pairs_of, take, tally
from thence.graph.append.groups import bisect, ends_of, expand, fold, run_of, starts_of
from thence.graph.build import GraphConfig
from thence.graph.relation.bought_after import DAY

GAP = 30 * MINUTE
MAX_SESSION = 100
PURCHASES, LOOKS = "purchases", "looks"


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


def names_on(side: str, config: GraphConfig) -> tuple[str, ...]:
    """The relations that are counted from ``purchases`` or from ``looks``."""
    return tuple(name for name in config.relations if (name == "co_viewed") == (side == LOOKS))


def share_of(
    lines: Columns,
    names: Sequence[str],
    status: Status,
    config: GraphConfig,
    about: np.ndarray | None = None,
) -> Share:
    """Count what customers of whom all rows are given add to the graph.

    Args:
        lines: ``key`` (user), ``item`` (code), ``time`` and, of purchases, ``order``, in any order.
        names: relations that are all counted from purchases, or ``co_viewed`` from looks.
        status: which products count.
        config: the graph's settings.
        about: ``[num_items]`` bool: only pairs that have one of these products need be found; the other counts
            then mean nothing.
    """
    share = Share()
    if "co_viewed" in names:
        near = slice(None) if about is None else np.flatnonzero(_visits_with(lines, about[lines["item"]]))
        _co_viewed(take(lines, near), status, share)
    elif names:
        order = put_in_order(lines)
        known = known_of(order, status.warm[lines["item"]])
        focus = everything(order) if about is None else around(order, about, status.category)
        _count(order, known, focus, names, status, config, share)
    return share


def shares_of(
    lines: Columns,
    known: np.ndarray,
    names: Sequence[str],
    status: tuple[Status, Status],
    config: GraphConfig,
) -> tuple[Share, Share]:
    """The shares of customers before and after a batch, as far as they differ.

    Args:
        lines: all rows of these customers, old and new.
        known: ``[num_lines]`` bool: known before.
        names: relations, as for :func:`share_of`.
        status: which products counted before, and count after; none ceases to.
        config: the graph's settings.
    """
    was, now = status
    shares = Share(), Share()
    if "co_viewed" in names:
        # what is not beside a visit now was not beside it then: without anything new, it stood as it stands
        near = _visits_with(lines, ~known | (was.warm != now.warm)[lines["item"]])
        _co_viewed(take(lines, np.flatnonzero(near & known)), was, shares[0])
        _co_viewed(take(lines, np.flatnonzero(near)), now, shares[1])
        return shares
    order = put_in_order(lines)
    before = known_of(order, known & was.warm[lines["item"]])
    after = known_of(order, now.warm[lines["item"]])
    moved = bool((was.category != now.category)[now.warm].any())
    focus = difference(order, before, after, now.category, moved=moved)
    for view, at, share in ((before, was, shares[0]), (after, now, shares[1])):
        _count(order, view, focus, names, at, config, share)
    return shares


def _count(
    order: Order,
    known: Known,
    focus: Focus,
    names: Sequence[str],
    status: Status,
    config: GraphConfig,
    share: Share,
) -> None:
    held = known.first != NEVER
    share.totals["users"] = len(starts_of(order.user[held]))
    share.items["customers"] = np.bincount(order.thing[held], minlength=len(status.warm))
    for name in names:
        RULES[name](order, known, focus, status, config, share)


def _same_basket(
    order: Order, known: Known, focus: Focus, status: Status, config: GraphConfig, share: Share
) -> None:
    kept, num = focus.rows & known.there & (known.size <= config.max_basket), len(status.warm)
    share.items["tries"] = np.bincount(order.item[kept], minlength=num)
    share.items["hits"] = np.bincount(order.item[kept & known.is_first], minlength=num)
    share.totals["baskets"] = len(starts_of(order.basket[kept]))
    shared = np.flatnonzero(kept & (known.size > 1))
    shared = shared[np.lexsort((~known.is_first[shared], order.basket[shared]))]
    item, time = order.item[shared], known.time[shared]
    begins = starts_of(order.basket[shared])
    run = run_of(begins, len(shared))
    low = begins[run]
    high = low + fold(np.add, known.is_first[shared].astype(np.int64), begins)[run]

    def sightings() -> Iterator[Columns]:
        for left, right in expand(low, high):
            source, target = item[left], item[right]
            apart = source != target
            yield tally(join(source[apart], target[apart]), time[left][apart])

    share.pairs["same_basket"] = merged(list(sightings()), added, PAIR)


def _bought_after(
    order: Order, known: Known, focus: Focus, status: Status, config: GraphConfig, share: Share
) -> None:
    window = round(config.window_days * DAY)
    held = np.flatnonzero(known.first != NEVER)
    held = held[np.lexsort((known.first[held], order.user[held]))]
    item, time, looked_at = order.thing[held], known.first[held], focus.owned[held]
    starts = starts_of(order.user[held])
    rows = np.flatnonzero(looked_at)
    begin, end = starts[run_of(starts, len(held))][rows], ends_of(starts, len(held))[rows]

    def until(low: np.ndarray, gap: int) -> np.ndarray:
        """Where the rows begin that come more than ``gap`` after each."""
        return bisect(low, end, lambda other: time[other] - time[rows] <= gap)

    now = until(begin, 0)
    found = []
    for left, right in expand(now, until(now, window)):
        found.append(tally(join(item[rows[left]], item[right]), time[right]))
    past = until(begin, -1)
    for left, right in expand(until(begin, -window - 1), past):
        alone = ~looked_at[right]  # where both are looked at, the earlier has found the later
        left, right = rows[left[alone]], right[alone]
        found.append(tally(join(item[right], item[left]), time[left]))
    share.pairs["bought_after"] = merged(found, added, PAIR)
    share.totals["followed"] = int(share.pairs["bought_after"]["support"].sum(dtype=np.int64))


def _substitute(
    order: Order, known: Known, focus: Focus, status: Status, config: GraphConfig, share: Share
) -> None:
    category = status.category[order.thing]
    wanted = focus.alike & (category >= 0)
    held = np.flatnonzero(wanted & (known.first != NEVER))
    held = held[np.lexsort((order.thing[held], category[held], order.user[held]))]
    item, last = order.thing[held], known.last[held]
    both = [
        tally(join(item[left], item[right]), np.maximum(last[left], last[right]))
        for left, right in expand(*_behind(order.user[held], category[held]))
    ]
    rows = np.flatnonzero(known.there & wanted[order.owned])
    kind = category[order.owned[rows]]
    by = np.lexsort((order.item[rows], kind, order.basket[rows]))
    rows, kind = rows[by], kind[by]
    item, user = order.item[rows], order.user[order.owned[rows]]
    once = [
        pairs_of(join(item[left], item[right]), user[left])
        for left, right in expand(*_behind(order.basket[rows], kind))
    ]
    share.pairs["substitute"] = merged(
        [_never_at_once(table) for table in both] + _joint(once), added, SUBSTITUTE
    )


def _never_at_once(table: Columns) -> Columns:
    return table | {"joint": np.zeros(len(table["key"]), np.int32)}


def _joint(once: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Columns]:
    """How many customers bought each pair at once, from pieces of (pair, customer)."""
    if not once:
        return []
    key, _ = pairs_of(np.concatenate([key for key, _ in once]), np.concatenate([user for _, user in once]))
    starts = starts_of(key)
    joint = np.diff(starts, append=len(key)).astype(np.int32)
    none, never = np.zeros(len(starts), np.int32), np.full(len(starts), -NEVER)
    return [{"key": key[starts], "support": none, "last_time": never, "joint": joint}]


def _co_viewed(looks: Columns, status: Status, share: Share) -> None:
    at = np.lexsort((looks["time"], looks["key"]))
    item, time = looks["item"][at], looks["time"][at]
    visit = _visits(looks["key"][at], time)
    warm = status.warm[item]
    visit, item, time = visit[warm], item[warm], time[warm]
    held = join(visit, item)
    by = np.argsort(held)
    groups = starts_of(held[by])
    last = fold(np.maximum, time[by], groups)
    visit, item = visit[by][groups], item[by][groups]
    kept = np.bincount(visit, minlength=1)[visit] <= MAX_SESSION
    visit, item, last = visit[kept], item[kept], last[kept]
    seen = [
        tally(join(item[left], item[right]), np.maximum(last[left], last[right]))
        for left, right in expand(*_behind(visit))
    ]
    share.pairs["co_viewed"] = merged(seen, added, PAIR)
    share.items["sessions"] = np.bincount(item, minlength=len(status.warm))
    share.totals["sessions"] = len(starts_of(visit))


def _visits(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    """``[n]`` the session of each look; looks are sorted by customer and time."""
    opens = np.ones(len(user), bool)
    opens[1:] = (user[1:] != user[:-1]) | (time[1:] - time[:-1] > GAP)
    return np.cumsum(opens) - 1


def _visits_with(looks: Columns, some: np.ndarray) -> np.ndarray:
    """``[n]`` bool: looks of the sessions that hold a look at which ``some`` (``[n]`` bool) holds."""
    at = np.lexsort((looks["time"], looks["key"]))
    visit = _visits(looks["key"][at], looks["time"][at])
    near = np.empty(len(at), bool)
    near[at] = fold(np.logical_or, some[at], starts_of(visit))[visit]
    return near


Rule = Callable[[Order, Known, Focus, Status, GraphConfig, Share], None]
RULES: dict[str, Rule] = {
    "same_basket": _same_basket,
    "bought_after": _bought_after,
    "substitute": _substitute,
}


def _behind(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of sorted columns, the range of the rows behind it in its run."""
    num = len(columns[0])
    return np.arange(1, num + 1), ends_of(starts_of(*columns), num)
