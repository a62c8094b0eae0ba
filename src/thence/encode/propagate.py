"""Propagation: each node takes the weighted mean of its strongest neighbours, along the arcs or against them.

From arcs i → j with weight w, the share of each neighbour is damped by how common it is,

    share_ij ∝ w_ij / (W_i^out · W_j^in)^power ,     W = sums of weights,

the ``fan_out`` largest shares of each node are kept, and rows are scaled to sum to one. ``out`` leads a source
to the targets of its out-neighbours, ``into`` a target to the sources of its in-neighbours. On graphs up to
some ten million arcs this whole-graph product costs less on a CPU than sampling neighbourhoods for each batch
does.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.graph import Arcs
from thence.graph.sample.aggregate import aggregate


class SparseMatrix(nn.Module):
    """A constant sparse matrix ``[n, m]`` that multiplies dense ones, differentiable in the dense factor.

    It keeps its transpose, so that the backward pass is as fast as the forward pass. On the CPU the product is
    the house's own kernel (:func:`~thence.graph.sample.aggregate.aggregate`), elsewhere torch's.

    Args:
        matrix: any SciPy sparse matrix.

    Example:
        >>> SparseMatrix(sp.eye(2) * 3)(torch.ones(2, 1)).tolist()
        [[3.0], [3.0]]
    """

    def __init__(self, matrix: Any) -> None:
        super().__init__()
        self.shape = matrix.shape
        for name, rows in (("forward", sp.csr_matrix(matrix)), ("backward", sp.csr_matrix(matrix.T))):
            for part in ("indptr", "indices", "data"):
                array = getattr(rows, part)
                array = array.astype(np.float32 if part == "data" else np.int32)  # torch wants its own
                self.register_buffer(f"{name}_{part}", torch.from_numpy(array), persistent=False)

    def forward(self, dense: Tensor) -> Tensor:
        """The product ``[n, d]`` with a dense matrix ``[m, d]``."""
        return _Product.apply(self, dense)  # type: ignore[return-value]

    def product(self, name: str, dense: Tensor) -> Tensor:
        """The product of the matrix (``forward``) or its transpose (``backward``) with a dense one."""
        indptr, indices, data = (getattr(self, f"{name}_{part}") for part in ("indptr", "indices", "data"))
        if dense.device.type == "cpu" and dense.dtype == torch.float32:
            rows, threads = dense.detach().numpy(), torch.get_num_threads()
            summed = aggregate(indptr.numpy(), indices.numpy(), data.numpy(), rows, threads=threads)
            return torch.from_numpy(summed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
            size = (len(indptr) - 1, len(dense))
            matrix = torch.sparse_csr_tensor(indptr, indices, data, size=size, check_invariants=False)
        return matrix.to(dense.dtype) @ dense


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: SparseMatrix, dense: Tensor) -> Tensor:
        ctx.matrix = matrix
        return matrix.product("forward", dense)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, ctx.matrix.product("backward", grads[0])


def neighborhoods(arcs: Arcs, *, fan_out: int, power: float = 0.5) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Matrices ``out`` and ``into``, both ``[num_nodes, num_nodes]``, whose rows are means over neighbours.

    Args:
        arcs: the relation.
        fan_out: how many neighbours a node keeps, the largest shares first.
        power: how strongly common neighbours are damped; 0 keeps the weights as they are.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[1.0, 3.0, 1.0])
        >>> out, into = neighborhoods(arcs, fan_out=2, power=0.0)
        >>> out.toarray()[0].tolist(), into.toarray()[2].tolist()
        ([0.0, 0.25, 0.75], [0.75, 0.25, 0.0])
    """
    matrix = arcs.matrix()
    left = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12) ** -power
    right = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1e-12) ** -power
    damped = sp.csr_matrix(sp.diags(left) @ matrix @ sp.diags(right))
    return strongest(damped, fan_out), strongest(sp.csr_matrix(damped.T), fan_out)


def strongest(matrix: Any, fan_out: int) -> sp.csr_matrix:
    """Each row's ``fan_out`` largest entries (ties to the smaller column), scaled to sum to one."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    rank = np.arange(len(order)) - matrix.indptr[rows[order]]
    kept = np.sort(order[rank < fan_out])
    pruned = sp.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)
    sums = np.maximum(np.asarray(pruned.sum(axis=1)).ravel(), 1e-12)
    return sp.csr_matrix(sp.diags(1 / sums) @ pruned)
