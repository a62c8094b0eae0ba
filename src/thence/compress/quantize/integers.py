"""Whole numbers of 8 bits, with one scale a row or one a dimension.

    x̂ = s · c,   c = round(x / s) in −127 … 127,   s = max |x| / 127,   so |x − x̂| ≤ s / 2

The maximum is over the row or over the dimension. With one scale a row the
product of two vectors is a product of whole numbers, ⟨x, y⟩ ≈ s_x s_y Σ c_x c_y, which is exact and fast.

References:
    Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
    CVPR 2018, equation 1 (here symmetric, with zero as zero).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.compress.quantize.codes import row_blocks

SMALLEST = np.float32(1.2e-38)
WIDE = 8
"""Codes of a row come in multiples of so many."""


@dataclass(frozen=True, eq=False)
class ByteRows:
    """Vectors as signed bytes with one scale a row.

    Args:
        codes: ``[num_rows, dim]`` int8; filled up to a multiple of 8, the last few may be padding.
        scale: ``[num_rows]`` float32.
        dim: length of each vector.
    """

    codes: np.ndarray
    scale: np.ndarray
    dim: int

    @classmethod
    def fit(cls, vectors: np.ndarray) -> ByteRows:
        """One scale a row.

        Example:
            >>> codes = ByteRows.fit(np.array([[0.5, -1.0, 0.25]], np.float32))
            >>> codes.codes.tolist(), codes.decode(slice(None)).round(3)
            ([[64, -127, 32, 0, 0, 0, 0, 0]], array([[ 0.504, -1.   ,  0.252]], dtype=float32))
        """
        codes, scale = levels(vectors, 127, axis=1)
        return cls(padded(codes, WIDE), scale, vectors.shape[1])

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        return len(self.codes)

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some rows, float32."""
        return self.codes[rows, : self.dim] * self.scale[rows][:, None]

    def bytes_at(self, rows: np.ndarray | slice) -> np.ndarray:
        """The codes of some rows, int8, padding included."""
        return self.codes[rows]

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes, "scale": self.scale}


@dataclass(frozen=True, eq=False)
class ByteDims:
    """Vectors as signed bytes with one scale a dimension.

    Args:
        codes: ``[num_rows, dim]`` int8.
        scale: ``[dim]`` float32.
    """

    codes: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray) -> ByteDims:
        """One scale a dimension.

        Example:
            >>> codes = ByteDims.fit(np.array([[1.0, 100.0], [0.5, 20.0]], np.float32))
            >>> codes.codes.tolist()
            [[127, 127], [64, 25]]
        """
        return cls(*levels(vectors, 127, axis=0))

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        return len(self.codes)

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.codes.shape[1]

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some rows, float32."""
        return self.codes[rows] * self.scale

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes, "scale": self.scale}


def levels(vectors: np.ndarray, most: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes int8 in −most … most, and the scale of each row (axis 1) or each dimension (axis 0).

    What is nought throughout has the scale nought and comes back as it was.
    """
    codes = np.empty(vectors.shape, np.int8)
    blocks = list(row_blocks(len(vectors)))
    largest = [np.abs(vectors[block]).max(axis=axis, initial=0) for block in blocks]
    if axis:
        whole = np.concatenate(largest) if largest else np.zeros(0, np.float32)
    else:
        whole = np.max([*largest, np.zeros(vectors.shape[1], np.float32)], axis=0)
    scale = np.where(whole > 0, np.maximum(whole / np.float32(most), SMALLEST), 0).astype(np.float32)
    divisor = np.where(scale > 0, scale, np.float32(1))
    for block in blocks:
        by = divisor[block][:, None] if axis else divisor
        codes[block] = np.clip(np.rint(vectors[block] / by), -most, most)
    return codes, scale


def padded(codes: np.ndarray, multiple: int) -> np.ndarray:
    """Codes with dimensions of nought behind, so that their number is a multiple."""
    missing = -codes.shape[1] % multiple
    return np.ascontiguousarray(np.pad(codes, ((0, 0), (0, missing))))
