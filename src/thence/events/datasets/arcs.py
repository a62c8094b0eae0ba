"""Graphs that come as lists of arcs in text files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError


def read_arcs_tsv(path: str | Path) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """Arcs from a TSV file, gzip or not: ``source<TAB>target[<TAB>count]``; lines that begin with # are
    comments.

    Returns:
        Source ids and target ids, ``[num_arcs]`` strings each, and counts ``[num_arcs]`` float64 (ones when the
        file has none).

    Raises:
        DataError: the file is absent or a line has not two or three fields of these kinds.
    """
    import pyarrow.csv as pcsv

    path = Path(path)
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            lines = stream.read()
        body = re.sub(rb"(?m)^(#.*|\s*)(\n|\Z)", b"", lines)
        first = body.split(b"\n", 1)[0]
        names = ["source", "target", "count"][: max(2, first.count(b"\t") + 1)]
        types = {"source": pa.string(), "target": pa.string(), "count": pa.float64()}
        if not body:
            return pa.array([], pa.string()), pa.array([], pa.string()), np.zeros(0)
        table = pcsv.read_csv(
            pa.BufferReader(body),
            pcsv.ReadOptions(column_names=names),
            pcsv.ParseOptions(delimiter="\t", quote_char=False),
            pcsv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(f"cannot be read as arcs: {error}", where=path) from error
    counts = table["count"].to_numpy() if "count" in names else np.ones(table.num_rows)
    return table["source"].combine_chunks(), table["target"].combine_chunks(), counts
