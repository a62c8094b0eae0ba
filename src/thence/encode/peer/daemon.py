"""DAEMON: dual embeddings by a graph neural network along two relations, bought after and viewed together.

With X what is known of each node and one matrix W^l a layer, for l = 1 … L, σ = ReLU, and sums over sampled
neighbours (no self term, no bias):

    s_u^0 = t_u^0 = X_u
    s_u^l = σ( Σ_{u → v bought}  t_v^{l-1} W^l ) + σ( Σ_{u → v viewed}  s_v^{l-1} W^l )
    t_u^l = σ( Σ_{v → u bought}  s_v^{l-1} W^l ) + σ( Σ_{v → u viewed}  t_v^{l-1} W^l )

each divided by its length in every layer. An arc's score is ⟨s_u, t_v⟩, a cosine. X is the catalogue's
features, or fixed normal noise where there is no catalogue.

As published it learns little: no score is farther than 1 from another. The settings that follow ``kind`` are
ours and off by default; ``bench/parts/daemon.py`` measures what each of them does.

References:
    Virinchi, Saladi, Mondal, "Recommending related products using graph neural networks in directed graphs",
    ECML-PKDD 2022, Algorithm 1 and section 5 (layers, widths, fan-outs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed, torch_generator
from thence.encode.features import item_features
from thence.encode.known import check_fittable
from thence.encode.neighborhood import Kind, Neighborhood, Neighborhoods, beside, crossing
from thence.encode.peer.role_layers import RoleLayers
from thence.encode.propagate import SparseMatrix
from thence.graph import Arcs, DiGraph
from thence.graph.sample import FanOut, Sample, Side, roles_side, side_of

RANDOM_WIDTH = 128
EVALUATION = -1
AT_ONCE = 1 << 14
"""Nodes that are embedded together where nothing is computed over the whole graph."""


class Asking(Protocol):
    """A batch that knows which embeddings it needs."""

    def needs(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct nodes, ascending, needed as sources and as targets."""
        ...

    def renamed(self, nodes: np.ndarray) -> Any:
        """The batch with each node replaced by its place in ``nodes`` (ascending)."""
        ...


@dataclass(frozen=True)
class DaemonConfig:
    """Settings of the encoder.

    Args:
        dim: length of each embedding.
        fan_outs: neighbours looked at in each layer, from the input to the output.
        redraw: training steps for which drawn neighbourhoods are kept.
        kind: of neighbourhoods, see :mod:`thence.encode.neighborhood`.
        inputs: ``given``: features, or noise without a catalogue; ``learned``: a free vector for each role
            of each node.
        self_term: let a node see itself.
        linear: leave the ReLU out.
        temperature: scores are cosines divided by it; learned from there. None leaves cosines.
        bias: learn a bias of each target.
        sampled: compute only around the batch, not over the whole graph; for large graphs.
    """

    dim: int = 64
    fan_outs: tuple[int, ...] = (20, 10, 10)
    redraw: int = 1
    kind: Kind = "uniform"
    inputs: Literal["given", "learned"] = "given"
    self_term: bool = False
    linear: bool = False
    temperature: float | None = None
    bias: bool = False
    sampled: bool = False

    def __post_init__(self) -> None:
        counts = (self.dim, self.redraw, len(self.fan_outs), *self.fan_outs)
        if min(counts) < 1 or (self.temperature or 1.0) <= 0:
            raise ConfigError(
                f"out of range: {self}",
                fix="Counts are at least 1, with one fan-out a layer; temperature is above 0.",
            )
        if self.inputs not in ("given", "learned"):
            raise ConfigError(f"no inputs {self.inputs!r}", fix="They are 'given' or 'learned'.")
        if self.sampled and self.kind != "uniform":
            raise ConfigError(f"neighbourhoods of kind {self.kind!r} around a batch", fix="Use 'uniform'.")


class DaemonEncoder(nn.Module):
    """DAEMON on one graph: the main relation, and beside it the first undirected or else the second one.

    Args:
        graph: the graph.
        config: settings; those published when not given.
        seed: of start values, noise and neighbourhoods.

    Raises:
        FitError: the graph's main relation has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)})
        >>> source, target, bias = DaemonEncoder(graph, DaemonConfig(dim=32, fan_outs=(2,)))()
        >>> source.norm(dim=1).round(decimals=2).tolist()  # c leads nowhere, so it is nothing as a source
        [1.0, 1.0, 0.0]
    """

    draws: Tensor
    noise: Tensor

    def __init__(self, graph: DiGraph, config: DaemonConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or DaemonConfig()
        check_fittable(graph)
        self.num_nodes, self._seed = graph.num_nodes, seed
        self._main, self._beside = graph.main, beside_of(graph)
        width = self._inputs(graph, seed)
        widths = [width] + [config.dim] * len(config.fan_outs)
        self.layers = RoleLayers(widths, self_term=config.self_term, linear=config.linear, seed=seed)
        if config.temperature is not None:
            self.log_scale = nn.Parameter(-torch.tensor(config.temperature).log())
        if config.bias:
            self.bias = nn.Parameter(torch.log1p(torch.from_numpy(graph.main.in_degree)).float())
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))
        self._drawn: tuple[int, list[list[SparseMatrix]]] | None = None
        self._near = [] if config.sampled else [self._neighborhoods(k) for k in config.fan_outs]
        self._sampler = self._fan_out(config.fan_outs[::-1]) if config.sampled else None

    @property
    def around(self) -> Any:
        """Computes only what a batch asks for; None where the whole graph is computed."""
        return self._around if self.config.sampled else None

    @property
    def row_sparse(self) -> tuple[str, ...]:
        """Names of parameters of which a step touches few rows."""
        return ("free",) if self.config.sampled and self.config.inputs == "learned" else ()

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target embeddings ``[num_nodes, dim]`` and the targets' bias ``[num_nodes]``."""
        if self.config.sampled:
            return self._layerwise()
        rows = self.layers(self._start(None), self._hops(self._next_draw()))
        num = self.num_nodes
        return self._scaled(rows[:num]), rows[num:], self._bias()

    def _around(self, batch: Asking) -> tuple[Tensor, Tensor, Tensor, Any]:
        """Embeddings of the nodes that a batch needs, each in the roles that it needs; zeros elsewhere."""
        sources, targets = batch.needs()
        parts = self._seen_from(sources, targets, self._next_draw())
        nodes = np.union1d(sources, targets)
        placed = []
        for own, part in zip((sources, targets), parts, strict=True):
            at = torch.from_numpy(np.searchsorted(nodes, own)).to(part.device)
            placed.append(part.new_zeros(len(nodes), part.shape[1]).index_copy(0, at, part))
        bias = self._bias()[torch.from_numpy(nodes).to(placed[0].device)]
        return placed[0], placed[1], bias, batch.renamed(nodes)

    def _seen_from(self, sources: np.ndarray, targets: np.ndarray, step: int) -> tuple[Tensor, Tensor]:
        """Embeddings of some nodes as sources and of some as targets, from neighbourhoods drawn around them."""
        assert self._sampler is not None
        sample = self._sampler.sample(np.concatenate([sources, self.num_nodes + targets]), step=step)
        rows = self.layers(self._start(sample.nodes), self._sampled_hops(sample))
        return self._scaled(rows[: len(sources)]), rows[len(sources) :]

    def _layerwise(self) -> tuple[Tensor, Tensor, Tensor]:
        """All embeddings, layer by layer and in each some nodes at a time: no neighbourhood is drawn twice."""
        rows = self._start(None)
        for layer, fan_out in enumerate(self.config.fan_outs):
            sent = self.layers.sent(layer, rows)
            sampler, pieces = self._fan_out([fan_out]), []
            for at in range(0, 2 * self.num_nodes, AT_ONCE):
                nodes = np.arange(at, min(at + AT_ONCE, 2 * self.num_nodes))
                sample = sampler.sample(nodes, step=EVALUATION - layer)
                near = sent[torch.from_numpy(sample.nodes).to(sent.device)]
                pieces.append(self.layers.seen(near, self._sampled_hops(sample)[0]))
            del sent
            rows = torch.cat(pieces)
        assert isinstance(rows, Tensor)  # there is a layer
        return self._scaled(rows[: self.num_nodes]), rows[self.num_nodes :], self._bias()

    def _inputs(self, graph: DiGraph, seed: int) -> int:
        """Make what every node starts from; returns its width."""
        self._features: Any = None
        if self.config.inputs == "learned":
            draw = torch_generator(seed, "daemon", "free")
            self.free = nn.Parameter(torch.randn(2 * graph.num_nodes, self.config.dim, generator=draw))
            return self.config.dim
        features: Any = None if graph.nodes is None else item_features(graph.nodes)
        if features is not None and features.nnz:
            self._features = sp.csr_matrix(features)
            self.features = SparseMatrix(sp.vstack([features, features]))
            return features.shape[1]
        draw = torch_generator(seed, "daemon", "noise")
        noise = torch.randn(graph.num_nodes, RANDOM_WIDTH, generator=draw)
        self.register_buffer("noise", noise, persistent=False)
        return RANDOM_WIDTH

    def _start(self, nodes: np.ndarray | None) -> Tensor | SparseMatrix:
        """The input of all nodes in both roles, or of some of these ``2 n``."""
        if self._features is not None:
            if nodes is None:
                return self.features
            return SparseMatrix(self._features[nodes % self.num_nodes]).to(self.draws.device)
        at = None if nodes is None else torch.from_numpy(nodes).to(self.draws.device)
        if self.config.inputs == "learned":
            return self.free if at is None else nn.functional.embedding(at, self.free, sparse=True)
        return torch.cat([self.noise, self.noise]) if at is None else self.noise[at % self.num_nodes]

    def _scaled(self, source: Tensor) -> Tensor:
        return source if self.config.temperature is None else source * self.log_scale.exp()

    def _bias(self) -> Tensor:
        return self.bias if self.config.bias else torch.zeros(self.num_nodes, device=self.draws.device)

    def _next_draw(self) -> int:
        """Each training step draws afresh, as the state tells; evaluation always draws the same."""
        if not self.training:
            return EVALUATION
        step = int(self.draws) // self.config.redraw
        self.draws += 1
        return step

    def _neighborhoods(self, fan_out: int) -> list[Neighborhoods]:
        own = Neighborhood(self.config.kind, fan_out=fan_out, combine="sum")
        seeds = [derive_seed(self._seed, "daemon", name, fan_out) for name in ("main", "beside")]
        relations = [self._main] if self._beside is None else [self._main, self._beside]
        return [Neighborhoods(arcs, own, seed=seed) for arcs, seed in zip(relations, seeds, strict=False)]

    def _hops(self, step: int) -> list[list[SparseMatrix]]:
        """Of each layer the drawn matrices of both relations; every layer draws for itself."""
        if self._drawn is not None and self._drawn[0] == step:
            return self._drawn[1]
        hops, stacks = [], (crossing, beside)
        for layer, relations in enumerate(self._near):
            draw = step * len(self._near) + layer
            drawn = [stack(near.draw(draw)) for stack, near in zip(stacks, relations, strict=False)]
            hops.append([SparseMatrix(matrix).to(self.draws.device) for matrix in drawn])
        self._drawn = (step, hops)
        return hops

    def _fan_out(self, fan_outs: Sequence[int]) -> FanOut:
        """Draws around nodes in their roles, hop by hop."""
        sides = {"main": roles_side(self._main)}
        if self._beside is not None:
            sides["beside"] = beside_side(self._beside)
        return FanOut(sides, list(fan_outs), seed=derive_seed(self._seed, "daemon"))

    def _sampled_hops(self, sample: Sample) -> list[list[SparseMatrix]]:
        """Of each layer the matrices from what the layer before gave to what the next one needs."""
        hops = []
        for left in range(sample.num_hops, 0, -1):  # hops around the seeds that are still to be shrunk
            shape = (int(sample.node_ptr[left]), int(sample.node_ptr[left + 1]))
            relations = []
            for relation in range(sample.num_relations):
                part = np.concatenate([np.r_[sample.group(hop, relation)] for hop in range(left)])
                indptr = np.searchsorted(sample.row[part], np.arange(shape[0] + 1))
                value = np.ones(len(part), np.float32)
                matrix = sp.csr_matrix((value, sample.column[part], indptr), shape=shape)
                relations.append(SparseMatrix(matrix).to(self.draws.device))
            hops.append(relations)
        return hops


def beside_of(graph: DiGraph) -> Arcs | None:
    """The relation in the part of co-views: the first undirected one, else the second, else none."""
    others = list(graph.relations.values())[1:]
    undirected = [arcs for arcs in others if not arcs.directed]
    found = next(iter(undirected or others), None)
    return found if found is not None and found.num_arcs else None


def beside_side(arcs: Arcs) -> Side:
    """Both roles in one side to draw from, each looking at its own kind.

    Example:
        >>> side = beside_side(Arcs.from_pairs([0], [1], num_nodes=2))
        >>> side.indptr.tolist(), side.neighbors.tolist()  # 0 sees 1 as sources, 1 sees 0 as targets
        ([0, 1, 1, 1, 2], [1, 2])
    """
    out, into = side_of(arcs, "out"), side_of(arcs, "into")
    indptr = np.concatenate([out.indptr, into.indptr[1:] + np.int64(arcs.num_arcs)])
    return Side(indptr, np.concatenate([out.neighbors, into.neighbors + np.int32(arcs.num_nodes)]))
