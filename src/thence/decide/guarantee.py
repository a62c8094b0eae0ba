"""A bound that holds on new cases with stated confidence, not only on those that the boundary was chosen by.

A family of nested boundaries is known beforehand (a value for each case, a threshold on it). The hypothesis of
one threshold is that it misses the bound; cases that nobody has looked at reject it where their count would
then be unlikely (a binomial tail). Hypotheses are tested in an order fixed beforehand, each at the full level,
until the first that is not rejected: with that order no level is lost to there being many (fixed-sequence
testing). The order begins where, by the cases that the family was made of, rejection is most likely, and goes
on towards what the goal
wants: to looser thresholds for recall at a bound of precision, to stricter ones for precision at one of recall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from thence.base.errors import ConfigError
from thence.decide.boundary.nested import steps
from thence.decide.goal import Goal

STEPS = 200
"""Thresholds of a sequence."""


@dataclass(frozen=True)
class Guaranteed:
    """A threshold whose bound was tested.

    Args:
        threshold: of the value; infinity (never act) where no bound of precision could be shown, minus infinity
            where no bound of recall could.
        shown: whether a threshold was shown to keep the bound.
        p_value: of the last hypothesis rejected; 1 where none was.
        tested: hypotheses tested.
    """

    threshold: float
    shown: bool
    p_value: float
    tested: int


def guaranteed_threshold(
    known: tuple[np.ndarray, np.ndarray],
    new: tuple[np.ndarray, np.ndarray],
    goal: Goal,
    confidence: float = 0.95,
) -> Guaranteed:
    """The best threshold that is shown to keep the bound.

    The chance that the bound is missed, over draws of the new cases, is at most ``1 - confidence``. It is about
    cases like the new ones: a shift of the shop is not covered.

    Args:
        known: values ``[n]`` and labels ``[n]`` of cases that the family was made of; they order the
            hypotheses.
        new: values and labels of cases that it was not.
        goal: recall at a bound of precision, or precision at a bound of recall.
        confidence: in (0, 1).

    Raises:
        ConfigError: another goal, or a confidence outside (0, 1).

    References:
        Angelopoulos, Bates, Candès, Jordan and Lei, Learn then Test, 2021, section 2.2 (fixed sequence).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> rate = rng.random((2, 5000))
        >>> known, new = ((value, rng.random(5000) < value) for value in rate)
        >>> found = guaranteed_threshold(known, new, Goal.recall(precision=0.8))
        >>> found.shown, 0.6 < found.threshold < 0.7
        (True, True)
    """
    if goal.kind not in ("recall", "precision"):
        raise ConfigError(f"no guarantee for a goal of {goal.kind}", fix="Bound the precision or the recall.")
    if not 0 < confidence < 1:
        raise ConfigError(f"a confidence of {confidence}", fix="Give one between 0 and 1, such as .95.")
    order = _order(*known, goal, share=len(new[0]) / len(known[0]))
    value, label = new[0], new[1].astype(bool)
    taken, hits = _counts(value, order), _counts(value[label], order)
    trials = taken if goal.kind == "recall" else np.full(len(order), int(label.sum()))
    p_values = binom.sf(hits - 1, trials, goal.bound)
    passed = int(np.argmin(np.append(p_values <= 1 - confidence, False)))
    never = np.inf if goal.kind == "recall" else -np.inf
    return Guaranteed(
        float(order[passed - 1]) if passed else never,
        passed > 0,
        float(p_values[passed - 1]) if passed else 1.0,
        min(passed + 1, len(order)),
    )


def _counts(value: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many values are at least each threshold."""
    return len(value) - np.searchsorted(np.sort(value), thresholds, "left")


def _order(value: np.ndarray, label: np.ndarray, goal: Goal, share: float) -> np.ndarray:
    """Thresholds from the one that known cases reject best towards what the goal wants."""
    threshold, taken, positives = (column[1:] for column in steps(value, np.asarray(label, bool)))
    known = np.isfinite(threshold)  # who is never acted on is at minus infinity
    threshold, taken, positives = threshold[known], taken[known], positives[known]
    bound, total = goal.bound, int(np.sum(label))
    trials = taken if goal.kind == "recall" else np.full(len(taken), total)
    # standard errors between what is seen and the bound, of so many new cases; +1 draws small counts to the
    # bound
    seen = (positives + bound) / (trials + 1)
    power = (seen - bound) * np.sqrt(share * trials / (bound * (1 - bound) + 1e-12))
    start = int(np.argmax(power)) if len(power) else 0
    if goal.kind == "precision":
        ahead = np.arange(start, -1, -1)
    else:
        ahead = np.arange(start, len(threshold))
        # past where known cases miss the bound clearly there is nothing to be had
        ahead = ahead[: int(np.argmax(np.append(power[ahead] < -5, True)))]
    # steps are even in what is taken
    goes = np.abs(taken[ahead] - taken[ahead[0]]) if len(ahead) else taken[ahead]
    at = np.unique(np.searchsorted(goes, np.linspace(0, goes[-1], STEPS))) if len(ahead) else []
    return threshold[ahead[at]] if len(ahead) else threshold[:0]
