"""Sparsifiers that rank: each against sorting rows in plain Python."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import relations, rows, scale_free

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.check import check_stored
from thence.graph.sparsify import (
    fill_tail,
    inner_product,
    local_degree,
    similar,
    structure,
    top_score,
    top_similar,
    top_weight,
)
from thence.graph.sparsify import rank as rank_module

SIDES = ("out", "into", "either", "both")
quick = settings(max_examples=60)


def best(arcs, score, most, side):
    """Arcs among the ``most(row)`` best of a side, by sorting every row; {(u, v)}."""
    pairs = list(zip(*arcs.pairs.tolist(), strict=True))
    found = {}
    for name, own, other in (("out", 0, 1), ("into", 1, 0)):
        found[name] = set()
        for node in range(arcs.num_nodes):
            row = [pair for pair in pairs if pair[own] == node]
            row.sort(key=lambda pair, other=other: (-score[pair], pair[other]))
            found[name] |= set(row[: most(len(row))])
    kept = found.get(side) or (
        found["out"] | found["into"]
        if side == "either"
        else found["out"] & found["into"]
        if side == "both"
        else set()
    )
    return kept if arcs.directed else kept | {(v, u) for u, v in kept}


def kept(after):
    return set(zip(*after.pairs.tolist(), strict=True))


def by_pair(arcs, values):
    return dict(zip(zip(*arcs.pairs.tolist(), strict=True), np.asarray(values).tolist(), strict=True))


@quick
@given(relations(heaviest=4), st.integers(0, 4), st.sampled_from(SIDES), st.integers(1, 4))
def test_top_weight_keeps_the_heaviest_of_each_row(arcs, k, side, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rank_module, "BLOCK", block)
        after = top_weight(arcs, k, side=side)
    check_stored(after)
    assert kept(after) == best(arcs, by_pair(arcs, arcs.weight), lambda _: k, side)
    assert rows(after) <= rows(arcs) and after.directed == arcs.directed


@quick
@given(relations(heaviest=4), st.floats(0.01, 1), st.sampled_from(SIDES))
def test_a_share_is_kept_by_the_smallest_k_that_does(arcs, share, side):
    after = top_weight(arcs, share=share, side=side)
    enough = math.ceil(share * arcs.num_arcs - 1e-9)
    if arcs.directed:
        counts = [top_weight(arcs, k, side=side).num_arcs for k in range(10)]
        smallest = next(k for k in range(1, 10) if counts[k] >= enough)
        assert after.num_arcs == counts[smallest]
    assert after.num_arcs >= enough


@quick
@given(relations(nodes=(1, 8)), st.data(), st.integers(0, 3), st.sampled_from(SIDES))
def test_top_similar_ranks_by_inner_products(arcs, data, k, side):
    ints = st.lists(st.integers(-3, 3), min_size=2 * arcs.num_nodes, max_size=2 * arcs.num_nodes)
    source, target = (np.array(data.draw(ints), float).reshape(-1, 2) for _ in range(2))
    score = {(u, v): float(source[u] @ target[v]) for u, v in zip(*arcs.pairs.tolist(), strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similar, "BLOCK", 3)
        after = top_similar(arcs, inner_product(source, target), k, side=side)
    assert kept(after) == best(arcs, score, lambda _: k, side)
    assert kept(top_similar(arcs, lambda i, j: -i - j, k, side=side)) == best(
        arcs, {(u, v): -u - v for u, v in score}, lambda _: k, side
    )


@quick
@given(relations(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.sampled_from(SIDES))
def test_local_degree_keeps_the_best_connected_of_each_row(arcs, exponent, side):
    degree = (arcs.out_degree + arcs.in_degree).tolist()

    def most(size):
        return math.ceil(size**exponent - 1e-9) if size else 0

    out = {(u, v): degree[v] for u, v in zip(*arcs.pairs.tolist(), strict=True)}
    into = {(u, v): degree[u] for u, v in out}
    plain = replace(arcs, directed=True)
    one, two = best(plain, out, most, "out"), best(plain, into, most, "into")
    expected = {"out": one, "into": two, "either": one | two, "both": one & two}[side]
    if not arcs.directed:
        expected |= {(v, u) for u, v in expected}
    after = local_degree(arcs, exponent, side=side)
    assert kept(after) == expected and rows(after) <= rows(arcs)


@pytest.mark.parametrize("side", SIDES)
def test_local_degree_reaches_a_share(side):
    arcs = scale_free(300, 3_000)
    for share in (0.3, 0.6, 1.0):
        after = local_degree(arcs, share=share, side=side)
        assert after.num_arcs >= share * arcs.num_arcs
        if side in ("out", "into"):
            least = local_degree(arcs, 0.0, side=side).num_arcs
            assert after.num_arcs <= max(1.1 * share * arcs.num_arcs + 30, least)


@quick
@given(relations(heaviest=4), st.integers(0, 2))
def test_the_structure_is_kept_on_request(arcs, k):
    must = {
        pair for pair, kept in zip(zip(*arcs.pairs.tolist(), strict=True), structure(arcs), strict=True) if kept
    }
    assert kept(top_weight(arcs, k, keep_structure=True)) == kept(top_weight(arcs, k)) | must
    assert kept(local_degree(arcs, 0.0, keep_structure=True)) == kept(local_degree(arcs, 0.0)) | must


@quick
@given(relations(directed=True), st.data(), st.integers(0, 4))
def test_filling_adds_the_first_new_candidates_of_short_rows(arcs, data, k):
    width = 3
    table = [
        data.draw(st.lists(st.integers(0, arcs.num_nodes - 1), max_size=width, unique=True))
        for _ in range(arcs.num_nodes)
    ]
    array = np.array([row + [-1] * (width - len(row)) for row in table], np.int32).reshape(-1, width)
    weight = np.arange(array.size, dtype=float).reshape(array.shape) + 1
    after = fill_tail(arcs, array, k, weight=weight)
    check_stored(after)
    expected = {}
    for node, row in enumerate(table):
        have = set(arcs.out(node).tolist())
        new = [(target, at) for at, target in enumerate(row) if target != node and target not in have]
        for target, at in new[: max(k - len(have), 0)]:
            expected[node, target] = weight[node, at]
    added = after.select(after.values["added"])
    assert by_pair(added, added.weight) == expected and not added.values["support"].any()
    old = after.select(~after.values["added"])
    assert rows(old) == {(*row[:2], False, *row[2:]) for row in rows(arcs)}
    assert fill_tail(after, array, k).num_arcs == after.num_arcs


ARCS = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: top_weight(ARCS, -1), ConfigError, "k is -1"),
        (lambda: top_weight(ARCS, 1.5), ConfigError, "not an int"),
        (lambda: top_weight(ARCS, share=-0.5), ConfigError, "share is -0.5"),
        (lambda: top_weight(ARCS, share=0.0), ConfigError, "share is 0.0"),
        (lambda: top_weight(ARCS, share=float("nan")), ConfigError, "share is nan"),
        (lambda: top_weight(ARCS), ConfigError, "either k or share"),
        (lambda: top_weight(ARCS, 1, share=0.5), ConfigError, "either k or share"),
        (lambda: top_weight(ARCS, 1, side="sideways"), ConfigError, "no side"),
        (lambda: top_score(ARCS, np.array([1.0, np.nan, 2.0]), 1), DataError, "NaN"),
        (lambda: top_score(ARCS, np.ones(2), 1), DataError, "shape"),
        (lambda: local_degree(ARCS), ConfigError, "either exponent or share"),
        (lambda: local_degree(ARCS, 1.5), ConfigError, "exponent is 1.5"),
        (lambda: local_degree(ARCS, share=-1), ConfigError, "share is -1"),
        (lambda: top_similar(ARCS, lambda i, j: np.ones(1), 1), DataError, "similarities of shape"),
        (lambda: top_similar(ARCS, lambda i, j: i * np.nan, 1), DataError, "NaN"),
        (lambda: inner_product(np.ones((3, 2)), np.ones((3, 1))), DataError, "shape"),
        (
            lambda: inner_product(np.full((3, 2), np.nan), np.ones((3, 2))),
            DataError,
            "source vector is not finite",
        ),
        (
            lambda: top_similar(ARCS, inner_product(np.ones((2, 2)), np.ones((2, 2))), 1),
            DataError,
            "out of range",
        ),
        (lambda: fill_tail(ARCS, np.zeros((3, 1), int), -1), ConfigError, "k is -1"),
        (lambda: fill_tail(ARCS, np.zeros((2, 1), int), 1), DataError, "the table is"),
        (lambda: fill_tail(ARCS, np.zeros((3, 1)), 1), DataError, "the table is"),
        (lambda: fill_tail(ARCS, np.full((3, 1), 3), 1), DataError, "out of range"),
        (lambda: fill_tail(ARCS, np.full((3, 1), -2), 1), DataError, "out of range"),
        (lambda: fill_tail(ARCS, np.zeros((3, 2), int), 9), DataError, "stands twice"),
        (
            lambda: fill_tail(ARCS, np.zeros((3, 1), int), 1, weight=np.full((3, 1), np.nan)),
            DataError,
            "not finite",
        ),
        (
            lambda: fill_tail(ARCS, np.zeros((3, 1), int), 1, weight=np.ones((3, 2))),
            DataError,
            "weights have shape",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_undirected_relation_is_not_filled():
    both = Arcs.from_pairs([0, 1], [1, 0], num_nodes=2, directed=False)
    with pytest.raises(DataError, match="undirected"):
        fill_tail(both, np.zeros((2, 1), int), 1)
