"""What tests of append share: a small shop, and where its states stand: in memory, not waiting for a disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pyarrow as pa
from tests.graph.literal import DAY, log_of
from tests.graph.test_digraph import assert_same

from thence.graph.build import RELATIONS, GraphConfig, build_graph

MEMORY = Path("/dev/shm")
NAMES = ("timestamp", "user_id", "item_id", "event", "order_id")
CATEGORIES = {"a": "x", "b": "x", "c": "x > y", "d": None, "e": "x", "g": " "}
FIRST = [
    (day * DAY, user, item, "purchase", None)
    for day, user, item in [(10, "ann", "a"), (11, "ann", "b"), (12, "bob", "a"), (12, "bob", "b")]
]
LATE = [(9 * DAY, "ann", "b", "purchase", None), (10 * DAY, "eve", "a", "purchase", None)]
MORE = [(20 * DAY, "bob", "c", "purchase", "o9"), (21 * DAY, "ann", "b", "view", None)]
ALL = GraphConfig(RELATIONS, min_count=1, min_support=1)


@contextmanager
def scratch() -> Iterator[str]:
    """A folder for one test; ``fsync`` is left out, which loses nothing unless the machine stops."""
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder, mock.patch("os.fsync", lambda handle: None):
        yield folder


def catalogue(names):
    return pa.table(
        {
            "item_id": pa.array(list(names), pa.string()),
            "title": pa.array([name.upper() for name in names], pa.string()),
            "category": pa.array([CATEGORIES.get(name, "x") for name in names], pa.string()),
        }
    )


def table_of(rows):
    types = (pa.int64(), *[pa.string()] * 4)
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return pa.table({n: pa.array(c, t) for n, c, t in zip(NAMES, columns, types, strict=True)})


def check(made, rows, items, config):
    """The graph is the one that the engine builds from the whole log."""
    assert_same(made, build_graph(log_of(rows, items), config))
