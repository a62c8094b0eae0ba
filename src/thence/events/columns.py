"""Arrow arrays of any type brought to the types that a log keeps, and written as text where types differ.

The text of a value does not depend on the type that holds it: the int 5, the float 5.0 and the string "5" all
read "5". A column may therefore be widened at any time without two equal rows becoming different.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc

EXACT = 2.0**53
"""Floats below it hold every int."""


def plain(column: Any) -> pa.Array:
    """One contiguous array without dictionary encoding."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(column, pa.ChunkedArray):  # a chunked array of no chunks stays one
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def is_text(type_: pa.DataType) -> bool:
    """Whether values of the type are strings or bytes."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, _is_bytes)
    return any(test(type_) for test in tests)


def as_string(column: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
    """Text or bytes as strings, empty ones as null.

    Returns:
        The strings ``[n]``, and a mask ``[n]`` of rows that are not valid UTF-8 (None when all are); those rows
        are null.
    """
    broken = None
    if _is_bytes(column.type):
        column = column.cast(pa.binary())
        try:
            column = column.cast(pa.string())
        except pa.ArrowInvalid:
            broken = np.array([value is not None and not _decodes(value) for value in column.to_pylist()])
            emptied = pc.if_else(pa.array(broken), pa.scalar(b"", pa.binary()), column)
            column = emptied.cast(pa.string())  # a null would leave the bytes where they are
    elif column.type != pa.string():
        column = column.cast(pa.string())
    empty = pc.equal(pc.binary_length(column), 0)
    return (
        pc.if_else(empty, pa.scalar(None, pa.string()), column) if pc.any(empty).as_py() else column
    ), broken


def kept(column: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
    """A further column in one of the kept types, and the mask of rows that are not valid UTF-8 (or None)."""
    type_, t = column.type, pa.types
    if is_text(type_):
        return as_string(column)
    if t.is_boolean(type_) or t.is_null(type_) or type_ in (pa.int64(), pa.float64(), pa.date32()):
        return column, None
    if t.is_uint64(type_) and len(column) and (pc.max(column).as_py() or 0) > np.iinfo(np.int64).max:
        return column.cast(pa.string()), None
    if t.is_integer(type_):
        return column.cast(pa.int64()), None
    if t.is_floating(type_) or t.is_decimal(type_):
        return column.cast(pa.float64(), safe=False), None
    if t.is_date64(type_):
        return column.cast(pa.date32(), safe=False), None
    if t.is_timestamp(type_):
        return column.cast(pa.timestamp("us", type_.tz), safe=False).cast(pa.timestamp("us")), None
    if t.is_nested(type_):
        texts = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return pa.array(texts, pa.string()), None
    return column.cast(pa.string()), None


def text(column: pa.Array) -> pa.Array:
    """A column of a kept type as strings whose spelling does not depend on the type.

    Example:
        >>> text(pa.array([1.0, 0.5, -0.0])).to_pylist(), text(pa.array([True])).to_pylist()
        (['1', '0.5', '0'], ['true'])
    """
    if column.type == pa.float64():
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), EXACT))
        ints = pc.if_else(whole, column, 0.0).cast(pa.int64())
        return pc.if_else(whole, ints.cast(pa.string()), column.cast(pa.string()))
    if column.type == pa.timestamp("us"):
        days = column.cast(pa.date32(), safe=False)
        midnight = pc.equal(days.cast(pa.timestamp("us")), column)
        return pc.if_else(midnight, days.cast(pa.string()), column.cast(pa.string()))
    return column.cast(pa.string())


def widen(column: Any, type_: pa.DataType) -> Any:
    """A column of a kept type in a wider one."""
    if column.type == type_:
        return column
    if type_ != pa.string():
        return column.cast(type_, safe=False)
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([text(chunk) for chunk in column.chunks], pa.string())
    return text(column)


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table in a schema that unites its own: columns in its order, types widened, absent ones null."""
    columns = [
        widen(table[name], type_) if name in table.column_names else pa.nulls(table.num_rows, type_)
        for name, type_ in zip(schema.names, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _is_bytes(type_: pa.DataType) -> bool:
    t = pa.types
    return any(
        test(type_) for test in (t.is_binary, t.is_large_binary, t.is_fixed_size_binary, t.is_binary_view)
    )


def _decodes(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
