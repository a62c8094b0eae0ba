"""From an event log to a directed graph of products.

Nodes are the products bought at least ``min_count`` times and, on request, the rest of the catalogue without
arcs, so that cold products have a place too. Relations are computed one by one (see ``graph/relation``); the
first in the configuration is the graph's main relation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError, nearest
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.events import EventLog
from thence.graph.digraph import DiGraph
from thence.graph.purchases import Purchases, purchases_of
from thence.graph.relation.bought_after import bought_after
from thence.graph.relation.co_viewed import co_viewed
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.same_basket import same_basket
from thence.graph.relation.substitute import substitute

RELATIONS = ("same_basket", "bought_after", "co_viewed", "substitute")


@dataclass(frozen=True)
class GraphConfig:
    """What the graph is built from.

    Args:
        relations: names out of ``same_basket``, ``bought_after``, ``co_viewed``, ``substitute``; the first is
            the main relation and must be one that has a direction.
        min_count: products bought fewer times have no arcs.
        min_support: pairs seen fewer times are no arcs.
        window_days: longest time between two purchases that ``bought_after`` joins.
        max_basket: baskets with more distinct products are left out.
        include_cold: make every product of the catalogue a node, also those bought too seldom.
    """

    relations: tuple[str, ...] = ("same_basket", "bought_after", "substitute")
    min_count: int = 5
    min_support: int = 1
    window_days: float = 28.0
    max_basket: int = 200
    include_cold: bool = False

    def __post_init__(self) -> None:
        for name in self.relations:
            if name not in RELATIONS:
                raise ConfigError(f"unknown relation {name!r}", fix=nearest(name, RELATIONS))
        if not self.relations or self.relations[0] not in ("same_basket", "bought_after"):
            raise ConfigError(
                "the first relation must have a direction", fix="Begin with same_basket or bought_after."
            )
        if self.min_count < 1 or self.min_support < 1 or self.window_days <= 0 or self.max_basket < 2:
            raise ConfigError(
                f"out of range: {self}",
                fix="min_count and min_support are at least 1, window_days above 0, max_basket at least 2.",
            )


def build_graph(log: EventLog, config: GraphConfig | None = None, *, progress: Progress = silent) -> DiGraph:
    """Build the graph of a log; only what the log's clock lets through is used.

    Args:
        log: the event log.
        config: what to build.
        progress: told after each relation.

    Raises:
        DataError: the log has no purchases, or no product was bought ``min_count`` times.

    Example:
        >>> events = pa.table({
        ...     "timestamp": [1_000_000, 2_000_000, 1_000_000, 3_000_000],
        ...     "user_id": ["ann", "ann", "bob", "bob"],
        ...     "item_id": ["phone", "case", "phone", "case"],
        ...     "event": ["purchase"] * 4,
        ... })
        >>> config = GraphConfig(relations=("bought_after",), min_count=1)
        >>> graph = build_graph(EventLog.from_tables(events), config)
        >>> graph
        DiGraph(2 nodes, bought_after: 1 arcs)
        >>> graph.ids.decode(graph.main.out(graph.ids.index("phone")))
        ['case']
    """
    config = config or GraphConfig()
    nodes = _nodes(log, config)
    ids = IdMap(nodes["item_id"])
    warm = pc.greater_equal(nodes["count"], config.min_count).to_numpy()
    steps = len(config.relations)
    relations = {}
    with purchases_of(log, ids) as every:
        table = (
            every.table
            if warm.all()
            else every.table.filter(every.table.node.isin(np.flatnonzero(warm).tolist()))
        )
        purchases = Purchases(table, every.num_nodes, every.num_users)
        for step, name in enumerate(config.relations):
            progress("relations", step, steps)
            relations[name] = _evidence(name, log, ids, purchases, nodes, config).to_arcs()
        progress("relations", steps, steps)
    return DiGraph(ids, relations, nodes)


def _evidence(
    name: str, log: EventLog, ids: IdMap, purchases: Purchases, nodes: pa.Table, config: GraphConfig
) -> Evidence:
    if name == "same_basket":
        return same_basket(purchases, min_support=config.min_support, max_basket=config.max_basket)
    if name == "bought_after":
        return bought_after(purchases, window_days=config.window_days, min_support=config.min_support)
    if name == "substitute":
        return substitute(purchases, categories(nodes), min_support=max(config.min_support, 2))
    return co_viewed(log, ids, min_support=config.min_support)


def categories(nodes: pa.Table) -> np.ndarray:
    """``[num_nodes]`` int64: a code of each node's full category path, -1 where it has none.

    Example:
        >>> categories(pa.table({"category": ["Food > Dips", None, "Food > Chips", "Food > Dips"]}))
        array([ 0, -1,  1,  0])
    """
    if "category" not in nodes.column_names:
        return np.full(nodes.num_rows, -1)
    paths = nodes["category"].combine_chunks().dictionary_encode()
    return paths.indices.cast(pa.int64()).fill_null(-1).to_numpy()


def _nodes(log: EventLog, config: GraphConfig) -> pa.Table:
    """The node table, ordered by item id: counts of purchases beside the catalogue's columns."""
    events: Any = log.events
    bought = events.filter(events.event == "purchase")
    counts: Any = bought.group_by("item_id").agg(
        count=bought.count(), first_time=bought.timestamp.min(), last_time=bought.timestamp.max()
    )
    if config.include_cold and log.items is not None:
        table = log.items.outer_join(counts, "item_id")
        table = table.mutate(item_id=ibis.coalesce(table.item_id, table.item_id_right)).drop("item_id_right")
    else:
        warm = counts.filter(counts["count"] >= config.min_count)
        table = warm if log.items is None else warm.left_join(log.items, "item_id").drop("item_id_right")
    table = table.mutate(count=ibis.coalesce(table["count"], 0))
    nodes = table.order_by("item_id").to_pyarrow()
    if not nodes.num_rows or pc.max(nodes["count"]).as_py() < config.min_count:
        raise DataError(
            f"no product was bought {config.min_count} times",
            where=repr(log),
            fix="Lower min_count or add purchases.",
        )
    return nodes
