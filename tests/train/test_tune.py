"""Tuning: equal budgets, a search that finds what is there, and a journal that loses nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.encode.graphs import random_graph, weighted_graph

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.encode.baseline import BASELINES
from thence.encode.peer import PEERS
from thence.train.methods import divided, fit_method, grid_of, methods
from thence.train.recipes import RECIPES
from thence.train.spaces import SPACES, Among, Range, _between, space_of, start_of
from thence.train.trials import DONE, FAILED, STOPPED, Budget, Journal, Study, Trial
from thence.train.tune import _behind, tune

FAST = {"steps": 4, "validate_every": 1, "patience": 4}
GRAPH = weighted_graph()


def near(power: float):
    """Best where lift's power is as given: the score of 0 → 1 falls with it."""
    wanted = fit_method("lift", GRAPH, {"power": power}).scores([0])[0, 1]
    return lambda scorer: -abs(float(scorer.scores([0])[0, 1] - wanted))


def gap(scorer: object) -> float:
    """How far the arc 0 → 1 stands above its reverse."""
    return float(scorer.scores([0])[0, 1] - scorer.scores([1])[0, 0])  # type: ignore[attr-defined]


def settled(study: Study) -> list[tuple]:
    """All of the trials but their seconds."""
    return [(t.method, t.number, dict(t.settings), t.state, t.value, t.steps, t.history) for t in study.trials]


def test_the_search_begins_at_the_defaults_and_comes_nearer() -> None:
    study = tune(GRAPH, ["lift"], near(0.77), budget=Budget(trials=25))
    assert [trial.number for trial in study.trials] == list(range(25))
    assert dict(study.trials[0].settings) == {"power": 0.1}
    assert study.best("lift").settings["power"] == pytest.approx(0.77, abs=0.05)
    assert study.best("lift").value == max(trial.value or -9 for trial in study.trials)


def test_every_method_has_the_same_budget() -> None:
    study = tune(GRAPH, ["dual", "lift", "item_cf", "counts"], gap, budget=Budget(trials=3), train=FAST)
    summary = study.summary()
    assert {name: entry["trials"] for name, entry in summary.items()} == {
        "dual": 3,
        "lift": 3,
        "item_cf": 3,
        "counts": 1,  # nothing to choose
    }
    assert all(entry["value"] >= entry["default_value"] for entry in summary.values())
    assert json.loads(json.dumps(summary)) == summary


def test_no_trial_begins_after_the_seconds_are_spent() -> None:
    study = tune(GRAPH, ["lift", "dual"], gap, budget=Budget(trials=9, seconds=1e-9), train=FAST)
    assert [trial.method for trial in study.trials] == ["lift", "dual"]


def test_all_that_is_drawn_hangs_on_the_seed() -> None:
    first, again, other = (tune(GRAPH, ["dual"], gap, budget=Budget(3), train=FAST, seed=s) for s in (0, 0, 1))
    assert settled(first) == settled(again)
    assert dict(first.trials[1].settings) != dict(other.trials[1].settings)
    assert dict(first.trials[0].settings) == dict(other.trials[0].settings)


def test_a_method_draws_alike_whoever_is_tuned_beside_it() -> None:
    alone = tune(GRAPH, ["lift"], near(0.5), budget=Budget(6))
    beside = tune(GRAPH, ["item_cf", "lift"], near(0.5), budget=Budget(6))
    assert settled(alone) == [trial for trial in settled(beside) if trial[0] == "lift"]


@pytest.mark.parametrize("at", [0, 1, 4, 11])
def test_a_journal_cut_anywhere_goes_on_as_the_whole(tmp_path: Path, at: int) -> None:
    """Cut after some lines, and in the middle of the next one."""
    wanted = tune(GRAPH, ["lift", "dual"], gap, budget=Budget(9), train=FAST, journal=tmp_path / "whole")
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 18 == len((tmp_path / "whole").read_text().splitlines())
    (tmp_path / "cut").write_bytes(b"".join(lines[: at + 1]) + lines[at + 1][:17])
    told: list[int] = []
    study = tune(
        GRAPH,
        ["lift", "dual"],
        gap,
        budget=Budget(9),
        train=FAST,
        journal=tmp_path / "cut",
        progress=lambda task, done, total: told.append(done),
    )
    assert settled(study) == settled(wanted)
    assert told[0] == at + 1  # those before were not made again


def test_a_larger_budget_goes_on_from_a_smaller_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    small = tune(GRAPH, ["lift"], near(0.4), budget=Budget(4), journal=path)
    large = tune(GRAPH, ["lift"], near(0.4), budget=Budget(9), journal=path)
    assert settled(large)[:4] == settled(small)
    assert settled(large) == settled(tune(GRAPH, ["lift"], near(0.4), budget=Budget(9)))
    assert settled(tune(GRAPH, ["lift"], near(0.4), budget=Budget(4), journal=path)) == settled(small)


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    tune(GRAPH, ["lift"], gap, budget=Budget(1), journal=path)
    for graph, seed in ((random_graph(), 0), (GRAPH, 1)):
        with pytest.raises(ArtifactError, match="other data or settings"):
            tune(graph, ["lift"], gap, budget=Budget(1), seed=seed, journal=path)
    for content in (b"torn\n", b"[1]\n", b'{"signature": 3}\n'):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="journal"):
            Journal(path, {})
    path.write_bytes(b'{"signature": {}}\n{"method": "lift"}\n')
    with pytest.raises(ArtifactError, match="no trial"):
        Journal(path, {})


def test_a_trial_that_breaks_down_is_told_and_does_not_end_the_search() -> None:
    def picky(scorer: object) -> float:
        power = float(np.log(scorer.scores([0])[0, 1]))  # type: ignore[attr-defined]
        return float("nan") if power > 0.8 else power

    study = tune(GRAPH, ["lift"], picky, budget=Budget(12))
    states = {trial.state for trial in study.trials}
    assert states == {DONE, FAILED}
    assert all("NaN" in t.error or "nan" in t.error for t in study.trials if t.state == FAILED)
    assert study.best("lift").state == DONE
    never = tune(GRAPH, ["counts"], lambda scorer: float("nan"))
    assert never.succeeded() == [] and "value" not in never.summary()["counts"]
    with pytest.raises(DataError, match="no trial that came to an end"):
        never.best("counts")
    with pytest.raises(DataError, match="tried: counts"):
        never.best("lift")


def test_trials_below_the_median_are_stopped() -> None:
    before = [Trial("dual", k, {}, DONE, k / 10, 1.0, 3, (0.0, k / 20, k / 10)) for k in range(5)]
    assert _behind([0.0, 0.1, 0.19], before) and not _behind([0.0, 0.1, 0.2], before)
    assert not _behind([0.0, 0.0], before)  # its first validations say little
    assert not _behind([0.0, 0.0, 0.0], before[1:])  # so do four others
    study = tune(random_graph(), ["dual"], gap, budget=Budget(12), train=FAST)
    stopped = [trial for trial in study.trials if trial.state == STOPPED]
    assert stopped and all(len(t.history) < 4 and t.value == max(t.history) for t in stopped)
    assert study.best("dual").state == DONE


def test_a_study_is_saved_and_opened(tmp_path: Path) -> None:
    study = tune(GRAPH, ["lift", "dual"], gap, budget=Budget(2), train=FAST)
    study.save(tmp_path / "study")
    opened = Study.load(tmp_path / "study")
    assert opened.trials == study.trials and opened.summary() == study.summary()
    assert opened.info == {
        "trials": 2,
        "seconds": None,
        "seed": 0,
        "shared": {f"train.{k}": v for k, v in FAST.items()},
    }
    with pytest.raises(ArtifactError):
        Study.load(tmp_path)


def test_without_optuna_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'thence\[tune\]'"):
        tune(GRAPH, ["lift"], gap)


@pytest.mark.parametrize("options", [{"trials": 0}, {"seconds": 0.0}, {"seconds": -1.0}])
def test_budgets_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        Budget(**options)


def test_unknown_methods_and_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'dual'"):
        tune(GRAPH, ["duals"], gap)
    with pytest.raises(ConfigError, match="is not trained"):
        fit_method("lift", GRAPH, {"train.steps": 3})


def test_every_method_can_be_searched_from_its_defaults() -> None:
    assert set(methods()) == {"spectral", *BASELINES, *PEERS, *RECIPES}
    assert set(SPACES) <= set(methods())
    for name in methods():
        space, start = space_of(name), start_of(name)
        assert set(space) == set(start)
        for key, one in space.items():
            assert one.nearest(start[key]) == start[key], (name, key)
            assert isinstance(one, Among) or one.low < one.high
        for key, value in grid_of(name)[0].items():
            assert start[key] == (list(value) if isinstance(value, tuple) else value), (name, key)
        for key, value in divided(start)[1].items():
            assert value == getattr(RECIPES[name].train, key), (name, key)


def test_ranges_hold_what_is_near() -> None:
    assert Range(1, 9, whole=True).nearest(3.4) == 3 and Range(0.5, 2.0).nearest(0.1) == 0.5
    assert _between([(1, "a"), [1, "a"], ("b",)]) == Among(([1, "a"], ["b"]))  # lists, as the journal has them
    assert _between([True, False, True]) == Among((True, False))
    assert _between([1, 64]) == Range(1, 64, log=True, whole=True) and _between([0.2]) == Among((0.2,))
    assert Range(1.0, 100.0, log=True).first == 10.0 and Range(0.0, 1.0).first == 0.5
    assert Among((True, False)).nearest("x") is True and Among((1, 8)).nearest(6) == 8
