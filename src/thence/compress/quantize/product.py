"""Product quantization: each vector as a few bytes that name the nearest of 256 prototypes of each part.

Vectors are cut into parts of four numbers; each part has 256 prototypes, found by k-means, and is kept as the
number of the nearest one: a byte for 16, a sixteenth of float32. A factor a row, ‖x‖² / ⟨x, x̂⟩, gives back the
length that the mean of a cell lacks. For one query the products with all prototypes are computed first, and a
score is a sum over this table (asymmetric distance computation); for many, rows are decoded.

References:
    Jégou, Douze and Schmid, Product Quantization for Nearest Neighbor Search, IEEE TPAMI 2011, section III.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from thence.base.errors import DataError
from thence.base.library import library
from thence.base.rng import derive_seed

PART, PROTOTYPES = 4, 256
PASSES, PER_PROTOTYPE = 12, 256
"""Passes of k-means, and rows a prototype that it looks at."""


@dataclass(frozen=True, eq=False)
class ProductRows:
    """Vectors as numbers of prototypes.

    Args:
        codes: ``[num_rows, parts]`` uint8.
        table: ``[parts, 256, 4]`` float16, the prototypes.
        scale: ``[num_rows]`` float32.
        dim: length of each vector; the last part may be longer than what is left of it.
    """

    codes: np.ndarray
    table: np.ndarray
    scale: np.ndarray
    dim: int

    @classmethod
    def fit(cls, vectors: np.ndarray, seed: int) -> ProductRows:
        """Find the prototypes and code rows ``[num_rows, dim]`` float32.

        Raises:
            DataError: there are fewer rows than prototypes.
        """
        faiss = library("faiss", "faiss-cpu")
        rows, dim = vectors.shape
        if rows < PROTOTYPES:
            raise DataError(
                f"{rows} vectors are too few for {PROTOTYPES} prototypes", fix="Choose int8, int4 or int2."
            )
        filled = np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, -dim % PART))), np.float32)
        found = faiss.ProductQuantizer(filled.shape[1], filled.shape[1] // PART, 8)
        found.cp.niter, found.cp.min_points_per_centroid = PASSES, 1
        found.cp.max_points_per_centroid, found.cp.seed = PER_PROTOTYPE, derive_seed(seed, "k-means") % 2**31
        found.train(filled)
        table = faiss.vector_to_array(found.centroids).reshape(-1, PROTOTYPES, PART).astype(np.float16)
        coded = cls(found.compute_codes(filled), table, np.ones(rows, np.float32), dim)
        return cls(coded.codes, table, lengths(vectors, coded), dim)

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        return len(self.codes)

    @cached_property
    def wide(self) -> np.ndarray:
        """The prototypes as float32."""
        return self.table.astype(np.float32)

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some rows, float32."""
        from thence.compress.quantize.kernel import look_up

        codes = np.ascontiguousarray(self.codes[rows])
        out = np.empty((len(codes), codes.shape[1] * PART), np.float32)
        look_up(codes, self.wide, np.ascontiguousarray(self.scale[rows]), out)
        return out[:, : self.dim]

    def products(self, vectors: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """``⟨vectors[i], row j⟩ + bias[j]`` by sums over a table, for one query or a few."""
        from thence.compress.quantize.kernel import sum_tables

        asked = np.pad(vectors, ((0, 0), (0, -self.dim % PART))).reshape(len(vectors), -1, PART)
        out = np.empty((len(vectors), self.num_rows), np.float32)
        for part, into in zip(asked, out, strict=True):
            sum_tables(self.codes, np.einsum("pkd,pd->pk", self.wide, part), self.scale, bias, into)
        return out

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes, "table": self.table, "scale": self.scale}


def lengths(vectors: np.ndarray, coded: ProductRows, batch: int = 4096) -> np.ndarray:
    """``[num_rows]`` float32: ‖x‖² / ⟨x, x̂⟩, and 1 where the two do not point the same way."""
    scale = np.ones(len(vectors), np.float32)
    for start in range(0, len(vectors), batch):
        part = slice(start, start + batch)
        along = np.einsum("nd,nd->n", vectors[part], coded.decode(part))
        whole = np.einsum("nd,nd->n", vectors[part], vectors[part])
        np.divide(whole, along, out=scale[part], where=along > 0.1 * whole)
    return scale
