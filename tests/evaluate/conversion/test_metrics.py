"""Metrics by a second, literal formula and by cases known by hand; what cannot be judged is said."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.evaluate.conversion import auc, calibration, ece, nll, pr_auc
from thence.evaluate.conversion.ages import GROUP_NAMES, group_age, group_bucket, model_bucket, model_names
from thence.events.clock import DAY


def drawn(seed: int, n: int = 300, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, n)
    p = np.round(p, 1) if ties else p
    return rng.random(n) < p, p


@pytest.mark.parametrize("ties", [False, True])
def test_auc_counts_pairs(ties: bool) -> None:
    y, p = drawn(1, ties=ties)
    pairs = [(a > b) + (a == b) / 2 for a, b in product(p[y], p[~y])]
    assert auc(y, p) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_pr_auc_is_precision_summed_over_recall(ties: bool) -> None:
    y, p = drawn(2, ties=ties)
    area, before = 0.0, 0.0
    for cut in sorted(set(p.tolist()), reverse=True):
        taken = p >= cut
        recall, precision = y[taken].sum() / y.sum(), y[taken].mean()
        area, before = area + (recall - before) * precision, recall
    assert pr_auc(y, p) == pytest.approx(area, abs=1e-12)


def test_nll_is_literal_and_cut() -> None:
    y, p = drawn(3)
    literal = [-math.log(q) if hit else -math.log(1 - q) for hit, q in zip(y, p, strict=True)]
    assert nll(y, p) == pytest.approx(sum(literal) / len(literal), abs=1e-12)
    assert nll(np.array([1]), np.array([0.0])) == pytest.approx(-math.log(1e-6))
    assert nll(np.array([0]), np.array([1.0])) == pytest.approx(-math.log(1e-6))


def test_ece_is_literal_over_bins_of_equal_mass() -> None:
    y, p = drawn(4, n=400)
    order = np.argsort(p)
    gaps = [abs(p[part].sum() - y[part].sum()) for part in np.array_split(order, 20)]
    assert ece(y, p) == pytest.approx(sum(gaps) / len(p), abs=2e-3)
    assert ece(y, np.full(len(y), y.mean())) == pytest.approx(0, abs=1e-12)  # one bin, ties not torn apart
    assert ece(y, np.full(len(y), 0.9)) == pytest.approx(0.9 - y.mean())


def test_ece_of_true_probabilities_falls_with_the_number_of_exposures() -> None:
    few, many = (ece(*drawn(5, n=n)) for n in (500, 200_000))
    assert many < 0.004 < few


def test_calibration_is_the_ratio_of_means() -> None:
    y, p = drawn(6)
    assert calibration(y, 2 * p / 2) == pytest.approx(p.mean() / y.mean())
    with pytest.raises(DataError, match="nothing converted"):
        calibration(np.zeros(3), np.full(3, 0.1))


@pytest.mark.parametrize("metric", [auc, pr_auc])
def test_labels_that_are_all_alike_have_no_order(metric) -> None:
    for label in (np.zeros(4), np.ones(4)):
        with pytest.raises(DataError, match="no order to judge"):
            metric(label, np.linspace(0.1, 0.4, 4))


@pytest.mark.parametrize(
    ("label", "probability", "words"),
    [
        ([0, 1], [0.1], "do not fit"),
        ([], [], "nothing to judge"),
        ([0, 1], [0.1, 1.2], "from 0 to 1"),
        ([0, 1], [0.1, math.nan], "from 0 to 1"),
        ([0, 2], [0.1, 0.2], "neither 0 nor 1"),
    ],
)
def test_what_is_no_label_or_probability_is_refused(label, probability, words) -> None:
    for metric in (auc, pr_auc, nll, ece, calibration):
        with pytest.raises(DataError, match=words):
            metric(np.array(label, float), np.array(probability, float))


def test_ages_of_groups_and_of_the_model() -> None:
    time, group = np.array([9, 1, 4, 6]), np.array([7, 7, 3, 3])
    assert group_age(time, group).tolist() == [8, 0, 0, 2]
    edges = np.array([0, DAY - 1, DAY, 3 * DAY, 59 * DAY, 60 * DAY])
    assert [GROUP_NAMES[at] for at in group_bucket(edges)] == [
        "0-1 d", "0-1 d", "1-3 d", "3-7 d", "30-60 d", "60 d and more",
    ]  # fmt: skip
    assert model_bucket(np.array([0, DAY // 4, DAY - 1]), DAY).tolist() == [0, 1, 3]
    assert model_names(7 * DAY)[0] == "0-1.75 d"
    with pytest.raises(DataError, match="2 times and 1 groups"):
        group_age(np.zeros(2), np.zeros(1))
