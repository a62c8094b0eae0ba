"""The engine that works on tables: DuckDB inside the process, or Spark; with bounded memory and room to spill.

All logs of a process share one DuckDB instance, and so one memory limit; each log has a connection of its own,
and so its own names. Nothing above this file knows which engine it is: other rooms write Ibis expressions, and
a log carries the connection that they run on.
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

from thence.base.errors import ConfigError, nearest

if TYPE_CHECKING:
    import ibis

    from thence.events.rowhash import Sum

MEMORY_VARIABLE = "THENCE_MEMORY"
"""Environment variable: the engine's memory limit, such as ``4GiB``. Beyond it queries spill to disk."""

DEFAULT_MEMORY = "1GiB"
ENGINES = ("duckdb", "spark")


def memory_limit() -> str:
    """The memory that an engine may take, as the environment says it."""
    return os.environ.get(MEMORY_VARIABLE, DEFAULT_MEMORY)


@cache
def _instance() -> Any:
    import duckdb

    memory = memory_limit()
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "temp_directory": str(Path(tempfile.gettempdir()) / f"thence-spill-{os.getpid()}"),
        "preserve_insertion_order": False,
    }
    try:
        return duckdb.connect(":memory:", config=settings)
    except duckdb.Error as error:
        raise ConfigError(f"{memory!r} is no memory limit", where=MEMORY_VARIABLE, fix="Write 4GiB.") from error


def connect(engine: Any = "duckdb") -> Any:
    """An Ibis backend.

    Args:
        engine: ``"duckdb"``, a new connection of the shared instance; ``"spark"``, the active Spark session or
            a local one; or a Spark session.

    Raises:
        ConfigError: there is no such engine, or it cannot run here.

    Example:
        >>> connect().name
        'duckdb'
        >>> connect("sparc")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no engine 'sparc'. Did you mean 'spark'?
    """
    if engine == "duckdb":
        import ibis

        return ibis.duckdb.from_connection(_instance().cursor())
    session = _session(engine)
    from thence.events import spark

    return spark.connect(session)


def _session(engine: Any) -> Any:
    """The Spark session that is meant; raise ConfigError where none is."""
    if type(engine).__module__.startswith("pyspark."):
        return engine
    if engine != "spark":
        raise ConfigError(f"no engine {engine!r}", fix=nearest(str(engine), ENGINES))
    from thence.events.spark_session import spark_session

    return spark_session()


def with_arrow(table: ibis.Table) -> ibis.Table:
    """A table that a user brought, on the backend that thence works with: Spark's rows then travel as Arrow."""
    if table.get_backend().name != "pyspark":
        return table
    from thence.events import spark

    return spark.moved(table)


def staged(table: ibis.Table) -> ibis.Table:
    """The same lazy table, behind a view where an engine would else compute its columns once for each use."""
    if table.get_backend().name != "pyspark":
        return table
    from thence.events import spark

    return spark.viewed(table)


def table_of(con: Any, name: str, table: pa.Table) -> ibis.Table:
    """An Arrow table under a name of ``con``: scanned where it lies, or sent to Spark."""
    if con.name == "duckdb":
        con.con.register(name, table)
        return con.table(name)
    if con.name == "pyspark":
        from thence.events import spark

        return spark.frame_of(con, table)
    import ibis

    return ibis.memtable(table)


def files_of(con: Any, name: str, paths: list[Path]) -> ibis.Table:
    """Parquet files of one schema as one table of ``con``, scanned lazily."""
    if con.name == "pyspark":
        from thence.events import spark

        return spark.files_of(con, list(paths))
    return con.read_parquet([str(path) for path in paths], table_name=name)


def batches(expr: ibis.Table, rows: int = 131_072) -> Iterator[pa.RecordBatch]:
    """The rows of an expression as Arrow batches; all at once only where Ibis itself holds them in memory."""
    from ibis.expr.operations import InMemoryTable

    backend: Any = expr.get_backend()
    if expr.op().find(InMemoryTable) and backend.name != "pyspark":
        yield from expr.to_pyarrow().to_batches(rows)
    elif backend.name == "duckdb":  # Ibis 12.0 asks DuckDB 2.0 for a method of older releases
        relation = backend.con.sql(backend.compile(expr))
        yield from relation.to_arrow_reader(rows)
    else:
        yield from expr.to_pyarrow_batches(chunk_size=rows)


def hash_sum(expr: ibis.Table) -> Sum:
    """The sum of the hashes of an expression's rows: on Spark's executors if they have thence, else here."""
    from thence.events.rowhash import Sum, row_hashes

    total, backend = Sum(), expr.get_backend()
    if backend.name == "pyspark":
        from thence.events import spark

        con = spark.backend_of(backend)
        if spark.workers_have(con, "thence"):
            return spark.hash_sum(con, expr)
    for batch in batches(expr):
        total.add(row_hashes(pa.Table.from_batches([batch])))
    return total


def _close() -> None:
    """Close the instance before the interpreter takes its parts away."""
    if _instance.cache_info().currsize:
        _instance().close()
        _instance.cache_clear()


atexit.register(_close)
