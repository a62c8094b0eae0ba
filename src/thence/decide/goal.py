"""What a boundary is chosen for: one number to be best in, another to be kept.

Whatever a boundary does, it takes some cases (acts on them), of which some are positive. A solver lays out
pairs of the two that can be had, and the goal picks one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError, FitError

Kind = Literal["recall", "precision", "cost", "budget"]
BOUNDS = {"recall": "precision", "precision": "recall", "cost": "cost", "budget": "share"}
"""By what is to be best, the name of the number that is bounded."""
SLACK = 1e-12
"""Relative tolerance of bounds, so that 9 of 10 is a precision of .9."""


@dataclass(frozen=True)
class Goal:
    """One of four; make it with :meth:`recall`, :meth:`precision`, :meth:`cost` or :meth:`budget`.

    Args:
        kind: what is to be best: ``recall`` at a bound of precision, ``precision`` at one of recall, ``cost``
            of mistakes, or ``budget``: most positives among so many taken.
        bound: of the other number, in (0, 1]; the share of cases that may be taken for ``budget``; of ``cost``
            what a wrong act costs beside a missed positive (1).

    Example:
        >>> taken, positives = np.array([0, 10, 20, 40]), np.array([0, 9, 15, 20])
        >>> Goal.recall(precision=0.75).pick(taken, positives, 40, 25)
        2
        >>> Goal.precision(recall=0.7).pick(taken, positives, 40, 25)
        3
        >>> Goal.cost(0.5).pick(taken, positives, 40, 25), Goal.budget(0.25).pick(taken, positives, 40, 25)
        (2, 1)
    """

    kind: Kind
    bound: float

    def __post_init__(self) -> None:
        if self.kind not in BOUNDS:
            raise ConfigError(f"goal {self.kind!r}", fix=f"One of {', '.join(BOUNDS)}.")
        high = np.inf if self.kind == "cost" else 1.0
        if not 0 < self.bound <= high or not np.isfinite(self.bound):
            raise ConfigError(f"a bound of {self.bound} for {self.kind}", fix="Give one in (0, 1].")

    @classmethod
    def recall(cls, *, precision: float) -> Goal:
        """Most recall with at least this precision."""
        return cls("recall", precision)

    @classmethod
    def precision(cls, *, recall: float) -> Goal:
        """Most precision with at least this recall."""
        return cls("precision", recall)

    @classmethod
    def cost(cls, false_positive: float) -> Goal:
        """Least cost, where a missed positive costs 1 and a wrong act this much."""
        return cls("cost", false_positive)

    @classmethod
    def budget(cls, share: float) -> Goal:
        """Most positives with at most this share of the cases taken."""
        return cls("budget", share)

    def allowed(self, taken: np.ndarray, positives: np.ndarray, cases: int, total: int) -> np.ndarray:
        """Whether each pair keeps the bound, ``[m]`` bool; who takes nothing keeps any bound of precision."""
        taken, positives = np.asarray(taken, np.float64), np.asarray(positives, np.float64)
        if self.kind == "recall":
            return positives >= self.bound * taken * (1 - SLACK)
        if self.kind == "precision":
            return positives >= self.bound * total * (1 - SLACK)
        if self.kind == "budget":
            return taken <= self.bound * cases * (1 + SLACK)
        return np.ones(len(taken), bool)

    def worth(self, taken: np.ndarray, positives: np.ndarray) -> np.ndarray:
        """What is to be as large as can be, ``[m]`` float64."""
        taken, positives = np.asarray(taken, np.float64), np.asarray(positives, np.float64)
        if self.kind == "precision":
            return np.divide(positives, taken, out=np.zeros(len(taken)), where=taken > 0)
        if self.kind == "cost":
            return positives - self.bound * (taken - positives)
        return positives

    def pick(self, taken: np.ndarray, positives: np.ndarray, cases: int, total: int) -> int:
        """Place of the best pair that keeps the bound; of equal ones, that which takes fewest.

        Args:
            taken: ``[m]`` cases acted on.
            positives: ``[m]`` positive ones among them.
            cases: in the sample.
            total: positive cases in the sample.

        Raises:
            FitError: no pair keeps the bound.
        """
        allowed = self.allowed(taken, positives, cases, total)
        if not allowed.any():
            raise FitError(f"no boundary keeps a {self.kept} of {self.bound:g}", fix="Lower the bound.")
        worth = np.where(allowed, self.worth(taken, positives), -np.inf)
        best = np.flatnonzero(worth >= worth.max() - SLACK)
        return int(best[np.argmin(np.asarray(taken)[best])])

    @property
    def kept(self) -> str:
        """Name of the number that is bounded."""
        return BOUNDS[self.kind]
