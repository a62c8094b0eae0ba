"""Dropout, deep ensembles and bootstrap ensembles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from torch import nn

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.rng import torch_generator
from thence.decide.uncertainty.bootstrap import BootstrapEnsemble
from thence.decide.uncertainty.dropout import MonteCarloDropout, SeededDropout
from thence.decide.uncertainty.ensemble import DeepEnsemble
from thence.decide.uncertainty.logits import logits_of
from thence.decide.uncertainty.training import Plan, train

WEIGHT, RATE = [0.5, -1.0, 0.25, 2.0], 0.3


def one_layer(drop: nn.Module) -> nn.Sequential:
    last = nn.Linear(4, 1)
    last.weight.data, last.bias.data = torch.tensor([WEIGHT]), torch.tensor([0.1])
    return nn.Sequential(drop, last)


@pytest.mark.parametrize("drop", [nn.Dropout(RATE), SeededDropout(RATE)])
def test_dropout_has_the_moments_of_its_closed_form(drop) -> None:
    x = torch.tensor([[1.0, 2.0, -1.0, 0.5]])
    sure = MonteCarloDropout(one_layer(drop), 4_000)
    logits = sure.estimate(x).logits[:, 0]
    parts = np.array(WEIGHT) * x[0].numpy()
    assert abs(logits.mean() - (parts.sum() + 0.1)) < 0.08
    assert np.isclose(logits.var(), RATE / (1 - RATE) * (parts**2).sum(), rtol=0.08)


def test_only_dropout_is_turned_on() -> None:
    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    MonteCarloDropout(net, 3).estimate(torch.randn(8, 2, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(layer.training for layer in net) and not any(layer._forward_hooks for layer in net)


def test_dropout_draws_from_its_own_generator() -> None:
    net, x = one_layer(nn.Dropout(0.5)), torch.ones(5, 4)
    state = torch.random.get_rng_state()
    one, two = (MonteCarloDropout(net, 5, seed=3).estimate(x).logits for _ in range(2))
    other = MonteCarloDropout(net, 5, seed=4).estimate(x).logits
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_channels_are_dropped_whole() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Dropout2d(0.5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.drop(x).sum(dim=(1, 2, 3))

    logits = MonteCarloDropout(Net(), 50).estimate(torch.ones(2, 1, 3, 3)).logits
    assert set(np.unique(logits)) == {0.0, 18.0}


def test_seeded_dropout_keeps_the_mean() -> None:
    drop = SeededDropout(0.4, seed=1).train()
    out = drop(torch.ones(100_000))
    assert abs(out.mean().item() - 1) < 0.01 and np.isclose((out == 0).float().mean().item(), 0.4, atol=0.01)
    assert not torch.equal(out, drop(torch.ones(100_000)))


def net_of(seed: int) -> nn.Module:
    rng = torch_generator(seed, "test")
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
    for each in net.parameters():
        each.data = torch.randn(each.shape, generator=rng) * 0.5
    return net


def test_an_ensemble_is_calibrated_repeats_itself_and_doubts_far_away() -> None:
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(0, 1, (3000, 2)).astype("f"))
    y = rng.random(3000) < 1 / (1 + np.exp(-2 * x[:, 0].numpy()))

    def make(seed: int) -> nn.Module:
        return train(net_of(seed), x, y, plan=Plan(8, 256, 0.01), seed=seed)

    one, two = (DeepEnsemble.fit(make, 4, seed=1).estimate(x) for _ in range(2))
    assert np.array_equal(one.logits, two.logits)
    assert abs(one.mean.mean() - y.mean()) < 0.02
    sure = DeepEnsemble.fit(make, 4, seed=1)
    near = sure.estimate(torch.tensor([[0.0, 0.0]])).uncertainty
    far = sure.estimate(torch.tensor([[0.0, 12.0]])).uncertainty
    assert far > 3 * near
    assert sure.cost.passes == 4 and sure.cost.memory == 3 * 4 * (2 * 16 + 16 + 16 + 1)


def test_bootstrap_members_spread_as_the_estimate_does() -> None:
    rng = np.random.default_rng(1)
    x = np.ones((400, 1))
    y = rng.random(400) < 0.3
    fitted = BootstrapEnsemble.fit(LogisticRegression(C=1e9, fit_intercept=False), x, y, members=200, seed=2)
    rate = y.mean()  # sd of the logit of a share: 1 / √(n p (1 - p))
    told = fitted.estimate(x[:1])
    assert np.isclose(told.uncertainty[0], 1 / np.sqrt(400 * rate * (1 - rate)), rtol=0.15)
    assert np.isclose(told.mean[0], rate, atol=0.01)


def test_boosting_by_bootstrap_repeats_itself() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (500, 3))
    y = x[:, 0] + rng.normal(0, 1, 500) > 0
    boost = HistGradientBoostingClassifier(max_iter=10)
    one, two = (BootstrapEnsemble.fit(boost, x, y, members=3, seed=5).estimate(x).logits for _ in range(2))
    assert np.array_equal(one, two) and not hasattr(boost, "classes_")
    assert (one[0] != one[1]).any()


def test_what_they_cannot_do_is_said() -> None:
    x = torch.ones(3, 2)
    with pytest.raises(ConfigError, match="no dropout"):
        MonteCarloDropout(nn.Linear(2, 1))
    with pytest.raises(ConfigError, match="two or more"):
        MonteCarloDropout(one_layer(nn.Dropout(0.1)), 1)
    with pytest.raises(ConfigError):
        SeededDropout(1.0)
    with pytest.raises(ConfigError):
        DeepEnsemble([nn.Linear(2, 1)])
    with pytest.raises(ConfigError):
        DeepEnsemble.fit(net_of, 1)
    with pytest.raises(DataError, match="one logit a row"):
        DeepEnsemble([nn.Linear(2, 2)] * 2).estimate(x)
    with pytest.raises(DataError, match="no tensors"):
        logits_of(nn.Linear(2, 1), ())
    with pytest.raises(DataError, match="all 3 labels"):
        train(nn.Linear(2, 1), x, [1, 1, 1])
    with pytest.raises(DataError, match="one label a row"):
        train(nn.Linear(2, 1), x, [1, 0])
    with pytest.raises(FitError, match="loss"):
        train(nn.Linear(2, 1), x * float("nan"), [1, 0, 1])
    with pytest.raises(ConfigError):
        Plan(passes=0)
    with pytest.raises(ConfigError):
        Plan(learning_rate=0.0)


def test_what_bootstrap_cannot_do_is_said() -> None:
    with pytest.raises(ConfigError):
        BootstrapEnsemble([LogisticRegression()])
    with pytest.raises(ConfigError):
        BootstrapEnsemble.fit(LogisticRegression(), [[1.0], [2.0]], [0, 1], members=1)
    with pytest.raises(ConfigError, match="predict_proba"):
        BootstrapEnsemble.fit(nn.Linear(1, 1), [[1.0], [2.0]], [0, 1])
    with pytest.raises(DataError):
        BootstrapEnsemble.fit(LogisticRegression(), [[1.0], [2.0]], [0, 1, 1])
    with pytest.raises(DataError, match="all 2 labels"):
        BootstrapEnsemble.fit(LogisticRegression(), [[1.0], [2.0]], [1, 1])
