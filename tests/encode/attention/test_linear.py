"""Linear attention is dense attention whose weights are never written down; and what each form is good for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.encode.attention import linear as linear_module
from thence.encode.attention.kernel import FORMS
from thence.encode.attention.linear import LinearAttention
from thence.encode.layer.view import View
from thence.graph import Arcs

SIZES = (1, 5, 5, 3)


def bare(*sizes: int) -> View:
    """Graphs of some sizes without arcs."""
    none = Arcs.from_pairs([], [], num_nodes=sum(sizes))
    return View(none, np.repeat(np.arange(len(sizes)), sizes))


def rows(count: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def weights(q: np.ndarray, k: np.ndarray, form: str) -> np.ndarray:
    """The dense ``[nodes, nodes]`` weights of one head, by their formula."""
    n = len(q)
    if form == "slots":
        a, b = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (q, k))
        return a @ (b / b.sum(0)).T
    if form == "sigmoid":
        a, b = (1 / (1 + np.exp(-x)) for x in (q, k))
        dense = a @ b.T
    elif form == "frobenius":
        dense = q @ k.T / np.linalg.norm(q) / np.linalg.norm(k) + n * np.eye(n)
    else:
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (q, k))
        dense = a @ b.T + (1 if form == "cosine" else n * np.eye(n))
    return dense / dense.sum(1, keepdims=True)


def literal(layer: LinearAttention, x: torch.Tensor, over: torch.Tensor, of: np.ndarray) -> np.ndarray:
    q, k, v = (
        made(given).detach().double().numpy()
        for made, given in ((layer.query, x), (layer.key, over), (layer.value, over))
    )
    out = np.zeros_like(v)
    for graph in np.unique(of):
        own = of == graph
        parts = [np.split(part[own], layer.heads, 1) for part in (q, k, v)]
        found = [weights(a, b, layer.form) @ c for a, b, c in zip(*parts, strict=True)]
        out[own] = np.concatenate(found, 1)
    return out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("heads", [1, 2])
def test_each_form_is_the_dense_one_graph_by_graph(form, heads) -> None:
    view, x, over = bare(*SIZES), rows(14, 4), rows(14, 4, 1)
    layer = LinearAttention(4, heads=heads, form=form, seed=3)
    got = layer(x, view, over=over)
    np.testing.assert_allclose(
        got.detach().numpy(), literal(layer, x, over, view.graph_of.numpy()), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("form", FORMS)
def test_blocks_change_nothing_nor_do_their_gradients(form, monkeypatch) -> None:
    view, start = bare(11), rows(11, 4)
    layer = LinearAttention(4, form=form, positions=2, seed=3)
    where = rows(11, 2, 5)

    def passed() -> tuple[torch.Tensor, ...]:
        x = start.clone().requires_grad_()
        out = layer(x, view, where)
        found = torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])
        return out, *found

    whole = passed()
    monkeypatch.setattr(linear_module, "BLOCK", 3)
    for one, other in zip(whole, passed(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("nodes", [10, 1_000, 30_000])
def test_the_published_all_pair_part_is_at_most_a_node_among_all(nodes) -> None:
    """Whatever the weights: ‖Q̃ (K̃ᵀ V)‖ ≤ ‖V‖, beside N ‖V‖ of the nodes' own. Rows of length one differ."""
    x, view = rows(nodes, 8, nodes), bare(nodes)
    layer = LinearAttention(8, form="frobenius", seed=1)
    with torch.no_grad():
        for name in ("query", "key"):
            getattr(layer, name).weight.mul_(50.0)
        v = layer.value(x)
        lost = (layer(x, view) - v).norm() / v.norm()
        gated = LinearAttention(8, form="cosine", seed=1)
        kept = gated(x, view).norm() / gated.value(x).norm()
    assert lost <= 2.1 / nodes
    assert kept > 0.05


def test_one_marked_node_is_found_among_many_by_slots_and_lost_in_a_mean() -> None:
    """Slots average those that chose them: the share of one node among its own kind, not among all."""
    nodes, dim = 20_000, 4
    x = torch.zeros(nodes, dim)
    x[:, 0], x[7, :2] = 1.0, torch.tensor([0.0, 1.0])
    for form, least, most in (("slots", 0.9, 1.0), ("cosine", 0.0, 0.01)):
        layer = LinearAttention(dim, form=form, shared=True, seed=0)
        with torch.no_grad():
            for part in (layer.query, layer.value):
                part.weight.copy_(torch.eye(dim) * (30.0 if part is layer.query else 1.0))
                part.bias.zero_()
            answer = layer(x, bare(nodes))[7, 1]
        assert least <= answer <= most + 1e-4, form


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="slots"):
        LinearAttention(4, form="slot")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="multiple"):
        LinearAttention(4, heads=3)
