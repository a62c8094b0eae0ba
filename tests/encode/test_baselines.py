"""The plain baselines against dense formulas written out, and the choice of their settings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.encode.graphs import dense, graph_of, random_graph, weighted_graph

from thence.base.errors import ConfigError, FitError
from thence.encode import Scorer
from thence.encode.baseline import BASELINES, GRIDS, baselines, choose
from thence.encode.baseline.matrix import Product
from thence.graph import DiGraph


def literal_popularity(a: np.ndarray) -> np.ndarray:
    return np.tile(a.sum(0), (len(a), 1))


def discounted(a: np.ndarray, power: float) -> np.ndarray:
    received = a.sum(0)
    return np.array([[w / received[j] ** power if w else 0.0 for j, w in enumerate(row)] for row in a])


def literal_item_cf(a: np.ndarray, power: float) -> np.ndarray:
    a = discounted(a, power)
    scores = np.zeros_like(a)
    for i in range(len(a)):
        for k in range(len(a)):
            norms = np.linalg.norm(a[i]) * np.linalg.norm(a[k])
            scores[i] += (a[i] @ a[k] / norms if norms else 0.0) * a[k]
    return scores


def literal_svd(a: np.ndarray, dim: int, out_power: float, in_power: float) -> np.ndarray:
    left = np.array([row.sum() ** -out_power if row.sum() else 0.0 for row in a])
    right = np.array([column.sum() ** -in_power if column.sum() else 0.0 for column in a.T])
    u, s, vt = np.linalg.svd(left[:, None] * a * right)
    return sum(s[k] * np.outer(u[:, k], vt[k]) for k in range(min(dim, len(a))))


def literal_page_rank(a: np.ndarray, alpha: float, steps: int, power: float) -> np.ndarray:
    walk = np.array([row / row.sum() if row.sum() else row for row in a])
    total = sum(alpha * (1 - alpha) ** t * np.linalg.matrix_power(walk, t) for t in range(steps + 1))
    return total / np.maximum(a.sum(0), 1.0) ** power


@pytest.fixture(params=["isolated nodes", "random", "sparse"])
def graph(request: pytest.FixtureRequest) -> DiGraph:
    return {
        "isolated nodes": weighted_graph,
        "random": random_graph,
        "sparse": lambda: random_graph(num_nodes=60, num_arcs=30, seed=2),
    }[request.param]()


def agree(scorer: Scorer, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    """Both directions, entry by entry."""
    everyone = np.arange(len(expected))
    scale = max(float(np.abs(expected).max()), 1.0)
    np.testing.assert_allclose(scorer.scores(everyone), expected, atol=tolerance * scale)
    np.testing.assert_allclose(scorer.scores_into(everyone), expected.T, atol=tolerance * scale)


def test_popularity_is_the_weight_received(graph: DiGraph) -> None:
    agree(BASELINES["popularity"](graph), literal_popularity(dense(graph)))


def test_counts_are_weights_and_reverse_is_their_transpose(graph: DiGraph) -> None:
    agree(BASELINES["counts"](graph), dense(graph))
    agree(BASELINES["reverse"](graph), dense(graph).T)


@pytest.mark.parametrize("power", [0.0, 0.3, 1.0])
def test_lift_discounts_counts_by_popularity(graph: DiGraph, power: float) -> None:
    agree(BASELINES["lift"](graph, power=power), discounted(dense(graph), power))


@pytest.mark.parametrize("power", [0.0, 0.6])
def test_item_cf_follows_products_with_like_rows(graph: DiGraph, power: float) -> None:
    agree(BASELINES["item_cf"](graph, power=power), literal_item_cf(dense(graph), power))


@pytest.mark.parametrize(("out_power", "in_power"), [(0.0, 0.0), (0.3, 0.5)])
def test_svd_is_the_best_low_rank_matrix(graph: DiGraph, out_power: float, in_power: float) -> None:
    a = dense(graph)
    everything = BASELINES["svd"](graph, dim=len(a), out_power=out_power, in_power=in_power)
    agree(everything, literal_svd(a, len(a), out_power, in_power))
    values = np.linalg.svd(literal_svd(a, len(a), out_power, in_power), compute_uv=False)
    dim = next(k for k in range(2, len(a)) if values[k - 1] - values[k] > 1e-3 * values[0])
    some = BASELINES["svd"](graph, dim=dim, out_power=out_power, in_power=in_power)
    agree(some, literal_svd(a, dim, out_power, in_power))


def test_svd_by_iteration_is_that_of_lapack_and_repeats_itself() -> None:
    """More than 512 nodes take the other path; the error is the Eckart-Young bound."""
    graph = random_graph_of_many(600)
    a = dense(graph)
    scores = BASELINES["svd"](graph, dim=8).scores(np.arange(600))
    values = np.linalg.svd(a, compute_uv=False)
    assert np.linalg.norm(a - scores) == pytest.approx(math.sqrt((values[8:] ** 2).sum()), rel=1e-4)
    np.testing.assert_array_equal(scores, BASELINES["svd"](graph, dim=8).scores(np.arange(600)))


def random_graph_of_many(num_nodes: int) -> DiGraph:
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(num_nodes, size=(6000, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return graph_of([(int(i), int(j), float(rng.integers(1, 5))) for i, j in pairs], num_nodes)


@pytest.mark.parametrize(("alpha", "steps", "power"), [(0.5, 6, 0.0), (0.8, 2, 0.3)])
def test_page_rank_sums_the_powers_of_the_walk(graph: DiGraph, alpha: float, steps: int, power: float) -> None:
    scorer = BASELINES["page_rank"](graph, alpha=alpha, steps=steps, power=power)
    agree(scorer, literal_page_rank(dense(graph), alpha, steps, power))


def test_a_walk_that_cannot_end_loses_only_the_mass_beyond_its_last_step() -> None:
    cycle = graph_of([(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)], 3)
    scores = BASELINES["page_rank"](cycle, alpha=0.5, steps=6).scores([0])
    assert scores.sum() == pytest.approx(1 - 0.5**7)


@pytest.mark.parametrize("density", [0.001, 0.5])
def test_products_are_the_same_dense_or_sparse(density: float) -> None:
    import scipy.sparse as sp

    matrix = sp.random(50, 40, density=density, random_state=1)
    rows = np.random.default_rng(0).random((3, 50)).astype(np.float32)
    product = Product(matrix)
    assert sp.issparse(product.matrix) == (density < 0.01)
    np.testing.assert_allclose(product(rows), rows @ matrix.toarray(), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "setting", "error"),
    [
        ("svd", {"dim": 0}, ConfigError),
        ("page_rank", {"alpha": 0.0}, ConfigError),
        ("page_rank", {"alpha": 1.0}, ConfigError),
        ("page_rank", {"steps": 0}, ConfigError),
    ],
)
def test_settings_out_of_range_are_refused(name: str, setting: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        BASELINES[name](weighted_graph(), **setting)


@pytest.mark.parametrize("name", BASELINES)
def test_a_graph_without_arcs_is_refused(name: str) -> None:
    with pytest.raises(FitError, match="no arcs"):
        baselines(graph_of([], 3), [name])


def test_names_that_are_unknown_are_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'popularity'"):
        baselines(weighted_graph(), ["popularty"])
    with pytest.raises(ConfigError, match="'page_rank'"):
        choose(weighted_graph(), lambda scorer: 0.0, ["pagerank"])


def test_all_baselines_are_given_unless_named_and_take_their_settings() -> None:
    graph = weighted_graph()
    assert list(baselines(graph)) == list(BASELINES)
    set_by_hand = baselines(graph, ["lift"], {"lift": {"power": 1.0}})["lift"]
    agree(set_by_hand, discounted(dense(graph), 1.0))


@pytest.mark.parametrize("name", sorted(GRIDS))
def test_the_best_setting_is_chosen_wherever_it_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rigged figure: each setting in turn is made the best one, and is what comes back."""
    made: list[dict] = []

    def record(graph: DiGraph, **setting: object) -> object:
        made.append(setting)
        return setting

    monkeypatch.setitem(dict_of(BASELINES), name, record)
    for best in GRIDS[name]:
        assert choose(weighted_graph(), lambda scorer, best=best: float(scorer == best), [name]) == {name: best}
    assert made == list(GRIDS[name]) * len(GRIDS[name])


def dict_of(mapping: object) -> dict:
    assert isinstance(mapping, dict)
    return mapping


def test_the_first_of_equal_settings_stays_and_plain_baselines_need_none() -> None:
    assert choose(weighted_graph(), lambda scorer: 1.0) == {name: grid[0] for name, grid in GRIDS.items()}
    assert choose(weighted_graph(), lambda scorer: 1.0, ["counts"]) == {}


def test_progress_is_told_and_a_figure_that_is_no_number_is_refused() -> None:
    told: list[tuple[str, int, int | None]] = []
    choose(weighted_graph(), lambda scorer: 0.0, ["lift"], lambda *call: told.append(call))
    assert told == [("tune baselines", done, len(GRIDS["lift"])) for done in range(len(GRIDS["lift"]) + 1)]
    with pytest.raises(FitError, match="NaN"):
        choose(weighted_graph(), lambda scorer: math.nan, ["lift"])
