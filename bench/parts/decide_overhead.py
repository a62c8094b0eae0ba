"""What knowing how sure the model is costs at serving, beside the rate alone.

Figures: ``overhead.METHOD`` is CPU time of a mean and an uncertainty over that of the same network's rate, at
4,096 rows at once; ``overhead.METHOD.one_row`` the same for one row. Medians of ratios over interleaved turns,
one thread; the plain form is the network, a sigmoid and a NumPy array, and nothing else. METHOD: ``laplace``,
``posterior``, ``natural``, ``shared_trunk`` (4 members, the last two layers theirs), ``shared_trunk_last``
(in the last), ``distance``; and beside them ``ensemble`` of 5 and ``dropout`` of 10 passes.

Run alone: ``python bench/parts/decide_overhead.py``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.rng import generator
from thence.conversion.net import ConversionNet, NetConfig, Scale
from thence.decide.uncertainty.believed import UncertaintyEstimator
from thence.decide.uncertainty.distance import DistanceAware
from thence.decide.uncertainty.dropout import MonteCarloDropout, SeededDropout
from thence.decide.uncertainty.ensemble import DeepEnsemble
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.decide.uncertainty.logits import with_layers
from thence.decide.uncertainty.natural import NaturalConfig, NaturalPosterior
from thence.decide.uncertainty.posterior import PosteriorNetwork
from thence.decide.uncertainty.shared_trunk import SharedTrunk
from thence.decide.uncertainty.training import Plan

CATEGORIES, NUMBERS, BUCKETS = 9, 8, 65_536
"""The shape of the Criteo conversion log, as the benches of conversions have it."""
ROWS, TURNS = 4096, 41
SHAPE = NetConfig("mlp", 8, (128, 64))
Rows = tuple[Tensor, Tensor]


def overhead(arguments: argparse.Namespace) -> Mapping[str, float]:
    """Figures of every method."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        figures: dict[str, float] = {}
        net, rows, label = world()
        for name, make in methods(net, rows, label).items():
            sure, turns = make(), TURNS // (4 if arguments.quick else 1)
            figures[f"overhead.{name}"] = ratio(net, sure, rows, turns, 1)
            one = (rows[0][:1], rows[1][:1])
            figures[f"overhead.{name}.one_row"] = ratio(net, sure, one, turns, 100)
        return figures
    finally:
        torch.set_num_threads(threads)


def world(seed: int = 0) -> tuple[nn.Module, Rows, np.ndarray]:
    """A network at the shape of the log, rows for it, and labels of which one column tells."""
    rng = generator(seed, "bench", "decide", "overhead")
    codes = np.minimum(rng.pareto(1.1, (ROWS, CATEGORIES)) * 20, BUCKETS - 1).astype(np.int64)
    numbers = rng.standard_normal((ROWS, NUMBERS)).astype(np.float32)
    label = rng.random(ROWS) < 1 / (1 + np.exp(1.2 - 0.4 * (codes[:, 0] % 5 - 2)))
    scale = Scale(np.zeros(NUMBERS, np.float32), np.ones(NUMBERS, np.float32))
    net = ConversionNet((BUCKETS,) * CATEGORIES, scale, SHAPE, seed=seed)
    return net.eval(), (torch.from_numpy(codes), torch.from_numpy(numbers)), label


def methods(net: nn.Module, rows: Rows, label: np.ndarray) -> dict[str, Callable[[], UncertaintyEstimator]]:
    """How each estimator is made; what it was taught does not change what it costs."""
    once = Plan(passes=1)
    return {
        "laplace": lambda: LastLayerLaplace.fit(net, rows),
        "posterior": lambda: PosteriorNetwork.fit(net, rows, label, plan=once),
        "natural": lambda: NaturalPosterior.fit(net, rows, label, NaturalConfig(warm=1), plan=once),
        "shared_trunk": lambda: SharedTrunk.fit(net, rows, label, plan=once),
        "shared_trunk_last": lambda: SharedTrunk.fit(net, rows, label, plan=once, layers=1),
        "distance": lambda: DistanceAware.fit(net, rows, label, plan=once),
        "ensemble": lambda: DeepEnsemble([world(seed)[0] for seed in range(5)]),
        "dropout": lambda: MonteCarloDropout(_dropping(net), 10),
    }


def ratio(net: nn.Module, sure: UncertaintyEstimator, rows: Rows, turns: int, calls: int) -> float:
    """Median over turns of the estimator's CPU time to the plain network's."""

    def plain() -> None:
        with torch.inference_mode():
            torch.sigmoid(net(*rows)[:, 0]).numpy()

    def beside() -> None:
        told = sure.estimate(rows)
        _ = told.mean, told.uncertainty

    for call in (plain, beside) * 3:
        call()
    found = []
    for _ in range(turns):
        spent = []
        for call in (plain, beside):
            begun = time.process_time_ns()
            for _ in range(calls):
                call()
            spent.append(time.process_time_ns() - begun)
        found.append(spent[1] / spent[0])
    return statistics.median(found)


def _dropping(net: nn.Module) -> nn.Module:
    """The same network with dropout behind its hidden layers."""
    made = with_layers(net, {}, share=True)
    layers: list[nn.Module] = []
    for layer in made.deep:  # type: ignore[union-attr]
        layers += [layer, SeededDropout(0.1)] if isinstance(layer, nn.ReLU) else [layer]
    made.deep = nn.Sequential(*layers)
    return made.eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    figures = overhead(parser.parse_args())
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
