"""Rings, trees and hops: the truth found again another way, and that it is far."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError
from thence.graph.worlds import hops, rings, trees
from thence.graph.worlds.hops import FAMILIES, family


def power_hops(arcs) -> np.ndarray:
    """All hops ``[n, n]`` by multiplying out the adjacency matrix; -1: not reached."""
    step = (arcs.matrix().toarray() > 0).astype(np.float32)
    seen = np.eye(len(step), dtype=bool)
    found, reached = np.where(seen, 0, -1), np.eye(len(step), dtype=np.float32)
    for count in range(1, len(step)):
        reached = np.minimum(reached @ step + reached, 1)
        new = (reached > 0) & ~seen
        if not new.any():
            break
        found[new], seen = count, seen | new
    return found


@pytest.mark.parametrize("length", [10, 15, 40])
def test_the_opposite_node_holds_the_symbol(length) -> None:
    world = rings(0, length=length, graphs=(6, 2, 2))
    far = power_hops(world.arcs)
    for node in np.flatnonzero(world.y >= 0):
        (marked,) = np.flatnonzero(world.x[:, :5].any(axis=1) & (world.graph_of == world.graph_of[node]))
        assert far[node, marked] == length // 2 == far[node].max()
        assert world.x[marked].argmax() == world.y[node] and world.x[node, 5] == 1


@pytest.mark.parametrize("depth", [2, 5])
def test_the_leaf_with_the_key_of_the_root_holds_the_value(depth) -> None:
    world = trees(0, depth=depth, graphs=(4, 2, 2))
    far, keys = power_hops(world.arcs), 2**depth
    for root in np.flatnonzero(world.y >= 0):
        leaves = np.flatnonzero(far[:, root] == depth)
        assert len(leaves) == keys and not world.arcs.out(root).size
        np.testing.assert_array_equal(np.sort(world.x[leaves, :keys].argmax(axis=1)), np.arange(keys))
        (leaf,) = (one for one in leaves if (world.x[one, :keys] == world.x[root, :keys]).all())
        assert world.x[leaf, keys:].argmax() == world.y[root]
        between = np.flatnonzero((far[:, root] > 0) & (far[:, root] < depth))
        assert not world.x[between].any()  # what depth - 1 layers see is the root's key alone


@pytest.mark.parametrize("task", ["sssp", "ecc", "diam"])
def test_hops_are_those_of_matrix_powers(task) -> None:
    world = hops(1, task, length=(5, 12), graphs=(6, 3, 3))
    far = power_hops(world.arcs)
    for graph in range(world.num_graphs):
        rows = np.flatnonzero(world.graph_of == graph)
        block = far[np.ix_(rows, rows)]
        assert block.min() == 0  # connected
        if task == "diam":
            assert world.y[graph] == block.max()
        elif task == "ecc":
            np.testing.assert_array_equal(world.y[rows], block.max(axis=1))
        else:
            (mark,) = np.flatnonzero(world.x[rows, 0])
            np.testing.assert_array_equal(world.y[rows], block[mark])


def test_families_are_long() -> None:
    for name in FAMILIES:
        pairs = family(name, 30, np.random.default_rng(0))
        assert pairs.max() >= 30 and (np.bincount(pairs[0]) > 0).all()
    assert hops(0, "diam", graphs=(12, 6, 6)).y.min() >= 8


def test_symbols_and_values_are_balanced() -> None:
    ring, tree = rings(0, length=10, graphs=(1500, 1, 1)), trees(0, depth=2, graphs=(1500, 1, 1))
    for world, classes in ((ring, 5), (tree, 4)):
        share = np.bincount(world.y[world.y >= 0], minlength=classes) / 1502
        assert np.abs(share - 1 / classes).max() < 0.04


@pytest.mark.parametrize("make", [rings, trees, hops])
def test_a_seed_is_a_world(make) -> None:
    one, again, other = (make(seed, graphs=(8, 4, 4)) for seed in (0, 0, 1))
    for name in ("x", "y"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    np.testing.assert_array_equal(one.arcs.pairs, again.arcs.pairs)
    assert one.x.shape != other.x.shape or (one.x != other.x).any()
    assert set(one.splits) == {"train", "valid", "test"}


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (rings, {"length": 3}),
        (rings, {"symbols": 1}),
        (rings, {"graphs": (1, 1, 0)}),
        (trees, {"depth": 0}),
        (trees, {"depth": 13}),
        (trees, {"values": 1}),
        (hops, {"task": "diameter"}),
        (hops, {"length": (2, 5)}),
        (hops, {"length": (9, 5)}),
    ],
)
def test_wrong_arguments(make, wrong) -> None:
    with pytest.raises(ConfigError):
        make(0, **wrong)
