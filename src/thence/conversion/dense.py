"""Vectors of items (of texts, of graphs) as further numbers of an exposure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.conversion.exposures import Exposures
from thence.encode.embeddings import Embeddings

Role = Literal["source", "target"]


def with_embeddings(
    exposures: Exposures,
    ids: Sequence[Any] | pa.Array | pa.ChunkedArray,
    embeddings: Embeddings,
    *,
    role: Role = "target",
    name: str = "item",
) -> Exposures:
    """Exposures with the embedding of their item as further numbers.

    An item that the embeddings do not know has NaN, which the networks read as 0 with a flag of its own. The
    embeddings must have been fitted before the first clock that a model is fitted at: that is not checked here.

    Args:
        exposures: ``n`` of them; numbers are held in memory, 4 · dim bytes an exposure.
        ids: ``[n]`` external id of each exposure's item, in the order of the exposures; None for none.
        embeddings: of graphs (``thence.encode``) or of texts.
        role: which of an item's two vectors.
        name: begins the names of the new columns.

    Raises:
        ConfigError: there is no such role.
        DataError: ids and exposures differ in number, or no id is known at all.

    Example:
        >>> shown = Exposures.make([0, 1], [5, 9], window=50)
        >>> known = Embeddings(IdMap(["case"]), np.zeros((1, 2)), np.array([[1.0, 2.0]]))
        >>> with_embeddings(shown, ["case", "phone"], known).features.numbers.tolist()
        [[1.0, 2.0], [nan, nan]]
    """
    if role not in ("source", "target"):
        raise ConfigError(f"role is {role!r}", fix="Choose source or target.")
    return with_vectors(exposures, ids, embeddings.ids, getattr(embeddings, role), name=name)


def with_vectors(
    exposures: Exposures,
    ids: Sequence[Any] | pa.Array | pa.ChunkedArray,
    known: IdMap,
    vectors: np.ndarray,
    *,
    name: str = "item",
) -> Exposures:
    """The same from a plain table of vectors.

    Args:
        exposures: ``n`` of them.
        ids: ``[n]`` external ids, in the order of the exposures.
        known: ids of the vectors.
        vectors: ``[m, dim]`` float.
        name: begins the names of the new columns.

    Raises:
        DataError: arrays do not fit together, or no id is known at all.
    """
    if len(ids) != len(exposures):
        raise DataError(f"{len(ids):,} ids for {len(exposures):,} exposures")
    vectors = np.asarray(vectors, np.float32)
    if vectors.ndim != 2 or len(vectors) != len(known):
        raise DataError(f"vectors {vectors.shape} for {len(known):,} ids")
    row = known.encode(ids, missing="mark")
    if len(row) and (row < 0).all():
        raise DataError("no exposure has an id that the embeddings know", fix="Ids are case-sensitive strings.")
    unknown = np.full((1, vectors.shape[1]), np.nan, np.float32)
    found = np.concatenate([vectors, unknown])[row]  # unknown ids are -1, the last row
    names = tuple(f"{name} embedding {k}" for k in range(vectors.shape[1]))
    return exposures.with_features(exposures.features.adding(found, names))
