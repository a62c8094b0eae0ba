"""Posterior networks: a density of the training rows of each class says how much evidence there is for it.

With latents z of a network, N_c training rows of class c and a normalising flow p(z | c) for each,

    α_c = prior_c + N_c p(z | c),    rate ~ Beta(α_1, α_0),    uncertainty: its differential entropy,
    loss = ψ(α_1 + α_0) - ψ(α_y) - λ entropy,

so that far from all training rows the prior alone is left. γ = (prior_1 + prior_0) / (evidence).

Reference: Charpentier, Zügner, Günnemann, "Posterior network: uncertainty estimation without OOD samples via
density-based pseudo-counts", NeurIPS 2020, equations 4 to 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.base.rng import torch_generator
from thence.decide.uncertainty.believed import Cost, Counts
from thence.decide.uncertainty.flow import RadialFlows
from thence.decide.uncertainty.flow_kernel import LIMIT, class_evidence
from thence.decide.uncertainty.kept import Arrays, Kept
from thence.decide.uncertainty.logits import (
    arrays_of,
    device_of,
    filled,
    forward,
    fresh_linear,
    last_linear,
    memory_of,
    rows_of,
    with_layers,
)
from thence.decide.uncertainty.training import Plan, labels_of, train

FLOWS = 6
"""Radial maps of each flow."""


@dataclass(frozen=True)
class PosteriorConfig:
    """The shape of a posterior network.

    Args:
        latent: numbers of a latent.
        prior: of the positive and of the negative class, in examples.
        entropy: weight λ of the entropy in the loss.

    Raises:
        ConfigError: a setting is out of range.
    """

    latent: int = 6
    prior: tuple[float, float] = (1.0, 1.0)
    entropy: float = 1e-5

    def __post_init__(self) -> None:
        if self.latent < 1:
            raise ConfigError(f"{self.latent} latents", fix="Ask for at least one.")
        if min(self.prior) <= 0 or not np.isfinite(self.prior).all():
            raise ConfigError(f"a prior of {self.prior}", fix="Give two numbers above 0.")
        if not 0 <= self.entropy < np.inf:
            raise ConfigError(f"an entropy weight of {self.entropy}", fix="Give one from 0 up.")


class PosteriorNetwork:
    """Beta beliefs of a network with a flow for each class; make it with :meth:`fit`.

    Attributes:
        encoder: gives the latents ``[n, latent]``.
        flows: densities of the negative and of the positive class.
        counts: training rows of the negative and of the positive class.
        prior: of the positive and of the negative class.

    Example:
        >>> x = torch.randn(600, 1, generator=torch.Generator().manual_seed(0))
        >>> net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> sure = PosteriorNetwork.fit(net, x, x[:, 0] > 0, PosteriorConfig(2), plan=Plan(30, 100, 0.01))
        >>> told = sure.estimate(torch.tensor([[1.0], [-1.0], [1000.0]]))
        >>> told.mean[:2].round().tolist(), bool(told.uncertainty[2] > told.uncertainty[0])
        ([1.0, 0.0], True)
    """

    def __init__(
        self, encoder: nn.Module, flows: RadialFlows, counts: tuple[int, int], prior: tuple[float, float]
    ) -> None:
        self.encoder, self.flows, self.counts, self.prior = encoder, flows, counts, prior
        self.log_counts = np.log(np.asarray(counts, np.float64))
        self._maps, self._told = flows.maps(), np.concatenate([prior, self.log_counts])
        self._device = device_of(encoder)

    @classmethod
    def fit(
        cls,
        net: nn.Module,
        inputs: Any,
        label: ArrayLike,
        config: PosteriorConfig | None = None,
        *,
        plan: Plan | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> PosteriorNetwork:
        """Train a copy of a network, whose last layer then gives latents.

        Args:
            net: ends with an ``nn.Linear`` of one output; trained or not, it is left as it is.
            inputs: a tensor or a tuple of them, ``[n, …]``.
            label: ``[n]`` 0 or 1.
            config: latents, prior and loss.
            plan: how to train; ten passes when None.
            seed: of new weights and orders.
            progress: called after each pass.

        Raises:
            ConfigError: the last layer is of another kind.
            DataError: inputs and labels do not fit together, or all labels are the same.
            FitError: the loss is not a number.
        """
        config, found = config or PosteriorConfig(), rows_of(inputs)
        positives = int(labels_of(label, len(found[0])).sum())
        counts = (len(found[0]) - positives, positives)
        rng = torch_generator(seed, "uncertainty", "posterior")
        flows = RadialFlows(2, config.latent, FLOWS, rng)
        latents = latents_of(net, config.latent, rng)
        model = nn.Sequential(latents, flows.to(device_of(net)))
        parts = _Parts(model, torch.tensor(counts).log(), config.prior)
        loss = BetaLoss(config.entropy)
        train(parts, found, label, loss, plan=plan or Plan(passes=10), seed=seed, progress=progress)
        return cls(folded(latents), flows, counts, config.prior)

    @property
    def cost(self) -> Cost:
        """One pass, and the flows."""
        return Cost(1.0, memory_of(self.flows))

    def kept(self) -> Kept:
        """What to keep."""
        told = {"counts": list(self.counts), "prior": list(self.prior)}
        return Kept(told, arrays_of(self.encoder, "encoder") | arrays_of(self.flows, "flows"))

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> PosteriorNetwork:
        """From what :meth:`kept` gave and a network made as that of the fit."""
        encoder, flows = encoder_and_flows(kept.arrays, net)
        negative, positive = (int(each) for each in kept.told["counts"])
        first, second = (float(each) for each in kept.told["prior"])
        return cls(encoder, flows, (negative, positive), (first, second))

    def evidence(self, inputs: Any) -> np.ndarray:
        """Evidence ``[n, 2]`` for the negative and the positive class, in examples."""
        latent = forward(self.encoder, inputs, self._device).numpy()
        return np.exp(np.clip(self.flows.log_density(latent) + self.log_counts, -LIMIT, LIMIT))

    def gamma(self, inputs: Any) -> np.ndarray:
        """Prior to evidence ``[n]``."""
        return sum(self.prior) / self.evidence(inputs).sum(axis=1)

    def estimate(self, inputs: Any) -> Counts:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a latent is not finite.
        """
        latent = forward(self.encoder, inputs, self._device).numpy()
        return Counts.told(*class_evidence(latent, self._maps, self._told))


class BetaLoss:
    """The loss ``[b]`` of Beta parameters ``[b, 2]``: ψ(α_1 + α_0) - ψ(α_y) - λ entropy.

    Args:
        entropy: weight λ.

    Example:
        >>> BetaLoss(0.0)(torch.tensor([[1.0, 2.0]]), torch.tensor([1.0])).item()  # ψ(3) - ψ(2) = 1/2
        0.5
    """

    def __init__(self, entropy: float) -> None:
        self.entropy = entropy

    def __call__(self, told: Tensor, label: Tensor) -> Tensor:
        """Of columns negative, positive."""
        b, a = told[:, 0], told[:, 1]
        seen = torch.where(label > 0, a, b)
        loss = torch.digamma(a + b) - torch.digamma(seen)
        if not self.entropy:
            return loss
        spread = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
        spread = spread - (a - 1) * torch.digamma(a) - (b - 1) * torch.digamma(b)
        return loss - self.entropy * (spread + (a + b - 2) * torch.digamma(a + b))


class _Parts(nn.Module):
    """Beta parameters ``[b, 2]``, for training."""

    def __init__(self, model: nn.Sequential, log_counts: Tensor, prior: tuple[float, float]) -> None:
        super().__init__()
        self.model, self.prior = model, prior
        self.log_counts: Tensor
        self.register_buffer("log_counts", log_counts.to(device_of(model)))

    def forward(self, *inputs: Tensor) -> Tensor:
        log = self.model[1](self.model[0](*inputs)) + self.log_counts
        return clamped(log).exp() + torch.tensor(self.prior[::-1], device=log.device)


class Latents(nn.Module):
    """A network that gives latents, normalised over batches so that flows begin where they are.

    Args:
        net: gives ``[b, latent]``.
        last: name of its last layer, an ``nn.Linear``.
        latent: how many.
    """

    def __init__(self, net: nn.Module, last: str, latent: int) -> None:
        super().__init__()
        self.net, self.last, self.norm = net, last, nn.BatchNorm1d(latent, affine=False)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Latents ``[b, latent]``."""
        return self.norm(self.net(*inputs))


def latents_of(net: nn.Module, latent: int, rng: torch.Generator) -> Latents:
    """A copy of a network whose last layer gives latents in place of a logit.

    Raises:
        ConfigError: its last layer is not a Linear of one output.
    """
    name = last_linear(net)
    last = net.get_submodule(name)
    layer = fresh_linear(last.weight.shape[1], latent, rng).to(device_of(net))  # type: ignore[union-attr]
    return Latents(with_layers(net, {name: layer}, share=False), name, latent).to(device_of(net))


def encoder_and_flows(arrays: Arrays, net: nn.Module) -> tuple[nn.Module, RadialFlows]:
    """A network that gives latents and their flows, as they were kept under ``encoder`` and ``flows``."""
    classes, layers, latent = arrays["flows.centre"].shape
    blank = torch.Generator()
    flows = RadialFlows(classes, latent, layers, blank).to(device_of(net))
    encoder = latents_of(net, latent, blank).net
    return filled(encoder, arrays, "encoder"), filled(flows, arrays, "flows")


def folded(latents: Latents) -> nn.Module:
    """The trained network alone: its last layer takes the normalisation upon itself."""
    norm, last = latents.norm.eval(), latents.net.get_submodule(latents.last)
    if norm.running_var is None or norm.running_mean is None or not isinstance(last, nn.Linear):
        raise ConfigError("latents without statistics cannot be folded")
    with torch.no_grad():
        scale = (norm.running_var + norm.eps).rsqrt()
        last.weight *= scale[:, None]
        last.bias.copy_((last.bias - norm.running_mean) * scale)
    return latents.net


def clamped(log: Tensor) -> Tensor:
    """Kept within ±30, while gradients pass as if it were not."""
    return log + (log.clamp(-LIMIT, LIMIT) - log).detach()
