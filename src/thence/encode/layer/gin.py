"""GIN: a small network of the sum of what a node looks at and of its own row, which counts 1 + ε times.

H = MLP((1 + ε) X + A X)          MLP: linear, ReLU, linear;  ε learned, 0 at first
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear, mapped
from thence.encode.layer.view import View, Way


class GIN(nn.Module):
    """One layer of GIN. The first map of its network goes before the sum: it is linear, and narrower work.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives, and of the network inside.
        way: where each node looks, as :class:`~thence.encode.layer.view.View` has it.
        itself: whether a node looks at itself too.
        seed: from which the start values are drawn.

    Example:
        >>> import torch
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> GIN(4, 8)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Xu, Hu, Leskovec, Jegelka, "How Powerful are Graph Neural Networks?", ICLR 2019, equation 4.1.
    """

    def __init__(
        self, inputs: int, outputs: int, *, way: Way = "into", itself: bool = True, seed: int = 0
    ) -> None:
        super().__init__()
        self.way: Way = way
        self.first = linear(inputs, outputs, torch_generator(seed, "gin", "first"))
        self.last = linear(outputs, outputs, torch_generator(seed, "gin", "last"))
        self.epsilon = nn.Parameter(torch.zeros(())) if itself else None

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        matrix, epsilon = view.matrix("sum", self.way), self.epsilon

        def summed(rows: Tensor) -> Tensor:
            seen = matrix(rows)
            return seen if epsilon is None else seen + (1 + epsilon) * rows

        return self.last(torch.relu(mapped(summed, x, self.first) + self.first.bias))
