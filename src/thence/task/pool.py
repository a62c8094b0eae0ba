"""From rows of nodes to one row a graph."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from thence.encode.layer.view import View

Pool = Literal["mean", "sum", "max"]
POOLS = ("mean", "sum", "max")


def pooled(x: Tensor, view: View, pool: Pool) -> Tensor:
    """``[num_graphs, d]``: mean, sum or maximum over the nodes of each graph.

    Args:
        x: ``[num_nodes, d]``.
        view: says which graph each node is of.
        pool: which of the three.

    Example:
        >>> import torch
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0], [1], num_nodes=3), graph_of=[0, 0, 1])
        >>> x = torch.tensor([[1.0], [3.0], [5.0]])
        >>> [pooled(x, view, pool).squeeze(1).tolist() for pool in POOLS]
        [[2.0, 5.0], [4.0, 5.0], [3.0, 5.0]]
    """
    rows = view.graph_of[:, None].expand_as(x)
    start = x.new_zeros(view.num_graphs, x.shape[1])
    if pool == "max":
        return start.scatter_reduce(0, rows, x, "amax", include_self=False)
    summed = start.scatter_add(0, rows, x)
    return summed if pool == "sum" else summed / view.sizes[:, None].to(x.dtype)
