"""Worlds for every room: a tiny simulated one with its truth, and hand-made ones whose answers are known.

from tests.worlds import tiny_world, phone_case_log, cycle_graph, one_way_communities
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.events.worlds import World, WorldConfig, simulate
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph

if TYPE_CHECKING:
    from thence.events import EventLog

DAY = 86_400_000_000
HOUR = DAY // 24
T0 = 1_704_067_200_000_000  # 1 January 2024, UTC


@cache
def tiny_world(seed: int = 0) -> World:
    """About 140,000 events of 4,000 customers on 300 items in 120 days, with every mechanism but campaigns."""
    return simulate(WorldConfig(items=300, customers=4_000), seed)


# (day, hour, user, item, event, order); the facts below are read off this list
PHONE_CASE_ROWS = [
    (0, 9, "ann", "phone", "view", None),
    (0, 10, "ann", "phone", "purchase", "a1"),
    (0, 10, "ann", "case", "purchase", "a1"),
    (3, 10, "ann", "charger", "purchase", "a2"),
    (1, 10, "bob", "phone", "purchase", "b1"),
    (4, 10, "bob", "case", "view", None),
    (4, 11, "bob", "case", "purchase", "b2"),
    (2, 10, "cleo", "phone", "purchase", "c1"),
    (2, 10, "cleo", "charger", "purchase", "c1"),
    (9, 10, "cleo", "case", "purchase", "c2"),
    (1, 10, "dan", "tea", "purchase", "d1"),
    (8, 10, "dan", "tea", "purchase", "d2"),
    (5, 10, "eve", "tea", "purchase", "e1"),
    (6, 10, "eve", "phone", "purchase", "e2"),
    (7, 10, "fay", "case", "view", None),
    (7, 10, "fay", "cover", "view", None),
    (8, 10, "gus", "case", "view", None),
    (8, 10, "gus", "cover", "view", None),
]
# customers who bought the source and, in the same order or later, first bought the target
PHONE_CASE_FIRST_AFTER = {
    ("phone", "case"): 3,
    ("phone", "charger"): 2,
    ("case", "charger"): 1,  # ann
    ("charger", "case"): 1,  # cleo
    ("tea", "phone"): 1,  # eve
}
PHONE_CASE_BUYERS = {"phone": 4, "case": 3, "charger": 2, "tea": 2}


def phone_case_tables() -> tuple[pa.Table, pa.Table]:
    """Events and items of seven customers and five items; see the constants above for the answers.

    In one order the phone stands a second before what goes with it.
    """
    place: dict[str, int] = {}
    rows = []
    for day, hour, user, item, event, order in PHONE_CASE_ROWS:
        second = place.get(order, 0) if order else 0
        if order:
            place[order] = second + 1
        time = T0 + day * DAY + hour * HOUR + second * 1_000_000
        price = {"phone": 500.0, "case": 20.0, "charger": 30.0, "tea": 4.0, "cover": 15.0}[item]
        quantity = 1.0 if event == "purchase" else None
        rows.append((time, user, item, event, order, price, quantity, 0.0))
    names = ["timestamp", "user_id", "item_id", "event", "order_id", "price", "quantity", "discount"]
    types = [pa.int64(), *[pa.string()] * 4, *[pa.float64()] * 3]
    rows.sort(key=lambda row: row[0])
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    items = pa.table(
        {
            "item_id": ["phone", "case", "charger", "tea", "cover"],
            "title": ["Karan Phone", "Case for Karan Phone", "Phone Charger", "Green Tea", "Phone Cover"],
            "category": [
                "Electronics > Phones > Phone",
                "Electronics > Phones > Phone Case",
                "Electronics > Phones > Phone Charger",
                "Food > Tea > Green Tea",
                "Electronics > Phones > Phone Case",
            ],
            "brand": ["Karan", "Lovex", "Karan", "Milia", "Lovex"],
            "price": [500.0, 20.0, 30.0, 4.0, 15.0],
        }
    )
    return pa.table(columns, names=names), items


def phone_case_log() -> EventLog:
    """The event log of :func:`phone_case_tables`."""
    from thence.events import EventLog

    return EventLog.from_tables(*phone_case_tables())


def cycle_tables(num_items: int = 6, customers_per_arc: int = 3) -> pa.Table:
    """Events in which, for each i, that many customers buy item i and a day later item i + 1 (mod n)."""
    rows = [
        (T0 + step * DAY + number * HOUR, f"u{number}-{k}", f"i{(number + step) % num_items}", "purchase")
        for number in range(num_items)
        for k in range(customers_per_arc)
        for step in (0, 1)
    ]
    rows.sort(key=lambda row: row[0])
    columns = dict(
        zip(("timestamp", "user_id", "item_id", "event"), map(list, zip(*rows, strict=True)), strict=True)
    )
    return pa.table(columns)


def cycle_log(num_items: int = 6, customers_per_arc: int = 3) -> EventLog:
    """The event log of :func:`cycle_tables`."""
    from thence.events import EventLog

    return EventLog.from_tables(cycle_tables(num_items, customers_per_arc))


def cycle_graph(num_nodes: int = 6) -> DiGraph:
    """The directed cycle 0 → 1 → … → 0: every node has one arc out and one in, and no arc has a reverse.

    A symmetric score cannot rank i + 1 above i - 1 for any node.
    """
    source = np.arange(num_nodes)
    arcs = Arcs.from_pairs(source, (source + 1) % num_nodes, num_nodes=num_nodes)
    return DiGraph(IdMap([f"i{k}" for k in range(num_nodes)]), {"bought_after": arcs})


def one_way_communities(communities: int = 3, size: int = 8) -> tuple[DiGraph, np.ndarray]:
    """A chain of communities: every node of one has an arc to every node of the next, and to no other.

    Returns:
        The graph, and the community of each node. What follows a node of community c is exactly community
        c + 1; what leads to it is exactly community c - 1; the last leads nowhere.
    """
    community = np.repeat(np.arange(communities), size)
    source, target = np.nonzero(community[None, :] == community[:, None] + 1)
    arcs = Arcs.from_pairs(source, target, num_nodes=len(community))
    ids = IdMap([f"c{c}-{k % size}" for k, c in enumerate(community)])
    return DiGraph(ids, {"bought_after": arcs}), community
