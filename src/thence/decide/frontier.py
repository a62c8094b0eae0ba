"""What each wanted precision would bring: the picture of a policy, worked out when it is fitted.

For every step of a ladder of precisions the method is fitted anew to the cases that made the policy, and so is
one threshold; both are judged by the cases that were held out. Nothing is chosen by what judges it. With a
confidence, the bound of each step is shown for itself: that is no promise for whoever picks among many steps by
their outcome.

The picture is drawn over cells of score and uncertainty (:func:`~thence.decide.report.heat.heat`); where a
boundary runs is told in cells: ``across(y)`` from 0 to the number of bins, at 8 heights ``y`` of each level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thence.base.errors import FitError
from thence.base.rng import generator
from thence.decide.estimator import DecisionBoundary
from thence.decide.report.heat import Heat, heat
from thence.decide.report.sweep import Sweep
from thence.decide.rule import Rule
from thence.decide.sample import Sample, drawn
from thence.evaluate.wilson import wilson

if TYPE_CHECKING:
    from thence.decide.policy import Policy

STEPS = 14
HEIGHTS = 8
"""Places of a boundary in each level of uncertainty."""
MOST = 100_000
"""Cases that the steps are fitted to; the policy itself has all."""
HALVINGS = 40


def frontier(policy: Policy, boundary: DecisionBoundary, makes: Sample, judges: Sample) -> dict[str, Any]:
    """The picture, as JSON can hold it.

    Args:
        policy: fitted.
        boundary: as the policy's was asked for; its method, confidence and seed count.
        makes: cases that the policy's boundary was fitted to.
        judges: cases that judge it, and that its rates were fitted to.

    Returns:
        ``cases``, ``positives``, ``held_out``; ``score_edges``, ``uncertainty_edges``; ``cells``,
        ``[levels][bins]`` of ``count``, ``positive`` and, where there is a case, ``rate`` (the policy's, mean),
        ``score`` and ``uncertainty`` (of the middle case); ``own``, the policy; ``steps``, each with
        ``precision`` (wanted), ``boundary`` and ``single``. These two are None where none keeps the bound, else
        have like ``own`` the counts ``taken``, ``hits``, ``asked``, where the boundary runs, ``across``
        ``[levels · 8]`` with None where no score is enough, and ``asks``, the same of where one begins to ask.

    Example:
        >>> from thence.decide.fitting import fit_policy
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 4000))
        >>> sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
        >>> made = fit_policy(sample, DecisionBoundary("recall", precision=0.5), frontier=True)
        >>> steps = made.policy.picture["steps"]
        >>> [step["precision"] for step in steps][:3], steps[4]["boundary"]["hits"] > steps[4]["single"]["hits"]
        ([0.3, 0.35, 0.4], True)
    """
    cells = heat(judges)
    asked = policy.told.get("miss")
    own = _found(policy.rule, policy.ask, cells, judges)
    steps = []
    for precision in ladder(makes, boundary, policy.rule):
        fitted_to = _fewer(makes, boundary.seed)
        made, alone = (
            _fitted(boundary, method, precision, fitted_to) for method in (boundary.method, "single")
        )
        if made is not None and boundary.target == "recall" and precision == boundary.precision:
            made = policy.rule  # of all cases
        tried = [
            None if rule is None else _found(rule, _asks(rule, judges, asked), cells, judges)
            for rule in (made, alone)
        ]
        steps.append({"precision": precision, "boundary": tried[0], "single": tried[1]})
    return {
        "cases": len(judges),
        "positives": judges.positives,
        "held_out": makes is not judges,
        "score_edges": cells.score_edges.tolist(),
        "uncertainty_edges": cells.unsure_edges.tolist(),
        "cells": _cells(policy, cells, judges),
        "own": own,
        "steps": steps,
    }


def ladder(sample: Sample, boundary: DecisionBoundary, rule: Rule | None = None) -> list[float]:
    """Precisions from the base rate to the best that is surely to be had, in round steps.

    To be had by one threshold of the score, or of the rule's margin; surely is the lower end of Wilson's
    interval, so that a handful of lucky cases makes no ladder long. The bound of the policy itself is among
    them, where it is one of precision.

    Example:
        >>> sample = Sample.make(np.arange(100), None, np.arange(100) >= 80)
        >>> ladder(sample, DecisionBoundary("recall", precision=0.33))[:5]
        [0.2, 0.25, 0.3, 0.33, 0.35]
    """
    base = sample.positives / len(sample)
    values = [sample.score, *([] if rule is None else [rule.margin(sample.score, sample.uncertainty)])]
    sweeps = [Sweep.of(value, sample.label) for value in values]
    best = [float(wilson(sweep.hits, sweep.taken)[0].max()) for sweep in sweeps]
    own = {boundary.precision} if boundary.target == "recall" and boundary.precision else set()
    top = max(base, *best, *own)
    step = next((one for one in (0.005, 0.01, 0.02, 0.025, 0.05) if (top - base) / one <= STEPS), 0.1)
    first, last = int(np.ceil(base / step - 1e-9)), int(np.ceil(top / step - 1e-9))
    rounds = {round(place * step, 4) for place in range(first, last + 1)}
    return sorted(one for one in rounds | own if 0 < one <= 1)


def across(edges: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Where scores lie among cells, ``[n]`` from 0 to the number of bins; beyond the ends, at them.

    Example:
        >>> across(np.array([0.0, 1.0, 3.0]), np.array([-1.0, 0.5, 1.0, 2.0, 9.0])).tolist()
        [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    place = np.searchsorted(edges[1:-1], score, side="right")
    low, wide = edges[place], np.diff(edges)[place]
    part = np.divide(score - low, wide, out=np.zeros(len(score)), where=wide > 0)
    return place + np.clip(part, 0.0, 1.0)


def least(rule: Rule, unsure: np.ndarray, low: float, high: float) -> np.ndarray:
    """The least score ``[n]`` between two that a rule acts on at each uncertainty; infinity where none."""
    lows, highs = (np.full(len(unsure), end) for end in (low, high))
    always, ever = rule.act(lows, unsure), rule.act(highs, unsure)
    for _ in range(HALVINGS):
        middle = lows + (highs - lows) / 2
        inside = rule.act(middle, unsure)
        lows, highs = np.where(inside, lows, middle), np.where(inside, middle, highs)
    return np.where(always, low, np.where(ever, highs, np.inf))


def _found(rule: Rule, ask: float, cells: Heat, judges: Sample) -> dict[str, Any]:
    """What a rule does to the cases that judge it, and where its boundary runs."""
    margin = rule.margin(judges.score, judges.uncertainty)
    act = margin >= 0
    return {
        "taken": int(act.sum()),
        "hits": int(judges.label[act].sum()),
        "asked": int((~act & (margin >= ask)).sum()),
        "across": _line(rule, cells),
        "asks": _line(rule.tightened(ask), cells) if ask < 0 else None,
    }


def _line(rule: Rule, cells: Heat) -> list[float | None]:
    inside = (np.arange(HEIGHTS) + 0.5) / HEIGHTS
    edges = cells.unsure_edges
    unsure = (edges[:-1, None] + np.diff(edges)[:, None] * inside).ravel()
    needed = least(rule, unsure, float(cells.score_edges[0]), float(cells.score_edges[-1]))
    ever = np.isfinite(needed)
    at = across(cells.score_edges, np.where(ever, needed, 0.0)).round(3).tolist()
    return [place if known else None for place, known in zip(at, ever, strict=True)]


def _asks(rule: Rule, judges: Sample, miss: float | None) -> float:
    from thence.decide.policy import asks_from

    return 0.0 if miss is None else asks_from(rule, judges, miss)


def _fitted(boundary: DecisionBoundary, method: Any, precision: float, sample: Sample) -> Rule | None:
    given = {"precision": precision, "method": method, "confidence": boundary.confidence, "seed": boundary.seed}
    try:
        unsure = None if method == "single" else sample.uncertainty
        return DecisionBoundary("recall", **given).fit(sample.score, unsure, sample.label).rule_
    except FitError:
        return None


def _fewer(sample: Sample, seed: int) -> Sample:
    if len(sample) <= MOST:
        return sample
    chance = generator(seed, "decide", "frontier").random(len(sample))
    return sample[drawn(sample.label, chance, lambda cases: max(2, cases * MOST // len(sample)))]


def _cells(policy: Policy, cells: Heat, judges: Sample) -> list[list[dict[str, Any]]]:
    levels, bins = cells.count.shape
    rate = policy.decide(judges.score, judges.uncertainty).rate
    place = np.searchsorted(cells.unsure_edges[1:-1], judges.uncertainty, "right") * bins
    place += np.searchsorted(cells.score_edges[1:-1], judges.score, "right")
    order = np.argsort(place, kind="stable")
    groups = np.split(order, np.searchsorted(place[order], np.arange(1, levels * bins)))
    return [[_cell(groups[level * bins + at], rate, judges) for at in range(bins)] for level in range(levels)]


def _cell(rows: np.ndarray, rate: np.ndarray, judges: Sample) -> dict[str, Any]:
    told: dict[str, Any] = {"count": len(rows), "positive": int(judges.label[rows].sum())}
    if not len(rows):
        return told | {"rate": None, "score": None, "uncertainty": None}
    middle = rows[np.argsort(judges.score[rows], kind="stable")[len(rows) // 2]]
    return told | {
        "rate": round(float(rate[rows].mean()), 6),
        "score": float(judges.score[middle]),
        "uncertainty": float(judges.uncertainty[middle]),
    }
