"""What tuning searches: for each method, how far each setting may range.

Ranges are written down where a method's grid is too coarse to search in. A method without an entry is searched
between the least and the largest value of each setting in its grid, and every method that is trained also over
the settings of training in :data:`TRAINING`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thence.train.config import TrainConfig
from thence.train.methods import TRAIN, grid_of
from thence.train.recipes import RECIPES


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Args:
        low: the least.
        high: the largest.
        log: draw evenly on the logarithm.
        whole: ints only.
        start: where the search begins when the method's grid does not say; the middle when not given.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    start: float | None = None

    @property
    def first(self) -> Any:
        """Where the search begins.

        Example:
            >>> Range(1.0, 100.0, log=True).first, Range(0, 4, whole=True, start=1).first
            (10.0, 1)
        """
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return self.nearest(middle if self.start is None else self.start)

    def nearest(self, value: Any) -> Any:
        """The number of the range that is nearest to a value.

        Example:
            >>> Range(0.0, 1.0).nearest(1.3), Range(1, 4, whole=True).nearest(2)
            (1.0, 2)
        """
        held = min(max(value, self.low), self.high)
        return round(held) if self.whole else float(held)


@dataclass(frozen=True)
class Among:
    """One of a few values.

    Args:
        values: the values, each as JSON knows it: a bool, an int, a float, a text or a list of them.
        start: where the search begins when the method's grid does not say; the first when not given.
    """

    values: tuple[Any, ...]
    start: Any = None

    @property
    def first(self) -> Any:
        """Where the search begins.

        Example:
            >>> Among((64, 128, 256), start=128).first
            128
        """
        return self.values[0] if self.start is None else self.start

    def nearest(self, value: Any) -> Any:
        """The value itself where it is among them, the nearest number, or the first.

        Example:
            >>> Among((64, 128, 256)).nearest(100), Among(("a", "b")).nearest("c")
            (128, 'a')
        """
        if value in self.values:
            return value
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (*self.values, value))
        return min(self.values, key=lambda one: abs(one - value)) if numbers else self.values[0]


Space = Mapping[str, Range | Among]

TRAINING: Space = {
    "train.learning_rate": Range(1e-3, 3e-2, log=True),
    "train.weight_decay": Range(1e-2, 10.0, log=True),
    "train.source_power": Range(0.0, 1.0),
    "train.weight_power": Range(0.5, 2.0),
    "train.reverse_weight": Range(1e-2, 10.0, log=True),
    "train.batch_size": Among((128, 256, 512, 1024)),
}
"""Of every method that is trained."""

SPACES: Mapping[str, Space] = {
    "lift": {"power": Range(0.0, 1.0)},
    "item_cf": {"power": Range(0.0, 1.5)},
    "svd": {
        "dim": Among((32, 64, 128, 256, 512), start=128),
        "out_power": Range(0.0, 1.0),
        "in_power": Range(0.0, 1.0),
    },
    "page_rank": {
        "alpha": Range(0.05, 0.95),
        "steps": Range(1, 6, whole=True, start=4),
        "power": Range(0.0, 1.0),
    },
    "dual": {
        "dim": Among((64, 128, 256), start=128),
        "layers": Range(0, 2, whole=True, start=1),
        "fan_out": Among((8, 16, 32, 64), start=32),
        "free_vectors": Among((True, False)),
        **TRAINING,
    },
}


def space_of(name: str) -> dict[str, Range | Among]:
    """The space of one method; empty for a method without settings.

    Raises:
        ConfigError: there is no such method.

    Example:
        >>> list(space_of("lift")), space_of("counts")
        (['power'], {})
    """
    grid = grid_of(name)
    if name in SPACES:
        return dict(SPACES[name])
    space = {key: _between([row[key] for row in grid if key in row]) for row in grid for key in row}
    return space | (dict(TRAINING) if name in RECIPES else {})


def start_of(name: str) -> dict[str, Any]:
    """Where the search of a method begins: the first of its grid and its own settings of training.

    Example:
        >>> start_of("dual")["train.learning_rate"], start_of("dual")["dim"]
        (0.005, 128)
    """
    given = dict(grid_of(name)[0])
    if name in RECIPES:
        train = RECIPES[name].train
        given |= {f"{TRAIN}{key}": getattr(train, key) for key in TrainConfig.__dataclass_fields__}
    space = space_of(name)
    return {key: one.nearest(given[key]) if key in given else one.first for key, one in space.items()}


def _between(values: list[Any]) -> Range | Among:
    """The space that the values of a grid span."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        plain = [list(value) if isinstance(value, tuple) else value for value in values]  # as JSON has them
        return Among(tuple(value for at, value in enumerate(plain) if value not in plain[:at]))
    low, high = min(values), max(values)
    if low == high:
        return Among((low,))
    whole = all(isinstance(value, int) for value in values)
    return Range(low, high, log=low > 0 and high >= 8 * low, whole=whole)
