"""Arcs made on disk equal those made in memory, array by array, whatever the blocks and buckets."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.literal import bought, log_of
from tests.graph.test_arcs import relations, same
from tests.graph.test_digraph import assert_same

from thence.base.errors import DataError
from thence.graph import external
from thence.graph.arcs import Arcs
from thence.graph.build import GraphConfig, build_graph
from thence.graph.check import check_stored
from thence.graph.digraph import DiGraph
from thence.graph.external import arcs_from_blocks
from thence.graph.relation import pairs as pairs_module

quick = settings(deadline=None, max_examples=40)


def whole_of(relation):
    _, weight = relation
    ends = np.array(list(weight), np.int64).reshape(-1, 2)
    return {
        "source": ends[:, 0],
        "target": ends[:, 1],
        "weight": np.array(list(weight.values())),
        "support": (10 * ends[:, 0] + ends[:, 1]).astype(np.int32),
        "last_time": -ends[:, 0] * 2**40,
    }


def cut(whole, at):
    bounds = [0, *sorted(at), len(whole["source"])]
    for first, last in pairwise(bounds):
        yield {name: array[first:last] for name, array in whole.items()}


def in_memory(relation, directed=True):
    whole = whole_of(relation)
    return Arcs.from_pairs(
        whole.pop("source"), whole.pop("target"), num_nodes=relation[0], values=whole, directed=directed
    )


@quick
@given(st.booleans().flatmap(lambda way: st.tuples(relations(directed=way), st.just(way))), st.data())
def test_the_stored_form_is_that_of_from_pairs(drawn, data):
    (num_nodes, weight), directed = drawn
    at = data.draw(st.lists(st.integers(0, len(weight)), max_size=4))
    bucket, piece = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external, "BUCKET", bucket)
        patch.setattr(external, "PIECE", piece)
        blocks = cut(whole_of((num_nodes, weight)), at)
        arcs = arcs_from_blocks(blocks, num_nodes=num_nodes, directed=directed)
    same(arcs, in_memory((num_nodes, weight), directed))
    check_stored(arcs)


def test_the_arrays_are_mapped_and_read_only_and_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arcs = arcs_from_blocks([whole_of((3, {(0, 1): 1.0, (2, 1): 2.0}))], num_nodes=3)
    assert isinstance(arcs.targets, np.memmap) and isinstance(arcs.weight, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        arcs.weight[0] = 0
    assert not list(tmp_path.iterdir())
    assert arcs.into(1).tolist() == [0, 2] and arcs.weight.tolist() == [1, 2]


def block(source, target, **values):
    ends = {"source": np.array(source), "target": np.array(target)}
    return {**ends, "weight": np.ones(len(source), np.float32), **values}


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([block([0], [3])], "node 3 is out of range"),
        ([block([-1], [1])], "node -1 is out of range"),
        ([block([0], [1]), block([2], [2])], "an arc to itself"),
        ([block([0, 1], [1, 2]), block([0], [1])], "arc 0 → 1 stands twice"),
        ([block([0], [1], weight=np.array([np.nan]))], "not finite"),
        ([block([0], [1], weight=np.array([1e39]))], "not finite"),
        ([block([0, 1], [1])], "2 sources but 1 targets"),
        ([block([0.0], [1])], "not ints"),
        ([block([0], [1]), block([1], [2], lift=np.ones(1))], "those before it"),
        ([{"source": np.array([0]), "target": np.array([1])}], "no weight"),
        ([block([0], [1], lift=np.array(["a"]))], "not numbers"),
    ],
)
def test_what_from_pairs_refuses_is_refused(blocks, message):
    with pytest.raises(DataError, match=message):
        arcs_from_blocks(blocks, num_nodes=3)


def test_an_undirected_relation_needs_both_directions():
    with pytest.raises(DataError, match="lacks its reverse"):
        arcs_from_blocks([block([0], [1])], num_nodes=2, directed=False)


def test_no_blocks_at_all():
    same(arcs_from_blocks([], num_nodes=3), Arcs.from_pairs([], [], num_nodes=3))


def a_shop():
    rng = np.random.default_rng(3)
    rows = ((int(day), f"u{user}", f"i{item}") for day, user, item in rng.integers(0, [40, 30, 25], (900, 3)))
    items = {"item_id": [f"i{i}" for i in range(25)], "category": [f"c{i % 3}" for i in range(25)]}
    log = bought([], *rows)
    looks = [
        (*row[:3], "view", None)
        for row in bought([], *((d % 9, f"u{d % 7}", f"i{d % 25}") for d in range(200)))
    ]
    return log_of(log + looks, items)


@pytest.fixture(scope="module")
def shop():
    return a_shop()


def test_a_graph_of_pairs_on_disk_is_the_graph_of_pairs_in_memory(shop, monkeypatch, tmp_path):
    config = GraphConfig(("same_basket", "bought_after", "co_viewed", "substitute"), min_count=1, min_support=1)
    expected = build_graph(shop, config)
    assert all(arcs.num_arcs for arcs in expected.relations.values())
    for name, size in {"ON_DISK_FROM": 1, "PIECE": 7}.items():
        monkeypatch.setattr(pairs_module, name, size)
    monkeypatch.setattr(external, "BUCKET", 50)
    monkeypatch.setattr("thence.graph.arcs.BLOCK", 40)
    graph = build_graph(shop, config)
    assert all(isinstance(arcs.values["lift"], np.memmap) for arcs in graph.relations.values())
    assert_same(graph, expected)
    monkeypatch.setattr("thence.base.mapped.BLOCK_BYTES", 64)  # saved piece by piece
    graph.save(tmp_path / "g")
    assert_same(DiGraph.load(tmp_path / "g"), expected)
