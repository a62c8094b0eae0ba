"""Whether bounds hold: on worlds of known truth, drawn anew many times; and the nearest rival beside ours.

A rule's true precision is the mean true rate of what it takes of many cases. Each world has one fit on cases
with about 10,000 positives, and ten draws of as many to test the bound on, so 20 worlds are 200 resamplings. In
the null world uncertainties are shuffled within each part: they tell nothing.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from common import say
from parts.decide_judge import AT, by_solver, judged, ours, value_of
from parts.decide_run import CONFIDENCE, chosen, guaranteed, shown_threshold
from thence.base.rng import generator
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.decide.rule import Above
from thence.decide.sample import Sample

WORLDS, DRAWS, CASES = 20, 10, 143_000
"""Cases of which 10,000 are positive."""
JUDGED = 500_000
LEAST = 50
"""Cases that a threshold given to the rival takes at least."""
PRECISION = 0.4
FIELDS = ("score", "uncertainty", "label")
Row = dict[str, list[float]]


def bound(arguments: argparse.Namespace) -> dict[str, float]:
    """``bound_kept`` and ``recall_share`` of the guaranteed variant, on the world and where u tells nothing."""
    if not chosen(arguments, ("clicks_world",)):
        return {}
    found: dict[str, float] = {}
    for name, null in (("clicks_world", False), ("clicks_null", True)):
        rows: Row = {}
        for seed in range(4 if arguments.quick else WORLDS):
            for key, values in _world(seed, null, 5 if arguments.quick else DRAWS).items():
                rows.setdefault(key, []).extend(values)
        means = {key: float(np.nanmean(values)) for key, values in rows.items()}
        gains = np.array(rows["ours.recall_gain"])
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        told = means | {
            "ours.recall_gain.std": float(gains.std(ddof=1)),
            "ours.recall_gain.error": float(error),
        }
        told["guaranteed.recall_share"] = means["guaranteed.recall"] / means["ours.recall"]
        told["guaranteed.recall_share_matched"] = means["guaranteed.recall"] / means["ours.matched_recall"]
        told["guaranteed.resamplings"] = float(len(rows["guaranteed.bound_kept"]))
        say(f"  {name}: " + ", ".join(f"{key} {value:.4f}" for key, value in told.items()))
        found |= {f"{name}.{key}": value for key, value in told.items()}
    return found


def _world(seed: int, null: bool, draws: int) -> Row:
    """One fit, several draws to test it on."""
    fit, holds, test, truth = parts(seed, null, draws)
    path, rule = ours(fit, test, PRECISION)
    single = by_solver("single", fit, test, PRECISION)
    drawn = judged({"single": single, "ours": path}, test, PRECISION, seed, draws=2)
    found: Row = {
        "ours.recall": [drawn["ours"].recall[0]],
        "ours.matched_recall": [drawn["ours"].matched[0]],
        "ours.bound_kept": [_kept(path[AT], truth)],
        "ours.uses": [float(isinstance(rule, Above))],
        "ours.recall_gain": [drawn["ours"].matched[0] / drawn["single"].matched[0]],
        "single.recall": [drawn["single"].recall[0]],
        "single.bound_kept": [_kept(single[AT], truth)],
    }
    value = value_of(rule)
    known, told = (value(fit), fit.label), value(test)
    acts = [told >= shown_threshold(known, (value(hold), hold.label), PRECISION) for hold in holds]
    found["guaranteed.bound_kept"] = [_kept(act, truth) for act in acts]
    found["guaranteed.recall"] = [test.label[act].sum() / test.positives for act in acts]
    found["guaranteed.precision"] = [float(truth[act].mean()) if act.any() else np.nan for act in acts]
    return found


def parts(seed: int, null: bool, draws: int) -> tuple[Sample, list[Sample], Sample, np.ndarray]:
    """Cases to fit to, several times cases to test on, cases to judge by, and their true rates."""
    world = simulate_clicks(ClicksConfig(held=max(draws * CASES, JUDGED)), 1000 + seed)
    fit, hold, test = world.fit[:CASES], world.hold, world.test[:JUDGED]
    if null:
        rng = generator(seed, "bench", "decide", "null")
        fit, hold, test = (
            Sample(one.score, rng.permutation(one.uncertainty), one.label) for one in (fit, hold, test)
        )
    holds = [hold[at * CASES : (at + 1) * CASES] for at in range(draws)]
    return fit, holds, test, world.truth["test"][:JUDGED]


def _kept(act: np.ndarray, truth: np.ndarray) -> float:
    return float(not act.any() or truth[act].mean() >= PRECISION)


def rivals(arguments: argparse.Namespace) -> dict[str, float]:
    """MAPIE's controller of precision at the same confidence, on the same worlds.

    ``mapie`` has thresholds of the score; ``mapie_rectangles`` 20 by 20 pairs of a score and a highest
    uncertainty, listed by the user; ``mapie_on_ours`` thresholds of our rate. The first two are given the cases
    of the fit too, the last those of the test of the bound.
    """
    if not chosen(arguments, ("clicks_world",)):
        return {}
    if importlib.util.find_spec("mapie") is None:
        say("  rivals: mapie is not installed (pip install mapie==1.6.0); left out")
        return {}
    controller = importlib.import_module("mapie.risk_control").BinaryClassificationController
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(2 if arguments.quick else WORLDS // 2):
        fit, holds, test, truth = parts(seed, False, 1)
        rule = ours(fit, test, PRECISION)[1]
        value = value_of(rule)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            acts = dict(_mapie(controller, _joined(fit, holds[0]), holds[0], test, value))
        acts["guaranteed"] = guaranteed(value, fit, holds[0], test, PRECISION)
        for name, act in acts.items():
            told = float(truth[act].mean()) if act.any() else np.nan
            rows.setdefault(name, []).append((test.label[act].sum() / test.positives, told, _kept(act, truth)))
    found: dict[str, float] = {}
    for name, values in rows.items():
        recall, precision, kept = np.array(values).T
        shown = precision[np.isfinite(precision)]
        told = {"recall": recall.mean(), "bound_kept": kept.mean(), "nothing_shown": 1 - len(shown) / len(kept)}
        told |= {"precision": shown.mean()} if len(shown) else {}
        say(f"  {name:<18}" + ", ".join(f"{key} {value:.4f}" for key, value in told.items()))
        found |= {f"rivals.{name}.{key}": float(value) for key, value in told.items()}
    return found


def _joined(*samples: Sample) -> Sample:
    return Sample(*(np.concatenate([getattr(one, name) for one in samples]) for name in FIELDS))


def _mapie(
    controller: type, every: Sample, hold: Sample, test: Sample, value: Callable[[Sample], np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Each form's acts on the test cases.

    Its own thresholds, 0 to .99, hold some that take nothing; their p-values are NaN and with the default
    correction (Holm's) it then finds no threshold at all. So it gets a hundred that take something.
    """

    def settle(predict: Callable[..., np.ndarray], listed: np.ndarray, cases: np.ndarray, label: np.ndarray):
        made = controller(predict, "precision", PRECISION, CONFIDENCE, list_predict_params=listed)
        return made.calibrate(cases, label.astype(int))

    made = settle(_binary, _listed(every.score), every.score, every.label)
    yield "mapie", _predicted(made, test.score)
    made = settle(_binary, _listed(value(hold)), value(hold), hold.label)
    yield "mapie_on_ours", _predicted(made, value(test))
    x = _columns(every)
    pairs = np.stack(
        np.meshgrid(_listed(every.score, 20), np.quantile(every.uncertainty, np.linspace(0.05, 1, 20))), -1
    )
    pairs = np.array([pair for pair in pairs.reshape(-1, 2) if _inside(x, *pair).sum() >= LEAST])
    yield "mapie_rectangles", _predicted(settle(_inside, pairs, x, every.label), _columns(test))


def _binary(rate: np.ndarray) -> np.ndarray:
    return np.stack([1 - rate, rate], axis=1)


def _columns(sample: Sample) -> np.ndarray:
    return np.stack([sample.score, sample.uncertainty], axis=1)


def _inside(x: np.ndarray, least: float, most: float) -> np.ndarray:
    return ((x[:, 0] >= least) & (x[:, 1] <= most)).astype(int)


def _listed(values: np.ndarray, count: int = 100) -> np.ndarray:
    """Thresholds that take between ``LEAST`` and half of the cases, evenly in the logarithm."""
    return np.unique(np.quantile(values, 1 - np.geomspace(LEAST / len(values), 0.5, count)))


def _predicted(made, cases: np.ndarray) -> np.ndarray:
    """Nothing is acted on where the controller found no threshold."""
    if made.best_predict_param is None:
        return np.zeros(len(cases), bool)
    return np.asarray(made.predict(cases)).astype(bool)
