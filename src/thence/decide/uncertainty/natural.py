"""Natural posterior networks: one density of all training rows, one rate, and a budget of evidence.

With latents z of H numbers, a flow p(z) and a rate χ(z),

    evidence n = budget · p(z),    rate ~ Beta(prior_1 + n χ, prior_0 + n (1 - χ)),
    loss = ψ(α_1 + α_0) - ψ(α_y) - λ entropy,

where the logarithm of the budget is 0, H/2, H or (H/2) ln 4π, the last of which makes the evidence at the
middle of a standard normal grow as 2^(H/2). The logarithm of n is kept within ±30, and gradients pass. Where n
is next to nothing so is the gradient: therefore the flow is fitted to the latents as they are, by likelihood,
before training and after it.

Reference: Charpentier et al., "Natural posterior network", ICLR 2022, sections 3.1 and 3.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.decide.uncertainty.believed import Cost, Counts
from thence.decide.uncertainty.flow import RadialFlows
from thence.decide.uncertainty.flow_kernel import shared_evidence
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.logits import arrays_of, device_of, filled, forward, fresh_linear, memory_of
from thence.decide.uncertainty.posterior import (
    FLOWS,
    BetaLoss,
    PosteriorConfig,
    clamped,
    encoder_and_flows,
    folded,
    latents_of,
)
from thence.decide.uncertainty.training import Plan, train

Budget = Literal["constant", "half", "whole", "normal"]


@dataclass(frozen=True)
class NaturalConfig:
    """The shape of a natural posterior network.

    Args:
        latent: numbers H of a latent.
        prior: of the positive and of the negative class, in examples.
        entropy: weight λ of the entropy in the loss.
        budget: of evidence, by name.
        warm: passes before and after training in which the flow alone is fitted, by likelihood.

    Raises:
        ConfigError: a setting is out of range.
    """

    latent: int = 6
    prior: tuple[float, float] = (1.0, 1.0)
    entropy: float = 1e-5
    budget: Budget = "normal"
    warm: int = 3

    def __post_init__(self) -> None:
        PosteriorConfig(self.latent, self.prior, self.entropy)
        log_budget(self.budget, self.latent)
        if self.warm < 0:
            raise ConfigError(f"{self.warm} warm passes", fix="Give none or more.")


class NaturalPosterior:
    """Beta beliefs of a network with one flow; make it with :meth:`fit`.

    Attributes:
        encoder: gives the latents ``[n, latent]``.
        flow: their density.
        rate: gives the logit of χ from latents.
        prior: of the positive and of the negative class.
        log_budget: logarithm of the budget of evidence.

    Example:
        >>> x = torch.randn(600, 1, generator=torch.Generator().manual_seed(0))
        >>> net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> sure = NaturalPosterior.fit(net, x, x[:, 0] > 0, NaturalConfig(2), plan=Plan(30, 100, 0.01))
        >>> told = sure.estimate(torch.tensor([[1.0], [-1.0], [1000.0]]))
        >>> told.mean[:2].round().tolist(), bool(told.uncertainty[2] > told.uncertainty[0])
        ([1.0, 0.0], True)
    """

    def __init__(
        self,
        encoder: nn.Module,
        flow: RadialFlows,
        rate: nn.Linear,
        prior: tuple[float, float],
        log_budget: float,
    ) -> None:
        self.encoder, self.flow, self.rate = encoder, flow, rate
        self.prior, self.log_budget = prior, log_budget
        self._maps, self._device = flow.maps(), device_of(encoder)
        bias, weight = rate.bias.numpy(force=True), rate.weight.numpy(force=True)
        self._told = np.concatenate([prior, [log_budget], bias, weight[0]], dtype=np.float64)

    @classmethod
    def fit(
        cls,
        net: nn.Module,
        inputs: Any,
        label: ArrayLike,
        config: NaturalConfig | None = None,
        *,
        plan: Plan | None = None,
        seed: int = 0,
    ) -> NaturalPosterior:
        """Train a copy of a network, whose last layer then gives latents.

        Args:
            net: ends with an ``nn.Linear`` of one output; trained or not, it is left as it is.
            inputs: a tensor or a tuple of them, ``[n, …]``.
            label: ``[n]`` 0 or 1.
            config: latents, prior, budget and loss.
            plan: how to train; ten passes when None.
            seed: of new weights and orders.

        Raises:
            ConfigError: the last layer is of another kind.
            DataError: inputs and labels do not fit together, or all labels are the same.
            FitError: the loss is not a number.
        """
        config = config or NaturalConfig()
        latent, rng = config.latent, torch_generator(seed, "uncertainty", "natural")
        scale = log_budget(config.budget, latent)
        encoder = latents_of(net, latent, rng)
        flow = RadialFlows(1, latent, FLOWS, rng).to(device_of(net))
        rate = fresh_linear(latent, 1, rng).to(device_of(net))
        parts, plan = nn.ModuleList([encoder, flow, rate]), plan or Plan(passes=10)
        for turn in range(2):
            if config.warm:
                alone = replace(plan, passes=config.warm)
                train(_Density(parts), inputs, label, lambda log, _: -log, plan=alone, seed=seed)
            if not turn:
                model = _Parts(parts, config.prior, scale)
                train(model, inputs, label, BetaLoss(config.entropy), plan=plan, seed=seed)
        return cls(folded(encoder), flow, rate, config.prior, scale)

    def kept(self) -> Kept:
        """What to keep."""
        arrays = arrays_of(self.encoder, "encoder") | arrays_of(self.flow, "flows")
        told = {"prior": list(self.prior), "log_budget": self.log_budget}
        return Kept(told, arrays | arrays_of(self.rate, "rate"))

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> NaturalPosterior:
        """From what :meth:`kept` gave and a network made as that of the fit."""
        encoder, flow = encoder_and_flows(kept.arrays, net)
        rate = fresh_linear(flow.centre.shape[2], 1, torch.Generator()).to(device_of(net))
        first, second = (float(each) for each in kept.told["prior"])
        rate = filled(rate, kept.arrays, "rate")
        return cls(encoder, flow, rate, (first, second), float(kept.told["log_budget"]))

    @property
    def cost(self) -> Cost:
        """One pass, and the flow."""
        return Cost(1.0, memory_of(self.flow) + memory_of(self.rate))

    def estimate(self, inputs: Any) -> Counts:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a latent is not finite.
        """
        latent = forward(self.encoder, inputs, self._device).numpy()
        return Counts.told(*shared_evidence(latent, self._maps, self._told))


def log_budget(budget: Budget, latent: int) -> float:
    """Logarithm of the budget of evidence for latents of so many numbers.

    Raises:
        ConfigError: there is no such budget.

    Example:
        >>> [round(log_budget(name, 4), 2) for name in ("constant", "half", "whole", "normal")]
        [0.0, 2.0, 4.0, 5.06]
    """
    known = {
        "constant": 0.0,
        "half": latent / 2,
        "whole": float(latent),
        "normal": latent / 2 * math.log(4 * math.pi),
    }
    if budget not in known:
        raise ConfigError(f"a budget {budget!r}", fix="Choose constant, half, whole or normal.")
    return known[budget]


class _Density(nn.Module):
    """Log densities ``[b]`` of latents that stay as they are."""

    def __init__(self, parts: nn.ModuleList) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, *inputs: Tensor) -> Tensor:
        encoder, flow, _ = self.parts
        with torch.no_grad():
            latent = encoder(*inputs)
        return flow(latent)[:, 0]


class _Parts(nn.Module):
    """Beta parameters ``[b, 2]``, negative first, for training."""

    def __init__(self, parts: nn.ModuleList, prior: tuple[float, float], log_budget: float) -> None:
        super().__init__()
        self.parts, self.prior, self.log_budget = parts, prior, log_budget

    def forward(self, *inputs: Tensor) -> Tensor:
        encoder, flow, rate = self.parts
        latent = encoder(*inputs)
        evidence = clamped(flow(latent)[:, 0] + self.log_budget).exp()
        chance = torch.sigmoid(rate(latent)[:, 0])
        positive = self.prior[0] + evidence * chance
        return torch.stack([self.prior[1] + evidence * (1 - chance), positive], dim=1)
