"""A report says what is true of its figures, keeps them through a save, and its page stands on its own."""

import importlib.util
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.evaluate import (
    EvaluateConfig,
    Figure,
    Gap,
    Report,
    arc_cases,
    direction_cases,
    evaluate,
    rank_cases,
)
from thence.evaluate.tallies import case_tallies
from thence.evaluate.words import losses, verdict
from thence.graph.arcs import Arcs
from thence.graph.split import split_arcs

spec = importlib.util.spec_from_file_location("literal", Path(__file__).with_name("literal.py"))
literal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(literal)
Table = literal.Table
NUM = 80
CONFIG = EvaluateConfig(resamples=100)


@pytest.fixture(scope="module")
def world():
    """Node i leads to the next few nodes and to some of five hubs; ours sees arcs through noise."""
    rng = np.random.default_rng(0)
    ahead = [(i, (i + step) % NUM) for i in range(NUM) for step in range(1, 3 + i % 7)]
    hubs = [(i, hub) for i in range(NUM) for hub in range(5) if i != hub and rng.random() < 0.5]
    pairs = np.array(sorted({*ahead, *hubs}))
    arcs = Arcs.from_pairs(pairs[:, 0], pairs[:, 1], num_nodes=NUM)
    split = split_arcs(arcs, seed=1)
    oracle = Table(arcs.matrix().toarray() + rng.normal(0, 0.6, (NUM, NUM)))
    popular = Table(np.tile(split.train.in_degree.astype(float), (NUM, 1)))
    return arcs, split, {"ours": oracle, "popularity": popular}


@pytest.fixture(scope="module")
def report(world):
    arcs, split, scorers = world
    direction = direction_cases(split.test, split.train, arcs)
    return evaluate(
        scorers,
        arc_cases(split.test, split.train, arcs),
        direction=direction,
        baselines=["popularity"],
        config=CONFIG,
        info={"title": "A ring <of> nodes", "test from": "2017-10-15"},
    )


def test_figures_are_those_of_the_parts(world, report):
    arcs, split, scorers = world
    cases = arc_cases(split.test, split.train, arcs)
    ranking = rank_cases(scorers["ours"], cases)
    wanted = case_tallies(cases, ranking, [5, 10, 20])
    for metric, tally in wanted.items():
        figure = report.figure("ours", metric)
        assert figure.value == tally.value
        assert figure.low <= figure.value <= figure.high
    assert report.flat()["ours.HR@10"] == wanted["HR@10"].value
    assert report.flat()["best_baseline.HR@10"] == report.figure("popularity", "HR@10").value
    assert report.flat()["ours.direction_auc"] > 0.8


def test_slices_weigh_back_to_the_whole(report):
    parts = report.info["slices"]
    names = [name for name in parts if name.endswith("_degree")]
    whole = sum(parts[name]["cases"] * report.figure("ours", "HR@10", name).value for name in names)
    assert whole / report.info["counts"]["cases"] == pytest.approx(report.figure("ours", "HR@10").value)


def test_gaps_compare_with_the_best_baseline(report):
    gap = report.gap("ours", "HR@10")
    ours, plain = report.figure("ours", "HR@10").value, report.figure("popularity", "HR@10").value
    assert gap.rival == "popularity"
    assert gap.value == pytest.approx(ours / plain - 1)
    assert gap.low < gap.value < gap.high
    assert gap.is_clear


def test_same_seed_same_report(world):
    arcs, split, scorers = world
    cases = arc_cases(split.test, split.train, arcs)
    one, again, other = (
        evaluate(scorers, cases, baselines=["popularity"], config=CONFIG, seed=seed).to_json()
        for seed in (0, 0, 1)
    )
    assert one == again != other


def made(ours, lift, low=math.nan, high=math.nan, metric="HR@10"):
    figures = (Figure("ours", metric, ours), Figure("lift", metric, lift))
    gaps = (Gap("ours", "lift", metric, ours / lift - 1, low, high),)
    return Report(figures, gaps, ("lift",))


def test_the_verdict_says_who_wins():
    assert "ours finds 3.00 %" in verdict(made(0.03, 0.02, 0.4, 0.6))
    assert "50 % more (95 % interval 40 % to 60 %)." in verdict(made(0.03, 0.02, 0.4, 0.6))
    assert "within the noise" in verdict(made(0.03, 0.02, -0.1, 0.9))
    lost = verdict(made(0.01, 0.02, -0.6, -0.4))
    assert lost.startswith("No learned method beats the plain baselines: lift finds 2.00 %")
    assert lost.endswith("50 % less (95 % interval −60 % to −40 %).")
    alone = Report((Figure("ours", "HR@10", 0.5),))
    assert verdict(alone).startswith("ours does best")
    assert verdict(Report(())) == "There is nothing to compare."


def test_losses_name_each_figure_on_which_a_baseline_leads():
    assert losses(made(0.03, 0.02)) == "No plain baseline is ahead on any of the figures that matter here."
    assert (
        losses(made(0.01, 0.02)) == "Plain baselines are ahead: lift before ours on HR@10 (0.0200 to 0.0100)."
    )
    low = Report(
        (Figure("ours", "HR@10", 0.1, slice="low_degree"), Figure("lift", "HR@10", 0.2, slice="low_degree")),
        baselines=("lift",),
    )
    assert "HR@10 for rarely known queries (0.2000 to 0.1000)" in losses(low)


def test_a_baseline_that_finds_nothing_is_no_division_by_zero():
    figures = (Figure("ours", "HR@10", 0.5), Figure("lift", "HR@10", 0.0))
    report = Report(figures, (Gap("ours", "lift", "HR@10", math.nan, math.nan, math.nan),), ("lift",))
    assert verdict(report).endswith("finds 0.00 %: the baseline finds none.")
    assert "nan" not in report.text()


def test_text_marks_baselines_and_holds_the_figures(report):
    text = report.text()
    assert "popularity *" in text
    assert f"{report.figure('ours', 'HR@10').value:.4f}" in text
    assert "more" in text


def test_json_is_strict_and_whole(report):
    content = json.loads(report.to_json())
    assert len(content["figures"]) == len(report.figures)
    assert all(figure["low"] is None or isinstance(figure["low"], float) for figure in content["figures"])


def test_a_saved_report_comes_back_the_same(report, tmp_path):
    report.save(tmp_path / "report")
    again = Report.load(tmp_path / "report")
    assert again.to_json() == report.to_json()
    assert repr(again) == repr(report)
    assert (tmp_path / "report" / "report.html").is_file()
    (tmp_path / "report" / "report.html").write_text("tampered")
    with pytest.raises(ArtifactError):
        Report.load(tmp_path / "report")


class Checker(HTMLParser):
    """Every element is closed, ids are unique, and nothing is fetched from elsewhere."""

    VOID = frozenset(("meta", "path", "use", "rect"))

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self._note(attrs)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def _note(self, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href"):
                self.links.append(value)


def test_the_page_stands_on_its_own(report, tmp_path):
    html = report.save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert all(link.startswith("#") and link[1:] in checker.ids for link in checker.links)
    assert set(re.findall(r"url\(#([^)]*)\)", html)) <= set(checker.ids)
    assert "script" not in checker.tags and "@import" not in html
    assert html.count("<svg") == 3
    assert "A ring &lt;of&gt; nodes" in html and "<of>" not in html
    assert "2017-10-15" in html
    for variable in re.findall(r"var\((--\w+)\)", html):
        assert f"{variable}:" in html
    assert f"{report.figure('ours', 'HR@10').value:.4f}" in html
    assert "prefers-color-scheme: dark" in html


def test_the_page_is_the_same_each_time(report):
    from thence.evaluate.page import page

    assert page(report) == page(report)


def test_a_page_of_almost_nothing(tmp_path):
    Report((Figure("only", "HR@10", 0.0),)).save_html(tmp_path / "page.html")
    assert "only" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_unknown_figures_name_the_nearest(report):
    with pytest.raises(DataError, match="Did you mean"):
        report.figure("ours", "HR@11")


def test_what_cannot_be_judged_is_refused(world):
    arcs, split, scorers = world
    cases = arc_cases(split.test, split.train, arcs)
    with pytest.raises(DataError, match="no scorers"):
        evaluate({}, cases)
    with pytest.raises(DataError, match="no cases"):
        evaluate(scorers, cases.select(np.zeros(len(cases), bool)))
    with pytest.raises(DataError, match="'popularity'"):
        evaluate(scorers, cases, baselines=["popularty"])
    with pytest.raises(DataError, match="other nodes"):
        evaluate(scorers | {"small": Table(np.zeros((3, 3)))}, cases)
    small = Arcs.from_pairs([0], [1], num_nodes=3)
    with pytest.raises(DataError, match="over 3 nodes"):
        evaluate(scorers, cases, direction=direction_cases(small, Arcs.from_pairs([], [], num_nodes=3)))
    with pytest.raises(ConfigError, match="not one of"):
        EvaluateConfig(ks=(5,), k=10)
    with pytest.raises(ConfigError, match="out of range"):
        EvaluateConfig(resamples=0)
