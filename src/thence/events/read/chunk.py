"""What every reader yields: rows of a source, and where each of them stood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from thence.events.quarantine import NOTHING


@dataclass(frozen=True)
class Source:
    """One file or table to read.

    Args:
        name: how the quarantine and the ledger call it.
        format: ``parquet``, ``csv``, ``jsonl`` or ``table``.
        size: bytes of a file, rows of a table; 0 where unknown.
        digest: SHA-256 of a file, content hash of a table.
        path: the file.
        table: the table.
        zipped: whether the file is gzip.
    """

    name: str
    format: str
    size: int
    digest: str
    path: Path | None = None
    table: Any = None
    zipped: bool = False


@dataclass
class Chunk:
    """Some consecutive rows of a source.

    Args:
        table: the rows that could be taken apart, under the source's own column names.
        rows: ``[n]`` int64, the number of each of them in the source, from 0.
        raw: gives the raw text of rows of ``table`` by position.
        offsets: ``[n]`` int64, the byte at which each begins (in the unzipped stream), or None.
        refused: rows that could not even be taken apart, as made by ``quarantine.refusals``.
        done: how much of the source's size is read.
    """

    table: pa.Table
    rows: np.ndarray
    raw: Callable[[np.ndarray], list[str | None]]
    offsets: np.ndarray | None = None
    refused: pa.Table = field(default_factory=lambda: NOTHING)
    done: int = 0
