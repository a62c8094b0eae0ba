"""Means over neighbourhoods, hop by hop: over the whole graph, or sampled around the nodes that are asked for.

With P the row-normalised adjacency (a node's weighted mean over its neighbours; 0 for a node without any), the
answer for a seed i after L hops is row i of P^L x. *Whole* computes P^L x for every node, exactly, in L · arcs
operations of the features' width. *Sampled* draws neighbourhoods of the seeds only and scales what it draws by
1 / chance, so that it has the right expectation (but where a cycle leads back to a node within the hops, whose
draw then counts twice). Which one costs less depends on how many arcs a batch of seeds draws; :func:`plan`
draws a few and tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.graph.sample import FanOut, Loader, Sample, Side
from thence.graph.sample.aggregate import aggregate

How = Literal["auto", "whole", "sampled"]
PROBES, BATCH = 4, 1024
DRAW, FETCH, COLUMN = 60e-9, 14e-9, 0.5e-9
"""CPU seconds to draw and relabel an arc, to fetch a row, and to add a column of it; see bench/engine.py."""


@dataclass(frozen=True)
class Plan:
    """What two ways of the same computation are expected to cost.

    Args:
        how: the cheaper one.
        whole: expected CPU seconds over the whole graph.
        sampled: expected CPU seconds around the seeds.
        arcs: arcs that all seeds together are expected to draw.
    """

    how: Literal["whole", "sampled"]
    whole: float
    sampled: float
    arcs: int


def plan(
    side: Side, num_seeds: int, fan_out: list[int | None], width: int, *, batch_size: int = BATCH, seed: int = 0
) -> Plan:
    """Which way costs less, from a few batches drawn on the spot.

    Args:
        side: the neighbours that each node looks at.
        num_seeds: how many nodes are asked for.
        fan_out: neighbours drawn in each hop.
        width: columns of the features.
        batch_size: seeds drawn together.
        seed: of the batches drawn.

    Example:
        >>> ring = Side(np.arange(100_001), np.roll(np.arange(100_000, dtype=np.int32), -1))
        >>> plan(ring, 100, [1, 1], 64).how, plan(ring, 100_000, [1, 1], 64).how
        ('sampled', 'whole')
    """
    return _planned(
        FanOut(_even(side), fan_out, seed=seed), side, num_seeds, len(fan_out), width, batch_size, seed
    )


def _planned(
    sampler: FanOut, side: Side, num_seeds: int, hops: int, width: int, batch_size: int, seed: int
) -> Plan:
    """The plan from a sampler that is there already."""
    size = min(batch_size, num_seeds)
    seeds = generator(seed, "plan").integers(0, max(side.num_nodes, 1), (PROBES, size))
    drawn = [sampler.sample(batch, step=-1 - at) for at, batch in enumerate(seeds if side.num_nodes else [])]
    batches = num_seeds / max(size, 1)
    arcs = batches * float(np.mean([sample.num_arcs for sample in drawn])) if drawn else 0.0
    summed = batches * float(np.mean([_summed(sample) for sample in drawn])) if drawn else 0.0
    an_arc = FETCH + COLUMN * width
    whole, sampled = hops * len(side.neighbors) * an_arc, arcs * DRAW + summed * an_arc
    return Plan("whole" if whole <= sampled else "sampled", whole, sampled, round(arcs))


def hop_means(
    side: Side,
    x: np.ndarray,
    seeds: np.ndarray,
    fan_out: list[int | None],
    *,
    how: How = "auto",
    threads: int = 1,
    seed: int = 0,
) -> np.ndarray:
    """``[len(seeds), width]`` float32: rows of P^L x, with L the number of fan-outs.

    Args:
        side: the neighbours that each node looks at, with their weights (ones when it has none).
        x: ``[num_nodes, width]`` float32.
        seeds: ``[B]`` node ints.
        fan_out: neighbours drawn in each hop, None for all; where the whole graph is computed, all count.
        how: ``whole``, ``sampled``, or the cheaper one.
        threads: to compute with.
        seed: of what is drawn.

    Raises:
        ConfigError: there is no such way.
        DataError: ``x`` has not one row a node, or a seed is no node.

    Example:
        >>> path = Side(np.array([0, 1, 2, 2]), np.array([1, 2], np.int32))  # 0 → 1 → 2
        >>> hop_means(path, np.array([[1.0], [2.0], [4.0]], np.float32), np.array([0, 2]), [5, 5]).tolist()
        [[4.0], [0.0]]
    """
    side = side.checked()
    if x.ndim != 2 or len(x) != side.num_nodes:
        raise DataError(f"x has shape {x.shape} for {side.num_nodes} nodes", fix="Give one row a node.")
    if how not in ("auto", "whole", "sampled"):
        raise ConfigError(f"no way {how!r}", fix="It is 'auto', 'whole' or 'sampled'.")
    x = np.ascontiguousarray(x, np.float32)
    sampler = FanOut(_even(side), fan_out, seed=seed)
    loader = Loader(sampler, seeds, batch_size=BATCH, threads=threads, seed=None)
    if how == "auto":
        how = _planned(sampler, side, len(seeds), len(fan_out), x.shape[1], BATCH, seed).how
    if how == "sampled":
        total = _totals(side)
        rows = [_around(sample, side, total, x, threads) for sample in loader]
        return np.concatenate(rows) if rows else np.empty((0, x.shape[1]), np.float32)
    share = shares(side)
    for _ in fan_out:
        x = aggregate(side.indptr, side.neighbors, share, x, threads=threads)
    return x[seeds]


def shares(side: Side) -> np.ndarray:
    """``[entries]`` float32: the share of each entry in its row's weight; a row without weight has none."""
    total = np.repeat(_totals(side), side.degree)
    weight = 1.0 if side.weight is None else side.weight
    return np.divide(weight, total, out=np.zeros(len(total), np.float32), where=total > 0)


def _even(side: Side) -> Side:
    """The side to draw from without looking at weights, which costs much less than drawing by them."""
    return replace(side, weight=None)


def _totals(side: Side) -> np.ndarray:
    """``[num_nodes]`` float32: the weight of each row."""
    if side.weight is None:
        return side.degree.astype(np.float32)
    total, filled = np.zeros(side.num_nodes, np.float32), side.degree > 0
    if filled.any():
        total[filled] = np.add.reduceat(side.weight, side.indptr[:-1][filled], dtype=np.float64)
    return total


def _around(sample: Sample, side: Side, total: np.ndarray, x: np.ndarray, threads: int) -> np.ndarray:
    """The seeds' rows of P^L x as a sample estimates them: outer hops first, each on fewer nodes."""
    weight = sample.scale / total[sample.nodes[sample.row]]
    if side.weight is not None:
        weight *= side.weight[sample.entry]
    below, column = x, sample.nodes[sample.column]
    for hop in range(sample.num_hops, 0, -1):
        rows, arcs = int(sample.node_ptr[hop]), int(sample.arc_ptr[hop])
        indptr = np.searchsorted(sample.row[:arcs], np.arange(rows + 1))
        below = aggregate(indptr, column[:arcs], weight[:arcs], below, threads=threads)
        column = sample.column
    return below[sample.seeds]


def _summed(sample: Sample) -> int:
    """Rows that are fetched and added to compute a sample: inner hops count once for each hop around them."""
    return int(sample.arc_ptr[1:].sum())
