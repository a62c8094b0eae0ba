"""Dual embeddings that are never shown the arcs which they are to predict, with a decoder of its own.

    s⁰ = X W_s + b_s      t⁰ = X W_t + b_t      Ã = D_out^-½ (A + I) D_in^-½
    s ← s + a_k Ã t       t ← t + b_k Ãᵀ s      k = 1 … K, all a and b learned
    score(i → j) = MLP(s_i ⊙ t_j)

This is SDGAE's propagation. What differs is the training: arcs are dealt into F parts, and a step that learns
the arcs of one part passes messages along the others alone. Without that a step sees in its messages the very
arc that it is asked for, learns to read it off, and overfits within a few dozen steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.encode.peer.decode import Decoded, make_decoder
from thence.encode.peer.inputs import Inputs, adjacency, node_features
from thence.graph import Arcs, DiGraph


class DualDecoded(Decoded):
    """The encoder and its decoder for one graph.

    Args:
        graph: the graph; its main relation is used.
        dim: length of each embedding.
        rounds: K, how often vectors are passed on.
        folds: F, into how many parts the arcs are dealt; 0 hides nothing.
        dropout: of the decoder's hidden layer.
        decoder: a name of :data:`~thence.encode.peer.decode.DECODERS`.
        seed: of the start values and of the parts.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        rounds: int = 5,
        folds: int = 5,
        dropout: float = 0.5,
        decoder: str = "hadamard",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if dim < 1 or rounds < 0 or folds < 0 or folds == 1:
            raise ConfigError(f"dim={dim}, rounds={rounds}, folds={folds}", fix="folds is 0, or at least 2.")
        features = node_features(graph)
        self.from_source, self.from_target = (
            Inputs(features, dim, seed, role) for role in ("source", "target")
        )
        self.fold = arc_folds(graph.main, folds, seed)
        seen = [np.ones(graph.main.num_arcs, bool)] + [self.fold != part for part in range(folds)]
        sides = [adjacency(graph.main.select(part), loops=True) for part in seen]
        self.out, self.into = nn.ModuleList(out for out, _ in sides), nn.ModuleList(into for _, into in sides)
        self.share = nn.Parameter(torch.ones(rounds, 2))
        self.decoder = make_decoder(decoder, dim, dropout=dropout, seed=seed)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, dim]`` from all arcs, and a bias of zeros."""
        return self.without(-1)

    def around(self, batch: Any) -> tuple[Tensor, Tensor, Tensor, Any]:
        """The same from the arcs that the batch does not learn, and the batch."""
        return *self.without(batch.fold), batch

    def without(self, part: int) -> tuple[Tensor, Tensor, Tensor]:
        """The same from all arcs but those of one part; -1 hides none."""
        source, target = self.from_source(), self.from_target()
        out, into = self.out[part + 1], self.into[part + 1]
        for share in self.share:
            source, target = source + share[0] * out(target), target + share[1] * into(source)
        return source, target, self.no_bias


def arc_folds(arcs: Arcs, folds: int, seed: int) -> np.ndarray:
    """``[num_arcs]`` int64: the part of each arc, of equal size within one; -1 for all where there are none.

    Both arcs of a reciprocal pair fall into the same part, or one would tell of the other.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1, 1, 2], [1, 0, 2, 3], num_nodes=4)
        >>> part = arc_folds(arcs, 3, seed=0)
        >>> sorted(set(part.tolist())), bool(part[0] == part[1])
        ([0, 1, 2], True)
    """
    if not folds:
        return np.full(arcs.num_arcs, -1)
    source, target = arcs.pairs
    _, unit = np.unique(
        np.minimum(source, target) * arcs.num_nodes + np.maximum(source, target), return_inverse=True
    )
    num = int(unit.max(initial=-1)) + 1
    return (generator(seed, "arc_folds").permutation(num) % folds)[unit]
