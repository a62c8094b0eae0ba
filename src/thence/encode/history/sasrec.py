"""A self-attentive sequence model, as published but for its loss: the learned baseline of this room.

    x_k = √d e(item_k) + p_k,   then per block   x ← x + Attention(LN(x)),  x ← x + FFN(LN(x)),   h_k = LN(x_k)

Attention is causal, so that one pass gives every beginning of a history; item vectors serve as input and as
target. The published loss tells one following item from one other by a logistic loss; here a softmax over many
is used, and unit vectors, which both make it stronger.

References:
    Kang & McAuley, Self-Attentive Sequential Recommendation, ICDM 2018. Klenitskiy & Vasilev, Turning Dross
    into Gold Loss, RecSys 2023, for the softmax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.history.model import HistoryModel, spread


@dataclass(frozen=True)
class SasRecConfig:
    """Settings of the model.

    Args:
        dim: length of each vector; a multiple of ``heads``.
        blocks: rounds of attention.
        heads: of each attention.
        longest: items of a history that are looked at, the latest.
        dropout: share of each vector's numbers that a training step leaves out.
    """

    dim: int = 64
    blocks: int = 2
    heads: int = 2
    longest: int = 20
    dropout: float = 0.15

    def __post_init__(self) -> None:
        if min(self.dim, self.blocks, self.heads, self.longest) < 1 or self.dim % self.heads:
            raise ConfigError(f"out of range: {self}", fix="Counts are at least 1, dim a multiple of heads.")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"a dropout of {self.dropout}", fix="Give one from 0 to below 1.")


class SasRec(HistoryModel):
    """The model.

    Args:
        num_items: how many items there are.
        config: settings.
        start: ``[num_items, dim]`` vectors to start from; random ones when not given.
        seed: from which the start values are drawn.
    """

    def __init__(
        self,
        num_items: int,
        config: SasRecConfig | None = None,
        *,
        start: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        self.config = config = config or SasRecConfig()
        super().__init__(num_items, config.longest)
        vectors = torch.randn(num_items, config.dim, generator=torch_generator(seed, "items"))
        own = vectors / config.dim**0.5 if start is None else torch.as_tensor(start, dtype=torch.float32)
        self.vectors = nn.Parameter(own.clone())
        place = torch.randn(config.longest, config.dim, generator=torch_generator(seed, "places"))
        self.place = nn.Parameter(0.02 * place)
        self.blocks = nn.ModuleList(_Block(config, seed, block) for block in range(config.blocks))
        self.norm, self.dropout = nn.LayerNorm(config.dim), nn.Dropout(config.dropout)

    def states(self, items: Tensor, inside: Tensor) -> Tensor:
        """Vectors ``[P, dim]`` of the histories that end at each place."""
        column = torch.arange(items.shape[1], device=items.device).expand_as(items)[inside]
        x = self.dropout(self.config.dim**0.5 * self.vectors[items[inside]] + self.place[column])
        for block in self.blocks:
            x = block(x, inside)
        return self.norm(x)

    def targets(self, nodes: Tensor | None = None) -> Tensor:
        """Vectors ``[n, dim]`` of items as what comes next."""
        return self.vectors if nodes is None else self.vectors[nodes]


class _Block(nn.Module):
    def __init__(self, config: SasRecConfig, seed: int, block: int) -> None:
        super().__init__()
        dim, self.heads = config.dim, config.heads
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout = nn.Dropout(config.dropout)

        def matrix(name: str, rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            values = torch.randn(rows, columns, generator=torch_generator(seed, "block", block, name))
            return nn.Parameter(values * scale / rows**0.5)

        small = (2 * config.blocks) ** -0.5  # so that the sum of all rounds is no larger than what goes in
        self.mixed, self.back = matrix("mixed", dim, 3 * dim), matrix("back", dim, dim, small)
        self.wide, self.narrow = matrix("wide", dim, dim), matrix("narrow", dim, dim, small)
        self.wide_bias, self.narrow_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """One round ``[P, dim]``."""
        parts = (self.before(x) @ self.mixed).chunk(3, dim=-1)
        query, key, value = (spread(part, inside, self.heads) for part in parts)
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.dropout(seen.transpose(1, 2).flatten(2)[inside] @ self.back)
        inner = torch.relu(self.between(x) @ self.wide + self.wide_bias)
        return x + self.dropout(self.dropout(inner) @ self.narrow + self.narrow_bias)
