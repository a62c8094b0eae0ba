"""Whole numbers of 8 and of 4 bits, with one scale a row or one a dimension.

    x̂ = s · c,   c = round(x / s) in −L … L,   s = max |x| / L,   so |x − x̂| ≤ s / 2

L is 127 for 8 bits and 7 for 4; the maximum is over the row or over the dimension. With one scale a row the
product of two vectors is a product of whole numbers, ⟨x, y⟩ ≈ s_x s_y Σ c_x c_y, which is exact and fast.

References:
    Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
    CVPR 2018, equation 1 (here symmetric, with zero as zero).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SMALLEST = np.float32(1.2e-38)
WORD = 4


@dataclass(frozen=True, eq=False)
class ByteRows:
    """Vectors as signed bytes with one scale a row.

    Args:
        codes: ``[num_rows, dim]`` int8; dim is a multiple of 4, the last few may be padding.
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
            >>> codes.codes.tolist(), codes.decode(slice(None)).round(3).tolist()
            ([[64, -127, 32, 0]], [[0.504, -1.0, 0.252]])
        """
        codes, scale = levels(vectors, 127, axis=1)
        return cls(padded(codes, WORD), scale, vectors.shape[1])

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


@dataclass(frozen=True, eq=False)
class NibbleRows:
    """Vectors as signed codes of four bits, two a byte, with one scale a row.

    Args:
        codes: ``[num_rows, dim / 2]`` uint8: the lower half is the even dimension's code + 8, the upper
            half the odd one's; dim is a multiple of 4, the last few may be padding.
        scale: ``[num_rows]`` float32.
        dim: length of each vector.
    """

    codes: np.ndarray
    scale: np.ndarray
    dim: int

    @classmethod
    def fit(cls, vectors: np.ndarray) -> NibbleRows:
        """One scale a row.

        Example:
            >>> codes = NibbleRows.fit(np.array([[0.5, -1.0, 0.25, 0.0]], np.float32))
            >>> codes.codes.tolist()  # 4 and −7, 2 and 0, each + 8
            [[28, 138]]
            >>> codes.decode(slice(None)).round(3).tolist()
            [[0.571, -1.0, 0.286, 0.0]]
        """
        codes, scale = levels(vectors, 7, axis=1)
        raised = (padded(codes, WORD) + np.int8(8)).astype(np.uint8)
        return cls(raised[:, ::2] | (raised[:, 1::2] << np.uint8(4)), scale, vectors.shape[1])

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        return len(self.codes)

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some rows, float32."""
        return self.bytes_at(rows)[:, : self.dim] * self.scale[rows][:, None]

    def bytes_at(self, rows: np.ndarray | slice) -> np.ndarray:
        """The codes of some rows, int8 in −7 … 7, padding included."""
        from thence.compress.quantize.kernel import spread_nibbles

        packed = np.ascontiguousarray(self.codes[rows])
        out = np.empty((len(packed), 2 * packed.shape[1]), np.int8)
        spread_nibbles(packed, out)
        return out

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes, "scale": self.scale}


def levels(vectors: np.ndarray, most: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes int8 in −most … most, and the scale of each row (axis 1) or each dimension (axis 0).

    What is nought throughout has the scale nought and comes back as it was.
    """
    largest = np.abs(vectors).max(axis=axis, initial=0)
    scale = np.where(largest > 0, np.maximum(largest / np.float32(most), SMALLEST), 0).astype(np.float32)
    divisor = np.where(scale > 0, scale, np.float32(1))
    divisor = divisor[:, None] if axis else divisor
    return np.clip(np.rint(vectors / divisor), -most, most).astype(np.int8), scale


def padded(codes: np.ndarray, multiple: int) -> np.ndarray:
    """Codes with dimensions of nought behind, so that their number is a multiple."""
    missing = -codes.shape[1] % multiple
    return np.ascontiguousarray(np.pad(codes, ((0, 0), (0, missing))))
