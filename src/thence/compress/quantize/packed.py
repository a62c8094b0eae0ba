"""Codes of 1, 2 or 4 bits a number, with a factor a row that makes inner products unbiased.

A row x becomes whole numbers c_d, odd and evenly apart: ±1 with one bit (the signs), ±1 and ±3 with two,
±1 … ±15 with four. Their direction is near that of x; how near, the row knows: r = ⟨x, c⟩ / (‖x‖ ‖c‖). After a
random rotation of the space, what c lacks is spread evenly over all directions, so that for any vector q

    ⟨q, x⟩ ≈ ⟨q, c⟩ · ‖x‖² / ⟨x, c⟩

has the right mean over rotations, with a standard deviation of ‖q‖ ‖x‖ √((1 − r²) / (r² (dim − 1))) at most.
That is RaBitQ with one bit (there ⟨o, q⟩ ≈ ⟨ō, q⟩ / ⟨ō, o⟩ for unit vectors) and its extension with more. The
factor ‖x‖² / ⟨x, c⟩ is kept as ``scale``; r is kept with one bit alone, where the bound is wide enough to
matter.

When both sides have one bit in the same space, the mean is ‖q‖ ‖x‖ arcsin(cos) instead: larger for vectors that
point the same way, in the same order for vectors of the same length.

References:
    Gao and Long, RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate
    Nearest Neighbor Search, SIGMOD 2024, theorem 3.2 (the estimate and its bound).
    Gao et al., Practical and Asymptotically Optimal Quantization of High-Dimensional Vectors in Euclidean Space
    for Approximate Nearest Neighbor Search, SIGMOD 2025 (more bits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.compress.quantize.integers import WIDE

STEPS = {
    1: np.ones(1, np.float32),
    2: np.array([0.36, 0.42, 0.48, 0.54, 0.6], np.float32),
    4: np.array([0.1, 0.12, 0.14, 0.16, 0.18, 0.21], np.float32),
}
"""Half the step between codes, in root mean squares of the row; the one of the nearest direction is taken."""


@dataclass(frozen=True, eq=False)
class PackedRows:
    """Vectors as codes of a few bits.

    Args:
        codes: ``[num_rows, dim · bits / 8]`` uint8, the last byte filled up with noughts; the first
            dimension has the lowest bits, and bits k stand for the number 2 k + 1 − 2^bits.
        scale: ``[num_rows]`` float32, ‖x‖² / ⟨x, c⟩.
        cosine: ``[num_rows]`` float32, r; None with more than one bit.
        bits: 1, 2 or 4.
        dim: length of each vector.
    """

    codes: np.ndarray
    scale: np.ndarray
    cosine: np.ndarray | None
    bits: int
    dim: int

    @classmethod
    def fit(cls, vectors: np.ndarray, bits: int) -> PackedRows:
        """Code rows ``[num_rows, dim]`` float32.

        Example:
            >>> codes = PackedRows.fit(np.array([[0.5, -1.0, 0.25]], np.float32), bits=1)
            >>> codes.codes.tolist(), codes.scale.tolist()  # + − +, and 1.3125 / 1.75
            ([[5]], [0.75])
            >>> codes.decode(slice(None)).tolist()
            [[0.75, -0.75, 0.75]]
        """
        from thence.compress.quantize.kernel import code_rows

        rows, dim = vectors.shape
        codes = np.zeros((rows, -(-dim * bits // 8)), np.uint8)
        scale, cosine = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        code_rows(np.ascontiguousarray(vectors, np.float32), bits, STEPS[bits], codes, scale, cosine)
        return cls(codes, scale, cosine if bits == 1 else None, bits, dim)

    @property
    def num_rows(self) -> int:
        """How many vectors."""
        return len(self.codes)

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        """The vectors of some rows, float32."""
        return self.bytes_at(rows)[:, : self.dim] * self.scale[rows][:, None]

    def bytes_at(self, rows: np.ndarray | slice) -> np.ndarray:
        """The whole numbers of some rows, int8, filled up with noughts to a multiple of 8."""
        from thence.compress.quantize.kernel import spread_bits

        packed = np.ascontiguousarray(self.codes[rows])
        out = np.zeros((len(packed), self.dim + -self.dim % WIDE), np.int8)
        spread_bits(packed, self.bits, self.dim, out)
        return out

    def deviation(self, rows: np.ndarray | slice, length: float) -> np.ndarray:
        """Standard deviation, at most, of the estimate ⟨q, x⟩ for some rows and a q of this length, one bit.

        Example:
            >>> x = np.array([[3.0, 4.0]], np.float32)  # r = 7 / (5 √2)
            >>> PackedRows.fit(x, bits=1).deviation(slice(None), length=1.0).round(4)
            array([0.7143], dtype=float32)
        """
        cosine = np.ones(self.num_rows, np.float32) if self.cosine is None else self.cosine
        near = np.maximum(cosine[rows], np.float32(1e-6))
        norm = self.scale[rows] * np.float32(np.sqrt(self.dim)) * near
        return length * norm * np.sqrt(np.maximum(1 - near**2, 0) / max(self.dim - 1, 1)) / near

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        kept = {"codes": self.codes, "scale": self.scale}
        return kept if self.cosine is None else kept | {"cosine": self.cosine}
