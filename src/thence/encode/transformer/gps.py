"""GPS: in every layer a node looks along arcs and, beside that, at nodes that no short path leads to.

    L   = norm(X + dropout(conv(X)))
    G   = norm(X + dropout(g · channel(X)))                g a learned gate; 1 and fixed in the paper
    X'  = norm(L + G + MLP(L + G))                         MLP: dim → 2 dim → dim with ReLU and dropout

Any layer of message passing can be the one, any of :data:`~thence.encode.attention.channel.CHANNELS` the other;
several channels take turns, layer by layer. So GOAT's and RelGT's codebooks, PageRank's long arcs, virtual
nodes of communities and linear attention are settings, and each can be shut to see what it gave. Positions are
the last columns of the input, when their width is told: queries and keys of every layer see them as they came.

References:
    Rampášek et al., "Recipe for a general, powerful, scalable graph transformer", NeurIPS 2022, equations 5 to
    8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from thence.base.errors import ConfigError, nearest
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import CHANNELS
from thence.encode.layer.linear import linear
from thence.encode.layer.stack import Conv, Look, Norm, StackConfig, make_conv, make_norm
from thence.encode.layer.view import View
from thence.encode.transformer.block import Widened, channel_of, check_width, positions_of


@dataclass(frozen=True)
class GPSConfig:
    """How the encoder is built.

    Args:
        conv: the layer that looks along arcs; ``none`` for none.
        way: where that one looks.
        channels: global channels, which the layers take in turn; none leaves message passing.
        channel: further settings of the channels, by their names.
        dim: width of every layer.
        layers: how many.
        heads: of the channels, and of ``gat``.
        norm: ``none``, ``layer`` or ``batch``.
        dropout: share of numbers that a training step leaves out.
        gate: what a channel's gate begins with.
        positions: width of the positions, the input's last columns.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    conv: Conv = "gcn"
    way: Look = "both"
    channels: tuple[str, ...] = ("full",)
    channel: Mapping[str, Any] = field(default_factory=dict)
    dim: int = 64
    layers: int = 3
    heads: int = 4
    norm: Norm = "batch"
    dropout: float = 0.2
    gate: float = 1.0
    positions: int = 0

    def __post_init__(self) -> None:
        self.stack()  # checks what it shares with message passing
        for name in self.channels:
            if name not in CHANNELS:
                raise ConfigError(f"no global channel {name!r}", fix=nearest(name, CHANNELS))
        if not self.channels and self.conv == "none":
            raise ConfigError("neither a layer along arcs nor a global channel", fix="Name one.")
        if self.positions < 0:
            raise ConfigError(f"positions={self.positions}", fix="Give the width of the positions, or 0.")

    def stack(self) -> StackConfig:
        """The settings of the layers that look along arcs."""
        return StackConfig(
            self.conv, self.way, dim=self.dim, layers=self.layers, heads=self.heads, norm=self.norm
        )


class GPS(nn.Module):
    """The encoder.

    Args:
        inputs: width of features and positions together.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> import torch
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> GPS(5, GPSConfig(dim=8, channels=("slots", "community"), positions=2))(torch.ones(3, 5), view).shape
        torch.Size([3, 8])
    """

    def __init__(self, inputs: int, config: GPSConfig, *, seed: int = 0) -> None:
        super().__init__()
        check_width(inputs, config.positions)
        self.config, self.dim = config, config.dim
        self.first = linear(inputs, config.dim, torch_generator(seed, "first"))
        self.layers = nn.ModuleList(
            _Layer(config, k, derive_seed(seed, "gps", k)) for k in range(config.layers)
        )

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, dim]`` of features ``[n, inputs]``."""
        where = positions_of(x, self.config.positions)
        x = self.first(x)
        for layer in self.layers:
            x = layer(x, view, where)
        return x


class _Layer(nn.Module):
    """One of its layers, the k-th."""

    def __init__(self, config: GPSConfig, k: int, seed: int) -> None:
        super().__init__()
        dim = config.dim
        conv = config.conv != "none"
        self.conv = make_conv(config.stack(), dim, derive_seed(seed, "conv")) if conv else None
        self.conv_norm = make_norm(config.norm, dim) if conv else None
        self.channel = channel_of(config, k, seed)
        self.channel_norm = make_norm(config.norm, dim) if self.channel is not None else None
        self.behind = Widened(dim, config.norm, config.dropout, seed)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, view: View, where: Tensor | None) -> Tensor:
        parts = []
        if self.conv is not None and self.conv_norm is not None:
            parts.append(self.conv_norm(x + self.dropout(self.conv(x, view))))
        if self.channel is not None and self.channel_norm is not None:
            parts.append(self.channel_norm(self.channel(x, view, where, drop=self.dropout)))
        both = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        return self.behind(both)
