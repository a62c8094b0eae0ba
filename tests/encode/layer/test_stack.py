"""The furniture of a stack: what each setting puts where, and that wrong settings are refused."""

from __future__ import annotations

import pytest
import torch
from tests.encode.layer.worlds import NODES, rows, view
from torch import nn

from thence.base.errors import ConfigError
from thence.encode.layer.stack import BatchNorm, Stack, StackConfig, matched_mlp


def quiet(inputs: int = 5, **settings) -> Stack:
    """A stack in evaluation mode, its batch norms with something to do."""
    stack = Stack(inputs, StackConfig(**settings), seed=1).eval()
    for part in stack.modules():
        if isinstance(part, BatchNorm) and part.running_mean is not None:
            part.running_mean.fill_(0.3)
    return stack


@pytest.mark.parametrize("conv", ["gcn", "none"])
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_a_stack_is_its_formula(conv, norm, residual, first) -> None:
    x = rows(NODES, 5)
    last, total, side = (
        quiet(conv=conv, norm=norm, residual=residual, first=first, dim=4, layers=3, jump=jump)
        for jump in ("last", "sum", "cat")
    )
    h = x @ last.first.weight.T + last.first.bias if last.first is not None else x
    kept = []
    for k in range(3):
        met = last.convs[k](h) if conv == "none" else last.convs[k](h, view())
        if residual and conv != "none":
            met = met + h @ last.residuals[k].weight.T + last.residuals[k].bias
        if norm == "layer":
            met = (met - met.mean(1, keepdim=True)) / (met.var(1, keepdim=True, correction=0) + 1e-5).sqrt()
        if norm == "batch":
            met = (met - 0.3) / (1 + 1e-5) ** 0.5
        h = met.clamp(min=0)
        kept.append(h)
    torch.testing.assert_close(last(x, view()), h)
    torch.testing.assert_close(total(x, view()), kept[0] + kept[1] + kept[2])
    torch.testing.assert_close(side(x, view()), torch.cat(kept, 1))
    assert (last.dim, total.dim, side.dim) == (4, 4, 12)


def test_dropout_leaves_out_its_share_in_training_alone() -> None:
    stack, x = quiet(conv="none", dim=2000, layers=1, dropout=0.7, norm="none"), torch.ones(1, 5)
    open_ = stack(x, view())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        shut = stack.train()(x, view())
    assert (open_ > 0).float().mean() > 0.3
    assert (shut[open_ > 0] == 0).float().mean() > 0.5


@pytest.mark.parametrize("rows_", [0, 1])
def test_a_batch_of_one_row_is_normalised_by_what_is_known(rows_) -> None:
    norm = BatchNorm(3).train()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    x = rows(rows_, 3)
    torch.testing.assert_close(norm(x), x / (1 + 1e-5) ** 0.5)
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gatv2", "gin"])
@pytest.mark.parametrize("way", ["into", "each"])
@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("first", [True, False])
def test_the_matched_mlp_has_as_many_parameters(conv, way, norm, first) -> None:
    config = StackConfig(conv=conv, way=way, dim=48, layers=3, heads=4, norm=norm, first=first)
    want = size(Stack(30, config))
    mlp = matched_mlp(config, 30, want)
    wider = StackConfig(**{**mlp.__dict__, "dim": mlp.dim + 1})
    assert mlp.conv == "none" and mlp.norm == norm and mlp.layers == 3
    assert abs(size(Stack(30, mlp)) - want) <= size(Stack(30, wider)) - size(Stack(30, mlp))


def test_the_matched_mlp_of_one_layer_without_a_first_map() -> None:
    config = StackConfig(conv="sage", layers=1, first=False, dim=8)
    mlp = matched_mlp(config, 20, size(Stack(20, config)))
    assert abs(size(Stack(20, mlp)) - size(Stack(20, config))) <= 12


def size(module: nn.Module) -> int:
    return sum(part.numel() for part in module.parameters())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"conv": "sagee"}, "Did you mean 'sage'"),
        ({"way": "ech"}, "Did you mean 'each'"),
        ({"norm": "lyer"}, "Did you mean 'layer'"),
        ({"jump": "lats"}, "Did you mean 'last'"),
        ({"dim": 0}, "dim=0"),
        ({"layers": 0}, "layers=0"),
        ({"heads": 3}, "heads=3"),
        ({"conv": "gcn", "loops": True}, "loops with gcn"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"alpha": -0.1}, "alpha=-0.1"),
    ],
)
def test_wrong_settings_are_refused(settings, says) -> None:
    with pytest.raises(ConfigError, match=says):
        StackConfig(**settings)
