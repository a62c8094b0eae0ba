"""Dir-GNN: each layer mixes what comes along the arcs with what comes against them, by weights of their own.

    Ā = D_out^-½ A D_in^-½
    H ← α · (Ā H) W_out + (1 - α) · (Āᵀ H) W_in + b         ReLU and dropout after each
    Z = W [H¹, …, H^L]   (or W max(H¹, …, H^L))
    score(i → j) = MLP([z_i ; z_j])

The paper gives an encoder of nodes; as a link predictor it has one vector a node, so that direction must come
from the decoder: with ``concat`` it does, with ``hadamard`` or ``inner`` the score is symmetric.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear
from thence.encode.peer.decode import Decoded, make_decoder
from thence.encode.peer.inputs import Inputs, adjacency, node_features
from thence.graph import DiGraph


class DirGNN(Decoded):
    """The encoder and its decoder for one graph; source and target vectors are the same.

    Args:
        graph: the graph; its main relation is used.
        dim: width of every layer.
        layers: how many.
        alpha: share of what comes from out-neighbours.
        jump: ``cat`` or ``max``: how layers are put together.
        normalize: give each layer's vectors unit length.
        decoder: a name of :data:`~thence.encode.peer.decode.DECODERS`.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.

    References:
        Rossi, Charpentier, Di Giovanni, Frasca, Günnemann, Bronstein, "Edge Directionality Improves Learning on
        Heterophilic Graphs", LoG 2023, equation 7.
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        layers: int = 2,
        alpha: float = 0.5,
        jump: str = "cat",
        normalize: bool = False,
        decoder: str = "concat",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if min(dim, layers) < 1 or not 0 <= alpha <= 1 or jump not in ("cat", "max"):
            raise ConfigError(
                f"dim={dim}, layers={layers}, alpha={alpha}, jump={jump!r}", fix="alpha is a share."
            )
        features = node_features(graph)
        self.alpha, self.jump, self.normalize = alpha, jump, normalize
        self.first_out, self.first_in = (Inputs(features, dim, seed, role) for role in ("out", "in"))
        more = [(k, role) for k in range(1, layers) for role in ("out", "in")]
        self.more = nn.ModuleList(
            linear(dim, dim, torch_generator(seed, "dir_gnn", k, role)) for k, role in more
        )
        width = dim * layers if jump == "cat" else dim
        self.last = linear(width, dim, torch_generator(seed, "dir_gnn", "last"))
        self.out, self.into = adjacency(graph.main, loops=False)
        self.dropout = nn.Dropout(0.5)
        self.decoder = make_decoder(decoder, dim, seed=seed)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, dim]``, the same, and a bias of zeros."""
        hidden = [self._mix(self.first_out(), self.first_in())]
        for along, against in zip(self.more[::2], self.more[1::2], strict=True):
            hidden.append(self._mix(along(hidden[-1]), against(hidden[-1])))
        joined = torch.cat(hidden, 1) if self.jump == "cat" else torch.stack(hidden).amax(0)
        vectors = self.last(joined)
        return vectors, vectors, self.no_bias

    def _mix(self, along: Tensor, against: Tensor) -> Tensor:
        mixed = self.alpha * self.out(along) + (1 - self.alpha) * self.into(against)
        hidden = self.dropout(torch.relu(mixed))
        return nn.functional.normalize(hidden, dim=1) if self.normalize else hidden
