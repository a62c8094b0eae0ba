"""Venn-Abers within levels of uncertainty, and over all cases where a level has too few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError
from thence.decide.calibrate.venn_abers import VennAbers, merged
from thence.decide.levels import level_cuts, level_of
from thence.decide.sample import Sample, finite

ENOUGH = 50
"""Cases of either class from which on a level stands by itself."""


@dataclass(frozen=True, eq=False)
class VennAbersLevels:
    """One Venn-Abers fit a level; a case is read from that of its own uncertainty.

    Args:
        cuts: ``[levels - 1]`` rising uncertainties.
        parts: ``[levels]`` fits; the pooled one, the same object, where a level had too few.
        pooled: the fit to all cases.

    Example:
        >>> score = np.tile([1.0, 2.0], 4)
        >>> unsure, label = np.repeat([0.0, 1.0], 4), np.array([0, 1, 0, 1, 1, 0, 1, 0])
        >>> fitted = VennAbersLevels.fit(score, unsure, label, levels=2, enough=2)
        >>> fitted.rate([2.0, 2.0], [0.0, 1.0]).round(3).tolist()
        [0.75, 0.5]
        >>> VennAbersLevels.fit(score, unsure, label, levels=2).own
        [False, False]
    """

    cuts: np.ndarray
    parts: tuple[VennAbers, ...]
    pooled: VennAbers

    @classmethod
    def fit(
        cls,
        score: ArrayLike,
        uncertainty: ArrayLike,
        label: ArrayLike,
        *,
        levels: int = 5,
        enough: int = ENOUGH,
    ) -> VennAbersLevels:
        """A fit for each level with enough cases of either class.

        Args:
            score: ``[n]`` on any finite scale.
            uncertainty: ``[n]`` on any finite scale.
            label: ``[n]`` of 0 and 1.
            levels: of as many cases each.
            enough: positive, and negative, cases that a level needs to stand by itself.

        Raises:
            DataError: a value cannot be used, or all labels are alike.
            ConfigError: fewer than one level, or ``enough`` is below 1.
        """
        if enough < 1:
            raise ConfigError(f"enough is {enough}", fix="Give at least 1.")
        sample = Sample.make(score, uncertainty, label).both_classes()
        cuts = level_cuts(sample.uncertainty, levels)
        level = level_of(sample.uncertainty, cuts)
        pooled = VennAbers.fit(sample.score, sample.label)
        parts = []
        for at in range(len(cuts) + 1):
            inside = sample[level == at]
            own = min(inside.positives, len(inside) - inside.positives) >= enough
            parts.append(VennAbers.fit(inside.score, inside.label) if own else pooled)
        return cls(cuts, tuple(parts), pooled)

    @property
    def own(self) -> list[bool]:
        """Whether each level stands by itself."""
        return [part is not self.pooled for part in self.parts]

    def interval(self, score: ArrayLike, uncertainty: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """p0 and p1 of cases ``[n]``, both ``[n]`` in [0, 1]."""
        values, unsure = finite(score, "score"), finite(uncertainty, "uncertainty")
        if len(values) != len(unsure):
            raise DataError(f"{len(values)} scores and {len(unsure)} uncertainties", fix="Give one of each.")
        level = level_of(unsure, self.cuts)
        low, high = np.empty(len(values)), np.empty(len(values))
        for at, part in enumerate(self.parts):
            rows = level == at
            low[rows], high[rows] = part.interval(values[rows])
        return low, high

    def rate(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Calibrated rates ``[n]`` in [0, 1] of cases ``[n]``."""
        return merged(*self.interval(score, uncertainty))

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep: the pooled fit, and the parts that stand by themselves, numbered."""
        kept = {"cuts": self.cuts, "own": np.array(self.own, np.uint8)}
        parts = {"pooled": self.pooled} | {
            str(at): part for at, (part, own) in enumerate(zip(self.parts, self.own, strict=True)) if own
        }
        return kept | {f"{name}.{key}": a for name, part in parts.items() for key, a in part.arrays().items()}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> VennAbersLevels:
        """From what :meth:`arrays` kept."""

        def part(name: str) -> VennAbers:
            return VennAbers.of({key: arrays[f"{name}.{key}"] for key in ("below", "p0", "above", "p1")})

        pooled = part("pooled")
        parts = [part(str(at)) if own else pooled for at, own in enumerate(arrays["own"])]
        return cls(arrays["cuts"], tuple(parts), pooled)
