"""Four questions, two roles: which vectors ask, which answer, and where the bias goes.

Each question is a maximum inner product search. The bias of *next* becomes one more dimension of the answers,
⟨(q, 1), (x, b)⟩ = ⟨q, x⟩ + b, so that two structures, one a role, answer all four questions: a question that
has no bias asks the same structure with (q, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.encode.embeddings import Embeddings
from thence.index.neighbors import Question, check_question

Role = Literal["source", "target"]
ROLES: tuple[Role, Role] = ("source", "target")
ASKS: dict[Question, Role] = {
    "next": "source",
    "before": "target",
    "similar_source": "source",
    "similar_target": "target",
}
ANSWERS: dict[Question, Role] = {
    "next": "target",
    "before": "source",
    "similar_source": "source",
    "similar_target": "target",
}
_BIASED: WeakKeyDictionary[Embeddings, bool] = WeakKeyDictionary()
MULTIPLE = {"ivf_pq": 2, "hnsw": 8}
"""What the width of a kind's rows must be a multiple of; 1 where it may be any."""


@dataclass(frozen=True, eq=False)
class Space:
    """One question's vectors: the score of answer j for the query q is ⟨q, rows[j]⟩ + bias[j] + constant.

    Args:
        question: which one.
        asking: ``[num_nodes, dim]`` float32, the vector with which each node asks.
        rows: ``[num_nodes, dim]`` float32, the vector with which each node answers.
        bias: ``[num_nodes]`` float32 added for each answer; None where nothing is added.
        constant: ``[num_nodes]`` float32 added to all scores of a query node; None where nothing is added.
    """

    question: Question
    asking: np.ndarray
    rows: np.ndarray
    bias: np.ndarray | None = None
    constant: np.ndarray | None = None

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.rows.shape[1]


def space_of(embeddings: Embeddings, question: Question) -> Space:
    """The vectors of one question.

    Raises:
        ConfigError: the question is unknown.

    Example:
        >>> from thence.base.ids import IdMap
        >>> source, target = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])
        >>> pair = Embeddings(IdMap(["phone", "case"]), source, target)
        >>> space_of(pair, "before").rows.ravel().tolist()
        [1.0, 2.0]
    """
    check_question(question)
    asking, rows = (getattr(embeddings, side[question]) for side in (ASKS, ANSWERS))
    added = embeddings.bias if has_bias(embeddings) else None
    return Space(
        question,
        asking,
        rows,
        bias=added if question == "next" else None,
        constant=added if question == "before" else None,
    )


def has_bias(embeddings: Embeddings) -> bool:
    """Whether any bias differs from zero; looked up once, since every single query asks."""
    if embeddings not in _BIASED:
        _BIASED[embeddings] = embeddings.bias is not None and bool(embeddings.bias.any())
    return _BIASED[embeddings]


def widened(rows: np.ndarray, extra: np.ndarray | float | None, multiple: int = 1) -> np.ndarray:
    """Rows with one more dimension where ``extra`` is given, then zeros up to a multiple of ``multiple``.

    Args:
        rows: ``[n, dim]`` float32.
        extra: ``[n]``, or one value for all: the bias for answers; 1 or 0 for queries.
        multiple: what the width must be a multiple of.

    Example:
        >>> widened(np.ones((1, 2), np.float32), 0.5, multiple=4).tolist()
        [[1.0, 1.0, 0.5, 0.0]]
    """
    n, dim = rows.shape
    wanted = width(dim, extra is not None, multiple)
    if wanted == dim:
        return np.ascontiguousarray(rows, np.float32)
    wide = np.zeros((n, wanted), np.float32)
    wide[:, :dim] = rows
    if extra is not None:
        wide[:, dim] = extra
    return wide


def width(dim: int, with_bias: bool, multiple: int = 1) -> int:
    """How wide :func:`widened` makes rows."""
    return -(-(dim + with_bias) // multiple) * multiple


def check_vectors(vectors: ArrayLike, dim: int) -> np.ndarray:
    """Query vectors ``[Q, dim]`` float32.

    Raises:
        DataError: the dimension is wrong, or a value is not finite.
    """
    try:
        with np.errstate(over="ignore"):  # beyond float32 is not finite
            asked = np.ascontiguousarray(np.atleast_2d(np.asarray(vectors)), np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"query vectors are no numbers: {error}") from error
    if asked.ndim != 2 or asked.shape[1] != dim:
        raise DataError(f"query vectors have shape {list(asked.shape)}, not [Q, {dim}]")
    if not np.isfinite(asked).all():
        raise DataError("a query vector holds values that are not finite")
    return asked
