"""What boundaries are fitted to and judged by: scores, how unsure the model is of each, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """Scores, uncertainties and labels of the same cases; make it with :meth:`make`, which checks them.

    Args:
        score: ``[n]`` float64; a higher score speaks for the positive class. Any finite scale.
        uncertainty: ``[n]`` float64; any finite scale, in which direction it acts is learned.
        label: ``[n]`` bool.

    Example:
        >>> Sample.make([0.2, 0.9, 0.7], [1.0, 2.0, 1.0], [0, 1, 1])
        Sample(3 cases, 2 positive)
    """

    score: np.ndarray
    uncertainty: np.ndarray
    label: np.ndarray

    @classmethod
    def make(cls, score: ArrayLike, uncertainty: ArrayLike | None, label: ArrayLike) -> Sample:
        """A sample from anything array-like.

        Args:
            score: ``[n]``, finite.
            uncertainty: ``[n]``, finite; None where the model does not know it, which is the same everywhere.
            label: ``[n]``, each 0 or 1.

        Raises:
            DataError: lengths differ, nothing is there, a value is not finite, or a label is neither 0 nor 1.
        """
        scores = finite(score, "score")
        unsure = np.zeros(len(scores)) if uncertainty is None else finite(uncertainty, "uncertainty")
        labels = _labels(label)
        if not len(scores) == len(unsure) == len(labels):
            raise DataError(
                f"{len(scores)} scores, {len(unsure)} uncertainties and {len(labels)} labels",
                fix="Give one of each for every case.",
            )
        if not len(scores):
            raise DataError("no cases", fix="Give at least one score with its label.")
        return cls(scores, unsure, labels)

    def __len__(self) -> int:
        """How many cases."""
        return len(self.score)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Sample({len(self):,} cases, {self.positives:,} positive)"

    def __getitem__(self, rows: np.ndarray | slice) -> Sample:
        """Some of the cases, by places, mask or slice."""
        return Sample(self.score[rows], self.uncertainty[rows], self.label[rows])

    @cached_property
    def positives(self) -> int:
        """How many labels are 1."""
        return int(self.label.sum())

    def both_classes(self) -> Sample:
        """Itself, where labels of both kinds are there.

        Raises:
            DataError: all labels are the same.
        """
        if self.positives in (0, len(self)):
            raise DataError(
                f"all {len(self):,} labels are {int(bool(self.positives))}",
                where="label",
                fix="Fit on cases of both classes; from one class no boundary can be learned.",
            )
        return self


def drawn(label: np.ndarray, chance: np.ndarray, count: Callable[[int], int]) -> np.ndarray:
    """Cases of either class that are drawn, ``[n]`` bool: those of the least chance.

    Args:
        label: ``[n]`` bool.
        chance: ``[n]`` random numbers.
        count: from the cases of a class to how many of them are drawn.

    Example:
        >>> label = np.array([True, True, False, False, False, False])
        >>> drawn(label, np.array([0.9, 0.1, 0.4, 0.2, 0.3, 0.8]), lambda cases: cases // 2).tolist()
        [False, True, False, True, True, False]
    """
    found = np.zeros(len(label), bool)
    for kind in (True, False):
        places = np.flatnonzero(label == kind)
        found[places[np.argsort(chance[places])[: count(len(places))]]] = True
    return found


def finite(values: ArrayLike, name: str) -> np.ndarray:
    """A column of finite numbers as ``[n]`` float64.

    Raises:
        DataError: it is not one column of numbers, or a value is NaN or infinite.
    """
    if hasattr(values, "toarray"):
        raise DataError("a sparse array, which is not supported", where=name, fix="Give a dense column.")
    try:
        given = np.asarray(values)
        if given.dtype.kind == "c":
            raise TypeError("complex numbers")
        column = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("not numbers", where=name, fix="Give a column of floats.") from error
    if column.ndim != 1:
        raise DataError(f"shape {column.shape}", where=name, fix="Give one column.")
    wrong = ~np.isfinite(column)
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum()):,} values are NaN or infinite, the first at place {int(np.argmax(wrong))}",
            where=name,
            fix="Leave such cases out, or give the value that the model would act on.",
        )
    return column


def _labels(values: ArrayLike) -> np.ndarray:
    try:
        column = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise DataError("not one column", where="label", fix="Give 0 and 1.") from error
    if column.ndim != 1:
        raise DataError(f"shape {column.shape}", where="label", fix="Give one column.")
    if column.dtype == bool:
        return column
    try:
        known = np.isin(np.asarray(column, dtype=np.float64), (0.0, 1.0))
    except (TypeError, ValueError) as error:
        raise DataError("not numbers", where="label", fix="Give 0 and 1.") from error
    if not known.all():
        raise DataError(f"{float(column[~known][0]):g} is neither 0 nor 1", where="label", fix="Give 0 and 1.")
    return column.astype(bool)
