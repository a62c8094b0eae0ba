"""What every sampler of negatives promises, as checks, and its exact chances by counting."""

from __future__ import annotations

import numpy as np
from tests.graph.walk.literal import fair

from thence.graph import Arcs
from thence.graph.negative import (
    HardNegatives,
    InBatchNegatives,
    PopularityNegatives,
    ReversedNegatives,
    UniformNegatives,
)

KINDS = ("uniform", "popularity", "by weight", "in batch", "hard", "reversed")
DRAWN_OUTSIDE = ("in batch", "reversed")
"""What they give depends on which positives come, not on randomness of their own."""
COUNT = 6


def table_of(arcs):
    """Three candidates a node: good, bad and missing ones, some twice."""
    n = arcs.num_nodes
    nodes = np.arange(n)[:, None]
    return np.where((nodes * 5 + np.arange(4)) % 7 == 0, -1, (nodes * 3 + np.array([0, 1, 2, 2])) % max(n, 1))


def make(kind, arcs, seed=0):
    return {
        "uniform": lambda: UniformNegatives(arcs, COUNT, seed=seed),
        "popularity": lambda: PopularityNegatives(arcs, COUNT, alpha=0.75, seed=seed),
        "by weight": lambda: PopularityNegatives(arcs, COUNT, alpha=0.5, by="weight", seed=seed),
        "in batch": lambda: InBatchNegatives(arcs),
        "hard": lambda: HardNegatives(arcs, table_of(arcs), COUNT, seed=seed),
        "reversed": lambda: ReversedNegatives(arcs),
    }[kind]()


def proposal(kind, arcs, source):
    """How often each node is proposed for a source, in any unit."""
    targets = arcs.pairs[1].tolist()
    count = np.array([targets.count(node) for node in range(arcs.num_nodes)], float)
    if kind == "by weight":
        weight = arcs.weight.astype(float)
        return np.array([weight[arcs.targets == node].sum() for node in range(arcs.num_nodes)]) ** 0.5
    if kind == "hard":
        row = table_of(arcs)[source].tolist()
        return np.array([row.count(node) for node in range(arcs.num_nodes)], float)
    if kind == "reversed":
        return np.array([node in arcs.into(source) for node in range(arcs.num_nodes)], float)
    return {"uniform": count**0, "popularity": count**0.75, "in batch": count}[kind]


def exact(kind, arcs, source, target):
    """The chance of each node for a positive: what is proposed, among what is allowed."""
    chance = proposal(kind, arcs, source)
    if kind == "reversed" and target not in arcs.into(source):
        chance[target] = 1  # the positive that is turned round counts
    banned = {source, *arcs.out(source).tolist()} | (set() if kind == "reversed" else {target})
    chance[list(banned)] = 0
    return chance / chance.sum() if chance.any() else chance


def check_promise(kind, arcs, sampler, source, target):
    """Never an arc, never an end of the positive; the chance of each; empty places are marked."""
    found = sampler.draw(source, target)
    width = {"in batch": max(len(source) - 1, 0), "reversed": 1}.get(kind, COUNT)
    assert found.nodes.shape == found.log_chance.shape == (len(source), width)
    assert found.nodes.dtype == np.int32 and found.log_chance.dtype == np.float64
    anchors, others = (target, source) if kind == "reversed" else (source, target)
    assert found.source.tolist() == list(anchors)
    assert (found.filled == np.isfinite(found.log_chance)).all()
    assert (found.log_chance[~found.filled] == np.inf).all() and (found.nodes[~found.filled] == -1).all()
    arc = set(zip(*arcs.pairs.tolist(), strict=True))
    for at, (anchor, other) in enumerate(zip(anchors, others, strict=True)):
        chances = exact(kind, arcs, anchor, other)
        for node, log_chance in zip(found.nodes[at].tolist(), found.log_chance[at], strict=True):
            if node >= 0:
                assert (anchor, node) not in arc and node != anchor
                assert kind == "reversed" or node != other
                assert chances[node] > 0
                assert abs(np.exp(log_chance) - chances[node]) < 1e-9
        if kind in DRAWN_OUTSIDE:  # whatever is allowed is used
            given = [other] if kind == "reversed" else [*others[at + 1 :], *others[:at]]
            assert found.nodes[at].tolist() == [node if chances[node] > 0 else -1 for node in given]
        else:
            assert found.filled[at].all() == bool(chances.any()) == found.filled[at].any()


def check_frequency(kind, arcs, make):
    """Drawn for many positives of the relation, each node is as frequent as its chance, for every source."""
    rng = np.random.default_rng(5)
    sampler, pairs = make(arcs), arcs.pairs
    counts: dict[tuple[int, int], np.ndarray] = {}
    for step in range(300):
        source, target = pairs[:, rng.integers(0, arcs.num_arcs, 40)] if kind in DRAWN_OUTSIDE else pairs
        found = sampler.draw(source, target, step=step)
        for at, anchor in enumerate(found.source.tolist()):
            other = -1 if kind == "reversed" else int(target[at])
            count = counts.setdefault((anchor, other), np.zeros(arcs.num_nodes))
            nodes = found.nodes[at] if kind != "in batch" else found.nodes[at, :3]  # each target is used thrice
            np.add.at(count, nodes[nodes >= 0], 1)
    for (anchor, other), count in counts.items():
        chances = exact(kind, arcs, anchor, int(arcs.into(anchor)[0]) if kind == "reversed" else other)
        if chances.any():
            spread(kind, count, chances)
        else:
            assert not count.any()


def spread(kind, count, chances):
    """Counts are fair; loosely where the uses of one batch depend on one another."""
    if kind in DRAWN_OUTSIDE:
        assert not count[chances == 0].any()
        assert np.abs(count / count.sum() - chances).max() < 5 * np.sqrt(0.25 / count.sum()) + 0.02
    else:
        fair(count, chances)


RELATION = Arcs.from_pairs(
    [0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6],
    [1, 2, 3, 2, 0, 4, 2, 5, 4, 1, 0, 1, 2, 3, 4, 5],
    num_nodes=8,
    weight=[1, 2, 3, 4, 1, 1, 2, 2, 0, 5, 1, 1, 3, 1, 1, 1],
)
"""Node 6 leads to all but 7, which nothing leads to: popularity leaves it without a negative."""
