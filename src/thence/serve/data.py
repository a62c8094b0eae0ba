"""What is told of the data behind a model; worked out once for what is live."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from thence.graph.digraph import DiGraph
from thence.graph.stats import graph_stats
from thence.serve.schemas_data import DataFacts, DegreeBin, Degrees, GraphFacts, RelationFacts
from thence.serve.store import Live


class DataDesk:
    """Keeps an answer for as long as its bundle is held; the first question of a bundle works it out.

    Example:
        >>> desk = DataDesk()
        >>> len(desk)
        0
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Live, DataFacts] = WeakKeyDictionary()
        self._working = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def tell(self, live: Live) -> DataFacts:
        """What is known of the data behind a bundle.

        Args:
            live: the bundle.
        """
        with self._working:
            if live not in self._kept:
                bundle = live.bundle
                self._kept[live] = DataFacts(
                    model_version=live.version, log=bundle.data, graph=graph_facts(bundle.graph)
                )
            return self._kept[live]


def graph_facts(graph: DiGraph) -> GraphFacts:
    """The figures of :func:`~thence.graph.stats.graph_stats`, field by field.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph.arcs import Arcs
        >>> graph = DiGraph(IdMap("abcd"), {"bought_after": Arcs.from_pairs([0, 0], [1, 2], num_nodes=4)})
        >>> facts = graph_facts(graph)
        >>> facts.isolated, facts.relations[0].one_way_share, facts.relations[0].leaving.max
        (1, 1.0, 2)
        >>> facts.relations[0].leaving.bins
        [DegreeBin(low=0, high=0, items=3), DegreeBin(low=2, high=3, items=1)]
    """
    stats = graph_stats(graph)
    return GraphFacts(
        items=stats["nodes"],
        isolated=round(stats["cold_share"] * stats["nodes"]),
        relations=[_relation(name, found) for name, found in stats["relations"].items()],
    )


def _relation(name: str, found: dict[str, Any]) -> RelationFacts:
    return RelationFacts(
        relation=name,
        arcs=found["arcs"],
        directed=found["directed"],
        one_way_share=found["one_way_share"],
        clear_share=found["clear_share"],
        leaving=_degrees(found["out_degree"], found["degrees"]["out"]),
        arriving=_degrees(found["in_degree"], found["degrees"]["in"]),
    )


def _degrees(summary: dict[str, float], bins: dict[str, int]) -> Degrees:
    ends = [(name.partition("-"), count) for name, count in bins.items()]
    return Degrees(
        mean=summary["mean"],
        median=summary["median"],
        max=int(summary["max"]),
        bins=[DegreeBin(low=int(low), high=int(high or low), items=count) for (low, _, high), count in ends],
    )
