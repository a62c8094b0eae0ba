"""Flows, posterior networks and natural posterior networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import gammaln, psi
from torch import nn

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator, torch_generator
from thence.decide.uncertainty.entropies import beta_entropy
from thence.decide.uncertainty.flow import RadialFlows
from thence.decide.uncertainty.flow_kernel import (
    LIMIT,
    beta_entropy_of,
    class_evidence,
    evidence_of,
    log_densities,
    log_gamma_and_digamma,
)
from thence.decide.uncertainty.natural import NaturalConfig, NaturalPosterior, log_budget
from thence.decide.uncertainty.posterior import BetaLoss, PosteriorConfig, PosteriorNetwork, clamped
from thence.decide.uncertainty.training import Plan


def bent(classes: int, dim: int, layers: int = 4, seed: int = 0, *, sharp: bool = False) -> RadialFlows:
    rng = torch.Generator().manual_seed(seed)
    flows = RadialFlows(classes, dim, layers, rng)
    flows.raw_alpha.data = torch.randn(classes, layers, generator=rng) * 0.7 + 1
    flows.raw_beta.data = torch.randn(classes, layers, generator=rng) * 1.5
    if sharp:  # spikes that no grid would see, and maps that all but fold
        flows.raw_alpha.data = torch.randn(classes, layers, generator=rng) * 2 - 1
        flows.raw_beta.data = torch.randn(classes, layers, generator=rng) * 3
    return flows.double()


@pytest.mark.parametrize("seed", range(5))
def test_densities_of_one_number_integrate_to_one(seed) -> None:
    grid = torch.linspace(-60, 60, 400_001, dtype=torch.float64)[:, None]
    with torch.no_grad():
        total = bent(2, 1, seed=seed)(grid).exp().sum(0) * (grid[1] - grid[0])
    assert torch.allclose(total, torch.ones(2, dtype=torch.float64), atol=1e-3)


def test_a_density_of_two_numbers_integrates_to_one() -> None:
    line = torch.linspace(-25, 25, 701, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line).numpy()
    total = np.exp(bent(1, 2, seed=7).log_density(grid)).sum() * float(line[1] - line[0]) ** 2
    assert abs(total - 1) < 2e-3


@pytest.mark.parametrize("flow", range(6))
def test_the_determinant_is_autograds(flow) -> None:
    flows, dim = bent(1, 3, layers=3, seed=flow, sharp=True), 3
    alpha = nn.functional.softplus(flows.raw_alpha)[0]
    beta = nn.functional.softplus(flows.raw_beta)[0] - alpha

    def through(x: torch.Tensor) -> torch.Tensor:
        for a, b, c in zip(alpha, beta, flows.centre[0], strict=True):
            x = x + b / (a + (x - c).norm()) * (x - c)
        return x

    for seed in range(4):
        x = torch.randn(dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        jacobian = torch.autograd.functional.jacobian(through, x)
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(through(x)).sum()
        assert torch.isclose(flows(x[None])[0, 0], normal + torch.linalg.slogdet(jacobian)[1], atol=1e-5)  # type: ignore[arg-type]


def test_the_loop_is_what_torch_says() -> None:
    flows = bent(2, 6, layers=6, seed=3)
    rows = torch.randn(500, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    assert np.allclose(flows.log_density(rows.numpy()), flows(rows).detach().numpy(), atol=1e-7)


def test_evidence_is_the_density_times_the_examples_within_the_limit() -> None:
    flows = bent(2, 6, layers=6, seed=4)
    rows = np.random.default_rng(0).standard_normal((130, 6)).astype(np.float32) * 2
    rows[0] *= 1e4  # far from everything: the limit
    maps, told = flows.maps(), np.array([1.0, 2.0, np.log(700.0), np.log(30.0)])
    log = np.clip(log_densities(rows, maps) + told[2:], -LIMIT, LIMIT)
    found, finite = class_evidence(rows, maps, told)
    alpha, beta = 1.0 + np.exp(log[:, 1]), 2.0 + np.exp(log[:, 0])
    assert finite and (log[0] == -LIMIT).all()
    assert np.allclose(found[:2], [alpha, beta], rtol=1e-12)
    assert np.allclose(found[2], beta_entropy(alpha, beta), rtol=1e-8, atol=1e-8)
    assert np.allclose(found[3], alpha / (alpha + beta), rtol=1e-12)
    for across in (1e-60, 1.0, 1e60):  # products of five that floats do not hold, and one that they do
        log = 9.0 - 5 * np.log(across)
        found = evidence_of(across, 2.0, 3.0, 6, log)
        assert np.isclose(found, 2.0 * np.exp(9.0 - 1.5) / (2 * np.pi) ** 3, rtol=1e-11)


def test_entropies_and_digamma_are_scipys() -> None:
    a = np.exp(np.random.default_rng(0).uniform(-4, 10, 300))
    b = np.exp(np.random.default_rng(1).uniform(-4, 10, 300))
    found = [beta_entropy_of(*each) for each in zip(a, b, strict=True)]
    assert np.allclose(found, stats.beta(a, b).entropy(), rtol=1e-8, atol=1e-7)
    told = np.array([log_gamma_and_digamma(each) for each in a])
    assert np.allclose(told[:, 0] - np.log(told[:, 2]), gammaln(a), rtol=1e-11, atol=1e-11)
    assert np.allclose(told[:, 1], psi(a), rtol=1e-11, atol=1e-11)
    great = beta_entropy_of(3e8, 5e8)
    assert np.isclose(great, stats.norm(0, stats.beta(3e8, 5e8).std()).entropy())


def test_the_loss_is_expected_log_loss_less_entropy() -> None:
    told = torch.tensor([[0.5, 2.0], [30.0, 4.0]], dtype=torch.float64)
    for place, (b, a) in enumerate(told.tolist()):
        for label in (0.0, 1.0):
            law = stats.beta(a, b)
            loss = -law.expect(lambda p: np.log(p if label else 1 - p))  # noqa: B023
            found = BetaLoss(0.3)(told, torch.tensor([label, label]))[place].item()
            assert np.isclose(found, loss - 0.3 * law.entropy(), atol=1e-5)


def test_a_clamped_logarithm_keeps_its_gradient() -> None:
    log = torch.tensor([-80.0, 3.0, 80.0], requires_grad=True)
    told = clamped(log)
    told.sum().backward()
    assert told.tolist() == [-30.0, 3.0, 30.0] and log.grad.tolist() == [1.0, 1.0, 1.0]  # type: ignore[union-attr]


def net() -> nn.Sequential:
    rng = torch_generator(0, "test")
    made = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 1))
    for each in made.parameters():
        each.data = torch.randn(each.shape, generator=rng) * 0.5
    return made


def dense_and_sparse(seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """A cloud of 1,800 rows at (0, 0) and one of 200 at (5, 0), with the rate .3 in both."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.5, (2000, 2)) + np.where(np.arange(2000) < 1800, 0.0, 5.0)[:, None] * [1, 0]
    return torch.from_numpy(x.astype("f")), rng.random(2000) < 0.3


KINDS = [(PosteriorNetwork, PosteriorConfig), (NaturalPosterior, NaturalConfig)]


@pytest.mark.parametrize(("kind", "config"), KINDS)
def test_more_rows_are_more_evidence_and_none_is_the_prior(kind, config) -> None:
    x, y = dense_and_sparse()
    one, two = (kind.fit(net(), x, y, config(2), plan=Plan(8, 200, 0.02), seed=1) for _ in range(2))
    told = one.estimate(torch.tensor([[0.0, 0.0], [5.0, 0.0], [500.0, 500.0]]))
    strength = told.alpha + told.beta
    assert strength[0] > strength[1] > strength[2]
    assert told.epistemic[0] < told.epistemic[2] and told.uncertainty[0] < told.uncertainty[2]
    assert np.array_equal(
        told.alpha, two.estimate(torch.tensor([[0.0, 0.0], [5.0, 0.0], [500.0, 500.0]])).alpha
    )
    assert abs(one.estimate(x).mean.mean() - y.mean()) < 0.03


def test_evidence_far_away_is_the_prior_alone() -> None:
    x, y = dense_and_sparse(1)
    sure = PosteriorNetwork.fit(net(), x, y, PosteriorConfig(2, (0.5, 4.5)), plan=Plan(6, 200, 0.02))
    far = torch.tensor([[900.0, -900.0]])
    assert np.isclose(sure.estimate(far).mean[0], 0.1, atol=0.01) and sure.gamma(far)[0] > 100
    assert np.isclose(sure.gamma(x[:5]), 5 / sure.evidence(x[:5]).sum(1)).all()


def test_budgets_are_as_published() -> None:
    middle = RadialFlows(1, 6, 2, torch.Generator().manual_seed(0)).log_density(np.zeros((1, 6)))[0, 0]
    assert np.isclose(np.exp(middle + log_budget("normal", 6)), 2**3)
    with pytest.raises(ConfigError):
        log_budget("endless", 6)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "config"), KINDS)
def test_what_they_cannot_do_is_said(kind, config) -> None:
    x, y = torch.zeros(4, 2), [0, 1, 0, 1]
    for wrong in ({"prior": (0.0, 1.0)}, {"entropy": -1.0}, {"latent": 0}):
        with pytest.raises(ConfigError):
            config(**wrong)
    with pytest.raises(ConfigError, match="last layer"):
        kind.fit(nn.Linear(2, 2), x, y)
    with pytest.raises(DataError):
        kind.fit(net(), x, [0, 1])
    with pytest.raises(DataError):
        kind.fit(net(), x, [0, 0, 0, 0])
    sure = kind.fit(net(), torch.randn(40, 2, generator=torch.Generator().manual_seed(0)), [0, 1] * 20)
    with pytest.raises(DataError):
        sure.estimate(torch.full((1, 2), float("nan")))


def test_a_last_row_alone_is_no_batch() -> None:
    """Latents are normalised over batches, which one row cannot be."""
    rng = generator(0, "tests", "last row")
    inputs, label = torch.from_numpy(rng.normal(size=(41, 2)).astype("f")), np.arange(41) % 2
    for kind in (PosteriorNetwork, NaturalPosterior):
        made = kind.fit(
            nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)), inputs, label, plan=Plan(1, 10)
        )
        assert np.isfinite(made.estimate(inputs).alpha).all()
