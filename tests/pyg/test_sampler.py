"""PyG's node loader on thence's samplers: which nodes, which arcs, in which order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.pyg.graphs import odd, reached, shop, split
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader
from torch_geometric.sampler import NodeSamplerInput, NumNeighbors

from thence.base.errors import ConfigError, DataError
from thence.graph.sample import FanOut
from thence.graph.sample.adaptive import Adaptive
from thence.graph.sample.labor import Labor
from thence.graph.sample.shadow import Shadow
from thence.pyg import NeighborLoader, Sampler, neighbor_sampler, sides

PATH = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]), num_nodes=4)


def batch_of(data, sampler, seeds, **options):
    return next(iter(NodeLoader(data, sampler, input_nodes=seeds, batch_size=100, **options)))


@pytest.mark.parametrize("direction", ["into", "out"])
@pytest.mark.parametrize("seeds", [[0], [3, 7], [6, 2, 1], list(range(8))])
def test_all_neighbours_are_those_that_a_literal_walk_meets(direction, seeds) -> None:
    data = odd()
    sampler = neighbor_sampler(data, [-1, -1, -1], direction=direction)
    batch = batch_of(data, sampler, seeds)
    nodes, arcs = reached(data.edge_index, seeds, 3, into=direction == "into")
    assert [set(part) for part in split(batch.n_id.tolist(), batch.num_sampled_nodes)] == nodes
    assert len(set(batch.n_id.tolist())) == batch.num_nodes
    found = split(batch.e_id.tolist(), batch.num_sampled_edges)
    assert [sorted(part) for part in found] == [sorted(part) for part in arcs]
    assert batch.n_id[: batch.batch_size].tolist() == seeds


@pytest.mark.parametrize("direction", ["into", "out"])
@pytest.mark.parametrize("fan_out", [[-1, -1], [2, 1], [1, 3, 2], [0, 2], []])
def test_arcs_point_as_they_do_in_the_graph_and_attributes_are_theirs(direction, fan_out) -> None:
    data = odd()
    batch = batch_of(data, neighbor_sampler(data, fan_out, direction=direction), [0, 1, 4])
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])
    assert torch.equal(batch.edge_attr, data.edge_attr[batch.e_id])
    assert torch.equal(batch.x, data.x[batch.n_id])
    looks = batch.n_id[batch.edge_index[1 if direction == "into" else 0]]
    frontiers = split(batch.n_id.tolist(), batch.num_sampled_nodes)[:-1] if fan_out else []
    for frontier, part in zip(frontiers, split(looks.tolist(), batch.num_sampled_edges), strict=True):
        assert set(part) <= set(frontier)


def test_a_sample_is_that_of_the_sampler_with_the_same_seed_and_step() -> None:
    data, seeds = shop(), torch.arange(20)
    loader = NodeLoader(data, neighbor_sampler(data, [3, 2], seed=5), input_nodes=("item", seeds), batch_size=8)
    plain = FanOut(sides(data), [3, 2], seed=5)
    steps = 0
    for epoch in range(2):
        for step, batch in enumerate(loader):
            sample = plain.sample(seeds[step * 8 : (step + 1) * 8].numpy() + 30, step=epoch * 3 + step)
            users = sample.nodes[sample.nodes < 30]
            items = sample.nodes[sample.nodes >= 30] - 30
            assert batch["user"].n_id.tolist() == users.tolist()
            assert batch["item"].n_id.tolist() == items.tolist()
            for relation, edge_type in enumerate(data.edge_types):
                groups = [sample.position[sample.group(hop, relation)] for hop in range(2)]
                assert batch[edge_type].e_id.tolist() == np.concatenate(groups).tolist()
                assert batch[edge_type].num_sampled_edges == [len(group) for group in groups]
            steps += 1
    assert steps == 6


def test_other_samplers_fit_in_and_their_scale_comes_along() -> None:
    data = odd()
    labor = Labor(sides(data), [2, 2], seed=3)
    loader = NeighborLoader(data, [], input_nodes=[0, 1], batch_size=2, neighbor_sampler=Sampler(labor, data))
    sample = labor.sample([0, 1], step=0)
    batch = next(iter(loader))
    assert batch.n_id.tolist() == sample.nodes.tolist()
    assert batch.e_id.tolist() == sample.position.tolist()
    assert batch.scale.tolist() == sample.scale.tolist()


@pytest.mark.parametrize("fan_out", [[-1, -1], [2, 2]])
def test_a_seed_that_is_given_twice_has_two_nodes_and_arcs_alike(fan_out) -> None:
    data = odd()
    seeds = [2, 0, 2, 2, 0, 7]
    batch = batch_of(data, neighbor_sampler(data, fan_out), seeds)
    assert batch.n_id[: batch.batch_size].tolist() == seeds and batch.batch_size == 6
    assert batch.num_sampled_nodes[0] == 6 and sum(batch.num_sampled_nodes) == batch.num_nodes
    assert sum(batch.num_sampled_edges) == batch.num_edges
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])
    first = batch.edge_index[:, : batch.num_sampled_edges[0]]
    arcs = [sorted(batch.e_id[: first.shape[1]][first[1] == at].tolist()) for at in range(6)]
    assert arcs[0] == arcs[2] == arcs[3] and arcs[1] == arcs[4] and arcs[0] and not arcs[5]
    later = batch.edge_index[1, first.shape[1] :]
    assert (later >= 6).all()
    assert not set(batch.edge_index[0].tolist()) & {2, 3, 4}  # arcs from a seed come from its first node


def test_disjoint_neighbourhoods_share_no_node() -> None:
    data = shop()
    seeds = torch.tensor([3, 3, 5])
    sampler = neighbor_sampler(data, [-1, -1], disjoint=True)
    batch = batch_of(data, sampler, ("item", seeds))
    alone = neighbor_sampler(data, [-1, -1])
    for at, seed in enumerate(seeds):
        single = batch_of(data, alone, ("item", seed.reshape(1)))
        for node_type in data.node_types:
            mine = batch[node_type].n_id[batch[node_type].batch == at]
            assert sorted(mine.tolist()) == sorted(single[node_type].n_id.tolist())
    for source, name, target in data.edge_types:
        ends = batch[source, name, target].edge_index
        assert torch.equal(batch[source].batch[ends[0]], batch[target].batch[ends[1]])


def test_induced_subgraphs_hold_every_arc_among_their_nodes() -> None:
    data = odd()
    batch = batch_of(data, neighbor_sampler(data, [1], subgraph_type="induced"), [0, 2])
    inside = torch.isin(data.edge_index, batch.n_id).all(0)
    assert sorted(batch.e_id.tolist()) == inside.nonzero().flatten().tolist()
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])
    assert "num_sampled_nodes" not in batch and "num_sampled_edges" not in batch
    mixed = shop()
    batch = batch_of(mixed, neighbor_sampler(mixed, [2], subgraph_type="induced"), ("item", torch.arange(4)))
    for source, name, target in mixed.edge_types:
        store, whole = batch[source, name, target], mixed[source, name, target].edge_index
        inside = torch.isin(whole[0], batch[source].n_id) & torch.isin(whole[1], batch[target].n_id)
        assert sorted(store.e_id.tolist()) == inside.nonzero().flatten().tolist()


def test_induced_subgraphs_stay_inside_their_seed_s_neighbourhood_and_time() -> None:
    data = odd()
    data.moment = torch.arange(data.num_edges) % 5
    seeds, times = torch.tensor([0, 0, 3]), torch.tensor([1, 4, 2])
    sampler = neighbor_sampler(data, [-1], subgraph_type="induced", time_attr="moment")
    batch = batch_of(data, sampler, seeds, input_time=times)
    for at in range(3):
        first = (data.edge_index[1] == seeds[at]) & (data.moment <= times[at])
        nodes = set(data.edge_index[0][first].tolist()) | {int(seeds[at])}
        assert set(batch.n_id[batch.batch == at].tolist()) == nodes
        inside = torch.isin(data.edge_index, torch.tensor(sorted(nodes))).all(0) & (data.moment <= times[at])
        mine = batch.batch[batch.edge_index[1]] == at
        assert sorted(batch.e_id[mine].tolist()) == inside.nonzero().flatten().tolist()


def test_counts_of_hops_are_told_only_where_arcs_stand_hop_by_hop() -> None:
    data = odd()
    sampler = Sampler(Shadow(sides(data), [3, 3]), data)
    assert sampler.disjoint
    batch = batch_of(data, sampler, [0, 3])
    assert "num_sampled_nodes" not in batch and batch.batch[:2].tolist() == [0, 1]
    assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])


def test_what_is_no_arc_of_the_data_has_no_place_among_them() -> None:
    path = Data(edge_index=PATH.edge_index, edge_weight=torch.ones(3), num_nodes=4)
    batch = batch_of(path, Sampler(Adaptive(sides(path), [2]), path), [3])
    assert batch.n_id.tolist() == [3, 2, 1]  # node 1 was met on a walk
    assert "e_id" not in batch and batch.edge_weight is None
    assert batch.edge_index.tolist() == [[1, 2], [0, 0]]


def test_bidirectional_subgraphs_hold_both_directions_of_what_was_drawn() -> None:
    data = odd()
    plain = batch_of(data, neighbor_sampler(data, [2, 2]), [0])
    both = batch_of(data, neighbor_sampler(data, [2, 2], subgraph_type="bidirectional"), [0])
    drawn = {tuple(pair) for pair in plain.edge_index.t().tolist()}
    assert {tuple(pair) for pair in both.edge_index.t().tolist()} == drawn | {(t, s) for s, t in drawn}
    assert torch.equal(plain.n_id, both.n_id)


def test_weights_decide_what_is_drawn() -> None:
    data = odd()
    data.heavy = (data.edge_index[0] == 2).float()
    batch = batch_of(data, neighbor_sampler(data, [2], weight_attr="heavy"), [0])
    assert batch.n_id.tolist() == [0, 2] and batch.num_edges == 2  # both arcs 2 → 0, and no other


def test_numbers_of_neighbours_by_edge_type() -> None:
    data = shop()
    numbers = {edge_type: [0, 0] for edge_type in data.edge_types}
    numbers["user", "buys", "item"] = [-1, 0]
    for given in (numbers, NumNeighbors({("user", "buys", "item"): [-1, 0]}, default=[0, 0])):
        batch = batch_of(data, neighbor_sampler(data, given), ("item", torch.arange(4)))
        drawn = {edge_type[1]: batch[edge_type].num_edges for edge_type in data.edge_types}
        whole = data["user", "buys", "item"].edge_index[1]
        assert drawn == {"buys": int((whole < 4).sum()), "bought": 0, "links": 0}


def test_draws_differ_from_step_to_step_and_repeat_with_the_seed() -> None:
    data = shop()

    def epochs(seed: int) -> list[list[list[int]]]:
        loader = NeighborLoader(data, [1, 1], input_nodes=("item", None), batch_size=5, seed=seed)
        return [[batch["user"].n_id.tolist() for batch in loader] for _ in range(2)]

    assert epochs(1) == epochs(1) != epochs(2)
    assert epochs(1)[0] != epochs(1)[1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"num_neighbors": [-2]}, "fan-out of -2"),
        ({"num_neighbors": [1.5]}, "fan-out of 1.5"),
        ({"num_neighbors": 3}, "num_neighbors"),
        ({"num_neighbors": {("user", "likes", "item"): [1]}}, "num_neighbors"),
        ({"num_neighbors": {("user", "buys", "item"): [1]}}, "Missing number of neighbors"),
        ({"num_neighbors": [1], "subgraph_type": "none"}, "no subgraph_type 'none'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(asked, said) -> None:
    with pytest.raises(ConfigError, match=said):
        neighbor_sampler(shop(), **asked)


@pytest.mark.parametrize("asked", [{"replace": True}, {"temporal_strategy": "first"}])
def test_loaders_refuse_what_they_do_not_offer(asked) -> None:
    with pytest.raises(ConfigError):
        NeighborLoader(odd(), [1], **asked)


def test_seeds_and_samplers_that_do_not_fit_are_refused() -> None:
    data = shop()
    with pytest.raises(DataError, match=r"node 20 is out of range .in 20 nodes of type 'item'"):
        batch_of(data, neighbor_sampler(data, [1]), ("item", [20]))
    with pytest.raises(DataError, match="node 8 is out of range"):
        batch_of(odd(), neighbor_sampler(odd(), [1]), [8])
    with pytest.raises(DataError, match="the sampler has 8 nodes, the data 50"):
        Sampler(FanOut(sides(odd()), [1]), data)
    few = {"arcs": sides(data)["user__buys__item"]}
    with pytest.raises(ConfigError, match="reads 1 relations, the data have 3"):
        batch_of(data, Sampler(FanOut(few, [1]), data), ("item", [0]))
    with pytest.raises(ConfigError, match="seeds have times, the sampler none"):
        index = NodeSamplerInput(None, torch.tensor([0]), torch.tensor([5]))
        neighbor_sampler(odd(), [1]).sample_from_nodes(index)


# A sampler that looks the wrong way is caught


def check_direction(sampler) -> None:
    batch = batch_of(PATH, sampler, [2])
    assert batch.n_id.tolist() == [2, 1, 0]  # messages come along the arcs: 0 → 1 → 2
    assert batch.n_id[batch.edge_index].tolist() == [[1, 0], [2, 1]]


def test_direction_mutants_die() -> None:
    check_direction(neighbor_sampler(PATH, [-1, -1]))
    out = FanOut(sides(PATH, direction="out"), [None, None])
    mutants = (
        neighbor_sampler(PATH, [-1, -1], direction="out"),
        Sampler(out, PATH),
        Sampler(FanOut(sides(PATH), [None, None]), PATH, direction="out"),
        neighbor_sampler(PATH, [-1, -1], subgraph_type="bidirectional"),
    )
    for mutant in mutants:
        with pytest.raises(AssertionError):
            check_direction(mutant)
