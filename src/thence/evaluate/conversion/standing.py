"""Estimators side by side: over seeds, against the model that never moves, and against the oracle.

With M a metric's mean over seeds, P the model that the stream began with and O the oracle,

    RI = (M - M_P) / (M_O - M_P)

is the share of what could be gained that was gained; it is not defined where P and O are within noise. Noise is
a paired bootstrap over time blocks: blocks are drawn with replacement, the same ones for all methods, and the
variance over seeds, s² / seeds, is added to that of the draws. Blocks are taken as independent of each other.

Reference: Gu et al., "Real negatives matter: continuous training with real negatives for delayed feedback
modeling", KDD 2021 (relative improvement over the pre-trained model).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from thence.base.errors import DataError
from thence.evaluate.bootstrap import bootstrap, interval
from thence.evaluate.conversion.judge import ENOUGH, METRICS, Judged
from thence.evaluate.tallies import Tally

PRETRAINED, ORACLE, OURS = "pretrained", "oracle", "ours"
PLAIN = (PRETRAINED, "naive", "wait")
"""What costs nothing to think of; not counted among published estimators."""
RESAMPLES = 1000
NOISE = 2.0
"""Standard errors that a difference must exceed."""


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another; positive is better, also for NLL.

    Args:
        value: the difference.
        low: lower end of the 95 % interval over draws of time blocks.
        high: upper end.
        error: standard error, over blocks and seeds.
    """

    value: float
    low: float
    high: float
    error: float

    @property
    def errors(self) -> float:
        """The difference in standard errors; 0 where both are the same."""
        if self.error > 0:
            return self.value / self.error
        return 0.0 if self.value == 0 else math.copysign(math.inf, self.value)


def recovered(value: float, pretrained: float, oracle: float) -> float:
    """The share of what could be gained that was gained, RI.

    Raises:
        DataError: there was nothing to be gained.

    Example:
        >>> recovered(0.835, 0.8158, 0.8414).__round__(2)
        0.75
    """
    if oracle == pretrained:
        raise DataError("the oracle is not better than the model that never moved")
    return (value - pretrained) / (oracle - pretrained) + 0.0  # no minus zero


@dataclass(frozen=True, eq=False)
class Standing:
    """All methods on one data set.

    Args:
        runs: by method, what was judged with each seed; the same seeds and blocks for all methods.
        resamples: draws of the bootstrap.

    Raises:
        DataError: methods have different numbers of seeds.
    """

    runs: Mapping[str, Sequence[Judged]]
    resamples: int = RESAMPLES
    _draws: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        counts = {len(judged) for judged in self.runs.values()}
        if len(counts) != 1 or 0 in counts:
            raise DataError("methods were not judged with the same seeds")

    @property
    def methods(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.runs)

    @property
    def published(self) -> tuple[str, ...]:
        """Those that are neither plain, nor ours, nor the oracle."""
        return tuple(name for name in self.runs if name not in (*PLAIN, ORACLE) and not name.startswith(OURS))

    def values(self, method: str, metric: str) -> list[float]:
        """A figure with each seed; shorter where a seed has none."""
        found = (judged.figures().get(metric) for judged in self.runs[method])
        return [value for value in found if value is not None]

    def value(self, method: str, metric: str) -> float | None:
        """The mean over seeds, or of all seeds together for ages; None where a seed has none."""
        if metric == "calibration_by_age":
            worst = Judged.pooled(self.runs[method]).worst_age(ENOUGH * len(self.runs[method]))
            return None if worst is None else worst[1]
        found = self.values(method, metric)
        return statistics.fmean(found) if len(found) == len(self.runs[method]) else None

    def difference(self, method: str, other: str, metric: str) -> Difference | None:
        """How much better a method is than another one by AUC, PRAUC or NLL; None where one has no figure."""
        first, second = self.values(method, metric), self.values(other, metric)
        seeds = len(self.runs[method])
        if not len(first) == len(second) == seeds:
            return None
        sign = -1.0 if metric == "NLL" else 1.0
        gaps = [sign * (a - b) for a, b in zip(first, second, strict=True)]
        draws = sign * (self._replicates(method, metric) - self._replicates(other, metric))
        draws = draws[np.isfinite(draws)]
        over_seeds = statistics.variance(gaps) / seeds if seeds > 1 else 0.0
        error = math.sqrt((float(draws.var(ddof=1)) if len(draws) > 1 else 0.0) + over_seeds)
        value = statistics.fmean(gaps)
        ends = interval(value, draws)
        return Difference(value, ends.low, ends.high, error)

    def room(self, metric: str) -> Difference | None:
        """What there is to be gained: the oracle against the model that never moved."""
        if ORACLE not in self.runs or PRETRAINED not in self.runs:
            return None
        return self.difference(ORACLE, PRETRAINED, metric)

    def ri(self, method: str, metric: str) -> float | None:
        """RI by AUC or NLL; None where the oracle and the model that never moved are within noise."""
        room = self.room(metric)
        value = self.value(method, metric)
        if room is None or value is None or not room.errors > NOISE:
            return None
        start, best = self.value(PRETRAINED, metric), self.value(ORACLE, metric)
        return None if start is None or best is None else recovered(value, start, best)

    def undefined(self) -> tuple[str, ...]:
        """Metrics whose RI is not defined."""
        return tuple(name for name in ("AUC", "NLL") if self.ri(ORACLE, name) is None) if self.runs else ()

    def beyond_oracle(self) -> tuple[float, str]:
        """The largest excess over the oracle by AUC or NLL, in standard errors beyond 2, and whose it is.

        Returns:
            0 and an empty name where nothing is better than the oracle by more than noise.
        """
        worst, name = 0.0, ""
        for method in self.runs if ORACLE in self.runs else ():
            for metric in ("AUC", "NLL"):
                gap = self.difference(method, ORACLE, metric)
                if gap is not None and gap.errors - NOISE > worst:
                    worst, name = gap.errors - NOISE, method
        return worst, name

    def best(self, metric: str, among: Sequence[str]) -> str | None:
        """The method with the best mean of a metric."""
        found = {name: value for name in among if (value := self.value(name, metric)) is not None}
        if not found:
            return None
        if metric in ("AUC", "PRAUC", "RI_AUC", "RI_NLL"):
            return max(found, key=lambda name: found[name])
        return min(found, key=lambda name: found[name])

    def flat(self) -> dict[str, float]:
        """All figures by dotted names: ``METHOD.METRIC``, and ``.std`` over seeds where there are several."""
        flat: dict[str, float] = {}
        for method, judged in self.runs.items():
            for metric in dict.fromkeys(name for one in judged for name in one.figures()):
                _put(flat, f"{method}.{metric}", self.values(method, metric), self.value(method, metric))
            for metric in ("AUC", "NLL"):
                each = [alone for alone in self._each(method, metric) if alone is not None]
                _put(flat, f"{method}.RI_{metric}", each, self.ri(method, metric))
        for metric in (*METRICS, "ECE", "calibration_by_age"):
            best = self.best(metric, self.published)
            if best is not None:
                flat[f"best_published.{metric}"] = flat[f"{best}.{metric}"]
                if metric in ("AUC", "NLL") and f"{best}.RI_{metric}" in flat:
                    flat[f"best_published.RI_{metric}"] = flat[f"{best}.RI_{metric}"]
        if ORACLE in self.runs:
            flat["beyond_oracle"] = self.beyond_oracle()[0]
        first = next(iter(self.runs.values()))
        flat["blocks"] = float(sum(len(judged.count) for judged in first))
        flat["blocks_of_one_class"] = float(sum(judged.one_class for judged in first))
        flat["judged"] = float(sum(int(judged.count.sum()) for judged in first))
        return flat

    def _each(self, method: str, metric: str) -> list[float | None]:
        """RI with each seed, where it is defined at all."""
        if self.ri(method, metric) is None:
            return []
        three = [self.values(name, metric) for name in (method, PRETRAINED, ORACLE)]
        return [recovered(*values) if values[1] != values[2] else None for values in zip(*three, strict=True)]

    def _replicates(self, method: str, metric: str) -> np.ndarray:
        if not self._draws:
            tallies = {f"{name} {kind}": self._tally(name, kind) for name in self.runs for kind in METRICS}
            self._draws.update(bootstrap(tallies, self.resamples))
        return self._draws[f"{method} {metric}"]

    def _tally(self, method: str, metric: str) -> Tally:
        """Sums by block over all seeds; the k-th blocks of all seeds are drawn together."""
        each = [judged.tally(metric) for judged in self.runs[method]]
        size = max(len(judged.count) for runs in self.runs.values() for judged in runs)
        sums = np.zeros((2, size))
        for one in each:
            sums[0, : len(one.numerator)] += one.numerator
            sums[1, : len(one.denominator)] += one.denominator
        return Tally(sums[0], sums[1])


def _put(flat: dict[str, float], name: str, each: Sequence[float], mean: float | None) -> None:
    if mean is None:
        return
    flat[name] = mean
    if len(each) > 1:
        flat[f"{name}.std"] = statistics.stdev(each)
