"""Figures of a task: what was right, how well it was ranked, how far off it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from thence.base.errors import ConfigError, nearest


def accuracy(y: np.ndarray, scores: np.ndarray) -> float:
    """Share of rows whose class has the highest score (the first of equal ones).

    Example:
        >>> accuracy(np.array([0, 1, 1]), np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0]]))
        0.6666666666666666
    """
    return float((scores.argmax(axis=1) == y).mean()) if len(y) else float("nan")


def auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve of class 1 against class 0; NaN where one of them is missing."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, _odds(scores))) if _both(y) else float("nan")


def average_precision(y: np.ndarray, scores: np.ndarray) -> float:
    """Mean precision over the ranks of class 1; NaN where one of the two classes is missing."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y, _odds(scores))) if _both(y) else float("nan")


def absolute_error(y: np.ndarray, values: np.ndarray) -> float:
    """Mean of |y - value|."""
    return float(np.abs(y - values[:, 0]).mean()) if len(y) else float("nan")


def hits(y: np.ndarray, scores: np.ndarray, k: int = 50) -> float:
    """Share of rows of class 1 above the k-th best row of class 0; 1 where there are fewer than k of these.

    Example:
        >>> hits(np.array([1, 1, 0, 0]), np.array([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]]), k=1)
        0.5
    """
    if not _both(y):
        return float("nan")
    odds = _odds(scores)
    absent = np.sort(odds[y == 0])[::-1]
    return float((odds[y == 1] > absent[k - 1]).mean()) if len(absent) >= k else 1.0


METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "auc": auc,
    "ap": average_precision,
    "hits@50": hits,
    "mae": absolute_error,
}
"""By name, each called with labels ``[m]`` and scores ``[m, outputs]``."""
LESS_IS_BETTER = ("mae",)
OF_ARCS = ("auc", "ap", "hits@50")


def metrics_of(num_classes: int) -> tuple[str, ...]:
    """The metrics that fit labels: values (0 classes), two classes, more; the first is the default.

    Example:
        >>> metrics_of(0), metrics_of(2), metrics_of(7)
        (('mae',), ('accuracy', 'auc', 'ap'), ('accuracy',))
    """
    if not num_classes:
        return ("mae",)
    return ("accuracy", "auc", "ap") if num_classes == 2 else ("accuracy",)


def chosen(metric: str, fitting: tuple[str, ...]) -> str:
    """The metric that chooses the best step: the first that fits for ``auto``.

    Raises:
        ConfigError: the metric does not fit what is to be told.
    """
    if metric == "auto":
        return fitting[0]
    if metric not in fitting:
        raise ConfigError(f"metric {metric!r} does not fit this task", fix=nearest(metric, fitting))
    return metric


def _odds(scores: np.ndarray) -> np.ndarray:
    return scores[:, 1] - scores[:, 0]


def _both(y: np.ndarray) -> bool:
    return set(np.unique(y).tolist()) == {0, 1}
