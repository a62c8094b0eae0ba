"""The best of a fast scorer scored again exactly: codes find the pool, the vectors themselves order it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer


def nodes_of(nodes: ArrayLike, num_nodes: int) -> np.ndarray:
    """``[n]`` int64 nodes, checked: -1 is not the last one here, nor 0.5 the first.

    Raises:
        DataError: a node is out of range, or no whole number.

    Example:
        >>> nodes_of(2, num_nodes=3)
        array([2])
    """
    found = np.asarray(nodes).reshape(-1)
    if found.size and (found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= num_nodes):
        raise DataError(f"nodes {found[:5].tolist()}", fix=f"Give whole numbers from 0 to {num_nodes - 1}.")
    return found.astype(np.int64)


@runtime_checkable
class ByExact(Protocol):
    """A scorer over codes that can be asked by exact vectors, which loses less than asking by codes."""

    def scores_by(self, exact: Embeddings, sources: ArrayLike) -> np.ndarray:
        """As ``scores``."""
        ...

    def scores_into_by(self, exact: Embeddings, targets: ArrayLike) -> np.ndarray:
        """As ``scores_into``."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Rescored:
    """A scorer whose ``pool`` greatest scores a query are exact; all others stand below them.

    Outside the pool the order of the codes is kept: their scores are lowered together until the greatest is no
    more than the least of the pool, so that a filter which empties the pool still finds answers. Which scores
    are exact depends on who asks, so ``scores`` and ``scores_into`` may differ outside both pools.

    Args:
        fast: what finds the pool.
        exact: the vectors themselves; a memory map is read at the pool's rows alone.
        pool: how many of each query's answers are scored again.

    Raises:
        DataError: the two are of different ids.
        ConfigError: the pool is below one.

    Example:
        >>> source, target = np.eye(3), np.array([[0.0, 0.9, 1.0], [1.0, 0.0, 0.1], [0.1, 0.2, 0.0]])
        >>> exact = Embeddings(IdMap("abc"), source, target)
        >>> rough = Embeddings(IdMap("abc"), source, target.round())
        >>> Rescored(rough, exact, pool=1).scores([1]).round(2)
        array([[0.9, 0. , 0. ]], dtype=float32)
    """

    fast: Scorer
    exact: Embeddings
    pool: int

    def __post_init__(self) -> None:
        if self.fast.ids != self.exact.ids:
            raise DataError(
                "the exact vectors are of other ids than the codes", fix="Quantize these embeddings."
            )
        if self.pool < 1:
            raise ConfigError(f"the pool is {self.pool}", fix="Take at least as many as are asked for.")

    def __repr__(self) -> str:
        """One line."""
        return f"Rescored({self.fast!r}, pool {self.pool})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.exact.ids

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]``, the pool of each source exact."""
        asked, fast = nodes_of(sources, len(self.ids)), self.fast
        rough = fast.scores_by(self.exact, asked) if isinstance(fast, ByExact) else fast.scores(asked)
        return self._again(np.array(rough), self.exact.source, asked, self.exact.target, own=False)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]``, the pool of each target exact."""
        asked, fast = nodes_of(targets, len(self.ids)), self.fast
        rough = fast.scores_into_by(self.exact, asked) if isinstance(fast, ByExact) else fast.scores_into(asked)
        return self._again(np.array(rough), self.exact.target, asked, self.exact.source, own=True)

    def _again(
        self, block: np.ndarray, asking: np.ndarray, asked: np.ndarray, answering: np.ndarray, *, own: bool
    ) -> np.ndarray:
        bias, pool = self.exact.bias, min(self.pool, block.shape[1])
        assert bias is not None  # Embeddings sets it
        for row, node in zip(block, asked, strict=True):
            best = np.argpartition(row, len(row) - pool)[len(row) - pool :]
            again = answering[best] @ asking[node] + (bias[node] if own else bias[best])
            rest = np.ones(len(row), bool)
            rest[best] = False
            if pool < len(row):
                least = again.min()
                lowered = row[rest] + min(np.float32(0), least - row[rest].max())
                row[rest] = np.minimum(lowered, least)  # sums are rounded
            row[best] = again
        return block
