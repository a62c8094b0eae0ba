"""Global channels against their formulas, written out node by node; gates; and what a channel may not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.encode.attention.test_linear import bare, rows

from thence.base.errors import ConfigError
from thence.encode.attention.channel import CHANNELS, Channel, gates_of, make_channel
from thence.encode.attention.codebook import CodebookAttention
from thence.encode.attention.community import CommunityAttention, communities_of
from thence.encode.attention.far import FarArcs, far_matrix
from thence.encode.attention.full import FullAttention
from thence.encode.layer.view import View
from thence.graph import Arcs


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    power = np.exp(x - x.max(axis, keepdims=True))
    return power / power.sum(axis, keepdims=True)


def array(x: torch.Tensor) -> np.ndarray:
    return x.detach().double().numpy()


def attended(layer: FullAttention, x: torch.Tensor) -> np.ndarray:
    """One graph's softmax attention in float64."""
    parts = [np.split(array(part(x)), layer.heads, 1) for part in (layer.query, layer.key, layer.value)]
    found = [softmax(q @ k.T / q.shape[1] ** 0.5, 1) @ v for q, k, v in zip(*parts, strict=True)]
    return np.concatenate(found, 1) @ array(layer.out.weight).T + array(layer.out.bias)


@pytest.mark.parametrize("shared", [False, True])
def test_full_attention_is_its_formula_graph_by_graph(shared) -> None:
    view, x, layer = bare(2, 4, 4), rows(10, 4), FullAttention(4, heads=2, shared=shared, seed=2)
    want = np.concatenate([attended(layer, part) for part in x.split([2, 4, 4])])
    np.testing.assert_allclose(array(layer(x, view)), want, rtol=1e-4, atol=1e-5)
    assert sum(part.numel() for part in layer.parameters()) == (3 if shared else 4) * 20


def test_with_one_map_likes_look_at_likes_before_anything_is_learnt() -> None:
    """Twelve nodes with names of their own, and one that bears the name of one of them."""
    names = 30 * torch.eye(12, 64)
    x, view = torch.cat([names, names[5:6]]), bare(13)
    heaviest = []
    for shared in (True, False):
        layer = FullAttention(64, shared=shared, seed=2)
        heaviest.append((layer.query(x) @ layer.key(x).T)[12, :12].argmax().item())
        assert layer(x, view).shape == (13, 64)
    assert heaviest[0] == 5 != heaviest[1]


def islands() -> View:
    """A path of four, a pair, and two nodes alone; beside it another graph of one pair."""
    arcs = Arcs.from_pairs([0, 1, 2, 4, 8], [1, 2, 3, 5, 9], num_nodes=10)
    return View(arcs, np.array([0] * 8 + [1] * 2))


def test_communities_are_components_that_fit_and_lone_nodes_are_one() -> None:
    of = communities_of(islands(), 4).of.tolist()
    groups = [{node for node in range(10) if of[node] == each} for each in sorted(set(of))]
    assert sorted(map(sorted, groups)) == [[0, 1, 2, 3], [4, 5], [6, 7], [8, 9]]
    small = communities_of(islands(), 2).of.tolist()
    assert max(np.bincount(small)) == 2 and small[8] == small[9]
    assert communities_of(islands(), 4).between.sizes.tolist() == [3, 1]


def test_a_community_reads_looks_and_tells() -> None:
    view, x, layer = islands(), rows(10, 4), CommunityAttention(4, heads=2, most=4, seed=2)
    parts, score, value = communities_of(view, 4), array(layer.read(x)), array(layer.value(x))
    of = parts.of.numpy()
    token = np.zeros((4, 4))
    for c in range(4):
        own = of == c
        for h in range(2):
            cut = slice(2 * h, 2 * h + 2)
            token[c, cut] = softmax(score[own, h], 0) @ value[own, cut]
    single = torch.from_numpy(token).float()
    looked = np.concatenate([attended(layer.look, part) for part in single.split([3, 1])])
    want = (token + looked) @ array(layer.tell.weight).T + array(layer.tell.bias)
    np.testing.assert_allclose(array(layer(x, view)), want[of], rtol=1e-4, atol=1e-5)


def test_long_arcs_are_the_largest_of_page_rank() -> None:
    source, target = [0, 1, 2, 3, 1], [1, 2, 3, 4, 0]
    arcs = Arcs.from_pairs(source, target, num_nodes=6)
    alpha, walk = 0.2, np.zeros((6, 6))
    walk[source, target] = 1
    walk /= np.maximum(walk.sum(1, keepdims=True), 1)
    mass = sum(alpha * (1 - alpha) ** t * np.linalg.matrix_power(walk, t) for t in range(200))
    mass[[4, 5], [4, 5]] = 1  # walks end where no arc leads on
    end = sum((1 - alpha) ** t * np.linalg.matrix_power(walk, t) for t in range(200))
    mass[:, 4] = np.where(np.arange(6) == 4, 1, end[:, 4])
    np.fill_diagonal(mass, 0)
    want = np.zeros((6, 6))
    for i in range(6):
        top = np.argsort(-mass[i], kind="stable")[:3]
        want[i, top] = mass[i, top] / max(mass[i, top].sum(), 1e-12)
    np.testing.assert_allclose(far_matrix(arcs, "out", 3, alpha).toarray(), want, atol=0.02)
    layer, x = FarArcs(4, top=3, alpha=alpha, ways=("out",), seed=1), rows(6, 4)
    got = array(layer(x, View(arcs)))
    np.testing.assert_allclose(got, want @ array(layer.value[0](x)), atol=0.05)
    assert got[5].tolist() == [0.0] * 4


def test_long_arcs_know_the_direction() -> None:
    path = Arcs.from_pairs(range(9), range(1, 10), num_nodes=10)
    out, into = (far_matrix(path, way, 16, 0.05).toarray() for way in ("out", "into"))
    assert (np.tril(out) == 0).all() and out[0, 9] > 0
    np.testing.assert_allclose(out, far_matrix(path.reversed(), "into", 16, 0.05).toarray())
    assert (np.triu(into) == 0).all()


def test_codewords_follow_the_rows_in_training_alone() -> None:
    ends = torch.tensor([[4.0, 0.0], [0.0, 4.0]])
    x = ends.repeat(50, 1) + 0.01 * rows(100, 2)
    layer, view = CodebookAttention(2, codes=4, decay=0.5, seed=0), bare(100)
    before = layer.eval()(x, view)
    assert torch.equal(layer(x, view), before)
    for _ in range(20):
        layer.train()(x, view)
    held = layer.count > 5
    gap = torch.cdist(ends, layer.words[held]).min(1).values
    assert gap.max() < 0.1 and layer.count.sum() == pytest.approx(100, rel=0.01)


def test_a_codeword_speaks_for_all_its_nodes() -> None:
    """Ninety nodes here and ten there, one codeword each: queries of zero are told the mean of all."""
    x = torch.cat([torch.zeros(90, 2), torch.ones(10, 2)])
    layer = CodebookAttention(2, codes=2, seed=0)
    with torch.no_grad():
        layer.words.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
        layer.count.copy_(torch.tensor([89.0, 9.0]))
        layer.query.weight.zero_(), layer.query.bias.zero_()
        layer.value.weight.copy_(torch.eye(2)), layer.value.bias.zero_()
    torch.testing.assert_close(layer.eval()(x, bare(100)), torch.full((100, 2), 0.1))


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_gate_is_shut_and_its_share_is_told(kind) -> None:
    view, x = islands(), rows(10, 4)
    channel = Channel(make_channel(kind, 4, heads=2, positions=0, seed=1), start=0.7).eval()
    said = (channel(x, view) - x).detach()
    torch.testing.assert_close(said, 0.7 * channel.layer(x, view).detach())
    gate = gates_of(channel)[0]
    assert gate.share == pytest.approx(float(said.norm() / (x.norm() + said.norm())), rel=1e-4)
    gate.silent = True
    assert torch.equal(channel(x, view), x) and gate.share == 0


@pytest.mark.parametrize("kind", CHANNELS)
def test_positions_move_a_channel_but_not_across_graphs(kind) -> None:
    view, x, where = islands(), rows(10, 4), rows(10, 3, 1)
    layer = make_channel(kind, 4, positions=3, seed=1).eval()
    with torch.no_grad():
        base = layer(x, view, where)
        other = where.clone()
        other[3] += 3.0
        moved = layer(x, view, other)
    assert not torch.equal(base[:8], moved[:8])
    assert torch.equal(base[8:], moved[8:])


def test_wrong_settings_are_refused() -> None:
    for make in (
        lambda: make_channel("sigmoids", 4),
        lambda: FullAttention(4, heads=3),
        lambda: CommunityAttention(4, most=0),
        lambda: FarArcs(4, ways=("up",)),
        lambda: CodebookAttention(4, decay=1.0),
    ):
        with pytest.raises(ConfigError):
            make()


@pytest.mark.parametrize("kind", CHANNELS)
def test_a_setting_that_a_channel_has_not_is_refused(kind) -> None:
    for name in ("shred", "seed"):
        with pytest.raises(ConfigError, match=f"'{kind}' has no setting '{name}'"):
            make_channel(kind, 4, settings={name: 1})
