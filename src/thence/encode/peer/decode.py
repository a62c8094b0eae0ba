"""Decoders: from a source's and a target's vector to the score of the arc, and the scorer that uses one.

    inner product     ⟨s_i, t_j⟩                       hadamard       MLP(s_i ⊙ t_j)
    concat linear     w · [s_i ; t_j]                   concat MLP     MLP([s_i ; t_j])

The first layer over [s ; t] is the sum of one over s and one over t; kept apart, a source's half is computed
once for all its targets. Note what the linear one can say: a_i + b_j ranks targets alike for every source.
An index serves inner products alone; the others score every pair they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError, DataError, nearest
from thence.base.ids import IdMap
from thence.base.rng import torch_generator
from thence.encode.embeddings import Embeddings
from thence.encode.layer.linear import linear
from thence.graph import DiGraph

BLOCK_VALUES = 1 << 23
"""Numbers that a block of pairs may take, so that scoring all nodes fits anywhere."""


class InnerProduct(nn.Module):
    """⟨source, target⟩ over the last axis.

    Example:
        >>> InnerProduct()(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
        [11.0, 2.0]
    """

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores ``[...]`` of vectors ``[..., dim]`` that broadcast against each other."""
        return (source * target).sum(-1)


class HadamardMLP(nn.Module):
    """MLP(source ⊙ target): one hidden layer, ReLU and dropout. Symmetric where source and target are the same.

    Args:
        dim: length of the vectors.
        hidden: width of the hidden layer.
        dropout: share of hidden values that a training step leaves out.
        seed: from which the start values are drawn.
    """

    def __init__(self, dim: int, hidden: int = 64, dropout: float = 0.5, seed: int = 0) -> None:
        super().__init__()
        self.first = linear(dim, hidden, torch_generator(seed, "decoder", "first"))
        self.last = linear(hidden, 1, torch_generator(seed, "decoder", "last"))
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores ``[...]`` of vectors ``[..., dim]`` that broadcast against each other."""
        return self.last(self.dropout(torch.relu(self.first(source * target)))).squeeze(-1)


class ConcatMLP(nn.Module):
    """MLP([source ; target]), or with ``hidden=0`` the linear map w · [source ; target] + b.

    Args:
        dim: length of the vectors.
        hidden: width of the hidden layer; 0 for none.
        dropout: share of hidden values (of inputs, when there is no hidden layer) that a step leaves out.
        seed: from which the start values are drawn.
    """

    def __init__(self, dim: int, hidden: int = 64, dropout: float = 0.5, seed: int = 0) -> None:
        super().__init__()
        self.hidden, width = hidden, hidden or 1
        self.of_source = linear(dim, width, torch_generator(seed, "decoder", "source"))
        self.of_target = linear(dim, width, torch_generator(seed, "decoder", "target"), bias=False)
        self.last = linear(hidden, 1, torch_generator(seed, "decoder", "last")) if hidden else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores ``[...]`` of vectors ``[..., dim]`` that broadcast against each other."""
        if not self.hidden:
            return (self.of_source(self.dropout(source)) + self.of_target(self.dropout(target))).squeeze(-1)
        mixed = torch.relu(self.of_source(source) + self.of_target(target))
        return self.last(self.dropout(mixed)).squeeze(-1)


DECODERS = ("inner", "hadamard", "concat", "concat_linear")


def make_decoder(name: str, dim: int, *, dropout: float = 0.5, seed: int = 0) -> nn.Module:
    """A decoder by name.

    Args:
        name: one of :data:`DECODERS`.
        dim: length of the vectors.
        dropout: of its hidden layer.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: there is no such decoder.

    Example:
        >>> make_decoder("inner", 4)
        InnerProduct()
    """
    if name not in DECODERS:
        raise ConfigError(f"unknown decoder {name!r}", fix=nearest(name, DECODERS))
    if name == "inner":
        return InnerProduct()
    if name == "hadamard":
        return HadamardMLP(dim, dropout=dropout, seed=seed)
    return ConcatMLP(dim, 0 if name == "concat_linear" else 64, dropout, seed)


@dataclass(frozen=True, eq=False, repr=False)
class DecodedScorer:
    """Scores by a decoder over dual vectors, a block of pairs at a time, on the device of the vectors.

    Args:
        ids: external id of each node.
        source: ``[num_nodes, dim]``.
        target: ``[num_nodes, dim]``.
        bias: ``[num_nodes]``, added for each target.
        decoder: from source and target vectors that broadcast to scores.
        info: how it came about, JSON-able.

    Example:
        >>> source, target = torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [2.0]])
        >>> scorer = DecodedScorer(IdMap("ab"), source, target, torch.zeros(2), InnerProduct())
        >>> scorer.scores([0]).tolist(), scorer.scores_into([1]).tolist(), scorer.pairs([0], [1]).tolist()
        ([[0.0, 2.0]], [[2.0, 0.0]], [2.0])
    """

    ids: IdMap
    source: Tensor
    target: Tensor
    bias: Tensor
    decoder: nn.Module
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("source", "target", "bias"):
            values = getattr(self, name)
            if len(values) != len(self.ids) or not torch.isfinite(values).all():
                raise DataError(f"{name}: {len(values)} rows for {len(self.ids)} ids, or not finite")

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"DecodedScorer({len(self.ids):,} nodes, {type(self.decoder).__name__})"

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` float32 of the arcs from each source to every node."""
        return self._table(sources, self._score)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` float32 of the arcs from every node to each target."""
        return self._table(targets, lambda own, block: self._score(block, own))

    def pairs(self, sources: ArrayLike, targets: ArrayLike) -> np.ndarray:
        """Scores ``[n]`` float32 of ordered pairs."""
        u, v = (self._nodes(side).split(self._block) for side in (sources, targets))
        blocks = [self._score(a, b) for a, b in zip(u, v, strict=True)]
        return torch.cat(blocks).float().numpy(force=True)

    def _table(self, nodes: ArrayLike, score: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
        """One node at a time against blocks of all: its row is the same bits whoever is asked beside it."""
        blocks = torch.arange(len(self.ids), device=self.bias.device).split(self._block)
        rows = [torch.cat([score(own, block) for block in blocks]) for own in self._nodes(nodes)[:, None]]
        table = torch.stack(rows) if rows else self.bias.new_zeros(len(rows), len(self.ids))
        return table.float().numpy(force=True)

    def _score(self, sources: Tensor, targets: Tensor) -> Tensor:
        self.decoder.eval()
        with torch.no_grad():
            return self.decoder(self.source[sources], self.target[targets]) + self.bias[targets]

    def _nodes(self, nodes: ArrayLike) -> Tensor:
        return torch.from_numpy(np.asarray(nodes, np.int64)).to(self.bias.device)

    @property
    def _block(self) -> int:
        return max(1, BLOCK_VALUES // max(self.source.shape[1], 1))


class Decoded(nn.Module):
    """An encoder whose source and target vectors a decoder scores; it has no bias.

    Args:
        num_nodes: of its graph.
    """

    decoder: nn.Module
    no_bias: Tensor

    def __init__(self, num_nodes: int) -> None:
        super().__init__()
        self.register_buffer("no_bias", torch.zeros(num_nodes), persistent=False)

    def scorer(self, graph: DiGraph, info: Mapping[str, Any]) -> Embeddings | DecodedScorer:
        """What it has learned: embeddings when the decoder is the inner product."""
        source, target, bias = self()
        if isinstance(self.decoder, InnerProduct):
            arrays: list[np.ndarray] = [part.numpy(force=True) for part in (source, target, bias)]
            return Embeddings(graph.ids, arrays[0], arrays[1], arrays[2], info)
        return DecodedScorer(graph.ids, source, target, bias, self.decoder, info)
