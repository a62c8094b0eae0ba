"""From scored cases to a policy and its figures: fitted on some cases, judged on others that it never saw."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.rng import generator
from thence.decide.estimator import DecisionBoundary
from thence.decide.exposed import Sure
from thence.decide.frontier import frontier as _frontier
from thence.decide.policy import Policy
from thence.decide.report.sweep import matched_gains
from thence.decide.rule import Outcome, Rule, Thresholds, outcome
from thence.decide.sample import Sample, drawn
from thence.evaluate.bootstrap import Interval

SINGLE = "single"
NEVER = Thresholds(np.empty(0), np.array([np.inf]))


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """A policy, and what its rule does to cases beside one threshold.

    Args:
        policy: rule, rates and the zone of asking.
        rules: by name, the method's and ``single``, one threshold for the same goal.
        outcomes: by rule, on the cases that it is judged by.
        gain: recall of the method's rule over that of one threshold at the same realised precision.
        fitted: how many cases the rule was fitted to.
        held_out: whether it is judged by cases that it was not fitted to.
    """

    policy: Policy
    rules: Mapping[str, Rule]
    outcomes: Mapping[str, Outcome]
    gain: Interval
    fitted: int
    held_out: bool

    def __repr__(self) -> str:
        """One line."""
        return f"Fitted({self.policy!r}, {self.outcomes[self.method]!r})"

    @property
    def method(self) -> str:
        """Name of the method's rule."""
        return next(iter(self.rules))


def fit_policy(
    sample: Sample,
    boundary: DecisionBoundary,
    *,
    holdout: float = 0.3,
    later: bool = False,
    miss: float | None = None,
    told: Mapping[str, Any] | None = None,
    sure: Sure | None = None,
    frontier: bool = False,
) -> Fitted:
    """Fit a boundary and one threshold, judge both on cases held out, and fit rates on these.

    Args:
        sample: cases of both classes.
        boundary: not fitted; its goal, method and confidence count.
        holdout: share of the cases that the rule is judged by and its rates are fitted to; 0 takes all for all.
        later: whether the last cases are held out, of a sample in the order of time; else drawn by class.
        miss: share of the positives that may be held without asking; None never asks.
        told: what else the policy keeps; JSON.
        sure: of exposures, how sure the model is, which the policy keeps too.
        frontier: whether to work out what other precisions would bring, for the policy's picture.

    Raises:
        DataError: one class, or too few cases of one to hold some out.
        ConfigError: a share outside [0, 1), or as for :meth:`DecisionBoundary.fit`.
        FitError: no boundary keeps the bound.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 6000))
        >>> sample = Sample.make(score, unsure, rng.random(6000) < score * (1 - unsure))
        >>> found = fit_policy(sample, DecisionBoundary("recall", precision=0.7))
        >>> found.policy, found.held_out, found.gain.low > 1.5
        (Policy(recall at 0.7, never asks), True, True)
    """
    makes, judges = _parted(sample.both_classes(), holdout, later, boundary.seed)
    fitted = DecisionBoundary(**boundary.get_params()).fit(makes.score, makes.uncertainty, makes.label)
    rules = {_name(boundary): fitted.rule_, SINGLE: _single(boundary, makes)}
    policy = Policy.fit(fitted, judges, miss=miss, sure=sure)
    outcomes = {name: outcome(rule, judges) for name, rule in rules.items()}
    gain = matched_gains(judges, {"": fitted.rule_})[""]
    made = Fitted(policy, rules, outcomes, gain, len(makes), judges is not makes)
    policy.told |= {
        "method": made.method,
        "why_not": None if fitted.uses_uncertainty_ else _why_not(boundary, makes),
        "single": threshold_of(rules[SINGLE]),
        "fitted": len(makes),
        "base_rate": makes.positives / len(makes),
        "held_out": asdict(outcomes[made.method]) if made.held_out else None,
        **(told or {}),
    }
    if frontier:
        policy.picture = _frontier(policy, boundary, makes, judges)
    return made


def threshold_of(rule: Rule) -> float | None:
    """The threshold of a single-threshold rule; None where it never acts."""
    threshold = float(rule.threshold[0]) if isinstance(rule, Thresholds) else np.inf
    return None if threshold == np.inf else max(threshold, -sys.float_info.max)  # JSON knows no infinity


def rules_of(policy: Policy) -> dict[str, Rule]:
    """The policy's rule by its method's name, and ``single``, the one threshold that was fitted beside it.

    Example:
        >>> sample = Sample.make([1, 2, 3, 4] * 9, None, [0, 0, 1, 1] * 9)
        >>> made = fit_policy(sample, DecisionBoundary("recall", precision=0.9)).policy
        >>> sorted(rules_of(made)), rules_of(made)["single"].act([2.0, 3.0], [0.0, 0.0]).tolist()
        (['ours', 'single'], [False, True])
    """
    threshold = policy.told.get(SINGLE)
    single = NEVER if threshold is None else Thresholds(np.empty(0), np.array([float(threshold)]))
    name = str(policy.told.get("method", "policy"))
    return {"policy" if name == SINGLE else name: policy.rule, SINGLE: single}


def _name(boundary: DecisionBoundary) -> str:
    name = boundary.method if isinstance(boundary.method, str) else type(boundary.method).__name__
    return "policy" if name == SINGLE else name


def _single(boundary: DecisionBoundary, sample: Sample) -> Rule:
    """One threshold for the same goal; one that never acts where none keeps the bound."""
    try:
        fitted = DecisionBoundary(**{**boundary.get_params(), "method": SINGLE})
        return fitted.fit(sample.score, None, sample.label).rule_
    except FitError:
        return NEVER


def _why_not(boundary: DecisionBoundary, sample: Sample) -> str:
    """Why the rule is one threshold."""
    if sample.uncertainty.min() == sample.uncertainty.max():
        return "there is none, or it is the same everywhere"
    if boundary.method == SINGLE:
        return "the method is one threshold"
    if boundary.method == "ours":
        return "on cases that were not fitted it was not better than the score alone beyond noise"
    return "the method found no levels of it"


def _parted(sample: Sample, holdout: float, later: bool, seed: int) -> tuple[Sample, Sample]:
    """The cases to fit on, and those to judge by: the same ones where none are held out."""
    if not 0 <= holdout < 1:
        raise ConfigError(f"a share of {holdout} held out", fix="Give one from 0 to below 1, such as 0.3.")
    if not holdout:
        return sample, sample
    if later:
        first = len(sample) - max(1, round(holdout * len(sample)))
        judged = np.arange(len(sample)) >= first
    else:
        chance = generator(seed, "decide", "holdout").random(len(sample))
        judged = drawn(sample.label, chance, lambda cases: max(1, round(holdout * cases)))
    parts = sample[~judged], sample[judged]
    for name, part in zip(("fitted", "held out"), parts, strict=True):
        if not len(part) or part.positives in (0, len(part)):
            raise DataError(
                f"of {len(part):,} cases {name}, {part.positives:,} are positive",
                where="label",
                fix="Give more cases, or hold out another share; none with 0.",
            )
    return parts
