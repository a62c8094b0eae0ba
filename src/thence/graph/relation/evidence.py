"""The evidence behind arcs: what every relation hands over, and the two statistics computed from it.

A relation delivers, for each ordered pair (i, j), how often it was seen (``support``), how often it could have
been seen from each side, and when last. From these follow

    lift_ij      = support_ij · trials / (tries_i · hits_j)
    asymmetry_ij = (p_ij - p_ji) / sqrt( p (1 - p) (1/tries_i + 1/tries_j) ),   p_ij = support_ij / tries_i

with p the pooled rate: lift tells how many times more often than by chance, asymmetry is the z-score of a
two-proportion test against the reverse arc (above 2, the direction is hardly chance; 0 where both are equal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from thence.graph.arcs import Arcs


@dataclass(frozen=True, eq=False)
class Evidence:
    """Pairs of nodes and how often each was and could have been seen.

    Args:
        pairs: columns ``source``, ``target`` (node ints), ``support`` (int) and ``last_time`` (µs UTC), each
            ordered pair once.
        tries: ``[num_nodes]``, how often each node could have begun a pair.
        hits: ``[num_nodes]``, how often each node could have ended a pair.
        trials: how many trials there were in all (baskets, customers or sessions).
        directed: False where every pair stands in both orders with the same numbers.
    """

    pairs: pa.Table
    tries: np.ndarray
    hits: np.ndarray
    trials: int
    directed: bool = True

    def to_arcs(self) -> Arcs:
        """Arcs weighted by support, with support, lift, asymmetry and last time as values."""
        num_nodes = len(self.tries)
        source, target, support, last_time = (
            self.pairs[name].to_numpy().astype(np.int64, copy=False)
            for name in ("source", "target", "support", "last_time")
        )
        arcs = Arcs.from_pairs(
            source,
            target,
            num_nodes=num_nodes,
            weight=support.astype(np.float32),
            values={
                "support": support.astype(np.int32),
                "last_time": last_time,
                "lift": lift(support, self.tries[source], self.hits[target], self.trials).astype(np.float32),
            },
            directed=self.directed,
        )
        return arcs.with_value("asymmetry", self._asymmetry(arcs).astype(np.float32))

    def _asymmetry(self, arcs: Arcs) -> np.ndarray:
        if not self.directed:
            return np.zeros(arcs.num_arcs)
        source, target = arcs.pairs
        at = arcs.reverse_at
        reverse = np.where(at >= 0, arcs.values["support"][np.maximum(at, 0)], 0)
        return asymmetry(arcs.values["support"], reverse, self.tries[source], self.tries[target])


def lift(support: np.ndarray, tries: np.ndarray, hits: np.ndarray, trials: int) -> np.ndarray:
    """How many times more often a pair was seen than if its ends were independent.

    Args:
        support: ``[n]`` times the pair was seen.
        tries: ``[n]`` times its source was seen.
        hits: ``[n]`` times its target was seen.
        trials: number of trials in all.

    Example:
        >>> lift(np.array([8]), np.array([10]), np.array([20]), 100)  # 8 seen, 2 expected
        array([4.])
    """
    return support * float(trials) / np.maximum(tries.astype(float) * hits, 1.0)


def asymmetry(
    support: np.ndarray, reverse: np.ndarray, tries: np.ndarray, reverse_tries: np.ndarray
) -> np.ndarray:
    """z-score of P(j | i) against P(i | j): the pooled two-proportion test.

    Args:
        support: ``[n]`` times i → j was seen.
        reverse: ``[n]`` times j → i was seen.
        tries: ``[n]`` times i was seen.
        reverse_tries: ``[n]`` times j was seen.

    Returns:
        ``[n]`` z-scores; 0 where the pooled rate is 0 or 1.

    Example:
        >>> asymmetry(np.array([30]), np.array([10]), np.array([100]), np.array([100])).round(2)
        array([3.54])
    """
    n_ij, n_ji = np.maximum(tries, 1).astype(float), np.maximum(reverse_tries, 1).astype(float)
    pooled = np.clip((support + reverse) / (n_ij + n_ji), 0.0, 1.0)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n_ij + 1 / n_ji))
    gap = support / n_ij - reverse / n_ji
    return np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
