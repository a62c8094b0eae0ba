"""The house's first encoder: dual embeddings by linear propagation along and against the arcs.

Every node starts from what it is (its features) and who it is (a free vector), once for each role:

    s⁰ = E_s + X W_s          t⁰ = E_t + X W_t

and each layer lets a source look at the targets of its out-neighbours and a target at the sources of its
in-neighbours, over every directed relation r; over undirected ones u, sources look at sources and targets at
targets:

    s ← s + Σ_r a_r · Out_r t + Σ_u c_u · U_u s
    t ← t + Σ_r b_r · In_r s + Σ_u d_u · U_u t

with learned coefficients a, b, c, d. The score of an arc i → j is ⟨s_i, t_j⟩ + bias_j. A node without arcs
has no free vector: it is placed by its features and, through them, beside products like it.

The two-role aggregation is DAEMON's (Virinchi et al., ECML-PKDD 2022, Algorithm 1), without its non-linearity
and per-layer normalisation and with a self term, which it lacks; linear propagation follows LightGCN (He et
al., SIGIR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.features import item_features
from thence.encode.known import check_fittable
from thence.encode.propagate import SparseMatrix, neighborhoods
from thence.graph import DiGraph


@dataclass(frozen=True)
class DualConfig:
    """Settings of the encoder.

    Args:
        dim: length of each embedding.
        layers: rounds of propagation; 0 leaves a factorisation with features.
        fan_out: neighbours that a node looks at, in each direction.
        free_vectors: give each node with arcs a vector of its own beside its features.
    """

    dim: int = 128
    layers: int = 1
    fan_out: int = 32
    free_vectors: bool = True

    def __post_init__(self) -> None:
        if self.dim < 1 or self.layers < 0 or self.fan_out < 1:
            raise ConfigError(f"out of range: {self}", fix="dim and fan_out are at least 1, layers at least 0.")


class DualEncoder(nn.Module):
    """Dual embeddings of one graph.

    Args:
        graph: the graph; all its relations are used.
        config: settings.
        seed: from which the start values are drawn.

    Raises:
        FitError: the graph's main relation has no arcs.
    """

    alive: Tensor
    rows: ClassVar[Mapping[str, str]] = {
        "free_source": "source",
        "free_target": "target",
        "feature_source": "feature",
        "feature_target": "feature",
        "bias": "bias",
    }

    def __init__(self, graph: DiGraph, config: DualConfig | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config = config or DualConfig()
        check_fittable(graph)
        blank = sp.csr_matrix((graph.num_nodes, 1))
        features: Any = blank if graph.nodes is None else item_features(graph.nodes)
        self.features = SparseMatrix(features)
        self._start(graph, features.shape[1], seed)
        self.out, self.into, self.beside = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for arcs in graph.relations.values():
            out, into = neighborhoods(arcs, fan_out=config.fan_out)
            if arcs.directed:
                self.out.append(SparseMatrix(out))
                self.into.append(SparseMatrix(into))
            else:
                self.beside.append(SparseMatrix(out))
        start = torch.full((config.layers, 2, len(self.out)), 0.1)
        start[:, :, 0] = 1.0  # the main relation leads, the others begin small
        self.directed_share = nn.Parameter(start)
        self.undirected_share = nn.Parameter(torch.full((config.layers, 2, len(self.beside)), 0.1))

    def _start(self, graph: DiGraph, num_features: int, seed: int) -> None:
        def normal(name: str, rows: int) -> nn.Parameter:
            values = torch.randn(rows, self.config.dim, generator=torch_generator(seed, "encoder", name))
            return nn.Parameter(0.05 * values)

        self.free_source, self.free_target = (
            normal("free_source", graph.num_nodes),
            normal("free_target", graph.num_nodes),
        )
        self.feature_source, self.feature_target = (
            normal("source", num_features),
            normal("target", num_features),
        )
        received = np.bincount(graph.main.targets, weights=graph.main.weight, minlength=graph.num_nodes)
        self.bias = nn.Parameter(torch.from_numpy(np.log1p(received)).float())
        has_arcs = np.zeros(graph.num_nodes, bool)
        for arcs in graph.relations.values():
            has_arcs |= (arcs.out_degree + arcs.in_degree) > 0
        alive = has_arcs if self.config.free_vectors else np.zeros_like(has_arcs)
        self.register_buffer("alive", torch.from_numpy(alive).float()[:, None], persistent=False)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target embeddings ``[num_nodes, dim]`` and the targets' bias ``[num_nodes]``."""
        source = self.alive * self.free_source + self.features(self.feature_source)
        target = self.alive * self.free_target + self.features(self.feature_target)
        for layer in range(self.config.layers):
            source, target = self._layer(layer, source, target)
        return source, target, self.bias

    def _layer(self, layer: int, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        next_source, next_target = source, target
        for r, (out, into) in enumerate(zip(self.out, self.into, strict=True)):
            next_source = next_source + self.directed_share[layer, 0, r] * out(target)
            next_target = next_target + self.directed_share[layer, 1, r] * into(source)
        for r, beside in enumerate(self.beside):
            next_source = next_source + self.undirected_share[layer, 0, r] * beside(source)
            next_target = next_target + self.undirected_share[layer, 1, r] * beside(target)
        return next_source, next_target
