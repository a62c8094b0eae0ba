"""Partition: its measures against counting by hand, and its artifact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import cliques, relations

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.graph import Arcs
from thence.graph.partition import Partition, symmetrised
from thence.graph.partition import parts as parts_module
from thence.graph.partition.symmetric import pair_of


@settings(max_examples=60)
@given(relations(), st.data(), st.integers(1, 5))
def test_the_measures_are_those_that_counting_gives(arcs, data, block):
    part = data.draw(st.lists(st.integers(0, 3), min_size=arcs.num_nodes, max_size=arcs.num_nodes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts_module, "BLOCK", block)
        found = Partition.of(arcs, part, 4)
    pairs = list(zip(*arcs.pairs.tolist(), strict=True))
    cut = [part[u] != part[v] for u, v in pairs]
    sizes = [part.count(p) for p in range(4)]
    load = [sum((part[u] == p) + (part[v] == p) for u, v in pairs) for p in range(4)]
    assert found.part.tolist() == part and found.sizes.tolist() == sizes
    assert found.edge_cut == (sum(cut) / len(cut) if cut else 0)
    assert found.balance == pytest.approx(max(sizes) * 4 / sum(sizes) if part else 1)
    assert found.arc_balance == pytest.approx(max(load) * 4 / sum(load) if pairs else 1)
    for p in range(4):
        assert found.nodes(p).tolist() == [i for i, own in enumerate(part) if own == p]


@settings(max_examples=60)
@given(relations())
def test_the_symmetrised_graph_adds_both_directions_up(arcs):
    dense = np.zeros((arcs.num_nodes, arcs.num_nodes))
    ones = np.zeros_like(dense)
    for u, v, w in zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True):
        dense[u, v] += w
        dense[v, u] += w
        ones[u, v] += 1
        ones[v, u] += 1
    if arcs.num_nodes:
        assert (symmetrised(arcs, arcs.weight).toarray() == dense).all()
        assert (symmetrised(arcs).toarray() == ones).all()
    pair, count = pair_of(arcs)
    unordered = [frozenset(p) for p in zip(*arcs.pairs.tolist(), strict=True)]
    assert count == len(set(unordered))
    assert len({(p, u) for p, u in zip(pair.tolist(), unordered, strict=True)}) == count


def test_it_is_saved_and_comes_back(tmp_path):
    arcs = cliques(3, 2)
    made = Partition.of(arcs, [0, 0, 0, 1, 1, 1], 3, method="by hand")
    made.save(tmp_path / "p")
    back = Partition.load(tmp_path / "p")
    assert repr(back) == repr(made) and back.method == "by hand" and back.num_parts == 3
    assert back.part.tolist() == made.part.tolist() and back.part.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        back.part[0] = 1
    (tmp_path / "p" / "part.npy").write_bytes(b"torn")
    with pytest.raises(ArtifactError):
        Partition.load(tmp_path / "p")


def test_a_saved_partition_that_makes_no_sense_is_refused(tmp_path):
    made = Partition(np.array([0, 7], np.int32), 2, 0.0, 1.0, 1.0)
    made.save(tmp_path / "p")
    with pytest.raises(ArtifactError, match="out of range"):
        Partition.load(tmp_path / "p")


@pytest.mark.parametrize(
    ("part", "count", "error", "message"),
    [
        ([0], None, DataError, "shape"),
        ([0.0, 1.0], None, DataError, "float64"),
        ([0, -1], None, DataError, "out of range"),
        ([0, 2], 2, DataError, "out of range"),
        ([0, 1], 0, ConfigError, "num_parts is 0"),
        ([0, 1], 2.0, ConfigError, "not an int"),
    ],
)
def test_what_is_no_division_of_the_nodes_is_refused(part, count, error, message):
    with pytest.raises(error, match=message):
        Partition.of(Arcs.from_pairs([0], [1], num_nodes=2), part, count)


def test_a_part_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="part 2 is out of range"):
        Partition.of(Arcs.from_pairs([0], [1], num_nodes=2), [0, 1]).nodes(2)
