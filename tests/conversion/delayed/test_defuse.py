"""DEFUSE and Bi-DEFUSE: the minimiser on infinitely much data, the loss literally, what each head is told."""

import numpy as np
import pytest
import torch
from tests.conversion.population import ExpectedRows, Population, minimiser, probability, training_mass

from thence.conversion.delayed import bi_defuse, defuse
from thence.conversion.delayed.bi_defuse import BiDefuse
from thence.conversion.delayed.defuse import Defuse
from thence.conversion.exposures import NEVER, Exposures

PEOPLE = Population.random(5)
WAITS = (0, 1, 3, 6)


def known(rows: ExpectedRows, wait: int) -> tuple[np.ndarray, ...]:
    return rows.label, rows.kind == 1, PEOPLE.late(wait)[rows.x], PEOPLE.never(wait)[rows.x]


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("exact", [False, True])
def test_the_minimiser_is_p_and_the_mass_of_x_is_that_of_the_rows(wait: int, exact: bool) -> None:
    rows, model = PEOPLE.copied(wait), Defuse(wait, exact=exact)
    columns = defuse.weights(*known(rows, wait), exact=exact)
    logits = minimiser(rows, model.loss, columns)
    np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)
    expected = PEOPLE.mass * (1 if exact else 1 + PEOPLE.late(wait))
    np.testing.assert_allclose(training_mass(rows, model.loss, logits, columns), expected, rtol=1e-3)


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("exact", [False, True])
def test_the_two_heads_add_up_to_p(wait: int, exact: bool) -> None:
    rows, model = PEOPLE.copied(wait), BiDefuse(wait, exact=exact)
    columns = bi_defuse.weights(*known(rows, wait), exact=exact)
    logits = minimiser(rows, model.loss, columns, heads=2)
    heads = torch.sigmoid(logits).numpy()
    np.testing.assert_allclose(heads[:, 0], PEOPLE.by(wait), rtol=0, atol=1e-4)
    np.testing.assert_allclose(heads[:, 1], PEOPLE.late(wait), rtol=0, atol=1e-4)
    np.testing.assert_allclose(probability(model, logits), PEOPLE.p, rtol=0, atol=1e-4)


def test_late_and_fake_negatives_weigh_as_much_as_a_positive() -> None:
    late, never = PEOPLE.late(2), PEOPLE.never(2)
    copies, still = np.ones_like(late), np.zeros_like(late)
    w_late = defuse.weights(copies, copies, late, never)["positive"]
    w_fake = defuse.weights(still, still, late, never)["positive"] / (1 - never)
    w_seen = defuse.weights(copies, still, late, never)["positive"]
    np.testing.assert_allclose(w_late + w_fake, 1 + late, rtol=1e-12)
    np.testing.assert_allclose(w_seen, 1 + late, rtol=1e-12)


def test_the_loss_is_the_published_one() -> None:
    rng = np.random.default_rng(0)
    p_late, p_never, f = rng.random((3, 60))
    label = rng.integers(0, 2, 60).astype(float)
    copied = (rng.random(60) < 0.5) & (label > 0)
    columns = {"label": label, **defuse.weights(label, copied, p_late, p_never)}
    batch = {name: torch.tensor(column) for name, column in columns.items()}
    found = Defuse(0).loss(torch.tensor(np.log(f / (1 - f)))[:, None], batch).numpy()

    def literal(v: float, copy: bool, d: float, rn: float, q: float) -> float:
        z = 1 - rn
        if v:
            return -np.log(q) if copy else -(1 + d) * np.log(q)
        return -z * d * np.log(q) - (1 - z) * (1 + d) * np.log(1 - q)

    rows = zip(label, copied, p_late, p_never, f, strict=True)
    np.testing.assert_allclose(found, [literal(*row) for row in rows], rtol=1e-9)


def test_both_heads_lose_what_is_written() -> None:
    rng = np.random.default_rng(1)
    p_late, p_never, f0, f1 = rng.random((4, 60))
    label = rng.integers(0, 2, 60).astype(float)
    copied = (rng.random(60) < 0.5) & (label > 0)
    columns = {"label": label, **bi_defuse.weights(label, copied, p_late, p_never)}
    batch = {name: torch.tensor(column) for name, column in columns.items()}
    logits = torch.tensor(np.stack([np.log(f / (1 - f)) for f in (f0, f1)], 1))
    found = BiDefuse(0).loss(logits, batch).numpy()

    def literal(v: float, copy: bool, d: float, rn: float, soon: float, late: float) -> float:
        if copy:
            return -np.log(late)
        if v:
            return -np.log(soon) - (1 + d) * np.log(1 - late)
        return -np.log(1 - soon) - (1 - rn) * d * np.log(late) - rn * (1 + d) * np.log(1 - late)

    rows = zip(label, copied, p_late, p_never, f0, f1, strict=True)
    np.testing.assert_allclose(found, [literal(*row) for row in rows], rtol=1e-9)


def test_settled_rows_teach_each_head_its_own_part() -> None:
    shown = Exposures.make([0, 1, 2, 3], [5, 40, NEVER, 60], window=50, until=70)
    model = BiDefuse(10)
    rows = model.settled_rows(shown)
    assert rows.index.tolist() == [0, 1, 2, 3]
    assert rows.label.tolist() == [1, 1, 0, 0]  # the last one converted after its window
    assert rows.columns["soon"].tolist() == [1, 0, 0, 0]
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    batch = {"label": torch.tensor(rows.label), "soon": torch.tensor(rows.columns["soon"])}
    f = torch.sigmoid(logits).numpy()
    literal = [
        -np.log(f[0, 0]) - np.log(1 - f[0, 1]),
        -np.log(1 - f[1, 0]) - np.log(f[1, 1]),
        *(-np.log(1 - f[k, 0]) - np.log(1 - f[k, 1]) for k in (2, 3)),
    ]
    np.testing.assert_allclose(model.settled_loss(logits, batch).numpy(), literal, rtol=1e-6)


def test_copies_are_told_from_first_rows() -> None:
    shown = Exposures.make([0, 1, 2], [5, 40, NEVER], window=50, until=70)
    for model in (Defuse(10), BiDefuse(10)):
        rows = model.rows(shown, 0)
        assert rows.index.tolist() == [0, 1, 2, 1]
        assert rows.label.tolist() == [1, 0, 0, 1]
    assert rows.columns["first"].tolist() == [1, 1, 1, 0]
