"""Boundaries by name on simulated clicks, whose truth is known, and on real scores of every estimator."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from common import say
from parts.decide_data import DATA, ESTIMATORS, scored, table
from parts.decide_judge import (
    Acts,
    Drawn,
    bound_of,
    by_solver,
    by_value,
    ceilings,
    figures,
    judged,
    ours,
    value_of,
)
from parts.decide_names import JUDGED
from thence.base.errors import ConfigError, nearest
from thence.base.rng import generator
from thence.decide.boundary import SOLVERS
from thence.decide.clicks import Clicks, ClicksConfig, simulate_clicks
from thence.decide.goal import Goal
from thence.decide.guarantee import guaranteed_threshold
from thence.decide.report.sign import equal_score
from thence.decide.rule import Above, Rule
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior

CONFIDENCE, RESPLITS = 0.95, 40
BOUNDS, HEADLINE = (0.3, 0.4, 0.5), 0.4
"""Every solver runs at the second alone."""
TAUS, WORLD_TAUS = (1, 3, 10), (1, 5)
LIKE = {"criteo_clicks": (1.1, 3.2), "avazu_clicks": (0.73, 3.57)}
"""Priors of true rates whose means are .256 and .17; as strong as that of clicks_world."""
WORLDS = ("clicks_world", *LIKE)
QUICK_DATA, QUICK_ESTIMATORS = ("coupons", "nycflights13"), ("evidence", "laplace")
REAL = ("mist", "exact")
"""Published solvers that run on every real set beside one threshold and ours."""
Figures = dict[str, float]


def clicks(arguments: argparse.Namespace) -> Figures:
    """clicks_world: every solver, several bounds, under-sampling 1 and 5."""
    if not chosen(arguments, ("clicks_world",)):
        return {}
    found: Figures = {}
    for tau in WORLD_TAUS:
        config = ClicksConfig(sampling=tau)
        runs: dict[float, list[dict[str, Drawn]]] = {bound: [] for bound in BOUNDS}
        for seed in range(arguments.seeds):
            world = simulate_clicks(config, seed)
            for bound in (HEADLINE,) if arguments.quick else BOUNDS:
                solvers = tuple(SOLVERS) if bound == HEADLINE else REAL
                runs[bound].append(on_world(world, bound, seed, solvers))
        for bound, done in runs.items():
            if done:
                found |= told(f"clicks_world_tau{tau}_p{100 * bound:.0f}", figures(done, bound))
    named = {
        name: found[f"clicks_world_tau1_p40.{name}.matched_recall"] for name in ("ours", "single", "bayes")
    }
    share = (named["ours"] - named["single"]) / (named["bayes"] - named["single"])
    return found | {"clicks_world.ours.share_of_bayes_gain": share}


def large(arguments: argparse.Namespace) -> Figures:
    """A million clicks at the base rates of Criteo and Avazu, under-sampling 1, 3 and 10."""
    found: Figures = {}
    for name in chosen(arguments, tuple(LIKE)):
        for tau in TAUS[1:2] if arguments.quick else TAUS:
            rows = 200_000 if arguments.quick else 1_000_000
            config = ClicksConfig(train=rows, held=rows, prior=LIKE[name], sampling=tau)
            runs, bounds = [], []
            for seed in range(min(arguments.seeds, 3)):
                world = simulate_clicks(config, seed)
                bounds.append(bound_of(world.fit))
                runs.append(on_world(world, bounds[-1], seed, REAL))
            found |= told(f"{name}_tau{tau}", figures(runs, float(np.mean(bounds))))
    return found


def on_world(world: Clicks, bound: float, seed: int, solvers: tuple[str, ...]) -> dict[str, Drawn]:
    """Solvers, ours with and without its guarantee, the prior fitted (evidence) and known (bayes)."""
    paths, rule = standard(world.fit, world.hold, world.test, bound, solvers)
    prior = EvidencePosterior.fit(_counted(world, "fit", world.fit), world.config.sampling)
    value = [_rate(prior, world, part) for part in ("fit", "test")]
    paths["evidence"] = by_value(value[0], world.fit, value[1], bound)
    paths["bayes"] = by_value(world.bayes("fit"), world.fit, world.bayes("test"), bound)
    say(f"  bound {bound:.3f}, seed {seed}: ours is {_kind(rule)}")
    return judged(paths, world.test, bound, seed)


def standard(
    fit: Sample, hold: Sample, test: Sample, bound: float, solvers: tuple[str, ...]
) -> tuple[dict[str, Acts], Rule | None]:
    """What every data set has: solvers by name, one threshold, ours, and ours with its bound tested."""
    names = [name for name in solvers if name not in ("single", "ours", "evidence")]
    paths = {name: by_solver(name, fit, test, bound) for name in ("single", *names)}
    paths["ours"], rule = ours(fit, test, bound)
    paths["guaranteed"] = [guaranteed(value_of(rule), fit, hold, test, bound)]
    return paths, rule


def guaranteed(
    value: Callable[[Sample], np.ndarray], fit: Sample, hold: Sample, test: Sample, bound: float
) -> np.ndarray:
    """What is acted on of the test cases; the bound is tested on cases that nothing was fitted to."""
    threshold = shown_threshold((value(fit), fit.label), (value(hold), hold.label), bound)
    return value(test) >= threshold


def shown_threshold(
    known: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray], bound: float
) -> float:
    """The threshold of a value that cases not used before show to keep the bound."""
    return guaranteed_threshold(known, new, Goal.recall(precision=bound), CONFIDENCE).threshold


def real(arguments: argparse.Namespace) -> Figures:
    """Real data by under-sampling and estimator; a file of scores instead where one is given."""
    if arguments.scores:
        return scores(arguments)
    found: Figures = {}
    names = chosen(arguments, DATA)
    if arguments.quick and not arguments.data:
        names = QUICK_DATA
    only = tuple(arguments.estimators or (QUICK_ESTIMATORS if arguments.quick else ESTIMATORS))
    for name in names:
        rows = min(len(table(name).label), arguments.rows or np.inf)
        for tau in TAUS[1:2] if arguments.quick else TAUS:
            runs: dict[str, list[_One]] = {one: [] for one in only}
            for seed in range(arguments.seeds):
                for one, samples in scored(name, tau, seed, only, arguments.rows).items():
                    runs[one].append(_One.of(*samples, seed))
            for one, done in runs.items():
                found |= told(f"{name}_tau{tau}.{one}", _together(done) | {"rows": float(rows)})
    return found


def scores(arguments: argparse.Namespace) -> Figures:
    """A file of scores, uncertainties and labels of any system, split at random."""
    path = Path(arguments.scores)
    rows = pq.read_table(path, columns=["score", "uncertainty", "label"])
    sample = Sample.make(*(rows[name].to_numpy() for name in ("score", "uncertainty", "label")))
    done = []
    for seed in range(arguments.seeds):
        order = generator(seed, "bench", "decide", "split").permutation(len(sample))
        ends = np.round(np.array([0.4, 0.6]) * len(sample)).astype(int)
        fit, hold, test = (sample[part] for part in np.split(order, ends))
        done.append(_One.of(fit, hold, test, seed))
    return told(path.stem, _together(done))


class _One:
    """One seed of one estimator."""

    def __init__(self, drawn: dict[str, Drawn], bound: float, effect: Mapping[str, float]) -> None:
        self.drawn, self.bound, self.effect = drawn, bound, effect

    @classmethod
    def of(cls, fit: Sample, hold: Sample, test: Sample, seed: int) -> _One:
        bound = bound_of(fit)
        paths, rule = standard(fit, hold, test, bound, REAL)
        paths |= ceilings(test, bound)
        more = {"ours.uses": float(isinstance(rule, Above)), **resplit(rule, (fit, hold, test), bound, seed)}
        return cls(judged(paths, test, bound, seed), bound, effect(test) | more)


def resplit(rule: Rule | None, parts: tuple[Sample, Sample, Sample], bound: float, seed: int) -> Figures:
    """How often the tested bound holds when the cases that test it and those that judge are dealt out anew."""
    fit, hold, test = parts
    value, rng = value_of(rule), generator(seed, "bench", "decide", "resplit")
    known, label = (value(fit), fit.label), np.concatenate([hold.label, test.label])
    told, kept, recall = np.concatenate([value(hold), value(test)]), [], []
    for _ in range(RESPLITS):
        first, second = np.split(rng.permutation(len(label)), [len(hold)])
        act = told[second] >= shown_threshold(known, (told[first], label[first]), bound)
        kept.append(not act.any() or label[second][act].mean() >= bound)
        recall.append(label[second][act].sum() / max(label[second].sum(), 1))
    found = {"bound_kept": float(np.mean(kept)), "recall_resplit": float(np.mean(recall))}
    return {f"guaranteed.{key}": value for key, value in found.items()}


def effect(test: Sample) -> Figures:
    """Positivity of the surest and the least sure quarter at equal score, in the top group of scores."""
    found = equal_score(test, test.positives / len(test))
    low, high = found.interval()
    places = {"surest": 0, "least_sure": -1}
    rates = {f"rate_{name}": float(found.rate[-1, at]) for name, at in places.items()}
    ends = {
        f"rate_{name}.{end}": float(side[-1, at])
        for name, at in places.items()
        for end, side in (("low", low), ("high", high))
    }
    return rates | ends | {"z": float(found.errors[-1]), "z_bottom": float(found.errors[0])}


def _together(done: list[_One]) -> Figures:
    found = figures([one.drawn for one in done], float(np.mean([one.bound for one in done])), brief=True)
    for key in done[0].effect:
        values = np.array([one.effect[key] for one in done])
        found[key] = float(np.nanmean(values))
    if len(done) > 1:
        found["z.std"] = float(np.std([one.effect["z"] for one in done], ddof=1))
    return found


def told(name: str, found: Figures) -> Figures:
    """Figures under a name, and one line of each method on stderr."""
    say(f"{name}: bound {found['single.bound']:.3f}" + (f", z {found['z']:+.1f}" if "z" in found else ""))
    shown = (key.split(".")[0] for key in found if key.endswith((".violation", ".recall_gain_around")))
    for method in dict.fromkeys(shown):
        cells = (found.get(f"{method}.{column}") for column in JUDGED)
        say(f"  {method:<15}" + "".join(f"{'-' if cell is None else f'{cell:.4f}':>9}" for cell in cells))
    return {f"{name}.{key}": value for key, value in found.items()}


def chosen(arguments: argparse.Namespace, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that were asked for; all where none was."""
    every = (*WORLDS, *DATA)
    for name in arguments.data or ():
        if name not in every:
            raise ConfigError(f"no data set is called {name!r}", fix=nearest(name, every))
    return tuple(name for name in names if name in (arguments.data or names))


def _counted(world: Clicks, part: str, sample: Sample) -> Sample:
    """Training positivity and 1 / (1 + n) instead of the model's score and entropy."""
    seen, hits = world.seen[part], world.hits[part]
    return Sample(hits / np.maximum(seen, 1), 1 / (1 + seen), sample.label)


def _rate(prior: EvidencePosterior, world: Clicks, part: str) -> np.ndarray:
    seen, hits = world.seen[part], world.hits[part]
    return prior.rate(hits / np.maximum(seen, 1), 1 / (1 + seen))


def _kind(rule: Rule | None) -> str:
    return "nothing" if rule is None else "a surface" if isinstance(rule, Above) else "one threshold"
