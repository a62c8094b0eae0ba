"""Counts backed off to the catalogue, and counts that fade, against their formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from tests.encode.graphs import dense, random_graph, weighted_graph

from thence.base.errors import ConfigError
from thence.encode.baseline import BASELINES
from thence.encode.baseline.backed_off import kinds
from thence.encode.baseline.recent import DAY
from thence.graph import DiGraph


def with_catalogue(graph: DiGraph, seed: int = 0) -> DiGraph:
    rng = np.random.default_rng(seed)
    category = [["soup", "bread", None][k] for k in rng.integers(3, size=graph.num_nodes)]
    maker = [["A", "B"][k] for k in rng.integers(2, size=graph.num_nodes)]
    return DiGraph(graph.ids, graph.relations, pa.table({"category": category, "manufacturer": maker}))


def literal(graph: DiGraph, strength: float, group: list) -> np.ndarray:
    a = dense(graph)
    n, received = len(a), a.sum(0)
    scores = a.astype(float).copy()
    for i in range(n):
        mine = [k for k in range(n) if group[k] == group[i]]
        whole = sum(a[k].sum() for k in mine)
        for j in range(n):
            theirs = [k for k in range(n) if group[k] == group[j]]
            between = sum(a[k, m] for k in mine for m in theirs)
            mass = sum(received[k] for k in theirs)
            if whole and mass:
                scores[i, j] += strength * between / whole * received[j] / mass
    return scores


@pytest.mark.parametrize("labels", [("category",), ("category", "manufacturer"), ("nothing",)])
def test_the_groups_say_what_the_pair_has_not_shown(labels: tuple[str, ...]) -> None:
    graph = with_catalogue(random_graph(num_nodes=20, num_arcs=60))
    assert graph.nodes is not None
    rows = graph.nodes.to_pylist()
    expected = literal(graph, 7.0, [tuple(row.get(label) for label in labels) for row in rows])
    scorer = BASELINES["backed_off"](graph, strength=7.0, labels=labels)
    everyone = np.arange(20)
    np.testing.assert_allclose(scorer.scores(everyone), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scorer.scores_into(everyone), expected.T, rtol=1e-4, atol=1e-4)


def test_without_a_catalogue_it_backs_off_to_popularity() -> None:
    graph = weighted_graph()
    expected = literal(graph, 3.0, [0] * graph.num_nodes)
    expected[5:] = 0.0  # nothing is known of the last two nodes, and nothing is said
    scores = BASELINES["backed_off"](graph, strength=3.0).scores(np.arange(graph.num_nodes))
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_each_source_that_has_arcs_hands_out_its_weight_and_the_strength() -> None:
    graph = with_catalogue(random_graph(num_nodes=30, num_arcs=90, seed=3))
    rows = BASELINES["backed_off"](graph, strength=5.0).scores(np.arange(30))
    out = dense(graph).sum(1)
    np.testing.assert_allclose(rows[out > 0].sum(1), out[out > 0] + 5.0, rtol=1e-4)


def test_direction_stays_where_both_groups_are_one() -> None:
    graph = with_catalogue(random_graph(num_nodes=20, num_arcs=60))
    scores = BASELINES["backed_off"](graph, strength=7.0, labels=("nothing",)).scores(np.arange(20))
    assert not np.allclose(scores, scores.T)


def test_codes_tell_combinations_apart_and_dictionaries_are_read() -> None:
    nodes = pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode(), "b": ["1", "1", "2"]})
    assert len(set(kinds(nodes, ["a", "b"], 3))) == 3
    assert kinds(nodes, ["b"], 3).tolist() == [0, 0, 1]
    assert kinds(None, ["a"], 3).tolist() == [0, 0, 0]


def test_counts_fade_by_half_every_half_life() -> None:
    graph = random_graph(num_nodes=20, num_arcs=60)
    arcs = graph.main
    times = np.random.default_rng(1).integers(0, 60 * DAY, arcs.num_arcs)
    timed = graph.with_relation(next(iter(graph.relations)), arcs.with_value("last_time", times))
    faded = BASELINES["recent_counts"](timed, half_life=20.0).scores(np.arange(20))
    source, target = arcs.pairs
    newest = times.max()
    for i, j, w, t in zip(source, target, arcs.weight, times, strict=True):
        expected = w * 2 ** (-(newest - t) / DAY / 20.0)
        assert math.isclose(faded[i, j], expected, rel_tol=1e-5)
    np.testing.assert_array_equal(faded > 0, dense(graph) > 0)


def test_without_times_nothing_fades() -> None:
    graph = weighted_graph()
    assert "last_time" not in graph.main.values
    np.testing.assert_array_equal(
        BASELINES["recent_counts"](graph).scores(np.arange(graph.num_nodes)), dense(graph)
    )


@pytest.mark.parametrize(
    ("name", "setting"), [("backed_off", {"strength": -1.0}), ("recent_counts", {"half_life": 0})]
)
def test_settings_out_of_range_are_refused(name: str, setting: dict) -> None:
    with pytest.raises(ConfigError):
        BASELINES[name](weighted_graph(), **setting)
