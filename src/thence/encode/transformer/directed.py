"""The house's own: two streams, one for each role of a node, that look along arcs and, by a gate, beyond them.

Every node stands twice, as a source s and as a target t. In a layer a source looks at what its arcs lead to, a
target at what leads to it, in both roles; and each looks at all nodes in the role across from its own:

    S_near = mean_out [S ; T] W_s                    T_near = mean_into [T ; S] W_t
    S_far  = g_s · channel_s(S over T, P)            T_far  = g_t · channel_t(T over S, P)
    S ← norm(M + MLP(M)),   M = norm(S + S_near) + norm(S + S_far)         and the same for T

P are positions: where queries and keys stand, in each layer as they came in. Positions that tell a way out from
a way in make the channel directed; the streams make the layers along arcs so. Turning all arcs round exchanges
what the streams see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError, nearest
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import CHANNELS
from thence.encode.layer.linear import linear
from thence.encode.layer.stack import Norm, make_norm
from thence.encode.layer.view import View
from thence.encode.propagate import SparseMatrix
from thence.encode.transformer.block import Widened, channel_of, check_width, positions_of


@dataclass(frozen=True)
class DirectedConfig:
    """How the encoder is built.

    Args:
        dim: width of each stream.
        layers: how many.
        heads: of the channels.
        channels: global channels, which the layers take in turn; none leaves message passing.
        channel: further settings of the channels, by their names.
        norm: ``none``, ``layer`` or ``batch``.
        dropout: share of numbers that a training step leaves out.
        gate: what a channel's gate begins with.
        positions: width of the positions, the input's last columns.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    dim: int = 64
    layers: int = 3
    heads: int = 4
    channels: tuple[str, ...] = ("community", "slots")
    channel: Mapping[str, Any] = field(default_factory=dict)
    norm: Norm = "layer"
    dropout: float = 0.2
    gate: float = 1.0
    positions: int = 0

    def __post_init__(self) -> None:
        if min(self.dim, self.layers, self.heads) < 1 or self.dim % self.heads or self.positions < 0:
            raise ConfigError(f"out of range: {self}", fix="Counts are at least 1; dim is a multiple of heads.")
        for name in self.channels:
            if name not in CHANNELS:
                raise ConfigError(f"no global channel {name!r}", fix=nearest(name, CHANNELS))
        if self.norm not in ("none", "layer", "batch") or not 0 <= self.dropout < 1:
            raise ConfigError(f"norm={self.norm!r}, dropout={self.dropout}", fix="none, layer, batch; a share.")


class DirectedTransformer(nn.Module):
    """The encoder.

    Args:
        inputs: width of features and positions together.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> encoder = DirectedTransformer(5, DirectedConfig(dim=8, positions=2))
        >>> encoder(torch.ones(3, 5), view).shape, encoder.dim
        (torch.Size([3, 16]), 16)
    """

    def __init__(self, inputs: int, config: DirectedConfig, *, seed: int = 0) -> None:
        super().__init__()
        check_width(inputs, config.positions)
        self.config, self.dim = config, 2 * config.dim
        self.first = nn.ModuleList(
            linear(inputs, config.dim, torch_generator(seed, "first", role)) for role in ("source", "target")
        )
        self.layers = nn.ModuleList(
            RoleLayer(config, k, derive_seed(seed, "directed", k)) for k in range(config.layers)
        )

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, 2 dim]``: of each node as a source, then as a target."""
        return torch.cat(self.roles(x, view), 1)

    def roles(self, x: Tensor, view: View) -> tuple[Tensor, Tensor]:
        """Source and target vectors, both ``[n, dim]``."""
        where = positions_of(x, self.config.positions)
        source, target = (first(x) for first in self.first)
        look = view.matrix("mean", "out"), view.matrix("mean", "into")
        for layer in self.layers:
            source, target = layer(source, target, look, view, where)
        return source, target


class RoleLayer(nn.Module):
    """One layer over both streams.

    Args:
        config: the encoder's settings.
        k: which layer it is, for the channels' turns.
        seed: from which the start values are drawn.
    """

    def __init__(self, config: DirectedConfig, k: int, seed: int) -> None:
        super().__init__()
        self.out, self.into = (_Role(config, k, derive_seed(seed, way)) for way in ("out", "into"))

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        look: tuple[SparseMatrix, SparseMatrix],
        view: View,
        where: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The streams after it, both ``[n, dim]``.

        Args:
            source: ``[n, dim]``.
            target: ``[n, dim]``.
            look: the matrices by which sources look ahead and targets back.
            view: the graphs, for the channels.
            where: ``[n, positions]``.
        """
        ahead = look[0](torch.cat([source, target], 1))
        behind = look[1](torch.cat([target, source], 1))
        return self.out(source, target, ahead, view, where), self.into(target, source, behind, view, where)


class _Role(nn.Module):
    """What a layer does to one stream."""

    def __init__(self, config: DirectedConfig, k: int, seed: int) -> None:
        super().__init__()
        dim = config.dim
        self.near = linear(2 * dim, dim, torch_generator(seed, "near"))
        self.near_norm, self.channel = make_norm(config.norm, dim), channel_of(config, k, seed)
        self.far_norm = make_norm(config.norm, dim) if self.channel is not None else None
        self.behind = Widened(dim, config.norm, config.dropout, seed)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, own: Tensor, across: Tensor, seen: Tensor, view: View, where: Tensor | None) -> Tensor:
        both = self.near_norm(own + self.dropout(self.near(seen)))
        if self.channel is not None and self.far_norm is not None:
            both = both + self.far_norm(self.channel(own, view, where, over=across, drop=self.dropout))
        return self.behind(both)
