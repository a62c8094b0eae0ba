"""Purchases in the form that relations are computed from: ints for users, baskets and nodes, one row a product.

A basket is an order; where the log has no order id, it is what a user bought at one instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.events import EventLog


@dataclass(frozen=True, eq=False)
class Purchases:
    """Purchases of the products that are nodes.

    Args:
        table: ``user``, ``basket`` (int64), ``node`` (int32), ``time`` (µs UTC), ``is_first`` (bool: this
            basket is the one in which the user first bought the product, repeats of it at the same instant
            included); each product at most once a basket.
        num_nodes: how many nodes there are.
        num_users: how many users bought anything.
    """

    table: Any
    num_nodes: int
    num_users: int

    def per_node(self, rows: Any) -> np.ndarray:
        """``[num_nodes]`` int64: rows of a table with a ``node`` column, counted by node."""
        return count_per_node(rows, self.num_nodes)


@contextmanager
def purchases_of(log: EventLog, ids: IdMap) -> Iterator[Purchases]:
    """The purchases of a log, coded, held by the engine while the ``with`` block runs."""
    events: Any = log.events
    bought = events.filter(events.event == "purchase")
    raw = code_nodes(bought, ids).select("user_id", "node", "timestamp", "order_id")
    keyed = raw.mutate(order=ibis.coalesce(raw.order_id, raw.timestamp.cast("string")))
    rows = keyed.group_by("user_id", "order", "node").agg(time=keyed.timestamp.min())
    by_user = ibis.window(order_by="user_id")
    by_basket = ibis.window(order_by=["user_id", "order"])
    coded = rows.select(
        "node",
        "time",
        user=ibis.dense_rank().over(by_user),
        basket=ibis.dense_rank().over(by_basket),
        first_time=rows.time.min().over(group_by=["user_id", "node"]),
    )
    flagged = coded.select("user", "basket", "node", "time", is_first=coded.time == coded.first_time)
    with flagged.cache() as table:
        users = int(table.user.nunique().to_pyarrow().as_py())
        yield Purchases(table, num_nodes=len(ids), num_users=users)


def code_nodes(rows: Any, ids: IdMap) -> Any:
    """Rows whose ``item_id`` is a node, with its int as the column ``node`` (int32)."""
    codes = pa.table({"item_id": ids.array, "node": pa.array(np.arange(len(ids), dtype=np.int32))})
    return rows.inner_join(ibis.memtable(codes), "item_id")


def count_per_node(rows: Any, num_nodes: int) -> np.ndarray:
    """``[num_nodes]`` int64: how many rows each node has."""
    counted = rows.group_by("node").agg(n=rows.count()).to_pyarrow()
    counts = np.zeros(num_nodes, np.int64)
    counts[counted["node"].to_numpy()] = counted["n"].to_numpy()
    return counts
