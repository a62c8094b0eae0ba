"""How the bench of decisions judges boundaries, against literal counts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from parts.decide_judge import AT, bound_of, by_solver, ceilings, figures, judged, most_hits, ours, targets
from thence.decide.sample import Sample


def world(seed: int, count: int = 4000) -> Sample:
    """Positivity falls with uncertainty."""
    rng = np.random.default_rng(seed)
    score, unsure = rng.random((2, count))
    return Sample.make(score, unsure, rng.random(count) < score * (1 - unsure / 2))


def test_most_hits_is_the_best_of_all_mixtures() -> None:
    taken, hits = np.array([[50.0, 30.0, 10.0]]), np.array([[20.0, 18.0, 8.0]])
    best = 0.0
    for first, second in ((0, 1), (1, 2)):
        for share in np.linspace(0, 1, 10_001):
            n = (1 - share) * taken[0, first] + share * taken[0, second]
            t = (1 - share) * hits[0, first] + share * hits[0, second]
            best = max(best, t if t >= 0.55 * n else 0.0)
    assert most_hits(taken, hits, 0.55)[0] == pytest.approx(best, abs=1e-3)
    assert most_hits(taken, hits, 0.9)[0] == 0.0


def test_what_is_judged_is_counted_case_by_case() -> None:
    fit, test = world(0), world(1, 1000)
    paths = {"single": by_solver("single", fit, test, 0.7), "exact": by_solver("exact", fit, test, 0.7)}
    found = judged(paths, test, 0.7, seed=0, draws=50)
    for name, path in paths.items():
        act = path[AT]
        hits = int(test.label[act].sum())
        assert found[name].recall[0] == hits / test.positives
        assert found[name].precision[0] == hits / act.sum()
        assert found[name].missed[0] == (hits < 0.7 * act.sum())
        kept = [test.label[one].sum() for one in path if test.label[one].mean() >= 0.7]
        assert found[name].matched[0] * test.positives >= max(kept)
        spread = found[name].recall[1:].std() / np.sqrt(found[name].recall[0] * (1 - found[name].recall[0]))
        assert spread * np.sqrt(test.positives) == pytest.approx(1, abs=0.4)


def test_on_the_cases_of_the_fit_the_best_boundary_is_no_worse_than_one_threshold() -> None:
    fit = world(2)
    bound = bound_of(fit)
    assert targets(bound)[AT] == bound
    paths = {name: by_solver(name, fit, fit, bound) for name in ("single", "exact", "mist")}
    found = judged(paths, fit, bound, seed=0, draws=2)
    assert found["exact"].recall[0] >= max(found["single"].recall[0], found["mist"].recall[0])
    assert found["exact"].matched[0] >= found["single"].matched[0]
    assert found["single"].recall[0] >= 0.3


def test_ours_on_a_path_acts_as_its_own_rule_at_the_bound() -> None:
    fit, test = world(3), world(4, 1000)
    acts, rule = ours(fit, test, 0.7)
    assert rule is not None
    assert (acts[AT] == rule.act(test.score, test.uncertainty)).all()
    taken = [one.sum() for place, one in enumerate(acts) if place != AT]
    assert taken == sorted(taken, reverse=True)


def test_a_ceiling_is_above_what_any_method_has() -> None:
    fit, test = world(5), world(6, 1000)
    paths = {name: by_solver(name, fit, test, 0.7) for name in ("single", "exact", "mist")}
    paths |= {"ours": ours(fit, test, 0.7)[0], **ceilings(test, 0.7)}
    drawn = judged(paths, test, 0.7, seed=0, draws=2)
    assert max(one.matched[0] for one in drawn.values()) == drawn["ceiling"].matched[0]
    told = figures([drawn], 0.7, brief=True)
    assert told["ceiling.recall_gain"] >= told["ceiling_smooth.recall_gain"] >= 1
    assert "ceiling.recall" not in told and "ceiling.violation" not in told
