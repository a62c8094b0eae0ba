"""Who looks at whom, entry by entry, from both ends: what attention over arcs works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Near:
    """The entries of an ``[n, n]`` pattern by rows, and by columns with the place of each among the rows'.

    Args:
        indptr: ``[n + 1]`` int, where each row's entries begin.
        seen: ``[entries]`` int32, the column of each entry: the node that is looked at.
        back_indptr: ``[n + 1]`` int, where each column's entries begin.
        seers: ``[entries]`` int32, column by column, the row of each entry: the node that looks.
        back_at: ``[entries]`` int, column by column, the entry's place in ``seen``.

    Example:
        >>> near = Near.of(sp.csr_matrix(np.array([[0, 1], [1, 1]])))
        >>> near.seen.tolist(), near.seers.tolist(), near.back_at.tolist()
        ([1, 0, 1], [1, 0, 1], [1, 0, 2])
    """

    indptr: Tensor
    seen: Tensor
    back_indptr: Tensor
    seers: Tensor
    back_at: Tensor

    @classmethod
    def of(cls, matrix: Any) -> Near:
        """The pattern of a square SciPy matrix; its values do not count."""
        rows = sp.csr_matrix(matrix)
        place = sp.csr_matrix((np.arange(rows.nnz), rows.indices, rows.indptr), shape=rows.shape).tocsc()
        parts = (rows.indptr, rows.indices, place.indptr, place.indices, place.data)
        size = np.int32 if rows.nnz < 2**31 else np.int64
        sizes = (size, np.int32, size, np.int32, size)
        return cls(*(torch.from_numpy(part.astype(to)) for part, to in zip(parts, sizes, strict=True)))

    @property
    def num_nodes(self) -> int:
        """n, the number of rows and of columns."""
        return len(self.indptr) - 1

    @property
    def rows(self) -> tuple[Tensor, Tensor]:
        """``indptr`` and ``seen``."""
        return self.indptr, self.seen

    @property
    def back(self) -> tuple[Tensor, Tensor, Tensor]:
        """``back_indptr``, ``seers`` and ``back_at``."""
        return self.back_indptr, self.seers, self.back_at

    def to(self, device: torch.device | str) -> Near:
        """The same on a device."""
        return Near(*(part.to(device) for part in (*self.rows, *self.back)))
