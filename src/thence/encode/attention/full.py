"""Softmax attention of every node over every node of its graph: exact, and quadratic in the nodes of a graph.

z_i = Σ_j softmax_j( ⟨q_i, k_j⟩ / √w ) v_j
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import beside, linear
from thence.encode.layer.view import View


class FullAttention(nn.Module):
    """The layer. Graphs of one size are worked on together, so no graph is padded.

    Args:
        dim: width of x and of the answer; a multiple of ``heads``.
        heads: parallel attentions on w = ``dim / heads`` values each.
        shared: queries and keys are made by one map, so that likes look at likes before anything is learnt.
        positions: width of ``where``, which queries and keys see beside x.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: ``dim`` is no multiple of ``heads``.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([], [], num_nodes=3))
        >>> FullAttention(4, heads=2)(torch.ones(3, 4), view).shape
        torch.Size([3, 4])

    References:
        Vaswani et al., "Attention is all you need", NIPS 2017, equation 1.
    """

    def __init__(
        self, dim: int, *, heads: int = 1, shared: bool = False, positions: int = 0, seed: int = 0
    ) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ConfigError(f"dim={dim}, heads={heads}", fix="dim is a multiple of heads.")
        self.heads = heads
        wide = dim + positions
        self.query = linear(wide, dim, torch_generator(seed, "attention", "q"))
        self.key = self.query if shared else linear(wide, dim, torch_generator(seed, "attention", "k"))
        self.value, self.out = (
            linear(dim, dim, torch_generator(seed, "attention", name)) for name in ("v", "o")
        )

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        """The answer ``[num_nodes, dim]``.

        Args:
            x: ``[num_nodes, dim]``, of which queries are made.
            view: tells which nodes are of one graph.
            where: ``[num_nodes, positions]``.
            over: ``[num_nodes, dim]``, of which keys and values are made; x when not given.
        """
        x = view.by_size(x)
        over, where = x if over is None else view.by_size(over), None if where is None else view.by_size(where)
        asked, seen = beside(x, where), beside(over, where)
        parts = [view.blocks(rows) for rows in (self.query(asked), self.key(seen), self.value(over))]
        found = []
        for block in zip(*parts, strict=True):
            q, k, v = (self._split(rows) for rows in block)
            given = nn.functional.scaled_dot_product_attention(q, k, v)
            found.append(given.transpose(1, 2).flatten(2).flatten(0, 1))
        return view.by_node(self.out(torch.cat(found)))

    def _split(self, rows: Tensor) -> Tensor:
        """``[graphs, nodes, heads · w]`` as ``[graphs, heads, nodes, w]``."""
        return rows.view(*rows.shape[:2], self.heads, -1).transpose(1, 2)
