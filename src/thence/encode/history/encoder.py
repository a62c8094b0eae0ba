"""Our history encoder: dual vectors, attention by how long ago and from the last item, one vector a history.

An item has two roles: something that was met (s) and something that comes next (t). They share what the item
is and differ by what its role adds,

    s_i = e_i + a_i          t_j = e_j + b_j          x_k = s(item_k) / ‖s(item_k)‖ .

From the last item, at place t, each head looks back at all items k ≤ t, by content and by distance t − k:

    w_tk ∝ exp( ⟨Q x_t, K x_k⟩ / √d + r_(t−k) )          c_t = O Σ_k w_tk V x_k

    h_t = P x_t + c_t ,        h_t ← h_t + FFN(h_t)

P and V make what follows an item differ from what is like it, so that direction is in the maps even where the
roles' own parts are small. Vectors start from a factorisation of the sessions' graph where one is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.encode.history.model import HistoryModel, spread


@dataclass(frozen=True)
class HistoryConfig:
    """Settings of the encoder.

    Args:
        dim: length of each vector; a multiple of ``heads``.
        heads: ways of looking back.
        longest: items of a history that are looked at, the latest.
        dropout: share of each item vector's numbers that a training step leaves out.
        roles: give each item a part of its own for each role.
    """

    dim: int = 64
    heads: int = 4
    longest: int = 20
    dropout: float = 0.15
    roles: bool = False

    def __post_init__(self) -> None:
        if min(self.dim, self.heads, self.longest) < 1 or self.dim % self.heads:
            raise ConfigError(f"out of range: {self}", fix="Counts are at least 1, dim a multiple of heads.")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"a dropout of {self.dropout}", fix="Give one from 0 to below 1.")


class HistoryEncoder(HistoryModel):
    """The encoder.

    Args:
        num_items: how many items there are.
        config: settings.
        start: ``[num_items, dim]`` vectors to start from; random ones when not given.
        seed: from which the start values are drawn.
    """

    def __init__(
        self,
        num_items: int,
        config: HistoryConfig | None = None,
        *,
        start: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        self.config = config = config or HistoryConfig()
        super().__init__(num_items, config.longest)
        dim = config.dim

        def normal(name: str, *shape: int) -> Tensor:
            return torch.randn(shape, generator=torch_generator(seed, "history", name)) / dim**0.5

        own = normal("items", num_items, dim) if start is None else torch.as_tensor(start, dtype=torch.float32)
        self.shared = nn.Parameter(own.clone())
        empty = num_items if config.roles else 0
        self.met = nn.Parameter(torch.zeros(empty, dim))
        self.next = nn.Parameter(torch.zeros(empty, dim))
        self.query, self.key = nn.Parameter(normal("query", dim, dim)), nn.Parameter(normal("key", dim, dim))
        self.value, self.out = nn.Parameter(normal("value", dim, dim)), nn.Parameter(normal("out", dim, dim))
        self.last = nn.Parameter(torch.eye(dim) + 0.1 * normal("last", dim, dim))
        self.distance = nn.Parameter(torch.zeros(config.heads, config.longest, 1))
        self.wide, self.narrow = (
            nn.Parameter(normal("wide", dim, 2 * dim)),
            nn.Parameter(0.1 * normal("narrow", 2 * dim, dim)),
        )
        self.wide_bias, self.dropout = nn.Parameter(torch.zeros(2 * dim)), nn.Dropout(config.dropout)

    def states(self, items: Tensor, inside: Tensor) -> Tensor:
        """Vectors ``[P, dim]`` of the histories that end at each place."""
        packed = items[inside]
        met = self.shared[packed] + self.met[packed] if self.config.roles else self.shared[packed]
        x = self.dropout(normalize(met, dim=-1) * self.config.dim**0.5)
        width = items.shape[1]
        place = torch.arange(width, device=items.device)
        back = place[:, None] - place[None, :]
        matrices = (self.query, self.key, self.value)
        query, key, value = (spread(x @ matrix, inside, self.config.heads) for matrix in matrices)
        look = query @ key.transpose(-1, -2) * (self.config.heads / self.config.dim) ** 0.5
        look = look + self.distance[:, back.clamp(min=0), 0]
        weight = look.masked_fill(back < 0, -torch.inf).softmax(-1)
        seen = (weight @ value).transpose(1, 2).flatten(2)[inside]
        h = x @ self.last + seen @ self.out
        inner = torch.nn.functional.gelu(
            normalize(h, dim=-1) * self.config.dim**0.5 @ self.wide + self.wide_bias
        )
        return h + self.dropout(inner) @ self.narrow

    def targets(self, nodes: Tensor | None = None) -> Tensor:
        """Vectors ``[n, dim]`` of items as what comes next."""
        if nodes is None:
            return self.shared + self.next if self.config.roles else self.shared
        return self.shared[nodes] + self.next[nodes] if self.config.roles else self.shared[nodes]
