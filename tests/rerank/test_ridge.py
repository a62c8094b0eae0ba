"""Ridge regression with nothing allowed to explain itself, by its definition and by singular vectors."""

from __future__ import annotations

import numpy as np
from tests.rerank.shop import shop

from thence.graph import DiGraph
from thence.rerank.ridge import Ridge

EVERY = (np.arange(42), np.arange(0, 42 * 43, 42), np.tile(np.arange(42, dtype=np.int32), 42))


def ones(graph: DiGraph, relation: str) -> np.ndarray:
    matrix = np.zeros((graph.num_nodes,) * 2)
    matrix[tuple(graph.relations[relation].pairs)] = 1.0
    return matrix


def by_definition(asked: np.ndarray, rows: np.ndarray, penalty: float) -> np.ndarray:
    """Each column regressed on all others, one at a time."""
    out = np.zeros_like(asked)
    for j in range(rows.shape[1]):
        others = np.arange(rows.shape[1]) != j
        x = rows[:, others]
        weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ rows[:, j])
        out[:, j] = asked[:, others] @ weights
    return out


def test_each_column_is_regressed_on_all_others() -> None:
    graph = shop()
    a, v = ones(graph, "bought_after"), ones(graph, "viewed")
    expected = by_definition(a, np.vstack([a, a.T, v, v.T]), 3.0)
    found = Ridge(graph, 3.0).values(EVERY).reshape(42, 42)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_symmetric_one_regresses_what_is_joined() -> None:
    graph = shop()
    joined = np.minimum(ones(graph, "bought_after") + ones(graph, "bought_after").T, 1)
    found = Ridge(graph, 3.0, symmetric=True).values(EVERY).reshape(42, 42)
    np.testing.assert_allclose(found, by_definition(joined, joined, 3.0), atol=1e-4)


def test_singular_vectors_give_the_same_where_there_is_no_arc() -> None:
    graph = shop()
    exact, vectors = Ridge(graph, 30.0), Ridge(graph, 30.0, dense_nodes=0)
    absent = ones(graph, "bought_after") == 0
    a, b = (ridge.values(EVERY).reshape(42, 42)[absent] for ridge in (exact, vectors))
    assert np.corrcoef(a, b)[0, 1] > 0.999
    np.testing.assert_allclose(a, b, atol=0.06 * np.abs(a).max())
