"""Where each right target stands in the ranking of its source, exactly, among all candidates.

A source's candidates are all nodes but the source itself and the targets of its known arcs. Ties are broken by
chance, and figures are the *expected* ones over that chance (see :mod:`thence.evaluate.metrics`): a scorer
that says the same of every node gets exactly what guessing gets, not first places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.base.progress import Progress, silent
from thence.encode.scorer import Scorer
from thence.evaluate.cases import Cases

BATCH_VALUES = 1 << 24


@dataclass(frozen=True, eq=False, repr=False)
class Ranking:
    """Places of the targets of all cases, and the top list of each source.

    Args:
        above: ``[M]`` int64, candidates that score more than the case's target.
        tied: ``[M]`` int64, candidates that score the same, the target included; at least 1.
        sources: ``[S]`` int64 distinct sources, ascending.
        top: ``[S, k]`` int64, each source's best candidates, best first; -1 fills lists that are too short.
    """

    above: np.ndarray
    tied: np.ndarray
    sources: np.ndarray
    top: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Ranking({len(self.above):,} cases, {len(self.sources):,} sources, top {self.top.shape[1]})"

    @property
    def rank(self) -> np.ndarray:
        """``[M]`` float64: the mid-rank, counted from 1; half-way through the ties."""
        return self.above + (self.tied + 1) / 2


def rank_cases(
    scorer: Scorer,
    cases: Cases,
    k: int = 20,
    *,
    batch: int | None = None,
    progress: Progress = silent,
) -> Ranking:
    """Rank the targets of all cases by a scorer's scores.

    Each distinct source is scored once; never more than ``batch`` rows of scores are held.

    Args:
        scorer: anything with ``ids`` and ``scores``.
        cases: what to judge on.
        k: length of the top lists that are kept.
        batch: sources scored at a time; by default as many as make 16 M scores.
        progress: told the number of sources done.

    Raises:
        DataError: the scorer knows another number of nodes, or gives NaN or rows of the wrong shape.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.embeddings import Embeddings
        >>> vectors = Embeddings(IdMap("abcd"), np.eye(4), np.array([[0, 9, 0, 0], [3, 0, 0, 0], [2, 0, 0, 0],
        ...                                                          [2, 0, 0, 0]]))
        >>> ranking = rank_cases(vectors, Cases.make([0, 0], [1, 2], num_nodes=4))
        >>> ranking.rank.tolist()  # a scores b 3, c and d 2 each: b is first, c ties with d
        [1.0, 2.5]
    """
    if k < 1:
        raise ConfigError(f"k is {k}", fix="Give a list length of at least 1.")
    if len(scorer.ids) != cases.num_nodes:
        raise DataError(f"the scorer knows {len(scorer.ids):,} nodes, the cases {cases.num_nodes:,}")
    from thence.evaluate.kernels import best_nodes, count_above

    pairs, back = np.unique(cases.source * cases.num_nodes + cases.target, return_inverse=True)
    source, target = np.divmod(pairs, max(cases.num_nodes, 1))
    ptr = np.searchsorted(source, np.append(cases.sources, cases.num_nodes))
    above, tied = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.int64)
    top = np.full((len(cases.sources), k), -1, np.int64)
    for at, rows in candidate_scores(scorer, cases, batch):
        end = at + len(rows)
        span = slice(ptr[at], ptr[end])
        above[span], tied[span] = count_above(rows, ptr[at : end + 1] - ptr[at], target[span])
        top[at:end] = best_nodes(rows, k)
        progress("ranking", end, len(cases.sources))
    return Ranking(above[back], tied[back], cases.sources, top)


def candidate_scores(
    scorer: Scorer, cases: Cases, batch: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of scores in batches of distinct sources, with NaN where a node is no candidate.

    Yields:
        The position of the first source in ``cases.sources``, and the scores ``[b, num_nodes]``.
    """
    size = batch or max(1, min(2048, BATCH_VALUES // max(cases.num_nodes, 1)))
    for at in range(0, len(cases.sources), size):
        sources = cases.sources[at : at + size]
        rows = checked_scores(scorer, sources)
        rows[np.arange(len(sources)), sources] = np.nan
        if cases.known is not None:
            first, last = cases.known.indptr[sources], cases.known.indptr[sources + 1]
            count = last - first
            row = np.repeat(np.arange(len(sources)), count)
            within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            rows[row, cases.known.targets[first[row] + within]] = np.nan
        yield at, rows


def checked_scores(scorer: Scorer, sources: np.ndarray) -> np.ndarray:
    """A fresh array of a scorer's rows, its shape checked.

    Raises:
        DataError: the shape is wrong or a score is NaN.
    """
    rows = np.array(scorer.scores(sources), copy=True, order="C")
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if rows.shape != (len(sources), len(scorer.ids)):
        raise DataError(f"scores of shape {rows.shape} for {len(sources)} sources, {len(scorer.ids)} nodes")
    if np.isnan(rows).any():
        row, node = np.argwhere(np.isnan(rows))[0]
        raise DataError(
            f"the score of arc {sources[row]} → {node} is NaN",
            where=type(scorer).__name__,
            fix="Give -inf to nodes that must never be answered.",
        )
    return rows
