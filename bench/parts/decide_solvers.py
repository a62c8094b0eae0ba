"""Boundary solvers: CPU seconds on one core, and whether the exact one is exact."""

from __future__ import annotations

import itertools
import statistics
import time

import numpy as np

from common import say
from thence.decide.boundary import SOLVERS, Solver
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.monotone import Monotone
from thence.decide.goal import Goal
from thence.decide.rule import outcome
from thence.decide.sample import Sample

Figures = dict[str, float]
TIMES = 5
GOALS = [Goal.recall(precision=0.7), Goal.precision(recall=0.3), Goal.cost(1.0), Goal.budget(0.05)]


def world(n: int, seed: int = 0, rate: float = 0.1) -> Sample:
    """Cases whose score is a shrunk count and whose uncertainty is how little was counted."""
    rng = np.random.default_rng(seed)
    shown = np.exp(rng.normal(3, 1.5, n)).astype(np.int64) + 1
    truth = rng.beta(0.3, 0.3 * (1 / rate - 1), n)
    score = (rng.binomial(shown, truth) + rate) / (shown + 1)
    apart = 1e-6 * rng.random((2, n))  # so that nearly every score and uncertainty is its own
    return Sample.make(score + apart[0], (1 + apart[1]) / (1 + shown), rng.random(n) < truth)


def seconds(solver: Solver, sample: Sample, goal: Goal) -> float:
    """CPU seconds of a fit, the median of five."""
    found = []
    for _ in range(TIMES):
        begun = time.process_time()
        solver.fit(sample, goal)
        found.append(time.process_time() - begun)
    return statistics.median(found)


def warm() -> None:
    """Compile what is compiled."""
    small = world(3_000)
    for goal in GOALS:
        for name in SOLVERS:
            SOLVERS[name]().fit(small, goal)


def large() -> Figures:
    """500 score bins by 10 levels by a million cases: the exact solver on bins and without them, and DPMT."""
    warm()
    sample = world(1_000_000)
    solvers = {
        "dp.seconds_500x10_1M": Exact(10, bins=500),
        "dp.whole.seconds_500x10_1M": Exact(10, bins=500, prune=False),
        "dp.no_bins.seconds_10_1M": Exact(10),
        "ew_dpmt.seconds_500x10_1M": SOLVERS["ew_dpmt"](levels=10, bins=500),
        "vw_dpmt.seconds_500x10_1M": SOLVERS["vw_dpmt"](levels=10, bins=500),
        "monotone.seconds_500x10_1M": Monotone(10, bins=500),
    }
    figures = {name: seconds(solver, sample, GOALS[0]) for name, solver in solvers.items()}
    worst = max(seconds(Exact(10, bins=500), sample, goal) for goal in GOALS)
    return figures | {"dp.worst_goal.seconds_500x10_1M": worst}


def exactness(cases: int = 1_000) -> Figures:
    """Share of small random cases with ties in which the exact solver reaches what trying everything does."""
    equal = 0
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 13))
        score, unsure = rng.integers(0, int(rng.integers(2, 9)), n), rng.integers(0, 1 + seed % 4, n)
        sample = Sample.make(score, unsure, rng.random(n) < rng.random())
        equal += all(as_brute_force(sample, goal, 1 + seed % 4) for goal in GOALS)
    return {"dp.equal_to_brute_force": equal / cases, "dp.brute_force_cases": cases}


def as_brute_force(sample: Sample, goal: Goal, levels: int) -> bool:
    """Whether no tuple of thresholds is better, nor as good with fewer taken."""
    rule = Exact(levels).fit(sample, goal)
    level = (sample.uncertainty[:, None] >= rule.cuts).sum(axis=1)
    each = [[np.inf, *np.unique(sample.score[level == k])] for k in range(len(rule.threshold))]
    acts = np.array([sample.score >= np.array(at)[level] for at in itertools.product(*each)])
    taken, positives = acts.sum(axis=1), (acts & sample.label).sum(axis=1)
    best = goal.pick(taken, positives, len(sample), sample.positives)
    did = outcome(rule, sample)
    reached = goal.worth(np.array([did.taken]), np.array([did.hits]))[0]
    kept = goal.allowed(np.array([did.taken]), np.array([did.hits]), len(sample), sample.positives)[0]
    top = goal.worth(taken[[best]], positives[[best]])[0]
    return bool(kept) and abs(reached - top) < 1e-9 and did.taken == taken[best]


def by_name() -> Figures:
    """Seconds of every solver at 200,000 cases and 10 levels, and what it reaches on them."""
    warm()
    sample, figures = world(200_000), {}
    for name in SOLVERS:
        solver = SOLVERS[name]()
        did = outcome(solver.fit(sample, GOALS[0]), sample)
        figures[f"solver.{name}.seconds_200k"] = seconds(solver, sample, GOALS[0])
        figures[f"solver.{name}.recall_on_fit"] = did.recall
        figures[f"solver.{name}.precision_on_fit"] = did.precision
        say(f"{name}: {figures[f'solver.{name}.seconds_200k']:.3f} s, recall {did.recall:.4f}")
    return figures
