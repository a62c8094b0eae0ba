"""Figures as sums by group, so that a bootstrap over groups is one matrix product.

Every figure is a ratio: a numerator over a denominator, each summed within its group (a household, a source
node). HitRate and MRR are means over cases, weighted by how often a case was observed. Recall and NDCG are
means over queries; a query is one source in one group, its relevant set is the set of its targets there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thence.encode.scorer import Scorer
from thence.evaluate.cases import Cases
from thence.evaluate.metrics import discounted_gain, hit, ideal_gain, reciprocal_rank
from thence.evaluate.ranking import Ranking, rank_cases


@dataclass(frozen=True, eq=False)
class Tally:
    """A figure that is ``numerator.sum() / denominator.sum()``.

    Args:
        numerator: ``[G]`` float64, sum of the gains in each group.
        denominator: ``[G]`` float64, sum of the weights in each group.

    Example:
        >>> Tally(np.array([1.0, 0.5]), np.array([2.0, 1.0])).value
        0.5
    """

    numerator: np.ndarray
    denominator: np.ndarray

    @property
    def value(self) -> float:
        """The figure; NaN when there is nothing to judge on."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total else float("nan")


def hit_rate(scorer: Scorer, cases: Cases, k: int = 10) -> float:
    """HR@k of a scorer on cases, for choosing settings.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.embeddings import Embeddings
        >>> popular = Embeddings(IdMap("abc"), np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, 1.0, 2.0]))
        >>> hit_rate(popular, Cases.make([0, 1], [2, 0], num_nodes=3), k=1)
        0.5
    """
    return case_tallies(cases, rank_cases(scorer, cases, k), [k])[f"HR@{k}"].value


def case_tallies(
    cases: Cases, ranking: Ranking, ks: Sequence[int], keep: np.ndarray | None = None
) -> dict[str, Tally]:
    """``HR@k`` and ``MRR@k`` for each k: weighted means over cases.

    Args:
        cases: what was judged on.
        ranking: places of its targets.
        ks: list lengths.
        keep: ``[M]`` bool, a slice of the cases; all when not given.

    Example:
        >>> ranking = Ranking(np.array([0, 4]), np.array([1, 1]), np.array([0]), np.zeros((1, 1), int))
        >>> tallies = case_tallies(Cases.make([0, 0], [1, 2], num_nodes=9), ranking, [1, 5])
        >>> {name: tally.value for name, tally in tallies.items()}
        {'HR@1': 0.5, 'HR@5': 1.0, 'MRR@1': 0.5, 'MRR@5': 0.6}
    """
    weight = cases.weight if keep is None else np.where(keep, cases.weight, 0.0)
    denominator = _by_group(cases.clusters, weight, cases.num_groups)
    tallies = {}
    for name, gain in (("HR", hit), ("MRR", reciprocal_rank)):
        for k in ks:
            gained = weight * gain(ranking.above, ranking.tied, k)
            tallies[f"{name}@{k}"] = Tally(_by_group(cases.clusters, gained, cases.num_groups), denominator)
    return tallies


def query_tallies(cases: Cases, ranking: Ranking, ks: Sequence[int]) -> dict[str, Tally]:
    """``Recall@k`` and ``NDCG@k`` for each k: means over queries, each counted once.

    ``Recall@k = |relevant in the first k| / |relevant|``; ``NDCG@k`` is the discounted gain of the relevant
    (binary) over that of a perfect ranking. Weights of cases play no part.

    Args:
        cases: what was judged on; a target that stands twice in a query counts once.
        ranking: places of its targets.
        ks: list lengths.
    """
    order = np.lexsort((cases.target, cases.source, cases.clusters))
    key = np.stack([cases.clusters[order], cases.source[order], cases.target[order]])
    fresh = np.ones(len(order), bool)
    fresh[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    order, key = order[fresh], key[:, fresh]
    start = np.ones(len(order), bool)
    start[1:] = (key[:2, 1:] != key[:2, :-1]).any(axis=0)
    query = np.cumsum(start) - 1
    relevant = np.bincount(query)
    group = key[0, start]
    above, tied = ranking.above[order], ranking.tied[order]
    ones = _by_group(group, np.ones(len(group)), cases.num_groups)
    tallies = {}
    for k in ks:
        share = _by_group(query, hit(above, tied, k), len(group)) / relevant
        tallies[f"Recall@{k}"] = Tally(_by_group(group, share, cases.num_groups), ones)
    for k in ks:
        gain = _by_group(query, discounted_gain(above, tied, k), len(group)) / ideal_gain(relevant, k)
        tallies[f"NDCG@{k}"] = Tally(_by_group(group, gain, cases.num_groups), ones)
    return tallies


def _by_group(group: np.ndarray, values: np.ndarray, num_groups: int) -> np.ndarray:
    return np.bincount(group, weights=values, minlength=num_groups)
