"""A stack of layers with what makes plain message passing strong: residuals, norms, dropout, jumps.

    X⁰  = dropout(X W_0 + b_0)                                            or X itself
    X^k = dropout(relu(norm(conv_k(X^(k-1)) + X^(k-1) R_k + r_k)))        k = 1 … layers
    Z   = X^layers,  Σ_k X^k,  or [X¹, …, X^layers]                       jump: last, sum, cat
    Z   ← Z + g · channel(Z)                                              with a global channel; g begins at 0

With conv ``none`` a layer is a linear map of each node's own row: an MLP with the same furniture, and no
residual map, which would be the same map twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError, nearest
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import CHANNELS, Channel, make_channel
from thence.encode.layer.dir import Dir
from thence.encode.layer.gat import GAT, GATv2
from thence.encode.layer.gcn import GCN
from thence.encode.layer.gin import GIN
from thence.encode.layer.linear import linear
from thence.encode.layer.sage import SAGE
from thence.encode.layer.view import View

Conv = Literal["gcn", "sage", "gat", "gatv2", "gin", "none"]
Look = Literal["into", "out", "both", "each"]
Norm = Literal["none", "layer", "batch"]
Jump = Literal["last", "sum", "cat"]
CHOICES = {
    name: get_args(kind) for name, kind in (("conv", Conv), ("way", Look), ("norm", Norm), ("jump", Jump))
}


@dataclass(frozen=True)
class StackConfig:
    """How a stack is built.

    Args:
        conv: ``gcn``, ``sage``, ``gat``, ``gatv2``, ``gin``, or ``none`` for an MLP.
        way: where each node looks: ``into``, ``out`` or ``both`` as a view has it, or ``each``: into and out by
            weights of their own, as in Dir-GNN.
        dim: width of every layer.
        layers: how many.
        heads: of ``gat`` and ``gatv2``.
        loops: whether a node is one of those of whom ``sage`` takes the mean.
        alpha: share of what comes along the arcs, when the way is ``each``.
        first: map the inputs to ``dim`` before the first layer.
        residual: add a linear map of a layer's input to what the layer gives.
        norm: ``none``, ``layer`` (of each row) or ``batch`` (of each column).
        dropout: share of numbers that a training step leaves out after each layer.
        jump: what comes out: the ``last`` layer, the ``sum`` of all or all side by side (``cat``).
        channel: a global channel above the layers (:mod:`thence.encode.attention.channel`), or ``none``.
            Training begins without it and takes it in as far as it helps.

    Raises:
        ConfigError: a name is unknown or a number is out of range.

    Example:
        >>> StackConfig(conv="sagee")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: unknown conv 'sagee'. Did you mean 'sage'?

    References:
        Luo, Shi, Wu, "Classic GNNs are Strong Baselines: Reassessing GNNs for Node Classification", NeurIPS
        2024 (arXiv 2406.08993).
    """

    conv: Conv = "gcn"
    way: Look = "into"
    dim: int = 64
    layers: int = 2
    heads: int = 1
    loops: bool = False
    alpha: float = 0.5
    first: bool = True
    residual: bool = True
    norm: Norm = "layer"
    dropout: float = 0.5
    jump: Jump = "last"
    channel: str = "none"

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"unknown {name} {getattr(self, name)!r}", fix=nearest(str(getattr(self, name)), known)
                )
        if self.channel not in ("none", *CHANNELS):
            raise ConfigError(f"unknown channel {self.channel!r}", fix=nearest(self.channel, CHANNELS))
        if min(self.dim, self.layers, self.heads) < 1 or self.dim % self.heads:
            raise ConfigError(
                f"dim={self.dim}, layers={self.layers}, heads={self.heads}",
                fix="Give positive numbers, and a width that the heads can share.",
            )
        if self.loops and self.conv != "sage":
            raise ConfigError(f"loops with {self.conv}", fix="Only sage asks whether a mean holds the node.")
        if not (0 <= self.dropout < 1 and 0 <= self.alpha <= 1):
            raise ConfigError(f"dropout={self.dropout}, alpha={self.alpha}", fix="Both are shares.")


class Stack(nn.Module):
    """An encoder of nodes by message passing, or an MLP.

    Features may be sparse rows where ``sparse_inputs`` says so: the first thing done to them is a linear map.

    Args:
        inputs: width of the features.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> encoder = Stack(4, StackConfig(conv="sage", dim=8, layers=3, jump="cat"))
        >>> encoder(torch.ones(3, 4), view).shape, encoder.dim
        (torch.Size([3, 24]), 24)
    """

    def __init__(self, inputs: int, config: StackConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config, dim = config, config.dim
        self.dim = dim * config.layers if config.jump == "cat" else dim
        self.sparse_inputs = config.first or (inputs >= dim and config.conv != "gin")
        self.first = linear(inputs, dim, torch_generator(seed, "first")) if config.first else None
        widths = [dim if config.first else inputs] + [dim] * (config.layers - 1)
        self.convs = nn.ModuleList(
            make_conv(config, width, derive_seed(seed, "conv", k)) for k, width in enumerate(widths)
        )
        residual = config.residual and config.conv != "none"
        self.residuals = nn.ModuleList(
            linear(width, dim, torch_generator(seed, "residual", k))
            for k, width in enumerate(widths)
            if residual
        )
        self.norms = nn.ModuleList(make_norm(config.norm, dim) for _ in widths)
        self.dropout = nn.Dropout(config.dropout)
        self.channel = None
        if config.channel != "none":
            layer = make_channel(
                config.channel, self.dim, heads=config.heads, seed=derive_seed(seed, "channel")
            )
            self.channel = Channel(layer, start=0.0)

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, dim]`` of features ``[n, inputs]``."""
        near = self._near(x, view)
        return near if self.channel is None else self.channel(near, view)

    def _near(self, x: Tensor, view: View) -> Tensor:
        """What the layers give."""
        if self.first is not None:
            x = self.dropout(self.first(x))
        kept = []
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            met = conv(x) if isinstance(conv, nn.Linear) else conv(x, view)
            if self.residuals:
                met = met + self.residuals[k](x)
            x = self.dropout(torch.relu(norm(met)))
            kept.append(x)
        if self.config.jump == "last":
            return x
        return torch.stack(kept).sum(0) if self.config.jump == "sum" else torch.cat(kept, 1)


class BatchNorm(nn.BatchNorm1d):
    """Normalisation of columns over the rows of a step; a lone row has no spread, so what is known is used."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Rows ``[n, dim]`` of rows ``[n, dim]``."""
        if self.training and len(input) < 2:
            known = (self.running_mean, self.running_var, self.weight, self.bias)
            return nn.functional.batch_norm(input, *known, eps=self.eps)
        return super().forward(input)


def make_norm(name: Norm, dim: int) -> nn.Module:
    """A normalisation by name."""
    return {"none": nn.Identity, "layer": nn.LayerNorm, "batch": BatchNorm}[name](dim)


def make_conv(config: StackConfig, inputs: int, seed: int) -> nn.Module:
    """One layer from ``inputs`` to ``config.dim``."""
    if config.conv == "none":
        return linear(inputs, config.dim, torch_generator(seed, "none"))
    convs: dict[str, Any] = {"gcn": GCN, "sage": partial(SAGE, loops=config.loops), "gin": GIN}
    for name, attention in (("gat", GAT), ("gatv2", GATv2)):
        convs[name] = partial(attention, heads=config.heads)
    conv = convs[config.conv]
    if config.way == "each":
        return Dir(inputs, config.dim, conv=conv, alpha=config.alpha, seed=seed)
    return conv(inputs, config.dim, way=config.way, seed=seed)


def matched_mlp(config: StackConfig, inputs: int, parameters: int) -> StackConfig:
    """The MLP of as many layers whose width gives it about so many parameters.

    Args:
        config: the furniture that it shall have.
        inputs: width of the features.
        parameters: how many numbers the encoder that it stands beside learns.

    Example:
        >>> encoder = Stack(10, StackConfig())
        >>> count = sum(p.numel() for p in encoder.parameters())
        >>> mlp = Stack(10, matched_mlp(encoder.config, 10, count))
        >>> count, sum(p.numel() for p in mlp.parameters())
        (17600, 17730)
    """
    # with width d:  (layers - 1 or layers) d²  +  (inputs + biases and norms) d  =  parameters
    square = config.layers - (not config.first)
    plain = inputs + config.first + config.layers * (1 + 2 * (config.norm != "none"))
    if square:
        dim = (math.sqrt(plain**2 + 4 * square * parameters) - plain) / (2 * square)
    else:
        dim = parameters / plain
    return replace(config, conv="none", heads=1, loops=False, dim=max(1, round(dim)))
