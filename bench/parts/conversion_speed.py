"""Rows a second of the networks, of weights and bookkeeping, and what a correction costs a step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from common import say
from parts.conversion_data import SHAPES, exposures
from thence.conversion.delayed import ESTIMATORS, Protocol, make
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


def corrections(quick: bool) -> Figures:
    """Of each estimator: rows with weights a CPU second, and its step over a loop without a correction."""
    shown = exposures(600_000 if quick else 2_000_000).before(60 * DAY)
    start, days = 30 * DAY, 5  # as many as one refit of those that refit now and then
    plain = min(plain_loop(shown, start, days)[1] for _ in range(2)) / days
    naive = min(_stream("naive", shown, start, days)[0] for _ in range(2))
    figures = {"step.naive.over_plain": naive / plain}
    for name in ESTIMATORS:
        step, refits, weights = _stream(name, shown, start, days)
        figures[f"weights.{name}.rows_per_cpu_second"] = weights
        figures[f"step.{name}.over_plain"] = step / plain
        figures[f"step.{name}.over_plain_without_refits"] = (step - refits) / plain
        figures[f"step.{name}.over_naive"] = step / naive
        said = f"{step / plain:.2f} of a plain loop, {(step - refits) / plain:.2f} without refits"
        say(f"step: {name}: {said}, {weights:,.0f} weights/s")
    return figures


def _stream(name: str, shown: Exposures, start: int, days: int) -> tuple[float, float, float]:
    """CPU seconds a day of whole refreshes and of refits, and rows with weights a CPU second."""
    config = StreamConfig(start, learn=replace(FAST, visits=1.0), net=SHAPES["mlp"])
    method = make(name, Protocol(HOUR, shown.window), {})
    stream = Stream(shown, method, config)
    stream.begin()
    stream.refresh()  # whatever is compiled or built once
    rows, refits = method.rows, method.refresh
    emitted, weighing, refitting = 0, 0.0, 0.0

    def timed_rows(known: Exposures, since: int) -> Rows:
        nonlocal emitted, weighing
        begun = time.process_time()
        found = rows(known, since)
        emitted, weighing = emitted + len(found), weighing + time.process_time() - begun
        return found

    def timed_refits(known: Exposures, lab: Lab, predict: Predict) -> None:
        nonlocal refitting
        begun = time.process_time()
        refits(known, lab, predict)
        refitting += time.process_time() - begun

    method.rows, method.refresh = timed_rows, timed_refits  # type: ignore[method-assign]
    whole = sum(clocked(stream.refresh)[1] for _ in range(days))
    return whole / days, refitting / days, emitted / max(weighing, 1e-9)


def plain_loop(shown: Exposures, start: int, days: int) -> tuple[float, float]:
    """Wall and CPU seconds of what one would write without thence: shuffled batches, torch's own optimizers."""
    net = make_net(shown.features, SHAPES["mlp"])
    dense = [value for name, value in net.named_parameters() if name != "table"]
    optimizers = [torch.optim.SparseAdam([net.table], lr=1e-3), torch.optim.Adam(dense, lr=1e-3)]
    label = torch.from_numpy(shown.before(start + days * DAY).converted.astype(np.float32))

    def days_of(begin: int, stop: int) -> None:
        for day in range(begin, stop):
            first, last = (shown.since(start + at * DAY) for at in (day, day + 1))
            _epoch(net, optimizers, shown.features, label, first + torch.randperm(last - first))

    days_of(-1, 0)
    return clocked(lambda: days_of(0, days))


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
