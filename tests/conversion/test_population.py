"""Every estimator's loss, on infinitely much data, is least at p(x); and what weight it gives to each x.

A method's own weights or loss are fed with expected rows and with the true auxiliary probabilities.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.conversion.population import (
    ExpectedRows,
    Population,
    best,
    minimiser,
    probability,
    training_mass,
)

from thence.conversion.delayed import es_dfm, fsiw
from thence.conversion.delayed.dfm import Dfm, Law
from thence.conversion.delayed.dfm_hazard import DfmHazard
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.fnc import Fnc
from thence.conversion.delayed.fnw import Fnw, fnw_loss
from thence.conversion.delayed.nndf import NnDf
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


@pytest.mark.parametrize("exact", [False, True])
def test_fnw_is_least_at_p_and_weighs_x_as_es_dfm_without_waiting(exact: bool) -> None:
    rows, model = PEOPLE.copied(0), Fnw(exact=exact)
    logits = minimiser(rows, model.loss)
    near(probability(model, logits), PEOPLE.p)
    near(training_mass(rows, model.loss, logits), PEOPLE.mass * (1 if exact else 1 + PEOPLE.p))


@pytest.mark.parametrize("exact", [False, True])
def test_es_dfm_without_waiting_is_fnw(exact: bool) -> None:
    rows = PEOPLE.copied(0)
    logits = torch.logit(torch.from_numpy(PEOPLE.p))[torch.from_numpy(rows.x), None]
    columns = es_dfm_columns(rows, 0, exact)  # p_dp and p_rn of a perfect model: p and 1 - p
    own = fnw_loss(logits[:, 0], torch.from_numpy(rows.label), exact=exact)
    near(EsDfm(0).loss(logits, rows.batch(columns)).numpy(), own.numpy())


def test_fnc_tends_to_p_by_way_of_b() -> None:
    model = Fnc()
    logits = minimiser(PEOPLE.copied(0), model.loss)
    near(torch.sigmoid(logits[:, 0]).numpy(), PEOPLE.p / (1 + PEOPLE.p))
    near(probability(model, logits), PEOPLE.p)
    near(probability(model, minimiser(PEOPLE.once(PEOPLE.cells), model.settled_loss)), PEOPLE.p)


def test_fsiw_is_least_at_p_where_a_conversion_can_have_been_seen() -> None:
    cut = PEOPLE.cut()
    rows = cut.take(cut.age > 0)  # at age 0 no positive stands for those to come
    ages = np.arange(PEOPLE.cells + 1)
    seen = (PEOPLE.by(ages) / PEOPLE.p[:, None])[rows.x, rows.age]
    columns = fsiw.weights(rows.label, seen, PEOPLE.never(ages)[rows.x, rows.age], cap=1e9)
    model = fsiw.Fsiw()
    logits = minimiser(rows, model.loss, columns)
    near(probability(model, logits), PEOPLE.p)
    near(training_mass(rows, model.loss, logits, columns) / rows.mass.sum(), PEOPLE.mass)


@pytest.mark.parametrize("clip", [False, True])
def test_nndf_is_least_at_p(clip: bool) -> None:
    new, ages = PEOPLE.cut(), np.arange(PEOPLE.cells + 1)
    x, age = (part.ravel() for part in np.meshgrid(np.arange(len(PEOPLE.p)), ages, indexing="ij"))
    late = PEOPLE.mass[x] * PEOPLE.late(ages)[x, age] / len(ages)  # open at the age, converted later
    rows = new.beside(x, late)
    old = np.repeat([0.0, 1.0], [len(new.x), len(x)])
    model, columns = NnDf(clip=clip), {"old": old, "weight": rows.mass}  # the batch is the population
    rows = replace(rows, mass=np.ones(len(old)))
    logits = minimiser(rows, model.loss, columns)
    near(probability(model, logits), PEOPLE.p)


@pytest.mark.parametrize("settled", [False, True])
def test_dfm_hazard_is_least_at_p_whatever_the_delay(settled: bool) -> None:
    model = DfmHazard(tuple(np.arange(1, PEOPLE.cells + 1) / PEOPLE.cells))
    cut = PEOPLE.cut()
    rows = cut.take(cut.age == PEOPLE.cells) if settled else cut
    elapsed = rows.age / PEOPLE.cells
    columns = {
        "elapsed": elapsed,
        "delay": np.where(rows.delay < 0, elapsed, (rows.delay + 0.5) / PEOPLE.cells),
    }
    logits = best(rows, model.settled_loss if settled else model.loss, columns, heads=model.heads)
    near(probability(model, logits), PEOPLE.p)
    hazard = torch.sigmoid(logits[:, 1:]).numpy()
    near(hazard[:, 0], PEOPLE.delay[:, 0])
    near((1 - hazard[:, 0]) * hazard[:, 1], PEOPLE.delay[:, 1])


def law_rows(rate: np.ndarray, shape: np.ndarray) -> tuple[ExpectedRows, dict[str, np.ndarray]]:
    """Expected rows of ages .1, .4 and 1 where delays follow a Weibull law cut off at the window."""
    nodes, shares = np.polynomial.legendre.leggauss(60)
    found: list[tuple[int, float, float, float, float]] = []
    for x, (p, r, k) in enumerate(zip(PEOPLE.p, rate, shape, strict=True)):
        whole = 1 - np.exp(-(r**k))
        for age in (0.1, 0.4, 1.0):
            at, share = (nodes + 1) / 2 * age, shares / 2 * age
            density = k * r**k * at ** (k - 1) * np.exp(-((r * at) ** k)) / whole
            found += [(x, 1.0, p * m, age, d) for d, m in zip(at, share * density, strict=True)]
            found.append((x, 0.0, 1 - p * (1 - np.exp(-((r * age) ** k))) / whole, age, age))
    x, label, mass, elapsed, delay = (np.array(column) for column in zip(*found, strict=True))
    rows = ExpectedRows(x, label, PEOPLE.mass[x] * mass / 3, *(np.zeros(len(x), int),) * 3)
    return rows, {"elapsed": elapsed, "delay": delay}


@pytest.mark.parametrize("law", ["exponential", "weibull"])
def test_dfm_is_least_at_p_where_the_delay_follows_its_law(law: Law) -> None:
    rate = np.linspace(1.0, 6.0, len(PEOPLE.p))
    shape = np.linspace(1.0, 3.0, len(PEOPLE.p)) if law == "weibull" else np.ones(len(PEOPLE.p))
    rows, columns = law_rows(rate, shape)
    model = Dfm(law)
    logits = best(rows, model.loss, columns, heads=model.heads)
    near(probability(model, logits), PEOPLE.p)
    np.testing.assert_allclose(torch.exp(logits[:, 1]) / model.mean_delay, rate, rtol=5e-3)
    if law == "weibull":
        np.testing.assert_allclose(torch.exp(logits[:, 2]), shape, rtol=5e-3)


def test_dfm_of_the_wrong_law_is_biased_by_young_rows_but_not_by_settled_ones() -> None:
    rows, columns = law_rows(np.full(len(PEOPLE.p), 2.0), np.full(len(PEOPLE.p), 3.0))
    model = Dfm()
    wrong = probability(model, best(rows, model.loss, columns, heads=2))
    assert np.abs(wrong - PEOPLE.p).max() > 0.01
    old = columns["elapsed"] == 1
    final = best(rows.take(old), model.settled_loss, {k: v[old] for k, v in columns.items()}, heads=2)
    near(probability(model, final), PEOPLE.p)
