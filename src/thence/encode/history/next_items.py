"""What comes next for one customer: a history or basket of external ids in, one list out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.encode.history.plain import Recency
from thence.events.datasets.sessions import Sessions


@dataclass(frozen=True, eq=False, repr=False)
class NextItems:
    """One list for a whole history: what its items lead to together, the latest counting most.

    Args:
        scorer: embeddings, which are asked for the decayed sum of the history's source vectors, or any scorer
            of histories.
        decay: e-fold of an item's weight in steps from the history's end; for embeddings only.

    Raises:
        ConfigError: the decay is not positive.

    Example:
        >>> phone, case, cable = np.eye(3)
        >>> vectors = Embeddings(IdMap(["phone", "case", "cable"]), [phone, case, cable], [cable, phone, case])
        >>> following = NextItems(vectors)
        >>> following
        NextItems(3 items, by Recency)
        >>> [item for item, score in following.recommend(["phone"], k=1)]
        ['case']
        >>> [item for item, score in following.recommend(["phone", "case"], k=3, exclude=["case"])]
        ['cable']
    """

    scorer: Any  # Embeddings or a HistoryScorer; always the latter once made
    decay: float = 2.0

    def __post_init__(self) -> None:
        if isinstance(self.scorer, Embeddings):
            object.__setattr__(self, "scorer", Recency(self.scorer, self.decay))

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"NextItems({len(self.ids):,} items, by {type(self.scorer).__name__})"

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        return self.scorer.ids

    def recommend(
        self, history: Sequence[str], k: int = 10, *, exclude: Iterable[str] = (), again: bool = False
    ) -> list[tuple[str, float]]:
        """The k items that most likely come next, best first, with their scores.

        Args:
            history: external ids in the order in which they were met, the latest last. Unknown ones are passed
                over.
            k: length of the list; shorter where fewer items are left.
            exclude: external ids that must not be answered, what the customer owns, say; they need not be
                known.
            again: whether items of the history itself may be answered, as suits views but rarely purchases.

        Raises:
            ConfigError: k is below 1.
            DataError: the history is empty, or none of its items is known: a popular list would be no answer.
        """
        return self.recommend_many([history], k, exclude=[exclude], again=again)[0]

    def recommend_many(
        self,
        histories: Sequence[Sequence[str]],
        k: int = 10,
        *,
        exclude: Sequence[Iterable[str]] | None = None,
        again: bool = False,
    ) -> list[list[tuple[str, float]]]:
        """:meth:`recommend` for many customers; ``exclude`` has one collection of ids for each.

        Raises:
            ConfigError: k is below 1.
            DataError: a history has no item that is known, or ``exclude`` has another length.
        """
        if k < 1:
            raise ConfigError(f"k is {k}", fix="Give a list length of at least 1.")
        if exclude is not None and len(exclude) != len(histories):
            raise DataError(f"exclude has {len(exclude)} collections for {len(histories)} histories")
        known = [self._known(history, row) for row, history in enumerate(histories)]
        scores = np.array(self.scorer.scores(Sessions.of(self.ids, known)), np.float32)
        answers = []
        for row, own in enumerate(known):
            owned = [] if exclude is None else list(exclude[row])
            scores[row, _found(self.ids, owned)] = -np.inf
            if not again:
                scores[row, own] = -np.inf
            answers.append(self._best(scores[row], k))
        return answers

    def sources(self, histories: Sequence[Sequence[str]]) -> np.ndarray:
        """One vector a history, ``[len(histories), dim]``, to look up in an index of targets.

        Raises:
            DataError: a history has no item that is known, or the scorer has no vectors.
        """
        if not hasattr(self.scorer, "sources"):
            raise DataError(f"{type(self.scorer).__name__} has no vectors", fix="Ask for recommend().")
        known = [self._known(history, row) for row, history in enumerate(histories)]
        return self.scorer.sources(Sessions.of(self.ids, known))

    def _known(self, history: Sequence[str], row: int) -> np.ndarray:
        found = _found(self.ids, list(history))
        if not len(found):
            fault = "is empty" if not len(history) else f"holds no known item, the first {history[0]!r}"
            raise DataError(f"the history {fault}", where=f"history {row}", fix="Ask with a known item.")
        return found

    def _best(self, scores: np.ndarray, k: int) -> list[tuple[str, float]]:
        order = np.argsort(-scores, kind="stable")[:k]
        order = order[scores[order] > -np.inf]
        return list(zip(self.ids.decode(order), scores[order].tolist(), strict=True))


def _found(ids: IdMap, names: list[str]) -> np.ndarray:
    if not names:
        return np.zeros(0, np.int64)
    codes = ids.encode(names, missing="mark")
    return codes[codes >= 0]
