"""SGFormer: attention over all nodes in linear time beside a GCN.

    global   Z⁰ = dropout(relu(LN(X W)));   Z^k = dropout(relu(LN( (attention(Z^(k-1)) + Z^(k-1)) / 2 )))
    local    H⁰ = dropout(relu(BN(X W')));  H^k = dropout(relu(BN(GCN(H^(k-1))))) + H⁰
    out      α H + (1 - α) Z,    heads of attention averaged

``plain``, as the authors run it on graphs of some thousand nodes, is without norms; the GCN stands on the
features and has no shortcut, and what attention and the last GCN layer give is not bent:

    global   Z⁰ = dropout(relu(X W));            Z^k = dropout( (attention(Z^(k-1)) + Z^(k-1)) / 2 )
    local    H^k = dropout(relu(GCN(H^(k-1)))),  H⁰ = X;    H = GCN(H^(layers-1))

The attention of the authors' code (``frobenius``) has an all-pair part that vanishes as nodes grow in number,
see :mod:`thence.encode.attention.kernel`. In ``gated`` it cannot: rows are normalised, and the all-pair part
stands behind a learned gate beside the node's own value, attention(Z) = V + g · (cosine attention over all
nodes).

References:
    Wu et al., "SGFormer: simplifying and empowering transformers for large-graph representations", NeurIPS
    2023, equations 2 to 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError, nearest
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import Gated
from thence.encode.attention.linear import LinearAttention
from thence.encode.layer.gcn import GCN
from thence.encode.layer.linear import linear
from thence.encode.layer.stack import make_norm
from thence.encode.layer.view import View, Way

ATTENTIONS = ("gated", "frobenius", "rows")


@dataclass(frozen=True)
class SGFormerConfig:
    """How the encoder is built.

    Args:
        dim: width of every layer.
        layers: of the GCN.
        global_layers: of attention.
        heads: of attention, each as wide as the layer; their mean counts.
        way: where the GCN looks.
        graph_weight: the GCN's share α.
        dropout: share of numbers that a training step leaves out.
        global_dropout: the same of the global part; ``dropout`` when not given.
        plain: without norms and shortcuts.
        attention: ``gated``; ``frobenius``, as the authors' code has it; or ``rows``, with rows of length one.

    Raises:
        ConfigError: a name is unknown or a number out of range.
    """

    dim: int = 64
    layers: int = 3
    global_layers: int = 1
    heads: int = 1
    way: Way = "both"
    graph_weight: float = 0.8
    dropout: float = 0.5
    global_dropout: float | None = None
    plain: bool = False
    attention: Literal["gated", "frobenius", "rows"] = "gated"

    def __post_init__(self) -> None:
        if min(self.dim, self.layers, self.global_layers, self.heads) < 1:
            raise ConfigError(f"out of range: {self}", fix="Widths and counts are at least 1.")
        if self.attention not in ATTENTIONS:
            raise ConfigError(f"no attention {self.attention!r}", fix=nearest(self.attention, ATTENTIONS))
        dropouts = self.dropout, self.global_dropout or 0.0
        if not (0 <= self.graph_weight <= 1 and 0 <= min(dropouts) <= max(dropouts) < 1):
            raise ConfigError(f"out of range: {self}", fix="graph_weight and dropouts are shares.")


class SGFormer(nn.Module):
    """The encoder.

    Args:
        inputs: width of the features.
        config: how it is built.
        seed: from which the start values are drawn.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> SGFormer(5, SGFormerConfig(dim=8))(torch.ones(3, 5), view).shape
        torch.Size([3, 8])
    """

    def __init__(self, inputs: int, config: SGFormerConfig, *, seed: int = 0) -> None:
        super().__init__()
        dim, plain = config.dim, config.plain
        self.config, self.dim, self.sparse_inputs = config, dim, not plain or inputs >= dim
        self.global_first = linear(inputs, dim, torch_generator(seed, "sgformer", "global"))
        self.local_first = None if plain else linear(inputs, dim, torch_generator(seed, "sgformer", "local"))
        self.attend = nn.ModuleList(
            _Mean(dim, config, derive_seed(seed, "attend", k)) for k in range(config.global_layers)
        )
        norms = ("none", "none") if plain else ("layer", "batch")
        self.global_norms = nn.ModuleList(make_norm(norms[0], dim) for _ in range(config.global_layers + 1))
        widths = [inputs if plain else dim] + [dim] * (config.layers - 1)
        self.convs = nn.ModuleList(
            GCN(width, dim, way=config.way, seed=derive_seed(seed, "conv", k)) for k, width in enumerate(widths)
        )
        self.local_norms = nn.ModuleList(make_norm(norms[1], dim) for _ in range(config.layers + 1))
        self.dropout = nn.Dropout(config.dropout)
        share = config.dropout if config.global_dropout is None else config.global_dropout
        self.global_dropout = nn.Dropout(share)

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Vectors ``[n, dim]`` of features ``[n, inputs]``."""
        near, far = self._near(x, view), self._far(x, view)
        return self.config.graph_weight * near + (1 - self.config.graph_weight) * far

    def _far(self, x: Tensor, view: View) -> Tensor:
        """The global part, ``[n, dim]``."""
        far = self.global_dropout(torch.relu(self.global_norms[0](self.global_first(x))))
        for attend, norm in zip(self.attend, list(self.global_norms)[1:], strict=True):
            met = norm((attend(far, view) + far) / 2)
            far = self.global_dropout(met if self.config.plain else torch.relu(met))
        return far

    def _near(self, x: Tensor, view: View) -> Tensor:
        """The local part, ``[n, dim]``."""
        if self.local_first is None:
            for conv in list(self.convs)[:-1]:
                x = self.dropout(torch.relu(conv(x, view)))
            return self.convs[-1](x, view)
        first = near = self.dropout(torch.relu(self.local_norms[0](self.local_first(x))))
        for conv, norm in zip(self.convs, list(self.local_norms)[1:], strict=True):
            near = self.dropout(torch.relu(norm(conv(near, view)))) + first
        return near


class _Mean(nn.Module):
    """Attention of full width in each head, and the mean of the heads."""

    def __init__(self, dim: int, config: SGFormerConfig, seed: int) -> None:
        super().__init__()
        gated = config.attention == "gated"
        form = "cosine" if config.attention == "gated" else config.attention
        heads = [LinearAttention(dim, form=form, seed=derive_seed(seed, head)) for head in range(config.heads)]
        self.heads = nn.ModuleList(Gated(head) if gated else head for head in heads)

    def forward(self, x: Tensor, view: View) -> Tensor:
        return torch.stack([head(x, view) for head in self.heads]).mean(0)
