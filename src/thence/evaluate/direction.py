"""Does the model know that there is an arc, and does it know which way the arc points?

Two questions with two kinds of negatives. *Existence*: held-out arcs against random pairs that are no arcs.
*Direction*: held-out arcs without a reverse, each against its own reverse. With s(u, v) the score of u → v::

    pooled AUC  = P( s(u, v) > s(v', u') )   an arc against the reverse of any arc, as papers compute it
    paired AUC  = P( s(u, v) > s(v, u) )     an arc against its own reverse
    (ties count one half)

A symmetric score gets exactly 0.5 in both. Counting in-arcs, s(u, v) = in-degree of v, gets far more where
arcs lead to what is popular, without knowing any direction; so every figure stands beside in-degree's own, and
the *matched* AUC takes popularity out: only arcs whose two ends are about equally popular, and among these,
arcs that lead up and arcs that lead down in popularity count the same. In-degree gets exactly 0.5 there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import DataError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.evaluate.cases import one_way
from thence.evaluate.metrics import mid_ranks
from thence.evaluate.ranking import BATCH_VALUES, checked_scores
from thence.evaluate.tallies import Tally
from thence.graph.arcs import Arcs

MATCH_FACTOR = 2**0.5


@dataclass(frozen=True, eq=False, repr=False)
class DirectionCases:
    """Arcs to tell from nothing, and arcs to tell from their reverse.

    Args:
        arcs: ``[2, P]`` arcs that exist.
        absent: ``[2, A]`` ordered pairs that are no arcs.
        one_way: ``[2, D]`` arcs whose reverse does not exist.
        popularity: ``[num_nodes]`` float64, what counting alone knows of each node: its in-degree among the
            known arcs.

    Example:
        >>> test, known = (Arcs.from_pairs([0], [i], num_nodes=9) for i in (1, 2))
        >>> direction_cases(test, known)
        DirectionCases(1 arcs, 1 absent pairs, 1 one-way arcs, 9 nodes)
    """

    arcs: np.ndarray
    absent: np.ndarray
    one_way: np.ndarray
    popularity: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"DirectionCases({self.arcs.shape[1]:,} arcs, {self.absent.shape[1]:,} absent pairs, "
            f"{self.one_way.shape[1]:,} one-way arcs, {len(self.popularity):,} nodes)"
        )


@dataclass(frozen=True, eq=False)
class Direction:
    """What a scorer knows of arcs and of their direction.

    Args:
        existence_auc: arcs against absent pairs; NaN when there are none.
        direction_auc: pooled, as papers compute it.
        direction_auc_paired: each arc against its own reverse.
        direction_auc_matched: paired, between ends of about equal popularity, popularity balanced out.
        in_degree_auc: what in-degree alone gets as pooled direction AUC on the same arcs.
        num_matched: how many arcs the matched figure rests on.
        paired: the paired figure by source node, for a bootstrap.
    """

    existence_auc: float
    direction_auc: float
    direction_auc_paired: float
    direction_auc_matched: float
    in_degree_auc: float
    num_matched: int
    paired: Tally

    @property
    def gain(self) -> float:
        """Pooled direction AUC minus that of in-degree alone."""
        return self.direction_auc - self.in_degree_auc


def direction_cases(
    test: Arcs, known: Arcs, graph: Arcs | None = None, *, seed: int = 0, limit: int = 100_000
) -> DirectionCases:
    """Held-out arcs, as many random non-arcs, and the held-out arcs that are one-way.

    Args:
        test: arcs to judge on.
        known: arcs that the model has seen.
        graph: the whole graph, which says what is no arc; ``test`` and ``known`` together when not given.
        seed: of the absent pairs, and of the sample where there are more arcs than ``limit``.
        limit: at most so many arcs are judged.

    Raises:
        DataError: there are no test arcs, or the node counts differ.
    """
    if test.num_nodes != known.num_nodes:
        raise DataError(f"known arcs are among {known.num_nodes} nodes, test arcs {test.num_nodes}")
    if not test.num_arcs:
        raise DataError("no test arcs", fix="Give a larger test share.")
    alone = one_way(test, known, graph)
    kept = np.arange(test.num_arcs)
    if test.num_arcs > limit:
        rng = generator(seed, "direction", "sample")
        kept = np.sort(rng.choice(test.num_arcs, limit, replace=False))
    wholes = [test, known] if graph is None else [graph, test, known]
    absent = absent_pairs(wholes, len(kept), seed=seed)
    popularity = known.in_degree.astype(np.float64)
    return DirectionCases(test.pairs[:, kept], absent, test.pairs[:, kept[alone[kept]]], popularity)


def absent_pairs(relations: list[Arcs], num: int, *, seed: int = 0) -> np.ndarray:
    """``[2, num]`` ordered pairs of different nodes that are arcs of none of the relations, drawn uniformly.

    Fewer are given when the graph is so full that random tries do not find them.

    Example:
        >>> full_but_one = Arcs.from_pairs([0, 0, 1, 2, 2], [1, 2, 0, 0, 1], num_nodes=3)
        >>> absent_pairs([full_but_one], 2).tolist()  # 1 → 2 is the only pair that is no arc
        [[1, 1], [2, 2]]
    """
    rng, num_nodes = generator(seed, "absent"), relations[0].num_nodes
    found = [np.empty((2, 0), np.int64)]
    for _ in range(100):
        pairs = rng.integers(0, num_nodes, (2, 2 * num + 16))
        bad = pairs[0] == pairs[1]
        for arcs in relations:
            bad |= arcs.contains(*pairs)
        found.append(pairs[:, ~bad])
        if sum(part.shape[1] for part in found) >= num:
            break
    return np.concatenate(found, axis=1)[:, :num]


def judge_direction(scorer: Scorer, cases: DirectionCases, progress: Progress = silent) -> Direction:
    """Existence and direction figures of a scorer.

    Args:
        scorer: anything with ``ids`` and ``scores``.
        cases: what to judge on.
        progress: told the number of sources scored.

    Raises:
        DataError: the scorer knows another number of nodes, or gives NaN.

    References:
        Virinchi et al., ECML-PKDD 2022, evaluation questions 2 (existence) and 3 (direction).
    """
    if len(scorer.ids) != len(cases.popularity):
        raise DataError(f"the scorer knows {len(scorer.ids):,} nodes, the cases {len(cases.popularity):,}")
    source, target = cases.one_way
    parts = [cases.arcs, cases.absent, cases.one_way, cases.one_way[::-1]]
    scores = score_pairs(scorer, *np.concatenate(parts, axis=1), progress=progress)
    exist, absent, forward, backward = np.split(scores, np.cumsum([part.shape[1] for part in parts])[:-1])
    win = (forward > backward) + 0.5 * (forward == backward)
    matched, num_matched = matched_share(win, cases.popularity[source], cases.popularity[target])
    size = len(cases.popularity)
    paired = Tally(np.bincount(source, win, size), np.bincount(source, minlength=size).astype(np.float64))
    return Direction(
        existence_auc=auc(exist, absent),
        direction_auc=auc(forward, backward),
        direction_auc_paired=paired.value,
        direction_auc_matched=matched,
        in_degree_auc=auc(cases.popularity[target], cases.popularity[source]),
        num_matched=num_matched,
        paired=paired,
    )


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The area under the ROC curve, which is P(positive > negative) with ties half; NaN when one is empty.

    Example:
        >>> auc(np.array([3.0, 1.0]), np.array([2.0, 1.0]))
        0.625
    """
    num, other = len(positive), len(negative)
    if not num or not other:
        return float("nan")
    ranks = mid_ranks(np.concatenate([positive, negative]))[:num]
    return float((ranks.sum() - num * (num + 1) / 2) / (num * other))


def matched_share(
    win: np.ndarray, source_popularity: np.ndarray, target_popularity: np.ndarray, factor: float = MATCH_FACTOR
) -> tuple[float, int]:
    """Share of wins among arcs between about equally popular ends, popularity balanced out.

    An arc is matched when (1 + p_u) and (1 + p_v) differ by at most ``factor``. Among matched arcs those that
    lead up in popularity and those that lead down get the same total weight, so that preferring the more
    popular end wins exactly half; arcs between equal ends keep their weight.

    Args:
        win: ``[D]`` 1 where the arc outscores its reverse, ½ for a tie, else 0.
        source_popularity: ``[D]``.
        target_popularity: ``[D]``.
        factor: how far the two may differ.

    Returns:
        The share (NaN when nothing can be matched) and the number of arcs that it rests on.

    Example:
        >>> up_up_down = np.array([3.0, 3.0, 4.0]), np.array([4.0, 4.0, 3.0])
        >>> matched_share(np.array([1.0, 1.0, 0.0]), *up_up_down)  # always prefers the more popular
        (0.5, 3)
    """
    ratio = (1 + target_popularity) / (1 + source_popularity)
    near = np.maximum(ratio, 1 / ratio) <= factor * (1 + 1e-12)
    level, up, down = (win[near & side] for side in (ratio == 1, ratio > 1, ratio < 1))
    tilted = len(up) + len(down) if len(up) and len(down) else 0  # only up or only down cannot be balanced
    if not tilted and not len(level):
        return float("nan"), 0
    balanced = tilted * (up.mean() + down.mean()) / 2 if tilted else 0.0
    return float((level.sum() + balanced) / (len(level) + tilted)), len(level) + tilted


def score_pairs(
    scorer: Scorer, source: np.ndarray, target: np.ndarray, *, progress: Progress = silent
) -> np.ndarray:
    """``[n]`` float64 scores of ordered pairs.

    Embeddings are multiplied pair by pair; any other scorer gives the rows of the distinct sources in batches.

    Example:
        >>> from thence.base.ids import IdMap
        >>> vectors = Embeddings(IdMap("ab"), np.array([[2.0], [0.0]]), np.array([[0.0], [3.0]]))
        >>> score_pairs(vectors, np.array([0, 1]), np.array([1, 0])).tolist()
        [6.0, 0.0]
    """
    if isinstance(scorer, Embeddings):
        return _inner_products(scorer, source, target)
    distinct, row = np.unique(source, return_inverse=True)
    order = np.argsort(row, kind="stable")
    size = max(1, min(2048, BATCH_VALUES // max(len(scorer.ids), 1)))
    scores = np.empty(len(source))
    for at in range(0, len(distinct), size):
        begin, end = np.searchsorted(row[order], [at, at + size])
        part = order[begin:end]
        scores[part] = checked_scores(scorer, distinct[at : at + size])[row[part] - at, target[part]]
        progress("scoring pairs", min(at + size, len(distinct)), len(distinct))
    return scores


def _inner_products(vectors: Embeddings, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    assert vectors.bias is not None  # set in __post_init__
    scores = np.empty(len(source))
    for at in range(0, len(source), 1 << 16):
        u, v = source[at : at + (1 << 16)], target[at : at + (1 << 16)]
        product = np.einsum("nd,nd->n", vectors.source[u], vectors.target[v], dtype=np.float64)
        scores[at : at + (1 << 16)] = product + vectors.bias[v]
    return scores
