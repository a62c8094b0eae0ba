"""Purchases in the form that relations are computed from: ints for users, baskets and nodes, one row a product.

A basket is an order; what has no order id is in one basket with all else without one that the user bought at
that instant. Its time is that of its first line: a basket is one moment, however its lines are stamped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from thence.events import EventLog

SHARDS = 1024
"""A power of two."""


@dataclass(frozen=True, eq=False)
class Purchases:
    """Purchases of the products that may have arcs.

    Args:
        table: ``user``, ``basket`` (int64), ``node`` (int32), ``time`` (of the basket, µs UTC), ``basket_size``
            (how many of these products it holds), ``is_first`` (bool: the user had not bought the product
            before; several baskets at the first instant are all first); each product at most once a basket.
        num_nodes: how many nodes there are.
    """

    table: Any
    num_nodes: int

    @property
    def num_users(self) -> int:
        """How many users bought any of these products."""
        return int(self.table.user.nunique().to_pyarrow().as_py())

    def per_node(self, rows: Any) -> np.ndarray:
        """``[num_nodes]`` int64: rows of a table with a ``node`` column, counted by node."""
        return count_per_node(rows, self.num_nodes)[0]


@contextmanager
def purchases_of(log: EventLog, codes: pa.Table, num_nodes: int) -> Iterator[Purchases]:
    """The purchases of a log, coded, held by the engine while the ``with`` block runs.

    Args:
        log: the event log; its clock holds.
        codes: ``item_id`` and ``node`` (int32) of the products to look at; purchases of others are left out.
        num_nodes: how many nodes there are.
    """
    events: Any = log.events
    bought = code_nodes(events.filter(events.event == "purchase"), codes)
    order = ibis.ifelse(bought.order_id.isnull(), "t" + bought.timestamp.cast("string"), "o" + bought.order_id)
    lines = bought.select("user_id", "node", "timestamp", order=order)
    baskets = lines.group_by("user_id", "order").agg(
        time=lines.timestamp.min(), basket_size=lines.node.nunique().cast("int32")
    )
    shard = baskets.user_id.hash() & (SHARDS - 1)
    coded = baskets.select(
        "user_id",
        "order",
        "time",
        "basket_size",
        user=_code(ibis.dense_rank(), shard, ["user_id"]),
        basket=_code(ibis.row_number(), shard, ["user_id", "order"]),
    )
    rows = lines.select("user_id", "order", "node").distinct().inner_join(coded, ["user_id", "order"])
    first_time = rows.time.min().over(group_by=["user", "node"])
    flagged = rows.select("user", "basket", "node", "time", "basket_size", is_first=rows.time == first_time)
    with flagged.cache() as table:
        yield Purchases(table, num_nodes)


def _code(rank: Any, shard: Any, order: list[str]) -> Any:
    """An int64 that no other user or basket has: its rank in the shard of its user, and that shard.

    Users are dealt to shards by a hash, so that no engine has to order all of them in one place. The code
    itself differs from engine to engine; which rows share one does not.
    """
    ranked = rank.over(ibis.window(group_by=shard, order_by=order)).cast("int32")
    return ranked.cast("int64") * SHARDS + shard  # Spark's own ranks and hashes are int32, whatever Ibis says


def code_nodes(rows: Any, codes: pa.Table) -> Any:
    """Rows whose ``item_id`` is in a table of ``item_id`` and ``node``, with that node beside it."""
    return rows.inner_join(ibis.memtable(codes), "item_id")


def count_per_node(rows: Any, num_nodes: int, *where: Any) -> np.ndarray:
    """``[1 + len(where), num_nodes]`` int64: how many rows each node has, in all and of each condition."""
    kinds = {str(row): rows.count(where=condition) for row, condition in enumerate((None, *where))}
    counted = rows.group_by("node").agg(**kinds).to_pyarrow()
    counts = np.zeros((len(kinds), num_nodes), np.int64)
    counts[:, counted["node"].to_numpy()] = [counted[row].to_numpy() for row in kinds]
    return counts
