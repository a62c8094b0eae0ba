"""LADIES: what a layer draws, how likely, and that sums come out right."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Side, side_of
from thence.graph.sample.ladies import Ladies

STEPS = 2500


def layered() -> Arcs:
    """Rows 0 to 3 look at some of the nodes 4 to 9, with weights."""
    pairs = [(0, 4), (0, 5), (0, 6), (1, 5), (1, 7), (2, 4), (2, 7), (2, 8), (2, 9), (3, 9), (3, 6), (3, 8)]
    source, target = np.array(pairs).T
    return Arcs.from_pairs(source, target, num_nodes=10, weight=1 + np.arange(12) % 3)


def importance(arcs: Arcs, weight: bool) -> np.ndarray:
    """Importance q of every node for the layer 0 … 3, from its formula."""
    p = arcs.matrix().toarray()[:4] if weight else (arcs.matrix().toarray()[:4] > 0)
    return ((p / p.sum(axis=1, keepdims=True)) ** 2).sum(axis=0)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_one_node_is_drawn_in_proportion_to_q(weight: str | None) -> None:
    arcs = layered()
    q = importance(arcs, weight is not None)
    sampler = Ladies(arcs, [1], weight=weight)
    drawn = np.array([sampler.sample([0, 1, 2, 3], step=step).nodes[4:] for step in range(STEPS)])
    assert drawn.shape == (STEPS, 1)
    seen, expected = np.bincount(drawn[:, 0], minlength=10)[4:], STEPS * q[4:] / q.sum()
    assert ((seen - expected) ** 2 / expected).sum() < 20.5  # chi-square, 5 degrees of freedom: p = .001


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("most", [1, 3, 5])
def test_sums_are_unbiased_for_every_arc(weight: str | None, most: int) -> None:
    arcs = layered()
    sampler = Ladies(arcs, [most], weight=weight)
    drawn = np.zeros((STEPS, 12))
    for step in range(STEPS):
        sample = sampler.sample([0, 1, 2, 3], step=step)
        drawn[step, sample.position] = sample.scale
        assert sample.num_nodes == 4 + most
    error = drawn.std(axis=0) / np.sqrt(STEPS)
    assert (np.abs(drawn.mean(axis=0) - 1) < 5 * error).all()


def test_every_arc_between_the_layers_is_there_and_no_other() -> None:
    arcs = layered()
    for step in range(20):
        sample = Ladies(arcs, [3], direction="out").sample([0, 2], step=step)
        drawn = set(sample.nodes[2:].tolist())
        expected = {(s, t) for s in (0, 2) for t in arcs.out(s).tolist() if t in drawn}
        looks, seen = sample.nodes[sample.row].tolist(), sample.nodes[sample.column].tolist()
        assert set(zip(looks, seen, strict=True)) == expected and sample.num_arcs == len(expected)
    back = Ladies(arcs, [2], direction="into").sample([4, 5])
    assert set(back.nodes[2:].tolist()) <= {0, 1, 2} and set(back.nodes[back.row].tolist()) <= {4, 5}


def test_as_many_as_there_are_are_taken_for_sure() -> None:
    for most in (6, 100, None):
        sample = Ladies(layered(), [most]).sample([0, 1, 2, 3])
        assert sample.num_arcs == 12 and (sample.scale == 1).all()
    assert Ladies(layered(), [0]).sample([0]).num_arcs == 0


def test_seeds_are_kept_beside_the_others() -> None:
    """Loops and arcs between seeds are then always there, with a scale of 1, and cost none of the n."""
    cycle = [(i, (i + j) % 6) for i in range(6) for j in range(4)]
    column = np.array(cycle)[:, 1]
    side = Side(np.arange(0, 25, 4), column.astype(np.int32))
    for step in range(30):
        sample = Ladies(side, [1, 1], keep_seeds=True).sample([0, 1], step=step)
        first = sample.group(0)
        kept = {(r, c) for r, c in zip(sample.row[first].tolist(), sample.column[first].tolist(), strict=True)}
        assert {(0, 0), (0, 1), (1, 1)} <= kept
        among = (sample.column[first] < 2) & (sample.row[first] < 2)
        assert (sample.scale[first][among] == 1).all()
        assert sample.node_ptr[2] - sample.node_ptr[1] == 1  # one new node


def test_relations_share_one_draw_of_nodes() -> None:
    arcs = layered()
    other = Arcs.from_pairs([0, 0, 0, 3], [4, 7, 8, 5], num_nodes=10)
    for step in range(20):
        sample = Ladies({"one": arcs, "two": other}, [2]).sample([0, 3], step=step)
        assert sample.num_nodes == 4 and len(sample.arc_ptr) == 3


def test_weight_zero_is_never_seen() -> None:
    side = Side(np.array([0, 3, 3]), np.array([0, 1, 1], np.int32), weight=np.array([1, 0, 0], np.float32))
    assert Ladies(side, [5]).sample([0]).entry.tolist() == [0]
    none = Side(side.indptr, side.neighbors, weight=np.zeros(3, np.float32))
    assert Ladies(none, [5]).sample([0]).num_arcs == 0


def test_wrong_input_is_refused() -> None:
    arcs = layered()
    with pytest.raises(ConfigError):
        Ladies(arcs, [-2])
    with pytest.raises(ConfigError):
        Ladies(arcs, [2, 2], direction=["out"])
    with pytest.raises(DataError):
        Ladies(Side(np.array([0, 1]), np.zeros(1, np.int32), weight=np.array([np.nan], np.float32)), [1])
    with pytest.raises(DataError):
        Ladies(side_of(arcs), [2]).sample([0], times=np.array([1]))


@pytest.mark.parametrize("keep_seeds", [False, True])
def test_it_draws_alike_where_the_graph_is_much_larger_than_the_layer(keep_seeds: bool) -> None:
    """Candidates are then told apart by a table, and no longer are all nodes."""
    arcs = layered()
    large = Arcs.from_pairs(*arcs.pairs, num_nodes=1000, weight=arcs.weight)
    for step in range(20):
        one, other = (
            Ladies(graph, [3], weight="weight", keep_seeds=keep_seeds).sample([0, 2, 3], step=step)
            for graph in (arcs, large)
        )
        assert np.array_equal(one.nodes, other.nodes) and np.array_equal(one.entry, other.entry)
        assert np.allclose(one.scale, other.scale)
