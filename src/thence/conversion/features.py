"""What is known of an exposure when it is made: hashed categories and numbers, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """Rows of features.

    Args:
        codes: ``[n, c]`` int32; category of each column, from 0 and below the column's buckets.
        numbers: ``[n, q]`` float32; NaN for unknown.
        buckets: how many categories each of the ``c`` columns can have.
        names: of the ``c`` columns of codes, then of the ``q`` columns of numbers; numbered where not given.

    Raises:
        DataError: shapes, buckets or names do not fit together, or a code is out of range.

    Example:
        >>> Features(np.array([[1], [0]]), np.zeros((2, 1)), buckets=(2,))
        Features(2 rows, 1 categorical of 2 buckets, 1 numeric)
    """

    codes: np.ndarray
    numbers: np.ndarray
    buckets: tuple[int, ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        codes, numbers = np.asarray(self.codes, np.int32), np.asarray(self.numbers, np.float32)
        if codes.ndim != 2 or numbers.ndim != 2 or len(codes) != len(numbers):
            raise DataError(f"codes {codes.shape} and numbers {numbers.shape} are not rows of one table")
        if len(self.buckets) != codes.shape[1]:
            raise DataError(f"{codes.shape[1]} columns of codes, buckets for {len(self.buckets)}")
        names = self.names or tuple(f"column {k}" for k in range(codes.shape[1] + numbers.shape[1]))
        if len(names) != codes.shape[1] + numbers.shape[1]:
            raise DataError(f"{codes.shape[1] + numbers.shape[1]} columns, {len(names)} names")
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "names", names)

    @classmethod
    def none(cls, rows: int) -> Features:
        """Rows of which nothing is known."""
        return cls(np.zeros((rows, 0), np.int32), np.zeros((rows, 0), np.float32), ())

    def __len__(self) -> int:
        """How many rows."""
        return len(self.codes)

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"Features({len(self):,} rows, {len(self.buckets)} categorical of {sum(self.buckets):,} buckets, "
            f"{self.numbers.shape[1]} numeric)"
        )

    def __getitem__(self, rows: slice) -> Features:
        """Some rows in a row; nothing is copied."""
        return Features(self.codes[rows], self.numbers[rows], self.buckets, self.names)

    def take(self, rows: np.ndarray) -> Features:
        """Some rows by their places."""
        return Features(self.codes[rows], self.numbers[rows], self.buckets, self.names)

    def adding(self, numbers: np.ndarray, names: tuple[str, ...]) -> Features:
        """The same rows with further numbers ``[n, k]`` behind the others."""
        return Features(self.codes, np.hstack([self.numbers, numbers]), self.buckets, self.names + names)

    def check(self) -> None:
        """Look at every value.

        Raises:
            DataError: a code is out of range, or a number infinite.
        """
        for name, codes, size in zip(self.names, self.codes.T, self.buckets, strict=False):
            if len(codes) and (codes.min() < 0 or codes.max() >= size):
                raise DataError(f"column {name!r} has codes outside 0 … {size - 1}")
        if np.isinf(self.numbers).any():
            raise DataError("a number is infinite", fix="Give NaN for unknown.")
