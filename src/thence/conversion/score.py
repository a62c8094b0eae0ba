"""A table of exposures with a column more: the probability that each converts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.errors import DataError
from thence.conversion.model import ConversionModel

COLUMN = "probability"
ROWS = 262_144


def score_table(model: ConversionModel, table: Path, into: Path) -> tuple[int, float]:
    """Write a Parquet table with the probability of each row, batch by batch; all or nothing is written.

    Args:
        model: a fitted one.
        table: Parquet file with the columns that the model was fitted on, and any others.
        into: file to write; one that stands there is replaced.

    Returns:
        Rows, and the sum of their probabilities.

    Raises:
        DataError: the file is absent or torn, a column is missing or of another type, or there is one named
            ``probability`` already.
    """
    if not table.is_file():
        raise DataError("no such file", where=table)
    beside = into.with_name(into.name + ".part")
    rows, total = 0, 0.0
    try:
        with pq.ParquetFile(table) as source:
            schema = source.schema_arrow
            if COLUMN in schema.names:
                raise DataError(f"there is a column {COLUMN!r} already", where=table, fix="Rename it.")
            missing = [name for name in model.schema.names if name not in schema.names]
            if missing:
                raise DataError(f"columns {missing} are missing", where=table)
            with pq.ParquetWriter(beside, schema.append(pa.field(COLUMN, pa.float64()))) as sink:
                for batch in source.iter_batches(ROWS):
                    columns = {name: batch[name] for name in model.schema.names}
                    chance = model.predict_proba(model.schema.features(columns))[:, 1]
                    sink.write_batch(pa.record_batch([*batch.columns, pa.array(chance)], schema=sink.schema))
                    rows, total = rows + len(chance), total + float(chance.sum())
        beside.replace(into)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"cannot be read or written: {error}", where=table) from error
    finally:
        beside.unlink(missing_ok=True)
    return rows, total
