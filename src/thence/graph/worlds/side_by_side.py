"""What the worlds share: small graphs drawn one by one and set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.labelled import LabelledGraph, Told

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Small:
    """One graph of a world.

    Args:
        pairs: ``[2, num_arcs]`` int64, row 0 source, row 1 target.
        x: ``[num_nodes, inputs]`` float32.
        y: ``[num_nodes]``, or ``[1]`` where graphs are told; int64 (below 0: not asked) or float32 (NaN).
        notes: ``[num_nodes]`` arrays that no method sees, by name.
    """

    pairs: np.ndarray
    x: np.ndarray
    y: np.ndarray
    notes: dict[str, np.ndarray]


def three_counts(graphs: Sequence[int]) -> tuple[int, int, int]:
    """How many graphs for training, validation and test.

    Raises:
        ConfigError: they are not three numbers above 0.
    """
    if len(graphs) != 3 or min(graphs) < 1:
        raise ConfigError(f"graphs is {tuple(graphs)}", fix="Give three counts above 0: train, valid, test.")
    train, valid, test = map(int, graphs)
    return train, valid, test


def shuffled(small: Small, rng: np.random.Generator) -> Small:
    """The same graph with its nodes in a random order, so that a node's number tells nothing."""
    place = rng.permutation(len(small.x))
    back = np.argsort(place)
    y = small.y[back] if len(small.y) == len(small.x) else small.y
    return Small(place[small.pairs], small.x[back], y, {k: v[back] for k, v in small.notes.items()})


def joined(parts: Sequence[Small]) -> Small:
    """Parts as one graph, no arc between them."""
    sizes = np.array([len(part.x) for part in parts])
    first = np.cumsum(sizes) - sizes
    return Small(
        np.concatenate([part.pairs + at for part, at in zip(parts, first, strict=True)], axis=1),
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        {name: np.concatenate([part.notes[name] for part in parts]) for name in parts[0].notes},
    )


def side_by_side(
    drawn: Sequence[Small], graphs: Sequence[int], told: Told = "nodes", *, directed: bool = True
) -> tuple[LabelledGraph, dict[str, np.ndarray]]:
    """Small graphs as one labelled graph, the first ``graphs[0]`` for training and so on, and their notes.

    Where nodes are told, the splits hold those that are asked; others have no label.
    """
    whole = joined(drawn)
    y = whole.y
    graph_of = np.repeat(np.arange(len(drawn)), [len(small.x) for small in drawn])
    split_of = np.repeat(np.arange(3), three_counts(graphs))
    row_split = split_of[graph_of] if told == "nodes" else split_of
    asked = ~np.isnan(y) if y.dtype.kind == "f" else y >= 0
    labelled = LabelledGraph(
        Arcs.from_pairs(*whole.pairs, num_nodes=len(whole.x), directed=directed),
        whole.x,
        y,
        {name: np.flatnonzero(asked & (row_split == i)) for i, name in enumerate(SPLITS)},
        graph_of=graph_of,
        told=told,
    )
    return labelled, whole.notes
