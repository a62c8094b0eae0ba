"""Networks that all estimators share: shapes, unknown numbers, and the same start whatever the heads."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.conversion.features import Features
from thence.conversion.net import ConversionNet, Kind, NetConfig, Scale, make_net

KINDS: tuple[Kind, ...] = ("logistic", "mlp", "dcn")
NUMBERS = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, 7.0], [5.0, 9.0]])
SOME = Features(np.array([[0, 1], [2, 0], [1, 1], [2, 1]]), NUMBERS, (3, 2))


def inputs(features: Features = SOME) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(features.codes.astype(np.int64)), torch.from_numpy(features.numbers)


def net(kind: Kind, heads: int = 1, seed: int = 0) -> ConversionNet:
    return make_net(SOME, NetConfig(kind, dim=3, hidden=(5, 7)), heads=heads, seed=seed)


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_finite_logit_for_every_head(kind: Kind, heads: int) -> None:
    with torch.no_grad():
        found = net(kind, heads)(*inputs())
    assert found.shape == (4, heads) and torch.isfinite(found).all()


@pytest.mark.parametrize("kind", KINDS)
def test_networks_begin_alike_whatever_their_heads(kind: Kind) -> None:
    one, many = net(kind), net(kind, heads=5)
    with torch.no_grad():
        np.testing.assert_allclose(one(*inputs())[:, 0], many(*inputs())[:, 0], atol=1e-6)
        other = many(*inputs())[:, 1]
    assert torch.equal(one.out.weight[0], many.out.weight[0])
    assert torch.equal(one.table[:, 0], many.table[:, 0])
    assert not np.allclose(one(*inputs())[:, 0].detach(), other, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_alone_decides_the_start(kind: Kind) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, two, other = net(kind), net(kind), net(kind, seed=1)
    assert torch.equal(torch.get_rng_state(), before)  # nothing is taken from the global generator
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])
    assert not torch.equal(one.table, other.table)


def test_numbers_are_scaled_by_those_that_are_known() -> None:
    scale = Scale.of(NUMBERS.astype(np.float32))
    np.testing.assert_allclose(scale.mean, [3.0, 7.0])
    np.testing.assert_allclose(scale.deviation, [np.std([1, 3, 5]), np.std([5, 7, 9])], rtol=1e-6)
    nothing = Scale.of(np.full((3, 2), np.nan, np.float32))
    np.testing.assert_array_equal(nothing.mean, 0.0)
    np.testing.assert_array_equal(nothing.deviation, 1.0)
    np.testing.assert_array_equal(Scale.of(np.ones((4, 1), np.float32)).deviation, 1.0)  # a constant column


def test_an_unknown_number_counts_as_the_mean_and_says_that_it_is_unknown() -> None:
    model = net("logistic")
    codes = torch.zeros(2, 2, dtype=torch.int64)
    with torch.no_grad():
        found = model(codes, torch.tensor([[float("nan"), 7.0], [3.0, 7.0]]))[:, 0]
        assert float(found[0] - found[1]) == pytest.approx(float(model.out.weight[0, 2]), rel=1e-5)
        model.out.weight[0, 2] = 0.0
        found = model(codes, torch.tensor([[float("nan"), 7.0], [3.0, 7.0]]))[:, 0]
    assert float(found[0]) == pytest.approx(float(found[1]))


def test_logistic_adds_up_one_weight_a_category() -> None:
    model = net("logistic", heads=2)
    table, weight = model.table.detach().numpy(), model.out.weight.detach().numpy()
    codes, numbers = inputs()
    mean, sd = np.array([3.0, 7.0]), np.array([np.std([1, 3, 5]), np.std([5, 7, 9])])
    for row in range(4):
        known = [0.0 if np.isnan(v) else (v - m) / s for v, m, s in zip(NUMBERS[row], mean, sd, strict=True)]
        flags = [float(np.isnan(v)) for v in NUMBERS[row]]
        a, b = SOME.codes[row]
        literal = table[a] + table[3 + b] + weight @ np.array([*known, *flags])
        np.testing.assert_allclose(model(codes, numbers)[row].detach(), literal, rtol=1e-4, atol=1e-6)


def test_dcn_crosses_its_input_with_itself() -> None:
    model = net("dcn")
    codes, numbers = inputs()
    w = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    scaled = np.nan_to_num((NUMBERS - w["mean"]) / w["deviation"])
    rows = [w["table"][SOME.codes[:, 0]], w["table"][3 + SOME.codes[:, 1]], scaled, np.isnan(NUMBERS)]
    x0 = np.concatenate(rows, axis=1)
    crossed, deep = x0, x0
    for layer in range(2):
        crossed = x0 * (crossed @ w[f"cross.{layer}.weight"].T + w[f"cross.{layer}.bias"]) + crossed
    for layer in (0, 2):
        deep = np.maximum(deep @ w[f"deep.{layer}.weight"].T + w[f"deep.{layer}.bias"], 0)
    literal = np.concatenate([deep, crossed], axis=1) @ w["out.weight"].T + w["out.bias"]
    np.testing.assert_allclose(model(codes, numbers).detach(), literal, rtol=1e-4, atol=1e-5)


def test_extreme_numbers_are_held_at_eight_deviations() -> None:
    model, codes = net("mlp"), torch.zeros(2, 2, dtype=torch.int64)
    found = model(codes, torch.tensor([[1e6, 7.0], [1e9, 7.0]])).detach()
    assert float(found[0]) == pytest.approx(float(found[1]), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_exposures_of_which_nothing_is_known_have_a_logit(kind: Kind) -> None:
    empty = Features.none(3)
    with torch.no_grad():
        model = make_net(empty, NetConfig(kind, hidden=(4,)))
        model.out.bias.fill_(0.5)
        found = model(*inputs(empty))
    assert found.shape == (3, 1) and torch.isfinite(found).all()


def test_shapes_out_of_range_say_so() -> None:
    with pytest.raises(ConfigError, match="kind 'tree'"):
        NetConfig("tree")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least 1"):
        NetConfig(dim=0)
    with pytest.raises(ConfigError, match="at least 1"):
        NetConfig(hidden=(8, 0))
    with pytest.raises(ConfigError, match="at least 1"):
        NetConfig(cross=0)
