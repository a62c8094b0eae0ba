"""Short walks, and item CF with the reverse arc, against dense formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.encode.graphs import dense, graph_of, random_graph, weighted_graph
from tests.encode.test_baselines import agree, literal_item_cf

from thence.base.errors import ConfigError
from thence.encode.baseline import BASELINES
from thence.graph import DiGraph

GRAPHS = {
    "isolated nodes": weighted_graph,
    "random": random_graph,
    "sparse": lambda: random_graph(num_nodes=60, num_arcs=30, seed=2),
}


@pytest.fixture(params=list(GRAPHS))
def graph(request: pytest.FixtureRequest) -> DiGraph:
    return GRAPHS[request.param]()


def literal_walk(a: np.ndarray, steps: int, stay: float, out_power: float, in_power: float) -> np.ndarray:
    step = np.zeros_like(a)
    for i, j in np.argwhere(a):
        step[i, j] = a[i, j] / (a[i].sum() ** out_power * a[:, j].sum() ** in_power)
    passed = step.sum(1)
    step /= passed[passed > 0].mean()
    return np.linalg.matrix_power(stay * np.eye(len(a)) + step, steps)


def literal_cf_reverse(a: np.ndarray, weight: float, power: float) -> np.ndarray:
    cf = literal_item_cf(a, power)
    scores = cf.copy()
    for i in range(len(a)):
        best = cf[i].max() or 1.0
        for j in np.flatnonzero(a[:, i]):
            scores[i, j] += weight * best * a[j, i] / a[:, i].max()
    return scores


@pytest.mark.parametrize(("steps", "stay"), [(1, 0.0), (2, 0.0), (3, 0.5)])
@pytest.mark.parametrize("powers", [(1.0, 0.0), (0.3, 0.6)])
def test_a_walk_is_a_power_of_the_damped_step(
    graph: DiGraph, steps: int, stay: float, powers: tuple[float, float]
) -> None:
    scorer = BASELINES["walk"](graph, steps, stay, *powers)
    agree(scorer, literal_walk(dense(graph), steps, stay, *powers))


@pytest.mark.parametrize(("weight", "power"), [(0.5, 0.0), (2.0, 0.6), (0.0, 0.0)])
def test_reverse_arcs_are_added_in_units_of_the_rows_best(graph: DiGraph, weight: float, power: float) -> None:
    agree(BASELINES["cf_reverse"](graph, weight, power), literal_cf_reverse(dense(graph), weight, power))


def test_walks_go_along_the_arcs() -> None:
    """0 → 1 → 2: two steps on from 0 lies 2, from 2 nothing; a walk without direction would come back."""
    path = graph_of([(0, 1, 1.0), (1, 2, 1.0)], 3)
    scores = BASELINES["walk"](path, 2, 0.0).scores([0, 2])
    assert scores[0, 2] > 0 and not scores[1].any()


def test_a_source_without_cf_still_knows_what_led_to_it() -> None:
    scores = BASELINES["cf_reverse"](graph_of([(0, 1, 3.0), (2, 1, 6.0)], 3), weight=0.5).scores([1])
    assert scores.tolist() == [[0.25, 0.0, 0.5]]


@pytest.mark.parametrize(
    ("name", "setting"), [("walk", {"steps": 0}), ("walk", {"stay": -1.0}), ("cf_reverse", {"weight": -0.1})]
)
def test_settings_out_of_range_are_refused(name: str, setting: dict) -> None:
    with pytest.raises(ConfigError):
        BASELINES[name](weighted_graph(), **setting)
