"""Numbers of 16 bits: float16 (11 bits of precision, up to 65,504) and bfloat16 (8 bits, float32's range).

float16 rounds a normal number by at most 2⁻¹¹ of itself, bfloat16 by 2⁻⁸; both to the nearest, ties to even.

References:
    IEEE 754-2019, binary16; Kalamkar et al., A Study of BFLOAT16 for Deep Learning Training, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.errors import DataError

LARGEST = 65_504.0


@dataclass(frozen=True, eq=False)
class Halves:
    """Vectors as float16.

    Args:
        codes: ``[num_rows, dim]`` float16.
    """

    codes: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray) -> Halves:
        """Round to the nearest.

        Raises:
            DataError: a number is too large for float16.

        Example:
            >>> Halves.fit(np.array([[1.0, 0.1]], np.float32)).decode(slice(None)).tolist()
            [[1.0, 0.0999755859375]]
        """
        if vectors.size and np.abs(vectors).max() > LARGEST:
            raise DataError("a number is too large for float16", fix="Choose bfloat16 or int8.")
        return cls(vectors.astype(np.float16))

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
        from thence.graph.rows import gather

        wanted = np.arange(self.num_rows)[rows] if isinstance(rows, slice) else rows
        return gather(self.codes, wanted, np.empty((len(wanted), self.dim), np.float32))

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes}


@dataclass(frozen=True, eq=False)
class BrainHalves:
    """Vectors as bfloat16, the upper 16 bits of a float32.

    Args:
        codes: ``[num_rows, dim]`` uint16, the bits.
    """

    codes: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray) -> BrainHalves:
        """Round to the nearest, ties to the even one.

        Example:
            >>> BrainHalves.fit(np.array([[1.0, 0.1]], np.float32)).decode(slice(None)).tolist()
            [[1.0, 0.10009765625]]
        """
        bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32)
        upper = bits >> np.uint32(16)
        return cls(((bits + np.uint32(0x7FFF) + (upper & np.uint32(1))) >> np.uint32(16)).astype(np.uint16))

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
        return (self.codes[rows].astype(np.uint32) << np.uint32(16)).view(np.float32)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {"codes": self.codes}
