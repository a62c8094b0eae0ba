"""Blocks, ages and methods side by side, on cases known by hand; the bootstrap on one with a known spread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.stream import Predictions, StreamConfig
from thence.evaluate.conversion import ConversionReport, Judged, Standing, auc, judge, nll, recovered
from thence.evaluate.conversion.judge import joined_blocks
from thence.evaluate.conversion.page import cautions, page, verdict
from thence.events.clock import DAY, HOUR


def exposures(n: int = 4000, days: int = 10, seed: int = 0) -> tuple[Exposures, np.ndarray, np.ndarray]:
    """Ten days of exposures, their true probability and a group of each; all are mature."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, days * DAY, n))
    group = rng.integers(0, 40, n) * (time // DAY + 1) // 4
    p = rng.beta(2, 3, n)
    ends = np.where(rng.random(n) < p, time + HOUR, NEVER)
    return Exposures.make(time, ends, window=DAY, until=(days + 2) * DAY), p, group


def predicted(shown: Exposures, p: np.ndarray) -> Predictions:
    return Predictions(np.arange(len(p)), p.astype(np.float32), shown.time // DAY, {"rows": 5.0})


def test_sums_by_block_give_the_metrics_of_the_whole() -> None:
    shown, p, group = exposures()
    found = judge(shown, predicted(shown, p), config=StreamConfig(start=0), group=group, at_least=1)
    y, p32, day = shown.converted, p.astype("f").astype(float), shown.time // DAY
    assert len(found.count) == 10 and found.one_class == 0
    figures = found.figures()
    assert figures["NLL"] == pytest.approx(nll(y, p32))
    weighted = sum(auc(y[day == at], p32[day == at]) * (day == at).sum() for at in range(10)) / len(y)
    assert figures["AUC"] == pytest.approx(weighted)
    assert figures["calibration"] == pytest.approx(p32.sum() / y.sum()) and figures["rows"] == 5
    for what in ("group", "model"):
        rows = found.by(what)
        assert sum(row[1] for row in rows) == len(y) and sum(row[2] for row in rows) == y.sum()
    first = {row[0]: row for row in found.by("model")}["0-6 h"]
    young = shown.time % DAY < 6 * HOUR
    assert first[1:3] == (young.sum(), y[young].sum())
    assert first[3] == pytest.approx(p32[young].sum() / y[young].sum())


def test_the_worst_age_is_among_those_with_enough_conversions() -> None:
    table = {
        "names": ["a", "b", "c"],
        "count": [[50, 3000, 9000]],
        "converted": [[10, 1500, 3000]],
        "predicted": [[50.0, 1600.0, 2900.0]],
    }
    blank = np.array([1.0])
    judged = Judged(blank, blank, blank * 4510, blank * 4550, blank, blank, blank, 0.0, {"group": table})
    assert judged.worst_age() == ("b", pytest.approx(1 / 15))
    assert judged.worst_age(2000) == ("c", pytest.approx(1 / 30))
    assert judged.worst_age(5000) == ("all", pytest.approx(40 / 4510))


def test_a_block_of_one_class_is_counted_and_has_no_auc() -> None:
    shown = Exposures.make([0, 1, DAY, DAY + 1], [5, NEVER, NEVER, NEVER], window=DAY, until=9 * DAY)
    found = judge(shown, predicted(shown, np.array([0.6, 0.2, 0.1, 0.3])), at_least=1)
    assert found.one_class == 1 and found.figures()["AUC"] == 1.0
    none = judge(shown, Predictions(np.array([2, 3]), np.array([0.1, 0.2], "f"), np.array([1, 1]), {}))
    assert none.one_class == 1 and set(none.figures()) == {"NLL", "ECE"}  # no figure is NaN
    report = Standing({"oracle": [none], "pretrained": [none]})
    assert report.flat()["blocks_of_one_class"] == 1 and report.undefined() == ("AUC", "NLL")
    assert any("all alike" in text for text in cautions(report))


def test_open_labels_are_not_judged() -> None:
    shown = Exposures.make([0, 5 * DAY], [NEVER, NEVER], window=3 * DAY, until=7 * DAY)
    with pytest.raises(DataError, match="not final"):
        judge(shown, predicted(shown, np.array([0.5, 0.5])))
    with pytest.raises(DataError, match="nothing to judge"):
        judge(shown, Predictions(np.empty(0, int), np.empty(0, "f"), np.empty(0, int), {}))


def test_neighbours_are_joined_until_there_are_enough() -> None:
    blocks = np.repeat([0, 1, 2, 5, 6], [5, 1, 3, 4, 2])
    assert joined_blocks(blocks, 4).tolist() == np.repeat([0, 1, 2], [5, 4, 6]).tolist()
    assert set(joined_blocks(blocks, 100).tolist()) == {0}


def block_of(values: np.ndarray, count: int = 100) -> Judged:
    """Blocks whose mean NLL are given, with AUC 1 - NLL."""
    n = np.full(len(values), count)
    ones = np.ones(len(values))
    return Judged(np.arange(len(values)) * DAY, n, n // 4, n * 0.25, values * n, ones - values, ones, 0.01)


def test_the_bootstrap_pairs_methods_and_knows_their_spread() -> None:
    """Differences of ±d have standard error d / √blocks, however far blocks lie apart."""
    rng = np.random.default_rng(0)
    level, d = rng.uniform(0.2, 0.8, 100), 0.01
    sign = np.tile([1.0, -1.0], 50)
    standing = Standing({"a": [block_of(level)], "b": [block_of(level + 0.005 + d * sign)]}, 4000)
    gap = standing.difference("a", "b", "NLL")
    assert gap is not None and gap.value == pytest.approx(0.005)
    assert gap.error == pytest.approx(d / 10, rel=0.06)
    assert (gap.low, gap.high) == (
        pytest.approx(0.005 - 1.96e-3, abs=2e-4),
        pytest.approx(0.005 + 1.96e-3, abs=2e-4),
    )
    other = standing.difference("b", "a", "AUC")
    assert other is not None and other.value == pytest.approx(-0.005)
    same = standing.difference("a", "a", "NLL")
    assert same is not None and (same.value, same.errors) == (0, 0)


def test_the_spread_over_seeds_adds_to_the_error() -> None:
    level = np.full(20, 0.5)
    runs = {"a": [block_of(level), block_of(level + 0.02)], "b": [block_of(level + 0.01)] * 2}
    gap = Standing(runs).difference("a", "b", "NLL")
    assert gap is not None and gap.value == pytest.approx(0, abs=1e-12)
    assert gap.error == pytest.approx(0.01)  # s² = 2 · .01², over two seeds


def test_ri_is_the_share_of_what_could_be_gained() -> None:
    assert recovered(0.3960, 0.4130, 0.3895) == pytest.approx(0.7234, abs=1e-4)  # GDFM's published NLL
    with pytest.raises(DataError, match="not better"):
        recovered(0.3, 0.4, 0.4)
    level = np.linspace(0.3, 0.5, 30)
    runs = {"pretrained": level + 0.1, "oracle": level, "es_dfm": level + 0.03, "ours": level + 0.02}
    standing = Standing({name: [block_of(values)] for name, values in runs.items()})
    flat = standing.flat()
    assert flat["ours.RI_NLL"] == pytest.approx(0.8) and flat["oracle.RI_AUC"] == pytest.approx(1)
    assert (
        flat["best_published.RI_NLL"] == pytest.approx(0.7) and flat["best_published.NLL"] == flat["es_dfm.NLL"]
    )
    assert flat["beyond_oracle"] == 0 and standing.undefined() == ()


def test_ri_is_not_defined_within_noise_and_an_excess_over_the_oracle_is_told() -> None:
    rng = np.random.default_rng(1)
    level = rng.uniform(0.3, 0.5, 40)
    noise = rng.normal(0, 0.01, (2, 40))
    runs = {"oracle": level + noise[0], "pretrained": level + noise[1], "leak": level - 0.05}
    standing = Standing({name: [block_of(values)] for name, values in runs.items()})
    assert standing.undefined() == ("AUC", "NLL") and standing.ri("leak", "NLL") is None
    excess, name = standing.beyond_oracle()
    assert name == "leak" and excess > 10 and "leak.RI_NLL" not in standing.flat()
    assert any("look for a leak" in text for text in cautions(standing))


def test_methods_have_the_same_seeds() -> None:
    one = block_of(np.full(3, 0.4))
    with pytest.raises(DataError, match="same seeds"):
        Standing({"a": [one], "b": [one, one]})


def test_a_report_is_saved_and_read_and_its_page_is_whole(tmp_path: Path) -> None:
    shown, p, group = exposures(20_000)
    config = StreamConfig(start=0)
    runs = {
        name: [
            judge(
                shown,
                predicted(shown, np.clip(p * by, 0.01, 0.99)),
                config=config,
                group=group,
                segment=group % 3,
            )
        ]
        for name, by in {"oracle": 1.0, "pretrained": 0.4, "naive": 0.6, "defer": 0.9, "ours": 0.97}.items()
    }
    report = ConversionReport(Standing(runs), {"title": "Coupons <b>", "exposures": len(shown)})
    report.save(tmp_path / "report")
    again = ConversionReport.load(tmp_path / "report")
    assert again.standing.flat() == report.standing.flat() and dict(again.info) == dict(report.info)
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert html == page(again) and html.count("<svg") == 4 and "<script" not in html
    assert "Coupons &lt;b&gt;" in html and "nan" not in html and "By segment" in html
    assert verdict(report.standing).startswith("By NLL ours is best with")
