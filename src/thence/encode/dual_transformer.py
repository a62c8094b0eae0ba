"""The recommender with a graph transformer: dual embeddings, and beyond them what two streams of attention see.

    s, t  from the dual encoder (free vectors, features, shares of neighbours; :mod:`thence.encode.dual`)
    s ← s + P_s U_s,   t ← t + P_t U_t                            positions, each role its own
    s ← s + g · S,     t ← t + g · T                              S, T: role layers with global channels on s, t

U and the gates g begin at zero, so that training starts from the dual encoder as it is and departs from it as
far as that helps. Positions are the singular vectors of the main relation in their source and target roles, and
profiles: degrees, one-way shares, reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed
from thence.encode.attention.channel import Gate
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.layer.view import View
from thence.encode.propagate import SparseMatrix, neighborhoods
from thence.encode.transformer.directed import DirectedConfig, RoleLayer
from thence.graph import DiGraph
from thence.graph.position import positions

KINDS: Mapping[str, Mapping[str, Any]] = {"svd": {"k": 64}, "profile": {}}


@dataclass(frozen=True)
class DualTransformerConfig:
    """Settings of the encoder.

    Args:
        dim: length of each embedding.
        layers: rounds of propagation of the dual encoder.
        fan_out: neighbours that a node looks at, in each direction.
        depth: role layers on top of it.
        heads: of their global channels.
        dropout: share of numbers that a training step leaves out of the role layers.
        channels: global channels, which the layers take in turn; none leaves message passing.
        channel: further settings of the channels, by their names.
        kinds: positions, by kind with their settings; none leaves them out.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    dim: int = 128
    layers: int = 1
    fan_out: int = 32
    depth: int = 1
    heads: int = 4
    dropout: float = 0.2
    channels: tuple[str, ...] = ("slots",)
    channel: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: dict(KINDS))

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise ConfigError(f"depth={self.depth}", fix="Give a number of layers, or 0.")

    def above(self, positions: int) -> DirectedConfig:
        """The settings of the role layers."""
        return DirectedConfig(
            self.dim,
            max(self.depth, 1),
            self.heads,
            tuple(self.channels),
            self.channel,
            dropout=self.dropout,
            positions=positions,
        )


class DualTransformer(nn.Module):
    """Dual embeddings of one graph.

    Args:
        graph: the graph; its main relation is what role layers and positions see, the dual encoder sees all.
        config: settings.
        seed: from which the start values are drawn.

    Raises:
        FitError: the graph's main relation has no arcs.
    """

    where: Tensor
    rows: ClassVar[Mapping[str, str]] = {f"dual.{name}": kind for name, kind in DualEncoder.rows.items()}

    def __init__(self, graph: DiGraph, config: DualTransformerConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or DualTransformerConfig()
        self.dual = DualEncoder(graph, DualConfig(config.dim, config.layers, config.fan_out), seed=seed)
        found = torch.zeros(graph.num_nodes, 0)
        if config.kinds:
            found = torch.from_numpy(positions(graph, config.kinds, seed=seed).matrix())
            found = found / found.square().mean(0).sqrt().clamp_min(1e-6)
        self.register_buffer("where", found, persistent=False)
        wide = found.shape[1]
        self.source_where, self.target_where = (nn.Parameter(torch.zeros(wide, config.dim)) for _ in range(2))
        self.source_gate, self.target_gate = Gate(0.0), Gate(0.0)
        above = config.above(wide)
        self.above = nn.ModuleList(
            RoleLayer(above, k, derive_seed(seed, "above", k)) for k in range(config.depth)
        )
        self.view = View(graph.main)
        self.out, self.into = (SparseMatrix(each) for each in neighborhoods(graph.main, fan_out=config.fan_out))

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target embeddings ``[num_nodes, dim]`` and the targets' bias ``[num_nodes]``."""
        source, target, bias = self.dual()
        source, target = source + self.where @ self.source_where, target + self.where @ self.target_where
        if not self.config.depth:
            return source, target, bias
        view, far_source, far_target = self.view.to(self.where.device), source, target
        for layer in self.above:
            far_source, far_target = layer(far_source, far_target, (self.out, self.into), view, self.where)
        return self.source_gate(source, lambda: far_source), self.target_gate(target, lambda: far_target), bias
