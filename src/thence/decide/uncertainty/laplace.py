"""Last-layer Laplace: the last layer's weights are normal about what was learned; nothing is trained again.

With features φ (the last layer's inputs, and a 1 for its bias), rates p and a prior of precision λ,

    Σ⁻¹ = λ I + Σ_rows p (1 - p) φ φᵀ,    v = φᵀ Σ φ,    rate = sigmoid(m / √(1 + π v / 8)),    uncertainty v.

λ is the one of greatest marginal likelihood at the learned weights θ (d of them), with h the eigenvalues of the
sum over rows: ½ d ln λ - ½ λ ‖θ‖² - ½ Σ ln(h_k + λ).

The last layer is replaced by one that gives the logit and φᵀ Q (h + λ)^-½ in one product, so that an estimate
takes one pass of a net that is d + 1 outputs wider.

References: MacKay, "The evidence framework applied to classification networks", Neural Computation 1992.
Kristiadi et al., "Being Bayesian, even just a bit, fixes overconfidence in ReLU networks", ICML 2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from thence.base.errors import ConfigError, DataError, FitError
from thence.decide.uncertainty.believed import Cost, NormalLogits
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.logits import (
    AT_ONCE,
    arrays_of,
    device_of,
    filled,
    forward,
    last_linear,
    logits_of,
    memory_of,
    rows_of,
    with_layers,
)
from thence.decide.uncertainty.serving_kernel import normal_rows

LEAST, MOST = 1e-6, 1e6
"""Between these the prior's precision is looked for."""


class LastLayerLaplace:
    """Normal logits of a trained network; make it with :meth:`fit`.

    Attributes:
        net: gives ``[n, 1 + r]``: the logit and its r projections, whose sum of squares is v.
        prior: precision λ of the prior.
        layer: name of the last layer.

    Example:
        >>> x = torch.tensor([[-1.0], [1.0]] * 50)
        >>> net = nn.Linear(1, 1)
        >>> with torch.no_grad():
        ...     _ = net.weight.fill_(2.0), net.bias.fill_(0.0)
        >>> sure = LastLayerLaplace.fit(net, x, prior=1.0).estimate(torch.tensor([[1.0], [10.0]]))
        >>> sure.uncertainty.round(2).tolist(), sure.mean.round(2).tolist()
        ([0.17, 8.78], [0.87, 1.0])
    """

    def __init__(self, net: nn.Module, prior: float, memory: int, layer: str) -> None:
        self.net, self.prior, self.layer = net, prior, layer
        self._memory, self._device = memory, device_of(net)

    @classmethod
    def fit(
        cls,
        net: nn.Module,
        inputs: Any,
        *,
        weight: ArrayLike | None = None,
        prior: float | None = None,
        layer: str | None = None,
    ) -> LastLayerLaplace:
        """From the rows that the network was trained on; their labels do not matter.

        Args:
            net: a trained network whose last layer is an ``nn.Linear`` with one output and nothing behind it.
            inputs: a tensor or a tuple of them, ``[n, …]``.
            weight: ``[n]`` of each row, not negative; 1 when None. With negatives kept at a rate of 1/τ the
                network is sure of the kept rows alone, so leave it.
            prior: precision λ; the one of greatest marginal likelihood when None.
            layer: name of the last layer; found when None.

        Raises:
            ConfigError: the last layer is none of that kind, or the precision is not above 0.
            DataError: inputs are no tensors of rows, or weights do not fit.
        """
        found = rows_of(inputs)
        name = last_linear(net) if layer is None else layer
        last = _last(net, name)
        if prior is not None and not 0 < prior < np.inf:
            raise ConfigError(f"a prior of precision {prior}", fix="Give one above 0, or None.")
        curvature = _curvature(net, last, found, _weights(weight, len(found[0])))
        values, vectors = np.linalg.eigh(curvature)
        values = np.maximum(values, 0.0)
        chosen = most_likely(values, float(_learned(last) @ _learned(last))) if prior is None else prior
        laplace = cls.spread(net, name, (vectors / np.sqrt(values + chosen)).T, chosen)
        laplace._check(net, found, last)
        return laplace

    @classmethod
    def spread(cls, net: nn.Module, layer: str, projections: np.ndarray, prior: float) -> LastLayerLaplace:
        """From a network and the projections that were found for it.

        Args:
            net: the network.
            layer: name of its last layer, an ``nn.Linear`` with one output.
            projections: ``[r, d]`` of the last layer's inputs (and a 1 for its bias); see :attr:`projections`.
            prior: precision λ.

        Raises:
            ConfigError: the layer is none of that kind, or takes other inputs.
        """
        last = _last(net, layer)
        inputs = last.weight.shape[1] + (last.bias is not None)
        if projections.ndim != 2 or projections.shape[1] != inputs:
            raise ConfigError(f"projections {projections.shape} of {inputs} inputs", where=layer)
        made = with_layers(net, {layer: _widened(last, projections)}, share=True)
        return cls(made, prior, memory_of(made, net), layer)

    @property
    def projections(self) -> np.ndarray:
        """``[r, d]``: whose products with the last layer's inputs (and a 1) are squared and summed to v."""
        wide: Any = self.net.get_submodule(self.layer)
        parts = [wide.weight[1:]] + ([] if wide.bias is None else [wide.bias[1:, None]])
        return torch.cat(parts, dim=1).numpy(force=True)

    def kept(self) -> Kept:
        """What to keep."""
        told = {"layer": self.layer, "prior": self.prior, "memory": self._memory}
        return Kept(told, arrays_of(self.net, "net"))

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> LastLayerLaplace:
        """From what :meth:`kept` gave and a network made as that of the fit."""
        told, last = kept.told, _last(net, kept.told["layer"])
        extra = len(kept.arrays[f"net.{told['layer']}.weight" if told["layer"] else "net.weight"]) - 1
        blank = np.zeros((extra, last.weight.shape[1] + (last.bias is not None)))
        made = with_layers(net, {told["layer"]: _widened(last, blank)}, share=False)
        return cls(filled(made, kept.arrays, "net"), float(told["prior"]), int(told["memory"]), told["layer"])

    @property
    def cost(self) -> Cost:
        """One pass; the wider last layer's weights."""
        return Cost(1.0, self._memory)

    def estimate(self, inputs: Any) -> NormalLogits:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a logit is not finite.
        """
        return NormalLogits.told(*normal_rows(forward(self.net, inputs, self._device).numpy()))

    def _check(self, net: nn.Module, inputs: tuple[Tensor, ...], last: nn.Linear) -> None:
        """The last layer's answer is the network's, and nothing is done to it."""
        some, own = tuple(each[:8] for each in inputs), []
        hook = last.register_forward_hook(lambda _, __, out: own.append(out.detach().cpu()))
        try:
            plain = logits_of(net, some)
        finally:
            hook.remove()
        told = forward(self.net, some)
        same = told.ndim == 2 and own[0].numel() == len(plain)
        if not same or not all(
            torch.allclose(each.flatten().double(), plain, rtol=1e-4, atol=1e-5)
            for each in (own[0], told[:, 0])
        ):
            raise ConfigError(
                "the network's answer is not what its last layer gives",
                fix="Give a network that ends with the layer, or name another layer.",
            )


def most_likely(values: np.ndarray, length: float) -> float:
    """The precision λ of greatest marginal likelihood.

    Args:
        values: ``[d]`` eigenvalues of Σ p (1 - p) φ φᵀ.
        length: ‖θ‖² of the learned weights.

    Example:
        >>> round(most_likely(np.full(4, 1e9), 2.0), 3)  # data that leave no doubt: d / ‖θ‖²
        2.0
    """
    from scipy.optimize import minimize_scalar

    def negative(log: float) -> float:
        prior = np.exp(log)
        return -(len(values) * log - prior * length - np.log(values + prior).sum()) / 2

    found = minimize_scalar(negative, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(np.exp(found.x))  # type: ignore[attr-defined]


def _curvature(net: nn.Module, last: nn.Linear, inputs: tuple[Tensor, ...], weight: np.ndarray) -> np.ndarray:
    """Σ w p (1 - p) φ φᵀ, ``[d, d]`` float64, batch by batch."""
    held: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, given: held.append(given[0].detach()))
    size = last.weight.shape[1] + (last.bias is not None)
    total = torch.zeros(size, size, dtype=torch.float64)
    try:
        for first in range(0, len(inputs[0]), AT_ONCE):
            held.clear()
            logit = logits_of(net, tuple(each[first : first + AT_ONCE] for each in inputs))
            if len(held) != 1 or held[0].shape[:-1] != logit.shape:
                raise ConfigError("the last layer is not called once with a row for each case")
            rate = torch.sigmoid(logit)
            feature = _features(held[0].cpu().double(), last)
            total += (
                feature.T * (rate * (1 - rate) * torch.from_numpy(weight[first : first + AT_ONCE]))
            ) @ feature
    finally:
        hook.remove()
    if not torch.isfinite(total).all():
        raise FitError("a feature or logit of the network is not finite")
    return total.numpy()


def _features(inside: Tensor, last: nn.Linear) -> Tensor:
    return inside if last.bias is None else torch.cat([inside, torch.ones(len(inside), 1)], dim=1)


def _learned(last: nn.Linear) -> np.ndarray:
    parts = [last.weight.detach().flatten()] + ([] if last.bias is None else [last.bias.detach()])
    return torch.cat(parts).double().numpy(force=True)


def _last(net: nn.Module, name: str) -> nn.Linear:
    last = net.get_submodule(name)
    if not isinstance(last, nn.Linear) or last.weight.shape[0] != 1:
        raise ConfigError("not a Linear with one output", where=name, fix="Name the last layer.")
    return last


def _widened(last: nn.Linear, projections: np.ndarray) -> nn.Linear:
    """The last layer, with projections ``[r, d]`` as further outputs."""
    extra = torch.from_numpy(projections).to(last.weight)
    wide = nn.Linear(1, 1, device="meta")
    inputs = last.weight.shape[1]
    wide.weight = nn.Parameter(torch.cat([last.weight.detach(), extra[:, :inputs]]), requires_grad=False)
    if last.bias is None:
        wide.bias = None  # type: ignore[assignment]
    else:
        wide.bias = nn.Parameter(torch.cat([last.bias.detach(), extra[:, inputs]]), requires_grad=False)
    wide.in_features, wide.out_features = inputs, len(wide.weight)
    return wide.to(device_of(last))


def _weights(weight: ArrayLike | None, rows: int) -> np.ndarray:
    if weight is None:
        return np.ones(rows)
    found = np.asarray(weight, np.float64)
    if found.shape != (rows,) or not np.isfinite(found).all() or (found < 0).any():
        raise DataError("weights are not one finite number from 0 up for each row", where="weight")
    return found
