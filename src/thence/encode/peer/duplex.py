"""DUPLEX: complex vectors whose amplitudes say that two nodes are tied, and whose phases which way.

    z_i = a_i e^{iθ_i}       H_ij = Σ_d z_i,d · conj(z_j,d) = Σ_d a_i,d a_j,d e^{i(θ_i,d - θ_j,d)}
    what H_ij should be:     i for i → j alone,  -i for j → i alone,  1 for both,  0 for neither

Two graph attention networks make them, over the pairs of nodes that are tied either way, and each node itself:

    w_ij = softmax_j LeakyReLU(p · W h_j + q · W h_i)
    a_i ← Σ_j w_ij W a_j + b         θ_i ← Σ_j s_ij w_ij W θ_j + b         s_ij = [j → i] - [i → j],  s_ii = 1

In the last layer but one each takes in the other's vectors as well, by an attention of their own. ReLU and
dropout follow every layer but the last. Since H_ji = conj(H_ij), an arc told from its one end is told from the
other too. The score is the log-odds of an arc, from a softmax over minus the distances to the four values:

    score(i → j) = log (P_forward + P_both) - log (P_reverse + P_neither)

As ``inner`` it is Re H_ij + Im H_ij instead, which is ⟨(1 - i) z_i, z_j⟩ of their real and imaginary parts side
by side, so that an index can serve it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.embeddings import Embeddings
from thence.encode.peer.decode import Decoded, DecodedScorer
from thence.encode.peer.inputs import node_features
from thence.graph import Arcs, DiGraph

DECODERS = ("classes", "inner")
KINDS = ((0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (0.0, 0.0))
"""H_ij, real and imaginary, of pairs: forward, reverse, both, neither."""


class Duplex(Decoded):
    """The encoder for one graph; source and target vectors are both [a, θ].

    Args:
        graph: the graph; its main relation is used.
        dim: length of the amplitudes and of the phases, and width of hidden layers.
        layers: of each network, at least 2.
        dropout: of hidden layers.
        decoder: ``classes`` or ``inner``: how a pair is scored.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.

    References:
        Ke, Yu, Li, Zhang, "DUPLEX: Dual GAT for Complex Embedding of Directed Graphs", ICML 2024.
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        layers: int = 3,
        dropout: float = 0.5,
        decoder: str = "classes",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if dim < 1 or layers < 2 or decoder not in DECODERS:
            raise ConfigError(
                f"dim={dim}, layers={layers}, decoder={decoder!r}", fix=f"layers ≥ 2; one of {DECODERS}."
            )
        self.features = node_features(graph)
        ties = Ties(graph.main)
        widths = [self.features.shape[1], *[dim] * layers]
        self.amplitude, self.phase = (
            nn.ModuleList(
                Attention(ties, *width, signed=role == "phase", draw=torch_generator(seed, "duplex", role, k))
                for k, width in enumerate(pairwise(widths))
            )
            for role in ("amplitude", "phase")
        )
        self.meeting = layers - 2
        self.across = nn.ModuleList(
            Attention(
                ties, *widths[layers - 2 : layers], signed=signed, draw=torch_generator(seed, "across", signed)
            )
            for signed in (False, True)
        )
        self.dropout = nn.Dropout(dropout)
        self.decoder, self.inner = HermitianDecoder(), decoder == "inner"

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, 2 · dim]``, the same, and a bias of zeros."""
        hidden: Any = (None, None)  # before the first layer, both stand for the features
        last = len(self.amplitude) - 1
        for k, layers in enumerate(zip(self.amplitude, self.phase, strict=True)):
            own = [layer(self._mapped(layer, h)) for layer, h in zip(layers, hidden, strict=True)]
            if k == self.meeting:
                turned = zip(self.across, reversed(hidden), strict=True)
                own = [
                    h + layer(self._mapped(layer, other)) for h, (layer, other) in zip(own, turned, strict=True)
                ]
            hidden = own if k == last else [self.dropout(torch.relu(h)) for h in own]
        vectors = torch.cat(list(hidden), dim=1)
        return vectors, vectors, self.no_bias

    def _mapped(self, layer: Any, hidden: Tensor | None) -> Tensor:
        return self.features(layer.weight) if hidden is None else hidden @ layer.weight

    def scorer(self, graph: DiGraph, info: Mapping[str, Any]) -> Embeddings | DecodedScorer:
        """What it has learned: embeddings when it scores by the inner product."""
        if not self.inner:
            return super().scorer(graph, info)
        vectors, _, bias = self()
        source, target, bias = (part.numpy(force=True) for part in (*as_inner_product(vectors), bias))
        return Embeddings(graph.ids, source, target, bias, info)


class Ties(nn.Module):
    """Ordered pairs of nodes that are tied by an arc either way, and each node with itself.

    Args:
        arcs: the relation.

    Example:
        >>> ties = Ties(Arcs.from_pairs([0, 1, 2], [1, 0, 0], num_nodes=3))
        >>> list(zip(ties.node.tolist(), ties.other.tolist(), ties.sign.tolist()))
        [(0, 0, 1.0), (0, 1, 0.0), (0, 2, 1.0), (1, 0, 0.0), (1, 1, 1.0), (2, 0, -1.0), (2, 2, 1.0)]
    """

    node: Tensor
    other: Tensor
    sign: Tensor

    def __init__(self, arcs: Arcs) -> None:
        super().__init__()
        matrix: Any = arcs.matrix()
        everyone = np.arange(arcs.num_nodes)
        both = (matrix + matrix.T).tocoo()
        pairs = np.stack([np.concatenate([both.row, everyone]), np.concatenate([both.col, everyone])])
        node, other = np.unique(pairs, axis=1)
        sign = np.asarray(arcs.contains(other, node), np.float32) - arcs.contains(node, other)
        sign[node == other] = 1.0
        for name, values in (("node", node), ("other", other)):
            self.register_buffer(name, torch.from_numpy(values.astype(np.int64)), persistent=False)
        self.register_buffer("sign", torch.from_numpy(sign.astype(np.float32)), persistent=False)


class Attention(nn.Module):
    """One layer of graph attention with one head: Σ_j s_ij softmax_j(LeakyReLU(p · x_j + q · x_i)) x_j + b.

    Args:
        ties: which j each i attends to.
        inputs: width of what W maps.
        outputs: width of x = W h.
        signed: take s from the ties; 1 otherwise.
        draw: from which the start values are drawn.
    """

    def __init__(self, ties: Ties, inputs: int, outputs: int, *, signed: bool, draw: torch.Generator) -> None:
        super().__init__()
        self.ties, self.signed = ties, signed
        spread = (2 / (inputs + outputs)) ** 0.5 * 2**0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(0, spread, generator=draw))
        self.attend = nn.Parameter(
            torch.empty(2, outputs).normal_(0, (4 / (1 + outputs)) ** 0.5, generator=draw)
        )
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, mapped: Tensor) -> Tensor:
        """``[num_nodes, outputs]`` from x of the same shape."""
        node, other = self.ties.node, self.ties.other
        of_other, of_node = (mapped @ self.attend.T).unbind(1)
        logits = nn.functional.leaky_relu(of_other[other] + of_node[node], 0.2)
        none = torch.zeros_like(of_node)
        most = none.scatter_reduce(0, node, logits.detach(), "amax", include_self=False)
        share = torch.exp(logits - most[node])
        share = share / none.index_add(0, node, share)[node]
        if self.signed:
            share = share * self.ties.sign
        messages = share[:, None] * mapped[other]
        return torch.zeros_like(mapped).index_add(0, node, messages) + self.bias


class HermitianDecoder(nn.Module):
    """Log-odds of an arc from vectors [a, θ].

    Example:
        >>> quarter = torch.tensor([[1.0, torch.pi / 2]])  # z = i, and H = i · conj(1) = i: forward
        >>> float(HermitianDecoder()(quarter, torch.tensor([[1.0, 0.0]]))) > 0
        True
        >>> float(HermitianDecoder()(torch.tensor([[1.0, 0.0]]), quarter)) < 0
        True
    """

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Scores ``[...]`` of vectors ``[..., 2 · dim]`` that broadcast against each other."""
        forward, reverse, both, neither = kind_logits(*hermitian(source, target)).unbind(-1)
        return torch.logaddexp(forward, both) - torch.logaddexp(reverse, neither)


def hermitian(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of H = Σ z_i · conj(z_j) from [a, θ] of i and of j, over the last axis."""
    (a, turn), (b, other) = (side.chunk(2, dim=-1) for side in (source, target))
    product, angle = a * b, turn - other
    return (product * torch.cos(angle)).sum(-1), (product * torch.sin(angle)).sum(-1)


def kind_logits(real: Tensor, imaginary: Tensor) -> Tensor:
    """Minus the distances ``[..., 4]`` from H to its four values, in the order of :data:`KINDS`.

    Example:
        >>> kind_logits(torch.tensor(0.0), torch.tensor(1.0)).argmax().item()  # forward
        0
    """
    values = torch.tensor(KINDS, dtype=real.dtype, device=real.device)
    squares = (real[..., None] - values[:, 0]) ** 2 + (imaginary[..., None] - values[:, 1]) ** 2
    return -torch.sqrt(squares + 1e-8)  # a root's slope has no end at 0


def as_inner_product(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Source and target vectors whose inner product is Re H + Im H, from [a, θ].

    Example:
        >>> vectors = torch.tensor([[1.0, 0.5], [2.0, 0.1]])
        >>> source, target = as_inner_product(vectors)
        >>> real, imaginary = hermitian(vectors[0], vectors[1])
        >>> bool(torch.isclose(source[0] @ target[1], real + imaginary))
        True
    """
    a, turn = vectors.chunk(2, dim=-1)
    real, imaginary = a * torch.cos(turn), a * torch.sin(turn)
    return torch.cat([real + imaginary, imaginary - real], -1), torch.cat([real, imaginary], -1)
