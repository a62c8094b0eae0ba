"""Plain answers beside their literal forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from tests.task.worlds import communities

from thence.base.errors import FitError
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph
from thence.task.plain import label_propagation, logistic_regression, majority


def test_majority_counts_what_is_trained_on() -> None:
    graph = communities()
    scores = majority(graph)
    assert scores.shape == (60, 2)
    assert scores[0].tolist() == np.bincount(graph.y[graph.splits["train"]], minlength=2).tolist()


def test_logistic_regression_sees_features_alone() -> None:
    graph = communities()
    scores = logistic_regression(graph)
    right = scores.argmax(axis=1) == graph.y
    assert right[::2].mean() > 0.95 > 0.8 > right[1::2].mean()  # every other node says which group it is of
    turned = replace(graph, arcs=Arcs.from_pairs([], [], num_nodes=60))
    assert np.array_equal(logistic_regression(turned), scores)
    sparse = replace(graph, x=sp.csr_matrix(graph.x))
    np.testing.assert_allclose(logistic_regression(sparse), scores, atol=1e-3)
    apart = replace(graph, y=np.where(graph.y == 1, 2, 0))  # a class that nobody has
    assert (logistic_regression(apart)[:, 1] == 0).all()


def test_logistic_regression_needs_features_and_classes() -> None:
    graph = communities()
    for wrong in (
        replace(graph, x=np.zeros((60, 0), np.float32)),
        replace(graph, splits={"train": np.flatnonzero(graph.y == 0)[:4]}),
    ):
        with pytest.raises(FitError, match="features and two classes"):
            logistic_regression(wrong)


def test_label_propagation_is_its_literal_formula() -> None:
    graph = communities()
    a = graph.arcs.matrix().toarray().astype(np.float64)
    a = np.maximum(a, a.T)
    scale = 1 / np.sqrt(a.sum(axis=1))
    a = scale[:, None] * a * scale
    known = np.zeros((60, 2))
    known[graph.splits["train"], graph.y[graph.splits["train"]]] = 1
    limit = 0.1 * np.linalg.solve(np.eye(60) - 0.9 * a, known)
    scores = label_propagation(graph)
    np.testing.assert_allclose(scores, limit, atol=2 * 0.9**50)
    assert (scores.argmax(axis=1) == graph.y).all()


def test_labels_do_not_travel_where_no_arc_leads() -> None:
    arcs = Arcs.from_pairs([0, 1], [1, 0], num_nodes=4)
    x, y = np.zeros((4, 0), np.float32), np.array([1, 0, 0, 1])
    scores = label_propagation(LabelledGraph(arcs, x, y, {"train": np.array([0, 2])}))
    assert scores[3].tolist() == [0, 0] and scores[1, 1] > 0 == scores[1, 0]


@pytest.mark.parametrize("plain", [majority, label_propagation, logistic_regression])
def test_without_labels_there_is_no_answer(plain) -> None:
    graph = replace(communities(), splits={"train": np.zeros(0, int)})
    with pytest.raises(FitError, match=r"no label to train on|needs features"):
        plain(graph)
