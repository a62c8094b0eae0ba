"""GAT and GATv2: each node takes a mean of the rows that it looks at, by shares that it learns to give.

    GAT       score_ij = leaky(⟨a, W x_i⟩ + ⟨b, W x_j⟩)
    GATv2     score_ij = ⟨a, leaky(W_row x_i + W x_j)⟩
    out_i = Σ_j softmax_j(score_ij) W x_j + bias         head by head, and the heads side by side

A node also looks at itself unless told not to. Weights of arcs do not count: who is looked at is what matters.
In GAT all nodes rank the nodes they look at alike (by ⟨b, W x_j⟩); GATv2 was made to change that.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.attend import additive, mixed
from thence.encode.layer.linear import linear
from thence.encode.layer.view import View, Way


class GAT(nn.Module):
    """One layer of GAT.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives, of all heads together.
        heads: how many; each has ``outputs / heads`` numbers.
        way: where each node looks, as :class:`~thence.encode.layer.view.View` has it.
        itself: whether a node looks at itself too.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: ``outputs`` cannot be shared among the heads.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> GAT(4, 8, heads=2)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Veličković, Cucurull, Casanova, Romero, Liò, Bengio, "Graph Attention Networks", ICLR 2018, equations
        1 to 5.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        heads: int = 1,
        way: Way = "into",
        itself: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.shape, self.itself = _shape(outputs, heads), itself
        self.way: Way = way
        self.value = linear(inputs, outputs, torch_generator(seed, "gat", "value"), bias=False)
        self.of_row = _weights(self.shape, seed, "row")
        self.of_column = _weights(self.shape, seed, "column")
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        value = self.value(x).view(-1, *self.shape)
        row, column = ((value * weights).sum(-1) for weights in (self.of_row, self.of_column))
        return additive(view.near(self.way, self.itself), value, row, column).flatten(1) + self.bias


class GATv2(nn.Module):
    """One layer of GATv2.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives, of all heads together.
        heads: how many; each has ``outputs / heads`` numbers.
        way: where each node looks, as :class:`~thence.encode.layer.view.View` has it.
        itself: whether a node looks at itself too.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: ``outputs`` cannot be shared among the heads.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> GATv2(4, 8, heads=2)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Brody, Alon, Yahav, "How Attentive are Graph Attention Networks?", ICLR 2022, equation 7.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        heads: int = 1,
        way: Way = "into",
        itself: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.shape, self.itself = _shape(outputs, heads), itself
        self.way: Way = way
        self.value = linear(inputs, outputs, torch_generator(seed, "gatv2", "value"))
        self.row = linear(inputs, outputs, torch_generator(seed, "gatv2", "row"))
        self.weight = _weights(self.shape, seed, "weight")
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        value, row = (layer(x).view(-1, *self.shape) for layer in (self.value, self.row))
        return mixed(view.near(self.way, self.itself), value, row, self.weight).flatten(1) + self.bias


def _shape(outputs: int, heads: int) -> tuple[int, int]:
    if heads < 1 or outputs % heads:
        raise ConfigError(f"{outputs} outputs for {heads} heads", fix="Give each head as many as another.")
    return heads, outputs // heads


def _weights(shape: tuple[int, int], seed: int, name: str) -> nn.Parameter:
    """Start values of the scores, ``[heads, width]``."""
    bound = shape[1] ** -0.5
    drawn = torch.empty(shape).uniform_(-bound, bound, generator=torch_generator(seed, "gat", name))
    return nn.Parameter(drawn)
