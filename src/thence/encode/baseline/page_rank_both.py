"""Personalised PageRank that may go against the arcs: how near two nodes are, whichever way arcs point.

    π_i = α Σ_t (1 - α)^t e_i Pᵗ ,   P = rows of W + Wᵀ scaled to sum to one

It knows direction only through how popular a target is. Where arcs are few, walks along them end soon, and
this sees farther.
"""

from __future__ import annotations

from dataclasses import replace

from thence.base.errors import ConfigError
from thence.encode.baseline.page_rank import PageRank
from thence.graph import Arcs, DiGraph


def page_rank_both(graph: DiGraph, alpha: float = 0.15, steps: int = 20, power: float = 0.0) -> PageRank:
    """Personalised PageRank on the main relation and its reverse.

    Args:
        graph: the graph.
        alpha: probability to stop at each step; the larger, the nearer.
        steps: longest walk that is counted.
        power: how strongly popular targets are discounted; 0.5 makes the score all but symmetric.

    Raises:
        ConfigError: ``alpha`` is not between 0 and 1, or ``steps`` below 1.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 2], [1, 1], num_nodes=3)
        >>> scorer = page_rank_both(DiGraph(IdMap("abc"), {"bought_after": arcs}), alpha=0.5, steps=2)
        >>> scorer.scores([0]).tolist()  # from a to b, and back along the other arc to c
        [[0.5625, 0.25, 0.0625]]
    """
    if not 0 < alpha < 1 or steps < 1:
        raise ConfigError(
            f"alpha={alpha}, steps={steps}", fix="alpha lies between 0 and 1, steps is at least 1."
        )
    matrix = graph.main.matrix()
    both = (matrix + matrix.T).tocoo()
    arcs = Arcs.from_pairs(both.row, both.col, num_nodes=graph.num_nodes, weight=both.data)
    return PageRank(replace(graph, relations={"both": arcs}), alpha, steps, power)
