"""The boundary as an estimator of scikit-learn: from scores, uncertainties and labels to where to act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import type_of_target

from thence.base.errors import ConfigError, DataError, FitError, nearest
from thence.base.rng import generator
from thence.decide.boundary import SOLVERS, Solver
from thence.decide.boundary.nested import steps
from thence.decide.goal import BOUNDS, Goal
from thence.decide.guarantee import Guaranteed, guaranteed_threshold
from thence.decide.rule import Above, Outcome, Rule, outcome
from thence.decide.sample import Sample, drawn, finite

if TYPE_CHECKING:
    from sklearn.utils import Tags

SHOWN = 0.5
"""Share of the cases by which a guaranteed bound is shown; the others make the boundary."""


class DecisionBoundary(ClassifierMixin, BaseEstimator):
    """Where to act: a boundary over score and uncertainty that is best for a goal.

    Args:
        target: what is to be best: ``recall`` (at least ``precision``), ``precision`` (at least ``recall``),
            ``cost`` (``cost`` of a wrong act beside a missed positive of 1) or ``budget`` (act on at most
            ``share`` of the cases).
        precision, recall, cost, share: the bound that belongs to the target.
        method: a name of ``thence.decide.boundary.SOLVERS``, or a solver with settings of its own.
        confidence: where given, the bound holds on new cases with this probability: half of the cases make the
            boundary, the other half show where it keeps the bound. For recall and precision.
        seed: of the halves.

    Attributes:
        rule_: the fitted rule.
        goal_: what it is best for.
        outcome_: what it does to the cases that it was fitted to (for a guarantee: to those that showed it).
        uses_uncertainty_: whether the rule looks at the uncertainty at all.
        guarantee_: how the bound was shown; None without ``confidence``.
        classes_: ``[0, 1]``.
        n_features_in_: 2; 1 where no uncertainty was known.

    References:
        Arora et al., Leveraging Uncertainty Estimates To Improve Classifier Performance, ICLR 2024.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 4000))
        >>> came_true = rng.random(4000) < score * (1 - unsure)
        >>> boundary = DecisionBoundary("recall", precision=0.7).fit(score, unsure, came_true)
        >>> boundary.predict([0.95, 0.95], [0.05, 0.9]).tolist(), boundary.uses_uncertainty_
        ([1, 0], True)
        >>> boundary
        DecisionBoundary(precision=0.7)
    """

    def __init__(
        self,
        target: str = "recall",
        *,
        precision: float | None = None,
        recall: float | None = None,
        cost: float | None = None,
        share: float | None = None,
        method: str | Solver = "ours",
        confidence: float | None = None,
        seed: int = 0,
    ) -> None:
        self.target, self.precision, self.recall = target, precision, recall
        self.cost, self.share = cost, share
        self.method, self.confidence, self.seed = method, confidence, seed

    def fit(
        self, score: ArrayLike, uncertainty: ArrayLike | None = None, y: ArrayLike | None = None
    ) -> DecisionBoundary:
        """Find the boundary.

        Args:
            score: ``[n]``; or ``X`` of shape ``[n, 1]`` or ``[n, 2]`` with score and uncertainty as its
                columns, in which case labels come second.
            uncertainty: ``[n]``; None where none is known, which gives one threshold.
            y: labels ``[n]`` of 0 and 1.

        Raises:
            DataError: one class, lengths that differ, NaN, sparse arrays, labels that are not 0 and 1.
            ConfigError: the target or its bound cannot be, or the method is unknown.
            FitError: no boundary keeps the bound.
        """
        sample, known = self._sample(score, uncertainty, y)
        goal, solver = self._goal(), self._solver()
        guarantee: Guaranteed | None = None
        if self.confidence is None:
            rule, judged = solver.fit(sample, goal), sample
        else:
            rule, judged, guarantee = self._guaranteed(sample, goal, solver, self.confidence)
        found = outcome(rule, judged)
        if goal.kind == "recall" and not found.taken:
            raise FitError(
                _unreachable(goal, judged, self.confidence), fix="Lower the bound, or give more cases."
            )
        self.rule_, self.goal_, self.outcome_, self.guarantee_ = rule, goal, found, guarantee
        self.uses_uncertainty_ = isinstance(rule, Above) or len(getattr(rule, "threshold", [0, 0])) > 1
        self.classes_, self.n_features_in_ = np.array([0, 1]), 2 if known else 1
        return self

    def predict(self, score: ArrayLike, uncertainty: ArrayLike | None = None) -> np.ndarray:
        """Whether to act, ``[n]`` int64 of 0 and 1.

        Raises:
            NotFittedError: it is not fitted (an error of scikit-learn).
            DataError: NaN or infinite values, lengths that differ, or uncertainties known here alone, or in
                fitting alone.
        """
        return (self.decision_function(score, uncertainty) >= 0).astype(np.int64)

    def decision_function(self, score: ArrayLike, uncertainty: ArrayLike | None = None) -> np.ndarray:
        """Margin ``[n]`` float64: how far inside the boundary each case is; at least 0 where to act.

        Raises:
            NotFittedError: it is not fitted (an error of scikit-learn).
            DataError: NaN or infinite values, lengths that differ, or uncertainties known here alone, or in
                fitting alone.
        """
        rule = self._fitted()
        return rule.margin(*self._seen(score, uncertainty))

    def outcome(self, score: ArrayLike, uncertainty: ArrayLike | None, y: ArrayLike) -> Outcome:
        """What it does to other cases: taken, hits, precision, recall."""
        rule = self._fitted()
        return outcome(rule, Sample.make(*self._seen(score, uncertainty), y))

    def _fitted(self) -> Rule:
        if not hasattr(self, "rule_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("this DecisionBoundary is not fitted; call fit first")
        return self.rule_

    def _seen(self, score: ArrayLike, uncertainty: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
        """Score and uncertainty of new cases, of which as much must be known as in fitting."""
        scores, unsure = _columns(score, uncertainty)
        given, wanted = 1 if unsure is None else 2, self.n_features_in_
        if given != wanted:
            raise DataError(
                f"X has {given} features, but {type(self).__name__} is expecting {wanted} features as input",
                fix="Reshape your data to [n, 2], or give the uncertainties."
                if wanted == 2
                else "Give scores alone.",
            )
        return scores, np.zeros(len(scores)) if unsure is None else unsure

    def _sample(
        self, score: ArrayLike, uncertainty: ArrayLike | None, y: ArrayLike | None
    ) -> tuple[Sample, bool]:
        """The cases to fit to, and whether their uncertainty is known."""
        if y is None and uncertainty is not None and _is_table(score):
            uncertainty, y = None, uncertainty
        scores, unsure = _columns(score, uncertainty)
        if y is None:
            raise DataError(
                "the boundary requires y to be passed, but the target y is None",
                fix="Call fit(score, uncertainty, y) or fit(X, y).",
            )
        return Sample.make(scores, unsure, _target(y)).both_classes(), unsure is not None

    def _goal(self) -> Goal:
        if self.target not in BOUNDS:
            raise ConfigError(f"no target {self.target!r}", fix=nearest(self.target, BOUNDS))
        name = BOUNDS[self.target]
        bound = getattr(self, name)
        if bound is None:
            raise ConfigError(f"target {self.target!r} without its bound", fix=f"Give {name}=…, such as 0.9.")
        return Goal(self.target, float(bound))  # type: ignore[arg-type]

    def _solver(self) -> Solver:
        if not isinstance(self.method, str):
            return self.method
        if self.method not in SOLVERS:
            raise ConfigError(f"no method {self.method!r}", fix=nearest(self.method, SOLVERS))
        return SOLVERS[self.method]()

    def _guaranteed(
        self, sample: Sample, goal: Goal, solver: Solver, confidence: float
    ) -> tuple[Rule, Sample, Guaranteed]:
        """A rule of one half of the cases, moved to where the other half shows that it keeps the bound."""
        chance = generator(self.seed, "decide", "halves").random(len(sample))
        shows = drawn(sample.label, chance, lambda cases: int(cases * SHOWN))
        makes, shown = sample[~shows].both_classes(), sample[shows].both_classes()
        rule = solver.fit(makes, goal)
        margins = [(rule.margin(part.score, part.uncertainty), part.label) for part in (makes, shown)]
        guarantee = guaranteed_threshold(margins[0], margins[1], goal, confidence)
        return rule.tightened(guarantee.threshold), shown, guarantee

    def __sklearn_tags__(self) -> Tags:
        """Two classes, no text, and scores of any sign."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _columns(score: ArrayLike, uncertainty: ArrayLike | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Score and uncertainty from two columns, or from one array that holds both."""
    if _is_table(score):
        try:
            both = check_array(score, dtype="float64", estimator="DecisionBoundary")
        except (TypeError, ValueError) as error:
            raise DataError(str(error).partition("\n")[0], where="X") from error
        if uncertainty is not None or both.shape[1] > 2:
            raise DataError(
                f"X of shape {both.shape}", where="score", fix="Give one column, or score and uncertainty."
            )
        score, uncertainty = both[:, 0], both[:, 1] if both.shape[1] == 2 else None
    scores = finite(score, "score")
    if uncertainty is None:
        return scores, None
    unsure = finite(uncertainty, "uncertainty")
    if len(unsure) != len(scores):
        raise DataError(f"{len(scores)} scores and {len(unsure)} uncertainties", fix="Give one for each case.")
    return scores, unsure


def _is_table(values: ArrayLike) -> bool:
    try:
        return issparse(values) or np.asarray(values).ndim == 2
    except ValueError:  # rows of different lengths
        return False


def _target(y: ArrayLike) -> np.ndarray:
    """Labels as one column of two values; a column vector is told of, as scikit-learn does."""
    try:
        labels = column_or_1d(y, warn=True)
        with np.errstate(invalid="ignore"):  # it is told of NaN by name
            kind = type_of_target(labels, raise_unknown=True)
    except (TypeError, ValueError) as error:
        raise DataError(str(error).partition("\n")[0], where="y", fix="Give 0 and 1.") from error
    if kind != "binary":
        raise DataError(
            f"Only binary classification is supported. The type of the target is {kind}",
            where="y",
            fix="Give 0 and 1.",
        )
    return labels


def _unreachable(goal: Goal, sample: Sample, confidence: float | None) -> str:
    _, taken, positives = steps(sample.score, sample.label)
    best = float((positives[1:] / taken[1:]).max())
    sure = "" if confidence is None else f" with confidence {confidence:g}"
    also = f": one threshold reaches {best:.3f} at most" + (", of too few cases" if best >= goal.bound else "")
    return f"no boundary is known to keep a {goal.kept} of {goal.bound:g}{sure}{also}"
