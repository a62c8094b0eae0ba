"""Neighbourhoods: whom each role looks at, how many, how far, and never the wrong way."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from tests.encode.graphs import random_graph

from thence.base.errors import ConfigError
from thence.encode.neighborhood import KINDS, Kind, Neighborhood, Neighborhoods, beside, crossing
from thence.encode.propagate import neighborhoods
from thence.graph import Arcs
from thence.graph.sample.adaptive import Reach

PATH = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 4], num_nodes=5)
SHARED = Arcs.from_pairs([0, 3, 3], [1, 1, 2], num_nodes=5)  # 0 and 3 share the target 1, 3 leads to 2 as well


def seen(matrix: sp.csr_matrix, row: int) -> set[int]:
    return set(matrix[row].nonzero()[1].tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_means_over_no_more_than_the_fan_out(kind: Kind) -> None:
    arcs = random_graph(30, 300).main
    out, into = Neighborhoods(arcs, Neighborhood(kind, fan_out=4), seed=1).draw(3)
    for matrix, degree in ((out, arcs.out_degree), (into, arcs.in_degree)):
        assert np.diff(matrix.indptr).max() <= 4
        np.testing.assert_allclose(np.asarray(matrix.sum(1)).ravel(), degree > 0, atol=1e-5)


@pytest.mark.parametrize("kind", ["strongest", "uniform", "weighted"])
def test_what_is_seen_directly_is_an_arc_in_the_roles_direction(kind: Kind) -> None:
    arcs = random_graph(30, 300).main
    out, into = Neighborhoods(arcs, Neighborhood(kind, fan_out=4)).draw()
    assert arcs.contains(*out.nonzero()).all()
    target, source = into.nonzero()
    assert arcs.contains(source, target).all()
    assert not arcs.contains(*into.nonzero()).all()  # a mutant that looks along the arcs twice


def test_few_neighbours_are_all_seen() -> None:
    arcs = random_graph(12, 40).main
    for kind in ("uniform", "weighted"):
        out, into = Neighborhoods(arcs, Neighborhood(kind, fan_out=12, combine="sum")).draw()
        expected = (arcs.matrix() > 0).astype(np.float32)
        np.testing.assert_array_equal(out.toarray(), expected.toarray())
        np.testing.assert_array_equal(into.toarray(), expected.T.toarray())


def test_strongest_is_what_propagation_takes() -> None:
    arcs = random_graph(12, 40).main
    near = Neighborhoods(arcs, Neighborhood("strongest", fan_out=2))
    for ours, theirs in zip(near.draw(5), neighborhoods(arcs, fan_out=2), strict=True):
        assert (ours != theirs).nnz == 0
    assert not near.redrawn


def test_uniform_draws_every_neighbour_alike_and_weighted_the_popular_more() -> None:
    star = Arcs.from_pairs([0, 0, 0, 2, 3, 4, 5], [1, 6, 7, 1, 1, 1, 1], num_nodes=8)
    share = {}
    for kind in ("uniform", "weighted"):
        near = Neighborhoods(star, Neighborhood(kind, fan_out=1))
        share[kind] = np.mean([near.draw(step)[0][0].toarray()[0] for step in range(300)], axis=0)
    np.testing.assert_allclose(share["uniform"][[1, 6, 7]], 1 / 3, atol=0.09)
    np.testing.assert_allclose(share["weighted"][[1, 6, 7]], [5 / 7, 1 / 7, 1 / 7], atol=0.09)


@pytest.mark.parametrize("kind", ["radius", "adaptive"])
def test_a_node_of_few_arcs_looks_farther_along_its_roles_direction(kind: Kind) -> None:
    near = Neighborhoods(PATH, Neighborhood(kind, fan_out=3, reach=Reach(radius=3, walks=64)))
    out, into = near.draw()
    assert seen(out, 0) == {1, 2, 3} and seen(into, 4) == {3, 2, 1}
    assert not seen(out, 4) and not seen(into, 0)  # nothing to start from: nothing is made up
    for node in range(5):
        assert all(other > node for other in seen(out, node))
        assert all(other < node for other in seen(into, node))


def test_walks_there_and_back_find_what_shares_a_target() -> None:
    settings = Neighborhood("radius", fan_out=3, walk="alternate", reach=Reach(radius=3, walks=64, length=8))
    out, into = Neighborhoods(SHARED, settings).draw()
    assert seen(out, 0) == {1, 2}  # 0 → 1 ← 3 → 2; 3 itself is a source and is no target
    assert seen(into, 2) == {3, 0}
    along = Neighborhoods(SHARED, Neighborhood("radius", fan_out=3)).draw()[0]
    assert seen(along, 0) == {1}  # nothing follows 1


def test_what_walks_find_counts_less() -> None:
    settings = Neighborhood("radius", fan_out=3, far=0.25, combine="sum")
    row = Neighborhoods(PATH, settings).draw()[0][0].toarray()[0]
    assert row[1] == 1.0
    assert row[[2, 3]].sum() == pytest.approx(0.25 * 2)


def test_the_budget_grows_with_the_degree() -> None:
    rng = np.random.default_rng(0)
    degree = np.r_[np.ones(50, int), np.full(20, 8), [40]]
    source = np.repeat(np.arange(71), degree)
    target = np.concatenate([rng.choice(np.arange(71, 200), d, replace=False) for d in degree])
    arcs = Arcs.from_pairs(source, target, num_nodes=200)
    settings = Neighborhood("adaptive", fan_out=10, least=2, reach=Reach())
    out, _ = Neighborhoods(arcs, settings).draw()
    size = np.diff(out.indptr)
    assert 2 < size[55] <= 8 < size[70] <= 10


def test_the_seed_and_the_step_alone_decide() -> None:
    arcs = random_graph(30, 300).main
    settings = Neighborhood("adaptive", fan_out=3)
    near = Neighborhoods(arcs, settings, seed=2)
    later, again = near.draw(7)[0], Neighborhoods(arcs, settings, seed=2).draw(7)[0]
    assert (later != again).nnz == 0
    assert (later != near.draw(8)[0]).nnz and (later != Neighborhoods(arcs, settings, seed=3).draw(7)[0]).nnz


def test_roles_are_stacked_as_the_relation_says() -> None:
    out, into = (sp.csr_matrix(np.array(rows, np.float32)) for rows in ([[0, 2], [0, 0]], [[0, 0], [3, 0]]))
    expected = [[0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 0]]
    np.testing.assert_array_equal(crossing((out, into)).toarray(), expected)
    expected = [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 3, 0]]
    np.testing.assert_array_equal(beside((out, into)).toarray(), expected)


WRONG = ({"fan_out": 0}, {"far": 2.0}, {"least": 99}, {"kind": "far"}, {"walk": "home"}, {"combine": "max"})


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        Neighborhood(**wrong)
