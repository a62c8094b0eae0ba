"""Negatives that a model finds hard to tell from positives: what an index answers, where it is no arc."""

from __future__ import annotations

import numpy as np

from thence.base.errors import DataError
from thence.base.rng import derive_seed
from thence.graph.arcs import Arcs
from thence.graph.negative.kernel import choose, linked
from thence.graph.negative.negatives import Negatives, Nodes, positives
from thence.graph.walk.rows import kernel_array, whole


class HardNegatives:
    """Nodes drawn alike from a source's row of a table of candidates, those that are allowed.

    q(j | i) = (times that j stands in i's row) / (allowed entries of the row). The table is best what an index
    over the current embeddings answers (Ying et al., "Graph convolutional neural networks for web-scale
    recommender systems", KDD 2018, section 3.3); a new one is given to a new sampler.

    Args:
        arcs: the relation.
        table: ``[num_nodes, c]`` node ints, -1 in places that are empty.
        num_negatives: draws for each positive, with replacement.
        seed: of the randomness.

    Raises:
        ConfigError: ``num_negatives`` is below 1.
        DataError: the table has not a row for each node, or holds what is no node.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=4)
        >>> table = np.array([[0, 1, 2, 3], [0, 2, -1, -1], [2, -1, -1, -1], [0, 1, 2, 3]])
        >>> HardNegatives(arcs, table).draw([0, 1, 2], [3, 2, 0]).nodes.tolist()
        [[2], [0], [-1]]
    """

    def __init__(self, arcs: Arcs, table: np.ndarray, num_negatives: int = 1, *, seed: int = 0) -> None:
        self.num_negatives = whole("num_negatives", num_negatives, 1)
        table = np.asarray(table)
        if table.ndim != 2 or len(table) != arcs.num_nodes or table.dtype.kind not in "iu":
            raise DataError(
                f"the table is {table.dtype} of shape {table.shape} for {arcs.num_nodes} nodes",
                fix="Give a row of node ints for each node.",
            )
        if table.size and (table.min() < -1 or table.max() >= arcs.num_nodes):
            raise DataError("the table holds what is no node", where=f"{arcs.num_nodes} nodes")
        self._rows = kernel_array(arcs.indptr), kernel_array(arcs.targets)
        self._table, self._seed = table, seed

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for some positives; see :class:`NegativeSampler`."""
        pairs = source, target = positives(source, target, len(self._table))
        candidates = np.ascontiguousarray(self._table[source], np.int32)
        allowed = (candidates >= 0) & (candidates != source[:, None]) & (candidates != target[:, None])
        allowed &= ~linked(self._rows, source, np.maximum(candidates, 0))
        nodes = np.empty((len(source), self.num_negatives), np.int32)
        log_chance = np.empty(nodes.shape, np.float64)
        base = np.uint64(derive_seed(self._seed, "hard negatives", step))
        choose(candidates, allowed, pairs, base, nodes, log_chance)
        return Negatives(source, nodes, log_chance)
