"""The embedded engine: Ibis on DuckDB, with a bound on its memory and a place to spill to.

All logs of a process share one DuckDB instance, and so one memory limit; each log has a connection of its own,
and so its own names. Nothing above this file knows that it is DuckDB: other rooms write Ibis expressions.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from thence.base.errors import ConfigError

if TYPE_CHECKING:
    import ibis

MEMORY_VARIABLE = "THENCE_MEMORY"
"""Environment variable: DuckDB's memory limit, such as ``4GiB``. Beyond it queries spill to disk."""

DEFAULT_MEMORY = "1GiB"


@cache
def _instance() -> Any:
    import duckdb

    memory = os.environ.get(MEMORY_VARIABLE, DEFAULT_MEMORY)
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(Path(tempfile.gettempdir()) / f"thence-spill-{os.getpid()}"),
        "preserve_insertion_order": False,
    }
    try:
        return duckdb.connect(":memory:", config=settings)
    except duckdb.Error as error:
        raise ConfigError(f"{memory!r} is no memory limit", where=MEMORY_VARIABLE, fix="Write 4GiB.") from error


def connect() -> Any:
    """An Ibis backend on a new connection of the shared instance."""
    import ibis

    return ibis.duckdb.from_connection(_instance().cursor())


def table_of(con: Any, name: str, table: pa.Table) -> ibis.Table:
    """An Arrow table under a name of ``con``, scanned where it lies."""
    con.con.register(name, table)
    return con.table(name)


def files_of(con: Any, name: str, paths: list[Path]) -> ibis.Table:
    """Parquet files of one schema as one table of ``con``, scanned lazily."""
    return con.read_parquet([str(path) for path in paths], table_name=name)


def batches(expr: ibis.Table, rows: int = 131_072) -> Iterator[pa.RecordBatch]:
    """The rows of an expression as Arrow batches; all at once only where Ibis itself holds them in memory."""
    from ibis.expr.operations import InMemoryTable

    if expr.op().find(InMemoryTable):
        yield from expr.to_pyarrow().to_batches(rows)
        return
    backend: Any = expr.get_backend()
    if backend.name == "duckdb":  # Ibis 12.0 asks DuckDB 2.0 for a method of older releases
        relation = backend.con.sql(backend.compile(expr))
        yield from relation.to_arrow_reader(rows)
    else:
        yield from expr.to_pyarrow_batches(chunk_size=rows)


def _close() -> None:
    """Close the instance before the interpreter takes its parts away."""
    if _instance.cache_info().currsize:
        _instance().close()
        _instance.cache_clear()


atexit.register(_close)
