"""Last-layer Laplace against its literal formula, an integral, and brute force over the prior."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import multivariate_normal
from torch import nn

from thence.base.errors import ConfigError, DataError
from thence.conversion.net import ConversionNet, NetConfig, Scale
from thence.decide.uncertainty.laplace import LastLayerLaplace, most_likely


def small(seed: int = 0) -> tuple[nn.Sequential, torch.Tensor]:
    torch_rng = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
    for each in net.parameters():
        each.data = torch.randn(each.shape, generator=torch_rng)
    return net, torch.randn(300, 3, generator=torch_rng)


def test_it_is_its_literal_formula() -> None:
    net, x = small()
    told = LastLayerLaplace.fit(net, x, prior=0.7).estimate(x[:50])
    with torch.no_grad():
        inside = net[:2](x).double().numpy()
        m = net(x)[:, 0].double().numpy()
    phi = np.hstack([inside, np.ones((300, 1))])
    precision = 0.7 * np.eye(7)
    for row, logit in zip(phi, m, strict=True):
        precision += expit(logit) * (1 - expit(logit)) * np.outer(row, row)
    v = np.array([row @ np.linalg.inv(precision) @ row for row in phi[:50]])
    assert np.allclose(told.uncertainty, v, rtol=1e-4)
    assert np.allclose(told.mean, expit(m[:50] / np.sqrt(1 + np.pi * v / 8)), rtol=1e-5)


def test_a_logistic_regression_is_near_its_true_posterior() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([np.ones(120), rng.normal(0, 1, 120)], axis=1)
    y = rng.random(120) < expit(x @ [-1.0, 1.5])
    prior = 0.5
    theta = np.zeros(2)
    for _ in range(50):  # Newton's method to the mode of the posterior
        p = expit(x @ theta)
        hessian = (x.T * (p * (1 - p))) @ x + prior * np.eye(2)
        theta += np.linalg.solve(hessian, x.T @ (y - p) - prior * theta)
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor(theta[None], dtype=torch.float32)
    asked = np.array([[1.0, -3.0], [1.0, 0.0], [1.0, 2.0], [1.0, 6.0]])
    told = LastLayerLaplace.fit(net, torch.tensor(x, dtype=torch.float32), prior=prior).estimate(
        torch.tensor(asked, dtype=torch.float32)
    )
    grid = np.stack(np.meshgrid(*(np.linspace(t - 2.5, t + 2.5, 301) for t in theta)), -1).reshape(-1, 2)
    log = np.where(y, 1, -1)[:, None] * (x @ grid.T)
    mass = np.exp(-np.logaddexp(0, -log).sum(0) - prior / 2 * (grid**2).sum(1) + 80)
    mass /= mass.sum()
    mean = expit(asked @ grid.T) @ mass
    assert np.abs(told.mean - mean).max() < 0.015
    spread = ((asked @ grid.T) ** 2) @ mass - ((asked @ grid.T) @ mass) ** 2
    assert np.allclose(told.uncertainty, spread, rtol=0.25)


def test_the_prior_is_that_of_greatest_marginal_likelihood() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(0, 1, (30, 5))
    h, theta = root.T @ root, rng.normal(0, 0.6, 5)

    def evidence(prior: float) -> float:  # ln ∫ exp(-½ (w-θ)ᵀ H (w-θ)) N(w; 0, I/λ) dw about the mode θ
        cover = np.linalg.inv(h + prior * np.eye(5))
        return (
            multivariate_normal(np.zeros(5), np.eye(5) / prior).logpdf(theta) + np.linalg.slogdet(cover)[1] / 2
        )

    found = most_likely(np.linalg.eigvalsh(h), theta @ theta)
    grid = np.exp(np.linspace(-6, 6, 2000))
    assert np.isclose(found, grid[np.argmax([evidence(each) for each in grid])], rtol=0.01)


def test_more_rows_are_less_uncertainty_and_weights_are_repeats() -> None:
    net, x = small(2)
    once = LastLayerLaplace.fit(net, x, prior=1.0).estimate(x).uncertainty
    thrice = LastLayerLaplace.fit(net, x.repeat(3, 1), prior=1.0).estimate(x).uncertainty
    weighed = LastLayerLaplace.fit(net, x, prior=1.0, weight=np.full(300, 3.0)).estimate(x).uncertainty
    assert (thrice < once).all() and np.allclose(thrice, weighed, rtol=1e-4)


def test_it_works_on_the_networks_of_conversions_and_leaves_them_alone() -> None:
    net = ConversionNet((50, 7), Scale(np.zeros(2), np.ones(2)), NetConfig("dcn", hidden=(16, 8)))
    rng = np.random.default_rng(3)
    codes = torch.from_numpy(np.stack([rng.integers(0, 50, 400), rng.integers(0, 7, 400)], 1))
    numbers = torch.from_numpy(rng.normal(0, 1, (400, 2)).astype("f"))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    sure = LastLayerLaplace.fit(net, (codes, numbers))
    with torch.no_grad():
        plain = net(codes, numbers)[:, 0].numpy()
    assert np.allclose(sure.estimate((codes, numbers)).logit, plain, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert sure.cost.memory < 4 * 30 * 60 and sure.net.table is net.table  # type: ignore[union-attr]


class Doubled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * self.out(x)


class Beside(Doubled):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(x) + x[:, :1]


class Summed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(x).sum(dim=1)


def test_what_it_cannot_do_is_said() -> None:
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ConfigError, match="last layer is no Linear"):
        LastLayerLaplace.fit(nn.Linear(2, 3), x)
    with pytest.raises(ConfigError, match="not a Linear"):
        LastLayerLaplace.fit(nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), x, layer="0")
    with pytest.raises(ConfigError, match="precision"):
        LastLayerLaplace.fit(nn.Linear(2, 1), x, prior=0.0)
    for ending in (Summed(), Doubled(), Beside()):
        with pytest.raises(ConfigError, match="not what its last layer gives"):
            LastLayerLaplace.fit(ending, x)
    with pytest.raises(DataError, match="weights"):
        LastLayerLaplace.fit(nn.Linear(2, 1), x, weight=np.ones(3))
    with pytest.raises(DataError):
        LastLayerLaplace.fit(nn.Linear(2, 1), np.ones((3, 2)))
    with pytest.raises(DataError):
        LastLayerLaplace.fit(nn.Linear(2, 1), x).estimate((x, x[:3]))
