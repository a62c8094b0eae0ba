"""Embeddings: two vectors a node, one for its role as source and one for its role as target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap

KIND = "embeddings"


@dataclass(frozen=True, eq=False, repr=False)
class Embeddings:
    """The score of an arc i → j is ⟨source[i], target[j]⟩ + bias[j]; nothing in it is symmetric.

    Args:
        ids: external id of each node.
        source: ``[num_nodes, dim]`` float32.
        target: ``[num_nodes, dim]`` float32.
        bias: ``[num_nodes]`` float32, added for each target; zeros when not given.
        info: how they came about (encoder, settings, metrics), JSON-able; kept in the manifest.

    Example:
        >>> source, target = np.array([[1.0, 0.0], [0.0, 0.5]]), np.array([[0.0, 0.5], [1.0, 0.0]])
        >>> embeddings = Embeddings(IdMap(["phone", "case"]), source, target)
        >>> embeddings.scores([0]).tolist()  # from the phone: to the case 1, to itself 0
        [[0.0, 1.0]]
        >>> embeddings.scores_into([0]).tolist()  # into the phone: from the case 0.25
        [[0.0, 0.25]]
    """

    ids: IdMap
    source: np.ndarray
    target: np.ndarray
    bias: np.ndarray | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bias = np.zeros(len(self.ids)) if self.bias is None else self.bias
        for name, array in (("source", self.source), ("target", self.target), ("bias", bias)):
            if not np.isfinite(array).all():
                raise DataError(f"{name} embeddings hold values that are not finite")
            object.__setattr__(self, name, np.ascontiguousarray(array, dtype=np.float32))
        if self.source.shape != self.target.shape or self.source.ndim != 2:
            raise DataError(f"source has shape {self.source.shape}, target {self.target.shape}")
        if len(self.source) != len(self.ids):
            raise DataError(f"{len(self.source)} vectors for {len(self.ids)} ids")
        if bias.shape != (len(self.ids),):
            raise DataError(f"the bias has shape {bias.shape} for {len(self.ids)} ids")

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Embeddings({len(self.ids):,} nodes, dim {self.dim})"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.source.shape[1]

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return self.source[np.asarray(sources, np.int64)] @ self.target.T + self.bias

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        assert self.bias is not None  # set in __post_init__
        own = np.asarray(targets, np.int64)
        return self.target[own] @ self.source.T + self.bias[own][:, None]

    def save(self, folder: str | Path) -> None:
        """Write them as an artifact of kind ``embeddings`` (safetensors and Parquet)."""
        assert self.bias is not None
        with write_artifact(folder, KIND) as draft:
            draft.table("ids", pa.table({"id": self.ids.array}))
            draft.tensors("embeddings", {"source": self.source, "target": self.target, "bias": self.bias})
            draft.counts.update(nodes=len(self.ids), dim=self.dim)
            draft.config.update(self.info)

    @classmethod
    def load(cls, folder: str | Path) -> Embeddings:
        """Open saved embeddings.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or not embeddings.
        """
        art = open_artifact(folder, KIND)
        try:
            return cls(IdMap(art.table("ids")["id"]), **art.tensors("embeddings"), info=art.config)
        except (DataError, TypeError, KeyError) as error:
            raise ArtifactError(f"inconsistent embeddings: {error}", where=folder) from error
