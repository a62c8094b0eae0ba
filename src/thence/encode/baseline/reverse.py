"""Reverse arc: whatever led here follows. A recommender that cannot beat it has learned no direction."""

from __future__ import annotations

from thence.encode.baseline.matrix import MatrixScorer
from thence.graph import DiGraph


def reverse(graph: DiGraph) -> MatrixScorer:
    """score(i → j) = w_ji.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=2, weight=[3.0])
        >>> reverse(DiGraph(IdMap("ab"), {"bought_after": arcs})).scores([1]).tolist()
        [[3.0, 0.0]]
    """
    return MatrixScorer(graph.ids, graph.main.matrix().T.tocsr())
