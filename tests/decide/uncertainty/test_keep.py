"""Estimators as artifacts: opened they answer to the bit; what is torn or of another network is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from thence.base.artifact import write_artifact
from thence.base.errors import ArtifactError, ConfigError
from thence.base.rng import torch_generator
from thence.conversion.net import ConversionNet, NetConfig, Scale
from thence.decide.uncertainty.bootstrap import BootstrapEnsemble
from thence.decide.uncertainty.distance import DistanceAware
from thence.decide.uncertainty.dropout import MonteCarloDropout, SeededDropout
from thence.decide.uncertainty.ensemble import DeepEnsemble
from thence.decide.uncertainty.evidence import EvidenceCounts
from thence.decide.uncertainty.keep import DESCRIPTION, KIND, load_estimator, save_estimator
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.decide.uncertainty.natural import NaturalPosterior
from thence.decide.uncertainty.posterior import PosteriorNetwork
from thence.decide.uncertainty.shared_trunk import SharedTrunk
from thence.decide.uncertainty.training import Plan

PLAN = Plan(2, 64, 0.01)


def net(seed: int = 0, hidden: int = 8) -> nn.Module:
    layers = [nn.Linear(3, 12), nn.ReLU(), nn.Linear(12, hidden), nn.ReLU(), nn.Linear(hidden, 1)]
    made, rng = nn.Sequential(*layers), torch_generator(seed, "test")
    for each in made.parameters():
        each.data = torch.randn(each.shape, generator=rng) * 0.5
    return made


def dropping(seed: int = 0) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 12), nn.ReLU(), SeededDropout(0.3), net(seed)[2:])  # type: ignore[index]


def rows(count: int = 300) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(1))


X = rows()
Y = (X[:, 0] > 0).numpy()
FITS: dict[str, Callable[[nn.Module], Any]] = {
    "laplace": lambda base: LastLayerLaplace.fit(base, X),
    "posterior": lambda base: PosteriorNetwork.fit(base, X, Y, plan=PLAN),
    "natural": lambda base: NaturalPosterior.fit(base, X, Y, plan=PLAN),
    "shared_trunk": lambda base: SharedTrunk.fit(base, X, Y, plan=PLAN),
    "shared_trunk_last": lambda base: SharedTrunk.fit(base, X, Y, plan=PLAN, layers=1),
    "shared_trunk_all": lambda base: SharedTrunk.fit(base, X, Y, plan=PLAN, layers=3),
    "distance": lambda base: DistanceAware.fit(base, X, Y, plan=PLAN),
    "ensemble": lambda base: DeepEnsemble([base, net(1), net(2)]),
}


def same(sure: Any, again: Any, inputs: Any) -> None:
    told, found = sure.estimate(inputs), again.estimate(inputs)
    for name in ("mean", "uncertainty", "variance", "aleatoric", "epistemic"):
        np.testing.assert_array_equal(getattr(found, name), getattr(told, name))
    assert type(again) is type(sure) and again.cost == sure.cost


@pytest.mark.parametrize("name", FITS)
def test_what_is_opened_answers_to_the_bit(name: str, tmp_path: Path) -> None:
    sure = FITS[name](net())
    save_estimator(sure, tmp_path / "a")
    blank = net(9)
    before = {key: value.clone() for key, value in blank.state_dict().items()}
    again = load_estimator(tmp_path / "a", blank)
    same(sure, again, rows(77))
    same(sure, again, X[:1])
    assert all(torch.equal(value, before[key]) for key, value in blank.state_dict().items())
    save_estimator(again, tmp_path / "b")
    files = {each.name: each.read_bytes() for each in (tmp_path / "a").iterdir()}
    assert files == {each.name: each.read_bytes() for each in (tmp_path / "b").iterdir()}
    with pytest.raises(ArtifactError, match=r"of another network|do not fit together|not \("):
        load_estimator(tmp_path / "a", net(0, hidden=9))
    with pytest.raises(ConfigError, match="none is given"):
        load_estimator(tmp_path / "a")


def test_networks_of_conversions_with_tables_and_several_inputs(tmp_path: Path) -> None:
    def made(seed: int) -> nn.Module:
        return ConversionNet((30,), Scale(np.ones(1), np.ones(1)), NetConfig(hidden=(8, 8)), seed=seed)

    codes = torch.arange(200)[:, None] % 30
    inputs = codes, torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
    for place, sure in enumerate(
        (
            LastLayerLaplace.fit(made(0), inputs),
            SharedTrunk.fit(made(0), inputs, codes[:, 0].numpy() > 14, plan=PLAN),
        )
    ):
        save_estimator(sure, tmp_path / str(place))
        same(sure, load_estimator(tmp_path / str(place), made(1)), inputs)


def test_one_layer_alone_is_a_network_too(tmp_path: Path) -> None:
    sure = LastLayerLaplace.fit(nn.Linear(3, 1, bias=False), X)
    save_estimator(sure, tmp_path / "a")
    same(sure, load_estimator(tmp_path / "a", nn.Linear(3, 1, bias=False)), X)


def test_counts_need_no_network_and_dropout_repeats_its_masks(tmp_path: Path) -> None:
    ids = np.arange(300)[:, None] % 7
    save_estimator(EvidenceCounts.fit(ids, Y), tmp_path / "e")
    same(EvidenceCounts.fit(ids, Y), load_estimator(tmp_path / "e"), ids)
    sure = MonteCarloDropout(dropping(), 5, seed=3)
    save_estimator(sure, tmp_path / "d")
    same(sure, load_estimator(tmp_path / "d", dropping(4)), X)


def test_what_is_torn_or_tampered_with_is_refused(tmp_path: Path) -> None:
    save_estimator(FITS["natural"](net()), tmp_path / "a")
    whole = {each.name: each.read_bytes() for each in (tmp_path / "a").iterdir()}
    for name, data in whole.items():
        for torn in (data[:-2], bytes([data[0] ^ 1]) + data[1:], b""):
            (tmp_path / "a" / name).write_bytes(torn)
            with pytest.raises(ArtifactError):
                load_estimator(tmp_path / "a", net())
        (tmp_path / "a" / name).write_bytes(data)
    load_estimator(tmp_path / "a", net())


@pytest.mark.parametrize(
    "change",
    [
        {"is": "guess"},
        {"is": "posterior"},
        {"told": {}},
        {"told": {"prior": [1.0], "log_budget": 0.0}},
        {"told": {"prior": [1.0, 1.0], "log_budget": "much"}},
        {"shapes": {}},
        {"told": None},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    sure = FITS["natural"](net())
    kept = sure.kept()
    shapes = {key: list(value.shape) for key, value in kept.arrays.items()}
    described = {"is": "natural", "told": kept.told, "shapes": shapes} | change
    with write_artifact(tmp_path / "a", KIND) as draft:
        draft.tensors("arrays", kept.arrays)
        draft.path(DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(ArtifactError):
        load_estimator(tmp_path / "a", net())


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    members = BootstrapEnsemble.fit(LogisticRegression(), X.numpy(), Y, members=2)
    with pytest.raises(ArtifactError, match="BootstrapEnsemble cannot be kept"):
        save_estimator(members, tmp_path / "a")
    with pytest.raises(ArtifactError, match="float32"):
        save_estimator(
            LastLayerLaplace.fit(net(), X).__class__.spread(
                net().bfloat16(), "4", np.ones((2, 9), np.float32), 1.0
            ),
            tmp_path / "a",
        )
    assert not (tmp_path / "a").exists()
