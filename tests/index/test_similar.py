"""Similarity graphs against all pairs compared, and what blocks, mutual choice and odd vectors do."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.index.similar import similarity_arcs


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 6))


def chosen(rows: np.ndarray, k: int, groups: np.ndarray) -> dict[tuple[int, int], float]:
    """Who chooses whom, all pairs compared in float64."""
    unit, found = rows / np.linalg.norm(rows, axis=1, keepdims=True), {}
    for i in range(len(rows)):
        others = [(unit[i] @ unit[j], j) for j in range(len(rows)) if j != i and groups[i] == groups[j]]
        found |= {(i, j): cosine for cosine, j in sorted(others, reverse=True)[:k] if cosine > 0}
    return found


@pytest.mark.parametrize("mutual", [False, True])
@pytest.mark.parametrize("blocks", [1, 4])
def test_pairs_are_those_of_all_pairs_compared(mutual, blocks) -> None:
    rows, groups = vectors(60), np.arange(60) % blocks
    found = chosen(rows, 5, groups)
    want = {
        pair
        for i, j in found
        for pair in ((i, j), (j, i))
        if not mutual or ((i, j) in found and (j, i) in found)
    }
    arcs = similarity_arcs(rows, 5, mutual=mutual, groups=groups)
    assert set(map(tuple, arcs.pairs.T.tolist())) == want
    assert not arcs.directed
    for (i, j), weight in zip(arcs.pairs.T.tolist(), arcs.weight, strict=True):
        assert weight == pytest.approx(found.get((i, j), found.get((j, i))), abs=1e-5)


def test_a_larger_graph_is_searched_by_an_index() -> None:
    rows = vectors(400, 1)[np.arange(24_000) % 400] + 0.05 * vectors(24_000, 2)
    arcs = similarity_arcs(rows, 3)
    source, target = arcs.pairs
    assert np.mean(source % 400 == target % 400) > 0.99
    assert arcs.out_degree.min() >= 3 * 0.5 and arcs.num_arcs >= 24_000 * 3 * 0.95


def test_rows_that_say_nothing_are_like_nothing() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [1.0, 0.0]])
    arcs = similarity_arcs(rows, 4, groups=np.array([0, 0, 0, 0, -1]))
    assert set(map(tuple, arcs.pairs.T.tolist())) == {(0, 2), (2, 0)}
    assert similarity_arcs(np.zeros((3, 2)), 2).num_arcs == 0
    assert similarity_arcs(np.zeros((0, 2)), 2).num_nodes == 0


def test_wrong_vectors_and_settings_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        similarity_arcs(np.array([[np.nan, 1.0]]))
    with pytest.raises(DataError, match="groups"):
        similarity_arcs(np.eye(3), groups=np.zeros(2))
    with pytest.raises(ConfigError, match="k=0"):
        similarity_arcs(np.eye(3), 0)
