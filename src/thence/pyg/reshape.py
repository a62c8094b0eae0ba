"""Samples in the shapes that PyG asks for: a node for each seed, and all arcs among the nodes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from thence.graph.sample.induced import induced as among
from thence.graph.sample.induced import subgraph
from thence.graph.sample.sample import Sample


def one_each(sample: Sample) -> Sample:
    """The sample with a node for each seed, in the order given: ``nodes[:B]`` are the seeds.

    A seed that is given twice gets a second node with arcs like those of the first, so that whatever is
    computed for the first B nodes is computed for the seeds.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.graph.sample import FanOut
        >>> sample = one_each(FanOut(Arcs.from_pairs([0], [1], num_nodes=2), [2]).sample([0, 0]))
        >>> sample.nodes.tolist(), sample.row.tolist(), sample.column.tolist()
        ([0, 0, 1], [0, 1], [2, 2])
    """
    seeds, first = sample.seeds, int(sample.node_ptr[1])
    extra = len(seeds) - first
    if not extra:
        return sample
    place = np.empty(first, np.int64)
    place[seeds[::-1]] = np.arange(len(seeds))[::-1]
    again = np.flatnonzero(place[seeds] != np.arange(len(seeds)))
    bounds = sample.arc_ptr[: sample.num_relations + 1]  # of the first hop, in which seeds look
    copied = [_rows_of(sample.row[begin:end], seeds[again], begin) for begin, end in pairwise(bounds.tolist())]

    def widened(array: np.ndarray, ends: np.ndarray | None = None) -> np.ndarray:
        """An array of arcs with those of the copies behind each group of the first hop."""
        parts = []
        for (count, more), begin, end in zip(copied, bounds[:-1], bounds[1:], strict=True):
            parts += [array[begin:end], array[more] if ends is None else np.repeat(ends, count)]
        return np.concatenate([*parts, array[int(bounds[-1]) :]])

    def moved(local: np.ndarray) -> np.ndarray:
        """Local ints of nodes after the change."""
        new, of_seeds = local + extra, np.flatnonzero(local < first)
        new[of_seeds] = place[local[of_seeds]]
        return new

    sizes = np.diff(sample.arc_ptr)
    sizes[: len(copied)] += np.array([len(more) for _, more in copied], np.int64)
    return replace(
        sample,
        nodes=np.concatenate([sample.nodes[seeds], sample.nodes[first:]]),
        seeds=np.arange(len(seeds)),
        row=widened(moved(sample.row), again),
        column=widened(moved(sample.column)),
        entry=widened(sample.entry),
        scale=widened(sample.scale),
        node_ptr=np.concatenate([[0], sample.node_ptr[1:] + extra]),
        arc_ptr=np.concatenate([[0], np.cumsum(sizes)]),
    )


def _rows_of(looks: np.ndarray, nodes: np.ndarray, begin: int) -> tuple[np.ndarray, np.ndarray]:
    """How many arcs of a group each of some nodes looks at, and which, counted from ``begin``."""
    order = None if (looks[1:] >= looks[:-1]).all() else np.argsort(looks, kind="stable")
    ordered = looks if order is None else looks[order]
    first = np.searchsorted(ordered, nodes)
    count = np.searchsorted(ordered, nodes, "right") - first
    at = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    return count, (at if order is None else order[at]) + begin


def induced(sample: Sample, times: np.ndarray | None = None) -> Sample:
    """All arcs of the graph among the nodes of a sample, or of each of its trees.

    Args:
        sample: whose nodes are kept.
        times: ``[B]`` int64, the time of each seed: no later arc is taken in its tree.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.graph.sample import FanOut
        >>> sample = induced(FanOut(Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3), [2]).sample([0]))
        >>> sample.row.tolist(), sample.column.tolist()
        ([0, 1], [1, 0])
    """
    sides = sample.sides[: sample.num_relations]
    if not sides:
        return sample
    arcs = [among(side, sample.nodes, sample.tree) for side in sides]
    if times is not None and sample.tree is not None:
        until = times[sample.tree]
        for number, (side, (row, column, entry)) in enumerate(zip(sides, arcs, strict=True)):
            if side.time is not None:
                seen = side.time[entry] <= until[row]
                arcs[number] = row[seen], column[seen], entry[seen]
    num_seeds = int(sample.node_ptr[1])
    return subgraph(sides, sample.nodes, num_seeds, seeds=sample.seeds, arcs=arcs, tree=sample.tree)
