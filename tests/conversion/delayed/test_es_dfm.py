"""ES-DFM: rows, weights, and classifiers that see what is mature and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from thence.conversion.delayed.es_dfm import EsDfm, weights
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig

LAB = Lab(NetConfig("logistic"), LearnConfig(batch_size=200, learning_rate=0.05, passes=12))
QUICK = replace(LAB, learn=replace(LAB.learn, passes=1))


def two_kinds(count: int = 4000, step: int = 1, window: int = 1000) -> Exposures:
    """Kind 0: half convert at once. Kind 1: of 4, one at once, one late, two never."""
    time, kind = np.arange(count) * step, np.arange(count) % 2
    turn = np.arange(count) // 2 % 4
    soon, late = time + 5, time + 500
    ends = np.where(kind == 0, np.where(turn < 2, soon, NEVER), np.where(turn == 0, soon, NEVER))
    ends = np.where((kind == 1) & (turn == 1), late, ends)
    features = Features(kind[:, None], np.zeros((count, 0)), (2,))
    return Exposures.make(time, ends, window=window, features=features)


def kinds(shown: Exposures) -> Features:
    return shown.features[:2]


def test_the_loss_is_the_published_one() -> None:
    rng = np.random.default_rng(0)
    label, p_late, p_never, f = (rng.random((4, 50)).T * [1, 0.3, 1, 1]).T
    label = label.round()
    found = weights(label, p_late, p_never)
    batch = {name: torch.tensor(column) for name, column in {"label": label, **found}.items()}
    loss = EsDfm(0).loss(torch.tensor(np.log(f / (1 - f)))[:, None], batch).numpy()
    literal = [
        -(1 + d) * np.log(q) if v else -(1 + d) * r * np.log(1 - q)
        for v, d, r, q in zip(label, p_late, p_never, f, strict=True)
    ]
    np.testing.assert_allclose(loss, literal, rtol=1e-9)


@pytest.mark.parametrize("exact", [False, True])
def test_the_classifiers_find_the_shares_of_each_kind(exact: bool) -> None:
    shown = two_kinds().before(4000)
    model = EsDfm(100, exact=exact)
    model.begin(shown, LAB)
    np.testing.assert_allclose(model.beside.p_never(kinds(shown)), [1.0, 2 / 3], atol=0.03)
    late = [0.0, 0.0] if exact else [0.0, 0.25]  # not asked for where it is not used
    np.testing.assert_allclose(model.beside.p_late(kinds(shown)), late, atol=0.05)


def test_nothing_that_is_open_moves_the_classifiers() -> None:
    shown = two_kinds().before(3000)
    moved = shown.conversion_time.copy()
    moved[~shown.mature] = NEVER
    other = Exposures(shown.features, shown.time, moved, shown.window, shown.until)
    found = []
    for some in (shown, other):
        model = EsDfm(100)
        model.begin(some, QUICK)
        found.append(np.r_[model.beside.p_never(kinds(shown)), model.beside.p_late(kinds(shown))])
    np.testing.assert_array_equal(*found)


def test_further_passes_follow_what_has_matured_since_and_only_where_asked_for() -> None:
    early, time = two_kinds(2000), np.arange(2000, 6000)
    ends = np.where(np.arange(4000) % 4 == 0, time + 500, NEVER)  # kind 0 converts late now, kind 1 never
    features = Features(np.r_[early.features.codes, np.arange(4000)[:, None] % 2], np.zeros((6000, 0)), (2,))
    shown = Exposures.make(
        np.r_[early.time, time], np.r_[early.conversion_time, ends], window=1000, features=features
    )
    quick = Lab(NetConfig("logistic"), LearnConfig(batch_size=50, learning_rate=0.1, passes=3))
    for every, expected in ((0, [1.0, 2 / 3]), (1, [0.5, 1.0]), (9, [1.0, 2 / 3])):
        model = EsDfm(100, every=every)
        model.begin(shown.before(3000), quick)
        for clock in (5000, 7000):
            model.refresh(shown.before(clock), quick, lambda index: np.zeros((len(index), 1)))
        np.testing.assert_allclose(model.beside.p_never(kinds(shown)), expected, atol=0.15)


def test_each_exposure_gives_a_row_and_each_late_conversion_a_copy() -> None:
    shown, model = two_kinds(), EsDfm(100)
    parts = [model.rows(shown.before(clock), clock - 250) for clock in range(250, 6001, 250)]
    index = np.concatenate([part.index for part in parts])
    label = np.concatenate([part.label for part in parts])
    late = shown.converted & (shown.conversion_time - shown.time > 100)
    np.testing.assert_array_equal(np.bincount(index), 1 + late)
    np.testing.assert_array_equal(np.bincount(index, label), shown.converted)
