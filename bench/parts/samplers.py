"""Every sampler's speed, LABOR's savings, and what drawing by weight costs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from common import say
from parts import graphs
from thence.graph.sample import FanOut, Sample, Side
from thence.graph.sample.adaptive import Adaptive, Reach
from thence.graph.sample.cluster import Clusters
from thence.graph.sample.labor import Labor
from thence.graph.sample.ladies import Ladies
from thence.graph.sample.saint import Saint
from thence.graph.sample.shadow import Shadow

Draw = Callable[[np.ndarray, int], Sample]
BATCH, FAN_OUT = 1024, [10, 10]


def figures(quick: bool) -> dict[str, float]:
    """All of them, on one thread: ``sampler.NAME.…``, ``labor.…`` and ``weighted.time_ratio``."""
    indptr, neighbors = graphs.sides()["power_law"]
    side = Side(indptr, neighbors)
    weight = np.random.default_rng(1).random(len(neighbors), np.float32) + np.float32(0.1)
    weighted = Side(indptr, neighbors, weight=weight)
    found = speeds(side, weighted, 3 if quick else 10) | weights(side, weighted, 40 if quick else 200)
    part = 4 if quick else 1  # batches shrink with the graph, so that they cover the same share of it
    batch, steps = BATCH // part, 3 if quick else 5
    found |= savings("labor.degree_10", by_degree(2_000_000 // part, 10), batch, steps)
    dense = by_degree(200_000 // part, 100)
    found |= savings("labor.degree_100", dense, batch, steps) | spreads(dense, 100 if quick else 400)
    nodes = 200_000 // part
    even = Side(*graphs.make("random", nodes, 100 * nodes))
    return found | savings("labor.degree_100.even", even, batch, steps)


def by_degree(nodes: int, mean: int) -> Side:
    """A graph whose degrees follow a power law and whose neighbours are met in proportion to their degrees."""
    random = np.random.default_rng(5)
    weight = graphs.power_law(nodes, float(mean))[random.permutation(nodes)]
    looks = np.repeat(np.arange(nodes), random.poisson(weight))
    seen = random.permutation(looks)
    pairs = np.unique((looks * np.int64(nodes) + seen)[looks != seen])
    indptr = np.searchsorted(pairs, np.arange(nodes + 1, dtype=np.int64) * nodes)
    return Side(indptr.astype(np.int64), (pairs % nodes).astype(np.int32))


def samplers(side: Side, weighted: Side) -> dict[str, Draw]:
    """Every sampler as a function of seeds and step."""
    num_nodes, saint = side.num_nodes, Saint(side, "walk", 4, roots=BATCH, rounds=5)
    drawn = {
        "fan_out": FanOut(side, FAN_OUT),
        "fan_out_weighted": FanOut(weighted, FAN_OUT, weight="weight"),
        "labor": Labor(side, FAN_OUT),
        "labor_weighted": Labor(weighted, FAN_OUT, weight="weight"),
        "labor_exact": Labor(side, FAN_OUT, exact=True),
        "labor_1": Labor(side, FAN_OUT, importance=1),
        "ladies": Ladies(side, [8192, 8192]),
        "adaptive": Adaptive(side, FAN_OUT),
        "adaptive_near": Adaptive(side, FAN_OUT, reach=None),
        "adaptive_wide": Adaptive(side, FAN_OUT, least=5, reach=Reach(radius=3, walks=16)),
        "shadow": Shadow(side, FAN_OUT),
        "saint_walk": saint,
    }
    draws: dict[str, Draw] = {
        name: lambda seeds, step, s=s: s.sample(seeds, step=step) for name, s in drawn.items()
    }
    clusters = Clusters(side, np.arange(num_nodes) // 1000, 10)
    node = Saint(side, "node", 8000, rounds=5)
    draws["clusters"] = lambda seeds, step: clusters.subgraph(step)
    draws["saint_node"] = lambda seeds, step: node.subgraph(step)
    return draws


def speeds(side: Side, weighted: Side, steps: int) -> dict[str, float]:
    """Arcs, nodes and seeds of each sampler per CPU second, 1,024 seeds a batch; of subgraphs all are seeds."""
    found = {}
    batches = np.random.default_rng(0).integers(0, side.num_nodes, (steps, BATCH))
    for name, draw in samplers(side, weighted).items():
        draw(batches[0], steps)
        begun = time.process_time()
        made = [draw(seeds, step) for step, seeds in enumerate(batches)]
        seconds = time.process_time() - begun
        for what in ("arcs", "nodes"):
            count = sum(getattr(sample, f"num_{what}") for sample in made)
            found[f"sampler.{name}.{what}_per_cpu_second"] = count / seconds
        found[f"sampler.{name}.seeds_per_cpu_second"] = sum(len(sample.seeds) for sample in made) / seconds
        say(f"samplers: {name} {seconds / steps * 1e3:.1f} CPU ms a batch")
    return found


def weights(side: Side, weighted: Side, steps: int) -> dict[str, float]:
    """CPU time of drawing by weight over that of drawing uniformly, batches in turn."""
    batches = np.random.default_rng(2).integers(0, side.num_nodes, (steps, BATCH))
    pair, spent = (FanOut(side, FAN_OUT), FanOut(weighted, FAN_OUT, weight="weight")), [[], []]
    for step, seeds in enumerate(batches):
        for which, sampler in enumerate(pair):
            begun = time.process_time()
            sampler.sample(seeds, step=step)
            spent[which].append(time.process_time() - begun)
    return {"weighted.time_ratio": float(np.median(spent[1][1:]) / np.median(spent[0][1:]))}


def savings(name: str, side: Side, batch: int, steps: int) -> dict[str, float]:
    """Distinct nodes of FanOut over those of LABOR at a fan-out of [10, 10, 10], seeds left out."""
    fan_out = [10, 10, 10]
    ways = {
        "node_ratio": Labor(side, fan_out),
        "importance_1.node_ratio": Labor(side, fan_out, importance=1),
    }
    plain, found = FanOut(side, fan_out), {}
    batches = np.random.default_rng(3).integers(0, side.num_nodes, (steps, batch))
    found[f"{name}.mean_degree"] = len(side.neighbors) / side.num_nodes
    met = [counted(plain.sample(seeds, step=step)) for step, seeds in enumerate(batches)]
    for way, sampler in ways.items():
        own = [counted(sampler.sample(seeds, step=step)) for step, seeds in enumerate(batches)]
        found[f"{name}.{way}"] = sum(nodes for nodes, _ in met) / sum(nodes for nodes, _ in own)
        found[f"{name}.{way.replace('node', 'arc')}"] = sum(a for _, a in met) / sum(a for _, a in own)
    say(f"samplers: {name} {found}")
    return found


def counted(sample: Sample) -> tuple[int, int]:
    """Nodes beyond the seeds, and arcs."""
    return sample.num_nodes - int(sample.node_ptr[1]), sample.num_arcs


def spreads(side: Side, steps: int) -> dict[str, float]:
    """Variance of a row's estimated mean (of values of mean 0), LABOR's over FanOut's, over many rows."""
    random = np.random.default_rng(4)
    seeds = random.permutation(np.flatnonzero(side.degree > 20))[:BATCH]
    value = random.normal(size=side.num_nodes)
    found, plain = {}, 1.0
    for name, sampler in (
        ("fan_out", FanOut(side, [10])),
        ("labor", Labor(side, [10])),
        ("labor.exact", Labor(side, [10], exact=True)),
        ("labor.importance_1", Labor(side, [10], importance=1)),
    ):
        total = np.zeros((2, len(seeds)))
        for step in range(steps):
            sample = sampler.sample(seeds, step=step)
            part = sample.scale * value[sample.nodes[sample.column]]
            mean = np.bincount(sample.row, part, len(seeds)) / side.degree[seeds]
            total += [mean, mean**2]
        variance = (total[1] / steps - (total[0] / steps) ** 2).sum()
        plain = variance if name == "fan_out" else plain
        found[f"{name}.variance_ratio"] = variance / plain
    del found["fan_out.variance_ratio"]
    return found
