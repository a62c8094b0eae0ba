"""Arcs against sets of pairs: whatever is asked of both sides, brute force gives the same answer."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.graph import arcs as arcs_module
from thence.graph.arcs import Arcs
from thence.graph.check import check_stored

quick = settings(deadline=None, max_examples=60)


@st.composite
def relations(draw, directed=True):
    """(num_nodes, {(source, target): weight} in a random order)."""
    num_nodes = draw(st.integers(0, 9))
    ordered = [(u, v) for u in range(num_nodes) for v in range(num_nodes) if u != v]
    pairs = draw(st.lists(st.sampled_from(ordered), unique=True)) if ordered else []
    if not directed:
        pairs = draw(st.permutations(sorted({p for u, v in pairs for p in ((u, v), (v, u))})))
    weights = draw(st.lists(st.integers(-50, 50), min_size=len(pairs), max_size=len(pairs)))
    return num_nodes, dict(zip(pairs, map(float, weights), strict=True))


def arcs_of(relation, directed=True):
    num_nodes, weight = relation
    source, target = [u for u, _ in weight], [v for _, v in weight]
    values = {"support": np.array([10 * u + v for u, v in weight], np.int32)}
    return Arcs.from_pairs(
        source, target, num_nodes=num_nodes, weight=list(weight.values()), values=values, directed=directed
    )


def triples(arcs):
    return list(zip(*arcs.pairs.tolist(), arcs.weight.tolist(), strict=True))


def same(one, other):
    fields = ("indptr", "targets", "in_indptr", "sources", "in_order")
    assert one.values.keys() == other.values.keys() and one.directed == other.directed
    for a, b in [(getattr(one, f), getattr(other, f)) for f in fields] + [
        (one.values[name], other.values[name]) for name in one.values
    ]:
        assert a.dtype == b.dtype and a.tolist() == b.tolist()


@quick
@given(relations())
def test_the_stored_form_holds_the_arcs_that_came_in_sorted(relation):
    num_nodes, weight = relation
    arcs = arcs_of(relation)
    assert triples(arcs) == [(u, v, weight[u, v]) for u, v in sorted(weight)]
    assert arcs.values["support"].tolist() == [10 * u + v for u, v in sorted(weight)]
    for node in range(num_nodes):
        assert arcs.out(node).tolist() == sorted(v for u, v in weight if u == node)
        assert arcs.into(node).tolist() == sorted(u for u, v in weight if v == node)
        into = arcs.in_order[arcs.in_indptr[node] : arcs.in_indptr[node + 1]]
        assert arcs.weight[into].tolist() == [weight[u, node] for u in arcs.into(node).tolist()]
    assert arcs.out_degree.tolist() == [len(arcs.out(i)) for i in range(num_nodes)]
    assert arcs.in_degree.tolist() == [len(arcs.into(i)) for i in range(num_nodes)]
    check_stored(arcs)


@quick
@given(relations())
def test_the_matrix_is_the_adjacency_and_leads_back(relation):
    num_nodes, weight = relation
    arcs = arcs_of(relation)
    dense = np.zeros((num_nodes, num_nodes))
    for (u, v), w in weight.items():
        dense[u, v] = w
    if num_nodes:
        matrix = arcs.matrix()
        assert (matrix.toarray() == dense).all()
        back = sp.coo_matrix(matrix)
        again = Arcs.from_pairs(back.row, back.col, num_nodes=num_nodes, weight=back.data)
        assert triples(again) == triples(arcs)


@quick
@given(relations(), st.integers(1, 4))
def test_reverses_are_found_in_blocks_of_any_size(relation, block):
    arcs = arcs_of(relation)
    place = {pair: at for at, pair in enumerate(zip(*arcs.pairs.tolist(), strict=True))}
    expected = [place.get((v, u), -1) for u, v in place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arcs_module, "BLOCK", block)
        assert arcs.reverse_at.tolist() == expected
    assert arcs.reverse_at.tolist() == expected
    assert arcs.one_way.tolist() == [at < 0 for at in expected]
    assert arcs.one_way_share == (sum(at < 0 for at in expected) / len(expected) if expected else 0)


@quick
@given(relations(), st.lists(st.tuples(st.integers(-2, 10), st.integers(-2, 10))), st.integers(1, 4))
def test_positions_are_those_of_the_pairs_and_minus_one_for_all_else(relation, asked, block):
    arcs = arcs_of(relation)
    place = {pair: at for at, pair in enumerate(zip(*arcs.pairs.tolist(), strict=True))}
    asked = asked + list(place)
    source, target = [u for u, _ in asked], [v for _, v in asked]
    expected = [place.get(pair, -1) for pair in asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arcs_module, "BLOCK", block)
        assert arcs.positions(source, target).tolist() == expected
    assert arcs.contains(source, target).tolist() == [at >= 0 for at in expected]


def test_a_node_that_does_not_exist_is_not_taken_for_another():
    arcs = Arcs.from_pairs([1], [0], num_nodes=3)
    assert arcs.positions([0, 2, 1], [3, -3, 0]).tolist() == [-1, -1, 0]  # 0·3+3 = 2·3-3 = 1·3+0


@quick
@given(relations())
def test_reversed_swaps_the_sides_and_twice_is_nothing(relation):
    arcs = arcs_of(relation)
    back = arcs.reversed()
    check_stored(back)
    assert sorted((v, u, w) for u, v, w in triples(back)) == triples(arcs)
    assert back.indptr.tolist() == arcs.in_indptr.tolist() and back.targets.tolist() == arcs.sources.tolist()
    assert back.sources.tolist() == arcs.targets.tolist()
    num_nodes, weight = relation
    same(
        back,
        arcs_of((num_nodes, {(v, u): w for (u, v), w in weight.items()})).with_value(
            "support", back.values["support"]
        ),
    )
    same(back.reversed(), arcs)


@quick
@given(relations(), st.data())
def test_select_keeps_arcs_with_their_values(relation, data):
    arcs = arcs_of(relation)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=arcs.num_arcs, max_size=arcs.num_arcs)), bool)
    part = arcs.select(keep)
    check_stored(part)
    assert triples(part) == [row for row, kept in zip(triples(arcs), keep, strict=True) if kept]
    assert part.values["support"].tolist() == arcs.values["support"][keep].tolist()
    shuffled = np.array(data.draw(st.permutations(np.flatnonzero(keep).tolist())), np.int64)
    same(arcs.select(shuffled), part)


@quick
@given(relations(directed=False))
def test_an_undirected_relation_has_two_equal_sides(relation):
    arcs = arcs_of(relation, directed=False)
    check_stored(arcs)
    assert arcs.indptr.tolist() == arcs.in_indptr.tolist() and arcs.targets.tolist() == arcs.sources.tolist()
    assert not arcs.one_way.any() and "undirected" in repr(arcs)
    if arcs.num_arcs:
        with pytest.raises(DataError, match="lacks its reverse"):
            arcs.select(np.arange(1, arcs.num_arcs))


def test_arrays_are_read_only():
    weight = np.array([1.0, 2.0], np.float32)
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=weight)
    arcs = arcs.with_value("lift", weight)
    for array in (
        arcs.indptr,
        arcs.targets,
        arcs.in_indptr,
        arcs.sources,
        arcs.in_order,
        *arcs.values.values(),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[:1] = 0
    weight[:] = 0  # the caller's own array stays writable
    assert arcs.weight.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("source", "target", "more", "message"),
    [
        ([0], [1, 2], {}, "1 sources but 2 targets"),
        ([0], [3], {}, "node 3 is out of range"),
        ([-1], [1], {}, "node -1 is out of range"),
        ([0], [2**40], {}, "out of range"),
        ([0.0], [1.0], {}, "float64, not ints"),
        (["0"], ["1"], {}, "not ints"),
        ([True], [False], {}, "bool, not ints"),
        ([[0]], [[1]], {}, r"shape \(1, 1\)"),
        ([1], [1], {}, "node 1 has an arc to itself"),
        ([0, 1, 0], [1, 0, 1], {}, "arc 0 → 1 stands twice"),
        ([0, 1, 1, 0], [2, 0, 2, 2], {}, "arc 0 → 2 stands twice"),
        ([0], [1], {"weight": [np.nan]}, "not finite"),
        ([0], [1], {"weight": [1e300]}, "not finite"),
        ([0], [1], {"weight": [1.0, 2.0]}, "shape"),
        ([0], [1], {"values": {"lift": np.ones(2)}}, "shape"),
        ([0], [1], {"values": {"lift": ["high"]}}, "not numbers"),
        ([0], [1], {"values": {"a/b": [1.0]}}, "cannot be named"),
        ([0], [1], {"values": {"weight": [1.0]}, "weight": [2.0]}, "given twice"),
        ([0], [1], {"directed": False}, "lacks its reverse"),
        ([], [], {"num_nodes": -1}, "num_nodes is -1"),
        ([], [], {"num_nodes": 2.5}, "not an int"),
        ([], [], {"num_nodes": 2**31}, "num_nodes is 2147483648"),
    ],
)
def test_pairs_that_are_no_relation_are_refused(source, target, more, message):
    with pytest.raises(DataError, match=message):
        Arcs.from_pairs(source, target, **{"num_nodes": 3, **more})


def test_a_weight_among_the_values_is_the_weight():
    assert Arcs.from_pairs([0], [1], num_nodes=2, values={"weight": [3.0]}).weight.tolist() == [3.0]


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.int64, np.uint64])
def test_ints_of_any_kind_are_nodes(kind):
    arcs = Arcs.from_pairs(np.array([0, 1], kind), np.array([1, 2], kind), num_nodes=3)
    assert arcs.pairs.tolist() == [[0, 1], [1, 2]]


def test_long_values_keep_their_precision_in_a_matrix():
    last = 1_507_000_000_000_001
    arcs = Arcs.from_pairs([0], [1], num_nodes=2, values={"last_time": np.array([last])})
    assert arcs.matrix("last_time")[0, 1] == last
    assert arcs.matrix().dtype == np.float32


def test_with_value_checks_what_it_adds():
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    assert arcs.with_value("lift", np.array([2.0, 3.0])).values["lift"].tolist() == [2.0, 3.0]
    assert "lift" not in arcs.values
    for array, message in ((np.ones(1), "shape"), (np.array(["a", "b"]), "not numbers")):
        with pytest.raises(DataError, match=message):
            arcs.with_value("lift", array)
    with pytest.raises(DataError, match="not finite"):
        arcs.with_value("weight", np.array([np.inf, 1]))
    assert arcs.with_value("weight", [5, 6]).weight.dtype == np.float32
