"""Each layer is its formula: a dense second one in float64 with the same parameters gives the same numbers."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from tests.encode.layer.worlds import NODES, looking, rows, view
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.encode.layer.dir import Dir
from thence.encode.layer.gat import GAT, GATv2
from thence.encode.layer.gcn import GCN
from thence.encode.layer.gin import GIN
from thence.encode.layer.sage import SAGE

WAYS = ("into", "out", "both")


def gcn(layer: GCN, x: Tensor) -> Tensor:
    a = looking(layer.way) + (torch.eye(NODES) if layer.itself else 0)
    left, right = a.sum(1), a.sum(0)
    scaled = torch.zeros_like(a)
    for i in range(NODES):
        for j in range(NODES):
            if a[i, j]:
                scaled[i, j] = a[i, j] / (left[i] * right[j]).sqrt()
    return scaled @ x @ layer.linear.weight.T + layer.linear.bias


def sage(layer: SAGE, x: Tensor) -> Tensor:
    a = looking(layer.way) + (torch.eye(NODES) if layer.scale == "mean_loops" else 0)
    seen = torch.stack([(row[:, None] * x).sum(0) / row.sum() if row.any() else 0 * x[0] for row in a])
    out = seen @ layer.seen.weight.T + layer.seen.bias
    return out if layer.own is None else out + x @ layer.own.weight.T


def gin(layer: GIN, x: Tensor) -> Tensor:
    own = 0 if layer.epsilon is None else 1 + layer.epsilon
    return layer.last(torch.relu(layer.first(looking(layer.way) @ x + own * x)))


def attended(layer: GAT | GATv2, value: Tensor, score) -> Tensor:
    """``score(i, j)`` gives ``[heads]``."""
    seen = (looking(layer.way) > 0) | (torch.eye(NODES) * layer.itself > 0)
    out = []
    for i in range(NODES):
        near = [j for j in range(NODES) if seen[i, j]]
        if not near:
            out.append(0 * value[i])
            continue
        share = torch.softmax(torch.stack([score(i, j) for j in near]), 0)
        out.append(sum(share[k][:, None] * value[j] for k, j in enumerate(near)))
    return torch.stack(out).flatten(1) + layer.bias


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def gat(layer: GAT, x: Tensor) -> Tensor:
    value = (x @ layer.value.weight.T).view(NODES, *layer.shape)
    return attended(
        layer, value, lambda i, j: leaky((layer.of_row * value[i] + layer.of_column * value[j]).sum(1))
    )


def gatv2(layer: GATv2, x: Tensor) -> Tensor:
    value, row = (one(x).view(NODES, *layer.shape) for one in (layer.value, layer.row))
    return attended(layer, value, lambda i, j: (layer.weight * leaky(row[i] + value[j])).sum(1))


LITERAL = {GCN: gcn, SAGE: sage, GIN: gin, GAT: gat, GATv2: gatv2}


def direction(layer: Dir, x: Tensor) -> Tensor:
    into, out = (LITERAL[type(part)](part, x) for part in (layer.into, layer.out))  # type: ignore[index]
    return layer.alpha * into + (1 - layer.alpha) * out + layer.own(x)


def is_its_formula(layer: nn.Module, literal) -> None:
    twin, inputs = copy.deepcopy(layer).double(), 5
    x = rows(NODES, inputs).requires_grad_()
    wide = x.detach().double().requires_grad_()
    got, want = layer(x, view()), literal(twin, wide)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(twin(wide, view()), want, rtol=1e-6, atol=1e-7)  # arcs' weights are float32
    pull = rows(*want.shape, seed=1)
    got.backward(pull)
    want.backward(pull.double())
    assert x.grad is not None and wide.grad is not None
    torch.testing.assert_close(x.grad.double(), wide.grad, rtol=1e-4, atol=1e-5)
    for (name, one), other in zip(layer.named_parameters(), twin.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None, name
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("outputs", [4, 8])
@pytest.mark.parametrize("itself", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [GCN, SAGE, partial(SAGE, loops=True), GIN])
def test_sums_are_their_formulas(make, way, itself, outputs) -> None:
    layer = make(5, outputs, way=way, itself=itself, seed=3)
    is_its_formula(layer, LITERAL[type(layer)])


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("itself", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [GAT, GATv2])
def test_attention_is_its_formula(make, way, itself, heads) -> None:
    is_its_formula(make(5, 6, heads=heads, way=way, itself=itself, seed=3), LITERAL[make])


@pytest.mark.parametrize("make", [*LITERAL, partial(GAT, heads=2)])
def test_both_directions_are_their_formula(make) -> None:
    is_its_formula(Dir(5, 6, conv=make, alpha=0.3, seed=3), direction)


def test_both_directions_have_weights_of_their_own() -> None:
    layer = Dir(5, 6, conv=SAGE, seed=3)
    into, out = layer.into.state_dict(), layer.out.state_dict()
    assert all(not torch.equal(into[name], out[name]) for name in into)


def test_a_mutant_that_looks_both_ways_is_caught() -> None:
    layer = Dir(5, 6, conv=SAGE, seed=3)
    layer.into.way = layer.out.way = "both"  # type: ignore[assignment]

    def into_and_out(mutant: Dir, x: Tensor) -> Tensor:
        mutant.into.way, mutant.out.way = "into", "out"  # type: ignore[assignment]
        return direction(mutant, x)

    with pytest.raises(AssertionError):
        is_its_formula(layer, into_and_out)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="7 outputs for 2 heads"):
        GAT(5, 7, heads=2)
    with pytest.raises(ConfigError, match="heads"):
        GATv2(5, 6, heads=0)
    with pytest.raises(ConfigError, match="share"):
        Dir(5, 6, conv=GCN, alpha=1.5)
    with pytest.raises(ConfigError, match="Did you mean"):
        view().near("ino")  # type: ignore[arg-type]
