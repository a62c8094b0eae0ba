"""Softmax and sums over groups of nodes of any size, without padding."""

from __future__ import annotations

import torch
from torch import Tensor


def group_softmax(scores: Tensor, group: Tensor, num_groups: int) -> Tensor:
    """Softmax of scores ``[nodes, heads]`` among the nodes of each group, head by head.

    Args:
        scores: finite.
        group: ``[nodes]`` int64, the group of each node.
        num_groups: how many groups there are.

    Example:
        >>> group_softmax(torch.zeros(3, 1), torch.tensor([0, 1, 1]), 2).flatten().tolist()
        [1.0, 0.5, 0.5]
    """
    index = group[:, None].expand_as(scores)
    top = scores.new_zeros(num_groups, scores.shape[1])
    top = top.scatter_reduce(0, index, scores.detach(), "amax", include_self=False)
    power = torch.exp(scores - top[group])
    return power / group_sum(power, group, num_groups)[group]


def group_sum(rows: Tensor, group: Tensor, num_groups: int) -> Tensor:
    """``[num_groups, …]``: the sum of the rows of each group; zeros for a group without any.

    Example:
        >>> group_sum(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 2, 2]), 3).flatten().tolist()
        [1.0, 0.0, 6.0]
    """
    return rows.new_zeros(num_groups, *rows.shape[1:]).index_add(0, group, rows)
