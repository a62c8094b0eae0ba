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

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from thence.base.mapped import Column, release
from thence.graph.arcs import Arcs
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
        """Arcs weighted by support, with support, lift, asymmetry and last time as values.

        Pairs that lie on disk become arcs that lie on disk, without being held in memory.
        """
        with tempfile.TemporaryDirectory(prefix="thence-values-") as folder:
            arcs, where = self._counted(), Path(folder) if self.pairs.on_disk else None
            found = {
                name: Column(arcs.num_arcs, np.float32, where and where / f"{name}.npy")
                for name in ("lift", "asymmetry")
            }
            for first, last in arcs.row_blocks():
                for column, values in zip(found.values(), self._statistics(arcs, first, last), strict=True):
                    column.append(values)
                for array in (arcs.targets, arcs.sources, arcs.in_order):
                    release(array)
            release(arcs.values["support"])
            more = {name: column.finish() for name, column in found.items()}
            return replace(arcs, values={**arcs.values, **more})

    def _counted(self) -> Arcs:
        """The arcs with what was counted."""
        pairs, num_nodes = self.pairs, len(self.tries)
        if pairs.on_disk:
            from thence.graph.external import arcs_from_blocks

            return arcs_from_blocks(pairs.blocks(), num_nodes=num_nodes, directed=self.directed)
        return Arcs.from_pairs(
            pairs.source,
            pairs.target,
            num_nodes=num_nodes,
            weight=pairs.support,
            values={"support": pairs.support, "last_time": pairs.last_time},
            directed=self.directed,
        )

    def _statistics(self, arcs: Arcs, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Lift and asymmetry of the arcs of nodes ``first … last - 1``."""
        part = slice(int(arcs.indptr[first]), int(arcs.indptr[last]))
        source = np.repeat(np.arange(first, last), np.diff(arcs.indptr[first : last + 1]))
        target, support = arcs.targets[part], arcs.values["support"]
        seen, tries = support[part], self.tries[source]
        lifts = lift(seen, tries, self.hits[target], self.trials)
        if not self.directed:
            return lifts, np.zeros(len(seen))
        at = arcs.reverse_of(first, last)
        back = np.where(at >= 0, support[np.maximum(at, 0)], 0)
        if self.ordered:
            return lifts, order_asymmetry(seen, back)
        return lifts, asymmetry(seen, back, tries, self.tries[target])


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
