"""Labels of nodes and graphs: what is learned, from what, and what is told of it."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from tests.task.worlds import communities, paths_and_rings
from torch.nn.functional import cross_entropy

from thence.base.errors import ConfigError, DataError, FitError
from thence.graph.benchmark import random_split
from thence.graph.labelled import LabelledGraph
from thence.task import LabelTask, TaskConfig
from thence.task.pool import Pool

QUICK = TaskConfig(steps=40, settings={"dim": 16, "dropout": 0.2})


def test_nodes_learn_from_their_neighbours() -> None:
    graph = communities()
    task = LabelTask(QUICK).fit(graph)
    alone = LabelTask(replace(QUICK, encoder="mlp")).fit(graph)
    assert task.evaluate(graph)["accuracy"] == 1.0
    assert alone.evaluate(graph)["accuracy"] < 0.9  # half of the nodes know nothing by themselves
    assert set(task.evaluate(graph)) == {"accuracy", "auc", "ap"}
    told = task.predict(graph)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-6)
    assert (told.argmax(axis=1)[graph.splits["test"]] == graph.y[graph.splits["test"]]).all()
    assert task.encode(graph).shape == (60, 16) and np.isfinite(task.encode(graph)).all()


def test_graphs_are_told_apart_by_their_shape() -> None:
    graph = paths_and_rings()
    pools: tuple[Pool, ...] = ("mean", "sum", "max")
    task = LabelTask()
    for pool in pools:
        config = replace(QUICK, encoder="gin", pool=pool, steps=50, settings={"dim": 16, "dropout": 0.0})
        task = LabelTask(config).fit(graph)
        assert task.evaluate(graph)["accuracy"] == 1.0, pool
        assert task.encode(graph).shape == (24, 16) and task.predict(graph).shape == (24, 2)
    assert task.info["inputs"].startswith("no features")


def test_values_are_learned_in_their_own_unit() -> None:
    graph = paths_and_rings()
    sizes = np.bincount(graph.graph_of).astype(np.float32) * 1000 + 7  # type: ignore[arg-type]
    graph = replace(graph, y=sizes)
    config = replace(QUICK, encoder="gin", pool="sum", steps=200, settings={"dim": 16, "dropout": 0.0})
    task = LabelTask(config).fit(graph)
    error = task.evaluate(graph)["mae"]
    assert error < 200 < np.abs(sizes - sizes.mean()).mean()
    test = graph.part("test")
    assert error == pytest.approx(np.abs(task.predict(graph)[test] - sizes[test]).mean(), rel=1e-5)
    assert set(task.evaluate(graph)) == {"mae"}


def test_what_is_judged_and_what_is_unknown_never_reaches_the_net() -> None:
    """Only the labels of ``train`` do; those that are not known there are left out too."""
    graph = communities()
    y = graph.y.copy()
    unknown = graph.splits["train"][:3]
    y[unknown] = -1
    base = LabelTask(replace(QUICK, steps=5)).fit(replace(graph, y=y, splits={"train": graph.splits["train"]}))
    other = np.where(np.isin(np.arange(60), graph.splits["train"]), y, 1 - y)
    fewer = {"train": graph.splits["train"][3:]}
    again = LabelTask(replace(QUICK, steps=5)).fit(replace(graph, y=other, splits=fewer))
    assert np.array_equal(base.predict(graph), again.predict(graph))
    assert base.info["best_step"] == 5


def test_labels_that_are_not_known_are_not_judged() -> None:
    graph = communities()
    task = LabelTask(QUICK).fit(graph)
    y, test = graph.y.copy(), graph.splits["test"]
    y[test[task.predict(graph)[test].argmax(axis=1) != y[test]]] = -1
    y[test[:5]] = -1
    assert task.evaluate(replace(graph, y=y))["accuracy"] == 1.0


def test_a_class_without_labels_to_train_on_is_told(caplog: pytest.LogCaptureFixture) -> None:
    graph = communities()
    y = graph.y.copy()
    y[graph.splits["test"][:2]] = 3
    with caplog.at_level(logging.INFO, "thence.task"):
        task = LabelTask(replace(QUICK, steps=2)).fit(replace(graph, y=y))
    assert task.info["unseen_classes"] == [2, 3] and "[2, 3]" in caplog.text and "4 features" in caplog.text
    assert task.predict(graph).shape == (60, 4)


def test_the_best_step_is_kept_and_patience_ends_the_run() -> None:
    graph = communities()
    task = LabelTask(replace(QUICK, steps=400, patience=7, validate_every=2)).fit(graph)
    history = task.info["history"]
    best = max(entry["value"] for entry in history)
    assert task.info["best_step"] == next(e["step"] for e in history if e["value"] == best)
    assert task.info["steps"] == min(task.info["best_step"] + 14, 400) < 400
    assert task.evaluate(graph, "valid")["accuracy"] == best
    assert LabelTask(replace(QUICK, steps=30, patience=0)).fit(graph).info["steps"] == 30


def test_the_first_step_is_the_formulas() -> None:
    """Cross entropy of the train rows, its gradient with the L2 term, and Adam's first step of length rate."""
    graph = communities()
    config = replace(QUICK, steps=1, learning_rate=0.01, weight_decay=0.5, settings={"dim": 8, "dropout": 0.0})
    task = LabelTask(config)
    task._begin(graph)
    task.build(4)
    before = {name: value.detach().clone() for name, value in task.net.named_parameters()}
    x, view = task.prepare(graph)
    train = graph.splits["train"]
    out = task.net["head"](task.net["encoder"](x, view))[train]
    cross_entropy(out, torch.from_numpy(graph.y[train])).backward()
    fitted = LabelTask(config).fit(replace(graph, splits={"train": train}))
    for name, value in fitted.net.named_parameters():
        grad = dict(task.net.named_parameters())[name].grad
        assert grad is not None
        gradient = grad + 0.5 * before[name]
        step = gradient / (gradient.abs() + 1e-8)
        assert torch.allclose(value, before[name] - 0.01 * step, atol=1e-5), name


def test_batches_of_nodes_and_of_graphs_learn_too() -> None:
    graph, batch = communities(), 7
    assert LabelTask(replace(QUICK, batch=batch, steps=120)).fit(graph).evaluate(graph)["accuracy"] > 0.85
    rings = paths_and_rings()
    config = replace(QUICK, encoder="gin", batch=batch, steps=120, settings={"dim": 16, "dropout": 0.0})
    assert LabelTask(config).fit(rings).evaluate(rings)["accuracy"] == 1.0


def test_a_graph_alone_is_told_as_it_is_among_others() -> None:
    graph = paths_and_rings()
    task = LabelTask(replace(QUICK, encoder="gin", steps=5)).fit(graph)
    whole = task.predict(graph)
    assert graph.graph_of is not None
    for number in (0, 5):
        own = np.flatnonzero(graph.graph_of == number)
        inside = graph.arcs.matrix()[own][:, own].tocoo()
        arcs = type(graph.arcs).from_pairs(inside.row, inside.col, num_nodes=len(own))
        alone = LabelledGraph(
            arcs, graph.x[own], graph.y[number : number + 1], {}, np.zeros(len(own), int), "graphs"
        )
        # the profile that stands in for features holds nothing of the other graphs
        np.testing.assert_allclose(task.predict(alone)[0], whole[number], atol=1e-5)


def test_another_graph_of_the_same_inputs_can_be_asked() -> None:
    task = LabelTask(QUICK).fit(communities())
    other = communities(seed=1)
    assert task.evaluate(other)["accuracy"] > 0.9
    with pytest.raises(DataError, match="5 inputs a node for a task that was fitted with 4"):
        task.predict(replace(other, x=np.ones((60, 5), np.float32)))
    with pytest.raises(DataError, match="beyond the 2"):
        task.evaluate(replace(other, y=other.y + 1))


def test_positions_stand_beside_features() -> None:
    graph = communities()
    task = LabelTask(replace(QUICK, steps=3, positions=("profile", "svd"))).fit(graph)
    assert task.inputs > 4 + 13 and task.info["inputs"].endswith("of positions (profile, svd)")


def test_the_same_seed_gives_the_same_bytes_and_another_another() -> None:
    graph = communities()
    a, b, c = (LabelTask(replace(QUICK, steps=8, seed=seed)).fit(graph).predict(graph) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_what_cannot_be_fitted_says_why() -> None:
    graph = communities()
    for config, splits, error, match in (
        (QUICK, {}, ConfigError, "no split 'train'"),
        (QUICK, {"train": np.zeros(0, int)}, FitError, "no label to train on"),
        (replace(QUICK, metric="mae"), None, ConfigError, "does not fit"),
        (replace(QUICK, encoder="sagee"), None, ConfigError, "sage"),
        (replace(QUICK, settings={"dims": 3}), None, ConfigError, "dims"),
        (replace(QUICK, positions=("laplacien",)), None, ConfigError, "laplacian"),
        (replace(QUICK, learning_rate=1e30), None, FitError, "the loss is"),
    ):
        with pytest.raises(error, match=match):
            LabelTask(config).fit(graph if splits is None else replace(graph, splits=splits))
    with pytest.raises(FitError, match="not fitted"):
        LabelTask().predict(graph)
    with pytest.raises(FitError, match="validation figure is NaN"):
        one = {"train": graph.splits["train"], "valid": np.flatnonzero(graph.y == 0)[:3]}
        one["train"] = np.setdiff1d(one["train"], one["valid"])
        LabelTask(replace(QUICK, metric="auc")).fit(replace(graph, splits=one))


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"validate_every": 0},
        {"patience": -1},
        {"batch": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"metric": "f2"},
        {"pool": "median"},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        TaskConfig(**wrong)


def test_nodes_of_several_graphs() -> None:
    """Labels may be of nodes where there are several graphs: each node of a ring or path tells the kind."""
    graph = paths_and_rings()
    assert graph.graph_of is not None
    y = graph.y[graph.graph_of]
    nodes = replace(graph, y=y, told="nodes", splits=random_split(y))
    config = replace(
        QUICK, encoder="gin", batch=6, steps=150, settings={"dim": 16, "layers": 4, "dropout": 0.0}
    )
    task = LabelTask(config).fit(nodes)
    assert task.evaluate(nodes)["accuracy"] > 0.9 and task.predict(nodes).shape == (len(y), 2)


@pytest.mark.parametrize(
    "encoder", ["gcn", "sage", "gat", "mlp", "sgformer", "sgformer plain", "polynormer", "polynormer plain"]
)
def test_sparse_rows_of_features_give_the_same_answer_and_gradient(encoder: str) -> None:
    """Features that are mostly zero go through the first linear map as sparse rows."""
    x = np.zeros((60, 40), np.float32)
    x[:, :4] = communities().x * (np.abs(communities().x) > 1)
    graph = replace(communities(), x=sp.csr_matrix(x))
    name, _, how = encoder.partition(" ")
    plain = {"plain": True} if how else {} if name in ("sgformer", "polynormer") else {"first": False}
    config = replace(QUICK, encoder=name, steps=3, settings={"dim": 8, "dropout": 0.0, "layers": 2, **plain})
    task = LabelTask(config).fit(graph)
    rows, view = task.prepare(graph)
    assert rows.layout == torch.sparse_csr
    found = []
    for inputs in (rows, torch.from_numpy(x)):
        task.net.zero_grad()
        out = task._out(inputs, view)
        out.square().sum().backward()
        found.append([out, *(each.grad for each in task.net.parameters())])
    for ours, theirs in zip(*found, strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_encoders_that_treat_positions_apart_are_told_their_width() -> None:
    graph = communities()
    config = replace(QUICK, encoder="gps_linear", steps=2, positions=("profile",), settings={"dim": 8})
    task = LabelTask(config).fit(graph)
    assert task.placed == 13 == task.net["encoder"].config.positions  # type: ignore[union-attr]
    alone = LabelTask(replace(config, positions=())).fit(graph)
    assert alone.placed == 0 == alone.net["encoder"].config.positions  # type: ignore[union-attr]
