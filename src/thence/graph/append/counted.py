"""Sorted columns and their folding: pairs that are counted, merged and held against each other.

A table here is a dict of columns of one length, sorted by the column ``key``. A pair of products is one int64,
source · 2³² + target, of the state's own codes of products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from thence.base.mapped import release
from thence.graph.append.groups import distinct, fold, starts_of
from thence.graph.relation.pairs import SHIFT, TARGET

Columns = dict[str, np.ndarray]
Fold = Callable[[Columns], Columns]
BLOCK = 1 << 20
PAIR: dict[str, type] = {"key": np.int64, "support": np.int32, "last_time": np.int64}
SUBSTITUTE: dict[str, type] = {**PAIR, "joint": np.int32}


def join(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Two ints as one int64 that sorts by the first, then by the second."""
    return (high.astype(np.int64) << SHIFT) | low


def part(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two ints of :func:`join`."""
    return key >> SHIFT, key & TARGET


def tally(key: np.ndarray, time: np.ndarray) -> Columns:
    """Count sightings: ``key``, ``support`` and ``last_time`` of each pair, sorted.

    Example:
        >>> {name: column.tolist() for name, column in tally(np.array([7, 5, 7]), np.array([1, 2, 3])).items()}
        {'key': [5, 7], 'support': [1, 2], 'last_time': [2, 3]}
    """
    order = np.argsort(key)
    key, time = key[order], time[order]
    starts = starts_of(key)
    support = np.diff(starts, append=len(key)).astype(np.int32)
    return {"key": key[starts], "support": support, "last_time": fold(np.maximum, time, starts)}


def added(table: Columns) -> Columns:
    """Fold equal keys of sorted rows: counts are added, of times the last remains."""
    starts = starts_of(table["key"])
    folded = {"key": table["key"][starts]}
    for name, column in table.items():
        if name != "key":
            folded[name] = fold(np.maximum if name == "last_time" else np.add, column, starts)
    return folded


def newest(table: Columns) -> Columns:
    """Fold equal keys of sorted rows: the last row of each key remains."""
    last = np.append(starts_of(table["key"])[1:], len(table["key"])) - 1
    return take(table, last[last >= 0])


def every(table: Columns) -> Columns:
    """Fold nothing: all rows remain."""
    return table


def take(table: Mapping[str, np.ndarray], at: np.ndarray | slice) -> Columns:
    """Rows of a table."""
    return {name: column[at] for name, column in table.items()}


def arcs_among(rows: Mapping[str, np.ndarray], least: int) -> np.ndarray:
    """``[n]`` bool: which pairs are seen often enough; substitutes also more often apart than at once."""
    if "joint" not in rows:
        return rows["support"] >= least
    apart = rows["support"] - rows["joint"]
    return (apart >= least) & (apart > rows["joint"])


def concat(tables: Sequence[Mapping[str, np.ndarray]]) -> Columns:
    """Tables one after the other; at least one."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def merge(tables: Sequence[Mapping[str, np.ndarray]], how: Fold, block: int = BLOCK) -> Iterator[Columns]:
    """Sorted tables as one, in blocks that follow one another; of equal keys, earlier tables come first.

    Args:
        tables: sorted tables of the same columns; memory maps are read block by block.
        how: what becomes of rows of one key; all of them are in one block.
        block: about how many rows a block has before it is folded.

    Yields:
        Sorted tables.

    Example:
        >>> old, new = ({"key": np.array(k), "n": np.array(n)} for k, n in (([1, 3], [10, 30]), ([3], [31])))
        >>> [{name: column.tolist() for name, column in block.items()} for block in merge([old, new], newest)]
        [{'key': [1, 3], 'n': [10, 31]}]
    """
    tables = [table for table in tables if len(table["key"])]
    if not tables:
        return
    step = max(1, block // len(tables))
    marks = np.sort(np.concatenate([table["key"][step::step] for table in tables]))
    at = [0] * len(tables)
    for mark in [*distinct(marks[:: len(tables)]), None]:
        ends = [
            len(table["key"]) if mark is None else int(np.searchsorted(table["key"], mark, side="left"))
            for table in tables
        ]
        pieces = [take(t, slice(a, e)) for t, a, e in zip(tables, at, ends, strict=True) if e > a]
        at = ends
        if pieces:
            whole = concat(pieces)
            forget(tables)
            if len(pieces) > 1:
                whole = take(whole, np.argsort(whole["key"], kind="stable"))
            yield how(whole)


def forget(tables: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Give back the memory that maps of files took for what was read of them."""
    for table in tables:
        for column in table.values():
            release(column)


def merged(tables: Sequence[Columns], how: Fold, empty: Mapping[str, type]) -> Columns:
    """All blocks of :func:`merge` as one table; an empty one has the columns and types of ``empty``."""
    blocks = list(merge(tables, how))
    return concat(blocks) if blocks else {name: np.zeros(0, type_) for name, type_ in empty.items()}


def pairs_of(key: np.ndarray, user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each (key, customer) once, sorted."""
    at = np.lexsort((user, key))
    key, user = key[at], user[at]
    starts = starts_of(key, user)
    return key[starts], user[starts]
