"""The relations and their statistics once more, in plain Python, straight from their definitions.

A log is a list of rows (time, user, item, event, order); a relation is {(i, j): (support, last time)}.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations, permutations

import pyarrow as pa

from thence.events import EventLog
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph

MINUTE = 60_000_000
DAY = 1440 * MINUTE
Row = tuple[int, str, str, str, str | None]
Counted = dict[tuple[str, str], tuple[int, int]]


def log_of(rows: list[Row], items: pa.Table | dict | None = None) -> EventLog:
    names = ("timestamp", "user_id", "item_id", "event", "order_id")
    types = (pa.int64(), *[pa.string()] * 4)
    columns = list(zip(*rows, strict=True)) or [()] * 5
    table = pa.table(
        {name: pa.array(c, t) for name, c, t in zip(names, columns, types, strict=True)},
    )
    return EventLog.from_tables(table, pa.table(items) if isinstance(items, dict) else items)


def bought(rows: list[Row], *pairs: tuple[int, str, str], order: str | None = None) -> list[Row]:
    """``rows`` and one purchase for each (day, user, item)."""
    return [*rows, *((day * DAY, user, item, "purchase", order) for day, user, item in pairs)]


@dataclass
class Basket:
    time: int
    user: str
    items: set[str] = field(default_factory=set)


def baskets_of(rows: list[Row], warm: set[str]) -> list[Basket]:
    found: dict[tuple, Basket] = {}
    for time, user, item, event, order in rows:
        if event == "purchase" and item in warm:
            key = (user, "at", time) if order is None else (user, "order", order)
            basket = found.setdefault(key, Basket(time, user))
            basket.time = min(basket.time, time)
            basket.items.add(item)
    return list(found.values())


def firsts_of(baskets: list[Basket]) -> dict[str, dict[str, int]]:
    first: dict[str, dict[str, int]] = defaultdict(dict)
    for basket in baskets:
        for item in basket.items:
            first[basket.user][item] = min(basket.time, first[basket.user].get(item, basket.time))
    return first


def warm_of(rows: list[Row], min_count: int) -> set[str]:
    counts: dict[str, int] = defaultdict(int)
    for _, _, item, event, _ in rows:
        counts[item] += event == "purchase"
    return {item for item, count in counts.items() if count >= min_count}


def tally(sightings: list[tuple[str, str, int]], min_support: int) -> Counted:
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for source, target, time in sightings:
        times[source, target].append(time)
    return {pair: (len(t), max(t)) for pair, t in times.items() if len(t) >= min_support}


def same_basket(rows, warm, min_support=1, max_basket=200) -> Counted:
    baskets = baskets_of(rows, warm)
    first = firsts_of(baskets)
    sightings = [
        (i, j, b.time)
        for b in baskets
        if len(b.items) <= max_basket
        for i, j in permutations(b.items, 2)
        if first[b.user][j] == b.time
    ]
    return tally(sightings, min_support)


def same_basket_sizes(rows, warm, max_basket=200):
    """Baskets that hold each product, baskets in which it was new, and baskets."""
    baskets = baskets_of(rows, warm)
    first = firsts_of(baskets)
    kept = [b for b in baskets if len(b.items) <= max_basket]
    tries = {i: sum(i in b.items for b in kept) for i in warm}
    hits = {j: sum(j in b.items and first[b.user][j] == b.time for b in kept) for j in warm}
    return tries, hits, len(kept)


def bought_after(rows, warm, min_support=2, window_days=28.0) -> Counted:
    sightings = [
        (i, j, first[j])
        for first in firsts_of(baskets_of(rows, warm)).values()
        for i, j in permutations(first, 2)
        if 0 < first[j] - first[i] <= window_days * DAY
    ]
    return tally(sightings, min_support)


def customers_of(rows, warm) -> dict[str, int]:
    first = firsts_of(baskets_of(rows, warm))
    return {i: sum(i in products for products in first.values()) for i in warm}


def co_viewed(rows, warm, min_support=1, gap_minutes=30, max_session=100) -> Counted:
    by_user: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row[:4]):
        if row[3] in ("view", "click"):
            by_user[row[1]].append(row)
    sightings = []
    for looks in by_user.values():
        sessions: list[dict[str, int]] = []
        for number, (time, _, item, _, _) in enumerate(looks):
            if not number or time - looks[number - 1][0] > gap_minutes * MINUTE:
                sessions.append({})
            if item in warm:
                sessions[-1][item] = time
        for seen in sessions:
            if len(seen) <= max_session:
                sightings += [(i, j, max(seen[i], seen[j])) for i, j in permutations(seen, 2)]
    return tally(sightings, min_support)


def substitute(rows, warm, category: dict[str, str | None], min_support=2) -> Counted:
    baskets = baskets_of(rows, warm)
    found: Counted = {}
    for i, j in combinations(sorted(warm), 2):
        if category.get(i) is None or category.get(i) != category.get(j):
            continue
        last: dict[str, dict[str, int]] = {i: {}, j: {}}
        for b in baskets:
            for k in b.items & {i, j}:
                last[k][b.user] = max(b.time, last[k].get(b.user, b.time))
        both = last[i].keys() & last[j].keys()
        together = {b.user for b in baskets if {i, j} <= b.items}
        apart = len(both - together)
        if apart >= min_support and apart > len(together):
            time = max(max(last[i][u], last[j][u]) for u in both)
            found[i, j] = found[j, i] = (apart, time)
    return found


def counted(graph: DiGraph, relation: str) -> Counted:
    """What a graph holds, in the form of the functions above."""
    return counted_arcs(graph[relation], graph.ids.array.to_pylist())


def counted_arcs(arcs: Arcs, names: list[str]) -> Counted:
    rows = zip(
        *arcs.pairs.tolist(), arcs.values["support"].tolist(), arcs.values["last_time"].tolist(), strict=True
    )
    return {(names[i], names[j]): (support, last) for i, j, support, last in rows}


def valued(graph: DiGraph, relation: str, value: str) -> dict[tuple[str, str], float]:
    arcs, names = graph[relation], graph.ids.array.to_pylist()
    rows = zip(*arcs.pairs.tolist(), arcs.values[value].tolist(), strict=True)
    return {(names[i], names[j]): number for i, j, number in rows}


def z_score(x: int, n: int, y: int, m: int) -> float:
    """The pooled two-proportion test of x out of n against y out of m, by way of the variance of x/n - y/m."""
    if x + y in (0, n + m):
        return 0.0
    successes, draws = x + y, n + m
    variance = successes * (draws - successes) / draws**2 * (n + m) / (n * m)
    return (x * m - y * n) / (n * m) / math.sqrt(variance)
