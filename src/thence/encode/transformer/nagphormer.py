"""NAGphormer: each node is a short sequence, what it is and what is seen k hops from it; no node needs another.

    T_i = [x_i, (Â X)_i, …, (Â^K X)_i] W              tokens, Â degree-scaled with loops, worked out once
    transformer layers over the K + 1 tokens of a node
    z_i = t_0 + Σ_k softmax_k( a · [t_0 ; t_k] ) t_k

On a directed graph tokens are made for each way, along the arcs and against them. As tokens hold no weights,
they can be made before training, and a minibatch is any set of rows of them: ``read(tokens(x, view)[rows])``.

References:
    Chen, Gao, Li, He, "NAGphormer: a tokenized graph transformer for node classification in large graphs", ICLR
    2023, equations 5 to 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear
from thence.encode.layer.view import WAYS, View, Way


@dataclass(frozen=True)
class NAGphormerConfig:
    """How the encoder is built.

    Args:
        hops: the farthest hop, K.
        ways: where hops go; one sequence of tokens each.
        dim: width of every layer.
        layers: of the transformer.
        heads: of its attention.
        dropout: share of numbers that a training step leaves out.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    hops: int = 5
    ways: tuple[Way, ...] = ("both",)
    dim: int = 64
    layers: int = 1
    heads: int = 4
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if min(self.hops, self.dim, self.layers, self.heads) < 1 or self.dim % self.heads:
            raise ConfigError(f"out of range: {self}", fix="Counts are at least 1; dim is a multiple of heads.")
        if not self.ways or not set(self.ways) <= set(WAYS) or not 0 <= self.dropout < 1:
            raise ConfigError(f"out of range: {self}", fix="ways are into, out or both; dropout is a share.")


class NAGphormer(nn.Module):
    """The encoder.

    Args:
        inputs: width of the features.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> encoder = NAGphormer(5, NAGphormerConfig(dim=8, hops=2, ways=("out", "into"))).eval()
        >>> tokens = encoder.tokens(torch.ones(3, 5), view)
        >>> tokens.shape, encoder.read(tokens[:2]).shape
        (torch.Size([3, 5, 5]), torch.Size([2, 8]))
    """

    def __init__(self, inputs: int, config: NAGphormerConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config, self.dim = config, config.dim
        dim, count = config.dim, 1 + config.hops * len(config.ways)
        self.first = linear(inputs, dim, torch_generator(seed, "first"))
        self.place = nn.Parameter(0.02 * torch.randn(count, dim, generator=torch_generator(seed, "place")))
        self.layers = nn.ModuleList(_Layer(config, seed, k) for k in range(config.layers))
        self.norm = nn.LayerNorm(dim)
        self.score = linear(2 * dim, 1, torch_generator(seed, "score"))

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, dim]`` of features ``[n, inputs]``."""
        return self.read(self.tokens(x, view))

    def tokens(self, x: Tensor, view: View) -> Tensor:
        """``[n, 1 + hops · ways, inputs]``: each node's features, then what is seen hop by hop, way by way."""
        found = [x]
        for way in self.config.ways:
            seen = x
            for _ in range(self.config.hops):
                seen = view.matrix("loops", way)(seen)
                found.append(seen)
        return torch.stack(found, 1)

    def read(self, tokens: Tensor) -> Tensor:
        """Vectors ``[rows, dim]`` of some nodes' tokens."""
        hidden = self.first(tokens) + self.place
        for layer in self.layers:
            hidden = layer(hidden)
        hidden = self.norm(hidden)
        own, others = hidden[:, :1], hidden[:, 1:]
        weight = torch.softmax(self.score(torch.cat([own.expand_as(others), others], 2)), 1)
        return own[:, 0] + (weight * others).sum(1)


class _Layer(nn.Module):
    """A transformer layer over the tokens of each node, norms first."""

    def __init__(self, config: NAGphormerConfig, seed: int, k: int) -> None:
        super().__init__()
        dim, self.heads = config.dim, config.heads
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.mixed = linear(dim, 3 * dim, torch_generator(seed, "qkv", k))
        self.out = linear(dim, dim, torch_generator(seed, "out", k))
        self.widen = linear(dim, 2 * dim, torch_generator(seed, "widen", k))
        self.narrow = linear(2 * dim, dim, torch_generator(seed, "narrow", k))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        rows, count, dim = x.shape
        parts = self.mixed(self.norms[0](x)).view(rows, count, 3, self.heads, dim // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        said = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(rows, count, dim)
        x = x + self.dropout(self.out(said))
        return x + self.dropout(self.narrow(torch.relu(self.widen(self.norms[1](x)))))
