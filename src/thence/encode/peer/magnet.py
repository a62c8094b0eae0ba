"""MagNet: convolutions with a Hermitian Laplacian whose phases carry the direction of arcs.

    A_s = (A + Aᵀ) / 2     Θ = 2πq (A - Aᵀ)     H = D_s^-½ A_s D_s^-½ ⊙ exp(iΘ)
    L = I - H, scaled to [-1, 1]: L̃ = -H        T_0 = I, T_1 = L̃, T_2 = 2 L̃ T_1 - I
    Z ← σ(Σ_k T_k(L̃) Z W_k + b)     σ keeps z where Re z ≥ 0     Z⁰ = X + iX
    score(i → j) = w · [Re z_i, Re z_j, Im z_i, Im z_j]

An arc turns a message by the angle 2πq, its reverse by -2πq, and arcs both ways turn nothing: q = 0 forgets
all direction. The published decoder is linear, so that the score is a_i + b_j: it ranks targets alike for every
source.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.peer.decode import Decoded, make_decoder
from thence.encode.peer.inputs import node_features
from thence.encode.propagate import SparseMatrix
from thence.graph import Arcs, DiGraph

Pair = tuple[Tensor, Tensor]


class MagNet(Decoded):
    """The encoder and its decoder for one graph; source and target vectors are both [Re z, Im z].

    Args:
        graph: the graph; its main relation is used.
        dim: width of the complex vectors.
        layers: convolutions.
        order: highest Chebyshev polynomial, 1 or 2.
        q: turns of the circle by which an arc changes the phase, 0 to 0.25.
        dropout: of the decoder.
        decoder: a name of :data:`~thence.encode.peer.decode.DECODERS`.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.

    References:
        Zhang, He, Brugnone, Perlmutter, Hirn, "MagNet: A Neural Network for Directed Graphs", NeurIPS 2021.
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        layers: int = 2,
        order: int = 1,
        q: float = 0.1,
        dropout: float = 0.5,
        decoder: str = "concat_linear",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if min(dim, layers) < 1 or order not in (1, 2) or not 0 <= q <= 0.25:
            raise ConfigError(f"dim={dim}, layers={layers}, order={order}, q={q}", fix="q is at most 0.25.")
        self.features = node_features(graph)
        self.real, self.imaginary = magnetic(graph.main, q)
        widths = [self.features.shape[1]] + [dim] * layers
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for layer, (inputs, outputs) in enumerate(pairwise(widths)):
            bound = (6 / (inputs + outputs)) ** 0.5
            values = torch.empty(order + 1, inputs, outputs)
            values.uniform_(-bound, bound, generator=torch_generator(seed, "magnet", layer))
            self.weights.append(nn.Parameter(values))
            self.biases.append(nn.Parameter(torch.zeros(outputs)))
        self.decoder = make_decoder(decoder, 2 * dim, dropout=dropout, seed=seed)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, 2 · dim]``, the same, and a bias of zeros."""
        start = [self.features(weight) for weight in self.weights[0]]
        z = self._layer([(part, part) for part in start], self.biases[0])
        for weights, bias in zip(list(self.weights)[1:], list(self.biases)[1:], strict=True):
            z = self._layer([(z[0] @ weight, z[1] @ weight) for weight in weights], bias)
        vectors = torch.cat(z, dim=1)
        return vectors, vectors, self.no_bias

    def _layer(self, parts: list[Pair], bias: Tensor) -> Pair:
        """Σ_k T_k(L̃) parts_k + b, and the complex ReLU."""
        real, imaginary = parts[0]
        turned = self._turn(parts[1])
        real, imaginary = real + turned[0] + bias, imaginary + turned[1] + bias
        if len(parts) > 2:  # T_2 = 2 L̃² - I
            twice = self._turn(self._turn(parts[2]))
            real, imaginary = real + 2 * twice[0] - parts[2][0], imaginary + 2 * twice[1] - parts[2][1]
        kept = (real >= 0).to(real.dtype)
        return real * kept, imaginary * kept

    def _turn(self, z: Pair) -> Pair:
        """L̃ z, which is -H z."""
        real, imaginary = z
        return (
            self.imaginary(imaginary) - self.real(real),
            -self.imaginary(real) - self.real(imaginary),
        )


def magnetic(arcs: Arcs, q: float) -> tuple[SparseMatrix, SparseMatrix]:
    """Real and imaginary part of H = D_s^-½ A_s D_s^-½ ⊙ exp(2πiq(A - Aᵀ)) of unweighted arcs.

    Example:
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=2)
        >>> real, imaginary = magnetic(arcs, 0.25)  # a quarter turn
        >>> imaginary(torch.eye(2)).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    plain: Any = arcs.matrix().astype(np.float64)
    plain.data[:] = 1.0
    both = (plain + plain.T).tocsr() / 2
    scale = sp.diags(np.maximum(np.asarray(both.sum(axis=1)).ravel(), 1e-12) ** -0.5)
    normal: Any = (scale @ both @ scale).tocoo()
    sign = np.asarray(arcs.contains(normal.row, normal.col), np.float64)
    angle = 2 * np.pi * q * (sign - arcs.contains(normal.col, normal.row))
    parts = (normal.data * np.cos(angle), normal.data * np.sin(angle))
    real, imaginary = (sp.csr_matrix((data, (normal.row, normal.col)), shape=normal.shape) for data in parts)
    return SparseMatrix(real), SparseMatrix(imaginary)
