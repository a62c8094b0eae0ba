"""Small graphs whose answers are known."""

from __future__ import annotations

import numpy as np

from thence.base.rng import generator
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph


def communities(size: int = 30, seed: int = 0) -> LabelledGraph:
    """Two groups; arcs stay inside a group, and of the features every other one says which it is."""
    draw = generator(seed, "communities")
    y = np.repeat([0, 1], size)
    source = draw.integers(0, 2 * size, 12 * size)
    target = draw.integers(0, size, 12 * size) + size * y[source]
    keys = np.unique(source * 2 * size + target)
    source, target = keys // (2 * size), keys % (2 * size)
    real = source != target
    x = draw.normal(size=(2 * size, 4)).astype(np.float32)
    x[::2, 0] += 4 * (2 * y[::2] - 1)
    part = draw.permutation(2 * size)
    splits = {"train": part[: size // 2], "valid": part[size // 2 : size], "test": part[size:]}
    return LabelledGraph(Arcs.from_pairs(source[real], target[real], num_nodes=2 * size), x, y, splits)


def paths_and_rings(count: int = 24) -> LabelledGraph:
    """Directed paths and rings of three to six nodes; a graph's class is whether it is a ring."""
    sources, targets, of, first = [], [], [], 0
    for number in range(count):
        length = 3 + number % 4
        nodes = np.arange(first, first + length)
        ring = number % 2
        sources.append(nodes if ring else nodes[:-1])
        targets.append(np.roll(nodes, -1) if ring else nodes[1:])
        of += [number] * length
        first += length
    arcs = Arcs.from_pairs(np.concatenate(sources), np.concatenate(targets), num_nodes=first)
    parts = np.split(generator(0, "parts").permutation(count), [count // 2, 3 * count // 4])
    return LabelledGraph(
        arcs,
        np.zeros((first, 0), np.float32),
        np.arange(count) % 2,
        dict(zip(("train", "valid", "test"), parts, strict=True)),
        graph_of=np.array(of),
        told="graphs",
    )


def layers(width: int = 8, depth: int = 4) -> Arcs:
    """Every node of a layer leads to most nodes of the next one, and none back."""
    source, target = [], []
    for layer in range(depth - 1):
        for i in range(width):
            for j in range(width):
                if (i + j) % 4:
                    source.append(layer * width + i)
                    target.append((layer + 1) * width + j)
    return Arcs.from_pairs(source, target, num_nodes=width * depth)
