"""What a sampler of negatives returns, and what every one of them promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from thence.base.errors import DataError
from thence.graph.check import node_array

Nodes = np.ndarray | Sequence[int]


@dataclass(frozen=True, eq=False, repr=False)
class Negatives:
    """Pairs that are no arcs: ``source[b] → nodes[b, k]``.

    With ``log_chance`` a sampled softmax is corrected: score - log_chance (Bengio, Senécal 2003; Yi et al.,
    "Sampling-bias-corrected neural modeling for large corpus item recommendations", RecSys 2019). Where there
    is no negative the node is -1 and ``log_chance`` is +∞, so that its corrected score is -∞ and it drops out.

    Args:
        source: ``[B]`` int64.
        nodes: ``[B, k]`` int32, -1 where there is no negative. Drawn with replacement.
        log_chance: ``[B, k]`` float64, the logarithm of the probability with which one draw for this source,
            known to be allowed, is this node.

    Example:
        >>> Negatives(np.array([0]), np.array([[2, -1]], np.int32), np.array([[0.0, np.inf]]))
        Negatives(1 sources, 1 of 2 places filled)
    """

    source: np.ndarray
    nodes: np.ndarray
    log_chance: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        filled = int(self.filled.sum())
        return f"Negatives({len(self.source):,} sources, {filled:,} of {self.nodes.size:,} places filled)"

    @property
    def filled(self) -> np.ndarray:
        """``[B, k]`` bool: where there is a negative."""
        return self.nodes >= 0


class NegativeSampler(Protocol):
    """What finds negatives for positive arcs.

    Never is a negative an arc of the relation from its source, nor the source itself, nor the target of the
    positive that it is drawn for, even if that positive is no arc of the relation (one held out for a test).
    The same seed, step and positives give the same negatives, whatever the threads.
    """

    def draw(self, source: Nodes, target: Nodes, *, step: int = 0) -> Negatives:
        """Negatives for some positives.

        Args:
            source: ``[B]`` node ints.
            target: ``[B]`` node ints, the other ends of the positives.
            step: another step is another, independent draw.

        Raises:
            DataError: a node is out of range, or the lengths differ.
        """
        ...


def positives(source: Nodes, target: Nodes, num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets as int64, checked to be nodes, and as many.

    Raises:
        DataError: they are not.

    Example:
        >>> positives([0], [3], 3)
        Traceback (most recent call last):
        thence.base.errors.DataError: target 3 is out of range (in 3 nodes)
    """
    ends = []
    for name, array in (("source", source), ("target", target)):
        nodes = node_array(array, name).astype(np.int64)
        wrong = (nodes < 0) | (nodes >= num_nodes)
        if wrong.any():
            raise DataError(f"{name} {nodes[wrong][0]} is out of range", where=f"{num_nodes} nodes")
        ends.append(nodes)
    if len(ends[0]) != len(ends[1]):
        raise DataError(f"{len(ends[0])} sources but {len(ends[1])} targets")
    return ends[0], ends[1]
