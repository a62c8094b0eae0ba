"""Rows: one row of features a node, on disk, with the rows that are asked for most held in memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import Artifact, open_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.graph.rows.encoding import KINDS, Kept
from thence.graph.rows.gather import check_matrix, check_nodes, check_out, empty, fill
from thence.graph.rows.hot import Hot, hold
from thence.graph.rows.write import KIND, by_use, write_rows


class Rows:
    """A matrix ``[n, dim]`` that lies in a file; ``rows[nodes]`` is a float32 array ``[b, dim]``.

    Make one with :meth:`write` and :meth:`load`. What is held in memory is chosen once and does not change, so
    threads may read side by side.

    Args:
        matrix: ``[n, dim]`` float32, float16 or int8.
        scale: ``[n]`` float32 where the matrix is int8, else None.
        hot: rows that are held in memory; None for none.
        threads: how many share the work of one look-up. More threads than cores help where rows come from a
            disk: each waits for its own.

    Raises:
        DataError: the parts do not fit each other.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     Rows.write(f"{tmp}/rows", [np.eye(2, 4), 2 * np.eye(2, 4)], use=np.array([0, 5, 9, 1]))
        ...     rows = Rows.load(f"{tmp}/rows", cache_bytes=48)
        ...     print(rows, rows.hit_share([2, 0]))
        ...     rows[[3, 0]]
        Rows(4 × 4 float32, 2 in memory) 0.5
        array([[0., 2., 0., 0.],
               [1., 0., 0., 0.]], dtype=float32)
    """

    def __init__(
        self,
        matrix: np.ndarray,
        scale: np.ndarray | None = None,
        hot: Hot | None = None,
        threads: int = 1,
    ) -> None:
        if threads < 1:
            raise ConfigError(f"threads is {threads}", fix="It is at least 1.")
        self._matrix, self._scale, self._hot = check_matrix(matrix, scale), scale, hot
        if self._matrix.dtype.name not in KINDS or (self._matrix.dtype == np.int8) != (scale is not None):
            raise DataError(f"rows of {matrix.dtype} {'with' if scale is not None else 'without'} a scale")
        self.threads = threads

    def __repr__(self) -> str:
        """One line with the counts."""
        held = f", {len(self._hot.matrix):,} in memory" if self._hot else ""
        return f"Rows({len(self):,} × {self.dim} {self._matrix.dtype}{held})"

    def __len__(self) -> int:
        """How many rows."""
        return len(self._matrix)

    def __getitem__(self, nodes: Any) -> np.ndarray:
        """The rows of some nodes, see :meth:`gather`."""
        return self.gather(nodes)

    @property
    def dim(self) -> int:
        """How many numbers a row has."""
        return self._matrix.shape[1]

    @property
    def cached_bytes(self) -> int:
        """The memory that is held: rows, their scales, and the list of where each is."""
        return self._hot.nbytes if self._hot else 0

    def hit_share(self, nodes: Any) -> float:
        """The share of nodes whose row is held in memory."""
        nodes = check_nodes(nodes, len(self))
        if self._hot is None or not len(nodes):
            return 0.0
        return float((self._hot.places(nodes) >= 0).mean())

    def gather(self, nodes: Any, out: np.ndarray | None = None) -> np.ndarray:
        """The rows of some nodes as float32.

        Args:
            nodes: ``[b]`` ints in 0 … n - 1, in any order, repeats allowed.
            out: ``[b, dim]`` float32 where to put them; a new array when None.

        Returns:
            ``out``.

        Raises:
            DataError: a node is out of range, or ``out`` does not fit.
        """
        nodes = check_nodes(nodes, len(self))
        single = np.dtype(np.float32)
        out = empty(len(nodes), self.dim, single) if out is None else out
        check_out(out, (len(nodes), self.dim), single, scaled=False)
        if self._hot is None:
            fill(self._matrix, self._scale, (nodes, None), out, self.threads)
            return out
        places = self._hot.places(nodes)
        held, missing = np.flatnonzero(places >= 0), np.flatnonzero(places < 0)
        fill(self._hot.matrix, self._hot.scale, (places[held], held), out, self.threads)
        fill(self._matrix, self._scale, (nodes[missing], missing), out, self.threads)
        return out

    @staticmethod
    def write(
        folder: str | Path,
        chunks: Iterable[Any],
        *,
        kept: Kept = "float32",
        use: np.ndarray | None = None,
    ) -> None:
        """Write rows as an artifact, chunk by chunk, see :func:`~thence.graph.rows.write.write_rows`."""
        write_rows(folder, chunks, kept=kept, use=use)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        cache_bytes: int = 0,
        use: np.ndarray | None = None,
        threads: int = 1,
        verify: bool = True,
    ) -> Rows:
        """Open rows that :meth:`write` wrote.

        Args:
            folder: where they lie.
            cache_bytes: the most memory to hold rows in, everything counted that is held with them; 0: none.
            use: ``[n]`` how much each row is asked for; those asked for most are held. None: as it was written.
            threads: how many share the work of one look-up.
            verify: compare every file's SHA-256, which reads the whole; when False only sizes are compared.

        Raises:
            ArtifactError: it is absent, torn, tampered with, not rows, or makes no sense.
            ConfigError: ``cache_bytes`` is negative, or nobody has said which rows are asked for most.
            DataError: ``use`` does not fit.
        """
        if cache_bytes < 0:
            raise ConfigError(f"cache_bytes is {cache_bytes}", fix="It is at least 0.")
        art = open_artifact(folder, KIND, verify=verify)
        matrix, scale = _stored(art)
        hot = None
        if cache_bytes:
            order = by_use(use, len(matrix)) if use is not None else _order(art, len(matrix))
            hot = hold(matrix, scale, order, cache_bytes)
        return cls(_at_random(matrix), None if scale is None else _at_random(scale), hot, threads)


def _stored(art: Artifact) -> tuple[np.ndarray, np.ndarray | None]:
    """The matrix and the scale of an artifact, checked against what its manifest says."""
    matrix = art.array("matrix")
    kept, shape = art.config.get("kept"), (art.counts.get("rows"), art.counts.get("dim"))
    fits = matrix.dtype.name == kept and kept in KINDS and matrix.shape == shape
    scale = art.array("scale") if fits and kept == "int8" else None
    if scale is not None:
        fits = scale.dtype == np.float32 and scale.shape == shape[:1] and bool(np.isfinite(scale).all())
    if not (fits and matrix.flags.c_contiguous and matrix.ndim == 2):
        raise ArtifactError(
            "the matrix is not what the manifest says", where=art.folder, fix="Write the rows again."
        )
    return matrix, scale


def _order(art: Artifact, num_rows: int) -> np.ndarray:
    """The nodes from the most used to the least, as they were written."""
    if "hot.npy" not in art.files:
        raise ConfigError(
            "nobody has said which rows are asked for most",
            where=art.folder,
            fix="Pass use=, such as arcs.in_degree, here or when writing.",
        )
    order = art.array("hot")
    if order.dtype != np.int32 or order.shape != (num_rows,):
        raise ArtifactError(f"the order of use is {order.dtype} of shape {order.shape}", where=art.folder)
    if not np.array_equal(np.bincount(np.clip(order, 0, None), minlength=num_rows), np.ones(num_rows)):
        raise ArtifactError("the order of use does not hold every row once", where=art.folder)
    return order


def _at_random(array: np.ndarray) -> np.ndarray:
    """Tell the system not to read on behind what is touched: the next row lies elsewhere."""
    if isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_RANDOM)
    return array
