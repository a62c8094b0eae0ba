"""BLADE-style dual embeddings (reconstructed): neighbourhoods whose size, reach and chances follow the degree.

The paper's sampling formula is not public; what stands here is built from what is. Nodes have no attributes:
everything starts from fixed normal noise. Layers are DAEMON's, over one relation,

    s_u^l = σ( Σ_{v in N_out(u)} c_uv t_v^{l-1} W^l ),     t_u^l = σ( Σ_{v in N_in(u)} c_uv s_v^{l-1} W^l ),

each divided by its length, where N is the ``adaptive`` neighbourhood of :mod:`thence.encode.neighborhood`: a
budget from the power law of the degrees, chances by d_out · d_in where there are more neighbours than that, and
restarting walks in the role's own direction where there are fewer, whose finds count c < 1. The loss that goes
with it is :func:`~thence.encode.loss.blade_loss`.

References:
    Virinchi, Saladi, "BLADE: biased neighborhood sampling based graph neural network for directed graphs",
    WSDM 2023, as far as it is public; widths and layers as in a re-implementation of 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed, torch_generator
from thence.encode.known import check_fittable
from thence.encode.neighborhood import Neighborhood, Neighborhoods, crossing
from thence.encode.peer.role_layers import RoleLayers
from thence.encode.propagate import SparseMatrix
from thence.graph import DiGraph

EVALUATION = -1


def _published() -> Neighborhood:
    return Neighborhood("adaptive", fan_out=20, least=10, combine="sum")


@dataclass(frozen=True)
class BladeConfig:
    """Settings of the encoder.

    Args:
        dim: length of each embedding and of the noise.
        layers: how many.
        neighborhood: which neighbours a node looks at, in every layer.
        redraw: training steps for which a draw of neighbourhoods is kept.
        inputs: ``noise``: fixed, as published; ``learned``: a free vector for each role of each node.
        self_term: let a node see itself; off as published.
        temperature: scores are cosines divided by it; learned from there. None leaves cosines, as published.
        bias: learn a bias of each target; off as published.
    """

    dim: int = 128
    layers: int = 3
    neighborhood: Neighborhood = field(default_factory=_published)
    redraw: int = 1
    inputs: str = "noise"
    self_term: bool = False
    temperature: float | None = None
    bias: bool = False

    def __post_init__(self) -> None:
        if min(self.dim, self.layers, self.redraw) < 1 or (self.temperature or 1.0) <= 0:
            raise ConfigError(
                f"out of range: {self}", fix="dim, layers and redraw are at least 1, temperature above 0."
            )
        if self.inputs not in ("noise", "learned"):
            raise ConfigError(f"no inputs {self.inputs!r}", fix="They are 'noise' or 'learned'.")


class BladeEncoder(nn.Module):
    """BLADE-style embeddings of one graph's main relation.

    Args:
        graph: the graph.
        config: settings.
        seed: of start values, noise and neighbourhoods.

    Raises:
        FitError: the graph's main relation has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)})
        >>> source, target, bias = BladeEncoder(graph, BladeConfig(dim=32, layers=1))()
        >>> target.norm(dim=1).round(decimals=2).tolist()  # nothing leads to a
        [0.0, 1.0, 1.0]
    """

    draws: Tensor

    def __init__(self, graph: DiGraph, config: BladeConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or BladeConfig()
        check_fittable(graph)
        self.num_nodes = graph.num_nodes
        learned = config.inputs == "learned"
        rows = (2 if learned else 1) * graph.num_nodes
        drawn = torch.randn(rows, config.dim, generator=torch_generator(seed, "blade", "noise"))
        self.start = nn.Parameter(drawn, requires_grad=learned)
        self.layers = RoleLayers([config.dim] * (config.layers + 1), self_term=config.self_term, seed=seed)
        if config.temperature is not None:
            self.log_scale = nn.Parameter(-torch.tensor(config.temperature).log())
        if config.bias:
            self.bias = nn.Parameter(torch.log1p(torch.from_numpy(graph.main.in_degree)).float())
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))
        near = derive_seed(seed, "blade", "near")
        self._near = Neighborhoods(graph.main, config.neighborhood, seed=near)
        self._drawn: tuple[int, list[list[SparseMatrix]]] | None = None

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target embeddings ``[num_nodes, dim]`` and the targets' bias ``[num_nodes]``."""
        start = self.start if self.config.inputs == "learned" else torch.cat([self.start, self.start])
        rows = self.layers(start, self._hops(self._next_draw()))
        source, target = rows[: self.num_nodes], rows[self.num_nodes :]
        if self.config.temperature is not None:
            source = source * self.log_scale.exp()
        bias = self.bias if self.config.bias else torch.zeros(self.num_nodes, device=rows.device)
        return source, target, bias

    def _next_draw(self) -> int:
        """Training draws afresh every ``redraw`` steps; evaluation always draws the same."""
        if not self.training:
            return EVALUATION
        step = int(self.draws) // self.config.redraw
        self.draws += 1
        return step

    def _hops(self, step: int) -> list[list[SparseMatrix]]:
        if self._drawn is None or (self._drawn[0] != step and self._near.redrawn):
            hops = []
            for layer in range(self.config.layers):
                pair = self._near.draw(step * self.config.layers + layer)
                hops.append([SparseMatrix(crossing(pair)).to(self.draws.device)])
            self._drawn = (step, hops)
        return self._drawn[1]


def ablation(kind: str, config: BladeConfig | None = None) -> BladeConfig:
    """The same settings with neighbourhoods of another kind and the same budget.

    Example:
        >>> ablation("uniform").neighborhood.kind
        'uniform'
    """
    config = config or BladeConfig()
    return replace(config, neighborhood=replace(config.neighborhood, kind=kind))
