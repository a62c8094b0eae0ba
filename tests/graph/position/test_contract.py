"""What every kind of positions owes: node order does not matter, direction does, odd graphs are no trouble."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.worlds import areas, complete, cycle, drawn, names, path, renumbered, star

from thence.base.ids import IdMap
from thence.graph import Arcs
from thence.graph.position import KINDS, positions, settings_of

SPECTRAL = ("laplacian", "magnetic", "approximate_laplacian", "approximate_magnetic", "svd")
LARGE = 2_500
"""Nodes at which every kind takes its way for large graphs."""
EXACT_ON_LARGE = [kind for kind in KINDS if not kind.startswith("approximate")]


def twin(name: str) -> str:
    """The block that takes the place of another when all arcs are turned round."""
    if name.endswith(".out"):
        return name.removesuffix("out") + "in"
    return name.removesuffix("in") + "out" if name.endswith(".in") else name


def loosely(kind: str) -> float:
    """Eigenvectors of large graphs are known within their residual over the gap."""
    return 2e-2 if kind in SPECTRAL else 1e-4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arcs", [drawn(60, 200), drawn(80, 60), star(12)], ids=["drawn", "pieces", "star"])
def test_the_order_of_nodes_does_not_matter(kind: str, arcs: Arcs) -> None:
    if kind in ("anchors", "svd") and arcs.num_arcs < 100:
        pytest.skip("anchors of one degree, and equal singular values, are told apart by order")
    other, place = renumbered(arcs)
    ids, again = names(arcs.num_nodes), np.argsort(place)
    settings = {"epsilon": 1e-6} if kind == "anchors" else {}
    one = positions(arcs, {kind: settings}, ids=ids)
    two = positions(other, {kind: settings}, ids=IdMap([f"p{at}" for at in again]))
    for name, block in one.blocks.items():
        same = two.blocks[name][place]
        if kind == "anchors":  # equal degrees: the same anchors in another order
            same, block = np.sort(same, axis=1), np.sort(block, axis=1)
            assert np.median(np.abs(same - block)) < 1e-3, name
        else:
            np.testing.assert_allclose(same, block, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("kind", EXACT_ON_LARGE)
def test_the_order_of_nodes_does_not_matter_on_a_large_graph(kind: str) -> None:
    arcs = areas(LARGE, 8, 10)
    other, place = renumbered(arcs)
    settings = {"k": 4} if kind in (*SPECTRAL, "anchors") else {}
    one = positions(arcs, {kind: settings}, ids=names(LARGE))
    two = positions(other, {kind: settings}, ids=IdMap([f"p{at}" for at in np.argsort(place)]))
    for name, block in one.blocks.items():
        if kind == "anchors":
            assert block.shape == two.blocks[name].shape
        else:
            np.testing.assert_allclose(two.blocks[name][place], block, atol=loosely(kind), err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arcs", [drawn(60, 200), path(7)], ids=["drawn", "path"])
def test_turning_all_arcs_round_swaps_out_and_in(kind: str, arcs: Arcs) -> None:
    one, two = positions(arcs, [kind]), positions(arcs.reversed(), [kind])
    for name, block in one.blocks.items():
        np.testing.assert_allclose(two.blocks[twin(name)], block, atol=1e-4, err_msg=name)
    looking = [name for name in one.blocks if name.endswith(".out")]
    assert looking and any(np.abs(one.blocks[name] - two.blocks[name]).max() > 0.05 for name in looking)


@pytest.mark.parametrize("kind", EXACT_ON_LARGE)
def test_turning_all_arcs_round_swaps_out_and_in_on_a_large_graph(kind: str) -> None:
    arcs = areas(LARGE, 8, 10)
    settings = {"k": 4} if kind in (*SPECTRAL, "anchors") else {}
    one, two = positions(arcs, {kind: settings}), positions(arcs.reversed(), {kind: settings})
    for name, block in one.blocks.items():
        np.testing.assert_allclose(two.blocks[twin(name)], block, atol=loosely(kind), err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_odd_graphs(kind: str) -> None:
    one_node = Arcs.from_pairs([], [], num_nodes=1)
    no_arcs = Arcs.from_pairs([], [], num_nodes=LARGE)
    pieces = Arcs.from_pairs([0, 2, 4, 5], [1, 3, 5, 6], num_nodes=9)
    nothing = Arcs.from_pairs([0], [1], num_nodes=2, weight=[0.0])
    none = Arcs.from_pairs([], [], num_nodes=0)
    for arcs in (one_node, no_arcs, pieces, nothing, complete(5), cycle(4), none):
        found = positions(arcs, [kind])
        assert found.num_nodes == arcs.num_nodes and found.width > 0
        alone = (arcs.out_degree + arcs.in_degree) == 0
        for name, block in found.blocks.items():
            rows = np.unique(block[alone], axis=0)
            if kind != "anchors":  # a lonely node can be an anchor when all are
                assert len(rows) <= 1, name
        if "weight" in settings_of(kind):
            assert positions(arcs, {kind: {"weight": "weight"}}).num_nodes == arcs.num_nodes


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("anchors",)])
def test_one_arc_less_changes_little(kind: str) -> None:
    arcs = areas(600, 10, 4)
    less = arcs.select(np.arange(arcs.num_arcs) != 1_234)
    settings: dict = {"k": 3} if kind in SPECTRAL else {}
    settings |= {"rounds": 6} if kind.startswith("approximate") else {}
    one, two = (positions(each, {kind: settings}) for each in (arcs, less))
    for name, block in one.blocks.items():
        moved = np.abs(two.blocks[name] - block)
        assert np.median(moved) < 0.02 and moved.mean() < 0.05, name


def test_a_component_does_not_feel_the_others() -> None:
    one, two = drawn(50, 200), cycle(30)
    pairs = np.concatenate([one.pairs, two.pairs + 50], axis=1)
    both = Arcs.from_pairs(*pairs, num_nodes=80)
    for kind in ("propagate", "returns", "laplacian", "magnetic"):
        alone, together = positions(one, [kind]), positions(both, [kind])
        for name, block in alone.blocks.items():
            np.testing.assert_allclose(together.blocks[name][:50], block, atol=1e-5, err_msg=name)
