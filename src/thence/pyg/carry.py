"""What a sampler holds, made small for another process: arrays that lie in a file are named, not copied."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError


@dataclass(frozen=True)
class Mapped:
    """Where a mapped array lies: enough to map it again."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    def open(self) -> np.ndarray:
        """The array, mapped read-only.

        Raises:
            ArtifactError: the file is gone or too short.
        """
        try:
            return np.memmap(self.path, np.dtype(self.dtype), "r", self.offset, self.shape)
        except (OSError, ValueError) as error:
            raise ArtifactError(f"a mapped array cannot be opened again: {error}", where=self.path) from error


def packed(thing: Any) -> Any:
    """A copy in which each array that is a read-only map of a file is a :class:`Mapped`.

    Dicts, lists, tuples and objects of thence are gone through; whatever stands in several places still does.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     np.save(f"{tmp}/a.npy", np.arange(9))
        ...     small = packed({"a": np.load(f"{tmp}/a.npy", mmap_mode="r")[2:]})
        ...     small["a"].shape, unpacked(small)["a"].tolist()
        ((7,), [2, 3, 4, 5, 6, 7, 8])
    """
    return _changed(thing, _named, {})


def unpacked(thing: Any) -> Any:
    """The thing that :func:`packed` made small.

    Raises:
        ArtifactError: a file is gone or too short.
    """
    return _changed(thing, lambda each: each.open() if isinstance(each, Mapped) else each, {})


def _changed(thing: Any, leaf: Callable[[Any], Any], done: dict[int, tuple[Any, Any]]) -> Any:
    if id(thing) in done:
        return done[id(thing)][1]
    if isinstance(thing, np.ndarray | Mapped):
        made = leaf(thing)
    elif type(thing) is dict:
        made = {key: _changed(value, leaf, done) for key, value in thing.items()}
    elif type(thing) in (list, tuple):
        made = type(thing)(_changed(value, leaf, done) for value in thing)
    elif type(thing).__module__.startswith("thence.") and hasattr(thing, "__dict__"):
        made = object.__new__(type(thing))
        done[id(thing)] = thing, made
        made.__dict__.update(_changed(vars(thing), leaf, done))
    else:
        made = thing
    done[id(thing)] = thing, made  # the thing is kept, so that no other gets its id meanwhile
    return made


def _named(array: np.ndarray) -> Any:
    """A :class:`Mapped` for an array that can be mapped again, else the array."""
    root: Any = array
    while isinstance(root, np.ndarray) and not isinstance(root.base, mmap.mmap):
        root = root.base
    if not isinstance(root, np.memmap) or root.mode != "r" or root.filename is None:
        return array
    if not array.size or not array.flags.c_contiguous or not Path(root.filename).exists():
        return array
    ahead = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return Mapped(str(root.filename), array.dtype.str, array.shape, root.offset + ahead)
