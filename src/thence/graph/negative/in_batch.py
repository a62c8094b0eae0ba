"""The other positives' targets as negatives: they are in memory already."""

from __future__ import annotations

import numpy as np

from thence.graph.arcs import Arcs
from thence.graph.negative.chance import Proposal, received
from thence.graph.negative.kernel import linked
from thence.graph.negative.negatives import Negatives, Nodes, positives
from thence.graph.walk.rows import whole


class InBatchNegatives:
    """For each positive of a batch the targets of those that follow it in the batch, going round.

    A batch drawn from the arcs holds a node in proportion to how often it is a target, so popular nodes are
    negatives too often; ``log_chance`` tells by how much: q(j) = in-degree(j) / number of arcs, and given that
    the target of another positive is allowed for i, q(j | i) = q(j) / (1 - Σ q(k) over the k that are not). A
    target that has no chance (held out, and no arc leads to it) is no negative.

    Args:
        arcs: the relation.
        num_negatives: how many of the others are used; all when not given. A batch that is smaller leaves the
            last places empty.
        chance: ``[num_nodes]`` in proportion to how often a node is the target of a positive, where batches are
            not drawn from the arcs alike.

    Raises:
        ConfigError: ``num_negatives`` is below 1.
        DataError: chances are negative, not finite, or all zero.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 2, 2], [3, 4, 3, 5], num_nodes=6)
        >>> found = InBatchNegatives(arcs).draw([0, 1, 2], [3, 4, 5])
        >>> found.nodes.tolist()
        [[4, 5], [5, 3], [-1, 4]]
        >>> np.exp(found.log_chance[0]).round(2).tolist()
        [0.5, 0.5]
    """

    def __init__(
        self, arcs: Arcs, num_negatives: int | None = None, *, chance: np.ndarray | None = None
    ) -> None:
        self.num_negatives = None if num_negatives is None else whole("num_negatives", num_negatives, 1)
        self._proposal = Proposal(arcs, received(arcs, 1.0) if chance is None else chance)

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for the positives of a batch; see :class:`NegativeSampler`. The step changes nothing."""
        source, target = positives(source, target, self._proposal.num_nodes)
        size = len(source)
        width = max(size - 1, 0) if self.num_negatives is None else self.num_negatives
        shift = np.arange(1, width + 1)
        others = target[(np.arange(size)[:, None] + shift) % max(size, 1)].astype(np.int32)
        chance = self._proposal.chance(others)
        bad = (others == source[:, None]) | (others == target[:, None]) | (shift >= size) | (chance == 0)
        bad |= linked(self._proposal.rows, source, others)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_chance = np.log(chance) - np.log(self._proposal.free(source, target))[:, None]
        return Negatives(source, np.where(bad, -1, others), np.where(bad, np.inf, log_chance))
