"""Polynormer: layers that multiply, so that a stack of them is a polynomial of high degree in the features.

Local, for each layer, ⊙ entry by entry:

    H = relu(X W_h);   Y = dropout(relu(BN(conv(X) + X W_r)));   X ← (1 - β) LN(H ⊙ Y) + β Y

Their sum over layers, X̄, is the answer of the local part. Global, on LN(X̄):

    X ← dropout(relu( W_o [ LN(σ(X W_k) attention of X W_v) ⊙ (X W_h + β) ] ))

with linear attention of the form ``sigmoid``. In the paper the local part is trained alone at first and the
global one then put on top; in the scripts that its authors give for large graphs it never is. Here the global
part stands behind a gate that begins at zero, X̄ + g · global(X̄): the local part is what learns first, and the
global one comes in as far as it helps. ``stacked`` puts it on top as in the paper.

Its authors run two networks: the one above on large graphs, and on smaller ones, ``plain``: the features pass a
map first, nothing is normalised over the batch, and β is a share that each column learns.

References:
    Deng, Yue, Zhang, "Polynormer: polynomial-expressive graph transformer in linear time", ICLR 2024, equations
    5 to 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import Channel
from thence.encode.attention.linear import LinearAttention
from thence.encode.layer.linear import linear
from thence.encode.layer.stack import Conv, Look, StackConfig, make_conv, make_norm
from thence.encode.layer.view import View


@dataclass(frozen=True)
class PolynormerConfig:
    """How the encoder is built.

    Args:
        conv: the layer along arcs: ``gat`` in the paper.
        way: where it looks.
        dim: width of every layer, all heads together.
        layers: of the local part.
        global_layers: of the global part; 0 leaves it out.
        heads: of ``gat`` and of the global attention.
        dropout: share of numbers that a training step leaves out after each local layer.
        global_dropout: the same after each global layer.
        beta: β of the local layers, and of the global ones; where they begin, when ``plain``.
        stacked: the global part on top of the local one, without a gate.
        plain: the network of small graphs.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    conv: Conv = "gat"
    way: Look = "both"
    dim: int = 64
    layers: int = 5
    global_layers: int = 1
    heads: int = 1
    dropout: float = 0.3
    global_dropout: float = 0.3
    beta: float = 0.9
    stacked: bool = False
    plain: bool = False

    def __post_init__(self) -> None:
        self.stack()
        if self.global_layers < 0 or not (0 <= self.global_dropout < 1 and 0 <= self.beta <= 1):
            raise ConfigError(f"out of range: {self}", fix="global_dropout and beta are shares.")
        if self.plain and not 0 < self.beta < 1:
            raise ConfigError(f"beta is {self.beta}", fix="A share that is learnt begins between 0 and 1.")

    def stack(self) -> StackConfig:
        """The settings of the layers that look along arcs."""
        return StackConfig(
            self.conv, self.way, dim=self.dim, layers=self.layers, heads=self.heads, dropout=self.dropout
        )


class Polynormer(nn.Module):
    """The encoder.

    Args:
        inputs: width of the features.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> Polynormer(5, PolynormerConfig(dim=8, heads=2))(torch.ones(3, 5), view).shape
        torch.Size([3, 8])
    """

    def __init__(self, inputs: int, config: PolynormerConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config, self.dim = config, config.dim
        self.sparse_inputs = inputs >= config.dim and (config.plain or config.conv != "gin")
        self.first = linear(inputs, config.dim, torch_generator(seed, "first")) if config.plain else None
        width = config.dim if config.plain else inputs
        self.local = nn.ModuleList(
            _Local(config.dim if k else width, config, derive_seed(seed, "local", k))
            for k in range(config.layers)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.beyond = _Global(config, derive_seed(seed, "global"))
        held = config.global_layers and not config.stacked
        self.channel = Channel(self.beyond, start=0.0) if held else None

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, dim]`` of features ``[n, inputs]``."""
        kept = []
        if self.first is not None:
            x = self.dropout(self.first(x))
        for layer in self.local:
            x = layer(x, view)
            kept.append(x)
        near = torch.stack(kept).sum(0)
        if not self.config.global_layers:
            return near
        return self.beyond(near, view) if self.channel is None else self.channel(near, view)


class _Share(nn.Module):
    """β: a number, or what each of so many columns learns."""

    def __init__(self, dim: int, config: PolynormerConfig) -> None:
        super().__init__()
        self.start = config.beta
        self.logit = nn.Parameter(torch.logit(torch.full((dim,), config.beta))) if config.plain else None

    def forward(self) -> Tensor | float:
        return self.start if self.logit is None else torch.sigmoid(self.logit)


class _Local(nn.Module):
    """A layer along arcs."""

    def __init__(self, inputs: int, config: PolynormerConfig, seed: int) -> None:
        super().__init__()
        dim = config.dim
        self.share = _Share(dim, config)
        self.conv = make_conv(config.stack(), inputs, derive_seed(seed, "conv"))
        self.gate, self.own = (linear(inputs, dim, torch_generator(seed, name)) for name in ("gate", "own"))
        self.norm = make_norm("none" if config.plain else "batch", dim)
        self.product_norm = make_norm("layer", dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, view: View) -> Tensor:
        met = self.dropout(torch.relu(self.norm(self.conv(x, view) + self.own(x))))
        product = self.product_norm(torch.relu(self.gate(x)) * met)
        beta = self.share()
        return (1 - beta) * product + beta * met


class _Global(nn.Module):
    """The layers of attention over all nodes."""

    def __init__(self, config: PolynormerConfig, seed: int) -> None:
        super().__init__()
        dim = config.dim
        self.shares = nn.ModuleList(_Share(dim, config) for _ in range(config.global_layers))
        self.start = make_norm("layer", dim)

        def each(name: str) -> nn.ModuleList:
            return nn.ModuleList(
                linear(dim, dim, torch_generator(seed, name, k)) for k in range(config.global_layers)
            )

        self.attend = nn.ModuleList(
            LinearAttention(dim, heads=config.heads, form="sigmoid", shared=True, seed=derive_seed(seed, k))
            for k in range(config.global_layers)
        )
        self.gate, self.out = each("gate"), each("out")
        self.norms = nn.ModuleList(make_norm("layer", dim) for _ in range(config.global_layers))
        self.dropout = nn.Dropout(config.global_dropout)

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        x = self.start(x)
        parts = zip(self.attend, self.gate, self.norms, self.shares, self.out, strict=True)
        for attend, gate, norm, share, out in parts:
            said = norm(attend(x, view)) * (gate(x) + share())
            x = self.dropout(torch.relu(out(said)))
        return x
