"""Ibis on Spark, with rows moved as Arrow.

Ibis 12.0 fetches a Spark result through pandas, which turns ints beside nulls into floats and holds the rows
three times over, and brings tables in memory to Spark the same way. This backend differs from Ibis' in these
two things and in nothing else. It is imported only where Spark is asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import pyarrow as pa

from thence.events.rowhash import Sum
from thence.events.spark_session import quiet, spark_session

with quiet():
    import ibis
    from ibis import util
    from ibis.backends.pyspark import Backend as IbisSpark
    from ibis.backends.pyspark.datatypes import PySparkSchema

    ibis.pyspark  # noqa: B018  (looking it up registers its options)


@final
class SparkBackend(IbisSpark):
    """Ibis' Spark backend, with Arrow in both directions."""

    def session(self) -> Any:
        """The Spark session."""
        return self._session

    def frame(self, expr: Any) -> Any:
        """A Spark frame of an expression; nothing is computed yet."""
        self._run_pre_execute_hooks(expr)
        return self._session.sql(self.compile(expr.as_table()))

    def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None) -> Any:  # pyright: ignore
        """The rows of an expression as Arrow."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        found = self._session.sql(self.compile(table, params=params, limit=limit))
        with quiet():
            rows = found.toArrow()
        return expr.__pyarrow_result__(rows.rename_columns(list(table.columns)))

    def to_pyarrow_batches(  # pyright: ignore
        self, expr: Any, /, *, params: Any = None, limit: Any = None, chunk_size: int = 1_000_000
    ) -> Any:
        """The rows of an expression, partition by partition: no more than one of them is held at a time."""
        del params, limit
        schema = expr.as_table().schema().to_pyarrow()
        return pa.RecordBatchReader.from_batches(schema, self._batches(expr, schema, chunk_size))

    def _batches(self, expr: Any, schema: pa.Schema, rows: int) -> Iterator[pa.RecordBatch]:
        frame = self.frame(expr)
        with quiet():
            packed = frame.mapInArrow(_packer(), "rows binary")
            for row in packed.toLocalIterator():
                with pa.ipc.open_stream(pa.py_buffer(row[0])) as stream:
                    table = stream.read_all().rename_columns(schema.names).cast(schema)
                yield from table.to_batches(rows)

    def _register_in_memory_table(self, op: Any) -> None:
        with quiet():
            arrow = op.data.to_pyarrow(op.schema)
            frame = self._session.createDataFrame(arrow, schema=PySparkSchema.from_ibis(op.schema))
        frame.createOrReplaceTempView(op.name)

    def _finalize_in_memory_table(self, name: str) -> None:
        with contextlib.suppress(Exception):  # the session may be gone before the table is
            self._session.catalog.dropTempView(name)

    def _create_cached_table(self, name: str, expr: Any) -> Any:
        frame = self.frame(expr).cache()  # Ibis 12.0 forgets the tables in memory that the expression reads
        frame.createTempView(name)
        self._cached_dataframes[name] = frame
        return self.table(name)

    def _drop_cached_table(self, name: str) -> None:
        with contextlib.suppress(Exception):
            super()._drop_cached_table(name)


def connect(session: Any = None) -> SparkBackend:
    """An Ibis backend on a Spark session; see :func:`~thence.events.spark_session.spark_session` for None."""
    backend = SparkBackend()
    backend.do_connect(session or spark_session())
    return backend


def moved(table: ibis.Table) -> ibis.Table:
    """The same lazy table on this file's backend, where it stands on Ibis' own one."""
    theirs: Any = table.get_backend()
    if isinstance(theirs, SparkBackend):
        return table
    theirs._run_pre_execute_hooks(table)
    return table_of(connect(theirs._session), theirs._session.sql(theirs.compile(table)))


def table_of(con: SparkBackend, frame: Any) -> ibis.Table:
    """A Spark frame as a lazy table of ``con``, under a name that nothing else has."""
    name = util.gen_name("thence")
    frame.createOrReplaceTempView(name)
    return con.table(name)


def viewed(table: Any) -> Any:
    """The same lazy table behind a view: Spark keeps its columns, Ibis would spell them out at each use."""
    con = table.get_backend()
    return table_of(con, con.frame(table))


def files_of(con: SparkBackend, paths: list[Path | str]) -> ibis.Table:
    """Parquet files of one schema as a lazy table of ``con``."""
    return table_of(con, con.session().read.parquet(*[os.fspath(path) for path in paths]))


def frame_of(con: SparkBackend, table: pa.Table) -> ibis.Table:
    """An Arrow table, sent to Spark."""
    with quiet():
        frame = con.session().createDataFrame(table)
    return table_of(con, frame)


def backend_of(backend: Any) -> SparkBackend:
    """A backend of Spark as the one of this file."""
    return backend if isinstance(backend, SparkBackend) else connect(backend._session)


def hash_sum(con: SparkBackend, expr: Any) -> Sum:
    """The sum of the hashes of an expression's rows, taken where the rows are; executors need thence."""
    schema = expr.schema().to_pyarrow()

    def add(batches: Any) -> Any:
        import pyarrow as pa

        from thence.events.rowhash import Sum, row_hashes

        total = Sum()
        for batch in batches:
            total.add(row_hashes(pa.Table.from_batches([batch]).rename_columns(schema.names).cast(schema)))
        rows, lanes = total.parts
        yield pa.record_batch({"rows": [rows], "a": [f"{lanes[0]:x}"], "b": [f"{lanes[1]:x}"]})

    with quiet():
        sums = con.frame(expr).mapInArrow(add, "rows long, a string, b string").toArrow()
    total = Sum()
    for part in sums.to_pylist():
        total.merge(part["rows"], (int(part["a"], 16), int(part["b"], 16)))
    return total


def workers_have(con: SparkBackend, package: str) -> bool:
    """Whether Python on the executors can import a package."""

    def look(batches: Any) -> Any:
        from importlib.util import find_spec

        import pyarrow as pa

        for _ in batches:
            yield pa.record_batch({"found": [find_spec(package) is not None]})

    with quiet():
        found = con.session().range(1).mapInArrow(look, "found boolean").toArrow()
    return bool(found["found"][0].as_py())


def _packer() -> Any:
    """A function for executors that turns Arrow batches into bytes; it carries itself there."""

    def pack(batches: Any) -> Any:
        import pyarrow as pa

        for batch in batches:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            yield pa.record_batch({"rows": pa.array([sink.getvalue().to_pybytes()], pa.binary())})

    return pack
