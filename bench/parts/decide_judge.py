"""How boundaries are judged: as they were chosen, and at equal realised precision.

Every method is a path of rules, one for each of a few targets around the bound, all fitted to the same cases.
*Naive* figures are those of the rule for the bound itself. *Matched* recall is the most that the path has on
the test cases while their precision is at least the bound, where two neighbours on the path may be mixed by
lot; so it is judged kindly, and one threshold as kindly as the others. Intervals come from a bootstrap over
test cases in which all methods see the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.errors import FitError
from thence.base.rng import generator
from thence.decide.boundary import SOLVERS
from thence.decide.boundary.nested import AROUND as BOUNDS_AROUND
from thence.decide.boundary.nested import best_threshold
from thence.decide.goal import SLACK, Goal
from thence.decide.levels import curve_of
from thence.decide.rule import Above, Rule
from thence.decide.sample import Sample
from thence.decide.surface.smooth import cross_fitted

AROUND = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.065, 0.09, 0.13, 0.18)
"""Targets less the bound; narrower in proportion where the bound is below .4."""
AT = AROUND.index(0.0)
DRAWS = 200
USUAL_RECALL = 0.3

Acts = list[np.ndarray]
"""Of each target, whether each test case is acted on; ``[n]`` bool."""


def bound_of(fit: Sample, recall: float = USUAL_RECALL) -> float:
    """The precision that one threshold has at this recall on the cases it is fitted to."""
    curve = curve_of(fit.score, fit.label)
    enough = curve.positives[1:] >= recall * fit.positives
    precision = (curve.positives[1:] / curve.taken[1:])[enough].max()
    return float(np.clip(np.floor(precision * 1000) / 1000, 1e-3, 0.95))


def targets(bound: float) -> list[float]:
    """Precisions that a path is fitted to."""
    return [float(np.clip(bound + step * min(1.0, bound / 0.4), 1e-4, 0.999)) for step in AROUND]


def by_solver(name: str, fit: Sample, test: Sample, bound: float) -> Acts:
    """A path of refitted rules; nothing is acted on where a target cannot be kept."""
    return [_act(_fitted(name, fit, goal), test) for goal in map(_goal, targets(bound))]


def by_value(value: np.ndarray, fit: Sample, on_test: np.ndarray, bound: float) -> Acts:
    """A path of thresholds on a value, chosen on the cases of the fit."""
    found = []
    for goal in map(_goal, targets(bound)):
        try:
            found.append(on_test >= best_threshold(value, fit, goal))
        except FitError:
            found.append(np.zeros(len(on_test), bool))
    return found


def ours(fit: Sample, test: Sample, bound: float) -> tuple[Acts, Rule | None]:
    """Ours: its own rule at the bound, and thresholds on what it looks at around it."""
    rule = _fitted("ours", fit, _goal(bound))
    value = value_of(rule)
    acts = by_value(value(fit), fit, value(test), bound)
    acts[AT] = _act(rule, test)
    return acts, rule


def ceilings(test: Sample, bound: float) -> dict[str, Acts]:
    """What no method can have: boundaries that are fitted to the labels that judge them.

    ``ceiling`` are the best thresholds there are, one a level of uncertainty, noise of the labels and all;
    ``ceiling_smooth`` thresholds on a smooth rate, which cannot follow that noise as far.
    """
    rate = cross_fitted(test)[0].rate(test.score, test.uncertainty)
    return {
        "ceiling": by_solver("exact", test, test, bound),
        "ceiling_smooth": by_value(rate, test, rate, bound),
    }


def value_of(rule: Rule | None) -> Callable[[Sample], np.ndarray]:
    """What a rule of ours puts its threshold on: the rate of its surface, or the score."""
    if isinstance(rule, Above):
        surface = rule.surface
        return lambda sample: surface.rate(sample.score, sample.uncertainty)
    return lambda sample: sample.score


def _goal(precision: float) -> Goal:
    return Goal.recall(precision=precision)


def _fitted(name: str, fit: Sample, goal: Goal) -> Rule | None:
    try:
        return SOLVERS[name]().fit(fit, goal)
    except FitError:
        return None


def _act(rule: Rule | None, test: Sample) -> np.ndarray:
    return np.zeros(len(test), bool) if rule is None else rule.act(test.score, test.uncertainty)


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one method did to the test cases as they are (first) and in each bootstrap draw.

    Args:
        recall: ``[draws + 1]`` of the rule for the bound.
        precision: likewise; NaN where nothing is taken.
        missed: likewise, whether that is below the bound.
        matched: likewise, recall at equal precision.
        around: likewise, the mean of that over bounds at .9, .95, 1 and 1.05 of the bound.
    """

    recall: np.ndarray
    precision: np.ndarray
    missed: np.ndarray
    matched: np.ndarray
    around: np.ndarray


def judged(
    paths: Mapping[str, Acts], test: Sample, bound: float, seed: int, draws: int = DRAWS
) -> dict[str, Drawn]:
    """Of each method what it did; all see the same draws."""
    rows = [act for path in paths.values() for act in path]
    cells, count, positive = _cells(np.stack([*rows, test.label]))
    rng = generator(seed, "bench", "decide", "draws")
    weight = np.concatenate([count[None, :], rng.poisson(count, (draws, len(count)))]).astype(float)
    taken, hits = weight @ cells[:-1].T, (weight * positive) @ cells[:-1].T
    total = np.maximum(weight @ positive, 1)
    found, start = {}, 0
    for name, path in paths.items():
        mine, at = slice(start, start + len(path)), start + (AT if len(path) > 1 else 0)
        start = mine.stop
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = hits[:, at] / taken[:, at]
        missed = (precision < bound * (1 - SLACK)).astype(float)
        matched = most_hits(taken[:, mine], hits[:, mine], bound) / total
        each = [most_hits(taken[:, mine], hits[:, mine], bound * by) / total for by in BOUNDS_AROUND]
        found[name] = Drawn(hits[:, at] / total, precision, missed, matched, np.mean(each, axis=0))
    return found


def most_hits(taken: np.ndarray, hits: np.ndarray, bound: float) -> np.ndarray:
    """Most hits along a path whose precision is the bound's at least, neighbours mixed; ``[draws]``.

    Args:
        taken: ``[draws, rules]`` in the order of the path.
        hits: likewise.
        bound: of precision.

    Example:
        >>> most_hits(np.array([[10.0, 20.0]]), np.array([[8.0, 10.0]]), 0.6).tolist()  # half of either: 15, 9
        [9.0]
    """
    room = hits - bound * taken * (1 - SLACK)
    best = np.where(room >= 0, hits, 0.0).max(axis=1)
    first, second = room[:, :-1], room[:, 1:]
    across = (first < 0) != (second < 0)
    share = np.divide(first, first - second, out=np.zeros(first.shape), where=across)
    mixed = (1 - share) * hits[:, :-1] + share * hits[:, 1:]
    return np.maximum(best, np.where(across, mixed, 0.0).max(axis=1, initial=0.0))


def _cells(acts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cases that all rules treat alike: rows of acts ``[rules + 1, cells]``, counts, and whether positive."""
    salt = generator(0, "bench", "decide", "salt").integers(0, 2**63, len(acts), dtype=np.uint64)
    code = np.zeros(acts.shape[1], np.uint64)
    for row, one in zip(acts, salt, strict=True):
        code += row * one
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    cells = acts[:, first]
    return cells.astype(float), count, cells[-1].astype(float)


def figures(runs: list[dict[str, Drawn]], bound: float, brief: bool = False) -> dict[str, float]:
    """METHOD.METRIC over seeds.

    ``recall`` and ``precision`` are means of the rule for the bound, ``violation`` the share of draws in which
    it misses it, ``naive_gain`` its recall over that of one threshold's rule; ``matched_recall`` and
    ``recall_gain`` the same at equal precision, with ``recall_gain.low`` and ``.high`` of 95 %, and its spread
    over seeds. Where precision hardly falls with recall a ratio at one bound says little, so beside it
    stands ``recall_gain_around``, of recalls averaged over four bounds.

    Args:
        runs: one a seed.
        bound: of precision; the mean of those of the seeds where each has its own.
        brief: leave out what a large table does not show.
    """
    found: dict[str, float] = {"single.bound": bound}
    single, single_matched = _stacked(runs, "single", "recall"), _stacked(runs, "single", "matched")
    for name in runs[0]:
        told: dict[str, float] = {}
        if not name.startswith("ceiling"):  # what is chosen by the labels that judge it is chosen by nobody
            recall, missed = _stacked(runs, name, "recall"), _stacked(runs, name, "missed")
            told["recall"] = recall[:, 0].mean()
            told["precision"] = _mean(_stacked(runs, name, "precision")[:, 0])
            told["violation"] = missed[:, 1:].mean() if missed.shape[1] > 1 else missed.mean()
            if name != "single":
                told["naive_gain"] = _over(recall[:, 0].mean(), single[:, 0].mean())
        if name != "guaranteed":  # its path is that of ours
            matched = _stacked(runs, name, "matched")
            if not brief or name in ("single", "ours"):
                told["matched_recall"] = matched[:, 0].mean()
            if name != "single":
                short = brief and name != "ours"
                told |= _gain("recall_gain", matched, single_matched, short)
                around = _stacked(runs, name, "around")
                told |= _gain("recall_gain_around", around, _stacked(runs, "single", "around"), short)
        found |= {f"{name}.{key}": float(value) for key, value in told.items() if np.isfinite(value)}
    return found


def _gain(key: str, mine: np.ndarray, single: np.ndarray, brief: bool) -> dict[str, float]:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = mine.mean(axis=0) / single.mean(axis=0)
        each = mine[:, 0] / single[:, 0]
    told, drawn = {key: ratio[0]}, ratio[1:][np.isfinite(ratio[1:])]
    if len(each) > 1 and np.isfinite(each).all():
        told[f"{key}.std"] = each.std(ddof=1)
    if len(drawn) and not brief:
        told[f"{key}.low"], told[f"{key}.high"] = np.quantile(drawn, [0.025, 0.975])
    return told


def _stacked(runs: list[dict[str, Drawn]], name: str, field: str) -> np.ndarray:
    """``[seeds, draws + 1]``."""
    return np.stack([getattr(run[name], field) for run in runs])


def _over(above: float, below: float) -> float:
    return above / below if below else float("nan")


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
