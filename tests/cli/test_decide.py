"""``thence decide``: scores of any system become a policy, a page and decisions; bad input is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import command, said

from thence.decide.policy import Policy
from thence.decide.sample import Sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores that come true the less, the less sure they are; and others, later."""
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 6000))
    columns = {"score": score, "uncertainty": unsure, "label": rng.random(6000) < score * (1 - unsure)}
    table = pa.table(columns | {"shop": np.array(["north", "south"])[rng.integers(0, 2, 6000)]})
    into = tmp_path_factory.mktemp("scores")
    pq.write_table(table.slice(0, 4000), into / "scores.parquet")
    pcsv.write_csv(table.slice(4000), into / "later.csv")
    pq.write_table(table.slice(0, 4000).rename_columns(["s", "u", "y", "shop"]), into / "named.parquet")
    return into


@pytest.fixture(scope="module")
def policy(folder: Path) -> Path:
    code, out = command(
        "decide", "fit", folder / "scores.parquet", "--precision", "0.5", "--into", folder / "p"
    )
    assert code == 0 and "uncertainty: used" in out and "one threshold" in out
    return folder / "p"


def test_a_policy_is_fitted_and_told(folder: Path, tmp_path: Path) -> None:
    words = ["--precision", "0.5", "--miss", "0.2", "--confidence", "0.9", "--into", tmp_path / "p"]
    told = said("decide", "fit", folder / "scores.parquet", *words)
    assert told["cases"] == {"fitted": 2800, "judged": 1200, "held_out": True}
    assert told["recall_gain"]["low"] > 1 and told["why_not"] is None
    assert told["rules"]["ours"]["recall"] > told["rules"]["single"]["recall"]
    opened = Policy.load(tmp_path / "p")
    assert opened.version == told["version"] and opened.ask < 0
    assert opened.told["confidence"] == 0.9 and opened.told["columns"]["score"] == "score"


def test_columns_have_any_name_and_the_policy_knows_them(folder: Path, tmp_path: Path) -> None:
    names = ["--score", "s", "--uncertainty", "u", "--label", "y"]
    words = ["--precision", "0.5", "--into", tmp_path / "p"]
    told = said("decide", "fit", folder / "named.parquet", *names, *words)
    same = said("decide", "fit", folder / "scores.parquet", "--precision", "0.5", "--into", tmp_path / "q")
    assert told["rules"] == same["rules"]
    judged = said("decide", "evaluate", tmp_path / "p", folder / "named.parquet")  # no name is needed again
    assert judged["figures"]["cases"] == 4000
    assert said("decide", "apply", tmp_path / "p", folder / "named.parquet", "--into", tmp_path / "o.parquet")


def test_without_uncertainty_one_threshold_is_fitted_and_it_says_so(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = pcsv.read_csv(folder / "later.csv").select(["score", "label"])
    pq.write_table(table, tmp_path / "bare.parquet")
    words = ["--precision", "0.4", "--into", tmp_path / "p"]
    code, out = command("decide", "fit", tmp_path / "bare.parquet", *words)
    assert code == 0 and "has no column 'uncertainty'" in capfd.readouterr().err
    assert "uncertainty: not used; there is none" in out
    done = said("decide", "apply", tmp_path / "p", tmp_path / "bare.parquet", "--into", tmp_path / "o.csv")
    assert sum(done["actions"].values()) == 2000
    assert pcsv.read_csv(tmp_path / "o.csv")["action"].to_pylist().count("act") == done["actions"]["act"]


def test_a_policy_is_judged_on_a_page(folder: Path, policy: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    words = ["--report", page, "--segment", "shop"]
    told = said("decide", "evaluate", policy, folder / "later.csv", *words)
    assert told["figures"]["ours.recall_gain.low"] > 1 and sum(told["actions"].values()) == 2000
    html = page.read_text("utf-8")
    assert "north" in html and "south" in html and told["version"] in html
    table = pcsv.read_csv(folder / "later.csv")
    sample = Sample.make(*(table[name].to_numpy() for name in ("score", "uncertainty", "label")))
    act = Policy.load(policy).rule.act(sample.score, sample.uncertainty)
    assert told["figures"]["ours.recall"] == pytest.approx(sample.label[act].sum() / sample.positives)
    code, out = command("decide", "evaluate", policy, folder / "later.csv")
    assert code == 0 and "recall over the best one threshold" in out and "decided: act" in out


def test_rows_without_a_score_are_counted_and_may_be_too_many(
    folder: Path, policy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(folder / "scores.parquet")
    torn = table.set_column(0, "score", pa.array([None, *table["score"].to_pylist()[1:]], pa.float64()))
    pq.write_table(torn, tmp_path / "t.parquet")
    words = ["--precision", "0.5", "--into", tmp_path / "p"]
    assert command("decide", "fit", tmp_path / "t.parquet", *words)[0] == 0
    assert "4,000 read = 3,999 accepted + 1 refused" in capfd.readouterr().err
    few = ["--max-reject", "0.0001"]
    assert command("decide", "fit", tmp_path / "t.parquet", *words[:3], tmp_path / "q", *few)[0] == 3
    assert not (tmp_path / "q").exists()
    into = ["--into", tmp_path / "o.parquet"]
    assert command("decide", "apply", policy, tmp_path / "t.parquet", *into, *few)[0] == 3
    assert "nothing is decided on 1 rows" in capfd.readouterr().err
    assert pq.read_table(tmp_path / "o.parquet")["action"][0].as_py() is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--precision", "0.99", "--confidence", "0.95"], "with confidence 0.95: one threshold reaches"),
        ([], "target 'recall' without its bound. Give --precision"),
        (["--precision", "0.5", "--recall", "0.5"], "--recall is no bound of target 'recall'"),
        (["--target", "recal", "--precision", "0.5"], "no target 'recal'. Did you mean 'recall'?"),
        (["--precision", "1.5"], "a bound of 1.5"),
        (["--precision", "0.5", "--method", "misst"], "no method 'misst'. Did you mean 'mist'?"),
        (["--precision", "0.5", "--score", "skore"], "there is no column 'skore'"),
        (["--precision", "0.5", "--label", "score"], "which is neither 0 nor 1"),
        (["--precision", "0.5", "--label", "shop"], "column 'shop' holds strings such as"),
        (["--precision", "0.5", "--holdout", "1"], "a share of 1.0 held out"),
        (["--precision", "0.5", "--miss", "2"], "a share of 2.0 missed"),
        (["--precision", "0.5", "--confidence", "1"], "a confidence of 1"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(folder: Path, tmp_path: Path, words: list[str], said: str) -> None:
    code, out = command("decide", "fit", folder / "scores.parquet", *words, "--into", tmp_path / "p", "--json")
    problem = json.loads(out)["error"]
    assert code == 2 and said in f"{problem['what']}. {problem['fix']}", problem
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("score,label\n" + "0.1,0\n" * 9, "all 9 labels are 0"),
        ("score,label\n" + "0.1,0\n0.1,1\n" * 9, "one threshold reaches 0.500 at most"),
        ("score,label\n", "no rows"),
    ],
)
def test_cases_that_nothing_can_be_learned_of_are_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    words = ["--precision", "0.9", "--into", tmp_path / "p", "--json"]
    code, out = command("decide", "fit", tmp_path / "t.csv", *words)
    assert code == 2 and said in json.loads(out)["error"]["what"]


def test_equal_scores_are_acted_on_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("score,label\n" + "0.1,0\n0.1,1\n" * 50)
    code, out = command("decide", "fit", tmp_path / "t.csv", "--precision", "0.4", "--into", tmp_path / "p")
    assert code == 0 and "every score is 0.1" in out


def test_what_is_no_policy_or_no_place_to_write_is_told(folder: Path, policy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    later = folder / "later.csv"
    for words, told in (
        (["evaluate", folder, later], "nothing"),
        (["evaluate", policy, later, "--report", tmp_path / "file" / "p.html"], "cannot be written"),
        (["evaluate", policy, later, "--segment", "shopp"], "there is no column 'shopp'"),
        (["apply", policy, later, "--into", tmp_path / "o.txt"], "does not say what to write"),
    ):
        code, out = command("decide", *words, "--json")
        assert code == 2, words
        assert told == "nothing" or told in json.loads(out)["error"]["what"]


def test_help_of_each_verb_is_there() -> None:
    for verb in ("fit", "evaluate", "apply"):
        code, out = command("decide", verb, "--help")
        assert code == 0 and "Example" in out
