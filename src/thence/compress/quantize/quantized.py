"""Embeddings in fewer bytes: codes of both roles, scored as they stand, saved with what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, ThenceError
from thence.base.ids import IdMap
from thence.compress.quantize.codes import Codes, bytes_of
from thence.compress.quantize.kinds import kind_named
from thence.compress.quantize.rescored import Rescored
from thence.compress.quantize.score import scored
from thence.encode.embeddings import Embeddings

ARTIFACT = "quantized"
SIDES = ("source", "target")


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedEmbeddings:
    """A scorer over codes: the score of i → j is ⟨source[i], target[j]⟩ + bias[j] of what they stand for.

    Args:
        ids: external id of each node.
        kind: how numbers are kept, one of :data:`~thence.compress.quantize.kinds.KINDS`.
        source: codes of the vectors as source.
        target: codes of the vectors as target.
        bias: ``[num_nodes]`` float32, kept as it is; None for noughts.
        metrics: what it costs, as measured (recall@20, HitRate@10, …).
        info: how the embeddings came about, JSON-able.

    Raises:
        DataError: the two sides, the ids or the bias are of different lengths.

    Example:
        >>> from thence.compress.quantize import quantize
        >>> source, target = np.array([[1.0, 0.0], [0.0, 0.5]]), np.array([[0.0, 0.5], [1.0, 0.0]])
        >>> small = quantize(Embeddings(IdMap(["phone", "case"]), source, target), "int8")
        >>> small
        QuantizedEmbeddings(2 nodes, dim 2, int8)
        >>> small.scores([0]).round(2).tolist()
        [[0.0, 1.0]]
    """

    ids: IdMap
    kind: str
    source: Codes
    target: Codes
    bias: np.ndarray | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for side in SIDES:
            codes: Codes = getattr(self, side)
            if codes.num_rows != len(self.ids):
                raise DataError(f"{codes.num_rows} {side} vectors for {len(self.ids)} ids")
        if self.source.dim != self.target.dim:
            raise DataError(f"source vectors have {self.source.dim} numbers, target vectors {self.target.dim}")
        if self.bias is not None and (self.bias.shape != (len(self.ids),) or not np.isfinite(self.bias).all()):
            raise DataError(f"the bias has shape {self.bias.shape} for {len(self.ids)} ids, or is not finite")

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"QuantizedEmbeddings({len(self.ids):,} nodes, dim {self.dim}, {self.kind})"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.source.dim

    @property
    def bytes(self) -> int:
        """Bytes of codes, scales, tables and bias: all but the ids."""
        bias = 0 if self.bias is None else self.bias.nbytes
        return bytes_of(self.source) + bytes_of(self.target) + bias

    @property
    def bytes_ratio(self) -> float:
        """How many times as many bytes float32 takes, the bias counted on both sides where there is one."""
        whole = 4 * len(self.ids) * (2 * self.dim + (self.bias is not None))
        return whole / max(self.bytes, 1)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return scored(self.source, self._nodes(sources), self.target, self._bias)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = self._nodes(targets)
        found = scored(self.target, own, self.source, np.zeros(len(self.ids), np.float32))
        return found if self.bias is None else found + self.bias[own][:, None]

    def embeddings(self) -> Embeddings:
        """The vectors that the codes stand for, float32."""
        every = slice(None)
        info = {**self.info, "decoded from": self.kind}
        return Embeddings(self.ids, self.source.decode(every), self.target.decode(every), self.bias, info)

    def rescored(self, exact: Embeddings, pool: int = 60) -> Rescored:
        """A scorer that scores its own ``pool`` best again with the exact vectors, which may be memory-mapped.

        Raises:
            DataError: the exact vectors are of other ids or of another length.
            ConfigError: the pool is below one.
        """
        return Rescored(self, exact, pool)

    def save(self, folder: str | Path) -> None:
        """Write an artifact of kind ``quantized`` (safetensors, Parquet), its figures in the manifest."""
        with write_artifact(folder, ARTIFACT) as draft:
            draft.table("ids", pa.table({"id": self.ids.array}))
            for side in SIDES:
                draft.tensors(side, getattr(self, side).tensors())
            if self.bias is not None:
                draft.tensors("bias", {"bias": self.bias})
            draft.counts.update(nodes=len(self.ids), dim=self.dim, bytes=self.bytes)
            draft.metrics.update(self.metrics)
            draft.config.update(kind=self.kind, info=dict(self.info))

    @classmethod
    def load(cls, folder: str | Path) -> QuantizedEmbeddings:
        """Open saved ones.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or not quantized embeddings.
        """
        art = open_artifact(folder, ARTIFACT)
        try:
            kind = str(art.config["kind"])
            source, target = (_opened(art, side, kind) for side in SIDES)
            bias = art.tensors("bias")["bias"] if "bias.safetensors" in art.files else None
            ids = IdMap(art.table("ids")["id"])
            return cls(ids, kind, source, target, bias, art.metrics, art.config["info"])
        except ArtifactError:
            raise
        except (ThenceError, TypeError, KeyError, ValueError, IndexError) as error:
            raise ArtifactError(f"inconsistent quantized embeddings: {error}", where=folder) from error

    @property
    def _bias(self) -> np.ndarray:
        return np.zeros(len(self.ids), np.float32) if self.bias is None else self.bias

    def _nodes(self, nodes: ArrayLike) -> np.ndarray:
        return np.asarray(nodes, np.int64).reshape(-1)


def _opened(art: Artifact, side: str, name: str) -> Codes:
    """Codes of one side, their dtypes and shapes checked."""
    kind, kept = kind_named(name), art.tensors(side)
    rows, dim = art.counts["nodes"], art.counts["dim"]
    if set(kept) != set(kind.dtypes):
        raise ArtifactError(f"{side} holds {sorted(kept)}, not {sorted(kind.dtypes)}", where=art.folder)
    for key, (dtype, axes) in kind.dtypes.items():
        if kept[key].dtype != dtype or kept[key].ndim != axes:
            raise ArtifactError(f"{side} {key} is {kept[key].dtype}{list(kept[key].shape)}", where=art.folder)
    codes = kind.open(kept, dim)
    if codes.num_rows != rows or codes.decode(slice(0, 1)).shape != (min(rows, 1), dim):
        raise ArtifactError(f"{side} codes do not fit {rows} nodes of {dim} numbers", where=art.folder)
    return codes
