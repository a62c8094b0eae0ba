"""Teachers keep direction, and their vectors give their scores back."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.compress import factored, heuristic_teacher
from thence.compress.distill.teacher import HEURISTICS
from thence.encode.baseline.matrix import MatrixScorer
from thence.graph import Arcs, DiGraph

RNG = np.random.default_rng(0)
DENSE = (RNG.random((12, 12)) < 0.25) & ~np.eye(12, dtype=bool)
GRAPH = DiGraph(
    IdMap([f"n{i}" for i in range(12)]), {"bought_after": Arcs.from_pairs(*np.nonzero(DENSE), num_nodes=12)}
)


def test_heuristics_are_their_formulas() -> None:
    a = DENSE.astype(np.float64)
    np.testing.assert_array_equal(HEURISTICS["arcs"](GRAPH).toarray(), a)
    np.testing.assert_allclose(
        HEURISTICS["katz"](GRAPH).toarray(), a + 0.1 * a @ a + 0.01 * a @ a @ a, rtol=1e-6
    )
    degree = a.sum(0) + a.sum(1)
    literal = np.zeros((12, 12))
    for u in range(12):
        for w in range(12):
            for v in range(12):
                literal[u, v] += a[u, w] * a[w, v] / np.log1p(max(degree[w], 1))
    np.testing.assert_allclose(HEURISTICS["common"](GRAPH).toarray(), literal, rtol=1e-5)
    p = a / np.maximum(a.sum(1, keepdims=True), 1)
    ends = sum(0.5 * 0.5**k * np.linalg.matrix_power(p, k) for k in range(4))
    np.testing.assert_allclose(HEURISTICS["page_rank"](GRAPH).toarray(), ends, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(HEURISTICS))
def test_a_heuristic_of_the_reversed_graph_is_the_transpose_or_differs_for_walks(name: str) -> None:
    back = DiGraph(GRAPH.ids, {"bought_after": GRAPH.main.reversed()})
    one, other = HEURISTICS[name](GRAPH).toarray(), HEURISTICS[name](back).toarray()
    assert not np.allclose(one, one.T)
    if name != "page_rank":  # walks choose among the arcs that leave a node: their chances are not reversed
        np.testing.assert_allclose(one, other.T, rtol=1e-5)


def test_all_singular_vectors_give_the_mixture_back() -> None:
    teacher = heuristic_teacher(GRAPH, {"arcs": 2.0, "katz": 1.0}, dim=12)
    parts = {name: HEURISTICS[name](GRAPH).toarray() for name in ("arcs", "katz")}
    literal = sum(w * parts[n] / np.linalg.norm(parts[n]) for n, w in (("arcs", 2.0), ("katz", 1.0)))
    literal = literal * np.sqrt(GRAPH.main.num_arcs) / 3
    np.testing.assert_allclose(teacher.scores(np.arange(12)), literal, atol=1e-5)


def test_any_scorer_becomes_vectors() -> None:
    matrix = RNG.standard_normal((12, 12)).astype(np.float32)
    scorer = MatrixScorer(GRAPH.ids, sp.csr_matrix(matrix))
    np.testing.assert_allclose(factored(scorer, dim=12).scores(np.arange(12)), matrix, atol=1e-5)
    teacher = heuristic_teacher(GRAPH, dim=3)
    assert factored(teacher) is teacher


def test_minus_infinity_becomes_the_least_score_of_its_row() -> None:
    class Never:
        ids = GRAPH.ids

        def scores(self, sources: np.ndarray) -> np.ndarray:
            rows = np.tile(np.arange(12, dtype=np.float32), (len(sources), 1))
            rows[:, 3] = -np.inf
            return rows

        def scores_into(self, targets: np.ndarray) -> np.ndarray:
            raise NotImplementedError

    found = factored(Never(), dim=12).scores([5])[0]
    assert abs(found[3] - found[0]) < 1e-4
    assert abs(found[11] - 11) < 1e-4


@pytest.mark.parametrize("mixture", ["arc", {"arcs": 0.0}, {"arcs": -1.0, "katz": 2.0}, {}])
def test_what_is_no_mixture_is_refused(mixture: object) -> None:
    with pytest.raises(ConfigError):
        heuristic_teacher(GRAPH, mixture)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "weights", [{}, {"arcs": -1.0}, {"arcs": 0.0}, {"arcs": float("nan")}, {"katz": np.inf}]
)
def test_weights_that_mix_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="weights"):
        heuristic_teacher(GRAPH, weights)
