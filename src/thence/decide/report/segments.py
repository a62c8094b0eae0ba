"""Who gains and who loses: what two rules take of each segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.decide.levels import level_cuts, level_of
from thence.decide.sample import Sample

MOST = 12
"""Values of a column that are told one by one, the most frequent first."""


def segment_rows(
    sample: Sample, chosen: np.ndarray, single: np.ndarray, segments: Mapping[str, ArrayLike] | None = None
) -> list[dict[str, Any]]:
    """Recall gained and lost by one rule beside another, in each segment.

    Args:
        sample: cases.
        chosen: ``[n]`` bool, what the first rule acts on.
        single: ``[n]`` bool, what the other acts on.
        segments: columns ``[n]`` of values by name; thirds of the uncertainty always come first.

    Returns:
        One entry a segment: ``column``, ``segment``, ``cases``, ``positives``, recall and precision of both
        (None where they are not defined), ``gained`` (positives that only the first takes) and ``lost``.

    Raises:
        DataError: a column has another length.

    Example:
        >>> sample = Sample.make([1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 1, 0])
        >>> first, second = np.array([True, True, False, False]), np.array([False, False, True, True])
        >>> rows = segment_rows(sample, first, second, {"shop": ["a", "b", "a", "b"]})
        >>> [(row["segment"], row["gained"], row["lost"], row["recall"]) for row in rows[-2:]]
        [('a', 1, 1, 0.5), ('b', 1, 0, 1.0)]
    """
    columns: dict[str, list[tuple[str, np.ndarray]]] = {}
    if np.ptp(sample.uncertainty) > 0:
        columns["uncertainty"] = _thirds(sample.uncertainty)
    for name, values in (segments or {}).items():
        column = np.asarray(values)
        if column.shape != (len(sample),):
            raise DataError(
                f"{column.shape} values of {len(sample):,} cases", where=name, fix="Give one a case."
            )
        columns[name] = _values(column)
    return [
        {"column": column, "segment": name, **_row(sample.label[rows], chosen[rows], single[rows])}
        for column, parts in columns.items()
        for name, rows in parts
    ]


def _thirds(values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    level = level_of(values, level_cuts(values, 3))
    names = ("low", "middle", "high") if level.max() == 2 else ("low", "high")
    return [(names[at], level == at) for at in range(level.max() + 1)]


def _values(column: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Masks of the most frequent values, by name, and of the rest together."""
    found, place, count = np.unique(column.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    parts = [(str(found[at]), place == at) for at in sorted(order[:MOST].tolist())]
    rest = np.isin(place, order[MOST:])
    return parts + ([(f"{len(order) - MOST} others", rest)] if rest.any() else [])


def _row(label: np.ndarray, chosen: np.ndarray, single: np.ndarray) -> dict[str, Any]:
    def share(top: int, below: int) -> float | None:
        return top / below if below else None

    positives = int(label.sum())
    hits, others = int((label & chosen).sum()), int((label & single).sum())
    return {
        "cases": len(label),
        "positives": positives,
        "recall": share(hits, positives),
        "single_recall": share(others, positives),
        "precision": share(hits, int(chosen.sum())),
        "single_precision": share(others, int(single.sum())),
        "gained": int((label & chosen & ~single).sum()),
        "lost": int((label & single & ~chosen).sum()),
    }
