"""One loop for all methods of the long-range bench: equal batches, steps and numbers of parameters."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.rng import derive_seed, generator, torch_generator
from thence.encode.layer.linear import linear
from thence.encode.layer.view import View
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph

Make = Callable[[int, int], nn.Module]
"""An encoder for a number of inputs and a seed."""


@dataclass(frozen=True)
class Budget:
    """What every method may use: rounds over the training graphs, graphs a step."""

    rounds: int = 10
    batch: int = 10
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class Batch:
    """Some graphs: inputs, view, which rows are told, their labels, and their places in all labels."""

    x: Tensor
    view: View
    rows: Tensor
    y: Tensor
    places: np.ndarray


def owners(graph: LabelledGraph) -> np.ndarray:
    """``[num_nodes]``, the graph that each node is of."""
    return np.zeros(graph.arcs.num_nodes, np.int64) if graph.graph_of is None else graph.graph_of


def some(graph: LabelledGraph, first: int, last: int) -> tuple[int, int, Arcs]:
    """Graphs ``first`` to ``last``: where their nodes begin and end, and their arcs."""
    of = owners(graph)
    source, target = graph.arcs.pairs
    low, high = (int(at) for at in np.searchsorted(of, [first, last + 1]))
    begin, end = np.searchsorted(source, [low, high])
    return low, high, Arcs.from_pairs(source[begin:end] - low, target[begin:end] - low, num_nodes=high - low)


def cut(graph: LabelledGraph, split: str, size: int) -> list[Batch]:
    """The graphs of a split, ``size`` at a time."""
    of, places = owners(graph), graph.splits[split]
    owner = of[places] if graph.told == "nodes" else places
    made = []
    graphs = np.unique(owner)
    for part in np.array_split(graphs, max(len(graphs) // size, 1)):
        low, high, arcs = some(graph, part[0], part[-1])
        mine = places[(owner >= part[0]) & (owner <= part[-1])]
        rows = torch.from_numpy(mine - (low if graph.told == "nodes" else part[0]))
        view = View(arcs, of[low:high] - part[0])
        made.append(
            Batch(torch.from_numpy(graph.x[low:high]), view, rows, torch.from_numpy(graph.y[mine]), mine)
        )
    return made


def scaled(graph: LabelledGraph) -> LabelledGraph:
    """Features of mean 0 and spread 1 over all training graphs' nodes; values likewise where they are told."""
    of, train = owners(graph), graph.splits["train"]
    seen = np.isin(of, of[train] if graph.told == "nodes" else train)
    mean, spread = graph.x[seen].mean(axis=0), graph.x[seen].std(axis=0)
    return replace(graph, x=((graph.x - mean) / np.where(spread > 0, spread, 1)).astype(np.float32))


class Head(nn.Module):
    """An encoder and a linear map of each told node, or of the mean of a told graph."""

    def __init__(self, encoder: Any, outputs: int, told: str, seed: int) -> None:
        super().__init__()
        self.encoder, self.told = encoder, told
        self.out = linear(encoder.dim, outputs, torch_generator(seed, "out"))

    def forward(self, batch: Batch) -> Tensor:
        rows = self.encoder(batch.x, batch.view)
        if self.told == "graphs":
            view = batch.view
            summed = rows.new_zeros(view.num_graphs, rows.shape[1]).index_add(0, view.graph_of, rows)
            rows = summed / view.sizes[:, None]
        return self.out(rows[batch.rows])


@dataclass(frozen=True)
class Fitted:
    """What a run gave: scores ``[rows, outputs]`` of a split by name, CPU seconds, parameters."""

    scores: Mapping[str, np.ndarray]
    seconds: float
    parameters: int
    net: nn.Module


class Trial:
    """A labelled graph, cut once, on which methods are trained alike."""

    def __init__(self, graph: LabelledGraph, budget: Budget) -> None:
        self.graph, self.budget = scaled(graph), budget
        self.classes = graph.num_classes
        self.mean, self.spread = 0.0, 1.0
        if not self.classes:
            train = graph.y[graph.splits["train"]]
            self.mean, self.spread = float(train.mean()), float(train.std())
        self.batches = {name: cut(self.graph, name, budget.batch) for name in graph.splits}

    def fit(self, make: Make, rate: float, seed: int, rounds: int | None = None) -> Fitted:
        """Train for the budget's rounds; the rate rises and falls once."""
        began, budget = time.process_time(), self.budget
        net = Head(make(self.graph.x.shape[1], seed), self.classes or 1, self.graph.told, seed)
        train, rounds = self.batches["train"], rounds or budget.rounds
        optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=budget.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=rounds * len(train))
        order = generator(seed, "far", "order")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "far", "dropout"))
            for _ in range(rounds):
                for place in order.permutation(len(train)):
                    optimizer.zero_grad()
                    self._loss(net, train[place]).backward()
                    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                    optimizer.step()
                    schedule.step()
        parameters = sum(p.numel() for p in net.parameters())
        scores = {name: self.scores(net, name) for name in ("valid", "test")}
        return Fitted(scores, time.process_time() - began, parameters, net)

    def scores(self, net: nn.Module, split: str) -> np.ndarray:
        """Logits or values ``[rows, outputs]`` in the order of the split."""
        net.eval()
        with torch.no_grad():
            found = torch.cat([net(batch) for batch in self.batches[split]]).numpy()
        net.train()
        return found * self.spread + self.mean

    def error(self, scores: np.ndarray, split: str) -> np.ndarray:
        """Per told row: 0 or 1 for classes, the absolute error for values."""
        y = self.graph.y[np.concatenate([batch.places for batch in self.batches[split]])]
        return (scores.argmax(axis=1) != y) if self.classes else np.abs(scores[:, 0] - y)

    def tuned(self, make: Make, seeds: int, rates: Sequence[float]) -> tuple[list[Fitted], float]:
        """The best rate on validation by half the rounds of one seed, then all seeds with it; and the rate."""
        half = max(self.budget.rounds // 2, 1)
        rate = rates[0]
        if len(rates) > 1:
            runs = {each: self.fit(make, each, seeds, half) for each in rates}
            rate = min(rates, key=lambda each: self.error(runs[each].scores["valid"], "valid").mean())
        return [self.fit(make, rate, seed) for seed in range(seeds)], rate

    def _loss(self, net: nn.Module, batch: Batch) -> Tensor:
        found = net(batch)
        if self.classes:
            return nn.functional.cross_entropy(found, batch.y)
        return nn.functional.smooth_l1_loss(found[:, 0], (batch.y - self.mean) / self.spread)


def spread(name: str, values: list[float]) -> dict[str, float]:
    """A mean, and its spread over seeds as ``NAME.std``."""
    figures = {name: statistics.fmean(values)}
    if len(values) > 1:
        figures[f"{name}.std"] = statistics.stdev(values)
    return figures
