"""Every estimator's loss, on infinitely much data, is least at p(x); and what weight it gives to each x.

A method's own weights or loss are fed with expected rows and with the true auxiliary probabilities.
"""

import numpy as np
import pytest
import torch
from tests.conversion.population import ExpectedRows, Population, minimiser, probability, training_mass

from thence.conversion.delayed import es_dfm
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.settle import Naive, Wait

PEOPLE = Population.random()
WAITS = (0, 1, 3, 6)


def near(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_the_population_adds_up() -> None:
    for rows in (PEOPLE.once(2), PEOPLE.cut(), PEOPLE.copied(PEOPLE.cells)):
        near(np.bincount(rows.x, rows.mass), PEOPLE.mass)
    near(np.bincount(PEOPLE.copied(2).x, PEOPLE.copied(2).mass), PEOPLE.mass * (1 + PEOPLE.late(2)))
    near(np.bincount(PEOPLE.again(2).x, PEOPLE.again(2).mass), 2 * PEOPLE.mass)
    near(PEOPLE.by(PEOPLE.cells), PEOPLE.p)
    cut = PEOPLE.cut()
    final = cut.age == PEOPLE.cells
    near(np.bincount(cut.x, cut.mass * final * cut.label) * 7, PEOPLE.mass * PEOPLE.p)


def test_settled_labels_give_p_and_early_ones_too_little() -> None:
    model = Wait()
    found = probability(model, minimiser(PEOPLE.once(PEOPLE.cells), model.loss))
    near(found, PEOPLE.p)
    naive = Naive(1)
    near(probability(naive, minimiser(PEOPLE.once(1), naive.loss)), PEOPLE.by(1))
    assert (PEOPLE.by(1) < PEOPLE.p - 0.01).all()


def es_dfm_columns(rows: ExpectedRows, wait: int, exact: bool) -> dict[str, np.ndarray]:
    late = 0.0 if exact else PEOPLE.late(wait)[rows.x]
    return es_dfm.weights(rows.label, late, PEOPLE.never(wait)[rows.x])


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("exact", [False, True])
def test_es_dfm_is_least_at_p(wait: int, exact: bool) -> None:
    rows, model = PEOPLE.copied(wait), EsDfm(wait, exact=exact)
    columns = es_dfm_columns(rows, wait, exact)
    logits = minimiser(rows, model.loss, columns)
    near(probability(model, logits), PEOPLE.p)
    # as published, x is trained on in proportion to p(x) (1 + p_dp(x)); the exact weights keep p(x)
    mass = training_mass(rows, model.loss, logits, columns)
    near(mass, PEOPLE.mass * (1 if exact else 1 + PEOPLE.late(wait)))


@pytest.mark.parametrize("exact", [False, True])
def test_waiting_the_whole_window_is_plain_cross_entropy(exact: bool) -> None:
    rows = PEOPLE.copied(PEOPLE.cells)
    columns = es_dfm_columns(rows, PEOPLE.cells, exact)
    plain, logits = PEOPLE.once(PEOPLE.cells), torch.linspace(-3, 2, 8, dtype=torch.float64)[:, None]

    def total(some: ExpectedRows, own: dict[str, np.ndarray] | None) -> float:
        each = EsDfm(0).loss(logits[torch.from_numpy(some.x)], some.batch(own))
        return float((torch.from_numpy(some.mass) * each).sum())

    assert total(rows, columns) == pytest.approx(total(plain, None), rel=1e-12)
