"""An epoch of two-hop training on a graph of DAEMON's size G1: 2 M nodes, 14 M arcs, half of them co-views.

The graph is simulated: degrees follow a power law; a node leads mostly into the community that follows its own,
and is viewed together with nodes of its own. Embeddings are computed around each batch, in both roles, over
both relations, from free vectors that Adam updates row by row; every main arc is learned from once. It runs in
a process of its own, so that its peak memory is its own: the graph and how it was made are included.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve()
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))

from common import say  # noqa: E402
from parts.graphs import power_law  # noqa: E402

NODES, ARCS = 2_000_000, 14_000_000
QUICK = 20
COMMUNITY = 400
MORE = 1.4
"""Pairs drawn for each that is still missing, since popular ones fall together."""
FOLLOWS = 0.8
"""Share of arcs that lead into the following community; the rest lead anywhere, by popularity."""
BATCH, SHARED, FAN_OUTS, THREADS = 2048, 1024, (10, 10), 2


def figures(quick: bool) -> dict[str, float]:
    """``world.large.ours.{epoch_seconds,peak_gib,nodes,arcs}`` and what the loss did."""
    shrink = QUICK if quick else 1
    command = [sys.executable, str(HERE), str(NODES // shrink), str(ARCS // shrink)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {f"world.large.ours.{name}": value for name, value in found.items()}


def simulate(nodes: int, arcs: int, seed: int = 0) -> Any:
    """The graph: half of the arcs ``bought_after``, half ``co_viewed`` (in both directions)."""
    from thence.base.ids import IdMap
    from thence.base.rng import generator
    from thence.graph import Arcs, DiGraph

    rng = generator(seed, "large")
    weight = power_law(nodes, 1.0)[rng.permutation(nodes)]
    total = np.concatenate([[0.0], np.cumsum(weight)])
    communities = nodes // COMMUNITY

    def near(community: np.ndarray) -> np.ndarray:
        begin = community * COMMUNITY
        low, high = total[begin], total[np.minimum(begin + COMMUNITY, nodes)]
        drawn = np.searchsorted(total, low + rng.random(len(community)) * (high - low), side="right") - 1
        return np.minimum(drawn, nodes - 1)

    def pairs(num: int, step: int) -> np.ndarray:
        """Distinct pairs."""
        keys = np.empty(0, np.int64)
        while len(keys) < num:
            more = int(MORE * (num - len(keys))) + 100
            source = np.searchsorted(total, rng.random(more) * total[-1], side="right") - 1
            target = near((source // COMMUNITY + step) % communities)
            anywhere = np.flatnonzero(rng.random(more) > FOLLOWS)
            target[anywhere] = np.searchsorted(total, rng.random(len(anywhere)) * total[-1], side="right") - 1
            if not step:
                source, target = np.minimum(source, target), np.maximum(source, target)
            keys = np.unique(np.concatenate([keys, (source * nodes + target)[source != target]]))
        keys = np.sort(rng.choice(keys, num, replace=False))
        return np.stack([keys // nodes, keys % nodes])

    main = Arcs.from_pairs(*pairs(arcs // 2, 1), num_nodes=nodes)
    low, high = pairs(arcs // 4, 0)
    both = np.concatenate([low, high]), np.concatenate([high, low])
    viewed = Arcs.from_pairs(*both, num_nodes=nodes, directed=False)
    ids = IdMap(np.char.mod("%d", np.arange(nodes)).tolist())
    return DiGraph(ids, {"bought_after": main, "co_viewed": viewed})


@dataclass(eq=False)
class Watched:
    """An objective that keeps what it said."""

    objective: Any
    losses: list[float] = field(default_factory=list)

    @property
    def sampler(self) -> Any:
        """The objective's."""
        return self.objective.sampler

    def __call__(self, *arguments: Any) -> Any:
        """The objective's loss."""
        loss = self.objective(*arguments)
        self.losses.append(loss.item())
        return loss


def epoch(nodes: int, arcs: int, share: float = 1.0) -> dict[str, float]:
    """Simulate, train on every main arc once (or on a share of the steps), embed, and tell what it took."""
    import torch

    from thence.encode.peer.daemon import DaemonConfig, DaemonEncoder
    from thence.train.arc_batches import ArcSampler
    from thence.train.config import TrainConfig
    from thence.train.fit import fit
    from thence.train.pair_softmax_objective import PairSoftmaxObjective

    torch.set_num_threads(THREADS)
    begun = time.perf_counter()
    graph = simulate(nodes, arcs)
    say(f"large: {graph} in {time.perf_counter() - begun:.0f} s, {peak_gib():.2f} GiB")
    settings = DaemonConfig(
        fan_outs=FAN_OUTS, inputs="learned", temperature=0.1, self_term=True, bias=True, sampled=True
    )
    encoder = DaemonEncoder(graph, settings)
    sampler = ArcSampler(graph.main, None, BATCH, 0, SHARED, both_roles=False)
    goal = Watched(PairSoftmaxObjective(graph.main, sampler))
    steps = max(1, round(share * sampler.steps_per_epoch))
    config = TrainConfig(steps=steps, learning_rate=5e-3, weight_decay=0.0)
    say(f"large: {steps} steps; {peak_gib():.2f} GiB")
    begun, cpu, ended = time.perf_counter(), time.process_time(), [0.0, 0.0]

    def told(_: str, step: int, of: int) -> None:
        ended[:] = time.perf_counter() - begun, time.process_time() - cpu
        if step % max(of // 20, 1) == 0:
            say(f"large: step {step} of {of}, {ended[0]:.0f} s, {ended[1]:.0f} CPU s, {goal.losses[-1]:.3f}")

    fit(graph, config, encoder=encoder, objective=goal, progress=told)
    return {
        "epoch_seconds": ended[0],
        "epoch_cpu_seconds": ended[1],
        "embed_seconds": time.perf_counter() - begun - ended[0],
        "peak_gib": peak_gib(),
        "nodes": graph.num_nodes,
        "arcs": sum(arcs.num_arcs for arcs in graph.relations.values()),
        "steps": steps,
        "loss_first": float(np.mean(goal.losses[:20])),
        "loss_last": float(np.mean(goal.losses[-20:])),
    }


def peak_gib() -> float:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    print(json.dumps(epoch(int(sys.argv[1]), int(sys.argv[2]), *(float(part) for part in sys.argv[3:4]))))
