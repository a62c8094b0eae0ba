"""ShaDow: a tree's nodes are a fan-out's, its arcs all that join them, and none comes from the future."""

from __future__ import annotations

import numpy as np
import pytest
from tests.samplers import hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Direction, FanOut
from thence.graph.sample.shadow import Shadow


@pytest.mark.parametrize("direction", ["out", "into"])
def test_nodes_are_the_fan_outs_and_arcs_all_that_join_them(direction: Direction) -> None:
    arcs = hub_graph()
    sample = Shadow(arcs, [4, 3], direction=direction, seed=3).sample([0, 5, 5, 38], step=1)
    drawn = FanOut(arcs, [4, 3], direction=direction, trees=True, seed=3).sample([0, 5, 5, 38], step=1)
    assert np.array_equal(sample.nodes, drawn.nodes) and sample.tree is not None
    expected = set()
    for one in range(sample.num_nodes):
        for other in range(sample.num_nodes):
            ends = (one, other) if direction == "out" else (other, one)
            joined = arcs.contains(*([sample.nodes[end]] for end in ends))[0]
            if joined and sample.tree[one] == sample.tree[other]:
                expected.add((one, other))
    assert expected == set(zip(sample.row.tolist(), sample.column.tolist(), strict=True))
    assert sample.num_arcs == len(expected) > drawn.num_arcs and (sample.scale == 1).all()


def test_no_arc_is_later_than_its_seeds_time() -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 30, (2, 400)), axis=1)
    pairs = pairs[:, pairs[0] != pairs[1]]
    arcs = Arcs.from_pairs(*pairs, num_nodes=30, values={"last_time": rng.integers(0, 100, pairs.shape[1])})
    sampler, seeds = Shadow(arcs, [5, 5], time="last_time"), np.arange(30)
    times = rng.integers(0, 100, 30)
    sample = sampler.sample(seeds, times=times)
    assert sample.tree is not None
    moment = arcs.values["last_time"][sample.position]
    assert sample.num_arcs and (moment <= times[sample.tree[sample.row]]).all()
    allowed = sampler.sample(seeds, times=np.full(30, 100))
    assert allowed.tree is not None
    late = arcs.values["last_time"][allowed.position] > times[allowed.tree[allowed.row]]
    assert late.any()  # so the times above did keep something out


def test_several_relations_stand_in_groups_of_their_own() -> None:
    arcs = hub_graph()
    sample = Shadow({"one": arcs, "two": arcs.reversed()}, [3]).sample([0, 1])
    one, two = (sample.group(0, relation) for relation in (0, 1))
    looks, seen = sample.nodes[sample.row], sample.nodes[sample.column]
    assert arcs.contains(looks[one], seen[one]).all() and arcs.contains(seen[two], looks[two]).all()
    assert (one.stop - one.start) == (two.stop - two.start) > 0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ConfigError):
        Shadow(hub_graph(), [-1])
    with pytest.raises(DataError):
        Shadow(hub_graph(), [1]).sample([0], times=np.array([1]))
    with pytest.raises(DataError):
        Shadow(hub_graph(), [1], weight="nothing")
