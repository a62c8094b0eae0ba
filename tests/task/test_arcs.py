"""Hidden arcs: found in their direction, from the arcs that are seen alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.task.worlds import layers

from thence.base.errors import ConfigError, FitError
from thence.encode import Embeddings
from thence.graph import Arcs
from thence.task import ArcGraph, ArcTask, TaskConfig

QUICK = TaskConfig(encoder="dir_gcn", steps=80, settings={"dim": 16, "dropout": 0.0})


def world() -> ArcGraph:
    return ArcGraph.hiding(layers(), np.eye(32, dtype=np.float32))


def test_hiding_divides_arcs_and_draws_pairs_that_are_none() -> None:
    arcs, graph = layers(), world()
    sizes = [graph.arcs.num_arcs, *(graph.hidden[part].shape[1] for part in ("valid", "test"))]
    assert sum(sizes) == arcs.num_arcs and sizes[2] == round(0.2 * arcs.num_arcs)
    for part in ("valid", "test"):
        assert arcs.contains(*graph.hidden[part]).all()
        assert not graph.arcs.contains(*graph.hidden[part]).any()
        assert not arcs.contains(*graph.absent[part]).any()
        assert np.array_equal(graph.absent[part][0], graph.hidden[part][0])  # the same sources


def test_hidden_arcs_are_found_and_their_direction_too() -> None:
    graph = world()
    task = ArcTask(QUICK).fit(graph)
    assert set(task.evaluate(graph)) == {"auc", "ap", "hits@50"} and task.evaluate(graph)["auc"] > 0.85
    turned = replace(graph, absent={"test": graph.hidden["test"][::-1]})
    assert task.evaluate(turned)["auc"] > 0.97


def test_a_symmetric_score_would_not_know_the_direction() -> None:
    """The same source and target map gives each pair and its reverse the same score."""
    graph = world()
    task = ArcTask(QUICK).fit(graph)
    task.net["target"].load_state_dict(task.net["source"].state_dict())
    turned = replace(graph, absent={"test": graph.hidden["test"][::-1]})
    assert task.evaluate(turned)["auc"] == pytest.approx(0.5, abs=0.02)


def test_embeddings_are_the_houses_own_and_score_as_the_task_does() -> None:
    graph = world()
    task = ArcTask(replace(QUICK, steps=20)).fit(graph)
    embeddings = task.encode(graph)
    assert isinstance(embeddings, Embeddings) and embeddings.dim == 16
    _, scores = task._scored(graph, "test")
    pairs = np.concatenate([graph.hidden["test"], graph.absent["test"]], axis=1)
    found = embeddings.scores(pairs[0])[np.arange(pairs.shape[1]), pairs[1]]
    np.testing.assert_allclose(found, scores[:, 1], rtol=1e-4, atol=1e-4)


def test_hidden_arcs_never_reach_the_net() -> None:
    graph = world()
    config = replace(QUICK, steps=6)
    other = replace(graph, hidden={"test": graph.absent["test"]}, absent={"test": graph.hidden["test"]})
    only = replace(graph, hidden={"test": graph.hidden["test"]})
    a, b = (ArcTask(config).fit(each).encode(graph) for each in (only, other))
    assert np.array_equal(a.source, b.source) and np.array_equal(a.target, b.target)


def test_batches_of_arcs() -> None:
    graph = world()
    assert ArcTask(replace(QUICK, batch=32)).fit(graph).evaluate(graph)["auc"] > 0.8


def test_what_cannot_be_done_says_why() -> None:
    empty = ArcGraph(Arcs.from_pairs([], [], num_nodes=2), np.eye(2, dtype=np.float32), {}, {})
    with pytest.raises(FitError, match="no arc to train on"):
        ArcTask(QUICK).fit(empty)
    graph = world()
    task = ArcTask(replace(QUICK, steps=2)).fit(graph)
    with pytest.raises(ConfigError, match="no split 'tests'; there are: valid, test"):
        task.evaluate(graph, "tests")
