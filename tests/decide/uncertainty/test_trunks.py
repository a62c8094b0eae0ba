"""Shared trunks and distance awareness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from thence.base.errors import ConfigError, DataError
from thence.base.rng import torch_generator
from thence.conversion.net import ConversionNet, NetConfig, Scale
from thence.decide.uncertainty.distance import DistanceAware, RandomFeatures, SpectralBound
from thence.decide.uncertainty.shared_trunk import RankOneLinear, SharedTrunk, ensembled
from thence.decide.uncertainty.training import Plan


def net(seed: int = 0, inputs: int = 3) -> nn.Sequential:
    made = nn.Sequential(nn.Linear(inputs, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1))
    rng = torch_generator(seed, "test")
    for each in made.parameters():
        each.data = torch.randn(each.shape, generator=rng) * 0.5
    return made


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_members_are_as_many_networks_of_their_own(layers) -> None:
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    made = ensembled(net(), 4, layers, seed=2)
    for each in made.parameters():
        each.data += torch.randn(each.shape, generator=torch.Generator().manual_seed(3)) * 0.2
    with torch.no_grad():
        told = made(x).reshape(20, 4)
        for member in range(4):
            own = net()
            for layer, given in zip(own, made, strict=True):  # type: ignore[arg-type]
                if isinstance(given, RankOneLinear):
                    r = torch.ones(given.weight.shape[1]) if given.r is None else given.r[member]
                    layer.weight.data = given.weight * torch.outer(given.s[member], r)  # type: ignore[union-attr]
                    layer.bias.data = given.bias[member]  # type: ignore[union-attr]
                elif isinstance(given, nn.Linear):
                    layer.load_state_dict(given.state_dict())
            assert torch.allclose(own(x)[:, 0], told[:, member], atol=1e-5)


def test_members_with_signs_alone_share_all_else() -> None:
    made = ensembled(net(), 5, 2, seed=0)
    vectors = [each for each in made.modules() if isinstance(each, RankOneLinear)]
    assert vectors[0].r is None and vectors[1].r is not None
    assert set(vectors[0].s.detach().unique().tolist()) == {-1.0, 1.0}


def line(rows: int = 3000, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (rows, 3)).astype("f")
    return torch.from_numpy(x), rng.random(rows) < 1 / (1 + np.exp(1 - 2 * x[:, 0]))


def test_a_shared_trunk_learns_repeats_itself_and_doubts_far_away() -> None:
    x, y = line()
    one, two = (SharedTrunk.fit(net(), x, y, plan=Plan(8, 256, 0.01), seed=4) for _ in range(2))
    told = one.estimate(x)
    assert np.array_equal(told.logits, two.estimate(x).logits)
    assert abs(told.mean.mean() - y.mean()) < 0.02 and told.logits.shape == (4, 3000)
    far = one.estimate(torch.tensor([[0.0, 15.0, 0.0]])).uncertainty
    assert far > 2 * np.median(told.uncertainty)
    assert one.cost.passes == 1


def test_a_shared_trunk_stands_on_networks_of_conversions() -> None:
    base = ConversionNet((30,), Scale(np.zeros(1), np.ones(1)), NetConfig(hidden=(8, 8)))
    rng = np.random.default_rng(0)
    codes, numbers = (
        torch.from_numpy(rng.integers(0, 30, (500, 1))),
        torch.from_numpy(rng.normal(0, 1, (500, 1)).astype("f")),
    )
    sure = SharedTrunk.fit(base, (codes, numbers), codes[:, 0].numpy() > 14, plan=Plan(20, 100, 0.02))
    assert ((sure.estimate((codes, numbers)).mean > 0.5) == (codes[:, 0].numpy() > 14)).mean() > 0.95


class Halved(nn.Module):
    """A network that does something of its own behind the ReLU."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.net, self.scale = net(), scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net[4](self.net[:4](x) * self.scale)


@pytest.mark.parametrize(
    ("given", "quick"),
    [
        (net(), True),
        (Halved(1.0), True),
        (Halved(0.5), False),
        (nn.Sequential(*list(net())[:3], nn.ReLU(inplace=True), net()[4]), True),
        (nn.Sequential(*list(net())[:3], nn.LeakyReLU(), net()[4]), False),
        (nn.Sequential(*list(net())[:3], nn.ReLU(), nn.ReLU(), net()[4]), False),
        (nn.Sequential(*net(), nn.LeakyReLU()), False),
    ],
)
def test_the_loop_over_members_is_what_torch_gives_or_is_not_taken(given: nn.Module, quick: bool) -> None:
    x, y = line(600)
    sure = SharedTrunk.fit(given, x, y, plan=Plan(2, 100, 0.01), seed=4)
    assert (sure._tail is not None) == quick
    with torch.no_grad():
        plain = sure.net(x)[:, :, 0].numpy()
    assert np.allclose(sure.estimate(x).logits, plain.T, atol=1e-5)
    with pytest.raises(DataError, match="NaN"):
        sure.estimate(torch.full((1, 3), np.nan))


def test_doubt_grows_with_distance_from_the_rows() -> None:
    x, y = line(1500)
    one, two = (DistanceAware.fit(net(), x, y, plan=Plan(4, 256, 0.01), seed=1) for _ in range(2))
    away = torch.zeros(5, 3)
    away[:, 1] = torch.tensor([0.0, 4.0, 8.0, 16.0, 64.0])
    told = one.estimate(away).uncertainty
    assert told[0] < told[1] < told[2] < told[3] and told[4] > 5 * told[0]
    assert np.array_equal(told, two.estimate(away).uncertainty)
    assert told.max() < 2.2  # at most the prior's: φᵀφ ≈ 1 and the bias
    assert abs(one.estimate(x).mean.mean() - y.mean()) < 0.03


def test_layers_keep_their_bound() -> None:
    x, y = line(800)
    made = DistanceAware.fit(net(), x, y, bound=0.8, plan=Plan(6, 100, 0.05)).net
    layers = [each for each in made.modules() if isinstance(each, nn.Linear)][:-1]
    assert len(layers) == 2
    assert all(torch.linalg.matrix_norm(each.weight, 2) < 0.8 * 1.05 for each in layers)


def test_a_bound_leaves_small_matrices_alone() -> None:
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 4, generator=rng)
    true = torch.linalg.matrix_norm(weight, 2)
    small, great = SpectralBound(weight, 100.0, rng), SpectralBound(weight, 1.0, rng)
    assert torch.equal(small(weight), weight)
    assert torch.allclose(great(weight), weight / true, atol=1e-2)


def test_random_features_are_the_kernel() -> None:
    made = RandomFeatures(3, 20_000, torch.Generator().manual_seed(0))
    made.length.fill_(2.0)
    rows = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    kernel = torch.exp(-(torch.cdist(rows, rows) ** 2) / 8)
    assert torch.allclose(made(rows) @ made(rows).T, kernel, atol=0.03)


class Flattened(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = net()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x).flatten()


def test_what_they_cannot_do_is_said() -> None:
    x, y = torch.zeros(4, 3), [0, 1, 0, 1]
    with pytest.raises(ConfigError):
        SharedTrunk.fit(net(), x, y, members=1)
    with pytest.raises(ConfigError):
        SharedTrunk.fit(net(), x, y, layers=0)
    with pytest.raises(ConfigError, match="last layer"):
        SharedTrunk.fit(nn.ReLU(), x, y)
    with pytest.raises(DataError, match="last dimension"):
        SharedTrunk.fit(Flattened(), x, y)
    with pytest.raises(ConfigError):
        DistanceAware.fit(net(), x, y, features=0)
    with pytest.raises(ConfigError, match="last layer"):
        DistanceAware.fit(nn.Linear(3, 2), x, y)
    with pytest.raises(DataError):
        DistanceAware.fit(net(), x, [0, 1, 1])
