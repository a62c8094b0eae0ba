"""The networks that all estimators share: hashed categories and numbers in, one or more logits out.

    x = [E[code_1], …, E[code_c], z_1, m_1, …, z_q, m_q],    z = (number - mean) / sd, 0 and m = 1 where unknown

``logistic`` adds up one weight a category and is linear in z; ``mlp`` puts ReLU layers on x; ``dcn`` runs the
cross layers of DCN-V2, x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l, beside them.

Reference: Wang et al., "DCN V2: improved deep and cross network", WWW 2021.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.conversion.features import Features

Kind = Literal["logistic", "mlp", "dcn"]


@dataclass(frozen=True)
class NetConfig:
    """The shape of a network.

    Args:
        kind: ``logistic``, ``mlp`` or ``dcn``.
        dim: numbers that each category is embedded in.
        hidden: widths of the hidden layers.
        cross: cross layers of ``dcn``.

    Raises:
        ConfigError: a setting is out of range.
    """

    kind: Kind = "mlp"
    dim: int = 8
    hidden: tuple[int, ...] = (128, 64)
    cross: int = 2

    def __post_init__(self) -> None:
        if self.kind not in ("logistic", "mlp", "dcn"):
            raise ConfigError(f"a network of kind {self.kind!r}", fix="Choose logistic, mlp or dcn.")
        if self.dim < 1 or self.cross < 1 or any(width < 1 for width in self.hidden):
            raise ConfigError("dim, hidden and cross must be at least 1")


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of each number, from what was known when training began.

    Args:
        mean: ``[q]`` float32.
        deviation: ``[q]`` float32, never 0.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray) -> Scale:
        """Of the columns of ``[n, q]``; 0 and 1 where nothing is known."""
        known = np.isfinite(numbers)
        count = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, numbers, 0.0).astype(np.float64)
        mean = filled.sum(axis=0) / count
        spread = np.sqrt(np.where(known, (filled - mean) ** 2, 0.0).sum(axis=0) / count)
        return cls(mean.astype(np.float32), np.where(spread > 1e-6, spread, 1.0).astype(np.float32))


class ConversionNet(nn.Module):
    """Logits ``[b, heads]`` of exposures.

    Args:
        buckets: of each column of codes.
        scale: of the numbers.
        config: the shape.
        heads: logits of each exposure.
        seed: of the weights; networks of the same shape and seed begin alike, whatever their heads.

    Example:
        >>> net = ConversionNet((4, 3), Scale(np.zeros(1), np.ones(1)), NetConfig(hidden=(8,)))
        >>> net(torch.tensor([[3, 0], [0, 2]]), torch.tensor([[0.5], [float("nan")]])).shape
        torch.Size([2, 1])
    """

    row_sparse = ("table",)

    def __init__(
        self,
        buckets: tuple[int, ...],
        scale: Scale,
        config: NetConfig | None = None,
        *,
        heads: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.config, self.heads = config or NetConfig(), heads
        config = self.config
        rng = torch_generator(seed, "conversion", "net")
        own = [rng, *(torch_generator(seed, "conversion", "net", head) for head in range(1, heads))]
        width = heads if config.kind == "logistic" else config.dim
        offsets = np.concatenate([[0], np.cumsum(buckets)])
        drawn = [(1, each) for each in own] if config.kind == "logistic" else [(width, rng)]
        table = torch.cat([torch.randn(int(offsets[-1]), k, generator=each) for k, each in drawn], dim=1)
        self.table = nn.Parameter(table * 0.05)
        self.offset: Tensor
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("offset", torch.from_numpy(offsets[:-1].astype(np.int64)))
        self.register_buffer("mean", torch.from_numpy(np.asarray(scale.mean, np.float32)))
        self.register_buffer("deviation", torch.from_numpy(np.asarray(scale.deviation, np.float32)))
        self.numeric = 2 * len(scale.mean)
        inputs = self.numeric + (0 if config.kind == "logistic" else len(buckets) * width)
        self.cross = nn.ModuleList(
            _linear(inputs, inputs, rng) for _ in range(config.cross * (config.kind == "dcn"))
        )
        layers: list[nn.Module] = []
        last = inputs
        for hidden in config.hidden if config.kind != "logistic" else ():
            layers += [_linear(last, hidden, rng), nn.ReLU(inplace=True)]
            last = hidden
        self.deep = nn.Sequential(*layers)
        self.out = _out(last + (inputs if self.cross else 0), own)

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """Logits ``[b, heads]``.

        Args:
            codes: ``[b, c]`` int64.
            numbers: ``[b, q]`` float32; NaN for unknown.
        """
        vectors = nn.functional.embedding(codes + self.offset, self.table, sparse=True)
        unknown = torch.isnan(numbers)
        scaled = torch.where(unknown, 0.0, (numbers - self.mean) / self.deviation)
        known = torch.cat([scaled.clamp(-8.0, 8.0), unknown.to(scaled.dtype)], dim=1)
        if self.config.kind == "logistic":
            return vectors.sum(dim=1) + self.out(known)
        start = torch.cat([vectors.flatten(1), known], dim=1)
        last = self.deep(start)
        if self.cross:
            crossed = start
            for layer in self.cross:
                crossed = start * layer(crossed) + crossed
            last = torch.cat([last, crossed], dim=1)
        return self.out(last)


def make_net(features: Features, config: NetConfig, *, heads: int = 1, seed: int = 0) -> ConversionNet:
    """A network for exposures that are described like these, scaled by their numbers.

    Args:
        features: what was known when training began, and nothing later.
        config: the shape.
        heads: logits of each exposure.
        seed: of the weights.
    """
    return ConversionNet(features.buckets, Scale.of(features.numbers), replace(config), heads=heads, seed=seed)


def _linear(inputs: int, outputs: int, rng: torch.Generator) -> nn.Linear:
    """A layer with He's start, drawn from a generator of its own."""
    layer = nn.Linear(max(inputs, 1), max(outputs, 1), device="meta")  # takes nothing from the global generator
    layer.weight = nn.Parameter(torch.randn(outputs, inputs, generator=rng) * (2.0 / max(inputs, 1)) ** 0.5)
    layer.bias = nn.Parameter(torch.zeros(outputs))
    layer.in_features, layer.out_features = inputs, outputs
    return layer


def _out(inputs: int, rngs: list[torch.Generator]) -> nn.Linear:
    """The last layer, a tenth as large; each head from its own generator, so that others do not move it."""
    heads = [_linear(inputs, 1, rng).weight.detach() * 0.1 for rng in rngs]
    layer = nn.Linear(max(inputs, 1), len(heads), device="meta")
    layer.weight, layer.bias = nn.Parameter(torch.cat(heads)), nn.Parameter(torch.zeros(len(heads)))
    layer.in_features = inputs
    return layer
