"""What another system holds, one set of vectors a role, and the vector with which a question asks which set.

Another system knows inner products and nothing of biases, so that targets carry theirs as a last dimension;
whoever asks ends in 1 where the bias counts and in 0 where it does not.

    next            (source[i], 1)   asks the targets    (target[j], bias[j])
    before          target[i]        asks the sources    source[j]
    similar_source  source[i]        asks the sources
    similar_target  (target[i], 0)   asks the targets

Scores of *before* lack the query's own bias, which is the same for all answers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.encode.embeddings import Embeddings
from thence.index.neighbors import Question, check_nodes, check_question
from thence.index.space import ANSWERS, ASKS, ROLES, Role, has_bias, widened

NAME_CHARACTERS = 48


def held(embeddings: Embeddings, role: Role, part: slice = slice(None)) -> np.ndarray:
    """``[n, width]`` float32 vectors of one role as another system holds them."""
    rows = getattr(embeddings, role)[part]
    if role == "source" or not has_bias(embeddings):
        return np.ascontiguousarray(rows)
    return widened(rows, embeddings.bias[part])  # type: ignore[index]


def asking(embeddings: Embeddings, nodes: ArrayLike, question: Question = "next") -> tuple[Role, np.ndarray]:
    """Which role's set to ask, and the vectors ``[len(nodes), width]`` to ask it with.

    Raises:
        ConfigError: the question is unknown.
        DataError: a node is out of range.

    Example:
        >>> from thence.base.ids import IdMap
        >>> eye = np.eye(2, dtype=np.float32)
        >>> pair = Embeddings(IdMap(["phone", "case"]), eye, eye[::-1], np.array([0.5, 0.0]))
        >>> asking(pair, [0], "next")
        ('target', array([[1., 0., 1.]], dtype=float32))
        >>> asking(pair, [0], "before")
        ('source', array([[0., 1.]], dtype=float32))
    """
    check_question(question)
    asked = np.atleast_1d(np.asarray(nodes, np.int64))
    check_nodes(asked, len(embeddings.ids))
    rows, role = getattr(embeddings, ASKS[question])[asked], ANSWERS[question]
    if role == "source" or not has_bias(embeddings):
        return role, np.ascontiguousarray(rows)
    return role, widened(rows, 1.0 if question == "next" else 0.0)


def set_names(name: str) -> dict[Role, str]:
    """The two sets of one model.

    Raises:
        ConfigError: the name is not one that every system takes.

    Example:
        >>> set_names("shop")
        {'source': 'shop_source', 'target': 'shop_target'}
    """
    plain = name.isascii() and name.replace("_", "").isalnum() and name[0].isalpha() and name == name.lower()
    if not plain or len(name) > NAME_CHARACTERS:
        raise ConfigError(
            f"the name {name[:80]!r}",
            fix=f"Use up to {NAME_CHARACTERS} lower-case letters, digits and underscores, a letter first.",
        )
    return {role: f"{name}_{role}" for role in ROLES}


def parts(num_nodes: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` nodes."""
    for begin in range(0, num_nodes, size):
        yield slice(begin, min(begin + size, num_nodes))
