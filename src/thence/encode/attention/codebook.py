"""Attention to a codebook: every node looks at K representatives of all nodes instead of at the nodes.

    z_i = Σ_c softmax_c( ⟨q_i, W_k b_c⟩ / √w + log n_c ) W_v b_c

A codeword b_c is the moving mean of the rows x of the nodes that are nearest to it, n_c how many they are of
late; both follow the rows during training and stand still in evaluation. As softmax weights are multiplied by
n_c, a codeword speaks for all its nodes. A codeword that nobody is near any more moves to a row that is there.

References:
    Kong et al., "GOAT: a global transformer on large-scale graphs", ICML 2023, section 4; Dwivedi et al.,
    "Relational graph transformer", 2025, for the same with centroids; moving means as in van den Oord et al.,
    "Neural discrete representation learning", NIPS 2017, appendix A.1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import beside, linear
from thence.encode.layer.view import View

BLOCK = 1 << 16
"""Nodes that are compared with the codewords at a time."""
RARE = 0.01
"""A codeword with fewer nodes than this, of late, is moved."""


class CodebookAttention(nn.Module):
    """The layer.

    Args:
        dim: width of x and of the answer; a multiple of ``heads``.
        heads: parallel attentions on ``dim / heads`` values each.
        codes: how many codewords, K.
        decay: share of the old mean that a codeword keeps at each training step.
        seed: from which start values and codewords are drawn.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([], [], num_nodes=3))
        >>> CodebookAttention(4, codes=2)(torch.ones(3, 4), view).shape
        torch.Size([3, 4])
    """

    words: Tensor
    count: Tensor
    step: Tensor

    def __init__(
        self,
        dim: int,
        *,
        heads: int = 1,
        codes: int = 256,
        decay: float = 0.9,
        positions: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if heads < 1 or dim % heads or codes < 1 or not 0 <= decay < 1:
            raise ConfigError(
                f"dim={dim}, heads={heads}, codes={codes}, decay={decay}",
                fix="dim is a multiple of heads, decay at least 0 and below 1.",
            )
        self.heads, self.decay, self.seed = heads, decay, seed
        wide = dim + positions
        self.query, self.key, self.value = (
            linear(wide, dim, torch_generator(seed, "codebook", name)) for name in "qkv"
        )
        words = torch.randn(codes, wide, generator=torch_generator(seed, "codebook", "words"))
        self.register_buffer("words", words)
        self.register_buffer("count", torch.zeros(codes))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        """The answer ``[num_nodes, dim]``; in training the codewords move first, by ``over`` or x."""
        asked, seen = beside(x, where), beside(x if over is None else over, where)
        if self.training and len(x):
            self._follow(seen.detach())
        q, k, v = (
            rows.view(len(rows), self.heads, -1).transpose(0, 1)
            for rows in (self.query(asked), self.key(self.words), self.value(self.words))
        )
        counted = torch.log(self.count + 1)[None, None, :]
        found = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=counted)
        return found.transpose(0, 1).reshape(len(x), -1)

    @torch.no_grad()
    def _follow(self, rows: Tensor) -> None:
        """Move the codewords towards the means of the rows that are nearest to them."""
        drawn = torch_generator(self.seed, "codebook", "row", int(self.step))
        if not self.step:  # before anything is known, they are rows
            self._place(torch.ones_like(self.count, dtype=torch.bool), rows, drawn)
        near = torch.cat([torch.cdist(part, self.words).argmin(1) for part in rows.split(BLOCK)])
        count = torch.bincount(near, minlength=len(self.words)).to(rows.dtype)
        total = torch.zeros_like(self.words).index_add(0, near, rows)
        keep = torch.where(count > 0, self.decay if self.step else 0.0, 1.0)[:, None]
        self.words.mul_(keep).add_((1 - keep) * total / count.clamp_min(1)[:, None])
        self.count.mul_(self.decay if self.step else 0.0).add_(count * (1 - self.decay if self.step else 1.0))
        self._place(self.count < RARE, rows, drawn)
        self.step += 1

    def _place(self, which: Tensor, rows: Tensor, drawn: torch.Generator) -> None:
        """Put the codewords of a mask ``[codes]`` on rows drawn by chance."""
        at = torch.randint(len(rows), (len(which),), generator=drawn).to(rows.device)
        self.words.copy_(torch.where(which[:, None], rows[at], self.words))
