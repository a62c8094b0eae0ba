"""Cluster-GCN: which parts come, the arcs among them, and scales against the unions counted out."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from tests.contract import test_samplers as contract
from tests.samplers import Case, hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample.cluster import Clusters

PART = np.array([0, 0, 1, 1, 2, 2, 3, 4])
STEPS = 1200


def dense() -> Arcs:
    source, target = np.nonzero(~np.eye(8, dtype=bool))
    keep = (source * 5 + target * 3) % 4 > 0
    return Arcs.from_pairs(source[keep], target[keep], num_nodes=8)


def test_every_union_of_parts_is_equally_likely() -> None:
    clusters = Clusters(dense(), PART, 2)
    seen = [tuple(np.unique(PART[clusters.subgraph(step).nodes]).tolist()) for step in range(STEPS)]
    count = np.array([seen.count(union) for union in combinations(range(5), 2)])
    assert count.sum() == STEPS
    assert ((count - STEPS / 10) ** 2 / (STEPS / 10)).sum() < 27.9  # chi-square, 9 degrees of freedom: p = .001


def test_a_batch_is_the_whole_parts_and_all_arcs_among_them() -> None:
    arcs = dense()
    for step in range(20):
        sample = Clusters(arcs, PART, 3).subgraph(step)
        nodes = sample.nodes.tolist()
        assert sorted(nodes) == np.flatnonzero(np.isin(PART, PART[nodes])).tolist()
        assert sample.seeds.tolist() == list(range(len(nodes)))
        every = np.array([(s, t) for s in nodes for t in nodes]).T
        assert sample.num_arcs == arcs.contains(*every).sum()
        assert arcs.contains(sample.nodes[sample.row], sample.nodes[sample.column]).all()


@pytest.mark.parametrize("batch", [2, 3, 5])
def test_scales_of_random_batches_are_one_over_the_share_of_unions(batch: int) -> None:
    """Of the unions that hold the part that looks, the share that holds the part that is seen too."""
    unions = list(combinations(range(5), batch))
    sample = Clusters(dense(), PART, batch).subgraph(3)
    looks, seen = PART[sample.nodes[sample.row]], PART[sample.nodes[sample.column]]
    for one, other, scale in zip(looks, seen, sample.scale, strict=True):
        there = [union for union in unions if one in union]
        assert np.isclose(scale, len(there) / sum(other in union for union in there))


@pytest.mark.parametrize(("seeds", "batch"), [([0], 2), ([0], 3), ([0, 7], 3), ([2, 3, 4], 4)])
def test_scales_of_given_seeds_are_unbiased(seeds: list[int], batch: int) -> None:
    """Over the random other parts, for every node that looks, whether its part is given or random."""
    arcs = dense()
    clusters, gap = Clusters(arcs, PART, batch), np.zeros((STEPS, arcs.num_arcs))
    for step in range(STEPS):
        sample = clusters.sample(seeds, step=step)
        assert sample.nodes[sample.seeds].tolist() == seeds
        gap[step, sample.position] = sample.scale
        gap[step] -= np.isin(arcs.pairs[0], sample.nodes)
    given = np.isin(PART[arcs.pairs[0]], PART[seeds])
    others = batch - len(np.unique(PART[seeds]))
    inside = PART[arcs.pairs[0]] == PART[arcs.pairs[1]]
    fair = given | inside | np.isin(PART[arcs.pairs[1]], PART[seeds]) | (others > 1)
    error = 5 * gap.std(axis=0) / np.sqrt(STEPS) + 1e-9
    assert (np.abs(gap.mean(axis=0)) < error)[fair].all() and fair.sum() > 10


def test_parts_of_the_seeds_alone_leave_nothing_to_chance() -> None:
    clusters = Clusters(dense(), PART, 2)
    one, other = clusters.sample([7, 0, 2], step=0), clusters.sample([7, 0, 2], step=9)
    assert np.array_equal(one.nodes, other.nodes) and sorted(one.nodes.tolist()) == [0, 1, 2, 3, 7]
    assert one.nodes[:3].tolist() == [7, 0, 2] and (one.scale == 1).all()
    assert clusters.sample([]).num_nodes == 0 and clusters.num_parts == 5


def test_the_contract_where_others_than_neighbours_come() -> None:
    case = Case(lambda g, d, s: Clusters(g, np.arange(g.num_nodes) % 10, 4, direction=d, seed=s))
    for direction in ("out", "into"):
        contract.test_every_arc_is_an_arc_in_that_direction(case, direction)
        contract.test_entries_and_positions_name_the_arcs(case, direction)
    contract.test_shapes_and_orders_are_those_of_the_noun(case)
    contract.test_no_neighbour_twice_and_no_more_than_asked_for(case)
    contract.test_the_same_draw_is_the_same_and_another_step_another(case)
    contract.test_one_and_two_threads_draw_alike(case)
    contract.test_what_is_no_node_is_refused(case, [-1])
    empty = Clusters(Arcs.from_pairs([], [], num_nodes=3), [0, 1, 1], 1)
    assert empty.sample([2]).nodes.tolist() == [2, 1] and empty.sample([2]).num_arcs == 0


def test_wrong_input_is_refused() -> None:
    parts: list[Any] = [[0] * 39, [0.5] * 40, [-1] * 40, [[0] * 40]]
    for part in parts:
        with pytest.raises(DataError):
            Clusters(hub_graph(), part, 1)
    for batch in (0, 3, -1):
        with pytest.raises(ConfigError):
            Clusters(hub_graph(), [0, 1] * 20, batch)
    with pytest.raises(DataError):
        Clusters(hub_graph(), [0, 1] * 20, 1).sample([0], times=np.array([0]))
