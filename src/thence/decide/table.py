"""Tables of scores from any system: Parquet or CSV in, every row that cannot be used counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError, nearest
from thence.decide.sample import Sample
from thence.events.columns import is_text

SCORE, UNCERTAINTY, LABEL = "score", "uncertainty", "label"
ENDINGS = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True)
class Columns:
    """Which columns hold what.

    Args:
        score: of the scores.
        uncertainty: of the uncertainties; None where there are none.
        label: of the labels; None where none are wanted.
    """

    score: str = SCORE
    uncertainty: str | None = UNCERTAINTY
    label: str | None = LABEL

    @property
    def named(self) -> list[str]:
        """Those that are read."""
        return [name for name in (self.score, self.uncertainty, self.label) if name is not None]


@dataclass(frozen=True)
class Refused:
    """Rows of a table that cannot be used.

    Args:
        read: rows read.
        reasons: by reason, how many were refused; a row counts for the first reason alone.

    Example:
        >>> print(Refused(10, {"score missing or not finite": 1}))
        10 read = 9 accepted + 1 refused; score missing or not finite: 1
    """

    read: int
    reasons: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many rows were refused."""
        return sum(self.reasons.values())

    @property
    def share(self) -> float:
        """The share of the rows that were refused."""
        return self.count / self.read if self.read else 0.0

    def __str__(self) -> str:
        """The counts in words."""
        told = "".join(f"; {reason}: {count:,}" for reason, count in self.reasons.items())
        return f"{self.read:,} read = {self.read - self.count:,} accepted + {self.count:,} refused{told}"


@dataclass(frozen=True, eq=False)
class Scores:
    """What a table holds.

    Args:
        sample: the rows that can be used.
        refused: those that cannot, counted.
        segments: by name, values ``[len(sample)]`` of further columns.
    """

    sample: Sample
    refused: Refused
    segments: Mapping[str, np.ndarray]


def read_table(path: str | Path, columns: Collection[str] | None = None) -> pa.Table:
    """A Parquet or CSV file (also ``.csv.gz``) as a table.

    Args:
        path: the file.
        columns: to read; all when None.

    Raises:
        DataError: it is absent, torn, of another format, or a column is missing.
    """
    import pyarrow.csv as pcsv
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=path)
    if not path.name.lower().endswith(ENDINGS):
        raise DataError(
            "the file's name does not say what it is", where=path, fix=f"One of {', '.join(ENDINGS)}."
        )
    try:
        table = pq.read_table(path) if path.suffix.lower() == ".parquet" else pcsv.read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {' '.join(str(error).split())}", where=path) from error
    if len(set(table.column_names)) < len(table.column_names):
        raise DataError("two columns have the same name", where=path)
    for name in columns or ():
        if name not in table.column_names:
            raise DataError(f"there is no column {name!r}", where=path, fix=nearest(name, table.column_names))
    return table if columns is None else table.select(list(dict.fromkeys(columns)))


def read_names(path: str | Path) -> list[str]:
    """The names of a file's columns; of a Parquet file nothing else is read.

    Raises:
        DataError: as for :func:`read_table`.
    """
    import pyarrow.parquet as pq

    path = Path(path)
    if path.is_file() and path.suffix.lower() == ".parquet":
        try:
            return list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"cannot be read: {' '.join(str(error).split())}", where=path) from error
    return read_table(path).column_names


def read_scores(path: str | Path, columns: Columns = Columns(), segments: Collection[str] = ()) -> Scores:
    r"""Scores, uncertainties and labels of a file.

    A row without a finite score and uncertainty and a label is refused and counted; a label that is something
    else than 0 and 1 means that the column is another, and so the whole file is refused.

    Args:
        path: Parquet or CSV.
        columns: which hold what; the label must be named.
        segments: further columns to keep.

    Raises:
        DataError: the file cannot be read, a column is missing or of another type, a label is neither 0 nor 1,
            or no row can be used.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "scores.csv"
        ...     _ = path.write_text("score,uncertainty,label\n.9,1,1\n,2,0\n.2,1,0\n")
        ...     found = read_scores(path)
        >>> found.sample
        Sample(2 cases, 1 positive)
        >>> print(found.refused)
        3 read = 2 accepted + 1 refused; score missing or not finite: 1
    """
    if columns.label is None:
        raise ConfigError("no column of labels is named", where=path)
    table = read_table(path, [*columns.named, *segments])
    if not len(table):
        raise DataError("no rows", where=path)
    values = {name: numbers(table[name], name, path) for name in columns.named[:-1]}
    label = _labels(table[columns.label], columns.label, path)
    keep, reasons = usable(values, len(table))
    unknown = keep & np.isnan(label)
    keep &= ~unknown
    if unknown.any():
        reasons[f"{columns.label} missing"] = int(unknown.sum())
    refused = Refused(len(table), reasons)
    if not keep.any():
        raise DataError(f"no row can be used: {refused}", where=path)
    unsure = None if columns.uncertainty is None else values[columns.uncertainty][keep]
    sample = Sample.make(values[columns.score][keep], unsure, label[keep])
    kept = {name: np.array(table[name].to_pylist(), object)[keep] for name in segments}
    return Scores(sample, refused, kept)


def usable(values: Mapping[str, np.ndarray], rows: int) -> tuple[np.ndarray, dict[str, int]]:
    """Rows whose values are all finite, ``[rows]`` bool, and why the others are not.

    Args:
        values: by name ``[rows]`` float64.
        rows: of the table.

    Example:
        >>> keep, why = usable({"score": np.array([1.0, np.nan]), "doubt": np.array([np.inf, np.inf])}, 2)
        >>> keep.tolist(), why
        ([False, False], {'score missing or not finite': 1, 'doubt missing or not finite': 1})
    """
    keep, reasons = np.ones(rows, bool), {}
    for name, column in values.items():
        wrong = keep & ~np.isfinite(column)
        keep &= ~wrong
        if wrong.any():
            reasons[f"{name} missing or not finite"] = int(wrong.sum())
    return keep, reasons


def numbers(column: pa.ChunkedArray, name: str, where: str | Path) -> np.ndarray:
    """A column as ``[n]`` float64; NaN where it is null.

    Raises:
        DataError: it holds no numbers.
    """
    kind = column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not number and not pa.types.is_null(kind):
        raise DataError(f"column {name!r} holds {kind}, numbers are wanted", where=where)
    return column.cast(pa.float64()).to_numpy()


def _labels(column: pa.ChunkedArray, name: str, where: str | Path) -> np.ndarray:
    """Labels ``[n]`` as 0.0, 1.0 and NaN for unknown."""
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, 1.0, 0.0).to_numpy()
    if is_text(column.type) or pa.types.is_dictionary(column.type):
        first = next((value for value in column.to_pylist() if value is not None), None)
        raise DataError(f"column {name!r} holds strings such as {first!r}", where=where, fix="Give 0 and 1.")
    label = numbers(column, name, where)
    wrong = ~(np.isnan(label) | (label == 0) | (label == 1))
    if wrong.any():
        raise DataError(
            f"column {name!r} holds {label[wrong][0]:g}, which is neither 0 nor 1",
            where=where,
            fix="Give 0 and 1, or name the column that has them.",
        )
    return label
