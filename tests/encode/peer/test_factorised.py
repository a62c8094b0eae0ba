"""HOPE, STRAP, EASE and the projection against dense formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from tests.encode.graphs import dense, graph_of, random_graph, weighted_graph
from tests.encode.test_baselines import agree, random_graph_of_many

from thence.base.errors import ConfigError
from thence.encode.peer import PEERS
from thence.encode.peer.ease import ease
from thence.encode.peer.hope import Katz, hope, spectral_radius
from thence.encode.peer.low_rank import low_rank
from thence.encode.peer.projection import projection
from thence.encode.peer.strap import strap, transpose_proximity
from thence.graph import DiGraph

GRAPHS = {
    "isolated nodes": weighted_graph,
    "random": random_graph,
    "without cycles": lambda: graph_of([(0, 1, 2.0), (0, 2, 1.0), (1, 3, 3.0), (2, 3, 1.0)], 5),
}


@pytest.fixture(params=list(GRAPHS))
def graph(request: pytest.FixtureRequest) -> DiGraph:
    return GRAPHS[request.param]()


def first_values(matrix: np.ndarray, dim: int) -> np.ndarray:
    u, values, vt = np.linalg.svd(matrix)
    return (u[:, :dim] * values[:dim]) @ vt[:dim]


@pytest.mark.parametrize("decay", [0.1, 0.8])
@pytest.mark.parametrize("dim", [2, 99])
def test_hope_is_the_svd_of_the_inverse(graph: DiGraph, decay: float, dim: int) -> None:
    a = dense(graph)
    radius = float(np.abs(np.linalg.eigvals(a)).max())
    beta = decay / (radius if radius > 1e-6 else np.linalg.norm(a, 2))
    katz = np.linalg.inv(np.eye(len(a)) - beta * a) @ (beta * a)
    agree(hope(graph, dim=dim, decay=decay), first_values(katz, dim), tolerance=1e-3)


def test_the_spectral_radius_is_that_of_the_eigenvalues(graph: DiGraph) -> None:
    expected = np.abs(np.linalg.eigvals(dense(graph))).max()
    expected = expected if expected > 1e-6 else 0.0
    assert spectral_radius(graph.main.matrix()) == pytest.approx(expected, rel=1e-3)


def test_a_product_with_the_katz_matrix_is_one_with_its_inverse_from_both_sides() -> None:
    step = dense(random_graph()) * 0.01
    katz = np.linalg.inv(np.eye(len(step)) - step) @ step
    block = np.random.default_rng(0).random((len(step), 3))
    operator = Katz(sp.csr_matrix(step))
    np.testing.assert_allclose(operator @ block, katz @ block, rtol=1e-5)
    np.testing.assert_allclose(operator.T @ block, katz.T @ block, rtol=1e-5)


def literal_page_rank(a: np.ndarray, alpha: float) -> np.ndarray:
    """Where walks end that stop with chance alpha, and at nodes without arcs; solved, not pushed."""
    ends = a.sum(1) == 0
    walk = np.where(ends[:, None], 0.0, a / np.where(ends, 1.0, a.sum(1))[:, None])
    stop = np.where(ends, 1.0, alpha)
    return np.linalg.inv(np.eye(len(a)) - (1 - stop)[:, None] * walk) * stop


@pytest.mark.parametrize(("alpha", "delta"), [(0.5, 1e-4), (0.15, 1e-3), (0.5, 0.2)])
def test_strap_is_the_svd_of_the_logarithms_of_page_rank_from_both_ends(
    graph: DiGraph, alpha: float, delta: float
) -> None:
    a = dense(graph)
    near = literal_page_rank(a, alpha) + literal_page_rank(a.T, alpha).T
    expected = np.log(np.maximum(near / delta, 1.0))
    ours = transpose_proximity(graph.main, alpha, delta).toarray()
    off = np.abs(ours - expected) > 1.0  # push may miss what lies within delta of the threshold, never more
    assert not (off & (near > 3 * delta)).any()
    tight = transpose_proximity(graph.main, alpha, 1e-7).toarray()
    np.testing.assert_allclose(tight, np.log(np.maximum(near / 1e-7, 1.0)), atol=1e-3)
    agree(strap(graph, 99, alpha, delta), ours, tolerance=1e-4)


def test_strap_of_few_dimensions_is_the_best_there_is() -> None:
    graph = random_graph()
    proximity = transpose_proximity(graph.main, 0.5, 1e-4).toarray()
    agree(strap(graph, 3), first_values(proximity, 3), tolerance=1e-4)


def literal_ease(x: np.ndarray, penalty: float, outputs: int) -> np.ndarray:
    """Each column restored from the others by a ridge regression of its own."""
    scores = np.zeros((len(x), outputs))
    for j in range(outputs):
        others = np.delete(x, j, axis=1)
        b = np.linalg.solve(others.T @ others + penalty * np.eye(others.shape[1]), others.T @ x[:, j])
        scores[:, j] = others @ b
    return scores


@pytest.mark.parametrize("reverse", [0.0, 0.5])
@pytest.mark.parametrize("powers", [(0.0, 0.0), (0.5, 0.3)])
def test_ease_is_a_ridge_regression_of_each_column_on_the_others(
    graph: DiGraph, reverse: float, powers: tuple[float, float]
) -> None:
    a, ridge = dense(graph), 0.7
    left, right = (
        np.where(side > 0, side, 1.0) ** -power
        for side, power in zip((a.sum(1), a.sum(0)), powers, strict=True)
    )
    a = left[:, None] * a * right
    x = np.concatenate([a, reverse * a.T], axis=1)
    expected = literal_ease(x, ridge * (a**2).sum() / len(a), len(a))
    scores = ease(graph, 999, ridge, reverse, *powers).scores(np.arange(len(a)))
    unseen = a == 0
    np.testing.assert_allclose(scores[unseen], expected[unseen], atol=1e-4)


@pytest.mark.parametrize(("steps", "decay", "back"), [(1, 1.0, 0.0), (3, 0.5, 0.25)])
def test_the_projection_counts_what_walks_would_meet(
    graph: DiGraph, steps: int, decay: float, back: float
) -> None:
    a = dense(graph)
    leaves, reaches = a.sum(1), a.sum(0)
    walk = a / np.where(leaves > 0, leaves, 1.0)[:, None]
    counts = np.zeros_like(a)
    for k in range(1, steps + 1):
        counts += decay ** (k - 1) * np.diag(leaves) @ np.linalg.matrix_power(walk, k)
    counts = counts + back * counts.T
    damped = (
        counts / np.where(leaves > 0, leaves, 1.0)[:, None] ** 0.5 / np.where(reaches > 0, reaches, 1.0) ** 0.3
    )
    agree(projection(graph, steps, decay, back, 0.5, 0.3), damped)


def test_the_iteration_is_as_good_as_lapack_on_many_nodes_and_repeats_itself() -> None:
    """The error of the best approximation is that of the values left out (Eckart and Young)."""
    matrix = random_graph_of_many(600).main.matrix()
    u, values, vt = low_rank(matrix, 8)
    expected = np.linalg.svd(matrix.toarray(), compute_uv=False)
    np.testing.assert_allclose(values, expected[:8], rtol=1e-2)
    error = np.linalg.norm(matrix - (u * values) @ vt)
    assert error == pytest.approx(np.sqrt((expected[8:] ** 2).sum()), rel=1e-3)
    np.testing.assert_array_equal(low_rank(matrix, 8)[0], u)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("hope", {"decay": 1.0}),
        ("hope", {"dim": 0}),
        ("strap", {"delta": 0.0}),
        ("strap", {"alpha": 1.5}),
        ("ease", {"ridge": 0.0}),
        ("ease", {"reverse": -1.0}),
        ("projection", {"steps": 0}),
        ("projection", {"decay": 0.0}),
        ("app", {"alpha": 0.0}),
        ("app", {"walks": 0}),
        ("app", {"rate": 0.0}),
        ("nerd", {"hops": 0}),
        ("nerd", {"negatives": 0}),
    ],
)
def test_settings_out_of_range_are_refused(name: str, setting: dict) -> None:
    with pytest.raises(ConfigError):
        PEERS[name](weighted_graph(), **setting)
