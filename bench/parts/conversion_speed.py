"""Rows a second of the networks, of weights and bookkeeping, and what a correction costs a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from common import say
from parts.conversion_data import SHAPES, exposures
from thence.conversion.delayed import Estimator, Protocol, make
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab, Predict, weighted
from thence.conversion.learn import Batch, LearnConfig, Learner
from thence.conversion.net import ConversionNet, make_net
from thence.conversion.rows import Rows, late, once, settled
from thence.conversion.stream import Stream, StreamConfig
from thence.events.clock import DAY, HOUR

BATCH = 4096
FAST = LearnConfig(BATCH, passes=1)
Figures = dict[str, float]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of torch inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of something."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def cross_entropy(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Of the label alone."""
    return weighted(logits[:, 0], batch["label"], 1 - batch["label"])


def training(quick: bool) -> Figures:
    """Gradient rows a second of every network at batch 4096, on one thread and on two."""
    count = BATCH * (30 if quick else 100)
    shown = exposures(count)
    rows = Rows(np.arange(count), shown.converted.astype(np.float32))
    figures: Figures = {}
    kinds = [(name, "float32") for name in SHAPES] + [("mlp", "bfloat16"), ("mlp_wide", "bfloat16")]
    for name, precision in kinds:
        learner = Learner(make_net(shown.features, SHAPES[name]), replace(FAST, precision=precision))
        learner.learn(shown.features, rows.take(np.arange(2 * BATCH)), cross_entropy, "warm")
        label = name if precision == "float32" else f"{name}_bfloat16"
        for used in (1, 2):
            with threads(used):
                best = [
                    clocked(partial(learner.learn, shown.features, rows, cross_entropy, used, turn))
                    for turn in range(3)
                ]
            ending = "" if used == 2 else ".one_thread"
            figures[f"train.{label}{ending}.rows_per_second"] = count / min(wall for wall, _ in best)
            figures[f"train.{label}{ending}.rows_per_cpu_second"] = count / min(cpu for _, cpu in best)
        say(f"train: {label}: {figures[f'train.{label}.rows_per_second']:,.0f} rows/s")
    return figures


def bookkeeping(quick: bool) -> Figures:
    """Exposures a CPU second of what a refresh does beside training: views, emission, engagement so far."""
    shown = exposures(1_000_000 if quick else 4_000_000)
    known = shown.before(40 * DAY)
    newest, opened = known.since(39 * DAY), known.since(20 * DAY)
    clock, anywhere = np.full(len(known) - opened, known.until), np.arange(opened, len(known))
    work: dict[str, tuple[Callable[[], object], int]] = {
        "before": (lambda: shown.before(40 * DAY), len(known)),
        "once": (lambda: once(known, 39 * DAY, HOUR), len(known) - newest),
        "late": (lambda: late(known, 39 * DAY, HOUR), len(known) - opened),
        "settled": (lambda: settled(known, 39 * DAY), len(known) - newest),
        "so_far": (lambda: known.engagement.so_far(clock, anywhere), len(clock)),
    }
    figures = {}
    for name, (step, count) in work.items():
        cpu = min(clocked(step)[1] for _ in range(5))
        figures[f"bookkeeping.{name}.exposures_per_cpu_second"] = count / max(cpu, 1e-6)
    figures["bookkeeping.slowest.exposures_per_cpu_second"] = min(figures.values())
    return figures


def corrections(quick: bool, methods: Sequence[str]) -> Figures:
    """Of each estimator: rows with weights a CPU second, and its step over a loop without a correction."""
    shown = exposures(600_000 if quick else 2_000_000).before(60 * DAY)
    return _over_plain(shown, 30 * DAY, {"step": (DAY, 10)}, methods)


def sizes(quick: bool, methods: Sequence[str]) -> Figures:
    """Steps over plain ones at the volume of the Criteo log, 530,000 exposures a day: by hours and by days."""
    window = 2 if quick else 5
    days = 2 * window + 6
    shown = exposures(530_000 * days, days, window).before(days * DAY)
    return _over_plain(shown, (window + 1) * DAY, {"step_hour": (HOUR, 20), "step_day": (DAY, 5)}, methods)


def _over_plain(
    shown: Exposures, start: int, sizes: dict[str, tuple[int, int]], methods: Sequence[str]
) -> Figures:
    """Estimators at refreshes of several lengths: microseconds, and how many of them."""
    figures: Figures = {}
    for name in methods:
        config = StreamConfig(start, learn=replace(FAST, visits=1.0), net=SHAPES["mlp"])
        stream, plain = Stream(shown, make(name, Protocol(HOUR, shown.window), {}), config), Plain(shown)
        stream.begin()
        for size, (step, turns) in sizes.items():
            stream.config = replace(config, step=step)
            whole, refits = _beside(stream, plain, turns)
            figures[f"{size}.{name}.over_plain"] = whole
            figures[f"{size}.{name}.over_plain_without_refits"] = whole - refits
            say(f"{size}: {name}: {whole:.2f} of a plain loop, {whole - refits:.2f} without refits")
            weights = f"{size.replace('step', 'weights')}.{name}.rows_per_cpu_second"
            figures[weights] = _weighed(stream.estimator, shown.before(stream.clock), step)
    return figures


def _weighed(method: Estimator, known: Exposures, step: int) -> float:
    """Rows with weights a CPU second."""
    found: list[Rows] = []
    cpu = clocked(lambda: found.append(method.rows(known, known.until - step).whole()))[1]
    return len(found[0]) / max(cpu, 1e-9)


def _beside(stream: Stream, plain: Plain, turns: int) -> tuple[float, float]:
    """CPU seconds of refreshes, and of their refits, over those of plain steps made in turn with them."""
    refits, spent = stream.estimator.refresh, {"refits": 0.0, "steps": 0.0, "plain": 0.0}

    def timed(known: Exposures, lab: Lab, predict: Predict) -> None:
        spent["refits"] += clocked(partial(refits, known, lab, predict))[1]

    stream.estimator.refresh = timed  # type: ignore[method-assign]
    for turn in range(turns + 1):
        if turn == 1:  # whatever is compiled or built once is over
            spent = dict.fromkeys(spent, 0.0)
        since = stream.clock
        spent["steps"] += clocked(stream.refresh)[1]
        spent["plain"] += clocked(partial(plain.step, since, stream.clock))[1]
    stream.estimator.refresh = refits  # type: ignore[method-assign]
    return spent["steps"] / spent["plain"], spent["refits"] / spent["plain"]


class Plain:
    """What one would write without thence: shuffled batches, torch's own optimizers, labels as they are."""

    def __init__(self, shown: Exposures) -> None:
        self.shown, self.net = shown, make_net(shown.features[:1000], SHAPES["mlp"])
        dense = [value for name, value in self.net.named_parameters() if name != "table"]
        self.optimizers = [torch.optim.SparseAdam([self.net.table], lr=1e-3), torch.optim.Adam(dense, lr=1e-3)]
        self.label = torch.from_numpy(shown.converted.astype(np.float32))

    def step(self, since: int, clock: int) -> None:
        """Learn what came between two moments."""
        first, last = self.shown.since(since), self.shown.since(clock)
        order = first + torch.randperm(last - first)
        _epoch(self.net, self.optimizers, self.shown.features, self.label, order)


def _epoch(
    net: ConversionNet, optimizers: list, features: Features, label: torch.Tensor, order: torch.Tensor
) -> None:
    codes, numbers = torch.from_numpy(features.codes), torch.from_numpy(features.numbers)
    for some in order.split(BATCH):
        loss = nn.functional.binary_cross_entropy_with_logits(
            net(codes[some].long(), numbers[some])[:, 0], label[some]
        )
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
