"""SDGAE: a linear map of the features, K scalar-weighted rounds on the bipartite double cover, an MLP decoder.

    s⁰ = X W_s + b_s      t⁰ = X W_t + b_t      Ã = D_out^-½ (A + I) D_in^-½
    s ← s + w_k,0 · Ã t   t ← t + w_k,1 · Ãᵀ s   for k = 1 … K, both from the values before the round
    score(i → j) = MLP(s_i ⊙ t_j)

The w are learned and begin at 1. With ``layers=2`` the linear maps are MLPs with one hidden layer.
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


class SDGAE(Decoded):
    """The encoder and its decoder for one graph.

    Args:
        graph: the graph; its main relation is used.
        dim: length of each embedding and width of a hidden layer.
        rounds: K, how often vectors are passed on.
        layers: 1 for a linear map of the features, 2 for an MLP.
        dropout: of hidden layers.
        decoder: a name of :data:`~thence.encode.peer.decode.DECODERS`.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.

    References:
        He et al., DirLinkBench and SDGAE, 2025 (ivam-he/DirLinkBench-SDGAE).
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        rounds: int = 5,
        layers: int = 1,
        dropout: float = 0.5,
        decoder: str = "hadamard",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if dim < 1 or rounds < 0 or layers not in (1, 2):
            raise ConfigError(f"dim={dim}, rounds={rounds}, layers={layers}", fix="dim ≥ 1, layers 1 or 2.")
        features = node_features(graph)
        self.from_source, self.from_target = (
            Inputs(features, dim, seed, role) for role in ("source", "target")
        )
        self.second = nn.ModuleList(
            linear(dim, dim, torch_generator(seed, "sdgae", role))
            for role in ("source", "target")
            if layers == 2
        )
        self.out, self.into = adjacency(graph.main, loops=True)
        self.share = nn.Parameter(torch.ones(rounds, 2))
        self.dropout = nn.Dropout(dropout)
        self.decoder = make_decoder(decoder, dim, dropout=dropout, seed=seed)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, dim]`` and a bias of zeros ``[num_nodes]``."""
        source, target = self.from_source(), self.from_target()
        if len(self.second):
            source, target = (
                last(self.dropout(torch.relu(vectors)))
                for last, vectors in zip(self.second, (source, target), strict=True)
            )
        for share in self.share:
            source, target = source + share[0] * self.out(target), target + share[1] * self.into(source)
        return source, target, self.no_bias
