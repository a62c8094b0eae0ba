"""Embeddings in fewer bytes: codes of both roles, scored as they stand, saved with what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.compress.quantize.codes import Codes, bytes_of
from thence.compress.quantize.rescored import Rescored, nodes_of
from thence.compress.quantize.score import scored, scored_by
from thence.compress.quantize.space import Space
from thence.encode.embeddings import Embeddings

SIDES = ("source", "target")


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedEmbeddings:
    """A scorer over codes: s(i → j) is ⟨source[i], target[j]⟩ + own[i] + bias[j] of what they stand for.

    Args:
        ids: external id of each node.
        kind: how numbers are kept, one of :data:`~thence.compress.quantize.kinds.KINDS`.
        source: codes of the vectors as source.
        target: codes of the vectors as target.
        bias: ``[num_nodes]`` float32, what each target adds; None for noughts.
        own: ``[num_nodes]`` float32, what each source adds; None for noughts. It orders nothing for a source.
        space: what vectors are brought into before they are coded; None where they are coded as they are.
        metrics: what it costs, as measured (recall@20, HitRate@10, …).
        info: how the embeddings came about, JSON-able.

    Raises:
        DataError: the two sides, the ids, the space or what is added are of different lengths.

    Example:
        >>> from thence.compress.quantize import quantize
        >>> source, target = np.array([[1.0, 0.0], [0.0, 0.5]]), np.array([[0.0, 0.5], [1.0, 0.0]])
        >>> small = quantize(Embeddings(IdMap(["phone", "case"]), source, target), "int8")
        >>> small
        QuantizedEmbeddings(2 nodes, dim 2, int8)
        >>> small.scores([0]).round(1).tolist()
        [[0.0, 1.0]]
    """

    ids: IdMap
    kind: str
    source: Codes
    target: Codes
    bias: np.ndarray | None = None
    own: np.ndarray | None = None
    space: Space | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for side in SIDES:
            codes: Codes = getattr(self, side)
            if codes.num_rows != len(self.ids):
                raise DataError(f"{codes.num_rows} {side} vectors for {len(self.ids)} ids")
        if self.source.dim != self.target.dim:
            raise DataError(f"source vectors have {self.source.dim} numbers, target vectors {self.target.dim}")
        if self.space is not None:
            shapes = {array.shape[-1] for array in self.space.tensors().values()}
            if shapes != {self.dim} or not np.isfinite(1 / self.space.gain).all():
                raise DataError(f"the space has {sorted(shapes)} dimensions, the vectors {self.dim}")
        for name, added in (("bias", self.bias), ("own", self.own)):
            if added is not None and (added.shape != (len(self.ids),) or not np.isfinite(added).all()):
                raise DataError(f"{name} has shape {added.shape} for {len(self.ids)} ids, or is not finite")

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"QuantizedEmbeddings({len(self.ids):,} nodes, dim {self.dim}, {self.kind})"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.source.dim

    @property
    def bytes(self) -> int:
        """Bytes of codes, factors, tables, space and what is added: all but the ids."""
        rest = [] if self.space is None else list(self.space.tensors().values())
        rest += [added for added in (self.bias, self.own) if added is not None]
        return bytes_of(self.source) + bytes_of(self.target) + sum(array.nbytes for array in rest)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node.

        Raises:
            DataError: a node is out of range, or no whole number.
        """
        asked = nodes_of(sources, len(self.ids))
        return self._lifted(
            scored(self.source, asked, self.target, self._or_nought(self.bias)), self.own, asked
        )

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        asked = nodes_of(targets, len(self.ids))
        return self._lifted(
            scored(self.target, asked, self.source, self._or_nought(self.own)), self.bias, asked
        )

    def scores_by(self, exact: Embeddings, sources: ArrayLike) -> np.ndarray:
        """As :meth:`scores`, but who asks is taken from exact vectors: only who answers is coded.

        Raises:
            DataError: the exact vectors are of other ids or of another length.
        """
        asked = nodes_of(sources, len(self.ids))
        vectors = self._in_space(exact, asked, "source")
        return self._lifted(scored_by(vectors, self.target, self._or_nought(self.bias)), self.own, asked)

    def scores_into_by(self, exact: Embeddings, targets: ArrayLike) -> np.ndarray:
        """As :meth:`scores_into`, but who asks is taken from exact vectors.

        Raises:
            DataError: the exact vectors are of other ids or of another length.
        """
        asked = nodes_of(targets, len(self.ids))
        vectors = self._in_space(exact, asked, "target")
        return self._lifted(scored_by(vectors, self.source, self._or_nought(self.own)), self.bias, asked)

    def embeddings(self) -> Embeddings:
        """The vectors that the codes stand for, float32, with the same scores.

        Where sources add something of their own (``own``), vectors are one longer: sources end in it, targets
        in 1. Means that were taken away stay away.
        """
        source, target = (self._decoded(side) for side in SIDES)
        if self.own is not None:
            source = np.concatenate([source, self.own[:, None]], axis=1)
            target = np.concatenate([target, np.ones((len(target), 1), np.float32)], axis=1)
        return Embeddings(self.ids, source, target, self.bias, {**self.info, "decoded_from": self.kind})

    def rescored(self, exact: Embeddings, pool: int = 60) -> Rescored:
        """A scorer that scores its own ``pool`` best again with the exact vectors, which may be memory-mapped.

        Raises:
            DataError: the exact vectors are of other ids or of another length.
            ConfigError: the pool is below one.
        """
        self._check(exact)
        return Rescored(self, exact, pool)

    def with_metrics(self, metrics: Mapping[str, float]) -> QuantizedEmbeddings:
        """The same with other figures of what it costs."""
        return replace(self, metrics=dict(metrics))

    def save(self, folder: str | Path) -> None:
        """Write an artifact of kind ``quantized`` (safetensors, Parquet), its figures in the manifest."""
        from thence.compress.quantize.keep import save

        save(self, folder)

    @classmethod
    def load(cls, folder: str | Path) -> QuantizedEmbeddings:
        """Open saved ones.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or not quantized embeddings.
        """
        from thence.compress.quantize.keep import load

        return load(folder)

    def _decoded(self, side: str) -> np.ndarray:
        vectors = getattr(self, side).decode(slice(None))
        return vectors if self.space is None else self.space.back(vectors, side)

    def _in_space(self, exact: Embeddings, asked: np.ndarray, side: str) -> np.ndarray:
        self._check(exact)
        vectors = getattr(exact, side)[asked]
        return vectors if self.space is None else self.space.into(vectors, side)

    def _check(self, exact: Embeddings) -> None:
        if exact.ids != self.ids or exact.dim != self.dim:
            raise DataError(
                f"the exact vectors are {exact!r}", where=repr(self), fix="Give what was quantized."
            )

    def _or_nought(self, added: np.ndarray | None) -> np.ndarray:
        return np.zeros(len(self.ids), np.float32) if added is None else added

    @staticmethod
    def _lifted(block: np.ndarray, added: np.ndarray | None, asked: np.ndarray) -> np.ndarray:
        """What who asks adds to each of its scores."""
        if added is not None:
            block += added[asked][:, None]
        return block
