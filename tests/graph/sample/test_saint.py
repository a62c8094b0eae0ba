"""GraphSAINT: chances in closed form, and sums and losses that come out right on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.contract import test_samplers as contract
from tests.samplers import Case, hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Side
from thence.graph.sample.saint import Kind, Saint

STEPS = 800


def small() -> Arcs:
    """Six nodes, each with arcs in both directions."""
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (2, 0), (3, 4), (4, 5), (5, 0), (5, 1), (2, 5)]
    return Arcs.from_pairs(*np.array(pairs).T, num_nodes=6)


def met(saint: Saint) -> tuple[np.ndarray, np.ndarray]:
    """Over the steps: how often each node and each arc was in a subgraph."""
    nodes, arcs = np.zeros(6), np.zeros(10)
    for step in range(STEPS):
        sample = saint.subgraph(step)
        nodes[sample.nodes] += 1
        arcs[sample.position] += 1
    return nodes / STEPS, arcs / STEPS


def near(seen: np.ndarray, chance: np.ndarray) -> np.bool:
    return (np.abs(seen - chance) < 5 * np.sqrt(chance * (1 - chance) / STEPS) + 1e-9).all()


def test_nodes_come_as_often_as_they_are_looked_at() -> None:
    """Of n draws with replacement by Σ_v 1/d_v²: 1 - (1 - P)^n, and so for two at once."""
    arcs = small()
    p = ((arcs.matrix().toarray() / arcs.out_degree[:, None]) ** 2).sum(axis=0)
    p /= p.sum()
    u, v = arcs.pairs
    alone = 1 - (1 - p) ** 4
    both = 1 - (1 - p[u]) ** 4 - (1 - p[v]) ** 4 + (1 - p[u] - p[v]) ** 4
    saint = Saint(arcs, "node", 4, rounds=3_000)
    nodes, joined = met(saint)
    assert near(nodes, alone) and near(joined, both)
    assert np.allclose(saint.weight(np.arange(6)), 1 / (6 * alone), rtol=0.15)
    sample = saint.subgraph(1)
    assert np.allclose(sample.scale, (alone[u] / both)[sample.position], rtol=0.25)


def test_arcs_come_as_often_as_their_degrees_say() -> None:
    """One draw: the arc's P ∝ 1/d_out(u) + 1/d_in(v); a node is there with any arc of its own."""
    arcs = small()
    u, v = arcs.pairs
    p = 1 / arcs.out_degree[u] + 1 / arcs.in_degree[v]
    p /= p.sum()
    nodes, joined = met(Saint(arcs, "arc", 1, rounds=10))
    again = arcs.reverse_at
    chance = p + np.where(again >= 0, p[again], 0)  # its reverse brings it along
    assert near(joined, chance)
    assert near(nodes, np.bincount(u, p, 6) + np.bincount(v, p, 6))


def test_walks_go_along_the_arcs_and_nowhere_else() -> None:
    chain = Arcs.from_pairs(range(9), range(1, 10), num_nodes=10)
    out = Saint(chain, "walk", 3, roots=2, rounds=10).sample([2, 8])
    into = Saint(chain, "walk", 3, roots=2, direction="into", rounds=10).sample([2, 8])
    assert sorted(out.nodes.tolist()) == [2, 3, 4, 5, 8, 9] and out.nodes[:2].tolist() == [2, 8]
    assert sorted(into.nodes.tolist()) == [0, 1, 2, 5, 6, 7, 8]
    assert (out.nodes[out.column] == out.nodes[out.row] + 1).all() and out.num_arcs == 4
    assert (into.nodes[into.column] == into.nodes[into.row] - 1).all() and into.num_arcs == 5


@pytest.mark.parametrize(
    ("kind", "size", "roots"), [("node", 3, 0), ("arc", 2, 0), ("walk", 2, 2), ("arc", 1, 1)]
)
def test_sums_and_losses_are_right_on_average(kind: Kind, size: int, roots: int) -> None:
    arcs, loss = small(), np.array([1.0, -2, 3, 5, 0, 4])
    saint = Saint(arcs, kind, size, roots=roots, rounds=4_000)
    losses, present, drawn = np.empty(STEPS), np.zeros((STEPS, 6)), np.zeros((STEPS, 10))
    for step in range(STEPS):
        sample = saint.subgraph(step)
        losses[step] = (saint.weight(sample.nodes) * loss[sample.nodes]).sum()
        present[step, sample.nodes] = 1
        drawn[step, sample.position] = sample.scale
    assert abs(losses.mean() - loss.mean()) < 5 * losses.std() / np.sqrt(STEPS)
    given = present[:, arcs.pairs[0]]  # Σ scale · x is right whenever the node that looks is there
    gap = drawn - given
    assert (np.abs(gap.mean(axis=0)) < 5 * gap.std(axis=0) / np.sqrt(STEPS)).all()


def test_seeds_are_the_roots() -> None:
    """Over batches of random seeds, as a loader gives them, the sums are right too."""
    arcs, rng = small(), np.random.default_rng(0)
    saint = Saint(arcs, "walk", 2, roots=2, rounds=4_000)
    gap = np.zeros((STEPS, 10))
    for step in range(STEPS):
        seeds = rng.integers(0, 6, 2)
        sample = saint.sample(seeds, step=step)
        assert sample.nodes[sample.seeds].tolist() == seeds.tolist()
        present = np.isin(arcs.pairs[0], sample.nodes)
        gap[step, sample.position] = sample.scale
        gap[step] -= present
    assert (np.abs(gap.mean(axis=0)) < 5 * gap.std(axis=0) / np.sqrt(STEPS)).all()


@pytest.mark.parametrize("kind", ["node", "arc"])
def test_the_contract_where_others_than_neighbours_come(kind: Kind) -> None:
    case = Case(lambda g, d, s: Saint(g, kind, 12, direction=d, rounds=30, seed=s), unbiased=False)
    for direction in ("out", "into"):
        contract.test_every_arc_is_an_arc_in_that_direction(case, direction)
        contract.test_entries_and_positions_name_the_arcs(case, direction)
    contract.test_shapes_and_orders_are_those_of_the_noun(case)
    contract.test_no_neighbour_twice_and_no_more_than_asked_for(case)
    contract.test_the_same_draw_is_the_same_and_another_step_another(case)
    contract.test_one_and_two_threads_draw_alike(case)
    contract.test_what_is_no_node_is_refused(case, [40])
    empty = Saint(Arcs.from_pairs([], [], num_nodes=3), kind, 5, rounds=3)
    assert empty.sample([2, 0]).nodes.tolist() == [2, 0] and empty.subgraph().num_nodes == 0
    assert Saint(hub_graph(), kind, 5, rounds=3).sample([]).num_nodes == 0


def test_progress_is_told_and_counts_are_checked() -> None:
    told = []
    Saint(small(), "node", 2, rounds=3, progress=lambda task, done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    nothing = Saint(Side(np.zeros(1, np.int64), np.empty(0, np.int32)), "walk", 2, roots=2, rounds=2)
    assert nothing.subgraph().num_nodes == 0
    wrong: list[dict[str, Any]] = [
        {"kind": "edge"},
        {"size": -1},
        {"rounds": 0},
        {"roots": -1},
        {"kind": "walk"},
    ]
    for settings in wrong:
        with pytest.raises(ConfigError):
            Saint(small(), **({"kind": "node", "size": 2} | settings))
    with pytest.raises(DataError):
        Saint(small(), "node", 2, rounds=2).sample([0], times=np.array([0]))
