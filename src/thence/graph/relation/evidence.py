"""The evidence behind arcs: what every relation hands over, and the two statistics computed from it.

A relation delivers, for each ordered pair (i, j), how often it was seen (``support``), how often it could have
been seen from each side, and when last. From these follow

    lift_ij      = support_ij · trials / (tries_i · hits_j)
    asymmetry_ij = (p_ij - p_ji) / sqrt( p (1 - p) (1/tries_i + 1/tries_j) ),   p_ij = support_ij / tries_i

with p the pooled rate (support_ij + support_ji) / (tries_i + tries_j). Lift tells how many times more often
than by chance a pair was seen; asymmetry is the z-score of a two-proportion test against the reverse arc (above
2, the direction is hardly chance; 0 where both rates are equal).

References:
    Lift: Brin, Motwani, Ullman, Tsur, "Dynamic itemset counting and implication rules for market basket data",
    SIGMOD 1997 (there called interest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from thence.graph.arcs import BLOCK, Arcs
from thence.graph.relation.pairs import Pairs


@dataclass(frozen=True, eq=False)
class Evidence:
    """Pairs of nodes and how often each was and could have been seen.

    Args:
        pairs: the pairs with their support and last time.
        tries: ``[num_nodes]``, how often each node could have begun a pair.
        hits: ``[num_nodes]``, how often each node could have ended a pair.
        trials: how many trials there were in all: a pair whose ends are independent is expected
            tries_i · hits_j / trials times.
        directed: False where every pair stands in both orders with the same numbers.
        ordered: True where i → j and j → i are the two outcomes of one trial, as with two first purchases: the
            asymmetry is then that of a coin toss, whatever the popularity of the two.

    Example:
        >>> pairs = Pairs(*(np.array(column) for column in ([0, 1], [1, 0], [8, 2], [60, 50])))
        >>> arcs = Evidence(pairs, tries=np.array([10, 20]), hits=np.array([10, 20]), trials=100).to_arcs()
        >>> arcs.values["lift"].tolist(), arcs.values["asymmetry"].astype(float).round(2).tolist()
        ([4.0, 1.0], [3.83, -3.83])
    """

    pairs: Pairs
    tries: np.ndarray
    hits: np.ndarray
    trials: float
    directed: bool = True
    ordered: bool = False

    def to_arcs(self) -> Arcs:
        """Arcs weighted by support, with support, lift, asymmetry and last time as values."""
        pairs = self.pairs
        arcs = Arcs.from_pairs(
            pairs.source,
            pairs.target,
            num_nodes=len(self.tries),
            weight=pairs.support,
            values={"support": pairs.support, "last_time": pairs.last_time},
            directed=self.directed,
        )
        source, target = np.repeat(np.arange(arcs.num_nodes, dtype=np.int32), arcs.out_degree), arcs.targets
        support, at = arcs.values["support"], arcs.reverse_at if self.directed else None

        def lifts(part: slice) -> np.ndarray:
            return lift(support[part], self.tries[source[part]], self.hits[target[part]], self.trials)

        def asymmetries(part: slice) -> np.ndarray:
            if at is None:
                return np.zeros(len(support[part]))
            reverse = np.where(at[part] >= 0, support[np.maximum(at[part], 0)], 0)
            if self.ordered:
                return order_asymmetry(support[part], reverse)
            return asymmetry(support[part], reverse, self.tries[source[part]], self.tries[target[part]])

        arcs = arcs.with_value("lift", _in_blocks(arcs.num_arcs, lifts))
        return arcs.with_value("asymmetry", _in_blocks(arcs.num_arcs, asymmetries))


def lift(support: np.ndarray, tries: np.ndarray, hits: np.ndarray, trials: float) -> np.ndarray:
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


def order_asymmetry(support: np.ndarray, reverse: np.ndarray) -> np.ndarray:
    """z-score of "i before j" against "j before i": the sign test, (s_ij - s_ji) / √(s_ij + s_ji).

    Args:
        support: ``[n]`` times i → j was seen.
        reverse: ``[n]`` times j → i was seen.

    Returns:
        ``[n]`` z-scores; 0 where neither was seen.

    Example:
        >>> order_asymmetry(np.array([9, 8]), np.array([0, 8]))
        array([3., 0.])
    """
    total = np.maximum(support.astype(float) + reverse, 1.0)
    return (support.astype(float) - reverse) / np.sqrt(total)


def _in_blocks(num: int, compute: Callable[[slice], np.ndarray]) -> np.ndarray:
    """``[num]`` float32, computed in float64 a block at a time."""
    found = np.empty(num, np.float32)
    for at in range(0, num, BLOCK):
        found[at : at + BLOCK] = compute(slice(at, at + BLOCK))
    return found
