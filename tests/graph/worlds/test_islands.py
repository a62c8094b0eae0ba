"""Every answer is found again by walking the arcs, and nothing short of that finds it."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from thence.base.errors import ConfigError
from thence.graph.worlds import Islands, islands
from thence.graph.worlds.islands import BUCKETS, TAIL

SYMBOLS = 8


@pytest.fixture(scope="module")
def world() -> Islands:
    return islands(3, graphs=(60, 20, 40))


def hops_from(start: int, neighbours, most: int = 10**6) -> dict[int, int]:
    """Hops to all that can be reached, by breadth first search."""
    found, queue = {start: 0}, deque([start])
    while queue:
        node = queue.popleft()
        for other in neighbours(node) if found[node] < most else ():
            if int(other) not in found:
                found[int(other)] = found[node] + 1
                queue.append(int(other))
    return found


def symbols_in(world: Islands, nodes: dict[int, int]) -> dict[int, int]:
    """Symbol by marked node."""
    x = world.graph.x[:, :SYMBOLS]
    return {node: int(x[node].argmax()) for node in nodes if x[node].any()}


def either_way(world: Islands):
    arcs = world.graph.arcs
    return lambda node: np.concatenate([arcs.out(node), arcs.into(node)])


def test_warm_answers_stand_upstream_and_lures_as_far_downstream(world) -> None:
    arcs, y = world.graph.arcs, world.graph.y
    for node in np.flatnonzero((y >= 0) & ~world.cold):
        up, down = hops_from(node, arcs.into), hops_from(node, arcs.out)
        (beacon, symbol), (lure, other) = *symbols_in(world, up).items(), *symbols_in(world, down).items()
        assert symbol == y[node] != other
        assert up[beacon] == down[lure] == world.distance[node]


def test_cold_answers_stand_on_the_other_island_of_the_topic_alone(world) -> None:
    graph = world.graph
    topic = graph.x[:, SYMBOLS:].argmax(axis=1)
    assert world.cold.sum() == graph.num_graphs
    for node in np.flatnonzero(world.cold):
        island = hops_from(node, either_way(world))
        assert not symbols_in(world, island)
        same = np.flatnonzero((graph.graph_of == graph.graph_of[node]) & (topic == topic[node]))
        marked = symbols_in(world, dict.fromkeys(same.tolist(), 0))
        assert len(marked) == 2
        (upper,) = (one for one in marked if set(marked) <= set(hops_from(one, graph.arcs.out)))
        assert marked[upper] == graph.y[node]


def test_fewer_layers_than_the_distance_see_no_symbol(world) -> None:
    asked = np.flatnonzero(world.graph.y >= 0)
    for node in asked:
        ball = hops_from(node, either_way(world), most=int(world.distance[node]) - 1)
        assert not symbols_in(world, ball)


def test_beacon_and_lure_look_the_same_nearby() -> None:
    """Both have TAIL chain nodes on the short side at least, and chain on the other: no end in sight."""
    world = islands(5, graphs=(10, 1, 1))
    arcs = world.graph.arcs
    for node in np.flatnonzero(world.graph.x[:, :SYMBOLS].any(axis=1)):
        for neighbours in (arcs.into, arcs.out):
            assert max(hops_from(node, neighbours, most=TAIL[0]).values()) == TAIL[0]


def test_labels_and_distances_are_balanced() -> None:
    world = islands(1, graphs=(400, 1, 1))
    y = world.graph.y[world.graph.y >= 0]
    share = np.bincount(y, minlength=SYMBOLS) / len(y)
    assert np.abs(share - 1 / SYMBOLS).max() < 0.025
    d = world.distance[world.graph.y >= 0]
    for low, high in BUCKETS:
        assert abs(((d >= low) & (d <= high)).mean() - 1 / len(BUCKETS)) < 0.03
    assert d.min() == 2 and d.max() == 40


def test_reversal_exchanges_the_answers(world) -> None:
    """The chain from beacon to lure reads the same from the other end but for the symbols: tails are equal."""
    arcs = world.graph.arcs
    for node in np.flatnonzero((world.graph.y >= 0) & ~world.cold)[:100]:
        chain_up = max(hops_from(node, arcs.into).values())
        chain_down = max(hops_from(node, arcs.out).values())
        assert abs(chain_up - chain_down) <= 1  # a twig at the very end


def test_a_seed_is_a_world_and_splits_are_seas_of_their_own(world) -> None:
    again, other = islands(3, graphs=(60, 20, 40)), islands(4, graphs=(60, 20, 40))
    for name in ("x", "y", "graph_of"):
        np.testing.assert_array_equal(getattr(again.graph, name), getattr(world.graph, name))
    np.testing.assert_array_equal(again.graph.arcs.pairs, world.graph.arcs.pairs)
    assert other.graph.x.shape != world.graph.x.shape
    seas = [set(world.graph.graph_of[rows].tolist()) for rows in world.graph.splits.values()]
    assert [len(sea) for sea in seas] == [60, 20, 40] and not seas[0] & seas[1] and not seas[1] & seas[2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"topics": 0},
        {"cold": 4},
        {"cold": -1},
        {"symbols": 1},
        {"buckets": ()},
        {"buckets": ((0, 3),)},
        {"buckets": ((4, 3),)},
        {"graphs": (1, 1)},
        {"graphs": (1, 0, 1)},
    ],
)
def test_wrong_arguments(wrong) -> None:
    with pytest.raises(ConfigError):
        islands(0, **wrong)
