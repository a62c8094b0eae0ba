"""What graph neural networks start from: a linear map of each node's features, or a free vector without any."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.rng import torch_generator
from thence.encode.features import item_features
from thence.encode.known import check_fittable
from thence.encode.propagate import SparseMatrix
from thence.graph import Arcs, DiGraph


class Inputs(nn.Module):
    """X W + b. Without a catalogue X is the identity, as is usual for graphs without features.

    Args:
        features: X ``[num_nodes, num_features]``, shared by all that start from it.
        dim: width of the result.
        seed: from which the start values are drawn.
        name: which of an encoder's inputs it is.
    """

    def __init__(self, features: SparseMatrix, dim: int, seed: int, name: str) -> None:
        super().__init__()
        self.features = features
        rows, bound = features.shape[1], features.shape[1] ** -0.5
        draw = torch_generator(seed, "inputs", name)
        self.weight = nn.Parameter(torch.empty(rows, dim).uniform_(-bound, bound, generator=draw))
        self.bias = nn.Parameter(torch.empty(dim).uniform_(-bound, bound, generator=draw))

    def forward(self) -> Tensor:
        """``[num_nodes, dim]``."""
        return self.features(self.weight) + self.bias


def node_features(graph: DiGraph) -> SparseMatrix:
    """X of a graph: unit rows of catalogue features, or the identity where there are none.

    Example:
        >>> from thence.base.ids import IdMap
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0], [1], num_nodes=3)})
        >>> node_features(graph).shape
        (3, 3)

    Raises:
        FitError: the main relation is one of which nothing can be learned.
    """
    check_fittable(graph)
    features: Any = None if graph.nodes is None else item_features(graph.nodes)
    if features is None or not features.nnz:
        features = sp.identity(graph.num_nodes, format="csr")
    return SparseMatrix(features)


def adjacency(
    arcs: Arcs, *, loops: bool, out_power: float = 0.5, in_power: float = 0.5
) -> tuple[SparseMatrix, SparseMatrix]:
    """D_out^-out_power · A · D_in^-in_power of unweighted arcs, and its transpose.

    Args:
        arcs: the relation; its weights are left out, as in the papers that use this.
        loops: whether A has a self-loop at every node (A + I), which counts in the degrees.
        out_power: how strongly a source's out-degree damps.
        in_power: how strongly a target's in-degree damps.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3)
        >>> out, into = adjacency(arcs, loops=False, out_power=1.0, in_power=0.0)
        >>> out(torch.eye(3)).tolist()[0], into(torch.eye(3)).tolist()[1]
        ([0.0, 0.5, 0.5], [0.5, 0.0, 0.0])
    """
    plain: Any = arcs.matrix().astype(np.float64)
    plain.data[:] = 1.0
    if loops:
        plain = plain + sp.identity(arcs.num_nodes, format="csr")
    left, right = (
        np.maximum(np.asarray(plain.sum(axis=axis)).ravel(), 1.0) ** -power
        for axis, power in ((1, out_power), (0, in_power))
    )
    damped: Any = sp.diags(left) @ plain @ sp.diags(right)
    return SparseMatrix(damped), SparseMatrix(damped.T)
