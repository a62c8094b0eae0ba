"""Tuning: settings are tried one after the other on validation, and every method may spend the same.

Each method begins with its own defaults. What is tried next comes from Optuna's tree-structured Parzen
estimator; a trial whose best value so far stands below the median of the earlier ones at the same validation
is stopped. What is drawn hangs on the seed, the method, the trial's number and the trials before it, so that
tuning that was interrupted and is taken up again tries what the uninterrupted one would have.

References:
    Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization", NeurIPS 2011.
    Akiba, Sano, Yanase, Ohta, Koyama, "Optuna: a next-generation hyperparameter optimization framework",
    KDD 2019.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.graph import DiGraph
from thence.train.methods import TRAIN, check_method, fit_method
from thence.train.recipes import RECIPES
from thence.train.spaces import Range, space_of, start_of
from thence.train.trials import DONE, FAILED, STOPPED, Budget, Journal, Study, Trial

Value = Callable[[Any], float]
RANDOM_TRIALS = 2
"""Trials, the defaults among them, before the estimator draws near the best. On bowls in ten dimensions with a
fair start, 2 gained 0.042, 0.076, 0.129 after 5, 10, 20 trials, where 8 gained 0.031, 0.052, 0.121."""
MEDIAN_FROM, MEDIAN_AFTER = 5, 2
"""A trial is compared with the median of at least so many, and not in its first validations."""


class _BehindError(Exception):
    """The trial has fallen behind."""


def tune(
    graph: DiGraph,
    methods: Iterable[str],
    value: Value,
    *,
    budget: Budget | None = None,
    train: Mapping[str, Any] | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Tune some methods on one graph, with equal budgets.

    Args:
        graph: what was known before the validation period, or the training arcs.
        methods: names out of :func:`~thence.train.methods.methods`.
        value: from a scorer to a figure on validation of which more is better.
        budget: what each method may spend.
        train: settings of training that all trials of all learned methods share, such as ``steps``; they are
            not tuned.
        seed: of all draws, and of every training.
        journal: a file to write each trial to and to go on from.
        progress: told after each trial.

    Raises:
        ConfigError: a method is unknown, or Optuna is not installed.
        ArtifactError: the journal is of other data or settings, or torn.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3, weight=[4.0, 9.0, 16.0])
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": arcs})
        >>> study = tune(graph, ["counts", "lift"], lambda scorer: -abs(scorer.scores([0])[0, 1] - 2.0),
        ...              budget=Budget(trials=12))
        >>> round(study.best("counts").value, 2), round(study.best("lift").settings["power"], 1)
        (-2.0, 0.5)
    """
    names = [check_method(name) for name in dict.fromkeys(methods)]
    budget, shared = budget or Budget(), {f"{TRAIN}{key}": setting for key, setting in (train or {}).items()}
    searches = {name: _Search(name, shared, seed) for name in names}
    kept = Journal(journal, {"graph": _fingerprint(graph), "seed": seed, "shared": shared})
    done = {name: kept.of(name)[: budget.trials] for name in names}
    total = sum(search.most(budget.trials) for search in searches.values())
    for name, search in searches.items():
        for trial in done[name]:
            search.replay(trial)
        while len(done[name]) < search.most(budget.trials) and not _spent(done[name], budget):
            trial = search.next(graph, value, done[name])
            kept.add(trial)
            done[name].append(trial)
            progress("tune", sum(map(len, done.values())), total)
    progress("tune", total, total)
    info = {"trials": budget.trials, "seconds": budget.seconds, "seed": seed, "shared": shared}
    return Study([trial for trials in done.values() for trial in trials], info)


class _Search:
    """The search of one method's space: an Optuna study in memory, which the journal's trials rebuild."""

    def __init__(self, name: str, shared: Mapping[str, Any], seed: int) -> None:
        self.optuna = installed()
        self.name, self.seed = name, seed
        self.shared = dict(shared) if name in RECIPES else {}
        self.space = {key: one for key, one in space_of(name).items() if key not in self.shared}
        self.start = {key: one for key, one in start_of(name).items() if key in self.space}
        kinds = self.optuna.distributions
        self.ranges: dict[str, Any] = {}
        for key, one in self.space.items():
            if not isinstance(one, Range):
                self.ranges[key] = kinds.CategoricalDistribution(range(len(one.values)))
            elif one.whole:
                self.ranges[key] = kinds.IntDistribution(int(one.low), int(one.high), log=one.log)
            else:
                self.ranges[key] = kinds.FloatDistribution(one.low, one.high, log=one.log)
        with _quiet(self.optuna):
            self.study = self.optuna.create_study(direction="maximize")

    def most(self, trials: int) -> int:
        """How many trials there is something to try for."""
        return trials if self.space else 1

    def replay(self, trial: Trial) -> None:
        """Tell the study of a trial that was made before."""
        params = {key: self._coded(key, trial.settings[key]) for key in self.ranges}
        self.study.add_trial(
            self.optuna.trial.create_trial(
                state=self._state(trial),
                value={DONE: trial.value, STOPPED: (trial.history or (None,))[-1]}.get(trial.state),
                params=params,
                distributions=self.ranges,
                intermediate_values=dict(enumerate(trial.history)),
            )
        )

    def next(self, graph: DiGraph, value: Value, before: list[Trial]) -> Trial:
        """Try the next settings."""
        number = len(before)
        sampler_seed = derive_seed(self.seed, "tune", self.name, number) % 2**32
        self.study.sampler = self.optuna.samplers.TPESampler(seed=sampler_seed, n_startup_trials=RANDOM_TRIALS)
        asked = self.study.ask(self.ranges) if number else None
        drawn = (
            self.start if asked is None else {key: self._decoded(key, asked.params[key]) for key in self.ranges}
        )
        settings = {**drawn, **self.shared}
        same = next((trial for trial in before if dict(trial.settings) == settings), None)
        if same is not None:  # what is drawn again would come out again
            trial = replace(same, number=number, seconds=0.0)
        else:
            trial = self._run(graph, value, number, settings, before)
        if asked is None:
            self.replay(trial)
        else:
            self._tell(asked, trial)
        return trial

    def _coded(self, key: str, value: Any) -> Any:
        """A setting as Optuna is told of it: the place of a choice, a number as it is."""
        one = self.space[key]
        return value if isinstance(one, Range) else one.values.index(value)

    def _decoded(self, key: str, code: Any) -> Any:
        one = self.space[key]
        return code if isinstance(one, Range) else one.values[code]

    def _tell(self, asked: Any, trial: Trial) -> None:
        for step, reached in enumerate(trial.history):
            asked.report(reached, step)
        state = self._state(trial)
        with _quiet(self.optuna):
            self.study.tell(asked, trial.value if trial.state == DONE else None, state=state)

    def _state(self, trial: Trial) -> Any:
        states = self.optuna.trial.TrialState
        return {DONE: states.COMPLETE, STOPPED: states.PRUNED, FAILED: states.FAIL}[trial.state]

    def _run(
        self, graph: DiGraph, value: Value, number: int, settings: dict[str, Any], before: list[Trial]
    ) -> Trial:
        history: list[float] = []

        def watched(scorer: Any) -> float:
            reached = float(value(scorer))
            if math.isfinite(reached):  # training itself refuses others
                history.append(reached)
                if _behind(history, before):
                    raise _BehindError
            return reached

        begun, state, error, reached, steps = time.process_time(), DONE, "", None, 0
        try:
            scorer = fit_method(self.name, graph, settings, validate=watched, seed=self.seed)
            if self.name in RECIPES:
                reached, steps = max(history), int(_info(scorer).get("best_step", 0))
            else:
                reached = float(value(scorer))
                if not math.isfinite(reached):
                    raise FitError(f"the value is {reached}", fix="Are there validation cases?")
        except _BehindError:
            state, reached = STOPPED, max(history)
        except (ConfigError, DataError, FitError) as fault:
            state, error, reached, history = FAILED, str(fault), None, []
        seconds = time.process_time() - begun
        return Trial(self.name, number, settings, state, reached, seconds, steps, tuple(history), error)


def _behind(history: list[float], before: list[Trial]) -> bool:
    """Whether the best so far stands below the median of the others' best at the same validation."""
    at = len(history)
    others = [max(trial.history[:at]) for trial in before if trial.state == DONE and trial.history]
    if at <= MEDIAN_AFTER or len(others) < MEDIAN_FROM:
        return False
    return max(history) < float(np.median(others))


def _info(scorer: Any) -> Mapping[str, Any]:
    found = getattr(scorer, "info", None)
    return found if isinstance(found, Mapping) else {}


def _spent(trials: list[Trial], budget: Budget) -> bool:
    return budget.seconds is not None and sum(trial.seconds for trial in trials) >= budget.seconds


def _fingerprint(graph: DiGraph) -> str:
    """A digest of the arcs, their weights and the ids."""
    text = hashlib.sha256()
    for name, arcs in graph.relations.items():
        text.update(repr((name, arcs.directed, arcs.num_nodes)).encode())
        for array in (arcs.indptr.astype(np.int64), arcs.targets, arcs.weight):
            text.update(np.ascontiguousarray(array).tobytes())
    return text.hexdigest()


def installed() -> Any:
    """The module ``optuna``.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("tuning needs optuna", fix="Run pip install 'thence[tune]'.") from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Optuna tells of each trial on its own; we do."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
