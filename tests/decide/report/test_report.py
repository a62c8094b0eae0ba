"""The report and its page: what it says, that it needs nothing from elsewhere, and that its slider slides."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pytest
from tests.browser.driven import DRIVER, executable, fits, opened
from tests.decide.report.test_measures import sample

from thence.base.errors import ConfigError, DataError
from thence.decide.calibrate import Plane
from thence.decide.report import DecisionReport, decision_report
from thence.decide.report.page import cautions, page, verdict
from thence.decide.report.slider import _x, _y
from thence.decide.rule import Above, Rectangle, Thresholds, outcome
from thence.decide.sample import Sample

SINGLE = Thresholds(np.empty(0), np.array([0.85]))


@pytest.fixture(scope="module")
def report() -> DecisionReport:
    fit, test = sample(6000, 8), sample(6000, 9)
    plane = Plane.fit(fit.score, fit.uncertainty, fit.label)
    rules = {"single": SINGLE, "plane": Above(plane, 0.4), "box": Rectangle(0.6, 0.3)}
    shop = np.where(np.arange(6000) % 3, "north", "<b>south</b>")
    info = {"title": "Ads & offers", "seed": 3, "bound": "60 %"}
    return decision_report(test, rules, segments={"shop": shop}, base_rate=0.3, info=info)


def test_figures_are_the_outcomes(report: DecisionReport) -> None:
    figures = report.figures()
    for name, one in report.outcomes.items():
        assert figures[f"{name}.recall"] == one.recall and figures[f"{name}.precision"] == one.precision
    assert report.chosen == "plane" and figures["plane.recall_gain"] > 1
    assert report.outcomes["single"] == outcome(SINGLE, report.sample)
    assert all(isinstance(value, float) and np.isfinite(value) for value in figures.values())
    assert figures["ece"] < 0.05 and figures["sign.group_4.z"] < -2
    assert {"plane.aurc", "single.aurc", "ece.level_2"} <= set(figures)


def test_data_is_json_and_what_the_page_shows(report: DecisionReport) -> None:
    data = json.loads(json.dumps(report.data(), allow_nan=False))
    assert data["figures"] == report.figures()
    assert np.sum(data["heat"]["count"]) == len(report.sample)
    assert len(data["boundaries"]["single"]) == 1 and len(data["boundaries"]["plane"]) >= 1
    steps = data["precision_recall"]
    assert [step["precision"] for step in steps] == sorted(step["precision"] for step in steps)
    reached = [step for step in steps if step["score"]]
    assert all(step["score"]["precision"] >= step["precision"] - 1e-9 for step in reached)
    recalls = [step["score"]["recall"] for step in reached]
    assert recalls == sorted(recalls, reverse=True)


def test_the_page_needs_nothing_from_elsewhere(report: DecisionReport, tmp_path) -> None:
    text = report.save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert text == page(report)
    assert not re.search(r"(src|href)=['\"](?!#)|@import|url\((?!#)|https?://(?!www\.w3\.org)", text)
    assert text.count("<script>") == 1 and "fetch" not in text
    assert "Ads &amp; offers" in text and "&lt;b&gt;south" in text and "<b>south" not in text
    ids = re.findall(r"\bid=['\"]([^'\"]+)", text)
    assert len(ids) == len(set(ids))
    for title in ("Every rule", "Score and uncertainty", "Precision and recall", "Whether rates come true"):
        assert title in text
    assert page(report) == text


def test_the_marks_of_the_slider_lie_on_their_lines(report: DecisionReport) -> None:
    """Up is more precision; what matplotlib drew of a rule lies where the slider puts its figures."""
    text = page(report)
    steps = json.loads(unescape(re.search(r'data-steps="([^"]+)"', text)[1]))
    heights = [step["y"] for step in steps]
    assert heights == sorted(heights, reverse=True)
    one = report.outcomes["single"]
    picture = text[text.index("<svg", text.index("data-steps")) :]
    marks = [tuple(map(float, pair)) for pair in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', picture)]
    x, y = _x(one.recall), _y(one.precision)
    assert min(abs(a - x) + abs(b - y) for a, b in marks) < 0.05


def test_the_first_sentence_says_who_wins_and_when_nobody_does(report: DecisionReport) -> None:
    assert re.match(
        r"plane takes [\d.]+ % of the positives .*: [\d.]+ times what one threshold", verdict(report)
    )
    assert len(cautions(report)) == 1 and "In 1 of 5 groups" in cautions(report)[0]
    rules = {"single": SINGLE, "worse": Rectangle(0.0, 0.5, below=False), "none": Rectangle(9.0, 0.0)}
    assert "fewer than one threshold" in verdict(decision_report(report.sample, rules, chosen="worse"))
    assert verdict(decision_report(report.sample, rules, chosen="none")) == "none acts on none of these cases."
    sure = {"single": SINGLE, "sure": Rectangle(0.9, 0.02)}
    assert verdict(decision_report(report.sample, sure)).endswith("no single threshold has that precision.")
    alone = decision_report(report.sample, {"single": SINGLE})
    assert verdict(alone).endswith("%.") and "Who gains" not in page(alone)


def test_uncertainty_that_is_not_there_or_says_nothing_is_told() -> None:
    some = sample(300)
    flat = decision_report(Sample.make(some.score * 5 - 1, None, some.label), {"single": SINGLE})
    text = page(flat)
    assert "All cases have the same uncertainty" in text and "Uncertainty at equal score" not in text
    assert flat.table is None and "ece" not in flat.figures() and "Whether rates come true" not in text
    rng = np.random.default_rng(0)
    null = decision_report(Sample.make(some.score, rng.random(300), some.label), {"single": SINGLE})
    assert any("does not differ with uncertainty" in line for line in cautions(null))


@pytest.mark.parametrize("count", [2, 5, 30])
def test_the_smallest_samples_have_a_page(count: int) -> None:
    label = np.arange(count) % 2
    some = Sample.make(np.arange(count) / count, np.arange(count) % 3, label)
    found = decision_report(some, {"single": SINGLE, "box": Rectangle(0.1, 1.0)})
    json.dumps(found.data(), allow_nan=False)
    assert "too few" in page(found)


def test_faults_are_told(report: DecisionReport) -> None:
    with pytest.raises(DataError, match="labels are 1"):
        decision_report(report.sample[report.sample.label], {"single": SINGLE})
    with pytest.raises(ConfigError, match="no rule 'single'"):
        decision_report(report.sample, {"box": Rectangle(0.5, 0.5)})
    with pytest.raises(ConfigError, match="no rule 'best'"):
        decision_report(report.sample, {"single": SINGLE}, chosen="best")
    with pytest.raises(DataError, match="shop"):
        decision_report(report.sample, {"single": SINGLE}, segments={"shop": ["a"]})


@pytest.mark.slow
@pytest.mark.skipif(executable() is None, reason="no chromium")
def test_the_slider_slides(report: DecisionReport, tmp_path) -> None:
    path = report.save_html(tmp_path / "page.html")
    try:
        for dark, width in ((True, 1100), (False, 390), (False, 1100)):
            with opened("file:", width=width, dark=dark) as browser:
                browser.goto(path.as_uri())
                assert fits(browser)
                steps = report.slider()
                for place in (0, len(steps) // 2, len(steps) - 1):
                    move = f"one => {{ one.value = {place}; one.dispatchEvent(new Event('input')); }}"
                    browser.locator("#precision input").evaluate(move)
                    told = browser.locator("#precision output").text_content()
                    assert told == f"{100 * steps[place]['precision']:.1f}\u00a0%"
                    for name in ("score", "rate"):
                        row = browser.locator(f"[data-row={name}] td").all_text_contents()
                        found = steps[place][name]
                        assert row[2] == (f"{found['taken']:,}" if found else "0")
    finally:
        DRIVER.stop()
