"""A global channel with a gate: x + g · z, how much of the sum is z, and the same with z left out.

The gate g is learned. ``share`` tells what the channel gave when the model was last evaluated,
‖g z‖ / (‖x‖ + ‖g z‖): a channel that says nothing has share 0. ``silent`` leaves it out, to see what is lost
without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError, nearest
from thence.encode.attention.codebook import CodebookAttention
from thence.encode.attention.community import CommunityAttention
from thence.encode.attention.far import FarArcs
from thence.encode.attention.full import FullAttention
from thence.encode.attention.kernel import FORMS
from thence.encode.attention.linear import LinearAttention
from thence.encode.layer.view import View

HEADED = ("full", *FORMS, "codebook", "community")
CHANNELS = (*HEADED, "far")
"""All kinds of global channels; every one takes nodes as they are and positions beside them."""


def make_channel(
    kind: str,
    dim: int,
    *,
    heads: int = 1,
    positions: int = 0,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A global layer by its name.

    Args:
        kind: one of :data:`CHANNELS`.
        dim: width of what it takes and gives.
        heads: parallel attentions, where it has any.
        positions: width of positions beside x.
        seed: from which the start values are drawn.
        settings: further arguments of the layer.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> make_channel("slot", 4)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no global channel 'slot'. Did you mean 'slots'?
    """
    if kind not in CHANNELS:
        raise ConfigError(f"no global channel {kind!r}", fix=nearest(kind, CHANNELS))
    more = dict(settings or {})
    if kind in FORMS:
        return LinearAttention(dim, heads=heads, form=kind, positions=positions, seed=seed, **more)  # type: ignore[arg-type]
    if kind == "far":
        return FarArcs(dim, positions=positions, seed=seed, **more)
    made: dict[str, Callable[..., nn.Module]] = {
        "full": FullAttention,
        "codebook": CodebookAttention,
        "community": CommunityAttention,
    }
    return made[kind](dim, heads=heads, positions=positions, seed=seed, **more)


class Channel(nn.Module):
    """A global layer behind a gate.

    Args:
        layer: the layer.
        start: what the gate begins with.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([], [], num_nodes=3))
        >>> channel = Channel(make_channel("cosine", 4), start=0.0)
        >>> x = torch.ones(3, 4)
        >>> torch.equal(channel.eval()(x, view), x), channel.share
        (True, 0.0)
    """

    def __init__(self, layer: nn.Module, *, start: float = 0.5) -> None:
        super().__init__()
        self.layer = layer
        self.gate = nn.Parameter(torch.tensor(start))
        self.silent = False
        self.share = 0.0

    def forward(
        self, x: Tensor, view: View, where: Tensor | None = None, *, over: Tensor | None = None
    ) -> Tensor:
        """X with what the channel says, ``[num_nodes, dim]``."""
        if self.silent:
            self.share = 0.0
            return x
        said = self.gate * self.layer(x, view, where, over=over)
        if not self.training:
            own, others = float(x.detach().norm()), float(said.detach().norm())
            self.share = others / (own + others) if others else 0.0
        return x + said


def channels_of(model: nn.Module) -> list[Channel]:
    """The gated channels of an encoder, in order; empty where it has none.

    Example:
        >>> channels_of(nn.Linear(1, 1))
        []
    """
    return [module for module in model.modules() if isinstance(module, Channel)]
