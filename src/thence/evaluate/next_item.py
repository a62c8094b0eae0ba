"""Next-item prediction: where the item that followed stands among all items, at each place of later sessions.

Both protocols of the literature are here: every beginning of a session is a case (``prefixes``, SR-GNN's and
GCE-GNN's), or the session without its last item alone (``final``). All items that the scorer knows are
candidates, those of the history included, because sessions go back to what was seen. Ties are broken by chance
and figures are expected ones (:mod:`thence.evaluate.metrics`).

References:
    Wu et al., Session-based Recommendation with Graph Neural Networks, AAAI 2019, section 4.
    Wang et al., Global Context Enhanced Graph Neural Networks, SIGIR 2020, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thence.base.errors import DataError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.history.scorer import HistoryScorer
from thence.evaluate.metrics import hit, reciprocal_rank
from thence.events.datasets.sessions import Sessions

BATCH_VALUES = 1 << 24


@dataclass(frozen=True, eq=False, repr=False)
class NextCases:
    """Histories and what followed each.

    Args:
        histories: one a case.
        following: ``[M]`` int64, the item that followed.
        final: ``[M]`` bool, what followed was the session's last item.

    Example:
        >>> from thence.base.ids import IdMap
        >>> next_cases(Sessions.of(IdMap("abc"), [[0, 1, 2], [1]]))
        NextCases(2 cases, 1 final)
    """

    histories: Sessions
    following: np.ndarray
    final: np.ndarray

    def __len__(self) -> int:
        """How many cases."""
        return len(self.following)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"NextCases({len(self):,} cases, {int(self.final.sum()):,} final)"

    def select(self, rows: np.ndarray) -> NextCases:
        """The cases at some positions."""
        return replace(
            self, histories=self.histories.take(rows), following=self.following[rows], final=self.final[rows]
        )

    def sample(self, num: int, seed: int) -> NextCases:
        """At most ``num`` cases, drawn without replacement; order is kept."""
        if num >= len(self):
            return self
        return self.select(np.sort(generator(seed, "next cases").choice(len(self), num, replace=False)))


@dataclass(frozen=True, eq=False, repr=False)
class NextRanking:
    """Where what followed stands.

    Args:
        above: ``[M]`` int64, items that score more.
        tied: ``[M]`` int64, items that score the same, itself included.
        final: ``[M]`` bool, of the cases.
    """

    above: np.ndarray
    tied: np.ndarray
    final: np.ndarray

    def figures(self, final: bool = False) -> dict[str, float]:
        """HR@5, HR@10, HR@20, MRR@10 and MRR@20 over all cases, or over the final ones alone."""
        kept = self.final if final else np.ones(len(self.final), bool)
        above, tied = self.above[kept], self.tied[kept]
        found = {f"HR@{k}": float(hit(above, tied, k).mean()) for k in (5, 10, 20)}
        return found | {f"MRR@{k}": float(reciprocal_rank(above, tied, k).mean()) for k in (10, 20)}


def next_cases(sessions: Sessions) -> NextCases:
    """Every beginning of every session, and the item that followed it."""
    return NextCases(*sessions.prefixes())


def rank_next(
    scorer: HistoryScorer, cases: NextCases, *, batch: int | None = None, progress: Progress = silent
) -> NextRanking:
    """Rank what followed each history among all items.

    Args:
        scorer: anything that scores histories; its items are those of the cases.
        cases: what to judge on.
        batch: histories scored at a time; by default as many as make 16 M scores.
        progress: told the number of histories done.

    Raises:
        DataError: there are no cases, the items differ, or the scorer gives NaN or rows of the wrong shape.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.history.neighbours import SessionNeighbours
        >>> sessions = Sessions.of(IdMap(["phone", "case", "sock"]), [[0, 1], [0, 1], [2, 1]])
        >>> scorer = SessionNeighbours(sessions, before=0.0)
        >>> rank_next(scorer, next_cases(sessions)).above.tolist()  # the item itself ties with what follows
        [0, 0, 0]
    """
    from thence.evaluate.kernels import count_above

    if not len(cases):
        raise DataError("no session has two items", fix="Give sessions of at least two items.")
    num = len(scorer.ids)
    if cases.histories.ids != scorer.ids:
        raise DataError("the scorer's items are others than the cases'", fix="Read sessions with ids=.")
    size = batch or max(1, min(1024, BATCH_VALUES // num))
    above, tied = np.zeros(len(cases), np.int64), np.zeros(len(cases), np.int64)
    for begin in range(0, len(cases), size):
        end = min(begin + size, len(cases))
        rows = np.ascontiguousarray(scorer.scores(cases.histories.slice(begin, end)))
        if rows.shape != (end - begin, num) or np.isnan(rows).any():
            raise DataError(f"scores of shape {rows.shape}, or NaN among them", where=type(scorer).__name__)
        each = np.arange(end - begin + 1)
        above[begin:end], tied[begin:end] = count_above(rows, each, cases.following[begin:end])
        progress("ranking", end, len(cases))
    return NextRanking(above, tied, cases.final)
