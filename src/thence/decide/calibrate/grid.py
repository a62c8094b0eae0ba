"""Cells of score and uncertainty that hold what a surface needs: counts and means, however many the cases."""

from __future__ import annotations

import numpy as np


def balanced_cuts(values: np.ndarray, label: np.ndarray, bins: int) -> np.ndarray:
    """Cuts of values into bins that hold as much of the two classes, each class weighing a half.

    Where positives are rare the bins are so as fine among high scores, where they are, as among the rest.

    Args:
        values: ``[n]``.
        label: ``[n]`` bool, of both classes.
        bins: at most so many; equal values share a bin.

    Returns:
        ``[bins - 1]`` rising; a value belongs to the bin of how many cuts lie at or below it.

    Example:
        >>> values = np.arange(8.0)
        >>> balanced_cuts(values, values >= 6, 4).tolist()
        [3.0, 6.0, 7.0]
    """
    order = np.argsort(values, kind="stable")
    positives = int(label.sum())
    weight = np.where(label[order], 0.5 / positives, 0.5 / (len(label) - positives))
    before = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    places = np.searchsorted(before, np.arange(1, bins) / bins - 1e-12)
    cuts = values[order][np.minimum(places, len(values) - 1)]
    return np.unique(cuts[cuts > values[order[0]]])


def mid_ranks(values: np.ndarray, points: int = 129) -> tuple[np.ndarray, np.ndarray]:
    """A curve from values to their rank in [0, 1]: the share of cases below, and half of those that are equal.

    Returns:
        Distinct values ``[k]``, at most so many points, and the rank of each.

    Example:
        >>> at, rank = mid_ranks(np.array([5.0, 5.0, 5.0, 9.0]))
        >>> at.tolist(), rank.tolist()
        ([5.0, 9.0], [0.375, 0.875])
    """
    ordered = np.sort(values)
    at = np.unique(ordered[np.linspace(0, len(ordered) - 1, points).round().astype(int)])
    left, right = np.searchsorted(ordered, at, "left"), np.searchsorted(ordered, at, "right")
    return at, (left + right) / (2 * len(ordered))


def gathered(
    cell: np.ndarray, columns: tuple[np.ndarray, ...], label: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Cases and positives of each cell that is not empty, and the means of columns in it.

    Args:
        cell: ``[n]`` of any integers.
        columns: each ``[n]``.
        label: ``[n]``.

    Returns:
        ``count``, ``positive`` and the means, each ``[cells]`` float64, in the order of the cells' numbers.

    Example:
        >>> gathered(np.array([7, 3, 7]), (np.array([1.0, 5.0, 3.0]),), np.array([1, 0, 0]))
        (array([1., 2.]), array([0., 1.]), (array([5., 2.]),))
    """
    _, group = np.unique(cell, return_inverse=True)
    count = np.bincount(group).astype(np.float64)
    return count, np.bincount(group, label), tuple(np.bincount(group, column) / count for column in columns)
