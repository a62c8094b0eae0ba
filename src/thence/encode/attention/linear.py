"""A layer of linear attention over all nodes of a graph, in memory that a block of nodes needs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from thence.base.errors import ConfigError, nearest
from thence.base.rng import torch_generator
from thence.encode.attention.kernel import FORMS, OWN, Form, Sums, answer
from thence.encode.layer.linear import beside, linear
from thence.encode.layer.view import View

BLOCK = 1 << 16
"""Nodes that are worked on at a time; their intermediate values are computed again for the gradient."""
MANY = 1 << 16
"""Nodes, padded ones included, up to which several graphs are worked on at once."""


class LinearAttention(nn.Module):
    """z = attention of x over the nodes of each node's graph, ``[num_nodes, dim]``; see :mod:`.kernel`.

    Queries, keys and values are linear in x; queries and keys also see ``where`` (positions), when it is given:
    so which nodes look at which can depend on where they stand, in each layer anew.

    Args:
        dim: width of x and of the answer; a multiple of ``heads``.
        heads: parallel attentions on ``dim / heads`` values each.
        form: which kernel.
        slots: width of queries and keys of a head; ``dim / heads`` when not given.
        shared: queries and keys are made by one map, so that likes look at likes.
        positions: width of ``where``; 0 for none.
        seed: from which the start values are drawn.

    Raises:
        ConfigError: no such form, or ``dim`` is no multiple of ``heads``.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([], [], num_nodes=3))
        >>> LinearAttention(4, heads=2)(torch.ones(3, 4), view).shape
        torch.Size([3, 4])
    """

    def __init__(
        self,
        dim: int,
        *,
        heads: int = 1,
        form: Form = "cosine",
        slots: int | None = None,
        shared: bool = False,
        positions: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if form not in FORMS:
            raise ConfigError(f"no form {form!r}", fix=nearest(str(form), FORMS))
        if heads < 1 or dim % heads or (slots is not None and slots < 1):
            raise ConfigError(f"dim={dim}, heads={heads}, slots={slots}", fix="dim is a multiple of heads.")
        self.heads = heads
        self.form: Form = form
        width = heads * (slots or dim // heads)
        wide = dim + positions
        self.query = linear(wide, width, torch_generator(seed, "attention", "q"))
        self.key = self.query if shared else linear(wide, width, torch_generator(seed, "attention", "k"))
        self.value = linear(dim, dim, torch_generator(seed, "attention", "v"))

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
        if view.num_graphs > 1 and view.num_graphs * int(view.sizes.max()) <= MANY:
            return self._many(x, over if over is not None else x, where, view)
        x = view.by_size(x)
        over, where = x if over is None else view.by_size(over), None if where is None else view.by_size(where)
        parts = [view.blocks(rows) for rows in (beside(x, where), beside(over, where), over)]
        return view.by_node(
            torch.cat([self._group(*block).flatten(0, 1) for block in zip(*parts, strict=True)])
        )

    def _many(self, x: Tensor, over: Tensor, where: Tensor | None, view: View) -> Tensor:
        """Many small graphs at once, padded to the size of the largest by nodes that are not counted."""
        asked, seen = beside(x, where), beside(over, where)
        most, of = int(view.sizes.max()), view.graph_of
        place = of * most + torch.arange(len(x), device=x.device) - (view.sizes.cumsum(0) - view.sizes)[of]

        def padded(rows: Tensor) -> Tensor:
            wide = rows.new_zeros(view.num_graphs * most, rows.shape[1]).index_copy(0, place, rows)
            return self._split(wide.view(view.num_graphs, most, -1))

        q, k, v = padded(self.query(asked)), padded(self.key(seen)), padded(self.value(over))
        real = (torch.arange(most, device=x.device) < view.sizes[:, None])[:, None, :, None]
        sums = Sums.of(q, k, v, self.form, real)
        heads = answer(q, v, sums, view.sizes[:, None, None, None], self.form)
        return heads.transpose(1, 2).reshape(-1, x.shape[1]).index_select(0, place)

    def _group(self, asked: Tensor, seen: Tensor, over: Tensor) -> Tensor:
        """Graphs of equal size, ``[graphs, nodes, …]``, in blocks of nodes."""
        nodes, step = asked.shape[1], max(BLOCK // max(len(asked), 1), 1)
        if nodes <= step:  # nothing is large enough to be worth making twice
            q, k, v = (self._split(rows) for rows in (self.query(asked), self.key(seen), self.value(over)))
            heads = answer(q, v, Sums.of(q, k, v, self.form), nodes, self.form)
            return heads.transpose(1, 2).reshape(*over.shape)

        # split, not sliced: the gradient of a slice is as long as all rows
        blocks = list(zip(*(rows.split(step, 1) for rows in (asked, seen, over)), strict=True))
        sums = Sums(*self._lean(self._sums, *blocks[0]))
        for block in blocks[1:]:
            sums = sums + Sums(*self._lean(self._sums, *block))
        counted = torch.tensor(nodes, device=asked.device)
        return torch.cat([self._lean(self._answer, counted, *block, *sums.parts) for block in blocks], 1)

    def _sums(self, asked: Tensor, seen: Tensor, over: Tensor) -> tuple[Tensor, ...]:
        q = self._split(self.query(asked)) if self.form == "frobenius" else None
        k, v = self._split(self.key(seen)), self._split(self.value(over))
        return Sums.of(q, k, v, self.form).parts

    def _answer(self, nodes: Tensor, asked: Tensor, seen: Tensor, over: Tensor, *sums: Tensor) -> Tensor:
        q, v = self._split(self.query(asked)), self._split(self.value(over)) if self.form in OWN else None
        heads = answer(q, v, Sums(*sums), int(nodes), self.form)
        return heads.transpose(1, 2).reshape(*over.shape)

    def _lean(self, function, *tensors: Tensor):
        """The function's values; what it computed on the way is thrown away and made again for the gradient."""
        if not torch.is_grad_enabled():
            return function(*tensors)
        return checkpoint(function, *tensors, use_reentrant=False, preserve_rng_state=False)

    def _split(self, rows: Tensor) -> Tensor:
        """``[graphs, nodes, heads · w]`` as ``[graphs, heads, nodes, w]``."""
        return rows.view(*rows.shape[:2], self.heads, -1).transpose(1, 2)
