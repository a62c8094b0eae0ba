"""With which probability each node is proposed, and how much of it a source leaves allowed."""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.negative.kernel import TIGHT, linked, row_mass
from thence.graph.walk.rows import kernel_array


class Proposal:
    """A distribution over the nodes of a relation from which targets are proposed.

    Drawing from it is exact and takes constant time on average: running sums of the probabilities, and a guide
    that says where in them each n-th of the unit interval begins (Chen, Asau, "On generating random variates
    from an empirical distribution", AIIE Transactions 1974). It holds 28 bytes a node; every node alike, none.

    Args:
        arcs: the relation.
        chance: ``[num_nodes]`` in proportion to what each node is proposed; every node alike when not given.

    Raises:
        DataError: a chance is negative or not finite, or all are zero.
    """

    def __init__(self, arcs: Arcs, chance: np.ndarray | None = None) -> None:
        self.num_nodes = arcs.num_nodes
        self.rows = kernel_array(arcs.indptr), kernel_array(arcs.targets)
        probability = sums = guide = taken = None
        if chance is not None and self.num_nodes:
            probability = _normal(chance, self.num_nodes)
            sums = np.cumsum(probability)
            sums /= sums[-1]
            parts = np.arange(self.num_nodes + 1) / self.num_nodes
            guide = np.minimum(np.searchsorted(sums, parts, side="right"), self.num_nodes - 1)
            taken = row_mass(self.rows, kernel_array(probability, np.float64))
        self.arrays = kernel_array(probability, np.float64), kernel_array(sums, np.float64)
        self.arrays = *self.arrays, kernel_array(guide, np.int32)
        self._taken = taken

    @property
    def alike(self) -> bool:
        """Whether every node is proposed alike."""
        return self._taken is None

    def chance(self, nodes: np.ndarray) -> np.ndarray:
        """The probability with which each of some nodes is proposed."""
        return np.full(nodes.shape, 1 / max(self.num_nodes, 1)) if self.alike else self.arrays[0][nodes]

    def free(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """``[B]`` float64: the probability that a proposal is allowed for a positive.

        That is 1 - Σ q(j) over the source's targets, the source and the positive's target; where little is
        left, the sum over what is left, so that nothing is lost to rounding.
        """
        known = linked(self.rows, source, target[:, None].astype(np.int32))[:, 0] | (source == target)
        if self.alike:
            degree = self.rows[0][source + 1] - self.rows[0][source]
            return (self.num_nodes - 1 - degree - ~known) / max(self.num_nodes, 1)
        probability, taken = self.arrays[0], np.asarray(self._taken)
        free = 1 - taken[source] - probability[source] - np.where(known, 0, probability[target])
        for at in np.flatnonzero(free < TIGHT):
            left = np.array(probability)
            left[self.rows[1][self.rows[0][source[at]] : self.rows[0][source[at] + 1]]] = 0
            left[[source[at], target[at]]] = 0
            free[at] = left.sum()
        return free


def received(arcs: Arcs, alpha: float, by: str | None = None) -> np.ndarray:
    """``[num_nodes]``: (arcs that lead to a node, or a value summed over them) to the power of alpha.

    Args:
        arcs: the relation.
        alpha: 1 in proportion to popularity, 0 all alike; word2vec takes 0.75.
        by: the value to sum; arcs are counted when not given.

    Raises:
        ConfigError: alpha is NaN, negative or infinite.
        DataError: there is no such value, or its sum is negative or not finite for some node.

    Example:
        >>> received(Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3), 2.0).tolist()
        [0.0, 1.0, 4.0]
    """
    if not 0 <= alpha < np.inf:
        raise ConfigError(f"alpha is {alpha}", fix="It is finite and at least 0.")
    if by is None:
        return arcs.in_degree.astype(np.float64) ** alpha
    if by not in arcs.values:
        raise DataError(f"arcs have no value {by!r}", fix=f"They have: {', '.join(arcs.values)}.")
    total = np.bincount(arcs.targets, arcs.values[by], arcs.num_nodes)
    if not (np.isfinite(total).all() and (total >= 0).all()):
        raise DataError(f"{by!r} sums to something negative or not finite for some node")
    return total**alpha


def _normal(chance: np.ndarray, num_nodes: int) -> np.ndarray:
    chance = np.asarray(chance, np.float64)
    if chance.shape != (num_nodes,):
        raise DataError(f"chances have shape {chance.shape} for {num_nodes} nodes")
    if not (np.isfinite(chance).all() and (chance >= 0).all()):
        raise DataError("a node's chance is negative or not finite")
    total = chance.sum()
    if not 0 < total < np.inf:
        raise DataError("no node has a chance", fix="A relation without arcs makes none popular.")
    return chance / total
