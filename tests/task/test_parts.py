"""The parts of tasks beside their literal forms: metrics, pools, batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.task.worlds import communities, paths_and_rings

from thence.base.errors import ConfigError
from thence.encode.layer.view import View
from thence.task import LabelTask, TaskConfig
from thence.task.batches import batch_of, dealt
from thence.task.metric import METRICS, chosen
from thence.task.pool import Pool, pooled

SCORES = st.lists(st.tuples(st.integers(0, 1), st.integers(-4, 4)), min_size=2, max_size=25)


@given(SCORES)
def test_ranking_figures_are_the_literal_ones(rows: list[tuple[int, int]]) -> None:
    y, odds = np.array(rows).T
    scores = np.stack([np.ones(len(y)), odds + 1.0], axis=1)
    present, absent = odds[y == 1], odds[y == 0]
    if not len(present) or not len(absent):
        assert all(np.isnan(METRICS[name](y, scores)) for name in ("auc", "ap", "hits@50"))
        return
    wins = [(p > a) + (p == a) / 2 for p in present for a in absent]
    assert METRICS["auc"](y, scores) == pytest.approx(np.mean(wins))
    precision = sum(
        (odds[y == 1] == t).sum() / len(present) * (odds[y == 1] >= t).sum() / (odds >= t).sum()
        for t in np.unique(odds)
    )
    assert METRICS["ap"](y, scores) == pytest.approx(precision)
    assert METRICS["hits@50"](y, scores) == 1.0  # fewer than 50 absent pairs


def test_hits_count_what_stands_above_the_kth_absent_pair() -> None:
    odds = np.concatenate([np.arange(60.0), [10.0, 10.5, 59.5]])
    y = np.repeat([0, 1], [60, 3])
    assert METRICS["hits@50"](y, np.stack([0 * odds, odds], axis=1)) == pytest.approx(2 / 3)


def test_figures_of_nothing_are_not_numbers() -> None:
    nothing = np.zeros(0, np.int64), np.zeros((0, 2))
    assert all(np.isnan(metric(*nothing)) for metric in METRICS.values())


def test_a_metric_that_does_not_fit_is_refused() -> None:
    assert chosen("auto", ("accuracy", "auc")) == "accuracy" and chosen("auc", ("accuracy", "auc")) == "auc"
    with pytest.raises(ConfigError, match="does not fit"):
        chosen("mae", ("accuracy",))


def test_pools_are_the_literal_ones_and_let_gradients_through() -> None:
    graph = paths_and_rings(7)
    view = View(graph.arcs, graph.graph_of)
    x = torch.randn(view.num_nodes, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert graph.graph_of is not None
    own = [x[graph.graph_of == number] for number in range(7)]
    literals: dict[Pool, list[torch.Tensor]] = {
        "mean": [rows.mean(0) for rows in own],
        "sum": [rows.sum(0) for rows in own],
        "max": [rows.amax(0) for rows in own],
    }
    for pool, literal in literals.items():
        found = pooled(x, view, pool)
        assert torch.allclose(found, torch.stack(literal), atol=1e-6)
        weight = torch.arange(21.0).reshape(7, 3)
        (ours,) = torch.autograd.grad((found * weight).sum(), x, retain_graph=True)
        (theirs,) = torch.autograd.grad((torch.stack(literal) * weight).sum(), x, retain_graph=True)
        assert torch.allclose(ours, theirs, atol=1e-5)


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 3))
def test_a_round_deals_everything_once(total: int, batch: int, turn: int) -> None:
    parts = -(-total // batch) if batch else 1
    rounds = [dealt(total, batch, 0, turn * parts + part) for part in range(parts)]
    assert np.array_equal(np.sort(np.concatenate(rounds)), np.arange(total))
    assert not batch or max(map(len, rounds)) <= batch


def test_a_batch_of_nodes_holds_the_arcs_between_them() -> None:
    graph = communities()
    batch = batch_of(graph, 20, 3, 4)
    whole = graph.arcs.matrix().toarray()
    assert np.array_equal(batch.view.arcs.matrix().toarray(), whole[np.ix_(batch.nodes, batch.nodes)])
    assert np.array_equal(batch.nodes[batch.places], batch.rows)
    assert set(batch.rows) == set(batch.nodes) & set(graph.splits["train"])


def test_a_batch_of_graphs_holds_whole_graphs_to_train_on() -> None:
    graph = paths_and_rings()
    batch = batch_of(graph, 5, 3, 4)
    assert graph.graph_of is not None
    assert set(batch.rows) <= set(graph.splits["train"]) and 0 < len(batch.rows) <= 5
    assert batch.view.num_graphs == len(batch.rows) and batch.places.tolist() == [*range(len(batch.rows))]
    assert np.array_equal(batch.nodes, np.flatnonzero(np.isin(graph.graph_of, batch.rows)))
    arcs = np.isin(graph.graph_of[graph.arcs.pairs[0]], batch.rows).sum()
    assert batch.view.arcs.num_arcs == arcs


def test_a_batch_of_everything_is_everything() -> None:
    for graph in (communities(), paths_and_rings()):
        config = TaskConfig(encoder="sage", steps=4, settings={"dim": 8, "dropout": 0.0})
        trained = replace(graph, splits={"train": np.arange(len(graph.y))})
        whole, batch = (LabelTask(replace(config, batch=size)).fit(trained) for size in (0, 1000))
        np.testing.assert_allclose(whole.predict(graph), batch.predict(graph), atol=1e-5)
