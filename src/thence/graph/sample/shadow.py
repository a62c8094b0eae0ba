"""ShaDow: a small subgraph of its own for every seed, for models that are deeper than it is wide.

Around each seed a fan-out neighbourhood of L hops is drawn; the sample is every arc among its nodes. A model of
any depth then runs on the subgraph and is read off at the seed: depth and scope are two settings. The subgraph
is what the model is defined on, not an estimate of something larger, so ``scale`` is 1.

References:
    Zeng, Zhang, Xia, Srivastava, Malevich, Kannan, Prasanna, Jin, Chen, "Decoupling the depth and scope of
    graph neural networks", NeurIPS 2021, sections 3 and 4 (the L-hop extractor).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.sample.fan_out import FanOut, FanOuts
from thence.graph.sample.induced import induced, subgraph
from thence.graph.sample.reading import Graph, named, rows_ascend
from thence.graph.sample.sample import Sample
from thence.graph.sample.side import Direction, side_of


class Shadow:
    """Draws a fan-out neighbourhood for each seed and returns the arcs among the nodes of each.

    The sample has trees: a node stands once for every seed whose neighbourhood holds it. All arcs of a relation
    stand in one group, whichever hop found their ends.

    Args:
        graph: a relation, or several by name, among the same nodes.
        fan_out: how many neighbours a node keeps in each hop, see :class:`FanOut`.
        direction: ``out`` or ``into``, in which the neighbourhood is drawn and its arcs are read.
        weight: name of the value to draw by; uniform when not given.
        time: name of the value that tells when an arc came to be; ``sample`` then needs ``times``, and no arc
            later than its seed's time is drawn or returned.
        seed: of the randomness.

    Raises:
        ConfigError: a fan-out is negative or no int.
        DataError: a weight is negative or not finite, or relations have different nodes.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1, 1], [1, 2, 2, 3], num_nodes=4)
        >>> sample = Shadow(arcs, [2]).sample([0, 1])
        >>> sample.nodes.tolist(), sample.tree.tolist()
        ([0, 1, 1, 2, 2, 3], [0, 1, 0, 0, 1, 1])
        >>> list(zip(sample.nodes[sample.row].tolist(), sample.nodes[sample.column].tolist()))
        [(0, 1), (0, 2), (1, 2), (1, 2), (1, 3)]
    """

    def __init__(
        self,
        graph: Graph,
        fan_out: FanOuts,
        *,
        direction: Direction = "out",
        weight: str | None = None,
        time: str | None = None,
        seed: int = 0,
    ) -> None:
        self._draw = FanOut(
            graph, fan_out, direction=direction, weight=weight, time=time, trees=True, seed=seed
        )
        relations = named(graph)
        self._sides = [
            side_of(arcs, direction, weight=weight, time=time) if isinstance(arcs, Arcs) else arcs
            for arcs in relations.values()
        ]
        self._ascend = [rows_ascend(arcs) for arcs in relations.values()]

    @property
    def num_nodes(self) -> int:
        """How many nodes the graph has."""
        return self._draw.num_nodes

    def sample(
        self, seeds: np.ndarray | Sequence[int], *, step: int = 0, times: np.ndarray | None = None
    ) -> Sample:
        """Draw the subgraph of each seed.

        Args:
            seeds: ``[B]`` node ints.
            step: which draw; another step is another, independent draw.
            times: ``[B]`` int64 microseconds UTC: no arc later than its time is seen for a seed.

        Raises:
            DataError: a seed is no node, or times are missing, superfluous or too few.
        """
        drawn = self._draw.sample(seeds, step=step, times=times)
        tree = np.zeros(drawn.num_nodes, np.int64) if drawn.tree is None else drawn.tree
        groups = []
        for side, ascend in zip(self._sides, self._ascend, strict=True):
            arcs = induced(side, drawn.nodes, tree, ascend=ascend)
            if times is not None and side.time is not None:
                seen = side.time[arcs[2]] <= np.asarray(times, np.int64)[tree[arcs[0]]]
                arcs = (arcs[0][seen], arcs[1][seen], arcs[2][seen])
            groups.append(arcs)
        first = int(drawn.node_ptr[1])
        return subgraph(self._sides, drawn.nodes, first, seeds=drawn.seeds, arcs=groups, tree=tree)
