"""Samples in the shapes that PyG asks for: a node for each seed, and all arcs among the nodes."""

from __future__ import annotations

from dataclasses import replace

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
    if first == len(seeds):
        return sample
    place = np.empty(first, np.int64)
    place[seeds[::-1]] = np.arange(len(seeds))[::-1]
    again = np.flatnonzero(place[seeds] != np.arange(len(seeds)))
    extra = len(seeds) - first
    moved = np.concatenate([place, np.arange(first, sample.num_nodes) + extra])
    row, column = moved[sample.row], moved[sample.column]
    chosen, rows, sizes = [], [], []
    for group in range(len(sample.sides)):
        part = np.arange(sample.arc_ptr[group], sample.arc_ptr[group + 1])
        looks = row[part]
        if group < sample.num_relations:  # the first hop, in which seeds look
            looks, more = _with_copies(looks, place[seeds[again]], again)
            part = np.concatenate([part, part[more]])
        chosen.append(part)
        rows.append(looks)
        sizes.append(len(part))
    at = np.concatenate([*chosen, np.empty(0, np.int64)])
    return replace(
        sample,
        nodes=np.concatenate([sample.nodes[seeds], sample.nodes[first:]]),
        seeds=np.arange(len(seeds)),
        row=np.concatenate([*rows, np.empty(0, np.int64)]),
        column=column[at],
        entry=sample.entry[at],
        scale=sample.scale[at],
        node_ptr=np.concatenate([[0], sample.node_ptr[1:] + extra]),
        arc_ptr=np.cumsum([0, *sizes]),
    )


def _with_copies(looks: np.ndarray, like: np.ndarray, copy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a group with those of each ``copy`` behind, and which arcs of the group the copies' are."""
    order = np.argsort(looks, kind="stable")
    begin = np.searchsorted(looks[order], like)
    count = np.searchsorted(looks[order], like, "right") - begin
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    more = order[np.repeat(begin, count) + inside]
    return np.concatenate([looks, np.repeat(copy, count)]), more


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
