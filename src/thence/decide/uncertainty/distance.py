"""Distance awareness: a Gaussian process on the features of a network that keeps distances.

Hidden layers have their weights bounded, ‖W‖₂ ≤ c, so that features tell near from far; the last layer is a
Gaussian process with the kernel exp(-|h - h'|² / 2 l²), in random Fourier features

    φ(h) = √(2 / D) cos(W h / l + b),   W ~ N(0, I),  b ~ U(0, 2π),   logit = βᵀ φ + b_0,

whose posterior is that of :mod:`laplace`. Away from training rows the logit's variance grows to the prior's.
Features of layers without skips can still lose distances: the bound above says that they do not tear them.

Reference: Liu et al., "Simple and principled uncertainty estimation with deterministic deep learning via
distance awareness", NeurIPS 2020, algorithm 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.utils import parametrize

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.decide.uncertainty.believed import Cost, NormalLogits
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.decide.uncertainty.logits import (
    device_of,
    fresh_linear,
    last_linear,
    logits_of,
    memory_of,
    rows_of,
    with_layers,
)
from thence.decide.uncertainty.training import Plan, train

PROBE = 512
"""Rows from which the kernel's length is taken."""


class DistanceAware:
    """Normal logits that are less sure away from the training rows; make it with :meth:`fit`.

    Attributes:
        net: the trained network, with random features before its last layer.
        laplace: of that last layer.

    Example:
        >>> x = torch.randn(500, 1, generator=torch.Generator().manual_seed(0))
        >>> net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> sure = DistanceAware.fit(net, x, x[:, 0] > 0, features=64, plan=Plan(10, 100, 0.01))
        >>> near, far = sure.estimate(torch.tensor([[0.5], [30.0]])).uncertainty
        >>> bool(far > 2 * near)
        True
    """

    def __init__(self, net: nn.Module, laplace: LastLayerLaplace) -> None:
        self.net, self.laplace = net, laplace

    def kept(self) -> Kept:
        """What to keep."""
        return self.laplace.kept()

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> DistanceAware:
        """From what :meth:`kept` gave and a network made as that of the fit."""
        last = kept.told["layer"]
        name = last.rpartition(".")[0]
        inside = f"net.{name}.0." if name else "net.0."
        head = _head(net, name, len(kept.arrays[f"{inside}phase"]), torch.Generator())
        made = with_layers(net, {name: head}, share=False)
        return cls(made, LastLayerLaplace.of(kept, made))

    @classmethod
    def fit(
        cls,
        net: nn.Module,
        inputs: Any,
        label: ArrayLike,
        *,
        features: int = 128,
        bound: float = 2.0,
        prior: float | None = 1.0,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> DistanceAware:
        """Train a copy of a network with bounded layers and a Gaussian process at its end.

        The kernel's length is the median distance of training rows' features when training begins, so that a
        trained network is the better start.

        Args:
            net: ends with an ``nn.Linear`` of one output; it is left as it is.
            inputs: a tensor or a tuple of them, ``[n, …]``.
            label: ``[n]`` 0 or 1.
            features: random features D.
            bound: c of the hidden layers' spectral norms.
            prior: precision of the process's weights; that of greatest marginal likelihood when None.
            plan: how to train.
            seed: of features and orders.

        Raises:
            ConfigError: the last layer is of another kind, or a setting out of range.
            DataError: inputs and labels do not fit together, or all labels are the same.
            FitError: the loss is not a number.
        """
        if features < 1 or not 0 < bound < np.inf:
            raise ConfigError("features must be at least 1, bound above 0")
        found, name, rng = rows_of(inputs), last_linear(net), torch_generator(seed, "uncertainty", "distance")
        head = _head(net, name, features, rng)
        made = with_layers(net, {name: head}, share=False)
        bounded = _bound(made, name, bound, rng)
        head[0].length.fill_(_length(made, head[0], found))  # type: ignore[union-attr]
        train(made, found, label, plan=plan, seed=seed)
        for layer in bounded:
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
        last = f"{name}.1" if name else "1"
        return cls(made, LastLayerLaplace.fit(made, found, prior=prior, layer=last))

    @property
    def cost(self) -> Cost:
        """One pass, whose last layer is as wide as there are random features."""
        features = sum(memory_of(each) for each in self.net.modules() if isinstance(each, RandomFeatures))
        return Cost(1.0, self.laplace.cost.memory + features)

    def estimate(self, inputs: Any) -> NormalLogits:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a logit is not finite.
        """
        return self.laplace.estimate(inputs)


class RandomFeatures(nn.Module):
    """Random Fourier features ``[b, features]`` of ``[b, inputs]`` for a Gaussian kernel.

    Args:
        inputs: numbers a row.
        features: how many.
        rng: of frequencies and phases, which are not trained.

    Example:
        >>> made = RandomFeatures(2, 4000, torch.Generator().manual_seed(0))
        >>> a, b = made(torch.zeros(1, 2)), made(torch.tensor([[1.0, 0.0]]))
        >>> round((a @ b.T).item(), 1)  # exp(-1/2)
        0.6

    References:
        Rahimi, Recht, "Random features for large-scale kernel machines", NeurIPS 2007.
    """

    def __init__(self, inputs: int, features: int, rng: torch.Generator) -> None:
        super().__init__()
        self.frequency: Tensor
        self.phase: Tensor
        self.length: Tensor
        self.register_buffer("frequency", torch.randn(features, inputs, generator=rng))
        self.register_buffer("phase", torch.rand(features, generator=rng) * 2 * math.pi)
        self.register_buffer("length", torch.ones(()))

    def forward(self, rows: Tensor) -> Tensor:
        """Features."""
        angle = nn.functional.linear(rows / self.length, self.frequency, self.phase)
        return torch.cos(angle) * math.sqrt(2 / len(self.phase))


class SpectralBound(nn.Module):
    """A matrix scaled down where its greatest singular value passes a bound; one power iteration a step.

    Args:
        weight: the matrix when training begins.
        bound: c.
        rng: of the first vector.
    """

    def __init__(self, weight: Tensor, bound: float, rng: torch.Generator) -> None:
        super().__init__()
        self.bound = bound
        self.vector: Tensor
        first = torch.randn(weight.shape[1], generator=rng).to(weight)
        self.register_buffer("vector", first / first.norm())
        for _ in range(20):
            self._turn(weight.detach())

    def forward(self, weight: Tensor) -> Tensor:
        """W · min(1, c / σ)."""
        if self.training:
            self._turn(weight.detach())
        sigma = (weight @ self.vector).norm().clamp(min=1e-12)
        return weight * (self.bound / sigma).clamp(max=1.0)

    @torch.no_grad()
    def _turn(self, weight: Tensor) -> None:
        turned = weight.T @ (weight @ self.vector)
        self.vector.copy_(turned / turned.norm().clamp(min=1e-12))


def _head(net: nn.Module, name: str, features: int, rng: torch.Generator) -> nn.Sequential:
    """Random features and a layer on them, in place of a network's last layer."""
    last: Any = net.get_submodule(name)
    made = nn.Sequential(RandomFeatures(last.weight.shape[1], features, rng), fresh_linear(features, 1, rng))
    return made.to(device_of(net))


def _bound(net: nn.Module, head: str, bound: float, rng: torch.Generator) -> list[nn.Linear]:
    """Bound all layers but the head's."""
    inside = f"{head}." if head else ""
    layers = [
        each
        for name, each in net.named_modules()
        if isinstance(each, nn.Linear) and head and not name.startswith(inside)
    ]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", SpectralBound(layer.weight, bound, rng))
    return layers


def _length(net: nn.Module, features: nn.Module, inputs: tuple[Tensor, ...]) -> float:
    """Median distance between the features of some rows."""
    step = max(len(inputs[0]) // PROBE, 1)
    held: list[Tensor] = []
    hook = features.register_forward_pre_hook(lambda _, given: held.append(given[0].detach()))
    try:
        logits_of(net, tuple(each[::step][:PROBE] for each in inputs))
    finally:
        hook.remove()
    apart = torch.pdist(held[0].float().cpu())
    apart = apart[apart > 0]
    return float(apart.median()) if len(apart) else 1.0
