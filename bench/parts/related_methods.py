"""Every method there is, plain, published and ours: chosen on validation, fitted again, judged once.

The registries are read at run time: ``encode.baseline.BASELINES``, ``encode.peer.PEERS`` and
``train.recipes.RECIPES``. Ours are the spectral embeddings, and the re-ranker over the sum of which they are
factors.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from common import say
from parts.related_child import peak_gib
from parts.related_tasks import Task
from thence.base.errors import ThenceError
from thence.encode import Scorer
from thence.encode.baseline import BASELINES, GRIDS
from thence.encode.cold import category_popularity, feature_knn
from thence.encode.peer import PEER_GRIDS, PEERS
from thence.encode.spectral import SPECTRAL_GRID, PartsConfig, arc_odds, spectral, spectral_scorer
from thence.evaluate import EvaluateConfig, evaluate, hit_rate
from thence.graph import DiGraph
from thence.rerank.timely import Known, TimelyReranker

OURS, EMBEDDINGS, ALONE = "ours", "ours_embeddings", "ours_embeddings_without_views"
ODDS = "ours_odds"
PLAIN, PEER, LEARNED = "plain", "peer", "learned"
TRUTH = ("ceiling", "attainable")
"""Judged beside the methods and none of them: they know what no method can."""
TOLD = re.compile(
    r"^(HR@(5|10|20)|MRR@10|HR@10\.(low_degree|high_degree|one_way)"
    r"|(existence|direction)_auc(_paired|_matched)?|direction_gain)$"
)
Judged = dict[str, float]


FIRST, PILOT = 3, 10
"""Steps that compile, and steps after which a step's time is known."""


class SpentError(Exception):
    """The time to choose settings in is over."""


class SlowError(Exception):
    """The schedule is too long for the time; so many steps fit."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"{steps} steps fit")
        self.steps = steps


@dataclass(frozen=True)
class Budget:
    """What choosing may take.

    Args:
        seconds: CPU seconds for the settings of one method; the first setting is always tried. A schedule of
            training that is too long for its share of them is shortened, not cut.
        settings: most settings that are tried; 0 for all.
    """

    seconds: float
    settings: int = 0


@dataclass(frozen=True)
class Method:
    """One method.

    Args:
        name: as figures call it.
        kind: plain, peer or learned.
        make: from a graph and settings by name to a scorer; learned ones take ``validate``, ``stop_at`` and
            ``train`` too.
        grid: settings to choose among.
    """

    name: str
    kind: str
    make: Callable[..., Scorer]
    grid: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Choice:
    """What validation decided."""

    settings: dict[str, Any]
    stop_at: int | None
    change: str
    value: float
    seconds: float
    train: dict[str, Any] = field(default_factory=dict)


def methods(task: Task) -> list[Method]:
    """All methods that apply, ours last."""
    found = [Method(name, PLAIN, make, GRIDS.get(name) or ({},)) for name, make in BASELINES.items()]
    if "10 alike" in task.changes:  # cold products have plain answers of their own
        found.append(Method("feature_knn", PLAIN, feature_knn, tuple({"k": k} for k in (5, 20, 50, 200))))
        found.append(Method("category_popularity", PLAIN, category_popularity, ({},)))
    found += [Method(name, PEER, make, tuple(PEER_GRIDS.get(name) or ({},))) for name, make in PEERS.items()]
    recipes = _recipes()
    for name in sorted(recipes):
        found.append(Method(name, LEARNED, partial(_fit, name), tuple(recipes[name].grid) or ({},)))
    found.append(Method(EMBEDDINGS, PEER, partial(spectral, whole_pairs=task.whole_pairs), SPECTRAL_GRID))
    found.append(Method(ODDS, PEER, partial(arc_odds, whole_pairs=task.whole_pairs), ({},)))
    if "transitive" in task.parts:  # what the second relation is good for
        found.append(Method(ALONE, PEER, _main_alone, SPECTRAL_GRID))
    return found


def kind_of(name: str) -> str:
    """Which kind a figure's method is of."""
    if name in BASELINES or name in ("feature_knn", "category_popularity"):
        return PLAIN
    own = (OURS, EMBEDDINGS, ALONE, ODDS, "dual", "dual_decoded", "dual_transformer")
    return "" if name in (*own, *TRUTH) else PEER


def measured(method: Method, task: Task, budget: Budget) -> Judged:
    """Choose, fit, judge: figures named ``METHOD.METRIC``, ours also re-ranked."""
    choice = choose(method, task, budget)
    begun = time.process_time()
    scorer = task.changes[choice.change](fitted(method, task.refit_on, choice, task.seed), task.refit_on)
    seconds = time.process_time() - begun
    say(f"  {method.name}: {choice}")
    figures = judged(method.name, scorer, task)
    figures |= {f"{method.name}.seconds": seconds, f"{method.name}.seconds_choosing": choice.seconds}
    figures[f"{method.name}.valid_HR@10"] = choice.value
    figures[f"{method.name}.peak_gib"] = peak_gib()
    if method.name == EMBEDDINGS and task.clocks is None:
        try:
            figures |= reranked(task, choice)
        except (ThenceError, ImportError) as error:
            say(f"  {OURS}: FAILED, skipped: {error}")
    return figures


def reranked(task: Task, choice: Choice) -> Judged:
    """Ours re-ranked: trees over the retrieval, taught on arcs hidden from what is known. It plugs in here."""
    from thence.rerank import Lesson, RerankConfig, Reranker

    if len(task.changes) > 1:  # of cold products the second stage knows no parts
        return {}
    begun, settings = time.process_time(), PartsConfig(**choice.settings)
    scorer = Reranker.fit(
        task.refit_on,
        lambda graph: spectral_scorer(graph, settings, whole_pairs=task.whole_pairs, seed=task.seed),
        RerankConfig(whole_pairs=task.whole_pairs, known=task.test.known is None),
        lessons=None if task.lesson is None else [Lesson(task.fit_on, task.lesson)],
        seed=task.seed,
    )
    seconds = time.process_time() - begun
    figures = judged(OURS, scorer, task)
    return figures | {f"{OURS}.seconds": seconds, f"{OURS}.peak_gib": peak_gib()}


def timely(task: Task, clocks: tuple[Known, Known]) -> Judged:
    """Ours where there is a log: trees over what it tells, taught on what came after an earlier clock."""
    lesson, now = clocks
    begun = time.process_time()
    reranker = TimelyReranker.fit(now, [lesson], seed=task.seed).of(asked(task))
    say(f"  {OURS}: {reranker!r}, {reranker.info}")
    figures = judged(OURS, reranker, task)
    seconds = time.process_time() - begun
    return figures | {f"{OURS}.seconds": seconds, f"{OURS}.peak_gib": peak_gib()}


def asked(task: Task) -> np.ndarray:
    """The sources that a task asks of."""
    pairs = (
        [] if task.direction is None else [task.direction.arcs, task.direction.absent, task.direction.one_way]
    )
    ends = [part[0] for part in pairs] + [part[1] for part in pairs[2:]]
    return np.unique(np.concatenate([task.test.sources, *ends]))


def choose(method: Method, task: Task, budget: Budget) -> Choice:
    """The settings, the number of steps and the change that are best on the validation cases."""
    begun, best = time.process_time(), None
    grid = _spread(method.grid, budget.settings)
    for number, settings in enumerate(grid):
        left = budget.seconds - (time.process_time() - begun)
        if number and left <= 0:
            say(f"  {method.name}: {number} of {len(grid)} settings tried in {budget.seconds:.0f} s")
            break
        found = _tried(method, task, settings, max(left, 0.0) / (len(grid) - number))
        if best is None or found.value > best.value:
            best = found
    assert best is not None  # a grid has at least one setting
    return replace(best, seconds=time.process_time() - begun)


def _spread(grid: tuple[dict[str, Any], ...], most: int) -> tuple[dict[str, Any], ...]:
    """At most so many settings (0 for all), from all over the grid."""
    if not most or len(grid) <= most:
        return grid
    return tuple(grid[round(at * (len(grid) - 1) / (most - 1))] for at in range(most))


def _tried(method: Method, task: Task, settings: dict[str, Any], seconds: float) -> Choice:
    if method.kind != LEARNED:
        value, change = task.value(method.make(task.fit_on, **settings))
        return Choice(settings, None, change, value, 0.0)
    try:
        watch, train = _trained(method, task, settings, seconds, {})
    except SlowError as slow:
        say(f"  {method.name}: {slow.steps} steps fit in {seconds:.0f} s")
        watch, train = _trained(method, task, settings, 1.5 * seconds, {"steps": slow.steps})
    return Choice(settings, watch.best_step, watch.change, watch.best, 0.0, train)


def _trained(
    method: Method, task: Task, settings: dict[str, Any], seconds: float, train: dict[str, Any]
) -> tuple[Watch, dict[str, Any]]:
    watch = Watch(task, seconds, whole=bool(train))
    try:
        method.make(
            task.fit_on, settings=settings, train=train, validate=watch, seed=task.seed, progress=watch.progress
        )
    except SpentError:
        say(f"  {method.name}: {settings} stopped at step {watch.step}, best {watch.best_step}")
    return watch, train


def fitted(method: Method, graph: DiGraph, choice: Choice, seed: int) -> Scorer:
    """The method on a graph with what was chosen."""
    if method.kind != LEARNED:
        return method.make(graph, **choice.settings)
    return method.make(graph, settings=choice.settings, train=choice.train, stop_at=choice.stop_at, seed=seed)


def judged(name: str, scorer: Scorer, task: Task) -> Judged:
    """The test figures of a scorer."""
    begun = time.process_time()
    report = evaluate({name: scorer}, task.test, direction=task.direction, config=EvaluateConfig(resamples=2))
    spent = 1000 * (time.process_time() - begun) / max(len(task.test.sources), 1)
    figures = {
        key: value
        for key, value in report.flat().items()
        if TOLD.match(key.removeprefix(f"{name}.")) and not math.isnan(value)
    }
    for part, cases in task.parts.items():
        figures[f"{name}.HR@10.{part}"] = hit_rate(scorer, cases)
    return figures | {f"{name}.ms_per_query": spent}


class Watch:
    """Judges a model in training, remembers its best step, and minds the time."""

    def __init__(self, task: Task, seconds: float, *, whole: bool) -> None:
        self._task, self._seconds, self._whole = task, seconds, whole
        self._begun = self._compiled = time.process_time()
        self.best, self.best_step, self.step, self.change = -math.inf, 1, 0, next(iter(task.changes))

    def __call__(self, scorer: Scorer) -> float:
        """HR@10 on validation."""
        value, change = self._task.value(scorer)
        if value > self.best:
            self.best, self.best_step, self.change = value, self.step + 1, change
        if self._whole and time.process_time() - self._begun > self._seconds:
            raise SpentError
        return value

    def progress(self, what: str, done: int, total: int) -> None:
        """Told by the loop after each step; a validation comes before it."""
        self.step, now = done, time.process_time()
        if done == FIRST:
            self._compiled = now
        if done == PILOT and not self._whole:
            fit = int(self._seconds / max((now - self._compiled) / (PILOT - FIRST), 1e-6))
            if fit < total:
                raise SlowError(max(fit, 2 * PILOT))


def _recipes() -> Mapping[str, Any]:
    from thence.train.recipes import RECIPES

    return RECIPES


def _fit(name: str, graph: DiGraph, **settings: Any) -> Scorer:
    import torch

    from thence.train.recipes import fit_recipe

    torch.set_num_threads(max(1, min(2, torch.get_num_threads())))
    return fit_recipe(name, graph, **settings)


def _main_alone(graph: DiGraph, **settings: Any) -> Scorer:
    main = next(iter(graph.relations))
    return spectral(replace(graph, relations={main: graph.main}), **settings)
