"""Shared trunks (batch ensembles): members that differ by vectors alone, trained at once.

    W_m = W ∘ (s_m r_mᵀ),    y_m = s_m ∘ (W (r_m ∘ x)) + b_m,    m = 1 … M

Of a network's layers the last few become such; all before them, the trunk, runs once for all members. The
first of them has r = 1, so that its product W x is the trunk's too: members then cost a few products of
vectors, not M networks. They begin with random signs in r and s, and each has a loss of its own.

Reference: Wen, Tran, Ba, "BatchEnsemble: an alternative approach to efficient ensemble and lifelong learning",
ICLR 2020, equations 1 to 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError, DataError
from thence.base.progress import Progress, silent
from thence.base.rng import torch_generator
from thence.decide.uncertainty.believed import Cost, Members
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.logits import (
    arrays_of,
    device_of,
    filled,
    forward,
    last_linear,
    memory_of,
    rows_of,
    with_layers,
)
from thence.decide.uncertainty.serving_kernel import member_rows
from thence.decide.uncertainty.shared_tail import Tail, tail_named, tail_of
from thence.decide.uncertainty.training import Plan, train


class SharedTrunk:
    """Members of one network; make it with :meth:`fit`.

    Attributes:
        net: gives ``[n, members]`` or ``[n, members, 1]`` logits.
        members: how many.
        layers: how many layers, from the end, are the members' own.

    Example:
        >>> x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
        >>> net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> sure = SharedTrunk.fit(net, x, x[:, 0] > 0, plan=Plan(10, 100, 0.01))
        >>> sure.estimate(x[:3]).logits.shape, sure.cost.passes
        ((4, 3), 1.0)
    """

    def __init__(self, net: nn.Module, members: int, layers: int, tail: Tail | None = None) -> None:
        self.net, self.members, self.layers = net, members, layers
        self._device, self._tail = device_of(net), tail

    @classmethod
    def fit(
        cls,
        net: nn.Module,
        inputs: Any,
        label: ArrayLike,
        *,
        members: int = 4,
        layers: int = 2,
        plan: Plan | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> SharedTrunk:
        """Train a copy of a network whose last layers are the members'.

        Args:
            net: ends with an ``nn.Linear`` of one output; what stands behind the first of the members' layers
                works on the last dimension alone. It is left as it is.
            inputs: a tensor or a tuple of them, ``[n, …]``.
            label: ``[n]`` 0 or 1.
            members: how many.
            layers: how many layers, from the end, are the members' own.
            plan: how to train.
            seed: of signs and orders.
            progress: called after each pass.

        Raises:
            ConfigError: fewer than two members, no layer, or a last layer of another kind.
            DataError: inputs and labels do not fit together, or all labels are the same.
            FitError: the loss is not a number.
        """
        made = ensembled(net, members, layers, seed=seed)
        shared = cls(made, members, layers)
        shared._logits(tuple(each[:2] for each in rows_of(inputs)))

        def loss(told: Tensor, truth: Tensor) -> Tensor:
            logits = told.reshape(len(truth), members)
            wanted = truth[:, None].expand_as(logits)
            return nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(dim=1)

        train(made, inputs, label, loss, plan=plan, seed=seed, progress=progress)
        if layers == 1:
            return cls(_one_layer(made), members, layers)
        return cls(made, members, layers, _tail(made, rows_of(inputs)))

    def kept(self) -> Kept:
        """What to keep."""
        tail = None if self._tail is None else list(self._tail.names)
        told = {"members": self.members, "layers": self.layers, "tail": tail}
        return Kept(told, arrays_of(self.net, "net"))

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> SharedTrunk:
        """From what :meth:`kept` gave and a network made as that of the fit."""
        members, layers, names = (kept.told[name] for name in ("members", "layers", "tail"))
        made = ensembled(net, members, layers)
        made = filled(_one_layer(made) if layers == 1 else made, kept.arrays, "net")
        return cls(made, members, layers, None if names is None else tail_named(made, tuple(names)))

    @property
    def cost(self) -> Cost:
        """One pass of the trunk; the vectors of the members."""
        own = [layer for layer in self.net.modules() if isinstance(layer, RankOneLinear | _Members)]
        return Cost(1.0, sum(memory_of(layer) for layer in own))

    def estimate(self, inputs: Any) -> Members:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a logit is not finite.
        """
        return Members.told(*member_rows(self._logits(inputs)))

    def _logits(self, inputs: Any) -> np.ndarray:
        if self._tail is not None:
            return self._tail.logits(inputs, self._device)
        told = forward(self.net, inputs, self._device).numpy()
        rows = len(inputs[0] if isinstance(inputs, tuple) else inputs)
        if told.shape == (rows, self.members, 1):
            return told[:, :, 0]
        if told.shape != (rows, self.members):
            raise DataError(
                f"the network gives {told.shape} for {rows} rows and {self.members} members",
                fix="Behind the members' layers it must work on the last dimension alone.",
            )
        return told


class RankOneLinear(nn.Module):
    """A layer of several members: ``[b, inputs]`` or ``[b, members, inputs]`` to ``[b, members, outputs]``.

    Args:
        weight: ``[outputs, inputs]``, shared.
        bias: ``[outputs]`` or None for zeros; each member begins with it.
        members: how many.
        rng: of the signs that r and s begin with.
        own_inputs: whether members have an r; without, rows without members are multiplied once for all.

    Example:
        >>> layer = RankOneLinear(torch.ones(1, 3), None, 2, torch.Generator().manual_seed(0), own_inputs=True)
        >>> layer(torch.ones(5, 3)).shape
        torch.Size([5, 2, 1])
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, members: int, rng: torch.Generator, *, own_inputs: bool
    ) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.weight = nn.Parameter(weight.detach().clone())
        start = torch.zeros(outputs).to(weight) if bias is None else bias.detach()
        self.bias = nn.Parameter(start.repeat(members, 1))
        self.s = nn.Parameter(_signs(members, outputs, rng).to(weight))
        self.r = nn.Parameter(_signs(members, inputs, rng).to(weight)) if own_inputs else None

    def forward(self, rows: Tensor) -> Tensor:
        """What each member gives."""
        if self.r is None:
            product = nn.functional.linear(rows, self.weight)
            return torch.addcmul(self.bias, product if product.ndim == 3 else product[:, None], self.s)
        at = rows if rows.ndim == 3 else rows[:, None]
        return torch.addcmul(self.bias, nn.functional.linear(at * self.r, self.weight), self.s)


def ensembled(net: nn.Module, members: int, layers: int = 2, *, seed: int = 0) -> nn.Module:
    """A copy of a network whose last layers are those of members, untrained but for what they share.

    Raises:
        ConfigError: fewer than two members, no layer, or a last layer of another kind.
    """
    if members < 2 or layers < 1:
        raise ConfigError(
            f"{members} members of {layers} layers", fix="Ask for two members, one layer or more."
        )
    last_linear(net)
    names = [name for name, layer in net.named_modules() if isinstance(layer, nn.Linear)][-layers:]
    rng, made = torch_generator(seed, "uncertainty", "members"), {}
    for place, name in enumerate(names):
        layer: Any = net.get_submodule(name)
        own = place > 0 or len(names) == 1
        made[name] = RankOneLinear(layer.weight, layer.bias, members, rng, own_inputs=own)
    return with_layers(net, made, share=False).to(device_of(net))


class _Members(nn.Linear):
    """The last layer of all members at once."""


def _one_layer(net: nn.Module) -> nn.Module:
    """Where the last layer alone is the members', it is one of as many outputs: row m is s_m (W ∘ r_mᵀ)."""
    name, layer = next((name, each) for name, each in net.named_modules() if isinstance(each, RankOneLinear))
    r = 1.0 if layer.r is None else layer.r
    made = _Members(1, 1, device="meta")
    made.weight = nn.Parameter((layer.s * layer.weight * r).detach(), requires_grad=False)
    made.bias = nn.Parameter(layer.bias[:, 0].detach(), requires_grad=False)
    made.in_features, made.out_features = made.weight.shape[1], made.weight.shape[0]
    return with_layers(net, {name: made}, share=True).eval()


def _tail(net: nn.Module, inputs: tuple[Tensor, ...]) -> Tail | None:
    """The end in one loop, where the members have two layers that allow it."""
    own = [name for name, layer in net.named_modules() if isinstance(layer, RankOneLinear)]
    return tail_of(net, own[0], own[1], inputs) if len(own) == 2 else None


def _signs(members: int, size: int, rng: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (members, size), generator=rng).float() * 2 - 1
