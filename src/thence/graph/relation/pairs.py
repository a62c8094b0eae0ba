"""Ordered pairs of nodes, counted: what every relation comes down to.

A pair is one int64 while the engine counts it, source · 2³² + target: groups of one number take half the time
and memory of groups of two. Counted pairs beyond some millions do not come into memory but into files that are
mapped, and what is made of them stays on disk as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.mapped import release
from thence.events import engine

ON_DISK_FROM = 1 << 23
"""Pairs; fewer are held in memory."""
PIECE = 1 << 20
FIELDS = {"source": np.int32, "target": np.int32, "support": np.int32, "last_time": np.int64}

SHIFT = 32
TARGET = (1 << SHIFT) - 1


@dataclass(frozen=True, eq=False)
class Pairs:
    """Ordered pairs, each once, in no particular order.

    Args:
        source: ``[num_pairs]`` int32 nodes.
        target: ``[num_pairs]`` int32 nodes.
        support: ``[num_pairs]`` int32, how often the pair was seen.
        last_time: ``[num_pairs]`` int64, when last, in microseconds UTC.
    """

    source: np.ndarray
    target: np.ndarray
    support: np.ndarray
    last_time: np.ndarray

    def mirrored(self) -> Pairs:
        """Every pair in both orders, with the same numbers.

        Example:
            >>> once = Pairs(*(np.array([n]) for n in (3, 5, 2, 1_000_000)))
            >>> once.mirrored().source.tolist(), once.mirrored().target.tolist()
            ([3, 5], [5, 3])
        """
        turned = Pairs(self.target, self.source, self.support, self.last_time)
        if self.on_disk:
            return _on_disk(piece for pairs in (self, turned) for piece in pairs.pieces())
        ours, theirs = self.columns(), turned.columns()
        return Pairs(*(np.concatenate([ours[name], theirs[name]]) for name in FIELDS))

    @property
    def on_disk(self) -> bool:
        """Whether the pairs are mapped from files."""
        return isinstance(self.source, np.memmap)

    def columns(self) -> dict[str, np.ndarray]:
        """The four arrays by name."""
        return {name: getattr(self, name) for name in FIELDS}

    def pieces(self) -> Iterator[dict[str, np.ndarray]]:
        """The columns, some rows at a time; memory that a map took for them is given back."""
        for at in range(0, len(self.source), PIECE):
            yield {name: array[at : at + PIECE] for name, array in self.columns().items()}
            for array in self.columns().values():
                release(array)

    def blocks(self) -> Iterator[dict[str, np.ndarray]]:
        """Pieces in which the support is the weight as well."""
        for piece in self.pieces():
            yield {**piece, "weight": piece["support"]}


def pair_of(source: Any, target: Any) -> Any:
    """The int64 expression that stands for an ordered pair of int expressions."""
    return source.cast("int64") * (1 << SHIFT) + target


def count_pairs(seen: Any, *, min_support: int) -> Pairs:
    """Count sightings of pairs.

    Args:
        seen: a table with one row a sighting: ``pair`` (see :func:`pair_of`) and ``time`` (µs UTC).
        min_support: pairs that were seen fewer times are left out.
    """
    counted = seen.group_by("pair").agg(support=seen.count(), last_time=seen.time.max())
    return fetch_pairs(counted.filter(counted.support >= min_support))


def fetch_pairs(counted: Any) -> Pairs:
    """Pairs from a table of ``pair``, ``support`` and ``last_time``, each pair once; many are put on disk."""
    rows = counted.select("pair", "last_time", support=counted.support.cast("int32"))
    waiting: list[dict[str, np.ndarray]] = []
    pieces = map(_columns, engine.batches(rows, PIECE))
    for piece in pieces:
        waiting.append(piece)
        if sum(len(one["source"]) for one in waiting) >= ON_DISK_FROM:
            return _on_disk(chain(waiting, pieces))
    empty = {name: np.zeros(0, type_) for name, type_ in FIELDS.items()}
    return Pairs(*(np.concatenate([empty[name], *(one[name] for one in waiting)]) for name in FIELDS))


def _columns(batch: pa.RecordBatch) -> dict[str, np.ndarray]:
    pair, support, last_time = (batch[name].to_numpy() for name in ("pair", "support", "last_time"))
    ends = {"source": (pair >> SHIFT).astype(np.int32), "target": (pair & TARGET).astype(np.int32)}
    return {**ends, "support": support, "last_time": last_time}


def _on_disk(pieces: Iterable[dict[str, np.ndarray]]) -> Pairs:
    """Pairs that are mapped from files which vanish with them."""
    with tempfile.TemporaryDirectory(prefix="thence-pairs-") as folder:
        paths = [Path(folder) / name for name in FIELDS]
        with ExitStack() as stack:
            streams = [stack.enter_context(path.open("wb")) for path in paths]
            for piece in pieces:
                for stream, (name, type_) in zip(streams, FIELDS.items(), strict=True):
                    stream.write(np.ascontiguousarray(piece[name], type_).data)
        return Pairs(*(np.memmap(path, type_, "r") for path, type_ in zip(paths, FIELDS.values(), strict=True)))
