"""Long arcs: each node looks at those that walks from it most often end at, however many hops away.

    z_i = Σ_{j ∈ top k of π_i} π_ij x_j W / Σ π_ij        π: personalised PageRank, on the way out, in, or both

The arcs are worked out once, before training; then a layer costs k entries a node.

References:
    Bojchevski et al., "Scaling graph neural networks with approximate PageRank", KDD 2020, equation 4.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import beside, linear
from thence.encode.layer.view import View
from thence.encode.propagate import SparseMatrix, strongest
from thence.graph import Arcs
from thence.graph.walk.page_rank import push

EPSILON = 0.1
"""Residual that may stay on an arc, as a share of 1 / k: small beside the least of k equal masses."""


def far_matrix(arcs: Arcs, way: str, top: int, alpha: float) -> sp.csr_matrix:
    """Each node's ``top`` largest masses of PageRank, itself left out, as rows that sum to one.

    Args:
        arcs: the relation; weights count.
        way: ``out``, ``into`` or ``both``.
        top: how many nodes a row has at most.
        alpha: the chance that a walk stops at each step; the smaller the farther it goes.

    Example:
        >>> path = Arcs.from_pairs([0, 1, 2], [1, 2, 3], num_nodes=4)
        >>> far_matrix(path, "out", 2, 0.2).toarray()[0].round(2).tolist()
        [0.0, 0.24, 0.0, 0.76]
    """
    walked = arcs if way != "both" else _both(arcs)
    found = push(
        walked,
        np.arange(arcs.num_nodes),
        alpha,
        EPSILON * alpha / top,
        direction="into" if way == "into" else "out",
        weight="weight",
        threads=torch.get_num_threads(),
    )
    masses = sp.csr_matrix(found.matrix())
    masses.setdiag(0)
    masses.eliminate_zeros()
    return strongest(masses, top)


def _both(arcs: Arcs) -> Arcs:
    one = sp.coo_matrix(arcs.matrix() + arcs.matrix().T)
    return Arcs.from_pairs(one.row, one.col, num_nodes=arcs.num_nodes, weight=one.data)


class FarArcs(nn.Module):
    """The layer: one mean and one matrix W for each way.

    Args:
        dim: width of x and of the answer.
        top: arcs of a node for each way.
        alpha: the chance that a walk stops at each step.
        ways: where walks go.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> FarArcs(4)(torch.ones(3, 4), view).shape
        torch.Size([3, 4])
    """

    def __init__(
        self,
        dim: int,
        *,
        top: int = 32,
        alpha: float = 0.05,
        ways: tuple[str, ...] = ("out", "into"),
        positions: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if top < 1 or not 0 < alpha < 1 or not ways or not set(ways) <= {"out", "into", "both"}:
            raise ConfigError(f"top={top}, alpha={alpha}, ways={ways}", fix="ways are out, into or both.")
        self.top, self.alpha, self.ways = top, alpha, ways
        self.value = nn.ModuleList(
            linear(dim + positions, dim, torch_generator(seed, "far", way), bias=False) for way in ways
        )

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        """The answer ``[num_nodes, dim]``; ``over`` is what is looked at, x when not given."""
        seen = beside(x if over is None else over, where)
        return torch.stack(
            [self._matrix(view, way)(value(seen)) for way, value in zip(self.ways, self.value, strict=True)]
        ).sum(0)

    def _matrix(self, view: View, way: str) -> SparseMatrix:
        key = ("far", way, self.top, self.alpha)
        return view.kept(key, lambda: SparseMatrix(far_matrix(view.arcs, way, self.top, self.alpha)))
