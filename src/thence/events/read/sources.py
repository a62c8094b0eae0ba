"""From what a caller names to the sources to read: files, folders, globs and tables."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from thence.base.artifact import MANIFEST, digest
from thence.base.errors import DataError, nearest
from thence.events.columns import kept, plain
from thence.events.read.chunk import Source
from thence.events.rowhash import Sum, row_hashes
from thence.events.tables import is_ibis, slices, to_arrow

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
"""What each ending of a file's name means; ``.gz`` may follow it."""


def find_sources(sources: Any) -> list[Source]:
    """Everything that is to be read, in order.

    Args:
        sources: a path, a folder (searched through), a glob, a pyarrow, pandas or Ibis table, or a list of
            these.

    Raises:
        DataError: nothing is there, or a format is not known.
    """
    many = list(sources) if isinstance(sources, list | tuple | set | frozenset) else [sources]
    found: list[Source] = []
    for one in many:
        if isinstance(one, str | os.PathLike):
            found.extend(_file(path) for path in _paths(os.fspath(one)))
        else:
            found.append(_table(one, f"table {1 + sum(known.format == 'table' for known in found)}"))
    if not found:
        raise DataError("there is nothing to read", fix="Name a file, a folder, a glob or a table.")
    return found


def _paths(text: str) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        if (path / MANIFEST).is_file():
            raise DataError("this is an artifact, not a folder of raw files", where=path)
        paths = [one for one in path.rglob("*") if one.is_file() and _format(one) and _open(one, path)]
    elif path.exists():
        return [path]
    else:
        paths = [Path(one) for one in glob.glob(text, recursive=True) if Path(one).is_file()]  # noqa: PTH207
    if not paths:
        raise DataError("no such file", where=text, fix=f"Folders are searched for {', '.join(FORMATS)}.")
    return sorted(paths)


def _open(path: Path, under: Path) -> bool:
    """Whether a file found in a folder is meant: it is not hidden, and no part of an artifact."""
    inside = path.relative_to(under)
    if any(part.startswith((".", "_")) for part in inside.parts):
        return False
    return not any((under / parent / MANIFEST).is_file() for parent in inside.parents)


def _format(path: Path) -> str | None:
    stem = path.with_suffix("") if path.suffix == ".gz" else path
    return FORMATS.get(stem.suffix.lower())


def _file(path: Path) -> Source:
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
        format_ = "parquet" if start == b"PAR1" else _format(path)
        if format_ is None:
            raise DataError(
                f"the format of {path.suffix or 'a file without ending'} is not known",
                where=path,
                fix=nearest(path.suffix, FORMATS),
            )
        return Source(
            name=str(path),
            format=format_,
            size=path.stat().st_size,
            digest=digest(path),
            path=path,
            zipped=start[:2] == b"\x1f\x8b",
        )
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=path) from error


def _table(table: Any, name: str) -> Source:
    table = table if is_ibis(table) else to_arrow(table)
    total = Sum()
    for piece in slices(table):
        columns = {column: kept(plain(piece[column]))[0] for column in piece.column_names}
        total.add(row_hashes(pa.table(columns), core={}))
    return Source(name=name, format="table", size=total.rows, digest=f"rows:{total.hex()}", table=table)
