"""The arcs among some nodes, against looking at every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import Direction, Side, side_of
from thence.graph.sample.induced import induced
from thence.graph.sample.reading import rows_ascend


def literal(side: Side, nodes: list[int], tree: list[int]) -> list[tuple[int, int, int]]:
    """Row, column and entry of every arc inside a tree."""
    found = []
    for row, looks in enumerate(nodes):
        for entry in range(int(side.indptr[looks]), int(side.indptr[looks + 1])):
            for column, seen in enumerate(nodes):
                if side.neighbors[entry] == seen and tree[row] == tree[column]:
                    found.append((row, column, entry))
    return sorted(found)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Side, list[int], list[int]]:
    num_nodes = draw(st.integers(1, 12))
    rows = [draw(st.lists(st.integers(0, num_nodes - 1), max_size=12)) for _ in range(num_nodes)]
    if draw(st.booleans()):
        rows = [sorted(set(row)) for row in rows]
    indptr = np.cumsum([0, *map(len, rows)])
    side = Side(indptr, np.array([t for row in rows for t in row], np.int32))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, num_nodes - 1), st.integers(0, 3)), unique=True, max_size=20)
    )
    return side, [node for node, _ in pairs], [tree for _, tree in pairs]


@given(cases())
def test_it_finds_what_looking_at_every_pair_finds(case: tuple[Side, list[int], list[int]]) -> None:
    side, nodes, tree = case
    found = induced(side, np.array(nodes, np.int64), np.array(tree, np.int64), ascend=rows_ascend(side))
    assert sorted(zip(*(part.tolist() for part in found), strict=True)) == literal(side, nodes, tree)


@pytest.mark.parametrize("direction", ["out", "into"])
@pytest.mark.parametrize("ascend", [False, True])
def test_long_rows_are_searched_as_they_would_be_read(direction: Direction, ascend: bool) -> None:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 300, (2, 20_000)), axis=1)
    arcs = Arcs.from_pairs(*pairs[:, pairs[0] != pairs[1]], num_nodes=300)
    side = side_of(arcs, direction)
    nodes = rng.permutation(300)[:9]
    row, column, entry = induced(side, nodes, ascend=ascend)
    assert len(row) and np.array_equal(side.neighbors[entry], nodes[column])
    source, target = (nodes[row], nodes[column]) if direction == "out" else (nodes[column], nodes[row])
    every = np.array([(s, t) for s in nodes for t in nodes]).T
    assert arcs.contains(source, target).all() and len(row) == arcs.contains(*every).sum()
    assert np.array_equal(side.positions(entry), arcs.positions(source, target))


def test_trees_larger_than_a_thin_table() -> None:
    ring = Side(np.arange(10_001), ((np.arange(10_000) + 1) % 10_000).astype(np.int32))
    row, column, entry = induced(ring, np.arange(9_000)[::-1], ascend=True)
    assert len(row) == 8_999 and np.array_equal(row, column + 1) and entry.tolist() == list(range(8_999))


def test_wrong_input_is_refused() -> None:
    side = Side(np.array([0, 1, 2]), np.array([1, 0], np.int32))
    for nodes, tree in (
        ([2], None),
        ([-1], None),
        ([0, 0], None),
        ([0, 0], np.array([1, 1])),
        ([0], np.arange(2)),
    ):
        with pytest.raises(DataError):
            induced(side, nodes, tree)
    assert [len(part) for part in induced(side, [])] == [0, 0, 0]


def test_whether_rows_ascend() -> None:
    assert rows_ascend(Side(np.array([0, 2, 2, 4]), np.array([1, 2, 0, 1], np.int32)))
    assert not rows_ascend(Side(np.array([0, 2]), np.array([0, 0], np.int32)))
    assert not rows_ascend(Side(np.array([0, 2, 4]), np.array([0, 1, 1, 0], np.int32)))
