"""A blend: several scorers' opinions of an arc put together by logistic regression on arcs that none has seen.

    logit P(i → j) = c_0 + Σ_k c_k · g_k(x_k,ij)

g is the logarithm for scorers of walks, whose numbers span many magnitudes, and the identity for the others,
scaled to unit spread. The coefficients say how much each scorer is trusted; there are so few that some hundred
arcs are enough to learn them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.encode.features import item_features
from thence.encode.scorer import Scorer
from thence.graph import DiGraph

ROWS = 256
"""Rows of all nodes' scores that are held at a time."""


class Likeness:
    """Cosine of two nodes' catalogue features: a scorer without direction, useful beside others.

    Example:
        >>> import pyarrow as pa
        >>> from thence.graph import Arcs
        >>> nodes = pa.table({"title": ["red case", "red case", "tea"]})
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0], [1], num_nodes=3)}, nodes)
        >>> Likeness(graph).scores([0]).round(2).tolist()
        [[1.0, 1.0, 0.0]]
    """

    def __init__(self, graph: DiGraph) -> None:
        self.ids = graph.ids
        if graph.nodes is None:
            raise DataError("likeness needs a catalogue", where=repr(graph), fix="Leave it out of the blend.")
        self._features = item_features(graph.nodes)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Cosines ``[len(sources), num_nodes]``."""
        rows: Any = self._features[np.asarray(sources, np.int64)]
        return np.asarray((rows @ self._features.T).toarray(), np.float32)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """The same cosines, which look alike from both ends."""
        return self.scores(targets)

    def pairs(self, sources: ArrayLike, targets: ArrayLike) -> np.ndarray:
        """Cosines ``[n]`` of pairs."""
        left, right = (self._features[np.asarray(side, np.int64)] for side in (sources, targets))
        return np.asarray(left.multiply(right).sum(axis=1), np.float32).ravel()


@dataclass(frozen=True, eq=False)
class Blend:
    """The blend as a scorer; made by :func:`fit_blend`.

    Args:
        ids: external id of each node.
        scorers: by name.
        logarithm: names of those that are taken by their logarithm.
        shift: by name, subtracted.
        weight: by name, c_k over the spread.
        constant: c_0.
    """

    ids: IdMap
    scorers: Mapping[str, Scorer]
    logarithm: frozenset[str]
    shift: Mapping[str, float]
    weight: Mapping[str, float]
    constant: float

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Logits ``[len(sources), num_nodes]`` float32 of the arcs from each source to every node."""
        return self._sum({name: one.scores(sources) for name, one in self.scorers.items()})

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Logits ``[len(targets), num_nodes]`` float32 of the arcs from every node to each target."""
        return self._sum({name: one.scores_into(targets) for name, one in self.scorers.items()})

    def pairs(self, sources: ArrayLike, targets: ArrayLike) -> np.ndarray:
        """Logits ``[n]`` float32 of ordered pairs."""
        return self._sum({name: pair_scores(one, sources, targets) for name, one in self.scorers.items()})

    def _sum(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        total: Any = self.constant
        for name, part in parts.items():
            total = total + self.weight[name] * (self._taken(name, part) - self.shift[name])
        return np.asarray(total, np.float32)

    def _taken(self, name: str, part: np.ndarray) -> np.ndarray:
        return logged(part, len(self.ids)) if name in self.logarithm else part


def fit_blend(
    scorers: Mapping[str, Scorer],
    arcs: np.ndarray,
    absent: np.ndarray,
    *,
    logarithm: Iterable[str] = (),
    penalty: float = 0.1,
) -> Blend:
    """Learn how much to trust each scorer.

    Args:
        scorers: by name; none may have seen the arcs.
        arcs: ``[2, P]`` arcs that exist.
        absent: ``[2, A]`` ordered pairs that are none.
        logarithm: names of scorers to take by their logarithm: those that are never negative, such as walks.
        penalty: of the squared coefficients, in units of one observation.

    Raises:
        DataError: there are no scorers, arcs or absent pairs, or a scorer gives a number that is not finite.

    Example:
        >>> from thence.base.ids import IdMap
        >>> vectors = Embeddings(IdMap("abc"), np.eye(3), np.eye(3)[[2, 0, 1]])
        >>> blend = fit_blend({"one": vectors}, np.array([[0, 1], [1, 2]]), np.array([[0, 1], [2, 0]]))
        >>> bool(blend.pairs([0], [1])[0] > blend.pairs([0], [2])[0])
        True
    """
    from sklearn.linear_model import LogisticRegression

    logarithm = frozenset(logarithm)
    if not scorers or not arcs.shape[1] or not absent.shape[1]:
        raise DataError("a blend needs scorers, arcs and absent pairs")
    ids, pairs = next(iter(scorers.values())).ids, np.concatenate([arcs, absent], axis=1)
    parts = {name: pair_scores(one, *pairs).astype(np.float64) for name, one in scorers.items()}
    for name, part in parts.items():
        if not np.isfinite(part).all():
            raise DataError(f"the scorer {name!r} gives numbers that are not finite")
        if name in logarithm and part.min() < 0:
            raise DataError(f"the scorer {name!r} gives negative numbers, which have no logarithm")
    table = np.stack([logged(part, len(ids)) if n in logarithm else part for n, part in parts.items()], axis=1)
    shift, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-9)
    label = np.arange(len(table)) < arcs.shape[1]
    model = LogisticRegression(C=1 / penalty, max_iter=1000).fit((table - shift) / spread, label)
    weight = model.coef_[0] / spread
    return Blend(
        ids,
        dict(scorers),
        logarithm,
        dict(zip(parts, shift.tolist(), strict=True)),
        dict(zip(parts, weight.tolist(), strict=True)),
        float(model.intercept_[0]),
    )


def logged(scores: np.ndarray, num_nodes: int) -> np.ndarray:
    """log(x + 10⁻³ / num_nodes): walks of almost no mass are all alike."""
    return np.log(scores + 1e-3 / num_nodes)


def pair_scores(scorer: Any, sources: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Scores ``[n]`` of ordered pairs by any scorer, pair by pair where it can.

    Example:
        >>> from thence.base.ids import IdMap
        >>> vectors = Embeddings(IdMap("ab"), np.array([[2.0], [0.0]]), np.array([[0.0], [3.0]]))
        >>> pair_scores(vectors, [0, 1], [1, 0]).tolist()
        [6.0, 0.0]
    """
    u, v = np.asarray(sources, np.int64), np.asarray(targets, np.int64)
    if isinstance(scorer, Embeddings):
        assert scorer.bias is not None  # set in __post_init__
        return np.einsum("nd,nd->n", scorer.source[u], scorer.target[v]) + scorer.bias[v]
    own = getattr(scorer, "pairs", None)
    if callable(own):
        return np.asarray(own(u, v))
    distinct, row = np.unique(u, return_inverse=True)
    found = np.empty(len(u), np.float32)
    for at in range(0, len(distinct), ROWS):
        here = np.flatnonzero((row >= at) & (row < at + ROWS))
        found[here] = scorer.scores(distinct[at : at + ROWS])[row[here] - at, v[here]]
    return found
