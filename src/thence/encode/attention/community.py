"""One virtual node per community: it reads its members, looks at the others, and tells its members.

    read     z_c = Σ_{j ∈ c} softmax_{j ∈ c}( ⟨u_h, x_j⟩ ) v_j           with a learned u_h for each head h
    look     z ← z + softmax( q_c · k_c' ) v_c'                          among the communities of one graph
    tell     every member of c is given z_c W

One node can be found among all of its community, however far away, and one community among all others. The cost
is that of the nodes, and the square of how many communities a graph has. Communities are those of
:func:`~thence.graph.reorder.community.merged_communities`: no larger than a bound, and a component that fits
within it is one. Nodes without arcs form one community together.

References:
    Gilmer et al., "Neural message passing for quantum chemistry", ICML 2017, for virtual nodes; Cai et al., "On
    the connection between MPNN and graph transformer", ICML 2023, for what one of them can do.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.attention.full import FullAttention
from thence.encode.attention.pool import group_softmax, group_sum
from thence.encode.layer.linear import beside, linear
from thence.encode.layer.view import View
from thence.graph import Arcs
from thence.graph.reorder.community import merged_communities


class Communities:
    """The community of each node, numbered so that those of one graph stand together.

    Args:
        of: ``[num_nodes]`` int64.
        between: the communities as nodes of graphs, without arcs.
    """

    def __init__(self, of: Tensor, between: View) -> None:
        self.of, self.between = of, between

    def to(self, device: torch.device) -> Communities:
        """Itself, moved."""
        self.of, self.between = self.of.to(device), self.between.to(device)
        return self


def communities_of(view: View, most: int) -> Communities:
    """The communities of a view's graphs, worked out once.

    Args:
        view: the graphs.
        most: nodes that a community has at most, but that of nodes without arcs.

    Example:
        >>> view = View(Arcs.from_pairs([0, 2], [1, 3], num_nodes=6))
        >>> communities_of(view, 8).of.tolist()
        [1, 1, 2, 2, 0, 0]
    """

    def make() -> Communities:
        own, graph = merged_communities(view.arcs, most), view.graph_of.numpy(force=True)
        own[(view.arcs.out_degree + view.arcs.in_degree) == 0] = -1
        pairs = np.stack([graph, own], 1)
        known, of = np.unique(pairs, axis=0, return_inverse=True)
        none = Arcs.from_pairs([], [], num_nodes=len(known))
        return Communities(torch.from_numpy(of.reshape(-1)), View(none, known[:, 0]))

    return view.kept(("communities", most), make)


class CommunityAttention(nn.Module):
    """The layer.

    Args:
        dim: width of x and of the answer; a multiple of ``heads``.
        heads: learned queries by which a community reads.
        most: nodes of a community at most.
        positions: width of ``where``, which keys see beside x.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: ``dim`` is no multiple of ``heads``, or ``most`` is below 1.

    Example:
        >>> view = View(Arcs.from_pairs([0, 2], [1, 3], num_nodes=6))
        >>> CommunityAttention(4, heads=2)(torch.ones(6, 4), view).shape
        torch.Size([6, 4])
    """

    def __init__(self, dim: int, *, heads: int = 1, most: int = 512, positions: int = 0, seed: int = 0) -> None:
        super().__init__()
        if heads < 1 or dim % heads or most < 1:
            raise ConfigError(f"dim={dim}, heads={heads}, most={most}", fix="dim is a multiple of heads.")
        self.heads, self.most = heads, most
        self.read = linear(dim + positions, heads, torch_generator(seed, "community", "read"))
        self.value = linear(dim, dim, torch_generator(seed, "community", "value"))
        self.look = FullAttention(dim, heads=heads, seed=seed)
        self.tell = linear(dim, dim, torch_generator(seed, "community", "tell"))

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        """The answer ``[num_nodes, dim]``; ``over`` is what is read, x when not given."""
        parts = communities_of(view, self.most)
        over = x if over is None else over
        count = parts.between.num_nodes
        share = group_softmax(self.read(beside(over, where)), parts.of, count)
        value = self.value(over).view(len(x), self.heads, -1) * share[:, :, None]
        token = group_sum(value.flatten(1), parts.of, count)
        token = token + self.look(token, parts.between)
        return self.tell(token)[parts.of]
