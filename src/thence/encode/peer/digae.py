"""DiGAE: graph convolutions that pass source vectors to targets and target vectors to sources.

    Â = D_out^-β (A + I) D_in^-α
    one layer:    S = Â X W_t                     T = Âᵀ X W_s
    two layers:   S = Â ReLU(Âᵀ X W_s¹) W_t²      T = Âᵀ ReLU(Â X W_t¹) W_s²
    score(i → j) = ⟨S_i, T_j⟩

α and β say how strongly degrees damp; they are chosen on validation. A last linear map comes before the last
propagation, which is the same as after it.
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


class DiGAE(Decoded):
    """The encoder for one graph.

    Args:
        graph: the graph; its main relation is used.
        dim: length of each embedding and width of the hidden layer.
        layers: 1 or 2.
        alpha: how strongly in-degrees damp.
        beta: how strongly out-degrees damp.
        decoder: a name of :data:`~thence.encode.peer.decode.DECODERS`; the published one is ``inner``.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: a setting is out of range.
        FitError: the graph's main relation has no arcs.

    References:
        Kollias, Kalantzis, Idé, Lozano, Abe, "Directed Graph Auto-Encoders", AAAI 2022.
    """

    def __init__(
        self,
        graph: DiGraph,
        *,
        dim: int = 64,
        layers: int = 1,
        alpha: float = 0.4,
        beta: float = 0.4,
        decoder: str = "inner",
        seed: int = 0,
    ) -> None:
        super().__init__(graph.num_nodes)
        if dim < 1 or layers not in (1, 2):
            raise ConfigError(f"dim={dim}, layers={layers}", fix="dim is at least 1, layers 1 or 2.")
        features = node_features(graph)
        self.from_source, self.from_target = (
            Inputs(features, dim, seed, role) for role in ("source", "target")
        )
        self.second = nn.ModuleList(
            linear(dim, dim, torch_generator(seed, "digae", role))
            for role in ("source", "target")
            if layers == 2
        )
        self.out, self.into = adjacency(graph.main, loops=True, out_power=beta, in_power=alpha)
        self.decoder = make_decoder(decoder, dim, seed=seed)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        """Source and target vectors ``[num_nodes, dim]`` and a bias of zeros ``[num_nodes]``."""
        source, target = self.from_source(), self.from_target()
        if len(self.second):
            for_source, for_target = self.second
            source, target = (
                for_source(torch.relu(self.out(target))),
                for_target(torch.relu(self.into(source))),
            )
        return self.out(target), self.into(source), self.no_bias
