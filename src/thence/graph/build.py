"""From an event log to a directed graph of products.

Nodes are the products bought at least ``min_count`` times and, on request, the rest of the catalogue without
arcs, so that cold products have a place too. Relations are computed one by one (see ``graph/relation``); the
first in the configuration is the graph's main relation.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, nearest
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.events import EventLog
from thence.graph.digraph import DiGraph
from thence.graph.nodes import categories, node_codes, node_table
from thence.graph.purchases import Purchases, purchases_of
from thence.graph.relation.bought_after import bought_after
from thence.graph.relation.co_viewed import co_viewed
from thence.graph.relation.evidence import Evidence
from thence.graph.relation.same_basket import same_basket
from thence.graph.relation.substitute import substitute

RELATIONS = ("same_basket", "bought_after", "co_viewed", "substitute")
DIRECTED = ("same_basket", "bought_after")
MIN_SUPPORT = {"same_basket": 1, "bought_after": 2, "co_viewed": 1, "substitute": 2}
LONGEST_WINDOW = 36_500  # days


@dataclass(frozen=True)
class GraphConfig:
    """What the graph is built from.

    Args:
        relations: names out of ``same_basket``, ``bought_after``, ``co_viewed``, ``substitute``; the first is
            the main relation and must be one that has a direction.
        min_count: products bought fewer times have no arcs.
        min_support: pairs seen fewer times are no arcs; None for each relation's own: 2 for ``bought_after``
            and ``substitute``, of which most pairs are seen once by accident, 1 for the others.
        window_days: longest time between two purchases that ``bought_after`` joins.
        max_basket: baskets with more distinct products are left out of ``same_basket``.
        include_cold: make every product of the catalogue a node, also those bought too seldom.
    """

    relations: tuple[str, ...] = ("same_basket", "bought_after", "substitute")
    min_count: int = 5
    min_support: int | None = None
    window_days: float = 28.0
    max_basket: int = 200
    include_cold: bool = False

    def __post_init__(self) -> None:
        for name in self.relations:
            if name not in RELATIONS:
                raise ConfigError(f"unknown relation {name!r}", fix=nearest(name, RELATIONS))
        if len(set(self.relations)) < len(self.relations):
            raise ConfigError(f"a relation stands twice in {self.relations}", fix="Name each once.")
        if not self.relations or self.relations[0] not in DIRECTED:
            raise ConfigError(
                "the first relation must have a direction", fix="Begin with same_basket or bought_after."
            )
        known = self.min_support is None or self.min_support >= 1
        window = math.isfinite(self.window_days) and 0 < self.window_days <= LONGEST_WINDOW
        if self.min_count < 1 or not known or not window or self.max_basket < 2:
            raise ConfigError(
                f"out of range: {self}",
                fix="min_count and min_support are at least 1, max_basket at least 2, "
                f"window_days above 0 and at most {LONGEST_WINDOW}.",
            )


def build_graph(log: EventLog, config: GraphConfig | None = None, *, progress: Progress = silent) -> DiGraph:
    """Build the graph of a log; only what the log's clock lets through is used.

    Args:
        log: the event log.
        config: what to build.
        progress: told before the first relation and after each.

    Returns:
        The graph; its ``info`` says what it was built from: the log's fingerprint and clock, and the settings.

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
    nodes = node_table(log, min_count=config.min_count, include_cold=config.include_cold)
    ids = IdMap(nodes["item_id"])
    codes = node_codes(ids, pc.greater_equal(nodes["count"], config.min_count).to_numpy())
    steps, relations = len(config.relations), {}
    with purchases_of(log, codes, len(ids)) as purchases:
        for step, name in enumerate(config.relations):
            progress("relations", step, steps)
            relations[name] = _evidence(name, log, codes, purchases, nodes, config).to_arcs()
        progress("relations", steps, steps)
    return DiGraph(ids, relations, nodes, info=_origin(log, config))


def _evidence(
    name: str, log: EventLog, codes: pa.Table, purchases: Purchases, nodes: pa.Table, config: GraphConfig
) -> Evidence:
    least = config.min_support or MIN_SUPPORT[name]
    if name == "same_basket":
        return same_basket(purchases, min_support=least, max_basket=config.max_basket)
    if name == "bought_after":
        return bought_after(purchases, window_days=config.window_days, min_support=least)
    if name == "substitute":
        return substitute(purchases, categories(nodes), min_support=least)
    return co_viewed(log, codes, purchases.num_nodes, min_support=least)


def _origin(log: EventLog, config: GraphConfig) -> dict[str, Any]:
    """What a graph keeps of where it came from, as JSON knows it."""
    first, last = log.span()
    seen = {"fingerprint": log.fingerprint, "events": log.count(), "first": first, "last": last}
    return {
        "log": seen | {"start": log.start, "until": log.until},
        "config": asdict(config) | {"relations": list(config.relations)},
    }
