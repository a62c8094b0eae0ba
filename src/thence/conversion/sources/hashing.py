"""Categories as buckets, the same on every machine and in every run; and numbers tamed without looking at data.

    code = 0 where unknown,  1 + h(column, value) mod (buckets - 1) otherwise

with h the 64-bit hash that the event log settles repeats with, salted with the column's name. Nothing is
fitted: a value that comes first in the last week has its bucket from the start, and no vocabulary can tell of
later days.

Reference: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.errors import ConfigError, DataError
from thence.base.rng import derive_seed
from thence.conversion.features import Features
from thence.events.columns import is_text, plain

BUCKETS = 16_384
"""Buckets of a column where nothing else is said."""
Buckets = int | Mapping[str, int]
"""Buckets of every column, or of each by name (the others have :data:`BUCKETS`)."""


def hashed(values: Any, buckets: int = BUCKETS, salt: str = "") -> np.ndarray:
    """Buckets of strings, bytes, bools or ints.

    Args:
        values: ``[n]`` an Arrow array, a NumPy array or a list; None for unknown. Equal ints of any width have
            equal hashes; an int and its digits as a string have not.
        buckets: how many there are, bucket 0 for unknown included.
        salt: name of the column; values collide otherwise in other columns.

    Returns:
        ``[n]`` int32 from 0 to ``buckets - 1``.

    Raises:
        ConfigError: fewer than two buckets.
        DataError: the values are of no such type.

    Example:
        >>> hashed(["red", None, "blue", "red"], 1000, "colour").tolist()
        [146, 0, 572, 146]
        >>> hashed([7, 8, 7], 1000, "item").tolist() == hashed(np.array([7, 8, 7], "i1"), 1000, "item").tolist()
        True
    """
    if not 2 <= buckets <= np.iinfo(np.int32).max:
        raise ConfigError(f"{buckets} buckets for {salt or 'a column'}", fix="Give at least two.")
    column = _arrow(values)
    if is_text(column.type):
        encoded = column.dictionary_encode()
        codes = _of_words(plain(encoded.dictionary), buckets, salt)
        place = np.asarray(encoded.indices.fill_null(len(codes)))
        return np.append(codes, np.int32(0))[place]
    return _of_words(column, buckets, salt)


def _arrow(values: Any) -> pa.Array:
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        values = pa.array(values, from_pandas=True)
    column, test = plain(values), pa.types
    if test.is_null(column.type):
        return column.cast(pa.int64())
    if test.is_boolean(column.type):
        return column.cast(pa.int8()).cast(pa.int64())
    if is_text(column.type):
        binary = test.is_binary(column.type) or test.is_string(column.type)
        return column if binary else column.cast(pa.string())
    if test.is_uint64(column.type):
        return pa.array(np.asarray(column.fill_null(0)).view(np.int64), mask=np.asarray(column.is_null()))
    if not test.is_integer(column.type):
        raise DataError(f"values of type {column.type} are no categories", fix="Give strings, bools or ints.")
    return column.cast(pa.int64())


def _of_words(column: pa.Array, buckets: int, salt: str) -> np.ndarray:
    from thence.events.kernels import hash_strings, hash_words

    lanes, seed = np.zeros((2, len(column)), np.uint64), derive_seed(0, "category", salt)
    valid = np.asarray(column.is_valid())
    if is_text(column.type):
        hash_strings(column, seed, lanes)
    else:
        hash_words(np.ascontiguousarray(np.asarray(column.fill_null(0))), valid, seed, lanes)
    return np.where(valid, 1 + lanes[0] % np.uint64(buckets - 1), 0).astype(np.int32)


def signed_log(numbers: Any) -> np.ndarray:
    """sign(x) · log(1 + |x|), float32: heavy tails tamed without quantiles of anything; NaN stays.

    Example:
        >>> signed_log([0.0, 1.0, -1.0, 1e6]).round(2).tolist()
        [0.0, 0.6899999976158142, -0.6899999976158142, 13.8199996948...]
    """
    values = np.asarray(numbers, np.float64)
    return (np.sign(values) * np.log1p(np.abs(values))).astype(np.float32)


def describe(
    categories: Mapping[str, Any], numbers: Mapping[str, Any] | None = None, buckets: Buckets = BUCKETS
) -> Features:
    """Features from columns by name.

    Args:
        categories: columns to hash.
        numbers: columns of numbers, taken as they are; NaN or None for unknown.
        buckets: of the columns of categories.

    Raises:
        DataError: columns differ in length or hold no such values.

    Example:
        >>> describe({"colour": ["red", "blue"]}, {"price": [1.0, None]}, buckets=100)
        Features(2 rows, 1 categorical of 100 buckets, 1 numeric)
    """
    numbers = numbers or {}
    sizes = tuple(buckets_of(name, buckets) for name in categories)
    codes = [hashed(column, size, name) for (name, column), size in zip(categories.items(), sizes, strict=True)]
    values = [as_numbers(column, name) for name, column in numbers.items()]
    lengths = {len(column) for column in (*codes, *values)}
    if len(lengths) > 1:
        raise DataError(f"columns of features have {sorted(lengths)} rows")
    rows = lengths.pop() if lengths else 0
    return Features(
        np.stack(codes, 1) if codes else np.zeros((rows, 0), np.int32),
        np.stack(values, 1) if values else np.zeros((rows, 0), np.float32),
        sizes,
        (*categories, *numbers),
    )


def buckets_of(name: str, buckets: Buckets) -> int:
    """The buckets of one column."""
    return buckets if isinstance(buckets, int) else buckets.get(name, BUCKETS)


def as_numbers(column: Any, name: str) -> np.ndarray:
    """A column as ``[n]`` float32, NaN for unknown.

    Raises:
        DataError: it holds no numbers.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        return column.astype(np.float32)
    values = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
    try:
        return np.asarray(plain(values).cast(pa.float64()).fill_null(np.nan), np.float32)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"column {name!r} holds no numbers: {error}") from error
