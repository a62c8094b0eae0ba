"""Layers in which each node stands in both its roles: row i is node i as a source, row n + i as a target.

    h ← normalise( Σ_r σ( A_r h W ) )

over relations r. What a role looks at stands in the matrices alone: in that of a directed relation sources look
at targets and targets at sources, in that of things viewed together each role looks at its own kind. So one
line of arithmetic serves the whole graph, where A_r is ``[2n, 2n]``, and a sampled neighbourhood, where it has
the rows that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from thence.base.rng import torch_generator
from thence.encode.propagate import SparseMatrix

Relations = Sequence[SparseMatrix]


class RoleLayers(nn.Module):
    """The layers, one matrix W each, shared by both roles and all relations.

    Args:
        widths: of the input and of each layer's output.
        self_term: let a node see itself, as if it were a relation of its own.
        linear: leave σ (ReLU) out.
        seed: of the start values, Glorot's.

    Example:
        >>> import scipy.sparse as sp
        >>> layers = RoleLayers([2, 2], seed=0)
        >>> _ = layers.weight[0].data.copy_(torch.eye(2))
        >>> swap = SparseMatrix(sp.csr_matrix([[0.0, 1.0], [1.0, 0.0]]))  # one node; its roles meet
        >>> layers(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), [[swap]]).tolist()
        [[0.0, 1.0], [0.6..., 0.8...]]
    """

    def __init__(
        self, widths: Sequence[int], *, self_term: bool = False, linear: bool = False, seed: int = 0
    ) -> None:
        super().__init__()
        self.self_term, self.linear = self_term, linear
        self.weight = nn.ParameterList()
        for layer, (wide, narrow) in enumerate(pairwise(widths)):
            draw = torch.rand(wide, narrow, generator=torch_generator(seed, "role layers", layer))
            self.weight.append(nn.Parameter((2 * draw - 1) * (6 / (wide + narrow)) ** 0.5))

    def forward(self, start: Tensor | SparseMatrix, hops: Sequence[Relations]) -> Tensor:
        """Embeddings of unit length (zero where nothing is seen), ``[rows of the last hop, width]``.

        Args:
            start: ``[rows, width]`` what is known of each node in each role, dense or sparse.
            hops: of each layer the matrices of all relations; their columns are the rows of the layer before.
        """
        rows: Tensor | SparseMatrix = start
        for layer, relations in enumerate(hops):
            rows = self.seen(self.sent(layer, rows), relations)
        assert isinstance(rows, Tensor)  # there is a layer
        return rows

    def sent(self, layer: int, rows: Tensor | SparseMatrix) -> Tensor:
        """What nodes show to those that look at them: h W, ``[rows, width]``."""
        weight = self.weight[layer]
        return rows(weight) if isinstance(rows, SparseMatrix) else rows @ weight

    def seen(self, sent: Tensor, relations: Relations) -> Tensor:
        """What those make of it that look; they are the first rows of ``sent``. Of unit length."""
        parts = [matrix(sent) for matrix in relations]
        if self.self_term:
            parts.append(sent[: len(parts[0])])
        first, *others = parts if self.linear else [torch.relu(part) for part in parts]
        for part in others:
            first = first + part
        return normalize(first, dim=1)
