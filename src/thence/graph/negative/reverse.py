"""The reverse of a positive as a negative: what follows a phone is a case, not the other way round."""

from __future__ import annotations

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.negative.kernel import linked
from thence.graph.negative.negatives import Negatives, Nodes, positives
from thence.graph.walk.rows import kernel_array


class ReversedNegatives:
    """For a positive i → j the pair j → i, where that is no arc: it teaches the direction and nothing else.

    The sources of the result are the positives' targets. Given that a positive that leads to j was drawn alike
    and its reverse is allowed, q(i | j) = 1 / (number of one-way arcs that lead to j, the positive itself
    counted where the relation lacks it).

    Args:
        arcs: the relation.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2], [1, 0, 1], num_nodes=3)
        >>> found = ReversedNegatives(arcs).draw([0, 2], [1, 1])
        >>> found.source.tolist(), found.nodes.tolist(), found.log_chance.tolist()
        ([1, 1], [[-1], [2]], [[inf], [0.0]])
    """

    def __init__(self, arcs: Arcs) -> None:
        self.num_negatives = 1
        self._arcs = arcs
        self._rows = kernel_array(arcs.indptr), kernel_array(arcs.targets)

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for some positives; see :class:`NegativeSampler`. The step changes nothing."""
        source, target = positives(source, target, self._arcs.num_nodes)
        nodes = source.astype(np.int32)
        allowed = (source != target) & ~linked(self._rows, target, nodes[:, None])[:, 0]
        foreign = ~linked(self._rows, source, target[:, None].astype(np.int32))[:, 0]
        count = self._one_way(target) + foreign
        with np.errstate(divide="ignore"):
            log_chance = np.where(allowed, np.log(1 / count), np.inf)
        return Negatives(target, np.where(allowed, nodes, -1)[:, None], log_chance[:, None])

    def _one_way(self, nodes: np.ndarray) -> np.ndarray:
        """``[B]``: how many one-way arcs lead to each node."""
        unique, place = np.unique(nodes, return_inverse=True)
        begin = self._arcs.in_indptr[unique]
        degree = self._arcs.in_indptr[unique + 1] - begin
        row = np.repeat(np.arange(len(unique)), degree)
        within = np.arange(len(row)) - np.repeat(np.cumsum(degree) - degree, degree)
        sources = np.ascontiguousarray(self._arcs.sources[begin[row] + within], np.int32)
        both = linked(self._rows, unique[row], sources[:, None])[:, 0]
        return np.bincount(row, ~both, len(unique))[place]
