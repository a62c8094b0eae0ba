"""Plain answers to stand beside: the commonest class, features alone, and neighbours' labels alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import FitError
from thence.encode.layer.view import View
from thence.graph.labelled import LabelledGraph
from thence.task.metric import METRICS, chosen, metrics_of

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Inverse strengths of regularisation of which the valid split chooses."""
STEPS, KEPT = 50, 0.9
"""Of label propagation: how often labels are handed on, and the share that comes from neighbours."""


def majority(graph: LabelledGraph) -> np.ndarray:
    """``[rows, num_classes]``: every row scores the classes by how often they stand in ``train``.

    Example:
        >>> from thence.graph import Arcs
        >>> arcs, x = Arcs.from_pairs([], [], num_nodes=3), np.zeros((3, 0), np.float32)
        >>> majority(LabelledGraph(arcs, x, np.array([0, 1, 1]), {"train": np.arange(3)})).tolist()[0]
        [1.0, 2.0]
    """
    counts = np.bincount(_trained(graph), minlength=graph.num_classes).astype(float)
    return np.tile(counts, (len(graph.y), 1))


def logistic_regression(graph: LabelledGraph, metric: str = "auto") -> np.ndarray:
    """``[rows, num_classes]`` probabilities from the features of nodes alone; the graph is not looked at.

    Args:
        graph: the graph, with features and labels of nodes.
        metric: by which the valid split chooses the strength of regularisation.

    Raises:
        FitError: there are no features, or fewer than two classes to train on.
    """
    from sklearn.linear_model import LogisticRegression

    y, rows = _trained(graph), graph.part("train")
    if not graph.x.shape[1] or len(np.unique(y)) < 2:
        raise FitError("logistic regression needs features and two classes to train on")
    name, best, kept = chosen(metric, metrics_of(graph.num_classes)), -np.inf, None
    valid = graph.part("valid") if "valid" in graph.splits else rows
    size = np.sqrt(np.asarray(_squares(graph.x).mean(axis=0)).ravel())
    x = graph.x @ sp.diags(1 / np.maximum(size, 1e-12))
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=200).fit(x[rows], y)
        scores = np.zeros((len(graph.y), graph.num_classes))
        scores[:, model.classes_] = model.predict_proba(x)
        value = METRICS[name](graph.y[valid], scores[valid]) if len(valid) else -strength
        if kept is None or value > best:
            best, kept = value, scores
    assert kept is not None
    return kept


def label_propagation(graph: LabelledGraph) -> np.ndarray:
    """``[rows, num_classes]`` scores from the labels of nodes around alone, whichever way arcs lead.

        Y ← 0.9 D^-½ A D^-½ Y + 0.1 Y_train,   50 times from Y_train, rows of one class each; A both ways

    Args:
        graph: the graph, with labels of nodes.

    Example:
        >>> from thence.graph import Arcs
        >>> path = Arcs.from_pairs([0, 1, 2], [1, 2, 3], num_nodes=4)
        >>> x, y, split = np.zeros((4, 0), np.float32), np.array([0, 0, 1, 1]), {"train": np.array([0, 3])}
        >>> label_propagation(LabelledGraph(path, x, y, split)).argmax(axis=1).tolist()
        [0, 0, 1, 1]

    References:
        Zhou, Bousquet, Lal, Weston, Schölkopf, "Learning with local and global consistency", NIPS 2003.
    """
    known = np.zeros((len(graph.y), graph.num_classes), np.float32)
    known[graph.part("train"), _trained(graph)] = 1
    whole: Any = View(graph.arcs).rows("both")
    near = 1 / np.sqrt(np.maximum(np.asarray(whole.sum(axis=1)).ravel(), 1e-12))
    matrix: Any = sp.diags(near) @ whole @ sp.diags(near)
    spread = known
    for _ in range(STEPS):
        spread = KEPT * (matrix @ spread) + (1 - KEPT) * known
    return spread


def _trained(graph: LabelledGraph) -> np.ndarray:
    rows = graph.part("train")
    if not len(rows):
        raise FitError("no label to train on is known")
    return graph.y[rows]


def _squares(x: Any) -> Any:
    return x.multiply(x) if sp.issparse(x) else np.asarray(x) ** 2
