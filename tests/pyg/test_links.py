"""PyG's link loader on thence's samplers: labels, negatives, and where the ends of links stand."""

from __future__ import annotations

import pytest
import torch
from tests.pyg.graphs import BUYS, LINKS, odd, shop
from torch_geometric.data import Data
from torch_geometric.loader import LinkLoader
from torch_geometric.sampler import EdgeSamplerInput, NegativeSampling

from thence.base.errors import DataError
from thence.pyg import LinkNeighborLoader, neighbor_sampler


@pytest.mark.parametrize("disjoint", [False, True])
def test_the_ends_of_links_are_those_that_were_asked_for(disjoint) -> None:
    data = odd()
    labels = torch.arange(data.num_edges)
    sampler = neighbor_sampler(data, [2, 2], disjoint=disjoint)
    loader = LinkLoader(data, sampler, edge_label=labels, batch_size=5, shuffle=True)
    seen = []
    for batch in loader:
        assert torch.equal(batch.n_id[batch.edge_label_index], data.edge_index[:, batch.edge_label])
        assert torch.equal(batch.input_id, batch.edge_label)
        assert torch.equal(batch.n_id[batch.edge_index], data.edge_index[:, batch.e_id])
        seen += batch.edge_label.tolist()
        if disjoint:
            ends = batch.batch[batch.edge_label_index]
            assert torch.equal(ends[0], ends[1]) and ends[0].tolist() == list(range(len(ends[0])))
    assert sorted(seen) == labels.tolist()


@pytest.mark.parametrize("edge_type", [BUYS, LINKS])
@pytest.mark.parametrize("disjoint", [False, True])
def test_links_between_types_and_inside_one(edge_type, disjoint) -> None:
    data = shop()
    loader = LinkNeighborLoader(
        data,
        [2, 2],
        edge_label_index=(edge_type, data[edge_type].edge_index[:, :12]),
        neg_sampling={"mode": "binary", "amount": 2},
        disjoint=disjoint,
        batch_size=6,
    )
    for number, batch in enumerate(loader):
        store = batch[edge_type]
        source = batch[edge_type[0]].n_id[store.edge_label_index[0]]
        target = batch[edge_type[2]].n_id[store.edge_label_index[1]]
        part = data[edge_type].edge_index[:, number * 6 : number * 6 + 6]
        assert torch.equal(torch.stack([source, target])[:, :6], part)
        assert store.edge_label.tolist() == [1.0] * 6 + [0.0] * 12
        sizes = (data[edge_type[0]].num_nodes, data[edge_type[2]].num_nodes)
        assert source.max() < sizes[0] and target.max() < sizes[1]


def test_labels_move_up_to_make_room_for_negatives() -> None:
    data = odd()
    labels = torch.arange(data.num_edges) % 3
    batch = next(iter(LinkNeighborLoader(data, [1], edge_label=labels, neg_sampling="binary", batch_size=13)))
    assert batch.edge_label[:13].tolist() == (labels + 1).tolist() and not batch.edge_label[13:].any()


@pytest.mark.parametrize(("amount", "num"), [(0.5, 3), (1, 5), (2.5, 13)])
def test_as_many_negatives_as_asked_for(amount, num) -> None:
    batch = next(iter(LinkNeighborLoader(odd(), [1], neg_sampling=("binary", amount), batch_size=5)))
    assert batch.edge_label.tolist() == [1.0] * 5 + [0.0] * num


@pytest.mark.parametrize("amount", [1, 3])
@pytest.mark.parametrize("disjoint", [False, True])
def test_triplets_have_their_source_and_negatives_for_its_target(amount, disjoint) -> None:
    data = odd()
    loader = LinkNeighborLoader(
        data, [2], neg_sampling=("triplet", amount), batch_size=4, disjoint=disjoint, seed=3
    )
    for number, batch in enumerate(loader):
        part = data.edge_index[:, number * 4 : number * 4 + 4]
        num = part.shape[1]
        assert torch.equal(batch.n_id[batch.src_index], part[0])
        assert torch.equal(batch.n_id[batch.dst_pos_index], part[1])
        assert batch.dst_neg_index.shape == ((num,) if amount == 1 else (num, amount))
        if disjoint:
            rows = batch.batch[batch.dst_neg_index.reshape(num, -1)]
            assert torch.equal(rows, torch.arange(num)[:, None].expand(-1, amount))


def test_both_ends_of_negatives_are_uniform() -> None:
    sampler = neighbor_sampler(odd(), [])
    counts = torch.zeros(2, 8)
    index = EdgeSamplerInput(None, torch.zeros(500).long(), torch.zeros(500).long())
    for _ in range(16):
        out = sampler.sample_from_edges(index, NegativeSampling("binary"))
        ends = out.node[out.metadata[1][:, 500:]]
        for end in range(2):
            counts[end] += torch.bincount(ends[end], minlength=8)
    assert (counts.sum(1) == 8000).all()
    chi_squared = ((counts - 1000) ** 2 / 1000).sum(1)
    assert (chi_squared < 24.3).all()  # the 0.999 quantile with 7 degrees of freedom


def test_negatives_by_weight_and_never_the_same_twice_in_a_row() -> None:
    data = odd()
    weight = torch.tensor([0.0, 1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    wanted = NegativeSampling("triplet", dst_weight=weight)
    index = EdgeSamplerInput(None, torch.zeros(400).long(), torch.zeros(400).long())
    sampler, again = neighbor_sampler(data, []), neighbor_sampler(data, [])
    drawn = []
    for _ in range(2):
        out, same = sampler.sample_from_edges(index, wanted), again.sample_from_edges(index, wanted)
        negatives = out.node[out.metadata[3]]
        assert torch.equal(negatives, same.node[same.metadata[3]])
        assert abs(float((negatives == 3).float().mean()) - 0.75) < 0.1 and set(negatives.tolist()) == {1, 3}
        drawn.append(negatives.tolist())
    other = neighbor_sampler(data, [], seed=1).sample_from_edges(index, wanted)
    assert drawn[0] != drawn[1] and drawn[0] != other.node[other.metadata[3]].tolist()
    with pytest.raises(DataError, match="3 of 8 nodes"):
        sampler.sample_from_edges(index, NegativeSampling("triplet", dst_weight=torch.ones(3)))


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    index = EdgeSamplerInput(None, torch.tensor([0]), torch.tensor([1]))
    neighbor_sampler(odd(), [1]).sample_from_edges(index, NegativeSampling("binary", 5))
    assert torch.equal(torch.rand(3), expected)


def test_ends_that_are_no_nodes_are_refused() -> None:
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    with pytest.raises(DataError, match="node 2 is out of range"):
        next(iter(LinkNeighborLoader(data, [1], edge_label_index=torch.tensor([[0], [2]]))))
