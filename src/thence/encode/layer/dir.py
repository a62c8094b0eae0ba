"""Dir-GNN: any layer twice, along the arcs and against them, by weights of their own.

    H = α · conv_in(X) + (1 - α) · conv_out(X) + X W_own + b

conv_in looks at the sources of the arcs into a node, conv_out at the targets of those out of it; neither looks
at the node itself, which has weights of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed, torch_generator
from thence.encode.layer.linear import linear
from thence.encode.layer.view import View

Make = Callable[..., nn.Module]
"""A layer, called as ``make(inputs, outputs, way=…, itself=…, seed=…)``."""


class Dir(nn.Module):
    """One layer of Dir-GNN.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives.
        conv: the layer that is used both ways; one of this folder's classes.
        alpha: share of what comes along the arcs, from 0 to 1.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: ``alpha`` is no share.

    Example:
        >>> import torch
        >>> from thence.encode.layer.sage import SAGE
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> Dir(4, 8, conv=SAGE)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Rossi, Charpentier, Di Giovanni, Frasca, Günnemann, Bronstein, "Edge Directionality Improves Learning on
        Heterophilic Graphs", LoG 2023, section 3. The α of PyG's layer is 1 - α here.
    """

    def __init__(self, inputs: int, outputs: int, *, conv: Make, alpha: float = 0.5, seed: int = 0) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ConfigError(f"alpha={alpha}", fix="It is a share, from 0 to 1.")
        self.alpha = alpha
        self.into, self.out = (
            conv(inputs, outputs, way=way, itself=False, seed=derive_seed(seed, way)) for way in ("into", "out")
        )
        self.own = linear(inputs, outputs, torch_generator(seed, "dir", "own"))

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        return self.alpha * self.into(x, view) + (1 - self.alpha) * self.out(x, view) + self.own(x)
