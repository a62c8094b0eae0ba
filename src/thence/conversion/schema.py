"""The columns that a model was fitted on: names, kinds and buckets, and features from columns by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from thence.base.errors import DataError, nearest
from thence.conversion.features import Features
from thence.conversion.sources.hashing import as_numbers, hashed
from thence.events.columns import is_text, plain

Kind = Literal["any", "text", "integer", "code", "number"]
KINDS = ("any", "text", "integer", "code")
_INTEGERS = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)


@dataclass(frozen=True)
class Schema:
    """Columns of features.

    Args:
        names: of the columns of categories, then of numbers.
        buckets: of the columns of categories.
        kinds: of the columns of categories: ``text`` and ``integer`` are hashed by
            :func:`~thence.conversion.sources.hashing.hashed`, ``any`` is either (an integer and its digits have
            different buckets, so that ``any`` cannot tell a mistake), ``code`` is the bucket itself.

    Raises:
        DataError: they do not fit together, or a name stands twice.

    Example:
        >>> schema = Schema(("colour", "hour", "price"), (100, 24), ("text", "code"))
        >>> features = schema.features({"colour": ["red", None], "hour": [23, 0], "price": [9.5, None]})
        >>> features.codes[:, 1].tolist(), features.numbers[:, 0].tolist()
        ([23, 0], [9.5, nan])
        >>> schema.features({"colour": [], "hour": [], "prize": []})
        Traceback (most recent call last):
        thence.base.errors.DataError: the model knows no column 'prize'. Did you mean 'price'?
    """

    names: tuple[str, ...]
    buckets: tuple[int, ...]
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.kinds) != len(self.buckets) or len(self.names) < len(self.buckets):
            raise DataError(f"{len(self.names)} names, {len(self.buckets)} buckets and {len(self.kinds)} kinds")
        if len(set(self.names)) != len(self.names):
            raise DataError("two columns of features have the same name", fix="Give each a name of its own.")
        wrong = set(self.kinds) - set(KINDS)
        if wrong:
            raise DataError(f"a category of kind {wrong.pop()!r}", fix=f"Choose {', '.join(KINDS)}.")

    @classmethod
    def of(cls, features: Features, kinds: Mapping[str, str] | None = None) -> Schema:
        """The schema of features; categories that ``kinds`` does not name are of kind ``any``.

        Raises:
            DataError: ``kinds`` names a column that is not there.
        """
        kinds, columns = kinds or {}, features.names[: len(features.buckets)]
        for name in kinds:
            if name not in columns:
                raise DataError(f"there is no category {name!r}", fix=nearest(name, columns))
        return cls(features.names, features.buckets, tuple(kinds.get(name, "any") for name in columns))

    def check(self, features: Features) -> None:
        """Refuse features of other columns, codes out of range and infinite numbers.

        Raises:
            DataError: with the first difference.
        """
        if features.names != self.names or features.buckets != self.buckets:
            missing = [name for name in self.names if name not in features.names]
            more = [name for name in features.names if name not in self.names]
            said = (
                f"missing {missing}, unknown {more}"
                if missing or more
                else "in another order or of other buckets"
            )
            raise DataError(f"these are not the columns that the model was fitted on: {said}")
        features.check()

    def features(self, columns: Mapping[str, Any]) -> Features:
        """Features from columns by name, in any order.

        Args:
            columns: of each name ``[n]`` values; None for unknown.

        Raises:
            DataError: a column is unknown or missing, their lengths differ, or a value is of another type.
        """
        for name in columns:
            if name not in self.names:
                raise DataError(f"the model knows no column {name!r}", fix=nearest(name, self.names))
        missing = [name for name in self.names if name not in columns]
        if missing:
            raise DataError(f"columns {missing} are missing", fix="Give null for a value that is not known.")
        sizes = {name: len(column) for name, column in columns.items()}
        if len(set(sizes.values())) > 1:
            raise DataError(f"columns differ in length: {sizes}")
        rows, split = next(iter(sizes.values()), 0), len(self.buckets)
        parts = zip(self.names, self.buckets, self.kinds, strict=False)
        codes = [_codes(columns[name], name, size, kind) for name, size, kind in parts]
        numbers = [_numbers(columns[name], name) for name in self.names[split:]]
        return Features(
            np.stack(codes, 1) if codes else np.zeros((rows, 0), np.int32),
            np.stack(numbers, 1) if numbers else np.zeros((rows, 0), np.float32),
            self.buckets,
            self.names,
        )

    def described(self) -> list[dict[str, Any]]:
        """Each column with its kind, and its buckets where it is a category."""
        categories = zip(self.names, self.kinds, self.buckets, strict=False)
        told = [{"name": name, "kind": kind, "buckets": size} for name, kind, size in categories]
        return [*told, *({"name": name, "kind": "number"} for name in self.names[len(self.buckets) :])]


def _codes(column: Any, name: str, buckets: int, kind: str) -> np.ndarray:
    values = _arrow(column, name)
    integers = any(test(values.type) for test in _INTEGERS)
    if not integers and (kind in ("integer", "code") or not is_text(values.type)):
        wanted = "integers" if kind in ("integer", "code") else "strings or integers"
        raise DataError(f"column {name!r} holds {values.type}, {wanted} are wanted")
    if kind == "text" and integers and values.null_count < len(values):
        raise DataError(f"column {name!r} holds {values.type}, strings are wanted")
    if kind != "code":
        return hashed(values, buckets, name)
    if values.null_count:
        raise DataError(f"column {name!r} holds codes and cannot be null")
    codes = np.asarray(values.cast(pa.int64()))
    if len(codes) and (codes.min() < 0 or codes.max() >= buckets):
        raise DataError(f"column {name!r} has codes outside 0 … {buckets - 1}")
    return codes.astype(np.int32)


def _numbers(column: Any, name: str) -> np.ndarray:
    values = _arrow(column, name)
    if is_text(values.type) or pa.types.is_boolean(values.type):
        raise DataError(f"column {name!r} holds {values.type}, numbers are wanted")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        numbers = as_numbers(values, name)
    if np.isinf(numbers).any():
        raise DataError(f"column {name!r} holds an infinite number", fix="Give null for unknown.")
    return numbers


def _arrow(column: Any, name: str) -> pa.Array:
    try:
        values = (
            column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, from_pandas=True)
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise DataError(
            f"column {name!r} holds values of several types, or of one that is not known"
        ) from error
    return plain(values)
