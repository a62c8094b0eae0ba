"""What every neighbour sampler keeps to, whatever it draws."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.samplers import CASES, Case, hub_graph

from thence.base.errors import DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Direction, Sample, Side, side_of

STEPS = 1500


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def global_arcs(sample: Sample, part: slice = slice(None)) -> list[tuple[int, int]]:
    """(node that looks, neighbour) of drawn arcs that are arcs of the graph."""
    direct = sample.entry[part] >= 0
    row, column = sample.nodes[sample.row[part]][direct], sample.nodes[sample.column[part]][direct]
    return list(zip(row.tolist(), column.tolist(), strict=True))


def same(one: Sample, other: Sample) -> bool:
    fields = ("nodes", "seeds", "row", "column", "entry", "scale", "node_ptr", "arc_ptr")
    return all(np.array_equal(getattr(one, field), getattr(other, field)) for field in fields)


@pytest.mark.parametrize("direction", ["out", "into"])
def test_every_arc_is_an_arc_in_that_direction(case: Case, direction: Direction) -> None:
    arcs = hub_graph()
    sample = case.make(arcs, direction, 0).sample([0, 3, 4, 37])
    pairs = np.array(global_arcs(sample)).T
    assert pairs.size
    source, target = pairs if direction == "out" else pairs[::-1]
    assert arcs.contains(source, target).all()
    assert not arcs.contains(target, source).any()  # the mutant that looks the other way


@pytest.mark.parametrize("direction", ["out", "into"])
def test_entries_and_positions_name_the_arcs(case: Case, direction: Direction) -> None:
    arcs = hub_graph()
    sample = case.make(arcs, direction, 1).sample([0, 2, 5, 38])
    neighbors = side_of(arcs, direction).neighbors
    direct = sample.entry >= 0
    assert direct.all() or not case.direct
    assert np.array_equal(neighbors[sample.entry[direct]], sample.nodes[sample.column[direct]])
    source, target = arcs.pairs[:, sample.position[direct]]
    looks, seen = sample.nodes[sample.row[direct]], sample.nodes[sample.column[direct]]
    assert np.array_equal(source if direction == "out" else target, looks)
    assert np.array_equal(target if direction == "out" else source, seen)


def test_shapes_and_orders_are_those_of_the_noun(case: Case) -> None:
    arcs = hub_graph()
    seeds = [5, 0, 5, 39]
    sample = case.make(arcs, "out", 0).sample(seeds)
    assert sample.nodes[sample.seeds].tolist() == seeds
    assert sample.node_ptr[0] == 0 and sample.node_ptr[-1] == sample.num_nodes
    assert sample.arc_ptr[0] == 0 and sample.arc_ptr[-1] == sample.num_arcs
    assert (np.diff(sample.node_ptr) >= 0).all() and (np.diff(sample.arc_ptr) >= 0).all()
    for local in (sample.row, sample.column):
        assert local.dtype == np.int64 and ((local >= 0) & (local < sample.num_nodes)).all()
    names = sample.nodes if sample.tree is None else sample.nodes + sample.tree * 1000
    assert len(np.unique(names)) == sample.num_nodes
    assert (sample.scale > 0).all() and np.isfinite(sample.scale).all()
    assert len(sample.sides) == len(sample.arc_ptr) - 1


def test_no_neighbour_twice_and_no_more_than_asked_for(case: Case) -> None:
    for step in range(20):
        sample = case.make(hub_graph(), "out", 0).sample([0, 1, 2], step=step)
        for hop in range(sample.num_hops):
            part = sample.group(hop)
            pairs = list(zip(sample.row[part].tolist(), sample.column[part].tolist(), strict=True))
            assert len(set(pairs)) == len(pairs)
            if case.most is not None:
                assert np.bincount(sample.row[part], minlength=1).max(initial=0) <= case.most


def test_the_same_draw_is_the_same_and_another_step_another(case: Case) -> None:
    sampler, again = case.make(hub_graph(), "out", 7), case.make(hub_graph(), "out", 7)
    first = sampler.sample([0, 1], step=3)
    sampler.sample([4, 9, 0], step=8)
    assert same(first, sampler.sample([0, 1], step=3)) and same(first, again.sample([0, 1], step=3))
    others = [sampler.sample([0, 1], step=step) for step in range(4, 12)]
    other_seed = case.make(hub_graph(), "out", 8).sample([0, 1], step=3)
    assert any(not same(first, other) for other in [*others, other_seed])


def test_one_and_two_threads_draw_alike(case: Case) -> None:
    sampler = case.make(hub_graph(), "out", 0)
    batches = [[i % 40, (3 * i + 1) % 40, 0] for i in range(40)]
    alone = [sampler.sample(batch, step=step) for step, batch in enumerate(batches)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda at: sampler.sample(batches[at], step=at), range(len(batches))))
    assert all(same(one, other) for one, other in zip(alone, together, strict=True))


def test_scale_is_one_over_the_chance(case: Case) -> None:
    if not case.unbiased:
        pytest.skip("this sampler's scale has another meaning")
    arcs = hub_graph()
    sampler, everyone = case.make(arcs, "out", 0), np.arange(40)
    total, squares = np.zeros(arcs.num_arcs), np.zeros(arcs.num_arcs)
    for step in range(STEPS):
        sample = sampler.sample(everyone, step=step)
        part = sample.group(0)
        drawn = np.bincount(sample.position[part], weights=sample.scale[part], minlength=arcs.num_arcs)
        total, squares = total + drawn, squares + drawn**2
    mean = total / STEPS
    error = np.sqrt(np.maximum(squares / STEPS - mean**2, 0) / STEPS)
    assert (np.abs(mean - 1) <= 5 * error + 1e-6).all()
    assert abs(mean.sum() / arcs.num_arcs - 1) < 0.02


def test_isolated_nodes_and_empty_graphs_give_the_seeds_alone(case: Case) -> None:
    alone = case.make(hub_graph(), "out", 0).sample([39])
    assert alone.nodes.tolist() == [39] and alone.num_arcs == 0
    empty = case.make(Arcs.from_pairs([], [], num_nodes=3), "into", 0)
    assert empty.num_nodes == 3
    assert empty.sample([2, 0]).nodes.tolist() == [2, 0]
    nobody = case.make(hub_graph(), "out", 0).sample([])
    assert nobody.num_nodes == 0 and nobody.num_arcs == 0 and len(nobody.seeds) == 0


def test_loops_and_arcs_that_stand_twice_are_drawn_as_they_stand(case: Case) -> None:
    if not case.sides:
        pytest.skip("this sampler asks for a relation")
    side = Side(np.array([0, 3, 3], np.int64), np.array([0, 1, 1], np.int32))
    sample = case.make(side, "out", 0).sample([0])
    assert set(sample.nodes.tolist()) == {0, 1}
    assert set(global_arcs(sample, sample.group(0))) <= {(0, 0), (0, 1)}


@pytest.mark.parametrize("seeds", [[40], [-1], [0.5], [[0]], ["a"]])
def test_what_is_no_node_is_refused(case: Case, seeds: list) -> None:
    with pytest.raises(DataError):
        case.make(hub_graph(), "out", 0).sample(seeds)
