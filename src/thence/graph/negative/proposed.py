"""Negatives that are drawn from all nodes: every node alike, or popular ones more often."""

from __future__ import annotations

import numpy as np

from thence.base.rng import derive_seed
from thence.graph.arcs import Arcs
from thence.graph.negative.chance import Proposal, received
from thence.graph.negative.kernel import draw
from thence.graph.negative.negatives import Negatives, Nodes, positives
from thence.graph.walk.rows import whole


class UniformNegatives:
    """Nodes drawn alike from all that are allowed for a source.

    q(j | i) = 1 / (number of nodes that are neither i, nor i's positive, nor a target of i).

    Args:
        arcs: the relation.
        num_negatives: draws for each positive, with replacement.
        seed: of the randomness.

    Raises:
        ConfigError: ``num_negatives`` is below 1.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=4)
        >>> found = UniformNegatives(arcs, 2).draw([0], [1])
        >>> found.nodes.tolist(), found.log_chance.tolist()
        ([[3, 3]], [[0.0, 0.0]])
    """

    def __init__(self, arcs: Arcs, num_negatives: int = 1, *, seed: int = 0) -> None:
        self.num_negatives = whole("num_negatives", num_negatives, 1)
        self._proposal, self._seed = Proposal(arcs), seed

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for some positives; see :class:`NegativeSampler`."""
        base = derive_seed(self._seed, "uniform negatives", step)
        return drawn(
            self._proposal, positives(source, target, self._proposal.num_nodes), self.num_negatives, base
        )


class PopularityNegatives:
    """Nodes drawn in proportion to popularity^α from all that are allowed for a source.

    q(j) = pop(j)^α / Σ pop^α, and under rejection q(j | i) = q(j) / (1 - Σ q(k) over the k that are not
    allowed for i). With α = 0.75 this is word2vec's choice (Mikolov et al., NeurIPS 2013).

    Args:
        arcs: the relation.
        num_negatives: draws for each positive, with replacement.
        alpha: the power, at least 0.
        by: the value of which a node's arcs are summed to its popularity, such as ``weight`` or ``support``;
            the arcs that lead to it are counted when not given.
        seed: of the randomness.

    Raises:
        ConfigError: ``num_negatives`` is below 1, or ``alpha`` NaN, negative or infinite.
        DataError: no node is popular at all, there is no such value, or it is negative or not finite.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 1, 1], num_nodes=5)
        >>> found = PopularityNegatives(arcs, 3, alpha=1).draw([4], [4])
        >>> bool((np.exp(found.log_chance) == np.where(found.nodes == 1, 0.75, 0.25)).all())
        True
    """

    def __init__(
        self,
        arcs: Arcs,
        num_negatives: int = 1,
        *,
        alpha: float = 0.75,
        by: str | None = None,
        seed: int = 0,
    ) -> None:
        self.num_negatives = whole("num_negatives", num_negatives, 1)
        self._proposal, self._seed = Proposal(arcs, received(arcs, alpha, by)), seed

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for some positives; see :class:`NegativeSampler`."""
        base = derive_seed(self._seed, "popularity negatives", step)
        return drawn(
            self._proposal, positives(source, target, self._proposal.num_nodes), self.num_negatives, base
        )


def drawn(proposal: Proposal, pairs: tuple[np.ndarray, np.ndarray], count: int, base: int) -> Negatives:
    """Draws from a proposal, again while they are not allowed."""
    nodes = np.empty((len(pairs[0]), count), np.int32)
    log_chance = np.empty(nodes.shape, np.float64)
    free = proposal.free(*pairs)
    draw(proposal.rows, proposal.arrays, pairs, free, np.uint64(base), nodes, log_chance)
    return Negatives(pairs[0], nodes, log_chance)
