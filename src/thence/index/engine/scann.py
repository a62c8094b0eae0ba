"""ScaNN: a tree of clusters, and codes that err along the row rather than across it.

The library's own exact scores are left out: they would keep a second copy of the vectors. ScaNN takes no seed,
so that two builds differ a little; the answers of one build do not change.

Reference: Guo, Sun, Lindgren, Geng, Simcha, Chern, Kumar, *Accelerating large-scale inference with anisotropic
vector quantization*, 2020.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError
from thence.base.library import library
from thence.base.mapped import read_array
from thence.index.engine.engine import reaches_up_to, readable

MODULE = "scann.scann_ops.py.scann_ops_pybind"
ASSETS = "scann_assets.pbtxt"
SIZES = "scann_sizes.npy"
THRESHOLD = 0.2
"""Of the anisotropic loss: the value that the library's authors advise for inner products of unit-like rows."""
ADDED_AT_ONCE = 1024
CODE_NS, POOL_NS, ROUTE_NS = 2.0, 220.0, 4.0


@dataclass(frozen=True, eq=False)
class ScannEngine:
    """A ScaNN searcher. Build one with :func:`train_scann`."""

    searcher: Any
    lists: int
    width: int

    @property
    def num_rows(self) -> int:
        """How many rows it holds."""
        return int(self.searcher.size())

    @property
    def reaches(self) -> tuple[int, ...]:
        """Powers of two, and their halves again, up to the number of leaves."""
        return reaches_up_to(self.lists)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Number of leaves."""
        return {"lists": self.lists}

    def most(self, reach: int) -> int:
        """All rows."""
        return self.num_rows

    def candidates(self, queries: np.ndarray, pool: int, reach: int) -> np.ndarray:
        """Rows with the greatest approximate scores in the ``reach`` nearest leaves."""
        asked = np.ascontiguousarray(queries, np.float32)
        leaves = min(reach, self.lists)
        rows, scores = self.searcher.search_batched(asked, pool, -1, leaves, False, 0)
        found = rows.astype(np.int64)
        found[np.isnan(scores)] = -1
        return found

    def cost(self, reach: int, pool: int) -> float:
        """Routing, scanning of codes, and exact scores of the pool."""
        scanned = self.num_rows * min(reach, self.lists) / self.lists
        return self.width / 128 * (ROUTE_NS * self.lists + CODE_NS * scanned + POOL_NS * pool)

    def grown(self, chunks: Iterable[np.ndarray]) -> ScannEngine:
        """A copy with more rows."""
        with tempfile.TemporaryDirectory() as folder:
            self.write(Path(folder))
            copy = read_scann(Path(folder))
        for rows in chunks:
            for begin in range(0, len(rows), ADDED_AT_ONCE):
                part = np.ascontiguousarray(rows[begin : begin + ADDED_AT_ONCE], np.float32)
                copy.searcher.upsert([None] * len(part), part, len(part))
        return copy

    def write(self, folder: Path) -> None:
        """ScaNN's files, none of which is a pickle, and the sizes."""
        self.searcher.serialize(str(folder), True)
        np.save(folder / SIZES, np.array([self.lists, self.width], np.int64))


def train_scann(rows: np.ndarray, *, lists: int, sample: int) -> ScannEngine:
    """A structure over ``[n, width]`` float32 rows, its leaves trained on ``sample`` of them.

    Raises:
        ConfigError: scann is not installed.
    """
    module = library(MODULE, "'thence[scann]'")
    builder = module.builder(np.ascontiguousarray(rows, np.float32), 1, "dot_product")
    builder = builder.tree(
        num_leaves=lists, num_leaves_to_search=1, training_sample_size=min(sample, len(rows))
    ).score_ah(2, anisotropic_quantization_threshold=THRESHOLD)
    return ScannEngine(builder.build().searcher, lists, rows.shape[1])


def read_scann(folder: Path) -> ScannEngine:
    """What :meth:`ScannEngine.write` wrote.

    Raises:
        ArtifactError: the files cannot be read.
        ConfigError: scann is not installed.
    """
    library(MODULE, "'thence[scann]'")
    numpy_searcher = library("scann_pybind", "'thence[scann]'").ScannNumpy
    text = readable(folder / ASSETS, (folder / ASSETS).read_text)
    sizes = readable(folder / SIZES, lambda: read_array(folder / SIZES))
    if sizes.shape != (2,):
        raise ArtifactError("the structure cannot be read: its sizes are missing", where=folder)
    searcher = readable(folder, lambda: numpy_searcher(str(folder), text))
    return ScannEngine(searcher, int(sizes[0]), int(sizes[1]))
