"""The boundary as an estimator: every target, scikit-learn's own checks, clear errors, bounds that hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import thence.decide.estimator as module
from thence.base.errors import ConfigError, DataError, FitError
from thence.base.rng import generator
from thence.decide.boundary import SOLVERS
from thence.decide.boundary.exact import Exact
from thence.decide.estimator import DecisionBoundary
from thence.decide.goal import Goal
from thence.decide.guarantee import guaranteed_threshold
from thence.decide.rule import Above, Rectangle, Thresholds
from thence.decide.sample import Sample

TARGETS: dict[str, dict[str, Any]] = {
    "recall": {"precision": 0.7},
    "precision": {"recall": 0.4},
    "cost": {"cost": 0.8},
    "budget": {"share": 0.1},
}


def columns(count: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = generator(seed, "tests", "estimator")
    score, unsure = rng.random((2, count))
    return score, unsure, rng.random(count) < score * (1 - unsure)


SCORE, UNSURE, LABEL = columns()


# ---- scikit-learn's own checks


class FirstTwo(DecisionBoundary):
    """Takes the first two columns of a table, as the checks know tables alone."""

    def fit(self, X, y=None) -> FirstTwo:  # type: ignore[override]
        super().fit(_two(X), y)
        self.width_ = np.shape(X)[1]
        return self

    def predict(self, X) -> np.ndarray:  # type: ignore[override]
        return (self.decision_function(X) >= 0).astype(np.int64)

    def decision_function(self, X) -> np.ndarray:  # type: ignore[override]
        if np.ndim(np.asarray(X)) == 2 and np.shape(X)[1] != getattr(self, "width_", np.shape(X)[1]):
            raise DataError(f"{np.shape(X)[1]} columns")
        return super().decision_function(_two(X))


def _two(X: Any) -> Any:
    if issparse(X):
        return X
    table = np.asarray(X)
    return table[:, :2] if table.ndim == 2 and table.shape[1] > 2 else X


OTHER_LABELS = "labels are 0 and 1 here; this check gives other numbers or words"
CANNOT_APPLY = {
    "check_classifiers_classes": OTHER_LABELS,
    "check_estimators_dtypes": OTHER_LABELS,
    "check_classifier_data_not_an_array": OTHER_LABELS,
    "check_fit2d_1feature": OTHER_LABELS,
    "check_dtype_object": "values that are no numbers are a DataError, which is a ValueError, not a TypeError",
    "check_n_features_in_after_fitting": "of four columns two are taken, and so n_features_in_ is two",
}
SKIPPED = {"check_array_api_input"}  # unless scipy was told to know other arrays


def named(check: Any) -> str:
    return check.func.__name__ if hasattr(check, "func") else check.__name__


GENERATED: Any = estimator_checks_generator(FirstTwo("cost", cost=1.0))
CHECKS = [check for _, check in GENERATED if named(check) not in SKIPPED]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: named(check))
def test_scikit_learn_checks(check: Any) -> None:
    if named(check) in CANNOT_APPLY:
        with pytest.raises((AssertionError, DataError)):
            check(FirstTwo("cost", cost=1.0))
    else:
        check(FirstTwo("cost", cost=1.0))


def test_checks_that_cannot_apply_are_there() -> None:
    assert set(CANNOT_APPLY) <= {named(check) for check in CHECKS} and len(CHECKS) > 45


# ---- what it does


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["single", "ours", "exact"])
def test_every_target_keeps_its_bound(target: str, method: str) -> None:
    boundary = DecisionBoundary(target, **TARGETS[target], method=method).fit(SCORE, UNSURE, LABEL)
    act = boundary.predict(SCORE, UNSURE).astype(bool)
    hits, taken = LABEL[act].sum(), act.sum()
    assert boundary.outcome(SCORE, UNSURE, LABEL) == boundary.outcome(np.stack([SCORE, UNSURE], 1), None, LABEL)
    found = boundary.outcome_
    assert (found.taken, found.hits, found.cases, found.positives) == (taken, hits, len(LABEL), LABEL.sum())
    slack = 0.04 if method == "ours" else 0  # its threshold was chosen on unseen rates
    if target == "recall":
        assert hits / taken >= 0.7 - slack
    elif target == "precision":
        assert hits / LABEL.sum() >= 0.4 - slack
    elif target == "budget":
        assert taken <= (0.1 + slack) * len(LABEL)
    else:
        assert hits - 0.8 * (taken - hits) > 0
    assert boundary.uses_uncertainty_ == (method != "single")
    assert np.array_equal(boundary.decision_function(SCORE, UNSURE) >= 0, act)


@pytest.mark.parametrize("method", [name for name in SOLVERS if name != "evidence"])
def test_every_method_by_name(method: str) -> None:
    few = slice(0, 400)
    boundary = DecisionBoundary(precision=0.4, method=method).fit(SCORE[few], UNSURE[few], LABEL[few])
    assert isinstance(boundary.rule_, Thresholds | Rectangle | Above)
    assert boundary.outcome_.precision >= 0.37


def test_a_solver_with_settings_is_a_method() -> None:
    boundary = DecisionBoundary(precision=0.7, method=Exact(levels=3)).fit(SCORE, UNSURE, LABEL)
    assert isinstance(boundary.rule_, Thresholds) and len(boundary.rule_.threshold) == 3


def test_a_table_is_its_columns() -> None:
    table = np.stack([SCORE, UNSURE], axis=1)
    one = DecisionBoundary(precision=0.7).fit(SCORE, UNSURE, LABEL)
    for other in (
        DecisionBoundary(precision=0.7).fit(table, LABEL),
        DecisionBoundary(precision=0.7).fit(table, y=LABEL),
        DecisionBoundary(precision=0.7).fit(table.tolist(), LABEL.astype(int).tolist()),
        DecisionBoundary(**one.get_params()).fit(score=table, uncertainty=None, y=LABEL),
    ):
        assert np.array_equal(other.decision_function(table), one.decision_function(SCORE, UNSURE))
        assert other.n_features_in_ == one.n_features_in_ == 2
    alone = DecisionBoundary(precision=0.6).fit(SCORE, None, LABEL)
    column = DecisionBoundary(precision=0.6).fit(SCORE[:, None], LABEL)
    assert np.array_equal(alone.predict(SCORE), column.predict(SCORE[:, None]))
    assert alone.n_features_in_ == column.n_features_in_ == 1 and not alone.uses_uncertainty_


def test_parameters_are_those_given() -> None:
    boundary = DecisionBoundary("precision", recall=0.4, method="exact", confidence=0.9, seed=3)
    told = boundary.get_params()
    assert told == {
        "target": "precision", "precision": None, "recall": 0.4, "cost": None, "share": None, "method": "exact",
        "confidence": 0.9, "seed": 3,
    }  # fmt: skip
    copied: Any = clone(boundary)
    assert copied.get_params() == told
    assert boundary.set_params(recall=0.2) is boundary and boundary.recall == 0.2
    with pytest.raises(ValueError, match="nvalid parameter"):
        boundary.set_params(bound=1)


def test_it_stands_at_the_end_of_a_pipeline() -> None:
    table = np.stack([SCORE, UNSURE], axis=1)
    made = make_pipeline(StandardScaler(), DecisionBoundary(precision=0.7)).fit(table, LABEL)
    assert set(made.predict(table)) == {0, 1}


# ---- wrong input


def fit(**change: Any) -> DecisionBoundary:
    given = {"score": SCORE, "uncertainty": UNSURE, "y": LABEL} | change
    return DecisionBoundary(precision=0.7).fit(**given)


NAN = np.append(SCORE[:-1], np.nan)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "one class": ({"y": np.ones(2000)}, "one class"),
    "labels 2": ({"y": np.where(LABEL, 2, 0)}, "2 is neither 0 nor 1"),
    "three classes": ({"y": np.arange(2000) % 3}, "Only binary classification"),
    "rates": ({"y": SCORE}, "Only binary classification.*continuous"),
    "words": ({"y": np.where(LABEL, "yes", "no")}, "not numbers"),
    "nan label": ({"y": np.where(LABEL, np.nan, 0)}, "NaN|neither"),
    "no labels": ({"y": None}, "requires y"),
    "nan score": ({"score": NAN}, "score.*|1 values are NaN"),
    "nan uncertainty": ({"uncertainty": NAN}, "1 values are NaN"),
    "short score": ({"score": SCORE[1:]}, "1999 scores and 2000 uncertainties"),
    "short labels": ({"y": LABEL[1:]}, "2000 scores, 2000 uncertainties and 1999 labels"),
    "three columns": ({"score": np.ones((2000, 3)), "uncertainty": None}, "shape"),
    "table and uncertainty": ({"score": np.ones((2000, 2))}, "shape"),
    "sparse": ({"score": csr_array(np.ones((2000, 2))), "uncertainty": None}, "[Ss]parse"),
    "sparse column": ({"uncertainty": csr_array(np.ones((1, 2000)))}, "sparse"),
    "nan table": ({"score": np.stack([NAN, UNSURE], 1), "uncertainty": None}, "NaN"),
    "ragged": ({"score": [[1.0], [1.0, 2.0]], "uncertainty": None}, "not numbers"),
    "nothing": ({"score": [], "uncertainty": [], "y": []}, "no cases|0 sample|y"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_told(name: str) -> None:
    change, says = WRONG[name]
    with pytest.raises(DataError, match=says):
        fit(**change)


def test_wrong_settings_are_told() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "without its bound.*precision="),
        ({"target": "precision"}, "recall="),
        ({"target": "cost"}, "cost="),
        ({"target": "budget"}, "share="),
        ({"target": "recal", "precision": 0.5}, "Did you mean 'recall'"),
        ({"precision": 1.5}, "bound of 1.5"),
        ({"precision": 0.5, "method": "exct"}, "Did you mean 'exact'"),
        ({"precision": 0.5, "confidence": 1.0}, "confidence of 1"),
        ({"target": "cost", "cost": 1.0, "confidence": 0.9}, "no guarantee"),
    ]
    for settings, says in wrong:
        with pytest.raises(ConfigError, match=says):
            DecisionBoundary(**settings).fit(SCORE, UNSURE, LABEL)


@pytest.mark.parametrize("confidence", [None, 0.95])
def test_a_precision_that_cannot_be_reached_is_told(confidence: float | None) -> None:
    label = generator(0, "noise").random(2000) < 0.3
    with pytest.raises(FitError, match=r"precision of 0.99.*one threshold reaches"):
        DecisionBoundary(precision=0.99, method="single", confidence=confidence).fit(
            np.round(SCORE, 1), UNSURE, label
        )


def test_constant_scores_are_all_or_nothing() -> None:
    same = np.full(2000, 0.5)
    found = DecisionBoundary(precision=0.2).fit(same, same, LABEL)
    assert found.predict(same, same).all() and not found.uses_uncertainty_
    with pytest.raises(FitError, match="one threshold reaches"):
        DecisionBoundary(precision=0.9).fit(same, same, LABEL)


def test_who_is_not_fitted_says_so() -> None:
    for call in ("predict", "decision_function"):
        with pytest.raises(NotFittedError, match="not fitted"):
            getattr(DecisionBoundary(precision=0.5), call)([0.5], [0.5])
    with pytest.raises(NotFittedError):
        DecisionBoundary(precision=0.5).outcome([0.5], [0.5], [1])
    failed = DecisionBoundary(precision=0.99, method="single")
    with pytest.raises(FitError):
        failed.fit(np.full(2000, 0.5), None, LABEL)
    with pytest.raises(NotFittedError):
        failed.predict([0.5])


def test_new_cases_are_checked_against_the_old() -> None:
    two, one = fit(), fit(uncertainty=None, score=np.where(LABEL, 1, SCORE))
    with pytest.raises(DataError, match="1 features, but DecisionBoundary is expecting 2"):
        two.predict(SCORE)
    with pytest.raises(DataError, match="2 features, but DecisionBoundary is expecting 1"):
        one.predict(SCORE, UNSURE)
    with pytest.raises(DataError, match="expecting 2"):
        two.outcome(SCORE, None, LABEL)
    for score, unsure in ((NAN, UNSURE), (SCORE, NAN), (SCORE[1:], UNSURE), (np.ones((4, 3)), None)):
        with pytest.raises(DataError):
            two.predict(score, unsure)


def test_a_column_of_labels_is_taken_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        found = fit(y=LABEL[:, None])
    assert np.array_equal(found.predict(SCORE, UNSURE), fit().predict(SCORE, UNSURE))


def test_a_fit_that_fails_leaves_the_old_one() -> None:
    found = DecisionBoundary(precision=0.7, method="single").fit(SCORE, UNSURE, LABEL)
    before = found.predict(SCORE, UNSURE)
    with pytest.raises(FitError):
        found.set_params(precision=0.999, confidence=0.999).fit(SCORE[:50], UNSURE[:50], LABEL[:50])
    assert found.guarantee_ is None and np.array_equal(found.predict(SCORE, UNSURE), before)


# ---- a bound that holds


@pytest.mark.parametrize("method", ["single", "ours"])
def test_the_bound_holds_in_truth(method: str) -> None:
    """Rates are known; of the fits at most 5 % and three standard errors miss the bound."""
    bound = 0.3 if method == "single" else 0.6  # one threshold cannot reach half
    fresh = columns(60_000, 99)
    true = fresh[0] * (1 - fresh[1])
    missed = recall = 0.0
    draws = 60 if method == "single" else 6
    for seed in range(draws):
        boundary = DecisionBoundary(precision=bound, method=method, confidence=0.95, seed=seed)
        boundary.fit(*columns(3000, seed))
        assert boundary.guarantee_ is not None and boundary.guarantee_.shown
        act = boundary.predict(*fresh[:2]).astype(bool)
        missed += true[act].mean() < bound
        recall += true[act].sum() / true.sum() / draws
    assert missed / draws <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)
    assert recall > (0.12 if method == "ours" else 0.01)


class ByHeart:
    """A solver that knows the label of each of its cases, and of others that of the next higher score."""

    def fit(self, sample: Sample, goal: Goal) -> Above:
        order = np.argsort(sample.score)
        known, label = sample.score[order], sample.label[order].astype(float)

        class Next:
            def rate(self, score, uncertainty):
                return label[np.minimum(np.searchsorted(known, score), len(known) - 1)]

        return Above(Next(), 0.5)


def test_a_boundary_shown_by_the_cases_that_made_it_misses(monkeypatch) -> None:
    """What was learned by heart is shown by other cases not to hold, and by its own (a mutant) to hold."""
    boundary = DecisionBoundary(precision=0.6, method=ByHeart(), confidence=0.95)
    with pytest.raises(FitError, match="with confidence"):
        boundary.fit(SCORE, UNSURE, LABEL)
    monkeypatch.setattr(
        module, "guaranteed_threshold", lambda known, new, *more: guaranteed_threshold(known, known, *more)
    )
    boundary.fit(SCORE, UNSURE, LABEL)
    fresh = columns(20_000, 99)
    assert boundary.guarantee_ is not None and boundary.guarantee_.shown
    assert boundary.outcome(*fresh).precision < 0.55


def test_a_recall_that_cannot_be_shown_is_kept_by_acting_on_all() -> None:
    few = np.arange(12)
    boundary = DecisionBoundary("precision", recall=0.95, confidence=0.99, method="single")
    boundary.fit(SCORE[few], UNSURE[few], few % 2)
    assert boundary.guarantee_ is not None and not boundary.guarantee_.shown
    assert boundary.predict(SCORE, UNSURE).all()


def test_halves_are_drawn_from_the_seed() -> None:
    one, same, other = (
        DecisionBoundary(precision=0.3, confidence=0.9, method="single", seed=seed).fit(SCORE, UNSURE, LABEL)
        for seed in (0, 0, 1)
    )
    assert one.guarantee_ == same.guarantee_ != other.guarantee_
    assert one.outcome_.cases in (len(LABEL) // 2, len(LABEL) // 2 - 1)
    assert repr(one) == "DecisionBoundary(confidence=0.9, method='single', precision=0.3)"
    told = Sample.make(SCORE, UNSURE, LABEL)
    assert abs(one.outcome_.positives - told.positives / 2) < 1
