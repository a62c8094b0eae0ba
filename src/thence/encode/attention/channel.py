"""A global channel with a gate: x + g · z, how much of the sum is z, and the same with z left out.

The gate g is learned. ``share`` tells what the channel gave when the model was last evaluated,
‖g z‖ / (‖x‖ + ‖g z‖): a channel that says nothing has share 0. ``silent`` leaves it out, to see what is lost
without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError, check_settings, nearest
from thence.encode.attention.codebook import CodebookAttention
from thence.encode.attention.community import CommunityAttention
from thence.encode.attention.far import FarArcs
from thence.encode.attention.full import FullAttention
from thence.encode.attention.kernel import FORMS
from thence.encode.attention.linear import LinearAttention
from thence.encode.layer.view import View

CHANNELS = ("full", *FORMS, "codebook", "community", "far")
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
        ConfigError: there is no such kind, or the layer has no such argument.

    Example:
        >>> make_channel("slot", 4)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no global channel 'slot'. Did you mean 'slots'?
    """
    if kind not in CHANNELS:
        raise ConfigError(f"no global channel {kind!r}", fix=nearest(kind, CHANNELS))
    made: dict[str, Callable[..., nn.Module]] = {
        **{form: partial(LinearAttention, form=form, heads=heads) for form in FORMS},
        "full": partial(FullAttention, heads=heads),
        "codebook": partial(CodebookAttention, heads=heads),
        "community": partial(CommunityAttention, heads=heads),
        "far": FarArcs,
    }
    settings = settings or {}
    known = set(signature(made[kind]).parameters) - {"dim", "positions", "seed"}
    check_settings(f"the channel {kind!r}", settings, known)
    return made[kind](dim, positions=positions, seed=seed, **settings)


class Gate(nn.Module):
    """Puts what a channel says beside what a node has, own + g · said.

    Args:
        start: what g begins with.
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.tensor(start))
        self.silent = False
        self.share = 0.0

    def forward(self, own: Tensor, say: Callable[[], Tensor], drop: nn.Module | None = None) -> Tensor:
        """The sum ``[num_nodes, dim]``; ``say`` is not asked when the channel is silent."""
        if self.silent:
            self.share = 0.0
            return own
        said = self.gate * say()
        if not self.training:
            a, b = float(own.detach().norm()), float(said.detach().norm())
            self.share = b / (a + b) if b else 0.0
        return own + (said if drop is None else drop(said))


class Channel(nn.Module):
    """A global layer behind a gate: x + g · layer(x).

    Args:
        layer: the layer.
        start: what the gate begins with.

    Example:
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([], [], num_nodes=3))
        >>> channel = Channel(make_channel("cosine", 4), start=0.0)
        >>> x = torch.ones(3, 4)
        >>> torch.equal(channel.eval()(x, view), x), channel.gate.share
        (True, 0.0)
    """

    def __init__(self, layer: nn.Module, *, start: float = 1.0) -> None:
        super().__init__()
        self.layer, self.gate = layer, Gate(start)

    def forward(
        self,
        x: Tensor,
        view: View,
        where: Tensor | None = None,
        *,
        over: Tensor | None = None,
        drop: nn.Module | None = None,
    ) -> Tensor:
        """X with what the channel says, ``[num_nodes, dim]``.

        Args:
            x: ``[num_nodes, dim]``, who asks.
            view: the graphs.
            where: ``[num_nodes, positions]``.
            over: ``[num_nodes, dim]``, who is asked; x when not given.
            drop: applied to what the channel says, in training.
        """
        return self.gate(x, lambda: self.layer(x, view, where, over=over), drop)


class Gated(nn.Module):
    """Linear attention behind a gate, beside the values: V + g · attention(x).

    Args:
        layer: the attention.
        start: what the gate begins with.
    """

    def __init__(self, layer: LinearAttention, *, start: float = 1.0) -> None:
        super().__init__()
        self.layer, self.gate = layer, Gate(start)

    def forward(self, x: Tensor, view: View) -> Tensor:
        """The sum ``[num_nodes, dim]``."""
        return self.gate(self.layer.value(x), lambda: self.layer(x, view))


def gates_of(model: nn.Module) -> list[Gate]:
    """The gates of an encoder's global channels, in order; empty where it has none.

    Example:
        >>> gates_of(nn.Linear(1, 1))
        []
    """
    return [module for module in model.modules() if isinstance(module, Gate)]
