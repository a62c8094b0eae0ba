"""What layers of graph transformers are made of: the channel whose turn it is, and the net behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import derive_seed, torch_generator
from thence.encode.attention.channel import Channel, make_channel
from thence.encode.layer.linear import linear
from thence.encode.layer.stack import Norm, make_norm


class Settings(Protocol):
    """What a transformer's settings tell of its layers."""

    @property
    def dim(self) -> int:
        """Width of every layer."""
        ...

    @property
    def heads(self) -> int:
        """Heads of a channel."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels, which layers take in turn."""
        ...

    @property
    def channel(self) -> Mapping[str, Any]:
        """Further settings of theirs."""
        ...

    @property
    def gate(self) -> float:
        """What a gate begins with."""
        ...

    @property
    def positions(self) -> int:
        """Width of the positions."""
        ...


def channel_of(config: Settings, k: int, seed: int) -> Channel | None:
    """The channel of the k-th layer behind its gate; None where there is none.

    Args:
        config: the encoder's settings.
        k: which layer.
        seed: from which the start values are drawn.
    """
    if not config.channels:
        return None
    made = make_channel(
        config.channels[k % len(config.channels)],
        config.dim,
        heads=config.heads,
        positions=config.positions,
        seed=derive_seed(seed, "channel"),
        settings=config.channel,
    )
    return Channel(made, start=config.gate)


def check_width(inputs: int, positions: int) -> None:
    """Raise unless so many positions can be among the inputs.

    Raises:
        ConfigError: there are more positions than inputs.
    """
    if positions > inputs:
        raise ConfigError(f"{positions} columns of positions among {inputs}", fix="Tell their width.")


def positions_of(x: Tensor, positions: int) -> Tensor | None:
    """The last columns of the input, where they are positions.

    Example:
        >>> positions_of(torch.tensor([[1.0, 2.0, 3.0]]), 2)
        tensor([[2., 3.]])
    """
    return x[:, x.shape[1] - positions :] if positions else None


class Widened(nn.Module):
    """``norm(x + dropout(W₂ dropout(relu(W₁ x))))``, W₁ from dim to 2 dim and W₂ back.

    Args:
        dim: width of x and of what comes out.
        norm: name of the normalisation.
        dropout: share of numbers that a training step leaves out.
        seed: from which the start values are drawn.
    """

    def __init__(self, dim: int, norm: Norm, dropout: float, seed: int) -> None:
        super().__init__()
        self.widen = linear(dim, 2 * dim, torch_generator(seed, "widen"))
        self.narrow = linear(2 * dim, dim, torch_generator(seed, "narrow"))
        self.norm, self.dropout = make_norm(norm, dim), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Rows ``[n, dim]`` of rows ``[n, dim]``."""
        hidden = self.dropout(torch.relu(self.widen(x)))
        return self.norm(x + self.dropout(self.narrow(hidden)))
