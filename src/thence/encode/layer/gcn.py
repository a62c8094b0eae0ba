"""GCN: each node takes the degree-scaled sum of the nodes that it looks at and of itself.

    H = D_row^-½ (A + I) D_column^-½ X W + b          D: sums of rows and of columns of A + I

Without itself, H = D_row^-½ A D_column^-½ X W + b, which is how Dir-GNN uses it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear, mapped
from thence.encode.layer.view import View, Way


class GCN(nn.Module):
    """One layer of GCN.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives.
        way: where each node looks, as :class:`~thence.encode.layer.view.View` has it.
        itself: whether a node looks at itself too.
        seed: from which the start values are drawn.

    Example:
        >>> import torch
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> GCN(4, 8)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Kipf, Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017,
        equation 2.
    """

    def __init__(
        self, inputs: int, outputs: int, *, way: Way = "into", itself: bool = True, seed: int = 0
    ) -> None:
        super().__init__()
        self.way: Way = way
        self.itself = itself
        self.linear = linear(inputs, outputs, torch_generator(seed, "gcn"))
        with torch.no_grad():  # Glorot's start values, as in the paper
            self.linear.weight.mul_((6 * max(inputs, 1) / max(inputs + outputs, 1)) ** 0.5)
            self.linear.bias.zero_()

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        matrix = view.matrix("loops" if self.itself else "degrees", self.way)
        return mapped(matrix, x, self.linear) + self.linear.bias
