"""How good probabilities are: order, sharpness, calibration. Pure functions of labels and probabilities.

AUC    P(p_i > p_j | y_i = 1, y_j = 0), ties counted half
PRAUC  Σ_k (recall_k - recall_{k-1}) precision_k, from the highest probability down
NLL    -mean(y log p + (1 - y) log(1 - p)),  p cut to [1e-6, 1 - 1e-6]
ECE    Σ_b n_b / n · |mean p in b - mean y in b|,  bins of equal mass
"""

from __future__ import annotations

import numpy as np

from thence.base.errors import DataError

CUT = 1e-6


def auc(label: np.ndarray, probability: np.ndarray) -> float:
    """The chance that a converted exposure is put above one that is not.

    Args:
        label: ``[n]`` bool or 0 and 1.
        probability: ``[n]``.

    Raises:
        DataError: arrays differ in length, a value is not a probability, or all labels are alike.

    Example:
        >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
        0.875
    """
    from sklearn.metrics import roc_auc_score

    label, probability = _checked(label, probability, both=True)
    return float(roc_auc_score(label, probability))


def pr_auc(label: np.ndarray, probability: np.ndarray) -> float:
    """The area below precision over recall (average precision).

    Raises:
        DataError: as for :func:`auc`.

    Example:
        >>> pr_auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.8])).__round__(4)
        0.8333
    """
    from sklearn.metrics import average_precision_score

    label, probability = _checked(label, probability, both=True)
    return float(average_precision_score(label, probability))


def nll(label: np.ndarray, probability: np.ndarray) -> float:
    """The mean negative log-likelihood, natural logarithm.

    Raises:
        DataError: arrays differ in length, are empty, or a value is not a probability.

    Example:
        >>> nll(np.array([1, 0]), np.array([0.5, 0.5])).__round__(4)
        0.6931
    """
    return float(surprise(*_checked(label, probability)).mean())


def surprise(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """The negative log-likelihood ``[n]`` of each exposure, float64.

    Example:
        >>> surprise(np.array([1, 0]), np.array([0.0, 0.0])).round(3).tolist()
        [13.816, 0.0]
    """
    p = np.clip(np.asarray(probability, np.float64), CUT, 1 - CUT)
    return np.where(np.asarray(label) > 0, -np.log(p), -np.log1p(-p))


def ece(label: np.ndarray, probability: np.ndarray, bins: int = 20) -> float:
    """The expected calibration error over bins of equal mass; equal probabilities share a bin.

    Args:
        label: ``[n]``.
        probability: ``[n]``.
        bins: how many; fewer where probabilities tie.

    Raises:
        DataError: as for :func:`nll`.

    Example:
        >>> ece(np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 0.9, 0.9]), bins=2).__round__(3)
        0.05

    Reference:
        Nixon et al., "Measuring calibration in deep learning", CVPR workshops 2019 (adaptive bins).
    """
    label, probability = _checked(label, probability)
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, probability, side="left")
    gap = np.bincount(place, probability - label)
    return float(np.abs(gap).sum() / len(label))


def calibration(label: np.ndarray, probability: np.ndarray) -> float:
    """The mean prediction over the mean label: 1 is right, above is too high.

    Raises:
        DataError: as for :func:`nll`, or nothing converted.

    Example:
        >>> calibration(np.array([1, 0]), np.array([0.6, 0.5])).__round__(3)
        1.1
    """
    label, probability = _checked(label, probability)
    if not label.any():
        raise DataError("nothing converted, so a rate has nothing to be compared with")
    return float(probability.sum() / label.sum())


def _checked(
    label: np.ndarray, probability: np.ndarray, *, both: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    label, probability = np.asarray(label, np.float64), np.asarray(probability, np.float64)
    if label.shape != probability.shape or label.ndim != 1:
        raise DataError(f"labels {label.shape} and probabilities {probability.shape} do not fit together")
    if not len(label):
        raise DataError("there is nothing to judge")
    if not ((probability >= 0) & (probability <= 1)).all():
        raise DataError("a probability is not a number from 0 to 1")
    if not np.isin(label, (0.0, 1.0)).all():
        raise DataError("a label is neither 0 nor 1")
    if both and label.min() == label.max():
        raise DataError(f"all {len(label):,} labels are {label[0]:g}: there is no order to judge")
    return label, probability
