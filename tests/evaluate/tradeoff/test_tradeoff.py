"""Forms of a model: fronts by brute force, lists judged by hand, pages that say what the figures say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.evaluate.cases import Cases
from thence.evaluate.tallies import hit_rate
from thence.evaluate.tradeoff import Form, Tradeoff, cpu_micros, listed_hit_rate, listed_recall
from thence.index.exact import ExactIndex
from thence.index.neighbors import Neighbors

MODEL = Form("model", "model", 0.20, 1.0, 4096, 80.0)
SMALL = Form("int8", "codes", 0.199, 0.99, 1024, 90.0)
FAST = Form("student", "student", 0.15, math.nan, 512, 5.0)
WORSE = Form("sign", "codes", 0.02, 0.1, 2048, 100.0)
ALL = Tradeoff((MODEL, SMALL, FAST, WORSE), {"data": "a < b", "k": 10})


def forms() -> st.SearchStrategy[list[Form]]:
    one = st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(1, 5))
    return st.lists(one, min_size=1, max_size=8).map(
        lambda rows: [
            Form(str(i), "codes", hit / 5, 1.0, size, float(us)) for i, (hit, size, us) in enumerate(rows)
        ]
    )


@given(forms(), st.sampled_from(["bytes", "micros"]))
def test_the_front_is_what_nothing_beats(some, cost) -> None:
    def beats(one: Form, other: Form) -> bool:
        better = one.hit_rate >= other.hit_rate and getattr(one, cost) <= getattr(other, cost)
        return better and (one.hit_rate, getattr(one, cost)) != (other.hit_rate, getattr(other, cost))

    left = {(f.hit_rate, getattr(f, cost)) for f in some if not any(beats(other, f) for other in some)}
    front = Tradeoff(tuple(some)).front(cost)
    assert {(form.hit_rate, getattr(form, cost)) for form in front} == left and len(front) == len(left)
    assert [getattr(form, cost) for form in front] == sorted(getattr(form, cost) for form in front)


def test_by_hand() -> None:
    assert [form.name for form in ALL.front("bytes")] == ["student", "int8", "model"]
    assert [form.name for form in ALL.front("micros")] == ["student", "model"]
    assert ALL.smallest(0.01) is SMALL and ALL.smallest(0.3) is FAST and ALL.smallest(0.0) is MODEL
    assert ALL.share(FAST) == pytest.approx(0.75)
    again = ALL.joined(
        (Form("int8", "codes", 0.1, 0.5, 9, 9.0), Form("pq", "codes", 0.1, 0.5, 9, 9.0)), {"k": 5}
    )
    assert [form.name for form in again.forms] == ["model", "int8", "student", "sign", "pq"]
    assert again.forms[1].bytes == 9 and again.info == {"data": "a < b", "k": 5}


def test_lists_are_judged_as_scores_are() -> None:
    rng = np.random.default_rng(0)
    model = Embeddings(IdMap([f"n{i}" for i in range(60)]), rng.normal(size=(60, 4)), rng.normal(size=(60, 4)))
    source = rng.integers(0, 60, 300)
    target = (source + rng.integers(1, 60, 300)) % 60
    cases = Cases.make(source, target, num_nodes=60, weight=rng.uniform(0.5, 2, 300))
    found = ExactIndex(model).search(cases.sources, 10)
    assert listed_hit_rate(found, cases, 10) == pytest.approx(hit_rate(model, cases, 10))
    assert listed_hit_rate(found, cases, 3) == pytest.approx(hit_rate(model, cases, 3))
    half = ExactIndex(model).search(cases.sources[::2], 10)
    asked = np.isin(cases.source, cases.sources[::2])
    expected = hit_rate(model, cases.select(asked), 10) * cases.weight[asked].sum() / cases.weight.sum()
    assert listed_hit_rate(half, cases, 10) == pytest.approx(expected)  # who is not asked misses


def test_recall_counts_what_exists() -> None:
    ids, query = IdMap("abcde"), np.array([0, 1])
    score = np.array([[3.0, 2.0, 1.0], [1.0, -np.inf, -np.inf]])
    exact = Neighbors(ids, query, np.array([[1, 2, 3], [0, -1, -1]]), score)
    found = Neighbors(ids, query, np.array([[3, 4, 1], [2, -1, -1]]), score)
    assert listed_recall(found, exact) == 0.5 and listed_recall(exact, exact) == 1.0
    with pytest.raises(DataError, match="other queries"):
        listed_recall(found, Neighbors(ids, query[:1], exact.nodes[:1], score[:1]))


def test_time_is_that_of_the_processor_and_of_one_answer() -> None:
    calls = []
    assert cpu_micros(lambda: calls.append(sum(range(20_000))), count=10, repeats=3) > 0
    assert len(calls) == 4


def test_it_is_kept(tmp_path) -> None:
    ALL.save(tmp_path / "kept")
    again = Tradeoff.load(tmp_path / "kept")
    assert again.forms[0] == MODEL and again.text() == ALL.text() and again.page() == ALL.page()
    assert (tmp_path / "kept" / "tradeoff.html").read_text("utf-8") == ALL.page()
    with (tmp_path / "kept" / "forms.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtifactError):
        Tradeoff.load(tmp_path / "kept")


def test_the_page_says_what_the_figures_say() -> None:
    page = ALL.page()
    assert "int8 is 4.0 times smaller than the model and keeps 99.5\u00a0% of its hits." in page
    assert "a &lt; b" in page and "http" not in page.replace("http://www.w3.org", "")
    assert page.count("class=best") == 3 and page.count("<svg") == 2
    assert "No smaller form keeps" in Tradeoff((MODEL,)).page()
    assert Tradeoff((MODEL, FAST)).text().splitlines()[2].split() == [
        "student", "0.1500", "75.0%", "–", "512", "B", "8.0×", "5",
    ]  # fmt: skip


def test_faults_are_told() -> None:
    with pytest.raises(DataError, match="first form"):
        Tradeoff(())
    with pytest.raises(DataError, match="same name"):
        Tradeoff((MODEL, MODEL))
    for wrong in ({"bytes": 0}, {"micros": 0.0}, {"hit_rate": math.nan}):
        with pytest.raises(DataError, match="cannot be"):
            Form(**{**MODEL.__dict__, **wrong})
    with pytest.raises(DataError, match="micros"):
        ALL.front("micro")
    found = Neighbors(IdMap("ab"), np.array([0]), np.array([[1]]), np.array([[1.0]]))
    with pytest.raises(ConfigError):
        listed_hit_rate(found, Cases.make([0], [1], num_nodes=2), k=2)
    with pytest.raises(DataError, match="no cases"):
        listed_hit_rate(found, Cases.make([], [], num_nodes=2), k=1)
