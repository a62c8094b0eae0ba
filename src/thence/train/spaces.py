"""What tuning searches: for each method, how far each setting may range.

Ranges are written down where a method's grid is too coarse to search in. A method without an entry is searched
between the least and the largest value of each setting in its grid, and every method that is trained also round
its own settings of training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thence.train.config import TrainConfig
from thence.train.methods import TRAIN, grid_of
from thence.train.recipes import RECIPES, Recipe, softmax_objective


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

SPACES: Mapping[str, Space] = {
    "spectral": {
        "dim": Among((128, 256, 512), start=512),
        "rank": Among((128, 256, 512), start=512),
        "damp": Range(0.0, 0.5, start=0.0),
        "weight_power": Range(0.0, 1.0, start=0.5),
    },
    "lift": {"power": Range(0.0, 1.0)},
    "recent_counts": {"half_life": Range(3.0, 1000.0, log=True, start=56.0)},
    "item_cf": {"power": Range(0.0, 1.5)},
    "cf_reverse": {"weight": Range(0.0, 3.0, start=0.5), "power": Range(0.0, 1.0)},
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
    "page_rank_both": {"alpha": Range(0.05, 0.95), "power": Range(0.0, 1.0)},
    "walk": {
        "steps": Range(1, 5, whole=True),
        "stay": Range(0.0, 2.0, start=0.5),
        "out_power": Range(0.0, 1.0),
        "in_power": Range(0.0, 1.0),
    },
    "hope": {"dim": Among((32, 64, 128, 256, 512)), "decay": Range(0.05, 0.95)},
    "strap": {"dim": Among((32, 64, 128, 256, 512)), "alpha": Range(0.1, 0.95)},
    "app": {
        "alpha": Range(0.1, 0.95),
        "noise_power": Range(0.0, 1.0),
        "rate": Range(0.02, 1.0, log=True, start=0.2),
    },
    "nerd": {
        "hops": Range(1, 4, whole=True),
        "noise_power": Range(0.0, 1.0, start=0.75),
        "rate": Range(0.02, 1.0, log=True, start=0.2),
    },
    "ease": {
        "ridge": Range(0.5, 500.0, log=True),
        "reverse": Range(0.0, 2.0),
        "out_power": Range(0.0, 1.0),
        "in_power": Range(0.0, 1.0),
    },
    "projection": {
        "decay": Range(0.1, 1.0, start=0.5),
        "back": Range(0.0, 1.0),
        "source_power": Range(0.0, 1.0, start=0.5),
        "target_power": Range(0.0, 1.0),
    },
    "dual": {
        "dim": Among((64, 128, 256), start=128),
        "layers": Range(0, 2, whole=True, start=1),
        "fan_out": Among((8, 16, 32, 64), start=32),
        "free_vectors": Among((True, False)),
    },
}
"""Of the methods themselves; settings of training come beside them from :func:`training_of`."""


def training_of(recipe: Recipe) -> dict[str, Range | Among]:
    """What is searched of a learned method's training: as far round its own settings for every method.

    The learning rate ten times up and down, weight decay to a hundred times, batches a quarter to twice as
    large; and where sources are drawn for a softmax, how they are drawn, weighted, and told from reverses.

    Example:
        >>> space = training_of(RECIPES["dual"])
        >>> space["train.batch_size"].values, space["train.learning_rate"].low
        ((128, 256, 512, 1024), 0.0005)
    """
    own = recipe.train
    rate, decay, batch = own.learning_rate, own.weight_decay, own.batch_size
    space: dict[str, Range | Among] = {
        "learning_rate": Range(rate / 10, rate * 10, log=True),
        "weight_decay": Range(decay / 10, decay * 100, log=True) if decay else Among((0.0, 1e-3, 1e-2, 1e-1)),
        "batch_size": Among((max(batch // 4, 1), max(batch // 2, 1), batch, 2 * batch)),
    }
    if recipe.objective is softmax_objective:
        space["source_power"], space["weight_power"] = Range(0.0, 1.0), Range(0.5, 2.0)
        if own.reverse_weight:
            space["reverse_weight"] = Range(own.reverse_weight / 10, own.reverse_weight * 100, log=True)
    return {f"{TRAIN}{key}": one for key, one in space.items()}


def space_of(name: str) -> dict[str, Range | Among]:
    """The space of one method; empty for a method without settings.

    Raises:
        ConfigError: there is no such method.

    Example:
        >>> list(space_of("lift")), space_of("counts")
        (['power'], {})
    """
    grid = grid_of(name)
    found = {key: _between([row[key] for row in grid if key in row]) for row in grid for key in row}
    own = {**found, **SPACES.get(name, {})}
    return own | (training_of(RECIPES[name]) if name in RECIPES else {})


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
