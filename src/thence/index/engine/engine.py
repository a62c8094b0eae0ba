"""What a structure does: take rows, and name a pool of rows that may well have the greatest inner product.

How much work a search does has two measures: ``reach``, how far it looks (lists probed, the breadth of a walk
over a graph), and ``pool``, how many candidates it hands over to be scored exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from thence.base.errors import ArtifactError

CHUNK = 1 << 16
"""Rows that are widened and handed over at once."""
T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """How hard to look for ``k`` answers.

    Args:
        reach: lists to probe, or breadth of the walk.
        pool: candidates to score exactly.
        k: answers that these were chosen for.
        deepest: answers up to which more reach and a larger pool were seen to find as large a share; beyond it,
            every node is scored. None where that is not bounded.
    """

    reach: int
    pool: int
    k: int
    deepest: int | None = None


class Engine(Protocol):
    """A structure over rows that are numbered as they were added."""

    @property
    def num_rows(self) -> int:
        """How many rows it holds."""
        ...

    @property
    def width(self) -> int:
        """Length of its rows, the dimension of the bias and padding included."""
        ...

    @property
    def reaches(self) -> tuple[int, ...]:
        """Reaches worth trying, ascending; the last looks at everything, or as far as it can."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its sizes, JSON-able."""
        ...

    def most(self, reach: int) -> int:
        """The largest pool that a search of this reach fills."""
        ...

    def candidates(self, queries: np.ndarray, pool: int, reach: int) -> np.ndarray:
        """``[Q, pool]`` int64 rows for ``[Q, width]`` float32 queries, likeliest first; -1 where fewer."""
        ...

    def cost(self, reach: int, pool: int) -> float:
        """Modelled nanoseconds a query; a plain count of the work, so that choices do not hang on a clock."""
        ...

    def grown(self, chunks: Iterable[np.ndarray]) -> Engine:
        """A structure with more rows; this one stays as it is."""
        ...

    def write(self, folder: Path) -> None:
        """Write files into ``folder``."""
        ...


def chunks_of(rows: np.ndarray, widen: Callable[[slice], np.ndarray]) -> Iterator[np.ndarray]:
    """Slices of ``rows``, widened one after the other."""
    for begin in range(0, len(rows), CHUNK):
        yield widen(slice(begin, begin + CHUNK))


def readable(path: Path, read: Callable[[], T]) -> T:
    """What ``read`` gives.

    Raises:
        ArtifactError: the file cannot be read.
    """
    try:
        return read()
    except ArtifactError:
        raise
    except Exception as error:  # parsers of damaged bytes raise nearly anything
        raise ArtifactError(f"the structure cannot be read: {error}", where=path) from error


def reaches_up_to(lists: int) -> tuple[int, ...]:
    """1, 2, 3, 4, 6, 8, 12 … up to the number of lists.

    Example:
        >>> reaches_up_to(10)
        (1, 2, 3, 4, 6, 8, 10)
    """
    steps = {step for power in range(lists.bit_length()) for step in (1 << power, 3 << power)}
    return (*sorted(step for step in steps if step < lists), lists)
