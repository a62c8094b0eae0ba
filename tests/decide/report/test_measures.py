"""What the page of decisions measures, against literal loops and known worlds."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.base.rng import generator
from thence.decide.calibrate import Plane
from thence.decide.report.abstain import abstention
from thence.decide.report.heat import FINE, heat
from thence.decide.report.outline import outline
from thence.decide.report.segments import MOST, segment_rows
from thence.decide.report.sign import equal_score
from thence.decide.report.sweep import Sweep, matched_gains
from thence.decide.rule import Rectangle, Thresholds, outcome
from thence.decide.sample import Sample


def sample(count: int = 2000, seed: int = 0, digits: int = 2) -> Sample:
    """Positivity rises with the score and falls with uncertainty."""
    rng = generator(seed, "tests", "decide", "report")
    score, unsure = rng.random(count).round(digits), rng.random(count).round(digits)
    return Sample.make(score, unsure, rng.random(count) < score * (1 - 0.8 * unsure))


def law(prior: tuple[float, float], count: int = 60_000) -> tuple[Sample, float]:
    """Training positivity of few or many cases as the score, how few as the uncertainty; and the base rate."""
    rng = generator(1, "tests", "decide", "law")
    rate, seen = rng.beta(*prior, count), np.exp(rng.uniform(1, 6, count)).astype(int)
    hits = rng.binomial(seen, rate)
    return Sample.make(hits / seen, 1 / (1 + seen), rng.random(count) < rate), prior[0] / sum(prior)


def test_a_sweep_is_every_threshold() -> None:
    some = sample(400, digits=1)
    sweep = Sweep.of(some.score, some.label)
    for threshold, taken, hits in zip(sweep.threshold, sweep.taken, sweep.hits, strict=True):
        act = some.score >= threshold
        assert (taken, hits) == (act.sum(), some.label[act].sum())
    assert sweep.taken[-1] == 400
    for bound in (0.3, 0.5, 0.6, 0.7):
        kept = [h for n, h in zip(sweep.taken, sweep.hits, strict=True) if h >= bound * n]
        found = sweep.best(bound)
        assert (found is None) == (not kept)
        assert found is None or sweep.hits[found] == max(kept)
    assert sweep.at(1.01) is None


def test_gains_are_recall_at_equal_precision() -> None:
    some = sample(1500)
    rules = {
        "levels": Thresholds(np.array([0.5]), np.array([0.6, 0.95])),
        "box": Rectangle(0.5, 0.4),
        "one": Thresholds(np.empty(0), np.array([0.8])),
        "none": Thresholds(np.empty(0), np.array([np.inf])),
    }
    gains = matched_gains(some, rules, resamples=50)
    for name, rule in rules.items():
        one = outcome(rule, some)
        if not one.hits:
            assert np.isnan(gains[name].value)
            continue
        hits = 0
        for threshold in np.unique(some.score):
            act = some.score >= threshold
            if some.label[act].mean() >= one.precision - 1e-12:
                hits = max(hits, int(some.label[act].sum()))
        assert gains[name].value == pytest.approx(one.hits / hits)
        assert gains[name].low <= gains[name].value <= gains[name].high
    assert gains["box"].low > 1 >= gains["one"].value


def test_uncertainty_that_says_nothing_gains_nothing() -> None:
    rng = generator(2, "tests", "decide", "null")
    inside = 0
    for _ in range(10):
        score, unsure = rng.random(3000), rng.random(3000)
        some = Sample.make(score, unsure, rng.random(3000) < score)
        gain = matched_gains(some, {"box": Rectangle(0.7, 0.5)}, resamples=60)["box"]
        inside += gain.low < 1
        assert gain.value < 1.1
    assert inside == 10


def test_cells_by_a_literal_loop() -> None:
    some = sample(700)
    found = heat(some, bins=5, levels=3)
    assert found.count.shape == (3, 5)
    count, positive = np.zeros((3, 5), int), np.zeros((3, 5), int)
    for s, u, y in zip(some.score, some.uncertainty, some.label, strict=True):
        row = int((found.unsure_edges[1:-1] <= u).sum())
        column = int((found.score_edges[1:-1] <= s).sum())
        count[row, column] += 1
        positive[row, column] += y
    assert (found.count == count).all() and (found.positive == positive).all()
    assert found.count.sum() == 700


def test_the_boundary_lies_where_the_rule_begins_to_act() -> None:
    some = sample(3000)
    cells = heat(some, bins=6, levels=2)
    level = 4
    rule = Thresholds(cells.unsure_edges[1:2], cells.score_edges[[level, level + 1]])
    act = cells.acts(rule)
    assert act.shape == (2 * FINE, 6 * FINE)
    assert act[:, -1].all() and not act[:, 0].any()
    paths = outline(act, (2, 6))
    assert paths == [([4.0, 4.0, 5.0, 5.0], [0.0, 1.0, 1.0, 2.0])]
    assert outline(cells.acts(Rectangle(-1.0, cells.unsure_edges[1])), (2, 6)) != []


def test_an_outline_closes_around_an_island_and_goes_through_every_side() -> None:
    act = np.zeros((6, 6), bool)
    act[2:4, 1:5] = True
    ((x, y),) = outline(act, (6, 6))
    assert (x[0], y[0]) == (x[-1], y[-1])
    assert sum(abs(a - b) + abs(c - d) for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False)) == 12
    rng = generator(3, "tests", "outline")
    act = rng.random((8, 8)) < 0.5
    sides = int((act[1:] != act[:-1]).sum() + (act[:, 1:] != act[:, :-1]).sum())
    length = sum(
        abs(a - b) + abs(c - d)
        for x, y in outline(act, (8, 8))
        for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False)
    )
    assert length == sides


def test_the_sign_rule_shows_in_a_world_where_it_holds() -> None:
    some, base = law((2.0, 8.0))
    found = equal_score(some, base)
    clear = np.abs(found.errors) > 2
    assert (np.sign(found.errors)[clear] == found.expected[clear]).all()
    assert {-1, 1} == set(found.expected[clear].tolist())
    assert found.errors[-1] < -8  # mutant: the other direction


def test_levels_at_equal_score_have_equal_scores() -> None:
    """A label that depends on the score alone shows no difference, though uncertainty goes with the score."""
    rng = generator(4, "tests", "sign")
    beyond = 0
    for _ in range(8):
        score = rng.beta(2, 2, 20_000)
        unsure = np.round(score * 20) / 20 + rng.normal(0, 0.2, 20_000).round(1)
        found = equal_score(Sample.make(score, unsure, rng.random(20_000) < score**2), 0.3)
        assert (np.ptp(found.count, axis=1) <= 40).all()
        beyond += int((np.abs(found.errors) > 2.5).sum())
    assert beyond <= 4  # of 40


def test_ties_of_uncertainty_are_dealt_out() -> None:
    some = sample(4000)
    flat = equal_score(Sample.make(some.score, None, some.label), 0.3)
    assert (np.ptp(flat.count, axis=1) <= 40).all()
    assert (np.abs(flat.errors) < 3.5).all()
    order = np.argsort(some.label)  # cases that come sorted by what happened
    turned = equal_score(Sample.make(some.score[order], None, some.label[order]), 0.3)
    assert (np.abs(turned.errors) < 3.5).all()


def test_segments_by_a_literal_loop() -> None:
    some = sample(900)
    first, second = some.score > 0.6, some.score - some.uncertainty > 0.3
    shop = generator(5, "tests", "segments").choice(["a", "b", "c"], 900)
    rows = {(row["column"], row["segment"]): row for row in segment_rows(some, first, second, {"shop": shop})}
    assert list(rows) == [
        ("uncertainty", "low"),
        ("uncertainty", "middle"),
        ("uncertainty", "high"),
        ("shop", "a"),
        ("shop", "b"),
        ("shop", "c"),
    ]
    for name in "abc":
        row, inside = rows["shop", name], shop == name
        label = some.label & inside
        assert row["cases"] == inside.sum() and row["positives"] == label.sum()
        assert row["gained"] == sum(y and a and not b for y, a, b in zip(label, first, second, strict=True))
        assert row["lost"] == sum(y and b and not a for y, a, b in zip(label, first, second, strict=True))
        assert row["recall"] == (label & first).sum() / label.sum()
        assert row["single_precision"] == (label & second).sum() / (inside & second).sum()
    assert sum(rows["shop", name]["gained"] for name in "abc") == (some.label & first & ~second).sum()


def test_many_segments_become_few_and_wrong_ones_are_told() -> None:
    some = sample(900)
    many = np.arange(900) % (MOST + 8)
    rows = segment_rows(some, some.label, some.label, {"id": many})
    assert len(rows) == 3 + MOST + 1 and rows[-1]["segment"] == "8 others"
    assert sum(row["cases"] for row in rows[3:]) == 900
    with pytest.raises(DataError, match="shop"):
        segment_rows(some, some.label, some.label, {"shop": np.zeros(3)})


def test_abstention_by_a_literal_loop() -> None:
    some = sample(500, digits=1)
    rule = Rectangle(0.6, 0.9)
    curve = abstention(some, rule)
    act = rule.act(some.score, some.uncertainty)
    for share, wrong_acts, wrong, recall in zip(
        curve.coverage, curve.wrong_acts, curve.wrong, curve.recall, strict=True
    ):
        limit = np.sort(some.uncertainty)[round(share * 500) - 1]
        kept = some.uncertainty <= limit
        assert kept.sum() == round(share * 500)
        assert wrong_acts == pytest.approx(1 - some.label[kept & act].mean())
        assert wrong == pytest.approx((some.label != act)[kept].mean())
        assert recall == pytest.approx((some.label & act & kept).sum() / some.positives)
    assert curve.coverage[-1] == 1.0
    whole = abstention(Sample.make(some.score, None, some.label), rule)
    assert whole.coverage.tolist() == [1.0] and np.isnan(whole.area)


def test_a_boundary_that_knows_the_uncertainty_is_seen_to_gain() -> None:
    fit, test = sample(20_000, 6, 6), sample(20_000, 7, 6)
    plane = Plane.fit(fit.score, fit.uncertainty, fit.label)
    rate = Sweep.of(plane.rate(test.score, test.uncertainty), test.label)
    alone = Sweep.of(test.score, test.label)
    found, single = rate.at(0.6), alone.at(0.6)
    assert found is not None
    assert found["recall"] > 1.2 * (single["recall"] if single else 0.0)
