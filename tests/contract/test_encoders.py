"""Every encoder of the registry keeps the contract, and what breaks a clause is caught."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from tests.contract import layers
from torch import nn

from thence.base.errors import ConfigError
from thence.encode.attention import far
from thence.encode.encoders import ENCODERS, encoder_settings, encoders, make_encoder
from thence.encode.layer.stack import Stack, StackConfig
from thence.encode.layer.view import View

SMALL = {"dim": 8, "layers": 2, "heads": 2, "dropout": 0.3}


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long arcs come from approximate PageRank, whose last digits depend on the order of the nodes."""
    monkeypatch.setattr(far, "EPSILON", 1e-5)


def maker(name: str, **more) -> layers.Make:
    fields = encoder_settings(name)
    settings = {key: value for key, value in {**SMALL, **more}.items() if key in fields}
    return lambda inputs, seed: make_encoder(name, inputs, settings, seed=seed)


@pytest.mark.parametrize("name", encoders())
def test_the_contract_is_kept(name: str) -> None:
    layers.keeps_the_contract(maker(name))


@pytest.mark.parametrize("name", encoders())
def test_direction_is_seen_where_it_is_promised(name: str) -> None:
    layers.sees_direction(maker(name), ENCODERS[name].directed)


@pytest.mark.parametrize(
    "more", [{"norm": "batch"}, {"norm": "none"}, {"jump": "cat"}, {"first": False}], ids=str
)
@pytest.mark.parametrize("name", ["gcn", "dir_gat"])
def test_the_contract_is_kept_with_other_furniture(name: str, more) -> None:
    layers.keeps_the_contract(maker(name, **more))


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gatv2", "gin"])
@pytest.mark.parametrize(("way", "directed"), [("both", False), ("out", True), ("each", True)])
def test_only_looking_both_ways_at_once_is_blind_to_direction(conv, way, directed) -> None:
    layers.sees_direction(maker("gcn", conv=conv, way=way), directed)


def test_a_mutant_of_dir_gnn_that_looks_both_ways_is_caught() -> None:
    def mutant(inputs: int, seed: int) -> nn.Module:
        encoder = make_encoder("dir_sage", inputs, SMALL, seed=seed)
        for part in encoder.modules():
            if hasattr(part, "way"):
                part.way = "both"  # type: ignore[assignment]
        return encoder

    with pytest.raises(AssertionError, match="changes nothing"):
        layers.sees_direction(mutant)


class Broken(nn.Module):
    """An encoder that breaks one clause."""

    def __init__(self, inputs: int, seed: int, fault: str) -> None:
        super().__init__()
        self.inner, self.fault = Stack(inputs, StackConfig(dim=8, dropout=0.0), seed=seed), fault
        self.dim, self.steps = 9 if fault == "width" else 8, 0
        self.unused = nn.Parameter(torch.zeros(2)) if fault == "unused" else None
        if fault == "seed":
            nn.init.normal_(self.inner.convs[0].linear.bias)  # type: ignore[union-attr,arg-type]

    def forward(self, x: torch.Tensor, view: View) -> torch.Tensor:
        out = self.inner(x, view)
        self.steps += 1
        if self.fault == "order":
            return out * torch.arange(len(x))[:, None]
        if self.fault == "all graphs":
            return out + out.mean(0)
        if self.fault == "counts calls":
            return out * self.steps
        if self.fault == "divides by degree":
            return out / torch.from_numpy(view.arcs.in_degree)[:, None]
        return out + torch.rand(()) if self.fault == "random" else out


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("width", layers.tells_its_width),
        ("unused", layers.every_parameter_learns),
        ("seed", layers.is_made_the_same_again),
        ("order", layers.rows_follow_their_nodes),
        ("all graphs", layers.answers_side_by_side_as_alone),
        ("counts calls", layers.resumes_to_the_byte),
        ("divides by degree", layers.stays_finite_on_odd_graphs),
        ("random", layers.says_the_same_again),
    ],
)
def test_a_broken_encoder_is_caught(fault, check) -> None:
    check(partial(Broken, fault="none"))
    with pytest.raises((AssertionError, AttributeError)):
        check(partial(Broken, fault=fault))


def test_unknown_names_and_settings_are_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown encoder 'sgae'. Did you mean 'sage'"):
        make_encoder("sgae", 4)
    with pytest.raises(ConfigError, match=r"encoder 'gcn'.*Did you mean 'dropout'"):
        make_encoder("gcn", 4, {"droput": 0.5})
    with pytest.raises(ConfigError, match="dim"):
        make_encoder("gcn", 4, {"dim": "wide"})
    with pytest.raises(ConfigError, match="heads=3"):
        make_encoder("gat", 4, {"heads": 3})
